/**
 * What became of each command: confirmed, failed or unknown. Only what the device reports counts; a command that was sent
 * is not a door that is open.
 */
import type { Command } from '../core/effects.ts';
import type { Outcome } from '../core/facts.ts';
import type { Clock } from '../loop/types.ts';

/** CONTRACT: a command is unknown when nothing came within its `holdMs` and this. */
export const REPORT_WITHIN_MS = 5_000;
/** Commands without an outcome at once; beyond it further ones fail, which says more than a gateway out of memory. */
export const MAX_PENDING = 100_000;

/** Lock states on the way to another: the lock has heard the command and has not yet done it. */
const MOVING: ReadonlySet<unknown> = new Set(['unlocking', 'locking']);

interface Pending {
  readonly command: Command;
  readonly cancel: () => void;
  /** The device acknowledged it, or told a state on the way. */
  accepted: boolean;
  /** A moving state carried its id: the state that ends the move settles it, with or without the id. */
  moving: boolean;
}

export type Settle = (command: Command, outcome: Outcome, why?: string) => void;

export class CommandTracker {
  readonly #pending = new Map<string, Pending>();
  /** Commands by point whose lock is moving. */
  readonly #moving = new Map<string, Pending>();
  readonly #clock: Clock;
  readonly #settle: Settle;
  readonly #whySilent: (command: Command) => string;

  constructor(clock: Clock, settle: Settle, whySilent: (command: Command) => string) {
    this.#clock = clock;
    this.#settle = settle;
    this.#whySilent = whySilent;
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** False when the command may not be sent: its id is under way already, or too many are. */
  add(command: Command): boolean {
    if (this.#pending.has(command.id) || this.#pending.size >= MAX_PENDING) return false;
    const holdMs = command.do.op === 'unlock' ? command.do.holdMs : 0;
    const cancel = this.#clock.after(holdMs + REPORT_WITHIN_MS, () => {
      const pending = this.#pending.get(command.id);
      if (pending !== undefined) this.#end(pending, 'unknown', this.#whySilent(command));
    });
    this.#pending.set(command.id, { command, cancel, accepted: false, moving: false });
    return true;
  }

  fail(id: string, why: string): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) this.#end(pending, 'failed', why);
  }

  /** False when no command with that id waits any more (or ever did). */
  ack(point: string, id: string, result: string, why: string | undefined): boolean {
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.command.point !== point) return false;
    switch (result) {
      case 'accepted':
        pending.accepted = true;
        break;
      case 'done':
        this.#end(pending, 'confirmed');
        break;
      case 'duplicate':
        // The broker delivered twice: the first copy is being performed and will be reported.
        if (!pending.accepted) this.#end(pending, 'failed', why ?? 'The device says that it had this command before.');
        break;
      default:
        this.#end(pending, 'failed', why ?? REFUSALS[result] ?? `The device answered ${result}.`);
    }
    return true;
  }

  /** Whether a state carries the id of a command that asked for the opposite: the device lies, or is wired wrongly. */
  contradicts(point: string, value: unknown, id: string | undefined): boolean {
    const asked = id === undefined ? undefined : this.#pending.get(id)?.command;
    if (asked === undefined || asked.point !== point) return false;
    switch (asked.do.op) {
      case 'unlock':
        return value === 'locked';
      case 'lock':
        return value === 'unlocked';
      case 'set':
        // A dimmer on its way reports what it passes.
        return typeof asked.do.value === 'string' && value !== asked.do.value;
      default:
        return false;
    }
  }

  /** A reported state, with the id of the command that led to it where it has one. False: an id that does not wait. */
  state(point: string, value: unknown, id: string | undefined): boolean {
    const pending = id === undefined ? this.#moving.get(point) : this.#pending.get(id);
    if (pending === undefined || pending.command.point !== point) return id === undefined;
    if (MOVING.has(value)) {
      pending.accepted = true;
      pending.moving = true;
      this.#moving.set(point, pending);
    } else if (value === 'jammed') this.#end(pending, 'failed', 'The lock reports that it is jammed.');
    else if (value === 'unknown') pending.accepted = true;
    else if (id === undefined && pending.command.do.op === 'unlock' && value === 'locked')
      this.#end(pending, 'failed', 'The lock started to move and went back to locked.');
    else this.#end(pending, 'confirmed');
    return true;
  }

  /** Of what is under way nobody will hear any more; whoever waits for an outcome is told so. */
  stop(): void {
    for (const pending of [...this.#pending.values()]) this.#end(pending, 'unknown', STOPPED);
  }

  #end(pending: Pending, outcome: Outcome, why?: string): void {
    pending.cancel();
    const { command } = pending;
    this.#pending.delete(command.id);
    if (this.#moving.get(command.point) === pending) this.#moving.delete(command.point);
    this.#settle(command, outcome, why);
  }
}

const STOPPED = 'The gateway stopped before the device reported.';
const REFUSALS: Readonly<Record<string, string>> = {
  failed: 'The device says that it failed.',
  expired: 'The command reached the device too late.',
  stale: 'The device has restarted since the command was made.',
};
