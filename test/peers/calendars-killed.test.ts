/**
 * kill -9 amid taking in a calendar: whatever the moment, the next start ends with the schedule that the calendar tells,
 * though the server says by then that nothing has changed.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { seeded } from '../../devices/simulator/random.ts';
import { openStore } from '../../gateway/store/index.ts';
import { feed, HOUR, type IcsEvent, MINUTE } from '../support/calendars-host.ts';
import { CalendarServer } from '../support/calendars-server.ts';
import { DEVICE_PASSWORD, OBSERVER_PASSWORD, socketApi } from '../support/clinic.ts';
import { type Product, runProduct } from '../support/product.ts';

const KILLS = 8;
const SEED = 20_260_302;
const EVENTS = 1_200;
/** Large and hard to pack, so that keeping the answer takes a while too. */
const NOTES = 1_500;
/** A kill comes this long after the change began to be written at most; half of them come at once. */
const KILL_WITHIN_MS = 400;
const PATIENCE_MS = 60_000;
const FEED = '/room-1.ics';
const ADA = 'ada@clinic.example';

let folder: string;
let data: string;
let config: string;
let server: CalendarServer;
let running: Product | undefined;
const random = seeded(SEED);
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'doorward-calendars-killed-'));
  data = path.join(folder, 'data');
  config = path.join(folder, 'site.yaml');
  server = await CalendarServer.start();
  const source = `{ id: practice, kind: ics, url: "${server.url(FEED)}", rooms: consult-1, allowHttp: true, allowPrivate: true }`;
  const yaml = readFileSync(new URL('../../config/acceptance.yaml', import.meta.url), 'utf8')
    .replace('port: 18080', 'port: 0')
    .replace('port: 18831', 'port: 0')
    .replace(/^influx: .*$/m, '')
    .replace(/^bookings: .*$/m, `bookings: { earlyMin: 10, lateMin: 5, maxScheduleAgeH: 36, sources: [${source}] }`);
  writeFileSync(config, yaml);
});
afterEach(async () => {
  running?.kill('SIGKILL');
  await running?.ended;
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(): Product {
  running = runProduct(['start', '--config', config, '--data', data], { DEVICE_PASSWORD, OBSERVER_PASSWORD });
  return running;
}

/** The calendar's versions: each moves every event by some minutes and leaves out other ones. */
function version(number: number, fromMs: number): IcsEvent[] {
  const notes = Array.from({ length: NOTES / 8 }, () => Math.floor(random.between(0, 2 ** 32)).toString(16)).join('');
  return Array.from({ length: EVENTS }, (_, index) => ({
    uid: `visit-${index}`,
    startMs: fromMs + index * HOUR + number * MINUTE,
    endMs: fromMs + index * HOUR + number * MINUTE + 30 * MINUTE,
    attendee: ADA,
    sequence: number,
    lines: [`DESCRIPTION:${index}${notes.slice(index % 100)}`],
  })).filter((_, index) => index % 9 !== number % 9);
}

/** Whether the calendar's change is being written just now: the source says that it is not done. */
function isWriting(cursor: string | undefined): boolean {
  const store = openStore(data, { readonly: true });
  try {
    const [source] = store.calendars.sources();
    return source !== undefined && (source.cursor !== cursor || source.state.includes('"unfinished":true'));
  } finally {
    store.close();
  }
}
function cursorOf(): string | undefined {
  const store = openStore(data, { readonly: true });
  try {
    return store.calendars.sources()[0]?.cursor;
  } finally {
    store.close();
  }
}

/** What opens doors, as a restart would load it: booking by booking, its start. */
function granted(): Set<string> {
  const store = openStore(data, { readonly: true });
  try {
    const confirmed = store.bookings.list({}).filter(({ status }) => status === 'confirmed');
    return new Set(confirmed.map(({ startMs }) => new Date(startMs).toISOString()));
  } finally {
    store.close();
  }
}

async function untilAsTold(events: readonly IcsEvent[], what: string): Promise<void> {
  const expected = events.map(({ startMs }) => new Date(startMs).toISOString());
  await vi.waitFor(
    async () => {
      const [source] = (await socketApi(data, 'GET', 'calendars')).body;
      expect(source).toMatchObject({ state: 'ok', bookings: expected.length });
      const found = granted();
      expect([...found].filter((start) => !expected.includes(start)).slice(0, 3), `${what}: open wrongly`).toEqual([]);
      expect(expected.filter((start) => !found.has(start)).slice(0, 3), `${what}: shut wrongly`).toEqual([]);
    },
    { timeout: PATIENCE_MS, interval: 200 },
  );
}

it(
  `killed ${KILLS} times amid a change, comes back with the whole of it`,
  async () => {
    const fromMs = Math.ceil(Date.now() / HOUR) * HOUR + 24 * HOUR;
    server.serve(FEED, { body: feed(...version(0, fromMs)), etag: '"0"' });
    await start().ready;
    const member = { name: 'Ada', addresses: [ADA] };
    expect((await socketApi(data, 'POST', 'members', member)).status).toBe(201);
    await untilAsTold(version(0, fromMs), 'at first');
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const events = version(kill, fromMs);
      const before = cursorOf();
      server.serve(FEED, { body: feed(...events), etag: `"${kill}"` });
      expect((await socketApi(data, 'POST', 'calendars/practice/refresh')).status).toBe(202);
      await vi.waitFor(() => expect(isWriting(before)).toBe(true), { timeout: PATIENCE_MS, interval: 1 });
      const afterMs = kill % 2 === 0 ? random.between(0, KILL_WITHIN_MS) : 0;
      const victim = running;
      const timer = setTimeout(() => victim?.kill('SIGKILL'), afterMs);
      expect((await victim?.ended)?.signal).toBe('SIGKILL');
      clearTimeout(timer);
      await start().ready;
      await untilAsTold(events, `after kill ${kill}, ${Math.round(afterMs)} ms into the change`);
    }
  },
  10 * PATIENCE_MS,
);
