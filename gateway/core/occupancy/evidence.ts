/**
 * How long the last sign of life stays believable. All durations are multiples of the room's own `holdMs`, so that
 * a corridor with a hold of two minutes and a consulting room with seven behave alike in shape.
 */

export interface OccupancyTuning {
  /** Hold of a brief passage, × holdMs: what is configured is what a person with a stopwatch sees. */
  readonly passing: number;
  /** Presence seen over this span, × holdMs, is a visit and no passage any more. */
  readonly settleSpan: number;
  /** Hold of a settled visit that was hardly ever seen moving, × holdMs: who sits still is seen seldom. */
  readonly still: number;
  /** Hold of a settled visit that was seen without a break, × holdMs: a lively room that falls silent was left. */
  readonly busy: number;
  /** Time constant of the share of time that presence was seen, × holdMs. */
  readonly activitySpan: number;
  /** While CO2 rises someone breathes: up to this much longer, as a share of the hold. */
  readonly co2Longer: number;
  /** CO2 whose slope broke since presence was last seen: up to this much shorter, as a share of the hold. */
  readonly co2Shorter: number;
  /** A slope that counts in full, ppm/min. A seated adult breathes out some 0.3 L/min of CO2: 4 ppm/min in 80 m³. */
  readonly co2Slope: number;
  /** The door moved when presence was last seen: this much shorter, as a share of the hold. */
  readonly doorShorter: number;
}

/** Set on three days of one room (test/data/occupancy); each may be off by a fifth without losing the gain. */
export const TUNING: OccupancyTuning = {
  passing: 1,
  settleSpan: 0.5,
  still: 1.4,
  busy: 0.6,
  activitySpan: 0.5,
  co2Longer: 0.5,
  co2Shorter: 0.3,
  co2Slope: 2,
  doorShorter: 0.3,
};

/** Two running means of a CO2 signal; their difference is its slope, in constant memory and for any report rate. */
export interface Co2Trend {
  /** Last report, ppm. */
  readonly value: number;
  readonly fast: number;
  readonly slow: number;
  readonly atMonoMs: number;
}

const CO2_FAST_MS = 60_000;
const CO2_SLOW_MS = 300_000;
/** A CO2 sensor that has said nothing for this long says nothing about now. */
const CO2_STALE_MS = 30 * 60_000;
const MS_PER_MIN = 60_000;

function toward(mean: number, value: number, elapsedMs: number, timeConstantMs: number): number {
  return value + (mean - value) * Math.exp(-elapsedMs / timeConstantMs);
}

/** @param ppm a report; null, NaN or a silent half hour start the trend anew. */
export function co2Report(trend: Co2Trend | null, ppm: number | null, monoMs: number): Co2Trend | null {
  if (ppm === null || !Number.isFinite(ppm)) return null;
  const elapsedMs = trend === null ? 0 : monoMs - trend.atMonoMs;
  if (trend === null || elapsedMs < 0 || elapsedMs > CO2_STALE_MS) {
    return { value: ppm, fast: ppm, slow: ppm, atMonoMs: monoMs };
  }
  // The mean moves towards the new value over the time since the last report: right for sensors that report
  // steadily, and at most one interval early for those that report changes only.
  return {
    value: ppm,
    fast: toward(trend.fast, ppm, elapsedMs, CO2_FAST_MS),
    slow: toward(trend.slow, ppm, elapsedMs, CO2_SLOW_MS),
    atMonoMs: monoMs,
  };
}

/** Slope at `monoMs` in ppm/min, the last report held until then; null while nothing is known. */
export function co2Slope(trend: Co2Trend | null, monoMs: number): number | null {
  if (trend === null) return null;
  const elapsedMs = monoMs - trend.atMonoMs;
  if (elapsedMs > CO2_STALE_MS) return null;
  const fast = toward(trend.fast, trend.value, elapsedMs, CO2_FAST_MS);
  const slow = toward(trend.slow, trend.value, elapsedMs, CO2_SLOW_MS);
  return ((fast - slow) * MS_PER_MIN) / (CO2_SLOW_MS - CO2_FAST_MS);
}

/** Share of time, 0 to 1, that presence was on lately; exact for a level held since `atMonoMs`. */
export function activityAt(
  activity: number,
  on: boolean,
  elapsedMs: number,
  holdMs: number,
  tuning: OccupancyTuning,
): number {
  if (elapsedMs <= 0) return activity;
  return toward(activity, on ? 1 : 0, elapsedMs, tuning.activitySpan * holdMs);
}

export interface HoldFacts {
  /** From the first to the last presence of this visit. */
  readonly visitSpanMs: number;
  /** Someone was let in at the door just before: no passage. */
  readonly expected: boolean;
  /** Share of time that presence was on, when it was last on. */
  readonly activity: number;
  /** CO2 slope now and when presence was last seen, ppm/min. */
  readonly slope: number | null;
  readonly slopeWhenSeen: number | null;
  /** The door was opened about when presence was last seen, and nobody had been let in. */
  readonly doorOpened: boolean;
}

const unit = (x: number): number => Math.min(1, Math.max(0, x));

/**
 * Half-life of the last evidence of presence, ms: when it has passed, presence and absence are equally likely and
 * the room is called vacant.
 */
export function halfLifeMs(holdMs: number, facts: HoldFacts, tuning: OccupancyTuning): number {
  const settled = facts.expected ? 1 : unit(facts.visitSpanMs / (tuning.settleSpan * holdMs));
  const visit = tuning.still + (tuning.busy - tuning.still) * unit(facts.activity);
  let share = tuning.passing + (visit - tuning.passing) * settled;
  if (facts.slope !== null) {
    share *= 1 + tuning.co2Longer * unit(facts.slope / tuning.co2Slope);
    const fell = (facts.slopeWhenSeen ?? facts.slope) - facts.slope;
    share *= 1 - tuning.co2Shorter * unit(fell / tuning.co2Slope);
  }
  if (facts.doorOpened) share *= 1 - tuning.doorShorter;
  return holdMs * share;
}
