/** Remembers the last `limit` texts; the oldest is forgotten for a new one. */
export class RecentSet {
  readonly #limit: number;
  readonly #texts = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(text: string): boolean {
    return this.#texts.has(text);
  }

  /** False when it was there already. */
  add(text: string): boolean {
    if (this.#texts.has(text)) return false;
    this.#texts.add(text);
    if (this.#texts.size > this.#limit) {
      const [oldest] = this.#texts;
      if (oldest !== undefined) this.#texts.delete(oldest);
    }
    return true;
  }
}

/** Ids of one device's last events are kept at least this many and, below the limit, this long. */
export const EVENT_IDS_KEPT = 128;
/** Twice as long as an event may be old or ahead and still open a door, and some. */
export const EVENT_IDS_KEPT_MS = 30_000;
/** Of a device that floods as fast as it is read (`limits.deviceMessagesPerS`) the ids of that time fit in. */
export const EVENT_IDS_MOST = 20_000;

/** Tells a repeated event: also one that comes again behind hundreds of others. */
export class RecentEvents {
  /** By id: when it came, ms of the monotonic clock. Oldest first. */
  readonly #seen = new Map<string, number>();

  /** False when it was there already. */
  add(id: string, monoMs: number): boolean {
    if (this.#seen.has(id)) return false;
    this.#seen.set(id, monoMs);
    for (const [oldest, atMs] of this.#seen) {
      const young = monoMs - atMs < EVENT_IDS_KEPT_MS && this.#seen.size <= EVENT_IDS_MOST;
      if (young || this.#seen.size <= EVENT_IDS_KEPT) break;
      this.#seen.delete(oldest);
    }
    return true;
  }
}
