import type { Booking } from '../records.ts';

/** How many earlier bookings are looked at for the one that ended last. */
const LOOK_BACK = 64;
/** A search begins where the last one ended, and walks this far before it halves. */
const WALK = 4;

/**
 * Bookings sorted by start, then id: the order tells nothing of when they came in. Asked for what covers an instant in
 * O(log n). `latestEnd[i]` is the latest end among the first i+1 bookings: it tells when to stop looking back although
 * bookings may overlap.
 *
 * The starts are kept beside the bookings too: a search among many thousands waits for memory, and a row of numbers is
 * read from one place, while each booking lies in another.
 */
export class Timeline {
  #items: Booking[] = [];
  #starts: number[] = [];
  #latestEnd: number[] = [];
  /** Where the last search by start ended: nearly all are about now, and the next one ends there or next to it. */
  #near = 0;

  get items(): readonly Booking[] {
    return this.#items;
  }

  /** An append is O(1); further in, what follows is moved. */
  insert(booking: Booking): void {
    if (this.#items.length === 0) {
      // Of their exact size: an array that is pushed to takes room for 17, and most of a member's books hold one booking.
      this.#items = [booking];
      this.#starts = [booking.startMs];
      this.#latestEnd = [booking.endMs];
      return;
    }
    const at = this.#placeOf(booking);
    if (at === this.#items.length) {
      this.#items.push(booking);
      this.#starts.push(booking.startMs);
      this.#latestEnd.push(Math.max(this.#latestEnd[at - 1] ?? Number.NEGATIVE_INFINITY, booking.endMs));
      return;
    }
    this.#items.splice(at, 0, booking);
    this.#starts.splice(at, 0, booking.startMs);
    this.#latestEnd.splice(at, 0, Number.NaN);
    this.#recompute(at);
  }

  remove(booking: Booking): void {
    const at = this.#placeOf(booking);
    if (this.#items[at]?.id !== booking.id) return;
    this.#items.splice(at, 1);
    this.#starts.splice(at, 1);
    this.#latestEnd.splice(at, 1);
    this.#recompute(at);
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

  /** All with `[start, end)` around `atMs`, latest start first. */
  covering(atMs: number): readonly Booking[] {
    const found: Booking[] = [];
    this.findCovering(atMs, 0, 0, (booking) => {
      found.push(booking);
      return false;
    });
    return found;
  }

  /** All that share an instant with `[startMs, endMs)`, earliest start first. */
  within(startMs: number, endMs: number): readonly Booking[] {
    const near = this.#items.slice(this.#firstReaching(startMs), this.#firstStartingFrom(endMs));
    return near.filter((booking) => booking.endMs > startMs);
  }

  /** The earliest booking that starts after `atMs`. */
  next(atMs: number): Booking | undefined {
    return this.#items[this.#firstStartingAfter(atMs)];
  }

  /** The earliest booking that starts at `atMs` or after it. */
  nextFrom(atMs: number): Booking | undefined {
    return this.#items[this.#firstStartingFrom(atMs)];
  }

  /** The booking with the latest start at or before `atMs`. */
  previous(atMs: number): Booking | undefined {
    return this.#items[this.#firstStartingAfter(atMs) - 1];
  }

  /** The latest end among the bookings that start before `atMs`; minus infinity where none does. */
  latestEndBefore(atMs: number): number {
    return this.#latestEnd[this.#firstStartingFrom(atMs) - 1] ?? Number.NEGATIVE_INFINITY;
  }

  /** Of the LOOK_BACK bookings that start at or before `atMs`, the one that ended last by then. */
  lastEnded(atMs: number): Booking | undefined {
    const from = this.#firstStartingAfter(atMs) - 1;
    let last: Booking | undefined;
    for (let i = from; i >= Math.max(0, from - LOOK_BACK + 1); i--) {
      const item = this.#items[i] as Booking;
      if (item.endMs <= atMs && (last === undefined || item.endMs > last.endMs)) last = item;
    }
    return last;
  }

  /**
   * The groups of bookings that hang together by overlapping one another and share an instant with `[startMs, endMs)`,
   * earliest first. Bookings of different groups share none.
   */
  *groups(startMs: number, endMs: number): Iterable<readonly Booking[]> {
    let from = this.#firstReaching(startMs);
    while (from > 0 && from < this.#items.length && this.#reaches(from - 1, from)) from--;
    while (from < this.#items.length && (this.#starts[from] as number) < endMs) {
      let to = from + 1;
      while (to < this.#items.length && this.#reaches(to - 1, to)) to++;
      yield this.#items.slice(from, to);
      from = to;
    }
  }

  /** Whether one of the first `i`+1 bookings ends after the `j`th started. */
  #reaches(i: number, j: number): boolean {
    return (this.#latestEnd[i] as number) > (this.#starts[j] as number);
  }

  #placeOf(booking: Booking): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const startMs = this.#starts[middle] as number;
      const before =
        startMs < booking.startMs || (startMs === booking.startMs && (this.#items[middle] as Booking).id < booking.id);
      if (before) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first index whose start is at `atMs` or after it. */
  #firstStartingFrom(atMs: number): number {
    return this.#firstStarting(atMs, false);
  }

  #firstStartingAfter(atMs: number): number {
    return this.#firstStarting(atMs, true);
  }

  #firstStarting(atMs: number, after: boolean): number {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length;
    let at = Math.min(this.#near, high);
    for (let steps = 0; steps < WALK; steps++) {
      if (at < high && isEarlier(starts[at] as number, atMs, after)) {
        at += 1;
        low = at;
      } else if (at > low && !isEarlier(starts[at - 1] as number, atMs, after)) {
        at -= 1;
        high = at;
      } else {
        low = at;
        high = at;
        break;
      }
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isEarlier(starts[middle] as number, atMs, after)) low = middle + 1;
      else high = middle;
    }
    this.#near = low;
    return low;
  }

  /** The first index whose `latestEnd` is after `atMs`. */
  #firstReaching(atMs: number): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#latestEnd[middle] as number) <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** From `from` on, until what was known is right again. */
  #recompute(from: number): void {
    let latest = this.#latestEnd[from - 1] ?? Number.NEGATIVE_INFINITY;
    for (let i = from; i < this.#items.length; i++) {
      latest = Math.max(latest, (this.#items[i] as Booking).endMs);
      if (i > from && this.#latestEnd[i] === latest) return;
      this.#latestEnd[i] = latest;
    }
  }
}

function isEarlier(startMs: number, atMs: number, after: boolean): boolean {
  return after ? startMs <= atMs : startMs < atMs;
}
