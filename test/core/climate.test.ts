import { describe, expect, it } from 'vitest';
import {
  type ClimateDecision,
  type ClimateFacts,
  type ClimateLatch,
  decideClimate,
  FIRST_REPORT_MS,
  STALE_AFTER_MS,
} from '../../gateway/core/climate/climate.ts';
import { INTERLOCK_MS, type OnOff } from '../../gateway/core/climate/outputs.ts';
import type { RelaySwitch } from '../../gateway/core/effects.ts';
import type { OccupancyView } from '../../gateway/core/views.ts';
import { aRoom, at, being, FREE, HOUR, MINUTE, QUICK, ROOM, SECOND, SETTINGS, START } from '../support/climate.ts';

function facts(temperature: number | null | undefined, change: Partial<ClimateFacts> = {}): ClimateFacts {
  return {
    temperature: temperature === undefined ? undefined : { value: temperature, receivedMonoMs: 0, online: true },
    occupancy: being('vacant'),
    bookedNow: false,
    heating: { reported: 'off' },
    cooling: { reported: 'off' },
    latch: undefined,
    ...change,
  };
}

const kinds = (decision: ClimateDecision): readonly string[] => decision.conditions.map((found) => found.kind);

describe('climate', () => {
  const booked = { bookedNow: true, bookedSinceMs: START };
  const used = { occupancy: being('occupied') };
  const next = (ms: number) => ({ nextStartMs: START + ms });
  const table: readonly [string, number, Partial<ClimateFacts>, Partial<ClimateDecision>][] = [
    [
      'booked and cold',
      19,
      booked,
      { mode: 'occupied', heatingSetpoint: 21, coolingSetpoint: 24, heating: 'on', cooling: 'off' },
    ],
    ['booked and hot', 26, booked, { mode: 'occupied', heating: 'off', cooling: 'on' }],
    ['booked and well', 22, booked, { mode: 'occupied', heating: 'off', cooling: 'off' }],
    ['used without a booking', 19, used, { mode: 'occupied', heating: 'on' }],
    ['free and mild', 19, {}, { mode: 'unoccupied', heatingSetpoint: 16, coolingSetpoint: 32, heating: 'off' }],
    ['free and cold', 15, {}, { mode: 'setback', heating: 'on' }],
    ['free and very hot', 33, {}, { mode: 'setup', cooling: 'on' }],
    ['unknown and free', 19, { occupancy: being('unknown') }, { mode: 'unoccupied' }],
    ['an hour before a booking', 16.5, next(HOUR), { mode: 'unoccupied', heating: 'off' }],
    [
      'the first instant of the lead time',
      16.5,
      next(45 * MINUTE),
      { mode: 'warm_up', heatingSetpoint: 21, heating: 'on' },
    ],
    ['one millisecond before it', 16.5, next(45 * MINUTE + 1), { mode: 'unoccupied', heating: 'off' }],
    ['hot before a booking', 28, next(30 * MINUTE), { mode: 'cool_down', coolingSetpoint: 24, cooling: 'on' }],
    ['frost', 3.9, {}, { mode: 'freeze_protection', heatingSetpoint: 16, heating: 'on' }],
  ];
  it.each(table)('%s', (_name, temperature, change, expected) => {
    expect(decideClimate(ROOM, facts(temperature, change), at(0))).toMatchObject(expected);
  });

  it('prepares at most three hours ahead, whatever is configured', () => {
    const eager = aRoom({ ...SETTINGS, leadMs: 8 * HOUR });
    expect(decideClimate(eager, facts(16.5, next(3 * HOUR + 1)), at(0)).mode).toBe('unoccupied');
    expect(decideClimate(eager, facts(16.5, next(3 * HOUR)), at(0)).mode).toBe('warm_up');
  });

  it('forgets a warm-up when its booking is cancelled: nothing is restored', () => {
    const warm = decideClimate(QUICK, facts(18, next(30 * MINUTE)), at(0));
    expect(warm.heating).toBe('on');
    expect(decideClimate(QUICK, facts(18, { latch: warm.latch }), at(SECOND))).toMatchObject({
      mode: 'unoccupied',
      heating: 'off',
    });
  });

  it('controls what a room has, and nothing where it has nothing', () => {
    const heatOnly = aRoom(FREE, { cooling: undefined });
    const coolOnly = aRoom(FREE, { heating: undefined });
    const bare = aRoom(FREE, { heating: undefined, cooling: undefined });
    expect(decideClimate(heatOnly, facts(30, booked), at(0))).toMatchObject({ heating: 'off', cooling: 'off' });
    expect(decideClimate(heatOnly, facts(30, next(MINUTE)), at(0)).mode).toBe('warm_up');
    expect(decideClimate(coolOnly, facts(30, booked), at(0))).toMatchObject({ heating: 'off', cooling: 'on' });
    expect(decideClimate(coolOnly, facts(3, booked), at(0))).toMatchObject({
      mode: 'freeze_protection',
      heating: 'off',
    });
    expect(decideClimate(bare, facts(15, booked), at(0))).toMatchObject({ mode: 'occupied', heating: 'off' });
    expect(decideClimate(aRoom(undefined), facts(15, booked), at(0))).toMatchObject({
      mode: 'off',
      heatingSetpoint: null,
    });
  });

  it('switches on below and off above the setpoint by a quarter of a kelvin', () => {
    let latch: ClimateLatch | undefined;
    const course = [21.1, 20.8, 20.7, 20.9, 21.2, 21.3, 21.0, 20.76].map((temperature, index) => {
      const decision = decideClimate(QUICK, facts(temperature, { ...booked, ...used, latch }), at(index * SECOND));
      latch = decision.latch;
      return decision.heating;
    });
    expect(course).toEqual(['off', 'off', 'on', 'on', 'on', 'off', 'off', 'off']);
  });

  it('widens by half a kelvin when a booked room stays empty, and comes back after a minute of presence', () => {
    const decide = (ms: number, occupancy: OccupancyView, latch?: ClimateLatch) =>
      decideClimate(ROOM, facts(22, { ...booked, occupancy, latch }), at(ms));
    expect(decide(5 * MINUTE - 1, being('vacant', -HOUR)).heatingSetpoint).toBe(21);
    const empty = decide(5 * MINUTE, being('vacant', -HOUR));
    expect(empty).toMatchObject({ mode: 'occupied', heatingSetpoint: 20.5, coolingSetpoint: 24.5 });
    const back = decide(7 * MINUTE, being('occupied', 6.5 * MINUTE), empty.latch);
    expect(back.heatingSetpoint).toBe(20.5);
    expect(decide(7.5 * MINUTE, being('occupied', 6.5 * MINUTE), back.latch).heatingSetpoint).toBe(21);
    expect(decide(HOUR, being('unknown', -HOUR), empty.latch).heatingSetpoint).toBe(21);
  });

  it('heats against frost until it is above 7 °C, with an alarm', () => {
    let latch: ClimateLatch | undefined;
    const course = [4.0, 3.9, 4.1, 6.9, 7.0, 7.1, 5].map((temperature, index) => {
      const decision = decideClimate(
        aRoom({ ...FREE, setbackTo: 4.5 }),
        facts(temperature, { latch }),
        at(index * SECOND),
      );
      latch = decision.latch;
      return [decision.mode === 'freeze_protection', decision.heating, kinds(decision).includes('freeze')];
    });
    const frost = [true, 'on', true];
    const none = [false, 'off', false];
    // 4.0 is not below 4, but below the setback; the setback asks for heat there, not the frost.
    expect(course).toEqual([[false, 'on', false], frost, frost, frost, frost, none, none]);
  });

  it('stops heating within a tick when the sensor says nothing, minimum on time or not', () => {
    for (const nothing of [null, Number.NaN, Number.POSITIVE_INFINITY]) {
      const on = decideClimate(ROOM, facts(19, booked), at(0));
      expect(on.heating).toBe('on');
      const off = decideClimate(ROOM, facts(nothing, { ...booked, latch: on.latch }), at(SECOND));
      expect(off).toMatchObject({ mode: 'sensor_fault', heating: 'off', cooling: 'off' });
      expect(kinds(off)).toEqual(['temperature_missing']);
    }
  });

  it('gives a sensor a minute to report after a start, and keeps what runs until then', () => {
    const running = { heating: { reported: 'on' as const }, ...booked };
    const first = decideClimate(ROOM, facts(undefined, running), at(0));
    expect(first).toMatchObject({ mode: 'occupied', heating: 'on', conditions: [] });
    const late = decideClimate(ROOM, facts(undefined, { ...running, latch: first.latch }), at(FIRST_REPORT_MS));
    expect(late).toMatchObject({ mode: 'sensor_fault', heating: 'off' });
    expect(kinds(late)).toEqual(['temperature_missing']);
  });

  it('heats at most a tenth of the time when no report came for an hour, and says so', () => {
    for (const settings of [SETTINGS, FREE]) {
      const room = aRoom(settings);
      let latch: ClimateLatch | undefined;
      let onMs = 0;
      const spanMs = 20 * HOUR;
      for (let ms = 0; ms < STALE_AFTER_MS + spanMs; ms += 10 * SECOND) {
        const decision = decideClimate(room, facts(19, { ...booked, latch }), at(ms));
        latch = decision.latch;
        if (ms < STALE_AFTER_MS) {
          expect(decision.mode).toBe('occupied');
          continue;
        }
        expect(decision.mode).toBe('sensor_fault');
        expect(kinds(decision)).toEqual(['temperature_stale']);
        if (decision.heating === 'on') onMs += 10 * SECOND;
      }
      expect(onMs).toBeGreaterThan(0);
      expect(onMs / spanMs).toBeLessThanOrEqual(0.1);
    }
    const warm = decideClimate(ROOM, facts(26, booked), at(STALE_AFTER_MS + 29 * MINUTE));
    expect(warm).toMatchObject({ heating: 'off', cooling: 'off' });
  });

  it('does not call an unchanged value stale that is still reported', () => {
    const fresh = { value: 19, receivedMonoMs: 10 * HOUR, online: true };
    const decision = decideClimate(ROOM, { ...facts(19, booked), temperature: fresh }, at(10 * HOUR + MINUTE));
    expect(decision).toMatchObject({ mode: 'occupied', heating: 'on', conditions: [] });
  });

  it('raises an alarm after 15 minutes of heating without a rise', () => {
    const heated = (temperature: number, ms: number) =>
      decideClimate(
        ROOM,
        facts(temperature, {
          ...booked,
          heating: { reported: 'on' },
          heatingOnSinceMonoMs: 0,
          temperatureAtHeatingOn: 18,
        }),
        at(ms),
      );
    expect(kinds(heated(18, 15 * MINUTE - 1))).toEqual([]);
    expect(kinds(heated(18, 15 * MINUTE))).toEqual(['no_heating_effect']);
    expect(kinds(heated(17.5, 15 * MINUTE))).toEqual(['no_heating_effect']);
    expect(kinds(heated(18.2, 15 * MINUTE))).toEqual([]);
  });

  const left = (value: OnOff, agoMs: number): RelaySwitch => ({ point: 'u/relay', value, atMs: START - agoMs });

  it('keeps the minimum times across a restart', () => {
    const wanting = (temperature: number, lastSwitch: RelaySwitch) =>
      decideClimate(ROOM, facts(temperature, { ...booked, heating: { reported: undefined, lastSwitch } }), at(0));
    const resting = wanting(18, left('off', 4 * MINUTE));
    expect(resting).toMatchObject({ heating: 'off', holdUntilWallMs: START + MINUTE });
    expect(wanting(18, left('off', 5 * MINUTE)).heating).toBe('on');
    expect(wanting(23, left('on', 14 * MINUTE)).heating).toBe('on');
    expect(wanting(23, left('on', 15 * MINUTE)).heating).toBe('off');
  });

  it('does not take the first word of a relay for a switch', () => {
    const unheard = { ...booked, heating: { reported: undefined } };
    const first = decideClimate(ROOM, facts(22, unheard), at(0));
    const heating = { reported: 'off' as const, lastSwitch: left('off', -SECOND) };
    expect(decideClimate(ROOM, facts(18, { ...booked, heating, latch: first.latch }), at(2 * SECOND)).heating).toBe(
      'on',
    );
  });

  it('is not locked for ever by a wall clock that runs behind the record', () => {
    const heating = { reported: undefined, lastSwitch: left('off', -10 * 365 * 24 * HOUR) };
    let latch: ClimateLatch | undefined;
    const decide = (ms: number) => {
      const decision = decideClimate(ROOM, facts(18, { ...booked, heating, latch }), at(ms));
      latch = decision.latch;
      return decision.heating;
    };
    expect(decide(0)).toBe('off');
    expect(decide(5 * MINUTE - 1)).toBe('off');
    expect(decide(5 * MINUTE)).toBe('on');
  });

  it('is not fooled by a wall clock that jumps ahead', () => {
    let decision = decideClimate(ROOM, facts(18, booked), at(0));
    expect(decision.heating).toBe('on');
    const heating = { reported: 'on' as const, lastSwitch: left('on', 0) };
    const jumped = { wallMs: START + 5 * HOUR, monoMs: MINUTE };
    decision = decideClimate(ROOM, facts(23, { ...booked, heating, latch: decision.latch }), jumped);
    expect(decision.heating).toBe('on');
  });

  it('lets frost break a minimum rest', () => {
    const heating = { reported: 'off' as const, lastSwitch: left('off', MINUTE) };
    expect(decideClimate(ROOM, facts(3, { heating }), at(0)).heating).toBe('on');
  });

  it('does not start one while the other still reports on, and waits a moment after it was told off', () => {
    const cooling = { reported: 'on' as const };
    const blocked = decideClimate(QUICK, facts(18, { ...booked, cooling }), at(0));
    expect(blocked.heating).toBe('off');
    const cool = decideClimate(QUICK, facts(26, booked), at(0));
    expect(cool.cooling).toBe('on');
    const turned = decideClimate(QUICK, facts(18, { ...booked, latch: cool.latch }), at(SECOND));
    expect(turned).toMatchObject({ heating: 'off', cooling: 'off' });
    const waiting = decideClimate(QUICK, facts(18, { ...booked, latch: turned.latch }), at(INTERLOCK_MS));
    expect(waiting.heating).toBe('off');
    expect(
      decideClimate(QUICK, facts(18, { ...booked, latch: waiting.latch }), at(SECOND + INTERLOCK_MS)).heating,
    ).toBe('on');
  });

  it('stops heating when the cooling relay reports on against its word', () => {
    const heat = decideClimate(ROOM, facts(18, booked), at(0));
    const both = decideClimate(
      ROOM,
      facts(18, { ...booked, latch: heat.latch, cooling: { reported: 'on' } }),
      at(SECOND),
    );
    expect(both.heating).toBe('off');
  });
});
