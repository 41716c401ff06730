/** Booked, and nobody came: when the core says so, what follows, and above all when it must not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Booking } from '../../gateway/core/records.ts';
import { aBooking, aMember, aRoom, aSite, HOUR, MINUTE, MONDAY } from '../support/records.ts';
import { Visit, type VisitOptions } from '../support/visits.ts';

const NINE = MONDAY + 9 * HOUR;
const TEN = MONDAY + 10 * HOUR;
const RELEASE = { noShowAfterMs: 15 * MINUTE, noShowAction: 'release' } as const;
const FLAG = { noShowAfterMs: 15 * MINUTE, noShowAction: 'flag' } as const;
const booked = (change: Partial<Booking> = {}) => aBooking('b', NINE, TEN, change);
const EIGHT = MONDAY + 8 * HOUR;

function visit(options: VisitOptions = {}): Visit {
  return new Visit({ rules: RELEASE, bookings: [booked()], fromMs: EIGHT, ...options });
}

describe('a room that nobody entered', () => {
  it('is given free so long after the start, and not a moment earlier', () => {
    const play = visit().until(NINE + 15 * MINUTE - 1);
    expect(play.releases).toEqual([]);
    expect(play.room.booking.now?.id).toBe('b');
    play.until(NINE + 15 * MINUTE);
    expect(play.releases).toEqual([
      {
        kind: 'release',
        booking: booked({ status: 'released' }),
        why: expect.stringContaining('Nobody came to booking b'),
      },
    ]);
    expect(play.world.state.schedule.get('b')?.status).toBe('released');
    expect(play.room.booking.now).toBeNull();
    expect(play.room.noShow).toMatchObject({ id: 'b', status: 'released' });
  });

  it('refuses a badge that comes after it by its name', () => {
    const play = visit().until(NINE + 15 * MINUTE);
    expect(play.badge('ada')).toBe('denied_out_of_time_range/booking_released');
  });

  it('lets climate and light fall back', () => {
    const play = visit();
    for (const [point, value] of [
      ['r1-unit/temperature', 15],
      ['r1-unit/relay', 'off'],
      ['r1-unit/relay-2', 'off'],
    ] as const) {
      play.do({ kind: 'reading', point, value, retained: false });
    }
    play.until(NINE + 10 * MINUTE);
    expect(play.room.climate?.heatingSetpoint).toBeGreaterThan(20);
    play.until(NINE + 16 * MINUTE);
    expect(play.room.climate?.heatingSetpoint).toBe(16);
    expect(play.room.lights?.target).toBe(0);
  });

  it('is journalled without names, and an alarm for information until the booking’s time is over', () => {
    const play = visit().until(NINE + 15 * MINUTE);
    const entries = play.journal.filter((entry) => entry.kind === 'no_show');
    expect(entries).toEqual([expect.objectContaining({ room: 'r1', booking: 'b', member: 'ada' })]);
    expect(entries[0]?.note).toBe('Nobody came to booking b of r1 by 15 min after its start; the room was given free.');
    expect(play.alarms('no_show')).toEqual([expect.objectContaining({ severity: 'info', status: 'open' })]);
    play.until(TEN - 1);
    expect(play.alarms('no_show')).toHaveLength(1);
    play.until(TEN);
    expect(play.alarms('no_show')).toEqual([]);
    expect(play.room.noShow).toBeNull();
    expect(play.releases).toHaveLength(1);
  });

  it('goes to the booking that waited for it', () => {
    const waiting = aBooking('w', NINE + 5 * MINUTE, TEN, { holder: 'ben', confirmedAtMs: 5 });
    const play = visit({ bookings: [booked(), waiting] }).until(NINE + 15 * MINUTE);
    play.until(play.atMs + 10_000);
    expect(play.badge('ben')).toBe('granted');
    expect(play.room.booking.now?.id).toBe('w');
    expect(play.alarms('booking_conflict')).toEqual([]);
    // It could be used only from now on.
    expect(play.until(NINE + 25 * MINUTE).releases).toHaveLength(1);
  });

  it('is only shown where that is asked', () => {
    for (const rules of [FLAG, { noShowAfterMs: 15 * MINUTE }]) {
      const play = visit({ rules }).until(NINE + 20 * MINUTE);
      expect(play.releases).toEqual([]);
      expect(play.alarms('no_show')).toHaveLength(1);
      expect(play.journal.filter((entry) => entry.kind === 'no_show')).toHaveLength(1);
      expect(play.room).toMatchObject({ noShow: { id: 'b', status: 'confirmed' }, booking: { now: { id: 'b' } } });
      expect(play.badge('ada')).toBe('granted');
      play.someoneUntil(NINE + 22 * MINUTE);
      expect(play.alarms('no_show')).toEqual([]);
      expect(play.room.noShow).toBeNull();
      play.until(TEN);
      expect(play.journal.filter((entry) => entry.kind === 'no_show')).toHaveLength(1);
    }
  });

  it('is looked for from the moment that it was booked where its time ran already', () => {
    const play = visit({ bookings: [] }).until(NINE + 30 * MINUTE);
    play.put(booked()).until(NINE + 44 * MINUTE);
    expect(play.releases).toEqual([]);
    expect(play.until(NINE + 45 * MINUTE).releases).toHaveLength(1);
  });

  it('is looked for in each of two bookings of one holder', () => {
    const twin = booked({ id: 'c', source: 'feed' });
    const play = visit({ bookings: [booked(), twin] }).until(NINE + 16 * MINUTE);
    expect(play.releases.map(({ booking }) => booking.id).sort()).toEqual(['b', 'c']);
    expect(play.room.booking.now).toBeNull();
  });

  it('is seen by a people counter alone too', () => {
    const plain = aRoom('r1');
    const room = aRoom('r1', { points: { ...plain.points, presence: [], people: 'r1-unit/people' } });
    const play = visit({ site: aSite({ rooms: [room] }), watched: false });
    play.do({ kind: 'reading', point: 'r1-unit/people', value: 0, retained: false });
    expect(play.until(NINE + 15 * MINUTE).releases).toHaveLength(1);
  });
});

describe('no room is given free', () => {
  const late = NINE + 50 * MINUTE;
  const cases: readonly [string, VisitOptions, (play: Visit) => void][] = [
    ['where nobody asked for it', { rules: {} }, () => {}],
    ['of a booking that was checked in at the desk', { bookings: [booked({ status: 'checked_in' })] }, () => {}],
    ['while it is occupied', {}, (play) => play.until(NINE + MINUTE).someoneUntil(NINE + 40 * MINUTE)],
    [
      'once somebody was seen since the start',
      {},
      (play) =>
        play
          .until(NINE)
          .presence(true)
          .until(NINE + 5_000)
          .presence(false),
    ],
    [
      'that was still occupied at the start',
      {},
      (play) =>
        play
          .until(NINE - MINUTE)
          .presence(true)
          .until(NINE - 30_000)
          .presence(false),
    ],
    ['without a sensor', { site: aSite({ rooms: [aRoom('r1', { points: { presence: [], lights: [] } })] }) }, () => {}],
    ['whose sensor never reported', { watched: false }, () => {}],
    [
      'whose sensor was off line for a moment',
      {},
      (play) => {
        play
          .until(NINE + 5 * MINUTE)
          .device('r1-unit', false)
          .until(play.atMs + 10_000);
        play.device('r1-unit', true).presence(false);
      },
    ],
    [
      'whose sensor went and came back between two looks',
      {},
      (play) => {
        play
          .until(NINE + 5 * MINUTE)
          .device('r1-unit', false)
          .device('r1-unit', true)
          .presence(false);
      },
    ],
    [
      'whose sensor had no value for a moment',
      {},
      (play) => {
        play
          .until(NINE + 5 * MINUTE)
          .presence(null)
          .until(play.atMs + 10_000)
          .presence(false);
      },
    ],
    [
      'whose sensor’s device was found to be wrong',
      {},
      (play) => {
        play.until(NINE + 5 * MINUTE);
        play.do({ kind: 'device_fault', device: 'r1-unit', fault: 'flood', why: 'It floods.' });
      },
    ],
    ['whose sensor is stuck', {}, (play) => play.until(EIGHT + MINUTE).presence(true)],
    [
      'whose holder badged in, though no sensor saw him',
      {},
      (play) => {
        play.until(NINE - 5 * MINUTE);
        expect(play.badge('ada')).toBe('granted');
      },
    ],
    [
      'whose delegate badged in',
      { bookings: [booked({ holder: 'cyn', delegates: ['ben'] })] },
      (play) => {
        play.until(NINE + 5 * MINUTE);
        expect(play.badge('ben')).toBe('granted');
      },
    ],
    [
      'whose holder badged in for another booking of his at that time',
      { bookings: [booked(), booked({ id: 'c', source: 'local' })] },
      (play) => {
        play.until(NINE + MINUTE);
        expect(play.badge('ada')).toBe('granted');
      },
    ],
    ['whose door an operator opened', {}, (play) => play.until(NINE + 5 * MINUTE).operator()],
    [
      'while the clock is not trusted',
      {},
      (play) => {
        play.until(NINE);
        play.do({ kind: 'time_trust', trusted: false, why: 'No NTP.' });
      },
    ],
    ['of a booking that ends before the time is up', { bookings: [aBooking('b', NINE, NINE + 15 * MINUTE)] }, () => {}],
    ['after a restart in the middle', { fromMs: NINE + 5 * MINUTE }, () => {}],
    [
      'after a restart once its door had begun to open: who was let in before is forgotten',
      { fromMs: NINE - 5 * MINUTE },
      () => {},
    ],
  ];
  it.each(cases)('%s', (_name, options, happens) => {
    const play = visit(options);
    happens(play);
    play.until(late);
    expect(play.releases).toEqual([]);
    expect(play.alarms('no_show')).toEqual([]);
  });

  it('of which one of two sensors had no value for a moment', () => {
    const plain = aRoom('r1');
    const room = aRoom('r1', { points: { ...plain.points, presence: ['r1-unit/presence', 'r1-unit/presence-2'] } });
    for (const value of [false, null]) {
      const play = visit({ site: aSite({ rooms: [room] }) }).presence(false, 'r1-unit/presence-2');
      play
        .until(NINE + 5 * MINUTE)
        .presence(value, 'r1-unit/presence-2')
        .until(play.atMs + 10_000);
      play.presence(false, 'r1-unit/presence-2');
      expect(play.until(late).releases).toHaveLength(value === null ? 0 : 1);
    }
  });

  it('whose holder was let in at the entrance for it and may be in the waiting room', () => {
    for (const twin of [[], [booked({ id: 'c' })]]) {
      const play = visit({ bookings: [booked(), ...twin] }).until(NINE - 20 * MINUTE);
      expect(play.badge('ada', 'entrance')).toBe('granted');
      expect(play.until(late).releases).toEqual([]);
    }
  });

  it('twice for one booking, also when somebody gives it back to its holder', () => {
    const play = visit().until(NINE + 20 * MINUTE);
    play.put(booked());
    expect(play.alarms('no_show')).toEqual([]);
    expect(play.badge('ada')).toBe('granted');
    expect(play.until(TEN).releases).toHaveLength(1);
  });

  it('because another person’s badge opened it for a moment', () => {
    const cleaner = aMember('ben', {
      kind: 'cleaner',
      rights: [{ doors: ['d1'], when: [{ startMs: EIGHT, endMs: TEN }] }],
    });
    const play = visit({ members: [aMember('ada'), cleaner] }).until(NINE + 5 * MINUTE);
    expect(play.badge('ben')).toBe('granted/standing_right');
    play.someoneUntil(NINE + 10 * MINUTE);
    expect(play.until(NINE + 50 * MINUTE).releases).toEqual([]);
  });

  it('by a look that was switched off meanwhile', () => {
    const play = visit().until(NINE + 5 * MINUTE);
    const rules = play.world.state.schedule.rules;
    play.do({ kind: 'booking_rules', rules: { ...rules, noShowAfterMs: undefined } });
    expect(play.until(NINE + 20 * MINUTE).releases).toEqual([]);
    play.do({ kind: 'booking_rules', rules });
    expect(play.until(TEN).releases).toEqual([]);
  });
});

describe('against an obvious reference', () => {
  const happening = fc.record({
    minute: fc.integer({ min: -30, max: 50 }),
    what: fc.constantFrom('seen', 'seen', 'away', 'none', 'badge', 'cleaner', 'operator', 'fault'),
  });

  it('never gives a room free while it is occupied, unknown, attended or not seen throughout', () => {
    let released = 0;
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 4 }), fc.integer({ min: -20, max: 40 }), (plan, bookedAt) => {
        const cleaner = aMember('ben', { rights: [{ doors: ['d1'], when: [{ startMs: EIGHT, endMs: TEN }] }] });
        const play = visit({ bookings: [], members: [aMember('ada'), cleaner], tickMs: MINUTE });
        const events = [...plan, { minute: bookedAt, what: 'book' as const }].sort((a, b) => a.minute - b.minute);
        let brokenMs = EIGHT;
        for (const { minute, what } of events) {
          play.until(NINE + minute * MINUTE);
          if (what === 'book') play.put(booked());
          else if (play.releases.length > 0) continue;
          else if (what === 'seen') play.presence(true).presence(false);
          else if (what === 'away') play.device('r1-unit', false).device('r1-unit', true).presence(false);
          else if (what === 'none') play.presence(null).presence(false);
          else if (what === 'badge') play.badge('ada');
          else if (what === 'cleaner') play.badge('ben');
          else if (what === 'operator') play.operator();
          else play.do({ kind: 'device_fault', device: 'r1-unit', fault: 'flood', why: 'It floods.' });
          // What happens in the minute of the booking comes before it: the sort is stable.
          const inWindow = play.atMs >= NINE - 10 * MINUTE && bookedAt < minute;
          const breaks = what === 'seen' || what === 'away' || what === 'none' || what === 'fault';
          if (breaks || (inWindow && (what === 'badge' || what === 'operator')))
            brokenMs = Math.max(brokenMs, play.atMs);
          if (inWindow && (what === 'badge' || what === 'operator')) brokenMs = Number.POSITIVE_INFINITY;
        }
        for (const minute of [40, 50, 60]) play.until(NINE + minute * MINUTE);
        if (play.releases.length === 0) return;
        released++;
        expect(brokenMs).toBeLessThanOrEqual(NINE);
        expect(play.releases).toHaveLength(1);
        const entry = play.journal.find(({ kind }) => kind === 'no_show');
        expect(entry?.occurredAtMs).toBeGreaterThanOrEqual(NINE + Math.max(0, bookedAt) * MINUTE + 15 * MINUTE);
      }),
      { numRuns: 60 },
    );
    // Else the property would say nothing.
    expect(released).toBeGreaterThan(5);
  });
});
