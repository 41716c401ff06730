/** The occupancy controller on three days of a real room; see test/data/occupancy/README.md. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type OccupancyTuning, TUNING } from '../../gateway/core/occupancy/evidence.ts';
import { initialOccupancy, type OccupancyState, stepOccupancy } from '../../gateway/core/occupancy/occupancy.ts';
import type { Room } from '../../gateway/core/site.ts';

interface Sample {
  readonly atMs: number;
  readonly co2: number;
  readonly pirs: readonly [boolean, boolean];
  readonly occupied: boolean;
}

const MINUTE = 60_000;
const CSV = new URL('../data/occupancy/room-2017-12-22-to-24.csv', import.meta.url);

function load(): Sample[] {
  const [head = '', ...lines] = readFileSync(CSV, 'utf8').trim().split(/\r?\n/);
  const names = head.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    const cell = (name: string): string => cells[names.indexOf(name)] ?? '';
    return {
      atMs: Date.parse(`${cell('Date').replaceAll('/', '-')}T${cell('Time')}Z`),
      co2: Number(cell('S5_CO2')),
      pirs: [cell('S6_PIR') === '1', cell('S7_PIR') === '1'],
      occupied: Number(cell('Room_Occupancy_Count')) > 0,
    };
  });
}

const SAMPLES = load();

function room(holdMs: number): Room {
  return {
    id: 'lab',
    name: 'Lab',
    kind: 'other',
    floor: 'ground',
    points: { presence: ['s6/presence', 's7/presence'], co2: 's5/co2', lights: [] },
    occupancy: { holdMs },
  };
}

interface Score {
  /** Share of samples that were right. */
  readonly right: number;
  /** Runs of "not occupied" in an occupied room, after it was first detected: the entry lag is no false vacancy. */
  readonly falseVacancies: number;
  /** The same, entry lags included. */
  readonly withEntryLag: number;
}

function score(samples: readonly Sample[], says: readonly boolean[]): Score {
  let right = 0;
  let falseVacancies = 0;
  let withEntryLag = 0;
  let detected = false;
  let missing = false;
  samples.forEach((sample, index) => {
    const said = says[index] ?? false;
    if (said === sample.occupied) right += 1;
    if (!sample.occupied) detected = false;
    else if (said) detected = true;
    const missed = sample.occupied && !said;
    if (missed && !missing) {
      withEntryLag += 1;
      if (detected) falseVacancies += 1;
    }
    missing = missed;
  });
  return { right: right / samples.length, falseVacancies, withEntryLag };
}

/** Any PIR within `withinMs`: the rule of thumb that this controller must beat. */
function rule(samples: readonly Sample[], withinMs: number): Score {
  let lastMs = Number.NEGATIVE_INFINITY;
  return score(
    samples,
    samples.map((sample) => {
      if (sample.pirs.some((on) => on)) lastMs = sample.atMs;
      return sample.atMs - lastMs <= withinMs;
    }),
  );
}

interface Options {
  readonly tuning?: OccupancyTuning;
  readonly holdMs?: number;
  readonly co2?: boolean;
  readonly tickMs?: number;
}

function replay(samples: readonly Sample[], options: Options = {}): Score {
  const { tuning = TUNING, holdMs = 7 * MINUTE, co2 = true, tickMs } = options;
  const lab = room(holdMs);
  const startMs = samples[0]?.atMs ?? 0;
  const at = (ms: number) => ({ wallMs: ms, monoMs: ms - startMs });
  let state: OccupancyState = initialOccupancy(lab, at(startMs));
  let beforeMs = startMs;
  const says = samples.map((sample) => {
    if (tickMs !== undefined) {
      for (let ms = beforeMs + tickMs; ms < sample.atMs; ms += tickMs) {
        state = stepOccupancy(lab, state, { kind: 'tick' }, at(ms), tuning);
      }
    }
    beforeMs = sample.atMs;
    const now = at(sample.atMs);
    if (co2) state = stepOccupancy(lab, state, { kind: 'co2', value: sample.co2 }, now, tuning);
    sample.pirs.forEach((value, index) => {
      const point = lab.points.presence[index] ?? '';
      state = stepOccupancy(lab, state, { kind: 'presence', point, value, retained: false }, now, tuning);
    });
    return state.verdict === 'occupied';
  });
  return score(samples, says);
}

describe('occupancy on a real room', () => {
  const five = rule(SAMPLES, 5 * MINUTE);
  const ten = rule(SAMPLES, 10 * MINUTE);

  it('measures the two rules of thumb as they are known', () => {
    expect(SAMPLES).toHaveLength(5305);
    expect(five.right).toBeCloseTo(0.981, 3);
    expect(five.withEntryLag).toBe(11);
    expect(ten.right).toBeCloseTo(0.972, 3);
    expect(ten.withEntryLag).toBe(1);
  });

  it('is right more often than the short rule and calls a used room vacant no more often than the long one', () => {
    const ours = replay(SAMPLES);
    expect(ours.right).toBeGreaterThan(0.9825);
    expect(ours.falseVacancies).toBe(0);
    // What is left is the first three minutes of the record, when somebody sat there and no PIR had fired yet.
    expect(ours.withEntryLag).toBeLessThanOrEqual(ten.withEntryLag);
  });

  it('needs no steady ticks: a tick each second gives the same answers', () => {
    const sixHours = SAMPLES.slice(0, 700);
    expect(replay(sixHours, { tickMs: 1000 })).toEqual(replay(sixHours));
  });

  it('beats both rules in each half of the record', () => {
    const middle = Math.floor(SAMPLES.length / 2);
    for (const half of [SAMPLES.slice(0, middle), SAMPLES.slice(middle)]) {
      const ours = replay(half);
      expect(ours.right).toBeGreaterThan(rule(half, 5 * MINUTE).right);
      expect(ours.falseVacancies).toBeLessThanOrEqual(rule(half, 10 * MINUTE).falseVacancies);
    }
  });

  it.each(Object.keys(TUNING) as (keyof OccupancyTuning)[])('does not hang on the exact value of %s', (key) => {
    for (const factor of [0.8, 1.2]) {
      const ours = replay(SAMPLES, { tuning: { ...TUNING, [key]: TUNING[key] * factor } });
      expect(ours.right).toBeGreaterThan(0.981);
      expect(ours.falseVacancies).toBeLessThanOrEqual(1);
    }
  });

  it('follows the configured hold: a longer one is never wrong about a used room, a shorter one frees it sooner', () => {
    for (const holdMs of [8 * MINUTE, 10 * MINUTE]) expect(replay(SAMPLES, { holdMs }).falseVacancies).toBe(0);
    expect(replay(SAMPLES, { holdMs: 10 * MINUTE }).right).toBeGreaterThan(ten.right);
  });

  it('lies between both rules without a CO2 sensor', () => {
    const ours = replay(SAMPLES, { co2: false });
    expect(ours.right).toBeGreaterThan(ten.right);
    expect(ours.falseVacancies).toBeLessThan(five.falseVacancies);
  });
});
