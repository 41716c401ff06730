import { connect as connectTcp, type Socket } from 'node:net';
import mqttPacket from 'mqtt-packet';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Broker, type BrokerLimits, GATEWAY_USER, type Misuse, startBroker } from '../../gateway/broker/index.ts';
import { type Bus, connectBus } from '../../gateway/bus/index.ts';
import { TestClient, testLog } from '../support/mqttclients.ts';

const SITE = 'clinic';
const OWN = `doorward/1/${SITE}/lock-1`;
const ended: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function broker(limits?: Partial<BrokerLimits>): Promise<Broker> {
  const made = await startBroker(
    {
      host: '127.0.0.1',
      port: 0,
      site: SITE,
      devices: ['lock-1', 'reader-1'].map((id) => ({ id, password: `pw-${id}` })),
      users: [
        { name: 'observer', password: 'see', read: ['_room/#'] },
        { name: 'auditor', password: 'all', read: ['#'] },
      ],
      gatewaySecret: 'inside',
      limits,
    },
    testLog(),
  );
  ended.push(() => made.close());
  return made;
}

async function device(at: Broker, id: string, options = {}): Promise<TestClient> {
  const client = await TestClient.connect(at.port, id, `pw-${id}`, options);
  ended.push(() => client.end());
  return client;
}

async function gateway(at: Broker): Promise<Bus> {
  const bus = await connectBus(
    { kind: 'embedded', stream: () => at.connectGateway(), username: GATEWAY_USER, password: 'inside' },
    GATEWAY_USER,
    testLog(),
  );
  ended.push(() => bus.close());
  return bus;
}

function rawSocket(at: Broker): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connectTcp(at.port, '127.0.0.1', () => resolve(socket));
    socket.on('error', () => {});
    ended.push(() => socket.destroy());
  });
}

describe('delivery', () => {
  for (const qos of [0, 1] as const) {
    test(`200 of 200 arrive in order at a wildcard subscriber, retained and not, alternating, QoS ${qos}`, async () => {
      const at = await broker();
      const auditor = await TestClient.connect(at.port, 'auditor', 'all');
      ended.push(() => auditor.end());
      await auditor.subscribe('doorward/1/clinic/#', qos);
      const lock = await device(at, 'lock-1');
      const sent: Promise<void>[] = [];
      for (let n = 0; n < 200; n += 1) {
        sent.push(lock.publish(`${OWN}/state/lock`, String(n), { qos, retain: n % 2 === 0 }));
      }
      await Promise.all(sent);
      await vi.waitFor(() => expect(auditor.received.length).toBe(200));
      expect(auditor.received.map((message) => Number(message.payload))).toEqual([...Array(200).keys()]);
    });
  }

  test('a device’s states and events keep their order on the way to the gateway', async () => {
    const at = await broker();
    const bus = await gateway(at);
    const seen: string[] = [];
    await bus.subscribe('doorward/1/clinic/+/state/#', (message) => seen.push(Buffer.from(message.payload).toString()));
    await bus.subscribe('doorward/1/clinic/+/event/#', (message) => seen.push(Buffer.from(message.payload).toString()));
    const lock = await device(at, 'lock-1');
    await Promise.all(
      [...Array(300).keys()].map((n) =>
        n % 3 === 0
          ? lock.publish(`${OWN}/event/exit`, String(n))
          : lock.publish(`${OWN}/state/door`, String(n), { retain: n % 3 === 1 }),
      ),
    );
    await vi.waitFor(() => expect(seen.length).toBe(300));
    expect(seen.map(Number)).toEqual([...Array(300).keys()]);
  });

  test('what is retained reaches who connects later, a cleared topic does not', async () => {
    const at = await broker();
    const lock = await device(at, 'lock-1');
    await lock.publish(`${OWN}/desc`, '{"v":1}', { retain: true });
    await lock.publish(`${OWN}/state/door`, 'open', { retain: true });
    await lock.publish(`${OWN}/state/door`, '', { retain: true });
    const bus = await gateway(at);
    const seen: { topic: string; retain: boolean }[] = [];
    await bus.subscribe('doorward/1/clinic/+/state/#', ({ topic, retain }) => seen.push({ topic, retain }));
    await bus.subscribe('doorward/1/clinic/+/desc', ({ topic, retain }) => seen.push({ topic, retain }));
    await vi.waitFor(() => expect(seen).toEqual([{ topic: `${OWN}/desc`, retain: true }]));
  });

  test('no session outlives its connection: a command for a device that is away is gone', async () => {
    const at = await broker();
    const bus = await gateway(at);
    const first = await device(at, 'lock-1', { clean: false });
    await first.subscribe(`${OWN}/command/#`);
    await first.end();
    await vi.waitFor(() => expect(at.connections).toBe(1));
    expect(bus.publish(`${OWN}/command/lock`, 'late')).toBe(true);
    const again = await device(at, 'lock-1', { clean: false });
    await again.subscribe(`${OWN}/command/#`);
    bus.publish(`${OWN}/command/lock`, 'fresh');
    await vi.waitFor(() => expect(again.received.map((message) => message.payload)).toEqual(['fresh']));
  });
});

describe('log-in', () => {
  test('each refusal has its reason and is remembered, newest first', async () => {
    const at = await broker();
    const cases = [
      ['lock-1', { password: 'wrong' }, 'wrong_password'],
      ['nobody', {}, 'unknown_user'],
      ['reader-1', { username: 'lock-1', password: 'pw-lock-1' }, 'wrong_client_id'],
      ['x'.repeat(41), { username: 'lock-1', password: 'pw-lock-1' }, 'client_id_too_long'],
      [GATEWAY_USER, { password: 'inside' }, 'gateway_only_inside'],
      [
        'lock-1',
        { password: 'pw-lock-1', will: { topic: `doorward/1/${SITE}/lock-1/command/lock`, payload: Buffer.from('x') } },
        'will_not_allowed',
      ],
    ] as const;
    for (const [id, options] of cases) await expect(TestClient.connect(at.port, id, 'any', options)).rejects.toThrow();
    const socket = await rawSocket(at);
    socket.write(
      mqttPacket.generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId: '',
        keepalive: 0,
        username: 'lock-1',
        password: Buffer.from('pw-lock-1'),
      }),
    );
    await new Promise((resolve) => socket.once('close', resolve));
    const reasons = at.refusedLogins().map((login) => login.reason);
    expect(reasons).toEqual(['empty_client_id', ...cases.map((one) => one[2]).reverse()]);
    expect(at.refusedLogins()[1]).toMatchObject({ clientId: 'lock-1', username: 'lock-1', address: '127.0.0.1' });
    expect(JSON.stringify(at.refusedLogins())).not.toContain('pw-');
  });

  test('the last fifty are kept', async () => {
    const at = await broker();
    for (let n = 0; n < 55; n += 1) await TestClient.connect(at.port, `n-${n}`, 'x').catch(() => {});
    expect(at.refusedLogins().length).toBe(50);
    expect(at.refusedLogins()[0]?.clientId).toBe('n-54');
  });

  test('a user’s client cannot push a device out by taking its client id', async () => {
    const at = await broker();
    const lock = await device(at, 'lock-1');
    const user = await TestClient.connect(at.port, 'observer', 'see', { clientId: 'lock-1' });
    ended.push(() => user.end());
    await user.subscribe('doorward/1/clinic/_room/#');
    expect(lock.client.connected).toBe(true);
  });

  test('the gateway hears at once when a device comes and goes', async () => {
    const at = await broker();
    const links: [string, boolean][] = [];
    at.onDeviceLink((id, up) => links.push([id, up]));
    const lock = await device(at, 'lock-1');
    lock.cut();
    await vi.waitFor(() =>
      expect(links).toEqual([
        ['lock-1', true],
        ['lock-1', false],
      ]),
    );
  });

  test('a taken port is a fault that says so', async () => {
    const at = await broker();
    const options = { host: '127.0.0.1', port: at.port, site: SITE, devices: [], users: [], gatewaySecret: 's' };
    await expect(startBroker(options, testLog())).rejects.toMatchObject({ code: 'port_taken' });
  });
});

describe('access list', () => {
  test('a device writes its own branches and nothing else', async () => {
    const at = await broker();
    const auditor = await TestClient.connect(at.port, 'auditor', 'all');
    ended.push(() => auditor.end());
    await auditor.subscribe('doorward/1/clinic/#');
    for (const topic of ['desc', 'status', 'state/lock', 'event/reader', 'ack/lock']) {
      const lock = await device(at, 'lock-1');
      await lock.publish(`${OWN}/${topic}`, topic);
      await vi.waitFor(() => expect(auditor.received.at(-1)?.payload).toBe(topic));
      await lock.end();
    }
    const before = auditor.received.length;
    for (const topic of [
      `${OWN}/command/lock`,
      `${OWN}/state`,
      `${OWN}/other/lock`,
      'doorward/1/clinic/reader-1/event/reader',
      'doorward/1/clinic/_room/consult-1',
      'doorward/1/other/lock-1/state/lock',
      'zigbee2mqtt/lock/set',
      '$SYS/x',
    ]) {
      const lock = await device(at, 'lock-1');
      lock.client.publish(topic, 'forged', { qos: 1 });
      await lock.closed;
    }
    expect(auditor.received.length).toBe(before);
  });

  test('a device reads its own commands and nothing else', async () => {
    const at = await broker();
    const lock = await device(at, 'lock-1');
    expect(await lock.subscribe(`${OWN}/command/#`)).toBe(1);
    expect(await lock.subscribe(`${OWN}/command/lock`)).toBe(1);
    for (const filter of [
      '#',
      '+/#',
      `${OWN}/#`,
      `${OWN}/+/lock`,
      'doorward/1/clinic/+/command/#',
      'doorward/1/clinic/reader-1/command/#',
    ]) {
      expect(await lock.subscribe(filter), filter).toBe(128);
    }
  });

  test('a user reads its filters below the site and writes nothing', async () => {
    const at = await broker();
    const observer = await TestClient.connect(at.port, 'observer', 'see');
    expect(await observer.subscribe('doorward/1/clinic/_room/+')).toBe(1);
    for (const filter of ['#', 'doorward/1/clinic/#', 'doorward/1/clinic/lock-1/state/lock']) {
      expect(await observer.subscribe(filter), filter).toBe(128);
    }
    observer.client.publish('doorward/1/clinic/_room/consult-1', 'forged', { qos: 1 });
    await observer.closed;
  });

  test('a retained command is refused on every command topic, also from the gateway; clearing is allowed', async () => {
    const at = await broker();
    const bus = await gateway(at);
    bus.publish(`${OWN}/command/lock`, '', { retain: true });
    const lock = await device(at, 'lock-1');
    await lock.subscribe(`${OWN}/command/#`);
    bus.publish(`${OWN}/command/lock`, 'now');
    await vi.waitFor(() => expect(lock.received.map((message) => message.payload)).toEqual(['now']));
    for (const topic of [
      `${OWN}/command/lock`,
      'zigbee2mqtt/lock/set',
      'cmnd/lock/POWER',
      'shelly/rpc',
      'node/lock/x/command',
    ]) {
      const down = new Promise<void>((resolve) => bus.onLink((up) => !up && resolve()));
      const up = new Promise<void>((resolve) => bus.onLink((now) => now && resolve()));
      expect(bus.publish(topic, 'unlock', { retain: true })).toBe(true);
      await down;
      await up;
    }
    const later = await device(at, 'lock-1');
    await later.subscribe(`${OWN}/command/#`);
    bus.publish(`${OWN}/command/lock`, 'last');
    await vi.waitFor(() => expect(later.received.map((message) => message.payload)).toEqual(['last']));
  });

  test('an event sent retained is not kept, and the gateway is told that it was retained', async () => {
    const at = await broker();
    const bus = await gateway(at);
    const seen: boolean[] = [];
    await bus.subscribe('doorward/1/clinic/+/event/#', (message) => seen.push(message.retain));
    const lock = await device(at, 'lock-1');
    await lock.publish(`${OWN}/event/exit`, 'x', { retain: true });
    await lock.publish(`${OWN}/event/exit`, 'y');
    await vi.waitFor(() => expect(seen).toEqual([true, false]));
    const auditor = await TestClient.connect(at.port, 'auditor', 'all');
    ended.push(() => auditor.end());
    await auditor.subscribe('doorward/1/clinic/#');
    await lock.publish(`${OWN}/event/exit`, 'z');
    await vi.waitFor(() => expect(auditor.received.map((message) => message.payload)).toEqual(['z']));
  });

  test('a will is sent when its device is lost', async () => {
    const at = await broker();
    const bus = await gateway(at);
    const seen: string[] = [];
    await bus.subscribe('doorward/1/clinic/+/status', (message) => seen.push(Buffer.from(message.payload).toString()));
    const will = { topic: `${OWN}/status`, payload: Buffer.from('lost'), qos: 1 as const, retain: true };
    const lock = await device(at, 'lock-1', { will });
    lock.cut();
    await vi.waitFor(() => expect(seen).toEqual(['lost']));
  });
});

describe('limits', () => {
  test('a packet over 16 KiB cuts the connection at its header, one of 16 KiB passes', async () => {
    const at = await broker();
    const told: [string, Misuse][] = [];
    at.onMisuse((...one) => told.push(one));
    const auditor = await TestClient.connect(at.port, 'auditor', 'all');
    ended.push(() => auditor.end());
    await auditor.subscribe('doorward/1/clinic/#');
    const fits = await device(at, 'lock-1');
    const room = 16 * 1024 - Buffer.byteLength(`${OWN}/state/lock`) - 4;
    await fits.publish(`${OWN}/state/lock`, Buffer.alloc(room, 'x'));
    await vi.waitFor(() => expect(auditor.received.length).toBe(1));
    fits.client.publish(`${OWN}/state/lock`, Buffer.alloc(room + 1, 'x'), { qos: 1 });
    await fits.closed;
    expect(told).toEqual([['lock-1', { kind: 'too_large', bytes: expect.any(Number), limitBytes: 16 * 1024 }]]);
    const socket = await rawSocket(at);
    // A CONNECT that announces 200 MiB and sends ten bytes of it.
    socket.write(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x64, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0]));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(auditor.received.length).toBe(1);
  });

  test('too many topic levels cut the connection', async () => {
    const at = await broker();
    const lock = await device(at, 'lock-1');
    lock.client.publish(`${OWN}/state/a/b/c/d`, 'x', { qos: 1 });
    await lock.closed;
  });

  test('garbage and silence before the log-in end the connection', async () => {
    const at = await broker({ connectTimeoutMs: 50 });
    const garbage = await rawSocket(at);
    garbage.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => garbage.once('close', resolve));
    const silent = await rawSocket(at);
    await new Promise((resolve) => silent.once('close', resolve));
  });

  test('a flooding device is slowed and reported once, and others are not disturbed', async () => {
    const at = await broker({ packetsPerS: 200, burstPackets: 100 });
    const floods: string[] = [];
    at.onMisuse((id, { kind }) => floods.push(`${id} ${kind}`));
    const bus = await gateway(at);
    const seen = new Map<string, number>();
    await bus.subscribe('doorward/1/clinic/+/state/#', (message) => {
      const id = message.topic.split('/')[3] ?? '';
      seen.set(id, (seen.get(id) ?? 0) + 1);
    });
    const flooder = await device(at, 'lock-1');
    for (let n = 0; n < 20_000; n += 1) flooder.client.publish(`${OWN}/state/lock`, `${n}`, { qos: 0 });
    await vi.waitFor(() => expect(floods).toEqual(['lock-1 flood']));
    const quiet = await device(at, 'reader-1');
    await quiet.publish('doorward/1/clinic/reader-1/state/battery', '1');
    await vi.waitFor(() => expect(seen.get('reader-1')).toBe(1));
    // Heard while the flood still waits.
    expect(seen.get('lock-1') ?? 0).toBeLessThan(19_000);
  });

  test('a subscriber that reads nothing is dropped and holds nobody up', async () => {
    const at = await broker({ backlogBytes: 256 * 1024 });
    const stalled = await TestClient.connect(at.port, 'auditor', 'all');
    await stalled.subscribe('doorward/1/clinic/#');
    (stalled.client.stream as Socket).pause();
    const bus = await gateway(at);
    const reader = await device(at, 'reader-1');
    await reader.subscribe('doorward/1/clinic/reader-1/command/#');
    const payload = 'x'.repeat(12 * 1024);
    for (let n = 0; at.connections > 2 && n < 2_000; n += 1) {
      bus.publish('doorward/1/clinic/reader-1/command/reader', payload);
      // Each while the other still reads nothing.
      await vi.waitFor(() => expect(reader.received.length).toBe(n + 1), { interval: 1, timeout: 5_000 });
    }
    expect(at.connections).toBe(2);
    await stalled.end();
  });

  test('connections beyond the limit are not taken', async () => {
    const at = await broker({ connections: 1 });
    await device(at, 'lock-1');
    await expect(TestClient.connect(at.port, 'reader-1', 'pw-reader-1')).rejects.toThrow();
  });
});
