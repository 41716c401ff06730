/**
 * The slow, obvious way to the instances of a series: walk the days one by one, ask Temporal for each instant. It shares
 * no code with the product. For rules that a sentence describes: every n-th day, or weekdays of every n-th week.
 */
import { Temporal } from 'temporal-polyfill';

export interface Simple {
  readonly zone: string;
  /** Wall clock, `2026-03-01T09:00:00`. */
  readonly start: string;
  readonly unit: 'DAILY' | 'WEEKLY';
  readonly interval: number;
  /** 1 Monday to 7 Sunday; for WEEKLY. */
  readonly weekdays: readonly number[];
  readonly count?: number | undefined;
  /** Wall clock, inclusive. */
  readonly until?: string | undefined;
  readonly minutes: number;
  readonly days: number;
  /** Which instances (by number) are taken out, and how that is written. */
  readonly exceptions: readonly { readonly nth: number; readonly as: 'local' | 'utc' | 'date' }[];
  readonly overrides: readonly {
    readonly nth: number;
    readonly shiftMin: number;
    readonly status: 'CONFIRMED' | 'CANCELLED';
  }[];
}

const ZONE = { disambiguation: 'compatible' } as const;

/** All starts on the wall clock, before exceptions and overrides. */
function wallStarts(simple: Simple, days: number): Temporal.PlainDateTime[] {
  const start = Temporal.PlainDateTime.from(simple.start);
  const monday = start.toPlainDate().subtract({ days: start.dayOfWeek - 1 });
  const found: Temporal.PlainDateTime[] = [];
  for (let day = 0; day < days; day += 1) {
    const at = start.add({ days: day });
    const weeks = Math.floor(monday.until(at.toPlainDate(), { largestUnit: 'days' }).days / 7);
    const regular =
      simple.unit === 'DAILY'
        ? day % simple.interval === 0
        : weeks % simple.interval === 0 &&
          (simple.weekdays.length === 0 ? [start.dayOfWeek] : simple.weekdays).includes(at.dayOfWeek);
    if (!regular && day > 0) continue;
    if (simple.until !== undefined && Temporal.PlainDateTime.compare(at, simple.until) > 0) break;
    found.push(at);
    if (found.length === simple.count) break;
  }
  return found;
}

export function wallStart(simple: Simple, nth: number): Temporal.PlainDateTime | undefined {
  return wallStarts(simple, 200)[nth];
}

/** `[startMs, endMs)` of what is confirmed, ascending. */
export function referenceTimes(simple: Simple, fromMs: number, toMs: number): [number, number][] {
  const { zone } = simple;
  const times = new Map<number, [number, number]>();
  const all = wallStarts(simple, 200);
  const gone = new Set<number>();
  const instant = (wall: Temporal.PlainDateTime) => wall.toZonedDateTime(zone, ZONE).epochMilliseconds;
  const lasting = (wall: Temporal.PlainDateTime): [number, number] => [
    instant(wall),
    instant(wall.add({ days: simple.days })) + simple.minutes * 60_000,
  ];
  for (const { nth } of simple.exceptions) if (all[nth] !== undefined) gone.add(instant(all[nth]));
  for (const wall of all) if (!gone.has(instant(wall))) times.set(instant(wall), lasting(wall));
  const moved: [number, number][] = [];
  for (const { nth, shiftMin, status } of new Map(simple.overrides.map((one) => [one.nth, one])).values()) {
    const wall = all[nth];
    if (wall === undefined || gone.has(instant(wall))) continue;
    times.delete(instant(wall));
    if (status === 'CONFIRMED') moved.push(lasting(wall.add({ minutes: shiftMin })));
  }
  return [...times.values(), ...moved]
    .filter(([start, end]) => start < toMs && end > fromMs && start < end)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}
