/** What single events and series come to: the right answers of the RFC and of the field, one row each. */
import { table } from '../../support/calendars-ical-table.ts';

table('local times', [
  {
    name: 'Berlin in the gap moves on by it',
    events: ['DTSTART;TZID=Europe/Berlin:20260329T023000'],
    want: ['2026-03-29T01:30Z/02:30Z'],
  },
  {
    name: 'New York in the gap',
    events: ['DTSTART;TZID=America/New_York:20260308T023000'],
    want: ['2026-03-08T07:30Z/08:30Z'],
  },
  {
    name: 'Berlin in the overlap is the first',
    events: ['DTSTART;TZID=Europe/Berlin:20261025T023000'],
    want: ['2026-10-25T00:30Z/01:30Z'],
  },
  {
    name: 'New York in the overlap',
    events: ['DTSTART;TZID=America/New_York:20261101T013000'],
    want: ['2026-11-01T05:30Z/06:30Z'],
  },
  {
    name: 'hours are exact across a change',
    events: ['DTSTART;TZID=Europe/Berlin:20260328T220000\nDURATION:PT8H'],
    want: ['2026-03-28T21:00Z/2026-03-29T05:00Z'],
  },
  {
    name: 'days follow the wall clock across a change',
    events: ['DTSTART;TZID=Europe/Berlin:20260328T220000\nDURATION:P1D'],
    want: ['2026-03-28T21:00Z/2026-03-29T20:00Z'],
  },
  {
    name: 'days first, then hours',
    events: ['DTSTART;TZID=Europe/Berlin:20260328T010000\nDURATION:P1DT2H'],
    want: ['2026-03-28T00:00Z/2026-03-29T02:00Z'],
  },
  {
    name: 'weeks',
    events: ['DTSTART;TZID=Europe/Berlin:20260322T120000\nDURATION:P1W'],
    want: ['2026-03-22T11:00Z/2026-03-29T10:00Z'],
  },
  {
    name: 'floating is the site’s',
    events: ['DTSTART:20260701T090000'],
    zone: 'America/Los_Angeles',
    want: ['2026-07-01T16:00Z/17:00Z'],
  },
  { name: 'UTC', events: ['DTSTART:20260701T090000Z'], want: ['2026-07-01T09:00Z/10:00Z'] },
  {
    name: 'Z wins over a TZID',
    events: ['DTSTART;TZID=Europe/Berlin:20260701T090000Z'],
    want: ['2026-07-01T09:00Z/10:00Z'],
  },
  {
    name: 'end in another zone',
    events: ['DTSTART;TZID=Europe/Berlin:20260701T090000\nDTEND;TZID=Europe/London:20260701T090000'],
    want: ['2026-07-01T07:00Z/08:00Z'],
  },
  { name: 'leap second', events: ['DTSTART:20260630T235960Z'], want: ['2026-06-30T23:59:59Z/2026-07-01T00:59:59Z'] },
  {
    name: 'lower case',
    events: ['dtstart;tzid=europe/berlin:20260701t090000\ndtend;tzid=EUROPE/BERLIN:20260701t100000'],
    want: ['2026-07-01T07:00Z/08:00Z'],
  },
]);

table('whole days', [
  { name: 'without an end', events: ['DTSTART;VALUE=DATE:20260701'], want: ['2026-06-30T22:00Z/2026-07-01T22:00Z'] },
  {
    name: 'with an end, which is not in it',
    events: ['DTSTART;VALUE=DATE:20260701\nDTEND;VALUE=DATE:20260704'],
    want: ['2026-06-30T22:00Z/2026-07-03T22:00Z'],
  },
  {
    name: 'with a duration',
    events: ['DTSTART;VALUE=DATE:20260701\nDURATION:P2D'],
    want: ['2026-06-30T22:00Z/2026-07-02T22:00Z'],
  },
  {
    name: 'a rule’s times of day, which have no meaning',
    events: ['DTSTART;VALUE=DATE:20260701\nRRULE:FREQ=DAILY;COUNT=2;BYHOUR=9;BYMINUTE=30'],
    want: ['2026-06-30T22:00Z/2026-07-01T22:00Z', '2026-07-01T22:00Z/2026-07-02T22:00Z'],
  },
  { name: 'a day of 23 hours', events: ['DTSTART;VALUE=DATE:20260329'], want: ['2026-03-28T23:00Z/2026-03-29T22:00Z'] },
  { name: 'a day of 25 hours', events: ['DTSTART;VALUE=DATE:20261025'], want: ['2026-10-24T22:00Z/2026-10-25T23:00Z'] },
  {
    name: 'midnight that is skipped: São Paulo',
    zone: 'America/Sao_Paulo',
    from: '2018-01-01',
    to: '2019-01-01',
    events: ['DTSTART;VALUE=DATE:20181104'],
    want: ['2018-11-04T03:00Z/2018-11-05T02:00Z'],
  },
  {
    name: 'the day before it',
    zone: 'America/Sao_Paulo',
    from: '2018-01-01',
    to: '2019-01-01',
    events: ['DTSTART;VALUE=DATE:20181103'],
    want: ['2018-11-03T03:00Z/2018-11-04T03:00Z'],
  },
  {
    name: 'midnight that is skipped: Cairo',
    zone: 'Africa/Cairo',
    events: ['DTSTART;VALUE=DATE:20260424'],
    want: ['2026-04-23T22:00Z/2026-04-24T21:00Z'],
  },
  {
    name: 'midnight that is skipped: Beirut',
    zone: 'Asia/Beirut',
    events: ['DTSTART;VALUE=DATE:20260329'],
    want: ['2026-03-28T22:00Z/2026-03-29T21:00Z'],
  },
  {
    name: 'daily across a skipped midnight',
    zone: 'Africa/Cairo',
    events: ['DTSTART;VALUE=DATE:20260423\nRRULE:FREQ=DAILY;COUNT=3'],
    want: [
      '2026-04-22T22:00Z/2026-04-23T22:00Z',
      '2026-04-23T22:00Z/2026-04-24T21:00Z',
      '2026-04-24T21:00Z/2026-04-25T21:00Z',
    ],
  },
  {
    name: 'a day that never was: Samoa',
    zone: 'Pacific/Apia',
    from: '2011-12-01',
    to: '2012-02-01',
    events: ['DTSTART;VALUE=DATE:20111229\nRRULE:FREQ=DAILY;COUNT=4'],
    want: [
      '2011-12-29T10:00Z/2011-12-30T10:00Z',
      '2011-12-30T10:00Z/2011-12-31T10:00Z',
      '2011-12-31T10:00Z/2012-01-01T10:00Z',
    ],
  },
  { name: 'a bare date', events: ['DTSTART:20260701'], want: ['2026-06-30T22:00Z/2026-07-01T22:00Z'] },
  {
    name: 'a zone on a date is not heard',
    events: ['DTSTART;TZID=Asia/Tokyo;VALUE=DATE:20260701\nDURATION:P1D'],
    want: ['2026-06-30T22:00Z/2026-07-01T22:00Z'],
  },
]);

table('series across clock changes', [
  {
    name: 'the wall clock stays',
    events: ['DTSTART;TZID=Europe/Berlin:20260328T090000\nRRULE:FREQ=DAILY;COUNT=3'],
    want: ['2026-03-28T08:00Z/09:00Z', '2026-03-29T07:00Z/08:00Z', '2026-03-30T07:00Z/08:00Z'],
  },
  {
    name: 'a skipped time does not drift',
    events: ['DTSTART;TZID=Europe/Berlin:20260329T023000\nRRULE:FREQ=DAILY;COUNT=2'],
    want: ['2026-03-29T01:30Z/02:30Z', '2026-03-30T00:30Z/01:30Z'],
  },
  {
    name: 'two times that the gap brings together count once',
    events: ['DTSTART;TZID=Europe/Berlin:20260328T023000\nRRULE:FREQ=DAILY;BYHOUR=2,3;COUNT=4'],
    want: ['2026-03-28T01:30Z/02:30Z', '2026-03-28T02:30Z/03:30Z', '2026-03-29T01:30Z/02:30Z'],
  },
  {
    name: 'DTEND gives an exact length',
    events: [
      'DTSTART;TZID=Europe/Berlin:20260327T220000\nDTEND;TZID=Europe/Berlin:20260328T060000\nRRULE:FREQ=DAILY;COUNT=2',
    ],
    want: ['2026-03-27T21:00Z/2026-03-28T05:00Z', '2026-03-28T21:00Z/2026-03-29T05:00Z'],
  },
  {
    name: 'DURATION in days gives a nominal length',
    events: ['DTSTART;TZID=Europe/Berlin:20260327T220000\nDURATION:P1D\nRRULE:FREQ=DAILY;COUNT=2'],
    want: ['2026-03-27T21:00Z/2026-03-28T21:00Z', '2026-03-28T21:00Z/2026-03-29T20:00Z'],
  },
  {
    name: 'a series in UTC knows no change',
    events: ['DTSTART:20260328T090000Z\nRRULE:FREQ=DAILY;COUNT=2'],
    want: ['2026-03-28T09:00Z/10:00Z', '2026-03-29T09:00Z/10:00Z'],
  },
  {
    name: 'a floating series is the site’s',
    zone: 'America/New_York',
    events: ['DTSTART:20260307T090000\nRRULE:FREQ=DAILY;COUNT=2'],
    want: ['2026-03-07T14:00Z/15:00Z', '2026-03-08T13:00Z/14:00Z'],
  },
]);

const BERLIN_DAILY = 'DTSTART;TZID=Europe/Berlin:20260301T090000\nRRULE:FREQ=DAILY';
table('UNTIL', [
  {
    name: 'UTC, in it',
    events: [`${BERLIN_DAILY};UNTIL=20260302T080000Z`],
    want: ['2026-03-01T08:00Z/09:00Z', '2026-03-02T08:00Z/09:00Z'],
  },
  {
    name: 'UTC, a second before',
    events: [`${BERLIN_DAILY};UNTIL=20260302T075959Z`],
    want: ['2026-03-01T08:00Z/09:00Z'],
  },
  {
    name: 'local, which the RFC forbids here',
    events: [`${BERLIN_DAILY};UNTIL=20260302T090000`],
    want: ['2026-03-01T08:00Z/09:00Z', '2026-03-02T08:00Z/09:00Z'],
  },
  {
    name: 'a date holds to its end',
    events: [`${BERLIN_DAILY};UNTIL=20260302`],
    want: ['2026-03-01T08:00Z/09:00Z', '2026-03-02T08:00Z/09:00Z'],
  },
  { name: 'before DTSTART: no instance', events: [`${BERLIN_DAILY};UNTIL=20260228T235959Z`], want: [] },
  {
    name: 'on whole days, a date',
    events: ['DTSTART;VALUE=DATE:20260301\nRRULE:FREQ=DAILY;UNTIL=20260302'],
    want: ['2026-02-28T23:00Z/2026-03-01T23:00Z', '2026-03-01T23:00Z/2026-03-02T23:00Z'],
  },
  {
    name: 'on whole days, UTC midnight is that day',
    zone: 'America/New_York',
    events: ['DTSTART;VALUE=DATE:20260301\nRRULE:FREQ=DAILY;UNTIL=20260302T000000Z'],
    want: ['2026-03-01T05:00Z/2026-03-02T05:00Z', '2026-03-02T05:00Z/2026-03-03T05:00Z'],
  },
  {
    name: 'on whole days, the site’s midnight in UTC',
    events: ['DTSTART;VALUE=DATE:20260301\nRRULE:FREQ=DAILY;UNTIL=20260301T230000Z'],
    want: ['2026-02-28T23:00Z/2026-03-01T23:00Z', '2026-03-01T23:00Z/2026-03-02T23:00Z'],
  },
]);

table('RDATE', [
  {
    name: 'adds',
    events: [`${BERLIN_DAILY};COUNT=1\nRDATE;TZID=Europe/Berlin:20260310T100000,20260311T100000`],
    want: ['2026-03-01T08:00Z/09:00Z', '2026-03-10T09:00Z/10:00Z', '2026-03-11T09:00Z/10:00Z'],
  },
  {
    name: 'without a rule',
    events: ['DTSTART;TZID=Europe/Berlin:20260301T090000\nRDATE:20260310T100000Z'],
    want: ['2026-03-01T08:00Z/09:00Z', '2026-03-10T10:00Z/11:00Z'],
  },
  {
    name: 'in a zone of its own',
    events: ['DTSTART;TZID=Europe/Berlin:20260301T090000\nRDATE;TZID=America/New_York:20260310T100000'],
    want: ['2026-03-01T08:00Z/09:00Z', '2026-03-10T14:00Z/15:00Z'],
  },
  {
    name: 'what the rule has counts once',
    events: [`${BERLIN_DAILY};COUNT=2\nRDATE:20260302T080000Z`],
    want: ['2026-03-01T08:00Z/09:00Z', '2026-03-02T08:00Z/09:00Z'],
  },
  {
    name: 'PERIOD with an end',
    events: ['DTSTART:20260301T090000Z\nRDATE;VALUE=PERIOD:20260310T100000Z/20260310T103000Z'],
    want: ['2026-03-01T09:00Z/10:00Z', '2026-03-10T10:00Z/10:30Z'],
  },
  {
    name: 'PERIOD with a duration',
    events: [
      'DTSTART:20260301T090000Z\nRDATE;VALUE=PERIOD;TZID=Europe/Berlin:20260328T220000/PT8H,20260410T100000/P1D',
    ],
    want: ['2026-03-01T09:00Z/10:00Z', '2026-03-28T21:00Z/2026-03-29T05:00Z', '2026-04-10T08:00Z/2026-04-11T08:00Z'],
  },
  {
    name: 'whole days',
    events: ['DTSTART;VALUE=DATE:20260301\nRDATE;VALUE=DATE:20260310'],
    want: ['2026-02-28T23:00Z/2026-03-01T23:00Z', '2026-03-09T23:00Z/2026-03-10T23:00Z'],
  },
  {
    name: 'a whole day in a series of times says no time',
    events: ['DTSTART:20260301T090000Z\nRDATE;VALUE=DATE:20260310'],
    want: [],
    aside: ['contradiction'],
  },
  {
    name: 'taken out again',
    events: ['DTSTART:20260301T090000Z\nRDATE:20260310T090000Z\nEXDATE:20260310T090000Z'],
    want: ['2026-03-01T09:00Z/10:00Z'],
  },
]);

table('EXDATE and EXRULE', [
  {
    name: 'in the series’ zone',
    events: [`${BERLIN_DAILY};COUNT=2\nEXDATE;TZID=Europe/Berlin:20260302T090000`],
    want: ['2026-03-01T08:00Z/09:00Z'],
  },
  { name: 'in UTC', events: [`${BERLIN_DAILY};COUNT=2\nEXDATE:20260302T080000Z`], want: ['2026-03-01T08:00Z/09:00Z'] },
  {
    name: 'in another zone',
    events: [`${BERLIN_DAILY};COUNT=2\nEXDATE;TZID=Asia/Tokyo:20260302T170000`],
    want: ['2026-03-01T08:00Z/09:00Z'],
  },
  {
    name: 'a date takes out that day',
    events: [`${BERLIN_DAILY};COUNT=2\nEXDATE;VALUE=DATE:20260302`],
    want: ['2026-03-01T08:00Z/09:00Z'],
  },
  {
    name: 'a date means the day in the series’ zone',
    events: ['DTSTART;TZID=Asia/Tokyo:20260302T010000\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE;VALUE=DATE:20260302'],
    want: ['2026-03-02T16:00Z/17:00Z'],
  },
  {
    name: 'floating in a series with a zone takes out both readings',
    zone: 'America/New_York',
    events: ['DTSTART;TZID=Europe/Berlin:20260301T090000\nRRULE:FREQ=HOURLY;COUNT=7\nEXDATE:20260301T090000'],
    want: [
      '2026-03-01T09:00Z/10:00Z',
      '2026-03-01T10:00Z/11:00Z',
      '2026-03-01T11:00Z/12:00Z',
      '2026-03-01T12:00Z/13:00Z',
      '2026-03-01T13:00Z/14:00Z',
    ],
  },
  {
    name: 'several in a line and several lines',
    events: [`${BERLIN_DAILY};COUNT=4\nEXDATE:20260302T080000Z,20260303T080000Z\nEXDATE:20260304T080000Z`],
    want: ['2026-03-01T08:00Z/09:00Z'],
  },
  {
    name: 'the first',
    events: [`${BERLIN_DAILY};COUNT=2\nEXDATE;TZID=Europe/Berlin:20260301T090000`],
    want: ['2026-03-02T08:00Z/09:00Z'],
  },
  {
    name: 'a time on whole days takes out the day',
    events: ['DTSTART;VALUE=DATE:20260301\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE:20260302T000000'],
    want: ['2026-02-28T23:00Z/2026-03-01T23:00Z'],
  },
  {
    name: 'an empty one says nothing',
    events: [`${BERLIN_DAILY};COUNT=1\nEXDATE:`],
    want: ['2026-03-01T08:00Z/09:00Z'],
  },
  {
    name: 'in an unknown zone: what is taken out is not known',
    events: [`${BERLIN_DAILY};COUNT=1\nEXDATE;TZID=Mars/Base:20260302T090000`],
    want: [],
    aside: ['unknown_zone'],
  },
  {
    name: 'EXRULE takes out what it gives, and DTSTART only then',
    events: ['DTSTART:20260302T090000Z\nRRULE:FREQ=DAILY;COUNT=7\nEXRULE:FREQ=WEEKLY;BYDAY=TU,WE,TH,FR,SA'],
    want: ['2026-03-02T09:00Z/10:00Z', '2026-03-08T09:00Z/10:00Z'],
  },
  {
    name: 'two rules are one set',
    events: ['DTSTART:20260302T090000Z\nRRULE:FREQ=DAILY;COUNT=2\nRRULE:FREQ=DAILY;INTERVAL=2;COUNT=2'],
    want: ['2026-03-02T09:00Z/10:00Z', '2026-03-03T09:00Z/10:00Z', '2026-03-04T09:00Z/10:00Z'],
  },
]);

table('status', [
  { name: 'CONFIRMED', events: ['DTSTART:20260301T090000Z\nSTATUS:CONFIRMED'], want: ['2026-03-01T09:00Z/10:00Z'] },
  {
    name: 'TENTATIVE',
    events: ['DTSTART:20260301T090000Z\nSTATUS:TENTATIVE'],
    want: ['2026-03-01T09:00Z/10:00Z tentative'],
  },
  {
    name: 'CANCELLED',
    events: ['DTSTART:20260301T090000Z\nSTATUS:cancelled'],
    want: ['2026-03-01T09:00Z/10:00Z cancelled'],
  },
  {
    name: 'a status that nobody knows',
    events: ['DTSTART:20260301T090000Z\nSTATUS:PENDING'],
    want: ['2026-03-01T09:00Z/10:00Z tentative'],
  },
  {
    name: 'shown as free',
    events: ['DTSTART:20260301T090000Z\nTRANSP:TRANSPARENT'],
    want: ['2026-03-01T09:00Z/10:00Z tentative'],
  },
  {
    name: 'shown as busy',
    events: ['DTSTART:20260301T090000Z\nTRANSP:OPAQUE\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY'],
    want: ['2026-03-01T09:00Z/10:00Z'],
  },
  {
    name: 'Microsoft’s tentative',
    events: ['DTSTART:20260301T090000Z\nX-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE'],
    want: ['2026-03-01T09:00Z/10:00Z tentative'],
  },
  {
    name: 'Microsoft’s free',
    events: ['DTSTART:20260301T090000Z\nX-MICROSOFT-CDO-BUSYSTATUS:FREE'],
    want: ['2026-03-01T09:00Z/10:00Z tentative'],
  },
]);

table('lengths', [
  {
    name: 'a time without an end is no booking',
    events: ['DTSTART:20260301T090000Z\nDURATION:PT0S'],
    want: [],
    aside: ['no_times'],
  },
  {
    name: 'an end at the start',
    events: ['DTSTART:20260301T090000Z\nDTEND:20260301T090000Z'],
    want: [],
    aside: ['no_times'],
  },
  {
    name: 'old ones outside of the window are not worth a word',
    events: ['DTSTART:20200301T090000Z\nDTEND:20200301T090000Z'],
    want: [],
  },
  {
    name: 'an end before the start',
    events: ['DTSTART:20260301T090000Z\nDTEND:20260301T080000Z'],
    want: [],
    aside: ['contradiction'],
  },
  {
    name: 'a negative duration',
    events: ['DTSTART:20260301T090000Z\nDURATION:-PT1H'],
    want: [],
    aside: ['contradiction'],
  },
  {
    name: 'both end and duration',
    events: ['DTSTART:20260301T090000Z\nDTEND:20260301T100000Z\nDURATION:PT1H'],
    want: [],
    aside: ['contradiction'],
  },
  {
    name: 'a day to a time',
    events: ['DTSTART;VALUE=DATE:20260301\nDTEND:20260301T100000Z'],
    want: [],
    aside: ['contradiction'],
  },
  {
    name: 'a whole day that lasts an hour',
    events: ['DTSTART;VALUE=DATE:20260301\nDURATION:PT1H'],
    want: [],
    aside: ['contradiction'],
  },
  {
    name: '31 days',
    events: ['DTSTART;VALUE=DATE:20260301\nDURATION:P31D'],
    want: ['2026-02-28T23:00Z/2026-03-31T22:00Z'],
  },
  { name: 'longer', events: ['DTSTART;VALUE=DATE:20260301\nDURATION:P32D'], want: [], aside: ['too_long'] },
  { name: 'huge', events: ['DTSTART:20260301T090000Z\nDURATION:P999999999W'], want: [], aside: ['too_long'] },
  { name: 'no DTSTART', events: ['SUMMARY:x\nDTEND:20260301T100000Z'], want: [], aside: ['no_times'] },
  {
    name: 'two that differ',
    events: ['DTSTART:20260301T090000Z\nDTSTART:20260301T100000Z'],
    want: [],
    aside: ['contradiction'],
  },
]);

table('windows are half-open', [
  { name: 'ends as the window begins', from: '2026-03-01T10:00Z', events: ['DTSTART:20260301T090000Z'], want: [] },
  {
    name: 'ends a second later',
    from: '2026-03-01T09:59:59Z',
    events: ['DTSTART:20260301T090000Z'],
    want: ['2026-03-01T09:00Z/10:00Z'],
  },
  { name: 'begins as the window ends', to: '2026-03-01T09:00Z', events: ['DTSTART:20260301T090000Z'], want: [] },
  {
    name: 'begins a second before',
    to: '2026-03-01T09:00:01Z',
    events: ['DTSTART:20260301T090000Z'],
    want: ['2026-03-01T09:00Z/10:00Z'],
  },
  {
    name: 'a series that reaches in from before',
    from: '2026-03-03T09:30Z',
    to: '2026-03-03T09:40Z',
    events: ['DTSTART:20200101T090000Z\nRRULE:FREQ=DAILY'],
    want: ['2026-03-03T09:00Z/10:00Z'],
  },
  {
    name: 'many days that reach in',
    from: '2026-03-03T09:30Z',
    to: '2026-03-03T09:40Z',
    events: ['DTSTART:20260101T090000Z\nDURATION:P3D\nRRULE:FREQ=WEEKLY;BYDAY=SU,MO'],
    want: ['2026-03-01T09:00Z/2026-03-04T09:00Z', '2026-03-02T09:00Z/2026-03-05T09:00Z'],
  },
]);
