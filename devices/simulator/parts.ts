/** Gives each capability of a device its behaviour, and finds it again by its point. */
import type { SimClock } from './clock.ts';
import type { VirtualDevice } from './device.ts';
import type { StateValue } from './faults.ts';
import { VirtualContact, VirtualExitButton, VirtualLock } from './lock.ts';
import { VirtualDimmer, VirtualRelay } from './outputs.ts';
import type { Random } from './random.ts';
import { VirtualReader } from './reader.ts';

export interface PartOptions {
  readonly clock: SimClock;
  readonly random: Random;
  readonly travelMs?: readonly [number, number] | undefined;
  readonly jamProbability?: number | undefined;
}

/** What sensors report before their room has told them anything. */
const FIRST_VALUES: Readonly<Record<string, StateValue>> = {
  presence: false,
  people: 0,
  temperature: null,
  humidity: null,
  co2: null,
  illuminance: null,
  battery: 100,
};

/** Everything that can be touched, by `device/capability`. */
export class Parts {
  readonly locks = new Map<string, VirtualLock>();
  readonly contacts = new Map<string, VirtualContact>();
  readonly exits = new Map<string, VirtualExitButton>();
  readonly readers = new Map<string, VirtualReader>();
  readonly relays = new Map<string, VirtualRelay>();
  readonly dimmers = new Map<string, VirtualDimmer>();
  /** The device of each sensor and the capability there. */
  readonly sensors = new Map<string, { readonly device: VirtualDevice; readonly capability: string }>();
  readonly #options: PartOptions;

  constructor(options: PartOptions) {
    this.#options = options;
  }

  attach(device: VirtualDevice): void {
    for (const capability of device.capabilities) this.#attachOne(device, capability);
  }

  stop(): void {
    for (const part of [...this.locks.values(), ...this.relays.values(), ...this.dimmers.values()]) part.stop();
  }

  #attachOne(device: VirtualDevice, capability: string): void {
    const point = `${device.id}/${capability}`;
    const { clock, random, travelMs, jamProbability } = this.#options;
    const kind = capability.replace(/-\d+$/, '');
    switch (kind) {
      case 'lock': {
        const options = { clock, random: random.fork(point), travelMs, jamProbability };
        this.locks.set(point, new VirtualLock(device, capability, options));
        return;
      }
      case 'door':
        this.contacts.set(point, new VirtualContact(device, capability));
        return;
      case 'exit':
        this.exits.set(point, new VirtualExitButton(device, capability));
        return;
      case 'reader':
        this.readers.set(point, new VirtualReader(device, capability));
        return;
      case 'relay':
        this.relays.set(point, new VirtualRelay(device, capability, clock));
        return;
      case 'dimmer':
        this.dimmers.set(point, new VirtualDimmer(device, capability, clock));
        return;
      default:
        device.report(capability, FIRST_VALUES[kind] ?? null, { cause: 'start' });
        this.sensors.set(point, { device, capability });
    }
  }
}
