/**
 * Turns the edges of a bouncing contact into changes. A change counts once the contact has rested for `debounceMs`;
 * a contact that never rests is sampled every `MAX_SETTLE_MS`, so that noise cannot hide an input of 400 ms for good.
 */

/** Longest wait from the first edge to a sample: under the 400 ms in which an input must be seen (IEC 60839-11-1). */
export const MAX_SETTLE_MS = 250;

export class Debouncer {
  readonly #debounceMs: number;
  readonly #sample: () => boolean | undefined;
  readonly #changed: (active: boolean) => void;
  #settled: boolean;
  #rest: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;

  /** `sample` reads the contact now (undefined: it cannot be read); `initial` is what it was when watching began. */
  constructor(
    debounceMs: number,
    initial: boolean,
    sample: () => boolean | undefined,
    changed: (active: boolean) => void,
  ) {
    this.#debounceMs = debounceMs;
    this.#settled = initial;
    this.#sample = sample;
    this.#changed = changed;
  }

  edge(): void {
    if (this.#rest === undefined) {
      this.#rest = setTimeout(() => this.#settle(), this.#debounceMs);
      this.#deadline = setTimeout(() => this.#settle(), MAX_SETTLE_MS);
    } else {
      this.#rest.refresh();
    }
  }

  stop(): void {
    clearTimeout(this.#rest);
    clearTimeout(this.#deadline);
    this.#rest = undefined;
    this.#deadline = undefined;
  }

  #settle(): void {
    this.stop();
    const active = this.#sample();
    if (active === undefined || active === this.#settled) return;
    this.#settled = active;
    this.#changed(active);
  }
}
