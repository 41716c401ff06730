/** Two holders on one room and time: who keeps it. A function of the bookings alone, in whatever order they came in. */
import type { Booking } from '../records.ts';

/** Order of precedence: the first confirmed, then the source of higher priority, then the lower id. Never 0 for two ids. */
export function firstConfirmed(a: Booking, b: Booking): number {
  const aMs = a.confirmedAtMs ?? Number.NEGATIVE_INFINITY;
  const bMs = b.confirmedAtMs ?? Number.NEGATIVE_INFINITY;
  if (aMs !== bMs) return aMs < bMs ? -1 : 1;
  const priority = (b.priority ?? 0) - (a.priority ?? 0);
  if (priority !== 0) return priority;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** A stretch of time that one holder has by one or more overlapping bookings. */
interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
  readonly holder: string;
}

/**
 * Each in turn gets its whole time unless another holder has some of it already; the same holder's may overlap.
 * @param ranked granting bookings of one room, in the order of `firstConfirmed`
 */
export function whoHolds(ranked: readonly Booking[]): ReadonlySet<Booking> {
  const holding = new Set<Booking>();
  // Sorted and disjoint, so that a pile of bookings on one hour costs no more than its size times a logarithm.
  const taken: Stretch[] = [];
  for (const booking of ranked) {
    const from = firstEndingAfter(taken, booking.startMs);
    let to = from;
    let free = true;
    let { startMs, endMs } = booking;
    for (let other = taken[to]; free && other !== undefined && other.startMs < booking.endMs; other = taken[++to]) {
      free = other.holder === booking.holder;
      startMs = Math.min(startMs, other.startMs);
      endMs = Math.max(endMs, other.endMs);
    }
    if (!free) continue;
    taken.splice(from, to - from, { startMs, endMs, holder: booking.holder });
    holding.add(booking);
  }
  return holding;
}

function firstEndingAfter(taken: readonly Stretch[], atMs: number): number {
  let low = 0;
  let high = taken.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((taken[middle] as Stretch).endMs <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
