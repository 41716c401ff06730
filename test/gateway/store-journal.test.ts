import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JournalDraft } from '../../gateway/core/effects.ts';
import Sqlite from '../../gateway/store/sqlite.ts';
import { openStore } from '../../gateway/store/store.ts';
import type { JournalEntry, Store } from '../../gateway/store/types.ts';

let dir: string;
let store: Store;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-journal-'));
  store = openStore(dir);
});
afterEach(() => {
  store.close();
  fs.rmSync(dir, { recursive: true });
});

function draft(n: number, change: Partial<JournalDraft> = {}): JournalDraft {
  return {
    id: `e${n}`,
    occurredAtMs: 1_000 + n,
    kind: 'access',
    door: 'd1',
    room: n % 2 === 0 ? 'r0' : 'r1',
    member: 'm1',
    outcome: 'granted',
    command: `c${n}`,
    note: `Entry “${n}”\nwith\u0000 everything`,
    ...change,
  };
}
const drafts = (count: number): JournalDraft[] => Array.from({ length: count }, (_, n) => draft(n));

/** Someone with the file and SQLite in hand, who takes the triggers away first. */
function tamper(sql: string): void {
  store.close();
  const db = new Sqlite(path.join(dir, 'doorward.db'));
  db.exec('DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete; DROP TRIGGER journal_in_order;');
  db.exec(sql);
  db.close();
  store = openStore(dir);
}

describe('append', () => {
  test('gives each entry its place, its time and the hash over the one before', () => {
    const first = store.journal.append([draft(0), draft(1)], 5_000);
    const second = store.journal.append([draft(2)], 4_000);
    expect(first.map((entry) => entry.seq)).toEqual([1, 2]);
    expect(first[1]?.previousHash).toBe(first[0]?.hash);
    expect(second[0]?.previousHash).toBe(first[1]?.hash);
    expect(first[0]?.previousHash).toBe('0'.repeat(64));
    // A wall clock that was set back does not put an entry before the one that it follows.
    expect(second[0]?.recordedAtMs).toBe(5_000);
    expect(store.journal.append([], 1)).toEqual([]);
    expect(store.journal.last()).toEqual(second[0]);
  });

  test('what was written is what is read, across a restart', () => {
    const bare: JournalDraft = { id: 'bare', occurredAtMs: 7, kind: 'system' };
    const written = store.journal.append([draft(0, { reason: 'denied_unknown_credential' }), bare], 9);
    store.close();
    store = openStore(dir);
    expect([...store.journal.iterate()]).toEqual(written);
    expect(store.journal.append([draft(2)], 1)[0]).toMatchObject({
      seq: 3,
      previousHash: written[1]?.hash,
      recordedAtMs: 9,
    });
    expect(store.journal.verify()).toMatchObject({ ok: true, entries: 3 });
  });

  test('is all or nothing: one entry that cannot be stored takes the batch with it', () => {
    store.journal.append([draft(0)], 1);
    const broken = { ...draft(2), kind: null } as unknown as JournalDraft;
    expect(() => store.journal.append([draft(1), broken], 2)).toThrow();
    expect(store.journal.last()?.id).toBe('e0');
    expect(store.journal.append([draft(3)], 3)[0]?.seq).toBe(2);
    expect(store.journal.verify()).toMatchObject({ ok: true, entries: 2 });
  });
});

describe('reading', () => {
  beforeEach(() => {
    store.journal.append([...drafts(10), draft(10, { kind: 'system', door: undefined, room: undefined })], 1);
  });

  test('newest first, filtered, page by page', () => {
    const seqs = (query: Partial<Parameters<typeof store.journal.query>[0]>) =>
      store.journal.query({ limit: 3, ...query }).map((entry) => entry.seq);
    expect(seqs({})).toEqual([11, 10, 9]);
    expect(seqs({ beforeSeq: 9 })).toEqual([8, 7, 6]);
    expect(seqs({ room: 'r0' })).toEqual([9, 7, 5]);
    expect(seqs({ kind: 'system' })).toEqual([11]);
    expect(seqs({ door: 'd1', beforeSeq: 2 })).toEqual([1]);
    expect(seqs({ fromMs: 1_002, toMs: 1_004 })).toEqual([4, 3]);
    expect(seqs({ room: "r0' OR 1=1" })).toEqual([]);
    expect(store.journal.query({ limit: 1, beforeSeq: 5 })[0]?.previousHash).toBe(
      store.journal.query({ limit: 1, beforeSeq: 4 })[0]?.hash,
    );
  });

  test('the latest time after an entry is that of what came later, whatever is before', () => {
    store.journal.append([draft(0, { occurredAtMs: 9_000 }), draft(1, { occurredAtMs: 500 })], 9_000);
    store.journal.append([draft(2, { occurredAtMs: 400 })], 400);
    expect([0, 11, 12, 13, 14].map((seq) => store.journal.latestAfter(seq))).toEqual([
      9_000,
      9_000,
      500,
      400,
      undefined,
    ]);
  });

  test('reading under way does not stand in the way of the next grant', () => {
    store.journal.append(drafts(3_000), 2);
    const [up, down] = [store.journal.iterate(), store.journal.walk({ room: 'r1' })];
    expect(up.next().value?.seq).toBe(1);
    const first: readonly JournalEntry[] = down.next().value;
    expect(first[0]?.seq).toBe(3_011);
    expect(store.journal.append([draft(1)], 3)[0]?.seq).toBe(3_012);
    expect([...up].at(-1)?.seq).toBe(3_012);
    expect([...first, ...[...down].flat()]).toHaveLength(5 + 1_500);
  });
});

describe('the database refuses', () => {
  test.each([
    'UPDATE journal SET note = NULL WHERE seq = 1',
    'DELETE FROM journal WHERE seq = 1',
    'INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE seq = 1',
    "INSERT INTO journal SELECT 5, id, 1, 1, 'x', '', '', '', '', '', '', '', '', '', '', '', hash FROM journal LIMIT 1",
  ])('%s', (sql) => {
    store.journal.append(drafts(2), 1);
    const db = new Sqlite(path.join(dir, 'doorward.db'));
    expect(() => db.exec(sql)).toThrow(/append-only/);
    db.close();
    expect(store.journal.verify()).toMatchObject({ ok: true, entries: 2 });
  });
});

describe('verify', () => {
  beforeEach(() => {
    for (let n = 0; n < 5; n += 1) store.journal.append(drafts(300), n);
  });

  test('an untouched journal is clean, and progress is told', () => {
    const told: number[] = [];
    const result = store.journal.verify((done, total) => told.push(done / total));
    expect(result).toEqual({ ok: true, entries: 1_500, headHash: store.journal.last()?.hash });
    expect(told.at(-1)).toBe(1);
  });

  test.each([
    ['a changed note', "UPDATE journal SET note = 'other' WHERE seq = 700", 700, /700 was changed/],
    ['an outcome made granted', "UPDATE journal SET outcome = 'denied' WHERE seq = 1", 1, /changed/],
    [
      'a time moved by a millisecond',
      'UPDATE journal SET occurred_at_ms = occurred_at_ms + 1 WHERE seq = 1500',
      1_500,
      /changed/,
    ],
    ['a hash of its own', 'UPDATE journal SET hash = zeroblob(32) WHERE seq = 9', 9, /changed/],
    ['an entry taken out', 'DELETE FROM journal WHERE seq = 42', 42, /42 is missing/],
    ['the first one taken out', 'DELETE FROM journal WHERE seq = 1', 1, /1 is missing/],
    ['the tail cut off', 'DELETE FROM journal WHERE seq > 1490', 1_491, /1491 to 1500 are missing at the end/],
    ['everything gone', 'DELETE FROM journal', 1, /1 to 1500 are missing/],
    [
      'two entries exchanged',
      'UPDATE journal SET seq = -1 WHERE seq = 8; UPDATE journal SET seq = 8 WHERE seq = 9; UPDATE journal SET seq = 9 WHERE seq = -1',
      8,
      /changed/,
    ],
  ])('finds %s', (_, sql, seq, why) => {
    tamper(sql);
    expect(store.journal.verify()).toMatchObject({ ok: false, seq, why: expect.stringMatching(why) });
  });

  test('finds an entry forged after the signed head by who has the hashes and not the key', () => {
    const fields = [
      1_501,
      'forged',
      9,
      9,
      'access',
      'd1',
      null,
      'm1',
      null,
      null,
      'granted',
      'granted',
      null,
      'c',
      null,
    ];
    const hash = createHash('sha256')
      .update(store.journal.last()?.hash ?? '')
      .update(JSON.stringify([...fields, null]))
      .digest('hex');
    const values = fields.map((value) => (typeof value === 'string' ? `'${value}'` : `${value}`)).join(', ');
    tamper(`INSERT INTO journal VALUES (${values}, NULL, x'${hash}')`);
    expect(store.journal.verify()).toMatchObject({ ok: false, seq: 1_501, why: expect.stringMatching(/changed/) });
  });

  test('a cut tail is told at the opening, and going on does not cover it up', () => {
    tamper('DELETE FROM journal WHERE seq > 1490');
    expect(store.journal.headFault).toMatch(/1491 to 1500 are missing/);
    store.journal.append(drafts(100), 9);
    store.close();
    store = openStore(dir);
    expect(store.journal.headFault).toMatch(/1500 is not the one/);
    expect(store.journal.verify()).toMatchObject({ ok: false, seq: 1_500 });
  });

  test('a chain that was computed anew does not fit the signed head', () => {
    // All entries over again with another note: the chain is sound in itself.
    store.close();
    const head = fs.readFileSync(path.join(dir, 'journal.head'));
    for (const name of fs.readdirSync(dir)) if (name !== 'secret.key') fs.rmSync(path.join(dir, name));
    store = openStore(dir);
    store.journal.append(
      drafts(1_500).map((entry) => ({ ...entry, note: 'forged' })),
      4,
    );
    expect(store.journal.verify()).toMatchObject({ ok: true });
    store.close();
    fs.writeFileSync(path.join(dir, 'journal.head'), head);
    store = openStore(dir);
    expect(store.journal.verify()).toMatchObject({ ok: false, why: expect.stringMatching(/not the one/) });
  });

  test.each([
    ['taken away', () => fs.rmSync(path.join(dir, 'journal.head')), /missing/],
    ['cut', () => fs.truncateSync(path.join(dir, 'journal.head'), 20), /form/],
    [
      'written by someone without the secret',
      () => {
        const head = { seq: 1_490, hash: '0'.repeat(64), hmac: '0'.repeat(64) };
        fs.writeFileSync(path.join(dir, 'journal.head'), JSON.stringify(head));
      },
      /signature/,
    ],
  ])('a head that was %s is told', (_, spoil, why) => {
    store.close();
    spoil();
    store = openStore(dir);
    expect(store.journal.headFault).toMatch(why);
    expect(store.journal.verify()).toMatchObject({ ok: false, why: expect.stringMatching(why) });
  });
});

describe('the disk is full', () => {
  test('a head that cannot be written is told, and keeps nobody from opening, appending and closing', () => {
    store.close();
    // A folder in its place refuses the rename, whoever runs the test.
    fs.rmSync(path.join(dir, 'journal.head'));
    fs.mkdirSync(path.join(dir, 'journal.head', 'full'), { recursive: true });
    const errors: Error[] = [];
    store = openStore(dir, { onHeadError: (error) => errors.push(error) });
    expect(store.journal.headFault).toMatch(/cannot be read/);
    expect(store.journal.append([draft(1)], 1)).toHaveLength(1);
    store.close();
    fs.rmSync(path.join(dir, 'journal.head'), { recursive: true });
    fs.mkdirSync(path.join(dir, 'journal.head.new'));
    for (const name of ['doorward.db', 'secret.key']) fs.rmSync(path.join(dir, name));
    store = openStore(dir, { onHeadError: (error) => errors.push(error) });
    expect(errors).toHaveLength(1);
    expect(store.journal.append([draft(1)], 1)).toHaveLength(1);
    fs.rmdirSync(path.join(dir, 'journal.head.new'));
    store.close();
    store = openStore(dir);
    expect(store.journal.verify()).toMatchObject({ ok: true, entries: 1 });
  });

  test('append throws, nothing half-written remains, and it goes on once there is room', () => {
    store.close();
    // SQLite's own limit of the file stands for the disk's: the same error, at the same place.
    store = openStore(dir, { maxPages: 60 });
    let kept = 0;
    let refusal: unknown;
    for (let n = 0; n < 200 && refusal === undefined; n += 1) {
      try {
        store.journal.append([draft(n), draft(n, { note: 'x'.repeat(5_000) })], n);
        kept += 2;
      } catch (error) {
        refusal = error;
      }
    }
    expect(refusal).toMatchObject({ code: 'SQLITE_FULL' });
    expect(kept).toBeGreaterThan(4);
    expect(store.journal.last()?.seq).toBe(kept);
    expect(store.journal.query({ limit: 1_000 })).toHaveLength(kept);
    expect(store.journal.verify()).toMatchObject({ ok: true, entries: kept });
    store.close();
    store = openStore(dir);
    expect(store.journal.append([draft(1)], 999)[0]?.seq).toBe(kept + 1);
    expect(store.journal.verify()).toMatchObject({ ok: true, entries: kept + 1 });
  });
});
