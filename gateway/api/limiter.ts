/** Slows down password guessing: failed sign-ins are counted per address and per user name, in a sliding window. */
import type { Clock } from '../loop/types.ts';

export const SIGN_IN_WINDOW_MS = 60_000;
/** Failures within the window before an address has to wait; an office behind one address has several people. */
export const SIGN_IN_FAILURES_PER_ADDRESS = 20;
export const SIGN_IN_FAILURES_PER_USER = 5;
/** Keys kept; the oldest go first, so that made-up names cannot fill the memory. */
export const SIGN_IN_KEYS_MAX = 5_000;

export class FailureLimiter {
  readonly #failures = new Map<string, number[]>();
  readonly #clock: Clock;
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Seconds to wait before this key may try again; 0 when it may now. */
  waitS(key: string, max: number): number {
    const recent = this.#recent(key);
    const first = recent[recent.length - max];
    if (first === undefined) return 0;
    return Math.max(1, Math.ceil((first + SIGN_IN_WINDOW_MS - this.#clock.now().monoMs) / 1000));
  }

  /** Counts a failure; the attempt is counted before the password is checked, so that parallel guesses count too. */
  add(key: string): void {
    const recent = this.#recent(key);
    recent.push(this.#clock.now().monoMs);
    this.#failures.delete(key);
    this.#failures.set(key, recent);
    if (this.#failures.size > SIGN_IN_KEYS_MAX) {
      const oldest = this.#failures.keys().next();
      if (!oldest.done) this.#failures.delete(oldest.value);
    }
  }

  /** Takes one failure back: the attempt was a success. */
  forgive(key: string): void {
    this.#failures.get(key)?.pop();
  }

  /** A success clears what the key's owner mistyped before. */
  clear(key: string): void {
    this.#failures.delete(key);
  }

  #recent(key: string): number[] {
    const since = this.#clock.now().monoMs - SIGN_IN_WINDOW_MS;
    return (this.#failures.get(key) ?? []).filter((atMs) => atMs > since);
  }
}

/** So many in a window, by key; the oldest keys are forgotten first. */
export class RateLimiter {
  readonly #taken = new Map<string, { sinceMonoMs: number; count: number }>();
  readonly #clock: Clock;
  readonly #most: number;
  readonly #windowMs: number;
  constructor(clock: Clock, most: number, windowMs: number) {
    this.#clock = clock;
    this.#most = most;
    this.#windowMs = windowMs;
  }

  /** Seconds to wait; 0 where it was counted and may go on. */
  waitS(key: string): number {
    const { monoMs } = this.#clock.now();
    const known = this.#taken.get(key);
    if (known === undefined || monoMs - known.sinceMonoMs >= this.#windowMs) {
      this.#taken.delete(key);
      this.#taken.set(key, { sinceMonoMs: monoMs, count: 1 });
      if (this.#taken.size > SIGN_IN_KEYS_MAX) {
        const oldest = this.#taken.keys().next();
        if (!oldest.done) this.#taken.delete(oldest.value);
      }
      return 0;
    }
    if (known.count >= this.#most) {
      return Math.max(1, Math.ceil((known.sinceMonoMs + this.#windowMs - monoMs) / 1000));
    }
    known.count += 1;
    return 0;
  }
}
