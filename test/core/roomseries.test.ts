import { describe, expect, it } from 'vitest';
import type { Effect } from '../../gateway/core/effects.ts';
import type { ReadingFact } from '../../gateway/core/facts.ts';
import { READINGS_EVERY_MS } from '../../gateway/core/roomseries.ts';
import { aRoom, aSite, aWorld, MONDAY } from '../support/records.ts';

/** The points of one measurement of room r1, fields only, numbers bare. */
function told(effects: readonly Effect[], measurement: 'climate' | 'light'): Record<string, unknown>[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== 'telemetry' || effect.point.measurement !== measurement) return [];
    if (effect.point.tags.room !== 'r1') return [];
    const fields = Object.entries(effect.point.fields);
    return [
      Object.fromEntries(
        fields.map(([key, value]) => [key, typeof value === 'object' && 'float' in value ? value.float : value]),
      ),
    ];
  });
}

const reading = (capability: string, value: ReadingFact['value']): ReadingFact => ({
  kind: 'reading',
  point: `r1-unit/${capability}`,
  value,
  retained: false,
});

describe('the climate series', () => {
  it('has what a sensor measures at once, and of quick changes the newest within five seconds', () => {
    const world = aWorld();
    const at = (ms: number) => MONDAY + 10_000 + ms;
    world.do({ kind: 'tick' }, at(0));
    expect(told(world.do(reading('temperature', 19.2), at(100)), 'climate')).toMatchObject([{ temperature: 19.2 }]);
    expect(told(world.do(reading('temperature', 19.6), at(1_000)), 'climate')).toEqual([]);
    expect(told(world.do(reading('temperature', 19.9), at(2_000)), 'climate')).toEqual([]);
    expect(told(world.do({ kind: 'tick' }, at(99 + READINGS_EVERY_MS)), 'climate')).toEqual([]);
    const after = told(world.do({ kind: 'tick' }, at(100 + READINGS_EVERY_MS)), 'climate');
    expect(after).toMatchObject([{ temperature: 19.9 }]);
    expect(told(world.do({ kind: 'tick' }, at(20_000)), 'climate')).toEqual([]);
  });

  it('does not follow a sensor’s noise', () => {
    const world = aWorld();
    world.do(reading('temperature', 20.01), MONDAY + 10_000);
    for (let s = 11; s < 40; s += 1) {
      const value = s % 2 === 0 ? 20.01 : 20.02;
      expect(told(world.do(reading('temperature', value), MONDAY + s * 1_000), 'climate')).toEqual([]);
    }
  });

  it('leaves out what a sensor no longer knows', () => {
    const world = aWorld();
    world.do(reading('temperature', 19), MONDAY + 10_000);
    const [point] = told(world.do(reading('temperature', null), MONDAY + 20_000), 'climate');
    expect(point).toBeDefined();
    expect(point).not.toHaveProperty('temperature');
  });

  it('is kept of a room that measures and controls nothing', () => {
    const points = { presence: [], lights: [], temperature: 'r1-unit/temperature' };
    const store = aRoom('r1', { points, climate: undefined, lighting: undefined });
    const world = aWorld({ site: aSite({ rooms: [store, aRoom('r2')] }) });
    expect(told(world.do(reading('temperature', 18), MONDAY + 10_000), 'climate')).toEqual([{ temperature: 18 }]);
  });
});

describe('the light series', () => {
  it('says what the lamp reports, and nothing while it reports nothing', () => {
    const world = aWorld();
    const effects = [61, 122].flatMap((s) => world.do({ kind: 'tick' }, MONDAY + s * 1_000));
    expect(told(effects, 'light')).toEqual([]);
    expect(told(world.do(reading('dimmer', 35), MONDAY + 130_000), 'light')).toEqual([{ level: 35 }]);
    world.do({ kind: 'device', device: 'r1-unit', online: false }, MONDAY + 140_000);
    expect(told(world.do({ kind: 'tick' }, MONDAY + 200_000), 'light')).toEqual([]);
  });
});
