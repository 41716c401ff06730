import { beforeEach, describe, expect, test } from 'vitest';
import { type FromHub, Hub, PAGE_GONE_MS, type PortLike } from '../../dashboard/live/hub.ts';
import { isStale, STALE_AFTER_MS } from '../../dashboard/live/store.svelte.ts';
import {
  BACKOFF_FIRST_MS,
  BACKOFF_MOST_MS,
  type EventSourceLike,
  keepStream,
  SILENT_MS,
  type StreamDeps,
  type StreamMessage,
} from '../../dashboard/live/stream.ts';
import { snapshotOf } from '../support/fixtures-data.ts';

const NOW = Date.parse('2026-11-23T09:20:00Z');

/** An EventSource whose server is the test. */
class Source implements EventSourceLike {
  readyState = 1;
  readonly #listeners = new Map<string, ((event: { data?: unknown }) => void)[]>();
  addEventListener(type: string, listener: (event: { data?: unknown }) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }
  close(): void {
    this.readyState = 2;
  }
  send(type: string, data: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data: JSON.stringify(data) });
  }
  /** The browser gives up for good, as after a 503. */
  refuse(): void {
    this.readyState = 2;
    for (const listener of this.#listeners.get('error') ?? []) listener({});
  }
  /** The connection is lost; the browser reconnects by itself. */
  lose(): void {
    this.readyState = 0;
    for (const listener of this.#listeners.get('error') ?? []) listener({});
  }
}

class Bench {
  readonly sources: Source[] = [];
  nowMs = 0;
  #timers: { run: () => void; atMs: number }[] = [];
  readonly deps: StreamDeps = {
    open: () => {
      const source = new Source();
      this.sources.push(source);
      return source;
    },
    setTimer: (run, afterMs) => {
      const timer = { run, atMs: this.nowMs + afterMs };
      this.#timers.push(timer);
      return timer;
    },
    clearTimer: (timer) => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    },
    random: () => 1,
  };
  get last(): Source {
    const source = this.sources.at(-1);
    if (!source) throw new Error('no stream was opened');
    return source;
  }
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!due) break;
      this.nowMs = due.atMs;
      this.deps.clearTimer(due);
      due.run();
    }
    this.nowMs = untilMs;
  }
}

let bench: Bench;
let told: StreamMessage[];
beforeEach(() => {
  bench = new Bench();
  told = [];
});

describe('the stream', () => {
  test('hands on snapshots, changes and pings', () => {
    keepStream(bench.deps, '/s', (message) => told.push(message));
    bench.last.send('snapshot', { at: 'a' });
    bench.last.send('change', { at: 'b' });
    bench.last.send('ping', { at: 'c' });
    expect(told.map((message) => message.type)).toEqual(['snapshot', 'change', 'ping']);
  });
  test('is opened anew with growing waits while it is refused, and soon again once it has worked', () => {
    keepStream(bench.deps, '/s', (message) => told.push(message));
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      bench.last.refuse();
      const before = bench.sources.length;
      const from = bench.nowMs;
      while (bench.sources.length === before) bench.pass(1);
      waits.push(bench.nowMs - from);
    }
    expect(waits.slice(0, 3)).toEqual([BACKOFF_FIRST_MS, 2 * BACKOFF_FIRST_MS, 4 * BACKOFF_FIRST_MS]);
    expect(waits.at(-1)).toBe(BACKOFF_MOST_MS);
    expect(told.filter((message) => message.type === 'closed')).toHaveLength(8);
    bench.last.send('ping', {});
    bench.last.refuse();
    bench.pass(BACKOFF_FIRST_MS);
    expect(bench.sources).toHaveLength(10);
  });
  test('is left alone while the browser reconnects by itself', () => {
    keepStream(bench.deps, '/s', (message) => told.push(message));
    bench.last.lose();
    bench.pass(SILENT_MS - 1);
    expect(bench.sources).toHaveLength(1);
    expect(told).toEqual([]);
  });
  test('is opened anew when it says nothing although it is open', () => {
    keepStream(bench.deps, '/s', () => undefined);
    bench.pass(SILENT_MS + BACKOFF_FIRST_MS);
    expect(bench.sources).toHaveLength(2);
    expect(bench.sources[0]?.readyState).toBe(2);
  });
  test('says and opens nothing more once closed', () => {
    const stream = keepStream(bench.deps, '/s', (message) => told.push(message));
    stream.close();
    bench.last.send('ping', {});
    bench.last.refuse();
    bench.pass(10 * SILENT_MS);
    expect(told).toEqual([]);
    expect(bench.sources).toHaveLength(1);
  });
});

describe('the hub of all tabs', () => {
  const page = () => {
    const heard: FromHub[] = [];
    const port: PortLike = { postMessage: (message) => heard.push(message) };
    return { port, heard, types: () => heard.map((message) => message.type) };
  };

  test('opens one stream for two pages and gives the later one the state as it stands', () => {
    const hub = new Hub(bench.deps, '/s');
    const [first, second] = [page(), page()];
    hub.hear(first.port, 'here', 0);
    const snapshot = snapshotOf(NOW);
    bench.last.send('snapshot', snapshot);
    const [room] = snapshot.rooms;
    bench.last.send('change', { at: snapshot.at, rooms: [{ ...room, name: 'Renamed' }] });
    hub.hear(second.port, 'here', 0);
    expect(bench.sources).toHaveLength(1);
    expect(second.types()).toEqual(['snapshot']);
    const given = second.heard[0];
    expect(given?.type === 'snapshot' && given.snapshot.rooms[0]?.name).toBe('Renamed');
  });
  test('closes the stream when the last page says bye, and when it went without a word', () => {
    const hub = new Hub(bench.deps, '/s');
    const [first, second] = [page(), page()];
    hub.hear(first.port, 'here', 0);
    hub.hear(second.port, 'here', 0);
    hub.hear(first.port, 'bye', 0);
    expect(bench.last.readyState).toBe(1);
    hub.sweep(PAGE_GONE_MS + 1);
    expect(bench.last.readyState).toBe(2);
  });
  test('takes a page back that slept so long that it was taken for gone', () => {
    const hub = new Hub(bench.deps, '/s');
    const slept = page();
    hub.hear(slept.port, 'here', 0);
    bench.last.send('snapshot', snapshotOf(NOW));
    hub.sweep(PAGE_GONE_MS + 1);
    hub.hear(slept.port, 'here', PAGE_GONE_MS + 2);
    expect(bench.sources).toHaveLength(2);
    bench.last.send('snapshot', snapshotOf(NOW));
    expect(slept.types()).toEqual(['snapshot', 'snapshot']);
  });
  test('gives it what it missed while another page kept the stream', () => {
    const hub = new Hub(bench.deps, '/s');
    const [slept, awake] = [page(), page()];
    hub.hear(slept.port, 'here', 0);
    bench.last.send('snapshot', snapshotOf(NOW));
    hub.hear(awake.port, 'here', PAGE_GONE_MS);
    hub.sweep(PAGE_GONE_MS + 1);
    const [room] = snapshotOf(NOW).rooms;
    bench.last.send('change', { at: snapshotOf(NOW).at, rooms: [{ ...room, name: 'Renamed' }] });
    hub.hear(slept.port, 'here', PAGE_GONE_MS + 2);
    const last = slept.heard.at(-1);
    expect(last?.type === 'snapshot' && last.snapshot.rooms[0]?.name).toBe('Renamed');
    expect(bench.sources).toHaveLength(1);
  });
  test('opens no stream for a page that has not joined', () => {
    const hub = new Hub(bench.deps, '/s');
    hub.hear(page().port, 'bye', 0);
    expect(bench.sources).toHaveLength(0);
  });
  test('shows nothing of before to whoever signs in next', () => {
    const hub = new Hub(bench.deps, '/s');
    const [first, second] = [page(), page()];
    hub.hear(first.port, 'here', 0);
    bench.last.send('snapshot', snapshotOf(NOW));
    hub.hear(first.port, 'fresh', 0);
    hub.hear(second.port, 'here', 0);
    expect(second.types()).toEqual([]);
    expect(bench.sources).toHaveLength(2);
  });
});

test.each([
  [{ monoMs: STALE_AFTER_MS, wallMs: STALE_AFTER_MS }, false],
  [{ monoMs: STALE_AFTER_MS + 1, wallMs: 0 }, true],
  // A laptop that slept: the monotonic clock may have stood still.
  [{ monoMs: 5, wallMs: 3_600_000 }, true],
])('after %o since the last word the screen is stale: %s', (now, stale) => {
  expect(isStale({ monoMs: 0, wallMs: 0 }, now)).toBe(stale);
});
