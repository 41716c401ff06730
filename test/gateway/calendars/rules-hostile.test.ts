/** Rules that are made to hang or to flood: each ends by itself or by its budget, which counts work and not time. */
import { describe, expect, it } from 'vitest';
import { Budget, BudgetSpent } from '../../../gateway/calendars/rules/budget.ts';
import { DAY_MS } from '../../../gateway/calendars/rules/civil.ts';
import { recur } from '../../../gateway/calendars/rules/recur.ts';
import { instances, ruleOf, wall, wallText } from '../../support/calendars-rules.ts';

const STEPS = 100_000;
const WINDOW = { fromLocalMs: wall('2026-11-22'), untilLocalMs: wall('2027-01-21') };
const ALL_TIME = { untilLocalMs: Number.POSITIVE_INFINITY };
const every = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i).join(',');
const EVERY_SECOND = `BYHOUR=${every(0, 23)};BYMINUTE=${every(0, 59)};BYSECOND=${every(0, 59)}`;
const EVERY_PLACE = `BYSETPOS=${every(-366, -1)},${every(1, 366)}`;

interface Outcome {
  readonly found: number;
  readonly spent: boolean;
  readonly steps: number;
}

function run(text: string, start: string, window: { fromLocalMs?: number; untilLocalMs: number }): Outcome {
  const budget = new Budget(STEPS);
  let found = 0;
  try {
    for (const _ of recur(ruleOf(text), wall(start), { ...window, budget, start: 'matching' })) found += 1;
  } catch (error) {
    if (!(error instanceof BudgetSpent)) throw error;
    return { found, spent: true, steps: STEPS };
  }
  return { found, spent: false, steps: STEPS - budget.left };
}

describe('rules that never come true', () => {
  const NEVER = [
    'FREQ=DAILY;BYMONTHDAY=31;BYMONTH=4',
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30,31',
    'FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6',
    'FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1',
    'FREQ=YEARLY;BYWEEKNO=1;BYMONTH=7;BYDAY=MO',
    'FREQ=YEARLY;INTERVAL=2;BYYEARDAY=366',
    'FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2',
    'FREQ=HOURLY;INTERVAL=2;BYHOUR=10',
    'FREQ=MINUTELY;INTERVAL=60;BYMINUTE=1',
    'FREQ=SECONDLY;INTERVAL=60;BYSECOND=1',
    'FREQ=SECONDLY;BYMONTHDAY=31;BYMONTH=2',
    'FREQ=SECONDLY;BYHOUR=3;BYSETPOS=2',
  ];
  it.each(NEVER)('end at once within a window: %s', (rule) => {
    const { found, spent, steps } = run(rule, '1995-01-01 09:00', WINDOW);
    expect({ found, spent }).toEqual({ found: 0, spent: false });
    expect(steps).toBeLessThan(2_000);
  });
  it.each(NEVER)('end for all time, by themselves or by the budget: %s', (rule) => {
    for (const text of [rule, `${rule};COUNT=1`]) expect(run(text, '1995-01-01 09:00', ALL_TIME).found).toBe(0);
  });
  it.each(NEVER)('with COUNT end within a window too: %s', (rule) => {
    expect(run(`${rule};COUNT=3`, '1995-01-01 09:00', WINDOW)).toMatchObject({ found: 0, spent: false });
  });
});

describe('rules of huge numbers', () => {
  it.each(['SECONDLY', 'MINUTELY', 'HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])('FREQ=%s', (frequency) => {
    const start = '2026-11-22 09:00';
    for (const interval of [1_000_000_000, 2_147_483_647]) {
      expect(run(`FREQ=${frequency};INTERVAL=${interval}`, start, WINDOW).steps).toBeLessThan(15);
      expect(run(`FREQ=${frequency};INTERVAL=${interval};COUNT=1000000000`, start, ALL_TIME).spent).toBe(false);
    }
    expect(run(`FREQ=${frequency};COUNT=1000000000`, start, ALL_TIME)).toMatchObject(
      ['MONTHLY', 'YEARLY'].includes(frequency) ? {} : { spent: true },
    );
  });
  it('all parts at once', () => {
    for (const frequency of ['SECONDLY', 'MINUTELY', 'HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])
      for (const extra of ['', `;${EVERY_PLACE}`, ';COUNT=2147483647', `;${EVERY_PLACE};COUNT=2147483647`]) {
        const rule = `FREQ=${frequency};BYMONTH=${every(1, 12)};${EVERY_SECOND}${extra}`;
        const { spent, found } = run(rule, '1995-01-01 09:00', WINDOW);
        expect(spent || found < STEPS).toBe(true);
      }
  });
  it('a year of seconds takes no memory: its last one is found by its place', () => {
    const rule = `FREQ=YEARLY;BYDAY=SU,MO,TU,WE,TH,FR,SA;${EVERY_SECOND};BYSETPOS=-1`;
    expect(instances(rule, '2024-01-01', { take: 2, start: 'matching' })).toEqual([
      '2024-12-31 23:59:59',
      '2025-12-31 23:59:59',
    ]);
  });
});

describe('the ends of time', () => {
  it.each(['SECONDLY', 'MINUTELY', 'HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])(
    'FREQ=%s from year 1',
    (frequency) => {
      const start = '0001-01-01 09:00';
      expect(
        run(`FREQ=${frequency}`, start, { fromLocalMs: wall('2026-11-22'), untilLocalMs: wall('2026-11-23') }),
      ).toMatchObject({ spent: frequency === 'SECONDLY' ? expect.any(Boolean) : false });
      expect(instances(`FREQ=${frequency};COUNT=2`, start)).toHaveLength(2);
    },
  );
  it.each([
    ['YEARLY', 1],
    ['MONTHLY', 1],
    ['WEEKLY', 1],
    ['DAILY', 2],
    ['HOURLY', 39],
  ])('FREQ=%s ends with year 9999', (frequency, expected) => {
    const found = instances(`FREQ=${frequency}`, '9999-12-30 09:00', ALL_TIME);
    expect(found).toHaveLength(expected);
    expect(found.at(-1)?.startsWith('9999-12-')).toBe(true);
  });
  it('a start that is no whole second is refused', () => {
    expect(() => [...recur(ruleOf('FREQ=DAILY'), 1, { ...ALL_TIME, budget: new Budget(1) })]).toThrow(RangeError);
    expect(() => [...recur(ruleOf('FREQ=DAILY'), Number.NaN, { ...ALL_TIME, budget: new Budget(1) })]).toThrow(
      RangeError,
    );
  });
});

describe('rules begun thirty years ago', () => {
  const start = '1996-11-22 09:00';
  const window = { fromLocalMs: wall('2026-11-22'), untilLocalMs: wall('2026-11-23') };
  it.each([
    'FREQ=SECONDLY;INTERVAL=30',
    'FREQ=SECONDLY;INTERVAL=7;BYHOUR=9;BYDAY=SU',
    'FREQ=MINUTELY',
    'FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10',
    'FREQ=HOURLY',
    'FREQ=DAILY',
    'FREQ=DAILY;BYDAY=SU;BYHOUR=9,10',
    'FREQ=WEEKLY;BYDAY=SU,MO',
    'FREQ=MONTHLY;BYMONTHDAY=22',
    'FREQ=YEARLY',
  ])('reach the window at once: %s', (rule) => {
    const { steps, found } = run(rule, start, window);
    expect(found).toBeGreaterThan(0);
    expect(steps).toBeLessThan(found + 400);
  });
  it.each([
    'FREQ=SECONDLY;INTERVAL=30;COUNT=1000000000',
    'FREQ=MINUTELY;COUNT=1000000000',
    'FREQ=HOURLY;COUNT=1000000000',
    'FREQ=DAILY;COUNT=1000000000',
    'FREQ=DAILY;BYHOUR=9,10;COUNT=1000000000',
    'FREQ=DAILY;BYDAY=SU,MO;COUNT=1000000000',
    'FREQ=WEEKLY;BYDAY=SU,MO;COUNT=1000000000',
  ])('with COUNT too, where their periods are alike: %s', (rule) => {
    const { steps, found } = run(rule, start, window);
    expect(found).toBeGreaterThan(0);
    expect(steps).toBe(found + 1);
  });
  it('and end where COUNT says, to the instance', () => {
    const days = (wall('2026-11-22') - wall('1996-11-22')) / DAY_MS;
    const last = (rule: string) => instances(rule, start, window).length;
    expect(last(`FREQ=DAILY;COUNT=${days}`)).toBe(0);
    expect(last(`FREQ=DAILY;COUNT=${days + 1}`)).toBe(1);
    expect(last(`FREQ=HOURLY;COUNT=${days * 24 - 9}`)).toBe(0);
    expect(last(`FREQ=HOURLY;COUNT=${days * 24 - 8}`)).toBe(1);
    expect(last(`FREQ=MINUTELY;BYSECOND=10,20;COUNT=${(days * 24 - 9) * 120 + 1}`)).toBe(0);
    // DTSTART, at second 0, is counted besides.
    expect(last(`FREQ=MINUTELY;BYSECOND=10,20;COUNT=${(days * 24 - 9) * 120 + 2}`)).toBe(1);
  });
  it('where periods differ each is counted, without listing its instances', () => {
    const rule = `FREQ=DAILY;BYMONTH=${every(1, 11)};BYMINUTE=${every(0, 59)};BYSECOND=${every(0, 59)};COUNT=100000000`;
    const { steps, found } = run(rule, start, window);
    expect({ steps, found }).toEqual({ steps: 10_958 + 3600, found: 3600 });
  });
});

describe('the budget', () => {
  it('is shared by the rules that are given it, and stays spent', () => {
    const budget = new Budget(10);
    const walk = () => [...recur(ruleOf('FREQ=DAILY;COUNT=4'), wall('2026-01-05'), { ...ALL_TIME, budget })];
    expect(walk().map(wallText)).toHaveLength(4);
    expect(walk).toThrow(BudgetSpent);
    expect(walk).toThrow(BudgetSpent);
    expect(budget.left).toBe(0);
  });
});

describe('speed', () => {
  it('five hundred series over sixty days take few steps', () => {
    const rules = [
      'FREQ=WEEKLY;BYDAY=MO,WE,FR',
      'FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20301231T000000Z',
      'FREQ=MONTHLY;BYDAY=-1FR',
      'FREQ=WEEKLY;INTERVAL=2;COUNT=400',
      'FREQ=YEARLY;BYMONTH=11,12;BYMONTHDAY=24',
    ];
    let steps = 0;
    let found = 0;
    for (let index = 0; index < 500; index += 1) {
      const outcome = run(rules[index % rules.length] ?? '', '2018-01-01 09:00', WINDOW);
      steps += outcome.steps;
      found += outcome.found;
    }
    expect(found).toBeGreaterThan(7_000);
    expect(steps).toBeLessThan(30_000);
  });
});
