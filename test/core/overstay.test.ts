/** People who stay after their booking's end, and people whose booking is taken away while they are inside. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Booking } from '../../gateway/core/records.ts';
import { aBooking, aCredential, aMember, aSite, commandsOf, HOUR, MINUTE, MONDAY } from '../support/records.ts';
import { Visit, type VisitOptions } from '../support/visits.ts';

const NINE = MONDAY + 9 * HOUR;
const TEN = MONDAY + 10 * HOUR;
const ELEVEN = MONDAY + 11 * HOUR;
const EIGHT = MONDAY + 8 * HOUR;
/** Late grace of the test site and ten minutes. */
const DUE = TEN + 15 * MINUTE;
const RULES = { overstayAfterMs: 10 * MINUTE } as const;
const booked = aBooking('a', NINE, TEN);
const bens = (startMs: number, change: Partial<Booking> = {}) =>
  aBooking('b', startMs, startMs + HOUR, { holder: 'ben', ...change });

/** Ada came at nine and is still there. */
function visit(options: VisitOptions = {}, stayUntilMs = TEN): Visit {
  const play = new Visit({ rules: RULES, bookings: [booked], fromMs: EIGHT, ...options }).until(NINE);
  play.badge('ada');
  return play.someoneUntil(stayUntilMs);
}

describe('an overstay', () => {
  it('is told so long after the late grace, and not a moment earlier', () => {
    const play = visit({}, DUE - 1);
    expect(play.alarms('overstay')).toEqual([]);
    expect(play.room.overstay).toBeNull();
    play.someoneUntil(DUE + 10_000);
    expect(play.alarms('overstay')).toEqual([
      expect.objectContaining({ severity: 'info', text: expect.stringContaining('booking a has ended') }),
    ]);
    expect(play.room.overstay).toMatchObject({ id: 'a', holder: 'ada' });
  });

  it('is over when the room is vacant', () => {
    const play = visit({}, DUE + MINUTE).until(DUE + 20 * MINUTE);
    expect(play.room.occupancy.state).toBe('vacant');
    expect(play.alarms('overstay')).toEqual([]);
    expect(play.room.overstay).toBeNull();
  });

  it('warns where the next booking begins within the hour, and becomes a warning when it comes that near', () => {
    const soon = visit({ bookings: [booked, bens(DUE + 61 * MINUTE)] }, DUE + 10_000);
    expect(soon.alarms('overstay')[0]?.severity).toBe('info');
    soon.someoneUntil(DUE + 90_000);
    expect(soon.alarms('overstay')).toEqual([
      expect.objectContaining({
        severity: 'warning',
        text: expect.stringContaining('booking b begins within the hour'),
      }),
    ]);
  });

  it('is told of those who are still there as the next begins, until its holder has badged', () => {
    const play = visit({ bookings: [booked, bens(TEN)] }, TEN + 10 * MINUTE - 1);
    expect(play.alarms('overstay')).toEqual([]);
    play.someoneUntil(TEN + 11 * MINUTE);
    expect(play.alarms('overstay')).toEqual([
      expect.objectContaining({ severity: 'warning', text: expect.stringContaining('booking b has begun') }),
    ]);
    expect(play.badge('ben')).toBe('granted');
    play.until(play.atMs + 10_000);
    expect(play.alarms('overstay')).toEqual([]);
  });

  it('goes on into a booking that begins meanwhile', () => {
    const play = visit({ bookings: [booked, bens(TEN + 30 * MINUTE)] }, TEN + 35 * MINUTE);
    expect(play.alarms('overstay')).toHaveLength(1);
    expect(play.room).toMatchObject({ overstay: { id: 'a' }, booking: { now: { id: 'b' } } });
  });

  it('ends when its own holder has booked on', () => {
    const play = visit({}, DUE + MINUTE);
    expect(play.alarms('overstay')).toHaveLength(1);
    play.put(aBooking('c', play.atMs, ELEVEN)).someoneUntil(play.atMs + MINUTE);
    expect(play.alarms('overstay')).toEqual([]);
  });

  it('is measured by the rules in force', () => {
    const play = visit({ rules: { overstayAfterMs: HOUR } }, DUE + 10 * MINUTE);
    expect(play.alarms('overstay')).toEqual([]);
    const { rules } = play.world.state.schedule;
    play.do({ kind: 'booking_rules', rules: { ...rules, overstayAfterMs: 20 * MINUTE } });
    expect(play.alarms('overstay')).toHaveLength(1);
    play.do({ kind: 'booking_rules', rules: { ...rules, overstayAfterMs: undefined } });
    expect(play.alarms('overstay')).toEqual([]);
    play.someoneUntil(TEN + 30 * MINUTE);
    // What was not looked at is not known: they may have gone and come.
    play.do({ kind: 'booking_rules', rules });
    play.someoneUntil(TEN + 70 * MINUTE);
    expect(play.alarms('overstay')).toEqual([]);
  });

  const cleaner = aMember('cyn', {
    kind: 'cleaner',
    rights: [{ doors: ['d1'], when: [{ startMs: EIGHT, endMs: ELEVEN }] }],
  });
  const people = [aMember('ada'), aMember('ben'), cleaner];
  const none: readonly [string, VisitOptions, (play: Visit) => void][] = [
    ['of a room that was empty in between', {}, (play) => play.until(TEN + 12 * MINUTE).someoneUntil(DUE + MINUTE)],
    [
      'while nobody can tell',
      {},
      (play) =>
        play
          .someoneUntil(DUE - MINUTE)
          .device('r1-unit', false)
          .until(DUE + 20 * MINUTE),
    ],
    [
      'of an extension by the same holder',
      { bookings: [booked, aBooking('c', TEN, ELEVEN)] },
      (play) => play.someoneUntil(DUE + MINUTE),
    ],
    [
      'of who is a delegate of the next',
      { bookings: [booked, bens(TEN, { delegates: ['ada'] })] },
      (play) => play.someoneUntil(DUE + MINUTE),
    ],
    ['without a booking before', { bookings: [] }, (play) => play.someoneUntil(DUE + MINUTE)],
    [
      'of an operator’s guest',
      {},
      (play) =>
        play
          .someoneUntil(TEN + MINUTE)
          .operator()
          .someoneUntil(DUE + MINUTE),
    ],
  ];
  it.each(none)('is never told %s', (_name, options, happens) => {
    const play = visit(options);
    happens(play);
    expect(play.alarms('overstay')).toEqual([]);
    expect(play.room.overstay).toBeNull();
  });

  it('is never told of a cleaner who came as they left', () => {
    const play = new Visit({ rules: RULES, bookings: [booked], fromMs: EIGHT, members: people }).until(NINE);
    play.do({ kind: 'credentials', upsert: [aCredential('cyn')], remove: [] });
    play.someoneUntil(TEN);
    expect(play.badge('cyn')).toBe('granted/standing_right');
    play.someoneUntil(DUE + MINUTE);
    expect(play.room.occupancy.state).toBe('occupied');
    expect(play.alarms('overstay')).toEqual([]);
  });

  it('is never told of who came after a restart: nobody knows how long they have been there', () => {
    const play = new Visit({ rules: RULES, bookings: [booked], fromMs: TEN + 10 * MINUTE });
    play.someoneUntil(DUE + 10 * MINUTE);
    expect(play.alarms('overstay')).toEqual([]);
  });

  it('never shows a room that is vacant or unknown, whatever happens', () => {
    const step = fc.constantFrom('stay', 'leave', 'away', 'back', 'ben', 'ada', 'extend', 'cancel');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.integer({ min: 0, max: 60 }), (steps, gap) => {
        const play = visit({ bookings: [booked, bens(TEN + gap * MINUTE)], tickMs: MINUTE }, TEN - 5 * MINUTE);
        for (const what of steps) {
          if (what === 'stay') play.someoneUntil(play.atMs + 6 * MINUTE);
          else if (what === 'leave') play.until(play.atMs + 8 * MINUTE);
          else if (what === 'away') play.device('r1-unit', false).until(play.atMs + MINUTE);
          else if (what === 'back')
            play
              .device('r1-unit', true)
              .presence(false)
              .until(play.atMs + MINUTE);
          else if (what === 'extend') play.put(aBooking('c', TEN + gap * MINUTE, ELEVEN + HOUR));
          else if (what === 'cancel') play.put({ ...booked, status: 'cancelled' });
          else play.badge(what);
          play.until(play.atMs + 10_000);
          const { overstay, occupancy } = play.room;
          expect(play.alarms('overstay')).toHaveLength(overstay === null ? 0 : 1);
          if (overstay === null) continue;
          expect(occupancy.state).toBe('occupied');
          expect(overstay.endMs).toBeLessThanOrEqual(play.atMs);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('a booking that is taken away in mid-visit', () => {
  const gone: readonly [string, string, (play: Visit) => void][] = [
    ['cancelled', 'was cancelled while', (play) => play.put({ ...booked, status: 'cancelled' })],
    ['released by hand', 'was cancelled while', (play) => play.put({ ...booked, status: 'released' })],
    ['removed', 'was removed while', (play) => play.remove('a')],
    ['moved to another time', 'was moved away while', (play) => play.put(aBooking('a', ELEVEN, ELEVEN + HOUR))],
    ['moved to another room', 'was moved away while', (play) => play.put({ ...booked, room: 'r2' })],
    ['displaced by an earlier confirmed', 'lost the room while', (play) => play.put(bens(NINE, { confirmedAtMs: -1 }))],
  ];
  it.each(gone)(
    '%s: the door shuts at once, the people inside are left in peace, and it is said',
    (_name, words, take) => {
      const first = { ...booked, confirmedAtMs: 0 };
      const play = visit({ rules: {}, bookings: [first] }, NINE + 20 * MINUTE);
      for (const [point, value] of [
        ['r1-unit/temperature', 21],
        ['r1-unit/dimmer', 80],
      ] as const) {
        play.do({ kind: 'reading', point, value, retained: false });
      }
      const before = play.effects.length;
      play.atMs += 1;
      take(play);
      play.atMs += 1;
      expect(play.badge('ada')).toMatch(/^denied/);
      expect(play.alarms('booking_revoked_occupied')).toEqual([
        expect.objectContaining({ severity: 'info', text: expect.stringContaining(words) }),
      ]);
      expect(play.room.booking.revoked).toMatchObject({ id: 'a', holder: 'ada', startMs: NINE });
      play.someoneUntil(NINE + 40 * MINUTE);
      expect(commandsOf(play.effects.slice(before), 'lock')).toEqual([]);
      expect(play.room.lights?.target).toBe(80);
      expect(play.room.climate?.mode).toBe('occupied');
      expect(play.alarms('booking_revoked_occupied')).toHaveLength(1);
      play.until(play.atMs + 30 * MINUTE);
      expect(play.room.occupancy.state).toBe('vacant');
      expect(play.alarms('booking_revoked_occupied')).toEqual([]);
      expect(play.room.booking.revoked).toBeNull();
    },
  );

  it('says what the desk needs to know', () => {
    const play = visit({ rules: {} }, NINE + 20 * MINUTE).put({ ...booked, status: 'cancelled' });
    expect(play.alarms('booking_revoked_occupied')[0]?.text).toBe(
      'Booking a of r1 was cancelled while the room is occupied; its badge no longer opens the door. Speak with the people inside.',
    );
    expect(play.room.booking).toMatchObject({ now: null, next: null, revoked: { status: 'cancelled' } });
    expect(play.journal.at(-1)).toMatchObject({ kind: 'change', room: 'r1', booking: 'a', member: 'ada' });
  });

  const over: readonly [string, (play: Visit) => void][] = [
    ['is booked anew', (play) => play.put(booked)],
    ['has another booking of the same holder', (play) => play.put(aBooking('c', NINE, TEN))],
    ['begins another booking', (play) => play.put(bens(NINE + 25 * MINUTE)).someoneUntil(NINE + 26 * MINUTE)],
  ];
  it.each(over)('is over when the room %s', (_name, happens) => {
    const play = visit({ rules: {} }, NINE + 20 * MINUTE).put({ ...booked, status: 'cancelled' });
    expect(play.alarms('booking_revoked_occupied')).toHaveLength(1);
    happens(play);
    play.until(play.atMs + 10_000);
    expect(play.alarms('booking_revoked_occupied')).toEqual([]);
    expect(play.room.booking.revoked).toBeNull();
  });

  const quiet: readonly [string, (play: Visit) => void][] = [
    [
      'that another source still tells of',
      (play) => play.put(aBooking('c', NINE, TEN, { source: 'local' })).remove('a'),
    ],
    ['that was fulfilled', (play) => play.put({ ...booked, status: 'fulfilled' })],
    ['that was only made longer', (play) => play.put({ ...booked, endMs: ELEVEN })],
    ['after everybody left', (play) => play.until(NINE + 40 * MINUTE).remove('a')],
    [
      'of which nobody can tell',
      (play) =>
        play
          .device('r1-unit', false)
          .until(NINE + 50 * MINUTE)
          .remove('a'),
    ],
    ['that was over', (play) => play.someoneUntil(TEN + 6 * MINUTE).remove('a')],
    ['of another day', (play) => play.put(aBooking('z', NINE + 24 * HOUR, TEN + 24 * HOUR)).remove('z')],
  ];
  it.each(quiet)('is not said of one %s', (_name, happens) => {
    const play = visit({ rules: {} }, NINE + 20 * MINUTE);
    happens(play);
    play.until(play.atMs + 10_000);
    expect(play.alarms('booking_revoked_occupied')).toEqual([]);
    expect(play.room.booking.revoked).toBeNull();
    expect(play.journal.filter(({ kind }) => kind === 'change')).toEqual([]);
  });

  it('is said in the early grace too, when somebody has come in already', () => {
    const play = new Visit({ bookings: [booked], fromMs: EIGHT }).until(NINE - 5 * MINUTE);
    play.badge('ada');
    play.presence(true).remove('a');
    expect(play.alarms('booking_revoked_occupied')).toHaveLength(1);
  });

  it('needs no rules, and costs a room without it nothing', () => {
    const play = new Visit({ rules: {}, bookings: [booked], site: aSite() }).until(MONDAY + HOUR);
    play.badge('ada');
    expect(play.world.state.care.rooms.size).toBe(0);
  });
});
