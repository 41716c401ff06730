import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Measurement } from '../../gateway/core/effects.ts';
import { openStore } from '../../gateway/store/store.ts';
import type { Store } from '../../gateway/store/types.ts';
import { openHistory } from '../../gateway/telemetry/history.ts';
import type { InfluxTarget } from '../../gateway/telemetry/influx.ts';
import { type InfluxWriter, startInfluxWriter } from '../../gateway/telemetry/writer.ts';
import { startInflux, type TestInflux } from '../support/influx.ts';

const PATIENCE = { timeout: 60_000, interval: 20 };
const silent = { info: () => {}, warn: () => {} };

let influx: TestInflux;
let dir: string;
let store: Store;
let writer: InfluxWriter | undefined;
let states: { ok: boolean; why: string }[];
let runs = 0;
let target: InfluxTarget;

beforeAll(async () => {
  influx = await startInflux({ maxBodyBytes: 200_000 });
});
afterAll(() => influx.stop());
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-peers-'));
  store = openStore(dir);
  states = [];
  runs += 1;
  target = { url: influx.url, database: `doorward-${runs}`, retentionDays: 400 };
});
afterEach(async () => {
  await writer?.stop();
  writer = undefined;
  store.close();
  fs.rmSync(dir, { recursive: true });
});

function start(log = silent): void {
  writer = startInfluxWriter({
    outbox: store.outbox,
    influx: target,
    onState: (ok, why) => states.push({ ok, why }),
    log,
    pollMs: 20,
  });
}
const drained = () => vi.waitFor(() => expect(store.outbox.size).toBe(0), PATIENCE);
const ask = (influxQl: string) => influx.ask(influxQl, target.database);

function climate(atMs: number, index: number): Measurement {
  return {
    measurement: 'climate',
    tags: { site: 'test', room: `room-${index % 3}` },
    fields: { temperature: { float: 18 + (index % 50) / 10 }, heating: index % 2 === 0, mode: 'occupied' },
    atMs,
  };
}
const points = (count: number, fromMs = Date.now() - 3_600_000): Measurement[] =>
  Array.from({ length: count }, (_, index) => climate(fromMs + Math.floor(index / 10), index));

describe('start', () => {
  test('makes the database and its retention policy, and mends the length of one that is there', async () => {
    start();
    await vi.waitFor(() => expect(states).toEqual([{ ok: true, why: '' }]), PATIENCE);
    const policies = () => ask(`SHOW RETENTION POLICIES ON "${target.database}"`);
    expect(await policies()).toContainEqual(
      expect.objectContaining({ name: 'doorward', duration: '9600h0m0s', default: true }),
    );
    await writer?.stop();
    target = { ...target, retentionDays: 30 };
    start();
    await vi.waitFor(
      async () => expect(await policies()).toContainEqual(expect.objectContaining({ duration: '720h0m0s' })),
      PATIENCE,
    );
  });

  test('a wrong password is told as such and nothing is lost', async () => {
    // Without authentication switched on InfluxDB takes any password: a refusing server stands in its place.
    const http = await import('node:http');
    const refusing = http.createServer((_, response) => {
      response.writeHead(401, { 'Content-Type': 'application/json' }).end('{"error":"authorization failed"}');
    });
    await new Promise<void>((resolve) => {
      refusing.listen(0, '127.0.0.1', resolve);
    });
    const { port } = refusing.address() as import('node:net').AddressInfo;
    target = { ...target, url: `http://127.0.0.1:${port}`, username: 'doorward', password: 'wrong' };
    store.outbox.append(points(3));
    start();
    await vi.waitFor(() => expect(states[0]?.why).toContain('authorization failed'), PATIENCE);
    expect(store.outbox.size).toBe(3);
    await writer?.stop();
    refusing.closeAllConnections();
    refusing.close();
  });
});

describe('delivery', () => {
  test('after an outage in the middle every point is there, with its values', async () => {
    const all = points(12_000);
    store.outbox.append(all.slice(0, 4_000));
    start();
    await drained();
    await influx.pause();
    store.outbox.append(all.slice(4_000, 8_000));
    await vi.waitFor(() => expect(states.at(-1)).toMatchObject({ ok: false }), PATIENCE);
    expect(states.at(-1)?.why).toContain(influx.url);
    store.outbox.append(all.slice(8_000));
    expect(store.outbox.size).toBe(8_000);
    await influx.resume();
    await drained();
    expect(states.map((state) => state.ok)).toEqual([true, false, true]);
    const rows = await ask('SELECT temperature, heating, mode, room FROM climate');
    expect(rows).toHaveLength(12_000);
    const digest = (values: unknown[]) => createHash('sha256').update(JSON.stringify(values)).digest('hex');
    expect(digest(rows.map((row) => [row.time, row.temperature, row.heating, row.mode, row.room]))).toBe(
      digest(
        all.map(({ atMs, fields, tags }) => [
          atMs,
          (fields.temperature as { float: number }).float,
          fields.heating,
          fields.mode,
          tags.room,
        ]),
      ),
    );
  });

  test('a point of the wrong type is set aside with the reason, and the good ones around it are stored', async () => {
    const good = points(2_000);
    const [first] = good;
    if (first === undefined) throw new Error('no point');
    // Of the same time: InfluxDB keeps the type of a field by shard, and a new one begins each Monday.
    const bad: Measurement = { ...climate(first.atMs, 0), fields: { temperature: 'warm' } };
    store.outbox.append([first]);
    start();
    await drained();
    store.outbox.append([...good.slice(1, 700), bad, ...good.slice(700, 1_500), bad, ...good.slice(1_500)]);
    await drained();
    expect(await ask('SELECT count(temperature) FROM climate')).toMatchObject([{ count: 2_000 }]);
    const aside = store.outbox.quarantined(10);
    expect(aside).toHaveLength(2);
    expect(aside[0]?.line).toContain('temperature="warm"');
    expect(aside[0]?.why).toContain('field type conflict');
    expect(store.outbox.refused).toBe(2);
    expect(states.every((state) => state.ok)).toBe(true);
  });

  test('names, tags and strings with every awkward character come back as they were', async () => {
    const awkward = ['a b', 'a,b', 'a=b', 'a"b', 'a\\b', "a'b", 'zwölf °C', '\\', 'a\\,b', '#x', '5i', 'true'];
    store.outbox.append(
      awkward.map((text) => ({
        measurement: 'light' as const,
        tags: { site: 'test', room: `r${text}r` },
        fields: { note: text, 'odd, =key': { int: 7 }, on: true, level: { float: 1e21 } },
        atMs: Date.now(),
      })),
    );
    start();
    await drained();
    expect(store.outbox.quarantined(1)).toEqual([]);
    const rows = await ask('SELECT note, "odd, =key", "on", level, room FROM light');
    expect(rows.map((row) => row.note)).toEqual(awkward);
    expect(rows.map((row) => row.room)).toEqual(awkward.map((text) => `r${text}r`));
    expect(rows.every((row) => row['odd, =key'] === 7 && row.on === true && row.level === 1e21)).toBe(true);
  });

  test('points of one moment and one room do not overwrite each other', async () => {
    const atMs = Date.now();
    store.outbox.append(Array.from({ length: 500 }, () => climate(atMs, 0)));
    start();
    await drained();
    expect(await ask('SELECT count(temperature) FROM climate')).toMatchObject([{ count: 500 }]);
  });

  test('a batch larger than the server takes is halved until it fits', async () => {
    // 5,000 lines are about 450 kB, the server was started with a limit of 200 kB.
    store.outbox.append(points(10_000));
    start();
    await drained();
    expect(await ask('SELECT count(temperature) FROM climate')).toMatchObject([{ count: 10_000 }]);
    expect(store.outbox.refused).toBe(0);
  });

  test('a database that was dropped is made anew', async () => {
    store.outbox.append(points(5));
    start();
    await drained();
    await ask(`DROP DATABASE "${target.database}"`);
    store.outbox.append(points(7, Date.now()));
    await drained();
    expect(await ask('SELECT count(temperature) FROM climate')).toMatchObject([{ count: 7 }]);
    expect(await ask(`SHOW RETENTION POLICIES ON "${target.database}"`)).toContainEqual(
      expect.objectContaining({ name: 'doorward', default: true }),
    );
  });

  test('points older than the retention are dropped by the server, and hold nothing up', async () => {
    const log = { info: () => {}, warn: vi.fn() };
    const old = points(1_000, Date.now() - 500 * 86_400_000);
    const [first, ...rest] = points(5);
    if (first === undefined) throw new Error('no point');
    store.outbox.append([...old, first, ...rest]);
    start(log);
    await drained();
    expect(await ask('SELECT count(temperature) FROM climate')).toMatchObject([{ count: 5 }]);
    expect(log.warn).toHaveBeenCalledWith(
      { why: 'partial write: points beyond retention policy dropped=1000' },
      expect.any(String),
    );
    const bad: Measurement = { ...first, fields: { temperature: 'warm' } };
    store.outbox.append([...old, bad, ...points(5, first.atMs + 1)]);
    await drained();
    expect(await ask('SELECT count(temperature) FROM climate')).toMatchObject([{ count: 10 }]);
    expect(store.outbox.quarantined(9).map(({ why }) => why)).toEqual([expect.stringContaining('field type conflict')]);
  });

  test('a retention of 0 keeps points of any age', async () => {
    target = { ...target, retentionDays: 0 };
    store.outbox.append([...points(10, 86_400_000), ...points(10)]);
    start();
    await drained();
    expect(await ask('SELECT count(temperature) FROM climate')).toMatchObject([{ count: 20 }]);
  });

  test('stopped in the middle, the rest is sent at the next start', async () => {
    store.outbox.append(points(20_000));
    start();
    await vi.waitFor(() => expect(store.outbox.size).toBeLessThan(20_000), { ...PATIENCE, interval: 1 });
    await writer?.stop();
    store.close();
    store = openStore(dir);
    start();
    await drained();
    expect(await ask('SELECT count(temperature) FROM climate')).toMatchObject([{ count: 20_000 }]);
  });
});

describe('history', () => {
  const fromMs = Date.now() - 7_200_000;
  const day: Measurement[] = Array.from({ length: 600 }, (_, index): Measurement[] => {
    // A quarter of an hour without any point, and fields that come and go.
    const atMs = fromMs + index * 12_000 + (index > 200 ? 900_000 : 0);
    const tags = { site: 'test', room: index % 5 === 4 ? 'other' : "o'brien" };
    const occupied = index % 7 < 3;
    return [
      {
        measurement: 'occupancy',
        tags,
        fields: {
          state: index % 11 === 0 ? 'unknown' : occupied ? 'occupied' : 'vacant',
          confidence: { float: (index % 10) / 10 },
          booked: index % 3 === 0,
          ...(index % 11 === 0 ? {} : { occupied }),
          ...(index % 2 === 0 ? { people: { int: index % 4 } } : {}),
        },
        atMs,
      },
      {
        measurement: 'climate',
        tags,
        fields: {
          mode: occupied ? 'occupied' : 'setback',
          heating_setpoint: { float: occupied ? 21 : 16 },
          cooling_setpoint: { float: 24 },
          heating: occupied,
          ...(index % 13 < 10 ? { temperature: { float: 19 + (index % 30) / 10 } } : {}),
          ...(index > 300 ? { co2: { float: 400 + index } } : {}),
        },
        atMs,
      },
    ];
  }).flat();

  test.each([60_000, 300_000, 7_000])(
    'InfluxDB and the embedded history answer alike, in steps of %i ms',
    async (everyMs) => {
      const window = { room: "o'brien", fromMs: fromMs + 1_234, toMs: fromMs + 7_000_000, everyMs };
      store.outbox.append(day);
      const embedded = openHistory({ outbox: store.outbox, site: 'test' });
      const expected = { occupancy: await embedded.occupancy(window), climate: await embedded.climate(window) };
      expect(expected.occupancy.length).toBeGreaterThan(20);
      start();
      await drained();
      const remote = openHistory({ outbox: store.outbox, site: 'test', influx: target });
      const rounded = (series: readonly object[]) =>
        series.map((point) =>
          Object.fromEntries(
            Object.entries(point).map(([key, value]) => [
              key,
              typeof value === 'number' ? Number(value.toFixed(9)) : value,
            ]),
          ),
        );
      expect(rounded(await remote.occupancy(window))).toEqual(rounded(expected.occupancy));
      expect(rounded(await remote.climate(window))).toEqual(rounded(expected.climate));
    },
  );

  test('a room id cannot reach into the question', async () => {
    store.outbox.append(day);
    start();
    await drained();
    const remote = openHistory({ outbox: store.outbox, site: 'test', influx: target });
    const window = { fromMs, toMs: fromMs + 7_000_000, everyMs: 60_000 };
    for (const room of ["x' OR 'a'='a", "x\\' OR room =~ /.*/ --", 'x\n', "'; DROP DATABASE x; --"]) {
      expect(await remote.occupancy({ ...window, room })).toEqual([]);
    }
  });

  test('an outage is a fault that says so', async () => {
    start();
    await vi.waitFor(() => expect(states).toHaveLength(1), PATIENCE);
    const remote = openHistory({ outbox: store.outbox, site: 'test', influx: target });
    const window = { room: 'r', fromMs, toMs: fromMs + 60_000, everyMs: 60_000 };
    await influx.pause();
    await expect(remote.climate(window)).rejects.toMatchObject({ code: 'unavailable' });
    await influx.resume();
    expect(await remote.climate(window)).toEqual([]);
  });
});
