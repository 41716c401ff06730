import { describe, expect, it } from 'vitest';
import { wiegand26 } from '../../devices/simulator/cast.ts';
import { addDays, dayStart } from '../../devices/simulator/localday.ts';
import { inventName } from '../../devices/simulator/names.ts';
import { demoPlan } from '../../devices/simulator/plan.ts';
import { smallSite } from './simulatorSupport.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const site = smallSite();
/** Noon, deep night, evening, either side of midnight, and the night of a clock change. */
const MOMENTS = [
  '2026-03-02T11:07:00Z',
  '2026-03-02T02:30:00Z',
  '2026-03-02T19:55:00Z',
  '2026-03-02T22:59:30Z',
  '2026-03-02T23:00:30Z',
  '2026-03-29T00:59:00Z',
  '2026-10-25T00:30:00Z',
].map((instant) => Date.parse(instant));

describe.each(MOMENTS.map((atMs) => [new Date(atMs).toISOString(), atMs] as const))(
  'a day around %s',
  (_name, nowMs) => {
    const plan = demoPlan(site, nowMs, 7, { daysBack: 2, daysAhead: 3 });

    it('has no two bookings of a room at once, and nobody in two rooms', () => {
      for (const key of ['room', 'holder'] as const) {
        const sorted = [...plan.bookings].sort((a, b) => a[key].localeCompare(b[key]) || a.startMs - b.startMs);
        sorted.forEach((booking, index) => {
          const next = sorted[index + 1];
          expect(booking.endMs).toBeGreaterThan(booking.startMs);
          if (next?.[key] === booking[key]) expect(next.startMs).toBeGreaterThanOrEqual(booking.endMs);
        });
      }
      expect(new Set(plan.bookings.map(({ id }) => id)).size).toBe(plan.bookings.length);
    });

    it('has bookings under way and to come, and on the days around', () => {
      const underWay = plan.bookings.filter(({ startMs, endMs }) => startMs <= nowMs && nowMs < endMs);
      expect(underWay.length).toBeGreaterThanOrEqual(3);
      expect(
        plan.bookings.filter(({ startMs }) => startMs > nowMs && startMs < nowMs + 6 * HOUR_MS).length,
      ).toBeGreaterThan(4);
      expect(plan.bookings.some(({ startMs }) => startMs > nowMs + 40 * HOUR_MS)).toBe(true);
      expect(plan.bookings.some(({ startMs }) => startMs < nowMs - 20 * HOUR_MS)).toBe(true);
    });

    it('lets one in at once, refuses one at the entrance within half a minute, and sends one astray', () => {
      const soon = plan.visits.filter(({ atMs }) => atMs >= nowMs && atMs < nowMs + 30_000);
      const bookedNow = (person: string, room?: string) =>
        plan.bookings.some(
          ({ holder, room: booked, startMs, endMs }) =>
            holder === person && (room === undefined || booked === room) && startMs <= nowMs && nowMs < endMs,
        );
      const punctual = soon.find(({ behaviour, atMs }) => behaviour === 'normal' && atMs < nowMs + 15_000);
      expect(punctual && bookedNow(punctual.person, punctual.room)).toBe(true);
      const early = soon.find(({ behaviour }) => behaviour === 'early');
      expect(early && bookedNow(early.person)).toBe(false);
      const opensMs = Math.min(
        ...plan.bookings
          .filter(({ holder, endMs }) => holder === early?.person && endMs > nowMs)
          .map(({ startMs }) => startMs),
      );
      expect(opensMs - site.bookings.entranceEarlyMs).toBeGreaterThan(nowMs + MINUTE_MS);
      const astray = soon.find(({ behaviour }) => behaviour === 'wrong_door');
      expect(astray && bookedNow(astray.person, astray.wrongRoom)).toBe(false);
      expect(astray && bookedNow(astray.person, astray.room)).toBe(true);
      const known = new Set(plan.badges.map(({ value }) => value));
      expect(plan.visits.some(({ badge, atMs }) => !known.has(badge.value) && atMs < nowMs + MINUTE_MS)).toBe(true);
    });

    it('knows visits only once, now and later', () => {
      const later = plan.more(plan.untilMs, plan.untilMs + 48 * HOUR_MS);
      expect(later.length).toBeGreaterThan(20);
      expect(later.every(({ atMs }) => atMs >= plan.untilMs)).toBe(true);
      expect(plan.visits.every(({ atMs }) => atMs < plan.untilMs || atMs < nowMs + 10 * MINUTE_MS)).toBe(true);
      const again = [
        ...plan.more(plan.untilMs, plan.untilMs + 24 * HOUR_MS),
        ...plan.more(plan.untilMs + 24 * HOUR_MS, plan.untilMs + 48 * HOUR_MS),
      ];
      expect(again).toEqual(later);
    });

    it('sends whoever comes to a booking of theirs, with a badge that is theirs', () => {
      const badges = new Map(plan.badges.map(({ member, value }) => [member, value]));
      for (const visit of plan.visits.filter(({ person }) => person.startsWith('p-'))) {
        expect(visit.badge.value).toBe(badges.get(visit.person));
        const booking = plan.bookings.find(
          ({ room, holder, startMs, endMs }) =>
            room === visit.room && holder === visit.person && startMs <= visit.leaveMs && visit.leaveMs <= endMs,
        );
        expect(booking, `${visit.person} at ${new Date(visit.atMs).toISOString()}`).toBeDefined();
      }
    });
  },
);

describe('the cast', () => {
  const plan = demoPlan(site, MOMENTS[0] as number, 7);

  it('has practitioners without standing rights, staff and cleaners with weekly ones, and an emergency key', () => {
    const of = (kind: string) => plan.members.filter((member) => member.kind === kind);
    expect(of('practitioner').every(({ rights }) => rights === undefined)).toBe(true);
    expect(of('cleaner').every(({ rights }) => rights?.every(({ weekly }) => (weekly?.length ?? 0) > 0))).toBe(true);
    expect(plan.members.filter(({ rights }) => rights?.some(({ weekly }) => !weekly))).toHaveLength(1);
    expect(new Set(plan.badges.map(({ value }) => value)).size).toBe(plan.members.length);
  });

  it('is the same for the same seed, another for another', () => {
    expect(demoPlan(site, MOMENTS[0] as number, 7)).toMatchObject({ visits: plan.visits, bookings: plan.bookings });
    expect(demoPlan(site, MOMENTS[0] as number, 8).badges).not.toEqual(plan.badges);
  });

  it('has no two of the same name', () => {
    expect(new Set(Array.from({ length: 900 }, (_, index) => inventName(index))).size).toBe(900);
  });
});

it('works for a site with one room, and for one with none', () => {
  const nowMs = MOMENTS[0] as number;
  const doors = site.doors.filter(({ room }) => room === 'consult-1' || room === undefined);
  const one = demoPlan({ ...site, rooms: site.rooms.slice(0, 1), doors }, nowMs, 1);
  expect(one.visits.some(({ behaviour }) => behaviour === 'early')).toBe(true);
  const none = demoPlan({ ...site, rooms: [], doors: [] }, nowMs, 1);
  expect(none.bookings).toEqual([]);
  expect(none.visits).toEqual([]);
});

it.each([
  [118, 1603, '10111011000000110010000110'],
  [113, 6025, '10111000100010111100010011'],
  [4, 123, '10000010000000000011110111'],
])('writes H10301 %i / %i', (facility, card, bits) => expect(wiegand26(facility, card)).toBe(bits));

it.each([
  ['2026-03-29T12:00:00Z', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
  ['2026-10-25T12:00:00Z', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
  ['2026-10-25T00:30:00Z', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
])('the local day of %s begins %s and ends %s', (instant, begins, ends) => {
  const start = dayStart(Date.parse(instant), 'Europe/Berlin');
  expect(new Date(start).toISOString()).toBe(begins);
  expect(new Date(addDays(start, 1, 'Europe/Berlin')).toISOString()).toBe(ends);
});
