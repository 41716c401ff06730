/** What is known of the relays that heat and cool, and what of it is kept across a restart. */
import type { OnOff, RelayFacts } from './climate/outputs.ts';
import type { Now, ReadingValue } from './facts.ts';
import type { Point } from './site.ts';
import { isOnline, type State } from './state.ts';

/** undefined while the device is away or has not told since it came back. */
export function reportedSwitch(state: State, point: Point): OnOff | undefined {
  const value = state.readings.get(point)?.value;
  return isOnline(state, point) && isSwitch(value) ? value : undefined;
}

export function relayFacts(state: State, point: Point | undefined): RelayFacts {
  if (point === undefined) return { reported: undefined };
  return { reported: reportedSwitch(state, point), lastSwitch: state.relaySwitches.get(point) };
}

/**
 * A relay counts as on from our order on, since it may obey and be lost before it says so. It counts as off from its own
 * report only: an order may be lost and a contactor may stick, and a compressor's rest begins when it has opened.
 */
export function noteOrderedOn(state: State, point: Point, now: Now): void {
  if (state.relaySwitches.get(point)?.value !== 'on') record(state, point, 'on', now);
}

/** @param before what the device told last, undefined when it has been away since. */
export function noteReport(
  state: State,
  point: Point,
  before: ReadingValue | undefined,
  value: ReadingValue,
  now: Now,
): void {
  // What a broker remembers of a device that is away does not tell how its relay stands. A repeated report is no switch,
  // not even against the record: an order may be on its way.
  if (!isSwitch(value) || value === before || !isOnline(state, point)) return;
  // The first word after an absence tells how the relay stands, not since when: the record knows better.
  if (!isSwitch(before) && state.relaySwitches.get(point)?.value === value) return;
  record(state, point, value, now);
}

/** A device came or went: what its relay told before it was away is forgotten, what came ahead of its return counts now. */
export function noteLink(state: State, point: Point, online: boolean, now: Now): void {
  const value = state.readings.get(point)?.value;
  if (!online) state.readings.delete(point);
  else if (value !== undefined) noteReport(state, point, undefined, value, now);
}

function record(state: State, point: Point, value: OnOff, now: Now): void {
  const relay = { point, value, atMs: now.wallMs };
  state.relaySwitches.set(point, relay);
  state.effects.push({ kind: 'relay_switch', relay });
}

function isSwitch(value: ReadingValue | undefined): value is OnOff {
  return value === 'on' || value === 'off';
}
