/**
 * What a room's heating and cooling should do now: a function of the present facts. Nothing is saved and restored: the
 * setpoint is worked out again each time from booking, presence, sensors and time. Modes: ASHRAE Guideline 36.
 */
import type { Condition } from '../alarms/condition.ts';
import type { Now } from '../facts.ts';
import type { ClimateSettings, Room } from '../site.ts';
import type { ClimateMode, OccupancyView } from '../views.ts';
import {
  decided,
  initialOutput,
  noteSwitch,
  type OnOff,
  type OutputLatch,
  type RelayFacts,
  switchOutputs,
} from './outputs.ts';

export interface TemperatureFact {
  /** °C; null or NaN: the sensor says that it cannot tell. */
  readonly value: number | null;
  readonly receivedMonoMs: number;
  readonly online: boolean;
}

export interface ClimateFacts {
  /** undefined: never reported. */
  readonly temperature: TemperatureFact | undefined;
  readonly occupancy: OccupancyView;
  readonly bookedNow: boolean;
  /** Start of the booking that runs. */
  readonly bookedSinceMs?: number | undefined;
  /** Start of the next booking that stands. */
  readonly nextStartMs?: number | undefined;
  readonly heating: RelayFacts;
  readonly cooling: RelayFacts;
  /** Since when the heating relay reports on, and the room's temperature then, °C. */
  readonly heatingOnSinceMonoMs?: number | undefined;
  readonly temperatureAtHeatingOn?: number | undefined;
  /** What the last decision returned; undefined at start. */
  readonly latch: ClimateLatch | undefined;
}

/** The little that one decision must tell the next. Plain data; lost at a restart without harm. */
export interface ClimateLatch {
  readonly freezing: boolean;
  /** Booked, but nobody there for a while. */
  readonly widened: boolean;
  /** Since when the sensor has been waited for; null once it has reported. */
  readonly waitingSinceMonoMs: number | null;
  /** Start of the duty window of a stale sensor. */
  readonly dutySinceMonoMs: number | null;
  /** Since when heating or cooling has waited for the other's relay to report off. */
  readonly blockedSinceMonoMs: number | null;
  readonly heating: OutputLatch;
  readonly cooling: OutputLatch;
}

export interface ClimateDecision {
  readonly mode: ClimateMode;
  /** °C; null in a room without climate control. */
  readonly heatingSetpoint: number | null;
  readonly coolingSetpoint: number | null;
  readonly heating: OnOff;
  readonly cooling: OnOff;
  /** Relays that opened by themselves a short time ago: wanted on, but not to be ordered on yet. */
  readonly resting: { readonly heating: boolean; readonly cooling: boolean };
  readonly latch: ClimateLatch;
  readonly conditions: readonly Condition[];
  /** Wall time at which a minimum on or off time that stands against the demand ends. */
  readonly holdUntilWallMs?: number | undefined;
}

/** Half the hysteresis: on below setpoint − 0.25 K, off above setpoint + 0.25 K. */
export const HYSTERESIS_K = 0.25;
/** Heating and cooling setpoints stay this far apart, so that both sides of the hysteresis fit between. */
export const MIN_DEADBAND_K = 0.5;
/** Preparation for a booking starts at most this long ahead. */
export const MAX_LEAD_MS = 3 * 3_600_000;
/** Booked but nobody there for this long: setpoints widen by `ABSENCE_WIDENING_K`… */
export const ABSENCE_MS = 5 * 60_000;
export const ABSENCE_WIDENING_K = 0.5;
/** …and come back after this much presence. */
export const RETURN_MS = 60_000;
/** Freeze protection ends above this temperature, °C. */
export const FREEZE_CLEAR_C = 7;
/** A sensor that has not reported for this long is stale; an unchanged value that is reported is not. */
export const STALE_AFTER_MS = 60 * 60_000;
/** With a stale sensor the heating runs at most this share of the time. */
export const STALE_DUTY = 0.1;
/** Shortest duty window: three minutes of heat in half an hour, unless the minimum on time asks for longer ones. */
const DUTY_WINDOW_MS = 30 * 60_000;
/** A sensor that has never reported gets this long to connect. */
export const FIRST_REPORT_MS = 60_000;
/** Heating for this long without any rise is an alarm. */
export const NO_EFFECT_AFTER_MS = 15 * 60_000;
/** A relay that keeps the other output waiting for longer than this is an alarm; until then its report may be under way. */
export const BLOCKED_ALARM_AFTER_MS = 60_000;
/** Less than this is no rise but noise, K. */
const RISE_K = 0.05;

/** Decides once; call at each tick and whenever a fact changes. */
export function decideClimate(room: Room, facts: ClimateFacts, now: Now): ClimateDecision {
  const settings = room.climate;
  const latch = refreshed(facts, now);
  if (settings === undefined || room.points.temperature === undefined) {
    return {
      mode: 'off',
      heatingSetpoint: null,
      coolingSetpoint: null,
      heating: 'off',
      cooling: 'off',
      resting: { heating: false, cooling: false },
      latch,
      conditions: [],
    };
  }
  const sensor = readSensor(facts, latch, now);
  const widened = isWidened(latch.widened, facts, now);
  const freezing = isFreezing(latch.freezing, settings, sensor);
  const goal = setpoints(room, settings, facts, sensor, widened, now);
  const demand = demands(settings, latch, goal, sensor, freezing);
  const dutySinceMonoMs = sensor.state === 'stale' ? (latch.dutySinceMonoMs ?? now.monoMs) : null;
  if (dutySinceMonoMs !== null && demand.heating === 'on' && !inDuty(settings, dutySinceMonoMs, now)) {
    demand.heating = 'off';
  }
  const blind = sensor.state === 'missing' || sensor.state === 'stale';
  const outputs = switchOutputs(
    { latch: latch.heating, relay: facts.heating, demand: demand.heating, fitted: room.points.heating !== undefined },
    { latch: latch.cooling, relay: facts.cooling, demand: demand.cooling, fitted: room.points.cooling !== undefined },
    { minOnMs: settings.minOnMs, minOffMs: settings.minOffMs, freezing, blind },
    now,
  );
  const blockedSinceMonoMs = outputs.blocked === undefined ? null : (latch.blockedSinceMonoMs ?? now.monoMs);
  const mode = modeOf(goal.mode, demand, sensor, freezing);
  return {
    mode,
    heatingSetpoint: freezing ? Math.max(goal.heat, clearAbove(settings)) : goal.heat,
    coolingSetpoint: goal.cool,
    heating: outputs.heating,
    cooling: outputs.cooling,
    resting: outputs.resting,
    latch: same(facts.latch, {
      freezing,
      widened,
      waitingSinceMonoMs: latch.waitingSinceMonoMs,
      dutySinceMonoMs,
      blockedSinceMonoMs,
      heating: decided(latch.heating, demand.heating, outputs.heating, now),
      cooling: decided(latch.cooling, demand.cooling, outputs.cooling, now),
    }),
    conditions: [
      ...conditions(room, facts, sensor, freezing, now),
      ...interlock(room, outputs.blocked, blockedSinceMonoMs, freezing, now),
    ],
    holdUntilWallMs: outputs.remainingMs > 0 ? now.wallMs + outputs.remainingMs : undefined,
  };
}

function refreshed(facts: ClimateFacts, now: Now): ClimateLatch {
  const latch = facts.latch;
  const waitingSinceMonoMs = facts.temperature !== undefined ? null : (latch?.waitingSinceMonoMs ?? now.monoMs);
  if (latch === undefined) {
    return {
      freezing: false,
      widened: false,
      waitingSinceMonoMs,
      dutySinceMonoMs: null,
      blockedSinceMonoMs: null,
      heating: initialOutput(facts.heating, now),
      cooling: initialOutput(facts.cooling, now),
    };
  }
  return {
    ...latch,
    waitingSinceMonoMs,
    heating: noteSwitch(latch.heating, facts.heating, now),
    cooling: noteSwitch(latch.cooling, facts.cooling, now),
  };
}

/** Hands back the old object when nothing changed. */
function same(before: ClimateLatch | undefined, after: ClimateLatch): ClimateLatch {
  const equal =
    before !== undefined &&
    before.freezing === after.freezing &&
    before.widened === after.widened &&
    before.waitingSinceMonoMs === after.waitingSinceMonoMs &&
    before.dutySinceMonoMs === after.dutySinceMonoMs &&
    before.blockedSinceMonoMs === after.blockedSinceMonoMs &&
    before.heating === after.heating &&
    before.cooling === after.cooling;
  return equal ? before : after;
}

type Sensor =
  | { readonly state: 'good' | 'stale'; readonly value: number }
  | { readonly state: 'missing'; readonly value: null }
  | { readonly state: 'waiting'; readonly value: null };

function readSensor(facts: ClimateFacts, latch: ClimateLatch, now: Now): Sensor {
  const { temperature } = facts;
  if (temperature === undefined) {
    const waitedMs = now.monoMs - (latch.waitingSinceMonoMs ?? now.monoMs);
    return { state: waitedMs < FIRST_REPORT_MS ? 'waiting' : 'missing', value: null };
  }
  const { value, receivedMonoMs } = temperature;
  if (value === null || !Number.isFinite(value)) return { state: 'missing', value: null };
  return { state: now.monoMs - receivedMonoMs >= STALE_AFTER_MS ? 'stale' : 'good', value };
}

/** Booked but empty; the time counts from the booking's start or from when the room was found empty. */
function isWidened(before: boolean, facts: ClimateFacts, now: Now): boolean {
  const { occupancy } = facts;
  if (!facts.bookedNow || occupancy.state === 'unknown') return false;
  if (occupancy.state === 'occupied') return before && now.wallMs - occupancy.sinceMs < RETURN_MS;
  return before || now.wallMs - Math.max(occupancy.sinceMs, facts.bookedSinceMs ?? 0) >= ABSENCE_MS;
}

function clearAbove(settings: ClimateSettings): number {
  return Math.max(FREEZE_CLEAR_C, settings.freezeBelow + MIN_DEADBAND_K);
}

function isFreezing(before: boolean, settings: ClimateSettings, sensor: Sensor): boolean {
  if (sensor.value === null) return before;
  if (sensor.value < settings.freezeBelow) return true;
  return before && sensor.value <= clearAbove(settings);
}

interface Goal {
  readonly mode: 'occupied' | 'warm_up' | 'cool_down' | 'unoccupied';
  readonly heat: number;
  readonly cool: number;
}

function setpoints(
  room: Room,
  settings: ClimateSettings,
  facts: ClimateFacts,
  sensor: Sensor,
  widened: boolean,
  now: Now,
): Goal {
  const { heatTo } = settings;
  const coolTo = Math.max(settings.coolTo, heatTo + MIN_DEADBAND_K);
  if (facts.bookedNow || facts.occupancy.state === 'occupied') {
    const wider = widened ? ABSENCE_WIDENING_K : 0;
    return { mode: 'occupied', heat: heatTo - wider, cool: coolTo + wider };
  }
  const leadMs = Math.min(settings.leadMs, MAX_LEAD_MS);
  if (facts.nextStartMs !== undefined && now.wallMs >= facts.nextStartMs - leadMs) {
    const warm = sensor.value !== null && sensor.value > (heatTo + coolTo) / 2;
    const cools = room.points.cooling !== undefined && (warm || room.points.heating === undefined);
    return { mode: cools ? 'cool_down' : 'warm_up', heat: heatTo, cool: coolTo };
  }
  const heat = Math.min(settings.setbackTo, heatTo);
  return { mode: 'unoccupied', heat, cool: Math.max(settings.setupTo, coolTo) };
}

interface Demands {
  heating: OnOff;
  cooling: OnOff;
}

function demands(
  settings: ClimateSettings,
  latch: ClimateLatch,
  goal: Goal,
  sensor: Sensor,
  freezing: boolean,
): Demands {
  if (sensor.state === 'missing') return { heating: 'off', cooling: 'off' };
  // Just started: what runs keeps running for the minute that the sensor may take to report.
  if (sensor.state === 'waiting') return { heating: latch.heating.demand, cooling: latch.cooling.demand };
  if (sensor.state === 'stale') {
    // The last value is history: it tells summer from winter and no more.
    const cold = sensor.value < (settings.heatTo + Math.max(settings.coolTo, settings.heatTo)) / 2;
    return { heating: cold || freezing ? 'on' : 'off', cooling: 'off' };
  }
  const heating = freezing || side(goal.heat - sensor.value, latch.heating.demand) === 'on' ? 'on' : 'off';
  const cooling = heating === 'off' && side(sensor.value - goal.cool, latch.cooling.demand) === 'on' ? 'on' : 'off';
  return { heating, cooling };
}

/** @param short how far the room is on the wrong side of the setpoint, K */
function side(short: number, before: OnOff): OnOff {
  if (short > HYSTERESIS_K) return 'on';
  return short < -HYSTERESIS_K ? 'off' : before;
}

/** The last tenth of each window: a sensor that comes back soon is not preceded by blind heating. */
function inDuty(settings: ClimateSettings, sinceMonoMs: number, now: Now): boolean {
  const windowMs = Math.max(DUTY_WINDOW_MS, settings.minOnMs / STALE_DUTY);
  return (now.monoMs - sinceMonoMs) % windowMs >= windowMs * (1 - STALE_DUTY);
}

function modeOf(goal: Goal['mode'], demand: Demands, sensor: Sensor, freezing: boolean): ClimateMode {
  if (sensor.state === 'missing' || sensor.state === 'stale') return 'sensor_fault';
  if (freezing) return 'freeze_protection';
  if (goal !== 'unoccupied') return goal;
  if (demand.heating === 'on') return 'setback';
  return demand.cooling === 'on' ? 'setup' : 'unoccupied';
}

function conditions(
  room: Room,
  facts: ClimateFacts,
  sensor: Sensor,
  freezing: boolean,
  now: Now,
): readonly Condition[] {
  const found: Condition[] = [];
  const base = { room: room.id };
  if (freezing) {
    const at = sensor.value === null ? 'an unknown temperature' : `${sensor.value.toFixed(1)} °C`;
    found.push({
      ...base,
      kind: 'freeze',
      severity: 'critical',
      text: `${room.name} is at ${at}: heating against frost until it is above ${FREEZE_CLEAR_C} °C. Check the heating, and windows left open.`,
    });
  }
  if (sensor.state === 'missing') {
    found.push({
      ...base,
      kind: 'temperature_missing',
      severity: 'warning',
      text: `${room.name} has no temperature: heating and cooling are off. Check the sensor and its power.`,
    });
  }
  if (sensor.state === 'stale') {
    found.push({
      ...base,
      kind: 'temperature_stale',
      severity: 'warning',
      text: `The temperature of ${room.name} was last reported over an hour ago: heating runs at most a tenth of the time. Check the sensor and its battery.`,
    });
  }
  if (sensor.state === 'good' && noEffect(facts, sensor.value, now)) {
    found.push({
      ...base,
      kind: 'no_heating_effect',
      severity: 'warning',
      text: `${room.name} has been heated for over 15 minutes and got no warmer. Check the valve, the heater and windows left open.`,
    });
  }
  return found;
}

/** Says why a room that needs it is neither heated nor cooled, and which relay to look at. */
function interlock(
  room: Room,
  blocked: 'heating' | 'cooling' | undefined,
  sinceMonoMs: number | null,
  freezing: boolean,
  now: Now,
): readonly Condition[] {
  if (blocked === undefined || sinceMonoMs === null || now.monoMs - sinceMonoMs < BLOCKED_ALARM_AFTER_MS) return [];
  const other = blocked === 'heating' ? 'cooling' : 'heating';
  const relay = room.points[other];
  return [
    {
      kind: 'interlock',
      severity: freezing ? 'critical' : 'warning',
      room: room.id,
      device: relay,
      text: `${blocked === 'heating' ? 'Heating' : 'Cooling'} of ${room.name} waits: the relay for ${other}, ${relay}, was last on and has not reported off, and the two never run together. Check that relay, its power and its network.`,
    },
  ];
}

function noEffect(facts: ClimateFacts, value: number, now: Now): boolean {
  const { heatingOnSinceMonoMs, temperatureAtHeatingOn, heating } = facts;
  if (heating.reported !== 'on' || heatingOnSinceMonoMs === undefined || temperatureAtHeatingOn === undefined) {
    return false;
  }
  return now.monoMs - heatingOnSinceMonoMs >= NO_EFFECT_AFTER_MS && value < temperatureAtHeatingOn + RISE_K;
}
