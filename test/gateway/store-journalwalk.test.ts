/** The journal newest first: complete and in order whatever is asked for, each step of bounded work. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JournalDraft } from '../../gateway/core/effects.ts';
import { openDatabase } from '../../gateway/store/database.ts';
import { STEP_ENTRIES, walk } from '../../gateway/store/journalwalk.ts';
import { MAIN_MIGRATIONS } from '../../gateway/store/schema.ts';
import Sqlite from '../../gateway/store/sqlite.ts';
import { openStore } from '../../gateway/store/store.ts';
import type { JournalQuery, Store } from '../../gateway/store/types.ts';
import { HOUR, MINUTE, MONDAY } from '../support/records.ts';

let dir: string;
let store: Store;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-walk-'));
  store = openStore(dir);
});
afterAll(() => {
  store.close();
  fs.rmSync(dir, { recursive: true });
});

/** Nothing but the secret is left. */
function clear(): void {
  store.close();
  for (const name of fs.readdirSync(dir)) if (name !== 'secret.key') fs.rmSync(path.join(dir, name));
}

const file = () => path.join(dir, 'doorward.db');
type Query = Omit<JournalQuery, 'limit'> & { readonly limit?: number | undefined };
interface Row {
  readonly seq: number;
}

/** Seqs by step, and every statement that it took, with its values. */
function walked(query: Query): { steps: number[][]; statements: string[] } {
  const statements: string[] = [];
  const db = new Sqlite(file(), { readonly: true, verbose: (sql) => statements.push(String(sql)) });
  try {
    const steps = [...walk<Row>(db, query)].map((rows) => rows.map(({ seq }) => seq));
    return { steps, statements };
  } finally {
    db.close();
  }
}

const kinds = ['access', 'command', 'operator'] as const;

describe('what is found', () => {
  const anEntry = fc.record({
    kind: fc.constantFrom(...kinds),
    door: fc.constantFrom('d1', 'd2', undefined),
    room: fc.constantFrom('r1', 'r2', undefined),
    /** Minutes from the entry before to this one's recording, and from there back to when it occurred. */
    after: fc.constantFrom(0, 0, 1, 3, -9),
    held: fc.constantFrom(0, 0.5, 1, 1.1, 5, -0.5, -1, -1.1, -50),
  });
  const halfMinute = fc.option(fc.integer({ min: -15, max: 45 }), { nil: undefined });
  const aQuery = fc.record({
    from: halfMinute,
    to: halfMinute,
    kind: fc.constantFrom(undefined, undefined, ...kinds),
    door: fc.constantFrom(undefined, undefined, 'd1', 'd2'),
    room: fc.constantFrom(undefined, undefined, 'r1', 'r2'),
    beforeSeq: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined, freq: 1 }),
    limit: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined, freq: 1 }),
  });

  test('is all of it and in order, though entries were held back and the clock jumped', () => {
    fc.assert(
      fc.property(
        fc.array(anEntry, { minLength: 1, maxLength: 30 }),
        fc.array(aQuery, { minLength: 12, maxLength: 12 }),
        fc.integer({ min: 1, max: 6 }),
        (plans, queries, stepEntries) => {
          const db = new Sqlite(':memory:');
          for (const script of MAIN_MIGRATIONS) db.exec(script);
          const insert = db.prepare(
            `INSERT INTO journal (seq, id, recorded_at_ms, occurred_at_ms, kind, door, room, hash)
             VALUES (?, '', ?, ?, ?, ?, ?, x'00')`,
          );
          let nowMs = MONDAY;
          let recordedAtMs = MONDAY;
          const entries = plans.map(({ after, held, kind, door, room }, n) => {
            nowMs += after * MINUTE;
            // As the journal does: a clock that was set back does not take it along.
            recordedAtMs = Math.max(recordedAtMs, nowMs);
            const entry = { seq: n + 1, occurredAtMs: nowMs - held * MINUTE, kind, door, room };
            insert.run(entry.seq, recordedAtMs, entry.occurredAtMs, kind, door, room);
            return entry;
          });
          for (const { from, to, kind, door, room, beforeSeq, limit } of queries) {
            const fromMs = from === undefined ? undefined : MONDAY + (from * MINUTE) / 2;
            const toMs = to === undefined ? undefined : MONDAY + (to * MINUTE) / 2;
            const expected = entries
              .filter((entry) => fromMs === undefined || entry.occurredAtMs >= fromMs)
              .filter((entry) => toMs === undefined || entry.occurredAtMs < toMs)
              .filter((entry) => [undefined, entry.kind].includes(kind) && [undefined, entry.door].includes(door))
              .filter((entry) => [undefined, entry.room].includes(room) && entry.seq < (beforeSeq ?? 1_000))
              .map(({ seq }) => seq)
              .reverse();
            const query = { fromMs, toMs, kind, door, room, beforeSeq, limit };
            const steps = [...walk<Row>(db, query, stepEntries)];
            expect(steps.flat().map(({ seq }) => seq)).toEqual(expected.slice(0, limit));
            for (const step of steps) expect(step.length).toBeLessThanOrEqual(stepEntries);
          }
          db.close();
        },
      ),
      { numRuns: 200 },
    );
  });

  test('is also what was written before times of recording were searched', () => {
    clear();
    const before = openDatabase(file(), { readonly: false, migrations: MAIN_MIGRATIONS.slice(0, 2) });
    const insert = before.prepare(
      "INSERT INTO journal (seq, id, recorded_at_ms, occurred_at_ms, kind, hash) VALUES (?, ?, ?, ?, 'access', x'00')",
    );
    [MONDAY, MONDAY + HOUR, MONDAY + HOUR].forEach((atMs, n) => {
      insert.run(n + 1, `e${n}`, atMs, n === 2 ? MONDAY : atMs);
    });
    before.close();
    store = openStore(dir);
    const found = store.journal.query({ fromMs: MONDAY, toMs: MONDAY + MINUTE, limit: 9 });
    expect(found.map(({ seq }) => seq)).toEqual([3, 1]);
  });
});

describe('what it costs', () => {
  const A_MINUTE = 60;
  const COUNT = 12 * STEP_ENTRIES;
  const LAST = MONDAY + (COUNT / A_MINUTE) * MINUTE;
  const window = { fromMs: MONDAY + 10 * MINUTE, toMs: MONDAY + 90 * MINUTE };
  /** One a second, written once a minute; doors and kinds that never meet; now and then one that was held back for a day. */
  beforeAll(() => {
    clear();
    store = openStore(dir);
    for (let first = 0; first < COUNT; first += A_MINUTE) {
      const minute = Array.from({ length: A_MINUTE }, (_, i): JournalDraft => {
        const n = first + i;
        const kind = n % 997 === 0 ? 'operator' : n % 2 === 0 ? 'access' : 'command';
        const heldMs = n % 1_000 === 999 ? 24 * HOUR : 0;
        const atMs = MONDAY + (n * MINUTE) / A_MINUTE - heldMs;
        return { id: `e${n}`, occurredAtMs: atMs, kind, door: `d${n % 4}`, room: `r${n % 4}` };
      });
      store.journal.append(minute, MONDAY + ((first + A_MINUTE) * MINUTE) / A_MINUTE - 1);
    }
  });

  test.each<[string, Query]>([
    ['nothing', {}],
    ['a kind', { kind: 'access' }],
    ['a door and a room', { door: 'd1', room: 'r1' }],
    ['all three', { kind: 'command', door: 'd1', room: 'r1' }],
    ['a window', window],
    ['a kind in a window', { kind: 'access', ...window }],
    ['all three in a window', { kind: 'command', door: 'd1', room: 'r1', ...window }],
    ['what is newer', { fromMs: window.toMs, kind: 'command' }],
    ['what is older', { toMs: window.fromMs, beforeSeq: 4_000 }],
  ])('asked for %s it searches each time, and sorts nothing', (_what, query) => {
    const { statements } = walked(query);
    const db = new Sqlite(file(), { readonly: true });
    const plans = statements.map((sql) =>
      db
        .prepare<[], { readonly detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => detail),
    );
    db.close();
    expect(plans.length).toBeGreaterThan(1);
    expect(plans.flat().filter((detail) => !detail.startsWith('SEARCH '))).toEqual([]);
  });

  test.each<[string, Query, number]>([
    ['a page', { limit: 101 }, 1],
    ['a kind that there is none of', { kind: 'system' }, 1],
    ['a rare kind at a busy door', { kind: 'operator', door: 'd1' }, 1],
    ['a minute of long ago', { fromMs: window.fromMs, toMs: window.fromMs + MINUTE }, 3],
    ['a page of a long window', { ...window, limit: 101 }, 2],
    ['the last minute', { fromMs: LAST - MINUTE, kind: 'access' }, 2],
    // Two that are everywhere and never together are looked through, step by step.
    ['a kind and a door that never meet', { kind: 'command', door: 'd2' }, 6],
  ])('%s takes as few steps as there can be', (_what, query, most) => {
    expect(walked(query).steps.length).toBeLessThanOrEqual(most);
  });

  test('a step gives no more than it may look at, and the whole is nothing but steps', () => {
    const { steps } = walked({});
    expect(steps.map(({ length }) => length)).toEqual(Array.from({ length: 12 }, () => STEP_ENTRIES));
    expect(steps.flat()).toEqual(Array.from({ length: COUNT }, (_, n) => COUNT - n));
  });
});
