/** The SharedWorker: holds the one event stream of all tabs of this browser. */
import { type FromHub, HERE_EVERY_MS, Hub, type PortLike, type ToHub } from './hub.ts';
import { browserDeps, STREAM_URL } from './stream.ts';

interface WorkerScope {
  onconnect: ((event: MessageEvent) => void) | null;
}

const hub = new Hub(browserDeps, STREAM_URL);
setInterval(() => hub.sweep(Date.now()), HERE_EVERY_MS);

(globalThis as unknown as WorkerScope).onconnect = (event) => {
  const port = event.ports[0];
  if (!port) return;
  const page: PortLike = { postMessage: (message: FromHub) => port.postMessage(message) };
  port.onmessage = (said: MessageEvent<ToHub>) => hub.hear(page, said.data, Date.now());
  page.postMessage({ type: 'hello' });
};
