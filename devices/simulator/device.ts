/**
 * A virtual native device: CONTRACT's "Native devices over MQTT" seen from the device. It owns the connection, the
 * numbering, the refusals and the faults; what a capability does is told to it by `handle` and `report`.
 */
import { randomBytes } from 'node:crypto';
import mqtt, { type MqttClient } from 'mqtt';
import { type SimClock, Timers } from './clock.ts';
import {
  type AckResult,
  type DeviceCommand,
  REMEMBERED_IDS,
  type Refusal,
  readCommand,
  refuseAtReceipt,
  refuseExpired,
} from './commands.ts';
import { type Fault, falsified, type StateValue } from './faults.ts';
import { clientOptions, type Tls } from './link.ts';

/** How long a leaving device waits for the broker to take its last word. */
const FAREWELL_MS = 1000;
/** A flood is sent in bursts at this distance. */
const FLOOD_BURST_MS = 20;

export interface DeviceOptions {
  readonly site: string;
  readonly id: string;
  /** `mqtt://…` or `mqtts://…` */
  readonly url: string;
  readonly password?: string | undefined;
  readonly capabilities: readonly string[];
  readonly clock: SimClock;
  readonly model?: string | undefined;
  readonly firmware?: string | undefined;
  readonly tls?: Tls | undefined;
  /** A device without a clock sends no `at` and measures `ttlMs` from receipt. */
  readonly hasClock?: boolean | undefined;
  /** A sleepy device acts this long after receipt. */
  readonly reactionMs?: number | undefined;
  /** Hears each word that the device says about a command, also what a fault keeps from the broker. */
  readonly onAck?: ((ack: DeviceAck) => void) | undefined;
  readonly log?: ((text: string) => void) | undefined;
}

export interface DeviceAck {
  readonly device: string;
  readonly capability: string;
  /** Command id. */
  readonly id: string;
  readonly result: AckResult;
  readonly why?: string | undefined;
}

export interface Reply {
  accepted(): void;
  done(): void;
  failed(why: string): void;
}
export type CommandHandler = (command: DeviceCommand, reply: Reply) => void;

export interface ReportExtra {
  readonly cause?: string | undefined;
  readonly command?: string | undefined;
  /** Of a presence sensor. */
  readonly kind?: string | undefined;
}

export interface DeviceStats {
  connects: number;
  published: number;
  /** Events that happened without a link: lost, never sent late. */
  lostEvents: number;
  commands: number;
  /** Acks by their result. */
  acks: Record<AckResult, number>;
  malformed: number;
}

interface KnownState extends ReportExtra {
  readonly value: StateValue;
}

export class VirtualDevice {
  readonly id: string;
  readonly capabilities: readonly string[];
  readonly stats: DeviceStats = {
    connects: 0,
    published: 0,
    lostEvents: 0,
    commands: 0,
    acks: { accepted: 0, done: 0, failed: 0, expired: 0, duplicate: 0, stale: 0 },
    malformed: 0,
  };
  readonly #options: DeviceOptions;
  readonly #root: string;
  readonly #states = new Map<string, KnownState>();
  readonly #handlers = new Map<string, CommandHandler>();
  readonly #bootListeners: (() => void)[] = [];
  readonly #seen = new Set<string>();
  #timers: Timers;
  #client: MqttClient | undefined;
  #boot = newBoot();
  #seq = 0;
  #fault: Fault | undefined;
  #stopFlood: () => void = () => {};
  #online = false;
  #lastLogged = '';

  constructor(options: DeviceOptions) {
    this.id = options.id;
    this.capabilities = options.capabilities;
    this.#options = options;
    this.#root = `doorward/1/${options.site}/${options.id}`;
    this.#timers = new Timers(options.clock);
  }

  get boot(): string {
    return this.#boot;
  }

  /** True once its description and states are on their way and it hears commands. */
  get online(): boolean {
    return this.#online;
  }

  get fault(): Fault | undefined {
    return this.#fault;
  }

  /** What a capability does about a command. */
  handle(capability: string, handler: CommandHandler): void {
    this.#handlers.set(capability, handler);
  }

  /** Called at each restart of the device: what it switched returns to its rest state. */
  onBoot(listener: () => void): void {
    this.#bootListeners.push(listener);
  }

  /** Connects; `settled` is called once, when the first attempt has ended well or not. */
  start(settled?: () => void): void {
    if (this.#client) throw new Error(`${this.id} is started already`);
    const client = mqtt.connect(this.#options.url, clientOptions(this.#options, this.#root, this.#boot));
    this.#client = client;
    let told = false;
    const tell = (): void => {
      if (!told) settled?.();
      told = true;
    };
    client.on('connect', () => this.#connected(client, tell));
    client.on('message', (topic, payload, packet) => this.#received(topic, payload, packet.retain));
    client.on('error', (error) => {
      this.#log(`cannot connect: ${error.message}`);
      tell();
    });
    client.on('close', () => {
      if (this.#client === client) this.#online = false;
      tell();
    });
  }

  /** A state of now. Sent at once when connected, and again at each connect. */
  report(capability: string, value: StateValue, extra: ReportExtra = {}): void {
    this.#states.set(capability, { value, ...extra });
    if (this.#online) this.#sendState(capability);
  }

  /** The last reported value; undefined when none was. */
  reported(capability: string): StateValue | undefined {
    return this.#states.get(capability)?.value;
  }

  /** An event of now; false when there is no link: an event is never sent late. */
  emit(capability: string, body: Readonly<Record<string, unknown>>): boolean {
    if (!this.#online) {
      this.stats.lostEvents++;
      return false;
    }
    const seq = ++this.#seq;
    const id = `${this.id}-${this.#boot}-${seq}`;
    this.#publish(`event/${capability}`, { boot: this.#boot, seq, id, at: this.#at(), ...body }, false);
    return true;
  }

  /** Switches a fault on; undefined mends the device. */
  setFault(fault: Fault | undefined): void {
    const before = this.#fault?.kind;
    this.#stopFlood();
    this.#stopFlood = () => {};
    this.#fault = fault;
    if (fault?.kind === 'offline') this.#client?.end(true);
    else if (before === 'offline') this.#reopen();
    if (fault?.kind === 'flood') this.#flood(fault.perSecond);
    if (before && this.#online) for (const capability of this.#states.keys()) this.#sendState(capability);
  }

  /** Power off and on: the will is sent, the boot is new, ids and numbers are forgotten. */
  restart(): void {
    this.#client?.end(true);
    this.#online = false;
    this.#timers.stop();
    this.#timers = new Timers(this.#options.clock);
    this.#boot = newBoot();
    this.#seq = 0;
    this.#seen.clear();
    for (const listener of this.#bootListeners) listener();
    this.#reopen();
  }

  /** Says that it leaves, then closes. */
  async stop(): Promise<void> {
    this.#stopFlood();
    this.#timers.stop();
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    if (client.connected) await this.#farewell(client);
    this.#online = false;
    await client.endAsync(true).catch(() => {});
  }

  #reopen(): void {
    this.#client = undefined;
    this.start();
  }

  #connected(client: MqttClient, settled: () => void): void {
    // Without this a PUBLISH after a PUBACK waits some 40 ms for Nagle's algorithm.
    const stream: { setNoDelay?: (on: boolean) => void } = client.stream as unknown as {
      setNoDelay?: (on: boolean) => void;
    };
    stream.setNoDelay?.(true);
    // First to hear, then to be seen: whoever reads "online" may send a command at once.
    client.subscribe(`${this.#root}/command/#`, { qos: 1 }, (error) => {
      if (this.#client !== client || !client.connected) {
        settled();
        return;
      }
      if (error) this.#log(`the broker refuses its subscription: ${error.message}`);
      this.stats.connects++;
      this.#lastLogged = '';
      this.#online = true;
      const { model, firmware, capabilities } = this.#options;
      const description = { v: 1, model: model ?? 'virtual', firmware: firmware ?? '1.0.0', capabilities };
      this.#publish('desc', description, true);
      this.#publish('status', { status: 'online', boot: this.#boot, at: this.#at() }, true);
      for (const capability of this.#states.keys()) this.#sendState(capability);
      settled();
    });
  }

  #received(topic: string, payload: Uint8Array, retained: boolean): void {
    const prefix = `${this.#root}/command/`;
    if (!topic.startsWith(prefix) || this.#fault?.kind === 'silence') return;
    const capability = topic.slice(prefix.length);
    const command = readCommand(payload);
    if (!command) {
      this.stats.malformed++;
      this.#log(`a command for ${capability} cannot be read`);
      return;
    }
    this.stats.commands++;
    const refusal = refuseAtReceipt(command, { retained, boot: this.#boot, seen: this.#seen });
    this.#remember(command.id);
    if (refusal) {
      this.#refuse(capability, command, refusal);
      return;
    }
    const receivedAtMs = this.#options.clock.wallMs();
    const act = (): void => this.#act(capability, command, this.#options.clock.wallMs() - receivedAtMs);
    if (this.#options.reactionMs) this.#timers.after(this.#options.reactionMs, act);
    else act();
  }

  #act(capability: string, command: DeviceCommand, sinceReceiptMs: number): void {
    const nowMs = this.#options.hasClock === false ? undefined : this.#nowMs();
    const refusal = refuseExpired(command, nowMs, sinceReceiptMs);
    if (refusal) {
      this.#refuse(capability, command, refusal);
      return;
    }
    const handler = this.#handlers.get(capability);
    const reply = this.#reply(capability, command.id);
    if (handler) handler(command, reply);
    else reply.failed(`there is no ${capability} to command here`);
  }

  #refuse(capability: string, command: DeviceCommand, refusal: Refusal): void {
    this.#ack(capability, command.id, refusal.result, refusal.why);
  }

  #reply(capability: string, id: string): Reply {
    return {
      accepted: () => this.#ack(capability, id, 'accepted'),
      done: () => this.#ack(capability, id, 'done'),
      failed: (why) => this.#ack(capability, id, 'failed', why),
    };
  }

  #ack(capability: string, id: string, result: AckResult, why?: string): void {
    this.stats.acks[result]++;
    this.#options.onAck?.({ device: this.id, capability, id, result, why });
    if (this.#online) this.#publish(`ack/${capability}`, { id, result, why }, false);
  }

  #remember(id: string): void {
    this.#seen.add(id);
    const oldest = this.#seen.values().next().value;
    if (this.#seen.size > REMEMBERED_IDS && oldest !== undefined) this.#seen.delete(oldest);
  }

  #sendState(capability: string): void {
    const state = this.#states.get(capability);
    if (!state) return;
    const value = this.#fault?.kind === 'lying' ? falsified(state.value) : state.value;
    const body = { boot: this.#boot, seq: ++this.#seq, at: this.#at(), ...state, value };
    this.#publish(`state/${capability}`, body, true);
  }

  #publish(topic: string, body: unknown, retain: boolean): void {
    if (this.#fault?.kind === 'silence') return;
    const client = this.#client;
    if (!client?.connected) return;
    const payload = this.#fault?.kind === 'malformed' ? '{"boot":' : JSON.stringify(body);
    const copies = this.#fault?.kind === 'duplicates' ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.stats.published++;
      client.publish(`${this.#root}/${topic}`, payload, { qos: 1, retain }, () => {});
    }
  }

  #flood(perSecond: number): void {
    const capability = this.capabilities.find((known) => this.#states.has(known));
    if (capability === undefined) return;
    const burst = Math.max(1, Math.round((perSecond * FLOOD_BURST_MS) / 1000));
    this.#stopFlood = this.#timers.every(FLOOD_BURST_MS, () => {
      if (!this.#online) return;
      for (let index = 0; index < burst; index++) this.#sendState(capability);
    });
  }

  #nowMs(): number {
    const skewMs = this.#fault?.kind === 'clock' ? this.#fault.skewMs : 0;
    return this.#options.clock.wallMs() + skewMs;
  }

  #at(): string | undefined {
    return this.#options.hasClock === false ? undefined : new Date(this.#nowMs()).toISOString();
  }

  #farewell(client: MqttClient): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, FAREWELL_MS);
      const body = JSON.stringify({ status: 'lost', boot: this.#boot, at: this.#at() });
      client.publish(`${this.#root}/status`, body, { qos: 1, retain: true }, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #log(text: string): void {
    // A broker that is away is told once, not every second.
    if (text === this.#lastLogged) return;
    this.#lastLogged = text;
    this.#options.log?.(`${this.id}: ${text}`);
  }
}

function newBoot(): string {
  return `b${randomBytes(5).toString('hex')}`;
}
