/**
 * What time it is for a device, by its own word. While the gateway's wall clock is not to be trusted, this is all that
 * tells a badge read now from one that a reader kept while it was out of reach.
 */

/** An event is fresh within this. CONTRACT, “Native devices”. */
export const FRESH_WITHIN_MS = 10_000;

interface Reference {
  /** The device's time, Unix ms, at this moment of the gateway's monotonic clock. */
  readonly atMs: number;
  readonly monoMs: number;
  /** Since when it has agreed with what the device tells. */
  readonly sinceMonoMs: number;
  /** Told while connecting, so it was not kept anywhere. */
  readonly sure: boolean;
}

export class DeviceTime {
  #reference: Reference | undefined;

  /** A live status, which a device sends at each connect. */
  connected(atMs: number | undefined, monoMs: number): void {
    this.#reference = atMs === undefined ? undefined : { atMs, monoMs, sinceMonoMs: monoMs, sure: true };
  }

  /** Any other live message: it may have waited for the link, so it can only show that time is later than was thought. */
  heard(atMs: number, monoMs: number): void {
    const reference = this.#reference;
    const aheadMs = reference === undefined ? Number.POSITIVE_INFINITY : atMs - this.#expected(reference, monoMs);
    if (aheadMs <= 0) return;
    const sinceMonoMs = reference !== undefined && aheadMs <= FRESH_WITHIN_MS ? reference.sinceMonoMs : monoMs;
    this.#reference = { atMs, monoMs, sinceMonoMs, sure: reference?.sure ?? false };
  }

  /** The device or the link to it is away: what it says next may be old. */
  away(): void {
    this.#reference = undefined;
  }

  /** Whether an event was made just now. What cannot be told is not fresh. Call before `heard` of the same event. */
  isFresh(atMs: number, monoMs: number): boolean {
    const reference = this.#reference;
    if (reference === undefined) return false;
    const aheadMs = atMs - this.#expected(reference, monoMs);
    // Ahead of a time that is sure, the device's clock was set since; the event still came after the connect.
    if (reference.sure) return aheadMs >= -FRESH_WITHIN_MS;
    // Messages that were kept come in a burst: one that waited as long as the other is of now.
    return monoMs - reference.sinceMonoMs >= FRESH_WITHIN_MS && Math.abs(aheadMs) <= FRESH_WITHIN_MS;
  }

  #expected({ atMs, monoMs: thenMs }: Reference, monoMs: number): number {
    return atMs + (monoMs - thenMs);
  }
}
