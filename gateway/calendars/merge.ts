/**
 * What counts when a calendar's word is held against what is known (docs/adr/0011). Pure. From the strongest:
 * a person's word or a release, field by field, until the calendar itself moves the event; a cancellation by any
 * source; the newest statement of a source (SEQUENCE, then DTSTAMP); the priority of the source.
 */
import type { Booking, BookingStatus } from '../core/records.ts';
import type { OriginRecord } from '../store/types.ts';
import type { Said } from './mapping.ts';

const GRANTING: ReadonlySet<BookingStatus> = new Set(['confirmed', 'checked_in']);

/** One event in one room as it is known now. */
export interface Known {
  readonly origin: OriginRecord;
  /** As it counts now; absent where another source's word does. */
  readonly booking: Booking | undefined;
}

/** Of two statements about one event the one that counts: cancellation, then SEQUENCE, then DTSTAMP. */
export function newerOf(a: Said, b: Said): Said {
  const [cancelledA, cancelledB] = [a, b].map(({ booking }) => booking.status === 'cancelled');
  if (cancelledA !== cancelledB) return cancelledA ? a : b;
  return isOlder(b.occurrence, a.occurrence) ? a : b;
}

interface Stamp {
  readonly sequence: number;
  readonly stampMs: number;
}
function isOlder(a: Stamp, b: Stamp): boolean {
  return a.sequence !== b.sequence ? a.sequence < b.sequence : a.stampMs < b.stampMs;
}

/**
 * A change of one instance that was taken back leaves the instance to its series, which may count a lower SEQUENCE of its
 * own: there the stamp tells. Copies out of a cache have older stamps too. A cancellation is not taken back that way.
 */
function isOvertaken(occurrence: Said['occurrence'], known: OriginRecord): boolean {
  if (!isOlder(occurrence, known)) return false;
  const cancelled = known.said.status === 'cancelled';
  return occurrence.recurrenceId === undefined || cancelled || occurrence.stampMs <= known.stampMs;
}

/** One statement a booking: a source may tell twice of an event. */
export function oncePerBooking(said: readonly Said[]): readonly Said[] {
  const byId = new Map<string, Said>();
  for (const one of said) {
    const other = byId.get(one.booking.id);
    byId.set(one.booking.id, other === undefined ? one : newerOf(other, one));
  }
  return byId.size === said.length ? said : [...byId.values()];
}

/** The origin after a statement; the known one itself where nothing changes. */
export function afterSaid(said: Said, known: OriginRecord | undefined): OriginRecord {
  const { occurrence, booking, key } = said;
  // What was known came later: a cache, or a message that was overtaken.
  if (known !== undefined && !known.gone && isOvertaken(occurrence, known)) return known;
  const moved = known !== undefined && (known.startMs !== booking.startMs || known.endMs !== booking.endMs);
  const origin: OriginRecord = {
    booking: booking.id,
    source: booking.source,
    key,
    uid: occurrence.uid,
    recurrenceId: occurrence.recurrenceId,
    collection: occurrence.collection,
    href: occurrence.href,
    sequence: occurrence.sequence,
    stampMs: occurrence.stampMs,
    startMs: booking.startMs,
    endMs: booking.endMs,
    gone: false,
    said: booking,
    override: moved ? undefined : known?.override,
  };
  return known !== undefined && sameOrigin(origin, known) ? known : origin;
}

/** The origin after its source no longer tells of it. What is over stays as it was: nobody un-happens. */
export function afterGone(known: OriginRecord, nowMs: number): OriginRecord {
  return known.gone || known.endMs <= nowMs ? known : { ...known, gone: true };
}

/**
 * The bookings of one event in one room, out of what all sources say of it: by booking id, undefined where another
 * source's word counts. `before` are the bookings as they stand.
 */
export function settle(
  origins: readonly OriginRecord[],
  before: (id: string) => Booking | undefined,
  nowMs: number,
): ReadonlyMap<string, Booking | undefined> {
  const told = origins.filter(({ gone }) => !gone);
  const cancelled = told.some(({ said }) => said.status === 'cancelled');
  const refusal = origins.find(({ gone, override }) => gone && override !== undefined && isRefusal(override.status));
  const first = [...told].sort(byRank)[0];
  const settled = new Map<string, Booking | undefined>();
  for (const origin of origins) {
    const stands = origin.gone || first === undefined || first === origin || origin.override !== undefined;
    // The one that outranks it tells of the same event: two bookings of it would stand in each other's way.
    const booking = stands ? refusedLike(refusal, origin, effective(origin, cancelled)) : undefined;
    settled.set(origin.booking, booking && confirmedSince(booking, before(origin.booking), nowMs));
  }
  return settled;
}

/** A person's word before all, then the priority, then the newest. */
function byRank(a: OriginRecord, b: OriginRecord): number {
  const override = Number(b.override !== undefined) - Number(a.override !== undefined);
  if (override !== 0) return override;
  const priority = (b.said.priority ?? 0) - (a.said.priority ?? 0);
  if (priority !== 0) return priority;
  if (a.sequence !== b.sequence) return b.sequence - a.sequence;
  if (a.stampMs !== b.stampMs) return b.stampMs - a.stampMs;
  return a.source < b.source ? -1 : 1;
}

function effective({ said, gone, override }: OriginRecord, cancelled: boolean): Booking {
  const status = gone || cancelled ? 'cancelled' : said.status;
  return { ...said, status, ...override };
}

function isRefusal(status: BookingStatus | undefined): boolean {
  return status === 'cancelled' || status === 'released';
}

/** A person's no to an event outlives the source that it was said to: another source's copy of it grants no more. */
function refusedLike(refusal: OriginRecord | undefined, { gone, startMs, endMs, override }: OriginRecord, is: Booking) {
  const status = refusal?.override?.status;
  const same = refusal?.startMs === startMs && refusal.endMs === endMs;
  return status === undefined || gone || override !== undefined || !same ? is : { ...is, status };
}

/** The first confirmed keeps the room, so it is told from when a booking has claimed what it claims. */
function confirmedSince(booking: Booking, before: Booking | undefined, nowMs: number): Booking {
  const { confirmedAtMs: _said, ...rest } = booking;
  if (!GRANTING.has(booking.status)) return rest;
  const kept =
    before?.confirmedAtMs !== undefined &&
    GRANTING.has(before.status) &&
    before.room === booking.room &&
    before.startMs <= booking.startMs &&
    before.endMs >= booking.endMs;
  return { ...rest, confirmedAtMs: kept ? before.confirmedAtMs : nowMs };
}

export function sameBooking(a: Booking | undefined, b: Booking | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.room === b.room &&
    a.holder === b.holder &&
    a.startMs === b.startMs &&
    a.endMs === b.endMs &&
    a.status === b.status &&
    a.title === b.title &&
    a.confirmedAtMs === b.confirmedAtMs &&
    a.priority === b.priority &&
    a.delegates.length === b.delegates.length &&
    a.delegates.every((delegate, at) => delegate === b.delegates[at])
  );
}

function sameOrigin(a: OriginRecord, b: OriginRecord): boolean {
  return (
    a.sequence === b.sequence &&
    a.stampMs === b.stampMs &&
    a.gone === b.gone &&
    a.href === b.href &&
    a.collection === b.collection &&
    a.override === b.override &&
    sameBooking(a.said, b.said)
  );
}

export interface Merged {
  readonly origins: readonly OriginRecord[];
  readonly upsert: readonly Booking[];
  readonly remove: readonly string[];
  /** The bookings that changed, as they were. */
  readonly before: readonly Booking[];
}

/**
 * What is to be written for statements and vanished bookings of one source.
 * @param known the origins of these bookings, and those of other sources with the same keys
 * @param stored bookings as they stand
 */
export function merge(
  change: { readonly said: readonly Said[]; readonly gone: readonly string[] },
  known: readonly OriginRecord[],
  stored: (id: string) => Booking | undefined,
  nowMs: number,
): Merged {
  const origins = new Map(known.map((origin) => [origin.booking, origin]));
  const changed = new Map<string, OriginRecord>();
  const keys = new Set<string>();
  const note = (before: OriginRecord | undefined, after: OriginRecord) => {
    keys.add(after.key);
    if (after === before) return;
    origins.set(after.booking, after);
    changed.set(after.booking, after);
  };
  for (const one of oncePerBooking(change.said)) {
    const before = origins.get(one.booking.id);
    note(before, afterSaid(one, before));
  }
  for (const id of change.gone) {
    const before = origins.get(id);
    if (before !== undefined) note(before, afterGone(before, nowMs));
  }
  const byKey = new Map<string, OriginRecord[]>();
  for (const origin of origins.values()) {
    if (!keys.has(origin.key)) continue;
    const group = byKey.get(origin.key);
    if (group === undefined) byKey.set(origin.key, [origin]);
    else group.push(origin);
  }
  const upsert: Booking[] = [];
  const remove: string[] = [];
  const before: Booking[] = [];
  for (const group of byKey.values()) {
    for (const [id, booking] of settle(group, stored, nowMs)) {
      const was = stored(id);
      if (sameBooking(was, booking)) continue;
      if (was !== undefined) before.push(was);
      if (booking !== undefined) upsert.push(booking);
      else remove.push(id);
    }
  }
  return { origins: [...changed.values()], upsert, remove, before };
}
