/**
 * The examples of RFC 5545 §3.8.5.3 in America/New_York, whose summer time ended on 26 October 1997, as instants: some
 * written out, and the whole list by Temporal's reading of its wall clocks.
 */
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { event, expandText, instant, starts, vcalendar } from '../../support/calendars-ical.ts';
import { RFC_EXAMPLES, rfcCalendar } from '../../support/calendars-rfc.ts';

/** 9:00 in New York on each day: 13:00Z until 25 October 1997, 14:00Z from the 26th on. */
const nine = (...days: readonly string[]) =>
  days.map((day) => `${day}T${day < '1997-10-26' || (day >= '1998-04-05' && day < '1998-10-25') ? '13' : '14'}:00Z`);

function daysBetween(first: string, last: string): string[] {
  const days: string[] = [];
  for (let at = Date.parse(first); at <= Date.parse(last); at += 86_400_000)
    days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}

const EXAMPLES: readonly (readonly [string, readonly string[], string?])[] = [
  ['RRULE:FREQ=DAILY;COUNT=10', nine(...daysBetween('1997-09-02', '1997-09-11'))],
  ['RRULE:FREQ=DAILY;UNTIL=19971224T000000Z', nine(...daysBetween('1997-09-02', '1997-12-23'))],
  ['RRULE:FREQ=DAILY;INTERVAL=10;COUNT=5', nine('1997-09-02', '1997-09-12', '1997-09-22', '1997-10-02', '1997-10-12')],
  [
    'RRULE:FREQ=WEEKLY;COUNT=10',
    nine(
      '1997-09-02',
      '1997-09-09',
      '1997-09-16',
      '1997-09-23',
      '1997-09-30',
      '1997-10-07',
      '1997-10-14',
      '1997-10-21',
      '1997-10-28',
      '1997-11-04',
    ),
  ],
  [
    'RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH',
    nine(
      '1997-09-02',
      '1997-09-04',
      '1997-09-16',
      '1997-09-18',
      '1997-09-30',
      '1997-10-02',
      '1997-10-14',
      '1997-10-16',
    ),
  ],
  [
    'RRULE:FREQ=MONTHLY;COUNT=10;BYDAY=1FR',
    nine(
      '1997-09-05',
      '1997-10-03',
      '1997-11-07',
      '1997-12-05',
      '1998-01-02',
      '1998-02-06',
      '1998-03-06',
      '1998-04-03',
      '1998-05-01',
      '1998-06-05',
    ),
    '19970905',
  ],
  [
    'RRULE:FREQ=MONTHLY;COUNT=6;BYDAY=-2MO',
    nine('1997-09-22', '1997-10-20', '1997-11-17', '1997-12-22', '1998-01-19', '1998-02-16'),
    '19970922',
  ],
  [
    'RRULE:FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1',
    nine(
      '1997-09-30',
      '1997-10-01',
      '1997-10-31',
      '1997-11-01',
      '1997-11-30',
      '1997-12-01',
      '1997-12-31',
      '1998-01-01',
      '1998-01-31',
      '1998-02-01',
    ),
    '19970930',
  ],
  [
    'EXDATE;TZID=America/New_York:19970902T090000\nRRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=4',
    nine('1998-02-13', '1998-03-13', '1998-11-13'),
  ],
  ['RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3', nine('1997-09-04', '1997-10-07', '1997-11-06'), '19970904'],
  ['RRULE:FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z', ['1997-09-02T13:00Z', '1997-09-02T16:00Z']],
  [
    'RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO',
    nine('1997-08-05', '1997-08-10', '1997-08-19', '1997-08-24'),
    '19970805',
  ],
  [
    'RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU',
    nine('1997-08-05', '1997-08-17', '1997-08-19', '1997-08-31'),
    '19970805',
  ],
  [
    'RRULE:FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5',
    nine('2007-01-15', '2007-01-30', '2007-02-15', '2007-03-15', '2007-03-30').map((at) =>
      at >= '2007-03-11' ? at.replace('T14', 'T13') : at,
    ),
    '20070115',
  ],
];

describe('RFC 5545 §3.8.5.3', () => {
  it.each(EXAMPLES)('%s', (lines, want, start = '19970902') => {
    const text = vcalendar(event(`DTSTART;TZID=America/New_York:${start}T090000\n${lines}`));
    expect(starts(expandText(text, { from: '1997-01-01', to: '2008-01-01', zone: 'Asia/Tokyo' }))).toEqual(want);
  });
});

describe('every example of the RFC, as a calendar', () => {
  for (const example of RFC_EXAMPLES)
    it.each(example.rules)(`${example.name}: %s`, (rule) => {
      const { text, from, to } = rfcCalendar(example, rule);
      const want = example.expected.map((wall) => {
        const { epochMilliseconds } = Temporal.PlainDateTime.from(wall).toZonedDateTime('America/New_York');
        return instant(epochMilliseconds);
      });
      expect(starts(expandText(text, { from, to, zone: 'Asia/Tokyo' }))).toEqual(want);
    });
});
