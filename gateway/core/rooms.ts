/** One room: brings occupancy, climate and lighting together, and what they ask for to the relays and lamps. */
import type { Condition } from './alarms/condition.ts';
import { careForBookings } from './bookings/care.ts';
import { decideClimate } from './climate/climate.ts';
import { reconcileRelay } from './climate/relay.ts';
import type { Now } from './facts.ts';
import { decideLighting, lightValue } from './lighting/lighting.ts';
import { type OccupancyInput, occupancyConditions, occupancyView, stepOccupancy } from './occupancy/occupancy.ts';
import { lightLevel, numberOrNull } from './readings.ts';
import { noteOrderedOn, relayFacts } from './relays.ts';
import { tellRoom } from './roomseries.ts';
import { draftRoom, type RoomDraft } from './roomstate.ts';
import type { Point, Room } from './site.ts';
import { isOnline, type State, send } from './state.ts';

/** Presence, people, doors and badges of a room, one at a time. */
export function occupancyInput(state: State, room: Room, input: OccupancyInput, now: Now): void {
  const rs = state.rooms.get(room.id);
  if (rs !== undefined) rs.occupancy = stepOccupancy(room, rs.occupancy, input, now);
}

/** Works out what the room should be, compares it with what it is, and sends the difference. */
export function evaluateRoom(state: State, room: Room, now: Now): void {
  const before = state.rooms.get(room.id);
  if (before === undefined) return;
  const held = state.schedule.held(room.id);
  const conditions: Condition[] = [
    ...occupancyConditions(room, before.occupancy, now),
    // Before what is booked is read: a no-show gives the room free.
    ...careForBookings(state, room, before.occupancy, now),
  ];
  const next = draftRoom(before);
  next.bookedNow = held.findCovering(now.wallMs, 0, 0, () => true);
  next.next = held.next(now.wallMs);
  climate(state, room, next, conditions, now);
  lights(state, room, next, conditions, now);
  state.alarms.reconcile(`room:${room.id}`, conditions, now, state.id);
  tellRoom(state, room, next, now);
  state.rooms.set(room.id, next);
}

function climate(state: State, room: Room, rs: RoomDraft, conditions: Condition[], now: Now): void {
  if (room.climate === undefined) return;
  const { temperature, heating, cooling } = room.points;
  const reading = temperature === undefined ? undefined : state.readings.get(temperature);
  const decision = decideClimate(
    room,
    {
      temperature:
        reading === undefined || temperature === undefined
          ? undefined
          : {
              value: numberOrNull(reading.value),
              receivedMonoMs: reading.monoMs,
              online: isOnline(state, temperature),
            },
      occupancy: occupancyView(rs.occupancy),
      bookedNow: rs.bookedNow !== undefined,
      bookedSinceMs: rs.bookedNow?.startMs,
      nextStartMs: rs.next?.startMs,
      heating: relayFacts(state, heating),
      cooling: relayFacts(state, cooling),
      heatingOnSinceMonoMs: rs.heatingOn?.sinceMonoMs,
      temperatureAtHeatingOn: rs.heatingOn?.temperature ?? undefined,
      latch: rs.climateLatch,
    },
    now,
  );
  conditions.push(...decision.conditions);
  for (const kind of ['heating', 'cooling'] as const) {
    const point = room.points[kind];
    if (point === undefined) continue;
    const sent = drive(state, room, rs, point, decision[kind], conditions, now, decision.resting[kind]);
    if (sent === 'on') noteOrderedOn(state, point, now);
  }
  rs.climate = decision;
  rs.climateLatch = decision.latch;
  if (decision.heating === 'off') rs.heatingOn = undefined;
  else rs.heatingOn ??= { sinceMonoMs: now.monoMs, temperature: numberOrNull(reading?.value ?? null) };
}

function lights(state: State, room: Room, rs: RoomDraft, conditions: Condition[], now: Now): void {
  const first = room.points.lights[0];
  if (room.lighting === undefined || first === undefined) return;
  const reading = state.readings.get(first);
  const decision = decideLighting(
    room,
    {
      occupancy: occupancyView(rs.occupancy),
      bookedNow: rs.bookedNow !== undefined,
      lastBadgeMonoMs: rs.occupancy.badgeMonoMs ?? undefined,
      reportedLevel: lightLevel(state, first),
      reportedMonoMs: reading?.monoMs,
      online: isOnline(state, first),
    },
    rs.lightingLatch,
    now,
  );
  for (const point of room.points.lights) {
    drive(state, room, rs, point, lightValue(point, decision), conditions, now);
  }
  rs.lighting = decision;
  rs.lightingLatch = decision.latch;
}

/** @param resting it may not be ordered on yet. */
function drive(
  state: State,
  room: Room,
  rs: RoomDraft,
  point: Point,
  want: 'on' | 'off' | number,
  conditions: Condition[],
  now: Now,
  resting = false,
): 'on' | 'off' | number | undefined {
  const value = state.readings.get(point)?.value;
  const reported = value === 'on' || value === 'off' || typeof value === 'number' ? value : undefined;
  const before = rs.outputs.get(point);
  const result = reconcileRelay(before, want, reported, isOnline(state, point), now);
  // Compared anew when it has rested, as if nothing had been asked meanwhile.
  if (result.send === 'on' && resting) return undefined;
  if (result.state !== before) rs.outputs = new Map(rs.outputs).set(point, result.state);
  if (result.condition !== undefined) conditions.push({ ...result.condition, room: room.id, device: point });
  if (result.send !== undefined) send(state, now, point, { op: 'set', value: result.send });
  return result.send;
}
