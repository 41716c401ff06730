/** One door: what its contact and lock report, what was allowed, and what follows. Pure: a new state and what happened. */
import type { Condition } from '../alarms/condition.ts';
import type { DoorValue, LockValue, Now, Outcome } from '../facts.ts';
import type { Door } from '../site.ts';

/** After the strike time the leaf may still be on its way: an opening this much later is the granted one. */
export const ENTRY_GRACE_MS = 5_000;
/** A request to exit shunts the forced-door alarm this long. */
export const EXIT_SHUNT_MS = 15_000;

export interface LastCommand {
  readonly id: string;
  readonly op: 'unlock' | 'lock';
  readonly outcome: 'pending' | Outcome;
  readonly atMs: number;
  readonly why?: string | undefined;
}

/** A grant whose holder has not yet been seen to open the door. */
interface AwaitedEntry {
  readonly untilMonoMs: number;
  readonly member?: string | undefined;
  readonly booking?: string | undefined;
}

export interface DoorState {
  readonly contact: DoorValue;
  readonly lock: LockValue;
  readonly lastCommand?: LastCommand | undefined;
  /** Until then an opening is what was allowed, by a grant or a request to exit. */
  readonly allowedUntilMonoMs: number;
  readonly openSinceMonoMs?: number | undefined;
  readonly heldOpen: boolean;
  readonly awaited?: AwaitedEntry | undefined;
  readonly updatedAtMs: number;
}

export type DoorInput =
  | { readonly kind: 'contact'; readonly value: DoorValue; readonly someoneInside: boolean }
  | { readonly kind: 'lock'; readonly value: LockValue }
  | { readonly kind: 'request_to_exit' }
  | {
      readonly kind: 'commanded';
      readonly command: LastCommand;
      readonly holdMs: number;
      readonly member?: string | undefined;
      readonly booking?: string | undefined;
    }
  | { readonly kind: 'outcome'; readonly command: string; readonly outcome: Outcome; readonly why?: string | undefined }
  /** Contact or lock can no longer be believed: their device is off line. */
  | { readonly kind: 'lost'; readonly contact: boolean; readonly lock: boolean }
  | { readonly kind: 'tick' };

export type DoorHappening =
  | { readonly kind: 'forced' }
  | { readonly kind: 'held_open' }
  | { readonly kind: 'not_taken'; readonly member?: string | undefined; readonly booking?: string | undefined };

export interface DoorStep {
  readonly state: DoorState;
  readonly happened?: DoorHappening | undefined;
}

export function initialDoor(now: Now): DoorState {
  return {
    contact: 'unknown',
    lock: 'unknown',
    lastCommand: undefined,
    allowedUntilMonoMs: Number.NEGATIVE_INFINITY,
    openSinceMonoMs: undefined,
    heldOpen: false,
    awaited: undefined,
    updatedAtMs: now.wallMs,
  };
}

export function stepDoor(door: Door, state: DoorState, input: DoorInput, now: Now): DoorStep {
  switch (input.kind) {
    case 'contact':
      return stepContact(door, state, input.value, input.someoneInside, now);
    case 'lock': {
      const next = touched(state, now);
      next.lock = input.value;
      return { state: next };
    }
    case 'request_to_exit': {
      const next = touched(state, now);
      next.allowedUntilMonoMs = Math.max(state.allowedUntilMonoMs, now.monoMs + EXIT_SHUNT_MS);
      return { state: next };
    }
    case 'commanded':
      return { state: commanded(door, state, input, now) };
    case 'outcome': {
      if (state.lastCommand?.id !== input.command) return { state };
      const { id, op, atMs } = state.lastCommand;
      const next = touched(state, now);
      next.lastCommand = { id, op, atMs, outcome: input.outcome, why: input.why };
      // A door that never unlocked cannot be expected to have been opened.
      if (input.outcome !== 'confirmed') next.awaited = undefined;
      return { state: next };
    }
    case 'lost': {
      const next = touched(state, now);
      if (input.lock) next.lock = 'unknown';
      if (input.contact) {
        next.contact = 'unknown';
        next.openSinceMonoMs = undefined;
        next.heldOpen = false;
      }
      return { state: next };
    }
    case 'tick':
      return stepTick(door, state, now);
  }
}

/**
 * The next state to be, every field by name: V8 copies an object of this size by spreading in half a microsecond and
 * field by field in a twentieth of that, and each badge copies some.
 */
function touched(state: DoorState, now: Now): { -readonly [K in keyof Required<DoorState>]: DoorState[K] } {
  return {
    contact: state.contact,
    lock: state.lock,
    lastCommand: state.lastCommand,
    allowedUntilMonoMs: state.allowedUntilMonoMs,
    openSinceMonoMs: state.openSinceMonoMs,
    heldOpen: state.heldOpen,
    awaited: state.awaited,
    updatedAtMs: now.wallMs,
  };
}

function commanded(
  door: Door,
  state: DoorState,
  input: Extract<DoorInput, { kind: 'commanded' }>,
  now: Now,
): DoorState {
  const next = touched(state, now);
  next.lastCommand = input.command;
  next.awaited = undefined;
  if (input.command.op === 'lock') return next;
  const untilMonoMs = now.monoMs + input.holdMs + ENTRY_GRACE_MS;
  next.allowedUntilMonoMs = Math.max(state.allowedUntilMonoMs, untilMonoMs);
  if (door.contact !== undefined && state.contact === 'closed') {
    next.awaited = { untilMonoMs, member: input.member, booking: input.booking };
  }
  return next;
}

function stepContact(door: Door, state: DoorState, value: DoorValue, someoneInside: boolean, now: Now): DoorStep {
  const next = touched(state, now);
  next.contact = value;
  if (value !== 'open') {
    next.openSinceMonoMs = undefined;
    next.heldOpen = false;
    return { state: next };
  }
  next.openSinceMonoMs = state.openSinceMonoMs ?? now.monoMs;
  next.awaited = undefined;
  // Only an opening that was seen can be forced: after a restart or an outage an open door is just open.
  if (state.contact !== 'closed') return { state: next };
  const allowed = now.monoMs < state.allowedUntilMonoMs || state.lock === 'unlocked' || state.lock === 'unlocking';
  // Without an exit button people leave by the handle, and nobody can tell; somebody known to be inside may.
  const leaving = door.exit === undefined && someoneInside;
  return allowed || leaving ? { state: next } : { state: next, happened: { kind: 'forced' } };
}

function stepTick(door: Door, state: DoorState, now: Now): DoorStep {
  if (state.awaited !== undefined && now.monoMs >= state.awaited.untilMonoMs) {
    const { member, booking } = state.awaited;
    return { state: { ...state, awaited: undefined }, happened: { kind: 'not_taken', member, booking } };
  }
  if (
    !state.heldOpen &&
    state.openSinceMonoMs !== undefined &&
    now.monoMs - state.openSinceMonoMs >= door.heldOpenAfterMs
  ) {
    return { state: { ...state, heldOpen: true, updatedAtMs: now.wallMs }, happened: { kind: 'held_open' } };
  }
  return { state };
}

/** What is wrong with the door as long as it lasts. A forced opening is no condition: it is raised once and stays until resolved. */
export function doorConditions(door: Door, state: DoorState): Condition[] {
  const conditions: Condition[] = [];
  const where = { door: door.id, room: door.room };
  if (state.heldOpen) {
    conditions.push({
      kind: 'door_held_open',
      severity: 'warning',
      ...where,
      text: `${door.name}: the door has been open for more than ${Math.round(door.heldOpenAfterMs / 1000)} s. Close it.`,
    });
  }
  if (state.lock === 'jammed') {
    conditions.push({
      kind: 'lock_jammed',
      severity: 'critical',
      ...where,
      text: `${door.name}: the lock reports that it is jammed. Check the bolt and the frame.`,
    });
  }
  const last = state.lastCommand;
  if (last !== undefined && last.op === 'unlock' && (last.outcome === 'failed' || last.outcome === 'unknown')) {
    conditions.push({
      kind: 'unlock_failed',
      severity: 'warning',
      ...where,
      text:
        last.outcome === 'failed'
          ? `${door.name}: the lock did not unlock (${last.why ?? 'it gave no reason'}). Someone may be waiting at the door.`
          : `${door.name}: the lock did not report whether it unlocked. Check that its device is on line.`,
    });
  }
  return conditions;
}
