/** Which zone a TZID means, and what it never means. */
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { ianaZone, toInstant } from '../../../gateway/calendars/ical/clock.ts';
import { windowsZone } from '../../../gateway/calendars/ical/windows.ts';
import { ianaName } from '../../../gateway/calendars/ical/zones.ts';
import { event, expandText, starts, vcalendar } from '../../support/calendars-ical.ts';

/** The instant of 2026-07-01 12:00 on the clock of a TZID, or why not. */
function noon(tzid: string, ...zones: readonly (readonly string[])[]): string | undefined {
  const answer = expandText(vcalendar(...zones, event(`DTSTART;TZID=${tzid}:20260701T120000`)), { zone: 'Asia/Tokyo' });
  return starts(answer)[0] ?? answer.setAside[0]?.code;
}

const KNOWN: readonly (readonly [string, string])[] = [
  ['Europe/Berlin', '10:00'],
  ['europe/berlin', '10:00'],
  ['US/Eastern', '16:00'],
  ['Asia/Calcutta', '06:30'],
  ['Europe/Kyiv', '09:00'],
  ['America/Argentina/Buenos_Aires', '15:00'],
  ['/freeassociation.sourceforge.net/Europe/Berlin', '10:00'],
  ['/freeassociation.sourceforge.net/Tzfile/Europe/Berlin', '10:00'],
  ['/mozilla.org/20050126_1/Europe/Berlin', '10:00'],
  ['/softwarestudio.org/Olson_20011030_5/America/Argentina/Buenos_Aires', '15:00'],
  ['/example.org/UTC', '12:00'],
  ['/Europe/Berlin', '10:00'],
  ['W. Europe Standard Time', '10:00'],
  ['eastern standard time', '16:00'],
  ['India Standard Time', '06:30'],
  ['"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"', '10:00'],
  ['(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna', '10:00'],
  ['"(GMT-05:00) Eastern Time (US & Canada)"', '16:00'],
  ['UTC', '12:00'],
  ['GMT', '12:00'],
  ['Etc/UTC', '12:00'],
  ['Z', '12:00'],
  ['Etc/GMT+2', '14:00'],
  ['tzone://Microsoft/Utc', '12:00'],
  ['EST', '17:00'],
  ['CET', '10:00'],
];
const UNKNOWN = [
  'GMT+0200',
  'UTC+2',
  '+02:00',
  'IST',
  'CST',
  'BST',
  'PST',
  'Mars/Base',
  'Berlin',
  'Europe',
  '',
  '/',
  '//',
  'Europe/Berlin/',
  'W. Europe Summer Time',
  '"(UTC+01:00) Atlantis"',
  '"(UTC) constructor"',
  'local',
  'SystemV/EST5',
  '/mozilla.org/20050126_1/Mars/Base',
  '../Europe/Berlin',
  'constructor',
  '__proto__',
];

describe('a TZID', () => {
  it.each(KNOWN)('%s is known without a VTIMEZONE', (tzid, want) => expect(noon(tzid)).toBe(`2026-07-01T${want}Z`));
  it.each(UNKNOWN)('%j is not guessed', (tzid) => expect(noon(tzid)).toBe('unknown_zone'));

  it('names every Windows zone of the table that Temporal knows', () => {
    for (const name of ['Pacific Standard Time', 'China Standard Time', 'UTC', 'Line Islands Standard Time'])
      expect(ianaName(windowsZone(name) ?? '')).toBeDefined();
  });

  it('is shown in the reason', () => {
    const { setAside } = expandText(vcalendar(event('DTSTART;TZID="\u001b[31mRed":20260701T120000')));
    expect(setAside[0]?.why).toBe(
      'DTSTART in line 6: The time zone "[31mRed" is neither an IANA nor a Windows name and the calendar does not define it; use an IANA name such as Europe/Berlin.',
    );
  });
});

function vtimezone(id: string, ...observances: readonly (readonly string[])[]): string[] {
  return [
    'BEGIN:VTIMEZONE',
    `TZID:${id}`,
    ...observances.flatMap(([kind, ...lines]) => [`BEGIN:${kind}`, ...lines, `END:${kind}`]),
    'END:VTIMEZONE',
  ];
}
const STANDARD = [
  'STANDARD',
  'DTSTART:16011028T030000',
  'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10',
  'TZOFFSETFROM:+0200',
  'TZOFFSETTO:+0100',
];
const DAYLIGHT = [
  'DAYLIGHT',
  'DTSTART:16010325T020000',
  'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3',
  'TZOFFSETFROM:+0100',
  'TZOFFSETTO:+0200',
];

describe('a VTIMEZONE', () => {
  it('defines a name of the sender’s own', () =>
    expect(noon('Practice', vtimezone('Practice', STANDARD, DAYLIGHT))).toBe('2026-07-01T10:00Z'));
  it('says the same as IANA at gaps and overlaps', () => {
    const zone = vtimezone('Practice', STANDARD, DAYLIGHT);
    const times = [
      '20260329T023000',
      '20261025T023000',
      '20260329T015959',
      '20260329T030000',
      '20261025T030000',
      '20261231T120000',
      '20250101T000000',
    ];
    const at = (tzid: string) =>
      starts(
        expandText(
          vcalendar(zone, ...times.map((time, index) => event(`UID:${index}\nDTSTART;TZID=${tzid}:${time}`))),
          { from: '2024-12-01', to: '2027-02-01' },
        ),
      );
    expect(at('Practice')).toEqual(at('Europe/Berlin'));
    expect(at('Practice')).toHaveLength(times.length);
  });
  it('yields to a name that is known', () =>
    expect(
      noon(
        'Europe/Berlin',
        vtimezone('Europe/Berlin', ['STANDARD', 'DTSTART:19700101T000000', 'TZOFFSETFROM:+0900', 'TZOFFSETTO:+0900']),
      ),
    ).toBe('2026-07-01T10:00Z'));
  it('wins over a bare abbreviation', () =>
    expect(
      noon('EST', vtimezone('EST', ['DAYLIGHT', 'DTSTART:20260308T020000', 'TZOFFSETFROM:-0500', 'TZOFFSETTO:-0400'])),
    ).toBe('2026-07-01T16:00Z'));
  it('is heard by its X-LIC-LOCATION only if that is a zone', () => {
    const [begin = '', id = '', ...rest] = vtimezone('P', [
      'STANDARD',
      'DTSTART:19700101T000000',
      'TZOFFSETFROM:+0900',
      'TZOFFSETTO:+0900',
    ]);
    expect(noon('P', [begin, id, 'X-LIC-LOCATION:Europe/Berlin', ...rest])).toBe('2026-07-01T10:00Z');
    expect(noon('P', [begin, id, 'X-LIC-LOCATION:Nowhere', ...rest])).toBe('2026-07-01T03:00Z');
  });
  it('may list its changes by RDATE', () =>
    expect(
      noon(
        'P',
        vtimezone(
          'P',
          ['STANDARD', 'DTSTART:20200101T000000', 'TZOFFSETFROM:+0100', 'TZOFFSETTO:+0100'],
          ['DAYLIGHT', 'DTSTART:20250330T020000', 'RDATE:20260329T020000', 'TZOFFSETFROM:+0100', 'TZOFFSETTO:+0200'],
        ),
      ),
    ).toBe('2026-07-01T10:00Z'));
  it('ends where its rule ends', () =>
    expect(
      noon(
        'P',
        vtimezone(
          'P',
          [
            'STANDARD',
            'DTSTART:20201025T030000',
            'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10',
            'TZOFFSETFROM:+0200',
            'TZOFFSETTO:+0100',
          ],
          [
            'DAYLIGHT',
            'DTSTART:20200329T020000',
            'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3;UNTIL=20250330T010000Z',
            'TZOFFSETFROM:+0100',
            'TZOFFSETTO:+0200',
          ],
        ),
      ),
    ).toBe('2026-07-01T11:00Z'));
  it('holds from its first change on; before, what that change ended', () =>
    expect(
      noon('P', vtimezone('P', ['STANDARD', 'DTSTART:20270101T000000', 'TZOFFSETFROM:+0300', 'TZOFFSETTO:+0100'])),
    ).toBe('2026-07-01T09:00Z'));
  it('of another VCALENDAR says nothing', () => {
    const text = vcalendar(vtimezone('P', STANDARD, DAYLIGHT)) + vcalendar(event('DTSTART;TZID=P:20260701T120000'));
    expect(expandText(text).setAside).toMatchObject([{ code: 'unknown_zone' }]);
  });

  const FIXED = ['DTSTART:20200101T000000', 'TZOFFSETFROM:+0100', 'TZOFFSETTO:+0100'];
  const HOSTILE: readonly (readonly [string, readonly string[]])[] = [
    ['without observances', vtimezone('P')],
    ['without offsets', vtimezone('P', ['STANDARD', 'DTSTART:20200101T000000'])],
    [
      'with an offset beyond 18 h',
      vtimezone('P', ['STANDARD', 'DTSTART:20200101T000000', 'TZOFFSETFROM:+0100', 'TZOFFSETTO:+1801']),
    ],
    ['with a secondly rule', vtimezone('P', ['STANDARD', ...FIXED, 'RRULE:FREQ=SECONDLY'])],
    [
      'with a rule that has no end in sight',
      vtimezone('P', ['STANDARD', ...FIXED, 'RRULE:FREQ=SECONDLY;BYSETPOS=1;BYSECOND=0;COUNT=100000000']),
    ],
    ['with a bad rule', vtimezone('P', ['STANDARD', ...FIXED, 'RRULE:FREQ=SOMETIMES'])],
    ['with thousands of observances', vtimezone('P', ...Array.from({ length: 2_000 }, () => ['STANDARD', ...FIXED]))],
    [
      'with thousands of dates',
      vtimezone('P', [
        'STANDARD',
        ...FIXED,
        ...Array.from(
          { length: 200 },
          () =>
            `RDATE:${Array.from({ length: 1_000 }, (_, index) => `2020${String(1 + (index % 12)).padStart(2, '0')}01T000000`).join(',')}`,
        ),
      ]),
    ],
    [
      'that begins in UTC',
      vtimezone('P', ['STANDARD', 'DTSTART:20200101T000000Z', 'TZOFFSETFROM:+0100', 'TZOFFSETTO:+0100']),
    ],
  ];
  it.each(HOSTILE)('%s is unknown, and spoils its own events only', (_, zone) => {
    const answer = expandText(
      vcalendar(zone, event('DTSTART;TZID=P:20260701T120000'), event('UID:b\nDTSTART:20260701T120000Z')),
    );
    expect(answer.setAside).toMatchObject([{ uid: 'a', code: 'unknown_zone' }]);
    expect(starts(answer)).toEqual(['2026-07-01T12:00Z']);
  });
});

describe('the clock', () => {
  it('agrees with Temporal around each change of zones that change oddly', () => {
    const names = [
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Africa/Casablanca',
      'Pacific/Apia',
      'America/Sao_Paulo',
      'Africa/Cairo',
      'Asia/Beirut',
      'Europe/Dublin',
      'America/St_Johns',
      'Antarctica/Troll',
      'Asia/Kathmandu',
      'America/Caracas',
    ];
    const wrong: string[] = [];
    for (const name of names) {
      let at = Temporal.Instant.from('1969-01-01T00:00Z').toZonedDateTimeISO(name).getTimeZoneTransition('next');
      for (; at !== null && at.epochMilliseconds < Date.UTC(2038, 0, 1); at = at.getTimeZoneTransition('next')) {
        for (const minutes of [-1500, -121, -61, -60, -31, -1, 0, 1, 29, 30, 59, 60, 61, 120, 1500]) {
          const local = at.toPlainDateTime().add({ minutes });
          const localMs = local.toZonedDateTime('UTC').epochMilliseconds;
          const want = local.toZonedDateTime(name, { disambiguation: 'compatible' }).epochMilliseconds;
          if (toInstant(ianaZone(name), localMs) !== want) wrong.push(`${name} ${local.toString()}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});
