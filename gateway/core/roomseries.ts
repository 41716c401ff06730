/** What a room's series in the history say, and when: occupancy, climate and light (CONTRACT, “InfluxDB”). */
import type { OnOff } from './climate/outputs.ts';
import type { MeasurementField } from './effects.ts';
import type { Now } from './facts.ts';
import { occupancyView } from './occupancy/occupancy.ts';
import { lightLevel, numberOrNull } from './readings.ts';
import { reportedSwitch } from './relays.ts';
import type { Readings, RoomDraft, Told } from './roomstate.ts';
import type { Point, Room } from './site.ts';
import { isOnline, type State } from './state.ts';

/** A series has a point at least this often, so that a chart shows a quiet hour as known and not as missing. */
const EVERY_MS = 60_000;
/** What sensors measure changes with every report: at most this often. What the gateway decides is told at once. */
export const READINGS_EVERY_MS = 5_000;
/** Steps in which a changed reading is news: °C, %, ppm. */
const STEPS = { temperature: 0.1, humidity: 1, co2: 10 } as const;

type Fields = Record<string, MeasurementField>;

/** The room's series and the live view: when something changed, and else once a minute. */
export function tellRoom(state: State, room: Room, rs: RoomDraft, now: Now): void {
  const { told } = rs;
  const readings = measured(state, room);
  const steps = inSteps(readings);
  const news: Told = {
    occupancy: occupancyTold(rs),
    climate: climateTold(state, room, rs),
    lights: { target: rs.lighting?.target, warning: rs.lighting?.warning, level: level(state, room) },
    readings: told === undefined || now.monoMs >= rs.nextReadingsMonoMs ? steps : told.readings,
  };
  const due = told === undefined || now.monoMs >= rs.nextTelemetryMonoMs;
  const occupancy = due || differs(news.occupancy, told.occupancy);
  const climate = due || differs(news.climate, told.climate) || differs(news.readings, told.readings);
  const lights = due || differs(news.lights, told.lights);
  if (!occupancy && !climate && !lights && rs.next?.id === state.rooms.get(room.id)?.next?.id) return;
  state.changed.rooms.add(room.id);
  if (occupancy) point(state, 'occupancy', room, occupancyFields(rs), now);
  if (climate) {
    point(state, 'climate', room, { ...climateFields(news.climate), ...floats(readings) }, now);
    rs.nextReadingsMonoMs = now.monoMs + READINGS_EVERY_MS;
  }
  if (lights) point(state, 'light', room, floats({ level: news.lights.level }), now);
  rs.told = climate ? { ...news, readings: steps } : news;
  rs.updatedAtMs = now.wallMs;
  if (due) rs.nextTelemetryMonoMs = now.monoMs + EVERY_MS;
}

/** `before` and `after` have the same keys. */
function differs<T extends object>(after: T, before: T): boolean {
  for (const key in after) if (after[key] !== before[key]) return true;
  return false;
}

function occupancyTold({ occupancy, bookedNow }: RoomDraft): Told['occupancy'] {
  const { state, people } = occupancyView(occupancy);
  return { state, booking: bookedNow?.id, people };
}

function occupancyFields(rs: RoomDraft): Fields {
  const view = occupancyView(rs.occupancy);
  const fields: Fields = {
    state: view.state,
    confidence: { float: view.confidence },
    booked: rs.bookedNow !== undefined,
  };
  if (view.state !== 'unknown') fields.occupied = view.state === 'occupied';
  if (view.people !== null) fields.people = { int: view.people };
  return fields;
}

function climateTold(state: State, { points }: Room, { climate }: RoomDraft): Told['climate'] {
  return {
    mode: climate?.mode,
    heatingSetpoint: climate?.heatingSetpoint ?? null,
    coolingSetpoint: climate?.coolingSetpoint ?? null,
    heating: switched(state, points.heating),
    cooling: switched(state, points.cooling),
  };
}

function switched(state: State, point: Point | undefined): OnOff | undefined {
  return point === undefined ? undefined : reportedSwitch(state, point);
}

function climateFields({ mode, heatingSetpoint, coolingSetpoint, heating, cooling }: Told['climate']): Fields {
  const fields = floats({ heating_setpoint: heatingSetpoint, cooling_setpoint: coolingSetpoint });
  if (mode !== undefined) fields.mode = mode;
  if (heating !== undefined) fields.heating = heating === 'on';
  if (cooling !== undefined) fields.cooling = cooling === 'on';
  return fields;
}

function measured(state: State, { points }: Room): Readings {
  return {
    temperature: reading(state, points.temperature),
    humidity: reading(state, points.humidity),
    co2: reading(state, points.co2),
  };
}

function reading(state: State, point: Point | undefined): number | null {
  return point === undefined || !isOnline(state, point) ? null : numberOrNull(state.readings.get(point)?.value);
}

function inSteps({ temperature, humidity, co2 }: Readings): Readings {
  return {
    temperature: temperature && Math.round(temperature / STEPS.temperature),
    humidity: humidity && Math.round(humidity / STEPS.humidity),
    co2: co2 && Math.round(co2 / STEPS.co2),
  };
}

/** What the room's lamp reports; what is wished of it is no measurement. */
function level(state: State, room: Room): number | null {
  const [first] = room.points.lights;
  return first === undefined ? null : lightLevel(state, first);
}

/** An unknown value is left out. */
function floats(values: Readonly<Record<string, number | null>>): Fields {
  const fields: Fields = {};
  for (const [key, value] of Object.entries(values)) if (value !== null) fields[key] = { float: value };
  return fields;
}

function point(
  state: State,
  measurement: 'occupancy' | 'climate' | 'light',
  room: Room,
  fields: Fields,
  now: Now,
): void {
  if (Object.keys(fields).length === 0) return;
  state.effects.push({
    kind: 'telemetry',
    point: { measurement, tags: { site: state.site.id, room: room.id }, fields, atMs: now.wallMs },
  });
}
