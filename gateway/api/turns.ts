import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Long reading in steps, one a turn of the event loop, whoever asks: a badge waits for one step, not for one of each
 * export that is under way.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  async *through<T>(steps: Iterable<T>): AsyncGenerator<T, void> {
    await this.#next();
    for (const step of steps) {
      yield step;
      await this.#next();
    }
  }

  #next(): Promise<void> {
    this.#last = this.#last.then(() => nextTurn());
    return this.#last;
  }
}
