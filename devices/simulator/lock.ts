/** A motor lock whose bolt takes time, can jam, and goes back by itself; and the contact of its door. */
import { type SimClock, Timers } from './clock.ts';
import type { DeviceCommand } from './commands.ts';
import type { Reply, VirtualDevice } from './device.ts';
import type { Random } from './random.ts';

export type Bolt = 'locked' | 'unlocking' | 'unlocked' | 'locking' | 'jammed';

/** How long a command without `holdMs` leaves the bolt back. */
const DEFAULT_HOLD_MS = 5000;
/** No command keeps a door unlocked longer than this. */
const MAX_HOLD_MS = 3_600_000;

export interface LockOptions {
  readonly clock: SimClock;
  readonly random: Random;
  /** Shortest and longest travel of the bolt. */
  readonly travelMs?: readonly [number, number] | undefined;
  /** Of each movement, 0-1. */
  readonly jamProbability?: number | undefined;
}

interface Waiting {
  readonly id: string;
  readonly reply: Reply;
}

export class VirtualLock {
  readonly #device: VirtualDevice;
  readonly #capability: string;
  readonly #options: LockOptions;
  readonly #listeners = new Set<() => void>();
  #timers: Timers;
  #bolt: Bolt = 'locked';
  #waiting: Waiting[] = [];
  #holdMs = DEFAULT_HOLD_MS;
  #cancelRelock: () => void = () => {};
  #cancelTravel: () => void = () => {};
  #jamNext = false;

  constructor(device: VirtualDevice, capability: string, options: LockOptions) {
    this.#device = device;
    this.#capability = capability;
    this.#options = options;
    this.#timers = new Timers(options.clock);
    device.report(capability, 'locked', { cause: 'start' });
    device.handle(capability, (command, reply) => this.#command(command, reply));
    device.onBoot(() => this.#rest());
  }

  /** Where the bolt truly is, whatever the device reports. */
  get bolt(): Bolt {
    return this.#bolt;
  }

  /** The next movement sticks. */
  jamNext(): void {
    this.#jamNext = true;
  }

  /** Called at each unlock command that has been carried out. */
  onUnlocked(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop(): void {
    this.#timers.stop();
  }

  #command(command: DeviceCommand, reply: Reply): void {
    if (command.op === 'unlock') {
      this.#unlock(command, reply);
      return;
    }
    if (command.op === 'lock') {
      this.#lock(command, reply);
      return;
    }
    reply.failed(`a lock does not know ${command.op}`);
  }

  #unlock(command: DeviceCommand, reply: Reply): void {
    const holdMs = command.holdMs ?? DEFAULT_HOLD_MS;
    if (holdMs <= 0 || holdMs > MAX_HOLD_MS) {
      reply.failed(`holdMs must be in 1-${MAX_HOLD_MS}, not ${holdMs}`);
      return;
    }
    reply.accepted();
    this.#holdMs = holdMs;
    if (this.#bolt === 'unlocked') {
      this.#report(command.id, 'command');
      reply.done();
      this.#armRelock();
      this.#tellUnlocked();
    } else this.#move('unlocking', 'command', { id: command.id, reply });
  }

  #lock(command: DeviceCommand, reply: Reply): void {
    reply.accepted();
    if (this.#bolt === 'locked') {
      this.#report(command.id, 'command');
      reply.done();
    } else this.#move('locking', 'command', { id: command.id, reply });
  }

  #move(toward: 'unlocking' | 'locking', cause: string, waiting?: Waiting): void {
    if (this.#bolt === toward) {
      if (waiting) this.#waiting.push(waiting);
      return;
    }
    for (const earlier of this.#waiting) earlier.reply.failed('overtaken by a later command');
    this.#waiting = waiting ? [waiting] : [];
    this.#cancelRelock();
    this.#cancelTravel();
    this.#bolt = toward;
    this.#report(waiting?.id, cause);
    const [shortestMs, longestMs] = this.#options.travelMs ?? [300, 800];
    const travelMs = this.#options.random.between(shortestMs, longestMs);
    this.#cancelTravel = this.#timers.after(travelMs, () => this.#arrive(toward, cause));
  }

  #arrive(toward: 'unlocking' | 'locking', cause: string): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const last = waiting.at(-1)?.id;
    if (this.#jams()) {
      this.#bolt = 'jammed';
      this.#report(last, 'jam');
      for (const { reply } of waiting) reply.failed('the bolt is jammed');
      return;
    }
    this.#bolt = toward === 'unlocking' ? 'unlocked' : 'locked';
    this.#report(last, cause);
    for (const { reply } of waiting) reply.done();
    if (this.#bolt !== 'unlocked') return;
    this.#armRelock();
    this.#tellUnlocked();
  }

  #jams(): boolean {
    const ordered = this.#jamNext || this.#device.fault?.kind === 'jam';
    this.#jamNext = false;
    return ordered || this.#options.random.chance(this.#options.jamProbability ?? 0);
  }

  #armRelock(): void {
    this.#cancelRelock();
    this.#cancelRelock = this.#timers.after(this.#holdMs, () => this.#move('locking', 'auto_relock'));
  }

  #tellUnlocked(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Power was lost: the spring throws the bolt. */
  #rest(): void {
    this.#timers.stop();
    this.#timers = new Timers(this.#options.clock);
    this.#waiting = [];
    this.#bolt = 'locked';
    this.#report(undefined, 'start');
  }

  #report(command: string | undefined, cause: string): void {
    this.#device.report(this.#capability, this.#bolt, { cause, command });
  }
}

export class VirtualContact {
  readonly #device: VirtualDevice;
  readonly #capability: string;
  #open = false;

  constructor(device: VirtualDevice, capability: string) {
    this.#device = device;
    this.#capability = capability;
    device.report(capability, 'closed', { cause: 'start' });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  set(open: boolean): void {
    if (open === this.#open) return;
    this.#open = open;
    this.#device.report(this.#capability, open ? 'open' : 'closed', { cause: 'door' });
  }
}

export class VirtualExitButton {
  readonly #device: VirtualDevice;
  readonly #capability: string;

  constructor(device: VirtualDevice, capability: string) {
    this.#device = device;
    this.#capability = capability;
  }

  press(): void {
    this.#device.emit(this.#capability, { type: 'request_to_exit' });
  }
}
