import { describe, expect, it } from 'vitest';
import {
  daylightLux,
  OUTDOOR_CO2_PPM,
  outdoorTemperature,
  type RoomAir,
  type RoomLoad,
  relativeHumidity,
  roomParameters,
  saturationGPerM3,
  stepRoom,
} from '../../devices/simulator/physics.ts';

const cold: RoomLoad = { outdoorC: -5, outdoorWaterGPerM3: 2.5, people: 0, heating: false, cooling: false };
const at = (celsius: number): RoomAir => ({
  airC: celsius,
  massC: celsius,
  waterGPerM3: 0.4 * saturationGPerM3(celsius),
  co2Ppm: OUTDOOR_CO2_PPM,
});

function secondsUntil(air: RoomAir, load: RoomLoad, areaM2: number, reached: (air: RoomAir) => boolean): number {
  const room = roomParameters(areaM2);
  let now = air;
  for (let seconds = 0; seconds < 24 * 3600; seconds++) {
    if (reached(now)) return seconds;
    now = stepRoom(room, now, load, 1);
  }
  return Number.POSITIVE_INFINITY;
}

describe('heat', () => {
  it.each([6, 12, 30])('brings a room of %i m² from 16 to 21 °C at −5 °C in about 16 min', (areaM2) => {
    const minutes = secondsUntil(at(16), { ...cold, heating: true }, areaM2, (air) => air.airC >= 21) / 60;
    expect(minutes).toBeGreaterThan(14.5);
    expect(minutes).toBeLessThan(17.5);
  });

  it('is lost to the cold when nothing heats', () => {
    const after = stepRoom(roomParameters(12), at(21), cold, 8 * 3600);
    expect(after.airC).toBeLessThan(19.5);
    expect(after.airC).toBeGreaterThan(10);
    expect(after.massC).toBeGreaterThan(after.airC);
  });

  it('comes from people too', () => {
    const room = roomParameters(12);
    const empty = stepRoom(room, at(20), cold, 3600);
    const full = stepRoom(room, at(20), { ...cold, people: 3 }, 3600);
    expect(full.airC - empty.airC).toBeGreaterThan(1);
  });

  it('is taken away by cooling', () => {
    const warm = { ...cold, outdoorC: 32, cooling: true };
    expect(stepRoom(roomParameters(12), at(28), warm, 1800).airC).toBeLessThan(23);
  });

  it('does not depend on how the time is cut', () => {
    const room = roomParameters(12);
    const load = { ...cold, heating: true, people: 2 };
    const whole = stepRoom(room, at(16), load, 7200);
    let pieces = at(16);
    for (let index = 0; index < 7200; index++) pieces = stepRoom(room, pieces, load, 1);
    expect(whole.airC).toBeCloseTo(pieces.airC, 2);
    expect(whole.massC).toBeCloseTo(pieces.massC, 2);
    expect(whole.co2Ppm).toBeCloseTo(pieces.co2Ppm, 6);
  });

  it('stays stable over a step of a month, and settles where gains equal losses', () => {
    const room = roomParameters(12);
    const settled = stepRoom(room, at(60), { ...cold, people: 2 }, 30 * 86_400);
    const lossW = room.airToOutdoorsWPerK * (settled.airC + 5) + room.massToOutdoorsWPerK * (settled.massC + 5);
    expect(lossW).toBeCloseTo(150, 1);
  });

  it('stands still when no time passes', () => {
    expect(stepRoom(roomParameters(12), at(20), cold, 0)).toEqual(at(20));
  });
});

describe('air', () => {
  it('two people in 12 m² settle near 1,000 ppm; the air is fresh again some hours after', () => {
    const room = roomParameters(12);
    const used = stepRoom(room, at(21), { ...cold, people: 2 }, 6 * 3600);
    expect(used.co2Ppm).toBeGreaterThan(950);
    expect(used.co2Ppm).toBeLessThan(1050);
    expect(stepRoom(room, used, cold, 3 * 3600).co2Ppm).toBeLessThan(430);
  });

  it('people make it damper, never beyond saturation', () => {
    const room = roomParameters(12);
    const load = { ...cold, people: 3 };
    const dry = stepRoom(room, at(21), { ...load, people: 0 }, 3600);
    const damp = stepRoom(room, at(21), load, 3600);
    expect(relativeHumidity(damp)).toBeGreaterThan(relativeHumidity(dry));
    const crowd = stepRoom(room, at(5), { ...load, people: 50, outdoorC: 5, outdoorWaterGPerM3: 6 }, 0.1);
    expect(relativeHumidity(crowd)).toBeLessThanOrEqual(100);
  });

  it.each([
    [0, 4.85],
    [20, 17.3],
    [30, 30.4],
  ])('at %i °C holds about %f g/m³', (celsius, grams) => {
    expect(Math.abs(saturationGPerM3(celsius) / grams - 1)).toBeLessThan(0.01);
  });
});

describe('weather', () => {
  it.each([
    ['a January dawn', '2026-01-20T05:00:00Z', -4],
    ['a January afternoon', '2026-01-20T17:00:00Z', 4],
    ['a July afternoon', '2026-07-21T17:00:00Z', 24],
  ])('%s', (_name, instant, celsius) => {
    expect(Math.abs(outdoorTemperature(Date.parse(instant)) - celsius)).toBeLessThan(0.5);
  });

  it('is dark at night and light at noon', () => {
    expect(daylightLux(Date.parse('2026-03-02T00:00:00Z'))).toBe(0);
    expect(daylightLux(Date.parse('2026-03-02T12:00:00Z'))).toBeGreaterThan(300);
  });
});
