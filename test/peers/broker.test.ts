/** The same device host against the embedded broker and against a real mosquitto: what holds for one holds for both. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { nativeDriver } from '../../devices/native/index.ts';
import { type Broker, GATEWAY_USER, startBroker } from '../../gateway/broker/index.ts';
import { type Bus, connectBus } from '../../gateway/bus/index.ts';
import type { Command } from '../../gateway/core/effects.ts';
import type { Fact } from '../../gateway/core/facts.ts';
import { createDeviceHost, type DeviceHost } from '../../gateway/devicehost/index.ts';
import { systemClock } from '../../gateway/loop/clock.ts';
import { type Mosquitto, startMosquitto } from '../support/mosquitto.ts';
import { TestClient, testLog } from '../support/mqttclients.ts';
import { type Cable, startCable } from '../support/tcpproxy.ts';

const SITE = 'clinic';
const DEVICES = ['lock-1', 'reader-1', 'room-1'].map((id) => ({ id, password: `pw-${id}` }));
const USERS = [
  { name: 'observer', password: 'see', read: ['_room/#'] },
  { name: 'auditor', password: 'all', read: ['#'] },
];
const OWN = `doorward/1/${SITE}/lock-1`;

/** One broker of either kind, with a gateway's link to it that can be cut, mended and made silent. */
interface Peer {
  readonly port: number;
  readonly broker?: Broker;
  bus(): Promise<Bus>;
  cut(): void;
  mend(): void;
  hold(): void;
  stop(): Promise<void>;
}

async function embedded(): Promise<Peer> {
  const options = { host: '127.0.0.1', port: 0, site: SITE, devices: DEVICES, users: USERS, gatewaySecret: 'inside' };
  const broker = await startBroker(options, testLog());
  let broken = false;
  let held = false;
  let current: Duplex | undefined;
  const stream = (): Duplex => {
    const inside = broker.connectGateway();
    const write = inside.write.bind(inside);
    // The in-process link has no cable; its place is taken by this hand on the stream.
    inside.write = ((chunk: unknown, ...rest: []) => held || write(chunk, ...rest)) as typeof inside.write;
    if (broken) inside.destroy();
    current = inside;
    return inside;
  };
  return {
    port: broker.port,
    broker,
    bus: () => connectBus({ kind: 'embedded', stream, username: GATEWAY_USER, password: 'inside' }, 'gw', testLog()),
    cut: () => {
      broken = true;
      held = false;
      current?.destroy();
    },
    mend: () => {
      broken = false;
    },
    hold: () => {
      held = true;
    },
    stop: () => broker.close(),
  };
}

async function mosquitto(): Promise<Peer> {
  const gateway = { username: 'doorward', password: 'outside' };
  const server: Mosquitto = await startMosquitto({ site: SITE, devices: DEVICES, users: USERS, gateway });
  const cable: Cable = await startCable(server.port);
  return {
    port: server.port,
    bus: () => connectBus({ kind: 'external', url: `mqtt://127.0.0.1:${cable.port}`, ...gateway }, 'gw', testLog()),
    cut: cable.cut,
    mend: cable.mend,
    hold: cable.hold,
    stop: async () => {
      await cable.close();
      await server.stop();
    },
  };
}

describe.each([
  ['the embedded broker', embedded],
  ['mosquitto', mosquitto],
] as const)('on %s', (name, start) => {
  let peer: Peer;
  const ended: (() => Promise<unknown> | unknown)[] = [];
  beforeAll(async () => {
    peer = await start();
  });
  afterAll(() => peer.stop());
  afterEach(async () => {
    peer.mend();
    for (const end of ended.splice(0).reverse()) await end();
  });

  async function client(id: string, password = `pw-${id}`): Promise<TestClient> {
    const made = await TestClient.connect(peer.port, id, password);
    ended.push(() => made.end());
    return made;
  }
  async function gateway(): Promise<{ bus: Bus; host: DeviceHost; facts: Fact[] }> {
    const bus = await peer.bus();
    ended.push(() => bus.close());
    const facts: Fact[] = [];
    const host = createDeviceHost({
      site: SITE,
      devices: DEVICES.map(({ id }) => ({ id, driver: 'native', config: {} })),
      registry: [nativeDriver],
      bus,
      links: peer.broker,
      hash: (canonical) => `#${canonical}`,
      clock: systemClock,
      emit: (fact) => facts.push(fact) > 0,
      log: testLog(),
    });
    await host.start();
    ended.push(() => host.stop());
    return { bus, host, facts };
  }
  const unlock = (id: string): Command => ({
    id,
    point: 'lock-1/lock',
    issuedAtMs: Date.now(),
    ttlMs: 5_000,
    do: { op: 'unlock', holdMs: 5_000 },
  });
  const outcomes = (facts: readonly Fact[]) => facts.filter((fact) => fact.kind === 'command_outcome');
  const badge = (id: string) => ({
    id,
    at: new Date().toISOString(),
    type: 'credential',
    format: 'uid',
    value: '04A224B2C15E80',
  });

  test('a badge becomes a fact', async () => {
    const { facts } = await gateway();
    const reader = await client('reader-1');
    await reader.publish(`doorward/1/${SITE}/reader-1/status`, { status: 'online', boot: 'b1' }, { retain: true });
    await reader.publish(`doorward/1/${SITE}/reader-1/event/reader`, badge('e1'));
    await vi.waitFor(() => expect(facts.length).toBe(2));
    expect(facts).toMatchObject([
      { kind: 'device', device: 'reader-1', online: true },
      { kind: 'credential', point: 'reader-1/reader', last4: '5E80' },
    ]);
  });

  test('a command reaches its device, not retained, with id and expiry, and is confirmed by the device’s state', async () => {
    const { host, facts } = await gateway();
    const lock = await client('lock-1');
    await lock.subscribe(`${OWN}/command/#`);
    host.perform(unlock('c1'));
    await vi.waitFor(() => expect(lock.received.length).toBe(1));
    expect(lock.received[0]).toMatchObject({ topic: `${OWN}/command/lock`, retain: false, qos: 1 });
    const sent = JSON.parse(lock.received[0]?.payload ?? '');
    expect(Date.parse(sent.expiresAt) - Date.parse(sent.issuedAt)).toBe(5_000);
    expect(sent).toMatchObject({ id: 'c1', op: 'unlock', holdMs: 5_000, ttlMs: 5_000 });
    await lock.publish(`${OWN}/state/lock`, { value: 'unlocked', command: 'c1' }, { retain: true });
    await vi.waitFor(() => expect(outcomes(facts)).toMatchObject([{ command: 'c1', outcome: 'confirmed' }]));
  });

  test('200 of 200 arrive in order at a wildcard subscriber, retained and not, alternating', async () => {
    const auditor = await client('auditor', 'all');
    await auditor.subscribe(`doorward/1/${SITE}/room-1/#`);
    const room = await client('room-1');
    const sent = [...Array(200).keys()].map((n) =>
      room.publish(`doorward/1/${SITE}/room-1/state/co2`, String(n), { retain: n % 2 === 0 }),
    );
    await Promise.all(sent);
    await vi.waitFor(() => expect(auditor.received.length).toBe(200));
    expect(auditor.received.map((message) => Number(message.payload))).toEqual([...Array(200).keys()]);
    await room.publish(`doorward/1/${SITE}/room-1/state/co2`, '', { retain: true });
  });

  test('when the link is cut, commands fail at once and nothing of them is delivered later', async () => {
    const { bus, host, facts } = await gateway();
    const lock = await client('lock-1');
    await lock.subscribe(`${OWN}/command/#`);
    host.perform(unlock('before'));
    await vi.waitFor(() => expect(lock.received.length).toBe(1));
    peer.hold();
    host.perform(unlock('under-way'));
    expect(bus.connected).toBe(true);
    peer.cut();
    await vi.waitFor(() => expect(bus.connected).toBe(false));
    host.perform(unlock('while-down'));
    expect(outcomes(facts)).toMatchObject([
      { command: 'while-down', outcome: 'failed', why: 'The MQTT link is down.' },
    ]);
    peer.mend();
    await vi.waitFor(() => expect(bus.connected).toBe(true), 5_000);
    host.perform(unlock('after'));
    await vi.waitFor(() => expect(lock.received.length).toBe(2));
    expect(lock.received.map((message) => JSON.parse(message.payload).id)).toEqual(['before', 'after']);
    const reader = await client('reader-1');
    await reader.publish(`doorward/1/${SITE}/reader-1/event/reader`, badge('e-after'));
    await vi.waitFor(() => expect(facts.some((fact) => fact.kind === 'credential')).toBe(true));
  });

  test('a device can neither write nor read what is not its own', async () => {
    const auditor = await client('auditor', 'all');
    await auditor.subscribe(`doorward/1/${SITE}/#`);
    const lock = await client('lock-1');
    await lock.subscribe(`${OWN}/command/#`);
    for (const topic of [
      `${OWN}/command/lock`,
      `doorward/1/${SITE}/reader-1/event/reader`,
      `doorward/1/${SITE}/_room/x`,
    ]) {
      const forger = await client('reader-1').then((reader) =>
        topic.includes('reader-1') ? client('lock-1') : reader,
      );
      forger.client.publish(topic, 'forged', { qos: 1 }, () => {});
      // aedes cuts the forger, mosquitto acknowledges and drops: either way a proper message after it arrives alone.
      await Promise.race([forger.closed, forger.publish(`doorward/1/${SITE}/reader-1/ack/x`, 'after').catch(() => {})]);
      await forger.end();
    }
    const spy = await client('room-1');
    for (const filter of ['#', `doorward/1/${SITE}/#`, `${OWN}/command/#`, `${OWN}/state/#`])
      await spy.subscribe(filter);
    const { host } = await gateway();
    const own = await client('lock-1');
    await own.subscribe(`${OWN}/command/#`);
    host.perform(unlock('c1'));
    await vi.waitFor(() => expect(own.received.length).toBe(1));
    await vi.waitFor(() => expect(auditor.received.some((message) => message.payload.includes('c1'))).toBe(true));
    expect(spy.received).toEqual([]);
    expect(auditor.received.some((message) => message.payload === 'forged')).toBe(false);
  });

  test('an oversized packet cuts its sender and disturbs nobody', async () => {
    const { facts } = await gateway();
    const lock = await client('lock-1');
    lock.client.publish(`${OWN}/state/lock`, Buffer.alloc(20_000, 'x'), { qos: 1 }, () => {});
    await lock.closed;
    const room = await client('room-1');
    await room.publish(`doorward/1/${SITE}/room-1/state/people`, { value: 2 });
    await vi.waitFor(() => expect(facts.some((fact) => fact.kind === 'reading' && fact.value === 2)).toBe(true));
  });

  test('a device that floods does not hold others up', async () => {
    const { facts } = await gateway();
    const flooder = await client('room-1');
    for (let n = 0; n < 10_000; n += 1) {
      flooder.client.publish(`doorward/1/${SITE}/room-1/state/people`, JSON.stringify({ value: n % 9 }), { qos: 0 });
    }
    const reader = await client('reader-1');
    const startMs = performance.now();
    await reader.publish(`doorward/1/${SITE}/reader-1/event/reader`, badge('e-flood'));
    await vi.waitFor(() => expect(facts.some((fact) => fact.kind === 'credential')).toBe(true), 5_000);
    expect(performance.now() - startMs).toBeLessThan(2_000);
    if (peer.broker !== undefined) {
      await vi.waitFor(() => {
        const flood = facts.find((fact) => fact.kind === 'device_fault' && fact.fault === 'flood');
        expect(flood).toMatchObject({ device: 'room-1' });
      });
    }
  });

  test('a wrong log-in is refused', async () => {
    await expect(client('lock-1', 'wrong')).rejects.toThrow(/[Nn]ot authorized|user ?name or password/);
    await expect(client('nobody', 'wrong')).rejects.toThrow();
    if (peer.broker !== undefined) {
      expect(
        peer.broker
          .refusedLogins()
          .slice(0, 2)
          .map((login) => login.reason),
      ).toEqual(['unknown_user', 'wrong_password']);
    }
  });

  test('a retained unlock is refused or deleted before it opens a door', async () => {
    const careless = await peer.bus();
    careless.publish(`${OWN}/command/lock`, '{"id":"replayed","op":"unlock"}', { retain: true });
    if (name === 'mosquitto') {
      // mosquitto keeps it: whoever connects now would get it.
      const probe = await client('auditor', 'all');
      await vi.waitFor(async () => {
        await probe.subscribe(`${OWN}/command/#`);
        expect(probe.received.some((message) => message.retain)).toBe(true);
      });
      await probe.end();
    } else await vi.waitFor(() => expect(careless.connected).toBe(false));
    await careless.close();
    const { host } = await gateway();
    const lock = await client('lock-1');
    await lock.subscribe(`${OWN}/command/#`);
    host.perform(unlock('c-now'));
    await vi.waitFor(() => expect(lock.received.length).toBe(1));
    expect(JSON.parse(lock.received[0]?.payload ?? '')).toMatchObject({ id: 'c-now' });
  });

  test('a stalled subscriber holds nobody up', async () => {
    const stalled = await client('auditor', 'all');
    await stalled.subscribe(`doorward/1/${SITE}/#`);
    (stalled.client.stream as Socket).pause();
    const { bus } = await gateway();
    const lock = await client('lock-1');
    await lock.subscribe(`${OWN}/command/#`);
    const payload = 'x'.repeat(12_000);
    for (let n = 0; n < 400; n += 1) {
      bus.publish(`${OWN}/command/relay`, payload);
      // Each while the other still reads nothing.
      await vi.waitFor(() => expect(lock.received.length).toBe(n + 1), { interval: 1, timeout: 5_000 });
    }
  });

  test('a device that loses its power is off line at once by its will', async () => {
    const { facts } = await gateway();
    const will = {
      topic: `${OWN}/status`,
      payload: Buffer.from('{"status":"lost","boot":"b1"}'),
      qos: 1 as const,
      retain: true,
    };
    // Of the lock alone: what others sent in the test before may still be on its way.
    const told = () => facts.findLast((fact) => fact.kind === 'device' && fact.device === 'lock-1');
    const lock = await TestClient.connect(peer.port, 'lock-1', 'pw-lock-1', { will });
    await lock.publish(`${OWN}/status`, { status: 'online', boot: 'b1' }, { retain: true });
    await vi.waitFor(() => expect(told()).toMatchObject({ online: true }), 8_000);
    lock.cut();
    await vi.waitFor(() => expect(told()).toMatchObject({ online: false }), 8_000);
  });
});
