/** What the simulator's tests share: a real broker in the process, a clock by hand, a site. */
import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { expect, vi } from 'vitest';
import type { SimClock } from '../../devices/simulator/clock.ts';
import type { Site } from '../../gateway/core/site.ts';

export interface Heard {
  readonly topic: string;
  readonly retain: boolean;
  readonly body: Record<string, unknown>;
}

export interface TestBroker {
  readonly url: string;
  readonly heard: Heard[];
  /** Everything heard on topics that end so. */
  on(topicEnd: string): Heard[];
  /** Waits until a message fits, and returns it. */
  hears(topicEnd: string, fits?: (body: Record<string, unknown>) => boolean): Promise<Heard>;
  listen(listener: (heard: Heard) => void): void;
  publish(topic: string, body: unknown, retain?: boolean): Promise<void>;
  close(): Promise<void>;
}

export async function startBroker(): Promise<TestBroker> {
  const aedes = await Aedes.createBroker();
  const heard: Heard[] = [];
  const listeners: ((heard: Heard) => void)[] = [];
  const sockets = new Set<Socket>();
  aedes.on('publish', (packet, client) => {
    if (!packet.topic.startsWith('doorward/') || packet.topic.includes('/command/')) return;
    if (!client && !packet.topic.endsWith('/status')) return;
    let body: Record<string, unknown> = {};
    try {
      body = JSON.parse(packet.payload.toString()) as Record<string, unknown>;
    } catch {
      body = { unreadable: packet.payload.toString() };
    }
    const one = { topic: packet.topic, retain: packet.retain, body };
    heard.push(one);
    for (const listener of listeners) listener(one);
  });
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
    aedes.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const on = (topicEnd: string): Heard[] => heard.filter((one) => one.topic.endsWith(topicEnd));
  return {
    url: `mqtt://127.0.0.1:${address.port}`,
    heard,
    on,
    async hears(topicEnd, fits = () => true) {
      return vi.waitFor(
        () => {
          const found = on(topicEnd).find((one) => fits(one.body));
          expect(found, `a message on …${topicEnd}`).toBeDefined();
          return found as Heard;
        },
        { timeout: 10_000, interval: 5 },
      );
    },
    listen: (listener) => listeners.push(listener),
    publish: (topic, body, retain = false) =>
      new Promise((resolve, reject) => {
        const payload = typeof body === 'string' ? body : JSON.stringify(body);
        const packet = { cmd: 'publish' as const, topic, payload, qos: 1 as const, retain, dup: false };
        aedes.publish(packet, (error) => (error ? reject(error) : resolve()));
      }),
    async close() {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Waits for a condition, patiently enough for a busy machine. */
export function eventually(condition: () => void): Promise<void> {
  return vi.waitFor(condition, { timeout: 10_000, interval: 5 });
}

/** A clock that moves only when told to. */
export class HandClock implements SimClock {
  #nowMs: number;
  #timers: { readonly dueMs: number; readonly callback: () => void }[] = [];

  constructor(nowMs = Date.parse('2026-03-02T09:00:00.000Z')) {
    this.#nowMs = nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, ms), callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Timers that wait. */
  get armed(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = next.dueMs;
      next.callback();
    }
    this.#nowMs = untilMs;
  }

  /** A leap of the wall clock: no timer is due earlier for it. */
  leap(ms: number): void {
    this.#nowMs += ms;
    this.#timers = this.#timers.map((timer) => ({ ...timer, dueMs: timer.dueMs + ms }));
  }
}

const MINUTE_MS = 60_000;

/** An entrance, two consulting rooms, a therapy room and a store, one device for each lock, reader and room. */
export function smallSite(timeZone = 'Europe/Berlin'): Site {
  const kinds = { 'consult-1': 'consult', 'consult-2': 'consult', 'therapy-1': 'therapy', store: 'store' } as const;
  const ids = Object.keys(kinds) as (keyof typeof kinds)[];
  return {
    id: 'small',
    name: 'Small clinic',
    timeZone,
    bookings: {
      earlyMs: 10 * MINUTE_MS,
      lateMs: 5 * MINUTE_MS,
      entranceEarlyMs: 30 * MINUTE_MS,
      maxScheduleAgeMs: 36 * 60 * MINUTE_MS,
    },
    rooms: ids.map((id, index) => ({
      id,
      name: id,
      kind: kinds[id],
      floor: 'ground',
      plan: { x: index * 4, y: 0, width: 4, depth: 3 },
      points: {
        presence: [`unit-${id}/presence`],
        temperature: `unit-${id}/temperature`,
        co2: `unit-${id}/co2`,
        heating: `unit-${id}/relay`,
        cooling: `unit-${id}/relay-2`,
        lights: [`unit-${id}/dimmer`],
      },
      occupancy: { holdMs: 7 * MINUTE_MS },
    })),
    doors: [
      ...ids.map((id) => ({
        id: `door-${id}`,
        name: id,
        room: id,
        common: false,
        lock: `lock-${id}/lock`,
        contact: `lock-${id}/door`,
        reader: `reader-${id}/reader`,
        exit: `lock-${id}/exit`,
        strikeMs: 5000,
        heldOpenAfterMs: 120_000,
      })),
      {
        id: 'entrance',
        name: 'Entrance',
        common: true,
        lock: 'lock-entrance/lock',
        contact: 'lock-entrance/door',
        reader: 'reader-entrance/reader',
        exit: 'lock-entrance/exit',
        strikeMs: 5000,
        heldOpenAfterMs: 60_000,
      },
    ],
    devices: [...ids.flatMap((id) => [`lock-${id}`, `reader-${id}`, `unit-${id}`]), 'lock-entrance', 'reader-entrance'],
  };
}
