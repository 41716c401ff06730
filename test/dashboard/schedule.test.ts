import { fireEvent, render, screen } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import { NO_REPEAT, repeatOf } from '../../dashboard/live/booking.ts';
import {
  bookingState,
  conflicting,
  lanes,
  meansOf,
  nearestBox,
  noShows,
  onClock,
  shownClock,
  sourceBadge,
  weekOf,
  windowsOf,
} from '../../dashboard/live/schedule.ts';
import { bookingLine, tileLabel } from '../../dashboard/live/tile.ts';
import RepeatFields from '../../dashboard/parts/RepeatFields.svelte';
import type { Booking } from '../../gateway/wire/index.ts';
import { roomsOf } from '../support/fixtures-data.ts';

const NOW = Date.parse('2026-11-23T09:20:00Z');
const ZONE = 'Europe/Berlin';
const book = (id: string, from: string, to: string, more: Partial<Booking> = {}): Booking => ({
  id,
  room: 'r1',
  holder: id,
  delegates: [],
  start: `2026-11-23T${from}:00Z`,
  end: `2026-11-23T${to}:00Z`,
  status: 'confirmed',
  source: 'local',
  title: '',
  ...more,
});

describe('conflicts', () => {
  test.each([
    ['overlap', [book('a', '08:00', '09:00'), book('b', '08:30', '09:30')], ['a', 'b']],
    ['touch', [book('a', '08:00', '09:00'), book('b', '09:00', '09:30')], []],
    ['are of one holder', [book('a', '08:00', '09:00'), book('b', '08:30', '09:30', { holder: 'a' })], []],
    ['are in two rooms', [book('a', '08:00', '09:00'), book('b', '08:30', '09:30', { room: 'r2' })], []],
    ['are not both confirmed', [book('a', '08:00', '09:00'), book('b', '08:30', '09:30', { status: 'tentative' })], []],
    [
      'are one long over two',
      [book('a', '08:00', '12:00'), book('b', '08:30', '09:00'), book('c', '10:00', '11:00')],
      ['a', 'b', 'c'],
    ],
  ] as const)('of bookings that %s', (_, bookings, expected) => {
    expect([...conflicting(bookings)].sort()).toEqual(expected);
  });
});

test('a booking to which nobody came is a no-show while it stands, released once it is', () => {
  const [room] = roomsOf(NOW);
  if (!room) throw new Error('the fixture has no room');
  const ref = { id: 'a', holder: 'a', holderName: null, start: '', end: '', status: 'confirmed' };
  const of = { conflicts: new Set<string>(), absent: noShows([{ ...room, noShow: ref }]) };
  expect(bookingState(book('a', '08:00', '09:00'), of)).toBe('no_show');
  expect(bookingState(book('a', '08:00', '09:00', { status: 'released' }), of)).toBe('released');
  expect(bookingState(book('b', '08:00', '09:00'), of)).toBe('confirmed');
});

test('of a booking that is over it is not said that the card opens', () => {
  const of = book('a', '08:00', '09:00');
  expect(meansOf('confirmed', of, Date.parse(of.end) - 1)).toContain('The card opens');
  expect(meansOf('confirmed', of, Date.parse(of.end))).toBe('It is over.');
  expect(meansOf('tentative', of, Date.parse(of.end))).toContain('Not confirmed');
});

test('overlapping bookings lie in lanes of their own, what is gone last', () => {
  const placed = lanes([
    book('gone', '08:00', '10:00', { status: 'cancelled' }),
    book('a', '08:30', '09:00'),
    book('b', '09:00', '10:30'),
    book('c', '11:00', '12:00'),
  ]);
  expect([...placed]).toEqual(
    expect.arrayContaining([
      ['a', { lane: 0, of: 2 }],
      ['b', { lane: 0, of: 2 }],
      ['gone', { lane: 1, of: 2 }],
      ['c', { lane: 0, of: 1 }],
    ]),
  );
});

test('a week is Monday to Sunday, its days 23 and 25 hours long when the clocks change', () => {
  expect(weekOf('2026-03-29')[0]).toBe('2026-03-23');
  expect(weekOf('2026-03-23').at(-1)).toBe('2026-03-29');
  const hours = (day: string) => windowsOf([day], ZONE).map(({ startMs, endMs }) => (endMs - startMs) / 3_600_000);
  expect([hours('2026-03-29'), hours('2026-10-25'), hours('2026-11-23')]).toEqual([[23], [25], [24]]);
});

test('the hours of a week hold every booking of it', () => {
  const days = windowsOf(weekOf('2026-11-23'), ZONE);
  expect(shownClock(days, [], ZONE)).toEqual({ fromH: 7, toH: 20 });
  expect(shownClock(days, [book('a', '04:30', '20:30')], ZONE)).toEqual({ fromH: 5, toH: 22 });
  expect(shownClock(days, [{ ...book('n', '21:00', '22:00'), end: '2026-11-24T05:00:00Z' }], ZONE)).toEqual({
    fromH: 0,
    toH: 24,
  });
});

test.each([
  // 24 rows: an hour is 100 / 24 %.
  ['2026-10-25', '2026-10-25T08:00:00Z', '2026-10-25T09:30:00Z', 9, 1.5],
  ['2026-10-25', '2026-10-24T23:00:00Z', '2026-10-25T02:00:00Z', 1, 2],
  ['2026-10-25', '2026-10-25T00:45:00Z', '2026-10-25T01:15:00Z', 2.75, 0],
  ['2026-10-25', '2026-10-25T22:00:00Z', '2026-10-26T05:00:00Z', 23, 1],
  ['2026-03-29', '2026-03-29T07:00:00Z', '2026-03-29T08:00:00Z', 9, 1],
  ['2026-11-23', '2026-11-22T20:00:00Z', '2026-11-23T07:00:00Z', 0, 8],
] as const)('on %s a booking from %s to %s lies at the hours of its wall clock', (day, start, end, fromH, forH) => {
  const [whole] = windowsOf([day], ZONE);
  if (!whole) throw new Error('there is no such day');
  const at = onClock({ startMs: Date.parse(start), endMs: Date.parse(end) }, whole, { fromH: 0, toH: 24 }, ZONE);
  expect(at.top * 0.24).toBeCloseTo(fromH);
  expect(at.height * 0.24).toBeCloseTo(forH);
});

test('the hours of the week of a clock change are those of the wall clock', () => {
  const late = { ...book('a', '18:00', '19:30'), start: '2026-10-25T18:00:00Z', end: '2026-10-25T19:30:00Z' };
  const days = windowsOf(weekOf('2026-10-25'), ZONE);
  expect(shownClock(days, [late], ZONE)).toEqual({ fromH: 7, toH: 21 });
});

test('a source has the glyph of its kind; one that is not known that of a calendar', () => {
  expect(sourceBadge('local', [])).toEqual({ name: 'made here', icon: 'local' });
  expect(sourceBadge('practice', [{ id: 'practice', kind: 'caldav' }])).toEqual({ name: 'practice', icon: 'caldav' });
  expect(sourceBadge('practice', [])).toEqual({ name: 'practice', icon: 'calendar' });
});

test('arrows go to the nearest booking that way', () => {
  const box = (left: number, top: number) => ({ left, top, width: 10, height: 10 });
  const boxes = [box(0, 0), box(50, 0), box(0, 40), box(50, 40)];
  const from = (index: number, arrow: 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown') =>
    nearestBox(boxes, boxes[index] ?? box(0, 0), arrow);
  expect([from(0, 'ArrowRight'), from(0, 'ArrowDown'), from(3, 'ArrowLeft'), from(3, 'ArrowUp')]).toEqual([1, 2, 2, 1]);
  expect(from(0, 'ArrowLeft')).toBeUndefined();
});

describe('a repetition in the form', () => {
  const day = '2026-11-24'; // the fourth Tuesday
  test.each([
    [{ every: 'never' }, undefined],
    [
      { every: 'day', interval: 2 },
      { every: 'day', interval: 2, until: '2027-02-16' },
    ],
    [
      { every: 'week', days: ['thu'] },
      { every: 'week', interval: 1, days: ['tue', 'thu'], until: '2027-02-16' },
    ],
    [{ every: 'month' }, { every: 'month', interval: 1, until: '2027-02-16' }],
    [{ every: 'nth' }, { every: 'month', interval: 1, days: ['tue'], until: '2027-02-16' }],
  ] as const)('%o is sent as %o', (change, expected) => {
    expect(repeatOf({ ...NO_REPEAT, ...change }, day)).toEqual(expected);
  });
  test('follows the form’s day until its days and its end are chosen', () => {
    const weekly = { ...NO_REPEAT, every: 'week' as const };
    expect(repeatOf(weekly, '2026-11-25')).toMatchObject({ days: ['wed'], until: '2027-02-17' });
    expect(repeatOf({ ...weekly, days: ['thu'], until: '2026-12-31' }, '2026-11-25')).toMatchObject({
      days: ['wed', 'thu'],
      until: '2026-12-31',
    });
  });
  test('always holds the day of the first booking', async () => {
    const onchange = vi.fn();
    render(RepeatFields, { repeat: { ...NO_REPEAT, every: 'week' }, day, onchange });
    expect(screen.getByLabelText('Tue')).toHaveProperty('disabled', true);
    screen.getByText('Monthly, on the fourth Tue');
    await fireEvent.click(screen.getByLabelText('Fri'));
    expect(onchange.mock.calls[0]?.[0].days).toEqual(['fri']);
  });
});

test('a room whose running visit was cancelled says so', () => {
  const [room] = roomsOf(NOW);
  if (!room) throw new Error('the fixture has no room');
  const revoked = { id: 'x', holder: 'm', holderName: null, start: '', end: '', status: 'cancelled' };
  const there = { ...room, booking: { now: null, next: null, revoked } };
  expect(bookingLine(there, NOW, ZONE)).toBe('cancelled!');
  expect(tileLabel(there, 'occupied', 0, NOW, ZONE)).toContain('the running booking was cancelled');
});
