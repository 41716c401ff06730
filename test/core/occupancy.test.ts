import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Now } from '../../gateway/core/facts.ts';
import { co2Report, co2Slope } from '../../gateway/core/occupancy/evidence.ts';
import {
  COUNT_TRUST_MS,
  initialOccupancy,
  type OccupancyInput,
  type OccupancyState,
  occupancyConditions,
  occupancyView,
  STUCK_AFTER_MS,
  stepOccupancy,
} from '../../gateway/core/occupancy/occupancy.ts';
import type { Room } from '../../gateway/core/site.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOLD = 7 * MINUTE;
const START = Date.UTC(2026, 2, 2, 8);

const ROOM: Room = {
  id: 'consult-1',
  name: 'Consulting room 1',
  kind: 'consult',
  floor: 'ground',
  points: { presence: ['a/presence', 'b/presence'], people: 'c/people', co2: 'a/co2', lights: [] },
  occupancy: { holdMs: HOLD },
};
const BLIND: Room = { ...ROOM, points: { ...ROOM.points, presence: [] } };

const at = (ms: number) => ({ wallMs: START + ms, monoMs: ms });
const pir = (value: boolean | null, point = 'a/presence', retained = false): OccupancyInput => ({
  kind: 'presence',
  point,
  value,
  retained,
});
const tick: OccupancyInput = { kind: 'tick' };
const device = (name: string, online: boolean): OccupancyInput => ({ kind: 'device', device: name, online });

/** Plays `[ms, input]` in order from a fresh start and gives the state after the last. */
function play(room: Room, ...steps: readonly (readonly [number, OccupancyInput])[]): OccupancyState {
  let state = initialOccupancy(room, at(0));
  for (const [ms, input] of steps) state = stepOccupancy(room, state, input, at(ms));
  return state;
}

describe('occupancy', () => {
  const table: readonly [string, Room, readonly (readonly [number, OccupancyInput])[], string][] = [
    ['nothing has reported', ROOM, [[60 * MINUTE, tick]], 'unknown'],
    ['a sensor reports nobody', ROOM, [[SECOND, pir(false)]], 'vacant'],
    ['a retained report of nobody counts as a report', ROOM, [[SECOND, pir(false, 'a/presence', true)]], 'vacant'],
    ['a retained presence is neither fresh nor vacancy', ROOM, [[SECOND, pir(true, 'a/presence', true)]], 'unknown'],
    ['presence', ROOM, [[SECOND, pir(true)]], 'occupied'],
    [
      'one sensor of two sees someone',
      ROOM,
      [
        [1, pir(false, 'b/presence')],
        [2, pir(true)],
      ],
      'occupied',
    ],
    [
      'presence holds for a while',
      ROOM,
      [
        [0, pir(true)],
        [SECOND, pir(false)],
        [3 * MINUTE, tick],
      ],
      'occupied',
    ],
    [
      'and not for ever',
      ROOM,
      [
        [0, pir(true)],
        [SECOND, pir(false)],
        [15 * MINUTE, tick],
      ],
      'vacant',
    ],
    [
      'a sensor says that it cannot tell',
      ROOM,
      [
        [0, pir(false)],
        [SECOND, pir(null)],
        [HOLD + 2 * SECOND, tick],
      ],
      'unknown',
    ],
    ['a point of another room', ROOM, [[0, pir(true, 'z/presence')]], 'unknown'],
    [
      'a badge alone where sensors see nobody',
      ROOM,
      [
        [0, pir(false)],
        [1, { kind: 'badge' }],
      ],
      'vacant',
    ],
    [
      'a door opens',
      ROOM,
      [
        [0, pir(false)],
        [1, { kind: 'door', value: 'open' }],
      ],
      'vacant',
    ],
    ['no sensor, a badge', BLIND, [[0, { kind: 'badge' }]], 'occupied'],
    [
      'no sensor, a badge long ago',
      BLIND,
      [
        [0, { kind: 'badge' }],
        [HOLD, tick],
      ],
      'unknown',
    ],
    ['no sensor, a door opens', BLIND, [[0, { kind: 'door', value: 'open' }]], 'unknown'],
    [
      'no sensor, people counted',
      BLIND,
      [
        [0, { kind: 'people', value: 2 }],
        [60 * MINUTE, tick],
      ],
      'occupied',
    ],
    ['no sensor, nobody counted', BLIND, [[0, { kind: 'people', value: 0 }]], 'vacant'],
    [
      'a count of long ago',
      BLIND,
      [
        [0, { kind: 'people', value: 2 }],
        [COUNT_TRUST_MS, tick],
      ],
      'unknown',
    ],
    ['the counter says that it cannot tell', BLIND, [[0, { kind: 'people', value: null }]], 'unknown'],
  ];
  it.each(table)('%s', (_name, room, steps, verdict) => {
    expect(play(room, ...steps).verdict).toBe(verdict);
  });

  it('loses confidence while nobody is seen and wins it in an empty room', () => {
    let state = play(ROOM, [0, pir(true)], [MINUTE, pir(false)]);
    const seen = state.confidence;
    state = stepOccupancy(ROOM, state, tick, at(3 * MINUTE));
    expect(state.confidence).toBeLessThan(seen);
    const vacant = stepOccupancy(ROOM, state, tick, at(20 * MINUTE));
    expect(vacant.verdict).toBe('vacant');
    expect(vacant.sinceMs).toBe(START + 20 * MINUTE);
    const later = stepOccupancy(ROOM, vacant, tick, at(60 * MINUTE));
    expect(later.confidence).toBeGreaterThan(vacant.confidence);
    expect(later.sinceMs).toBe(vacant.sinceMs);
    expect(occupancyView(later).lastSeenMs).toBe(START + MINUTE);
  });

  it('gives the same object for a tick that changes nothing', () => {
    const state = play(ROOM, [0, pir(true)], [SECOND, pir(false)], [120 * MINUTE, tick]);
    expect(stepOccupancy(ROOM, state, tick, at(121 * MINUTE))).toBe(state);
  });

  it('holds a settled visit longer than a passage', () => {
    const passage = play(ROOM, [0, pir(true)], [SECOND, pir(false)], [8 * MINUTE, tick]);
    expect(passage.verdict).toBe('vacant');
    const visit: [number, OccupancyInput][] = [];
    for (let minute = 0; minute < 30; minute += 3) {
      visit.push([minute * MINUTE, pir(true)], [minute * MINUTE + 5 * SECOND, pir(false)]);
    }
    expect(play(ROOM, ...visit, [27 * MINUTE + 8 * MINUTE, tick]).verdict).toBe('occupied');
    expect(play(ROOM, ...visit, [27 * MINUTE + 12 * MINUTE, tick]).verdict).toBe('vacant');
  });

  it('holds a brief sign of presence as long as it is told to', () => {
    const passed = (ms: number) => play(ROOM, [0, pir(true)], [SECOND, pir(false)], [ms, tick]).verdict;
    expect(passed(0.98 * HOLD)).toBe('occupied');
    expect(passed(1.02 * HOLD)).toBe('vacant');
  });

  it('expects whoever was let in to stay', () => {
    const verdictAfter = (first: OccupancyInput) =>
      play(
        ROOM,
        [0, pir(false)],
        [SECOND, first],
        [20 * SECOND, pir(true)],
        [25 * SECOND, pir(false)],
        [8 * MINUTE, tick],
      );
    expect(verdictAfter({ kind: 'badge' }).verdict).toBe('occupied');
    expect(verdictAfter(tick).verdict).toBe('vacant');
  });

  it('looks again when a door opens: the hold shortens, the room is not empty by that', () => {
    const visit: [number, OccupancyInput][] = [];
    for (let minute = 0; minute < 30; minute += 3) {
      visit.push([minute * MINUTE, pir(true)], [minute * MINUTE + 5 * SECOND, pir(false)]);
    }
    const opened: [number, OccupancyInput] = [27 * MINUTE + 10 * SECOND, { kind: 'door', value: 'open' }];
    expect(play(ROOM, ...visit, opened).verdict).toBe('occupied');
    expect(play(ROOM, ...visit, [27 * MINUTE + 8 * MINUTE, tick]).verdict).toBe('occupied');
    expect(play(ROOM, ...visit, opened, [27 * MINUTE + 8 * MINUTE, tick]).verdict).toBe('vacant');
    // Presence after the door has closed: somebody stayed.
    const stayed: [number, OccupancyInput][] = [
      [30 * MINUTE, pir(true)],
      [30 * MINUTE + SECOND, pir(false)],
    ];
    expect(play(ROOM, ...visit, opened, ...stayed, [38 * MINUTE, tick]).verdict).toBe('occupied');
    const empty = play(ROOM, [0, pir(false)], [60 * MINUTE, tick]);
    const unsure = stepOccupancy(ROOM, empty, { kind: 'door', value: 'open' }, at(61 * MINUTE));
    expect(unsure.confidence).toBeLessThan(empty.confidence);
  });

  it('leaves a sensor out that is on for two hours, and takes it back when it goes off', () => {
    let state = play(ROOM, [0, pir(false, 'b/presence')], [0, pir(true)]);
    for (let ms = 0; ms < STUCK_AFTER_MS; ms += MINUTE) state = stepOccupancy(ROOM, state, tick, at(ms));
    expect(state.verdict).toBe('occupied');
    expect(occupancyConditions(ROOM, state, at(0))).toEqual([]);
    state = stepOccupancy(ROOM, state, tick, at(STUCK_AFTER_MS));
    expect(occupancyConditions(ROOM, state, at(0))).toMatchObject([
      { kind: 'presence_stuck', room: 'consult-1', device: 'a' },
    ]);
    state = stepOccupancy(ROOM, state, tick, at(STUCK_AFTER_MS + 30 * MINUTE));
    expect(state.verdict).toBe('vacant');
    // The other sensor still counts.
    const seen = stepOccupancy(ROOM, state, pir(true, 'b/presence'), at(STUCK_AFTER_MS + 31 * MINUTE));
    expect(seen.verdict).toBe('occupied');
    state = stepOccupancy(ROOM, state, pir(false), at(STUCK_AFTER_MS + 32 * MINUTE));
    expect(occupancyConditions(ROOM, state, at(0))).toEqual([]);
    state = stepOccupancy(ROOM, state, pir(true), at(STUCK_AFTER_MS + 33 * MINUTE));
    expect(state.verdict).toBe('occupied');
  });

  it('does not know a room whose only working sensor is stuck', () => {
    let state = play(ROOM, [0, pir(true)]);
    for (let ms = 0; ms <= STUCK_AFTER_MS + HOLD; ms += MINUTE) state = stepOccupancy(ROOM, state, tick, at(ms));
    expect(state.verdict).toBe('unknown');
  });

  it('never calls a room vacant because its sensors went offline', () => {
    const occupied = play(ROOM, [0, pir(true)], [0, pir(false, 'b/presence')], [MINUTE, device('a', false)]);
    let state = stepOccupancy(ROOM, occupied, device('b', false), at(MINUTE));
    expect(state.verdict).toBe('occupied');
    const seen = new Set<string>();
    for (let ms = MINUTE; ms < 60 * MINUTE; ms += 10 * SECOND) {
      state = stepOccupancy(ROOM, state, tick, at(ms));
      seen.add(state.verdict);
    }
    expect([...seen]).toEqual(['occupied', 'unknown']);
    expect(state.sinceMs).toBeLessThanOrEqual(START + MINUTE + HOLD);

    const vacant = play(ROOM, [0, pir(false)], [MINUTE, device('a', false)]);
    expect(vacant.verdict).toBe('vacant');
    expect(stepOccupancy(ROOM, vacant, tick, at(MINUTE + HOLD)).verdict).toBe('unknown');
  });

  it('takes no word of a device that is gone from the broker, and any fresh word', () => {
    const gone = play(ROOM, [0, device('a', false)], [1, pir(false, 'a/presence', true)]);
    expect(gone.verdict).toBe('unknown');
    expect(stepOccupancy(ROOM, gone, pir(false), at(2)).verdict).toBe('vacant');
  });

  it('needs a new sign of life once the room was called vacant, whatever CO2 does', () => {
    let state = play(ROOM, [0, pir(true)], [SECOND, pir(false)], [10 * MINUTE, tick]);
    expect(state.verdict).toBe('vacant');
    for (let minute = 10; minute < 40; minute += 1) {
      state = stepOccupancy(ROOM, state, { kind: 'co2', value: 400 + 20 * minute }, at(minute * MINUTE));
      expect(state.verdict).toBe('vacant');
    }
  });

  it('goes by the slope of CO2, never by its level', () => {
    const steady = (ppm: number): readonly number[] => Array.from({ length: 30 }, () => ppm);
    const verdicts = (curve: readonly number[]): string => {
      let state = initialOccupancy(ROOM, at(0));
      curve.forEach((value, index) => {
        const ms = index * 30 * SECOND;
        state = stepOccupancy(ROOM, state, { kind: 'co2', value }, at(ms));
        state = stepOccupancy(ROOM, state, pir(index === 0), at(ms));
      });
      return state.verdict;
    };
    expect(verdicts(steady(420))).toBe(verdicts(steady(2500)));
    expect(co2Slope(null, 0)).toBeNull();
    let trend = co2Report(null, 600, 0);
    for (let minute = 1; minute <= 30; minute += 1) trend = co2Report(trend, 600 + 5 * minute, minute * MINUTE);
    expect(co2Slope(trend, 30 * MINUTE)).toBeCloseTo(5, 0);
    expect(co2Slope(trend, 61 * MINUTE)).toBeNull();
    expect(co2Report(trend, null, 31 * MINUTE)).toBeNull();
    expect(co2Report(trend, Number.NaN, 31 * MINUTE)).toBeNull();
  });
});

const input: fc.Arbitrary<OccupancyInput> = fc.oneof(
  fc.record({
    kind: fc.constant('presence' as const),
    point: fc.constantFrom('a/presence', 'b/presence'),
    value: fc.constantFrom(true, false, null),
    retained: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('people' as const), value: fc.constantFrom(null, 0, 1, 3) }),
  fc.record({
    kind: fc.constant('co2' as const),
    value: fc.oneof(fc.constant(null), fc.integer({ min: 300, max: 5000 })),
  }),
  fc.record({ kind: fc.constant('door' as const), value: fc.constantFrom('open', 'closed', 'unknown') }),
  fc.constant({ kind: 'badge' } as const),
  fc.record({ kind: fc.constant('device' as const), device: fc.constantFrom('a', 'b', 'c'), online: fc.boolean() }),
  fc.constant(tick),
);
const story = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 * MINUTE }), input), { maxLength: 60 });

describe('occupancy, whatever happens', () => {
  it('is never vacant while a sensor that is not stuck reports presence, and never vacant while blind', () => {
    fc.assert(
      fc.property(story, (steps) => {
        let state = initialOccupancy(ROOM, at(0));
        let ms = 0;
        for (const [waitMs, given] of steps) {
          ms += waitMs;
          state = stepOccupancy(ROOM, state, given, at(ms));
          const sensors = Object.values(state.sensors);
          const present = sensors.some((sensor) => sensor.on === true && !sensor.stuck);
          const countSaysEmpty = state.people?.value === 0 && !present;
          if (present) expect(state.verdict).not.toBe('vacant');
          if (state.blindSinceMonoMs !== null && ms - state.blindSinceMonoMs >= HOLD && !countSaysEmpty) {
            expect(state.verdict).not.toBe('vacant');
          }
          expect(state.confidence).toBeGreaterThanOrEqual(0);
          expect(state.confidence).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is plain data, the same twice, and leaves its input alone', () => {
    fc.assert(
      fc.property(story, (steps) => {
        let state = initialOccupancy(ROOM, at(0));
        let ms = 0;
        for (const [waitMs, given] of steps) {
          ms += waitMs;
          const before = JSON.stringify(state);
          const revived: OccupancyState = JSON.parse(before);
          const next = stepOccupancy(ROOM, state, given, at(ms));
          expect(JSON.stringify(state)).toBe(before);
          expect(stepOccupancy(ROOM, revived, given, at(ms))).toEqual(next);
          state = next;
        }
      }),
    );
  });

  it('does not latch: an hour of silence after anything leaves no room occupied', () => {
    fc.assert(
      fc.property(story, (steps) => {
        let state = initialOccupancy(ROOM, at(0));
        let ms = 0;
        for (const [waitMs, given] of steps) {
          ms += waitMs;
          state = stepOccupancy(ROOM, state, given, at(ms));
        }
        for (const point of ROOM.points.presence) state = stepOccupancy(ROOM, state, pir(false, point), at(ms));
        for (let minute = 1; minute <= 60; minute += 1)
          state = stepOccupancy(ROOM, state, tick, at(ms + minute * MINUTE));
        expect(state.verdict).toBe('vacant');
      }),
    );
  });
});

describe('a sensor that also sees who sits still', () => {
  it.each([
    ['pir', ['presence_stuck']],
    ['mmwave', []],
  ] as const)('%s that is on for hours: %o', (sensor, expected) => {
    const hours = 3;
    const at = (ms: number): Now => ({ wallMs: START + ms, monoMs: ms });
    const input = { kind: 'presence', point: 'a/presence', value: true, retained: false, sensor } as const;
    let state = stepOccupancy(ROOM, initialOccupancy(ROOM, at(0)), input, at(0));
    for (let minute = 1; minute <= hours * 60; minute++) {
      state = stepOccupancy(ROOM, state, { kind: 'tick' }, at(minute * MINUTE));
    }
    expect(occupancyConditions(ROOM, state, at(hours * 60 * MINUTE)).map(({ kind }) => kind)).toEqual(expected);
    if (sensor === 'mmwave') expect(occupancyView(state).state).toBe('occupied');
  });
});
