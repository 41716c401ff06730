import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DeviceOptions, VirtualDevice } from '../../devices/simulator/device.ts';
import { VirtualLock } from '../../devices/simulator/lock.ts';
import { VirtualDimmer, VirtualRelay } from '../../devices/simulator/outputs.ts';
import { seeded } from '../../devices/simulator/random.ts';
import { eventually, HandClock, startBroker, type TestBroker } from './simulatorSupport.ts';

let broker: TestBroker;
let clock: HandClock;
const stops: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  broker = await startBroker();
  clock = new HandClock();
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await broker.close();
  expect(clock.armed, 'timers left behind').toBe(0);
});

const ROOT = 'doorward/1/test/lock-1';

function makeDevice(extra: Partial<DeviceOptions> = {}): VirtualDevice {
  const capabilities = ['lock', 'door', 'reader', 'relay', 'dimmer'];
  const device = new VirtualDevice({ site: 'test', id: 'lock-1', url: broker.url, capabilities, clock, ...extra });
  stops.push(() => device.stop());
  return device;
}

async function online(device: VirtualDevice): Promise<VirtualDevice> {
  device.start();
  await eventually(() => expect(device.online).toBe(true));
  return device;
}

function makeLock(device: VirtualDevice, jamProbability = 0): VirtualLock {
  const lock = new VirtualLock(device, 'lock', { clock, random: seeded(1), travelMs: [500, 500], jamProbability });
  stops.push(() => lock.stop());
  return lock;
}

let count = 0;
function order(device: VirtualDevice, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: `c${++count}`,
    op: 'unlock',
    issuedAt: new Date(clock.wallMs()).toISOString(),
    expiresAt: new Date(clock.wallMs() + 5000).toISOString(),
    ttlMs: 5000,
    boot: device.boot,
    holdMs: 3000,
    ...fields,
  };
}
const send = (body: unknown, capability = 'lock', retain = false) =>
  broker.publish(`${ROOT}/command/${capability}`, body, retain);

describe('the lock', () => {
  it('stays open longer when a second command comes while it is open', async () => {
    const device = makeDevice();
    const lock = makeLock(device);
    await online(device);
    await send(order(device));
    await broker.hears('ack/lock');
    clock.advance(500);
    clock.advance(2000);
    const second = order(device);
    await send(second);
    await broker.hears('ack/lock', (body) => body.id === second.id && body.result === 'done');
    clock.advance(2999);
    expect(lock.bolt).toBe('unlocked');
    clock.advance(1);
    expect(lock.bolt).toBe('locking');
  });

  it('turns round when it is told to while it moves, and says that the first command failed', async () => {
    const device = makeDevice();
    const lock = makeLock(device);
    await online(device);
    const first = order(device);
    await send(first);
    await broker.hears('ack/lock');
    clock.advance(200);
    const second = order(device, { op: 'lock' });
    await send(second);
    await broker.hears('ack/lock', (body) => body.id === first.id && body.result === 'failed');
    clock.advance(500);
    await broker.hears('ack/lock', (body) => body.id === second.id && body.result === 'done');
    expect(lock.bolt).toBe('locked');
  });

  it('jams on order, says so, and works again at the next try', async () => {
    const device = makeDevice();
    const lock = makeLock(device);
    await online(device);
    lock.jamNext();
    const command = order(device);
    await send(command);
    await broker.hears('ack/lock');
    clock.advance(500);
    const { body } = await broker.hears('ack/lock', (ack) => ack.result === 'failed');
    expect(body).toMatchObject({ id: command.id, why: 'the bolt is jammed' });
    await broker.hears('state/lock', (state) => state.value === 'jammed');
    await send(order(device));
    await eventually(() => expect(lock.bolt).toBe('unlocking'));
    clock.advance(500);
    expect(lock.bolt).toBe('unlocked');
  });

  it('jams by chance', async () => {
    const device = makeDevice();
    const lock = makeLock(device, 1);
    await online(device);
    await send(order(device));
    await eventually(() => expect(lock.bolt).toBe('unlocking'));
    clock.advance(500);
    expect(lock.bolt).toBe('jammed');
  });
});

describe('outputs', () => {
  it('a relay switches, and back after forMs', async () => {
    const device = makeDevice();
    const relay = new VirtualRelay(device, 'relay', clock);
    await online(device);
    const command = order(device, { op: 'set', value: 'on', forMs: 2000 });
    await send(command, 'relay');
    await broker.hears('ack/relay', (body) => body.result === 'done');
    expect((await broker.hears('state/relay', (body) => body.value === 'on')).body.command).toBe(command.id);
    expect(relay.on).toBe(true);
    clock.advance(2000);
    expect(relay.on).toBe(false);
    await send(order(device, { op: 'set', value: 50 }), 'relay');
    await broker.hears('ack/relay', (body) => body.result === 'failed');
  });

  it('a dimmer fades to its level', async () => {
    const device = makeDevice();
    const dimmer = new VirtualDimmer(device, 'dimmer', clock);
    await online(device);
    await send(order(device, { op: 'set', value: 80, fadeMs: 4000 }), 'dimmer');
    await broker.hears('ack/dimmer', (body) => body.result === 'done');
    clock.advance(2000);
    expect(dimmer.level).toBe(40);
    clock.advance(2000);
    expect(dimmer.level).toBe(80);
    await send(order(device, { op: 'set', value: 101 }), 'dimmer');
    await broker.hears('ack/dimmer', (body) => body.result === 'failed');
    expect(dimmer.level).toBe(80);
  });
});
