/** Every example of RFC 5545 §3.8.5.3 (and those of §3.3.10), as wall clocks of New York, where they are set. */
import { event, vcalendar } from './calendars-ical.ts';
import { spelled, wall } from './calendars-rules.ts';

export interface RfcExample {
  readonly name: string;
  readonly start: string;
  readonly rules: readonly string[];
  readonly expected: readonly string[];
  /** The RFC's list goes on for ever; it is compared as far as it is written down. */
  readonly endless?: boolean;
  /** Hours that the wall clock is behind UTC when the rule ends. */
  readonly hoursBehind?: number;
}

const BUSINESS_HOURS = 'BYHOUR=9,10,11,12,13,14,15,16';
const EVERY_20_MIN = Array.from({ length: 24 }, (_, index) => {
  const hour = String(9 + Math.floor(index / 3)).padStart(2, '0');
  return `${hour}:${['00', '20', '40'][index % 3]}`;
});
const TEN_TUESDAYS_THURSDAYS = spelled('1997-09: 2 4 9 11 16 18 23 25 30; 1997-10: 2');

export const RFC_EXAMPLES: readonly RfcExample[] = [
  {
    name: 'daily, ten times',
    start: '1997-09-02 09:00',
    rules: ['FREQ=DAILY;COUNT=10'],
    expected: spelled('1997-09: 2-11'),
  },
  {
    name: 'daily until the day before Christmas Eve is over in London',
    start: '1997-09-02 09:00',
    rules: ['FREQ=DAILY;UNTIL=19971224T000000Z'],
    expected: spelled('1997-09: 2-30; 1997-10: 1-31; 1997-11: 1-30; 1997-12: 1-23'),
    hoursBehind: 5,
  },
  {
    name: 'every other day',
    start: '1997-09-02 09:00',
    rules: ['FREQ=DAILY;INTERVAL=2'],
    expected: spelled(
      `1997-09: 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30; 1997-10: 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30;
       1997-11: 1 3 5 7 9 11 13 15 17 19 21 23 25 27 29; 1997-12: 1 3`,
    ),
    endless: true,
  },
  {
    name: 'every ten days, five times',
    start: '1997-09-02 09:00',
    rules: ['FREQ=DAILY;INTERVAL=10;COUNT=5'],
    expected: spelled('1997-09: 2 12 22; 1997-10: 2 12'),
  },
  {
    name: 'each day of January for three years',
    start: '1998-01-01 09:00',
    rules: [
      'FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA',
      'FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1',
    ],
    expected: spelled('1998-01: 1-31; 1999-01: 1-31; 2000-01: 1-31'),
    hoursBehind: 5,
  },
  {
    name: 'weekly, ten times',
    start: '1997-09-02 09:00',
    rules: ['FREQ=WEEKLY;COUNT=10'],
    expected: spelled('1997-09: 2 9 16 23 30; 1997-10: 7 14 21 28; 1997-11: 4'),
  },
  {
    name: 'weekly until 24 December',
    start: '1997-09-02 09:00',
    rules: ['FREQ=WEEKLY;UNTIL=19971224T000000Z'],
    expected: spelled('1997-09: 2 9 16 23 30; 1997-10: 7 14 21 28; 1997-11: 4 11 18 25; 1997-12: 2 9 16 23'),
    hoursBehind: 5,
  },
  {
    name: 'every other week',
    start: '1997-09-02 09:00',
    rules: ['FREQ=WEEKLY;INTERVAL=2;WKST=SU'],
    expected: spelled('1997-09: 2 16 30; 1997-10: 14 28; 1997-11: 11 25; 1997-12: 9 23; 1998-01: 6 20; 1998-02: 3 17'),
    endless: true,
  },
  {
    name: 'Tuesdays and Thursdays for five weeks',
    start: '1997-09-02 09:00',
    rules: ['FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH', 'FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH'],
    expected: TEN_TUESDAYS_THURSDAYS,
    hoursBehind: 4,
  },
  {
    name: 'Monday, Wednesday, Friday of every other week until 24 December',
    start: '1997-09-01 09:00',
    rules: ['FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR'],
    expected: spelled(
      `1997-09: 1 3 5 15 17 19 29; 1997-10: 1 3 13 15 17 27 29 31; 1997-11: 10 12 14 24 26 28;
       1997-12: 8 10 12 22`,
    ),
    hoursBehind: 5,
  },
  {
    name: 'Tuesday and Thursday of every other week, eight times',
    start: '1997-09-02 09:00',
    rules: ['FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH'],
    expected: spelled('1997-09: 2 4 16 18 30; 1997-10: 2 14 16'),
  },
  {
    name: 'first Friday of the month, ten times',
    start: '1997-09-05 09:00',
    rules: ['FREQ=MONTHLY;COUNT=10;BYDAY=1FR'],
    expected: spelled(
      `1997-09: 5; 1997-10: 3; 1997-11: 7; 1997-12: 5; 1998-01: 2; 1998-02: 6; 1998-03: 6; 1998-04: 3;
       1998-05: 1; 1998-06: 5`,
    ),
  },
  {
    name: 'first Friday of the month until 24 December',
    start: '1997-09-05 09:00',
    rules: ['FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR'],
    expected: spelled('1997-09: 5; 1997-10: 3; 1997-11: 7; 1997-12: 5'),
    hoursBehind: 5,
  },
  {
    name: 'first and last Sunday of every other month, ten times',
    start: '1997-09-07 09:00',
    rules: ['FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU'],
    expected: spelled('1997-09: 7 28; 1997-11: 2 30; 1998-01: 4 25; 1998-03: 1 29; 1998-05: 3 31'),
  },
  {
    name: 'last Monday but one of the month, six times',
    start: '1997-09-22 09:00',
    rules: ['FREQ=MONTHLY;COUNT=6;BYDAY=-2MO'],
    expected: spelled('1997-09: 22; 1997-10: 20; 1997-11: 17; 1997-12: 22; 1998-01: 19; 1998-02: 16'),
  },
  {
    name: 'last day but two of the month',
    start: '1997-09-28 09:00',
    rules: ['FREQ=MONTHLY;BYMONTHDAY=-3'],
    expected: spelled('1997-09: 28; 1997-10: 29; 1997-11: 28; 1997-12: 29; 1998-01: 29; 1998-02: 26'),
    endless: true,
  },
  {
    name: 'the 2nd and 15th of the month, ten times',
    start: '1997-09-02 09:00',
    rules: ['FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15'],
    expected: spelled('1997-09: 2 15; 1997-10: 2 15; 1997-11: 2 15; 1997-12: 2 15; 1998-01: 2 15'),
  },
  {
    name: 'first and last day of the month, ten times',
    start: '1997-09-30 09:00',
    rules: ['FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1'],
    expected: spelled('1997-09: 30; 1997-10: 1 31; 1997-11: 1 30; 1997-12: 1 31; 1998-01: 1 31; 1998-02: 1'),
  },
  {
    name: 'the 10th to 15th of every eighteenth month, ten times',
    start: '1997-09-10 09:00',
    rules: ['FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15'],
    expected: spelled('1997-09: 10-15; 1999-03: 10-13'),
  },
  {
    name: 'Tuesdays of every other month',
    start: '1997-09-02 09:00',
    rules: ['FREQ=MONTHLY;INTERVAL=2;BYDAY=TU'],
    expected: spelled('1997-09: 2 9 16 23 30; 1997-11: 4 11 18 25; 1998-01: 6 13 20 27; 1998-03: 3 10 17 24 31'),
    endless: true,
  },
  {
    name: 'June and July, ten times',
    start: '1997-06-10 09:00',
    rules: ['FREQ=YEARLY;COUNT=10;BYMONTH=6,7'],
    expected: spelled(
      `1997-06: 10; 1997-07: 10; 1998-06: 10; 1998-07: 10; 1999-06: 10; 1999-07: 10; 2000-06: 10; 2000-07: 10;
       2001-06: 10; 2001-07: 10`,
    ),
  },
  {
    name: 'January to March of every other year, ten times',
    start: '1997-03-10 09:00',
    rules: ['FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3'],
    expected: spelled(
      `1997-03: 10; 1999-01: 10; 1999-02: 10; 1999-03: 10; 2001-01: 10; 2001-02: 10; 2001-03: 10; 2003-01: 10;
       2003-02: 10; 2003-03: 10`,
    ),
  },
  {
    name: 'days 1, 100 and 200 of every third year, ten times',
    start: '1997-01-01 09:00',
    rules: ['FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200'],
    expected: spelled(
      `1997-01: 1; 1997-04: 10; 1997-07: 19; 2000-01: 1; 2000-04: 9; 2000-07: 18; 2003-01: 1; 2003-04: 10;
       2003-07: 19; 2006-01: 1`,
    ),
  },
  {
    name: 'the twentieth Monday of the year',
    start: '1997-05-19 09:00',
    rules: ['FREQ=YEARLY;BYDAY=20MO'],
    expected: spelled('1997-05: 19; 1998-05: 18; 1999-05: 17'),
    endless: true,
  },
  {
    name: 'Monday of week 20',
    start: '1997-05-12 09:00',
    rules: ['FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO'],
    expected: spelled('1997-05: 12; 1998-05: 11; 1999-05: 17'),
    endless: true,
  },
  {
    name: 'Thursdays in March',
    start: '1997-03-13 09:00',
    rules: ['FREQ=YEARLY;BYMONTH=3;BYDAY=TH'],
    expected: spelled('1997-03: 13 20 27; 1998-03: 5 12 19 26; 1999-03: 4 11 18 25'),
    endless: true,
  },
  {
    name: 'Thursdays from June to August',
    start: '1997-06-05 09:00',
    rules: ['FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8'],
    expected: spelled(
      `1997-06: 5 12 19 26; 1997-07: 3 10 17 24 31; 1997-08: 7 14 21 28;
       1998-06: 4 11 18 25; 1998-07: 2 9 16 23 30; 1998-08: 6 13 20 27;
       1999-06: 3 10 17 24; 1999-07: 1 8 15 22 29; 1999-08: 5 12 19 26`,
    ),
    endless: true,
  },
  {
    name: 'Saturday after the first Sunday of the month',
    start: '1997-09-13 09:00',
    rules: ['FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13'],
    expected: spelled(
      `1997-09: 13; 1997-10: 11; 1997-11: 8; 1997-12: 13; 1998-01: 10; 1998-02: 7; 1998-03: 7; 1998-04: 11;
       1998-05: 9; 1998-06: 13`,
    ),
    endless: true,
  },
  {
    name: 'the Tuesday after a Monday in November of every fourth year',
    start: '1996-11-05 09:00',
    rules: ['FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8'],
    expected: spelled('1996-11: 5; 2000-11: 7; 2004-11: 2'),
    endless: true,
  },
  {
    name: 'the third of all Tuesdays, Wednesdays, Thursdays of the month, three times',
    start: '1997-09-04 09:00',
    rules: ['FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3'],
    expected: spelled('1997-09: 4; 1997-10: 7; 1997-11: 6'),
  },
  {
    name: 'the last working day but one of the month',
    start: '1997-09-29 09:00',
    rules: ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2'],
    expected: spelled('1997-09: 29; 1997-10: 30; 1997-11: 27; 1997-12: 30; 1998-01: 29; 1998-02: 26; 1998-03: 30'),
    endless: true,
  },
  {
    // As printed (17:00Z, one in the afternoon in New York) the RFC's own list would be wrong; its erratum says 21:00Z.
    name: 'every three hours from nine to five',
    start: '1997-09-02 09:00',
    rules: ['FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z'],
    expected: spelled('1997-09: 2', ['09:00', '12:00', '15:00']),
    hoursBehind: 4,
  },
  {
    name: 'every quarter of an hour, six times',
    start: '1997-09-02 09:00',
    rules: ['FREQ=MINUTELY;INTERVAL=15;COUNT=6'],
    expected: spelled('1997-09: 2', ['09:00', '09:15', '09:30', '09:45', '10:00', '10:15']),
  },
  {
    name: 'every hour and a half, four times',
    start: '1997-09-02 09:00',
    rules: ['FREQ=MINUTELY;INTERVAL=90;COUNT=4'],
    expected: spelled('1997-09: 2', ['09:00', '10:30', '12:00', '13:30']),
  },
  {
    name: 'every twenty minutes from 9:00 to 16:40, every day',
    start: '1997-09-02 09:00',
    rules: [`FREQ=DAILY;${BUSINESS_HOURS};BYMINUTE=0,20,40`, `FREQ=MINUTELY;INTERVAL=20;${BUSINESS_HOURS}`],
    expected: spelled('1997-09: 2-4', EVERY_20_MIN),
    endless: true,
  },
  {
    name: 'every other week where the week begins on Monday',
    start: '1997-08-05 09:00',
    rules: ['FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO'],
    expected: spelled('1997-08: 5 10 19 24'),
  },
  {
    name: 'every other week where the week begins on Sunday',
    start: '1997-08-05 09:00',
    rules: ['FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU'],
    expected: spelled('1997-08: 5 17 19 31'),
  },
  {
    name: 'a day that February has not is passed over and not counted',
    start: '2007-01-15 09:00',
    rules: ['FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5'],
    expected: spelled('2007-01: 15 30; 2007-02: 15; 2007-03: 15 30'),
  },
  {
    name: 'half past eight and nine on Sundays in January of every other year (§3.3.10)',
    start: '1997-01-05 08:30',
    rules: ['FREQ=YEARLY;INTERVAL=2;BYMONTH=1;BYDAY=SU;BYHOUR=8,9;BYMINUTE=30'],
    expected: spelled('1997-01: 5 12 19 26; 1999-01: 3 10 17 24 31', ['08:30', '09:30']),
    endless: true,
  },
  {
    name: 'the last working day of the month (§3.3.10)',
    start: '1997-09-30 09:00',
    rules: ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1'],
    expected: spelled('1997-09: 30; 1997-10: 31; 1997-11: 28; 1997-12: 31; 1998-01: 30; 1998-02: 27'),
    endless: true,
  },
];

const DAY_MS = 86_400_000;

/** One example as a calendar, and the time to read it in: an endless one ends with the last of its list. */
export function rfcCalendar({ start, expected, endless }: RfcExample, rule: string) {
  const last = wall(expected.at(-1) ?? start);
  // A wall clock in New York is four or five hours behind UTC, and nothing recurs sooner than every 20 minutes.
  const toMs = endless === true ? last + 5 * 3_600_000 + 60_000 : last + 400 * DAY_MS;
  return {
    text: vcalendar(
      event(`DTSTART;TZID=America/New_York:${start.replaceAll(/[-:]/g, '').replace(' ', 'T')}00\nRRULE:${rule}`),
    ),
    from: new Date(wall(start) - DAY_MS).toISOString(),
    to: new Date(toMs).toISOString(),
  };
}
