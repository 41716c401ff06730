/**
 * Who and what takes part in a FHIR R4 Appointment, by a whitelist: rooms (Location) and practitioners. Whatever is not
 * surely one of these is dropped, so a Patient or a RelatedPerson can come through by no path (hl7.org/fhir/R4,
 * Appointment.participant.actor and Reference).
 */
import { get, identifier, isJson, type Json, list, mail, text } from './fields.ts';

/** Kept actors; all else (Patient, RelatedPerson, Device, HealthcareService, unknown) is dropped. */
const KEPT = new Set(['Location', 'Practitioner', 'PractitionerRole']);
type KeptType = 'Location' | 'Practitioner' | 'PractitionerRole';

export interface Actor {
  readonly type: KeptType;
  /** What it may be known by: `Practitioner/ID`, mail addresses of a contained resource, identifiers as `system|value`. */
  readonly labels: readonly string[];
  readonly name?: string | undefined;
}

/** Labels of one actor; more is not useful. */
const MAX_LABELS = 8;
/** `[base/]Type/id[/_history/version]`, hl7.org/fhir/R4/references.html. */
const LITERAL = /^(.*?)(?:^|\/)([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/;

/**
 * @param contained the Appointment's own contained resources
 * @param base of the server, without a slash at its end: references under it become relative; those to other servers stay
 *   whole, because another server's Practitioner/12 is somebody else
 */
export function readActor(reference: unknown, contained: readonly unknown[], base: string): Actor | undefined {
  if (!isJson(reference)) return undefined;
  const literal = text(get(reference, 'reference'));
  const declared = text(get(reference, 'type'));
  if (literal?.startsWith('#')) return fromContained(literal.slice(1), declared, contained, base);
  const parsed = literal === undefined ? undefined : parseLiteral(literal, base);
  const type = parsed?.type ?? declared;
  // A reference whose two statements differ could be a patient under a practitioner's name.
  if (type === undefined || (declared !== undefined && declared !== type) || !isKept(type)) return undefined;
  const labels = [parsed?.label, token(get(reference, 'identifier'))];
  const name = text(get(reference, 'display'));
  if (type === 'Location' && name !== undefined) labels.push(name);
  return actor(type, labels, name);
}

function fromContained(
  id: string,
  declared: string | undefined,
  contained: readonly unknown[],
  base: string,
): Actor | undefined {
  const resource = contained.find((item) => isJson(item) && get(item, 'id') === id);
  const type = get(resource, 'resourceType');
  if (!isJson(resource) || typeof type !== 'string' || !isKept(type)) return undefined;
  if (declared !== undefined && declared !== type) return undefined;
  const labels: (string | undefined)[] = list(resource, 'identifier').map(token);
  if (type === 'Location') {
    const name = text(get(resource, 'name'));
    return actor(type, [name, ...labels], name);
  }
  labels.push(...mails(resource));
  if (type === 'PractitionerRole') {
    const person = get(resource, 'practitioner');
    // One step only, and never through another contained resource: no circle.
    const practitioner = readActor(person, [], base);
    if (practitioner?.type === 'Practitioner') labels.unshift(...practitioner.labels);
    return actor(type, labels, practitioner?.name);
  }
  return actor(type, labels, humanName(resource));
}

function actor(type: KeptType, labels: readonly (string | undefined)[], name: string | undefined): Actor | undefined {
  const known = [...new Set(labels.filter((label) => label !== undefined))].slice(0, MAX_LABELS);
  return known.length === 0 ? undefined : { type, labels: known, name };
}

function isKept(type: string): type is KeptType {
  return KEPT.has(type);
}

function parseLiteral(literal: string, base: string): { readonly type: string; readonly label: string } | undefined {
  const match = LITERAL.exec(literal);
  if (match === null) return undefined;
  const [, server = '', type = '', id = ''] = match;
  const own = server === '' || server === base;
  return { type, label: own ? `${type}/${id}` : `${server}/${type}/${id}` };
}

/** An Identifier as FHIR's searches write it, `system|value`; without its system a number names nobody. */
function token(value: unknown): string | undefined {
  const [system, number] = [text(get(value, 'system')), identifier(get(value, 'value'))];
  return system === undefined || number === undefined ? undefined : `${system}|${number}`;
}

/** Mail addresses of a Practitioner or PractitionerRole. */
export function mails(resource: unknown): string[] {
  return list(resource, 'telecom').flatMap((item) =>
    get(item, 'system') === 'email' ? (mail(get(item, 'value')) ?? []) : [],
  );
}

function humanName(resource: Json): string | undefined {
  const name = list(resource, 'name')[0];
  const whole = text(get(name, 'text'));
  if (whole !== undefined) return whole;
  return text(
    [...list(name, 'prefix'), ...list(name, 'given'), get(name, 'family')].flatMap((v) => text(v) ?? []).join(' '),
  );
}
