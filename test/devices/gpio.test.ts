import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OutgoingCommand } from '../../devices/driver.ts';
import { findLine } from '../../devices/gpio/chips.ts';
import { safeLevel } from '../../devices/gpio/config.ts';
import { Debouncer, MAX_SETTLE_MS } from '../../devices/gpio/debounce.ts';
import { CommandGate, REMEMBERED_IDS } from '../../devices/gpio/gate.ts';
import { gpioDriver } from '../../devices/gpio/index.ts';
import { MAX_FOR_MS, MAX_HOLD_MS, switchingOf } from '../../devices/gpio/switching.ts';

// Importing a driver must load no native module; a real load would fail this file.
vi.mock('onoff', () => {
  throw new Error('onoff was loaded');
});

describe('configuration', () => {
  const check = (...pins: unknown[]) => gpioDriver.schema.safeParse({ pins });

  it('takes locks, relays, contacts, buttons and presence, several of a kind by number', () => {
    const found = check(
      { capability: 'lock', pin: 17, activeLow: true },
      { capability: 'relay', pin: 22, safe: 'on' },
      { capability: 'relay-2', pin: 23 },
      { capability: 'door', pin: 5, activeLow: true, pull: 'up', debounceMs: 50 },
      { capability: 'exit', pin: 6 },
      { capability: 'presence', pin: 13 },
    );
    expect(found.error).toBeUndefined();
    if (found.data === undefined) throw new Error('refused');
    expect(gpioDriver.capabilities(found.data)).toEqual(['lock', 'relay', 'relay-2', 'door', 'exit', 'presence']);
  });

  it.each<[string, unknown[], (string | number)[]]>([
    ['an unknown key', [{ capability: 'relay', pin: 17, invert: true }], ['pins', 0]],
    ['a capability that a pin cannot have', [{ capability: 'temperature', pin: 17 }], ['pins', 0, 'capability']],
    ['a first instance with a number', [{ capability: 'relay-1', pin: 17 }], ['pins', 0, 'capability']],
    ['a pin that the header does not carry', [{ capability: 'relay', pin: 28 }], ['pins', 0, 'pin']],
    ['a safe state of a lock', [{ capability: 'lock', pin: 17, safe: 'on' }], ['pins', 0, 'safe']],
    ['a safe state of an input', [{ capability: 'door', pin: 17, safe: 'on' }], ['pins', 0, 'safe']],
    ['a debounced output', [{ capability: 'relay', pin: 17, debounceMs: 20 }], ['pins', 0, 'debounceMs']],
    ['a pulled output', [{ capability: 'relay', pin: 17, pull: 'up' }], ['pins', 0, 'pull']],
    ['a debounce that hides 400 ms', [{ capability: 'door', pin: 17, debounceMs: 201 }], ['pins', 0, 'debounceMs']],
    [
      'one pin twice',
      [
        { capability: 'door', pin: 17 },
        { capability: 'exit', pin: 17 },
      ],
      ['pins', 1, 'pin'],
    ],
    [
      'one capability twice',
      [
        { capability: 'door', pin: 5 },
        { capability: 'door', pin: 6 },
      ],
      ['pins', 1, 'capability'],
    ],
    ['no pin at all', [], ['pins']],
  ])('refuses %s and says where', (_name, pins, path) => {
    expect(check(...pins).error?.issues.map((issue) => issue.path)).toContainEqual(path);
  });

  it.each([
    [{ capability: 'lock', activeLow: false }, 0],
    [{ capability: 'lock', activeLow: true }, 1],
    [{ capability: 'relay', activeLow: false }, 0],
    [{ capability: 'relay', activeLow: true }, 1],
    [{ capability: 'relay', activeLow: false, safe: 'on' as const }, 1],
    [{ capability: 'relay', activeLow: true, safe: 'on' as const }, 0],
    [{ capability: 'relay', activeLow: true, safe: 'off' as const }, 1],
  ])('knows the safe level of %j', (pin, level) => {
    expect(safeLevel({ pin: 17, ...pin })).toBe(level);
  });
});

describe('the kernel line of a BCM pin', () => {
  const pi4 = [
    { label: 'raspberrypi-exp-gpio', base: 570, ngpio: 8 },
    { label: 'pinctrl-bcm2711', base: 512, ngpio: 58 },
  ];
  it.each([
    ['a Pi 4 since kernel 6.6', pi4, 529],
    ['a Pi 4 before it', [{ label: 'pinctrl-bcm2711', base: 0, ngpio: 58 }], 17],
    ['a Pi 3', [{ label: 'pinctrl-bcm2835', base: 512, ngpio: 54 }], 529],
    [
      'a Pi 5, whose other chips come first',
      [
        { label: 'gpio-brcmstb@107d508500', base: 512, ngpio: 32 },
        { label: 'pinctrl-rp1', base: 569, ngpio: 54 },
      ],
      586,
    ],
  ])('is found on %s', (_name, chips, line) => {
    expect(findLine(chips, 17)).toEqual({ found: true, line });
  });

  it('is not invented where there is no header', () => {
    expect(findLine([{ label: 'gpio-pch', base: 0, ngpio: 32 }], 17)).toEqual({
      found: false,
      why: 'no Raspberry Pi header among the GPIO chips (found: gpio-pch)',
    });
    expect(findLine([], 17)).toMatchObject({ found: false, why: expect.stringContaining('none') });
    expect(findLine([{ label: 'pinctrl-rp1', base: 0, ngpio: 8 }], 17)).toMatchObject({ found: false });
  });
});

describe('what a command asks of an output', () => {
  it.each([
    ['lock', { op: 'unlock', holdMs: 5000 }, { ok: true, energise: true, forMs: 5000 }],
    ['lock', { op: 'unlock', holdMs: MAX_HOLD_MS }, { ok: true, energise: true, forMs: MAX_HOLD_MS }],
    ['lock', { op: 'lock' }, { ok: true, energise: false }],
    ['relay', { op: 'set', value: 'on' }, { ok: true, energise: true }],
    ['relay', { op: 'set', value: 'off', forMs: MAX_FOR_MS }, { ok: true, energise: false, forMs: MAX_FOR_MS }],
  ] as const)('%s %j', (kind, order, expected) => {
    expect(switchingOf(kind, order)).toEqual(expected);
  });

  it.each([
    ['lock', { op: 'unlock', holdMs: 0 }],
    ['lock', { op: 'unlock', holdMs: -1 }],
    ['lock', { op: 'unlock', holdMs: MAX_HOLD_MS + 1 }],
    ['lock', { op: 'unlock', holdMs: Number.NaN }],
    ['lock', { op: 'unlock', holdMs: Number.POSITIVE_INFINITY }],
    ['lock', { op: 'set', value: 'on' }],
    ['relay', { op: 'set', value: 50 }],
    ['relay', { op: 'set', value: 'on', forMs: MAX_FOR_MS + 1 }],
    ['relay', { op: 'unlock', holdMs: 5000 }],
    ['relay', { op: 'indicate', signal: 'granted' }],
  ] as const)('%s refuses %j with a reason', (kind, order) => {
    expect(switchingOf(kind, order)).toEqual({ ok: false, why: expect.stringMatching(/\.$/) });
  });
});

describe('commands that must be refused', () => {
  const command = (id: string, more: Partial<OutgoingCommand> = {}): OutgoingCommand => ({
    id,
    capability: 'lock',
    do: { op: 'lock' },
    issuedAtMs: 0,
    ttlMs: 5000,
    ...more,
  });

  it('remembers exactly the last 64 ids', () => {
    const gate = new CommandGate('b1');
    for (let i = 0; i < REMEMBERED_IDS; i += 1) expect(gate.refusal(command(`c${i}`))).toBeUndefined();
    expect(gate.refusal(command('c0'))).toMatchObject({ result: 'duplicate' });
    expect(gate.refusal(command('c64'))).toBeUndefined();
    expect(gate.refusal(command('c1'))).toMatchObject({ result: 'duplicate' });
    expect(gate.refusal(command('c0'))).toBeUndefined();
  });

  it('refuses what has no life left, and what was meant for an earlier start', () => {
    const gate = new CommandGate('b1');
    expect(gate.refusal(command('c1', { ttlMs: 0 }))).toMatchObject({ result: 'expired' });
    expect(gate.refusal(command('c1', { ttlMs: Number.NaN }))).toMatchObject({ result: 'expired' });
    expect(gate.refusal(command('c1', { boot: 'b0' }))).toMatchObject({ result: 'stale' });
    expect(gate.refusal(command('c1', { boot: 'b1', ttlMs: 1 }))).toBeUndefined();
  });
});

describe('debouncing', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A contact whose level is set by the test; each change of it is an edge. */
  function contact(debounceMs: number) {
    const told: { active: boolean; atMs: number }[] = [];
    const startMs = Date.now();
    let level = false;
    const debouncer = new Debouncer(
      debounceMs,
      false,
      () => level,
      (active) => told.push({ active, atMs: Date.now() - startMs }),
    );
    const set = (active: boolean) => {
      if (active !== level) {
        level = active;
        debouncer.edge();
      }
    };
    return { set, told, debouncer };
  }

  it('tells a change once the contact has rested, counted from its last edge', () => {
    const { set, told } = contact(20);
    for (const active of [true, false, true]) {
      set(active);
      vi.advanceTimersByTime(5);
    }
    vi.advanceTimersByTime(100);
    expect(told).toEqual([{ active: true, atMs: 30 }]);
  });

  it('passes a spike over', () => {
    const { set, told } = contact(20);
    set(true);
    vi.advanceTimersByTime(19);
    set(false);
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([]);
  });

  it('samples a contact that never rests', () => {
    const { set, told } = contact(20);
    for (let ms = 0; ms < MAX_SETTLE_MS; ms += 1) {
      set(ms % 2 === 0);
      vi.advanceTimersByTime(1);
    }
    set(true);
    vi.advanceTimersByTime(MAX_SETTLE_MS);
    expect(told.some((one) => one.active && one.atMs <= 2 * MAX_SETTLE_MS)).toBe(true);
  });

  it('tells nothing after it was stopped', () => {
    const { set, told, debouncer } = contact(20);
    set(true);
    debouncer.stop();
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([]);
  });

  it('always sees an input of 400 ms, whatever bounces before and after it and at any debounce time longer than a bounce', () => {
    const bounces = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 200 }), bounces, bounces, (debounceMs, before, after) => {
        const { set, told } = contact(debounceMs);
        const bounce = (gaps: readonly number[], end: boolean) => {
          for (const [i, gap] of gaps.entries()) {
            set(i % 2 === 0 ? end : !end);
            vi.advanceTimersByTime(gap);
          }
          set(end);
        };
        bounce(before, true);
        vi.advanceTimersByTime(400);
        bounce(after, false);
        vi.advanceTimersByTime(1000);
        expect(told.map((one) => one.active)).toEqual([true, false]);
      }),
    );
  });
});
