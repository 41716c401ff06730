/**
 * The journal newest first, in steps of bounded work whatever is asked for: of a million entries a filter may fit three,
 * and a badge waits for each turn of the event loop.
 *
 * Entries are in the order of their recording, and recording times never go back: what was recorded within a window is
 * found by halving. Nearly every entry occurred when it was recorded. Those that did not (held back while the disk
 * refused, or told by a clock that was wrong) have an index of their own, which costs the others nothing.
 */
import type { Database, Statement } from './database.ts';
import type { JournalQuery } from './types.ts';

/** Entries that one step looks at, whether they are asked for or not: some milliseconds. */
export const STEP_ENTRIES = 500;
/** As the migration that made `journal_stray` says it, word by word: else SQLite does not see that the index serves. */
const STRAY_MS = 60_000;
const STRAY = `j.occurred_at_ms NOT BETWEEN j.recorded_at_ms - ${STRAY_MS} AND j.recorded_at_ms + ${STRAY_MS}`;

const FILTERS = {
  fromMs: 'j.occurred_at_ms >= @fromMs',
  toMs: 'j.occurred_at_ms < @toMs',
  room: 'j.room = @room',
  door: 'j.door = @door',
  kind: 'j.kind = @kind',
} as const;

/** Rows with the hash of the row before; `source` names the index that is to be walked. */
export const selectRows = (source = ''): string =>
  `SELECT j.*, p.hash AS previous_hash FROM journal j ${source} LEFT JOIN journal p ON p.seq = j.seq - 1`;

/** Entries in the order of seq, along which a step goes: those of an index, or all. */
interface Lead {
  /** The seq of the last of a step's entries in the index, where there are as many from `@low` on. */
  readonly end?: Statement<[object], number>;
  readonly rows: Statement<[object], unknown>;
}
type Leads = readonly [Lead, ...Lead[]];
/** Entries from `lowSeq` up to the stretch before. */
interface Stretch {
  readonly lowSeq: number;
  readonly leads: Leads;
}

type Query = Omit<JournalQuery, 'limit'> & { readonly limit?: number | undefined };

/** Each step gives what it found, which may be nothing. Between two steps entries may be appended. */
export function* walk<Row extends { readonly seq: number }>(
  db: Database,
  query: Query,
  stepEntries = STEP_ENTRIES,
): Generator<readonly Row[], void> {
  const endSeq = (db.prepare<[], number | null>('SELECT max(seq) FROM journal').pluck().get() ?? 0) + 1;
  let before = Math.min(query.beforeSeq ?? endSeq, endSeq);
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  for (const { lowSeq, leads } of stretches(db, query, endSeq)) {
    while (before > lowSeq && left > 0) {
      const { lead, floor } = farthest(leads, { before, low: lowSeq, entries: stepEntries, ...query });
      const limit = Math.min(left, stepEntries);
      const rows = lead.rows.all({ ...query, before, floor, limit }) as Row[];
      left -= rows.length;
      before = floor;
      yield rows;
    }
  }
}

/** Along which as many entries reach farthest down: the rarest of what is asked for, here. */
function farthest(
  leads: Leads,
  bounds: { readonly before: number; readonly low: number; readonly entries: number },
): { lead: Lead; floor: number } {
  const { before, low, entries } = bounds;
  const reach = (lead: Lead) => ({
    lead,
    floor: (lead.end ? lead.end.get(bounds) : before - entries) ?? low,
  });
  let best = reach(leads[0]);
  for (const lead of leads.slice(1)) {
    if (best.floor <= low) break;
    const other = reach(lead);
    if (other.floor < best.floor) best = other;
  }
  return { ...best, floor: Math.max(best.floor, low) };
}

/** Newest first: strays recorded after the window, everything within it, strays recorded before it. */
function stretches(db: Database, query: Query, endSeq: number): readonly Stretch[] {
  const { fromMs, toMs } = query;
  const where = Object.entries(FILTERS).flatMap(([name, sql]) =>
    query[name as keyof typeof FILTERS] === undefined ? [] : [sql],
  );
  const rows = (source: string, ...own: string[]) => {
    const all = [...new Set([...own, ...where]), 'j.seq < @before', 'j.seq >= @floor'].join(' AND ');
    const sql = `${selectRows(source)} WHERE ${all} ORDER BY j.seq DESC LIMIT @limit`;
    return db.prepare<[object], unknown>(sql);
  };
  const along = (index: string, own: string): Lead => {
    const source = `INDEXED BY ${index}`;
    const sql =
      `SELECT j.seq FROM journal j ${source} WHERE ${own} AND j.seq < @before AND j.seq >= @low ` +
      'ORDER BY j.seq DESC LIMIT 1 OFFSET @entries - 1';
    return { end: db.prepare<[object], number>(sql).pluck(), rows: rows(source, own) };
  };
  const named = (['door', 'room', 'kind'] as const)
    .filter((name) => query[name] !== undefined)
    .map((name) => along(`journal_${name}`, FILTERS[name]));
  const all: Leads = named.length > 0 ? (named as [Lead]) : [{ rows: rows('NOT INDEXED') }];
  if (fromMs === undefined && toMs === undefined) return [{ lowSeq: 1, leads: all }];
  const strays: Leads = [along('journal_stray', STRAY), ...named];
  return [
    { lowSeq: toMs === undefined ? endSeq : firstRecorded(db, toMs + STRAY_MS, endSeq), leads: strays },
    { lowSeq: fromMs === undefined ? 1 : firstRecorded(db, fromMs - STRAY_MS, endSeq), leads: all },
    { lowSeq: 1, leads: strays },
  ];
}

/** The seq of the first entry that was recorded at `atMs` or later. */
function firstRecorded(db: Database, atMs: number, endSeq: number): number {
  const next = db.prepare<[number], { readonly seq: number; readonly recordedAtMs: number }>(
    'SELECT seq, recorded_at_ms AS recordedAtMs FROM journal WHERE seq >= ? ORDER BY seq LIMIT 1',
  );
  let low = 1;
  let high = endSeq;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const entry = next.get(middle);
    if (entry !== undefined && entry.recordedAtMs < atMs) low = entry.seq + 1;
    else high = middle;
  }
  return low;
}
