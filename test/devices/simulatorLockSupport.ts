/** What the tests of one virtual device share: a broker, a clock and the device `lock-1`, made anew for each test. */
import { afterEach, beforeEach, expect } from 'vitest';
import { type DeviceOptions, VirtualDevice } from '../../devices/simulator/device.ts';
import { VirtualLock } from '../../devices/simulator/lock.ts';
import { seeded } from '../../devices/simulator/random.ts';
import { eventually, HandClock, startBroker, type TestBroker } from './simulatorSupport.ts';

export const ROOT = 'doorward/1/test/lock-1';

export class LockBench {
  broker!: TestBroker;
  clock!: HandClock;
  readonly stops: (() => Promise<void> | void)[] = [];
  #orders = 0;

  /** Registers the hooks; to be called once at the top of a test file. */
  static forEachTest(): LockBench {
    const bench = new LockBench();
    beforeEach(async () => {
      bench.broker = await startBroker();
      bench.clock = new HandClock();
    });
    afterEach(async () => {
      for (const stop of bench.stops.splice(0).reverse()) await stop();
      await bench.broker.close();
      expect(bench.clock.armed, 'timers left behind').toBe(0);
    });
    return bench;
  }

  device(extra: Partial<DeviceOptions> = {}): VirtualDevice {
    const capabilities = ['lock', 'door', 'reader', 'relay', 'dimmer'];
    const { clock } = this;
    const device = new VirtualDevice({
      site: 'test',
      id: 'lock-1',
      url: this.broker.url,
      capabilities,
      clock,
      ...extra,
    });
    this.stops.push(() => device.stop());
    return device;
  }

  async online(device: VirtualDevice): Promise<VirtualDevice> {
    device.start();
    await eventually(() => expect(device.online).toBe(true));
    return device;
  }

  lock(device: VirtualDevice, jamProbability = 0): VirtualLock {
    const { clock } = this;
    const lock = new VirtualLock(device, 'lock', { clock, random: seeded(1), travelMs: [500, 500], jamProbability });
    this.stops.push(() => lock.stop());
    return lock;
  }

  /** A fresh unlock command; `fields` in place of its own. */
  order(device: VirtualDevice, fields: Record<string, unknown> = {}): Record<string, unknown> {
    this.#orders += 1;
    return {
      id: `c${this.#orders}`,
      op: 'unlock',
      issuedAt: new Date(this.clock.wallMs()).toISOString(),
      expiresAt: new Date(this.clock.wallMs() + 5000).toISOString(),
      ttlMs: 5000,
      boot: device.boot,
      holdMs: 3000,
      ...fields,
    };
  }

  send(body: unknown, capability = 'lock', retain = false): Promise<void> {
    return this.broker.publish(`${ROOT}/command/${capability}`, body, retain);
  }
}
