/** A bounded number of requests at a time; the rest wait their turn, in order. */
export class Slots {
  readonly #size: number;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#size = size;
    this.#free = size;
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return this.#free === this.#size;
  }

  /** False when the signal ended the wait; then nothing was taken. */
  async take(signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted === true) return false;
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    return new Promise((resolve) => {
      const stop = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        resolve(false);
      };
      const turn = (): void => {
        signal?.removeEventListener('abort', stop);
        resolve(true);
      };
      this.#waiting.push(turn);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
