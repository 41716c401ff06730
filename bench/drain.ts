/** How fast the durable outbox empties into a real InfluxDB, beside raw line protocol of the same points in the same run. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Measurement } from '../gateway/core/effects.ts';
import { openStore } from '../gateway/store/index.ts';
import { connectInflux } from '../gateway/telemetry/influx.ts';
import { startInfluxWriter } from '../gateway/telemetry/writer.ts';
import { startInflux, type TestInflux } from '../test/support/influx.ts';
import { count, heading, progress, row, target } from './report.ts';

const POINTS = 500_000;
const ROOMS = 200;
const APPEND = 10_000;
const BATCH = 5_000;
const ASKED_PER_S = 80_000;
const RETENTION_DAYS = 400;

export async function benchDrain(): Promise<void> {
  heading(`InfluxDB: ${count(POINTS)} points out of the outbox`);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'doorward-bench-'));
  const influx = await startInflux();
  const store = openStore(folder);
  try {
    progress('drain: filling the outbox');
    const began = performance.now();
    for (let i = 0; i < POINTS; i += APPEND) store.outbox.append(points(i));
    row('into the outbox, durable', `${count(POINTS / ((performance.now() - began) / 1000))} points/s`);
    progress('drain: raw line protocol');
    const raw = await rawPost(influx, allLines(store.outbox));
    row('raw line protocol of the same points', `${count(raw)} points/s`);
    progress('drain: the gateway’s writer');
    const drained = await drain(influx, store.outbox);
    const figure = `${count(drained)}/s`;
    target('points out of the outbox', figure, `≥ ${count(ASKED_PER_S)}/s`, drained >= ASKED_PER_S);
    row('of raw line protocol', `${Math.round((drained / raw) * 100)} %`);
    const stored = await influx.ask('SELECT count(temperature) FROM climate', 'drained');
    target(
      'points that InfluxDB has',
      count(Number(stored[0]?.count)),
      count(POINTS),
      Number(stored[0]?.count) === POINTS,
    );
  } finally {
    store.close();
    await influx.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A room's climate as the core tells it; a day's points, so that they lie as closely as real ones. */
function points(from: number): Measurement[] {
  const firstMs = Date.now() - 24 * 3600_000;
  return Array.from({ length: APPEND }, (_, i) => {
    const n = from + i;
    return {
      measurement: 'climate',
      tags: { site: 'bench', room: `room-${n % ROOMS}` },
      fields: {
        mode: 'occupied',
        temperature: { float: 20 + (n % 50) / 10 },
        heating_setpoint: { float: 21 },
        cooling_setpoint: { float: 24 },
        humidity: { float: 40 + (n % 20) },
        co2: { float: 400 + (n % 900) },
        heating: n % 2 === 0,
        cooling: false,
      },
      atMs: firstMs + Math.floor((n * 86_000_000) / POINTS),
    };
  });
}

function allLines(outbox: ReturnType<typeof openStore>['outbox']): string[] {
  const batches: string[] = [];
  for (let after = 0; ; ) {
    const rows = outbox.peek(BATCH, after);
    const last = rows.at(-1);
    if (last === undefined) return batches;
    batches.push(rows.map(({ line }) => line).join('\n'));
    after = last.id;
  }
}

/** Bodies made beforehand, posted one after the other: what the server alone takes. */
async function rawPost(influx: TestInflux, batches: readonly string[]): Promise<number> {
  const client = connectInflux({ url: influx.url, database: 'raw', retentionDays: RETENTION_DAYS });
  await client.prepare();
  const began = performance.now();
  for (const lines of batches) {
    const answer = await client.write(lines);
    if (answer.kind !== 'stored') throw new Error(`raw line protocol: ${answer.why}`);
  }
  const seconds = (performance.now() - began) / 1000;
  client.close();
  return POINTS / seconds;
}

async function drain(influx: TestInflux, outbox: ReturnType<typeof openStore>['outbox']): Promise<number> {
  let began = 0;
  let delivered = 0;
  let all = () => {};
  const done = new Promise<void>((resolve) => {
    all = resolve;
  });
  const quiet = { info: () => {}, warn: (fields: object, text: string) => console.error(text, fields) };
  began = performance.now();
  const writer = startInfluxWriter({
    outbox,
    influx: { url: influx.url, database: 'drained', retentionDays: RETENTION_DAYS },
    onState: () => {},
    onDelivered: (some) => {
      delivered += some;
      if (delivered >= POINTS) all();
    },
    log: quiet,
  });
  await done;
  const seconds = (performance.now() - began) / 1000;
  await writer.stop();
  return POINTS / seconds;
}
