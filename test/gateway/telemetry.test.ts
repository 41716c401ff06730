import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LOOK_EVERY_MS, type Watched, watchRefused } from '../../gateway/compose/refused.ts';
import type { Measurement } from '../../gateway/core/effects.ts';
import type { Fact } from '../../gateway/core/facts.ts';
import { SLICE_ROWS } from '../../gateway/store/outbox.ts';
import { openStore } from '../../gateway/store/store.ts';
import type { Store } from '../../gateway/store/types.ts';
import { openHistory } from '../../gateway/telemetry/history.ts';
import { createMetrics } from '../../gateway/telemetry/metrics.ts';
import { type InfluxWriter, startInfluxWriter } from '../../gateway/telemetry/writer.ts';
import { ManualClock } from '../support/clock.ts';

const PATIENCE = { timeout: 15_000, interval: 5 };

let dir: string;
let store: Store;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-telemetry-'));
  store = openStore(dir, { historyDays: 90 });
});
afterEach(() => {
  store.close();
  fs.rmSync(dir, { recursive: true });
});

function climate(atMs: number, fields: Measurement['fields'], room = 'r1'): Measurement {
  return { measurement: 'climate', tags: { site: 's', room }, fields, atMs };
}

describe('a server that answers oddly', () => {
  type Answer = (lines: string[], response: http.ServerResponse) => void;
  let server: http.Server;
  let writer: InfluxWriter | undefined;
  let batches: string[][];
  let prepared: string[];
  let answer: Answer;
  let states: { ok: boolean; why: string }[];

  beforeEach(async () => {
    batches = [];
    prepared = [];
    states = [];
    answer = (_, response) => response.writeHead(204).end();
    server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (piece) => {
        body += piece;
      });
      request.on('end', () => {
        if (request.url?.startsWith('/write')) {
          const lines = body.split('\n');
          batches.push(lines);
          answer(lines, response);
          return;
        }
        prepared.push(`${request.url}${body}`);
        response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"results":[{}]}');
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  });
  afterEach(async () => {
    await writer?.stop();
    server.closeAllConnections();
    server.close();
  });

  function start(retentionDays = 400): void {
    writer = startInfluxWriter({
      outbox: store.outbox,
      influx: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, database: 'd', retentionDays },
      onState: (ok, why) => states.push({ ok, why }),
      log: { info: () => {}, warn: () => {} },
      pollMs: 5,
    });
  }
  const points = (count: number) =>
    Array.from({ length: count }, (_, n) => climate(Date.now(), { temperature: { float: n } }));
  const empty = () => vi.waitFor(() => expect(store.outbox.size).toBe(0), PATIENCE);
  const refuse = (response: http.ServerResponse, status: number, error: string) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error }));

  test('200 is no confirmation: only 204 forgets rows', async () => {
    store.outbox.append(points(3));
    answer = (_, response) => response.writeHead(200).end();
    start();
    await vi.waitFor(
      () => expect(states).toMatchObject([{ ok: false, why: expect.stringContaining('200') }]),
      PATIENCE,
    );
    expect(store.outbox.size).toBe(3);
    answer = (_, response) => response.writeHead(204).end();
    await empty();
    expect(states.map((state) => state.ok)).toEqual([false, true]);
  });

  test('an error of the server is told once, and the same batch comes again', async () => {
    store.outbox.append(points(10));
    answer = (_, response) => refuse(response, batches.length < 3 ? 503 : 204, 'cache maximum memory size exceeded');
    start();
    await empty();
    expect(batches.map((lines) => lines.length)).toEqual([10, 10, 10]);
    expect(states).toEqual([
      { ok: false, why: expect.stringMatching(/127\.0\.0\.1.*503: cache maximum/) },
      { ok: true, why: '' },
    ]);
  });

  test('one bad line in 5,000 is found by halving, not by trying each', async () => {
    store.outbox.append(points(5_000));
    answer = (lines, response) =>
      lines.some((line) => line.includes('temperature=3777 '))
        ? refuse(response, 400, 'bad')
        : response.writeHead(204).end();
    start();
    await empty();
    expect(store.outbox.quarantined(9)).toMatchObject([{ id: 3_778, why: 'bad' }]);
    expect(batches.length).toBeLessThan(30);
  });

  test('a server that refuses everything with 400 does not hold the telemetry up for good', async () => {
    store.outbox.append(points(20));
    answer = (_, response) => refuse(response, 400, 'no');
    start();
    await empty();
    expect(store.outbox.refused).toBe(20);
  });

  test('a retention of 0 keeps points of any age', async () => {
    store.outbox.append([climate(Date.now() - 86_400_000, { temperature: { float: 1 } }), ...points(2)]);
    start(0);
    await empty();
    expect(batches.map((lines) => lines.length)).toEqual([3]);
  });

  test('a clock that runs ahead makes no point too old', async () => {
    store.outbox.append(points(100));
    vi.spyOn(Date, 'now').mockReturnValue(Date.UTC(2036, 0, 1));
    start();
    await empty().finally(() => vi.restoreAllMocks());
    expect(batches.map((lines) => lines.length)).toEqual([100]);
  });

  test.each([
    'partial write: points beyond retention policy dropped=90',
    'partial write: dropped 90 points outside retention policy of duration 9600h0m0s - oldest point climate dropped=90',
  ])('what is too old for the server is neither halved nor sent again: %s', async (why) => {
    store.outbox.append(points(100));
    answer = (_, response) => refuse(response, 400, why);
    start();
    await empty();
    expect(batches.map((lines) => lines.length)).toEqual([100]);
    expect(store.outbox.refused).toBe(0);
    expect(states).toEqual([{ ok: true, why: '' }]);
  });

  test('a single line that is too large is set aside', async () => {
    store.outbox.append(points(4));
    answer = (lines, response) =>
      lines.some((line) => line.includes('temperature=2 '))
        ? refuse(response, 413, 'too large')
        : response.writeHead(204).end();
    start();
    await empty();
    expect(store.outbox.quarantined(9)).toMatchObject([{ id: 3, why: 'too large' }]);
  });

  test('a database that stays away is an outage, not a loop', async () => {
    store.outbox.append(points(4));
    answer = (_, response) => refuse(response, 404, 'database not found: "d"');
    start();
    await vi.waitFor(() => expect(states).toMatchObject([{ ok: false }]), PATIENCE);
    expect(states[0]?.why).toContain('database not found');
    expect(batches).toHaveLength(2);
    expect(prepared.filter((query) => query.includes('create')).length).toBeGreaterThanOrEqual(2);
    expect(store.outbox.size).toBe(4);
  });

  test('a hanging server does not hold the stop up', async () => {
    store.outbox.append(points(4));
    let hanging = false;
    answer = () => {
      hanging = true;
    };
    start();
    await vi.waitFor(() => expect(hanging).toBe(true), PATIENCE);
    const began = performance.now();
    await writer?.stop();
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(store.outbox.size).toBe(4);
  });
});

describe('points refused for good', () => {
  function watched() {
    const clock = new ManualClock(0);
    const posted: string[] = [];
    const loop = {
      takes: true,
      post(fact: Fact) {
        if (loop.takes && fact.kind === 'system') posted.push(`${fact.part}: ${fact.why}`);
        return loop.takes;
      },
    };
    const log = { error: vi.fn() };
    const stop = watchRefused({ store, clock, log, loop } as unknown as Watched);
    return { clock, posted, loop, log, stop };
  }
  const refuse = (ids: readonly number[], why: string) => {
    for (const id of ids) store.outbox.quarantine(id, why);
  };
  beforeEach(() => {
    store.outbox.append(Array.from({ length: 9 }, () => climate(Date.now(), { temperature: { float: 1 } })));
  });

  test('are told at most once a minute, how many and why the last, and nothing twice', () => {
    const { clock, posted, stop } = watched();
    refuse([1, 2], 'field type conflict');
    clock.advance(LOOK_EVERY_MS - 1);
    expect(posted).toEqual([]);
    clock.advance(1);
    expect(posted).toEqual([
      'telemetry_refused: InfluxDB has refused 2 points of history for good, the last with “field type conflict”. ' +
        'They are set aside: see docs/operations.md, “Points that InfluxDB refuses”.',
    ]);
    clock.advance(10 * LOOK_EVERY_MS);
    expect(posted).toHaveLength(1);
    refuse([3], 'another');
    clock.advance(LOOK_EVERY_MS);
    expect(posted[1]).toContain('3 points of history for good, the last with “another”');
    stop();
    expect(clock.waiting).toBe(0);
  });

  test('are told after a restart when they were not before, and are not told again when they were', () => {
    refuse([1], 'too large');
    const first = watched();
    expect(first.posted).toEqual([expect.stringContaining('1 point of history')]);
    first.stop();
    expect(watched().posted).toEqual([]);
  });

  test('are told later when the gateway is overloaded or the disk cannot be read', () => {
    refuse([1], 'too large');
    const { clock, posted, loop, log } = watched();
    loop.takes = false;
    refuse([2], 'too large');
    clock.advance(LOOK_EVERY_MS);
    loop.takes = true;
    const broken = vi.spyOn(store.meta, 'get').mockImplementation(() => {
      throw new Error('disk I/O error');
    });
    clock.advance(LOOK_EVERY_MS);
    expect(log.error).toHaveBeenCalledOnce();
    broken.mockRestore();
    clock.advance(LOOK_EVERY_MS);
    expect(posted).toHaveLength(2);
  });
});

describe('the embedded history', () => {
  const window = { room: 'r1', fromMs: 0, toMs: 600_000, everyMs: 60_000 };

  test('a step holds the mean of measurements and the last of states; a step without points is left out', async () => {
    store.outbox.append([
      climate(0, { temperature: { float: 20 }, mode: 'setback', heating: true }),
      climate(30_000, { temperature: { float: 21 }, heating: false }),
      climate(59_999, { mode: 'occupied' }),
      climate(180_000, { mode: 'warm_up', heating_setpoint: { float: 21 } }),
      climate(180_001, { temperature: { float: 5 } }, 'r2'),
      climate(600_000, { temperature: { float: 30 } }),
    ]);
    const nothing = { temperature: null, humidity: null, co2: null, cooling: null, coolingSetpoint: null };
    expect(await openHistory({ outbox: store.outbox, site: 's' }).climate(window)).toEqual([
      { ...nothing, atMs: 0, temperature: 20.5, mode: 'occupied', heating: false, heatingSetpoint: null },
      { ...nothing, atMs: 180_000, mode: 'warm_up', heating: null, heatingSetpoint: 21 },
    ]);
  });

  test('reads a long window in slices, each in a turn of the event loop, however many look', async () => {
    const SLICES = 8;
    const count = SLICES * SLICE_ROWS;
    const points = Array.from({ length: count }, (_, n) => climate(n * 1_000, { temperature: { float: n % 4 } }));
    store.outbox.append(points);
    const history = openHistory({ outbox: store.outbox, site: 's' });
    const long = { room: 'r1', fromMs: 0, toMs: count * 1_000, everyMs: 300_000 };
    let turns = 0;
    let done = false;
    const countTurns = () => {
      turns += 1;
      if (!done) setImmediate(countTurns);
    };
    setImmediate(countTurns);
    const answers = await Promise.all([history.climate(long), history.climate(long), history.climate(long)]);
    done = true;
    expect(turns).toBeGreaterThanOrEqual(3 * SLICES);
    for (const answer of answers) {
      // Steps that lie across two slices are whole.
      expect(answer).toHaveLength(Math.ceil(count / 300));
      expect(new Set(answer.slice(0, -1).map(({ temperature }) => temperature))).toEqual(new Set([1.5]));
    }
  });

  test.each([
    ['no room', { room: '' }],
    ['a room without end', { room: 'x'.repeat(65) }],
    ['a window that ends before it starts', { toMs: -1 }],
    ['no time at all', { fromMs: Number.NaN }],
    ['steps of nothing', { everyMs: 0 }],
    ['more steps than an answer holds', { toMs: 60_000 * 20_001 }],
  ])('%s is refused', async (_, change) => {
    const history = openHistory({ outbox: store.outbox, site: 's' });
    await expect(history.occupancy({ ...window, ...change })).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('metrics', () => {
  test('the outbox, decisions and commits show in the text', async () => {
    const metrics = createMetrics();
    metrics.watchOutbox(store.outbox);
    store.outbox.append([climate(1, { mode: 'off' })]);
    metrics.decisions.inc({ outcome: 'granted', reason: 'granted' });
    metrics.commitSeconds.observe(0.000_7);
    metrics.influxUp.set(1);
    const text = await metrics.text();
    expect(text).toContain('doorward_outbox_rows 1');
    expect(text).toContain('doorward_outbox_dropped_rows 0');
    expect(text).toContain('doorward_decisions_total{outcome="granted",reason="granted"} 1');
    expect(text).toContain('doorward_commit_seconds_bucket{le="0.001"} 1');
    expect(text).toContain('doorward_influx_up 1');
    expect(text).toContain('process_resident_memory_bytes');
  });

  test('two gateways in one process keep their own', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.factsDropped.inc();
    expect(await other.text()).toContain('doorward_facts_dropped_total 0');
  });
});
