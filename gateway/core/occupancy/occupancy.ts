/**
 * Is a room occupied, vacant or unknown? Evidence of presence has a half-life (`evidence.ts`); what is inactive
 * contributes nothing; a schedule is no evidence at all. While nobody can tell, the answer is `unknown`, never `vacant`.
 */
import type { Condition } from '../alarms/condition.ts';
import type { Now } from '../facts.ts';
import type { Point, Room } from '../site.ts';
import type { OccupancyView } from '../views.ts';
import { activityAt, co2Report, co2Slope, halfLifeMs, type OccupancyTuning, TUNING } from './evidence.ts';
import { draftOccupancy, type OccupancyInput, type OccupancyState, type PresenceSensor } from './state.ts';

export type { OccupancyInput, OccupancyState } from './state.ts';

/** A presence sensor that is on for this long without a break is stuck: nobody moves for two hours on end. */
export const STUCK_AFTER_MS = 2 * 3_600_000;
/** Whoever was let in is expected to enter within this time. */
export const EXPECT_ENTRY_MS = 2 * 60_000;
/** A door that opened this long before presence was last seen may have been opened by whoever left. */
export const LEAVING_MS = 60_000;
/** A people counter that has not counted for this long may have missed someone. */
export const COUNT_TRUST_MS = 4 * 3_600_000;
/** A count above zero lengthens the hold, zero shortens it, by this factor: counters miss people both ways. */
const COUNT_WEIGHT = 2;
/** While presence is on, `lastSeenMs` is renewed this often, so that a tick is not a change each second. */
const SEEN_STEP_MS = 10_000;
/** How sure evidence of each kind makes us at best, 0 to 1. */
const SURE = { presence: 0.98, people: 0.9, badge: 0.7 } as const;
const DOOR_LOOK_AGAIN_MS = 60_000;

const SILENT: PresenceSensor = {
  on: null,
  fresh: false,
  onSinceMonoMs: null,
  stuck: false,
  seesStill: false,
  offline: false,
};

/** Unknown until a sensor reports. */
export function initialOccupancy(room: Room, now: Now): OccupancyState {
  const sensors: Record<Point, PresenceSensor> = {};
  for (const point of room.points.presence) sensors[point] = SILENT;
  return {
    verdict: 'unknown',
    confidence: 0,
    sinceMs: now.wallMs,
    startedMonoMs: now.monoMs,
    sensors,
    people: null,
    lastSeenMs: null,
    lastSeenMonoMs: null,
    visitSinceMonoMs: null,
    expected: false,
    activity: 0,
    activityAtMonoMs: now.monoMs,
    activityWhenSeen: 0,
    co2: null,
    slopeWhenSeen: null,
    badgeMonoMs: null,
    doorOpenedMonoMs: null,
    blindSinceMonoMs: now.monoMs,
  };
}

/** @returns the same object when nothing changed, so that an idle tick costs the caller nothing. */
export function stepOccupancy(
  room: Room,
  state: OccupancyState,
  input: OccupancyInput,
  now: Now,
  tuning: OccupancyTuning = TUNING,
): OccupancyState {
  return settle(room, take(room, state, input, now, tuning), now, tuning);
}

export function occupancyView(state: OccupancyState): OccupancyView {
  return {
    state: state.verdict,
    confidence: state.confidence,
    sinceMs: state.sinceMs,
    people: state.people === null ? null : state.people.value,
    lastSeenMs: state.lastSeenMs,
  };
}

export function occupancyConditions(room: Room, state: OccupancyState, _now: Now): readonly Condition[] {
  const conditions: Condition[] = [];
  for (const point of room.points.presence) {
    if (state.sensors[point]?.stuck !== true) continue;
    conditions.push({
      kind: 'presence_stuck',
      severity: 'warning',
      room: room.id,
      device: deviceOf(point),
      text: `The presence sensor ${point} of ${room.name} has been on for two hours without a break and is left out. Check what it looks at, or replace it.`,
    });
  }
  return conditions;
}

function deviceOf(point: Point): string {
  const slash = point.indexOf('/');
  return slash < 0 ? point : point.slice(0, slash);
}

function take(
  room: Room,
  state: OccupancyState,
  input: OccupancyInput,
  now: Now,
  tuning: OccupancyTuning,
): OccupancyState {
  switch (input.kind) {
    case 'presence': {
      const sensor = state.sensors[input.point];
      if (sensor === undefined) return state;
      return withSensor(room, state, input.point, reported(sensor, input, now), now, tuning);
    }
    case 'people': {
      if (input.value === null || !Number.isFinite(input.value) || input.value < 0) return { ...state, people: null };
      const counted = { ...state, people: { value: input.value, atMonoMs: now.monoMs } };
      // A count that falls to zero says that someone was here until now.
      return input.value > 0 || (state.people !== null && state.people.value > 0) ? seen(counted, now) : counted;
    }
    case 'co2':
      return { ...state, co2: co2Report(state.co2, input.value, now.monoMs) };
    case 'door':
      return input.value === 'open' ? { ...state, doorOpenedMonoMs: now.monoMs } : state;
    case 'badge': {
      const next = draftOccupancy(state);
      next.badgeMonoMs = now.monoMs;
      return next;
    }
    case 'device':
      return withDevice(room, state, input.device, input.online, now, tuning);
    case 'tick':
      return state;
  }
}

function reported(
  sensor: PresenceSensor,
  input: Extract<OccupancyInput, { kind: 'presence' }>,
  now: Now,
): PresenceSensor {
  const { value, retained } = input;
  const seesStill = input.sensor === undefined ? sensor.seesStill : input.sensor === 'mmwave';
  // A broker keeps the last word of a device that is gone: that is no report.
  if (retained && sensor.offline) return sensor;
  if (value === null) return { ...SILENT, stuck: sensor.stuck };
  if (!value) return { ...SILENT, on: false };
  return {
    on: true,
    fresh: sensor.fresh || !retained,
    onSinceMonoMs: sensor.onSinceMonoMs ?? now.monoMs,
    stuck: sensor.stuck,
    seesStill,
    offline: false,
  };
}

function withSensor(
  room: Room,
  state: OccupancyState,
  point: Point,
  sensor: PresenceSensor,
  now: Now,
  tuning: OccupancyTuning,
): OccupancyState {
  const before = state.sensors[point];
  if (before === undefined || sameSensor(before, sensor)) return state;
  const wasOn = presenceOn(state);
  const sensors = { ...state.sensors, [point]: sensor };
  const elapsedMs = now.monoMs - state.activityAtMonoMs;
  const activity = activityAt(state.activity, wasOn, elapsedMs, room.occupancy.holdMs, tuning);
  const next = { ...state, sensors, activity, activityAtMonoMs: now.monoMs };
  // Going off ends a time of presence that lasted until now, even where no tick came in between. A sensor that is
  // found stuck takes its presence with it.
  return wasOn && !sensor.stuck ? seen(next, now) : next;
}

function sameSensor(a: PresenceSensor, b: PresenceSensor): boolean {
  return (
    a.on === b.on &&
    a.fresh === b.fresh &&
    a.stuck === b.stuck &&
    a.offline === b.offline &&
    a.onSinceMonoMs === b.onSinceMonoMs
  );
}

function withDevice(
  room: Room,
  state: OccupancyState,
  device: string,
  online: boolean,
  now: Now,
  tuning: OccupancyTuning,
): OccupancyState {
  let next = state;
  for (const point of room.points.presence) {
    const sensor = next.sensors[point];
    if (sensor === undefined || deviceOf(point) !== device) continue;
    const after = online ? { ...sensor, offline: false } : { ...SILENT, stuck: sensor.stuck, offline: true };
    next = withSensor(room, next, point, after, now, tuning);
  }
  if (online) return next;
  const { people, co2 } = room.points;
  if (next.people !== null && people !== undefined && deviceOf(people) === device) next = { ...next, people: null };
  if (next.co2 !== null && co2 !== undefined && deviceOf(co2) === device) next = { ...next, co2: null };
  return next;
}

/** Presence at this very moment by a sensor that can be believed. */
function presenceOn(state: OccupancyState): boolean {
  for (const point in state.sensors) {
    const sensor = state.sensors[point];
    if (sensor?.on === true && sensor.fresh && !sensor.stuck) return true;
  }
  return false;
}

function seen(state: OccupancyState, now: Now): OccupancyState {
  const fresh = state.visitSinceMonoMs === null;
  const expected =
    (!fresh && state.expected) || (state.badgeMonoMs !== null && now.monoMs - state.badgeMonoMs < EXPECT_ENTRY_MS);
  return {
    ...state,
    lastSeenMs: now.wallMs,
    lastSeenMonoMs: now.monoMs,
    visitSinceMonoMs: state.visitSinceMonoMs ?? now.monoMs,
    expected,
    activityWhenSeen: state.activity,
    slopeWhenSeen: co2Slope(state.co2, now.monoMs),
  };
}

/** Finds stuck sensors, renews what is seen right now, and gives the verdict. */
function settle(room: Room, before: OccupancyState, now: Now, tuning: OccupancyTuning): OccupancyState {
  let state = before;
  for (const point in state.sensors) {
    const sensor = state.sensors[point];
    if (sensor?.on !== true || sensor.stuck || sensor.seesStill || sensor.onSinceMonoMs === null) continue;
    if (now.monoMs - sensor.onSinceMonoMs < STUCK_AFTER_MS) continue;
    state = withSensor(room, state, point, { ...sensor, stuck: true }, now, tuning);
  }
  const on = presenceOn(state);
  if (on && (state.lastSeenMonoMs === null || now.monoMs - state.lastSeenMonoMs >= SEEN_STEP_MS)) {
    const elapsedMs = now.monoMs - state.activityAtMonoMs;
    const activity = activityAt(state.activity, true, elapsedMs, room.occupancy.holdMs, tuning);
    state = seen({ ...state, activity, activityAtMonoMs: now.monoMs }, now);
  }
  const blindSinceMonoMs = canTell(state, now) ? null : (state.blindSinceMonoMs ?? now.monoMs);
  if (blindSinceMonoMs !== state.blindSinceMonoMs) {
    const blind = draftOccupancy(state);
    blind.blindSinceMonoMs = blindSinceMonoMs;
    state = blind;
  }
  const { verdict, confidence: exact } = on ? SEEN_NOW : judge(room, state, now, tuning);
  const confidence = Math.round(exact * 100) / 100;
  if (verdict === state.verdict && confidence === state.confidence) return state;
  const next = draftOccupancy(state);
  next.confidence = confidence;
  // Spent evidence stays spent: a room called vacant needs a new sign of life.
  if (verdict !== 'occupied') next.visitSinceMonoMs = null;
  if (verdict !== state.verdict) {
    next.verdict = verdict;
    next.sinceMs = now.wallMs;
  }
  return next;
}

interface Verdict {
  readonly verdict: OccupancyState['verdict'];
  readonly confidence: number;
}
const SEEN_NOW: Verdict = { verdict: 'occupied', confidence: SURE.presence };
const UNKNOWN: Verdict = { verdict: 'unknown', confidence: 0 };

function countKnown(state: OccupancyState, now: Now): boolean {
  return state.people !== null && now.monoMs - state.people.atMonoMs < COUNT_TRUST_MS;
}

/** Whether some sensor could tell an empty room from an occupied one. */
function canTell(state: OccupancyState, now: Now): boolean {
  for (const point in state.sensors) {
    const sensor = state.sensors[point];
    if (sensor !== undefined && sensor.on !== null && !sensor.stuck) return true;
  }
  return countKnown(state, now);
}

/** The verdict while no believable sensor is on. */
function judge(room: Room, state: OccupancyState, now: Now, tuning: OccupancyTuning): Verdict {
  const { holdMs } = room.occupancy;
  const watched = room.points.presence.some((point) => isWatching(state.sensors[point]));
  if (!watched && countKnown(state, now)) {
    return {
      verdict: state.people !== null && state.people.value > 0 ? 'occupied' : 'vacant',
      confidence: SURE.people,
    };
  }
  if (state.visitSinceMonoMs !== null && state.lastSeenMonoMs !== null) {
    const halfLife = currentHalfLifeMs(room, state, now, tuning);
    const quietMs = now.monoMs - state.lastSeenMonoMs;
    const blindMs = state.blindSinceMonoMs === null ? 0 : now.monoMs - state.blindSinceMonoMs;
    if (quietMs < halfLife && blindMs < holdMs) {
      return { verdict: 'occupied', confidence: SURE.presence * 0.5 ** (quietMs / halfLife) };
    }
  }
  if (state.blindSinceMonoMs !== null) return judgeBlind(room, state, now, state.blindSinceMonoMs);
  // A retained `true` is no fresh presence, but no vacancy either.
  for (const point in state.sensors) {
    const sensor = state.sensors[point];
    if (sensor?.on === true && !sensor.stuck) return UNKNOWN;
  }
  return { verdict: 'vacant', confidence: vacantConfidence(room, state, now) };
}

function isWatching(sensor: PresenceSensor | undefined): boolean {
  return sensor !== undefined && sensor.on !== null && !sensor.stuck;
}

/** No sensor tells: a vacant room stays so for one hold, a granted access counts for one hold, then unknown. */
function judgeBlind(room: Room, state: OccupancyState, now: Now, blindSinceMonoMs: number): Verdict {
  const { holdMs } = room.occupancy;
  const sinceBadgeMs = state.badgeMonoMs === null ? Number.POSITIVE_INFINITY : now.monoMs - state.badgeMonoMs;
  if (sinceBadgeMs < holdMs) return { verdict: 'occupied', confidence: SURE.badge * 0.5 ** (sinceBadgeMs / holdMs) };
  if (state.verdict === 'vacant' && now.monoMs - blindSinceMonoMs < holdMs) {
    return { verdict: 'vacant', confidence: 0.5 };
  }
  return UNKNOWN;
}

function currentHalfLifeMs(room: Room, state: OccupancyState, now: Now, tuning: OccupancyTuning): number {
  const seenMonoMs = state.lastSeenMonoMs ?? now.monoMs;
  const { doorOpenedMonoMs, badgeMonoMs } = state;
  const letIn = badgeMonoMs !== null && doorOpenedMonoMs !== null && doorOpenedMonoMs - badgeMonoMs < EXPECT_ENTRY_MS;
  const halfLife = halfLifeMs(
    room.occupancy.holdMs,
    {
      visitSpanMs: seenMonoMs - (state.visitSinceMonoMs ?? seenMonoMs),
      expected: state.expected,
      activity: state.activityWhenSeen,
      slope: co2Slope(state.co2, now.monoMs),
      slopeWhenSeen: state.slopeWhenSeen,
      doorOpened: doorOpenedMonoMs !== null && !letIn && doorOpenedMonoMs > seenMonoMs - LEAVING_MS,
    },
    tuning,
  );
  if (!countKnown(state, now)) return halfLife;
  return state.people !== null && state.people.value > 0 ? halfLife * COUNT_WEIGHT : halfLife / COUNT_WEIGHT;
}

function vacantConfidence(room: Room, state: OccupancyState, now: Now): number {
  const quietMs = now.monoMs - (state.lastSeenMonoMs ?? state.startedMonoMs);
  const doorMs = state.doorOpenedMonoMs === null ? Number.POSITIVE_INFINITY : now.monoMs - state.doorOpenedMonoMs;
  // A door that opens means look again: not occupied, but no longer sure of vacancy.
  if (doorMs < DOOR_LOOK_AGAIN_MS) return 0.5;
  const points = room.points.presence;
  const watching = points.filter((point) => isWatching(state.sensors[point])).length;
  const coverage = points.length === 0 ? 1 : watching / points.length;
  return 0.5 + 0.5 * coverage * (1 - 0.5 ** (quietMs / room.occupancy.holdMs));
}
