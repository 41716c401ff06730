/** Random series in random zones against the slow, obvious reference; and that no text ever throws or grants by chance. */
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { event, expandText, vcalendar } from '../../support/calendars-ical.ts';
import { referenceTimes, type Simple, wallStart } from '../../support/calendars-ical-reference.ts';

const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Africa/Cairo',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'America/Santiago',
  'UTC',
  'Europe/Dublin',
  'Asia/Beirut',
];
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

const simple: fc.Arbitrary<Simple> = fc.record({
  zone: fc.constantFrom(...ZONES),
  start: fc
    .tuple(fc.integer({ min: 0, max: 364 }), fc.constantFrom(0, 30, 60, 90, 105, 120, 150, 180, 540, 1_380, 1_425))
    .map(([day, minute]) =>
      Temporal.PlainDateTime.from('2026-01-01T00:00').add({ days: day, minutes: minute }).toString(),
    ),
  unit: fc.constantFrom('DAILY' as const, 'WEEKLY' as const),
  interval: fc.integer({ min: 1, max: 3 }),
  weekdays: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 3 }),
  count: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
  until: fc.constant(undefined),
  minutes: fc.constantFrom(1, 30, 60, 480),
  days: fc.constantFrom(0, 0, 1),
  exceptions: fc.array(
    fc.record({
      nth: fc.integer({ min: 0, max: 30 }),
      as: fc.constantFrom('local' as const, 'utc' as const, 'date' as const),
    }),
    { maxLength: 4 },
  ),
  overrides: fc.uniqueArray(
    fc.record({
      nth: fc.integer({ min: 0, max: 30 }),
      shiftMin: fc.integer({ min: -3_000, max: 3_000 }),
      status: fc.constantFrom('CONFIRMED' as const, 'CANCELLED' as const),
    }),
    { maxLength: 3, selector: ({ nth }) => nth },
  ),
});

const plain = (at: Temporal.PlainDateTime) => at.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');

function written(one: Simple): string {
  const { zone, unit, interval, weekdays, count, minutes, days } = one;
  const local = (name: string, at: Temporal.PlainDateTime) => `${name};TZID=${zone}:${plain(at)}`;
  const length = `DURATION:P${days === 0 ? '' : `${days}D`}T${minutes}M`;
  const start = Temporal.PlainDateTime.from(one.start);
  const rule = [
    `RRULE:FREQ=${unit}`,
    `INTERVAL=${interval}`,
    ...(count === undefined ? [] : [`COUNT=${count}`]),
    ...(unit === 'WEEKLY' && weekdays.length > 0
      ? [`BYDAY=${weekdays.map((day) => WEEKDAYS[day - 1]).join(',')}`]
      : []),
  ].join(';');
  const exceptions = one.exceptions.flatMap(({ nth, as }) => {
    const at = wallStart(one, nth);
    if (at === undefined) return [];
    if (as === 'date') return [`EXDATE;VALUE=DATE:${plain(at).slice(0, 8)}`];
    return [
      as === 'local'
        ? local('EXDATE', at)
        : `EXDATE:${plain(at.toZonedDateTime(zone).withTimeZone('UTC').toPlainDateTime())}Z`,
    ];
  });
  const overrides = one.overrides.flatMap(({ nth, shiftMin, status }) => {
    const at = wallStart(one, nth);
    if (at === undefined) return [];
    return [
      event(
        [local('RECURRENCE-ID', at), local('DTSTART', at.add({ minutes: shiftMin })), length, `STATUS:${status}`].join(
          '\n',
        ),
      ),
    ];
  });
  return vcalendar(event([local('DTSTART', start), length, rule, ...exceptions].join('\n')), ...overrides);
}

const FROM = '2026-01-01T00:00Z';
const TO = '2027-03-01T00:00Z';

describe('random series', () => {
  it('come to what the reference walks to, day by day; no instant is granted that it denies', () => {
    fc.assert(
      fc.property(simple, fc.integer({ min: 0, max: 300 }), (one, skipDays) => {
        // A window that begins in the midst of the series must see the same.
        const fromMs = Date.parse(FROM) + skipDays * 86_400_000;
        const from = new Date(fromMs).toISOString();
        // The reference walks 200 days, so nothing later may be compared.
        const toMs = Math.min(
          Date.parse(TO),
          Temporal.PlainDateTime.from(one.start).toZonedDateTime('UTC').epochMilliseconds + 190 * 86_400_000,
        );
        if (toMs <= fromMs) return;
        const answer = expandText(written(one), { zone: 'Asia/Tokyo', from, to: new Date(toMs).toISOString() });
        const got = answer.occurrences
          .filter(({ status }) => status === 'confirmed')
          .map(({ startMs, endMs }) => [startMs, endMs])
          .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0));
        expect(answer.setAside).toEqual([]);
        expect(got).toEqual(referenceTimes(one, fromMs, toMs));
      }),
      { numRuns: 120 },
    );
  });

  it('are the same in any window: cut in two, the halves are the whole', () => {
    fc.assert(
      fc.property(simple, fc.integer({ min: 0, max: 400 }), (one, day) => {
        const text = written(one);
        const middle = new Date(Date.parse(FROM) + day * 86_400_000).toISOString();
        const key = ({ startMs, endMs, status }: { startMs: number; endMs: number; status: string }) =>
          `${startMs} ${endMs} ${status}`;
        const whole = expandText(text, { from: FROM, to: TO }).occurrences.map(key);
        const parts = [expandText(text, { from: FROM, to: middle }), expandText(text, { from: middle, to: TO })];
        expect(new Set(parts.flatMap(({ occurrences }) => occurrences.map(key)))).toEqual(new Set(whole));
      }),
      { numRuns: 40 },
    );
  });
});

describe('broken text', () => {
  const good = written({
    zone: 'Europe/Berlin',
    start: '2026-03-01T09:00',
    unit: 'WEEKLY',
    interval: 1,
    weekdays: [1, 3],
    minutes: 60,
    days: 0,
    exceptions: [{ nth: 1, as: 'local' }],
    overrides: [{ nth: 2, shiftMin: 60, status: 'CONFIRMED' }],
  });

  it('of any kind never throws', () => {
    const pieces = fc.constantFrom(
      'BEGIN:VEVENT',
      'END:VEVENT',
      'BEGIN:VCALENDAR',
      'END:VCALENDAR',
      'BEGIN:VTIMEZONE',
      'END:VTIMEZONE',
      'UID:a',
      'DTSTART:20260701T090000',
      'DTSTART;TZID="x',
      'RRULE:FREQ=DAILY',
      'RECURRENCE-ID:20260701T090000Z',
      'DURATION:PT1H',
      ' folded',
      '\t',
      ':',
      ';',
      'X;A="b":c',
      '\u0000',
      'EXDATE:,,',
      'RDATE;VALUE=PERIOD:/',
      'BEGIN:VALARM',
      'END:VALARM',
      'SEQUENCE:9',
      'STATUS:CANCELLED',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 40 }), (lines) => {
        expandText(`BEGIN:VCALENDAR\n${lines.join('\n')}`);
      }),
      { numRuns: 500 },
    );
  });

  it('cut anywhere grants nothing that the whole does not grant', () => {
    const granted = (text: string) => expandText(text).occurrences.filter(({ status }) => status === 'confirmed');
    const lines = good.split('\r\n');
    const whole = new Set(granted(good).map(({ startMs, endMs }) => `${startMs} ${endMs}`));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: lines.length }), (end) => {
        const cut = lines.slice(0, end).join('\r\n');
        // A cut between two events of one UID cannot be seen inside: the outer check refuses it as truncated.
        if (cut.split('BEGIN:VEVENT').length !== good.split('BEGIN:VEVENT').length && cut.endsWith('END:VEVENT'))
          return;
        if (!cut.includes('RECURRENCE-ID')) return;
        for (const { startMs, endMs } of granted(cut)) expect(whole.has(`${startMs} ${endMs}`)).toBe(true);
      }),
    );
  });
});
