/** Attaches drivers to MQTT and to ports: bytes to facts, commands to bytes, and what became of each command. */
import type { DeviceMessage, MqttDriver, OutgoingCommand, PortDriver } from '../../devices/driver.ts';
import type { BusMessage } from '../bus/types.ts';
import type { Command } from '../core/effects.ts';
import type { Outcome } from '../core/facts.ts';
import { CommandTracker } from './commands.ts';
import { HostedDeviceState } from './device.ts';
import { RecentSet } from './recent.ts';
import type { DeviceHealth, DeviceHost, DeviceHostOptions, Misuse } from './types.ts';

export type { DeviceHealth, DeviceHost, DeviceHostOptions, HostedDevice } from './types.ts';

/** Ids of strangers on our topics that were logged already. */
const STRANGERS_KEPT = 100;

/** Throws when a device names a driver that the registry lacks: the configuration's check refuses that earlier. */
export function createDeviceHost(options: DeviceHostOptions): DeviceHost {
  return new Host(options);
}

class Host implements DeviceHost {
  readonly #options: DeviceHostOptions;
  readonly #devices = new Map<string, HostedDeviceState>();
  readonly #commands: CommandTracker;
  readonly #strangers = new RecentSet(STRANGERS_KEPT);

  constructor(options: DeviceHostOptions) {
    this.#options = options;
    this.#commands = new CommandTracker(
      options.clock,
      (command, outcome, why) => this.#outcome(command, outcome, why),
      (command) => this.#whySilent(command),
    );
    const bound = new Map<string, string[]>();
    for (const point of options.bound ?? []) {
      const [device = '', capability = ''] = point.split('/');
      const list = bound.get(device);
      if (list === undefined) bound.set(device, [capability]);
      else list.push(capability);
    }
    for (const { id, driver: name, config } of options.devices) {
      const driver = options.registry.find((known) => known.name === name);
      if (driver === undefined) throw new Error(`device ${id}: there is no driver ${name}`);
      const configured = { site: options.site, id, config };
      this.#devices.set(id, new HostedDeviceState(configured, driver, options, this.#commands, bound.get(id) ?? []));
    }
  }

  async start(): Promise<void> {
    const { bus, links } = this.#options;
    links?.onDeviceLink((id, up) => {
      this.#devices.get(id)?.setLink(up);
      this.#countOnline();
    });
    links?.onMisuse((id, misuse) => {
      const kind = misuse.kind === 'flood' ? 'flood' : 'refused';
      this.#devices.get(id)?.fault(kind, misuseText(id, misuse));
    });
    const opening: Promise<void>[] = [];
    for (const device of this.#devices.values()) {
      if (device.driver.transport === 'port') opening.push(this.#open(device, device.driver));
    }
    if (bus !== undefined) {
      bus.onLink((up) => this.#linkChanged(up));
      await Promise.all(this.#subscriptions().map(([filter, handler]) => bus.subscribe(filter, handler)));
      if (bus.connected) await this.#clearStale();
    }
    await Promise.all(opening);
  }

  perform(command: Command): void {
    const slash = command.point.indexOf('/');
    const device = this.#devices.get(command.point.slice(0, slash));
    if (device === undefined) {
      this.#outcome(command, 'failed', `There is no device at ${command.point}.`);
      return;
    }
    const outgoing: OutgoingCommand = {
      id: command.id,
      capability: command.point.slice(slash + 1),
      do: command.do,
      issuedAtMs: command.issuedAtMs,
      ttlMs: command.ttlMs,
      boot: device.boot,
    };
    // A signal to a reader is not worth a place in the journal: it is sent and forgotten.
    const tracked = command.do.op !== 'indicate';
    if (tracked && !this.#commands.add(command)) {
      this.#outcome(command, 'failed', 'Too many commands wait for their outcome, or this one was sent before.');
      return;
    }
    const why = this.#send(device, outgoing);
    if (why === undefined) return;
    if (tracked) this.#commands.fail(command.id, why);
    else this.#outcome(command, 'failed', why);
  }

  devices(): readonly DeviceHealth[] {
    return [...this.#devices.values()].map((device) => device.health());
  }

  settle(): void {
    this.#commands.stop();
  }

  async stop(): Promise<void> {
    this.settle();
    await Promise.all(
      [...this.#devices.values()].map(async (device) => {
        try {
          await device.port?.close();
        } catch (error) {
          this.#options.log.error({ device: device.id, error }, 'port did not close');
        }
      }),
    );
  }

  /** undefined: on its way; else a sentence why not. */
  #send(device: HostedDeviceState, command: OutgoingCommand): string | undefined {
    const { driver, configured, id } = device;
    if (driver.transport === 'port') {
      if (device.port === undefined) return `The port of device ${id} is not open.`;
      device.port.perform(command);
      return undefined;
    }
    const bytes = driver.encode(command, configured);
    if (bytes === undefined) return `Device ${id} knows no ${command.do.op} for ${command.capability}.`;
    const { bus } = this.#options;
    // A reader's lamp is the first to wait: a door that opens says the same.
    if (bus?.publish(bytes.topic, bytes.payload, { yields: command.do.op === 'indicate' }) === true) return undefined;
    return bus?.connected === true
      ? 'The MQTT broker is far behind: the order would have come late. See what keeps it busy.'
      : 'The MQTT link is down.';
  }

  #outcome(command: Command, outcome: Outcome, why: string | undefined): void {
    this.#options.metrics?.commands?.inc({ outcome });
    this.#options.emit({ kind: 'command_outcome', command: command.id, point: command.point, outcome, why });
  }

  #whySilent(command: Command): string {
    const id = command.point.slice(0, command.point.indexOf('/'));
    return this.#devices.get(id)?.online === false
      ? `Device ${id} is off line and reported nothing.`
      : `Device ${id} reported nothing in time.`;
  }

  #subscriptions(): readonly (readonly [string, (message: BusMessage) => void])[] {
    const found: [string, (message: BusMessage) => void][] = [];
    const shared = new Set<MqttDriver>();
    for (const device of this.#devices.values()) {
      const { driver } = device;
      if (driver.transport !== 'mqtt') continue;
      if (driver.siteSubscriptions === undefined || driver.deviceOf === undefined) {
        const handler = (message: BusMessage): void => this.#receive(device, driver, message);
        for (const filter of new Set(driver.subscriptions(device.configured))) found.push([filter, handler]);
      } else if (!shared.has(driver)) {
        shared.add(driver);
        const handler = (message: BusMessage): void => this.#route(driver, message);
        for (const filter of new Set(driver.siteSubscriptions(this.#options.site))) found.push([filter, handler]);
      }
    }
    return found;
  }

  #route(driver: MqttDriver, message: BusMessage): void {
    const id = driver.deviceOf?.(message.topic);
    const device = id === undefined ? undefined : this.#devices.get(id);
    if (device !== undefined && device.driver === driver) this.#receive(device, driver, message);
    else if (this.#strangers.add(id ?? message.topic)) {
      this.#options.log.warn({ topic: message.topic }, 'message of a device that the configuration does not know');
    }
  }

  #receive(device: HostedDeviceState, driver: MqttDriver, message: BusMessage): void {
    let decoded: readonly DeviceMessage[];
    try {
      decoded = driver.decode(message, device.configured);
    } catch (error) {
      this.#options.log.error({ device: device.id, topic: message.topic, error }, 'driver threw');
      device.fault('driver', `The driver ${driver.name} failed at a message of device ${device.id}.`);
      return;
    }
    const before = device.online;
    for (const one of decoded) device.take(one, message.retain);
    if (device.online !== before) this.#countOnline();
  }

  async #open(device: HostedDeviceState, driver: PortDriver): Promise<void> {
    try {
      device.port = await driver.open(device.configured, {
        emit: (message) => {
          device.take(message, false);
          this.#countOnline();
        },
        warn: (code, why) => {
          this.#options.log.warn({ device: device.id, code, why }, 'port');
          device.fault('driver', why);
        },
      });
    } catch (error) {
      this.#options.log.error({ device: device.id, error }, 'port cannot be opened');
      const why = error instanceof Error ? error.message : String(error);
      device.setOnline(false);
      device.fault('driver', `Device ${device.id} cannot be opened: ${why}`);
    }
  }

  #linkChanged(up: boolean): void {
    if (up) void this.#clearStale();
    else {
      for (const device of this.#devices.values()) if (device.driver.transport === 'mqtt') device.lostBus();
    }
    this.#countOnline();
  }

  /** A command that somebody left retained would be carried out again at every reconnect of its device. */
  async #clearStale(): Promise<void> {
    const { bus, site, log } = this.#options;
    const cleared = (await bus?.clearRetained?.(`doorward/1/${site}/+/command/#`)) ?? 0;
    if (cleared > 0) log.warn({ cleared }, 'stale retained commands deleted from the broker');
  }

  #countOnline(): void {
    const gauge = this.#options.metrics?.devicesOnline;
    if (gauge === undefined) return;
    let online = 0;
    for (const device of this.#devices.values()) if (device.online === true) online += 1;
    gauge.set(online);
  }
}

function misuseText(id: string, misuse: Misuse): string {
  switch (misuse.kind) {
    case 'flood':
      return `Device ${id} sends more messages than it may; it is read more slowly. Restart or replace it.`;
    case 'too_large':
      return `Device ${id} sent a packet of ${misuse.bytes} bytes, more than the ${misuse.limitBytes} that are taken, and was cut off. Update or replace it.`;
    case 'foreign_write':
      return `Device ${id} wrote to ${misuse.topic}, which it may not, and was cut off. Check how it is set up, and whether somebody else uses its password.`;
    case 'foreign_read':
      return `Device ${id} asked for ${misuse.topic}, which it may not read. Check how it is set up, and whether somebody else uses its password.`;
  }
}
