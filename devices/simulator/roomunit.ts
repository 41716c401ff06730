/** A room with its air, its people and the sensors that see them. */
import { type SimClock, Timers } from './clock.ts';
import { fullPoint, type SimulatedRoom } from './describe.ts';
import type { StateValue } from './faults.ts';
import type { Parts } from './parts.ts';
import {
  daylightLux,
  OUTDOOR_CO2_PPM,
  outdoorTemperature,
  type RoomAir,
  type RoomParameters,
  relativeHumidity,
  roomParameters,
  saturationGPerM3,
  stepRoom,
  type Weather,
} from './physics.ts';
import type { Random } from './random.ts';

/** Distance of the looks at the room, by the device's clock. */
const TICK_MS = 1000;
/** A value that does not change is reported this often. */
const REPORT_EVERY_MS = 60_000;
/** A changing value is not reported more often than this; presence and people at once. */
const REPORT_GAP_MS = 5000;
/** How long a PIR stays on after a motion. */
const PIR_ON_MS = 15_000;
/** How long a radar still sees somebody who has left. */
const MMWAVE_ON_MS = 3000;
/** Motions of a lively person a second; and how often people fall still and stir again, so that a PIR drops out. */
const MOTIONS_PER_S = 0.15;
const FALLS_STILL_PER_S = 1 / 240;
const STIRS_PER_S = 1 / 90;
/** What full lights give, lx. */
const LAMP_LUX = 500;

export interface RoomOptions {
  readonly clock: SimClock;
  /** Runs `speed` times as fast as `clock`. */
  readonly world: SimClock;
  readonly random: Random;
  readonly weather: Weather;
  /** °C at the start. */
  readonly startC?: number | undefined;
}

interface Sensor {
  readonly point: string;
  /** A change of at least this much is worth a report. */
  readonly step: number;
  readonly gapMs: number;
  readonly kind?: string | undefined;
  read(): StateValue;
  sent: StateValue | undefined;
  sentAtMs: number;
}

export class RoomUnit {
  readonly id: string;
  readonly #room: SimulatedRoom;
  readonly #parameters: RoomParameters;
  readonly #parts: Parts;
  readonly #options: RoomOptions;
  readonly #timers: Timers;
  readonly #sensors: Sensor[];
  #air: RoomAir;
  #people = 0;
  #still = false;
  #lastMotionMs = Number.NEGATIVE_INFINITY;
  #lastSeenMs = Number.NEGATIVE_INFINITY;
  #worldMs: number;

  constructor(room: SimulatedRoom, parts: Parts, options: RoomOptions) {
    this.id = room.id;
    this.#room = room;
    this.#parts = parts;
    this.#options = options;
    this.#parameters = roomParameters(room.areaM2);
    this.#timers = new Timers(options.clock);
    this.#worldMs = options.world.wallMs();
    const startC = options.startC ?? options.random.between(17, 20);
    this.#air = {
      airC: startC,
      massC: startC,
      waterGPerM3: 0.4 * saturationGPerM3(startC),
      co2Ppm: OUTDOOR_CO2_PPM + options.random.between(20, 120),
    };
    this.#sensors = this.#bind();
  }

  get people(): number {
    return this.#people;
  }
  /** °C */
  get temperature(): number {
    return this.#air.airC;
  }
  get air(): RoomAir {
    return this.#air;
  }
  get heating(): boolean {
    return this.#relay(this.#room.points.heating, 'relay');
  }
  get cooling(): boolean {
    return this.#relay(this.#room.points.cooling, 'relay-2');
  }

  /** Sensors tell what is, once now and then as it changes. */
  start(): void {
    this.#report();
    this.#timers.every(TICK_MS, () => this.tick());
  }

  stop(): void {
    this.#timers.stop();
  }

  enter(people = 1): void {
    this.#people += people;
    this.#still = false;
    this.#lastMotionMs = this.#options.world.wallMs();
    this.#report();
  }

  leave(people = 1): void {
    this.#people = Math.max(0, this.#people - people);
    this.#lastMotionMs = this.#options.world.wallMs();
    this.#report();
  }

  /** Brings the room to the world's present time. */
  tick(): void {
    const nowMs = this.#options.world.wallMs();
    const seconds = Math.max(0, (nowMs - this.#worldMs) / 1000);
    this.#worldMs = nowMs;
    const outdoorC = outdoorTemperature(nowMs, this.#options.weather);
    const load = {
      outdoorC,
      outdoorWaterGPerM3: (this.#options.weather.humidity / 100) * saturationGPerM3(outdoorC),
      people: this.#people,
      heating: this.heating,
      cooling: this.cooling,
    };
    this.#air = stepRoom(this.#parameters, this.#air, load, seconds);
    this.#move(nowMs, seconds);
    this.#report();
  }

  #move(nowMs: number, seconds: number): void {
    if (this.#people === 0) return;
    this.#lastSeenMs = nowMs;
    const { random } = this.#options;
    const within = (perSecond: number): boolean => random.chance(1 - Math.exp(-perSecond * seconds));
    this.#still = this.#still ? !within(STIRS_PER_S) : within(FALLS_STILL_PER_S / this.#people);
    if (!this.#still && within(MOTIONS_PER_S * this.#people)) this.#lastMotionMs = nowMs;
  }

  #bind(): Sensor[] {
    const { points } = this.#room;
    const sensors: Sensor[] = [];
    const add = (
      point: string | undefined,
      usual: string,
      step: number,
      gapMs: number,
      read: () => StateValue,
    ): void => {
      const full = point === undefined ? undefined : fullPoint(point, usual);
      if (full === undefined || !this.#parts.sensors.has(full)) return;
      sensors.push({ point: full, step, gapMs, read, sent: undefined, sentAtMs: 0 });
    };
    points.presence.forEach((point, index) => {
      const full = fullPoint(point, 'presence');
      if (!this.#parts.sensors.has(full)) return;
      // The first sensor of a room is the usual PIR; a second one is bought to see those who sit still.
      const kind = index === 0 ? 'pir' : 'mmwave';
      const read = index === 0 ? () => this.#pir() : () => this.#mmwave();
      sensors.push({ point: full, step: 0, gapMs: 0, kind, read, sent: undefined, sentAtMs: 0 });
    });
    const noise = (spread: number): number => this.#options.random.between(-spread, spread);
    add(points.people, 'people', 0, 0, () => this.#people);
    add(points.temperature, 'temperature', 0.1, REPORT_GAP_MS, () => round(this.#air.airC + noise(0.03), 0.1));
    add(points.humidity, 'humidity', 1, REPORT_GAP_MS, () => round(relativeHumidity(this.#air) + noise(0.3), 0.5));
    add(points.co2, 'co2', 10, REPORT_GAP_MS, () => Math.round(this.#air.co2Ppm + noise(4)));
    add(points.illuminance, 'illuminance', 20, REPORT_GAP_MS, () => Math.round(this.#lux()));
    return sensors;
  }

  #report(): void {
    const nowMs = this.#options.clock.wallMs();
    for (const sensor of this.#sensors) {
      const value = sensor.read();
      const sinceMs = nowMs - sensor.sentAtMs;
      const news = changed(sensor.sent, value, sensor.step) && sinceMs >= sensor.gapMs;
      // A clock that was set back must not silence the sensor.
      if (!news && sinceMs >= 0 && sinceMs < REPORT_EVERY_MS) continue;
      sensor.sent = value;
      sensor.sentAtMs = nowMs;
      const target = this.#parts.sensors.get(sensor.point);
      target?.device.report(target.capability, value, { cause: 'measurement', kind: sensor.kind });
    }
  }

  #pir(): boolean {
    return this.#options.world.wallMs() - this.#lastMotionMs < PIR_ON_MS;
  }

  #mmwave(): boolean {
    return this.#people > 0 || this.#options.world.wallMs() - this.#lastSeenMs < MMWAVE_ON_MS;
  }

  #lux(): number {
    const lamps = this.#room.points.lights.map((light) => {
      const dimmer = this.#parts.dimmers.get(fullPoint(light, 'dimmer'));
      const relay = this.#parts.relays.get(fullPoint(light, 'dimmer'));
      return dimmer ? dimmer.level / 100 : relay?.on ? 1 : 0;
    });
    const lit = lamps.length === 0 ? 0 : lamps.reduce((sum, level) => sum + level, 0) / lamps.length;
    return daylightLux(this.#options.world.wallMs()) + LAMP_LUX * lit;
  }

  #relay(point: string | undefined, usual: string): boolean {
    return point !== undefined && this.#parts.relays.get(fullPoint(point, usual))?.on === true;
  }
}

function changed(before: StateValue | undefined, after: StateValue, step: number): boolean {
  if (typeof before !== 'number' || typeof after !== 'number') return before !== after;
  // The small allowance keeps 20.1 − 20.0 a whole step in floating point.
  return before !== after && Math.abs(after - before) >= step - 1e-9;
}

function round(value: number, unit: number): number {
  return Number((Math.round(value / unit) * unit).toFixed(2));
}
