/**
 * FHIR R4 Appointment (hl7.org/fhir/R4/appointment.html): what of it we keep, and what it grants. A clinic's appointments
 * name patients; nothing of them may reach a booking, the store or a log. So the body is built anew from a whitelist when
 * an Appointment comes in (`keepAppointment`), and is read by the same whitelist again when it is expanded.
 */
import type {
  Attendee,
  CalendarObject,
  ExpandRequest,
  Expansion,
  Occurrence,
  SetAside,
  SetAsideCode,
} from '../types.ts';
import { readActor } from './actors.ts';
import { get, isJson, type Json, list, parseJson, text, typeName } from './fields.ts';
import { parseInstant } from './instant.ts';
import { MAX_ATTENDEES, MAX_RESOURCES, timesFault } from './occurrences.ts';

/** FHIR `id`. */
const ID = /^[A-Za-z0-9\-.]{1,64}$/;
/** Participants read of one Appointment; the rest is ignored. */
const MAX_PARTICIPANTS = 200;
/** A server's own version number, when it is one. */
const NUMBER = /^(?:0|[1-9]\d{0,8})$/;
/** Shown as title: an appointment's own words tell of a patient. */
const SUMMARY = 'Appointment';

/** FACTS 2: booked, arrived and checked-in grant; fulfilled until its end; all else denies. */
const STATUS: Readonly<Record<string, Pick<Occurrence, 'status' | 'stage'>>> = {
  booked: { status: 'confirmed' },
  arrived: { status: 'confirmed', stage: 'checked_in' },
  'checked-in': { status: 'confirmed', stage: 'checked_in' },
  fulfilled: { status: 'confirmed', stage: 'fulfilled' },
  proposed: { status: 'tentative' },
  pending: { status: 'tentative' },
  waitlist: { status: 'tentative' },
  cancelled: { status: 'cancelled' },
  noshow: { status: 'cancelled' },
  'entered-in-error': { status: 'cancelled' },
};

/** The whitelisted body: the fields of `Occurrence` that FHIR has, times and status as FHIR writes them. */
interface Kept {
  readonly resourceType: 'Appointment';
  /** Address of the server: with it the id becomes a UID that no other source has by chance. */
  readonly server: string;
  readonly id: string;
  readonly version?: string | undefined;
  readonly lastUpdated?: string | undefined;
  readonly status?: string | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  /** The resource says that it cannot be understood without more (modifierExtension, implicitRules). */
  readonly modified?: true | undefined;
  readonly rooms: readonly string[];
  readonly location?: string | undefined;
  readonly attendees: readonly Attendee[];
}

/**
 * The object to store for one Appointment, or undefined when it is none (another resource, no id).
 * @param base address of the FHIR server without a slash at its end; references below it become relative
 */
export function keepAppointment(resource: unknown, base: string): CalendarObject | undefined {
  if (!isJson(resource) || get(resource, 'resourceType') !== 'Appointment') return undefined;
  const id = get(resource, 'id');
  if (typeof id !== 'string' || !ID.test(id)) return undefined;
  const meta = get(resource, 'meta');
  const version = get(meta, 'versionId');
  const contained = list(resource, 'contained');
  const participants = list(resource, 'participant').slice(0, MAX_PARTICIPANTS);
  const rooms: string[] = [];
  const attendees: { readonly attendee: Attendee; readonly primary: boolean }[] = [];
  let location: string | undefined;
  for (const participant of participants) {
    const actor = readActor(get(participant, 'actor'), contained, base);
    if (actor === undefined) continue;
    if (actor.type === 'Location') {
      // A room that declined is not the appointment's room.
      if (get(participant, 'status') === 'declined') continue;
      rooms.push(...actor.labels);
      location ??= actor.name;
      continue;
    }
    // Who is only told of it does not use the room.
    if (get(participant, 'required') === 'information-only') continue;
    const primary = hasType(participant, 'PPRF');
    for (const address of actor.labels) {
      attendees.push({ attendee: attendeeOf(participant, address, actor.name, primary), primary });
    }
  }
  attendees.sort((a, b) => Number(b.primary) - Number(a.primary));
  const kept: Kept = {
    resourceType: 'Appointment',
    server: base,
    id,
    version: typeof version === 'string' && ID.test(version) ? version : undefined,
    lastUpdated: instantText(get(meta, 'lastUpdated')),
    status: statusText(get(resource, 'status')),
    start: instantText(get(resource, 'start')),
    end: instantText(get(resource, 'end')),
    modified: isModified(resource) || participants.some(isModified) ? true : undefined,
    rooms: [...new Set(rooms)].slice(0, MAX_RESOURCES),
    location,
    attendees: attendees.map((entry) => entry.attendee).slice(0, MAX_ATTENDEES),
  };
  return {
    href: `Appointment/${id}`,
    collection: '',
    etag: kept.version === undefined ? '' : `W/"${kept.version}"`,
    type: 'fhir',
    body: JSON.stringify(kept),
  };
}

/**
 * Adds the mail addresses of practitioners whom the Appointment names by reference.
 * @param object made by `keepAppointment`
 * @param mailsOf mail addresses by reference, `Practitioner/12`
 */
export function addMails(object: CalendarObject, mailsOf: ReadonlyMap<string, readonly string[]>): CalendarObject {
  const kept = JSON.parse(object.body) as Kept;
  const known = new Set(kept.attendees.map(({ address }) => address));
  const attendees = kept.attendees.flatMap((attendee) => {
    const mails = (mailsOf.get(attendee.address) ?? []).filter((address) => !known.has(address));
    return [attendee, ...mails.map((address) => ({ ...attendee, address }))];
  });
  if (attendees.length === kept.attendees.length) return object;
  return { ...object, body: JSON.stringify({ ...kept, attendees: attendees.slice(0, MAX_ATTENDEES) }) };
}

/** Whom a kept Appointment names by reference to this server. */
export function practitionersOf(object: CalendarObject): readonly string[] {
  const kept = JSON.parse(object.body) as Kept;
  return kept.attendees.flatMap(({ address }) => (address.startsWith('Practitioner/') ? [address] : []));
}

/** FHIR participationstatus → PARTSTAT; anything else has not accepted. */
const PARTICIPATION: Readonly<Record<string, string>> = {
  accepted: 'accepted',
  declined: 'declined',
  tentative: 'tentative',
  'needs-action': 'needs-action',
};
const ROLE: Readonly<Record<string, string>> = {
  required: 'req-participant',
  optional: 'opt-participant',
};

function attendeeOf(participant: unknown, address: string, name: string | undefined, primary: boolean): Attendee {
  const status = get(participant, 'status');
  const required = get(participant, 'required');
  const role = (typeof required === 'string' ? lookUp(ROLE, required) : undefined) ?? 'req-participant';
  return {
    address,
    name,
    kind: 'individual',
    participation: (typeof status === 'string' ? lookUp(PARTICIPATION, status) : undefined) ?? 'needs-action',
    role: primary ? 'chair' : role,
  };
}

/** participant.type holds v3-ParticipationType codes; PPRF is the primary performer. */
function hasType(participant: unknown, code: string): boolean {
  return list(participant, 'type').some((type) => list(type, 'coding').some((coding) => get(coding, 'code') === code));
}

/** Readers must refuse what a modifier extension may turn around (hl7.org/fhir/R4/extensibility.html). */
function isModified(element: unknown): boolean {
  return list(element, 'modifierExtension').length > 0 || get(element, 'implicitRules') !== undefined;
}

/** Only what can be an instant or a code is kept: a text field may hold anything, a name too. */
function instantText(value: unknown): string | undefined {
  return parseInstant(value) === undefined ? undefined : (value as string);
}
function statusText(value: unknown): string | undefined {
  return typeof value === 'string' && lookUp(STATUS, value) !== undefined ? value : undefined;
}
function lookUp<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/**
 * What one stored Appointment comes to within the window. Never throws; what cannot be understood is set aside with its
 * reason and grants nothing.
 */
export function expandAppointment(object: CalendarObject, request: Pick<ExpandRequest, 'fromMs' | 'toMs'>): Expansion {
  const aside = (code: SetAsideCode, why: string): Expansion => {
    const entry: SetAside = { uid: object.href, summary: SUMMARY, code, why, href: object.href };
    return { occurrences: [], setAside: [entry], events: 1 };
  };
  const kept = parseJson(object.body)?.value;
  if (!isJson(kept) || get(kept, 'resourceType') !== 'Appointment') {
    return aside('malformed', 'the stored body is no Appointment; it will be fetched again');
  }
  if (get(kept, 'modified') === true) {
    return aside(
      'malformed',
      'it carries a modifierExtension or implicitRules that Doorward does not know; book it without',
    );
  }
  const code = get(kept, 'status');
  const mapped = typeof code === 'string' ? lookUp(STATUS, code) : undefined;
  if (mapped === undefined) return aside('malformed', 'status: must be an AppointmentStatus of FHIR R4');
  const [startMs, endMs] = [parseInstant(get(kept, 'start')), parseInstant(get(kept, 'end'))];
  if (startMs === undefined || endMs === undefined) {
    // R4 lets proposed, cancelled and waitlist go without times: they grant nothing anyway.
    if (mapped.status !== 'confirmed') return { occurrences: [], setAside: [], events: 1 };
    return aside('no_times', 'start and end: must be instants with seconds and offset, 2026-11-22T09:00:00+01:00');
  }
  const fault = timesFault(startMs, endMs);
  if (fault !== undefined) return aside(fault.code, fault.why);
  const inside = startMs < request.toMs && endMs > request.fromMs;
  const occurrence = occurrenceOf(kept, object, startMs, endMs, mapped);
  return { occurrences: inside ? [occurrence] : [], setAside: [], events: 1 };
}

function occurrenceOf(
  kept: Json,
  object: CalendarObject,
  startMs: number,
  endMs: number,
  mapped: Pick<Occurrence, 'status' | 'stage'>,
): Occurrence {
  const version = get(kept, 'version');
  return {
    uid: `${text(get(kept, 'server')) ?? ''}/${object.href}`,
    startMs,
    endMs,
    status: mapped.status,
    stage: mapped.stage,
    sequence: typeof version === 'string' && NUMBER.test(version) ? Number(version) : 0,
    stampMs: parseInstant(get(kept, 'lastUpdated')) ?? 0,
    summary: SUMMARY,
    location: text(get(kept, 'location')) ?? '',
    resources: list(kept, 'rooms')
      .flatMap((label) => text(label) ?? [])
      .slice(0, MAX_RESOURCES),
    attendees: list(kept, 'attendees').flatMap(readKeptAttendee).slice(0, MAX_ATTENDEES),
    collection: object.collection,
    href: object.href,
  };
}

function readKeptAttendee(value: unknown): Attendee[] {
  const address = text(get(value, 'address'));
  if (address === undefined) return [];
  return [
    {
      address,
      name: text(get(value, 'name')),
      kind: 'individual',
      participation: text(get(value, 'participation')) ?? 'needs-action',
      role: text(get(value, 'role')) ?? 'non-participant',
    },
  ];
}

/** For messages: what something is that should have been an Appointment, without its content. */
export function resourceName(value: unknown): string {
  const type = get(value, 'resourceType');
  return typeof type === 'string' && /^[A-Z][A-Za-z]{1,63}$/.test(type) ? type : typeName(value);
}
