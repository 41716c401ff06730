/** Telemetry on its way to InfluxDB, or the embedded history itself: durable, first in first out, within a disk quota. */
import type { Measurement } from '../core/effects.ts';
import type { Database } from './database.ts';
import { decodeFields, encodeLine, NANOS_PER_MS } from './line.ts';
import type { HistoryQuery, HistoryRow, Outbox, OutboxRow, QuarantinedRow } from './types.ts';

/** Oldest rows go in groups of this many, when the quota or the age asks for it. */
const DROP_ROWS = 5_000;
/** Refused lines are kept for the technician, not for good. */
const QUARANTINE_ROWS = 10_000;
/** Points of the history that are read at once: some milliseconds. */
export const SLICE_ROWS = 500;
/** Ageing is looked after this often, in the points' own time. */
const AGEING_EVERY_MS = 60_000;
const DAY_MS = 86_400_000;
const BYTES_PER_MB = 1024 * 1024;

export interface OutboxOptions {
  readonly readonly: boolean;
  /** Pages in use beyond this: the oldest rows are dropped, and counted. */
  readonly quotaMb: number;
  /** Embedded history: rows older than this many days go. Absent: every row stays until InfluxDB has it. */
  readonly historyDays?: number | undefined;
}

export function openOutbox(db: Database, options: OutboxOptions): Outbox {
  if (!options.readonly) indexFor(db, options.historyDays !== undefined);
  const oldest = db.prepare<[number, number], OutboxRow>(
    'SELECT id, line FROM outbox WHERE id > ? ORDER BY id LIMIT ?',
  );
  const counter = countersOf(db);
  const forget = forgetter(db, counter);
  const append = appender(db, counter);
  const ageOut = ager(db, options.historyDays, forget);
  const usedPages = (): number => pragma(db, 'page_count') - pragma(db, 'freelist_count');
  const quotaPages = Math.floor((options.quotaMb * BYTES_PER_MB) / pragma(db, 'page_size'));

  const dropOldest = db.transaction((): number => {
    const end = oldest.all(0, DROP_ROWS).at(-1);
    if (end === undefined) return 0;
    const gone = forget(end.id);
    counter.add(gone, 'dropped');
    return gone;
  });
  const acknowledge = db.transaction(forget);
  let newestMs = 0;

  return {
    append(points) {
      if (points.length === 0) return;
      append(points);
      newestMs = points.reduce((newest, point) => Math.max(newest, point.atMs), 0);
    },
    trim() {
      while (usedPages() > quotaPages && dropOldest.immediate() > 0);
      ageOut(newestMs);
    },
    peek: (limit, afterId = 0) => oldest.all(afterId, limit),
    acknowledge(upToId) {
      // What a power cut brings back is written to InfluxDB once more, onto itself: no sync needed.
      db.pragma('synchronous = NORMAL');
      try {
        acknowledge.immediate(upToId);
      } finally {
        db.pragma('synchronous = FULL');
      }
    },
    ...quarantineOf(db, counter),
    ...historyOf(db),
    get size() {
      return counter.get('size');
    },
    get dropped() {
      return counter.get('dropped');
    },
    get refused() {
      return counter.get('refused');
    },
  };
}

type CounterName = 'size' | 'dropped' | 'refused';
interface Counters {
  get(name: CounterName): number;
  /** Inside the transaction that it counts. */
  add(by: number, name: CounterName): void;
}

/** Kept in the database beside what they count: counting millions of rows anew at each start would take seconds. */
function countersOf(db: Database): Counters {
  const get = db.prepare<[string], number>('SELECT value FROM counters WHERE name = ?').pluck();
  const add = db.prepare('UPDATE counters SET value = value + ? WHERE name = ?');
  return {
    get: (name) => get.get(name) ?? 0,
    add(by, name) {
      if (by !== 0) add.run(by, name);
    },
  };
}

function forgetter(db: Database, counter: Counters): (upToId: number) => number {
  const remove = db.prepare('DELETE FROM outbox WHERE id <= ?');
  return (upToId) => {
    const { changes } = remove.run(upToId);
    counter.add(-changes, 'size');
    return changes;
  };
}

function appender(db: Database, counter: Counters): (points: readonly Measurement[]) => void {
  const insert = db.prepare('INSERT INTO outbox VALUES (?, ?, ?, ?, ?)');
  const lastId = db.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").pluck();
  const all = db.transaction((points: readonly Measurement[]) => {
    const before = lastId.get() ?? 0;
    let id = before;
    for (const point of points) {
      const line = encodeLine(point, (id + 1) % NANOS_PER_MS);
      if (line === undefined) continue;
      id += 1;
      insert.run(id, Math.round(point.atMs), point.measurement, point.tags.room ?? null, line);
    }
    counter.add(id - before, 'size');
  });
  return (points) => all.immediate(points);
}

function quarantineOf(db: Database, counter: Counters): Pick<Outbox, 'quarantine' | 'quarantined'> {
  const copy = db.prepare('INSERT OR IGNORE INTO quarantine SELECT id, line, ? FROM outbox WHERE id = ?');
  const prune = db.prepare(
    `DELETE FROM quarantine WHERE id <= (SELECT id FROM quarantine ORDER BY id DESC LIMIT 1 OFFSET ${QUARANTINE_ROWS})`,
  );
  const remove = db.prepare('DELETE FROM outbox WHERE id = ?');
  const newest = db.prepare<[number], QuarantinedRow>('SELECT * FROM quarantine ORDER BY id DESC LIMIT ?');
  const setAside = db.transaction((id: number, why: string) => {
    if (copy.run(why, id).changes === 0) return;
    prune.run();
    remove.run(id);
    counter.add(-1, 'size');
    counter.add(1, 'refused');
  });
  return {
    quarantine: (id, why) => setAside.immediate(id, why),
    quarantined: (limit) => newest.all(limit),
  };
}

/** Only the embedded history is asked by room and time; on the way to InfluxDB the index would halve the drain. */
function indexFor(db: Database, history: boolean): void {
  db.exec(
    history
      ? 'CREATE INDEX IF NOT EXISTS outbox_room ON outbox (room, measurement, at_ms) WHERE room IS NOT NULL'
      : 'DROP INDEX IF EXISTS outbox_room',
  );
}

/**
 * Rows are in the order of their coming, which is that of time: the old ones are found from the front, no index needed.
 * At most a group goes at a time, so that a clock that jumps ahead does not wipe the history at once.
 */
function ager(
  db: Database,
  historyDays: number | undefined,
  forget: (upToId: number) => number,
): (newestMs: number) => void {
  const oldEnough = db
    .prepare<[number, number], number | null>(
      'SELECT max(id) FROM (SELECT id, at_ms FROM outbox ORDER BY id LIMIT ?) WHERE at_ms < ?',
    )
    .pluck();
  const run = db.transaction(forget);
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  return (newestMs) => {
    if (historyDays === undefined || Math.abs(newestMs - lookedAtMs) < AGEING_EVERY_MS) return;
    const upToId = oldEnough.get(DROP_ROWS, newestMs - historyDays * DAY_MS);
    if (typeof upToId === 'number') run.immediate(upToId);
    lookedAtMs = newestMs;
  };
}

function historyOf(db: Database): Pick<Outbox, 'range'> {
  interface Row {
    id: number;
    atMs: number;
    line: string;
  }
  const toRow = (row: Row): HistoryRow => ({ atMs: row.atMs, fields: decodeFields(row.line) });
  const next = db.prepare<[object], Row>(
    `SELECT id, at_ms AS atMs, line FROM outbox
     WHERE room = @room AND measurement = @measurement AND (at_ms, id) > (@afterMs, @afterId) AND at_ms < @toMs
     ORDER BY at_ms, id LIMIT ${SLICE_ROWS}`,
  );
  return {
    *range(query: HistoryQuery) {
      for (let [afterMs, afterId] = [query.fromMs, 0]; ; ) {
        const rows = next.all({ ...query, afterMs, afterId });
        yield rows.map(toRow);
        const end = rows.at(-1);
        if (end === undefined || rows.length < SLICE_ROWS) return;
        [afterMs, afterId] = [end.atMs, end.id];
      }
    },
  };
}

function pragma(db: Database, name: string): number {
  return Number(db.pragma(name, { simple: true }));
}
