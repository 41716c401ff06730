/** A room that a heater and a cooler of their own serve, and what may go wrong with them. */
import type { Effect, RelaySwitch } from '../../gateway/core/effects.ts';
import type { Fact } from '../../gateway/core/facts.ts';
import type { Site } from '../../gateway/core/site.ts';
import { aBooking, aRoom, aSite, aWorld, commandsOf, HOUR, MINUTE, MONDAY, type World } from './records.ts';

export const MIN_ON_MS = 15 * MINUTE;
export const MIN_OFF_MS = 5 * MINUTE;
const SECOND = 1_000;

export type Name = 'heater' | 'cooler';
export const POINTS = { heater: 'heater/relay', cooler: 'cooler/relay' } as const;

export class Relay {
  /** Where the contact is, whatever anybody was told. */
  at: 'on' | 'off' = 'off';
  online = true;
  /** Orders do not arrive. */
  deaf = false;
  /** The contact does not open, of which there is nothing to report. */
  sticks = false;
  /** It obeys the next order and is lost before it says so. */
  diesObeying = false;
  /** What it said last, which a broker remembers. */
  told: 'on' | 'off' | undefined;
  openedMs = Number.NEGATIVE_INFINITY;
  /** The shortest time that it was open between two runs. */
  shortestRestMs = Number.POSITIVE_INFINITY;
}

function plantSite(minimum: boolean): Site {
  const room = aRoom('r1');
  const climate = { ...(room.climate ?? fail()), minOnMs: minimum ? MIN_ON_MS : 0, minOffMs: minimum ? MIN_OFF_MS : 0 };
  const points = { ...room.points, heating: POINTS.heater, cooling: POINTS.cooler };
  return aSite({ rooms: [{ ...room, points, climate }], doors: [], devices: ['r1-unit', 'heater', 'cooler'] });
}

function fail(): never {
  throw new Error('the room has no climate');
}

export class RelayPlant {
  readonly relays: Readonly<Record<Name, Relay>> = { heater: new Relay(), cooler: new Relay() };
  /** Orders as `minute point value`. */
  readonly orders: string[] = [];
  readonly record = new Map<string, RelaySwitch>();
  bothOn = false;
  ms: number;
  readonly #startMs: number;
  readonly #site: Site;
  #world: World;
  #temperature = 22;

  /** Booked all day. `fresh`: the relays have not said anything yet. */
  constructor(options: { minimum?: boolean; fresh?: boolean } = {}) {
    this.#startMs = MONDAY + 6 * HOUR;
    this.ms = this.#startMs;
    this.#site = plantSite(options.minimum ?? false);
    this.#world = this.#open();
    if (options.fresh !== true) for (const name of ['heater', 'cooler'] as const) this.#report(name);
  }

  get conditions(): string[] {
    return this.#world.state.alarms.live.map((alarm) => alarm.kind);
  }

  get world(): World {
    return this.#world;
  }

  fact(fact: Fact): readonly Effect[] {
    const effects = this.#world.do(fact, this.ms);
    for (const effect of effects) if (effect.kind === 'relay_switch') this.record.set(effect.relay.point, effect.relay);
    for (const command of commandsOf(effects, 'set')) {
      const name = command.point.slice(0, command.point.indexOf('/'));
      if ((name === 'heater' || name === 'cooler') && command.do.op === 'set')
        this.#order(name, command.do.value as 'on' | 'off');
    }
    this.bothOn ||= this.relays.heater.at === 'on' && this.relays.cooler.at === 'on';
    return effects;
  }

  /** Lets time go by, with the temperature told every minute. */
  pass(ms: number, temperature = this.#temperature, stepMs = SECOND): void {
    this.#temperature = temperature;
    this.#tellTemperature();
    const untilMs = this.ms + ms;
    while (this.ms < untilMs) {
      this.ms = Math.min(this.ms + stepMs, untilMs);
      if ((this.ms - this.#startMs) % MINUTE < stepMs) this.#tellTemperature();
      this.fact({ kind: 'tick' });
    }
  }

  /** The network of a device fails; its contact stays. */
  lose(name: Name): void {
    if (!this.relays[name].online) return;
    this.relays[name].online = false;
    this.fact({ kind: 'device', device: name, online: false });
  }

  find(name: Name): void {
    if (this.relays[name].online) return;
    this.relays[name].online = true;
    this.fact({ kind: 'device', device: name, online: true });
    this.#report(name);
  }

  /** The contact opens by itself, as at the end of its sticking or of its supply. */
  opens(name: Name): void {
    this.relays[name].sticks = false;
    if (this.relays[name].at === 'on') this.#move(name, 'off');
    if (this.relays[name].online) this.#report(name);
  }

  /** The gateway starts anew: a broker's memory comes first, then who is there. */
  restart(): void {
    this.#world = this.#open();
    for (const name of ['heater', 'cooler'] as const) {
      const { told, online } = this.relays[name];
      if (told !== undefined) this.fact({ kind: 'reading', point: POINTS[name], value: told, retained: true });
      this.fact({ kind: 'device', device: name, online });
    }
    this.#tellTemperature();
  }

  #open(): World {
    return aWorld({
      site: this.#site,
      bookings: [aBooking('b', this.#startMs - HOUR, this.#startMs + 1_000 * HOUR)],
      relaySwitches: [...this.record.values()],
      online: this.record.size === 0 ? ['r1-unit', 'heater', 'cooler'] : ['r1-unit'],
      atMs: this.ms,
    });
  }

  #order(name: Name, value: 'on' | 'off'): void {
    const relay = this.relays[name];
    this.orders.push(`${(this.ms - this.#startMs) / MINUTE} ${name} ${value}`);
    if (!relay.online || relay.deaf || (relay.sticks && value === 'off')) return;
    this.#move(name, value);
    if (relay.diesObeying) {
      relay.diesObeying = false;
      this.lose(name);
    } else this.#report(name);
  }

  #move(name: Name, value: 'on' | 'off'): void {
    const relay = this.relays[name];
    if (relay.at === value) return;
    if (value === 'off') relay.openedMs = this.ms;
    else relay.shortestRestMs = Math.min(relay.shortestRestMs, this.ms - relay.openedMs);
    relay.at = value;
  }

  #report(name: Name): void {
    const relay = this.relays[name];
    relay.told = relay.at;
    this.fact({ kind: 'reading', point: POINTS[name], value: relay.at, retained: false });
  }

  #tellTemperature(): void {
    this.fact({ kind: 'reading', point: 'r1-unit/temperature', value: this.#temperature, retained: false });
  }
}
