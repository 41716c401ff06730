/**
 * Weekly times in the building's zone, worked out to instants: rights of members, open hours, the calendar day. Clock
 * changes follow RFC 5545's reading (Temporal's `compatible`): a time that is skipped moves on by the step, a time that
 * comes twice is the first one. The host's own zone plays no part.
 */
import { Temporal } from 'temporal-polyfill';
import type { Interval, Right } from '../core/records.ts';
import type { RightRecord, WeeklyTimes } from '../store/types.ts';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
/** Times of a day that were worked out once; a site has some dozens of them. Emptied when full. */
export const MAX_KNOWN_TIMES = 20_000;

/**
 * When any of the weekly times holds within `[fromMs, toMs)`: sorted, disjoint, half-open intervals. Times that touch
 * or overlap are one interval, so a night is not split at midnight.
 */
export function weeklyIntervals(
  weekly: readonly WeeklyTimes[],
  zone: string,
  fromMs: number,
  toMs: number,
): readonly Interval[] {
  if (!(fromMs < toMs)) return [];
  const found: Interval[] = [];
  // A time that began yesterday may still hold.
  const first = dateAt(fromMs, zone).subtract({ days: 1 });
  const last = dateAt(toMs, zone);
  for (let date = first; Temporal.PlainDate.compare(date, last) <= 0; date = date.add({ days: 1 })) {
    const day = DAYS[date.dayOfWeek - 1];
    for (const times of weekly) {
      if (day === undefined || !times.days.includes(day)) continue;
      const interval = onDate(date, times, zone);
      if (interval === undefined || interval.endMs <= fromMs || interval.startMs >= toMs) continue;
      found.push({ startMs: Math.max(interval.startMs, fromMs), endMs: Math.min(interval.endMs, toMs) });
    }
  }
  return merge(found);
}

/** A member's rights with their weekly times worked out; a right without any has no time limit. */
export function expandRights(rights: readonly RightRecord[], zone: string, fromMs: number, toMs: number): Right[] {
  return rights.map(({ doors, weekly }) => ({
    doors,
    when: weekly === undefined ? 'always' : weeklyIntervals(weekly, zone, fromMs, toMs),
  }));
}

/** The calendar day of the zone that holds an instant: 23 to 25 hours. */
export function dayAround(atMs: number, zone: string): Interval {
  const date = dateAt(atMs, zone);
  return {
    startMs: date.toZonedDateTime(zone).epochMilliseconds,
    endMs: date.add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds,
  };
}

function dateAt(atMs: number, zone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(zone).toPlainDate();
}

function onDate(date: Temporal.PlainDate, times: WeeklyTimes, zone: string): Interval | undefined {
  const startMs = instantOf(date, times.from, zone);
  // `to` at or before `from` is on the next day; both are HH:MM, so text order is time order.
  const endMs = instantOf(times.to <= times.from ? date.add({ days: 1 }) : date, times.to, zone);
  // A clock change can swallow a short time, or a whole day (Samoa, 30 December 2011).
  if (startMs >= endMs || Temporal.PlainDate.compare(dateAt(startMs, zone), date) !== 0) return undefined;
  return { startMs, endMs };
}

const knownTimes = new Map<string, number>();

function instantOf(date: Temporal.PlainDate, time: string, zone: string): number {
  const key = `${date.toString()} ${time} ${zone}`;
  const known = knownTimes.get(key);
  if (known !== undefined) return known;
  const local = date.toPlainDateTime(Temporal.PlainTime.from(time));
  const atMs = local.toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds;
  if (knownTimes.size >= MAX_KNOWN_TIMES) knownTimes.clear();
  knownTimes.set(key, atMs);
  return atMs;
}

function merge(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const interval of [...intervals].sort((a, b) => a.startMs - b.startMs)) {
    const last = merged.at(-1);
    if (last === undefined || interval.startMs > last.endMs) merged.push(interval);
    else if (interval.endMs > last.endMs) merged[merged.length - 1] = { startMs: last.startMs, endMs: interval.endMs };
  }
  return merged;
}
