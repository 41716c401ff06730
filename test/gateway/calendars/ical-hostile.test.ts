/** Feeds that want to cost much. What they may cost is bounded by steps, never by a clock, so the answer is the same everywhere. */
import { describe, expect, it } from 'vitest';
import { MAX_SET_ASIDE } from '../../../gateway/calendars/ical/index.ts';
import { BudgetSpent } from '../../../gateway/calendars/rules/budget.ts';
import { event, expandText, starts, vcalendar } from '../../support/calendars-ical.ts';

const GOOD = event('UID:good\nDTSTART:20260701T090000Z');
/** Enough for a bad event and its good neighbours, far below a request's budget. */
const STEPS = 2_000_000;

const HOSTILE: readonly (readonly [string, readonly string[], string])[] = [
  ['every second', event('DTSTART:20260101T000000Z\nRRULE:FREQ=SECONDLY'), 'too_many_instances'],
  [
    'every second since long ago, with a count',
    event('DTSTART:19000101T000000Z\nRRULE:FREQ=SECONDLY;BYSECOND=1,2,3;BYDAY=MO;COUNT=2000000000'),
    'too_many_instances',
  ],
  ['minutely for an hour each', event('DTSTART:20260101T000000Z\nRRULE:FREQ=MINUTELY'), 'too_many_instances'],
  ['a hundred thousand RDATEs', event(`DTSTART:20260101T000000Z\n${lines('RDATE', 100_000)}`), 'too_many_instances'],
  [
    'many rules at once',
    event(`DTSTART:20260101T000000Z\n${'RRULE:FREQ=HOURLY;BYMINUTE=0,1,2,3,4,5\n'.repeat(3_000)}`),
    'too_many_instances',
  ],
  [
    'EXDATEs in thousands of years and zones',
    event(`DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY\n${farAndWide(3_000)}`),
    'too_many_instances',
  ],
];

function lines(name: string, count: number): string {
  const at = (index: number) =>
    new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return Array.from(
    { length: count / 1_000 },
    (_, line) => `${name}:${Array.from({ length: 1_000 }, (_, index) => at(line * 1_000 + index)).join(',')}`,
  ).join('\n');
}

function farAndWide(count: number): string {
  const zones = Intl.supportedValuesOf('timeZone');
  return Array.from(
    { length: count },
    (_, index) => `EXDATE;TZID=${zones[index % 97]}:${String(1 + ((index * 7) % 9_000)).padStart(4, '0')}0601T000000`,
  ).join('\n');
}

describe('a hostile event', () => {
  it.each(HOSTILE)('%s is set aside, and its neighbour stands', (_, bad, code) => {
    const answer = expandText(vcalendar(bad, GOOD), { steps: STEPS });
    expect(answer.setAside).toMatchObject([{ uid: 'a', code }]);
    expect(starts(answer)).toEqual(['2026-07-01T09:00Z']);
  });

  it.each([
    ['a rule that never comes true', 'RRULE:FREQ=DAILY;BYMONTHDAY=31;BYMONTH=4'],
    ['a rule that never comes true by the second', 'RRULE:FREQ=SECONDLY;BYMONTHDAY=31;BYMONTH=4'],
    ['a huge interval', 'RRULE:FREQ=YEARLY;INTERVAL=2147483647'],
  ])('%s leaves DTSTART', (_, rule) => {
    const answer = expandText(vcalendar(event(`DTSTART:20260101T000000Z\n${rule}`), GOOD), { steps: STEPS });
    expect(starts(answer)).toEqual(['2026-01-01T00:00Z', '2026-07-01T09:00Z']);
  });

  it('10,000 overrides of a long series', () => {
    const overrides = Array.from({ length: 10_000 }, (_, index) => {
      const at = new Date(Date.UTC(2000, 0, 1) + index * 86_400_000).toISOString().replaceAll(/[-:]|\.\d+/g, '');
      return event(`RECURRENCE-ID:${at}\nDTSTART:20260601T120000Z`);
    });
    const answer = expandText(
      vcalendar(event('DTSTART:20000101T000000Z\nRRULE:FREQ=DAILY;COUNT=10000'), ...overrides),
      { steps: STEPS },
    );
    expect(answer.occurrences).toHaveLength(10_000);
  });

  it('one instance stated 50,000 times', () => {
    const about = event('RECURRENCE-ID:20260601T000000Z\nDTSTART:20260601T120000Z');
    const answer = expandText(
      vcalendar(
        event('DTSTART:20260601T000000Z\nRRULE:FREQ=DAILY;COUNT=2'),
        ...Array.from({ length: 50_000 }, () => about),
      ),
      { steps: STEPS },
    );
    expect(starts(answer)).toEqual(['2026-06-01T12:00Z', '2026-06-02T00:00Z']);
  });
});

describe('a hostile feed', () => {
  it('is too costly as a whole when its events are together: nothing of it is believed', () => {
    const bad = Array.from({ length: 60 }, (_, index) =>
      event(
        `UID:${index}\nDTSTART:19000101T000000Z\nRRULE:FREQ=SECONDLY;BYDAY=MO;BYSETPOS=1;BYHOUR=1;COUNT=2000000000`,
      ),
    );
    expect(() => expandText(vcalendar(...bad, GOOD), { steps: 10_000 })).toThrow(BudgetSpent);
  });

  it('with too many events is refused', () => {
    const text = `BEGIN:VCALENDAR\n${'BEGIN:VEVENT\nEND:VEVENT\n'.repeat(200_001)}END:VCALENDAR`;
    expect(() => expandText(text)).toThrow(BudgetSpent);
  });

  it('tells the first of many faults, and how many more there are', () => {
    const bad = Array.from({ length: MAX_SET_ASIDE + 10 }, (_, index) =>
      event(`UID:${index}\nDTSTART:20260230T000000Z`),
    );
    const answer = expandText(vcalendar(...bad, GOOD));
    expect(answer.setAside).toHaveLength(MAX_SET_ASIDE + 1);
    expect(answer.setAside.at(-1)?.why).toContain('10 more');
    expect(starts(answer)).toEqual(['2026-07-01T09:00Z']);
  });

  it.each([
    ['nested a hundred thousand deep', 'BEGIN:X-A\r\n'.repeat(100_000)],
    ['closed a hundred thousand times', 'END:X-A\r\n'.repeat(100_000)],
    ['folded a hundred thousand times', `X-A:1${'\r\n x'.repeat(100_000)}\r\n`],
    ['blank for a hundred thousand lines', '\r\n'.repeat(100_000)],
    ['with a hundred thousand parameters', `ATTENDEE${';A=b'.repeat(100_000)}:mailto:x@y\r\n`],
  ])('%s does no harm to what stands before', (_, piece) => {
    const text = vcalendar(GOOD).replace('END:VCALENDAR', `${piece}END:VCALENDAR`);
    expect(starts(expandText(text))).toEqual(['2026-07-01T09:00Z']);
  });
});
