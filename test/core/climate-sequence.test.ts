/** Climate over time: whatever happens, and in a room with physics. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ClimateDecision,
  type ClimateFacts,
  type ClimateLatch,
  decideClimate,
} from '../../gateway/core/climate/climate.ts';
import type { OnOff } from '../../gateway/core/climate/outputs.ts';
import type { RelaySwitch } from '../../gateway/core/effects.ts';
import type { Room } from '../../gateway/core/site.ts';
import type { OccupancyView } from '../../gateway/core/views.ts';
import { aRoom, at, being, FREE, HOUR, MINUTE, QUICK, ROOM, SECOND, SETTINGS, START } from '../support/climate.ts';

interface Moment {
  readonly waitMs: number;
  readonly temperature: number | null;
  readonly state: OccupancyView['state'];
  readonly bookedNow: boolean;
  readonly nextMs: number | undefined;
  readonly restart: boolean;
  readonly lagging: boolean;
}
const moment: fc.Arbitrary<Moment> = fc.record({
  waitMs: fc.integer({ min: SECOND, max: 12 * MINUTE }),
  temperature: fc.oneof(
    { weight: 8, arbitrary: fc.double({ min: 2, max: 34, noNaN: true }) },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
  state: fc.constantFrom('occupied' as const, 'vacant' as const, 'unknown' as const),
  bookedNow: fc.boolean(),
  nextMs: fc.option(fc.integer({ min: 0, max: 4 * HOUR }), { nil: undefined }),
  restart: fc.boolean(),
  lagging: fc.boolean(),
});

interface Step {
  readonly ms: number;
  readonly given: ClimateFacts;
  readonly decision: ClimateDecision;
  readonly relays: Readonly<Record<'heating' | 'cooling', OnOff>>;
}

/** Plays moments against relays that obey (at once, or one moment late) and a record of switches that survives restarts. */
function playAll(room: Room, moments: readonly Moment[]): Step[] {
  const relays: Record<'heating' | 'cooling', OnOff> = { heating: 'off', cooling: 'off' };
  const record: Partial<Record<'heating' | 'cooling', RelaySwitch>> = {};
  let latch: ClimateLatch | undefined;
  let ms = 0;
  return moments.map((one) => {
    ms += one.waitMs;
    if (one.restart) latch = undefined;
    const given: ClimateFacts = {
      temperature: { value: one.temperature, receivedMonoMs: ms, online: true },
      occupancy: being(one.state),
      bookedNow: one.bookedNow,
      nextStartMs: one.nextMs === undefined ? undefined : START + ms + one.nextMs,
      heating: { reported: relays.heating, lastSwitch: record.heating },
      cooling: { reported: relays.cooling, lastSwitch: record.cooling },
      latch,
    };
    const decision = decideClimate(room, given, at(ms));
    latch = decision.latch;
    const before = { ...relays };
    for (const kind of ['heating', 'cooling'] as const) {
      if (decision[kind] === relays[kind] || one.lagging) continue;
      relays[kind] = decision[kind];
      record[kind] = { point: kind, value: decision[kind], atMs: START + ms };
    }
    return { ms, given, decision, relays: before };
  });
}

describe('climate, whatever happens', () => {
  it('never heats and cools at once, nor beside a relay that still reports on', () => {
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 60 }), fc.constantFrom(ROOM, QUICK), (moments, room) => {
        for (const { decision, relays } of playAll(room, moments)) {
          expect(decision.heating === 'on' && decision.cooling === 'on').toBe(false);
          if (decision.heating === 'on') expect(relays.cooling).toBe('off');
          if (decision.cooling === 'on') expect(relays.heating).toBe('off');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never switches within a minimum time, restarts included, except for safety', () => {
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 60 }), (moments) => {
        const switched: Partial<Record<'heating' | 'cooling', number>> = {};
        const relays: Record<'heating' | 'cooling', OnOff> = { heating: 'off', cooling: 'off' };
        for (const { ms, decision } of playAll(
          ROOM,
          moments.map((one) => ({ ...one, lagging: false })),
        )) {
          const safety = decision.mode === 'freeze_protection' || decision.mode === 'sensor_fault';
          for (const kind of ['heating', 'cooling'] as const) {
            const value = decision[kind];
            if (value === relays[kind]) continue;
            const sinceMs = ms - (switched[kind] ?? Number.NEGATIVE_INFINITY);
            if (!safety) expect(sinceMs).toBeGreaterThanOrEqual(value === 'on' ? SETTINGS.minOffMs : SETTINGS.minOnMs);
            switched[kind] = ms;
            relays[kind] = value;
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never heats with a lost sensor, and always against frost where nothing else runs', () => {
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 40 }), (moments) => {
        for (const { given, decision, relays } of playAll(ROOM, moments)) {
          const value = given.temperature?.value ?? null;
          if (value === null) expect([decision.heating, decision.cooling]).toEqual(['off', 'off']);
          else if (value < 4 && relays.heating === 'on') expect(decision.heating).toBe('on');
          if (value !== null && value < 4) expect(decision.mode).toBe('freeze_protection');
          expect((decision.coolingSetpoint ?? 0) - (decision.heatingSetpoint ?? 0)).toBeGreaterThanOrEqual(0.5);
        }
      }),
    );
  });

  it('decides the same twice from plain data, and leaves its facts alone', () => {
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 30 }), (moments) => {
        for (const { ms, given, decision } of playAll(ROOM, moments)) {
          const revived: ClimateFacts = JSON.parse(JSON.stringify(given));
          expect(decideClimate(ROOM, revived, at(ms))).toEqual(decision);
        }
      }),
    );
  });
});

describe('climate in a room with two masses (FACTS 3)', () => {
  // An exam room of 12 m²: MJ/K to J/K; W/K; 1.5 kW of heat or cold.
  const [ci, cm, him, hie, hme, power] = [0.2e6, 1.98e6, 111, 8.5, 2, 1500];
  const BOOKED = { from: 3 * HOUR, to: 6 * HOUR };

  function day(room: Room, start: number, outside: number, stepMs = 10 * SECOND) {
    let [air, mass] = [start, start];
    let latch: ClimateLatch | undefined;
    const relays: Record<'heating' | 'cooling', OnOff> = { heating: 'off', cooling: 'off' };
    const record: Partial<Record<'heating' | 'cooling', RelaySwitch>> = {};
    const course: { ms: number; air: number; cooling: OnOff }[] = [];
    for (let ms = 0; ms < 9 * HOUR; ms += stepMs) {
      const bookedNow = ms >= BOOKED.from && ms < BOOKED.to;
      const decision = decideClimate(
        room,
        {
          temperature: { value: Math.round(air * 10) / 10, receivedMonoMs: ms, online: true },
          occupancy: being(bookedNow ? 'occupied' : 'vacant'),
          bookedNow,
          nextStartMs: ms < BOOKED.from ? START + BOOKED.from : undefined,
          heating: { reported: relays.heating, lastSwitch: record.heating },
          cooling: { reported: relays.cooling, lastSwitch: record.cooling },
          latch,
        },
        at(ms),
      );
      latch = decision.latch;
      for (const kind of ['heating', 'cooling'] as const) {
        if (decision[kind] === relays[kind]) continue;
        relays[kind] = decision[kind];
        record[kind] = { point: kind, value: decision[kind], atMs: START + ms };
      }
      const heat = (relays.heating === 'on' ? power : 0) - (relays.cooling === 'on' ? power : 0);
      const seconds = stepMs / SECOND;
      const flow = him * (mass - air);
      air += (seconds * (flow + hie * (outside - air) + heat)) / ci;
      mass += (seconds * (hme * (outside - mass) - flow)) / cm;
      course.push({ ms, air, cooling: decision.cooling });
    }
    return course;
  }

  it('is warm at the start of the booking, stays in its band, and sets back afterwards', () => {
    const course = day(aRoom(FREE), 16, -5);
    const during = course.filter(({ ms }) => ms >= BOOKED.from && ms < BOOKED.to).map(({ air }) => air);
    expect(Math.min(...during)).toBeGreaterThan(20.6);
    expect(Math.max(...during)).toBeLessThan(21.6);
    const before = course.filter(({ ms }) => ms < BOOKED.from - 45 * MINUTE).map(({ air }) => air);
    expect(Math.min(...before)).toBeGreaterThan(15.6);
    expect(Math.max(...before)).toBeLessThan(16.6);
    expect(course.at(-1)?.air).toBeLessThan(20);
  });

  it('is cool at the start of a booking in a heatwave', () => {
    const during = day(aRoom(FREE), 30, 36)
      .filter(({ ms }) => ms >= BOOKED.from && ms < BOOKED.to)
      .map(({ air }) => air);
    expect(Math.max(...during)).toBeLessThan(24.4);
    expect(Math.min(...during)).toBeGreaterThan(23.4);
  });

  it('does not chase the overshoot of a minimum run by cooling', () => {
    const during = day(aRoom(SETTINGS), 16, -5).filter(({ ms }) => ms >= BOOKED.from && ms < BOOKED.to);
    // A quarter of an hour of 1.5 kW is worth some 3.5 K of air in this room: no more than that.
    expect(Math.min(...during.map(({ air }) => air))).toBeGreaterThan(20.5);
    expect(Math.max(...during.map(({ air }) => air))).toBeLessThan(25);
    expect(during.every(({ cooling }) => cooling === 'off')).toBe(true);
  });
});
