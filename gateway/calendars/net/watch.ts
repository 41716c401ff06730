/** The time limits of one exchange: no progress for too long, or too long altogether (a slow drip makes progress). */

export type Ended = 'stalled' | 'overdue' | 'stopped';

export interface WatchOptions {
  /** Longest time without progress. */
  readonly stallMs: number;
  /** Longest time altogether. */
  readonly totalMs: number;
  /** Ends it from outside. */
  readonly signal: AbortSignal | undefined;
}

export class Watch {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #stall: NodeJS.Timeout;
  readonly #total: NodeJS.Timeout;
  readonly #stop = (): void => this.#end('stopped');
  /** Why it was ended; undefined while it was not. */
  ended: Ended | undefined;

  constructor(options: WatchOptions) {
    this.#stall = setTimeout(() => this.#end('stalled'), options.stallMs);
    this.#total = setTimeout(() => this.#end('overdue'), options.totalMs);
    this.#outer = options.signal;
    if (this.#outer?.aborted === true) this.#end('stopped');
    this.#outer?.addEventListener('abort', this.#stop, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something arrived. */
  progress(): void {
    if (this.ended === undefined) this.#stall.refresh();
  }

  /** The exchange is over, well or not. */
  close(): void {
    clearTimeout(this.#stall);
    clearTimeout(this.#total);
    this.#outer?.removeEventListener('abort', this.#stop);
  }

  #end(how: Ended): void {
    if (this.ended !== undefined) return;
    this.ended = how;
    this.close();
    this.#controller.abort();
  }
}
