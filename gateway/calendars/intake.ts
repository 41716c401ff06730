/**
 * From what a source sent to what opens doors: keep the objects, work out the events in the worker, map, merge, write
 * and put in force. In small steps, so that no badge waits: each is one durable transaction, and a power cut between
 * two leaves a source that is worked out anew from its objects.
 */
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import type { Booking } from '../core/records.ts';
import type { CalendarObjectRecord, Calendars } from '../store/types.ts';
import { type Directory, type MappingRules, mapper, type Said } from './mapping.ts';
import { type Merged, merge, oncePerBooking } from './merge.ts';
import type { CalendarObject, ExpandRequest, Expansion, FeedFault, Occurrence, SetAside } from './types.ts';

/** Bookings that are merged, written and put in force at once: some milliseconds. */
export const SLICE_BOOKINGS = 100;
/** Events that are mapped between two turns of the event loop. */
export const SLICE_EVENTS = 500;
/** Objects, or bytes of them, that are written or read at once. */
export const SLICE_OBJECTS = 200;
const SLICE_BYTES = 2 * 1024 * 1024;
/** Yesterday's are looked at too: they are on the dashboard. */
export const LOOK_BACK_MS = 24 * 3_600_000;

const deflated = promisify(deflate);
const inflated = promisify(inflate);

export interface IntakeStore {
  readonly calendars: Calendars;
  readonly bookings: { get(id: string): Booking | undefined };
}
export interface ExpanderPort {
  expand(
    request: ExpandRequest,
    signal?: AbortSignal,
  ): Promise<Expansion | { readonly fault: FeedFault; readonly why: string }>;
}
export interface IntakePorts {
  readonly store: IntakeStore;
  readonly nowMs: () => number;
  /** Puts bookings in force; resolves when they are. */
  readonly inForce: (ids: readonly string[]) => Promise<void>;
  /** Bookings as they were and as they are now, for the dashboards. */
  readonly told: (before: readonly Booking[], after: readonly Booking[]) => void;
}

/** Gives badges their turn. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function* slices<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

export async function keepObjects(
  ports: IntakePorts,
  source: string,
  put: readonly CalendarObject[],
  remove: readonly string[],
): Promise<void> {
  const { calendars } = ports.store;
  for (const hrefs of slices(remove, SLICE_OBJECTS)) {
    calendars.commit({ source, objects: { put: [], remove: hrefs } });
    await breathe();
  }
  let waiting: CalendarObjectRecord[] = [];
  let bytes = 0;
  const write = async () => {
    if (waiting.length > 0) calendars.commit({ source, objects: { put: waiting, remove: [] } });
    waiting = [];
    bytes = 0;
    await breathe();
  };
  for (const { href, collection, etag, type, body } of put) {
    const packed = await deflated(body);
    waiting.push({ href, collection, etag, type, body: packed });
    bytes += packed.length;
    if (waiting.length >= SLICE_OBJECTS || bytes >= SLICE_BYTES) await write();
  }
  await write();
}

/** All that is kept of a source. */
export async function keptObjects(calendars: Calendars, source: string): Promise<CalendarObject[]> {
  const objects: CalendarObject[] = [];
  let after: string | undefined;
  for (;;) {
    const page = calendars.objects(source, SLICE_OBJECTS, after);
    for (const record of page) objects.push(await unpacked(record));
    const last = page.at(-1);
    if (last === undefined || page.length < SLICE_OBJECTS) return objects;
    after = last.href;
    await breathe();
  }
}

export async function unpacked(record: CalendarObjectRecord): Promise<CalendarObject> {
  return { ...record, body: (await inflated(record.body)).toString('utf8') };
}

export interface Taken {
  readonly said: readonly Said[];
  readonly setAside: readonly SetAside[];
  readonly notOurs: number;
}

/** Rooms and holders of all events, each booking once, the soonest first. */
export async function mapAll(
  occurrences: readonly Occurrence[],
  rules: MappingRules,
  directory: Directory,
): Promise<Taken> {
  const map = mapper(rules, directory);
  const said: Said[] = [];
  const setAside = new Map<string, SetAside>();
  let notOurs = 0;
  for (const slice of slices(occurrences, SLICE_EVENTS)) {
    for (const occurrence of slice) {
      const mapped = map(occurrence);
      if (mapped.kind === 'said') said.push(...mapped.said);
      else if (mapped.kind === 'not_ours') notOurs += 1;
      // A series is one event, however often it takes place.
      else setAside.set(`${mapped.setAside.uid}\n${mapped.setAside.why}`, mapped.setAside);
    }
    await breathe();
  }
  const once = [...oncePerBooking(said)].sort((a, b) => a.booking.startMs - b.booking.startMs);
  return { said: once, setAside: [...setAside.values()], notOurs };
}

/**
 * Merges and puts in force. What is gone goes first, so that a room is free for what came in its place.
 * @param hrefs the objects that were read, where that were not all; bookings of others are left as they are
 * @returns how many bookings changed
 */
export async function takeIn(
  ports: IntakePorts,
  source: string,
  said: readonly Said[],
  hrefs: readonly string[] | undefined,
): Promise<number> {
  const { calendars } = ports.store;
  const there = new Set(said.map(({ booking }) => booking.id));
  const gone = calendars.told(source, ports.nowMs(), hrefs).filter((id) => !there.has(id));
  let changes = 0;
  for (const slice of slices(gone, SLICE_BOOKINGS))
    changes += await takeSlice(ports, source, { said: [], gone: slice });
  for (const slice of slices(said, SLICE_BOOKINGS))
    changes += await takeSlice(ports, source, { said: slice, gone: [] });
  return changes;
}

async function takeSlice(
  ports: IntakePorts,
  source: string,
  change: { readonly said: readonly Said[]; readonly gone: readonly string[] },
): Promise<number> {
  const { calendars, bookings } = ports.store;
  const goneOrigins = calendars.origins(change.gone);
  const keys = new Set([...change.said.map(({ key }) => key), ...goneOrigins.map(({ key }) => key)]);
  const known = calendars.originsOfKeys([...keys]);
  const stored = new Map<string, Booking | undefined>();
  const storedBooking = (id: string) => {
    if (!stored.has(id)) stored.set(id, bookings.get(id));
    return stored.get(id);
  };
  // From reading to writing in one turn: nobody changes a booking in between.
  const merged = merge(change, known, storedBooking, ports.nowMs());
  return await putMerged(ports, source, merged);
}

export async function putMerged(ports: IntakePorts, source: string, merged: Merged): Promise<number> {
  const { origins, upsert, remove, before } = merged;
  if (origins.length + upsert.length + remove.length === 0) {
    await breathe();
    return 0;
  }
  ports.store.calendars.commit({ source, origins, bookings: { upsert, remove } });
  if (upsert.length + remove.length === 0) return 0;
  await ports.inForce([...remove, ...upsert.map(({ id }) => id)]);
  const removed = before.filter(({ id }) => remove.includes(id));
  ports.told(before, [...upsert, ...removed.map((booking): Booking => ({ ...booking, status: 'cancelled' }))]);
  return upsert.length + remove.length;
}
