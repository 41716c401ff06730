import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fact } from '../../gateway/core/facts.ts';
import type { Booking, BookingStatus, Member } from '../../gateway/core/records.ts';
import { createState } from '../../gateway/core/state.ts';
import { step } from '../../gateway/core/step.ts';
import {
  aBooking,
  aCredential,
  aMember,
  aRead,
  aSite,
  at,
  aWorld,
  commandsOf,
  HOUR,
  journalOf,
  MINUTE,
  MONDAY,
  verdict,
} from '../support/records.ts';

const NINE = MONDAY + 9 * HOUR;
const TEN = MONDAY + 10 * HOUR;

describe('a booking opens its room', () => {
  const cases: readonly [string, readonly Booking[], number, string][] = [
    ['first millisecond of the window', [aBooking('b', NINE, TEN)], NINE - 10 * MINUTE, 'granted'],
    [
      'one millisecond before the window',
      [aBooking('b', NINE, TEN)],
      NINE - 10 * MINUTE - 1,
      'denied_out_of_time_range/booking_not_started',
    ],
    ['last millisecond of the window', [aBooking('b', NINE, TEN)], TEN + 5 * MINUTE - 1, 'granted'],
    [
      'first millisecond after the window',
      [aBooking('b', NINE, TEN)],
      TEN + 5 * MINUTE,
      'denied_out_of_time_range/booking_ended',
    ],
    [
      'days before',
      [aBooking('b', NINE + 72 * HOUR, TEN + 72 * HOUR)],
      NINE,
      'denied_out_of_time_range/booking_not_started',
    ],
    ['no booking at all', [], NINE, 'denied_point_no_access_rights/booking_none'],
    [
      "in another's booking",
      [aBooking('b', NINE, TEN, { holder: 'ben' })],
      NINE,
      'denied_point_no_access_rights/booking_other_holder',
    ],
    ['as a delegate', [aBooking('b', NINE, TEN, { holder: 'ben', delegates: ['ada'] })], NINE, 'granted'],
    [
      'booked in another room only',
      [aBooking('b', NINE, TEN, { room: 'r2' })],
      NINE,
      'denied_point_no_access_rights/booking_none',
    ],
    [
      'cancelled',
      [aBooking('b', NINE, TEN, { status: 'cancelled' })],
      NINE,
      'denied_out_of_time_range/booking_cancelled',
    ],
    [
      'cancelled, and booked anew',
      [aBooking('a', NINE, TEN, { status: 'cancelled' }), aBooking('b', NINE, TEN)],
      NINE,
      'granted',
    ],
    [
      'cancelled, and booked again a little later',
      [aBooking('a', NINE, TEN, { status: 'cancelled' }), aBooking('b', NINE + 20 * MINUTE, TEN)],
      NINE,
      'denied_out_of_time_range/booking_not_started',
    ],
    [
      'cancelled, after one that has just ended',
      [aBooking('a', NINE, TEN, { status: 'cancelled' }), aBooking('b', NINE - HOUR, NINE - 10 * MINUTE)],
      NINE,
      'denied_out_of_time_range/booking_ended',
    ],
    [
      'cancelled, with another one tomorrow',
      [aBooking('a', NINE, TEN, { status: 'cancelled' }), aBooking('b', NINE + 24 * HOUR, TEN + 24 * HOUR)],
      NINE,
      'denied_out_of_time_range/booking_cancelled',
    ],
    [
      'just ended, with another one tomorrow',
      [aBooking('a', NINE - HOUR, NINE - 10 * MINUTE), aBooking('b', NINE + 24 * HOUR, TEN + 24 * HOUR)],
      NINE,
      'denied_out_of_time_range/booking_ended',
    ],
    ['released', [aBooking('b', NINE, TEN, { status: 'released' })], NINE, 'denied_out_of_time_range/booking_released'],
    [
      'tentative',
      [aBooking('b', NINE, TEN, { status: 'tentative' })],
      NINE,
      'denied_point_no_access_rights/booking_tentative',
    ],
    ['checked in', [aBooking('b', NINE, TEN, { status: 'checked_in' })], NINE, 'granted'],
    [
      "early grace clipped by the neighbour's end",
      [aBooking('a', NINE - HOUR, NINE - 4 * MINUTE, { holder: 'ben' }), aBooking('b', NINE, TEN)],
      NINE - 4 * MINUTE - 1,
      'denied_out_of_time_range/booking_not_started',
    ],
    [
      'from the neighbour’s end',
      [aBooking('a', NINE - HOUR, NINE - 4 * MINUTE, { holder: 'ben' }), aBooking('b', NINE, TEN)],
      NINE - 4 * MINUTE,
      'granted',
    ],
    [
      "late grace clipped by the neighbour's start",
      [aBooking('a', NINE, TEN), aBooking('b', TEN + 2 * MINUTE, TEN + HOUR, { holder: 'ben' })],
      TEN + 2 * MINUTE,
      'denied_out_of_time_range/booking_ended',
    ],
    ['overnight is one window', [aBooking('b', MONDAY + 22 * HOUR, MONDAY + 30 * HOUR)], MONDAY + 24 * HOUR, 'granted'],
    [
      'a calendar never read',
      [aBooking('b', NINE, TEN, { source: 'ics-1' })],
      NINE,
      'denied_out_of_time_range/schedule_too_old',
    ],
  ];
  it.each(cases)('%s', (_name, bookings, atMs, expected) => {
    expect(verdict(aWorld({ bookings }).do(aRead('ada'), atMs))).toBe(expected);
  });

  it('believes no outside calendar that was read long after now: how old it is nobody knows', () => {
    const world = aWorld({ bookings: [aBooking('b', NINE, TEN, { source: 'ics-1' })] });
    world.do({ kind: 'schedule_fresh', source: 'ics-1', atMs: NINE + 36 * HOUR }, NINE);
    expect(verdict(world.do(aRead('ada'), NINE))).toBe('granted');
    world.do({ kind: 'schedule_fresh', source: 'ics-1', atMs: NINE + 37 * HOUR }, NINE);
    expect(verdict(world.do(aRead('ada'), NINE + 20_000))).toBe('denied_out_of_time_range/schedule_too_old');
  });

  it('believes an outside calendar up to its greatest age', () => {
    const world = aWorld({ bookings: [aBooking('b', NINE, TEN + 90 * HOUR, { source: 'ics-1' })] });
    world.do({ kind: 'schedule_fresh', source: 'ics-1', atMs: NINE }, NINE);
    expect(verdict(world.do(aRead('ada'), NINE + 36 * HOUR))).toBe('granted');
    expect(verdict(world.do(aRead('ada'), NINE + 36 * HOUR + 1_001))).toBe('denied_out_of_time_range/schedule_too_old');
  });

  it('lets a cancellation, a move and a new booking act on the very next read', () => {
    const world = aWorld({ bookings: [aBooking('b', NINE, TEN)] });
    expect(verdict(world.do(aRead('ada'), NINE))).toBe('granted');
    world.do(
      { kind: 'bookings', upsert: [aBooking('b', NINE, TEN, { status: 'cancelled' })], remove: [] },
      NINE + 1_000,
    );
    expect(verdict(world.do(aRead('ada'), NINE + 1_001))).toBe('denied_out_of_time_range/booking_cancelled');
    world.do({ kind: 'bookings', upsert: [aBooking('b', NINE, TEN, { room: 'r2' })], remove: [] }, NINE + 2_000);
    expect(verdict(world.do(aRead('ada', 'd2'), NINE + 2_001))).toBe('granted');
    expect(verdict(world.do(aRead('ada', 'd1'), NINE + 3_001))).toBe('denied_point_no_access_rights/booking_none');
  });

  it('gives a room to the first confirmed when two hold it, and says so', () => {
    const world = aWorld({ bookings: [aBooking('a', NINE, TEN, { holder: 'ben' })] });
    world.do({ kind: 'bookings', upsert: [aBooking('b', NINE, TEN)], remove: [] }, NINE);
    expect(verdict(world.do(aRead('ada'), NINE))).toBe('denied_point_no_access_rights/booking_other_holder');
    expect(verdict(world.do(aRead('ben'), NINE))).toBe('granted');
    world.do({ kind: 'tick' }, NINE + 1_000);
    expect(world.state.alarms.live.map((alarm) => alarm.kind)).toContain('booking_conflict');
    world.do({ kind: 'bookings', upsert: [], remove: ['a'] }, NINE + 2_000);
    expect(verdict(world.do(aRead('ada'), NINE + 3_000))).toBe('granted');
  });
});

describe('the entrance', () => {
  const cases: readonly [string, number, string][] = [
    ['half an hour before any booking', NINE - 30 * MINUTE, 'granted'],
    ['a millisecond earlier', NINE - 30 * MINUTE - 1, 'denied_out_of_time_range/booking_not_started'],
    ['during', NINE + 1, 'granted'],
    ['in the late grace', TEN + 5 * MINUTE - 1, 'granted'],
    ['after it', TEN + 5 * MINUTE, 'denied_out_of_time_range/booking_ended'],
  ];
  it.each(cases)('%s', (_name, atMs, expected) => {
    const world = aWorld({ bookings: [aBooking('b', NINE, TEN, { room: 'r2' })] });
    expect(verdict(world.do(aRead('ada', 'entrance'), atMs))).toBe(expected);
  });
  it('stays shut for who has no booking', () => {
    expect(verdict(aWorld().do(aRead('ada', 'entrance'), NINE))).toBe('denied_point_no_access_rights/booking_none');
  });
});

describe('credential and member', () => {
  const booked = [aBooking('b', NINE, TEN)];
  const cases: readonly [string, Parameters<typeof aWorld>[0], string][] = [
    ['unknown card', { credentials: [] }, 'denied_unknown_credential'],
    ['revoked', { credentials: [aCredential('ada', { status: 'revoked' })] }, 'denied_credential_disabled'],
    [
      'not yet valid',
      { credentials: [aCredential('ada', { validFromMs: NINE + 1 })] },
      'denied_credential_not_yet_active',
    ],
    ['valid from now', { credentials: [aCredential('ada', { validFromMs: NINE })] }, 'granted'],
    ['expired now', { credentials: [aCredential('ada', { validUntilMs: NINE })] }, 'denied_credential_expired'],
    ['suspended', { members: [aMember('ada', { status: 'suspended' })] }, 'denied_credential_manual_disable'],
    ['left', { members: [aMember('ada', { status: 'left' })] }, 'denied_credential_manual_disable'],
    ['credential without a member', { members: [] }, 'denied_credential_manual_disable'],
    [
      'revoked for one, active for another',
      { credentials: [aCredential('ada'), aCredential('ben', { hash: 'hash-ada', status: 'revoked' })] },
      'granted',
    ],
  ];
  it.each(cases)('%s', (_name, options, expected) => {
    expect(verdict(aWorld({ bookings: booked, ...options }).do(aRead('ada'), NINE))).toBe(expected);
  });

  it('keeps an unknown card for enrolment, without its number', () => {
    const effects = aWorld({ credentials: [] }).do(aRead('eve', 'd1', { last4: '5E80' }), NINE);
    expect(effects).toContainEqual(
      expect.objectContaining({
        kind: 'unknown_card',
        card: expect.objectContaining({ reader: 'd1-reader/reader', last4: '5E80', hash: 'hash-eve' }),
      }),
    );
  });
});

describe('standing rights', () => {
  const right = (when: Member['rights'][number]['when']): Member =>
    aMember('ada', { kind: 'cleaner', rights: [{ doors: ['d1'], when }] });
  const weekly = right([{ startMs: NINE, endMs: TEN }]);
  const cases: readonly [string, Member, number, string][] = [
    ['inside the weekly hours', weekly, NINE, 'granted/standing_right'],
    ['last millisecond', weekly, TEN - 1, 'granted/standing_right'],
    ['at their end', weekly, TEN, 'denied_out_of_time_range'],
    ['before them', weekly, NINE - 1, 'denied_out_of_time_range'],
    ['no time limit', right('always'), MONDAY + 3 * HOUR, 'granted/unlimited_right'],
    [
      'for another door',
      aMember('ada', { rights: [{ doors: ['d2'], when: 'always' }] }),
      NINE,
      'denied_point_no_access_rights/booking_none',
    ],
  ];
  it.each(cases)('%s', (_name, member, atMs, expected) => {
    expect(verdict(aWorld({ members: [member] }).do(aRead('ada'), atMs))).toBe(expected);
  });

  it('raises an alarm at each use of a credential with no time limit', () => {
    const world = aWorld({ members: [right('always')] });
    world.do(aRead('ada'), NINE);
    world.do(aRead('ada'), NINE + 5_000);
    expect(world.state.alarms.live.filter((alarm) => alarm.kind === 'unlimited_right_used')).toHaveLength(2);
  });

  it('lets only rights with no time limit in while time is not trusted', () => {
    const world = aWorld({
      members: [right('always'), aMember('ben')],
      bookings: [aBooking('b', NINE, TEN, { holder: 'ben' })],
    });
    world.do({ kind: 'time_trust', trusted: false, why: 'No NTP.' }, NINE);
    expect(verdict(world.do(aRead('ben'), NINE))).toBe('denied_out_of_time_range/time_not_trusted');
    expect(verdict(world.do(aRead('ada'), NINE))).toBe('granted/unlimited_right');
    expect(world.state.alarms.live.map((alarm) => alarm.kind)).toContain('time_not_trusted');
  });

  it('takes a credential that expires for a time limit: a clock that went back must not revive it', () => {
    const world = aWorld({
      members: [right('always')],
      credentials: [{ ...aCredential('ada'), validUntilMs: NINE + HOUR }],
    });
    world.do({ kind: 'time_trust', trusted: false, why: 'No NTP.' }, NINE);
    expect(verdict(world.do(aRead('ada'), NINE))).toBe('denied_out_of_time_range/time_not_trusted');
  });
});

describe('one read, one decision, one unlock', () => {
  const bookings = [aBooking('b', NINE, TEN)];

  it('journals before it unlocks, ties both by the command id and tells the reader', () => {
    const effects = aWorld({ bookings }).do(aRead('ada'), NINE);
    const entry = journalOf(effects)[0];
    const unlock = commandsOf(effects, 'unlock')[0];
    expect(entry).toMatchObject({
      kind: 'access',
      outcome: 'granted',
      door: 'd1',
      room: 'r1',
      member: 'ada',
      booking: 'b',
    });
    expect(unlock).toMatchObject({
      point: 'd1-lock/lock',
      ttlMs: 5_000,
      issuedAtMs: NINE,
      do: { op: 'unlock', holdMs: 5_000 },
    });
    expect(entry?.command).toBe(unlock?.id);
    expect(effects.findIndex((effect) => effect.kind === 'journal')).toBeLessThan(
      effects.findIndex((effect) => effect.kind === 'command'),
    );
    expect(commandsOf(effects, 'indicate')[0]?.do).toEqual({ op: 'indicate', signal: 'granted' });
  });

  it('takes repeats within a second as one', () => {
    const world = aWorld({ bookings });
    world.do(aRead('ada'), NINE);
    expect(world.do(aRead('ada'), NINE + 999)).toEqual([]);
    expect(verdict(world.do(aRead('ada'), NINE + 1_000))).toBe('granted');
  });

  it('does not take a read for a repeat when its answer is another one by now', () => {
    const world = aWorld({ bookings });
    expect(verdict(world.do(aRead('ada'), NINE - 10 * MINUTE - 1))).toBe(
      'denied_out_of_time_range/booking_not_started',
    );
    expect(verdict(world.do(aRead('ada'), NINE - 10 * MINUTE))).toBe('granted');
    world.do({ kind: 'credentials', upsert: [{ ...aCredential('ada'), status: 'revoked' }], remove: [] }, NINE);
    expect(verdict(world.do(aRead('ada'), NINE - 10 * MINUTE + 1))).toBe('denied_credential_disabled');
    expect(world.do(aRead('ada'), NINE - 10 * MINUTE + 2)).toEqual([]);
  });

  it('takes what a device sends again after a restart for the read that was answered', () => {
    const state = createState({
      site: aSite(),
      instance: 'T',
      alarms: [],
      relaySwitches: [],
      grants: [{ door: 'd1', credential: 'card-ada', atMs: NINE }],
      now: at(NINE),
    });
    const act = (fact: Fact, atMs: number) => step(state, fact, at(atMs));
    act({ kind: 'time_trust', trusted: true, why: 'test' }, NINE);
    act({ kind: 'members', upsert: [aMember('ada')], remove: [] }, NINE);
    act({ kind: 'credentials', upsert: [aCredential('ada')], remove: [] }, NINE);
    act({ kind: 'bookings', upsert: bookings, remove: [] }, NINE);
    const again = act(aRead('ada', 'd1', { atMs: NINE - 300 }), NINE + 4_000);
    expect(verdict(again)).toBe('denied_other/event_too_old');
    expect(again.filter((effect) => effect.kind === 'command')).toEqual([]);
    expect(verdict(act(aRead('ada', 'd1', { atMs: NINE + 6_000 }), NINE + 6_000))).toBe('granted');
  });

  it('does not take two cards or two readers for repeats', () => {
    const world = aWorld({ bookings });
    world.do(aRead('ada'), NINE);
    expect(verdict(world.do(aRead('ben'), NINE + 10))).toBe('denied_point_no_access_rights/booking_other_holder');
    expect(verdict(world.do(aRead('ada', 'd2'), NINE + 20))).toBe('denied_point_no_access_rights/booking_none');
  });

  it.each(['event_retained', 'event_too_old', 'event_in_future'] as const)(
    'journals a read that is not fresh (%s) and never unlocks',
    (stale) => {
      const world = aWorld({ bookings });
      const effects = world.do(aRead('ada', 'd1', { stale }), NINE);
      expect(verdict(effects)).toBe(`denied_other/${stale}`);
      expect(commandsOf(effects)).toEqual([]);
      expect(verdict(world.do(aRead('ada'), NINE + 1))).toBe('granted');
    },
  );

  it('opens nothing for digits alone', () => {
    const effects = aWorld({ bookings }).do({ kind: 'keypad', point: 'd1-reader/reader' }, NINE);
    expect(verdict(effects)).toBe('denied_incorrect_authentication_factor');
    expect(commandsOf(effects, 'unlock')).toEqual([]);
  });

  it('ignores a reader that belongs to no door', () => {
    expect(aWorld({ bookings }).do(aRead('ada', 'nowhere'), NINE)).toEqual([]);
  });
});

describe('against a slow and obvious reference', () => {
  const statuses: readonly BookingStatus[] = [
    'confirmed',
    'checked_in',
    'tentative',
    'cancelled',
    'released',
    'fulfilled',
  ];
  const booking = fc.record({
    start: fc.integer({ min: 0, max: 60 }),
    length: fc.integer({ min: 1, max: 30 }),
    room: fc.constantFrom('r1', 'r2'),
    holder: fc.constantFrom('ada', 'ben', 'cyn'),
    delegates: fc.subarray(['ada', 'ben']),
    status: fc.constantFrom(...statuses),
  });

  it('grants exactly when the reference does', () => {
    fc.assert(
      fc.property(
        fc.array(booking, { maxLength: 12 }),
        fc.integer({ min: -40, max: 130 }),
        fc.boolean(),
        (plans, minute, entrance) => {
          const bookings: Booking[] = [];
          for (const [i, plan] of plans.entries()) {
            const one = aBooking(`b${i}`, NINE + plan.start * MINUTE, NINE + (plan.start + plan.length) * MINUTE, plan);
            const clash = bookings.some(
              (other) =>
                holds(one) &&
                holds(other) &&
                other.room === one.room &&
                other.startMs < one.endMs &&
                one.startMs < other.endMs,
            );
            if (!clash) bookings.push(one);
          }
          const nowMs = NINE + minute * MINUTE;
          const door = entrance ? 'entrance' : 'd1';
          const got = verdict(aWorld({ bookings }).do(aRead('ada', door), nowMs));
          expect(got === 'granted').toBe(
            entrance ? entranceReference(bookings, nowMs) : roomReference(bookings, nowMs),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  const holds = (one: Booking) => one.status === 'confirmed' || one.status === 'checked_in';
  const isAdas = (one: Booking) => one.holder === 'ada' || one.delegates.includes('ada');

  function roomReference(bookings: readonly Booking[], nowMs: number): boolean {
    return bookings.some((one) => {
      if (one.room !== 'r1' || !holds(one) || !isAdas(one)) return false;
      let from = one.startMs - 10 * MINUTE;
      let to = one.endMs + 5 * MINUTE;
      for (const other of bookings) {
        if (other === one || other.room !== 'r1' || !holds(other)) continue;
        if (other.endMs <= one.startMs) from = Math.max(from, other.endMs);
        if (other.startMs >= one.endMs) to = Math.min(to, other.startMs);
      }
      return nowMs >= from && nowMs < to;
    });
  }

  function entranceReference(bookings: readonly Booking[], nowMs: number): boolean {
    return bookings.some(
      (one) => holds(one) && isAdas(one) && nowMs >= one.startMs - 30 * MINUTE && nowMs < one.endMs + 5 * MINUTE,
    );
  }
});
