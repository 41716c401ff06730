/** What is known of outside calendars: their objects as received, how far each was read, where bookings came from. */
import type { Booking, BookingStatus } from '../core/records.ts';
import { openBookings } from './bookings.ts';
import { type Database, orAbsent, orNull } from './database.ts';
import type {
  BookingOverride,
  CalendarCommit,
  CalendarObjectRecord,
  CalendarRelease,
  CalendarSourceRecord,
  Calendars,
  OriginRecord,
} from './types.ts';

const GRANTING: ReadonlySet<BookingStatus> = new Set(['confirmed', 'checked_in']);

interface ObjectRow {
  href: string;
  collection: string;
  etag: string;
  type: string;
  body: Buffer;
}
interface OriginRow {
  booking: string;
  source: string;
  key: string;
  uid: string;
  recurrence_id: string | null;
  collection: string;
  href: string;
  sequence: number;
  stamp_ms: number;
  start_ms: number;
  end_ms: number;
  gone: number;
  grants: number;
  said: string;
  override: string | null;
}

const toObject = (row: ObjectRow): CalendarObjectRecord => ({ ...row, type: row.type as CalendarObjectRecord['type'] });

function toOrigin(row: OriginRow): OriginRecord {
  return {
    booking: row.booking,
    source: row.source,
    key: row.key,
    uid: row.uid,
    recurrenceId: orAbsent(row.recurrence_id),
    collection: row.collection,
    href: row.href,
    sequence: row.sequence,
    stampMs: row.stamp_ms,
    startMs: row.start_ms,
    endMs: row.end_ms,
    gone: row.gone === 1,
    said: JSON.parse(row.said) as Booking,
    override: row.override === null ? undefined : (JSON.parse(row.override) as BookingOverride),
  };
}

function toOriginRow(origin: OriginRecord): OriginRow {
  return {
    booking: origin.booking,
    source: origin.source,
    key: origin.key,
    uid: origin.uid,
    recurrence_id: orNull(origin.recurrenceId),
    collection: origin.collection,
    href: origin.href,
    sequence: origin.sequence,
    stamp_ms: origin.stampMs,
    start_ms: origin.startMs,
    end_ms: origin.endMs,
    gone: origin.gone ? 1 : 0,
    grants: GRANTING.has(origin.said.status) ? 1 : 0,
    said: JSON.stringify(origin.said),
    override: origin.override === undefined ? null : JSON.stringify(origin.override),
  };
}

export function openCalendars(db: Database): Calendars {
  const bookings = openBookings(db);
  const objects = objectTable(db);
  const origins = originTable(db);
  const releases = releaseTable(db);
  const putSource = db.prepare(
    `INSERT INTO calendar_sources VALUES (@source, @cursor, @state)
     ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor, state = excluded.state`,
  );
  const allSources = db.prepare<[], { source: string; cursor: string | null; state: string }>(
    'SELECT source, cursor, state FROM calendar_sources ORDER BY source',
  );
  const dropSource = db.prepare('DELETE FROM calendar_sources WHERE source = ?');

  const commit = db.transaction((change: CalendarCommit) => {
    if (change.objects !== undefined) objects.change(change.source, change.objects);
    if (change.origins !== undefined) origins.put(change.origins);
    if (change.bookings !== undefined) bookings.replace(change.bookings);
    const { record } = change;
    if (record !== undefined) {
      putSource.run({ source: record.source, cursor: orNull(record.cursor), state: record.state });
    }
  });
  const forget = db.transaction((source: string) => {
    objects.forget(source);
    releases.forget(source);
    dropSource.run(source);
  });

  return {
    sources: () =>
      allSources
        .all()
        .map(({ source, cursor, state }): CalendarSourceRecord => ({ source, cursor: orAbsent(cursor), state })),
    commit: (change) => commit.immediate(change),
    forget: (source) => forget.immediate(source),
    ...objects.read,
    ...origins.read,
    ...releases.read,
  };
}

function objectTable(db: Database) {
  const put = db.prepare(
    `INSERT INTO calendar_objects VALUES (@source, @href, @collection, @etag, @type, @body)
     ON CONFLICT (source, href) DO UPDATE SET collection = excluded.collection, etag = excluded.etag,
       type = excluded.type, body = excluded.body`,
  );
  const drop = db.prepare('DELETE FROM calendar_objects WHERE source = ? AND href = ?');
  const dropAll = db.prepare('DELETE FROM calendar_objects WHERE source = ?');
  const one = db.prepare<[string, string], ObjectRow>(
    'SELECT href, collection, etag, type, body FROM calendar_objects WHERE source = ? AND href = ?',
  );
  const page = db.prepare<[string, string, number], ObjectRow>(
    `SELECT href, collection, etag, type, body FROM calendar_objects WHERE source = ? AND href > ?
     ORDER BY href LIMIT ?`,
  );
  const first = db.prepare<[string, number], ObjectRow>(
    'SELECT href, collection, etag, type, body FROM calendar_objects WHERE source = ? ORDER BY href LIMIT ?',
  );
  const names = (sql: string) =>
    db
      .prepare<[string, string], string>(
        `SELECT href FROM calendar_objects WHERE source = ? AND collection ${sql} (SELECT value FROM json_each(?))
         ORDER BY href`,
      )
      .pluck();
  const namesIn = names('IN');
  const namesOutside = names('NOT IN');
  return {
    change(source: string, change: NonNullable<CalendarCommit['objects']>) {
      for (const href of change.remove) drop.run(source, href);
      for (const object of change.put) put.run({ ...object, source });
    },
    forget: (source: string) => void dropAll.run(source),
    read: {
      objects: (source: string, limit: number, afterHref?: string) =>
        (afterHref === undefined ? first.all(source, limit) : page.all(source, afterHref, limit)).map(toObject),
      object(source: string, href: string) {
        const row = one.get(source, href);
        return row === undefined ? undefined : toObject(row);
      },
      hrefs: (source: string, of: Parameters<Calendars['hrefs']>[1] = { without: [] }) =>
        'only' in of
          ? namesIn.all(source, JSON.stringify(of.only))
          : namesOutside.all(source, JSON.stringify(of.without)),
    },
  };
}

function originTable(db: Database) {
  const put = db.prepare(
    `INSERT INTO calendar_origins VALUES (@booking, @source, @key, @uid, @recurrence_id, @collection, @href, @sequence,
       @stamp_ms, @start_ms, @end_ms, @gone, @grants, @said, @override)
     ON CONFLICT (booking) DO UPDATE SET collection = excluded.collection, href = excluded.href,
       sequence = excluded.sequence, stamp_ms = excluded.stamp_ms, start_ms = excluded.start_ms,
       end_ms = excluded.end_ms, gone = excluded.gone, grants = excluded.grants, said = excluded.said, override = excluded.override`,
  );
  const one = db.prepare<[string], OriginRow>('SELECT * FROM calendar_origins WHERE booking = ?');
  // One statement for any number of ids.
  const several = (column: 'booking' | 'key') =>
    db.prepare<[string], OriginRow>(
      `SELECT * FROM calendar_origins WHERE ${column} IN (SELECT value FROM json_each(?)) ORDER BY booking`,
    );
  const byBooking = several('booking');
  const byKey = several('key');
  const told = db
    .prepare<[string, number], string>(
      'SELECT booking FROM calendar_origins WHERE source = ? AND end_ms > ? AND gone = 0 ORDER BY end_ms',
    )
    .pluck();
  const toldOf = db
    .prepare<[string, number, string], string>(
      `SELECT booking FROM calendar_origins WHERE source = ? AND end_ms > ? AND gone = 0
       AND href IN (SELECT value FROM json_each(?)) ORDER BY end_ms`,
    )
    .pluck();
  const stated = db
    .prepare<[string, number, number, number], [string, string, number, number, number, number, number]>(
      `SELECT uid, coalesce(recurrence_id, ''), start_ms, end_ms, sequence, stamp_ms, rowid FROM calendar_origins
       WHERE source = ? AND end_ms > ? AND gone = 0 AND grants = 1 AND rowid > ? ORDER BY rowid LIMIT ?`,
    )
    .raw();
  const ofEvent = db.prepare<[string, string, string | null], OriginRow>(
    'SELECT * FROM calendar_origins WHERE source = ? AND uid = ? AND recurrence_id IS ? ORDER BY booking',
  );
  const granting = db
    .prepare<[string, number], number>(
      `SELECT count(*) FROM bookings WHERE source = ? AND source <> 'local' AND end_ms > ?
       AND status IN ('confirmed', 'checked_in')`,
    )
    .pluck();
  const prune = db.prepare('DELETE FROM calendar_origins WHERE end_ms < ?');
  return {
    put(origins: readonly OriginRecord[]) {
      for (const origin of origins) put.run(toOriginRow(origin));
    },
    read: {
      origin(booking: string) {
        const row = one.get(booking);
        return row === undefined ? undefined : toOrigin(row);
      },
      origins: (ids: readonly string[]) => byBooking.all(JSON.stringify(ids)).map(toOrigin),
      originsOfKeys: (keys: readonly string[]) => byKey.all(JSON.stringify(keys)).map(toOrigin),
      told: (source: string, afterMs: number, hrefs?: readonly string[]) =>
        hrefs === undefined ? told.all(source, afterMs) : toldOf.all(source, afterMs, JSON.stringify(hrefs)),
      stated: (source: string, afterMs: number, limit: number, afterRow: number) =>
        stated.all(source, afterMs, afterRow, limit),
      ofEvent: (source: string, uid: string, recurrenceId?: string) =>
        ofEvent.all(source, uid, orNull(recurrenceId)).map(toOrigin),
      granting: (source: string, afterMs: number) => granting.get(source, afterMs) ?? 0,
      prune: (beforeMs: number) => void prune.run(beforeMs),
    },
  };
}

function releaseTable(db: Database) {
  const put = db.prepare(
    `INSERT INTO calendar_releases VALUES (@booking, @source, @why, @tries, @nextAtMs)
     ON CONFLICT (booking) DO UPDATE SET tries = excluded.tries, next_at_ms = excluded.next_at_ms`,
  );
  const all = db.prepare<[], CalendarRelease>(
    'SELECT booking, source, why, tries, next_at_ms AS nextAtMs FROM calendar_releases ORDER BY next_at_ms, booking',
  );
  const drop = db.prepare('DELETE FROM calendar_releases WHERE booking = ?');
  const dropAll = db.prepare('DELETE FROM calendar_releases WHERE source = ?');
  return {
    forget: (source: string) => void dropAll.run(source),
    read: {
      releases: () => all.all(),
      putRelease: (release: CalendarRelease) => void put.run(release),
      removeRelease: (booking: string) => void drop.run(booking),
    },
  };
}
