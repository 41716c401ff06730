/**
 * A virtual clinic for any configuration: real MQTT clients, locks that take time, rooms with physics, people.
 * It knows the gateway only by CONTRACT's topics, and shares no code with the drivers that it exercises.
 */
import { type SimClock, scaledClock, systemClock, Timers } from './clock.ts';
import type { Description } from './describe.ts';
import { type DeviceAck, type DeviceStats, VirtualDevice } from './device.ts';
import { Doorway } from './doorway.ts';
import type { Fault } from './faults.ts';
import type { Tls } from './link.ts';
import { Parts } from './parts.ts';
import { People, type Visit, type VisitPlan, type VisitStep } from './people.ts';
import { TEMPERATE, type Weather } from './physics.ts';
import { seeded } from './random.ts';
import type { Badge } from './reader.ts';
import { RoomUnit } from './roomunit.ts';

export { type SimClock, scaledClock, systemClock } from './clock.ts';
export {
  type Description,
  type DeviceEntry,
  describeSite,
  type SimulatedDevice,
  type SimulatedDoor,
  type SimulatedRoom,
  simulatedDevices,
} from './describe.ts';
export type { DeviceAck, DeviceStats } from './device.ts';
export type { Fault } from './faults.ts';
export type { Behaviour, Visit, VisitPlan, VisitStep } from './people.ts';
export type { Badge } from './reader.ts';

/** So many devices connect at the same moment; more would only fill the broker's accept queue. */
const CONNECTING_AT_ONCE = 64;

export interface SimulatorOptions extends Description {
  readonly plan?: VisitPlan | readonly Visit[] | undefined;
  readonly clock?: SimClock | undefined;
  /** How many times as fast as the clock people and physics run; devices and their time stamps keep to the clock. */
  readonly speed?: number | undefined;
  readonly seed?: number | string | undefined;
  /** Devices only: no physics, no people. For tests of memory and load. */
  readonly light?: boolean | undefined;
  readonly weather?: Weather | undefined;
  readonly tls?: Tls | undefined;
  readonly travelMs?: readonly [number, number] | undefined;
  readonly jamProbability?: number | undefined;
  readonly onAck?: ((ack: DeviceAck) => void) | undefined;
  readonly onStep?: ((step: VisitStep) => void) | undefined;
  readonly log?: ((text: string) => void) | undefined;
}

export interface SimulatorStats {
  readonly devices: number;
  readonly online: number;
  readonly published: number;
  readonly commands: number;
  readonly acks: DeviceStats['acks'];
  readonly lostEvents: number;
  readonly people: People['counts'];
}

export interface Simulator {
  /** Resolves when every device's first attempt to connect has ended, well or not. */
  readonly ready: Promise<void>;
  readonly devices: ReadonlyMap<string, VirtualDevice>;
  readonly parts: Parts;
  readonly doors: readonly Doorway[];
  readonly people: People;
  /** By room id; empty in light mode. */
  readonly rooms: ReadonlyMap<string, RoomUnit>;
  addVisit(visit: Visit): boolean;
  /** Holds a badge to a reader, given as a point; false when there is no such reader or it has no link. */
  badge(reader: string, badge: Badge): boolean;
  /** Presses the exit button and opens the door from inside. */
  goOut(door: string): Promise<void>;
  forceOpen(door: string): Promise<void>;
  /** False when there is no such device. */
  setFault(device: string, fault: Fault | undefined): boolean;
  stats(): SimulatorStats;
  stop(): Promise<void>;
}

export function startSimulator(options: SimulatorOptions): Simulator {
  const clock = options.clock ?? systemClock;
  const world = scaledClock(clock, options.speed ?? 1);
  const random = seeded(options.seed ?? 'doorward');
  const timers = new Timers(clock);
  const parts = new Parts({
    clock,
    random,
    travelMs: options.travelMs,
    jamProbability: options.jamProbability,
  });
  const devices = new Map<string, VirtualDevice>();
  for (const entry of options.devices) {
    const { site, url, tls, log, onAck } = options;
    const device = new VirtualDevice({ ...entry, site, url: entry.url ?? url, clock, tls, log, onAck });
    parts.attach(device);
    devices.set(entry.id, device);
  }
  const doors = options.doors.map((door) => new Doorway(door, parts));
  const rooms = options.light ? new Map<string, RoomUnit>() : buildRooms(options, parts, clock, world);
  const people = new People({
    clock,
    world,
    random: random.fork('people'),
    doors,
    rooms,
    plan: options.light ? { visits: [] } : visitPlan(options.plan),
    onStep: options.onStep,
    log: options.log,
  });
  let stopped = false;
  for (const room of rooms.values()) room.start();
  const ready = connectAll([...devices.values()], () => stopped).then(() => {
    if (!stopped) people.start();
  });
  const door = (id: string): Doorway => {
    const found = doors.find((candidate) => candidate.id === id);
    if (!found) throw new Error(`there is no door ${id}`);
    return found;
  };
  return {
    ready,
    devices,
    parts,
    doors,
    people,
    rooms,
    addVisit: (visit) => people.add(visit),
    badge: (reader, badge) => parts.readers.get(reader)?.present(badge) ?? false,
    goOut: (id) => door(id).goOut(timers, () => {}),
    forceOpen: (id) => door(id).force(timers),
    setFault(id, fault) {
      devices.get(id)?.setFault(fault);
      return devices.has(id);
    },
    stats: () => sum([...devices.values()], people),
    async stop() {
      stopped = true;
      people.stop();
      timers.stop();
      for (const room of rooms.values()) room.stop();
      parts.stop();
      await Promise.all([...devices.values()].map((device) => device.stop()));
    },
  };
}

function visitPlan(plan: SimulatorOptions['plan']): VisitPlan {
  if (!plan) return { visits: [] };
  return 'visits' in plan ? plan : { visits: plan };
}

function buildRooms(options: SimulatorOptions, parts: Parts, clock: SimClock, world: SimClock): Map<string, RoomUnit> {
  const random = seeded(options.seed ?? 'doorward');
  const weather = options.weather ?? TEMPERATE;
  return new Map(
    options.rooms.map((room) => [
      room.id,
      new RoomUnit(room, parts, { clock, world, weather, random: random.fork(`room/${room.id}`) }),
    ]),
  );
}

/** Connects the devices, some at a time. */
function connectAll(devices: readonly VirtualDevice[], stopped: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    let next = 0;
    let settled = 0;
    if (devices.length === 0) resolve();
    const startNext = (): void => {
      const device = devices[next++];
      if (!device) return;
      if (stopped()) {
        resolve();
        return;
      }
      device.start(() => {
        if (++settled === devices.length) resolve();
        startNext();
      });
    };
    for (let index = 0; index < CONNECTING_AT_ONCE; index++) startNext();
  });
}

function sum(devices: readonly VirtualDevice[], people: People): SimulatorStats {
  const acks = { accepted: 0, done: 0, failed: 0, expired: 0, duplicate: 0, stale: 0 };
  const total = { published: 0, commands: 0, lostEvents: 0, online: 0 };
  for (const device of devices) {
    const { stats } = device;
    if (device.online) total.online++;
    total.published += stats.published;
    total.commands += stats.commands;
    total.lostEvents += stats.lostEvents;
    for (const result of Object.keys(acks) as (keyof typeof acks)[]) acks[result] += stats.acks[result];
  }
  return { devices: devices.length, ...total, acks, people: { ...people.counts } };
}
