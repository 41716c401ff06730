/** One room: brings occupancy, climate and lighting together, and what they ask for to the relays and lamps. */
import type { Condition } from './alarms/condition.ts';
import { careForBookings } from './bookings/care.ts';
import { type ClimateDecision, decideClimate } from './climate/climate.ts';
import { type RelayState, reconcileRelay } from './climate/relay.ts';
import type { MeasurementField } from './effects.ts';
import type { Now } from './facts.ts';
import { decideLighting, lightValue } from './lighting/lighting.ts';
import { type OccupancyInput, occupancyConditions, occupancyView, stepOccupancy } from './occupancy/occupancy.ts';
import { noteOrderedOn, relayFacts, reportedSwitch } from './relays.ts';
import { draftRoom, type RoomDraft, type RoomState } from './roomstate.ts';
import type { Point, Room } from './site.ts';
import { isOnline, type State, send } from './state.ts';

/** A room's series have a point at least this often, so that a chart shows a quiet hour as known and not as missing. */
export const TELEMETRY_EVERY_MS = 60_000;

/** Presence, people, doors and badges of a room, one at a time. */
export function occupancyInput(state: State, room: Room, input: OccupancyInput, now: Now): void {
  const before = state.rooms.get(room.id);
  if (before === undefined) return;
  const occupancy = stepOccupancy(room, before.occupancy, input, now);
  if (occupancy === before.occupancy) return;
  const next = draftRoom(before);
  next.occupancy = occupancy;
  state.rooms.set(room.id, next);
}

export function badgeGranted(state: State, room: Room, now: Now): void {
  const before = state.rooms.get(room.id);
  if (before === undefined) return;
  const next = draftRoom(before);
  next.occupancy = stepOccupancy(room, before.occupancy, { kind: 'badge' }, now);
  next.lastBadgeMonoMs = now.monoMs;
  state.rooms.set(room.id, next);
  state.unsettled.add(room.id);
}

/** Works out what the room should be, compares it with what it is, and sends the difference. */
export function evaluateRoom(state: State, room: Room, now: Now): void {
  const before = state.rooms.get(room.id);
  if (before === undefined) return;
  const held = state.schedule.held(room.id);
  const outputs = new Map(before.outputs);
  const conditions: Condition[] = [
    ...occupancyConditions(room, before.occupancy, now),
    // Before what is booked is read: a no-show gives the room free.
    ...careForBookings(state, room, before.occupancy, now),
  ];
  const next = draftRoom(before);
  next.bookedNow = held.findCovering(now.wallMs, 0, 0, () => true);
  next.next = held.next(now.wallMs);
  next.outputs = outputs;
  climate(state, room, next, outputs, conditions, now);
  lights(state, room, next, outputs, conditions, now);
  state.alarms.reconcile(`room:${room.id}`, conditions, now, state.id);
  tell(state, room, next, now);
  state.rooms.set(room.id, next);
}

function climate(
  state: State,
  room: Room,
  rs: RoomDraft,
  outputs: Map<Point, RelayState<'on' | 'off' | number>>,
  conditions: Condition[],
  now: Now,
): void {
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
    const sent = drive(state, room, point, decision[kind], outputs, conditions, now, decision.resting[kind]);
    if (sent === 'on') noteOrderedOn(state, point, now);
  }
  rs.climate = decision;
  rs.climateLatch = decision.latch;
  if (decision.heating === 'off') rs.heatingOn = undefined;
  else rs.heatingOn ??= { sinceMonoMs: now.monoMs, temperature: numberOrNull(reading?.value ?? null) };
}

function lights(
  state: State,
  room: Room,
  rs: RoomDraft,
  outputs: Map<Point, RelayState<'on' | 'off' | number>>,
  conditions: Condition[],
  now: Now,
): void {
  const first = room.points.lights[0];
  if (room.lighting === undefined || first === undefined) return;
  const reading = state.readings.get(first);
  const decision = decideLighting(
    room,
    {
      occupancy: occupancyView(rs.occupancy),
      bookedNow: rs.bookedNow !== undefined,
      lastBadgeMonoMs: rs.lastBadgeMonoMs,
      reportedLevel: lightLevel(state, first),
      reportedMonoMs: reading?.monoMs,
      online: isOnline(state, first),
    },
    rs.lightingLatch,
    now,
  );
  for (const point of room.points.lights) {
    drive(state, room, point, lightValue(point, decision), outputs, conditions, now);
  }
  rs.lighting = decision;
  rs.lightingLatch = decision.latch;
}

/** @param resting it may not be ordered on yet. */
function drive(
  state: State,
  room: Room,
  point: Point,
  want: 'on' | 'off' | number,
  outputs: Map<Point, RelayState<'on' | 'off' | number>>,
  conditions: Condition[],
  now: Now,
  resting = false,
): 'on' | 'off' | number | undefined {
  const value = state.readings.get(point)?.value;
  const reported = value === 'on' || value === 'off' || typeof value === 'number' ? value : undefined;
  const result = reconcileRelay(outputs.get(point), want, reported, isOnline(state, point), now);
  // Compared anew when it has rested, as if nothing had been asked meanwhile.
  if (result.send === 'on' && resting) return undefined;
  outputs.set(point, result.state);
  if (result.condition !== undefined) conditions.push({ ...result.condition, room: room.id, device: point });
  if (result.send !== undefined) send(state, now, point, { op: 'set', value: result.send });
  return result.send;
}

/** 0-100 %, null while unknown; a relay counts as 0 or 100. */
export function lightLevel(state: State, point: Point): number | null {
  const value = state.readings.get(point)?.value;
  if (!isOnline(state, point)) return null;
  if (value === 'on') return 100;
  if (value === 'off') return 0;
  return numberOrNull(value ?? null);
}

export function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The room's series and the live view: at once when something changed, else once a minute. */
function tell(state: State, room: Room, rs: RoomDraft, now: Now): void {
  const view = occupancyView(rs.occupancy);
  const told = {
    occupancy: `${view.state}|${rs.bookedNow?.id ?? ''}|${view.people ?? ''}`,
    climate: rs.climate === undefined ? '' : climateKey(rs.climate, state, room),
    lights: rs.lighting === undefined ? '' : `${rs.lighting.target}|${rs.lighting.warning}`,
  };
  const due = now.monoMs >= rs.nextTelemetryMonoMs;
  const changed = (key: keyof RoomState['told']) => told[key] !== rs.told[key];
  if (
    !due &&
    !changed('occupancy') &&
    !changed('climate') &&
    !changed('lights') &&
    rs.next?.id === state.rooms.get(room.id)?.next?.id
  ) {
    return;
  }
  state.changed.rooms.add(room.id);
  if (due || changed('occupancy')) tellOccupancy(state, room, rs, now);
  if (rs.climate !== undefined && (due || changed('climate'))) tellClimate(state, room, rs.climate, now);
  if (rs.lighting !== undefined && (due || changed('lights'))) {
    point(state, 'light', room, { level: { float: rs.lighting.target } }, now);
  }
  rs.told = told;
  rs.updatedAtMs = now.wallMs;
  if (due) rs.nextTelemetryMonoMs = now.monoMs + TELEMETRY_EVERY_MS;
}

function climateKey(decision: ClimateDecision, state: State, room: Room): string {
  const relay = (point: Point | undefined) => (point === undefined ? '' : (reportedSwitch(state, point) ?? '?'));
  return [
    decision.mode,
    decision.heatingSetpoint,
    decision.coolingSetpoint,
    relay(room.points.heating),
    relay(room.points.cooling),
  ].join('|');
}

function tellOccupancy(state: State, room: Room, rs: RoomState, now: Now): void {
  const view = occupancyView(rs.occupancy);
  const fields: Record<string, MeasurementField> = {
    state: view.state,
    confidence: { float: view.confidence },
    booked: rs.bookedNow !== undefined,
  };
  if (view.state !== 'unknown') fields.occupied = view.state === 'occupied';
  if (view.people !== null) fields.people = { int: view.people };
  point(state, 'occupancy', room, fields, now);
}

function tellClimate(state: State, room: Room, decision: ClimateDecision, now: Now): void {
  const fields: Record<string, MeasurementField> = {
    mode: decision.mode,
  };
  if (decision.heatingSetpoint !== null) fields.heating_setpoint = { float: decision.heatingSetpoint };
  if (decision.coolingSetpoint !== null) fields.cooling_setpoint = { float: decision.coolingSetpoint };
  for (const key of ['temperature', 'humidity', 'co2'] as const) {
    const source = room.points[key];
    const value =
      source === undefined || !isOnline(state, source) ? null : numberOrNull(state.readings.get(source)?.value);
    if (value !== null) fields[key] = { float: value };
  }
  for (const key of ['heating', 'cooling'] as const) {
    const source = room.points[key];
    const value = source === undefined ? undefined : reportedSwitch(state, source);
    if (value !== undefined) fields[key] = value === 'on';
  }
  point(state, 'climate', room, fields, now);
}

function point(
  state: State,
  measurement: 'occupancy' | 'climate' | 'light',
  room: Room,
  fields: Record<string, MeasurementField>,
  now: Now,
): void {
  state.effects.push({
    kind: 'telemetry',
    point: { measurement, tags: { site: state.site.id, room: room.id }, fields, atMs: now.wallMs },
  });
}
