/** An outside broker that is not there at the start, goes away and comes back: nothing unlocks late. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Clinic } from '../support/clinic.ts';

const CARD = '04A224B2C15E80';
const PATIENCE = { timeout: 30_000, interval: 20 };
const LONG = 120_000;

let clinic: Clinic;
afterEach(() => clinic.close());

async function ready(): Promise<number> {
  return (await fetch(`${clinic.gateway.url}/health/ready`)).status;
}

async function gear(boot: string) {
  const lock = await clinic.device('lock-1', ['lock', 'door', 'exit'], { lock: 'locked', door: 'closed' }, boot);
  const reader = await clinic.device('reader-1', ['reader'], {}, boot);
  return { lock, reader };
}

describe('a broker that is away', () => {
  it(
    'at the start does not keep the gateway from starting; it says so, and works when the broker is there',
    async () => {
      clinic = await Clinic.open({ broker: 'mosquitto', brokerAway: true });
      await vi.waitFor(async () => expect(await clinic.alarms()).toContain('broker'), PATIENCE);
      expect(await ready()).toBe(503);
      const ada = await clinic.practitioner('Ada', CARD, { startMin: 0, endMin: 600 });
      expect(ada.booking).toMatch(/^b-/);
      // An operator at the dashboard is told at once, and not after a wait.
      const refused = await clinic.api('POST', 'doors/consult-1-door/unlock', { reason: 'key forgotten' });
      expect(refused).toMatchObject({ status: 200, body: { outcome: 'failed' } });
      await clinic.mosquitto?.start();
      await vi.waitFor(async () => expect(await ready()).toBe(200), PATIENCE);
      await vi.waitFor(async () => expect(await clinic.alarms()).not.toContain('broker'), PATIENCE);
      const { lock, reader } = await gear('b1');
      // What could not be sent then is not sent now.
      expect(lock.orders).toEqual([]);
      await reader.badge(CARD);
      await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1), PATIENCE);
    },
    LONG,
  );

  it(
    'for a while leaves every device unknown, and brings no order late',
    async () => {
      clinic = await Clinic.open({ broker: 'mosquitto' });
      const first = await gear('b1');
      await clinic.practitioner('Ada', CARD, { startMin: 0, endMin: 600 });
      await first.reader.badge(CARD);
      await vi.waitFor(() => expect(first.lock.unlocks()).toHaveLength(1), PATIENCE);
      await vi.waitFor(async () => expect(await clinic.events('command')).toHaveLength(1), PATIENCE);

      await clinic.mosquitto?.halt();
      await vi.waitFor(async () => expect(await clinic.alarms()).toContain('broker'), PATIENCE);
      const doors = await clinic.get<{ id: string; lock: string; online: boolean }[]>('doors');
      expect(doors.find((door) => door.id === 'consult-1-door')).toMatchObject({ lock: 'unknown', online: false });
      const refused = await clinic.api('POST', 'doors/consult-1-door/unlock', { reason: 'key forgotten' });
      expect(refused).toMatchObject({ status: 200, body: { outcome: 'failed' } });

      await clinic.mosquitto?.start();
      await vi.waitFor(async () => expect(await ready()).toBe(200), PATIENCE);
      const { lock, reader } = await gear('b2');
      expect(lock.orders).toEqual([]);
      clinic.clock.advance(2_000);
      await reader.badge(CARD);
      await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1), PATIENCE);
      expect(lock.unlocks()[0]?.command.id).not.toBe(refused.body.command);
      await vi.waitFor(async () => expect(await clinic.alarms()).not.toContain('broker'), PATIENCE);
    },
    LONG,
  );
});
