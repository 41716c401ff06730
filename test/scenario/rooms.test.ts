/** Rooms over real MQTT under a moved clock: warm for who booked, cool for nobody, lit for who is there. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openStream } from '../support/api-stream.ts';
import { Clinic, EIGHT, OBSERVER_PASSWORD } from '../support/clinic.ts';
import { TestClient } from '../support/mqttclients.ts';
import type { NativeDevice } from '../support/nativedevice.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
/** A moved hour takes seconds of a busy machine. */
const LONG = 90_000;
const ROOM_1 = ['presence', 'temperature', 'co2', 'relay', 'relay-2', 'dimmer'];
const ROOM_2 = ['presence', 'temperature', 'relay', 'dimmer'];

/** A whole clinic each time, on a machine that may be busy. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let clinic: Clinic;
afterEach(() => clinic.close());

function room1(states: Record<string, unknown> = {}, boot = 'b1'): Promise<NativeDevice> {
  const first = { presence: false, temperature: 18, co2: 500, relay: 'off', 'relay-2': 'off', dimmer: 0 };
  return clinic.device('room-1', ROOM_1, { ...first, ...states }, boot);
}

function room2(states: Record<string, unknown> = {}, boot = 'b1'): Promise<NativeDevice> {
  return clinic.device(
    'room-2',
    ROOM_2,
    { presence: false, temperature: 18, relay: 'off', dimmer: 0, ...states },
    boot,
  );
}

/** What was ordered of an output so far, with the minute after eight of each order. */
function orders(device: NativeDevice, capability: string): [value: unknown, minute: number][] {
  return device.orders
    .filter((order) => order.capability === capability)
    .map(({ command }) => [command.value, (Date.parse(String(command.issuedAt)) - EIGHT) / MINUTE]);
}

/** Says something and waits until the room has heard it. */
async function tell(device: NativeDevice, room: string, temperature: number | null): Promise<void> {
  await device.state('temperature', temperature);
  await clinic.until(`rooms/${room}`, (answer) => answer.body.climate.temperature === temperature);
  await clinic.pass(2 * SECOND);
}

async function presence(device: NativeDevice, room: string, value: boolean, expected: string): Promise<void> {
  await device.state('presence', value);
  await clinic.until(`rooms/${room}`, (answer) => answer.body.occupancy.state === expected);
  await clinic.pass(SECOND);
}

describe('climate', () => {
  it('keeps a free room at its setback and no warmer', async () => {
    clinic = await Clinic.open();
    const device = await room1({ temperature: 15.8 });
    await clinic.pass(5 * SECOND);
    expect(orders(device, 'relay')).toEqual([]);
    await tell(device, 'consult-1', 15.7);
    expect((await clinic.api('GET', 'rooms/consult-1')).body.climate).toMatchObject({ mode: 'setback', heating: true });
    await tell(device, 'consult-1', 16.2);
    expect(orders(device, 'relay').map(([value]) => value)).toEqual(['on']);
    await tell(device, 'consult-1', 16.3);
    expect(orders(device, 'relay').map(([value]) => value)).toEqual(['on', 'off']);
    const { climate } = (await clinic.api('GET', 'rooms/consult-1')).body;
    expect(climate).toMatchObject({ mode: 'unoccupied', heatingSetpoint: 16, coolingSetpoint: 32, heating: false });
  });

  it('warms up from the lead time before a booking, and stops at once when it is cancelled', async () => {
    clinic = await Clinic.open();
    const device = await room1();
    const { booking } = await clinic.practitioner('Ada', '04AA', { startMin: 60, endMin: 120 });
    await clinic.pass(15 * MINUTE - SECOND);
    expect(orders(device, 'relay')).toEqual([]);
    await clinic.pass(SECOND);
    expect(orders(device, 'relay')).toEqual([['on', 15]]);
    expect((await clinic.api('GET', 'rooms/consult-1')).body.climate).toMatchObject({
      mode: 'warm_up',
      heatingSetpoint: 21,
      heating: true,
    });
    await clinic.api('DELETE', `bookings/${booking}`);
    // The clock stands: no tick is needed for it.
    await vi.waitFor(() => expect(orders(device, 'relay').map(([value]) => value)).toEqual(['on', 'off']));
    expect(orders(device, 'relay')[1]?.[1]).toBe(15);
  });

  it('switches on a quarter of a kelvin below the setpoint and off a quarter above', async () => {
    clinic = await Clinic.open();
    const device = await room1({ temperature: 20.8 });
    await clinic.practitioner('Ada', '04AA', { startMin: 0, endMin: 120 });
    await clinic.pass(3 * SECOND);
    expect(orders(device, 'relay')).toEqual([]);
    const seen: unknown[] = [];
    for (const temperature of [20.7, 20.9, 21.2, 21.3, 21.0, 20.8, 20.7]) {
      await tell(device, 'consult-1', temperature);
      seen.push(orders(device, 'relay').at(-1)?.[0]);
    }
    expect(seen).toEqual(['on', 'on', 'on', 'off', 'off', 'off', 'on']);
    expect(orders(device, 'relay')).toHaveLength(3);
  });

  it('never heats and cools at once: cooling waits until the heating relay reports off', async () => {
    clinic = await Clinic.open();
    const device = await room1();
    await clinic.practitioner('Ada', '04AA', { startMin: 0, endMin: 240 });
    await clinic.until('rooms/consult-1', (answer) => answer.body.climate.heating === true);
    device.obeys = false;
    await tell(device, 'consult-1', 27);
    await clinic.pass(20 * SECOND);
    expect(orders(device, 'relay').at(-1)?.[0]).toBe('off');
    expect(orders(device, 'relay-2')).toEqual([]);
    device.obeys = true;
    await device.state('relay', 'off');
    await clinic.until('rooms/consult-1', (answer) => answer.body.climate.heating === false);
    await clinic.pass(10 * SECOND);
    expect(orders(device, 'relay-2').map(([value]) => value)).toEqual(['on']);
    // And the other way round.
    await tell(device, 'consult-1', 18);
    await clinic.pass(10 * SECOND);
    const switched = device.orders.filter((order) => order.capability.startsWith('relay'));
    const on = new Set<string>();
    for (const { capability, command } of switched) {
      if (command.value === 'on') on.add(capability);
      else on.delete(capability);
      expect(on.size).toBeLessThan(2);
    }
    expect([...on]).toEqual(['relay']);
  });

  it(
    'holds the minimum on and off times of a relay',
    async () => {
      clinic = await Clinic.open();
      const device = await room2();
      await clinic.practitioner('Ada', '04AA', { startMin: 0, endMin: 600, room: 'consult-2' });
      await clinic.until('rooms/consult-2', (answer) => answer.body.climate.heating === true);
      await tell(device, 'consult-2', 23);
      await clinic.pass(14 * MINUTE + 57 * SECOND);
      expect(orders(device, 'relay').map(([value]) => value)).toEqual(['on']);
      await clinic.pass(3 * SECOND);
      expect(orders(device, 'relay').map(([value]) => value)).toEqual(['on', 'off']);
      const off = orders(device, 'relay')[1]?.[1] ?? 0;
      expect(off).toBeGreaterThanOrEqual(15);
      await tell(device, 'consult-2', 18);
      await clinic.pass(5 * MINUTE + SECOND);
      const on = orders(device, 'relay')[2];
      expect(on?.[0]).toBe('on');
      expect((on?.[1] ?? 0) - off).toBeGreaterThanOrEqual(5);
      expect((on?.[1] ?? 0) - off).toBeLessThan(5.1);
    },
    LONG,
  );

  it(
    'holds them across a restart of the gateway',
    async () => {
      clinic = await Clinic.open();
      await room2();
      await clinic.practitioner('Ada', '04AA', { startMin: 0, endMin: 600, room: 'consult-2' });
      await clinic.until('rooms/consult-2', (answer) => answer.body.climate.heating === true);
      await clinic.pass(5 * MINUTE);
      await clinic.restart();
      const again = await room2({ temperature: 23, relay: 'on' }, 'b2');
      await clinic.pass(9 * MINUTE + 55 * SECOND);
      expect(orders(again, 'relay')).toEqual([]);
      await clinic.pass(10 * SECOND);
      expect(orders(again, 'relay').map(([value]) => value)).toEqual(['off']);
      await clinic.pass(MINUTE);
      await clinic.restart();
      const third = await room2({ temperature: 17, relay: 'off' }, 'b3');
      await clinic.pass(3 * MINUTE + 40 * SECOND);
      expect(orders(third, 'relay')).toEqual([]);
      await clinic.pass(30 * SECOND);
      expect(orders(third, 'relay').map(([value]) => value)).toEqual(['on']);
    },
    LONG,
  );

  it('stops heating within a tick when the sensor says that it cannot tell', async () => {
    clinic = await Clinic.open();
    const device = await room1();
    await clinic.practitioner('Ada', '04AA', { startMin: 0, endMin: 60 });
    await clinic.until('rooms/consult-1', (answer) => answer.body.climate.heating === true);
    await device.state('temperature', null);
    await clinic.until('rooms/consult-1', (answer) => answer.body.climate.heating === false);
    expect((await clinic.api('GET', 'rooms/consult-1')).body.climate).toMatchObject({
      temperature: null,
      mode: 'sensor_fault',
    });
    expect(await clinic.alarms('consult-1')).toContain('temperature_missing');
    await tell(device, 'consult-1', 18);
    expect(await clinic.alarms('consult-1')).toEqual([]);
    expect(orders(device, 'relay').map(([value]) => value)).toEqual(['on', 'off', 'on']);
  });

  it(
    'heats at most a tenth of the time when the sensor has been silent for an hour, with an alarm',
    async () => {
      clinic = await Clinic.open();
      const device = await room1();
      await clinic.practitioner('Ada', '04AA', { startMin: 0, endMin: 600 });
      await clinic.until('rooms/consult-1', (answer) => answer.body.climate.heating === true);
      await clinic.pass(59 * MINUTE, 5 * SECOND);
      expect(await clinic.alarms('consult-1')).not.toContain('temperature_stale');
      expect(orders(device, 'relay').map(([value]) => value)).toEqual(['on']);
      await clinic.pass(MINUTE);
      expect(await clinic.alarms('consult-1')).toContain('temperature_stale');
      await clinic.pass(2 * 60 * MINUTE, 5 * SECOND);
      let onMin = 0;
      let since: number | undefined;
      for (const [value, minute] of [...orders(device, 'relay'), ['off', 180] as const]) {
        if (value === 'on') since ??= Math.max(minute, 60);
        else if (since !== undefined) {
          onMin += Math.max(0, minute - since);
          since = undefined;
        }
      }
      expect(onMin).toBeGreaterThan(0);
      expect(onMin).toBeLessThanOrEqual(12.1);
    },
    LONG,
  );

  it('heats against frost whatever else holds', async () => {
    clinic = await Clinic.open();
    const device = await room2({ temperature: 4.1 });
    await tell(device, 'consult-2', 3.9);
    expect((await clinic.api('GET', 'rooms/consult-2')).body.climate).toMatchObject({
      mode: 'freeze_protection',
      heating: true,
    });
    expect(await clinic.alarms('consult-2')).toContain('freeze');
    expect((await clinic.api('GET', 'rooms/consult-2')).body.ready).toBe(false);
    await tell(device, 'consult-2', 7.1);
    expect(await clinic.alarms('consult-2')).not.toContain('freeze');
  });

  it('orders a relay that reports otherwise again five times, then raises the alarm', async () => {
    clinic = await Clinic.open();
    const device = await room1();
    device.obeys = false;
    await clinic.practitioner('Ada', '04AA', { startMin: 0, endMin: 60 });
    await clinic.pass(49 * SECOND);
    expect(await clinic.alarms('consult-1')).not.toContain('relay_disobeys');
    await clinic.pass(5 * SECOND);
    expect(await clinic.alarms('consult-1')).toContain('relay_disobeys');
    await clinic.pass(2 * MINUTE);
    expect(orders(device, 'relay')).toHaveLength(6);
    expect(new Set(device.orders.map((order) => order.command.id)).size).toBe(device.orders.length);
    await device.state('relay', 'on');
    await clinic.until('rooms/consult-1', (answer) => answer.body.climate.heating === true);
    await clinic.pass(2 * SECOND);
    expect(await clinic.alarms('consult-1')).not.toContain('relay_disobeys');
  });
});

describe('occupancy', () => {
  it('holds presence after its last sign, from six tenths to one and four tenths of its seven minutes', async () => {
    clinic = await Clinic.open();
    const device = await room1();
    await clinic.pass(SECOND);
    expect((await clinic.api('GET', 'rooms/consult-1')).body.occupancy.state).toBe('vacant');
    await presence(device, 'consult-1', true, 'occupied');
    await device.state('presence', false);
    await clinic.pass(4 * MINUTE, 2 * SECOND);
    expect((await clinic.api('GET', 'rooms/consult-1')).body.occupancy.state).toBe('occupied');
    await clinic.pass(6 * MINUTE, 2 * SECOND);
    expect((await clinic.api('GET', 'rooms/consult-1')).body.occupancy.state).toBe('vacant');
  });

  it(
    'is unknown when its sensors are lost, and never called vacant for that',
    async () => {
      clinic = await Clinic.open();
      const device = await room1();
      await presence(device, 'consult-1', true, 'occupied');
      device.drop();
      await clinic.until('devices', (answer) =>
        answer.body.items.some((one: { id: string; online: boolean }) => one.id === 'room-1' && !one.online),
      );
      const states = new Set<string>();
      for (let minute = 0; minute < 20; minute += 1) {
        states.add((await clinic.api('GET', 'rooms/consult-1')).body.occupancy.state);
        await clinic.pass(MINUTE, 5 * SECOND);
      }
      expect([...states]).toEqual(['occupied', 'unknown']);
      expect(await clinic.alarms('room-1')).toContain('device_offline');
      const room = (await clinic.api('GET', 'rooms/consult-1')).body;
      expect(room.climate).toMatchObject({ temperature: null, heating: null });
      expect(room.lights.level).toBeNull();
    },
    LONG,
  );
});

describe('lighting', () => {
  it(
    'lights for presence, warns after vacancy, then goes dark',
    async () => {
      clinic = await Clinic.open();
      const device = await room1();
      await presence(device, 'consult-1', true, 'occupied');
      await vi.waitFor(() => expect(orders(device, 'dimmer').map(([value]) => value)).toEqual([80]));
      await device.state('presence', false);
      await clinic.pass(13 * MINUTE + 45 * SECOND);
      expect(orders(device, 'dimmer')).toHaveLength(1);
      await clinic.pass(20 * SECOND);
      expect(orders(device, 'dimmer').map(([value]) => value)).toEqual([80, 27]);
      expect((await clinic.api('GET', 'rooms/consult-1')).body.lights).toEqual({
        target: 27,
        level: 27,
        warning: true,
      });
      await clinic.pass(70 * SECOND);
      expect(orders(device, 'dimmer').map(([value]) => value)).toEqual([80, 27, 0]);
    },
    LONG,
  );

  it(
    'lights for a badge, and leaves a booked consulting room dimmed, not dark',
    async () => {
      clinic = await Clinic.open();
      const device = await room1();
      await clinic.device('lock-1', ['lock', 'door', 'exit'], { lock: 'locked', door: 'closed' });
      const reader = await clinic.device('reader-1', ['reader']);
      await clinic.practitioner('Ada', '04AA', { startMin: 0, endMin: 30 });
      await reader.badge('04AA');
      await vi.waitFor(() => expect(orders(device, 'dimmer').map(([value]) => value)).toEqual([80]));
      await clinic.pass(15 * MINUTE, 5 * SECOND);
      expect(orders(device, 'dimmer').map(([value]) => value)).toEqual([80, 27]);
      await clinic.pass(14 * MINUTE, 5 * SECOND);
      expect(orders(device, 'dimmer').map(([value]) => value)).toEqual([80, 27]);
      await clinic.pass(2 * MINUTE + 10 * SECOND);
      expect(orders(device, 'dimmer').map(([value]) => value)).toEqual([80, 27, 0]);
    },
    LONG,
  );

  it(
    'leaves the lights off when a hand switched them off, until the room was empty',
    async () => {
      clinic = await Clinic.open();
      const device = await room1();
      await presence(device, 'consult-1', true, 'occupied');
      await vi.waitFor(() => expect(orders(device, 'dimmer')).toHaveLength(1));
      await clinic.until('rooms/consult-1', (answer) => answer.body.lights.level === 80);
      await clinic.pass(2 * SECOND);
      await device.state('dimmer', 0);
      await clinic.until('rooms/consult-1', (answer) => answer.body.lights.level === 0);
      await clinic.pass(3 * MINUTE);
      expect(orders(device, 'dimmer')).toHaveLength(1);
      await device.state('presence', false);
      await clinic.pass(8 * MINUTE, 5 * SECOND);
      await clinic.until('rooms/consult-1', (answer) => answer.body.occupancy.state === 'vacant');
      await presence(device, 'consult-1', true, 'occupied');
      await vi.waitFor(() => expect(orders(device, 'dimmer').map(([value]) => value)).toEqual([80, 80]));
    },
    LONG,
  );
});

describe.each(['embedded', 'mosquitto'] as const)('a room as others see it (%s broker)', (broker) => {
  it('is told retained to who may read it, and no name with it', async () => {
    clinic = await Clinic.open({ broker });
    const device = await room1({ temperature: 21.2 });
    await clinic.practitioner('Ada Lovelace', '04AA', { startMin: 0, endMin: 60 });
    await presence(device, 'consult-1', true, 'occupied');
    await clinic.until('rooms/consult-1', (answer) => answer.body.lights.target === 80);
    await clinic.pass(2 * SECOND);
    const observer = await TestClient.connect(Number(new URL(clinic.mqttUrl).port), 'observer', OBSERVER_PASSWORD);
    expect(await observer.subscribe('doorward/1/acceptance/_room/#')).toBe(1);
    const told = await vi.waitFor(() => {
      const found = observer.received.filter((one) => one.topic.endsWith('/_room/consult-1')).at(-1);
      expect(found?.payload).toContain('"lights":80');
      return JSON.parse(found?.payload ?? '') as Record<string, unknown>;
    }, 20_000);
    expect(Object.keys(told)).toEqual(['occupancy', 'booked', 'ready', 'temperature', 'mode', 'lights', 'at']);
    expect(told).toMatchObject({
      occupancy: 'occupied',
      booked: true,
      ready: true,
      temperature: 21.2,
      mode: 'occupied',
      lights: 80,
    });
    expect(observer.received.every((one) => one.retain)).toBe(true);
    expect(observer.received.map((one) => one.payload).join()).not.toContain('Ada');
    await device.state('temperature', 17);
    await vi.waitFor(() => {
      clinic.clock.advance(SECOND);
      expect(observer.received.at(-1)?.payload).toContain('"temperature":17');
    }, 20_000);
    await observer.end();
  });

  it('warms up, lights and dims over the same topics', async () => {
    clinic = await Clinic.open({ broker });
    const device = await room1();
    await clinic.practitioner('Ada', '04AA', { startMin: 45, endMin: 90 });
    await vi.waitFor(() => expect(orders(device, 'relay')).toEqual([['on', 0]]), 20_000);
    await device.state('presence', true);
    await vi.waitFor(() => expect(orders(device, 'dimmer')).toEqual([[80, 0]]), 20_000);
    await clinic.until('rooms/consult-1', (answer) => answer.body.climate.heating && answer.body.lights.level === 80);
    expect(device.orders.every((order) => !order.retain && order.command.ttlMs === 5_000)).toBe(true);
  });

  it('has the shape that the API promises, and its change is streamed', async () => {
    clinic = await Clinic.open({ broker });
    const device = await room1({ temperature: 21 });
    const { token } = (await clinic.api('POST', 'tokens', { role: 'viewer' })).body;
    const stream = await openStream(`${clinic.gateway.url}/api/v1/stream`, { authorization: `Bearer ${token}` });
    const first = await stream.next('snapshot');
    expect(JSON.stringify(first.data)).toContain('consult-1');
    await device.state('presence', true);
    await vi.waitFor(() => {
      clinic.clock.advance(SECOND);
      const changes = stream.events.filter((event) => event.event === 'change');
      expect(JSON.stringify(changes)).toContain('"occupied"');
    }, 20_000);
    const room = (await clinic.api('GET', 'rooms/consult-1')).body;
    expect(room).toMatchObject({
      id: 'consult-1',
      name: 'Consulting room 1',
      kind: 'consult',
      occupancy: { state: 'occupied', confidence: expect.any(Number), since: expect.any(String) },
      booking: { now: null, next: null },
      door: { id: 'consult-1-door' },
      climate: {
        temperature: 21,
        heatingSetpoint: 21,
        coolingSetpoint: 24,
        mode: 'occupied',
        heating: false,
        cooling: false,
      },
      lights: { target: 80 },
      ready: true,
      alarms: expect.any(Array),
      updatedAt: expect.stringMatching(/^2026-.*Z$/),
    });
    stream.close();
  });
});
