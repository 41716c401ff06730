/** Minimum on and off times, and the interlock of heating and cooling. */
import type { RelaySwitch } from '../effects.ts';
import type { Now } from '../facts.ts';

export type OnOff = 'on' | 'off';

export interface RelayFacts {
  /** undefined: not reported since the device came online, or there is no such relay. */
  readonly reported: OnOff | undefined;
  /** The last switch that is on record, across restarts. */
  readonly lastSwitch?: RelaySwitch | undefined;
}

export interface OutputLatch {
  /** Side of the hysteresis. */
  readonly demand: OnOff;
  /** The last decision; null before the first. */
  readonly value: OnOff | null;
  /** When the decision last changed; null while it is still the first. */
  readonly changedMonoMs: number | null;
  /** `atMs` of the last switch on record, and when it was first seen here. */
  readonly switchAtMs: number | null;
  readonly switchSeenMonoMs: number;
  /** It was recorded while we ran, so the monotonic clock can measure from it. */
  readonly witnessed: boolean;
  /** That record is no switch but the first thing ever heard of the relay. */
  readonly firstWord: boolean;
}

/**
 * After one output went off, the other waits at least this long: an order may still be on its way to the relay, and lives
 * for 5 s (`COMMAND_TTL_MS`).
 */
export const INTERLOCK_MS = 6_000;
/**
 * …and this many minimum on times: an output that had to run for its minimum overshoots, and the other must not chase
 * that overshoot with a minimum run of its own.
 */
export const CHANGEOVER_RUNS = 2;

export function initialOutput(relay: RelayFacts, now: Now): OutputLatch {
  return {
    demand: relay.reported ?? relay.lastSwitch?.value ?? 'off',
    value: null,
    changedMonoMs: null,
    switchAtMs: relay.lastSwitch?.atMs ?? null,
    switchSeenMonoMs: now.monoMs,
    witnessed: false,
    firstWord: false,
  };
}

/** Takes note of a switch that was put on record. */
export function noteSwitch(latch: OutputLatch, relay: RelayFacts, now: Now): OutputLatch {
  const atMs = relay.lastSwitch?.atMs ?? null;
  if (atMs === latch.switchAtMs) return latch;
  // The very first “off” of a relay that was never ordered on says what it is at, not that it just went off.
  const firstWord = latch.switchAtMs === null && relay.lastSwitch?.value === 'off';
  return { ...latch, switchAtMs: atMs, switchSeenMonoMs: now.monoMs, witnessed: true, firstWord };
}

/** How long ago the relay was switched, ms. A wall clock behind the record never locks it for longer than one minimum. */
function sinceSwitchMs(latch: OutputLatch, atMs: number, now: Now): number {
  if (latch.firstWord) return Number.POSITIVE_INFINITY;
  const monoMs = now.monoMs - latch.switchSeenMonoMs;
  return latch.witnessed ? monoMs : Math.max(monoMs, now.wallMs - atMs);
}

/** What the output is at: our last decision, or at start what was left behind. */
export function presentValue(latch: OutputLatch, relay: RelayFacts): OnOff {
  return latch.value ?? relay.lastSwitch?.value ?? relay.reported ?? 'off';
}

export interface Held {
  readonly value: OnOff;
  /** How long the minimum time still holds `value` against the demand, ms; 0 when it does not. */
  readonly remainingMs: number;
}

/** The demand, or the present value while its minimum time runs. */
export function holdMinimum(
  latch: OutputLatch,
  relay: RelayFacts,
  demand: OnOff,
  minOnMs: number,
  minOffMs: number,
  now: Now,
): Held {
  const { lastSwitch } = relay;
  const present = presentValue(latch, relay);
  if (demand === present) return { value: demand, remainingMs: 0 };
  const minimumMs = present === 'on' ? minOnMs : minOffMs;
  let remainingMs = 0;
  // Only a switch to `present` counts: a relay that was moved against our decision is brought back, see `restMs`.
  if (lastSwitch?.value === present) remainingMs = minimumMs - sinceSwitchMs(latch, lastSwitch.atMs, now);
  // Our own last decision counts too: its switch may not be on record yet.
  if (latch.changedMonoMs !== null) {
    remainingMs = Math.max(remainingMs, minimumMs - (now.monoMs - latch.changedMonoMs));
  }
  return remainingMs > 0 ? { value: present, remainingMs } : { value: demand, remainingMs: 0 };
}

/**
 * How long the relay must rest before it is ordered on, ms; 0 or less when it may. It counts for one that opened by
 * itself too, late or for a moment: a compressor that starts against its own pressure stalls.
 */
export function restMs(latch: OutputLatch, relay: RelayFacts, minOffMs: number, now: Now): number {
  const { lastSwitch } = relay;
  return lastSwitch?.value === 'off' ? minOffMs - sinceSwitchMs(latch, lastSwitch.atMs, now) : 0;
}

/** The latch after `value` was decided. */
export function decided(latch: OutputLatch, demand: OnOff, value: OnOff, now: Now): OutputLatch {
  if (latch.demand === demand && latch.value === value) return latch;
  const changed = latch.value !== null && latch.value !== value;
  return { ...latch, demand, value, changedMonoMs: changed ? now.monoMs : latch.changedMonoMs };
}

/**
 * Whether the relay is on, or was last on and has not reported off since. One that cannot be reached stays as it was left:
 * nobody has opened it. One that was never on, as at a new site, blocks nothing.
 */
export function mayBeOn({ reported, lastSwitch }: RelayFacts): boolean {
  return (reported ?? lastSwitch?.value) === 'on';
}

/**
 * Whether the other output may go on beside this one: known to be off, and for long enough.
 * @param minOnMs minimum on time that an overshoot is to be expected from; 0 in an emergency.
 */
export function isClear(latch: OutputLatch, relay: RelayFacts, minOnMs: number, now: Now): boolean {
  if (latch.value === 'on' || mayBeOn(relay)) return false;
  const waitMs = Math.max(INTERLOCK_MS, CHANGEOVER_RUNS * minOnMs);
  if (latch.changedMonoMs !== null && now.monoMs - latch.changedMonoMs < waitMs) return false;
  const { lastSwitch } = relay;
  return lastSwitch === undefined || sinceSwitchMs(latch, lastSwitch.atMs, now) >= waitMs;
}

export interface Side {
  readonly latch: OutputLatch;
  readonly relay: RelayFacts;
  readonly demand: OnOff;
  /** Whether the room has this output. */
  readonly fitted: boolean;
}

export interface Limits {
  readonly minOnMs: number;
  readonly minOffMs: number;
  /** Frost breaks every minimum time. */
  readonly freezing: boolean;
  /** The sensor is lost, which breaks the minimum on time. */
  readonly blind: boolean;
}

export interface Outputs {
  readonly heating: OnOff;
  readonly cooling: OnOff;
  readonly resting: { readonly heating: boolean; readonly cooling: boolean };
  /** Wanted, and kept off only because the relay of the other, which is not wanted, may still be on. */
  readonly blocked: 'heating' | 'cooling' | undefined;
  /** How long a minimum time still stands against a demand, ms. */
  readonly remainingMs: number;
}

export function switchOutputs(heating: Side, cooling: Side, limits: Limits, now: Now): Outputs {
  const overshootMs = limits.freezing ? 0 : limits.minOnMs;
  const heat = hold(heating, limits, now);
  const cool = hold(cooling, limits, now);
  // Whichever runs keeps running until it may stop; the other waits for it, and for its relay to report off. A relay
  // that reports on against our word stops the other at once: never together outranks the minimum times. It outranks
  // frost too: a heater that works against a compressor warms nobody and may break both, and the alarm calls for a hand.
  const heatingRuns = heat.value === 'on' && presentValue(heating.latch, heating.relay) === 'on';
  const coolingRuns = cool.value === 'on' && presentValue(cooling.latch, cooling.relay) === 'on' && !heatingRuns;
  const mayHeat =
    !mayBeOn(cooling.relay) && !coolingRuns && (heatingRuns || isClear(cooling.latch, cooling.relay, overshootMs, now));
  const heats = heat.value === 'on' && mayHeat;
  const mayCool =
    !mayBeOn(heating.relay) && !heats && (coolingRuns || isClear(heating.latch, heating.relay, overshootMs, now));
  const cools = cool.value === 'on' && mayCool;
  const heatingBlocked = heat.value === 'on' && mayBeOn(cooling.relay);
  const coolingBlocked = cool.value === 'on' && mayBeOn(heating.relay);
  return {
    heating: heats ? 'on' : 'off',
    cooling: cools ? 'on' : 'off',
    resting: { heating: heats && heat.rests, cooling: cools && cool.rests },
    blocked: heats || cools ? undefined : heatingBlocked ? 'heating' : coolingBlocked ? 'cooling' : undefined,
    remainingMs: Math.max(heat.remainingMs, cool.remainingMs),
  };
}

function hold({ latch, relay, demand, fitted }: Side, limits: Limits, now: Now): Held & { readonly rests: boolean } {
  if (!fitted) return { value: 'off', remainingMs: 0, rests: false };
  if (limits.freezing || (limits.blind && demand === 'off')) return { value: demand, remainingMs: 0, rests: false };
  const held = holdMinimum(latch, relay, demand, limits.minOnMs, limits.minOffMs, now);
  const restsMs = held.value === 'on' ? restMs(latch, relay, limits.minOffMs, now) : 0;
  return restsMs > 0 ? { value: 'on', remainingMs: restsMs, rests: true } : { ...held, rests: false };
}
