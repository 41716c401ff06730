import { describe, expect, it } from 'vitest';
import { VirtualContact } from '../../devices/simulator/lock.ts';
import { VirtualRelay } from '../../devices/simulator/outputs.ts';
import { VirtualReader } from '../../devices/simulator/reader.ts';
import { LockBench, ROOT } from './simulatorLockSupport.ts';
import { eventually } from './simulatorSupport.ts';

const bench = LockBench.forEachTest();
const acks = (capability = 'lock') => bench.broker.on(`ack/${capability}`).map(({ body }) => body.result);
const values = (capability = 'lock') => bench.broker.on(`state/${capability}`).map(({ body }) => body.value);

describe('connecting', () => {
  it('says what it is, that it is there and all its states, retained', async () => {
    const device = bench.device();
    bench.lock(device);
    new VirtualContact(device, 'door');
    await bench.online(device);
    const door = await bench.broker.hears('state/door');
    expect(bench.broker.heard.map(({ topic }) => topic.slice(ROOT.length + 1))).toEqual([
      'desc',
      'status',
      'state/lock',
      'state/door',
    ]);
    expect(bench.broker.heard.every(({ retain }) => retain)).toBe(true);
    expect(bench.broker.on('desc')[0]?.body).toEqual({
      v: 1,
      model: 'virtual',
      firmware: '1.0.0',
      capabilities: ['lock', 'door', 'reader', 'relay', 'dimmer'],
    });
    expect(bench.broker.on('status')[0]?.body).toEqual({
      status: 'online',
      boot: device.boot,
      at: '2026-03-02T09:00:00.000Z',
    });
    expect(door.body).toMatchObject({ boot: device.boot, seq: 2, value: 'closed', at: '2026-03-02T09:00:00.000Z' });
  });

  it('sends everything again at the next connect, numbered on', async () => {
    const device = bench.device();
    bench.lock(device);
    await bench.online(device);
    const { body: first } = await bench.broker.hears('state/lock');
    device.setFault({ kind: 'offline' });
    await bench.broker.hears('status', (body) => body.status === 'lost' && body.boot === device.boot);
    device.setFault(undefined);
    const { body: second } = await bench.broker.hears('state/lock', (body) => Number(body.seq) > Number(first.seq));
    expect(second).toMatchObject({ boot: first.boot, value: 'locked' });
    expect(bench.broker.on('desc')).toHaveLength(2);
  });

  it('has a new boot after a restart, and its lock is locked', async () => {
    const device = bench.device();
    const lock = bench.lock(device);
    await bench.online(device);
    const before = device.boot;
    await bench.send(bench.order(device));
    await eventually(() => expect(lock.bolt).toBe('unlocking'));
    device.restart();
    expect(lock.bolt).toBe('locked');
    await bench.broker.hears('status', (body) => body.status === 'lost' && body.boot === before);
    await bench.broker.hears('state/lock', (body) => body.boot === device.boot && body.value === 'locked');
    expect(device.boot).not.toBe(before);
  });

  it('loses an event that happens without a link', async () => {
    const device = bench.device();
    const reader = new VirtualReader(device, 'reader');
    expect(reader.present({ format: 'uid', value: '04A2' })).toBe(false);
    await bench.online(device);
    expect(reader.present({ format: 'uid', value: '04A3' })).toBe(true);
    const { body } = await bench.broker.hears('event/reader');
    expect(body).toMatchObject({ type: 'credential', format: 'uid', value: '04A3', boot: device.boot });
    expect(bench.broker.on('event/reader')).toHaveLength(1);
    expect(device.stats.lostEvents).toBe(1);
  });

  it('gives each event an id of its own and splits a facility from its card', async () => {
    const device = bench.device();
    const reader = new VirtualReader(device, 'reader');
    await bench.online(device);
    reader.present({ format: 'fc-cn', value: '118:1603' });
    reader.type('4711');
    const { body: keypad } = await bench.broker.hears('event/reader', (body) => body.type === 'keypad');
    const { body: card } = await bench.broker.hears('event/reader', (body) => body.type === 'credential');
    expect(card).toMatchObject({ format: 'fc-cn', value: '118:1603', facility: 118, card: 1603 });
    expect(keypad).toMatchObject({ digits: '4711' });
    expect(keypad.id).not.toBe(card.id);
    expect(bench.broker.on('event/reader').every(({ retain }) => !retain)).toBe(true);
  });
});

describe('a command', () => {
  it('is accepted, then done when the bolt is there, and the lock relocks by itself', async () => {
    const device = bench.device();
    const lock = bench.lock(device);
    await bench.online(device);
    const command = bench.order(device);
    await bench.send(command);
    await bench.broker.hears('ack/lock', (body) => body.result === 'accepted');
    expect(lock.bolt).toBe('unlocking');
    bench.clock.advance(499);
    expect(lock.bolt).toBe('unlocking');
    bench.clock.advance(1);
    expect(lock.bolt).toBe('unlocked');
    await bench.broker.hears('ack/lock', (body) => body.result === 'done' && body.id === command.id);
    const { body: state } = await bench.broker.hears('state/lock', (body) => body.value === 'unlocked');
    expect(state).toMatchObject({ cause: 'command', command: command.id });
    bench.clock.advance(2999);
    expect(lock.bolt).toBe('unlocked');
    bench.clock.advance(1);
    expect(lock.bolt).toBe('locking');
    bench.clock.advance(500);
    await bench.broker.hears('state/lock', (body) => body.value === 'locked' && body.cause === 'auto_relock');
    expect(values()).toEqual(['locked', 'unlocking', 'unlocked', 'locking', 'locked']);
  });

  it.each([
    ['expired', { expiresAt: '2026-03-02T09:00:00.000Z' }],
    ['stale', { boot: 'b-another' }],
    ['failed', { op: 'open-sesame' }],
    ['failed', { holdMs: 0 }],
    ['failed', { expiresAt: undefined, ttlMs: undefined }],
  ])('is refused as %s: %o', async (result, fields) => {
    const device = bench.device();
    const lock = bench.lock(device);
    await bench.online(device);
    await bench.send(bench.order(device, fields));
    const { body } = await bench.broker.hears('ack/lock');
    expect(body.result).toBe(result);
    expect(body.why).toEqual(expect.any(String));
    expect(lock.bolt).toBe('locked');
  });

  it('is refused when the broker had kept it', async () => {
    const device = bench.device();
    const lock = bench.lock(device);
    await bench.send(bench.order(device), 'lock', true);
    await bench.online(device);
    await bench.broker.hears('ack/lock', (body) => body.result === 'stale');
    expect(lock.bolt).toBe('locked');
  });

  it('is obeyed once: the id is remembered for 64 commands, then forgotten', async () => {
    const device = bench.device();
    new VirtualRelay(device, 'relay', bench.clock);
    await bench.online(device);
    const set = (id: string) => bench.send(bench.order(device, { id, op: 'set', value: 'on' }), 'relay');
    await set('first');
    await set('first');
    await bench.broker.hears('ack/relay', (body) => body.result === 'duplicate');
    for (let index = 0; index < 63; index++) await set(`n${index}`);
    await set('first');
    await eventually(() => expect(acks('relay').filter((result) => result === 'duplicate')).toHaveLength(2));
    for (let index = 0; index < 2; index++) await set(`m${index}`);
    await set('first');
    await eventually(() => expect(acks('relay')).toHaveLength(1 + 1 + 63 + 1 + 2 + 1));
    expect(acks('relay').at(-1)).toBe('done');
  });

  it('that cannot be read, or for what is not there, disturbs nothing', async () => {
    const device = bench.device();
    bench.lock(device);
    await bench.online(device);
    await bench.send('{"id":');
    await bench.send(bench.order(device), 'relay-7');
    await bench.broker.hears('ack/relay-7', (body) => body.result === 'failed');
    expect(device.stats.malformed).toBe(1);
    await bench.send(bench.order(device));
    await bench.broker.hears('ack/lock', (body) => body.result === 'accepted');
  });

  it('that comes late out of a sleepy device without a clock is void', async () => {
    const device = bench.device({ hasClock: false, reactionMs: 5000 });
    const lock = bench.lock(device);
    await bench.online(device);
    await bench.send(bench.order(device));
    await eventually(() => expect(device.stats.commands).toBe(1));
    bench.clock.advance(5000);
    await bench.broker.hears('ack/lock', (body) => body.result === 'expired');
    expect(lock.bolt).toBe('locked');
    expect((await bench.broker.hears('state/lock')).body.at).toBeUndefined();
  });
});

describe('faults', () => {
  it('silence: connected, but deaf and dumb', async () => {
    const device = bench.device();
    const lock = bench.lock(device);
    const contact = new VirtualContact(device, 'door');
    await bench.online(device);
    await bench.broker.hears('state/door');
    device.setFault({ kind: 'silence' });
    const before = bench.broker.heard.length;
    await bench.send(bench.order(device));
    contact.set(true);
    device.setFault(undefined);
    await bench.broker.hears('state/door', (body) => body.value === 'open');
    expect(lock.bolt).toBe('locked');
    expect(bench.broker.heard.slice(before).some(({ topic }) => topic.includes('/ack/'))).toBe(false);
  });

  it('duplicates: everything twice, with the same numbers', async () => {
    const device = bench.device();
    const reader = new VirtualReader(device, 'reader');
    await bench.online(device);
    device.setFault({ kind: 'duplicates' });
    reader.present({ format: 'uid', value: '04A2' });
    await eventually(() => expect(bench.broker.on('event/reader')).toHaveLength(2));
    const [first, second] = bench.broker.on('event/reader');
    expect(second?.body).toEqual(first?.body);
  });

  it('lying: the bolt moves, the report says otherwise', async () => {
    const device = bench.device();
    const lock = bench.lock(device);
    await bench.online(device);
    device.setFault({ kind: 'lying' });
    const command = bench.order(device);
    await bench.send(command);
    await bench.broker.hears('ack/lock');
    bench.clock.advance(500);
    expect(lock.bolt).toBe('unlocked');
    await bench.broker.hears('state/lock', (body) => body.value === 'locked' && body.command === command.id);
    expect(values()).not.toContain('unlocked');
    device.setFault(undefined);
    await bench.broker.hears('state/lock', (body) => body.value === 'unlocked');
  });

  it('flood: so many states a second', async () => {
    const device = bench.device();
    bench.lock(device);
    await bench.online(device);
    await bench.broker.hears('state/lock');
    device.setFault({ kind: 'flood', perSecond: 1000 });
    bench.clock.advance(200);
    device.setFault(undefined);
    bench.clock.advance(200);
    await eventually(() => expect(bench.broker.on('state/lock').length).toBeGreaterThanOrEqual(200));
    expect(bench.broker.on('state/lock').length).toBeLessThan(210);
  });

  it('a clock that is off: wrong times, and fresh commands look expired', async () => {
    const device = bench.device();
    const lock = bench.lock(device);
    const reader = new VirtualReader(device, 'reader');
    await bench.online(device);
    device.setFault({ kind: 'clock', skewMs: 3_600_000 });
    reader.present({ format: 'uid', value: '04A2' });
    expect((await bench.broker.hears('event/reader')).body.at).toBe('2026-03-02T10:00:00.000Z');
    await bench.send(bench.order(device));
    await bench.broker.hears('ack/lock', (body) => body.result === 'expired');
    expect(lock.bolt).toBe('locked');
  });

  it('malformed: what it sends is no JSON', async () => {
    const device = bench.device();
    const reader = new VirtualReader(device, 'reader');
    await bench.online(device);
    device.setFault({ kind: 'malformed' });
    reader.present({ format: 'uid', value: '04A2' });
    expect((await bench.broker.hears('event/reader')).body).toEqual({ unreadable: '{"boot":' });
  });
});

it('a reader shows what it is told to', async () => {
  const device = bench.device();
  const reader = new VirtualReader(device, 'reader');
  await bench.online(device);
  await bench.send(bench.order(device, { op: 'indicate', signal: 'denied' }), 'reader');
  await bench.broker.hears('ack/reader', (body) => body.result === 'done');
  expect(reader.shown).toBe('denied');
  await bench.send(bench.order(device, { op: 'indicate', signal: 'disco' }), 'reader');
  await bench.broker.hears('ack/reader', (body) => body.result === 'failed');
});

it('says farewell when it is stopped', async () => {
  const device = bench.device();
  await bench.online(device);
  await device.stop();
  await bench.broker.hears('status', (body) => body.status === 'lost' && body.boot === device.boot);
});
