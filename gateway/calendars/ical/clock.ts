/**
 * A zone's wall clock in integers. The zone database is Temporal's (which asks the host's ICU; the host's own zone plays
 * no part); since Temporal takes some microseconds to milliseconds an answer, the changes of a year are asked once.
 */
import { Temporal } from 'temporal-polyfill';
import { DAY_MS } from '../rules/civil.ts';

export interface Zone {
  /** IANA name, or the TZID of a VTIMEZONE. */
  readonly name: string;
  /** Milliseconds that its wall clock is ahead of UTC. */
  offsetAt(instantMs: number): number;
}

/** Stretches of about a year whose clock changes are known. Emptied when full. */
const MAX_KNOWN_STRETCHES = 20_000;
const STRETCH_MS = 366 * DAY_MS;
/** No offset nor change of one reaches further than this: a wall clock's reading is an instant within a day of it. */
const REACH_MS = DAY_MS;

export const UTC: Zone = { name: 'UTC', offsetAt: () => 0 };

/** The instant of a wall clock's reading, as Temporal's `compatible`: skipped times move on, the first of two counts. */
export function toInstant(zone: Zone, localMs: number): number {
  const before = zone.offsetAt(localMs - REACH_MS);
  const after = zone.offsetAt(localMs + REACH_MS);
  if (before === after && zone.offsetAt(localMs - before) === before) return localMs - before;
  const first = localMs - Math.max(before, after);
  if (zone.offsetAt(first) === localMs - first) return first;
  const second = localMs - Math.min(before, after);
  if (zone.offsetAt(second) === localMs - second) return second;
  return localMs - before;
}

/** What the wall clock shows at an instant. */
export function toLocal(zone: Zone, instantMs: number): number {
  return instantMs + zone.offsetAt(instantMs);
}

/** Offsets that hold one after the other; the first from the start of time. */
export class Offsets {
  /** Ascending. */
  readonly #fromMs: number[] = [];
  readonly #offsetMs: number[] = [];

  add(fromMs: number, offsetMs: number): void {
    this.#fromMs.push(fromMs);
    this.#offsetMs.push(offsetMs);
  }

  at(instantMs: number): number {
    let low = 0;
    let high = this.#fromMs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#fromMs[middle] ?? 0) <= instantMs) low = middle;
      else high = middle - 1;
    }
    return this.#offsetMs[low] ?? 0;
  }
}

class IanaZone implements Zone {
  readonly name: string;
  readonly #stretches = new Map<number, Offsets | number>();

  constructor(name: string) {
    this.name = name;
  }

  offsetAt(instantMs: number): number {
    const index = Math.floor(instantMs / STRETCH_MS);
    let stretch = this.#stretches.get(index);
    if (stretch === undefined) {
      if (knownStretches >= MAX_KNOWN_STRETCHES) forget();
      stretch = this.#read(index);
      this.#stretches.set(index, stretch);
      knownStretches += 1;
      readStretches += 1;
    }
    return typeof stretch === 'number' ? stretch : stretch.at(instantMs);
  }

  forget(): void {
    this.#stretches.clear();
  }

  /** A stretch without change is a number: most of the world has no summer time. */
  #read(index: number): Offsets | number {
    const endMs = (index + 1) * STRETCH_MS;
    let at = Temporal.Instant.fromEpochMilliseconds(index * STRETCH_MS).toZonedDateTimeISO(this.name);
    const offsets = new Offsets();
    offsets.add(Number.NEGATIVE_INFINITY, Math.round(at.offsetNanoseconds / 1e6));
    for (let changes = 0; ; changes += 1) {
      const next = at.getTimeZoneTransition('next');
      if (next === null || next.epochMilliseconds >= endMs)
        return changes === 0 ? Math.round(at.offsetNanoseconds / 1e6) : offsets;
      offsets.add(next.epochMilliseconds, Math.round(next.offsetNanoseconds / 1e6));
      at = next;
    }
  }
}

const zones = new Map<string, IanaZone>();
let knownStretches = 0;
let readStretches = 0;

/** Stretches that were asked of Temporal since the start: each costs about a millisecond, which its asker accounts for. */
export function stretchesRead(): number {
  return readStretches;
}

function forget(): void {
  for (const zone of zones.values()) zone.forget();
  knownStretches = 0;
}

/** @param name IANA name that Temporal knows, in any case */
export function ianaZone(name: string): Zone {
  if (name === 'UTC') return UTC;
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = new IanaZone(name);
    zones.set(name, zone);
  }
  return zone;
}
