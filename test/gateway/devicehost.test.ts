import { describe, expect, test } from 'vitest';
import type { DeviceMessage, OutgoingCommand, PortDriver, PortHost } from '../../devices/driver.ts';
import { nativeDriver } from '../../devices/native/index.ts';
import type { Command, CommandOp } from '../../gateway/core/effects.ts';
import type { Fact } from '../../gateway/core/facts.ts';
import { createDeviceHost, type DeviceHostOptions } from '../../gateway/devicehost/index.ts';
import type { Misuse } from '../../gateway/devicehost/types.ts';
import { ManualClock } from '../support/clock.ts';
import { HandBus } from '../support/handbus.ts';
import { testLog } from '../support/mqttclients.ts';

const NOW_MS = Date.UTC(2026, 2, 2, 8, 0, 0);

async function setUp(extra: Partial<DeviceHostOptions> = {}) {
  const bus = new HandBus();
  const clock = new ManualClock(NOW_MS);
  const facts: Fact[] = [];
  const links: { link?: (id: string, up: boolean) => void; misuse?: (id: string, misuse: Misuse) => void } = {};
  const log = testLog();
  const host = createDeviceHost({
    site: 'clinic',
    devices: ['lock-1', 'reader-1', 'room-1'].map((id) => ({ id, driver: 'native', config: {} })),
    registry: [nativeDriver],
    bus,
    links: {
      onDeviceLink: (listener) => {
        links.link = listener;
      },
      onMisuse: (listener) => {
        links.misuse = listener;
      },
    },
    hash: (canonical) => `#${canonical}`,
    clock,
    emit: (fact) => facts.push(fact) > 0,
    log,
    ...extra,
  });
  await host.start();
  const tell = (device: string, below: string, payload: object | string, retain = false): void =>
    bus.arrive(`doorward/1/clinic/${device}/${below}`, payload, retain);
  const take = (): Fact[] => facts.splice(0);
  return { bus, clock, host, tell, take, links, log };
}

const at = (ms = 0): string => new Date(NOW_MS + ms).toISOString();
const badge = (id: string, ms = 0, value = '04A224B2C15E80') => ({
  boot: 'b1',
  seq: 1,
  id,
  at: at(ms),
  type: 'credential',
  format: 'uid',
  value,
});
const command = (id: string, what: CommandOp, point = 'lock-1/lock'): Command => ({
  id,
  point,
  issuedAtMs: NOW_MS,
  ttlMs: 5_000,
  do: what,
});
const unlock = (id: string): Command => command(id, { op: 'unlock', holdMs: 5_000 });

describe('a badge', () => {
  test('becomes a fact with hashes and last four, never the number', async () => {
    const { tell, take } = await setUp();
    tell('reader-1', 'status', { status: 'online', boot: 'b1' }, true);
    take();
    tell('reader-1', 'event/reader', badge('e1'));
    const facts = take();
    expect(facts).toEqual([
      {
        kind: 'credential',
        point: 'reader-1/reader',
        hashes: ['#uid:04A224B2C15E80'],
        format: 'uid',
        last4: '5E80',
        atMs: expect.any(Number),
      },
    ]);
  });

  test('by bits has a hash for each text that it may be enrolled as', async () => {
    const { tell, take } = await setUp();
    tell('reader-1', 'event/reader', { ...badge('e1'), format: 'bits', value: '10111011000000110010000110' });
    expect(take().at(-1)).toMatchObject({
      hashes: ['#bits:26:10111011000000110010000110', '#fc-cn:H10301:118-1603', '#fc-cn:118-1603'],
      last4: '1603',
    });
  });

  test('delivered twice is one', async () => {
    const { tell, take } = await setUp();
    tell('reader-1', 'event/reader', badge('e1'));
    tell('reader-1', 'event/reader', badge('e1'));
    tell('reader-1', 'event/reader', badge('e2'));
    expect(take().filter((fact) => fact.kind === 'credential').length).toBe(2);
  });

  test.each([
    ['ten seconds old is fresh', -10_000, undefined],
    ['a millisecond older is not', -10_001, 'event_too_old'],
    ['ten seconds ahead is fresh', 10_000, undefined],
    ['a millisecond further is not', 10_001, 'event_in_future'],
  ])('%s', async (_, ms, stale) => {
    const { tell, take } = await setUp();
    tell('reader-1', 'event/reader', badge('e1', ms));
    const fact = take().find((one) => one.kind === 'credential');
    expect(fact).toMatchObject({ kind: 'credential', point: 'reader-1/reader' });
    expect(fact && 'stale' in fact ? fact.stale : undefined).toBe(stale);
  });

  test('retained is told as such, and is no sign of life', async () => {
    const { tell, take, host } = await setUp();
    tell('reader-1', 'event/reader', badge('e1'), true);
    expect(take()).toMatchObject([{ kind: 'credential', stale: 'event_retained' }]);
    expect(host.devices().find((device) => device.id === 'reader-1')).toMatchObject({
      online: null,
      lastHeardAtMs: null,
    });
  });

  test('while the gateway’s own time is not trusted, the device’s is what counts', async () => {
    const { tell, take } = await setUp({ timeTrusted: () => false });
    const stale = () => take().flatMap((fact) => (fact.kind === 'credential' ? [fact.stale] : []));
    tell('reader-1', 'status', { status: 'online', boot: 'b1', at: at(-3_600_000) });
    tell('reader-1', 'event/reader', badge('e1', -3_600_000));
    tell('reader-1', 'event/reader', badge('e2', -4_200_000));
    expect(stale()).toEqual([undefined, 'event_too_old']);
    tell('reader-1', 'status', { status: 'lost', boot: 'b1' });
    tell('reader-1', 'event/reader', badge('e3', -3_600_000));
    expect(stale()).toEqual(['event_too_old']);
  });

  test('that is no number is a fault of the device, without the number', async () => {
    const { tell, take } = await setUp();
    tell('reader-1', 'event/reader', badge('e1', 0, 'ghost-98765'));
    const facts = take().filter((fact) => fact.kind !== 'device');
    expect(facts).toMatchObject([{ kind: 'device_fault', device: 'reader-1', fault: 'malformed' }]);
    expect(JSON.stringify(facts)).not.toContain('98765');
  });
});

describe('states', () => {
  const state = (seq: number, value: unknown, boot = 'b1') => ({ boot, seq, at: at(), value });
  const values = (facts: Fact[]): unknown[] => facts.flatMap((fact) => (fact.kind === 'reading' ? [fact.value] : []));

  test('with a lower or equal seq of the same boot are dropped', async () => {
    const { tell, take } = await setUp();
    for (const [seq, value] of [
      [5, 20],
      [4, 19],
      [5, 20],
      [6, 21],
    ] as const)
      tell('room-1', 'state/temperature', state(seq, value));
    tell('room-1', 'state/humidity', state(2, 40));
    expect(values(take())).toEqual([20, 21, 40]);
  });

  test('count anew with a new boot, and those of the old boot are ignored', async () => {
    const { tell, take } = await setUp();
    tell('room-1', 'state/temperature', state(50, 20));
    tell('room-1', 'status', { status: 'online', boot: 'b2' });
    tell('room-1', 'state/temperature', state(51, 99));
    tell('room-1', 'state/temperature', state(1, 22, 'b2'));
    tell('room-1', 'status', { status: 'lost', boot: 'b1' });
    expect(values(take())).toEqual([20, 22]);
  });

  test('retained ones of another boot than the status tells are ignored, the others are readings marked retained', async () => {
    const { tell, take } = await setUp();
    tell('lock-1', 'status', { status: 'online', boot: 'b7' }, true);
    tell('lock-1', 'state/door', state(9, 'open', 'b6'), true);
    tell('lock-1', 'state/lock', state(3, 'locked', 'b7'), true);
    expect(take()).toEqual([
      { kind: 'device', device: 'lock-1', online: true },
      { kind: 'reading', point: 'lock-1/lock', value: 'locked', retained: true },
    ]);
  });

  test('of a device that said goodbye are not taken from the broker’s memory', async () => {
    const { tell, take } = await setUp();
    tell('lock-1', 'status', { status: 'lost', boot: 'b7' }, true);
    tell('lock-1', 'state/door', state(9, 'closed', 'b7'), true);
    expect(take()).toEqual([{ kind: 'device', device: 'lock-1', online: false }]);
  });

  test('told again after the link was down count, since they were unknown meanwhile', async () => {
    const { tell, take, bus } = await setUp();
    tell('room-1', 'state/temperature', state(5, 20));
    bus.link(false);
    bus.link(true);
    tell('room-1', 'state/temperature', state(5, 20), true);
    tell('room-1', 'state/temperature', state(5, 20), true);
    expect(values(take())).toEqual([20]);
    tell('room-1', 'status', { status: 'online', boot: 'b1' }, true);
    tell('room-1', 'state/temperature', state(5, 20), true);
    expect(values(take())).toEqual([20]);
  });

  test('two values under one seq are a contradiction: the first counts and the device is at fault', async () => {
    const { tell, take } = await setUp();
    tell('lock-1', 'state/lock', state(5, 'locked'));
    tell('lock-1', 'state/lock', state(5, 'unlocked'));
    const facts = take();
    expect(values(facts)).toEqual(['locked']);
    expect(facts.at(-1)).toMatchObject({ kind: 'device_fault', fault: 'contradiction' });
  });
});

describe('who is online', () => {
  test('status, last will, the broker’s word and the link decide; each change is told once', async () => {
    const { tell, take, links, bus } = await setUp();
    const online = (): boolean[] => take().flatMap((fact) => (fact.kind === 'device' ? [fact.online] : []));
    tell('lock-1', 'status', { status: 'online', boot: 'b1' });
    tell('lock-1', 'status', { status: 'online', boot: 'b1' });
    expect(online()).toEqual([true]);
    tell('lock-1', 'status', { status: 'lost', boot: 'b1' });
    expect(online()).toEqual([false]);
    tell('lock-1', 'state/door', { value: 'open' });
    expect(online()).toEqual([true]);
    links.link?.('lock-1', false);
    tell('lock-1', 'state/door', { value: 'closed' });
    expect(online()).toEqual([false]);
    links.link?.('lock-1', true);
    tell('lock-1', 'status', { status: 'online', boot: 'b1' });
    bus.link(false);
    expect(online()).toEqual([true, false]);
  });

  test('health shows what the device told', async () => {
    const { tell, host, clock } = await setUp();
    clock.advance(1_000);
    tell('lock-1', 'desc', { v: 1, model: 'DW-Lock', firmware: '1.4', capabilities: ['lock', 'battery'] });
    tell('lock-1', 'state/battery', { value: 83 });
    tell('lock-1', 'state/battery', 'rubbish');
    expect(host.devices()[0]).toEqual({
      id: 'lock-1',
      driver: 'native',
      online: true,
      battery: 83,
      lastHeardAtMs: NOW_MS + 1_000,
      firmware: '1.4',
      model: 'DW-Lock',
      capabilities: ['lock', 'battery'],
      malformed: 1,
      fault: 'Device lock-1 sent what cannot be read: state/battery: the payload is not JSON.',
    });
  });

  test('a description without a capability that the configuration expects is a fault', async () => {
    const { tell, take } = await setUp({ bound: ['lock-1/lock', 'lock-1/door', 'room-1/co2'] });
    tell('lock-1', 'desc', { v: 1, model: 'M', firmware: '1', capabilities: ['lock'] });
    expect(take().filter((fact) => fact.kind === 'device_fault')).toMatchObject([
      { fault: 'contradiction', why: 'Device lock-1 (M) says that it has no door, which the configuration expects.' },
    ]);
  });

  test('faults of one device are told once in ten seconds, and counted all', async () => {
    const { tell, take, host, clock, links } = await setUp();
    for (let n = 0; n < 20; n += 1) tell('lock-1', 'state/door', 'x');
    tell('room-1', 'state/co2', 'x');
    links.misuse?.('lock-1', { kind: 'flood' });
    links.misuse?.('lock-1', { kind: 'foreign_write', topic: 'doorward/1/clinic/lock-2/command/lock' });
    links.misuse?.('nobody', { kind: 'flood' });
    expect(take().map((fact) => fact.kind === 'device_fault' && [fact.device, fact.fault])).toEqual([
      ['lock-1', 'malformed'],
      ['room-1', 'malformed'],
      ['lock-1', 'flood'],
      ['lock-1', 'refused'],
    ]);
    expect(host.devices()[0]?.malformed).toBe(20);
    clock.advance(10_000);
    tell('lock-1', 'state/door', 'x');
    expect(take().length).toBe(1);
  });

  test('a stranger on our topics is logged once and disturbs nothing', async () => {
    const { tell, take, log } = await setUp();
    tell('stranger', 'event/reader', badge('e1'));
    tell('stranger', 'event/reader', badge('e2'));
    expect(take()).toEqual([]);
    expect(log.lines.filter((line) => line.text.includes('does not know')).length).toBe(1);
  });
});

describe('a command', () => {
  const outcomes = (facts: Fact[]) =>
    facts.flatMap((fact) => (fact.kind === 'command_outcome' ? [[fact.command, fact.outcome, fact.why]] : []));

  test('leaves with id, expiry and the device’s boot', async () => {
    const { tell, host, bus } = await setUp();
    tell('lock-1', 'status', { status: 'online', boot: 'b91' });
    host.perform(unlock('c1'));
    expect(bus.sent.map((one) => one.topic)).toEqual(['doorward/1/clinic/lock-1/command/lock']);
    expect(JSON.parse(bus.sent[0]?.payload ?? '')).toEqual({
      id: 'c1',
      op: 'unlock',
      issuedAt: at(),
      expiresAt: at(5_000),
      ttlMs: 5_000,
      boot: 'b91',
      holdMs: 5_000,
    });
  });

  test('is confirmed when a state reports its id', async () => {
    const { tell, host, take, clock } = await setUp();
    host.perform(unlock('c1'));
    tell('lock-1', 'ack/lock', { id: 'c1', result: 'accepted' });
    tell('lock-1', 'state/lock', { value: 'unlocking', command: 'c1' });
    expect(outcomes(take())).toEqual([]);
    tell('lock-1', 'state/lock', { value: 'unlocked', command: 'c1' });
    tell('lock-1', 'ack/lock', { id: 'c1', result: 'done' });
    clock.advance(60_000);
    expect(outcomes(take())).toEqual([['c1', 'confirmed', undefined]]);
  });

  test('is confirmed by an ack, or by the end of a move that carried its id', async () => {
    const { tell, host, take } = await setUp();
    host.perform(unlock('c1'));
    tell('lock-1', 'ack/lock', { id: 'c1', result: 'done' });
    host.perform(unlock('c2'));
    tell('lock-1', 'state/lock', { value: 'unlocking', command: 'c2' });
    tell('lock-1', 'state/lock', { value: 'unlocked' });
    expect(outcomes(take())).toEqual([
      ['c1', 'confirmed', undefined],
      ['c2', 'confirmed', undefined],
    ]);
  });

  test.each([
    ['failed', 'blocked', 'blocked'],
    ['expired', undefined, 'The command reached the device too late.'],
    ['stale', undefined, 'The device has restarted since the command was made.'],
    ['duplicate', undefined, 'The device says that it had this command before.'],
  ])('fails when the ack says %s', async (result, why, told) => {
    const { tell, host, take } = await setUp();
    host.perform(unlock('c1'));
    tell('lock-1', 'ack/lock', { id: 'c1', result, why });
    expect(outcomes(take())).toEqual([['c1', 'failed', told]]);
  });

  test('delivered twice by the broker does not fail for its second copy', async () => {
    const { tell, host, take } = await setUp();
    host.perform(unlock('c1'));
    for (const result of ['accepted', 'duplicate', 'done']) tell('lock-1', 'ack/lock', { id: 'c1', result });
    expect(outcomes(take())).toEqual([['c1', 'confirmed', undefined]]);
  });

  test('fails when the lock jams', async () => {
    const { tell, host, take } = await setUp();
    host.perform(unlock('c1'));
    tell('lock-1', 'state/lock', { value: 'unlocking', command: 'c1' });
    tell('lock-1', 'state/lock', { value: 'jammed' });
    expect(outcomes(take())).toEqual([['c1', 'failed', 'The lock reports that it is jammed.']]);
  });

  test('is unknown when nothing came within its hold time and five seconds; what comes later is logged only', async () => {
    const { tell, host, take, clock } = await setUp();
    host.perform(unlock('c1'));
    host.perform(command('c2', { op: 'set', value: 'on' }, 'room-1/relay'));
    clock.advance(5_000);
    expect(outcomes(take())).toEqual([['c2', 'unknown', 'Device room-1 reported nothing in time.']]);
    clock.advance(4_999);
    expect(outcomes(take())).toEqual([]);
    clock.advance(1);
    expect(outcomes(take())).toEqual([['c1', 'unknown', 'Device lock-1 reported nothing in time.']]);
    tell('lock-1', 'state/lock', { value: 'unlocked', command: 'c1' });
    expect(outcomes(take())).toEqual([]);
  });

  test('is not confirmed by a retained state or by another device’s word', async () => {
    const { tell, host, take } = await setUp();
    host.perform(unlock('c1'));
    tell('lock-1', 'state/lock', { value: 'unlocked', command: 'c1' }, true);
    tell('room-1', 'ack/lock', { id: 'c1', result: 'done' });
    expect(outcomes(take())).toEqual([]);
  });

  test('an unlock still leaves when the broker falls behind, a lamp waits, and at last either says why', async () => {
    const { host, take, bus } = await setUp();
    bus.behind = 'a little';
    host.perform(command('c1', { op: 'indicate', signal: 'granted' }, 'reader-1/reader'));
    host.perform(unlock('c2'));
    bus.behind = 'far';
    host.perform(unlock('c3'));
    expect(bus.sent.map(({ topic }) => topic)).toEqual(['doorward/1/clinic/lock-1/command/lock']);
    const why = 'The MQTT broker is far behind: the order would have come late. See what keeps it busy.';
    expect(outcomes(take())).toEqual([
      ['c1', 'failed', why],
      ['c3', 'failed', why],
    ]);
  });

  test('fails at once when the link is down, the device is unknown or has no such command', async () => {
    const { host, take, bus } = await setUp();
    bus.link(false);
    host.perform(unlock('c1'));
    bus.link(true);
    host.perform(command('c2', { op: 'lock' }, 'nobody/lock'));
    host.perform(command('c3', { op: 'lock' }, 'lock-1/door'));
    host.perform(command('c4', { op: 'indicate', signal: 'denied' }, 'lock-1/lock'));
    expect(outcomes(take())).toEqual([
      ['c1', 'failed', 'The MQTT link is down.'],
      ['c2', 'failed', 'There is no device at nobody/lock.'],
      ['c3', 'failed', 'Device lock-1 knows no lock for door.'],
      ['c4', 'failed', 'Device lock-1 knows no indicate for lock.'],
    ]);
    expect(bus.sent).toEqual([]);
  });

  test('a signal to a reader is sent and forgotten', async () => {
    const { host, take, bus, clock } = await setUp();
    host.perform(command('c1', { op: 'indicate', signal: 'granted' }, 'reader-1/reader'));
    expect(bus.sent.length).toBe(1);
    expect(clock.waiting).toBe(0);
    expect(outcomes(take())).toEqual([]);
  });
});

describe('a device on a port', () => {
  test('is opened, heard, commanded and closed', async () => {
    const opened: { host?: PortHost; performed: OutgoingCommand[]; closed: boolean } = { performed: [], closed: false };
    const driver: PortDriver = {
      name: 'port',
      title: 'A device on a port.',
      transport: 'port',
      schema: nativeDriver.schema,
      capabilities: () => ['relay'],
      open: async (_device, portHost) => {
        opened.host = portHost;
        portHost.emit({ type: 'status', online: true });
        return {
          perform: (one) => void opened.performed.push(one),
          close: async () => {
            opened.closed = true;
          },
        };
      },
    };
    const broken: PortDriver = { ...driver, name: 'broken', open: () => Promise.reject(new Error('no such chip')) };
    const devices = [
      { id: 'board', driver: 'port', config: {} },
      { id: 'gone', driver: 'broken', config: {} },
    ];
    const { host, take } = await setUp({ devices, registry: [driver, broken], bus: undefined });
    expect(take()).toMatchObject([
      { kind: 'device', device: 'board', online: true },
      { kind: 'device', device: 'gone', online: false },
      { kind: 'device_fault', device: 'gone', fault: 'driver' },
    ]);
    host.perform(command('c1', { op: 'set', value: 'on' }, 'board/relay'));
    host.perform(command('c2', { op: 'set', value: 'on' }, 'gone/relay'));
    expect(opened.performed.map((one) => one.id)).toEqual(['c1']);
    const state: DeviceMessage = { type: 'state', capability: 'relay', value: 'on', retained: false, command: 'c1' };
    opened.host?.emit(state);
    expect(take()).toMatchObject([
      { kind: 'command_outcome', command: 'c2', outcome: 'failed' },
      { kind: 'reading', point: 'board/relay', value: 'on' },
      { kind: 'command_outcome', command: 'c1', outcome: 'confirmed' },
    ]);
    await host.stop();
    expect(opened.closed).toBe(true);
  });
});

test('a driver that throws is a fault of the device’s driver, not the end of the gateway', async () => {
  const throwing = {
    ...nativeDriver,
    decode: () => {
      throw new Error('bug');
    },
  };
  const { tell, take } = await setUp({ registry: [throwing] });
  tell('lock-1', 'state/door', { value: 'open' });
  expect(take()).toMatchObject([{ kind: 'device_fault', device: 'lock-1', fault: 'driver' }]);
});
