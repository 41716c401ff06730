/** Rules as people read them. */
import { describe, expect, it } from 'vitest';
import { describeRule } from '../../../gateway/calendars/rules/describe.ts';
import { ruleOf } from '../../support/calendars-rules.ts';

describe('a rule in plain English', () => {
  it.each([
    ['FREQ=DAILY', 'every day'],
    ['FREQ=WEEKLY;BYDAY=WE,MO;UNTIL=20261224', 'every week on Monday and Wednesday until 24 Dec 2026'],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR;COUNT=10', 'every 2 weeks on Monday to Friday, 10 times'],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU', 'every 2 weeks on Tuesday and Sunday, weeks beginning on Sunday'],
    ['FREQ=WEEKLY;BYDAY=TU;WKST=SU;COUNT=1', 'every week on Tuesday, once'],
    ['FREQ=DAILY;UNTIL=20261224T170000Z', 'every day until 24 Dec 2026 17:00 UTC'],
    ['FREQ=DAILY;UNTIL=20261224T170030', 'every day until 24 Dec 2026 17:00:30'],
    ['FREQ=MONTHLY;BYDAY=1MO,-1FR', 'every month on the 1st Monday and the last Friday of the month'],
    ['FREQ=MONTHLY;BYDAY=-2SU,TU', 'every month on every Tuesday and the 2nd last Sunday of the month'],
    ['FREQ=MONTHLY;BYMONTHDAY=-1,2,15', 'every month on the 2nd, the 15th and the last day of the month'],
    [
      'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
      'every month on Monday to Friday (only the last of these times in each month)',
    ],
    ['FREQ=YEARLY;BYDAY=20MO', 'every year on the 20th Monday of the year'],
    ['FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU', 'every year on the last Sunday of the month in March and October'],
    ['FREQ=YEARLY;BYWEEKNO=20,21;BYDAY=MO', 'every year on Monday in weeks 20 and 21'],
    ['FREQ=YEARLY;BYWEEKNO=-1;BYDAY=SU', 'every year on Sunday in the last week of the year'],
    ['FREQ=YEARLY;BYYEARDAY=1,-1', 'every year on the 1st and the last day of the year'],
    ['FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0,30', 'every day at 09:00, 09:30, 17:00 and 17:30'],
    ['FREQ=DAILY;BYHOUR=9,10,11,12;BYMINUTE=0,20,40', 'every day at hours 9 to 12, minutes 0, 20 and 40'],
    ['FREQ=MINUTELY;INTERVAL=20;BYHOUR=9', 'every 20 minutes at hour 9'],
    [
      'FREQ=MONTHLY;BYMONTHDAY=1,3,5,7,9,11,13,15,17,19',
      'every month on the 1st, the 3rd, the 5th, the 7th, the 9th, the 11th, the 13th, the 15th and 2 more days of the month',
    ],
  ])('%s', (rule, expected) => {
    expect(describeRule(ruleOf(rule))).toBe(expected);
  });
});
