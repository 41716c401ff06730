/**
 * Objects of type `json`: our own occurrences, as a webhook's preset worked them out. They were checked when they were
 * made; they are checked again here, because between the two lies a database that outlives this version of the program.
 */
import type { Attendee, CalendarObject, ExpandRequest, Expansion, Occurrence, SetAside } from '../types.ts';
import { get, identifier, isJson, type Json, list, MAX_TEXT, parseJson, text } from './fields.ts';
import { readUnreadable } from './setaside.ts';

/** One booking longer than this is a mistake (31 days, the longest month). */
export const MAX_BOOKING_MS = 31 * 86_400_000;
/** Persons and rooms of one booking. */
export const MAX_ATTENDEES = 50;
export const MAX_RESOURCES = 20;

/** Makes the object of one booking. */
export function occurrencesObject(href: string, etag: string, occurrences: readonly Occurrence[]): CalendarObject {
  return { href, collection: occurrences[0]?.collection ?? '', etag, type: 'json', body: JSON.stringify(occurrences) };
}

/**
 * The occurrences of one `json` object that overlap the window. Never throws.
 * @param request only the window is read
 */
export function expandOccurrences(object: CalendarObject, request: Pick<ExpandRequest, 'fromMs' | 'toMs'>): Expansion {
  const parsed = parseJson(object.body);
  const aside = (why: string, uid: string = object.href): SetAside => {
    return { uid, summary: '', code: 'malformed', why, href: object.href };
  };
  const unreadable = readUnreadable(parsed?.value, object.href);
  if (unreadable !== undefined) return { occurrences: [], setAside: [unreadable], events: 1 };
  if (parsed === undefined || !Array.isArray(parsed.value)) {
    return { occurrences: [], setAside: [aside('the stored booking is no list of occurrences')], events: 1 };
  }
  const occurrences: Occurrence[] = [];
  const setAside: SetAside[] = [];
  for (const item of parsed.value as unknown[]) {
    const read = readOccurrence(item, object);
    if (typeof read === 'string') setAside.push(aside(read, identifier(get(item, 'uid')) ?? object.href));
    else if (read.startMs < request.toMs && read.endMs > request.fromMs) occurrences.push(read);
  }
  return { occurrences, setAside, events: parsed.value.length };
}

const STATUSES: ReadonlySet<unknown> = new Set<Occurrence['status']>(['confirmed', 'tentative', 'cancelled']);

/** @returns a sentence when it is none */
function readOccurrence(value: unknown, object: CalendarObject): Occurrence | string {
  if (!isJson(value)) return 'an occurrence is no object';
  const uid = identifier(get(value, 'uid'));
  const status = get(value, 'status');
  const stage = get(value, 'stage');
  const [startMs, endMs] = [get(value, 'startMs'), get(value, 'endMs')];
  if (uid === undefined) return 'uid: must be a text';
  if (!STATUSES.has(status)) return 'status: must be confirmed, tentative or cancelled';
  if (stage !== undefined && stage !== 'checked_in' && stage !== 'fulfilled') return 'stage: is unknown';
  if (!isMs(startMs) || !isMs(endMs)) return 'startMs, endMs: must be Unix milliseconds';
  const times = timesFault(startMs, endMs);
  if (times !== undefined) return times.why;
  return {
    uid,
    recurrenceId: text(get(value, 'recurrenceId')),
    startMs,
    endMs,
    status: status as Occurrence['status'],
    stage,
    sequence: whole(get(value, 'sequence')),
    stampMs: whole(get(value, 'stampMs')),
    summary: text(get(value, 'summary')) ?? '',
    location: text(get(value, 'location')) ?? '',
    resources: list(value, 'resources')
      .slice(0, MAX_RESOURCES)
      .flatMap((item) => text(item) ?? []),
    organizer: text(get(value, 'organizer')),
    attendees: list(value, 'attendees').slice(0, MAX_ATTENDEES).flatMap(readAttendee),
    collection: text(get(value, 'collection'), MAX_TEXT) ?? object.collection,
    href: object.href,
  };
}

const KINDS: ReadonlySet<unknown> = new Set<Attendee['kind']>(['individual', 'group', 'resource', 'room', 'unknown']);

function readAttendee(value: unknown): Attendee[] {
  if (!isJson(value)) return [];
  const json: Json = value;
  const address = text(get(json, 'address'));
  if (address === undefined) return [];
  const kind = get(json, 'kind');
  return [
    {
      address,
      name: text(get(json, 'name')),
      kind: KINDS.has(kind) ? (kind as Attendee['kind']) : 'unknown',
      // What is not known to be accepted must not count as it.
      participation: text(get(json, 'participation')) ?? 'needs-action',
      role: text(get(json, 'role')) ?? 'non-participant',
    },
  ];
}

function isMs(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function whole(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** Why `[startMs, endMs)` cannot be a booking; undefined when it can. */
export function timesFault(
  startMs: number,
  endMs: number,
): { readonly code: 'contradiction' | 'too_long'; readonly why: string } | undefined {
  if (endMs <= startMs) return { code: 'contradiction', why: 'it does not end after it starts; mend its times' };
  if (endMs - startMs > MAX_BOOKING_MS) return { code: 'too_long', why: 'it lasts longer than 31 days; split it' };
  return undefined;
}
