/** The whole gateway with a real InfluxDB that goes away and comes back, and without one: the same history either way. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../gateway/store/index.ts';
import { Clinic } from '../support/clinic.ts';
import { startInflux, type TestInflux } from '../support/influx.ts';
import type { NativeDevice } from '../support/nativedevice.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
/** InfluxDB's return is noticed after a back-off. */
const PATIENCE = { timeout: 60_000, interval: 100 };
const CARD = '04A224B2C15E80';
const LONG = 180_000;

let clinic: Clinic | undefined;
let influx: TestInflux | undefined;
afterEach(async () => {
  await clinic?.close();
  clinic = undefined;
  await influx?.stop();
  influx = undefined;
});

/** On a full minute of today: the server drops what is older than its retention. */
const startMs = Math.floor(Date.now() / MINUTE) * MINUTE;

interface Gear {
  readonly lock: NativeDevice;
  readonly reader: NativeDevice;
  readonly room: NativeDevice;
}

async function open(influxUrl?: string): Promise<Gear> {
  clinic = await Clinic.open({
    influxUrl,
    startMs,
    change: (yaml) => yaml.replace('co2: room-1,', 'co2: room-1, humidity: room-1, people: room-1,'),
  });
  const lock = await clinic.device('lock-1', ['lock', 'door', 'exit', 'battery'], {
    lock: 'locked',
    door: 'closed',
    battery: 87.5,
  });
  const reader = await clinic.device('reader-1', ['reader']);
  const room = await clinic.device(
    'room-1',
    ['presence', 'people', 'temperature', 'humidity', 'co2', 'relay', 'relay-2', 'dimmer'],
    { presence: true, people: 2, temperature: 21, humidity: 40, co2: 600, relay: 'off', 'relay-2': 'off', dimmer: 0 },
  );
  await clinic.practitioner('Ada Lovelace', CARD, { startMin: 0, endMin: 600 });
  return { lock, reader, room };
}

/** So many grants and as many refusals, several of them in one millisecond. */
async function badges(reader: NativeDevice, count: number): Promise<void> {
  const before = (await clinic?.events())?.length ?? 0;
  for (let each = 0; each < count; each += 1) {
    await reader.badge(CARD);
    await reader.badge(`0BAD${String(each).padStart(4, '0')}`);
  }
  await vi.waitFor(async () => expect((await clinic?.events())?.length).toBe(before + 2 * count), PATIENCE);
}

async function doorMoves(lock: NativeDevice, times: number): Promise<void> {
  for (let each = 0; each < times; each += 1) {
    for (const value of ['open', 'closed']) {
      await lock.state('door', value);
      await vi.waitFor(async () => {
        const doors = await clinic?.get<{ id: string; contact: string }[]>('doors');
        expect(doors?.find((one) => one.id === 'consult-1-door')?.contact).toBe(value);
      }, PATIENCE);
    }
    await clinic?.pass(SECOND);
  }
}

async function minutes(room: NativeDevice, from: number, count: number): Promise<void> {
  for (let minute = from; minute < from + count; minute += 1) {
    await room.state('temperature', 21 + minute / 10);
    await clinic?.until('rooms/consult-1', (answer) => answer.body.climate.temperature === 21 + minute / 10);
    await clinic?.pass(MINUTE, 5 * SECOND);
  }
}

function ask(influxQl: string) {
  if (influx === undefined) throw new Error('no server');
  return influx.ask(influxQl, 'doorward');
}

async function sum(measurement: string, field: string, how: 'sum' | 'count' = 'count'): Promise<number> {
  const rows = await ask(`SELECT ${how}("${field}") AS n FROM "${measurement}"`);
  return Number(rows[0]?.n ?? 0);
}

describe('InfluxDB', () => {
  it(
    'gets its database, the right types, and after an outage every point',
    async () => {
      influx = await startInflux();
      const { lock, reader, room } = await open(influx.url);
      await vi.waitFor(async () => {
        expect((await influx?.ask('SHOW DATABASES'))?.map((row) => row.name)).toContain('doorward');
      }, PATIENCE);
      const policies = await influx.ask('SHOW RETENTION POLICIES ON doorward');
      expect(policies.find((one) => one.default)?.duration).toBe('9600h0m0s');

      await badges(reader, 5);
      await minutes(room, 0, 2);
      await vi.waitFor(async () => expect(await sum('access', 'count', 'sum')).toBe(10), PATIENCE);

      await influx.pause();
      await badges(reader, 10);
      await minutes(room, 2, 3);
      await doorMoves(lock, 3);
      await clinic?.until('alarms', (answer) => answer.text.includes('"telemetry"'));
      const history = `occupancy?room=consult-1&from=${new Date(startMs).toISOString()}`;
      expect((await clinic?.api('GET', history))?.status).toBe(503);

      await influx.resume();
      await vi.waitFor(async () => expect(await sum('access', 'count', 'sum')).toBe(30), PATIENCE);
      await vi.waitFor(async () => {
        const alarms = await clinic?.get<{ kind: string }[]>('alarms');
        expect(alarms?.map((alarm) => alarm.kind)).not.toContain('telemetry');
      }, PATIENCE);
      const granted = await ask(`SELECT sum("count") AS n FROM "access" WHERE outcome = 'granted'`);
      expect(granted[0]?.n).toBe(15);
      // Each opening and each closing, those of the outage too. The first point is the lock's first word.
      await vi.waitFor(async () => {
        const doors = await ask(`SELECT "open" FROM "door" WHERE door = 'consult-1-door'`);
        const moved = doors.map((row) => row.open).filter((value, index, all) => index > 0 && value !== all[index - 1]);
        expect(moved).toEqual([true, false, true, false, true, false]);
      }, PATIENCE);
      for (const measurement of ['climate', 'occupancy', 'light']) {
        const field = { climate: 'mode', occupancy: 'state', light: 'level' }[measurement];
        const rows = await ask(
          `SELECT count("${field}") AS n FROM "${measurement}" WHERE room = 'consult-1' AND time >= ${startMs}ms AND time < ${startMs + 5 * MINUTE}ms GROUP BY time(1m)`,
        );
        expect(rows.map((row) => Number(row.n) > 0)).toEqual([true, true, true, true, true]);
      }
      const temperatures = await ask(`SELECT last("temperature") AS t FROM "climate" WHERE room = 'consult-1'`);
      expect(temperatures[0]?.t).toBe(21.4);
      await types();
      const everything = JSON.stringify([
        await ask('SELECT * FROM /.*/'),
        await ask('SHOW TAG VALUES WITH KEY =~ /.*/'),
      ]);
      expect(everything).not.toMatch(/Ada|Lovelace|A224B2C1/);
    },
    LONG,
  );
});

describe('an InfluxDB that refuses', () => {
  it(
    'some points for good does not lose the others, keeps nobody at the door, and is told as one alarm',
    async () => {
      influx = await startInflux();
      const { url } = influx;
      const { reader, lock, room } = await open(url);
      // Before the first badge somebody writes that field with another type: from then on the server refuses ours.
      await vi.waitFor(async () => {
        const body = `access count="many" ${startMs}000000`;
        expect((await fetch(`${url}/write?db=doorward`, { method: 'POST', body })).status).toBe(204);
      }, PATIENCE);
      await badges(reader, 5);
      await minutes(room, 0, 2);
      for (const [measurement, field] of [
        ['climate', 'mode'],
        ['light', 'level'],
      ] as const) {
        await vi.waitFor(async () => expect(await sum(measurement, field)).toBeGreaterThanOrEqual(3), PATIENCE);
      }
      expect(await sum('access', 'count')).toBe(1);
      const dataDir = clinic?.dataDir ?? '';
      await vi.waitFor(() => {
        const store = openStore(dataDir, { readonly: true });
        const aside = store.outbox.quarantined(100);
        store.close();
        expect(aside).toHaveLength(10);
        expect(aside.every((row) => row.line.startsWith('access,') && row.why.includes('field type conflict'))).toBe(
          true,
        );
      }, PATIENCE);
      expect(lock.unlocks()).toHaveLength(5);
      await clinic?.pass(MINUTE, 5 * SECOND);
      const alarms = await clinic?.get<{ kind: string; text: string }[]>('alarms');
      expect(alarms?.filter(({ kind }) => kind.startsWith('telemetry'))).toEqual([
        expect.objectContaining({
          kind: 'telemetry_refused',
          text: expect.stringMatching(/^InfluxDB has refused 10 points .* the last with “.*field type conflict/),
        }),
      ]);
    },
    LONG,
  );
});

/** CONTRACT's measurements, tags and fields, as the server keeps them. */
async function types(): Promise<void> {
  const fields = async (measurement: string) =>
    Object.fromEntries(
      (await ask(`SHOW FIELD KEYS FROM "${measurement}"`)).map((row) => [row.fieldKey, row.fieldType]),
    );
  const tags = async (measurement: string) =>
    (await ask(`SHOW TAG KEYS FROM "${measurement}"`)).map((row) => row.tagKey).sort();
  expect(await fields('occupancy')).toEqual({
    state: 'string',
    occupied: 'boolean',
    confidence: 'float',
    booked: 'boolean',
    people: 'integer',
  });
  expect(await fields('climate')).toEqual({
    temperature: 'float',
    heating_setpoint: 'float',
    cooling_setpoint: 'float',
    humidity: 'float',
    co2: 'float',
    mode: 'string',
    heating: 'boolean',
    cooling: 'boolean',
  });
  expect(await fields('access')).toEqual({ count: 'integer' });
  expect(await fields('door')).toEqual({ open: 'boolean', locked: 'boolean' });
  expect(await fields('light')).toEqual({ level: 'float' });
  expect(await fields('device')).toEqual({ online: 'boolean', battery: 'float' });
  for (const measurement of ['occupancy', 'climate', 'light'])
    expect(await tags(measurement)).toEqual(['room', 'site']);
  expect(await tags('access')).toEqual(['door', 'outcome', 'reason', 'site']);
  expect(await tags('door')).toEqual(['door', 'site']);
  expect(await tags('device')).toEqual(['device', 'site']);
}

describe.each(['InfluxDB', 'the embedded history'] as const)('history out of %s', (source) => {
  it(
    'tells the same',
    async () => {
      if (source === 'InfluxDB') influx = await startInflux();
      const { room } = await open(influx?.url);
      await minutes(room, 0, 4);
      const window = `room=consult-1&from=${new Date(startMs).toISOString()}&to=${new Date(startMs + 4 * MINUTE).toISOString()}&every=60s`;
      const at = (minute: number) => new Date(startMs + minute * MINUTE).toISOString();
      await vi.waitFor(async () => {
        await clinic?.pass(SECOND);
        const { body } = (await clinic?.api('GET', `occupancy?${window}`)) ?? {};
        expect(body?.series).toHaveLength(4);
      }, PATIENCE);
      const occupancy = (await clinic?.api('GET', `occupancy?${window}`))?.body.series;
      expect(occupancy[3]).toEqual({
        at: at(3),
        state: 'occupied',
        occupied: true,
        confidence: 0.98,
        booked: true,
        people: 2,
      });
      const climate = (await clinic?.api('GET', `climate?${window}`))?.body.series;
      expect(climate).toHaveLength(4);
      expect(climate[3]).toEqual({
        at: at(3),
        // The mean of what was known as the minute began and of what was measured in it.
        temperature: expect.closeTo(21.25, 1),
        heatingSetpoint: 21,
        coolingSetpoint: 24,
        humidity: 40,
        co2: 600,
        mode: 'occupied',
        heating: false,
        cooling: false,
      });
    },
    LONG,
  );
});
