import type { Snapshot } from '../../gateway/wire/stream.ts';
import { reduce } from './reducer.ts';
import { keepStream, type StreamDeps, type StreamMessage } from './stream.ts';

/**
 * From page to SharedWorker. `here` joins, and again and again says that the page still lives; `fresh` joins after a
 * sign-in, so nothing of before may be shown.
 */
export type ToHub = 'here' | 'bye' | 'fresh';
/** From SharedWorker to page; `hello` proves at once that the worker runs, before the page joins. */
export type FromHub = StreamMessage | { readonly type: 'hello' };

/** A page that has not said `here` for this long is gone; background tabs may speak only once a minute. */
export const PAGE_GONE_MS = 150_000;
export const HERE_EVERY_MS = 20_000;

export interface PortLike {
  postMessage(message: FromHub): void;
}

/**
 * One stream for all tabs: over HTTP/1.1 a browser opens six connections to a host, and a stream per tab would hang
 * the seventh tab. A page that joins later gets the state as it stands.
 */
export class Hub {
  readonly #deps: StreamDeps;
  readonly #url: string;
  readonly #pages = new Map<PortLike, number>();
  #stream: { close(): void } | undefined;
  #state: Snapshot | undefined;

  constructor(deps: StreamDeps, url: string) {
    this.#deps = deps;
    this.#url = url;
  }

  hear(page: PortLike, said: ToHub, nowMs: number): void {
    const joins = said === 'here' && !this.#pages.has(page);
    if (said === 'bye') this.#pages.delete(page);
    else this.#pages.set(page, nowMs);
    if (said === 'fresh') this.#restart();
    if (joins) this.#join(page);
    this.sweep(nowMs);
  }

  /** Also a page that was taken for gone, because it slept: it missed changes, and the stream may have ended with it. */
  #join(page: PortLike): void {
    if (this.#state) page.postMessage({ type: 'snapshot', snapshot: this.#state });
    this.#stream ??= keepStream(this.#deps, this.#url, (message) => this.#tell(message));
  }

  /** Forgets pages that went away without a word, and the stream with the last of them. */
  sweep(nowMs: number): void {
    for (const [page, seenMs] of this.#pages) if (nowMs - seenMs > PAGE_GONE_MS) this.#pages.delete(page);
    if (this.#pages.size > 0) return;
    this.#stream?.close();
    this.#stream = undefined;
    this.#state = undefined;
  }

  #restart(): void {
    this.#stream?.close();
    this.#state = undefined;
    this.#stream = keepStream(this.#deps, this.#url, (message) => this.#tell(message));
  }

  #tell(message: StreamMessage): void {
    if (message.type === 'snapshot') this.#state = message.snapshot;
    if (message.type === 'change' && this.#state) this.#state = reduce(this.#state, message.change);
    for (const page of this.#pages.keys()) page.postMessage(message);
  }
}
