import type { Change, Ping, Snapshot } from '../../gateway/wire/stream.ts';

/** What the stream tells its listeners; plain data, because it also crosses from the SharedWorker to the pages. */
export type StreamMessage =
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly type: 'change'; readonly change: Change }
  | { readonly type: 'ping'; readonly ping: Ping }
  /** The server ended or refused the stream: the page asks whether its session still holds. */
  | { readonly type: 'closed' };

/** The part of EventSource that is used, so that tests bring their own. */
export interface EventSourceLike {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
  close(): void;
}

export interface StreamDeps {
  open(url: string): EventSourceLike;
  setTimer(run: () => void, afterMs: number): unknown;
  clearTimer(timer: unknown): void;
  /** 0 to 1, for jitter: tabs and panels must not all come back in the same moment. */
  random(): number;
}

export const browserDeps: StreamDeps = {
  open: (url) => new EventSource(url),
  setTimer: (run, afterMs) => setTimeout(run, afterMs),
  clearTimer: (timer) => clearTimeout(timer as number),
  random: Math.random,
};

export const STREAM_URL = '/api/v1/stream';
/** First wait before a stream that was closed for good (a 503, a 401) is opened anew; doubles up to the greatest. */
export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_MOST_MS = 15_000;
/** The server pings every 5 s; a stream silent for three of them is dead although its socket may not know. */
export const SILENT_MS = 15_000;
/** EventSource.CLOSED, which a SharedWorker of some browsers does not expose as a constant. */
const CLOSED = 2;

/**
 * Keeps one event stream alive until `close()`. The browser reconnects by itself after a lost connection, but gives up
 * for good after any answer other than 200: then, and when the stream falls silent, it is opened anew with back-off.
 */
export function keepStream(deps: StreamDeps, url: string, tell: (message: StreamMessage) => void): { close(): void } {
  let source: EventSourceLike | undefined;
  let retry: unknown;
  let watchdog: unknown;
  let failures = 0;
  let ended = false;

  const again = () => {
    source?.close();
    deps.clearTimer(watchdog);
    const most = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** failures);
    failures += 1;
    deps.clearTimer(retry);
    retry = deps.setTimer(open, most * (0.5 + deps.random() / 2));
  };
  const heard = () => {
    deps.clearTimer(watchdog);
    watchdog = deps.setTimer(again, SILENT_MS);
  };
  const open = () => {
    if (ended) return;
    const mine = deps.open(url);
    source = mine;
    heard();
    const on = (type: string, read: (data: unknown) => StreamMessage) =>
      mine.addEventListener(type, (event) => {
        if (mine !== source || ended) return;
        failures = 0;
        heard();
        tell(read(JSON.parse(String(event.data))));
      });
    on('snapshot', (data) => ({ type: 'snapshot', snapshot: data as Snapshot }));
    on('change', (data) => ({ type: 'change', change: data as Change }));
    on('ping', (data) => ({ type: 'ping', ping: data as Ping }));
    mine.addEventListener('error', () => {
      if (mine !== source || ended || mine.readyState !== CLOSED) return;
      tell({ type: 'closed' });
      again();
    });
  };
  open();
  return {
    close() {
      ended = true;
      deps.clearTimer(retry);
      deps.clearTimer(watchdog);
      source?.close();
    },
  };
}
