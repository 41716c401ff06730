/**
 * All that the core knows between two facts. It is made once from the site, owned by the loop and changed by `step`
 * alone; the large indexes change in place, since copying 100 000 bookings for each badge would buy nothing
 * (docs/adr/0002).
 */
import { AlarmBook } from './alarms/book.ts';
import { type BookingCare, initialCare } from './bookings/carestate.ts';
import { ownBuffers, Schedule } from './bookings/schedule.ts';
import { type DoorState, initialDoor } from './doors/door.ts';
import type { Alarm, Command, CommandOp, Effect, JournalDraft, RelaySwitch } from './effects.ts';
import type { CalendarFact, Now, ReadingValue } from './facts.ts';
import type { Reason, SubReason } from './reasons.ts';
import type { Credential, Member } from './records.ts';
import { initialRoom, type RoomState } from './roomstate.ts';
import type { Door, Point, Room, Site } from './site.ts';

export interface Reading {
  readonly value: ReadingValue;
  readonly retained: boolean;
  readonly wallMs: number;
  readonly monoMs: number;
}

export interface DeviceState {
  /** undefined: not heard of since the gateway started. */
  readonly online: boolean | undefined;
  readonly sinceMonoMs: number;
  readonly fault?: { readonly text: string; readonly untilMonoMs: number } | undefined;
}

/** What a point means to the building; one point may serve several. */
export type Binding =
  | { readonly as: 'lock' | 'contact' | 'reader' | 'exit'; readonly door: Door }
  | {
      readonly as:
        | 'presence'
        | 'people'
        | 'temperature'
        | 'humidity'
        | 'co2'
        | 'illuminance'
        | 'heating'
        | 'cooling'
        | 'light';
      readonly room: Room;
    };

export interface LastRead {
  readonly hash: string;
  readonly reason: Reason;
  readonly subReason: SubReason | undefined;
  readonly monoMs: number;
}

export interface State {
  readonly site: Site;
  readonly rooms: Map<string, RoomState>;
  readonly roomById: ReadonlyMap<string, Room>;
  readonly doors: Map<string, DoorState>;
  readonly doorById: ReadonlyMap<string, Door>;
  readonly doorsOfRoom: ReadonlyMap<string, readonly Door[]>;
  readonly bindings: ReadonlyMap<Point, readonly Binding[]>;
  readonly bindingsOfDevice: ReadonlyMap<string, readonly Binding[]>;
  readonly readings: Map<Point, Reading>;
  readonly devices: Map<string, DeviceState>;
  readonly schedule: Schedule;
  readonly members: Map<string, Member>;
  readonly credentials: Map<string, Credential>;
  readonly credentialById: Map<string, Credential>;
  readonly scheduleFreshAtMs: Map<string, number>;
  /** How each outside calendar stands. */
  readonly calendars: Map<string, CalendarFact>;
  readonly lastReads: Map<Point, LastRead>;
  /** Grants of the run before, by `grantKey`, Unix ms: a device that resends what was answered then opens nothing. */
  readonly earlierGrants: ReadonlyMap<string, number>;
  readonly relaySwitches: Map<Point, RelaySwitch>;
  /** Which door an unlock or lock command under way belongs to. */
  readonly doorCommands: Map<string, Door>;
  readonly system: Map<string, string>;
  readonly alarms: AlarmBook;
  readonly changed: { readonly rooms: Set<string>; readonly doors: Set<string>; readonly alarms: Map<string, Alarm> };
  /** Rooms that something happened to since they were last worked out. */
  readonly unsettled: Set<string>;
  timeTrust: { readonly trusted: boolean; readonly why: string };
  /** Conflicts of bookings are looked at again only after bookings changed. */
  conflictsDirty: boolean;
  /** What is remembered of rooms as their bookings run: who came, who did not, who stayed. */
  readonly care: BookingCare;
  nextPruneMonoMs: number;
  readonly startedMonoMs: number;
  /** Makes ids that are new in this run and, by `instance`, in every run. */
  readonly id: () => string;
  /** Where the fact under way puts its effects. */
  effects: Effect[];
}

export interface InitialState {
  readonly site: Site;
  /** New at every start of the gateway, and sorting after the one before. */
  readonly instance: string;
  readonly alarms: readonly Alarm[];
  readonly relaySwitches: readonly RelaySwitch[];
  /** The last grants of the run before. */
  readonly grants?:
    | readonly { readonly door: string; readonly credential: string; readonly atMs: number }[]
    | undefined;
  /** Orders to doors of the run before that have no outcome yet. */
  readonly commands?: readonly { readonly command: string; readonly door: string }[] | undefined;
  readonly now: Now;
}

export function createState(initial: InitialState): State {
  const { site, now } = initial;
  const bindings = bindPoints(site);
  const changed: State['changed'] = { rooms: new Set(), doors: new Set(), alarms: new Map() };
  const state: State = {
    site,
    rooms: new Map(site.rooms.map((room) => [room.id, initialRoom(room, now)])),
    roomById: new Map(site.rooms.map((room) => [room.id, room])),
    doors: new Map(site.doors.map((door) => [door.id, initialDoor(now)])),
    doorById: new Map(site.doors.map((door) => [door.id, door])),
    doorsOfRoom: new Map(site.rooms.map((room) => [room.id, site.doors.filter((door) => door.room === room.id)])),
    bindings,
    bindingsOfDevice: byDevice(bindings),
    readings: new Map(),
    devices: new Map(site.devices.map((id) => [id, { online: undefined, sinceMonoMs: now.monoMs }])),
    schedule: new Schedule(site.bookings, ownBuffers(site.rooms)),
    members: new Map(),
    credentials: new Map(),
    credentialById: new Map(),
    scheduleFreshAtMs: new Map(),
    calendars: new Map(),
    lastReads: new Map(),
    earlierGrants: new Map(
      (initial.grants ?? []).map(({ door, credential, atMs }) => [grantKey(door, credential), atMs]),
    ),
    relaySwitches: new Map(initial.relaySwitches.map((relay) => [relay.point, relay])),
    doorCommands: new Map(
      (initial.commands ?? []).flatMap(({ command, door: id }) => {
        const door = site.doors.find((known) => known.id === id);
        return door === undefined ? [] : [[command, door]];
      }),
    ),
    system: new Map(),
    alarms: new AlarmBook(initial.alarms, (alarm) => alarmChanged(state, alarm)),
    changed,
    unsettled: new Set(),
    timeTrust: { trusted: false, why: 'The clock has not been checked yet.' },
    conflictsDirty: false,
    care: initialCare(),
    nextPruneMonoMs: now.monoMs,
    startedMonoMs: now.monoMs,
    id: ids(initial.instance),
    effects: [],
  };
  return state;
}

const ID_PAIRS = Array.from({ length: 36 * 36 }, (_, i) => i.toString(36).padStart(2, '0'));

/** Unique ids of this run. Writing a number in base 36 is dear; done once in 1296 ids it does not count. */
function ids(instance: string): () => string {
  let next = 0;
  let round = 0;
  let prefix = instance;
  return () => {
    if (next === ID_PAIRS.length) {
      next = 0;
      round += 1;
      prefix = `${instance}${round.toString(36)}`;
    }
    return `${prefix}${ID_PAIRS[next++]}`;
  };
}

export function grantKey(door: string, credential: string): string {
  return `${door}\n${credential}`;
}

export function deviceOf(point: Point): string {
  const slash = point.indexOf('/');
  return slash < 0 ? point : point.slice(0, slash);
}

export function isOnline(state: State, point: Point): boolean {
  return state.devices.get(deviceOf(point))?.online === true;
}

export function journal(state: State, now: Now, draft: Omit<JournalDraft, 'id' | 'occurredAtMs'>): void {
  // Field by field: spreading costs a decision a tenth of its time.
  const { kind, door, room, member, credential, booking, outcome, reason, subReason, command, user, note } = draft;
  state.effects.push({
    kind: 'journal',
    entry: {
      id: state.id(),
      occurredAtMs: now.wallMs,
      kind,
      door,
      room,
      member,
      credential,
      booking,
      outcome,
      reason,
      subReason,
      command,
      user,
      note,
    },
  });
}

/** Orders of a door or relay are void after this long: a device that was away must not act on them later. */
export const COMMAND_TTL_MS = 5_000;

export function send(state: State, now: Now, point: Point, op: CommandOp, id = state.id()): Command {
  const command: Command = { id, point, issuedAtMs: now.wallMs, ttlMs: COMMAND_TTL_MS, do: op };
  state.effects.push({ kind: 'command', command });
  return command;
}

function alarmChanged(state: State, alarm: Alarm): void {
  state.changed.alarms.set(alarm.id, alarm);
  if (alarm.room !== undefined) state.changed.rooms.add(alarm.room);
  if (alarm.door !== undefined) state.changed.doors.add(alarm.door);
  state.effects.push({ kind: 'alarm', alarm });
}

function bindPoints(site: Site): Map<Point, Binding[]> {
  const bindings = new Map<Point, Binding[]>();
  const bind = (point: Point | undefined, binding: Binding) => {
    if (point === undefined) return;
    const bound = bindings.get(point);
    if (bound === undefined) bindings.set(point, [binding]);
    else bound.push(binding);
  };
  for (const door of site.doors) {
    bind(door.lock, { as: 'lock', door });
    bind(door.contact, { as: 'contact', door });
    bind(door.reader, { as: 'reader', door });
    bind(door.exit, { as: 'exit', door });
  }
  for (const room of site.rooms) {
    for (const point of room.points.presence) bind(point, { as: 'presence', room });
    for (const point of room.points.lights) bind(point, { as: 'light', room });
    for (const as of ['people', 'temperature', 'humidity', 'co2', 'illuminance', 'heating', 'cooling'] as const) {
      bind(room.points[as], { as, room });
    }
  }
  return bindings;
}

function byDevice(bindings: ReadonlyMap<Point, readonly Binding[]>): Map<string, Binding[]> {
  const devices = new Map<string, Binding[]>();
  for (const [point, bound] of bindings) {
    const device = deviceOf(point);
    devices.set(device, [...(devices.get(device) ?? []), ...bound]);
  }
  return devices;
}
