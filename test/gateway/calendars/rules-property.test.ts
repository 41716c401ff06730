/** The engine against a slow, obvious reference, on random rules with all parts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Budget } from '../../../gateway/calendars/rules/budget.ts';
import { DAY_MS, HOUR_MS } from '../../../gateway/calendars/rules/civil.ts';
import { recur } from '../../../gateway/calendars/rules/recur.ts';
import type { Frequency, Rule } from '../../../gateway/calendars/rules/rule.ts';
import { PLENTY_STEPS, ruleOf, wall, wallText } from '../../support/calendars-rules.ts';
import { referenceInstances } from '../../support/calendars-rules-reference.ts';

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
/** How far the reference walks: it must see a few periods and stay quick. */
const HORIZON_DAYS: Readonly<Record<Frequency, number>> = {
  yearly: 2200,
  monthly: 1100,
  weekly: 400,
  daily: 150,
  hourly: 40,
  minutely: 6,
  secondly: 2,
};
const MAX_INTERVAL: Readonly<Record<Frequency, number>> = {
  yearly: 3,
  monthly: 14,
  weekly: 5,
  daily: 40,
  hourly: 60,
  minutely: 3000,
  secondly: 90_000,
};
/** At the least this share of the cases must have an instance in its window; 57-66 % do. */
const LEAST_TELLING = 0.4;

const some = (value: fc.Arbitrary<number | string>, maxLength = 4) =>
  fc.uniqueArray(value, { minLength: 1, maxLength }).map((list) => list.join(','));
const signed = (max: number) => fc.integer({ min: 1, max }).chain((value) => fc.constantFrom(value, -value));
/** Near both ends of a range, where the faults live. */
const edgy = (max: number) => fc.oneof(signed(max), signed(3), fc.constantFrom(max, -max, max - 1, 1 - max));

function partsFor(frequency: Frequency): fc.Arbitrary<string[]> {
  const numbered = fc.tuple(fc.option(edgy(frequency === 'monthly' ? 5 : 53)), fc.constantFrom(...WEEKDAYS));
  const plainDay = fc.constantFrom(...WEEKDAYS);
  const byDay =
    frequency === 'monthly' || frequency === 'yearly'
      ? fc.oneof(
          plainDay,
          numbered.map(([n, day]) => `${n ?? ''}${day}`),
        )
      : plainDay;
  const maybe = (name: string, value: fc.Arbitrary<string>, allowed = true) =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constant(null) },
      { weight: allowed ? 2 : 0, arbitrary: value.map((text) => `${name}=${text}`) },
    );
  const small = frequency === 'minutely' || frequency === 'secondly';
  return fc
    .tuple(
      maybe('BYMONTH', some(fc.integer({ min: 1, max: 12 }), small ? 12 : 5)),
      maybe('BYWEEKNO', some(edgy(53)), frequency === 'yearly'),
      maybe('BYYEARDAY', some(edgy(366), 6), !['daily', 'weekly', 'monthly'].includes(frequency)),
      maybe('BYMONTHDAY', some(edgy(31), 6), frequency !== 'weekly'),
      maybe('BYDAY', some(byDay)),
      maybe('BYHOUR', some(fc.integer({ min: 0, max: 23 }))),
      maybe('BYMINUTE', some(fc.integer({ min: 0, max: 59 }))),
      maybe('BYSECOND', some(fc.integer({ min: 0, max: 60 }))),
      maybe('BYSETPOS', some(fc.oneof(signed(4), signed(4), edgy(366)))),
    )
    .map((parts) => parts.filter((part): part is string => part !== null))
    .map((parts) => (parts.some((part) => part.startsWith('BYWEEKNO')) ? parts.map(withoutNumbers) : parts))
    .map((parts) => (parts.length === 1 ? parts.filter((part) => !part.startsWith('BYSETPOS')) : parts));
}

function withoutNumbers(part: string): string {
  return part.startsWith('BYDAY') ? part.replaceAll(/-?\d+/g, '') : part;
}

/**
 * Each list with the value of DTSTART beside the random ones: with many parts a rule otherwise gives nothing at all in
 * nine cases of ten, and what gives nothing proves little.
 */
function withOwn(parts: readonly string[], startMs: number): string[] {
  const start = new Date(startMs);
  const own: Readonly<Record<string, number | string | undefined>> = {
    BYMONTH: start.getUTCMonth() + 1,
    BYMONTHDAY: start.getUTCDate(),
    BYYEARDAY: Math.floor((startMs - Date.UTC(start.getUTCFullYear(), 0, 1)) / DAY_MS) + 1,
    BYDAY: WEEKDAYS[(start.getUTCDay() + 6) % 7],
    BYHOUR: start.getUTCHours(),
    BYMINUTE: start.getUTCMinutes(),
    BYSECOND: start.getUTCSeconds(),
    BYSETPOS: 1,
  };
  return parts.map((part) => {
    const value = own[part.slice(0, part.indexOf('='))];
    return value === undefined ? part : `${part},${value}`;
  });
}

const stamp = (ms: number) => new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, '');

/** Even over the range: `fc.double` is even over the doubles' bits, so that nine windows of ten came out empty. */
const share = (min: number, max: number) =>
  fc.integer({ min: Math.round(min * 1000), max: Math.round(max * 1000) }).map((thousandths) => thousandths / 1000);

const cases = fc
  .constantFrom<Frequency[]>('yearly', 'monthly', 'weekly', 'daily', 'hourly', 'minutely', 'secondly')
  .chain((frequency) =>
    fc.record({
      frequency: fc.constant(frequency),
      startMs: fc
        .oneof(
          fc.integer({ min: wall('1995-01-01') / 1000, max: wall('2032-12-31') / 1000 }),
          fc.constantFrom(
            wall('2024-02-29 09:00') / 1000,
            wall('2020-12-31 23:59:59') / 1000,
            wall('2021-01-03') / 1000,
          ),
        )
        .map((seconds) => seconds * 1000),
      interval: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: MAX_INTERVAL[frequency] })),
      parts: partsFor(frequency),
      own: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      weekStart: fc.constantFrom(...WEEKDAYS),
      end: fc.oneof(
        fc.constant('none' as const),
        fc.record({ count: fc.integer({ min: 1, max: 30 }) }),
        fc.record({
          kind: fc.constantFrom('date' as const, 'local' as const, 'utc' as const),
          share: share(-0.05, 1),
        }),
      ),
      start: fc.constantFrom('first' as const, 'matching' as const),
      /** Where the window begins, as a share of its end, and where it ends, as a share of the horizon. */
      from: fc.oneof(fc.constant(null), share(-0.1, 0.3), share(-0.1, 1.1)),
      until: share(0, 1),
      hoursBehind: fc.option(fc.integer({ min: -14, max: 12 })),
    }),
  );
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

function textOf({ frequency, startMs, interval, parts, own, weekStart, end }: Case): string {
  const lists = own ? withOwn(parts, startMs) : parts;
  const written = [`FREQ=${frequency.toUpperCase()}`, `INTERVAL=${interval}`, ...lists, `WKST=${weekStart}`];
  if (end === 'none') return written.join(';');
  if ('count' in end) return [...written, `COUNT=${end.count}`].join(';');
  const untilMs = startMs + Math.round((end.share * HORIZON_DAYS[frequency] * DAY_MS) / 1000) * 1000;
  const text = stamp(untilMs);
  return [...written, `UNTIL=${{ date: text.slice(0, 8), local: text.slice(0, 15), utc: text }[end.kind]}`].join(';');
}

function compare(example: Case): { got: string[]; wanted: string[] } {
  const { frequency, startMs, start, from, until, hoursBehind } = example;
  const rule: Rule = ruleOf(textOf(example));
  const spanMs = HORIZON_DAYS[frequency] * DAY_MS;
  const untilLocalMs = startMs + Math.round(until * spanMs);
  const fromLocalMs = from === null ? undefined : startMs + Math.round(from * until * spanMs);
  const untilValueMs = rule.until?.valueMs ?? 0;
  const withinUntil = hoursBehind === null ? undefined : (ms: number) => ms + hoursBehind * HOUR_MS <= untilValueMs;
  // The period that holds the end of the window must be seen whole.
  const slackMs = { yearly: 370, monthly: 32, weekly: 8 }[frequency as 'yearly'] ?? 1;
  const seen = referenceInstances(rule, startMs, untilLocalMs + slackMs * DAY_MS, { start, withinUntil });
  const wanted = seen.filter((ms) => ms < untilLocalMs && ms >= (fromLocalMs ?? ms));
  const budget = new Budget(PLENTY_STEPS);
  const got = [...recur(rule, startMs, { fromLocalMs, untilLocalMs, budget, start, withinUntil })];
  return { got: got.map(wallText), wanted: wanted.map(wallText) };
}

describe('recurrence', () => {
  it('is what the definition says, for any rule, window, end and reading of DTSTART', () => {
    let runs = 0;
    let telling = 0;
    fc.assert(
      fc.property(cases, (example) => {
        const { got, wanted } = compare(example);
        runs += 1;
        if (wanted.length > 0) telling += 1;
        expect(got, `${textOf(example)} from ${wallText(example.startMs)}`).toEqual(wanted);
      }),
      { numRuns: Number(process.env.DOORWARD_RULE_RUNS ?? 250) },
    );
    // Rules that give nothing prove nothing.
    expect(telling / runs).toBeGreaterThan(LEAST_TELLING);
  }, 60_000);
});
