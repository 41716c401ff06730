/**
 * The live stream: one snapshot, then changes, to every open dashboard. Written straight to the sockets and not through
 * @fastify/sse, which serialises each message once per client and waits for a slow one instead of dropping it.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Alarm } from '../../core/effects.ts';
import type { Booking } from '../../core/records.ts';
import type { DoorView, RoomView } from '../../core/views.ts';
import type { Clock } from '../../loop/types.ts';
import type { JournalEntry } from '../../store/types.ts';
import { iso, type RoomPlace } from '../convert.ts';
import type { ApiDeps, DeviceHealth } from '../deps.ts';
import { isOwn, type Scope, scopeKey } from '../visibility.ts';
import { renderChange, renderSnapshot } from './render.ts';
import { ChangeRing, type LiveChange } from './ring.ts';

export const PING_MS = 5_000;
/** Changes of this long travel together. */
export const FLUSH_MS = 50;
/** Open streams at once; a SharedWorker needs one per browser. */
export const CLIENTS_MAX = 100;
/** Unsent bytes at which a client is too slow and is cut off; it comes back for a snapshot. */
export const CLIENT_BUFFER_MAX_BYTES = 2 * 1024 * 1024;
/** After the last client left, changes are kept this long for its return. */
export const LINGER_MS = 60_000;
/** Journal entries that one change carries; of a flood the feed shows the newest. */
export const CHANGE_EVENTS_MAX = 100;
/** A snapshot serves everybody who asks within this long and before the next change. */
const SNAPSHOT_FRESH_MS = 1_000;
const MINUTE_MS = 60_000;

interface Client {
  readonly response: ServerResponse;
  readonly scope: Scope;
  /** Whether its session or token still holds. */
  readonly alive: () => boolean;
}

interface Pending {
  readonly rooms: Map<string, RoomView>;
  readonly doors: Map<string, DoorView>;
  readonly alarms: Map<string, Alarm>;
  readonly devices: Map<string, DeviceHealth>;
  readonly bookings: Map<string, Booking>;
  events: JournalEntry[];
}

function nothingPending(): Pending {
  return {
    rooms: new Map(),
    doors: new Map(),
    alarms: new Map(),
    devices: new Map(),
    bookings: new Map(),
    events: [],
  };
}

export class LiveHub {
  readonly #deps: ApiDeps;
  readonly #clock: Clock;
  readonly #places: ReadonlyMap<string, RoomPlace>;
  /** Event ids of another run of the gateway mean nothing here. */
  #epoch = randomBytes(4).toString('hex');
  #seq = 0;
  readonly #ring = new ChangeRing();
  readonly #clients = new Set<Client>();
  #pending = nothingPending();
  #cancelFlush: (() => void) | undefined;
  #cancelPing: (() => void) | undefined;
  #cancelLinger: (() => void) | undefined;
  #unsubscribe: (() => void) | undefined;
  #snapshots = new Map<string, { readonly seq: number; readonly madeMs: number; readonly bytes: Buffer }>();
  #deviceMarks = new Map<string, string>();
  #dayStartMs = 0;

  constructor(deps: ApiDeps, realClock: Clock, places: ReadonlyMap<string, RoomPlace>) {
    this.#deps = deps;
    this.#clock = realClock;
    this.#places = places;
  }

  get clients(): number {
    return this.#clients.size;
  }
  get full(): boolean {
    return this.#clients.size >= CLIENTS_MAX;
  }

  /** Takes over a response whose head is written. `lastEventId` as the client last saw it. */
  add(response: ServerResponse, scope: Scope, lastEventId: string | undefined, alive: () => boolean): void {
    this.#start();
    this.#flush();
    const client: Client = { response, scope, alive };
    this.#clients.add(client);
    this.#deps.streams?.(this.#clients.size);
    response.once('close', () => this.#drop(client));
    // A reset connection is no fault of ours; `close` follows.
    response.on('error', () => {});
    const missed = this.#missed(scope, lastEventId);
    if (!missed) this.#send(client, this.#snapshot(scope));
    else for (const change of missed) this.#sendChange(client, change, new Map());
    this.#send(client, this.#ping());
  }

  /** Bookings as they were and as they are now: whoever had or has them is told. */
  bookingsChanged(before: readonly Booking[], after: readonly Booking[]): void {
    if (!this.#unsubscribe) return;
    for (const booking of after) this.#pending.bookings.set(booking.id, booking);
    this.#flush();
    // Which rooms are a practitioner's own may have changed with it.
    for (const client of this.#clients)
      if (!client.scope.all && [...before, ...after].some((booking) => isOwn(booking, client.scope)))
        this.#send(client, this.#snapshot(client.scope));
  }

  close(): void {
    for (const client of [...this.#clients]) {
      this.#drop(client);
      client.response.end();
    }
    this.#stop();
  }

  #start(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    if (this.#unsubscribe) return;
    const { loop } = this.#deps;
    const stops = [
      loop.onChanges((changes) => {
        for (const room of changes.rooms) this.#pending.rooms.set(room.id, room);
        for (const door of changes.doors) this.#pending.doors.set(door.id, door);
        for (const alarm of changes.alarms) this.#pending.alarms.set(alarm.id, alarm);
        this.#flushSoon();
      }),
      loop.onJournal((entries) => {
        const { events } = this.#pending;
        for (const entry of entries) events.push(entry);
        if (events.length > 2 * CHANGE_EVENTS_MAX) this.#pending.events = events.slice(-CHANGE_EVENTS_MAX);
        this.#flushSoon();
      }),
    ];
    this.#unsubscribe = () => {
      for (const stop of stops) stop();
    };
    this.#markDevices();
    this.#dayStartMs = this.#dayStart();
    this.#pingLater();
  }

  /** Nobody looks: the loop need not work out what changed. Ids given out so far lose their meaning. */
  #stop(): void {
    this.#cancelFlush?.();
    this.#cancelPing?.();
    this.#cancelLinger?.();
    this.#unsubscribe?.();
    this.#cancelFlush = this.#cancelPing = this.#cancelLinger = this.#unsubscribe = undefined;
    this.#pending = nothingPending();
    this.#ring.clear();
    this.#snapshots.clear();
    this.#deviceMarks.clear();
    this.#epoch = randomBytes(4).toString('hex');
  }

  #drop(client: Client): void {
    if (!this.#clients.delete(client)) return;
    this.#deps.streams?.(this.#clients.size);
    if (this.#clients.size > 0 || this.#cancelLinger) return;
    this.#cancelLinger = this.#clock.after(LINGER_MS, () => this.#stop());
  }

  #flushSoon(): void {
    this.#cancelFlush ??= this.#clock.after(FLUSH_MS, () => this.#flush());
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const { rooms, doors, alarms, devices, bookings, events } = this.#pending;
    if (rooms.size + doors.size + alarms.size + devices.size + bookings.size + events.length === 0) return;
    this.#pending = nothingPending();
    const change: LiveChange = {
      seq: ++this.#seq,
      atMs: this.#deps.clock.now().wallMs,
      rooms: [...rooms.values()],
      doors: [...doors.values()],
      alarms: [...alarms.values()],
      devices: [...devices.values()],
      bookings: [...bookings.values()],
      // Newest first, as in the snapshot.
      events: events.slice(-CHANGE_EVENTS_MAX).reverse(),
    };
    this.#ring.add(change);
    const rendered = new Map<string, Buffer | null>();
    for (const client of [...this.#clients]) this.#sendChange(client, change, rendered);
  }

  /** Rendered once per kind of reader, whose clients share the bytes. */
  #sendChange(client: Client, change: LiveChange, rendered: Map<string, Buffer | null>): void {
    const key = scopeKey(client.scope);
    let bytes = rendered.get(key);
    if (bytes === undefined) {
      const body = renderChange(this.#deps, this.#places, client.scope, change);
      bytes = body ? message('change', body, this.#id(client.scope, change.seq)) : null;
      rendered.set(key, bytes);
    }
    if (bytes) this.#send(client, bytes);
  }

  #send(client: Client, bytes: Buffer): void {
    const { response } = client;
    if (response.writableLength > CLIENT_BUFFER_MAX_BYTES) {
      this.#deps.log.warn({ bufferedBytes: response.writableLength }, 'live stream: a client is too slow, cut off');
      this.#drop(client);
      response.destroy();
    } else if (!response.writableEnded && !response.destroyed) response.write(bytes);
  }

  #snapshot(scope: Scope): Buffer {
    const key = scopeKey(scope);
    const nowMs = this.#clock.now().monoMs;
    const kept = this.#snapshots.get(key);
    if (kept && kept.seq === this.#seq && nowMs - kept.madeMs < SNAPSHOT_FRESH_MS) return kept.bytes;
    const bytes = message('snapshot', renderSnapshot(this.#deps, this.#places, scope), this.#id(scope, this.#seq));
    for (const [other, { madeMs }] of this.#snapshots)
      if (nowMs - madeMs >= SNAPSHOT_FRESH_MS) this.#snapshots.delete(other);
    this.#snapshots.set(key, { seq: this.#seq, madeMs: nowMs, bytes });
    return bytes;
  }

  /** An id names the run, the kind of reader and the place: with another role one starts from a snapshot. */
  #id(scope: Scope, seq: number): string {
    const reader = createHash('sha256').update(scopeKey(scope)).digest('hex').slice(0, 8);
    return `${this.#epoch}-${reader}-${seq}`;
  }

  #missed(scope: Scope, lastEventId: string | undefined): readonly LiveChange[] | undefined {
    if (lastEventId === undefined) return undefined;
    const seq = Number(/-([0-9]{1,15})$/.exec(lastEventId)?.[1] ?? Number.NaN);
    if (Number.isNaN(seq) || lastEventId !== this.#id(scope, seq)) return undefined;
    return this.#ring.since(seq, this.#seq);
  }

  #ping(): Buffer {
    return message('ping', { at: iso(this.#deps.clock.now().wallMs) });
  }

  #pingLater(): void {
    this.#cancelPing = this.#clock.after(PING_MS, () => {
      this.#pingLater();
      this.#beat();
    });
  }

  #beat(): void {
    for (const client of [...this.#clients]) {
      if (client.alive()) continue;
      this.#drop(client);
      client.response.end();
    }
    this.#markDevices();
    this.#flush();
    const dayStartMs = this.#dayStart();
    const newDay = dayStartMs !== this.#dayStartMs;
    this.#dayStartMs = dayStartMs;
    const ping = this.#ping();
    for (const client of [...this.#clients]) {
      if (newDay) this.#send(client, this.#snapshot(client.scope));
      this.#send(client, ping);
    }
  }

  #dayStart(): number {
    return this.#deps.dayAround(this.#deps.clock.now().wallMs).startMs;
  }

  /** Devices whose health changed since the last look; when one was heard counts by the minute. */
  #markDevices(): void {
    const first = this.#deviceMarks.size === 0;
    for (const device of this.#deps.devices()) {
      const { lastHeardAtMs, capabilities, ...rest } = device;
      const minute = lastHeardAtMs === null ? null : Math.floor(lastHeardAtMs / MINUTE_MS);
      const mark = JSON.stringify([minute, capabilities.length, rest]);
      if (!first && this.#deviceMarks.get(device.id) !== mark) this.#pending.devices.set(device.id, device);
      this.#deviceMarks.set(device.id, mark);
    }
  }
}

function message(event: string, data: unknown, id?: string): Buffer {
  return Buffer.from(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
