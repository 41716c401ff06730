/**
 * The gateway's one MQTT link, to the embedded or to an external broker. Each link is a fresh client of mqtt.js that is
 * thrown away when it breaks: no store, no queue and no half-sent unlock can survive into the next one.
 */
import net from 'node:net';
import type { Duplex } from 'node:stream';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { Dispatch, type Handler } from './dispatch.ts';
import type { Bus, PublishOptions } from './types.ts';

export type { Bus, BusMessage, PublishOptions } from './types.ts';

export type BusOptions =
  | {
      readonly kind: 'embedded';
      readonly stream: () => Duplex;
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly kind: 'external';
      /** mqtt:// or mqtts:// */
      readonly url: string;
      readonly username?: string | undefined;
      readonly password?: string | undefined;
      /** PEM text of the authority that signed the broker's certificate. */
      readonly ca?: string | Buffer | undefined;
    };

/** A log as pino has it. */
export interface Log {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

const CONNECT_TIMEOUT_MS = 5_000;
const KEEPALIVE_S = 15;
/** Pauses between attempts double from the first to the second, each shortened by up to half at random. */
const RETRY_FIRST_MS = 200;
const RETRY_LAST_MS = 10_000;
/** The gateway starts without a broker after this long; offline first. */
const START_WAIT_MS = 2_000;
/** Publishes that the broker has not acknowledged yet; MQTT itself allows 65,535. */
const MAX_IN_FLIGHT = 20_000;
/** The same for what yields to the rest. */
const MAX_IN_FLIGHT_YIELDING = 4_000;
/** Bytes that the link has not taken yet: more means that it is stalled, and a command would leave late. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
const PLAIN = 'mqtt:';
const DEFAULT_PORT = 1883;
/** Larger messages are no device's. */
const MAX_PAYLOAD_BYTES = 64 * 1024;
const CLOSE_WAIT_MS = 1_000;
/** SUBACK's return code for a refusal (MQTT 3.1.1, section 3.9.3). */
const REFUSED = 0x80;

/**
 * Resolves when the link is up, or for an external broker that does not answer when the first attempt has failed; it
 * goes on trying by itself and tells `onLink`.
 */
export async function connectBus(options: BusOptions, clientId: string, log: Log): Promise<Bus> {
  const link = new Link(options, clientId, log);
  await link.start();
  return link;
}

class Link implements Bus {
  readonly #options: BusOptions;
  readonly #clientId: string;
  readonly #log: Log;
  readonly #dispatch = new Dispatch();
  readonly #listeners: ((up: boolean, why: string) => void)[] = [];
  #client: MqttClient | undefined;
  #up = false;
  #inFlight = 0;
  #attempts = 0;
  #retry: NodeJS.Timeout | undefined;
  #closing = false;
  #why = 'The broker has not answered yet.';
  /** Why the link would hear nothing, until it is ended for that. */
  #deaf: string | undefined;
  /** Called when the last publish under way was acknowledged: `close` waits for it. */
  #idle: () => void = () => {};
  /** Settles the wait of `start` at the first attempt's end. */
  #settled: () => void = () => {};

  constructor(options: BusOptions, clientId: string, log: Log) {
    this.#options = options;
    this.#clientId = clientId;
    this.#log = log;
  }

  get connected(): boolean {
    return this.#up;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      const giveUp = setTimeout(resolve, START_WAIT_MS);
      this.#settled = () => {
        clearTimeout(giveUp);
        resolve();
      };
      this.#connect();
    });
  }

  async subscribe(filter: string, handler: Handler): Promise<void> {
    const fresh = this.#dispatch.add(filter, handler);
    const client = this.#client;
    if (fresh && this.#up && client !== undefined) await this.#ask(client, [filter]);
  }

  publish(topic: string, payload: string, options?: PublishOptions): boolean {
    const client = this.#client;
    const limit = options?.yields === true ? MAX_IN_FLIGHT_YIELDING : MAX_IN_FLIGHT;
    if (!this.#up || client === undefined || this.#inFlight >= limit) return false;
    if (client.stream.writableLength > MAX_UNSENT_BYTES) return false;
    this.#inFlight += 1;
    client.publish(topic, payload, { qos: 1, retain: options?.retain ?? false }, (error) => {
      if (client !== this.#client) return;
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#idle();
      if (error != null) this.#log.debug({ topic, why: error.message }, 'publish not acknowledged');
    });
    return true;
  }

  onLink(listener: (up: boolean, why: string) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Retained messages follow a subscription at once and in order, so that by the answer to an unsubscribe all have come.
   * QoS 0, since the broker may hold back QoS 1 messages behind unacknowledged ones.
   */
  async clearRetained(filter: string): Promise<number> {
    const client = this.#client;
    if (!this.#up || client === undefined) return 0;
    const stale = new Set<string>();
    const matching = new Dispatch();
    matching.add(filter, (message) => {
      if (message.retain && message.payload.byteLength > 0) stale.add(message.topic);
    });
    const collect = (topic: string, payload: Buffer, packet: { readonly retain: boolean }): void =>
      matching.handle({ topic, payload, retain: packet.retain });
    client.on('message', collect);
    try {
      await client.subscribeAsync(filter, { qos: 0 });
      await client.unsubscribeAsync(filter);
      await Promise.all([...stale].map((topic) => client.publishAsync(topic, '', { qos: 1, retain: true })));
    } catch (error) {
      this.#log.warn({ filter, why: text(error) }, 'cannot clear stale retained messages');
    } finally {
      client.off('message', collect);
    }
    return stale.size;
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#retry);
    const client = this.#client;
    if (client === undefined) return;
    const up = this.#up;
    this.#up = false;
    await new Promise<void>((resolve) => {
      // A link that is stalled or not yet made is not waited for.
      const patience = setTimeout(() => client.stream.destroy(), up ? CLOSE_WAIT_MS : 0);
      this.#idle = () => client.end(false);
      client.stream.once('close', () => {
        clearTimeout(patience);
        resolve();
      });
      if (this.#inFlight === 0) this.#idle();
    });
  }

  #connect(): void {
    const client = this.#open();
    this.#client = client;
    this.#inFlight = 0;
    const { stream } = client;
    // Nagle's algorithm would hold a PUBLISH back for some 43 ms after a PUBACK. Not every stream is a socket.
    if ('setNoDelay' in stream && typeof stream.setNoDelay === 'function') stream.setNoDelay(true);
    client.on('message', (topic, payload, packet) => {
      if (payload.byteLength <= MAX_PAYLOAD_BYTES) this.#dispatch.handle({ topic, payload, retain: packet.retain });
      else this.#log.warn({ topic, bytes: payload.byteLength }, 'message too large; ignored');
    });
    client.on('connect', () => void this.#established(client));
    client.on('error', (error) => {
      this.#why = `The broker cannot be reached: ${text(error)}.`;
    });
    client.on('close', () => this.#lost(client));
  }

  #open(): MqttClient {
    const options: IClientOptions = {
      clientId: this.#clientId,
      protocolVersion: 4,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      // A timer set anew at every message costs more than a needless ping.
      reschedulePings: false,
      // The package's debug lines are formatted by the dozen for each message, even when nobody reads them.
      log: () => {},
      ...(this.#options.username === undefined ? {} : { username: this.#options.username }),
      ...(this.#options.password === undefined ? {} : { password: this.#options.password }),
    };
    if (this.#options.kind === 'embedded') {
      const { stream } = this.#options;
      return new mqtt.MqttClient(() => stream(), { ...options, protocol: 'mqtt' });
    }
    const { url, ca } = this.#options;
    if (new URL(url).protocol === PLAIN) {
      return new mqtt.MqttClient(() => plainSocket(url), { ...options, protocol: 'mqtt' });
    }
    return mqtt.connect(url, ca === undefined ? options : { ...options, ca });
  }

  async #established(client: MqttClient): Promise<void> {
    const filters = this.#dispatch.filters();
    if (filters.length > 0) await this.#ask(client, filters);
    if (client !== this.#client || !client.connected || this.#deaf !== undefined) return;
    this.#attempts = 0;
    this.#up = true;
    this.#log.info({}, 'MQTT link up');
    this.#settled();
    for (const listener of this.#listeners) listener(true, '');
  }

  /** A link over which no badge can come is no link: it is ended, told as down with the reason, and tried again. */
  async #ask(client: MqttClient, filters: readonly string[]): Promise<void> {
    try {
      const granted = await client.subscribeAsync([...filters], { qos: 1 });
      const refused = granted.filter(({ qos }) => qos >= REFUSED).map(({ topic }) => topic);
      if (refused.length === 0) return;
      this.#deaf = `The broker does not let the gateway read ${refused.join(', ')}. Check its access list.`;
    } catch (error) {
      this.#deaf = `The broker did not take the gateway's subscriptions: ${text(error)}.`;
    }
    client.stream.destroy();
  }

  #lost(client: MqttClient): void {
    if (client !== this.#client) return;
    const was = this.#up;
    this.#up = false;
    this.#client = undefined;
    client.removeAllListeners('message');
    client.end(true);
    if (this.#closing) return;
    if (this.#deaf !== undefined) this.#why = this.#deaf;
    else if (was) this.#why = 'The connection to the broker broke.';
    this.#deaf = undefined;
    const longest = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#connect(), longest * (0.5 + Math.random() / 2));
    if (was || this.#attempts === 1) {
      this.#log.warn({ why: this.#why }, 'MQTT link down; trying again');
      for (const listener of this.#listeners) listener(false, this.#why);
    }
    this.#settled();
  }
}

/**
 * The package takes one message at a time while the socket has more than its high-water mark to send, each after a whole
 * flush: at Node's 16 KB a burst of badges would come to a crawl. `publish` has a limit of its own.
 */
function plainSocket(url: string): net.Socket {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const options = {
    host,
    port: Number(port || DEFAULT_PORT),
    noDelay: true,
    writableHighWaterMark: 2 * MAX_UNSENT_BYTES,
  };
  return net.connect(options);
}

/** An error's own words; some of Node's have only a code. */
function text(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
