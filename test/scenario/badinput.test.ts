/** What no honest device or client sends: each is shown as a fault, and the door beside it opens all the same. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FAULT_HOLD_MS } from '../../gateway/core/devices.ts';
import { doorward } from '../gateway/cliSupport.ts';
import { Clinic, DEVICE_PASSWORD, OBSERVER_PASSWORD } from '../support/clinic.ts';
import { TestClient } from '../support/mqttclients.ts';
import type { NativeDevice } from '../support/nativedevice.ts';

const SECOND = 1_000;
const PATIENCE_MS = 20_000;
const CARD = '04A224B2C15E80';
const BASE = 'doorward/1/acceptance/room-1';

/** A whole clinic each time, on a machine that may be busy. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let clinic: Clinic;
let lock: NativeDevice;
let reader: NativeDevice;
/** The one that misbehaves. */
let bad: NativeDevice;

async function open(broker: 'embedded' | 'mosquitto'): Promise<void> {
  clinic = await Clinic.open({ broker });
  lock = await clinic.device('lock-1', ['lock', 'door', 'exit'], { lock: 'locked', door: 'closed' });
  reader = await clinic.device('reader-1', ['reader']);
  bad = await clinic.device('room-1', ['presence', 'temperature', 'co2', 'relay', 'relay-2', 'dimmer'], {
    presence: false,
    temperature: 22,
    relay: 'off',
    'relay-2': 'off',
    dimmer: 0,
  });
  await clinic.practitioner('Ada', CARD, { startMin: 0, endMin: 60 });
}

interface Health {
  readonly id: string;
  readonly online: boolean | null;
  readonly malformed: number;
  readonly fault: string | null;
}

async function health(id = 'room-1'): Promise<Health> {
  const { items } = await clinic.get<{ items: Health[] }>('devices');
  return items.find((one) => one.id === id) as Health;
}

/** Waits until so many messages of a device were found unreadable; the last fault's text. */
async function malformed(count: number, id = 'room-1'): Promise<string> {
  return await vi.waitFor(async () => {
    const { malformed: found, fault } = await health(id);
    expect(found).toBe(count);
    return fault ?? '';
  }, PATIENCE_MS);
}

async function faultAlarm(id = 'room-1'): Promise<void> {
  await vi.waitFor(async () => expect(await clinic.alarms(id)).toContain('device_fault'), PATIENCE_MS);
}

/** Somebody comes with a right and is let in, once and confirmed. */
async function opensBesideIt(): Promise<void> {
  clinic.clock.advance(1_500);
  const before = lock.unlocks().length;
  await reader.badge(CARD);
  await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(before + 1), PATIENCE_MS);
  const { id } = lock.unlocks()[before]?.command ?? {};
  await vi.waitFor(
    async () => expect((await clinic.events('command'))[0]).toMatchObject({ command: id, outcome: 'confirmed' }),
    PATIENCE_MS,
  );
}

async function temperature(): Promise<number | null> {
  return (await clinic.api('GET', 'rooms/consult-1')).body.climate.temperature;
}

describe.each(['embedded', 'mosquitto'] as const)('a device that sends (%s broker)', (broker) => {
  beforeEach(() => open(broker));
  afterEach(() => clinic.close());

  it('what is no JSON, or not UTF-8, is at fault', async () => {
    await bad.raw('state/temperature', '{"value": 2', true);
    expect(await malformed(1)).toContain('state/temperature: the payload is not JSON');
    await bad.raw('event/reader', Buffer.from([0xff, 0xfe, 0x00]));
    await bad.raw('ack/relay', 'done');
    await bad.raw('desc', '[]', true);
    expect(await malformed(4)).toContain('desc');
    await faultAlarm();
    expect(await temperature()).toBe(22);
    await opensBesideIt();
  });

  it('values of the wrong type, or that cannot be, is at fault', async () => {
    const at = '2026-03-02T08:00:00.000Z';
    const state = (value: unknown, more: object = {}) => JSON.stringify({ boot: 'b1', seq: 900, at, value, ...more });
    const wrong: [topic: string, payload: string][] = [
      ['state/temperature', state('21')],
      ['state/temperature', state(1_000)],
      ['state/temperature', state({ celsius: 21 })],
      ['state/temperature', state(21, { seq: -1 })],
      ['state/temperature', state(21, { at: '2026-02-30T08:00:00.000Z' })],
      ['state/temperature', state(21, { at: 'yesterday' })],
      ['state/presence', state('true')],
      ['state/relay', state('maybe')],
      ['state/dimmer', state(101)],
      ['state/teapot', state('hot')],
      ['status', '{"status":"fine"}'],
      ['desc', '{"v":2,"model":"x","firmware":"1","capabilities":[]}'],
      ['ack/relay', '{"id":"x","result":"perhaps"}'],
    ];
    for (const [topic, payload] of wrong) await bad.raw(topic, payload, !topic.startsWith('ack'));
    await malformed(wrong.length);
    await faultAlarm();
    const room = (await clinic.api('GET', 'rooms/consult-1')).body;
    expect(room.climate).toMatchObject({ temperature: 22, heating: false });
    expect(room.occupancy.state).toBe('vacant');
    await opensBesideIt();
  });

  it('cards that are none is at fault, and no number is told', async () => {
    for (const value of ['', 'not hex', 'ABC', '04'.repeat(40)]) await reader.badge(value);
    expect(await malformed(4, 'reader-1')).toContain('a credential read (uid)');
    await reader.event('reader', { type: 'credential', format: 'barcode', value: '04' });
    await reader.event('reader', { type: 'keypad', digits: '12ab' });
    const text = await malformed(6, 'reader-1');
    expect(text).not.toContain('12ab');
    await faultAlarm('reader-1');
    expect((await clinic.events()).map((entry) => entry.outcome)).not.toContain('granted');
    await opensBesideIt();
  });

  it('events from another time opens nothing, and a fast clock is at fault', async () => {
    const ahead = new Date(clinic.clock.now().wallMs + 3_600_000).toISOString();
    await reader.badge(CARD, { at: ahead });
    await vi.waitFor(
      async () => expect((await clinic.events())[0]).toMatchObject({ outcome: 'denied', subReason: 'event_in_future' }),
      PATIENCE_MS,
    );
    await faultAlarm('reader-1');
    expect((await health('reader-1')).fault).toContain('3600 s ahead');
    await reader.badge(CARD, { at: '1970-01-01T00:00:00.000Z' });
    await vi.waitFor(
      async () => expect((await clinic.events())[0]).toMatchObject({ outcome: 'denied', subReason: 'event_too_old' }),
      PATIENCE_MS,
    );
    await reader.raw(
      'event/reader',
      JSON.stringify({ id: 'x', at: 12, type: 'credential', format: 'uid', value: CARD }),
    );
    await malformed(1, 'reader-1');
    expect(lock.unlocks()).toEqual([]);
    await opensBesideIt();
  });

  it('one event twice under one id opens once', async () => {
    await reader.badge(CARD, { id: 'e-1' });
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1), PATIENCE_MS);
    clinic.clock.advance(2_000);
    await reader.badge(CARD, { id: 'e-1' });
    await reader.badge('0BAD0001');
    await vi.waitFor(
      async () => expect((await clinic.events())[0]).toMatchObject({ reason: 'denied_unknown_credential' }),
      PATIENCE_MS,
    );
    expect(lock.unlocks()).toHaveLength(1);
    await opensBesideIt();
  });

  it('states of the past is not believed: an old boot, a lower seq, one seq with two values', async () => {
    const state = (boot: string, seq: number, value: number) =>
      bad.raw('state/temperature', JSON.stringify({ boot, seq, at: '2026-03-02T08:00:00.000Z', value }), true);
    await state('b1', 500, 21);
    await clinic.until('rooms/consult-1', (answer) => answer.body.climate.temperature === 21);
    await state('b1', 499, 5);
    await state('b1', 500, 5);
    await faultAlarm();
    expect((await health()).fault).toContain('two values of temperature under one seq');
    await bad.raw('status', JSON.stringify({ status: 'online', boot: 'b2' }), true);
    await state('b2', 1, 23);
    await clinic.until('rooms/consult-1', (answer) => answer.body.climate.temperature === 23);
    await state('b1', 900, 5);
    await bad.raw('status', JSON.stringify({ status: 'lost', boot: 'b1' }), true);
    await state('b2', 2, 24);
    await clinic.until('rooms/consult-1', (answer) => answer.body.climate.temperature === 24);
    expect((await health()).online).toBe(true);
    await opensBesideIt();
  });

  it('another state than it was ordered is at fault, and what it reports is what is shown', async () => {
    lock.obeys = false;
    await reader.badge(CARD);
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1), PATIENCE_MS);
    await lock.state('lock', 'locked', lock.unlocks()[0]?.command.id);
    await faultAlarm('lock-1');
    expect((await health('lock-1')).fault).toContain('the opposite');
    const doors = await clinic.get<{ id: string; lock: string }[]>('doors');
    expect(doors.find((door) => door.id === 'consult-1-door')?.lock).toBe('locked');
    lock.obeys = true;
    await opensBesideIt();
  });

  it('confirmations of commands that it was never given changes nothing', async () => {
    await bad.raw('ack/relay', JSON.stringify({ id: '01J0000000000000000000000', result: 'done' }));
    lock.obeys = false;
    await reader.badge(CARD);
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1), PATIENCE_MS);
    const id = lock.unlocks()[0]?.command.id;
    // Another device speaks for the lock.
    await bad.raw('ack/lock', JSON.stringify({ id, result: 'done' }));
    await bad.raw('ack/relay', JSON.stringify({ id, result: 'done' }));
    await bad.state('temperature', 21);
    await clinic.until('rooms/consult-1', (answer) => answer.body.climate.temperature === 21);
    expect(await clinic.events('command')).toEqual([]);
    for (let second = 0; second < 11; second += 1) clinic.clock.advance(SECOND);
    await vi.waitFor(
      async () => expect((await clinic.events('command'))[0]).toMatchObject({ outcome: 'unknown' }),
      PATIENCE_MS,
    );
    lock.obeys = true;
    await opensBesideIt();
  });

  it('to topics of others is not heard', async () => {
    const port = Number(new URL(clinic.mqttUrl).port);
    const forged = JSON.stringify({ boot: 'b1', seq: 999, at: '2026-03-02T08:00:00.000Z', value: 'unlocked' });
    const event = JSON.stringify({
      boot: 'b1',
      seq: 999,
      id: 'forged',
      at: new Date(clinic.clock.now().wallMs).toISOString(),
      type: 'credential',
      format: 'uid',
      value: CARD,
    });
    for (const [topic, payload] of [
      ['doorward/1/acceptance/lock-1/state/lock', forged],
      ['doorward/1/acceptance/reader-1/event/reader', event],
      ['doorward/1/acceptance/lock-1/command/lock', '{"id":"x","op":"unlock","ttlMs":5000}'],
      ['doorward/1/acceptance/_room/consult-1', '{"occupancy":"vacant"}'],
      ['doorward/1/other/lock-1/state/lock', forged],
      [`${BASE}/command/relay`, '{"id":"x","op":"set","value":"on"}'],
    ] as const) {
      const forger = await TestClient.connect(port, 'room-2', DEVICE_PASSWORD);
      // The broker may refuse by cutting the connection, or by silence: either will do.
      await forger.publish(topic, payload, { qos: 0, retain: true });
      const ping = forger.publish(
        'doorward/1/acceptance/room-2/status',
        { status: 'online', boot: 'x' },
        { retain: true },
      );
      await Promise.race([ping.catch(() => {}), forger.closed]);
      await forger.end();
    }
    if (broker === 'embedded') {
      // Whose password it was, and what was tried last.
      expect((await health('room-2')).fault).toContain(`wrote to ${BASE}/command/relay, which it may not`);
      await faultAlarm('room-2');
    }
    await opensBesideIt();
    expect(lock.unlocks()).toHaveLength(1);
    expect([...lock.orders, ...bad.orders].filter((order) => order.command.id === 'x')).toEqual([]);
    const granted = (await clinic.events()).filter((entry) => entry.outcome === 'granted');
    expect(granted).toHaveLength(1);
  });

  it('more than it may is taken note of, and its neighbours do not wait for it', async () => {
    const burst: Promise<void>[] = [];
    for (let each = 0; each < 5_000; each += 1) burst.push(bad.state('temperature', 20 + (each % 10) / 10));
    // Nobody waits for them to arrive.
    void Promise.allSettled(burst);
    await opensBesideIt();
    if (broker === 'embedded') {
      await faultAlarm();
      expect((await health()).fault).toContain('more messages than it may');
    }
    await opensBesideIt();
    await bad.stop(true);
  });
});

describe('a device whose packet is larger than any may be', () => {
  afterEach(() => clinic.close());

  it('is cut off, is shown at fault and off line, and may come back', async () => {
    await open('embedded');
    await Promise.race([
      bad.raw('state/temperature', Buffer.alloc(200_000, 0x20)).catch(() => {}),
      vi.waitFor(async () => expect((await health()).online).toBe(false), PATIENCE_MS),
    ]);
    await vi.waitFor(async () => expect((await health()).online).toBe(false), PATIENCE_MS);
    expect((await health()).fault).toContain('bytes, more than the 16384 that are taken, and was cut off');
    await faultAlarm();
    await opensBesideIt();
    await clinic.pass(61 * SECOND);
    expect(await clinic.alarms('room-1')).toContain('device_offline');
    await clinic.device('room-1', ['presence', 'temperature', 'co2', 'relay', 'relay-2', 'dimmer'], {}, 'b2');
    await vi.waitFor(async () => expect(await clinic.alarms('room-1')).not.toContain('device_offline'), PATIENCE_MS);
    await clinic.pass(FAULT_HOLD_MS);
    expect(await clinic.alarms('room-1')).toEqual([]);
  });
});

describe('a client of the API that sends', () => {
  beforeEach(async () => {
    clinic = await Clinic.open();
  });
  afterEach(() => clinic.close());

  it('times that cannot be, unknown rooms and members is told all of it at once', async () => {
    const wrong = await clinic.api('POST', 'bookings', {
      room: 'attic',
      holder: 'nobody',
      start: '2026-03-02T10:00:00+01:00',
      end: '2026-03-02T09:00:00+01:00',
    });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid' } });
    expect(wrong.body.errors.map((one: { path: string }) => one.path).sort()).toEqual([
      'body.end',
      'body.holder',
      'body.room',
    ]);
    for (const start of ['2026-02-30T10:00:00Z', 'tomorrow', '2026-03-02T10:00:00', 12]) {
      const answer = await clinic.api('POST', 'bookings', { room: 'consult-1', holder: 'x', start, end: start });
      expect(answer.status).toBe(400);
    }
  });

  it('an id that is taken is refused, and what was there stays', async () => {
    expect((await clinic.api('POST', 'members', { id: 'm-1', name: 'Ada' })).status).toBe(201);
    expect((await clinic.api('POST', 'members', { id: 'm-1', name: 'Eve' })).status).toBe(409);
    const card = { member: 'm-1', format: 'uid', value: CARD };
    expect((await clinic.api('POST', 'credentials', card)).status).toBe(201);
    expect((await clinic.api('POST', 'members', { id: 'm-2', name: 'Ben' })).status).toBe(201);
    expect((await clinic.api('POST', 'credentials', { ...card, member: 'm-2' })).status).toBe(409);
    const members = await clinic.get<{ id: string; name: string }[]>('members');
    expect(members.map(({ id, name }) => [id, name])).toEqual([
      ['m-1', 'Ada'],
      ['m-2', 'Ben'],
    ]);
  });
});

describe('a port that is taken', () => {
  let other: Server;
  let folder: string;
  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'doorward-port-'));
    other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await new Promise<void>((resolve) => other.close(() => resolve()));
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['web', 'port: 18080', 'port: 18831'],
    ['MQTT', 'port: 18831', 'port: 18080'],
  ])('for %s ends the start with the port and a remedy, and leaves the data free', async (_what, taken, free) => {
    const { port } = other.address() as { port: number };
    const yaml = readFileSync(new URL('../../config/acceptance.yaml', import.meta.url), 'utf8')
      .replace(taken, `port: ${port}`)
      .replace(free, 'port: 0')
      .replace(/^influx: .*$/m, '');
    const file = path.join(folder, 'site.yaml');
    const data = path.join(folder, 'data');
    writeFileSync(file, yaml);
    const argv = ['start', '--config', file, '--data', data];
    const { code, out, err } = await doorward(argv, { DEVICE_PASSWORD, OBSERVER_PASSWORD });
    expect(code).toBe(1);
    expect(out).not.toContain('READY');
    expect(err).toContain(`127.0.0.1:${port}`);
    expect(err).toContain('A port is taken');
    expect(err).toContain('Stop what uses it');
    expect((await doorward(['audit', 'verify', '--data', data])).code).toBe(0);
  });
});
