import { describe, expect, it } from 'vitest';
import type { Fact } from '../../gateway/core/facts.ts';
import {
  aBooking,
  aDoor,
  aRead,
  aSite,
  aWorld,
  commandsOf,
  HOUR,
  journalOf,
  MINUTE,
  MONDAY,
  type World,
} from '../support/records.ts';

const NINE = MONDAY + 9 * HOUR;
const contact = (value: 'open' | 'closed', door = 'd1'): Fact => ({
  kind: 'reading',
  point: `${door}-lock/door`,
  value,
  retained: false,
});
const lock = (value: string, door = 'd1'): Fact => ({
  kind: 'reading',
  point: `${door}-lock/lock`,
  value,
  retained: false,
});
const TICK: Fact = { kind: 'tick' };

function liveKinds(world: World): string[] {
  return world.state.alarms.live.map((alarm) => alarm.kind);
}

function closedDoor(options: Parameters<typeof aWorld>[0] = { bookings: [aBooking('b', NINE, NINE + HOUR)] }): World {
  const world = aWorld(options);
  world.do(contact('closed'), NINE);
  world.do(lock('locked'), NINE);
  return world;
}

describe('a door that opens', () => {
  it('after a grant is what was allowed', () => {
    const world = closedDoor();
    world.do(aRead('ada'), NINE + 1_000);
    world.do(contact('open'), NINE + 4_000);
    expect(liveKinds(world)).not.toContain('door_forced');
  });

  it('after a request to exit is not forced', () => {
    const world = closedDoor();
    world.do({ kind: 'request_to_exit', point: 'd1-lock/exit' }, NINE + 1_000);
    world.do(contact('open'), NINE + 3_000);
    expect(liveKinds(world)).not.toContain('door_forced');
  });

  it('with neither is forced: journalled, a critical alarm, until a person resolves it', () => {
    const world = closedDoor();
    const effects = world.do(contact('open'), NINE + 1_000);
    expect(journalOf(effects).map((entry) => entry.kind)).toContain('door_forced');
    world.do(contact('closed'), NINE + 2_000);
    const alarm = world.state.alarms.live.find((one) => one.kind === 'door_forced');
    expect(alarm).toMatchObject({ severity: 'critical', status: 'open', door: 'd1', room: 'r1' });
    world.do(
      { kind: 'alarm_action', alarm: alarm?.id ?? '', action: 'acknowledge', user: 'manager', note: 'looking' },
      NINE + 3_000,
    );
    expect(world.state.alarms.get(alarm?.id ?? '')).toMatchObject({
      status: 'acknowledged',
      acknowledgedBy: 'manager',
      note: 'looking',
    });
    world.do(
      { kind: 'alarm_action', alarm: alarm?.id ?? '', action: 'resolve', user: 'manager', note: 'a gust' },
      NINE + 4_000,
    );
    expect(liveKinds(world)).not.toContain('door_forced');
  });

  it('long after the grant is forced', () => {
    const world = closedDoor();
    world.do(aRead('ada'), NINE + 1_000);
    world.do(contact('open'), NINE + 1_000 + 5_000 + 5_000);
    expect(liveKinds(world)).toContain('door_forced');
  });

  it('as a denied read would have it, is forced', () => {
    const world = closedDoor();
    world.do(aRead('ben'), NINE + 1_000);
    world.do(contact('open'), NINE + 2_000);
    expect(liveKinds(world)).toContain('door_forced');
  });

  it('was just open when first heard of', () => {
    const world = aWorld();
    world.do(contact('open'), NINE);
    expect(liveKinds(world)).not.toContain('door_forced');
  });

  it('without an exit button and with somebody inside is somebody leaving', () => {
    const site = aSite({ doors: [aDoor('d1', 'r1', { exit: undefined })] });
    const world = closedDoor({ site });
    world.do({ kind: 'reading', point: 'r1-unit/presence', value: true, retained: false }, NINE + 100);
    world.do(contact('open'), NINE + 1_000);
    expect(liveKinds(world)).not.toContain('door_forced');
  });
});

describe('a door that stays open', () => {
  it('alarms after its time and not a tick before, and is over when closed', () => {
    const world = closedDoor();
    world.do({ kind: 'request_to_exit', point: 'd1-lock/exit' }, NINE);
    world.do(contact('open'), NINE + 1_000);
    world.do(TICK, NINE + 1_000 + 119_999);
    expect(liveKinds(world)).not.toContain('door_held_open');
    const effects = world.do(TICK, NINE + 1_000 + 120_000);
    expect(liveKinds(world)).toContain('door_held_open');
    expect(journalOf(effects).map((entry) => entry.kind)).toContain('door_held_open');
    world.do(contact('closed'), NINE + 5 * MINUTE);
    expect(liveKinds(world)).not.toContain('door_held_open');
  });
});

describe('a command to a lock', () => {
  it('is pending until the lock says so, and asked and reported stay apart', () => {
    const world = closedDoor();
    const command = commandsOf(world.do(aRead('ada'), NINE + 1_000), 'unlock')[0];
    expect(world.state.doors.get('d1')).toMatchObject({
      lock: 'locked',
      lastCommand: { id: command?.id, outcome: 'pending' },
    });
    world.do(lock('unlocked'), NINE + 1_500);
    const effects = world.do(
      { kind: 'command_outcome', command: command?.id ?? '', point: 'd1-lock/lock', outcome: 'confirmed' },
      NINE + 1_500,
    );
    expect(world.state.doors.get('d1')).toMatchObject({ lock: 'unlocked', lastCommand: { outcome: 'confirmed' } });
    expect(journalOf(effects)[0]).toMatchObject({
      kind: 'command',
      outcome: 'confirmed',
      command: command?.id,
      door: 'd1',
    });
  });

  it.each(['failed', 'unknown'] as const)('that ends %s is an alarm until the next one works', (outcome) => {
    const world = closedDoor();
    const first = commandsOf(world.do(aRead('ada'), NINE + 1_000), 'unlock')[0];
    world.do({ kind: 'command_outcome', command: first?.id ?? '', point: 'd1-lock/lock', outcome }, NINE + 11_000);
    expect(liveKinds(world)).toContain('unlock_failed');
    const second = commandsOf(world.do(aRead('ada'), NINE + 20_000), 'unlock')[0];
    world.do(
      { kind: 'command_outcome', command: second?.id ?? '', point: 'd1-lock/lock', outcome: 'confirmed' },
      NINE + 21_000,
    );
    expect(liveKinds(world)).not.toContain('unlock_failed');
  });

  it('that nobody follows up is journalled as not taken', () => {
    const world = closedDoor();
    const command = commandsOf(world.do(aRead('ada'), NINE), 'unlock')[0];
    world.do(
      { kind: 'command_outcome', command: command?.id ?? '', point: 'd1-lock/lock', outcome: 'confirmed' },
      NINE + 500,
    );
    expect(journalOf(world.do(TICK, NINE + 9_999))).toEqual([]);
    expect(journalOf(world.do(TICK, NINE + 10_000))[0]).toMatchObject({
      kind: 'access_not_taken',
      reason: 'no_entry_after_granted',
      member: 'ada',
      booking: 'b',
    });
  });

  it('from an operator carries user and reason into the journal before it leaves', () => {
    const world = closedDoor();
    const effects = world.do(
      { kind: 'operator_door', op: 'unlock', command: 'c1', door: 'd1', user: 'manager', reason: 'locked out' },
      NINE,
    );
    expect(effects[0]).toMatchObject({
      kind: 'journal',
      entry: { kind: 'operator', user: 'manager', note: 'locked out', command: 'c1' },
    });
    expect(commandsOf(effects, 'unlock')[0]).toMatchObject({ id: 'c1', point: 'd1-lock/lock' });
  });
});

describe('a device that goes away', () => {
  it('makes its door unknown at once, and an alarm after a minute', () => {
    const world = closedDoor();
    world.do({ kind: 'device', device: 'd1-lock', online: false }, NINE + 1_000);
    expect(world.state.doors.get('d1')).toMatchObject({ lock: 'unknown', contact: 'unknown' });
    world.do(TICK, NINE + 1_000 + 59_999);
    expect(liveKinds(world)).not.toContain('device_offline');
    world.do(TICK, NINE + 1_000 + 60_000);
    expect(liveKinds(world)).toContain('device_offline');
    world.do({ kind: 'device', device: 'd1-lock', online: true }, NINE + 2 * MINUTE);
    expect(liveKinds(world)).not.toContain('device_offline');
  });

  it('that jams its lock is a critical alarm while it lasts', () => {
    const world = closedDoor();
    world.do(lock('jammed'), NINE + 1_000);
    expect(liveKinds(world)).toContain('lock_jammed');
    world.do(lock('locked'), NINE + 2_000);
    expect(liveKinds(world)).not.toContain('lock_jammed');
  });
});

describe('a technician’s test', () => {
  it.each([
    ['r1-unit/relay', { op: 'set', value: 'on', forMs: 2_000 }],
    ['r1-unit/dimmer', { op: 'set', value: 100 }],
    ['d1-reader/reader', { op: 'indicate', signal: 'wait' }],
  ])('moves %s for a moment', (point, expected) => {
    const effects = aWorld().do({ kind: 'test_pulse', command: 'c1', point, user: 'tech' }, NINE);
    expect(commandsOf(effects).find((command) => command.id === 'c1')?.do).toEqual(expected);
  });

  it.each([
    ['reports on', [{ kind: 'reading', point: 'r1-unit/relay-2', value: 'on', retained: false }]],
    ['is wanted on', [{ kind: 'reading', point: 'r1-unit/temperature', value: 33, retained: false }]],
    [
      'was on when it was lost',
      [
        { kind: 'reading', point: 'r1-unit/relay-2', value: 'on', retained: false },
        { kind: 'device', device: 'r1-unit', online: false },
      ],
    ],
  ] as const)('does not heat while the room’s cooling %s, and the journal says why', (_name, facts) => {
    const world = aWorld();
    const point = 'r1-unit/relay';
    for (const fact of facts) world.do(fact, NINE);
    const effects = world.do({ kind: 'test_pulse', command: 'c1', point, user: 'tech' }, NINE + 1_000);
    expect(commandsOf(effects).filter((command) => command.id === 'c1')).toEqual([]);
    expect(journalOf(effects)[0]?.note).toMatch(/^test of r1-unit\/relay refused: cooling is, or may be, on/);
  });

  it('keeps cooling away from a heater under test, which has not told yet that it is on', () => {
    const world = aWorld();
    for (const relay of ['relay', 'relay-2'])
      world.do({ kind: 'reading', point: `r1-unit/${relay}`, value: 'off', retained: false }, NINE - HOUR);
    world.do({ kind: 'test_pulse', command: 'c1', point: 'r1-unit/relay', user: 'tech' }, NINE);
    const hot = { kind: 'reading', point: 'r1-unit/temperature', value: 33, retained: false } as const;
    expect(commandsOf(world.do(hot, NINE + 100), 'set').map(({ point }) => point)).not.toContain('r1-unit/relay-2');
  });

  it.each(['d1-lock/lock', 'r1-unit/relay-2'])('never moves a lock or a compressor: %s', (point) => {
    const effects = aWorld().do({ kind: 'test_pulse', command: 'c1', point, user: 'tech' }, NINE);
    expect(commandsOf(effects).filter((command) => command.id === 'c1')).toEqual([]);
  });
});
