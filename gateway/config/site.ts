/** The building as the core sees it, out of the configuration: milliseconds, whole points, defaults by what is bound. */
import type { ClimateSettings, Door, LightingSettings, Point, Room, Site } from '../core/site.ts';
import { canonical, DOOR_SLOTS, ROOM_SLOTS } from './bindings.ts';
import { type Config, climate, type DoorConfig, lighting, type RoomConfig } from './schema.ts';

const MS_PER_S = 1_000;
const MS_PER_MIN = 60 * MS_PER_S;
const MS_PER_H = 60 * MS_PER_MIN;

export function toSite(config: Config): Site {
  const { bookings } = config;
  return {
    id: config.site.id,
    name: config.site.name,
    timeZone: config.site.timeZone,
    bookings: {
      earlyMs: bookings.earlyMin * MS_PER_MIN,
      lateMs: bookings.lateMin * MS_PER_MIN,
      entranceEarlyMs: bookings.entranceEarlyMin * MS_PER_MIN,
      maxScheduleAgeMs: bookings.maxScheduleAgeH * MS_PER_H,
      bufferMs: bookings.bufferMin * MS_PER_MIN,
      noShowAfterMs: minutes(bookings.noShowAfterMin),
      noShowAction: bookings.noShow,
      overstayAfterMs: minutes(bookings.overstayAfterMin),
    },
    rooms: config.rooms.map(toRoom),
    doors: config.doors.map(toDoor),
    devices: config.devices.map((device) => device.id),
  };
}

function minutes(amount: number | undefined): number | undefined {
  return amount === undefined ? undefined : amount * MS_PER_MIN;
}

function toRoom(room: RoomConfig): Room {
  const { devices } = room;
  const one = (slot: Exclude<keyof typeof ROOM_SLOTS, 'presence' | 'lights'>): Point | undefined => {
    const binding = devices[slot];
    return binding === undefined ? undefined : canonical(binding, ROOM_SLOTS[slot]);
  };
  return {
    id: room.id,
    name: room.name,
    kind: room.kind,
    floor: room.floor,
    plan: room.plan,
    points: {
      presence: devices.presence.map((binding) => canonical(binding, ROOM_SLOTS.presence)),
      people: one('people'),
      temperature: one('temperature'),
      humidity: one('humidity'),
      co2: one('co2'),
      illuminance: one('illuminance'),
      heating: one('heating'),
      cooling: one('cooling'),
      lights: devices.lights.map((binding) => canonical(binding, ROOM_SLOTS.lights)),
    },
    climate: toClimate(room),
    lighting: toLighting(room),
    occupancy: { holdMs: room.occupancy.holdMin * MS_PER_MIN },
    bufferMs: minutes(room.bookings.bufferMin),
  };
}

/** A room with a thermometer or a relay is looked after, with the usual settings unless it has its own. */
function toClimate(room: RoomConfig): ClimateSettings | undefined {
  const { temperature, heating, cooling } = room.devices;
  const bound = temperature !== undefined || heating !== undefined || cooling !== undefined;
  if (room.climate === undefined && !bound) return undefined;
  const { leadMin, minOnMin, minOffMin, ...setpoints } = room.climate ?? climate.parse({});
  return {
    ...setpoints,
    leadMs: leadMin * MS_PER_MIN,
    minOnMs: minOnMin * MS_PER_MIN,
    minOffMs: minOffMin * MS_PER_MIN,
  };
}

function toLighting(room: RoomConfig): LightingSettings | undefined {
  if (room.lighting === undefined && room.devices.lights.length === 0) return undefined;
  const { level, offAfterMin, warnS } = room.lighting ?? lighting.parse({});
  return { level, offAfterMs: offAfterMin * MS_PER_MIN, warnMs: warnS * MS_PER_S };
}

function toDoor(door: DoorConfig): Door {
  const one = (slot: 'contact' | 'reader' | 'exit'): Point | undefined => {
    const binding = door[slot];
    return binding === undefined ? undefined : canonical(binding, DOOR_SLOTS[slot]);
  };
  return {
    id: door.id,
    name: door.name,
    room: door.room,
    common: door.common,
    lock: canonical(door.lock, DOOR_SLOTS.lock),
    contact: one('contact'),
    reader: one('reader'),
    exit: one('exit'),
    strikeMs: door.strikeMs,
    heldOpenAfterMs: door.heldOpenAfterS * MS_PER_S,
  };
}
