import type { Logger } from 'pino';

/** Stops in the reverse order of the starts; one part's fault does not keep the others from stopping. */
export class Undo {
  readonly #steps: { readonly what: string; readonly stop: () => void | Promise<void> }[] = [];
  readonly #log: Logger;
  constructor(log: Logger) {
    this.#log = log;
  }
  add(what: string, stop: () => void | Promise<void>): void {
    this.#steps.push({ what, stop });
  }
  async run(): Promise<void> {
    for (const { what, stop } of this.#steps.splice(0).reverse()) {
      try {
        await stop();
      } catch (error) {
        this.#log.error({ err: error, part: what }, 'a part did not stop well');
      }
    }
  }
}
