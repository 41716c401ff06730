/** One configured device: what it told of itself, and its messages turned into facts. */
import type { ConfiguredDevice, DeviceEvent, DeviceMessage, Driver, OpenPort } from '../../devices/driver.ts';
import { canonicalCredentials } from '../core/access/credential.ts';
import type { DeviceFaultFact, StaleReason } from '../core/facts.ts';
import type { CommandTracker } from './commands.ts';
import { DeviceTime, FRESH_WITHIN_MS } from './devicetime.ts';
import { MessageOrder } from './order.ts';
import { RecentEvents } from './recent.ts';
import type { DeviceHealth, DeviceHostOptions } from './types.ts';

/** One fault of a kind is told once in this time for each device. */
export const FAULT_EVERY_MS = 10_000;

type StateMessage = Extract<DeviceMessage, { type: 'state' }>;
type EventMessage = Extract<DeviceMessage, { type: 'event' }>;

export class HostedDeviceState {
  readonly configured: ConfiguredDevice<unknown>;
  readonly driver: Driver;
  port: OpenPort | undefined;
  readonly #host: DeviceHostOptions;
  readonly #commands: CommandTracker;
  readonly #bound: readonly string[];
  readonly #order = new MessageOrder();
  readonly #time = new DeviceTime();
  readonly #events = new RecentEvents();
  readonly #faultToldMonoMs = new Map<string, number>();
  #online: boolean | null = null;
  /** What the embedded broker says of the connection, where there is one. */
  #link: boolean | undefined;
  #battery: number | null = null;
  #lastHeardAtMs: number | null = null;
  #model: string | null = null;
  #firmware: string | null = null;
  #capabilities: readonly string[] = [];
  #malformed = 0;
  #fault: string | null = null;

  constructor(
    configured: ConfiguredDevice<unknown>,
    driver: Driver,
    host: DeviceHostOptions,
    commands: CommandTracker,
    bound: readonly string[],
  ) {
    this.configured = configured;
    this.driver = driver;
    this.#host = host;
    this.#commands = commands;
    this.#bound = bound;
    if (driver.transport === 'port') this.#capabilities = driver.capabilities(configured.config);
  }

  get id(): string {
    return this.configured.id;
  }
  get boot(): string | undefined {
    return this.#order.boot;
  }
  get online(): boolean | null {
    return this.#online;
  }

  health(): DeviceHealth {
    return {
      id: this.id,
      driver: this.driver.name,
      online: this.#online,
      battery: this.#battery,
      lastHeardAtMs: this.#lastHeardAtMs,
      firmware: this.#firmware,
      model: this.#model,
      capabilities: this.#capabilities,
      malformed: this.#malformed,
      fault: this.#fault,
    };
  }

  /** `retained`: the broker's memory, which says nothing of the device being there now. */
  take(message: DeviceMessage, retained: boolean): void {
    if (!retained) this.#heard(message);
    switch (message.type) {
      case 'description':
        this.#describe(message.model, message.firmware, message.capabilities);
        break;
      case 'status':
        if (!this.#order.status(message.boot)) break;
        this.setOnline(message.online);
        if (message.online && !retained) this.#time.connected(message.atMs, this.#host.clock.now().monoMs);
        break;
      case 'state':
        this.#state(message);
        break;
      case 'event':
        this.#event(message);
        break;
      case 'ack':
        if (!this.#commands.ack(this.#point(message.capability), message.id, message.result, message.why)) {
          this.#host.log.debug({ device: this.id, command: message.id, result: message.result }, 'late or foreign ack');
        }
        break;
      case 'malformed':
        this.malformed(message.why);
    }
  }

  setOnline(online: boolean): void {
    if (this.#online === online) return;
    this.#online = online;
    if (!online) this.#away();
    this.#host.emit({ kind: 'device', device: this.id, online });
  }

  #away(): void {
    this.#order.away();
    this.#time.away();
  }

  setLink(up: boolean): void {
    this.#link = up;
    // Of a link that begins too: whatever was told before came over another one.
    this.#time.away();
    if (!up) this.setOnline(false);
  }

  /** The bus is down: of a device over MQTT nothing is known until it is heard again. */
  lostBus(): void {
    this.#away();
    if (this.#online === true) this.setOnline(false);
  }

  malformed(why: string): void {
    this.#malformed += 1;
    this.#host.metrics?.malformedMessages?.inc({ device: this.id });
    this.fault('malformed', `Device ${this.id} sent what cannot be read: ${why}.`);
  }

  fault(fault: DeviceFaultFact['fault'], why: string): void {
    this.#fault = why;
    const { monoMs } = this.#host.clock.now();
    const told = this.#faultToldMonoMs.get(fault);
    if (told !== undefined && monoMs - told < FAULT_EVERY_MS) return;
    this.#faultToldMonoMs.set(fault, monoMs);
    this.#host.log.warn({ device: this.id, fault, why }, 'device fault');
    this.#host.emit({ kind: 'device_fault', device: this.id, fault, why });
  }

  #point(capability: string): string {
    return `${this.id}/${capability}`;
  }

  #heard(message: DeviceMessage): void {
    this.#lastHeardAtMs = this.#host.clock.now().wallMs;
    // A live message is a sign of life, unless the broker knows that the connection it came over has ended since. An ack
    // is none: the driver of a port answers `failed` for a device that is not there.
    const alive = message.type === 'state' || message.type === 'event' || message.type === 'description';
    if (alive && this.#online !== true && this.#link !== false) {
      this.setOnline(true);
    }
  }

  #tellsTime({ atMs, retained }: { atMs?: number | undefined; retained: boolean }): void {
    if (atMs !== undefined && !retained) this.#time.heard(atMs, this.#host.clock.now().monoMs);
  }

  #describe(model: string, firmware: string, capabilities: readonly string[]): void {
    this.#model = model;
    this.#firmware = firmware;
    this.#capabilities = capabilities;
    const missing = this.#bound.filter((capability) => !capabilities.includes(capability));
    if (missing.length === 0) return;
    const names = missing.join(', ');
    this.fault(
      'contradiction',
      `Device ${this.id} (${model}) says that it has no ${names}, which the configuration expects.`,
    );
  }

  #state(message: StateMessage): void {
    const { capability, value, retained } = message;
    // A device that said goodbye: what the broker remembers of it is not how things are.
    if (retained && this.#online === false) return;
    const verdict = this.#order.state(capability, message, retained);
    if (verdict === 'contradiction') {
      this.fault(
        'contradiction',
        `Device ${this.id} told two values of ${capability} under one seq; the first counts.`,
      );
    }
    if (verdict !== 'new') return;
    this.#tellsTime(message);
    const point = this.#point(capability);
    if (capability === 'battery') this.#battery = typeof value === 'number' ? value : null;
    this.#host.emit({ kind: 'reading', point, value, retained, sensor: message.sensor });
    // A retained state tells of the past, so it confirms nothing.
    if (retained) return;
    if (this.#commands.contradicts(point, value, message.command)) {
      this.fault(
        'contradiction',
        `Device ${this.id} reports ${capability} as “${value}” in answer to a command for the opposite. Check its wiring.`,
      );
    }
    if (!this.#commands.state(point, value, message.command)) {
      this.#host.log.debug({ device: this.id, command: message.command }, 'state of a late or foreign command');
    }
  }

  #event(message: EventMessage): void {
    if (message.id !== undefined && !this.#events.add(message.id, this.#host.clock.now().monoMs)) return;
    const stale = this.#stale(message);
    this.#tellsTime(message);
    const point = this.#point(message.capability);
    const { event } = message;
    switch (event.type) {
      case 'credential':
        this.#credential(point, event, message.atMs, stale);
        break;
      case 'keypad':
        this.#host.emit({ kind: 'keypad', point, stale });
        break;
      case 'request_to_exit':
        this.#host.emit({ kind: 'request_to_exit', point, stale });
    }
  }

  #credential(
    point: string,
    event: Extract<DeviceEvent, { type: 'credential' }>,
    atMs: number | undefined,
    stale: StaleReason | undefined,
  ): void {
    const read = canonicalCredentials(event);
    if (read.fault !== undefined) {
      this.malformed(`a credential read (${event.format}): ${read.fault.replace(/\.$/, '')}`);
      return;
    }
    const hashes = read.canonical.map((canonical) => this.#host.hash(canonical));
    const { last4 } = read;
    this.#host.emit({ kind: 'credential', point, hashes, format: event.format, last4, atMs, stale });
  }

  #stale(message: EventMessage): StaleReason | undefined {
    if (message.retained) return 'event_retained';
    if (message.atMs === undefined) return undefined;
    // While the gateway's own clock says nothing about an event's age, the device's must.
    if (this.#host.timeTrusted?.() === false) {
      return this.#time.isFresh(message.atMs, this.#host.clock.now().monoMs) ? undefined : 'event_too_old';
    }
    const ageMs = this.#host.clock.now().wallMs - message.atMs;
    if (ageMs > FRESH_WITHIN_MS) return 'event_too_old';
    if (ageMs >= -FRESH_WITHIN_MS) return undefined;
    const aheadS = Math.round(-ageMs / 1000);
    this.fault(
      'clock',
      `The clock of device ${this.id} is ${aheadS} s ahead of the gateway's; its events are refused.`,
    );
    return 'event_in_future';
  }
}
