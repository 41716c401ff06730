/** The state as people see it: views.ts says what each field means. */
import type { RoomCare } from './bookings/carestate.ts';
import type { Alarm } from './effects.ts';
import type { Now } from './facts.ts';
import { occupancyView } from './occupancy/occupancy.ts';
import { lightLevel, numberOrNull } from './readings.ts';
import type { Booking } from './records.ts';
import { reportedSwitch } from './relays.ts';
import type { Door, Point, Room } from './site.ts';
import { isOnline, type State } from './state.ts';
import type { BookingRef, Changes, ClimateView, DoorView, LightsView, RoomView } from './views.ts';

/** A room this close to its occupied setpoints counts as ready, K. */
const READY_WITHIN_K = 1;

export function roomView(state: State, room: Room): RoomView {
  const rs = state.rooms.get(room.id);
  if (rs === undefined) throw new Error(`no state for room ${room.id}`);
  const care = state.care.rooms.get(room.id);
  const door = state.doorsOfRoom.get(room.id)?.[0];
  const alarms = state.alarms.of({ room: room.id });
  const climate = climateView(state, room);
  return {
    id: room.id,
    name: room.name,
    kind: room.kind,
    occupancy: occupancyView(rs.occupancy),
    booking: {
      now: bookingRef(rs.bookedNow),
      next: bookingRef(rs.next),
      revoked: bookingRef(asItStands(state, care?.revoked?.booking)),
    },
    noShow: bookingRef(shownNoShow(state, room, care)),
    overstay: bookingRef(care?.overstay),
    door: door === undefined ? null : doorView(state, door),
    climate,
    lights: lightsView(state, room),
    ready: isReady(room, climate, alarms),
    alarms: alarms.map((alarm) => alarm.id),
    updatedAtMs: rs.updatedAtMs,
  };
}

export function doorView(state: State, door: Door): DoorView {
  const ds = state.doors.get(door.id);
  if (ds === undefined) throw new Error(`no state for door ${door.id}`);
  const last = ds.lastCommand;
  return {
    id: door.id,
    name: door.name,
    room: door.room ?? null,
    common: door.common,
    lock: ds.lock,
    contact: door.contact === undefined ? 'none' : ds.contact,
    lastCommand: last === undefined ? null : { id: last.id, op: last.op, outcome: last.outcome, atMs: last.atMs },
    online: isOnline(state, door.lock),
    alarms: state.alarms.of({ door: door.id }).map((alarm) => alarm.id),
    updatedAtMs: ds.updatedAtMs,
  };
}

export function takeChanges(state: State, now: Now): Changes | undefined {
  const { changed } = state;
  if (changed.rooms.size === 0 && changed.doors.size === 0 && changed.alarms.size === 0) return undefined;
  for (const id of changed.doors) {
    const room = state.doorById.get(id)?.room;
    if (room !== undefined) changed.rooms.add(room);
  }
  const changes: Changes = {
    now,
    rooms: [...changed.rooms].flatMap((id) => state.roomById.get(id) ?? []).map((room) => roomView(state, room)),
    doors: [...changed.doors].flatMap((id) => state.doorById.get(id) ?? []).map((door) => doorView(state, door)),
    alarms: [...changed.alarms.values()],
  };
  changed.rooms.clear();
  changed.doors.clear();
  changed.alarms.clear();
  return changes;
}

function bookingRef(booking: Booking | undefined): BookingRef | null {
  if (booking === undefined) return null;
  const { id, holder, startMs, endMs, status } = booking;
  return { id, holder, startMs, endMs, status };
}

/** With its present status: a booking that was taken away is no longer a confirmed one. */
function asItStands(state: State, booking: Booking | undefined): Booking | undefined {
  if (booking === undefined) return undefined;
  return { ...booking, status: state.schedule.get(booking.id)?.status ?? 'cancelled' };
}

/** A room that was given free and is booked or used by now is no longer shown as a no-show. */
function shownNoShow(state: State, room: Room, care: RoomCare | undefined): Booking | undefined {
  for (const { booking, released, over } of care?.noShows.values() ?? []) {
    if (over) continue;
    const rs = state.rooms.get(room.id);
    if (released && (rs?.bookedNow !== undefined || rs?.occupancy.verdict === 'occupied')) continue;
    return released ? { ...booking, status: 'released' } : booking;
  }
  return undefined;
}

function climateView(state: State, room: Room): ClimateView | null {
  const { temperature, humidity, co2, heating, cooling } = room.points;
  if (room.climate === undefined && temperature === undefined) return null;
  const decision = state.rooms.get(room.id)?.climate;
  const measured = (point: Point | undefined) =>
    point === undefined || !isOnline(state, point) ? null : numberOrNull(state.readings.get(point)?.value);
  const relay = (point: Point | undefined) => {
    const value = point === undefined ? undefined : reportedSwitch(state, point);
    return value === undefined ? null : value === 'on';
  };
  return {
    temperature: measured(temperature),
    temperatureAtMs: (temperature === undefined ? undefined : state.readings.get(temperature)?.wallMs) ?? null,
    humidity: measured(humidity),
    co2: measured(co2),
    heatingSetpoint: decision?.heatingSetpoint ?? null,
    coolingSetpoint: decision?.coolingSetpoint ?? null,
    mode: decision?.mode ?? 'off',
    heating: relay(heating),
    cooling: relay(cooling),
  };
}

function lightsView(state: State, room: Room): LightsView | null {
  const first = room.points.lights[0];
  if (first === undefined) return null;
  const decision = state.rooms.get(room.id)?.lighting;
  return { target: decision?.target ?? 0, level: lightLevel(state, first), warning: decision?.warning ?? false };
}

function isReady(room: Room, climate: ClimateView | null, alarms: readonly Alarm[]): boolean {
  if (alarms.some((alarm) => alarm.severity === 'critical')) return false;
  if (room.climate === undefined) return true;
  const temperature = climate?.temperature ?? null;
  return (
    temperature !== null &&
    temperature >= room.climate.heatTo - READY_WITHIN_K &&
    temperature <= room.climate.coolTo + READY_WITHIN_K
  );
}
