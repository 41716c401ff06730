/** Bookings: half-open windows `[start, end)` that never overlap in one room. */
import type { Booking, BookingStatus } from '../core/records.ts';
import type { Database } from './database.ts';
import type { BookingQuery, Bookings, Refusal, Result } from './types.ts';

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
];
const COLUMNS = 'id, room, holder, delegates, start_ms, end_ms, status, source, title';

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
  };
}

function toBooking([id, room, holder, delegates, startMs, endMs, status, source, title]: Row): Booking {
  return {
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
}

const FILTERS = {
  room: 'room = @room',
  holder: 'holder = @holder',
  fromMs: 'end_ms > @fromMs',
  toMs: 'start_ms < @toMs',
} as const;

export function openBookings(db: Database): Bookings {
  const byId = db.prepare<[string], Row>(`SELECT ${COLUMNS} FROM bookings WHERE id = ?`).raw();
  const write = db.prepare(
    `INSERT INTO bookings VALUES (@id, @room, @holder, @delegates, @start_ms, @end_ms, @status, @source, @title)
     ON CONFLICT (id) DO UPDATE SET room = excluded.room, holder = excluded.holder, delegates = excluded.delegates,
       start_ms = excluded.start_ms, end_ms = excluded.end_ms, status = excluded.status, title = excluded.title`,
  );
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

  function put(booking: Booking): Result<Booking> {
    const refused = refusal(booking);
    if (refused !== undefined) return refused;
    write.run(toParameters(booking));
    return { ok: true, value: booking };
  }

  // Look-up and write are one transaction: two requests never both see the room free.
  const insert = db.transaction((booking: Booking): Result<Booking> => {
    if (byId.get(booking.id) !== undefined) {
      return { ok: false, code: 'conflict', why: `There is a booking ${booking.id} already.` };
    }
    return put(booking);
  });
  const update = db.transaction((id: string, change: Partial<Booking>): Result<Booking> => {
    const row = byId.get(id);
    if (row === undefined) return { ok: false, code: 'not_found' };
    return put({ ...toBooking(row), ...withoutAbsent(change) });
  });

  return {
    insert: (booking) => insert.immediate(booking),
    update: (id, change) => update.immediate(id, change),
    setStatus: (id, status) => update.immediate(id, { status }),
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
  };
}

/** A change that says `undefined` says nothing. */
export function withoutAbsent<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}
