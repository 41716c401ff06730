/** What a room's series in the history say, and when: occupancy, climate and light (CONTRACT, “InfluxDB”). */
import type { MeasurementField } from './effects.ts';
import type { Now } from './facts.ts';
import { occupancyView } from './occupancy/occupancy.ts';
import { lightLevel, numberOrNull } from './readings.ts';
import { reportedSwitch } from './relays.ts';
import type { RoomDraft } from './roomstate.ts';
import type { Room } from './site.ts';
import { isOnline, type State } from './state.ts';

/** A series has a point at least this often, so that a chart shows a quiet hour as known and not as missing. */
const EVERY_MS = 60_000;
/** What sensors measure changes with every report: at most this often. What the gateway decides is told at once. */
export const READINGS_EVERY_MS = 5_000;
/** Steps in which a changed reading is news: °C, %, ppm. */
const STEPS = { temperature: 0.1, humidity: 1, co2: 10 } as const;
const MEASURED = ['temperature', 'humidity', 'co2'] as const;

type Fields = Record<string, MeasurementField>;

/** The room's series and the live view: when something changed, and else once a minute. */
export function tellRoom(state: State, room: Room, rs: RoomDraft, now: Now): void {
  const view = occupancyView(rs.occupancy);
  const readings = measured(state, room);
  const steps = MEASURED.map((key) => readings[key] && Math.round(readings[key] / STEPS[key])).join('|');
  const told = {
    occupancy: `${view.state}|${rs.bookedNow?.id ?? ''}|${view.people ?? ''}`,
    climate: JSON.stringify(decided(state, room, rs)),
    // A light that changes is told with what is wished of it: the live view shows both.
    lights: `${rs.lighting?.target ?? ''}|${rs.lighting?.warning ?? ''}|${level(state, room) ?? ''}`,
    readings: now.monoMs >= rs.nextReadingsMonoMs ? steps : rs.told.readings,
  };
  const due = now.monoMs >= rs.nextTelemetryMonoMs;
  const changed = (key: keyof typeof told) => due || told[key] !== rs.told[key];
  const news = changed('occupancy') || changed('climate') || changed('lights') || changed('readings');
  if (!news && rs.next?.id === state.rooms.get(room.id)?.next?.id) return;
  state.changed.rooms.add(room.id);
  if (changed('occupancy')) point(state, 'occupancy', room, occupancyFields(rs), now);
  if (changed('climate') || changed('readings')) {
    point(state, 'climate', room, { ...decided(state, room, rs), ...floats(readings) }, now);
    told.readings = steps;
    rs.nextReadingsMonoMs = now.monoMs + READINGS_EVERY_MS;
  }
  if (changed('lights')) point(state, 'light', room, floats({ level: level(state, room) }), now);
  rs.told = told;
  rs.updatedAtMs = now.wallMs;
  if (due) rs.nextTelemetryMonoMs = now.monoMs + EVERY_MS;
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

/** Mode and setpoints, and what the relays report. */
function decided(state: State, room: Room, { climate }: RoomDraft): Fields {
  const fields: Fields = climate === undefined ? {} : { mode: climate.mode };
  const { heatingSetpoint = null, coolingSetpoint = null } = climate ?? {};
  Object.assign(fields, floats({ heating_setpoint: heatingSetpoint, cooling_setpoint: coolingSetpoint }));
  for (const key of ['heating', 'cooling'] as const) {
    const source = room.points[key];
    const value = source === undefined ? undefined : reportedSwitch(state, source);
    if (value !== undefined) fields[key] = value === 'on';
  }
  return fields;
}

function measured(state: State, room: Room): Record<(typeof MEASURED)[number], number | null> {
  const of = (key: (typeof MEASURED)[number]) => {
    const source = room.points[key];
    return source === undefined || !isOnline(state, source) ? null : numberOrNull(state.readings.get(source)?.value);
  };
  return { temperature: of('temperature'), humidity: of('humidity'), co2: of('co2') };
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
