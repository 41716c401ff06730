/** A header that is in use: brings it up, again and again until it works, tells its states and carries out commands. */
import { randomUUID } from 'node:crypto';
import type { ConfiguredDevice, DeviceMessage, OpenPort, OutgoingCommand, PortHost } from '../driver.ts';
import { type GpioConfig, inputKind, outputKind, type PinConfig } from './config.ts';
import { CommandGate } from './gate.ts';
import { Header } from './header.ts';
import { switchingOf } from './switching.ts';

/** First wait after a failed start; it doubles up to the maximum. A missing header is seldom cured without a restart. */
export const RETRY_MIN_MS = 1000;
export const RETRY_MAX_MS = 60_000;

type StateValue = Extract<DeviceMessage, { type: 'state' }>['value'];
type Ack = Extract<DeviceMessage, { type: 'ack' }>;

function outputValue(capability: string, energised: boolean | undefined): StateValue {
  if (outputKind(capability) === 'lock') {
    return energised === undefined ? 'unknown' : energised ? 'unlocked' : 'locked';
  }
  return energised === undefined ? null : energised ? 'on' : 'off';
}

function inputValue(capability: string, active: boolean | undefined): StateValue {
  if (inputKind(capability) === 'door') return active === undefined ? 'unknown' : active ? 'closed' : 'open';
  return active ?? null;
}

export class GpioPort implements OpenPort {
  readonly #device: ConfiguredDevice<GpioConfig>;
  readonly #host: PortHost;
  readonly #monoMs: () => number;
  readonly #boot = randomUUID().slice(0, 8);
  readonly #gate = new CommandGate(this.#boot);
  #seq = 0;
  #header: Header | undefined;
  #attempt: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #retryMs = RETRY_MIN_MS;
  #whyNot = 'it is being opened';
  #closed = false;

  constructor(device: ConfiguredDevice<GpioConfig>, host: PortHost, monoMs: () => number) {
    this.#device = device;
    this.#host = host;
    this.#monoMs = monoMs;
  }

  /** Resolves after the first attempt, whether it succeeded or not. */
  async start(): Promise<void> {
    this.#attempt = this.#bringUp();
    await this.#attempt;
  }

  /** Process id of the child that makes the outputs safe should this process die. */
  get guardianPid(): number | undefined {
    return this.#header?.guardianPid;
  }

  perform(command: OutgoingCommand): void {
    const { id, capability } = command;
    this.#host.emit({ type: 'ack', capability, id, ...this.#carryOut(command) });
    // An answer of the driver is no sign of life of the header.
    if (this.#header === undefined) this.#tellOffline();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    // A start in flight would otherwise leave pins open that nobody owns.
    await this.#attempt;
    clearTimeout(this.#retry);
    const header = this.#header;
    this.#header = undefined;
    this.#whyNot = 'it is closed';
    await header?.close();
  }

  /** Does it and tells the new state; the answer is the acknowledgement. */
  #carryOut(command: OutgoingCommand): Pick<Ack, 'result' | 'why'> {
    const { id, capability } = command;
    const failed = (why: string) => ({ result: 'failed', why }) as const;
    if (this.#header === undefined) return failed(`The GPIO header is not ready: ${this.#whyNot}.`);
    const kind = outputKind(capability);
    const output = this.#header.outputs.get(capability);
    if (kind === undefined || output === undefined) return failed(`No output is called ${capability}.`);
    const refusal = this.#gate.refusal(command);
    if (refusal !== undefined) return refusal;
    const asked = switchingOf(kind, command.do);
    if (!asked.ok) return failed(asked.why);
    const took = output.drive(asked.energise, asked.forMs, kind === 'lock');
    this.#tellState(capability, outputValue(capability, output.energised()), took ? id : undefined);
    return took ? { result: 'done' } : failed('The pin does not read what was written to it.');
  }

  async #bringUp(): Promise<void> {
    const { id, config } = this.#device;
    try {
      const header = await Header.open(
        id,
        config.pins,
        {
          ended: (pin) => this.#tellOutput(pin),
          changed: (pin, active) => this.#tellInput(pin, active),
          warn: (code, why) => this.#host.warn(code, `GPIO header ${id}: ${why}.`),
        },
        this.#monoMs,
      );
      this.#header = header;
      if (this.#closed) return;
      this.#tellAll(header);
    } catch (error) {
      this.#whyNot = error instanceof Error ? error.message : String(error);
      if (this.#closed) return;
      this.#tellOffline();
      this.#host.warn('header', `GPIO header ${id}: ${this.#whyNot}. It is tried again by itself.`);
      this.#retry = setTimeout(() => {
        this.#attempt = this.#bringUp();
      }, this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    }
  }

  #tellOffline(): void {
    this.#host.emit({ type: 'status', online: false, boot: this.#boot });
  }

  #tellAll(header: Header): void {
    const { pins } = this.#device.config;
    const capabilities = pins.map((pin) => pin.capability);
    this.#host.emit({ type: 'description', model: 'Raspberry Pi header', firmware: 'sysfs', capabilities });
    this.#host.emit({ type: 'status', online: true, boot: this.#boot });
    for (const pin of pins) {
      const input = header.inputs.get(pin.capability);
      if (input === undefined) this.#tellOutput(pin);
      // A button that is held at the start is no new press.
      else if (inputKind(pin.capability) !== 'exit') {
        this.#tellState(pin.capability, inputValue(pin.capability, input.active()));
      }
    }
  }

  #tellOutput(pin: PinConfig): void {
    const energised = this.#header?.outputs.get(pin.capability)?.energised();
    this.#tellState(pin.capability, outputValue(pin.capability, energised));
  }

  #tellInput(pin: PinConfig, active: boolean): void {
    if (inputKind(pin.capability) !== 'exit') {
      this.#tellState(pin.capability, inputValue(pin.capability, active));
      return;
    }
    if (!active) return;
    this.#host.emit({
      type: 'event',
      capability: pin.capability,
      event: { type: 'request_to_exit' },
      id: randomUUID(),
      ...this.#place(),
      retained: false,
    });
  }

  #tellState(capability: string, value: StateValue, command?: string): void {
    this.#host.emit({ type: 'state', capability, value, ...this.#place(), retained: false, command });
  }

  #place(): { readonly boot: string; readonly seq: number } {
    this.#seq += 1;
    return { boot: this.#boot, seq: this.#seq };
  }
}
