/** Recurrence beyond the RFC's own examples: each part on each frequency, ends of months and years, ends of the series. */
import { describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../../gateway/calendars/rules/civil.ts';
import { instances, spelled, wall } from '../../support/calendars-rules.ts';

/** Name, DTSTART, rule, and the first instances; shorter than asked for means that there are no more. */
type Row = readonly [name: string, start: string, rule: string, expected: readonly string[]];

function check(rows: readonly Row[], reading: 'first' | 'matching' = 'matching'): void {
  it.each(rows)('%s', (_name, start, rule, expected) => {
    const untilLocalMs = wall('2060-01-01');
    const bounded = /COUNT|UNTIL/.test(rule);
    const take = bounded || expected.length === 0 ? 100 : expected.length;
    expect(instances(rule, start, { take, start: reading, untilLocalMs })).toEqual(expected);
  });
}

describe('BYSETPOS', () => {
  check([
    [
      'yearly: first and last working day',
      '2024-01-01 09:00',
      'FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1;COUNT=6',
      spelled('2024-01: 1; 2024-12: 31; 2025-01: 1; 2025-12: 31; 2026-01: 1; 2026-12: 31'),
    ],
    [
      'monthly: second of all Mondays and the 10th',
      '2026-01-10 09:00',
      'FREQ=MONTHLY;BYMONTHDAY=10,20,30;BYSETPOS=2',
      spelled('2026-01: 20; 2026-02: 20; 2026-03: 20'),
    ],
    [
      'weekly: last of three days, with the week from Monday',
      '2026-01-05 09:00',
      'FREQ=WEEKLY;BYDAY=MO,WE,SU;BYSETPOS=-1',
      spelled('2026-01: 11 18 25'),
    ],
    [
      'weekly: last of three days, with the week from Sunday',
      '2026-01-05 09:00',
      'FREQ=WEEKLY;BYDAY=MO,WE,SU;BYSETPOS=-1;WKST=SU',
      spelled('2026-01: 7 14 21'),
    ],
    [
      'daily: second and last of the times of day',
      '2026-01-05 08:00',
      'FREQ=DAILY;BYHOUR=8,12,16;BYMINUTE=0,30;BYSETPOS=2,-1',
      spelled('2026-01: 5 6', ['08:30', '16:30']),
    ],
    [
      'hourly: the last of the minutes',
      '2026-01-05 08:00',
      'FREQ=HOURLY;BYMINUTE=0,20,40;BYSETPOS=-1',
      spelled('2026-01: 5', ['08:40', '09:40', '10:40']),
    ],
    [
      'minutely: the second of the seconds',
      '2026-01-05 08:00',
      'FREQ=MINUTELY;INTERVAL=7;BYSECOND=5,15,25;BYSETPOS=2',
      spelled('2026-01: 5', ['08:00:15', '08:07:15', '08:14:15']),
    ],
    [
      'secondly: there is one a second, so the first is the last',
      '2026-01-05 08:00',
      'FREQ=SECONDLY;BYMINUTE=1;BYSETPOS=-1;COUNT=2',
      spelled('2026-01: 5', ['08:01', '08:01:01']),
    ],
    ['secondly: there never is a second', '2026-01-05 08:00', 'FREQ=SECONDLY;BYMINUTE=1;BYSETPOS=2', []],
    [
      'places that a short month has not are passed over',
      '2026-01-01 09:00',
      'FREQ=MONTHLY;BYDAY=MO;BYSETPOS=5',
      spelled('2026-03: 30; 2026-06: 29; 2026-08: 31'),
    ],
    [
      'the first period is seen whole, also before DTSTART',
      '2026-01-15 09:00',
      'FREQ=MONTHLY;BYDAY=TH;BYSETPOS=1,3',
      spelled('2026-01: 15; 2026-02: 5 19; 2026-03: 5'),
    ],
    [
      'COUNT counts what was picked',
      '2026-01-05 08:00',
      'FREQ=DAILY;BYHOUR=8,12,16;BYSETPOS=1,3;COUNT=5',
      [...spelled('2026-01: 5 6', ['08:00', '16:00']), '2026-01-07 08:00'],
    ],
    [
      'a place named twice, from both ends, is one instance',
      '2026-01-01 09:00',
      'FREQ=MONTHLY;BYMONTHDAY=1,2;BYSETPOS=1,-2,2;COUNT=4',
      spelled('2026-01: 1 2; 2026-02: 1 2'),
    ],
  ]);
});

describe('weeks of the year', () => {
  check([
    [
      'week 1 may begin in December',
      '2019-01-01 09:00',
      'FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO',
      spelled('2019-12: 30; 2021-01: 4; 2022-01: 3; 2023-01: 2; 2024-01: 1; 2024-12: 30'),
    ],
    [
      'week 53 comes every five or six years',
      '2015-01-01 09:00',
      'FREQ=YEARLY;BYWEEKNO=53;BYDAY=FR',
      spelled('2016-01: 1; 2021-01: 1; 2027-01: 1; 2032-12: 31'),
    ],
    [
      'the last week is week 52 or 53',
      '2019-01-01 09:00',
      'FREQ=YEARLY;BYWEEKNO=-1;BYDAY=SU',
      spelled('2019-12: 29; 2021-01: 3; 2022-01: 2; 2023-01: 1; 2023-12: 31'),
    ],
    [
      'week 1 from the end of a long and a short year',
      '2020-01-01 09:00',
      'FREQ=YEARLY;BYWEEKNO=-53;BYDAY=WE',
      spelled('2020-01: 1; 2025-12: 31'),
    ],
    [
      'another first weekday moves the weeks',
      '2021-01-01 09:00',
      'FREQ=YEARLY;BYWEEKNO=1;BYDAY=SU;WKST=SU',
      spelled('2021-01: 3; 2022-01: 2; 2023-01: 1; 2023-12: 31'),
    ],
    [
      'every other year is counted in years of the calendar',
      '2024-12-30 09:00',
      'FREQ=YEARLY;INTERVAL=2;BYWEEKNO=1;BYDAY=MO',
      spelled('2024-12: 30; 2028-01: 3; 2030-12: 30'),
    ],
    [
      'without a weekday it is that of DTSTART, not all seven',
      '2026-05-13 09:00',
      'FREQ=YEARLY;BYWEEKNO=20',
      spelled('2026-05: 13; 2027-05: 19; 2028-05: 17'),
    ],
    [
      'a month limits the weeks',
      '2019-01-01 09:00',
      'FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO,TU;BYMONTH=12',
      spelled('2019-12: 30 31; 2024-12: 30 31; 2025-12: 29 30'),
    ],
    [
      'all days of the week around New Year, once each',
      '2020-12-28 09:00',
      'FREQ=YEARLY;BYWEEKNO=-1,1;BYDAY=SA,SU',
      spelled('2021-01: 2 3 9 10; 2022-01: 1 2 8 9'),
    ],
  ]);
});

describe('days of months and years', () => {
  check([
    [
      'the 31st comes seven times a year',
      '2026-01-31 09:00',
      'FREQ=MONTHLY',
      spelled('2026-01: 31; 2026-03: 31; 2026-05: 31'),
    ],
    [
      'a leap day of every year',
      '2024-02-29 09:00',
      'FREQ=YEARLY;COUNT=3',
      spelled('2024-02: 29; 2028-02: 29; 2032-02: 29'),
    ],
    [
      'a leap day of every third year waits for the twelfth',
      '2024-02-29 09:00',
      'FREQ=YEARLY;INTERVAL=3;COUNT=2',
      spelled('2024-02: 29; 2036-02: 29'),
    ],
    [
      'the last day of February',
      '2023-02-28 09:00',
      'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1',
      spelled('2023-02: 28; 2024-02: 29; 2025-02: 28'),
    ],
    [
      '31 days before the end',
      '2026-01-01 09:00',
      'FREQ=MONTHLY;BYMONTHDAY=-31',
      spelled('2026-01: 1; 2026-03: 1; 2026-05: 1'),
    ],
    ['day 366', '2020-12-31 09:00', 'FREQ=YEARLY;BYYEARDAY=366', spelled('2020-12: 31; 2024-12: 31; 2028-12: 31')],
    [
      'days from the end of the year',
      '2023-01-01 09:00',
      'FREQ=YEARLY;BYYEARDAY=-366,-1',
      spelled('2023-12: 31; 2024-01: 1; 2024-12: 31'),
    ],
    [
      'day 60 is in March but for leap years',
      '2023-01-01 09:00',
      'FREQ=YEARLY;BYYEARDAY=60',
      spelled('2023-03: 1; 2024-02: 29; 2025-03: 1'),
    ],
    [
      'a day of the year limited to a month',
      '2023-01-01 09:00',
      'FREQ=YEARLY;BYYEARDAY=60;BYMONTH=2',
      spelled('2024-02: 29; 2028-02: 29'),
    ],
    [
      'days of the month that DTSTART names, not of every month',
      '2026-11-05 09:00',
      'FREQ=YEARLY;BYMONTHDAY=5,-1',
      spelled('2026-11: 5 30; 2027-11: 5'),
    ],
    [
      'a weekday on such a day',
      '2026-11-13 09:00',
      'FREQ=YEARLY;BYMONTHDAY=13;BYDAY=FR',
      spelled('2026-11: 13; 2037-11: 13'),
    ],
    [
      'the last Friday of the year',
      '2026-01-01 09:00',
      'FREQ=YEARLY;BYDAY=-1FR',
      spelled('2026-12: 25; 2027-12: 31; 2028-12: 29'),
    ],
    ['a 53rd Thursday', '2026-01-01 09:00', 'FREQ=YEARLY;BYDAY=53TH', spelled('2026-12: 31; 2032-12: 30')],
    [
      'the 53rd Thursday from the end',
      '2026-01-01 09:00',
      'FREQ=YEARLY;BYDAY=-53TH',
      spelled('2026-01: 1; 2032-01: 1'),
    ],
    [
      'numbers count in the month where one is named',
      '2026-01-01 09:00',
      'FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU',
      spelled('2026-03: 29; 2026-10: 25; 2027-03: 28'),
    ],
    ['a fifth Monday', '2026-01-01 09:00', 'FREQ=MONTHLY;BYDAY=5MO', spelled('2026-03: 30; 2026-06: 29; 2026-08: 31')],
    [
      'a fifth Monday from the end',
      '2026-01-01 09:00',
      'FREQ=MONTHLY;BYDAY=-5MO',
      spelled('2026-03: 2; 2026-06: 1; 2026-08: 3'),
    ],
    [
      'numbered and plain weekdays together',
      '2026-01-01 09:00',
      'FREQ=MONTHLY;BYDAY=1MO,SU;COUNT=6',
      spelled('2026-01: 4 5 11 18 25; 2026-02: 1'),
    ],
    [
      'daily limited by each day part',
      '2026-01-01 09:00',
      'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=1,-1;BYDAY=SU',
      spelled('2026-02: 1; 2027-02: 28; 2032-02: 1 29'),
    ],
    [
      'weekly limited by month',
      '2026-01-28 09:00',
      'FREQ=WEEKLY;BYDAY=MO,FR;BYMONTH=2',
      spelled('2026-02: 2 6 9 13 16 20 23 27; 2027-02: 1'),
    ],
    [
      'hourly limited by day of the year',
      '2026-01-01 22:00',
      'FREQ=HOURLY;BYYEARDAY=1,-1;INTERVAL=12',
      ['2026-01-01 22:00', '2026-12-31 10:00', '2026-12-31 22:00', '2027-01-01 10:00'],
    ],
    ['1900 is no leap year', '1896-02-29 09:00', 'FREQ=YEARLY;COUNT=2', spelled('1896-02: 29; 1904-02: 29')],
    ['2000 is one', '1996-02-29 09:00', 'FREQ=YEARLY;COUNT=2', spelled('1996-02: 29; 2000-02: 29')],
  ]);
});

describe('weeks and their first day', () => {
  check([
    [
      'every third week from Monday',
      '2026-01-07 09:00',
      'FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,SU;COUNT=4',
      spelled('2026-01: 11 26; 2026-02: 1 16'),
    ],
    [
      'every third week from Sunday',
      '2026-01-07 09:00',
      'FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,SU;COUNT=4;WKST=SU',
      spelled('2026-01: 25 26; 2026-02: 15 16'),
    ],
    [
      'every other week from Wednesday, which is when it begins',
      '2026-01-07 09:00',
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,WE;COUNT=4;WKST=WE',
      spelled('2026-01: 7 13 21 27'),
    ],
    [
      'it is nothing to a rule of every week',
      '2026-01-07 09:00',
      'FREQ=WEEKLY;BYDAY=SU;WKST=SU',
      spelled('2026-01: 11 18'),
    ],
  ]);
});

describe('times of day', () => {
  check([
    [
      'every part of the time that is listed expands, the others are those of DTSTART',
      '2026-01-05 09:07:30',
      'FREQ=WEEKLY;BYDAY=MO;BYHOUR=8,18',
      ['2026-01-05 18:07:30', '2026-01-12 08:07:30', '2026-01-12 18:07:30'],
    ],
    [
      'times come in order, however they are listed',
      '2026-01-05 00:00',
      'FREQ=DAILY;BYHOUR=18,8;BYMINUTE=30,0',
      spelled('2026-01: 5', ['08:00', '08:30', '18:00', '18:30']),
    ],
    [
      'every 45 minutes over midnight',
      '2026-01-05 23:00',
      'FREQ=MINUTELY;INTERVAL=45',
      ['2026-01-05 23:00', '2026-01-05 23:45', '2026-01-06 00:30'],
    ],
    [
      'every 5 hours limited to the morning',
      '2026-01-05 07:00',
      'FREQ=HOURLY;INTERVAL=5;BYHOUR=7,8,9',
      ['2026-01-05 07:00', '2026-01-06 08:00', '2026-01-07 09:00', '2026-01-10 07:00'],
    ],
    [
      'every 50 hours',
      '2026-01-05 07:00',
      'FREQ=HOURLY;INTERVAL=50',
      ['2026-01-05 07:00', '2026-01-07 09:00', '2026-01-09 11:00'],
    ],
    [
      'seconds limited by everything above them',
      '2026-01-05 07:00',
      'FREQ=SECONDLY;BYSECOND=58,59;BYMINUTE=59;BYHOUR=23;BYDAY=FR',
      ['2026-01-09 23:59:58', '2026-01-09 23:59:59', '2026-01-16 23:59:58'],
    ],
    [
      'second 60 is 59, once',
      '2026-01-05 07:00',
      'FREQ=DAILY;BYSECOND=59,60',
      ['2026-01-05 07:00:59', '2026-01-06 07:00:59'],
    ],
    [
      'an hour begun in the middle goes on from there',
      '2026-01-05 07:20',
      'FREQ=HOURLY;BYMINUTE=0,20,40;COUNT=4',
      ['2026-01-05 07:20', '2026-01-05 07:40', '2026-01-05 08:00', '2026-01-05 08:20'],
    ],
  ]);
});

describe('the end of a series', () => {
  check([
    ['COUNT=1 is DTSTART alone', '2026-01-05 09:00', 'FREQ=DAILY;COUNT=1', spelled('2026-01: 5')],
    [
      'a date lets in the whole of its day',
      '2026-01-05 23:59',
      'FREQ=DAILY;UNTIL=20260107',
      spelled('2026-01: 5-7', ['23:59']),
    ],
    [
      'a local time is the last that is let in',
      '2026-01-05 09:00',
      'FREQ=DAILY;UNTIL=20260107T090000',
      spelled('2026-01: 5-7'),
    ],
    [
      'a second earlier ends it a day earlier',
      '2026-01-05 09:00',
      'FREQ=DAILY;UNTIL=20260107T085959',
      spelled('2026-01: 5-6'),
    ],
    ['an end before DTSTART leaves nothing', '2026-01-05 09:00', 'FREQ=DAILY;UNTIL=20260104', []],
    [
      'an instant is a wall clock in UTC where nobody says otherwise',
      '2026-01-05 09:00',
      'FREQ=DAILY;UNTIL=20260107T090000Z',
      spelled('2026-01: 5-7'),
    ],
  ]);
  check(
    [['an end before DTSTART leaves not even DTSTART', '2026-01-05 09:00', 'FREQ=DAILY;UNTIL=20260105T085959', []]],
    'first',
  );

  it('asks who knows the zone about a UTC end, for instances near it too', () => {
    const withinUntil = (ms: number) => ms - 14 * HOUR_MS <= wall('2026-01-07 09:00');
    const rule = 'FREQ=HOURLY;INTERVAL=6;UNTIL=20260107T090000Z';
    expect(instances(rule, '2026-01-07 05:00', { withinUntil })).toEqual(
      spelled('2026-01: 7', ['05:00', '11:00', '17:00', '23:00']),
    );
  });
});

describe('a DTSTART that the rule does not give', () => {
  const wednesdays = 'FREQ=WEEKLY;BYDAY=WE;COUNT=3';
  it('is the first instance and counted', () => {
    expect(instances(wednesdays, '2026-01-05 09:00')).toEqual(spelled('2026-01: 5 7 14'));
  });
  it('is none where only the rule counts', () => {
    expect(instances(wednesdays, '2026-01-05 09:00', { start: 'matching' })).toEqual(spelled('2026-01: 7 14 21'));
  });
  it('is not repeated where the rule gives it', () => {
    expect(instances(wednesdays, '2026-01-07 09:00')).toEqual(spelled('2026-01: 7 14 21'));
  });
  it('counts also when the window begins after it', () => {
    const fromLocalMs = wall('2026-01-08');
    expect(instances(wednesdays, '2026-01-05 09:00', { fromLocalMs })).toEqual(spelled('2026-01: 14'));
  });
});

describe('the window', () => {
  const daily = 'FREQ=DAILY';
  it('is half-open', () => {
    const window = { fromLocalMs: wall('2026-01-06 09:00'), untilLocalMs: wall('2026-01-08 09:00') };
    expect(instances(daily, '2026-01-05 09:00', window)).toEqual(spelled('2026-01: 6-7'));
  });
  it('may lie before DTSTART, or be empty', () => {
    expect(instances(daily, '2026-01-05 09:00', { untilLocalMs: wall('2026-01-05 09:00') })).toEqual([]);
    const window = { fromLocalMs: wall('2026-01-07'), untilLocalMs: wall('2026-01-07') };
    expect(instances(daily, '2026-01-05 09:00', window)).toEqual([]);
  });
  it.each([
    ['FREQ=DAILY;INTERVAL=3;COUNT=2000', '1996-02-27 09:00'],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH,SU;BYHOUR=7,19;COUNT=1500', '1996-02-28 09:00'],
    ['FREQ=WEEKLY;BYDAY=MO,TH,SU;BYSETPOS=2,-1;COUNT=1500', '1996-02-28 09:00'],
    ['FREQ=WEEKLY;BYDAY=MO;BYMONTH=1,2;COUNT=150', '1996-02-28 09:00'],
    ['FREQ=MONTHLY;BYDAY=-1FR;COUNT=150', '1996-02-28 09:00'],
    ['FREQ=YEARLY;BYWEEKNO=1,53;BYDAY=SU;COUNT=20', '1996-02-28 09:00'],
    ['FREQ=HOURLY;INTERVAL=7;BYMINUTE=0,15,30;COUNT=30000', '1996-02-28 09:15'],
    ['FREQ=HOURLY;INTERVAL=5;BYHOUR=3,4,9;BYMINUTE=0,15,30;COUNT=3000', '1996-02-28 09:15'],
    ['FREQ=MINUTELY;INTERVAL=1001;BYSECOND=1,2;COUNT=9000', '1996-02-28 09:15:02'],
  ])('changes nothing of what lies in it: %s', (rule, start) => {
    for (const reading of ['first', 'matching'] as const) {
      const all = instances(rule, start, { start: reading });
      for (const share of [0.1, 0.5, 0.9, 1]) {
        const from = all[Math.floor((all.length - 1) * share)] ?? '';
        const later = instances(rule, start, { start: reading, fromLocalMs: wall(from) });
        expect(later).toEqual(all.slice(all.indexOf(from)));
      }
    }
  });
});
