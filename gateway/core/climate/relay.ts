/**
 * Brings an output to what is wanted: compare with what the device reports, send the difference, and when the device
 * keeps reporting otherwise, say so. For relays (`on`, `off`) and dimmers (0-100 %) alike.
 */
import type { Condition } from '../alarms/condition.ts';
import type { Now } from '../facts.ts';

export type OutputValue = 'on' | 'off' | number;

export interface RelayState<V extends OutputValue = OutputValue> {
  readonly want: V;
  readonly online: boolean;
  readonly onlineSinceMonoMs: number;
  /** null: nothing was sent that the device has not long obeyed. */
  readonly sentMonoMs: number | null;
  readonly resends: number;
  /** Since when the device reports what is wanted; null while it does not. */
  readonly obeysSinceMonoMs: number | null;
}

export interface Reconciliation<V extends OutputValue = OutputValue> {
  readonly state: RelayState<V>;
  /** To be sent now. */
  readonly send?: V;
  /** The caller adds room and device. */
  readonly condition?: Omit<Condition, 'room' | 'device' | 'door'>;
}

/** How long a report is waited for before the order is sent again; the last entry also before the alarm. */
export const RESEND_AFTER_MS: readonly number[] = [2_000, 3_000, 5_000, 10_000, 15_000];
export const MAX_RESENDS = RESEND_AFTER_MS.length;
/** A device that has just connected tells its states by itself; until then there is nothing to compare with. */
export const FIRST_REPORT_WAIT_MS = 2_000;
/** Obeying this long forgives the resends: a relay that flips back at once still reaches the alarm. */
export const OBEYS_FOR_MS = 60_000;
/** Dimmers round: 33 % asked, 32 % reported is obedience. */
export const LEVEL_TOLERANCE = 2;

export function sameOutput(a: OutputValue, b: OutputValue): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b;
  // Dark and dimly lit are never the same, however near.
  return Math.abs(a - b) <= LEVEL_TOLERANCE && (a === 0) === (b === 0);
}

/**
 * @param state what the last call returned; undefined at start.
 * @param reported undefined while the device has not reported since it came online.
 * @returns the same state object when nothing changed.
 */
export function reconcileRelay<V extends OutputValue>(
  state: RelayState<V> | undefined,
  want: V,
  reported: V | undefined,
  online: boolean,
  now: Now,
): Reconciliation<V> {
  if (!online) return { state: offline(state, want, now) };
  const back = state?.online !== true;
  const before: RelayState<V> =
    state === undefined || back
      ? { want, online: true, onlineSinceMonoMs: now.monoMs, sentMonoMs: null, resends: 0, obeysSinceMonoMs: null }
      : state;
  if (reported === undefined && now.monoMs - before.onlineSinceMonoMs < FIRST_REPORT_WAIT_MS) {
    return { state: before.want === want ? before : { ...before, want } };
  }
  const obeys = reported !== undefined && sameOutput(reported, want);
  if (before.want !== want) return changed(before, want, obeys, now);
  if (obeys) return { state: obeying(before, now) };
  return disobeying(before, want, reported, now);
}

function offline<V extends OutputValue>(state: RelayState<V> | undefined, want: V, now: Now): RelayState<V> {
  if (state !== undefined && !state.online && state.want === want) return state;
  return {
    want,
    online: false,
    onlineSinceMonoMs: now.monoMs,
    sentMonoMs: null,
    resends: 0,
    obeysSinceMonoMs: null,
  };
}

function changed<V extends OutputValue>(before: RelayState<V>, want: V, obeys: boolean, now: Now): Reconciliation<V> {
  const settled = before.sentMonoMs === null || before.obeysSinceMonoMs !== null;
  // An earlier order may still be on its way: then the new one is sent although the report already suits it.
  if (obeys && settled) return { state: { ...before, want, resends: 0, obeysSinceMonoMs: now.monoMs } };
  return {
    state: { ...before, want, sentMonoMs: now.monoMs, resends: 0, obeysSinceMonoMs: null },
    send: want,
  };
}

function obeying<V extends OutputValue>(before: RelayState<V>, now: Now): RelayState<V> {
  if (before.obeysSinceMonoMs === null) return { ...before, obeysSinceMonoMs: now.monoMs };
  const forgiven = now.monoMs - before.obeysSinceMonoMs >= OBEYS_FOR_MS;
  if (!forgiven || (before.resends === 0 && before.sentMonoMs === null)) return before;
  return { ...before, resends: 0, sentMonoMs: null };
}

function disobeying<V extends OutputValue>(
  before: RelayState<V>,
  want: V,
  reported: V | undefined,
  now: Now,
): Reconciliation<V> {
  const state = before.obeysSinceMonoMs === null ? before : { ...before, obeysSinceMonoMs: null };
  // The first order counts as such; what follows it, or follows a relay that moved by itself, are resends.
  const first = state.sentMonoMs === null && (reported === undefined || before.obeysSinceMonoMs === null);
  const waitMs = RESEND_AFTER_MS[Math.min(state.resends, MAX_RESENDS - 1)] ?? 0;
  const waited = state.sentMonoMs === null || now.monoMs - state.sentMonoMs >= waitMs;
  if (!waited) return { state };
  if (state.resends >= MAX_RESENDS) {
    const said = reported === undefined ? 'nothing' : `“${reported}”`;
    return {
      state,
      condition: {
        kind: 'relay_disobeys',
        severity: 'warning',
        text: `An output reports ${said} although “${want}” was sent again ${MAX_RESENDS} times. Check the relay, its wiring and whether something else switches it.`,
      },
    };
  }
  const resends = first ? 0 : state.resends + 1;
  return { state: { ...state, sentMonoMs: now.monoMs, resends }, send: want };
}
