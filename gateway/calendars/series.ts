/**
 * Bookings made by hand that repeat: the times of a series in the building's zone. The clock on the wall counts, so a
 * series at nine stays at nine when the clocks change; what a change skips or repeats follows RFC 5545 (Temporal's
 * `compatible`), like everything in this folder.
 */
import { Temporal } from 'temporal-polyfill';
import type { Interval } from '../core/records.ts';
import type { WeeklyTimes } from '../store/types.ts';
import { Budget, BudgetSpent } from './rules/budget.ts';
import { recur } from './rules/recur.ts';
import { isRuleFault, parseRule } from './rules/rule.ts';

type Day = WeeklyTimes['days'][number];

export interface Repetition {
  readonly every: 'day' | 'week' | 'month';
  readonly interval: number;
  /** Must hold the day of the first time. */
  readonly days?: readonly Day[] | undefined;
  /** `2026-12-24`, included. One of `until` and `count` is given. */
  readonly until?: string | undefined;
  readonly count?: number | undefined;
  /** Calendar days that are left out; they count. */
  readonly except: readonly string[];
}
/** One time of a series with the calendar day that it starts on, which tells it apart from the others. */
export interface RepeatTime extends Interval {
  readonly date: string;
}
export type Repeated =
  | { readonly ok: true; readonly times: readonly RepeatTime[] }
  /** `field` of the repetition, and a sentence's end: `must …`. */
  | { readonly ok: false; readonly field: keyof Repetition; readonly message: string };

/** Times of one series. */
export const TIMES_MAX = 366;
/** A series reaches no further than this from its first time. */
export const REACH_DAYS = 3_660;
/** Candidates that the rule may look at; the costliest series that is allowed needs a tenth. */
const STEPS_MAX = 200_000;
const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;

const DAYS: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const DAY_NAMES = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** All times of a series whose first is `first`, ascending and disjoint; days of `except` are not in it. */
export function repeatTimes(first: Interval, repetition: Repetition, zone: string): Repeated {
  const startLocalMs = localMs(first.startMs, zone);
  const lengthLocalMs = localMs(first.endMs, zone) - startLocalMs;
  const rule = ruleOf(repetition, startLocalMs);
  if (!rule.ok) return rule;
  // Rules count in whole seconds; what lies below them goes along.
  const belowMs = startLocalMs % SECOND_MS;
  const starts = startsOf(rule.text, repetition, startLocalMs - belowMs);
  if (!Array.isArray(starts)) return starts;
  const except = new Set(repetition.except);
  const times = starts
    .map((local) => local + belowMs)
    .filter((local) => !except.has(dateOf(local)))
    .map((local): RepeatTime => {
      // The first time is what was asked for, also in an hour that comes twice.
      if (local === startLocalMs) return { date: dateOf(local), ...first };
      return { date: dateOf(local), ...between(local, local + lengthLocalMs, first.endMs - first.startMs, zone) };
    });
  if (times.length === 0) return { ok: false, field: 'except', message: 'leaves no time over' };
  if (times.some((time, index) => index > 0 && time.startMs < (times[index - 1]?.endMs ?? 0)))
    return { ok: false, field: 'interval', message: 'must be longer than the booking: its times overlap' };
  return { ok: true, times };
}

/** Moves times as one of them was moved from `from` to `to`: by the same steps of the clock on the wall. */
export function shiftTimes<T extends Interval>(times: readonly T[], from: Interval, to: Interval, zone: string): T[] {
  const startBy = localMs(to.startMs, zone) - localMs(from.startMs, zone);
  const endBy = localMs(to.endMs, zone) - localMs(from.endMs, zone);
  return times.map((time) => {
    if (time.startMs === from.startMs && time.endMs === from.endMs) return { ...time, ...pick(to) };
    const startMs = localMs(time.startMs, zone) + startBy;
    return { ...time, ...between(startMs, localMs(time.endMs, zone) + endBy, to.endMs - to.startMs, zone) };
  });
}

const pick = ({ startMs, endMs }: Interval): Interval => ({ startMs, endMs });

/** The rule in RFC 5545's words. `until` is not in it: it is a day, and compared as one. */
function ruleOf(
  { every, interval, days, count }: Repetition,
  startLocalMs: number,
): { ok: true; text: string } | (Repeated & { ok: false }) {
  const start = new Date(startLocalMs);
  const weekday = (start.getUTCDay() + 6) % 7;
  const day = DAYS[weekday] ?? 'mon';
  const code = (of: Day) => of.slice(0, 2).toUpperCase();
  if (days !== undefined && every === 'day')
    return { ok: false, field: 'days', message: 'goes with `week` or `month` only' };
  if (days !== undefined && !days.includes(day))
    return { ok: false, field: 'days', message: `must hold the day of the first booking, a ${DAY_NAMES[weekday]}` };
  if (every === 'month' && days !== undefined && days.length > 1)
    return { ok: false, field: 'days', message: `holds one day with \`month\`: that of the first booking` };
  const parts = [`FREQ=${{ day: 'DAILY', week: 'WEEKLY', month: 'MONTHLY' }[every]}`, `INTERVAL=${interval}`];
  if (every === 'week') parts.push(`BYDAY=${(days ?? [day]).map(code).join(',')}`);
  if (every === 'month') {
    const nth = Math.ceil(start.getUTCDate() / 7);
    parts.push(days === undefined ? `BYMONTHDAY=${start.getUTCDate()}` : `BYDAY=${nth}${code(day)}`);
  }
  if (count !== undefined) parts.push(`COUNT=${count}`);
  return { ok: true, text: parts.join(';') };
}

function startsOf(
  text: string,
  { until, count }: Repetition,
  startLocalMs: number,
): number[] | (Repeated & { ok: false }) {
  const rule = parseRule(text);
  if (isRuleFault(rule)) throw new Error(`series: the rule ${text} is not one`);
  const reachMs = startLocalMs + REACH_DAYS * DAY_MS;
  const untilMs = until === undefined ? reachMs : Date.parse(`${until}T00:00:00Z`) + DAY_MS;
  const limit = until === undefined ? 'count' : 'until';
  if (untilMs <= startLocalMs) return { ok: false, field: 'until', message: 'is before the first booking' };
  if (untilMs > reachMs) return { ok: false, field: 'until', message: 'is more than ten years away' };
  const starts: number[] = [];
  try {
    for (const local of recur(rule, startLocalMs, { untilLocalMs: untilMs, budget: new Budget(STEPS_MAX) })) {
      if (local >= untilMs) break;
      starts.push(local);
      if (starts.length > TIMES_MAX)
        return { ok: false, field: limit, message: `makes more than ${TIMES_MAX} bookings` };
    }
  } catch (error) {
    if (!(error instanceof BudgetSpent)) throw error;
    return { ok: false, field: limit, message: 'is too far away' };
  }
  if (count !== undefined && starts.length < count)
    return { ok: false, field: 'count', message: 'reaches more than ten years ahead' };
  return starts;
}

/** A window between two wall times; where a clock change leaves nothing of it, as long as it should be. */
function between(startLocalMs: number, endLocalMs: number, lengthMs: number, zone: string): Interval {
  const startMs = instantOf(startLocalMs, zone);
  const endMs = instantOf(endLocalMs, zone);
  return { startMs, endMs: endMs > startMs ? endMs : startMs + lengthMs };
}

/** The wall clock read as if it were UTC. */
function localMs(atMs: number, zone: string): number {
  const zoned = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(zone);
  return atMs + zoned.offsetNanoseconds / 1_000_000;
}

function instantOf(local: number, zone: string): number {
  const wall = Temporal.PlainDateTime.from(new Date(local).toISOString().slice(0, -1));
  return wall.toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds;
}

const dateOf = (local: number): string => new Date(local).toISOString().slice(0, 10);
