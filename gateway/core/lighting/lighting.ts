/**
 * What level the lights of a room should have: on with presence or a granted badge, off after vacancy with a warning
 * first. A hand on the switch outranks this controller until the room was empty.
 */
import { sameOutput } from '../climate/relay.ts';
import type { Now } from '../facts.ts';
import type { LightingSettings, Point, Room, RoomKind } from '../site.ts';
import type { OccupancyView } from '../views.ts';

export interface LightingFacts {
  readonly occupancy: OccupancyView;
  readonly bookedNow: boolean;
  /** Last access granted at the room's door. */
  readonly lastBadgeMonoMs?: number | undefined;
  /** What the lights report, 0-100 % (a relay: 0 or 100); null while not known. */
  readonly reportedLevel: number | null;
  readonly reportedMonoMs?: number | undefined;
  readonly online: boolean;
}

export interface LightingLatch {
  readonly target: number;
  readonly targetSinceMonoMs: number;
  readonly lit: boolean;
  /** Last presence, badge or hand on the switch. */
  readonly lastUseMonoMs: number | null;
  /** `lastSeenMs` of the occupancy that `lastUseMonoMs` was taken from. */
  readonly seenMs: number | null;
  readonly warnSinceMonoMs: number | null;
  /** The device has reported the present target: a report that differs from now on is a hand on the switch. */
  readonly reached: boolean;
  readonly manualOff: boolean;
  /** Level set by hand, until the lights go off. */
  readonly manualLevel: number | null;
  /** What burned when we started has been taken over. */
  readonly adopted: boolean;
  /** When the device was last found back online; null while it is offline. */
  readonly backMonoMs: number | null;
}

export interface LightingDecision {
  /** 0-100 %. */
  readonly target: number;
  readonly warning: boolean;
  /** For lights that cannot dim: off for a moment, at the start of the warning. */
  readonly blink: boolean;
  readonly latch: LightingLatch;
}

/** Lights go off at most this long after the room emptied (FACTS 4), whatever the configuration asks. */
export const MAX_OFF_AFTER_MS = 20 * 60_000;
/** Warning and booked patient rooms are dimmed to this share of the level in use. */
export const DIM_SHARE = 1 / 3;
/** Length of the blink of a light that cannot dim: two ticks at most. */
export const BLINK_MS = 1_500;
/** Here someone may lie undressed and unable to move: booked, it never goes dark. */
const PATIENT_ROOMS: readonly RoomKind[] = ['consult', 'therapy', 'procedure'];

/** A latch as at start; plain data. */
export function initialLightingLatch(now: Now): LightingLatch {
  return {
    target: 0,
    targetSinceMonoMs: now.monoMs,
    lit: false,
    lastUseMonoMs: null,
    seenMs: null,
    warnSinceMonoMs: null,
    reached: false,
    manualOff: false,
    manualLevel: null,
    adopted: false,
    backMonoMs: null,
  };
}

/** What a light is to be sent: percent for a dimmer, on or off for a relay. */
export function lightValue(point: Point, decision: LightingDecision): 'on' | 'off' | number {
  if (!isRelay(point)) return decision.target;
  return decision.target > 0 && !decision.blink ? 'on' : 'off';
}

/** @param given what the last call returned; undefined at start. */
export function decideLighting(
  room: Room,
  facts: LightingFacts,
  given: LightingLatch | undefined,
  now: Now,
): LightingDecision {
  const before = given ?? initialLightingLatch(now);
  const settings = room.lighting;
  if (settings === undefined || room.points.lights.length === 0) {
    return { target: 0, warning: false, blink: false, latch: before };
  }
  const noticed = notice(room, before, facts, now);
  const choice = choose(room, used(noticed.latch, facts, settings, now), facts, settings, now);
  let { latch } = choice;
  if (choice.target !== latch.target) {
    // What a hand has set is reached already; what we ask for is reached when it is reported.
    const reached = noticed.byHand && suits(room, choice.target, facts.reportedLevel);
    latch = { ...latch, target: choice.target, targetSinceMonoMs: now.monoMs, reached };
  }
  const { warnSinceMonoMs } = latch;
  const blink = choice.warning && warnSinceMonoMs !== null && now.monoMs - warnSinceMonoMs < BLINK_MS;
  return { target: choice.target, warning: choice.warning, blink, latch: sameLatch(before, latch) ? before : latch };
}

function isRelay(point: Point): boolean {
  return point.slice(point.indexOf('/') + 1).startsWith('relay');
}

function sameLatch(a: LightingLatch, b: LightingLatch): boolean {
  return (
    a.target === b.target &&
    a.targetSinceMonoMs === b.targetSinceMonoMs &&
    a.lit === b.lit &&
    a.lastUseMonoMs === b.lastUseMonoMs &&
    a.seenMs === b.seenMs &&
    a.warnSinceMonoMs === b.warnSinceMonoMs &&
    a.reached === b.reached &&
    a.manualOff === b.manualOff &&
    a.manualLevel === b.manualLevel &&
    a.adopted === b.adopted &&
    a.backMonoMs === b.backMonoMs
  );
}

function suits(room: Room, target: number, level: number | null): boolean {
  if (level === null) return false;
  return room.points.lights.every(isRelay) ? target > 0 === level > 0 : sameOutput(target, level);
}

interface Noticed {
  readonly latch: LightingLatch;
  readonly byHand: boolean;
}

/** Reads the device's report: was the target reached, did a hand change it since? */
function notice(room: Room, given: LightingLatch, facts: LightingFacts, now: Now): Noticed {
  const { reportedLevel } = facts;
  // A light that was cut off may come back with any level: nobody's hand.
  if (!facts.online) {
    const cutOff = given.reached || given.backMonoMs !== null;
    return { latch: cutOff ? { ...given, reached: false, backMonoMs: null } : given, byHand: false };
  }
  const backMonoMs = given.backMonoMs ?? now.monoMs;
  const latch = given.backMonoMs === null ? { ...given, backMonoMs } : given;
  if (reportedLevel === null) return { latch: latch.reached ? { ...latch, reached: false } : latch, byHand: false };
  if (!latch.adopted) {
    const adopted = { ...latch, adopted: true };
    const burning = reportedLevel > 0 && !latch.lit;
    return { latch: burning ? { ...adopted, lit: true, lastUseMonoMs: now.monoMs } : adopted, byHand: false };
  }
  const relays = room.points.lights.every(isRelay);
  if (suits(room, latch.target, reportedLevel)) {
    // A report from before the order, or from before the light was cut off, may suit by chance; only a later one
    // shows that the order was carried out.
    const sinceMonoMs = Math.max(latch.targetSinceMonoMs, backMonoMs);
    const later = facts.reportedMonoMs === undefined || facts.reportedMonoMs >= sinceMonoMs;
    return { latch: later && !latch.reached ? { ...latch, reached: true } : latch, byHand: false };
  }
  if (!latch.reached || inBlink(relays, latch, now)) return { latch, byHand: false };
  if (reportedLevel === 0) {
    return { latch: { ...latch, manualOff: true, lit: false, manualLevel: null }, byHand: true };
  }
  const on = { ...latch, manualOff: false, lit: true, lastUseMonoMs: now.monoMs, warnSinceMonoMs: null };
  return { latch: { ...on, manualLevel: relays ? null : reportedLevel }, byHand: true };
}

/** Our own blink, and the time its report takes, is no hand on the switch. */
function inBlink(relays: boolean, latch: LightingLatch, now: Now): boolean {
  return relays && latch.warnSinceMonoMs !== null && now.monoMs - latch.warnSinceMonoMs < 10 * BLINK_MS;
}

/** Keeps the time of the last use, in monotonic time. */
function used(latch: LightingLatch, facts: LightingFacts, settings: LightingSettings, now: Now): LightingLatch {
  const { occupancy } = facts;
  let lastUseMonoMs = latch.lastUseMonoMs ?? Number.NEGATIVE_INFINITY;
  let seenMs = latch.seenMs;
  if (occupancy.lastSeenMs !== null && occupancy.lastSeenMs !== seenMs) {
    seenMs = occupancy.lastSeenMs;
    const agoMs = Math.min(Math.max(0, now.wallMs - seenMs), settings.offAfterMs);
    lastUseMonoMs = Math.max(lastUseMonoMs, now.monoMs - agoMs);
  }
  if (facts.lastBadgeMonoMs !== undefined) lastUseMonoMs = Math.max(lastUseMonoMs, facts.lastBadgeMonoMs);
  // Nobody can tell who is in there: whoever booked it is not left in the dark.
  const blindlyBooked = occupancy.state === 'unknown' && facts.bookedNow && latch.lit;
  if (blindlyBooked || (occupancy.state === 'occupied' && occupancy.lastSeenMs === null)) lastUseMonoMs = now.monoMs;
  const known = Number.isFinite(lastUseMonoMs) ? lastUseMonoMs : null;
  if (known === latch.lastUseMonoMs && seenMs === latch.seenMs) return latch;
  return { ...latch, lastUseMonoMs: known, seenMs };
}

interface Choice {
  readonly target: number;
  readonly warning: boolean;
  readonly latch: LightingLatch;
}

function choose(room: Room, latch: LightingLatch, facts: LightingFacts, settings: LightingSettings, now: Now): Choice {
  const { state } = facts.occupancy;
  const level = latch.manualLevel ?? settings.level;
  const badged = facts.lastBadgeMonoMs !== undefined && facts.lastBadgeMonoMs >= now.monoMs - settings.offAfterMs;
  const newBadge = badged && facts.lastBadgeMonoMs !== undefined && facts.lastBadgeMonoMs >= latch.targetSinceMonoMs;
  if (latch.manualOff) {
    if (state !== 'vacant') return { target: 0, warning: false, latch: { ...latch, warnSinceMonoMs: null } };
    return { target: 0, warning: false, latch: { ...latch, manualOff: false, lit: false, warnSinceMonoMs: null } };
  }
  if (state === 'occupied' || (newBadge && !latch.lit)) {
    return { target: level, warning: false, latch: { ...latch, lit: true, warnSinceMonoMs: null } };
  }
  if (!latch.lit) return { target: 0, warning: false, latch: { ...latch, warnSinceMonoMs: null } };
  const offAfterMs = Math.min(settings.offAfterMs, MAX_OFF_AFTER_MS);
  const quietMs = now.monoMs - (latch.lastUseMonoMs ?? now.monoMs);
  if (latch.warnSinceMonoMs === null && quietMs < offAfterMs - settings.warnMs) {
    return { target: level, warning: false, latch };
  }
  return fade(room, latch, facts, settings, level, quietMs < offAfterMs - settings.warnMs, now);
}

/** The warning, the dimmed patient room, and the dark at last. */
function fade(
  room: Room,
  latch: LightingLatch,
  facts: LightingFacts,
  settings: LightingSettings,
  level: number,
  usedSince: boolean,
  now: Now,
): Choice {
  if (usedSince) return { target: level, warning: false, latch: { ...latch, warnSinceMonoMs: null } };
  const dimmed = Math.max(1, Math.round(level * DIM_SHARE));
  if (facts.bookedNow && PATIENT_ROOMS.includes(room.kind)) {
    // The warning begins when the booking ends.
    return { target: dimmed, warning: false, latch: { ...latch, warnSinceMonoMs: null } };
  }
  const warnSinceMonoMs = latch.warnSinceMonoMs ?? now.monoMs;
  if (now.monoMs - warnSinceMonoMs < settings.warnMs) {
    return { target: dimmed, warning: true, latch: { ...latch, warnSinceMonoMs } };
  }
  return { target: 0, warning: false, latch: { ...latch, lit: false, manualLevel: null, warnSinceMonoMs: null } };
}
