/** The written form: folds, quotes, escapes, line ends, components; and what one bad piece may spoil. */
import { describe, expect, it } from 'vitest';
import { LineReader, parseLine } from '../../../gateway/calendars/ical/lines.ts';
import {
  parseAddress,
  parseDuration,
  parseStamp,
  splitTexts,
  unescapeText,
} from '../../../gateway/calendars/ical/values.ts';
import { event, expandText, starts, vcalendar } from '../../support/calendars-ical.ts';

function parsed(text: string) {
  const property = parseLine({ text, line: 1, cut: false });
  if (typeof property === 'string') return property;
  return { ...property, params: Object.fromEntries(property.params) };
}

describe('content lines', () => {
  it.each([
    ['crlf', 'A:1\r\n 2\r\nB:3'],
    ['lf', 'A:1\n 2\nB:3'],
    ['tabs', 'A:1\r\n\t2\r\nB:3\r\n'],
    ['blank lines between', 'A:1\r\n 2\r\n\r\n\n   \nB:3'],
    ['several folds', 'A:\r\n 1\r\n \r\n 2\r\nB:3'],
  ])('unfold: %s', (_, text) => {
    const reader = new LineReader(text);
    expect([reader.next()?.text, reader.next()?.text, reader.next()]).toEqual(['A:12', 'B:3', undefined]);
  });

  it('keep the number of their first line', () => {
    const reader = new LineReader('A:1\r\n 2\r\n 3\r\nB:4\r\n\r\nC:5');
    expect([reader.next()?.line, reader.next()?.line, reader.next()?.line]).toEqual([1, 4, 6]);
  });

  it.each([
    [
      'ATTENDEE;CN="Smith; Jane: MD, PhD";ROLE=CHAIR:mailto:j@x',
      { CN: ['Smith; Jane: MD, PhD'], ROLE: ['CHAIR'] },
      'mailto:j@x',
    ],
    ["ATTENDEE;CN=^'Bob^' ^^ ^x ^n2:mailto:b@x", { CN: ['"Bob" ^ ^x \n2'] }, 'mailto:b@x'],
    ['X;MEMBER="a","b",c:v', { MEMBER: ['a', 'b', 'c'] }, 'v'],
    ['X;A=1;A=2:v', { A: ['1', '2'] }, 'v'],
    ['X;QUOTED-PRINTABLE:v', { 'QUOTED-PRINTABLE': [] }, 'v'],
    ['X;A=:v', { A: [''] }, 'v'],
    ['x-foo.bar:a:b;c', {}, 'a:b;c'],
  ])('%s', (text, params, value) => expect(parsed(text)).toMatchObject({ params, value }));

  it.each([['no colon'], ['X;A=1'], ['X;A="1:v'], [':v'], ['Ümlaut:v']])('%s is none', (text) =>
    expect(typeof parsed(text)).toBe('string'),
  );
});

describe('values', () => {
  it.each([
    '20260230',
    '20261301',
    '00000101',
    '20260101T240000',
    '20260101T126000',
    '20260101T1200',
    '2026-01-01',
    '20260101T120000+0100',
    '',
  ])('%s is no time', (text) => expect(() => parseStamp(text)).toThrow());
  it.each([
    ['P1W', { days: 7, exactMs: 0 }],
    ['+PT15M', { days: 0, exactMs: 900_000 }],
    ['P1DT12H', { days: 1, exactMs: 43_200_000 }],
    ['PT1H30S', { days: 0, exactMs: 3_630_000 }],
    ['-PT0S', { days: 0, exactMs: 0 }],
  ])('%s', (text, want) => expect(parseDuration(text)).toEqual(want));
  it.each(['P', 'PT', 'P1DT', '1H', 'P1H', 'PT1D', 'P1.5D', '-PT1H', 'P1M', 'P1Y'])('%s is no duration', (text) =>
    expect(() => parseDuration(text)).toThrow(),
  );

  it('texts', () => {
    expect(unescapeText('a\\, b\\; c\\\\n\\nd\\N')).toBe('a, b; c\\n\nd\n');
    expect(splitTexts('Room 1\\, left, Beamer ,,x\\\\')).toEqual(['Room 1, left', 'Beamer', 'x\\']);
  });

  it('addresses', () => {
    expect(parseAddress('MAILTO:Jane.Doe@Example.ORG ')).toBe('jane.doe@example.org');
    expect(parseAddress('mailto:jane%2Bx@example.org?subject=x')).toBe('jane+x@example.org');
    expect(parseAddress('urn:uuid:1', 'Jane@Example.org')).toBe('jane@example.org');
    expect(parseAddress('/principals/Jane')).toBe('/principals/Jane');
    expect(parseAddress('Jane@example.org')).toBe('jane@example.org');
  });
});

describe('what an event says', () => {
  const answer = expandText(
    vcalendar(
      event(`DTSTART:20260701T090000Z
        SUMMARY:Dr. Müller\\, massage\\nroom\u0007
        LOCATION;LANGUAGE=de:Raum 1
        RESOURCES:Liege,Ultraschall
        ORGANIZER;CN=Desk:mailto:DESK@example.org
        ATTENDEE;CN="Roe, Jane";PARTSTAT=ACCEPTED;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT:mailto:jane@example.org
        ATTENDEE;CUTYPE=ROOM;PARTSTAT=DECLINED:mailto:room1@example.org
        ATTENDEE;CUTYPE=X-WHAT:urn:uuid:2
        SEQUENCE:4
        DTSTAMP:20260101T000000Z
        LAST-MODIFIED:20260102T000000Z`),
    ),
  );
  it('is kept', () => {
    expect(answer.occurrences).toEqual([
      {
        uid: 'a',
        recurrenceId: undefined,
        startMs: Date.UTC(2026, 6, 1, 9),
        endMs: Date.UTC(2026, 6, 1, 10),
        status: 'confirmed',
        sequence: 4,
        stampMs: Date.UTC(2026, 0, 2),
        summary: 'Dr. Müller, massage room',
        location: 'Raum 1',
        resources: ['Liege', 'Ultraschall'],
        organizer: 'desk@example.org',
        attendees: [
          {
            address: 'jane@example.org',
            name: 'Roe, Jane',
            kind: 'individual',
            participation: 'accepted',
            role: 'req-participant',
          },
          {
            address: 'room1@example.org',
            name: undefined,
            kind: 'room',
            participation: 'declined',
            role: 'req-participant',
          },
          {
            address: 'urn:uuid:2',
            name: undefined,
            kind: 'unknown',
            participation: 'needs-action',
            role: 'req-participant',
          },
        ],
        collection: '',
        href: 'feed',
      },
    ]);
  });
});

describe('line ends', () => {
  const lines = vcalendar(event('DTSTART:20260701T090000Z\nSUMMARY:x')).trimEnd().split('\r\n');
  it.each([
    ['CRLF', '\r\n'],
    ['LF', '\n'],
    ['CR', '\r'],
  ])('%s', (_, end) => expect(starts(expandText(lines.join(end)))).toEqual(['2026-07-01T09:00Z']));
  it('mixed, with a byte order mark', () => {
    const text = `\ufeff${lines.map((line, index) => line + (['\r\n', '\n', '\r'][index % 3] ?? '')).join('')}`;
    expect(starts(expandText(text))).toEqual(['2026-07-01T09:00Z']);
  });
});

const GOOD = ['UID:good', 'DTSTART:20260701T090000Z', 'DTEND:20260701T100000Z'];
const BAD: readonly (readonly [string, readonly string[], string])[] = [
  [
    'a line that is none',
    ['BEGIN:VEVENT', 'UID:bad', 'DTSTART:20260701T090000Z', 'DTEND:20260701T100000Z', 'this is no line', 'END:VEVENT'],
    'malformed',
  ],
  [
    'a date that is none',
    ['BEGIN:VEVENT', 'UID:bad', 'DTSTART:20260231T090000Z', 'DTEND:20260701T100000Z', 'END:VEVENT'],
    'malformed',
  ],
  [
    'an unknown zone',
    ['BEGIN:VEVENT', 'UID:bad', 'DTSTART;TZID=Nowhere:20260701T090000', 'DURATION:PT1H', 'END:VEVENT'],
    'unknown_zone',
  ],
  ['a bad rule', ['BEGIN:VEVENT', 'UID:bad', ...GOOD.slice(1), 'RRULE:FREQ=DAILY;BYDAY=XX', 'END:VEVENT'], 'bad_rule'],
  [
    'an endless rule',
    ['BEGIN:VEVENT', 'UID:bad', ...GOOD.slice(1), 'RRULE:FREQ=SECONDLY', 'END:VEVENT'],
    'too_many_instances',
  ],
  [
    'a rule that never comes true',
    ['BEGIN:VEVENT', 'UID:bad', ...GOOD.slice(1), 'RRULE:FREQ=SECONDLY;BYHOUR=25', 'END:VEVENT'],
    'bad_rule',
  ],
  [
    'a bad EXDATE',
    ['BEGIN:VEVENT', 'UID:bad', ...GOOD.slice(1), 'RRULE:FREQ=DAILY;COUNT=2', 'EXDATE:tomorrow', 'END:VEVENT'],
    'malformed',
  ],
  [
    'a bad parameter of a person',
    ['BEGIN:VEVENT', 'UID:bad', ...GOOD.slice(1), 'ATTENDEE;CN="open:mailto:x@y', 'END:VEVENT'],
    'malformed',
  ],
  [
    'an alarm that is not closed',
    ['BEGIN:VEVENT', 'UID:bad', ...GOOD.slice(1), 'BEGIN:VALARM', 'END:VEVENT'],
    'malformed',
  ],
  ['an END of something else', ['BEGIN:VEVENT', 'UID:bad', ...GOOD.slice(1), 'END:VALARM', 'END:VEVENT'], 'malformed'],
  ['an event that is not closed', ['BEGIN:VEVENT', 'UID:bad', ...GOOD.slice(1)], 'malformed'],
  ['a bad SEQUENCE', ['BEGIN:VEVENT', 'UID:bad', ...GOOD.slice(1), 'SEQUENCE:-1', 'END:VEVENT'], 'malformed'],
  ['a UID without end', ['BEGIN:VEVENT', `UID:${'x'.repeat(2_000)}`, ...GOOD.slice(1), 'END:VEVENT'], 'malformed'],
  [
    'a huge duration',
    ['BEGIN:VEVENT', 'UID:bad', 'DTSTART:20260701T090000Z', 'DURATION:P9999999W', 'END:VEVENT'],
    'too_long',
  ],
];

describe('one bad event among good ones', () => {
  it.each(BAD)('%s', (_, bad, code) => {
    const answer = expandText(vcalendar(event('UID:first\nDTSTART:20260630T090000Z'), bad, GOOD));
    expect(answer.setAside.map((entry) => [entry.code, entry.line])).toEqual([[code, 9]]);
    expect(answer.occurrences.map(({ uid }) => uid)).toEqual(['first', 'good']);
    expect(answer.events).toBe(3);
  });

  it('the last event, broken off', () => {
    const text = vcalendar(GOOD, ['BEGIN:VEVENT', 'UID:bad', 'DTSTART:20260701T090000Z']).replace(
      'END:VCALENDAR\r\n',
      '',
    );
    expect(expandText(text)).toMatchObject({
      occurrences: [{ uid: 'good' }],
      setAside: [{ uid: 'bad', code: 'malformed' }],
    });
  });

  it('says what, where and with which title', () => {
    const { setAside } = expandText(vcalendar(event('SUMMARY:Massage\nDTSTART:20260701T250000Z')));
    expect(setAside).toEqual([
      {
        uid: 'a',
        summary: 'Massage',
        code: 'malformed',
        why: 'DTSTART in line 7: "20260701T250000Z" is no day of the calendar or no time of the day.',
        line: 4,
        href: 'feed',
      },
    ]);
  });
});

describe('what is nothing to us', () => {
  it.each([
    ['VTODO', ['BEGIN:VTODO', 'UID:t', 'DTSTART:20260701T090000Z', 'DUE:20260701T100000Z', 'END:VTODO']],
    ['VJOURNAL', ['BEGIN:VJOURNAL', 'UID:t', 'DTSTART:20260701T090000Z', 'END:VJOURNAL']],
    ['VFREEBUSY', ['BEGIN:VFREEBUSY', 'UID:t', 'FREEBUSY:20260701T090000Z/PT1H', 'END:VFREEBUSY']],
    [
      'an unknown component and what lies in it',
      [
        'BEGIN:X-ARCHIVE',
        'BEGIN:VEVENT',
        'UID:old',
        'DTSTART:20260701T090000Z',
        'DTEND:20260701T100000Z',
        'END:VEVENT',
        'END:X-ARCHIVE',
      ],
    ],
    [
      'a VALARM with times of its own',
      [
        'BEGIN:VEVENT',
        ...GOOD,
        'BEGIN:VALARM',
        'TRIGGER:-PT15M',
        'DURATION:PT5M',
        'DTSTART:20200101T000000Z',
        'ACTION:AUDIO',
        'END:VALARM',
        'END:VEVENT',
      ],
    ],
  ])('%s', (_, component) => {
    const answer = expandText(vcalendar(GOOD, component));
    expect(answer).toMatchObject({ occurrences: [{ uid: 'good' }], setAside: [] });
  });

  it('but an unknown component that is not closed may hide events, and that is said', () => {
    const answer = expandText(vcalendar(['BEGIN:X-ARCHIVE'], GOOD));
    expect(answer).toMatchObject({ occurrences: [], setAside: [{ code: 'malformed', line: 4 }] });
  });

  it('X- and unknown properties, however long', () => {
    const long = `X-BLOB:${'x'.repeat(400_000)}`;
    expect(expandText(vcalendar([...GOOD, long, 'IMAGE;VALUE=URI;FMTTYPE=x:y', 'COLOR:red']))).toMatchObject({
      setAside: [],
      events: 1,
    });
  });
});
