/** Heating and cooling are never on together, whatever is lost: relays, orders, reports, the gateway itself. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCKED_ALARM_AFTER_MS } from '../../gateway/core/climate/climate.ts';
import { INTERLOCK_MS } from '../../gateway/core/climate/outputs.ts';
import { COMMAND_TTL_MS } from '../../gateway/core/state.ts';
import { MINUTE } from '../support/records.ts';
import { MIN_OFF_MS, type Name, POINTS, RelayPlant } from '../support/relayplant.ts';

const SECOND = 1_000;
const COLD = 18;
const HOT = 28;
const FROST = 3;

/** A room that is heated, with a heater that cannot be reached since. */
function heatedAndLost(): RelayPlant {
  const plant = new RelayPlant();
  plant.pass(MINUTE, COLD);
  expect(plant.relays.heater.at).toBe('on');
  plant.lose('heater');
  return plant;
}

describe('cooling waits for a heater that was last on', () => {
  it('while it cannot be reached, and says which relay to look at', () => {
    const plant = heatedAndLost();
    plant.pass(BLOCKED_ALARM_AFTER_MS - SECOND, HOT);
    expect(plant.conditions).not.toContain('interlock');
    plant.pass(3 * 60 * MINUTE, HOT, 10 * SECOND);
    expect(plant.relays.cooler.at).toBe('off');
    const alarm = plant.world.state.alarms.live.find((live) => live.kind === 'interlock');
    expect(alarm).toMatchObject({ room: 'r1', device: POINTS.heater, severity: 'warning' });
    expect(alarm?.text).toContain(`Cooling of r1 waits: the relay for heating, ${POINTS.heater}, was last on`);
    expect(plant.conditions).toContain('device_offline');
  });

  it('until it is back and has reported off', () => {
    const plant = heatedAndLost();
    plant.pass(5 * MINUTE, HOT);
    plant.find('heater');
    plant.pass(INTERLOCK_MS + SECOND, HOT);
    expect([plant.relays.heater.at, plant.relays.cooler.at, plant.bothOn]).toEqual(['off', 'on', false]);
    expect(plant.conditions).not.toContain('interlock');
  });

  it('when its off order was lost with it', () => {
    const plant = new RelayPlant();
    plant.pass(MINUTE, COLD);
    plant.relays.heater.deaf = true;
    plant.pass(SECOND, HOT);
    plant.lose('heater');
    plant.pass(10 * MINUTE, HOT);
    expect(plant.relays).toMatchObject({ heater: { at: 'on' }, cooler: { at: 'off' } });
  });

  it('when it obeyed and was lost before it said so', () => {
    const plant = new RelayPlant();
    plant.relays.heater.diesObeying = true;
    plant.pass(MINUTE, COLD);
    expect(plant.relays.heater).toMatchObject({ at: 'on', told: 'off' });
    plant.pass(10 * MINUTE, HOT);
    plant.restart();
    plant.pass(10 * MINUTE, HOT);
    expect(plant.relays.cooler.at).toBe('off');
    // It is back, and what it told before it was lost is not how it stands now.
    plant.fact({ kind: 'device', device: 'heater', online: true });
    plant.pass(INTERLOCK_MS + SECOND, HOT);
    expect(plant.relays.cooler.at).toBe('off');
  });

  it('across a restart', () => {
    const plant = heatedAndLost();
    plant.restart();
    plant.pass(10 * MINUTE, HOT);
    expect(plant.relays.cooler.at).toBe('off');
    plant.opens('heater');
    plant.find('heater');
    plant.pass(INTERLOCK_MS + SECOND, HOT);
    expect(plant.relays.cooler.at).toBe('on');
  });

  it('but not for one that was never on, though it never reports', () => {
    const plant = new RelayPlant({ fresh: true });
    plant.lose('heater');
    plant.pass(INTERLOCK_MS + SECOND, HOT);
    expect(plant.relays.cooler.at).toBe('on');
  });

  it('nor for one that was off when it was lost', () => {
    const plant = new RelayPlant();
    plant.lose('heater');
    plant.pass(INTERLOCK_MS + SECOND, HOT);
    expect(plant.relays.cooler.at).toBe('on');
  });

  it('and for longer than an order may be under way', () => {
    expect(INTERLOCK_MS).toBeGreaterThan(COMMAND_TTL_MS);
  });
});

describe('frost', () => {
  it('is heated against while a cooler that was off cannot be reached', () => {
    const plant = new RelayPlant({ minimum: true });
    plant.lose('cooler');
    plant.pass(INTERLOCK_MS + SECOND, FROST);
    expect(plant.relays.heater.at).toBe('on');
    expect(plant.conditions).not.toContain('interlock');
  });

  it('is not heated against beside a cooler that may run, which is a critical alarm', () => {
    const plant = new RelayPlant();
    plant.pass(MINUTE, HOT);
    plant.lose('cooler');
    plant.pass(2 * MINUTE, FROST);
    expect(plant.relays).toMatchObject({ heater: { at: 'off' }, cooler: { at: 'on' } });
    expect(plant.world.state.alarms.live).toContainEqual(
      expect.objectContaining({ kind: 'interlock', severity: 'critical', device: POINTS.cooler }),
    );
    plant.find('cooler');
    plant.pass(INTERLOCK_MS + SECOND, FROST);
    expect(plant.relays).toMatchObject({ heater: { at: 'on' }, cooler: { at: 'off' } });
    expect(plant.bothOn).toBe(false);
  });
});

describe('whatever happens', () => {
  const trouble = fc.constantFrom('none', 'lose', 'find', 'deaf', 'hears', 'sticks', 'opens', 'dies', 'restart');
  const moment = fc.record({
    trouble,
    name: fc.constantFrom<Name>('heater', 'cooler'),
    temperature: fc.constantFrom(COLD, 22.5, HOT),
    waitMs: fc.oneof(fc.integer({ min: SECOND, max: 10 * SECOND }), fc.integer({ min: MINUTE, max: 8 * MINUTE })),
  });

  function happen(plant: RelayPlant, kind: string, name: Name): void {
    const relay = plant.relays[name];
    if (kind === 'lose') plant.lose(name);
    else if (kind === 'find') plant.find(name);
    else if (kind === 'deaf' || kind === 'hears') relay.deaf = kind === 'deaf';
    else if (kind === 'sticks') relay.sticks = true;
    else if (kind === 'opens') plant.opens(name);
    else if (kind === 'dies') relay.diesObeying = true;
    else if (kind === 'restart') plant.restart();
  }

  it.each([false, true])('never both are on, and a compressor rests (minimum times: %s)', (minimum) => {
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 30 }), (moments) => {
        const plant = new RelayPlant({ minimum });
        for (const { trouble: kind, name, temperature, waitMs } of moments) {
          happen(plant, kind, name);
          plant.pass(waitMs, temperature, waitMs > MINUTE ? 10 * SECOND : SECOND);
          expect(plant.bothOn).toBe(false);
          if (minimum) expect(plant.relays.cooler.shortestRestMs).toBeGreaterThanOrEqual(MIN_OFF_MS);
        }
      }),
      { numRuns: 150 },
    );
  });
});
