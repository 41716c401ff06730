/** What a room unit switches: relays (heating, cooling, lights) and dimmers. */
import { type SimClock, Timers } from './clock.ts';
import type { DeviceCommand } from './commands.ts';
import type { Reply, VirtualDevice } from './device.ts';

/** A fade is reported at most in this many steps. */
const FADE_STEPS = 4;
/** No timed switch or fade lasts longer than this. */
const MAX_TIMED_MS = 24 * 3_600_000;

export class VirtualRelay {
  readonly #device: VirtualDevice;
  readonly #capability: string;
  readonly #timers: Timers;
  #on = false;
  #cancelBack: () => void = () => {};

  constructor(device: VirtualDevice, capability: string, clock: SimClock) {
    this.#device = device;
    this.#capability = capability;
    this.#timers = new Timers(clock);
    device.report(capability, 'off', { cause: 'start' });
    device.handle(capability, (command, reply) => this.#command(command, reply));
    device.onBoot(() => {
      this.#cancelBack();
      this.#set(false, 'start');
    });
  }

  get on(): boolean {
    return this.#on;
  }

  stop(): void {
    this.#timers.stop();
  }

  #command(command: DeviceCommand, reply: Reply): void {
    if (command.op !== 'set' || (command.value !== 'on' && command.value !== 'off')) {
      reply.failed('a relay only knows set, with on or off');
      return;
    }
    const before = this.#on;
    this.#cancelBack();
    this.#set(command.value === 'on', 'command', command.id);
    reply.done();
    if (command.forMs === undefined) return;
    const forMs = Math.min(command.forMs, MAX_TIMED_MS);
    this.#cancelBack = this.#timers.after(forMs, () => this.#set(before, 'timer'));
  }

  #set(on: boolean, cause: string, command?: string): void {
    this.#on = on;
    this.#device.report(this.#capability, on ? 'on' : 'off', { cause, command });
  }
}

export class VirtualDimmer {
  readonly #device: VirtualDevice;
  readonly #capability: string;
  readonly #timers: Timers;
  /** 0-100 % */
  #level = 0;
  #cancelFade: () => void = () => {};

  constructor(device: VirtualDevice, capability: string, clock: SimClock) {
    this.#device = device;
    this.#capability = capability;
    this.#timers = new Timers(clock);
    device.report(capability, 0, { cause: 'start' });
    device.handle(capability, (command, reply) => this.#command(command, reply));
    device.onBoot(() => {
      this.#cancelFade();
      this.#set(0, 'start');
    });
  }

  /** 0-100 % */
  get level(): number {
    return this.#level;
  }

  stop(): void {
    this.#timers.stop();
  }

  #command(command: DeviceCommand, reply: Reply): void {
    const target = command.value;
    if (command.op !== 'set' || typeof target !== 'number' || !(target >= 0 && target <= 100)) {
      reply.failed('a dimmer only knows set, with 0-100');
      return;
    }
    this.#cancelFade();
    const fadeMs = Math.min(command.fadeMs ?? 0, MAX_TIMED_MS);
    if (fadeMs === 0) this.#set(Math.round(target), 'command', command.id);
    else {
      reply.accepted();
      this.#fade(this.#level, target, fadeMs, 1, command.id);
    }
    reply.done();
  }

  #fade(from: number, target: number, fadeMs: number, step: number, command: string): void {
    this.#cancelFade = this.#timers.after(fadeMs / FADE_STEPS, () => {
      this.#set(Math.round(from + ((target - from) * step) / FADE_STEPS), 'command', command);
      if (step < FADE_STEPS) this.#fade(from, target, fadeMs, step + 1, command);
    });
  }

  #set(level: number, cause: string, command?: string): void {
    this.#level = level;
    this.#device.report(this.#capability, level, { cause, command });
  }
}
