/** Relays that are lost, stick or open by themselves: what is kept of them, and a compressor's rest. */
import { describe, expect, it } from 'vitest';
import { MINUTE } from '../support/records.ts';
import { MIN_OFF_MS, MIN_ON_MS, POINTS, RelayPlant } from '../support/relayplant.ts';

const SECOND = 1_000;
const HOT = 28;
const MILD = 22.5;

/** A compressor that has run for its minimum and is no longer wanted. */
function cooled(): RelayPlant {
  const plant = new RelayPlant({ minimum: true });
  plant.pass(MIN_OFF_MS + MIN_ON_MS, HOT);
  expect(plant.relays.cooler.at).toBe('on');
  return plant;
}

function expectRested(plant: RelayPlant): void {
  expect(plant.relays.cooler.at).toBe('on');
  expect(plant.relays.cooler.shortestRestMs).toBeGreaterThanOrEqual(MIN_OFF_MS);
  expect(plant.relays.cooler.shortestRestMs).toBeLessThanOrEqual(MIN_OFF_MS + SECOND);
}

describe('a compressor rests from when its relay opened', () => {
  it('obeys at once', () => {
    const plant = cooled();
    plant.pass(SECOND, MILD);
    plant.pass(MIN_OFF_MS + SECOND, HOT);
    expectRested(plant);
  });

  it.each([
    ['before the cold is wanted again', 4.9 * MINUTE, 0],
    ['when it has been wanted again for a while', 4 * MINUTE, 2 * MINUTE],
  ])('sticks and opens late, %s', (_name, unwantedMs, wantedMs) => {
    const plant = cooled();
    plant.relays.cooler.sticks = true;
    plant.pass(unwantedMs, MILD);
    plant.pass(wantedMs, HOT);
    plant.opens('cooler');
    plant.pass(MIN_OFF_MS + SECOND, HOT);
    expectRested(plant);
  });

  it('did not hear the first orders', () => {
    const plant = cooled();
    plant.relays.cooler.deaf = true;
    plant.pass(9 * SECOND, MILD);
    plant.relays.cooler.deaf = false;
    plant.pass(5 * SECOND, MILD);
    expect(plant.relays.cooler.at).toBe('off');
    plant.pass(MIN_OFF_MS + SECOND, HOT);
    expectRested(plant);
  });

  it('opens by itself for a moment while it is wanted', () => {
    const plant = cooled();
    plant.opens('cooler');
    plant.pass(MIN_OFF_MS + SECOND, HOT);
    expectRested(plant);
  });

  it('opens unseen, and says so when it is back', () => {
    const plant = cooled();
    plant.lose('cooler');
    plant.opens('cooler');
    plant.pass(2 * MINUTE, HOT);
    plant.find('cooler');
    plant.pass(MIN_OFF_MS - SECOND, HOT);
    expect(plant.relays.cooler.at).toBe('off');
    plant.pass(SECOND, HOT);
    expect(plant.relays.cooler.at).toBe('on');
  });
});

describe('what is kept of a relay', () => {
  it('is on from the order, off only from the report', () => {
    const plant = cooled();
    plant.relays.cooler.sticks = true;
    plant.pass(MINUTE, MILD);
    expect(plant.orders.at(-1)).toMatch(/cooler off$/);
    expect(plant.record.get(POINTS.cooler)?.value).toBe('on');
    plant.opens('cooler');
    expect(plant.record.get(POINTS.cooler)).toEqual({ point: POINTS.cooler, value: 'off', atMs: plant.ms });
  });

  it('stays through equal reports, an absence, a restart and what a broker remembers', () => {
    const plant = cooled();
    plant.pass(10 * MINUTE, HOT);
    const atMs = plant.ms;
    plant.pass(MINUTE, MILD);
    const kept = { point: POINTS.cooler, value: 'off', atMs };
    expect(plant.record.get(POINTS.cooler)).toEqual(kept);
    plant.fact({ kind: 'reading', point: POINTS.cooler, value: 'off', retained: false });
    plant.lose('cooler');
    plant.pass(MINUTE, MILD);
    plant.find('cooler');
    plant.restart();
    plant.pass(MINUTE, MILD);
    expect(plant.record.get(POINTS.cooler)).toEqual(kept);
    plant.pass(2 * MINUTE, HOT);
    expectRested(plant);
  });

  it('counts a relay that opened while the gateway was down from when it is heard of', () => {
    const plant = cooled();
    plant.relays.cooler.online = false;
    plant.opens('cooler');
    plant.relays.cooler.online = true;
    plant.relays.cooler.told = 'off';
    plant.ms += 2 * MINUTE;
    plant.restart();
    plant.pass(MIN_OFF_MS - SECOND, HOT);
    expect(plant.relays.cooler.at).toBe('off');
    plant.pass(SECOND, HOT);
    expect(plant.relays.cooler.at).toBe('on');
  });

  it('does not delay the first order of a relay that was never ordered on', () => {
    const plant = new RelayPlant({ minimum: true, fresh: true });
    plant.pass(3 * SECOND, HOT);
    expect(plant.relays.cooler.at).toBe('on');
  });
});
