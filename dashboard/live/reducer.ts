import type { Event } from '../../gateway/wire/clinic.ts';
import type { Door, Room } from '../../gateway/wire/rooms.ts';
import type { Change, Snapshot } from '../../gateway/wire/stream.ts';

/** How many events the page keeps; older ones are read from `GET events`. */
export const EVENTS_KEPT = 200;

/**
 * The state after a change. Pure: neither argument is touched, and whatever did not change keeps its identity,
 * so that only the parts of the screen that show it are drawn again.
 */
export function reduce(state: Snapshot, change: Change): Snapshot {
  const doors = replaceById(state.doors, change.doors);
  return {
    ...state,
    at: change.at,
    rooms: withDoors(replaceById(state.rooms, change.rooms), change.doors),
    doors,
    alarms: replaceById(state.alarms, change.alarms).filter((alarm) => alarm.status !== 'resolved'),
    devices: replaceById(state.devices, change.devices),
    events: mergeEvents(state.events, change.events),
    bookings: replaceById(state.bookings, change.bookings),
  };
}

/** Replaces by id in place and appends what is new; the same array when nothing comes in. */
export function replaceById<T extends { readonly id: string }>(all: T[], news: readonly T[] | undefined): T[] {
  if (!news || news.length === 0) return all;
  const byId = new Map(news.map((item) => [item.id, item]));
  const merged = all.map((item) => {
    const next = byId.get(item.id);
    if (!next) return item;
    byId.delete(item.id);
    return next;
  });
  return byId.size === 0 ? merged : [...merged, ...byId.values()];
}

/** A room carries its door; a door that changed alone must not stay old there. */
function withDoors(rooms: Room[], doors: readonly Door[] | undefined): Room[] {
  if (!doors || doors.length === 0) return rooms;
  const byId = new Map(doors.map((door) => [door.id, door]));
  return rooms.map((room) => {
    const door = room.door ? byId.get(room.door.id) : undefined;
    if (!door || !room.door || Date.parse(door.updatedAt) < Date.parse(room.door.updatedAt)) return room;
    return door === room.door ? room : { ...room, door };
  });
}

/** Newest first, each journal number once, at most `EVENTS_KEPT`. */
function mergeEvents(kept: Event[], news: readonly Event[] | undefined): Event[] {
  if (!news || news.length === 0) return kept;
  const bySeq = new Map<number, Event>();
  for (const event of kept) bySeq.set(event.seq, event);
  for (const event of news) bySeq.set(event.seq, event);
  return [...bySeq.values()].sort((a, b) => b.seq - a.seq).slice(0, EVENTS_KEPT);
}
