/** What is read as a rule, and what is refused with which words. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isRuleFault,
  MAX_RULE_CHARS,
  parseRule,
  type RuleFault,
  ruleForDates,
} from '../../../gateway/calendars/rules/rule.ts';
import { instances, ruleOf, spelled, wall } from '../../support/calendars-rules.ts';

const fault = (text: string): RuleFault => {
  const rule = parseRule(text);
  if (!isRuleFault(rule)) throw new Error(`${text} was read as a rule`);
  return rule;
};

describe('a rule is read', () => {
  it('with everything that it may hold', () => {
    expect(
      ruleOf(
        'FREQ=YEARLY;INTERVAL=2;COUNT=7;BYSECOND=30,0;BYMINUTE=59;BYHOUR=23,0;BYDAY=-1SU,MO,+2TU;BYMONTHDAY=-1,31;' +
          'BYYEARDAY=-366,366;BYMONTH=12,1;BYSETPOS=-366,1;WKST=SU',
      ),
    ).toEqual({
      frequency: 'yearly',
      interval: 2,
      count: 7,
      until: undefined,
      bySecond: [0, 30],
      byMinute: [59],
      byHour: [0, 23],
      byDay: [
        { weekday: 0, ordinal: 0 },
        { weekday: 1, ordinal: 2 },
        { weekday: 6, ordinal: -1 },
      ],
      byMonthDay: [-1, 31],
      byYearDay: [-366, 366],
      byWeekNo: [],
      byMonth: [1, 12],
      bySetPos: [-366, 1],
      weekStart: 6,
    });
  });

  it.each([
    ['in any order', 'BYDAY=MO;INTERVAL=2;FREQ=WEEKLY'],
    ['in lower case', 'freq=weekly;byday=mo;interval=2'],
    ['with blanks', ' FREQ = WEEKLY ; BYDAY = MO , MO ; INTERVAL=2 '],
    ['with a semicolon at the end', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;'],
    ['with leading zeros', 'FREQ=WEEKLY;INTERVAL=02;BYDAY=MO'],
    ['with parts of its maker', 'FREQ=WEEKLY;X-NAME=1;INTERVAL=2;BYDAY=MO'],
    ['with the week that it has anyway', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;WKST=MO'],
    ['with the calendar that it has anyway', 'RSCALE=GREGORIAN;FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;SKIP=OMIT'],
  ])('%s', (_how, text) => {
    expect(ruleOf(text)).toEqual(ruleOf('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO'));
  });

  it.each([
    ['20261224', { kind: 'date', valueMs: wall('2026-12-24') }],
    ['20261224T235959', { kind: 'local', valueMs: wall('2026-12-24 23:59:59') }],
    ['20261224T235959Z', { kind: 'utc', valueMs: wall('2026-12-24 23:59:59') }],
    ['20261224t235960z', { kind: 'utc', valueMs: wall('2026-12-24 23:59:59') }],
    ['20240229', { kind: 'date', valueMs: wall('2024-02-29') }],
    ['99991231T235959Z', { kind: 'utc', valueMs: wall('9999-12-31 23:59:59') }],
  ])('with its end kept as written: %s', (text, until) => {
    expect(ruleOf(`FREQ=DAILY;UNTIL=${text}`).until).toEqual(until);
  });

  it('second 60 as 59', () => {
    expect(ruleOf('FREQ=MINUTELY;BYSECOND=60,59,0').bySecond).toEqual([0, 59]);
  });
});

const FAULTS: readonly (readonly [RuleFault['fault'], part: string, text: string])[] = [
  ['missing', 'FREQ', ''],
  ['missing', 'FREQ', 'INTERVAL=2'],
  ['malformed', 'FREQ', 'FREQ='],
  ['malformed', 'FREQ', 'FREQ=FORTNIGHTLY'],
  ['malformed', '', 'DAILY'],
  ['malformed', '', 'FREQ=DAILY;COUNT'],
  ['unknown', 'RRULE:FREQ', 'RRULE:FREQ=DAILY'],
  ['unknown', 'BYEASTER', 'FREQ=YEARLY;BYEASTER=0'],
  ['unknown', '', 'FREQ=DAILY;=1'],
  ['repeated', 'FREQ', 'FREQ=DAILY;FREQ=DAILY'],
  ['repeated', 'BYDAY', 'FREQ=WEEKLY;BYDAY=MO;byday=TU'],
  ['contradiction', 'COUNT', 'FREQ=DAILY;COUNT=2;UNTIL=20261224'],
  ['out_of_range', 'INTERVAL', 'FREQ=DAILY;INTERVAL=0'],
  ['malformed', 'INTERVAL', 'FREQ=DAILY;INTERVAL=-1'],
  ['malformed', 'INTERVAL', 'FREQ=DAILY;INTERVAL=1.5'],
  ['malformed', 'INTERVAL', 'FREQ=DAILY;INTERVAL='],
  ['out_of_range', 'INTERVAL', 'FREQ=DAILY;INTERVAL=99999999999999999999'],
  ['out_of_range', 'COUNT', 'FREQ=DAILY;COUNT=0'],
  ['malformed', 'COUNT', 'FREQ=DAILY;COUNT=ten'],
  ['malformed', 'COUNT', 'FREQ=DAILY;COUNT=1e3'],
  ['out_of_range', 'BYMONTHDAY', 'FREQ=MONTHLY;BYMONTHDAY=0'],
  ['out_of_range', 'BYMONTHDAY', 'FREQ=MONTHLY;BYMONTHDAY=32'],
  ['out_of_range', 'BYMONTHDAY', 'FREQ=MONTHLY;BYMONTHDAY=-32'],
  ['malformed', 'BYMONTHDAY', 'FREQ=MONTHLY;BYMONTHDAY='],
  ['malformed', 'BYMONTHDAY', 'FREQ=MONTHLY;BYMONTHDAY=1,,2'],
  ['malformed', 'BYMONTHDAY', 'FREQ=MONTHLY;BYMONTHDAY=1/2'],
  ['out_of_range', 'BYYEARDAY', 'FREQ=YEARLY;BYYEARDAY=367'],
  ['out_of_range', 'BYYEARDAY', 'FREQ=YEARLY;BYYEARDAY=-0'],
  ['out_of_range', 'BYSETPOS', 'FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0'],
  ['out_of_range', 'BYSETPOS', 'FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367'],
  ['out_of_range', 'BYWEEKNO', 'FREQ=YEARLY;BYWEEKNO=54'],
  ['out_of_range', 'BYMONTH', 'FREQ=YEARLY;BYMONTH=13'],
  ['out_of_range', 'BYMONTH', 'FREQ=YEARLY;BYMONTH=0'],
  ['malformed', 'BYMONTH', 'FREQ=YEARLY;BYMONTH=-1'],
  ['malformed', 'BYMONTH', 'FREQ=YEARLY;BYMONTH=5L'],
  ['out_of_range', 'BYHOUR', 'FREQ=DAILY;BYHOUR=24'],
  ['malformed', 'BYHOUR', 'FREQ=DAILY;BYHOUR=-1'],
  ['out_of_range', 'BYMINUTE', 'FREQ=DAILY;BYMINUTE=60'],
  ['out_of_range', 'BYSECOND', 'FREQ=DAILY;BYSECOND=61'],
  ['malformed', 'BYDAY', 'FREQ=WEEKLY;BYDAY=MON'],
  ['malformed', 'BYDAY', 'FREQ=WEEKLY;BYDAY=XX'],
  ['malformed', 'BYDAY', 'FREQ=WEEKLY;BYDAY='],
  ['malformed', 'BYDAY', 'FREQ=MONTHLY;BYDAY=MO1'],
  ['out_of_range', 'BYDAY', 'FREQ=MONTHLY;BYDAY=0MO'],
  ['out_of_range', 'BYDAY', 'FREQ=YEARLY;BYDAY=54MO'],
  ['contradiction', 'BYDAY', 'FREQ=WEEKLY;BYDAY=1MO'],
  ['contradiction', 'BYDAY', 'FREQ=DAILY;BYDAY=-1MO'],
  ['contradiction', 'BYDAY', 'FREQ=HOURLY;BYDAY=1MO'],
  ['contradiction', 'BYDAY', 'FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO'],
  ['contradiction', 'BYWEEKNO', 'FREQ=MONTHLY;BYWEEKNO=20'],
  ['contradiction', 'BYYEARDAY', 'FREQ=DAILY;BYYEARDAY=1'],
  ['contradiction', 'BYYEARDAY', 'FREQ=WEEKLY;BYYEARDAY=1'],
  ['contradiction', 'BYYEARDAY', 'FREQ=MONTHLY;BYYEARDAY=1'],
  ['contradiction', 'BYMONTHDAY', 'FREQ=WEEKLY;BYMONTHDAY=1'],
  ['contradiction', 'BYSETPOS', 'FREQ=MONTHLY;BYSETPOS=1'],
  ['malformed', 'WKST', 'FREQ=WEEKLY;WKST=1'],
  ['malformed', 'WKST', 'FREQ=WEEKLY;WKST='],
  ['malformed', 'UNTIL', 'FREQ=DAILY;UNTIL='],
  ['malformed', 'UNTIL', 'FREQ=DAILY;UNTIL=2026-12-24'],
  ['malformed', 'UNTIL', 'FREQ=DAILY;UNTIL=20261224T'],
  ['malformed', 'UNTIL', 'FREQ=DAILY;UNTIL=20261224Z'],
  ['malformed', 'UNTIL', 'FREQ=DAILY;UNTIL=20261224T1200'],
  ['malformed', 'UNTIL', 'FREQ=DAILY;UNTIL=forever'],
  ['out_of_range', 'UNTIL', 'FREQ=DAILY;UNTIL=20260230'],
  ['out_of_range', 'UNTIL', 'FREQ=DAILY;UNTIL=20261301'],
  ['out_of_range', 'UNTIL', 'FREQ=DAILY;UNTIL=20260100'],
  ['out_of_range', 'UNTIL', 'FREQ=DAILY;UNTIL=20261224T240000Z'],
  ['out_of_range', 'UNTIL', 'FREQ=DAILY;UNTIL=20261224T236000Z'],
  ['out_of_range', 'UNTIL', 'FREQ=DAILY;UNTIL=20261224T235961Z'],
  ['unsupported', 'RSCALE', 'RSCALE=HEBREW;FREQ=YEARLY'],
  ['unsupported', 'SKIP', 'RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=FORWARD'],
  ['malformed', '', `FREQ=DAILY;BYMINUTE=${'1,'.repeat(MAX_RULE_CHARS)}1`],
];

describe('a rule is refused', () => {
  it.each(FAULTS)('as %s of %s: %s', (code, part, text) => {
    const { why, ...rest } = fault(text);
    expect(rest).toEqual({ fault: code, part });
    expect(why).toMatch(/^.{10,200}\.$/);
  });

  it('saying that only one end can hold', () => {
    expect(fault('FREQ=DAILY;COUNT=2;UNTIL=20261224').why).toBe(
      'UNTIL and COUNT are both given: only one end can hold.',
    );
  });

  it('and never by throwing, whatever is in it', () => {
    const word = fc.constantFrom(
      'FREQ',
      'BYDAY',
      'COUNT',
      'UNTIL',
      '=',
      ';',
      ',',
      '-',
      '1',
      '0',
      'MO',
      'DAILY',
      'Z',
      'é',
      '\0',
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(word, { maxLength: 20 }).map((words) => words.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        parseRule(text);
      }),
    );
  });
});

describe('a rule for whole days', () => {
  it('pays no heed to times', () => {
    const rule = ruleForDates(ruleOf('FREQ=DAILY;BYHOUR=9,10;BYMINUTE=30;BYSECOND=5;COUNT=2'));
    if (isRuleFault(rule)) throw new Error(rule.why);
    expect(instances(rule, '2026-01-05')).toEqual(spelled('2026-01: 5-6', ['00:00']));
  });
  it.each(['HOURLY', 'MINUTELY', 'SECONDLY'])('has no %s', (frequency) => {
    expect(ruleForDates(ruleOf(`FREQ=${frequency};COUNT=2`))).toMatchObject({ fault: 'contradiction', part: 'FREQ' });
  });
});
