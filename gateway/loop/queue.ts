import type { Fact } from '../core/facts.ts';

/** A fact and who waits for it. */
export interface Queued {
  readonly fact: Fact;
  readonly done?: (() => void) | undefined;
  readonly failed?: ((why: Error) => void) | undefined;
}

/** Facts that may wait, in each of the two lanes, unless `limits.queueFacts` of the configuration says otherwise. */
export const MAX_WAITING = 20_000;

/**
 * Two lanes, both bounded. Badges, doors and commands go first and in order. Sensor values wait behind them, and of
 * several values of one point only the newest counts, so that a chatty sensor can neither delay a badge nor fill
 * the memory. Locks and contacts are urgent: between closed and closed there may have been an open. A device's coming
 * and going takes along what it told before: a presence decided after its sensor was lost would last for ever.
 */
export class FactQueue {
  /** Facts that must never be dropped in favour of sensor values. */
  #urgent: Queued[] = [];
  #head = 0;
  /** By point: the newest value that waits to be looked at. */
  readonly #readings = new Map<string, Queued>();
  readonly #most: number;

  constructor(most = MAX_WAITING) {
    this.#most = most;
  }

  get size(): number {
    return this.#urgent.length - this.#head + this.#readings.size;
  }

  /** false: full, the fact is not in. */
  put(item: Queued): boolean {
    const { fact } = item;
    if (fact.kind === 'reading' && !/\/(lock|door)(-\d+)?$/.test(fact.point)) {
      if (!this.#readings.has(fact.point) && this.#readings.size >= this.#most) return false;
      // Deleted first, so that a newer value queues behind what came before it.
      const waiting = this.#readings.get(fact.point);
      if (waiting !== undefined) this.#readings.delete(fact.point);
      this.#readings.set(fact.point, item);
      waiting?.done?.();
      return true;
    }
    const told = fact.kind === 'device' ? this.#toldBy(fact.device) : [];
    if (this.#urgent.length - this.#head + told.length >= this.#most) return false;
    for (const [point, reading] of told) {
      this.#readings.delete(point);
      this.#urgent.push(reading);
    }
    this.#urgent.push(item);
    return true;
  }

  #toldBy(device: string): (readonly [string, Queued])[] {
    const found: (readonly [string, Queued])[] = [];
    for (const entry of this.#readings) if (entry[0].startsWith(`${device}/`)) found.push(entry);
    return found;
  }

  take(most: number): Queued[] {
    const taken = this.#urgent.slice(this.#head, this.#head + most);
    this.#head += taken.length;
    if (this.#head === this.#urgent.length) {
      this.#urgent = [];
      this.#head = 0;
    } else if (this.#head > this.#most) {
      this.#urgent = this.#urgent.slice(this.#head);
      this.#head = 0;
    }
    for (const [point, item] of this.#readings) {
      if (taken.length >= most) break;
      this.#readings.delete(point);
      taken.push(item);
    }
    return taken;
  }
}
