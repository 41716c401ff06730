import { describe, expect, it } from 'vitest';
import { VirtualDimmer, VirtualRelay } from '../../devices/simulator/outputs.ts';
import { LockBench } from './simulatorLockSupport.ts';
import { eventually } from './simulatorSupport.ts';

const bench = LockBench.forEachTest();

describe('the lock', () => {
  it('stays open longer when a second command comes while it is open', async () => {
    const device = bench.device();
    const lock = bench.lock(device);
    await bench.online(device);
    await bench.send(bench.order(device));
    await bench.broker.hears('ack/lock');
    bench.clock.advance(500);
    bench.clock.advance(2000);
    const second = bench.order(device);
    await bench.send(second);
    await bench.broker.hears('ack/lock', (body) => body.id === second.id && body.result === 'done');
    bench.clock.advance(2999);
    expect(lock.bolt).toBe('unlocked');
    bench.clock.advance(1);
    expect(lock.bolt).toBe('locking');
  });

  it('turns round when it is told to while it moves, and says that the first command failed', async () => {
    const device = bench.device();
    const lock = bench.lock(device);
    await bench.online(device);
    const first = bench.order(device);
    await bench.send(first);
    await bench.broker.hears('ack/lock');
    bench.clock.advance(200);
    const second = bench.order(device, { op: 'lock' });
    await bench.send(second);
    await bench.broker.hears('ack/lock', (body) => body.id === first.id && body.result === 'failed');
    bench.clock.advance(500);
    await bench.broker.hears('ack/lock', (body) => body.id === second.id && body.result === 'done');
    expect(lock.bolt).toBe('locked');
  });

  it('jams on order, says so, and works again at the next try', async () => {
    const device = bench.device();
    const lock = bench.lock(device);
    await bench.online(device);
    lock.jamNext();
    const command = bench.order(device);
    await bench.send(command);
    await bench.broker.hears('ack/lock');
    bench.clock.advance(500);
    const { body } = await bench.broker.hears('ack/lock', (ack) => ack.result === 'failed');
    expect(body).toMatchObject({ id: command.id, why: 'the bolt is jammed' });
    await bench.broker.hears('state/lock', (state) => state.value === 'jammed');
    await bench.send(bench.order(device));
    await eventually(() => expect(lock.bolt).toBe('unlocking'));
    bench.clock.advance(500);
    expect(lock.bolt).toBe('unlocked');
  });

  it('jams by chance', async () => {
    const device = bench.device();
    const lock = bench.lock(device, 1);
    await bench.online(device);
    await bench.send(bench.order(device));
    await eventually(() => expect(lock.bolt).toBe('unlocking'));
    bench.clock.advance(500);
    expect(lock.bolt).toBe('jammed');
  });
});

describe('outputs', () => {
  it('a relay switches, and back after forMs', async () => {
    const device = bench.device();
    const relay = new VirtualRelay(device, 'relay', bench.clock);
    await bench.online(device);
    const command = bench.order(device, { op: 'set', value: 'on', forMs: 2000 });
    await bench.send(command, 'relay');
    await bench.broker.hears('ack/relay', (body) => body.result === 'done');
    expect((await bench.broker.hears('state/relay', (body) => body.value === 'on')).body.command).toBe(command.id);
    expect(relay.on).toBe(true);
    bench.clock.advance(2000);
    expect(relay.on).toBe(false);
    await bench.send(bench.order(device, { op: 'set', value: 50 }), 'relay');
    await bench.broker.hears('ack/relay', (body) => body.result === 'failed');
  });

  it('a dimmer fades to its level', async () => {
    const device = bench.device();
    const dimmer = new VirtualDimmer(device, 'dimmer', bench.clock);
    await bench.online(device);
    await bench.send(bench.order(device, { op: 'set', value: 80, fadeMs: 4000 }), 'dimmer');
    await bench.broker.hears('ack/dimmer', (body) => body.result === 'done');
    bench.clock.advance(2000);
    expect(dimmer.level).toBe(40);
    bench.clock.advance(2000);
    expect(dimmer.level).toBe(80);
    await bench.send(bench.order(device, { op: 'set', value: 101 }), 'dimmer');
    await bench.broker.hears('ack/dimmer', (body) => body.result === 'failed');
    expect(dimmer.level).toBe(80);
  });
});
