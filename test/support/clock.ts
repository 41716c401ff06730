import type { Now } from '../../gateway/core/facts.ts';
import type { Clock } from '../../gateway/loop/types.ts';

/** A clock that stands still until it is moved; callbacks run in the order of their time. */
export class ManualClock implements Clock {
  #wallMs: number;
  #monoMs = 0;
  #timers: { readonly atMonoMs: number; readonly callback: () => void }[] = [];

  constructor(wallMs: number) {
    this.#wallMs = wallMs;
  }

  now(): Now {
    return { wallMs: this.#wallMs, monoMs: this.#monoMs };
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMonoMs: this.#monoMs + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get waiting(): number {
    return this.#timers.length;
  }

  /** Time passes, and what is due happens at its time. */
  advance(ms: number): void {
    const untilMonoMs = this.#monoMs + ms;
    for (;;) {
      const due = this.#timers
        .filter((timer) => timer.atMonoMs <= untilMonoMs)
        .sort((a, b) => a.atMonoMs - b.atMonoMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#move(due.atMonoMs - this.#monoMs);
      due.callback();
    }
    this.#move(untilMonoMs - this.#monoMs);
  }

  /** The wall clock is set to another time; monotonic time does not notice. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  #move(ms: number): void {
    this.#wallMs += ms;
    this.#monoMs += ms;
  }
}
