/** Overrides, cancellations and which of several statements about one event counts. */
import { describe, expect, it } from 'vitest';
import { event, expandText, told, vcalendar } from '../../support/calendars-ical.ts';
import { table } from '../../support/calendars-ical-table.ts';

const THREE = 'DTSTART;TZID=Europe/Berlin:20260601T090000\nRRULE:FREQ=DAILY;COUNT=3';
const [FIRST, SECOND, THIRD] = [
  '2026-06-01T07:00Z/08:00Z',
  '2026-06-02T07:00Z/08:00Z',
  '2026-06-03T07:00Z/08:00Z',
] as const;
const AT_SECOND = 'RECURRENCE-ID;TZID=Europe/Berlin:20260602T090000';

table('one instance', [
  {
    name: 'is moved and frees its slot',
    events: [THREE, `${AT_SECOND}\nDTSTART;TZID=Europe/Berlin:20260602T140000`],
    want: [FIRST, '2026-06-02T12:00Z/13:00Z', THIRD],
  },
  {
    name: 'named in UTC',
    events: [THREE, 'RECURRENCE-ID:20260602T070000Z\nDTSTART:20260602T120000Z'],
    want: [FIRST, '2026-06-02T12:00Z/13:00Z', THIRD],
  },
  {
    name: 'named in another zone',
    events: [THREE, 'RECURRENCE-ID;TZID=America/New_York:20260602T030000\nDTSTART:20260602T120000Z'],
    want: [FIRST, '2026-06-02T12:00Z/13:00Z', THIRD],
  },
  {
    name: 'named by its date',
    events: [THREE, 'RECURRENCE-ID;VALUE=DATE:20260602\nDTSTART:20260602T120000Z'],
    want: [FIRST, '2026-06-02T12:00Z/13:00Z', THIRD],
  },
  {
    name: 'named floating is in the series’ zone',
    zone: 'America/New_York',
    events: [THREE, 'RECURRENCE-ID:20260602T090000\nDTSTART:20260602T120000Z'],
    want: [FIRST, '2026-06-02T12:00Z/13:00Z', THIRD],
  },
  {
    name: 'with the rule of its series copied into it is that instance alone',
    events: [THREE, `${AT_SECOND}\nDTSTART:20260602T120000Z\nRRULE:FREQ=DAILY;COUNT=3`],
    want: [FIRST, '2026-06-02T12:00Z/13:00Z', THIRD],
  },
  {
    name: 'of whole days, named by midnight in UTC, is that day also west of Greenwich',
    zone: 'America/Los_Angeles',
    events: [
      'DTSTART;VALUE=DATE:20260601\nRRULE:FREQ=DAILY;COUNT=3',
      'RECURRENCE-ID:20260602T000000Z\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20260602',
    ],
    want: [
      '2026-06-01T07:00Z/2026-06-02T07:00Z',
      '2026-06-02T07:00Z/2026-06-03T07:00Z cancelled',
      '2026-06-03T07:00Z/2026-06-04T07:00Z',
    ],
  },
  {
    name: 'of whole days, taken out by midnight in UTC: both days that this may mean',
    zone: 'America/Los_Angeles',
    events: ['DTSTART;VALUE=DATE:20260601\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE:20260603T000000Z'],
    want: ['2026-06-01T07:00Z/2026-06-02T07:00Z', '2026-06-04T07:00Z/2026-06-05T07:00Z'],
  },
  {
    name: 'stands before its series in the file',
    events: [`${AT_SECOND}\nDTSTART:20260602T120000Z`, THREE],
    want: [FIRST, '2026-06-02T12:00Z/13:00Z', THIRD],
  },
  {
    name: 'is moved into the window',
    from: '2026-06-01T00:00Z',
    to: '2026-06-01T23:00Z',
    events: [THREE, `${AT_SECOND}\nDTSTART:20260601T120000Z`],
    want: [FIRST, '2026-06-01T12:00Z/13:00Z'],
  },
  {
    name: 'is moved out of the window',
    from: '2026-06-02T00:00Z',
    to: '2026-06-02T23:00Z',
    events: [THREE, `${AT_SECOND}\nDTSTART:20260801T120000Z`],
    want: [],
  },
  {
    name: 'is cancelled',
    events: [THREE, `${AT_SECOND}\nDTSTART;TZID=Europe/Berlin:20260602T090000\nSTATUS:CANCELLED`],
    want: [FIRST, `${SECOND} cancelled`, THIRD],
  },
  {
    name: 'is cancelled without a time',
    events: [THREE, `${AT_SECOND}\nSTATUS:CANCELLED`],
    want: [FIRST, `${SECOND} cancelled`, THIRD],
  },
  {
    name: 'is tentative',
    events: [THREE, `${AT_SECOND}\nDTSTART;TZID=Europe/Berlin:20260602T090000\nSTATUS:TENTATIVE`],
    want: [FIRST, `${SECOND} tentative`, THIRD],
  },
  {
    name: 'is moved onto another: both stand',
    events: [THREE, `${AT_SECOND}\nDTSTART;TZID=Europe/Berlin:20260603T090000`],
    want: [FIRST, THIRD, THIRD],
  },
  {
    name: 'is taken out by EXDATE, override and all',
    events: [`${THREE}\nEXDATE;TZID=Europe/Berlin:20260602T090000`, `${AT_SECOND}\nDTSTART:20260602T120000Z`],
    want: [FIRST, THIRD],
  },
  {
    name: 'is none of the series',
    events: [THREE, 'RECURRENCE-ID;TZID=Europe/Berlin:20260602T093000\nDTSTART:20260602T120000Z'],
    want: [FIRST, SECOND, THIRD],
    aside: ['contradiction'],
  },
  {
    name: 'is none of the series and cancelled: nothing to say',
    events: [THREE, 'RECURRENCE-ID;TZID=Europe/Berlin:20260602T093000\nDTSTART:20260602T120000Z\nSTATUS:CANCELLED'],
    want: [FIRST, SECOND, THIRD],
  },
  {
    name: 'after the last of COUNT',
    events: [THREE, 'RECURRENCE-ID;TZID=Europe/Berlin:20260604T090000\nDTSTART:20260602T120000Z'],
    want: [FIRST, SECOND, THIRD],
    aside: ['contradiction'],
  },
  {
    name: 'cannot be read: neither it nor what it replaces',
    events: [THREE, `${AT_SECOND}\nDTSTART:20260230T120000Z`],
    want: [FIRST, THIRD],
    aside: ['malformed'],
  },
  {
    name: 'cannot be told: nothing of the series',
    events: [THREE, 'RECURRENCE-ID:20260230T120000Z\nDTSTART:20260602T120000Z'],
    want: [],
    aside: ['malformed'],
  },
  {
    name: 'recurs by itself',
    events: [THREE, `${AT_SECOND}\nDTSTART:20260602T120000Z\nRRULE:FREQ=DAILY`],
    want: [FIRST, THIRD],
    aside: ['contradiction'],
  },
  {
    name: 'of an RDATE',
    events: [
      'DTSTART:20260601T070000Z\nRDATE:20260610T100000Z',
      'RECURRENCE-ID:20260610T100000Z\nDTSTART:20260610T150000Z',
    ],
    want: [FIRST, '2026-06-10T15:00Z/16:00Z'],
  },
  {
    name: 'of whole days, named by date',
    events: [
      'DTSTART;VALUE=DATE:20260601\nRRULE:FREQ=DAILY;COUNT=2',
      'RECURRENCE-ID;VALUE=DATE:20260602\nDTSTART:20260602T120000Z',
    ],
    want: ['2026-05-31T22:00Z/2026-06-01T22:00Z', '2026-06-02T12:00Z/13:00Z'],
  },
  {
    name: 'of whole days, named in UTC',
    events: [
      'DTSTART;VALUE=DATE:20260601\nRRULE:FREQ=DAILY;COUNT=2',
      'RECURRENCE-ID:20260601T220000Z\nDTSTART:20260602T120000Z',
    ],
    want: ['2026-05-31T22:00Z/2026-06-01T22:00Z', '2026-06-02T12:00Z/13:00Z'],
  },
]);

table('without a series', [
  {
    name: 'it stands for itself',
    events: [`${AT_SECOND}\nDTSTART:20260602T120000Z`],
    want: ['2026-06-02T12:00Z/13:00Z'],
  },
  {
    name: 'the newest of two',
    events: [
      `${AT_SECOND}\nSEQUENCE:2\nDTSTART:20260602T120000Z`,
      `${AT_SECOND}\nSEQUENCE:1\nDTSTART:20260602T150000Z`,
    ],
    want: ['2026-06-02T12:00Z/13:00Z'],
  },
]);

const FIVE = 'DTSTART;TZID=Europe/Berlin:20260601T090000\nRRULE:FREQ=DAILY;COUNT=5';
const FROM_THIRD = 'RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260603T090000';
table('this and all following', [
  {
    name: 'are moved by the same step',
    events: [FIVE, `${FROM_THIRD}\nDTSTART;TZID=Europe/Berlin:20260603T110000`],
    want: [FIRST, SECOND, '2026-06-03T09:00Z/10:00Z', '2026-06-04T09:00Z/10:00Z', '2026-06-05T09:00Z/10:00Z'],
  },
  {
    name: 'get its length',
    events: [FIVE, `${FROM_THIRD}\nDTSTART;TZID=Europe/Berlin:20260603T090000\nDURATION:PT30M`],
    want: [FIRST, SECOND, '2026-06-03T07:00Z/07:30Z', '2026-06-04T07:00Z/07:30Z', '2026-06-05T07:00Z/07:30Z'],
  },
  {
    name: 'are cancelled',
    events: [FIVE, `${FROM_THIRD}\nDTSTART;TZID=Europe/Berlin:20260603T090000\nSTATUS:CANCELLED`],
    want: [
      FIRST,
      SECOND,
      `${THIRD} cancelled`,
      '2026-06-04T07:00Z/08:00Z cancelled',
      '2026-06-05T07:00Z/08:00Z cancelled',
    ],
  },
  {
    name: 'are cancelled without a time',
    events: [FIVE, `${FROM_THIRD}\nSTATUS:CANCELLED`],
    want: [
      FIRST,
      SECOND,
      `${THIRD} cancelled`,
      '2026-06-04T07:00Z/08:00Z cancelled',
      '2026-06-05T07:00Z/08:00Z cancelled',
    ],
  },
  {
    name: 'but one has its own',
    events: [
      FIVE,
      `${FROM_THIRD}\nDTSTART;TZID=Europe/Berlin:20260603T110000`,
      'RECURRENCE-ID;TZID=Europe/Berlin:20260604T090000\nDTSTART:20260604T150000Z',
    ],
    want: [FIRST, SECOND, '2026-06-03T09:00Z/10:00Z', '2026-06-04T15:00Z/16:00Z', '2026-06-05T09:00Z/10:00Z'],
  },
  {
    name: 'until the next range',
    events: [
      FIVE,
      `${FROM_THIRD}\nDTSTART;TZID=Europe/Berlin:20260603T110000`,
      'RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260604T090000\nDTSTART;TZID=Europe/Berlin:20260604T100000',
    ],
    want: [FIRST, SECOND, '2026-06-03T09:00Z/10:00Z', '2026-06-04T08:00Z/09:00Z', '2026-06-05T08:00Z/09:00Z'],
  },
  {
    name: 'keep the wall clock across a change',
    events: [
      'DTSTART;TZID=Europe/Berlin:20260326T090000\nRRULE:FREQ=DAILY;COUNT=4',
      'RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260327T090000\nDTSTART;TZID=Europe/Berlin:20260327T110000',
    ],
    want: [
      '2026-03-26T08:00Z/09:00Z',
      '2026-03-27T10:00Z/11:00Z',
      '2026-03-28T10:00Z/11:00Z',
      '2026-03-29T09:00Z/10:00Z',
    ],
  },
  {
    name: 'reach into the window from far',
    from: '2026-07-03',
    to: '2026-07-04',
    events: [FIVE, `${FROM_THIRD}\nDTSTART;TZID=Europe/Berlin:20260703T090000`],
    want: ['2026-07-03T07:00Z/08:00Z'],
  },
  {
    name: 'reach back into the window',
    from: '2026-05-04',
    to: '2026-05-05',
    events: [FIVE, `${FROM_THIRD}\nDTSTART;TZID=Europe/Berlin:20260503T090000`],
    want: ['2026-05-04T07:00Z/08:00Z'],
  },
  {
    name: 'whose first is taken out still move the rest',
    events: [
      `${FIVE}\nEXDATE;TZID=Europe/Berlin:20260603T090000`,
      `${FROM_THIRD}\nDTSTART;TZID=Europe/Berlin:20260603T110000`,
    ],
    want: [FIRST, SECOND, '2026-06-04T09:00Z/10:00Z', '2026-06-05T09:00Z/10:00Z'],
  },
  {
    name: 'from a time that the series does not have: nothing is certain',
    events: [FIVE, 'RECURRENCE-ID;RANGE=THISANDFUTURE:20260603T080000Z\nDTSTART:20260603T120000Z'],
    want: [],
    aside: ['contradiction'],
  },
  {
    name: 'cannot be read: nothing is certain',
    events: [FIVE, `${FROM_THIRD}\nDTSTART;TZID=Mars/Base:20260603T110000`],
    want: [],
    aside: ['unknown_zone'],
  },
  {
    name: 'by more than a year',
    events: [FIVE, `${FROM_THIRD}\nDTSTART;TZID=Europe/Berlin:20280603T110000`],
    want: [],
    aside: ['contradiction'],
  },
  {
    name: 'THISANDPRIOR is not followed',
    events: [FIVE, 'RECURRENCE-ID;RANGE=THISANDPRIOR:20260603T070000Z\nDTSTART:20260603T120000Z'],
    want: [],
    aside: ['contradiction'],
  },
]);

table('several statements of one event', [
  {
    name: 'the higher SEQUENCE, wherever it stands',
    events: ['DTSTART:20260601T100000Z\nSEQUENCE:3', 'DTSTART:20260601T090000Z\nSEQUENCE:2'],
    want: ['2026-06-01T10:00Z/11:00Z'],
  },
  {
    name: 'then the later DTSTAMP',
    events: [
      'DTSTART:20260601T100000Z\nDTSTAMP:20260502T000000Z',
      'DTSTART:20260601T090000Z\nDTSTAMP:20260501T000000Z',
    ],
    want: ['2026-06-01T10:00Z/11:00Z'],
  },
  {
    name: 'or the later LAST-MODIFIED',
    events: [
      'DTSTART:20260601T100000Z\nDTSTAMP:20260501T000000Z\nLAST-MODIFIED:20260503T000000Z',
      'DTSTART:20260601T090000Z\nDTSTAMP:20260502T000000Z',
    ],
    want: ['2026-06-01T10:00Z/11:00Z'],
  },
  {
    name: 'then the last in the file',
    events: ['DTSTART:20260601T100000Z', 'DTSTART:20260601T090000Z'],
    want: ['2026-06-01T09:00Z/10:00Z'],
  },
  {
    name: 'a newer cancellation',
    events: ['DTSTART:20260601T100000Z', 'DTSTART:20260601T100000Z\nSEQUENCE:1\nSTATUS:CANCELLED'],
    want: ['2026-06-01T10:00Z/11:00Z cancelled'],
  },
  {
    name: 'a newer cancellation without a time',
    events: ['DTSTART:20260601T100000Z', 'SEQUENCE:1\nSTATUS:CANCELLED'],
    want: [],
  },
  {
    name: 'a newer one that cannot be read: the older is out of date',
    events: ['DTSTART:20260601T100000Z', 'DTSTART:20260230T100000Z\nSEQUENCE:1'],
    want: [],
    aside: ['malformed'],
  },
  {
    name: 'an older one that cannot be read',
    events: ['DTSTART:20260601T100000Z\nSEQUENCE:1', 'DTSTART:20260230T100000Z'],
    want: ['2026-06-01T10:00Z/11:00Z'],
  },
  {
    name: 'one of which nobody knows how new it is',
    events: ['DTSTART:20260601T100000Z\nSEQUENCE:1', 'DTSTART:20260601T100000Z\nSEQUENCE:x'],
    want: [],
    aside: ['malformed'],
  },
  {
    name: 'a cancelled series with a newer override',
    events: [`${THREE}\nSTATUS:CANCELLED\nSEQUENCE:1`, `${AT_SECOND}\nDTSTART:20260602T120000Z\nSEQUENCE:2`],
    want: [`${FIRST} cancelled`, '2026-06-02T12:00Z/13:00Z', `${THIRD} cancelled`],
  },
  {
    name: 'a cancelled series with an older override',
    events: [`${THREE}\nSTATUS:CANCELLED\nSEQUENCE:1`, `${AT_SECOND}\nDTSTART:20260602T120000Z`],
    want: [`${FIRST} cancelled`, '2026-06-02T12:00Z/13:00Z cancelled', `${THIRD} cancelled`],
  },
  {
    name: 'an older override of a newer series still stands',
    events: [`${THREE}\nSEQUENCE:5`, `${AT_SECOND}\nDTSTART:20260602T120000Z\nSEQUENCE:2`],
    want: [FIRST, '2026-06-02T12:00Z/13:00Z', THIRD],
  },
  {
    name: 'a series with a bad rule falls with its overrides',
    events: [
      'DTSTART:20260601T070000Z\nRRULE:FREQ=DAILY;COUNT=0',
      'RECURRENCE-ID:20260602T070000Z\nDTSTART:20260602T120000Z',
    ],
    want: [],
    aside: ['bad_rule'],
  },
]);

describe('identity', () => {
  it('keeps the recurrence id of a moved instance, and single events have none', () => {
    const answer = expandText(
      vcalendar(
        event(THREE),
        event(`${AT_SECOND}\nDTSTART:20260602T120000Z`),
        event('UID:b\nDTSTART:20260601T120000Z'),
      ),
    );
    expect(answer.occurrences.map(({ uid, recurrenceId }) => [uid, recurrenceId]).sort()).toEqual([
      ['a', '20260601T070000Z'],
      ['a', '20260602T070000Z'],
      ['a', '20260603T070000Z'],
      ['b', undefined],
    ]);
    expect(answer.events).toBe(2);
  });

  it('gives an event without UID an id of its own that stays', () => {
    const text = vcalendar([
      'DTSTART:20260601T070000Z',
      'DTEND:20260601T080000Z',
      'SUMMARY:x',
      'DTSTAMP:20260101T000000Z',
    ]);
    const again = text.replace('DTSTAMP:2026', 'DTSTAMP:2027');
    const [first, second] = [text, again].map((body) => expandText(body).occurrences[0]?.uid);
    expect(first).toMatch(/^no-uid-[0-9a-f]{32}$/);
    expect(second).toBe(first);
  });

  it('does not guess what an override without UID overrides', () => {
    const answer = expandText(
      vcalendar(['DTSTART:20260601T070000Z', 'DTEND:20260601T080000Z', 'RECURR', ' ENCE-ID:20260601T060000Z']),
    );
    expect(answer).toMatchObject({ occurrences: [], setAside: [{ code: 'malformed', uid: '', line: 4 }] });
  });

  it('cancels by METHOD', () => {
    const both =
      vcalendar(event(THREE)) +
      vcalendar(event(`${AT_SECOND}\nSEQUENCE:1`)).replace('VERSION', 'METHOD:CANCEL\r\nVERSION');
    expect(told(expandText(both))).toEqual([FIRST, `${SECOND} cancelled`, THIRD]);
  });

  it('takes no message that states no booking for one', () => {
    const counter = vcalendar(event('DTSTART:20260601T070000Z')).replace('VERSION', 'METHOD:COUNTER\r\nVERSION');
    expect(told(expandText(counter))).toEqual([`${FIRST} tentative`]);
  });
});
