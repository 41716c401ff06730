import type { Booking, OccupancySeries } from '../../gateway/wire/clinic.ts';
import type { Room } from '../../gateway/wire/rooms.ts';
import { HOUR_MS, instantOf, ms } from './time.ts';
import { holdsRoom } from './words.ts';

/** A stretch of time `[startMs, endMs)`. */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
}

/** The step of the history that the timeline asks for. */
export const ACTUAL_EVERY_S = 300;

/** When a room was occupied: each occupied sample stands for the step that it opens, neighbours are joined. */
export function occupiedStretches(series: OccupancySeries['series'], everyMs: number, untilMs: number): Stretch[] {
  const stretches: { startMs: number; endMs: number }[] = [];
  for (const point of series) {
    if (point.occupied !== true && point.state !== 'occupied') continue;
    const startMs = ms(point.at);
    const endMs = Math.min(untilMs, startMs + everyMs);
    if (endMs <= startMs) continue;
    const last = stretches.at(-1);
    if (last && startMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else stretches.push({ startMs, endMs });
  }
  return stretches;
}

/** History lags the present by a step; who is in right now comes from the room itself. */
export function withPresent(stretches: readonly Stretch[], room: Room, nowMs: number): Stretch[] {
  if (room.occupancy.state !== 'occupied') return [...stretches];
  const sinceMs = Math.min(ms(room.occupancy.since), nowMs);
  const before = stretches.filter((stretch) => stretch.startMs < sinceMs);
  const last = before.at(-1);
  if (last && last.endMs >= sinceMs) return [...before.slice(0, -1), { startMs: last.startMs, endMs: nowMs }];
  return [...before, { startMs: sinceMs, endMs: nowMs }];
}

/** The part of a stretch that lies in a window as `left` and `width` in %, or null when none does. */
export function inWindow(of: Stretch, window: Stretch): { left: number; width: number } | null {
  const startMs = Math.max(of.startMs, window.startMs);
  const endMs = Math.min(of.endMs, window.endMs);
  if (endMs <= startMs) return null;
  const all = window.endMs - window.startMs;
  return { left: ((startMs - window.startMs) / all) * 100, width: ((endMs - startMs) / all) * 100 };
}

/** Whole hours that hold 07:00 to 20:00 of the day and every stretch given, within the day. */
export function shownHours(day: string, timeZone: string, stretches: readonly Stretch[], within: Stretch): Stretch {
  const floor = (at: number) => Math.floor(at / HOUR_MS) * HOUR_MS;
  const inside = stretches.filter((of) => of.startMs < within.endMs && of.endMs > within.startMs);
  const startMs = Math.min(instantOf(day, '07:00', timeZone), ...inside.map((of) => floor(of.startMs)));
  const endMs = Math.max(instantOf(day, '20:00', timeZone), ...inside.map((of) => floor(of.endMs + HOUR_MS - 1)));
  return { startMs: Math.max(startMs, within.startMs), endMs: Math.min(endMs, within.endMs) };
}

/** Whole hours inside a window, every `stepH`. */
export function hourTicks(window: Stretch, stepH: number): number[] {
  const ticks: number[] = [];
  for (let at = window.startMs; at <= window.endMs; at += stepH * HOUR_MS) ticks.push(at);
  return ticks;
}

/** Bookings that hold each room, by start. */
export function byRoom(bookings: readonly Booking[]): Map<string, Booking[]> {
  const rooms = new Map<string, Booking[]>();
  for (const booking of bookings) {
    if (!holdsRoom(booking.status)) continue;
    const there = rooms.get(booking.room);
    if (there) there.push(booking);
    else rooms.set(booking.room, [booking]);
  }
  for (const there of rooms.values()) there.sort((a, b) => ms(a.start) - ms(b.start));
  return rooms;
}

export const stretchOf = (booking: Pick<Booking, 'start' | 'end'>): Stretch => ({
  startMs: ms(booking.start),
  endMs: ms(booking.end),
});
