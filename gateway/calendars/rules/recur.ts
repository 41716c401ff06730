/**
 * The instances of a recurrence rule (RFC 5545 §3.3.10), in wall-clock time. Everything here is "local milliseconds":
 * the wall clock of DTSTART's zone read as if it were UTC. Which instant a wall clock's reading is, in a zone with
 * clock changes, is the caller's business; no zone, no Date and no host setting plays a part.
 */
import type { Budget } from './budget.ts';
import { DAY_MS, localMsOf, SECOND_MS } from './civil.ts';
import { lowerBound, periodsOf } from './periods.ts';
import { lastLocalMs, type Rule, type Until } from './rule.ts';

export interface RecurOptions {
  /** Instances before this are not yielded; they still count for COUNT. */
  readonly fromLocalMs?: number | undefined;
  /** Half-open: instances at or after this are not yielded. */
  readonly untilLocalMs: number;
  /** Charged for each period looked at and each instance yielded. */
  readonly budget: Budget;
  /**
   * What DTSTART is when the rule would not give it. RFC 5545 calls that set undefined, yet says that DTSTART "always
   * counts as the first occurrence", and its own example of Friday the 13th takes DTSTART out again by an EXDATE.
   *
   * - `first` (unless said otherwise): it is the first instance, and COUNT counts it. So says RFC 8984 §4.3.3 outright.
   *   Google, Apple and libical's sets have it there as well, so who booked it stands at the door at that time; some of
   *   them let COUNT begin after it, which is one time more than the standard grants.
   * - `matching`: only what the rule gives, counted from there (python-dateutil, rrule.js, ical.js, ical.net).
   */
  readonly start?: 'first' | 'matching' | undefined;
  /**
   * Whether an instance is at or before a UTC UNTIL: only who knows the zone can tell. It is asked for each instance
   * near enough, so that the limit is exact even where clock changes turn the order of instants round. Without it the
   * wall clock is compared as if it were UTC: right for a DTSTART in UTC, and only there. UNTIL as a date or as local
   * time needs no zone and never asks.
   */
  readonly withinUntil?: ((localMs: number) => boolean) | undefined;
}

/** Years have four digits in iCalendar. */
export const END_OF_TIME_LOCAL_MS = localMsOf(10_000, 1, 1);
/** An offset from UTC is below a day; so is a clock's change. */
const MAX_OFFSET_MS = 2 * DAY_MS;

/**
 * The rule's instances from DTSTART on, ascending, each once, within the window; COUNT and UNTIL obeyed. Days that do
 * not exist in the calendar (30 February) are passed over and not counted; a time of day that a clock change skips is
 * an instance all the same, which the caller reads as any other such time (RFC 5545, erratum 4271). An UNTIL before
 * DTSTART leaves no instance. BYSETPOS sees the whole period, also what lies before DTSTART in it.
 *
 * A rule without COUNT begins at the window at once, however long ago DTSTART was; one with COUNT does so where its
 * periods are all alike (below a day, daily, weekly), else they are counted without listing their instances.
 * @param startLocalMs DTSTART, whole seconds, the year from 0 to 9999.
 * @throws BudgetSpent out of the iteration, when it takes more than the budget has.
 * @throws RangeError when the start is no whole second.
 */
export function* recur(rule: Rule, startLocalMs: number, options: RecurOptions): Generator<number, void, undefined> {
  if (!Number.isSafeInteger(startLocalMs / SECOND_MS))
    throw new RangeError(`DTSTART ${startLocalMs} is not a whole second.`);
  const { budget } = options;
  const until = limitOf(rule.until, options);
  const endMs = Math.min(options.untilLocalMs, until.endMs, END_OF_TIME_LOCAL_MS);
  const asFirst = options.start !== 'matching';
  if (asFirst && startLocalMs >= (options.fromLocalMs ?? startLocalMs) && startLocalMs < endMs) {
    budget.spend();
    if (until.holds(startLocalMs)) yield startLocalMs;
  }
  const floorMs = asFirst ? startLocalMs + 1 : startLocalMs;
  const fromMs = Math.max(floorMs, options.fromLocalMs ?? floorMs);
  let left = rule.count === undefined ? Number.POSITIVE_INFINITY : rule.count - (asFirst ? 1 : 0);
  if (fromMs >= endMs || left <= 0) return;

  const periods = periodsOf(rule, startLocalMs);
  let walkFromMs = fromMs;
  if (rule.count !== undefined) {
    const passed = periods.before(fromMs, floorMs);
    if (passed === undefined) walkFromMs = floorMs;
    else left -= passed;
    if (left <= 0) return;
  }
  for (const block of periods.walk(walkFromMs, endMs, budget)) {
    const wanted = lowerBound(block, fromMs);
    left -= wanted - lowerBound(block, floorMs);
    if (left <= 0) return;
    for (let index = wanted; index < block.size; index += 1) {
      const ms = block.at(index);
      if (ms >= endMs) return;
      budget.spend();
      if (until.holds(ms)) yield ms;
      left -= 1;
      if (left <= 0) return;
    }
  }
}

interface Limit {
  /** Nothing at or after this is an instance. */
  readonly endMs: number;
  holds(localMs: number): boolean;
}

function limitOf(until: Until | undefined, { withinUntil }: RecurOptions): Limit {
  if (until === undefined) return { endMs: Number.POSITIVE_INFINITY, holds: () => true };
  if (until.kind !== 'utc' || withinUntil === undefined) return { endMs: lastLocalMs(until) + 1, holds: () => true };
  return { endMs: until.valueMs + MAX_OFFSET_MS, holds: withinUntil };
}
