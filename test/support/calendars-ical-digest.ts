/** One digest over calendars with every kind of time and over the RFC's examples, to compare between host zones. Run as a program it prints it. */
import { createHash } from 'node:crypto';
import { event, expandText, told, vcalendar } from './calendars-ical.ts';
import { RFC_EXAMPLES, rfcCalendar } from './calendars-rfc.ts';

const EVENTS: readonly string[] = [
  'UID:floating\nDTSTART:20260329T023000\nRRULE:FREQ=DAILY;COUNT=300',
  'UID:allday\nDTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY;INTERVAL=3\nEXDATE;VALUE=DATE:20260329\nEXDATE:20260104T000000',
  'UID:berlin\nDTSTART;TZID=Europe/Berlin:20251025T023000\nRRULE:FREQ=WEEKLY;BYDAY=SU;UNTIL=20261101T003000Z',
  'UID:berlin\nRECURRENCE-ID;TZID=Europe/Berlin:20261025T023000\nDTSTART:20261026T090000',
  'UID:windows\nDTSTART;TZID=Eastern Standard Time:20260101T013000\nRRULE:FREQ=MONTHLY;BYDAY=1SU\nDURATION:P1D',
  'UID:until\nDTSTART:20260101T090000\nRRULE:FREQ=DAILY;UNTIL=20260201',
  'UID:own\nDTSTART;TZID=Own:20260329T023000\nRRULE:FREQ=MONTHLY;BYDAY=-1SU',
  'UID:range\nDTSTART:20260301T090000\nRRULE:FREQ=WEEKLY;COUNT=20',
  'UID:range\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260315T090000\nDTSTART:20260315T110000\nDURATION:PT2H',
  'UID:period\nDTSTART:20260301T090000\nRDATE;VALUE=PERIOD:20260328T220000/PT8H,20261024T220000/P1D',
];
const OWN = [
  'BEGIN:VTIMEZONE',
  'TZID:Own',
  'BEGIN:STANDARD',
  'DTSTART:19701025T030000',
  'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10',
  'TZOFFSETFROM:+0200',
  'TZOFFSETTO:+0100',
  'END:STANDARD',
  'BEGIN:DAYLIGHT',
  'DTSTART:19700329T020000',
  'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3',
  'TZOFFSETFROM:+0100',
  'TZOFFSETTO:+0200',
  'END:DAYLIGHT',
  'END:VTIMEZONE',
];

export function calendarDigest(): string {
  const hash = createHash('sha256');
  const text = vcalendar(OWN, ...EVENTS.map(event));
  for (const zone of ['Europe/Berlin', 'America/Los_Angeles', 'Africa/Cairo', 'Asia/Kolkata'])
    hash.update(JSON.stringify(told(expandText(text, { zone }))));
  for (const example of RFC_EXAMPLES) {
    for (const rule of example.rules) {
      const { text: one, from, to } = rfcCalendar(example, rule);
      hash.update(JSON.stringify(told(expandText(one, { from, to }))));
    }
  }
  return hash.digest('hex');
}

if (process.argv.includes('--print')) console.log(calendarDigest());
