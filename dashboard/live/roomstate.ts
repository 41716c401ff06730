import type { Alarm, Device, Door, Room } from '../../gateway/wire/rooms.ts';
import { MINUTE_MS, ms } from './time.ts';

/** What a room's tile says. Unknown and offline are never shown as free. */
export type RoomState = 'free' | 'booked' | 'occupied' | 'no_show' | 'fault' | 'unknown' | 'offline';

export const ROOM_STATES: readonly RoomState[] = [
  'occupied',
  'booked',
  'free',
  'no_show',
  'fault',
  'unknown',
  'offline',
];

export const STATE_WORDS: Record<RoomState, string> = {
  free: 'Free',
  booked: 'Booked',
  occupied: 'Occupied',
  no_show: 'No-show',
  fault: 'Fault',
  unknown: 'Unknown',
  offline: 'Offline',
};

/** A booked room that nobody has entered by now is shown as a no-show. */
export const NO_SHOW_AFTER_MS = 15 * MINUTE_MS;

/** Live alarms of a room or its door. */
export function alarmsOf(room: Room, alarms: readonly Alarm[]): Alarm[] {
  if (alarms.length === 0) return [];
  return alarms.filter(
    (alarm) =>
      room.alarms.includes(alarm.id) ||
      alarm.room === room.id ||
      (room.door !== null && alarm.door === room.door.id) ||
      room.door?.alarms.includes(alarm.id),
  );
}

/**
 * One state per room, the most pressing first: what is broken, what cannot be told, who is in, who should be, else free.
 * `alarms` are those of this room.
 */
export function roomState(room: Room, alarms: readonly Alarm[], nowMs: number): RoomState {
  if (room.door?.lock === 'jammed' || alarms.some((alarm) => alarm.severity === 'critical')) return 'fault';
  if (room.occupancy.state === 'unknown') return room.door && !room.door.online ? 'offline' : 'unknown';
  if (room.occupancy.state === 'occupied') return 'occupied';
  const booking = room.booking.now;
  if (room.noShow && room.noShow.id === booking?.id) return 'no_show';
  if (!booking) return 'free';
  const startMs = ms(booking.start);
  const seenSince = room.occupancy.lastSeen !== null && ms(room.occupancy.lastSeen) >= startMs;
  return nowMs - startMs >= NO_SHOW_AFTER_MS && !seenSince ? 'no_show' : 'booked';
}

export type DoorState = 'locked' | 'unlocked' | 'moving' | 'open' | 'jammed' | 'unknown';

export const DOOR_WORDS: Record<DoorState, string> = {
  locked: 'Locked',
  unlocked: 'Unlocked',
  moving: 'Moving',
  open: 'Open',
  jammed: 'Jammed',
  unknown: 'Not known',
};

/** Only what is reported counts; a door that is offline is not known, whatever it last said. */
export function doorState(door: Door): DoorState {
  if (!door.online || door.lock === 'unknown') return 'unknown';
  if (door.lock === 'jammed') return 'jammed';
  if (door.contact === 'open') return 'open';
  if (door.lock === 'unlocking' || door.lock === 'locking') return 'moving';
  return door.lock;
}

export interface Counts {
  readonly states: Record<RoomState, number>;
  readonly rooms: number;
  readonly alarmsOpen: number;
  readonly alarms: number;
  readonly devicesOffline: number;
  readonly devices: number;
}

export function count(states: Iterable<RoomState>, alarms: readonly Alarm[], devices: readonly Device[]): Counts {
  const by: Record<RoomState, number> = {
    free: 0,
    booked: 0,
    occupied: 0,
    no_show: 0,
    fault: 0,
    unknown: 0,
    offline: 0,
  };
  let rooms = 0;
  for (const state of states) {
    by[state] += 1;
    rooms += 1;
  }
  return {
    states: by,
    rooms,
    alarms: alarms.length,
    alarmsOpen: alarms.filter((alarm) => alarm.status === 'open').length,
    devices: devices.length,
    devicesOffline: devices.filter((device) => device.online !== true).length,
  };
}
