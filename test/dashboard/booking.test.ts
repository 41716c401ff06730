import { describe, expect, test } from 'vitest';
import { changedMeanwhile, changeOf, formOf, takesBack } from '../../dashboard/live/booking.ts';
import { type FormTimes, periodText, windowOf } from '../../dashboard/live/bookingtimes.ts';
import type { Booking } from '../../gateway/wire/index.ts';

const ZONE = 'Europe/Berlin';
const booking = (start: string, end: string, more: Partial<Booking> = {}): Booking => ({
  id: 'b',
  room: 'r1',
  holder: 'ada',
  delegates: [],
  start,
  end,
  status: 'confirmed',
  source: 'local',
  title: 'Visit',
  ...more,
});
const opened = (of: Booking) => formOf({ booking: of }, { room: '', holder: '', nowMs: 0 }, ZONE);
/** What is sent when the form of a booking is saved after an edit. */
function sent(of: Booking, edit: object) {
  const form = { ...opened(of), ...edit };
  const window = windowOf(form, ZONE);
  if (!window) throw new Error('the form has no window');
  return changeOf(of, form, window);
}

const several = booking('2026-12-09T08:00:00Z', '2026-12-11T16:00:00Z');
const daily = booking('2026-12-09T08:00:00Z', '2026-12-10T08:00:00Z');
const night = booking('2026-12-09T21:00:00Z', '2026-12-10T05:00:00Z');
const day = booking('2026-12-09T08:00:00Z', '2026-12-09T16:00:00Z');
/** 02:15 to 02:45 and 02:30 to 02:30, both in the hour that comes twice. */
const second = booking('2026-10-25T01:15:00Z', '2026-10-25T01:45:00Z');
const around = booking('2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z');
const seconds = booking('2026-12-09T08:00:30Z', '2026-12-09T16:00:15Z');

describe('a booking that is saved', () => {
  test.each([
    ['of several days', several],
    ['of a day and a night', daily],
    ['over midnight', night],
    ['in the repeated hour', second],
    ['around the clock change', around],
    ['with seconds', seconds],
  ])('%s keeps its times when only the title is edited', (_, of) => {
    expect(sent(of, {})).toEqual({});
    expect(sent(of, { title: 'Course ' })).toEqual({ title: 'Course' });
  });
  test.each([
    ['a later start', several, { from: '10:00' }, '2026-12-09T09:00', '2026-12-11T16:00'],
    ['an earlier end', several, { to: '08:00' }, '2026-12-09T08:00', '2026-12-11T07:00'],
    ['another day', several, { day: '2026-12-08' }, '2026-12-08T08:00', '2026-12-10T16:00'],
    ['another last day', several, { nights: 1 }, '2026-12-09T08:00', '2026-12-10T16:00'],
    ['an end before midnight', night, { to: '23:00' }, '2026-12-09T21:00', '2026-12-09T22:00'],
    ['an end after midnight', day, { to: '08:00' }, '2026-12-09T08:00', '2026-12-10T07:00'],
    ['a later end in the repeated hour', second, { to: '02:50' }, '2026-10-25T01:15', '2026-10-25T01:50'],
  ] as const)('is sent with %s', (_, of, edit, start, end) => {
    expect(sent(of, edit)).toEqual({ start: `${start}:00.000Z`, end: `${end}:00.000Z` });
  });
  test('is sent with the fields that were edited alone', () => {
    expect(sent(day, { room: 'r2' })).toEqual({ room: 'r2' });
    expect(sent(day, { holder: 'ben' })).toEqual({ holder: 'ben' });
  });
});

test.each([
  [day, '09:00–17:00'],
  [night, '22:00–06:00 (+1)'],
  [several, '09:00–17:00 (+2)'],
  [booking('2026-12-09T08:00:00Z', '2026-12-09T23:00:00Z'), '09:00–00:00'],
])('%o is said as %s', ({ start, end }, words) => {
  expect(periodText({ startMs: Date.parse(start), endMs: Date.parse(end) }, ZONE)).toBe(words);
});

test('a form with an empty field has no window', () => {
  const form: FormTimes = opened(day);
  expect(windowOf({ ...form, day: '' }, ZONE)).toBeNull();
  expect(windowOf({ ...form, to: '' }, ZONE)).toBeNull();
});

describe('a booking that somebody else changed since it was opened', () => {
  const words = { nameOf: (id: string) => `Dr ${id}`, roomName: (id: string) => `Room ${id}`, timeZone: ZONE };
  const moved = { ...day, start: '2026-12-09T12:00:00Z', end: '2026-12-09T13:00:00Z' };
  test.each([
    [{}, ''],
    [moved, 'Changed meanwhile: now Wed 9 December 13:00–14:00.'],
    [{ room: 'r2', holder: 'ben', title: '' }, 'Changed meanwhile: now Room r2, for Dr ben, without a title.'],
    [{ end: '2026-12-11T16:00:00Z' }, 'Changed meanwhile: now Wed 9 December 09:00 – Fri 11 December 17:00.'],
  ])('%o is told as "%s"', (change, text) => {
    expect(changedMeanwhile(day, { ...day, ...change }, words)).toBe(text);
  });
  test('is taken back only where the same was changed', () => {
    expect(takesBack(day, moved, { title: 'x' })).toBe(false);
    expect(takesBack(day, moved, { start: day.start, end: '2026-12-09T17:00:00Z' })).toBe(true);
    expect(takesBack(day, day, { room: 'r2' })).toBe(false);
  });
});
