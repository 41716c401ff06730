import { describe, expect, it, vi } from 'vitest';
import type { Command, Effect } from '../../gateway/core/effects.ts';
import { MAX_WAITING_ENTRIES } from '../../gateway/loop/committer.ts';
import { Keeper } from '../../gateway/loop/keeper.ts';
import { Loop } from '../../gateway/loop/loop.ts';
import { FactQueue, MAX_WAITING } from '../../gateway/loop/queue.ts';
import { ManualClock } from '../support/clock.ts';
import { MemoryJournal } from '../support/journal.ts';
import { aBooking, aRead, aWorld, HOUR, MONDAY } from '../support/records.ts';

const NINE = MONDAY + 9 * HOUR;

function aLoop() {
  const clock = new ManualClock(NINE);
  const journal = new MemoryJournal();
  const performed: Command[] = [];
  const log = { error: vi.fn(), warn: vi.fn() };
  const { state } = aWorld({ bookings: [aBooking('b', NINE, NINE + HOUR)], atMs: NINE });
  const loop = new Loop({
    state,
    clock,
    journal: journal as never,
    log,
    perform: (command) => performed.push(command),
  });
  return { clock, journal, performed, log, loop, state };
}

const unlocks = (commands: readonly Command[]) => commands.filter((command) => command.do.op === 'unlock');

describe('the loop', () => {
  it('makes a grant durable before its unlock leaves', async () => {
    const { loop, journal, performed } = aLoop();
    const seen: string[] = [];
    const append = journal.append.bind(journal);
    journal.append = (drafts, at) => {
      seen.push(`journal:${performed.length}`);
      return append(drafts, at);
    };
    await loop.submit(aRead('ada'));
    expect(seen).toEqual(['journal:0']);
    expect(unlocks(performed)).toHaveLength(1);
    expect(journal.entries[0]?.command).toBe(unlocks(performed)[0]?.id);
  });

  it('lets badges of one moment share one commit', async () => {
    const { loop, journal } = aLoop();
    await Promise.all(['ada', 'ben', 'eve'].map((who) => loop.submit(aRead(who))));
    expect(journal.entries).toHaveLength(3);
    expect(journal.appends).toBe(1);
  });

  it('writes what no order waits for together and a moment later, and before the next grant', async () => {
    const { loop, journal, performed } = aLoop();
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    loop.post(aRead('eve'));
    await turn();
    loop.post(aRead('ben'));
    await turn();
    expect(journal.entries).toEqual([]);
    await vi.waitFor(() => expect(journal.entries).toHaveLength(2));
    expect(journal.appends).toBe(1);
    loop.post(aRead('zoe'));
    await turn();
    loop.post(aRead('ada'));
    await turn();
    expect(journal.entries.map((entry) => entry.outcome)).toEqual(['denied', 'denied', 'denied', 'granted']);
    expect(unlocks(performed)).toHaveLength(1);
    loop.stop();
  });

  it('lets a lone unlock leave before anything else is done, and does that before the next fact', async () => {
    const { loop, performed, journal } = aLoop();
    const told: string[] = [];
    loop.onJournal((entries) => told.push(...entries.map(({ outcome }) => `${outcome}`)));
    const orders = () => performed.map(({ do: { op } }) => op);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    await turn();
    loop.post(aRead('ada'));
    await new Promise<void>((resolve) => process.nextTick(resolve));
    expect(journal.entries).toHaveLength(1);
    expect({ orders: orders(), told }).toEqual({ orders: ['unlock'], told: [] });
    await loop.submit(aRead('eve'));
    expect({ orders: orders(), told }).toEqual({
      orders: ['unlock', 'indicate', 'indicate'],
      told: ['granted', 'denied'],
    });
  });

  it('does what follows a lone unlock soon, or when it stops', async () => {
    const soon = aLoop();
    soon.loop.post(aRead('ada'));
    await vi.waitFor(() => expect(soon.performed.map(({ do: { op } }) => op)).toEqual(['unlock', 'indicate']));
    const stopped = aLoop();
    stopped.loop.post(aRead('ada'));
    stopped.loop.stop();
    expect(stopped.performed.map(({ do: { op } }) => op)).toEqual(['unlock', 'indicate']);
  });

  it('lets valid holders in while the disk refuses, alarms, and keeps the entries for later', async () => {
    const { loop, journal, performed, clock } = aLoop();
    journal.refuses = 'disk full';
    await loop.submit(aRead('ada'));
    expect(unlocks(performed)).toHaveLength(1);
    await loop.submit({ kind: 'tick' });
    expect(loop.alarms().map((alarm) => alarm.kind)).toContain('journal');
    journal.refuses = undefined;
    clock.advance(2_000);
    await loop.submit({ kind: 'tick' });
    expect(journal.entries.map((entry) => entry.outcome)).toContain('granted');
    await loop.submit({ kind: 'tick' });
    expect(loop.alarms().map((alarm) => alarm.kind)).not.toContain('journal');
  });

  it('unlocks nothing any more when the entries that wait fill their queue', async () => {
    const { loop, journal, performed, clock, log } = aLoop();
    journal.refuses = 'disk full';
    for (let i = 0; i < MAX_WAITING_ENTRIES; i++) {
      void loop.submit({ ...aRead('eve'), hashes: [`hash-${i}`] });
      if (i % 500 === 499) await loop.submit({ kind: 'tick' });
    }
    clock.advance(2_000);
    performed.length = 0;
    await loop.submit(aRead('ada'));
    expect(unlocks(performed)).toEqual([]);
    expect(log.error).toHaveBeenCalledWith(expect.anything(), expect.stringContaining('unlock withheld'));
    expect(loop.doors().find((door) => door.id === 'd1')?.lastCommand?.outcome).not.toBe('confirmed');
  });

  it('goes on with the other rooms when one breaks the core', async () => {
    const { loop, state, log } = aLoop();
    for (const room of state.site.rooms) state.unsettled.add(room.id);
    const looked = vi.spyOn(state.schedule, 'held').mockImplementationOnce(() => {
      throw new Error('a broken room');
    });
    await loop.submit({ ...aRead('eve'), point: 'nowhere/reader' });
    await loop.submit({ ...aRead('eve'), point: 'nowhere/reader' });
    expect(looked).toHaveBeenCalledTimes(state.site.rooms.length);
    expect(log.error).toHaveBeenCalledWith(expect.objectContaining({ fact: 'settle' }), expect.anything());
    expect([...state.unsettled]).toEqual([]);
  });

  it('sends no order whose commit took longer than the order holds', async () => {
    const { loop, journal, performed, clock, state } = aLoop();
    const append = journal.append.bind(journal);
    journal.append = (drafts, at) => {
      if (performed.length === 0) clock.advance(5_001);
      return append(drafts, at);
    };
    await loop.submit(aRead('ada'));
    await loop.submit({ kind: 'tick' });
    expect(performed).toEqual([]);
    expect(journal.entries.map((entry) => entry.outcome)).toEqual(['granted', 'failed']);
    expect(state.doors.get('d1')?.lastCommand?.outcome).toBe('failed');
  });

  it('lets the other orders of a batch leave when one cannot be sent', async () => {
    const { clock, journal, log, state } = aLoop();
    const performed: Command[] = [];
    const perform = (command: Command) => {
      if (command.point === 'd1-lock/lock') throw new Error('the port is gone');
      performed.push(command);
    };
    const loop = new Loop({ state, clock, journal: journal as never, log, perform });
    await loop.submit(aRead('ada'));
    await loop.submit({ kind: 'tick' });
    expect(performed.map((command) => command.do.op)).toEqual(['indicate']);
    expect(journal.entries.map((entry) => entry.outcome)).toEqual(['granted', 'failed']);
  });

  it('survives a fact that breaks the core, and unlocks nothing for it', async () => {
    const { loop, log, performed } = aLoop();
    await loop.submit({
      kind: 'credential',
      point: 'd1-reader/reader',
      hashes: null,
      format: 'uid',
      last4: '',
    } as never);
    expect(log.error).toHaveBeenCalled();
    expect(unlocks(performed)).toEqual([]);
    await loop.submit(aRead('ada'));
    expect(unlocks(performed)).toHaveLength(1);
  });

  it('tells who asks the outcome of a command, early or late, and unknown after its time', async () => {
    const { loop, clock } = aLoop();
    const early = loop.outcome('c1', 10_000);
    await loop.submit({ kind: 'command_outcome', command: 'c1', point: 'd1-lock/lock', outcome: 'confirmed' });
    expect(await early).toEqual({ outcome: 'confirmed' });
    expect(await loop.outcome('c1', 10_000)).toEqual({ outcome: 'confirmed' });
    const never = loop.outcome('c2', 10_000);
    clock.advance(10_000);
    expect(await never).toEqual({ outcome: 'unknown' });
  });

  it('tells changes at most ten times a second, and whole', async () => {
    const { loop, clock } = aLoop();
    const told: string[][] = [];
    loop.onChanges((changes) => told.push(changes.doors.map((door) => door.id)));
    await loop.submit(aRead('ada'));
    await loop.submit({ kind: 'reading', point: 'd1-lock/lock', value: 'unlocked', retained: false });
    await loop.submit({ kind: 'reading', point: 'd2-lock/lock', value: 'locked', retained: false });
    expect(told).toHaveLength(1);
    clock.advance(100);
    expect(told[1]).toEqual(['d1', 'd2']);
  });

  it('does not keep a room occupied whose sensor told of presence and was lost in one moment', async () => {
    const { loop, clock } = aLoop();
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    // Facts that come in a crowd are decided in one batch.
    loop.post({ kind: 'tick' });
    loop.post({ kind: 'reading', point: 'r2-unit/presence', value: true, retained: false });
    loop.post({ kind: 'device', device: 'r2-unit', online: false });
    await turn();
    for (let minute = 0; minute < 60; minute += 1) {
      clock.advance(60_000);
      await loop.submit({ kind: 'tick' });
    }
    expect(loop.rooms().find((room) => room.id === 'r2')?.occupancy.state).toBe('unknown');
  });

  it('decides what is queued before it stops, and takes nothing after', async () => {
    const { loop, journal } = aLoop();
    loop.post(aRead('ada'));
    loop.stop();
    expect(journal.entries).toHaveLength(1);
    expect(loop.post(aRead('ben'))).toBe(false);
    await expect(loop.submit({ kind: 'tick' })).rejects.toThrow(/overloaded/);
  });
});

describe('the queue', () => {
  it('lets badges pass sensor values, and keeps only the newest value of a point', () => {
    const queue = new FactQueue();
    queue.put({ fact: { kind: 'reading', point: 'a/temperature', value: 1, retained: false } });
    queue.put({ fact: { kind: 'reading', point: 'a/temperature', value: 2, retained: false } });
    queue.put({ fact: aRead('ada') });
    expect(queue.take(10).map(({ fact }) => (fact.kind === 'reading' ? fact.value : fact.kind))).toEqual([
      'credential',
      2,
    ]);
  });

  it('keeps every report of a lock and a contact', () => {
    const queue = new FactQueue();
    for (const value of ['closed', 'open', 'closed'])
      queue.put({ fact: { kind: 'reading', point: 'a/door', value, retained: false } });
    expect(queue.take(10)).toHaveLength(3);
  });

  const reading = (point: string, value: number) =>
    ({ fact: { kind: 'reading', point, value, retained: false } }) as const;
  const link = (device: string, online: boolean) => ({ fact: { kind: 'device', device, online } }) as const;
  const taken = (queue: FactQueue) =>
    queue.take(10).map(({ fact }) => {
      if (fact.kind === 'reading') return `${fact.point} ${fact.value}`;
      return fact.kind === 'device' ? `${fact.device} ${fact.online}` : fact.kind;
    });

  it('lets a device come and go only after what it told before, and keeps that ahead of what it tells after', () => {
    const queue = new FactQueue();
    queue.put(reading('a/temperature', 1));
    queue.put(reading('ab/temperature', 2));
    queue.put(link('a', false));
    queue.put(link('a', true));
    queue.put(reading('a/temperature', 3));
    queue.put({ fact: aRead('ada') });
    expect(taken(queue)).toEqual([
      'a/temperature 1',
      'a false',
      'a true',
      'credential',
      'ab/temperature 2',
      'a/temperature 3',
    ]);
  });

  it('is bounded', () => {
    const queue = new FactQueue();
    for (let i = 0; i < MAX_WAITING; i++) expect(queue.put({ fact: { kind: 'tick' } })).toBe(true);
    expect(queue.put({ fact: { kind: 'tick' } })).toBe(false);
    queue.take(1);
    expect(queue.put({ fact: { kind: 'tick' } })).toBe(true);
  });

  it('is bounded for a device and what it told as for anything else', () => {
    const queue = new FactQueue(3);
    queue.put({ fact: { kind: 'tick' } });
    for (const point of ['a/temperature', 'a/humidity', 'a/co2']) queue.put(reading(point, 1));
    expect(queue.put(reading('a/people', 1))).toBe(false);
    expect(queue.put(link('a', false))).toBe(false);
    expect(queue.size).toBe(4);
    queue.take(4);
    expect(queue.put(link('a', false))).toBe(true);
  });
});

describe('the keeper', () => {
  const effect: Effect = {
    kind: 'telemetry',
    point: { measurement: 'access', tags: { site: 's' }, fields: { count: { int: 1 } }, atMs: 1 },
  };

  it('groups what came within a second, and keeps it while the disk refuses', () => {
    const clock = new ManualClock(NINE);
    const appended: number[] = [];
    const failures: (string | undefined)[] = [];
    let refuses = true;
    const nothing = { put: () => {} };
    const store = {
      outbox: {
        append: (points: readonly unknown[]) => {
          if (refuses) throw new Error('disk full');
          appended.push(points.length);
        },
        trim: () => {},
      },
      alarms: nothing,
      relays: nothing,
      unknownCards: nothing,
      together: (writes: () => void) => writes(),
    };
    const keeper = new Keeper(store, clock, (why) => failures.push(why));
    let take: (effect: Effect) => void = () => {};
    keeper.attach({
      onEffect: (listener) => {
        take = listener;
        return () => {};
      },
    });
    take(effect);
    take(effect);
    clock.advance(1_000);
    refuses = false;
    take(effect);
    clock.advance(1_000);
    expect(appended).toEqual([3]);
    expect(failures).toEqual(['disk full', undefined]);
    keeper.stop();
    clock.advance(10_000);
    expect(clock.waiting).toBe(0);
  });
});
