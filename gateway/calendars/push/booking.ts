/** One vendor's booking, read with care, on its way to an occurrence: shared by all presets. */
import type { Attendee, CalendarObject, Occurrence } from '../types.ts';
import { Faults, identifier, isJson, mail, text } from './fields.ts';
import { MAX_ATTENDEES, MAX_RESOURCES, occurrencesObject, timesFault } from './occurrences.ts';
import { unreadableObject } from './setaside.ts';

/** One statement about one booking. */
export interface Statement {
  readonly href: string;
  readonly object: CalendarObject;
  /** When the vendor made it; 0 when it does not say. Newer statements of one booking win. */
  readonly stampMs: number;
  readonly sequence: number;
  /** End of the booking; absent when it cannot be read. */
  readonly endMs?: number | undefined;
  readonly readable: boolean;
}

export interface Person {
  /** Mail addresses and ids that he may be known by; unusable ones are left out. */
  readonly addresses: readonly unknown[];
  readonly name?: unknown;
  readonly role?: 'chair' | 'req-participant' | undefined;
}

/** What a preset found. Times are instants already; undefined where the vendor's text was none. */
export interface Draft {
  /** The vendor's id: unique within the source. */
  readonly id: string;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  /** Undefined: a status that the preset does not know. */
  readonly status: Pick<Occurrence, 'status' | 'stage'> | undefined;
  readonly title?: unknown;
  /** Labels that the room may be known by. */
  readonly rooms: readonly unknown[];
  /** Name of the room for people. */
  readonly location?: unknown;
  /** The holder first. */
  readonly people: readonly Person[];
  readonly organizer?: unknown;
  readonly stampMs: number | undefined;
  readonly sequence?: number | undefined;
}

/**
 * @param source id of the source: with it the vendor's id becomes a UID that no other source has by chance
 * @param faults of reading so far; with any the booking is set aside under its id
 */
export function statement(source: string, draft: Draft, faults: Faults): Statement {
  const { id, startMs, endMs, status } = draft;
  const known = { href: id, stampMs: draft.stampMs ?? 0, sequence: draft.sequence ?? 0 };
  if (status === undefined && !faults.any) faults.add('status', 'must be one that Doorward knows', 'another');
  if (faults.any || startMs === undefined || endMs === undefined || status === undefined) {
    const fault = {
      uid: id,
      code: 'malformed' as const,
      why: faults.any ? String(faults) : 'its times cannot be read',
    };
    return { ...known, object: unreadableObject(id, fault), readable: false };
  }
  const times = timesFault(startMs, endMs);
  if (times !== undefined) {
    return { ...known, object: unreadableObject(id, { uid: id, ...times }), readable: false, endMs };
  }
  const occurrence: Occurrence = {
    uid: `${source}:${id}`,
    startMs,
    endMs,
    ...status,
    sequence: known.sequence,
    stampMs: known.stampMs,
    summary: text(draft.title) ?? '',
    location: text(draft.location) ?? '',
    resources: [...new Set(draft.rooms.flatMap((room) => identifier(room) ?? []))].slice(0, MAX_RESOURCES),
    organizer: address(draft.organizer),
    attendees: attendees(draft.people),
    collection: '',
    href: id,
  };
  return { ...known, object: occurrencesObject(id, '', [occurrence]), readable: true, endMs };
}

/** One attendee per address: whichever the member is known by will fit. */
function attendees(people: readonly Person[]): Attendee[] {
  const found = new Map<string, Attendee>();
  for (const person of people) {
    for (const candidate of person.addresses) {
      const known = address(candidate);
      if (known === undefined || found.has(known) || found.size === MAX_ATTENDEES) continue;
      found.set(known, {
        address: known,
        name: text(person.name),
        kind: 'individual',
        participation: 'accepted',
        role: person.role ?? 'req-participant',
      });
    }
  }
  return [...found.values()];
}

/** A mail address in lower case, or an id as it is. */
function address(value: unknown): string | undefined {
  return mail(value) ?? identifier(value);
}

/** Calls `read` for an object with an id; a booking without one cannot even be set aside by name. */
export function withId<T>(
  value: unknown,
  idOf: (value: Readonly<Record<string, unknown>>) => unknown,
  read: (value: Readonly<Record<string, unknown>>, id: string) => T,
): T | undefined {
  if (!isJson(value)) return undefined;
  const id = identifier(idOf(value));
  return id === undefined ? undefined : read(value, id);
}

/** Reads a time; a fault at `path` when it is none. */
export function instantAt(
  faults: Faults,
  path: string,
  value: unknown,
  parse: (value: unknown) => number | undefined,
): number | undefined {
  const atMs = parse(value);
  if (atMs === undefined) faults.add(path, 'must be an instant with its offset from UTC, 2026-11-22T09:00:00Z', value);
  return atMs;
}

export { Faults };
