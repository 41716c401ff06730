import { describe, expect, test } from 'vitest';
import { changedMeanwhile, changeOf, doneWith, doubtOf, formOf, longerBy } from '../../dashboard/live/booking.ts';
import {
  type FormTimes,
  lengthText,
  longText,
  pastText,
  periodText,
  refusedTimes,
  timesHint,
  timesOf,
  windowOf,
} from '../../dashboard/live/bookingtimes.ts';
import type { Booking } from '../../gateway/wire/index.ts';

const ZONE = 'Europe/Berlin';
const NOW = Date.parse('2026-11-23T09:20:00Z');
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
  test('is taken back only after a question, and only where the same was changed', () => {
    expect(doubtOf(day, moved, { title: 'x' }, words)).toBe('');
    expect(doubtOf(day, moved, { start: day.start, end: '2026-12-09T17:00:00Z' }, words)).toContain(
      'would replace that',
    );
    expect(doubtOf(day, day, { room: 'r2' }, words)).toBe('');
    expect(doubtOf(day, day, { start: day.start, end: '2026-12-10T07:00:00Z' }, words)).toContain('It lasts 23 h');
  });
});

describe('times as they are typed', () => {
  const typed = (on: string, from: string, to: string) => {
    const form: FormTimes = { day: on, from, to, nights: 0, startMs: 0, endMs: 0 };
    const window = windowOf(form, ZONE);
    if (!window) throw new Error('the form has no window');
    return { form, window, hint: timesHint(form, window, ZONE) };
  };
  test('are plain where the end is later on the same day', () => {
    const { window, hint } = typed('2027-01-05', '13:00', '14:00');
    expect([refusedTimes(window), hint, longText(window, ZONE), lengthText(window)]).toEqual(['', '', '', '1 h']);
  });
  test('that are equal are refused, and do not stand for a day', () => {
    expect(refusedTimes(typed('2027-01-05', '10:00', '10:00').window)).toContain('choose another end');
  });
  test('with an end before the start tell the end’s day, and are asked about when that is long', () => {
    const { window, hint } = typed('2027-01-05', '14:00', '13:00');
    expect(hint).toBe('Ends Wed 6 January 13:00, the next day.');
    expect(longText(window, ZONE)).toBe('It lasts 23 h: Tue 5 January 14:00 – Wed 6 January 13:00.');
    expect(longText(typed('2027-01-05', '20:00', '08:00').window, ZONE)).toBe('');
  });
  test.each([
    ['02:30', '03:30', '1 h', 'The clocks change: it is Sun 28 March 03:30–04:30.'],
    ['02:30', '03:15', '45 min', 'The clocks change: it is Sun 28 March 03:30–04:15.'],
    ['01:30', '02:30', '1 h', 'The clocks change: it is Sun 28 March 01:30–03:30.'],
    ['01:30', '03:30', '1 h', ''],
  ])('%s to %s in the night that skips an hour is %s on the same day', (from, to, length, said) => {
    const { window, hint } = typed('2027-03-28', from, to);
    expect([lengthText(window), hint]).toEqual([length, said]);
  });
});

describe('the buttons that make it longer', () => {
  const longer = (start: string, end: string, ...minutes: number[]) => {
    const times = timesOf({ startMs: Date.parse(start), endMs: Date.parse(end) }, ZONE);
    let form = { room: '', holder: '', title: '', ...times };
    for (const more of minutes) form = longerBy(form, more, ZONE);
    const window = windowOf(form, ZONE);
    return (
      window && { ends: new Date(window.endMs).toISOString().slice(5, 16), length: lengthText(window), to: form.to }
    );
  };
  test('go through the hour that comes twice', () => {
    const start = '2026-10-24T23:30:00Z';
    expect(longer(start, '2026-10-25T00:30:00Z', 60)).toEqual({ ends: '10-25T01:30', length: '2 h', to: '02:30' });
    expect(longer(start, '2026-10-25T00:30:00Z', 60, 60)).toEqual({ ends: '10-25T02:30', length: '3 h', to: '03:30' });
  });
  test('go on past a whole day', () => {
    expect(longer('2026-12-09T08:00:00Z', '2026-12-10T07:30:00Z', 60)).toEqual({
      ends: '12-10T08:30',
      length: '1 d 30 min',
      to: '09:30',
    });
  });
});

test.each([
  ['later', 60, 120, undefined, ''],
  ['just now', -0.5, 60, undefined, ''],
  ['from an hour ago', -60, 60, undefined, 'It begins in the past.'],
  ['gone by', -120, -60, undefined, 'This time is over.'],
  ['gone by and not touched', -120, -60, [-120, -60], ''],
  ['running and made longer', -60, 90, [-60, 60], ''],
  ['running and begun earlier', -90, 60, [-60, 60], 'It begins in the past.'],
] as const)('of a time that is %s the form says so', (_, fromMin, toMin, was, text) => {
  const of = ([from, to]: readonly [number, number]) => ({ startMs: NOW + from * 60_000, endMs: NOW + to * 60_000 });
  expect(pastText(of([fromMin, toMin]), was && of(was), NOW)).toBe(text);
});

test('what was saved is said with its room and its time', () => {
  const words = { nameOf: (id: string) => id, roomName: () => 'Consulting room 2', timeZone: ZONE };
  const saved = booking('2026-12-16T08:00:00Z', '2026-12-16T09:00:00Z', { room: 'consult-2' });
  const done = { text: 'Saved: Consulting room 2, Wed 16 December 09:00–10:00', day: '2026-12-16', room: 'consult-2' };
  expect(doneWith('Saved', saved, 1, words)).toEqual(done);
  expect(doneWith('Saved', saved, 3, words).text).toBe(`${done.text}, and 2 more of its series`);
});
