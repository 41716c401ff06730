import type { Booking } from '../records.ts';

/** How far an explanation looks past cancelled bookings, so that its cost stays bounded. */
const LOOK_AROUND = 64;

/**
 * Bookings sorted by start, asked for what covers an instant in O(log n). `latestEnd[i]` is the latest end among the
 * first i+1 bookings: it tells when to stop looking back although bookings may overlap.
 */
export class Timeline {
  readonly #items: Booking[] = [];
  readonly #latestEnd: number[] = [];

  get items(): readonly Booking[] {
    return this.#items;
  }

  insert(booking: Booking): void {
    const at = this.#firstStartingAfter(booking.startMs);
    if (at === this.#items.length) this.#items.push(booking);
    else this.#items.splice(at, 0, booking);
    this.#recompute(at);
  }

  remove(booking: Booking): void {
    for (let i = this.#firstStartingAfter(booking.startMs) - 1; i >= 0; i--) {
      const item = this.#items[i];
      if (item === undefined || item.startMs < booking.startMs) return;
      if (item.id !== booking.id) continue;
      this.#items.splice(i, 1);
      this.#latestEnd.length = this.#items.length;
      this.#recompute(i);
      return;
    }
  }

  /** The first for which `test` holds among bookings with `[start − beforeMs, end + afterMs)` around `atMs`, latest start first. */
  findCovering(
    atMs: number,
    beforeMs: number,
    afterMs: number,
    test: (booking: Booking) => boolean,
  ): Booking | undefined {
    for (let i = this.#firstStartingAfter(atMs + beforeMs) - 1; i >= 0; i--) {
      if ((this.#latestEnd[i] ?? 0) + afterMs <= atMs) return undefined;
      const item = this.#items[i] as Booking;
      if (item.endMs + afterMs > atMs && test(item)) return item;
    }
    return undefined;
  }

  /** The earliest booking that starts after `atMs`. */
  next(atMs: number): Booking | undefined {
    return this.#items[this.#firstStartingAfter(atMs)];
  }

  /** The booking with the latest start at or before `atMs`. */
  previous(atMs: number): Booking | undefined {
    return this.#items[this.#firstStartingAfter(atMs) - 1];
  }

  /** Of the LOOK_AROUND bookings that start after `atMs`, the earliest for which `test` holds. */
  nextWhere(atMs: number, test: (booking: Booking) => boolean): Booking | undefined {
    const from = this.#firstStartingAfter(atMs);
    for (let i = from; i < Math.min(this.#items.length, from + LOOK_AROUND); i++) {
      const item = this.#items[i] as Booking;
      if (test(item)) return item;
    }
    return undefined;
  }

  /** Of the LOOK_AROUND bookings that start at or before `atMs`, the latest for which `test` holds. */
  previousWhere(atMs: number, test: (booking: Booking) => boolean): Booking | undefined {
    const from = this.#firstStartingAfter(atMs) - 1;
    for (let i = from; i >= Math.max(0, from - LOOK_AROUND + 1); i--) {
      const item = this.#items[i] as Booking;
      if (test(item)) return item;
    }
    return undefined;
  }

  /** Any booking that shares an instant with `[startMs, endMs)`. */
  overlapping(startMs: number, endMs: number): Booking | undefined {
    for (let i = this.#firstStartingAfter(endMs - 1) - 1; i >= 0; i--) {
      if ((this.#latestEnd[i] ?? 0) <= startMs) return undefined;
      const item = this.#items[i] as Booking;
      if (item.endMs > startMs) return item;
    }
    return undefined;
  }

  #firstStartingAfter(atMs: number): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#items[middle] as Booking).startMs <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #recompute(from: number): void {
    let latest = from > 0 ? (this.#latestEnd[from - 1] as number) : Number.NEGATIVE_INFINITY;
    for (let i = from; i < this.#items.length; i++) {
      latest = Math.max(latest, (this.#items[i] as Booking).endMs);
      this.#latestEnd[i] = latest;
    }
  }
}
