import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Effect, Measurement } from '../../gateway/core/effects.ts';
import { Keeper } from '../../gateway/loop/keeper.ts';
import { decodeFields, encodeLine } from '../../gateway/store/line.ts';
import { openOutbox, SLICE_ROWS } from '../../gateway/store/outbox.ts';
import Sqlite from '../../gateway/store/sqlite.ts';
import { openStore, type StoreOptions } from '../../gateway/store/store.ts';
import type { Store } from '../../gateway/store/types.ts';
import { ManualClock } from '../support/clock.ts';

const DAY_MS = 86_400_000;
let dir: string;
let store: Store;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-outbox-'));
  store = openStore(dir);
});
afterEach(() => {
  store.close();
  fs.rmSync(dir, { recursive: true });
});
function reopen(options: StoreOptions = {}): void {
  store.close();
  store = openStore(dir, options);
}

function light(atMs: number, change: Partial<Measurement> = {}): Measurement {
  return { measurement: 'light', tags: { site: 's', room: 'r1' }, fields: { level: { float: 80 } }, atMs, ...change };
}
const stampOf = (line: string) => line.slice(line.lastIndexOf(' ') + 1);

describe('line protocol', () => {
  test('escapes, types and stamp are those of InfluxDB', () => {
    const point: Measurement = {
      measurement: 'climate',
      tags: { room: 'a b,c=d', site: 's', empty: '' },
      fields: { mode: 'say "hi" \\', temperature: { float: 21.5 }, people: { int: 3 }, on: false, 'odd key': true },
      atMs: 1_700_000_000_123,
    };
    expect(encodeLine(point, 42)).toBe(
      'climate,room=a\\ b\\,c\\=d,site=s mode="say \\"hi\\" \\\\",temperature=21.5,people=3i,on=false,odd\\ key=true 1700000000123000042',
    );
  });

  test('a value that is none is left out, and a point without a value is no point', () => {
    const fields = { a: { float: Number.NaN }, b: { float: Number.POSITIVE_INFINITY }, c: { int: 1.5 } };
    expect(encodeLine(light(1, { fields: { ...fields, d: { int: 2 } } }), 0)).toBe('light,room=r1,site=s d=2i 1000000');
    expect(encodeLine(light(1, { fields }), 0)).toBeUndefined();
    store.outbox.append([light(1, { fields }), light(2)]);
    expect(store.outbox.size).toBe(1);
  });

  test('no value ends its line, and what was encoded is what is decoded', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 });
    const field = fc.oneof(
      text,
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((float) => ({ float: float + 0 })),
      fc.maxSafeInteger().map((int) => ({ int })),
    );
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 5 }), text, text, (values, key, tag) => {
        const fields = Object.fromEntries(values.map((value, index) => [`f${index}${key}`, value]));
        const line = encodeLine(light(5, { fields, tags: { room: tag } }), 1) ?? '';
        expect(line).not.toMatch(/[\r\n]/);
        const oneLine = (value: string) => value.replace(/[\r\n]/g, ' ');
        expect(Object.values(decodeFields(line))).toEqual(
          values.map((value) =>
            typeof value === 'string'
              ? oneLine(value)
              : typeof value === 'boolean'
                ? value
                : 'int' in value
                  ? value.int
                  : value.float,
          ),
        );
      }),
    );
  });
});

describe('stamps', () => {
  test('are unique for points of one millisecond, also when the row before is long gone and the gateway was started anew', () => {
    const seen = new Set<string>();
    for (let round = 0; round < 5; round += 1) {
      store.outbox.append(Array.from({ length: 200 }, () => light(1_700_000_000_000)));
      for (const row of store.outbox.peek(1_000)) seen.add(stampOf(row.line));
      store.outbox.acknowledge(Number.MAX_SAFE_INTEGER);
      reopen();
    }
    expect(seen.size).toBe(1_000);
    expect([...seen].every((stamp) => /^1700000000000\d{6}$/.test(stamp))).toBe(true);
  });
});

describe('the queue', () => {
  test('is first in, first out, and counts across a restart', () => {
    store.outbox.append([1, 2, 3, 4, 5].map((atMs) => light(atMs)));
    expect(store.outbox.peek(2).map((row) => row.id)).toEqual([1, 2]);
    store.outbox.acknowledge(2);
    expect(store.outbox.size).toBe(3);
    store.outbox.quarantine(4, 'because');
    store.outbox.quarantine(4, 'again');
    store.outbox.quarantine(99, 'not there');
    expect(store.outbox.size).toBe(2);
    reopen();
    expect(store.outbox.size).toBe(2);
    expect(store.outbox.refused).toBe(1);
    expect(store.outbox.peek(9).map((row) => row.id)).toEqual([3, 5]);
    expect(store.outbox.quarantined(9)).toMatchObject([{ id: 4, why: 'because' }]);
    store.outbox.append([light(6)]);
    expect(store.outbox.peek(9).map((row) => row.id)).toEqual([3, 5, 6]);
  });

  test('over the disk quota the oldest go, counted, and the newest stay', () => {
    reopen({ quotaMb: 2 });
    const note = 'x'.repeat(400);
    for (let round = 0; round < 12; round += 1) {
      store.outbox.append(
        Array.from({ length: 1_000 }, (_, n) => light(round * 1_000 + n, { fields: { note, n: { int: n } } })),
      );
      store.outbox.trim();
    }
    expect(store.outbox.dropped).toBeGreaterThan(0);
    expect(store.outbox.size + store.outbox.dropped).toBe(12_000);
    const rows = store.outbox.peek(20_000);
    expect(rows).toHaveLength(store.outbox.size);
    expect(rows.at(-1)?.id).toBe(12_000);
    expect(rows[0]?.id).toBe(store.outbox.dropped + 1);
    const used = ['telemetry.db', 'telemetry.db-wal'].map((name) => fs.statSync(path.join(dir, name)).size);
    expect(used[0]).toBeLessThan(4 * 1024 * 1024);
    const { dropped } = store.outbox;
    reopen();
    expect(store.outbox.dropped).toBe(dropped);
  });
});

describe('a disk that takes points and refuses to let old ones go', () => {
  test('keeps each point once, is told, and lets go later', () => {
    reopen({ quotaMb: 1 });
    const told: (string | undefined)[] = [];
    const clock = new ManualClock(0);
    const keeper = new Keeper(store, clock, (why) => told.push(why));
    let take: (effect: Effect) => void = () => {};
    keeper.attach({
      onEffect(listener) {
        take = listener;
        return () => {};
      },
    });
    const disk = new Sqlite(path.join(dir, 'telemetry.db'));
    disk.exec("CREATE TRIGGER full BEFORE DELETE ON outbox BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
    const points = 10_000;
    const note = 'x'.repeat(100);
    for (let n = 0; n < points; n += 1) take({ kind: 'telemetry', point: light(n, { fields: { note } }) });
    take({ kind: 'relay_switch', relay: { point: 'p/relay', value: 'on', atMs: 1 } });
    clock.advance(5_000);
    expect(store.outbox.size).toBe(points);
    expect(store.relays.list()).toHaveLength(1);
    expect(told).toEqual(['disk is full']);
    disk.exec('DROP TRIGGER full');
    disk.close();
    clock.advance(1_000);
    expect(told).toEqual(['disk is full', undefined]);
    expect(store.outbox.dropped).toBeGreaterThan(0);
    expect(store.outbox.size).toBe(points - store.outbox.dropped);
    keeper.stop();
  });
});

describe('the embedded history', () => {
  test('answers by room and window, half-open, and forgets what is older than its days', () => {
    reopen({ historyDays: 90 });
    const old = 1_700_000_000_000;
    store.outbox.append([
      light(old),
      light(old + 1, { fields: { level: { float: 1 }, note: 'a,b=c d' } }),
      light(old + 2),
    ]);
    store.outbox.append([light(old + 1, { tags: { room: 'r2' } }), light(old + 1, { measurement: 'climate' })]);
    const range = (fromMs: number, toMs: number) =>
      [...store.outbox.range({ measurement: 'light', room: 'r1', fromMs, toMs })].flat();
    expect(range(old + 1, old + 2)).toEqual([{ atMs: old + 1, fields: { level: 1, note: 'a,b=c d' } }]);
    expect(range(old, old + 2)).toHaveLength(2);
    store.outbox.append([light(old + 90 * DAY_MS + 1)]);
    store.outbox.trim();
    expect(range(old, old + 91 * DAY_MS).map((row) => row.atMs)).toEqual([old + 1, old + 2, old + 90 * DAY_MS + 1]);
    expect(store.outbox.dropped).toBe(0);
  });

  test('on the way to InfluxDB age forgets nothing', () => {
    store.outbox.append([light(1), light(1_000 * DAY_MS)]);
    store.outbox.trim();
    expect(store.outbox.size).toBe(2);
  });

  test('comes in slices without a gap or a repeat, also where many points are of one moment', () => {
    reopen({ historyDays: 90 });
    const count = 3 * SLICE_ROWS + 1;
    // The second slice begins and ends within one millisecond.
    const atMs = (n: number) => (n > SLICE_ROWS / 2 && n < 2.5 * SLICE_ROWS ? SLICE_ROWS : n);
    store.outbox.append(Array.from({ length: count }, (_, n) => light(atMs(n), { fields: { level: { int: n } } })));
    const slices = [...store.outbox.range({ measurement: 'light', room: 'r1', fromMs: 0, toMs: count })];
    expect(slices.map(({ length }) => length)).toEqual([SLICE_ROWS, SLICE_ROWS, SLICE_ROWS, 1]);
    expect(slices.flat().map(({ fields }) => fields.level)).toEqual(Array.from({ length: count }, (_, n) => n));
  });

  test('a slice of one room is looked up by room, measurement and time, not point by point', () => {
    reopen({ historyDays: 90 });
    store.outbox.append([light(1)]);
    const asked: string[] = [];
    const db = new Sqlite(path.join(dir, 'telemetry.db'), { verbose: (sql) => asked.push(String(sql)) });
    const outbox = openOutbox(db, { readonly: true, quotaMb: 1 });
    asked.length = 0;
    expect([...outbox.range({ measurement: 'light', room: 'r1', fromMs: 0, toMs: 9 })]).toHaveLength(1);
    const plans = asked.map((sql) => db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all());
    db.close();
    expect(plans.flat().map(({ detail }) => detail)).toEqual([
      'SEARCH outbox USING INDEX outbox_room (room=? AND measurement=? AND at_ms>? AND at_ms<?)',
    ]);
  });
});
