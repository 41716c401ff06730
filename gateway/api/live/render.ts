/** Snapshot and change as one kind of reader may see them. */
import type * as wire from '../../wire/index.ts';
import { iso, type RoomPlace, toAlarm, toBooking, toDevice, toDoor, toEvent, toRoom, toSite } from '../convert.ts';
import type { ApiDeps } from '../deps.ts';
import { isOwn, maskRoom, namesFor, ownBookings, ownRooms, type Scope, seesDoor } from '../visibility.ts';
import { itemsOf, type LiveChange } from './ring.ts';

/** Journal entries in a snapshot. */
export const SNAPSHOT_EVENTS = 50;
/** Bookings of one day in a snapshot: a house of 200 rooms with ten a day has 2,000. */
const SNAPSHOT_BOOKINGS_MAX = 5_000;

type Places = ReadonlyMap<string, RoomPlace>;

export function renderSnapshot(deps: ApiDeps, places: Places, scope: Scope): wire.Snapshot {
  const { store, loop } = deps;
  const nowMs = deps.clock.now().wallMs;
  const own = ownRooms(deps, scope, nowMs);
  const names = namesFor(scope, store);
  const day = deps.dayAround(nowMs);
  const bookings = scope.all
    ? store.bookings.list({ fromMs: day.startMs, toMs: day.endMs, limit: SNAPSHOT_BOOKINGS_MAX })
    : ownBookings(deps, scope, day.startMs, day.endMs);
  return {
    site: toSite(deps),
    at: iso(nowMs),
    rooms: loop
      .rooms()
      .filter((room) => own === undefined || own.has(room.id))
      .map((room) => toRoom(maskRoom(room, scope, store.bookings), places.get(room.id), names)),
    doors: loop
      .doors()
      .filter((door) => seesDoor(door, own))
      .map(toDoor),
    alarms: scope.all ? loop.alarms().map(toAlarm) : [],
    devices: scope.all ? deps.devices().map(toDevice) : [],
    events: scope.all ? store.journal.query({ limit: SNAPSHOT_EVENTS }).map((entry) => toEvent(entry, names)) : [],
    bookings: bookings.map(toBooking),
  };
}

/** undefined: nothing of it is for this reader. */
export function renderChange(deps: ApiDeps, places: Places, scope: Scope, change: LiveChange): wire.Change | undefined {
  const { store } = deps;
  const names = namesFor(scope, store);
  const own = ownRooms(deps, scope, change.atMs);
  const visible: LiveChange = scope.all
    ? change
    : {
        ...change,
        rooms: change.rooms.filter((room) => own?.has(room.id)),
        doors: change.doors.filter((door) => seesDoor(door, own)),
        bookings: change.bookings.filter((booking) => isOwn(booking, scope)),
        alarms: [],
        devices: [],
        events: [],
      };
  if (itemsOf(visible) === 0) return undefined;
  const { rooms, doors, alarms, devices, events, bookings } = visible;
  return {
    at: iso(change.atMs),
    ...(rooms.length > 0 && {
      rooms: rooms.map((room) => toRoom(maskRoom(room, scope, store.bookings), places.get(room.id), names)),
    }),
    ...(doors.length > 0 && { doors: doors.map(toDoor) }),
    ...(alarms.length > 0 && { alarms: alarms.map(toAlarm) }),
    ...(devices.length > 0 && { devices: devices.map(toDevice) }),
    ...(events.length > 0 && { events: events.map((entry) => toEvent(entry, names)) }),
    ...(bookings.length > 0 && { bookings: bookings.map(toBooking) }),
  };
}
