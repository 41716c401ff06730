import { type FromHub, HERE_EVERY_MS, type ToHub } from './hub.ts';
import { browserDeps, keepStream, STREAM_URL, type StreamMessage } from './stream.ts';

/** A SharedWorker that has not said hello by then does not run here; the page opens a stream of its own. */
export const HELLO_WITHIN_MS = 3_000;

export interface Connection {
  close(): void;
}

/**
 * One stream for all tabs where the browser has SharedWorker (Chrome on Android has not), else one of this page's own.
 * `first`: `fresh` after a sign-in, since another tab may have kept the stream of whoever was signed in before.
 */
export function connect(tell: (message: StreamMessage) => void, first: 'here' | 'fresh'): Connection {
  const worker = typeof SharedWorker === 'undefined' ? undefined : openWorker();
  return worker ? throughWorker(worker, tell, first) : direct(tell);
}

function openWorker(): SharedWorker | undefined {
  try {
    return new SharedWorker(new URL('./stream.worker.ts', import.meta.url), { type: 'module', name: 'doorward' });
  } catch {
    return undefined;
  }
}

function direct(tell: (message: StreamMessage) => void): Connection {
  return keepStream(browserDeps, STREAM_URL, tell);
}

function throughWorker(
  worker: SharedWorker,
  tell: (message: StreamMessage) => void,
  first: 'here' | 'fresh',
): Connection {
  let fallback: Connection | undefined;
  const say = (word: ToHub) => worker.port.postMessage(word);
  const fallBack = () => {
    if (fallback) return;
    worker.port.onmessage = null;
    fallback = direct(tell);
  };
  const noHello = setTimeout(fallBack, HELLO_WITHIN_MS);
  worker.onerror = fallBack;
  worker.port.onmessage = (event: MessageEvent<FromHub>) => {
    clearTimeout(noHello);
    if (event.data.type !== 'hello') tell(event.data);
  };
  say(first);
  const here = setInterval(() => say('here'), HERE_EVERY_MS);
  const bye = () => say('bye');
  // A page from the back-forward cache was counted out by `bye`; joining again brings the state of now.
  const back = (event: PageTransitionEvent) => event.persisted && say('here');
  addEventListener('pagehide', bye);
  addEventListener('pageshow', back);
  return {
    close() {
      clearTimeout(noHello);
      clearInterval(here);
      removeEventListener('pagehide', bye);
      removeEventListener('pageshow', back);
      fallback?.close();
      say('bye');
      worker.port.close();
    },
  };
}
