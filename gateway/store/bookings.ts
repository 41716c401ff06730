/** Bookings: half-open windows `[start, end)` that never overlap in one room. */
import { isDeepStrictEqual } from 'node:util';
import type { Booking, BookingStatus } from '../core/records.ts';
import { type Database, orNull } from './database.ts';
import type { BookingClash, BookingQuery, BookingSet, Bookings, Refusal, Result } from './types.ts';

/** These give the room free: they block no other booking. */
const FREE: ReadonlySet<BookingStatus> = new Set(['cancelled', 'released', 'fulfilled']);

/** In the order of the columns: read as arrays, 100,000 bookings load in two thirds of the time of objects. */
type Row = [
  id: string,
  room: string,
  holder: string,
  delegates: string,
  startMs: number,
  endMs: number,
  status: string,
  source: string,
  title: string,
  confirmedAtMs: number | null,
  priority: number | null,
  series: string | null,
];
const COLUMNS =
  'id, room, holder, delegates, start_ms, end_ms, status, source, title, confirmed_at_ms, priority, series';
/** Only these open doors. */
const GRANTING: ReadonlySet<BookingStatus> = new Set(['confirmed', 'checked_in']);
const LOCAL_SOURCE = 'local';

function toParameters(booking: Booking) {
  return {
    id: booking.id,
    room: booking.room,
    holder: booking.holder,
    delegates: JSON.stringify(booking.delegates),
    start_ms: booking.startMs,
    end_ms: booking.endMs,
    status: booking.status,
    source: booking.source,
    title: booking.title,
    confirmed_at_ms: orNull(booking.confirmedAtMs),
    priority: orNull(booking.priority),
    series: orNull(booking.series),
  };
}

function toBooking(row: Row): Booking {
  const [id, room, holder, delegates, startMs, endMs, status, source, title, confirmedAtMs, priority, series] = row;
  const booking: { -readonly [K in keyof Booking]: Booking[K] } = {
    id,
    room,
    holder,
    delegates: delegates === '[]' ? [] : (JSON.parse(delegates) as string[]),
    startMs,
    endMs,
    status: status as BookingStatus,
    source,
    title,
  };
  if (confirmedAtMs !== null) booking.confirmedAtMs = confirmedAtMs;
  if (priority !== null) booking.priority = priority;
  if (series !== null) booking.series = series;
  return booking;
}

/**
 * With when it was first known as granting: of two bookings of one room the one confirmed first keeps it, also after a
 * restart. It is lost where the booking claims time or a room that it did not have.
 */
export function withConfirmation(booking: Booking, before: Booking | undefined, nowMs: number): Booking {
  if (!GRANTING.has(booking.status)) {
    const { confirmedAtMs: _lost, ...rest } = booking;
    return rest;
  }
  const kept =
    before?.confirmedAtMs !== undefined &&
    GRANTING.has(before.status) &&
    before.room === booking.room &&
    before.startMs <= booking.startMs &&
    before.endMs >= booking.endMs;
  return { ...booking, confirmedAtMs: kept ? before.confirmedAtMs : nowMs };
}

const FILTERS = {
  room: 'room = @room',
  holder: 'holder = @holder',
  fromMs: 'end_ms > @fromMs',
  toMs: 'start_ms < @toMs',
  series: 'series = @series',
} as const;

/** Leaves a transaction so that nothing of it stays, with what is to be said of it. */
class Undo extends Error {
  readonly refusal: BookingSet;
  constructor(refusal: BookingSet) {
    super('undone');
    this.refusal = refusal;
  }
}

function undone(work: () => BookingSet): BookingSet {
  try {
    return work();
  } catch (error) {
    if (error instanceof Undo) return error.refusal;
    throw error;
  }
}

/**
 * `nowMs` tells when a booking is first known as granting; without it that is not noted.
 */
export function openBookings(db: Database, nowMs?: () => number): Bookings {
  const byId = db.prepare<[string], Row>(`SELECT ${COLUMNS} FROM bookings WHERE id = ?`).raw();
  const write = db.prepare(
    `INSERT INTO bookings (${COLUMNS}) VALUES (@id, @room, @holder, @delegates, @start_ms, @end_ms, @status, @source,
       @title, @confirmed_at_ms, @priority, @series)
     ON CONFLICT (id) DO UPDATE SET room = excluded.room, holder = excluded.holder, delegates = excluded.delegates,
       start_ms = excluded.start_ms, end_ms = excluded.end_ms, status = excluded.status, source = excluded.source,
       title = excluded.title, confirmed_at_ms = excluded.confirmed_at_ms, priority = excluded.priority, series = excluded.series`,
  );
  const drop = db.prepare('DELETE FROM bookings WHERE id = ?');
  const overrides = overrideKeeper(db);
  const clashOf = db
    .prepare<[object], Row>(
      `SELECT ${COLUMNS} FROM bookings WHERE room = @room AND end_ms > @start_ms AND start_ms < @end_ms AND id <> @id
       AND status NOT IN (${[...FREE].map((status) => `'${status}'`).join(', ')})
     ORDER BY start_ms LIMIT 1`,
    )
    .raw();

  function refusal(booking: Booking): Refusal | undefined {
    if (!Number.isFinite(booking.startMs) || !Number.isFinite(booking.endMs) || booking.endMs <= booking.startMs) {
      return { ok: false, code: 'conflict', why: 'A booking ends after it starts.' };
    }
    if (FREE.has(booking.status)) return undefined;
    const clash = clashOf.get(toParameters(booking));
    return clash === undefined ? undefined : { ok: false, code: 'booking_overlap', clash: toBooking(clash) };
  }

  function put(said: Booking, before: Booking | undefined): Result<Booking> {
    const refused = refusal(said);
    if (refused !== undefined) return refused;
    const booking = nowMs === undefined ? said : withConfirmation(said, before, nowMs());
    write.run(toParameters(booking));
    return { ok: true, value: booking };
  }

  // Look-up and write are one transaction: two requests never both see the room free.
  const insert = db.transaction((booking: Booking): Result<Booking> => {
    if (byId.get(booking.id) !== undefined) {
      return { ok: false, code: 'conflict', why: `There is a booking ${booking.id} already.` };
    }
    return put(booking, undefined);
  });
  const update = db.transaction((id: string, change: Partial<Booking>): Result<Booking> => {
    const row = byId.get(id);
    if (row === undefined) return { ok: false, code: 'not_found' };
    const before = toBooking(row);
    const given = withoutAbsent(change);
    const result = put({ ...before, ...given }, before);
    // A person's word stands against what the calendar says until that moves the event.
    if (result.ok && before.source !== LOCAL_SOURCE) overrides(id, given);
    return result;
  });
  /** The old selves leave first, so that one of the set may take the place of another. */
  const putAll = db.transaction((bookings: readonly Booking[], known: boolean, skipClashes: boolean): BookingSet => {
    const before = bookings.map(({ id }) => byId.get(id)).map((row) => row && toBooking(row));
    const wrong = bookings.find((_, index) => (before[index] !== undefined) !== known);
    if (wrong !== undefined) {
      const why = `There is ${known ? 'no' : 'a'} booking ${wrong.id}${known ? '' : ' already'}.`;
      return { ok: false, code: 'conflict', why };
    }
    if (known) for (const { id } of bookings) drop.run(id);
    const value: Booking[] = [];
    const clashes: BookingClash[] = [];
    bookings.forEach((booking, index) => {
      const result = put(booking, before[index]);
      if (result.ok) value.push(result.value);
      else if (result.code === 'booking_overlap') clashes.push({ booking, clash: result.clash });
      else if (result.code === 'conflict') throw new Undo({ ok: false, code: 'conflict', why: result.why });
    });
    if (clashes.length === 0 || skipClashes) return { ok: true, value, leftOut: clashes };
    throw new Undo({ ok: false, code: 'booking_overlap', clashes });
  });
  const replace = db.transaction((change: Parameters<Bookings['replace']>[0]) => {
    for (const id of change.remove) drop.run(id);
    for (const booking of change.upsert) write.run(toParameters(booking));
  });

  return {
    insert: (booking) => insert.immediate(booking),
    update: (id, change) => update.immediate(id, change),
    setStatus: (id, status) => update.immediate(id, { status }),
    insertAll: (bookings, options) => undone(() => putAll.immediate(bookings, false, options?.skipClashes ?? false)),
    replaceAll: (bookings) => undone(() => putAll.immediate(bookings, true, false)),
    get(id) {
      const row = byId.get(id);
      return row === undefined ? undefined : toBooking(row);
    },
    list(query: BookingQuery) {
      const parts = Object.entries(FILTERS).flatMap(([name, sql]) =>
        query[name as keyof typeof FILTERS] === undefined ? [] : [sql],
      );
      const where = parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`;
      const limit = query.limit === undefined ? '' : ' LIMIT @limit';
      const sql = `SELECT ${COLUMNS} FROM bookings${where} ORDER BY start_ms, id${limit}`;
      return db.prepare<[object], Row>(sql).raw().all(query).map(toBooking);
    },
    replace: (change) => replace.immediate(change),
  };
}

/** Adds fields to what people set against a calendar; a field set back to what the calendar says is no longer one. */
function overrideKeeper(db: Database): (id: string, change: Partial<Booking>) => void {
  const origin = db.prepare<[string], { said: string; override: string | null; gone: number }>(
    'SELECT said, override, gone FROM calendar_origins WHERE booking = ?',
  );
  const keep = db.prepare('UPDATE calendar_origins SET override = ? WHERE booking = ?');
  return (id, change) => {
    const row = origin.get(id);
    if (row === undefined) return;
    const said = JSON.parse(row.said) as Record<string, unknown>;
    const { id: _id, source: _source, confirmedAtMs: _at, priority: _priority, series: _series, ...fields } = change;
    const merged = { ...(JSON.parse(row.override ?? '{}') as object), ...fields };
    // Of an event that its calendar no longer tells of, everything is the person's word.
    const kept = Object.entries(merged).filter(
      ([name, value]) => row.gone === 1 || !isDeepStrictEqual(said[name], value),
    );
    keep.run(kept.length === 0 ? null : JSON.stringify(Object.fromEntries(kept)), id);
  };
}

/** A change that says `undefined` says nothing. */
export function withoutAbsent<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}
