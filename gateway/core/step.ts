/** The one way in: routes a fact to the controllers it concerns and hands back what is to be done. */
import { credentialRead, keypadUsed, operatorDoor } from './access/access.ts';
import type { Condition } from './alarms/condition.ts';
import { KEEP_ENDED_MS } from './bookings/schedule.ts';
import { calendarAlarms, changeCalendar } from './calendars.ts';
import {
  changeAccount,
  changeBookings,
  changeCredentials,
  changeMembers,
  changeRules,
  scheduleAlarms,
} from './changes.ts';
import { deviceAlarms, deviceFault, deviceLink, tellDevice } from './devices.ts';
import { applyDoor } from './doors/apply.ts';
import type { Effect } from './effects.ts';
import type {
  AlarmActionFact,
  CommandOutcomeFact,
  DoorValue,
  Fact,
  LockValue,
  Now,
  ReadingFact,
  ReadingValue,
  SystemFact,
  TestPulseFact,
} from './facts.ts';
import { occupancyView } from './occupancy/occupancy.ts';
import { noteOrderedOn, noteReport, relayFacts } from './relays.ts';
import { evaluateRoom, occupancyInput } from './rooms.ts';
import type { Door } from './site.ts';
import { type Binding, deviceOf, isOnline, journal, type State, send } from './state.ts';

/** After a start the first reports come in; only then are alarms of the run before held against what is. */
export const SETTLE_MS = 90_000;
const PRUNE_EVERY_MS = 3600_000;
const NOTHING_BOUND: readonly Binding[] = [];
/** How long a technician's test of an output lasts. */
export const TEST_PULSE_MS = 2_000;

export function step(state: State, fact: Fact, now: Now): readonly Effect[] {
  state.effects = [];
  route(state, fact, now);
  const { effects } = state;
  state.effects = [];
  return effects;
}

/**
 * Works out climate, light and alarms of the rooms that the facts since the last call concern. The loop calls it after
 * each batch, so that a hundred values of one room cost one look at it.
 */
export function settle(state: State, now: Now): readonly Effect[] {
  state.effects = [];
  const ids = [...state.unsettled];
  // All at once: taking each out of the set by itself costs as much as working out its room.
  state.unsettled.clear();
  let begun = 0;
  try {
    for (const id of ids) {
      begun += 1;
      const room = state.roomById.get(id);
      if (room !== undefined) evaluateRoom(state, room, now);
    }
  } finally {
    // A room that breaks the core is left out next time, so that those after it do not wait for ever.
    for (const id of ids.slice(begun)) state.unsettled.add(id);
  }
  const { effects } = state;
  state.effects = [];
  return effects;
}

function route(state: State, fact: Fact, now: Now): void {
  switch (fact.kind) {
    case 'credential':
      for (const binding of state.bindings.get(fact.point) ?? NOTHING_BOUND) {
        if (binding.as === 'reader') credentialRead(state, binding.door, fact, now);
      }
      break;
    case 'keypad':
      forBound(state, fact.point, 'reader', (door) => keypadUsed(state, door, fact, now));
      break;
    case 'request_to_exit':
      forBound(state, fact.point, 'exit', (door) => {
        journal(state, now, { kind: 'request_to_exit', door: door.id, room: door.room, subReason: fact.stale });
        if (fact.stale === undefined) applyDoor(state, door, { kind: 'request_to_exit' }, now);
      });
      break;
    case 'reading':
      reading(state, fact, now);
      break;
    case 'device':
      deviceLink(state, fact, now);
      break;
    case 'device_fault':
      deviceFault(state, fact, now);
      break;
    case 'command_outcome':
      commandOutcome(state, fact, now);
      break;
    case 'bookings':
      changeBookings(state, fact, now);
      break;
    case 'members':
      changeMembers(state, fact, now);
      break;
    case 'credentials':
      changeCredentials(state, fact, now);
      break;
    case 'account':
      changeAccount(state, fact, now);
      break;
    case 'booking_rules':
      changeRules(state, fact, now);
      break;
    case 'schedule_fresh':
      state.scheduleFreshAtMs.set(fact.source, fact.atMs);
      break;
    case 'calendar':
      changeCalendar(state, fact, now);
      break;
    case 'operator_door': {
      const door = state.doorById.get(fact.door);
      if (door !== undefined) operatorDoor(state, door, fact, now);
      break;
    }
    case 'test_pulse':
      testPulse(state, fact, now);
      break;
    case 'alarm_action':
      alarmAction(state, fact, now);
      break;
    case 'time_trust':
      if (fact.trusted !== state.timeTrust.trusted) journal(state, now, { kind: 'system', note: fact.why });
      state.timeTrust = { trusted: fact.trusted, why: fact.why };
      timeAlarm(state, now);
      break;
    case 'system':
      system(state, fact, now);
      break;
    case 'lifecycle':
      journal(state, now, { kind: 'system', note: fact.why });
      break;
    case 'tick':
      tick(state, now);
      break;
    default:
      fact satisfies never;
  }
}

function forBound(state: State, point: string, as: Binding['as'], act: (door: Door) => void): void {
  for (const binding of state.bindings.get(point) ?? []) if (binding.as === as && 'door' in binding) act(binding.door);
}

function reading(state: State, fact: ReadingFact, now: Now): void {
  const before = state.readings.get(fact.point)?.value;
  state.readings.set(fact.point, {
    value: fact.value,
    retained: fact.retained,
    wallMs: now.wallMs,
    monoMs: now.monoMs,
  });
  if (fact.point.endsWith('/battery')) tellDevice(state, deviceOf(fact.point), now);
  for (const binding of state.bindings.get(fact.point) ?? []) {
    if ('door' in binding) doorReading(state, binding, fact, now);
    else roomReading(state, binding, fact, before, now);
  }
}

function doorReading(state: State, binding: Extract<Binding, { door: Door }>, fact: ReadingFact, now: Now): void {
  const { door } = binding;
  const room = door.room === undefined ? undefined : state.roomById.get(door.room);
  if (binding.as === 'lock') {
    applyDoor(state, door, { kind: 'lock', value: fact.value as LockValue }, now);
  } else if (binding.as === 'contact') {
    const value = fact.value as DoorValue;
    const inside = room === undefined ? undefined : state.rooms.get(room.id);
    const someoneInside = inside !== undefined && occupancyView(inside.occupancy).state === 'occupied';
    applyDoor(state, door, { kind: 'contact', value, someoneInside }, now);
    if (room !== undefined) {
      occupancyInput(state, room, { kind: 'door', value }, now);
      state.unsettled.add(room.id);
    }
  }
}

type RoomBinding = Exclude<Binding, { door: Door }>;

function roomReading(
  state: State,
  binding: RoomBinding,
  fact: ReadingFact,
  before: ReadingValue | undefined,
  now: Now,
): void {
  const { room, as } = binding;
  const { value, point, retained } = fact;
  if (as === 'presence') {
    occupancyInput(
      state,
      room,
      { kind: 'presence', point, value: typeof value === 'boolean' ? value : null, retained, sensor: fact.sensor },
      now,
    );
  } else if (as === 'people' || as === 'co2') {
    occupancyInput(state, room, { kind: as, value: typeof value === 'number' ? value : null }, now);
  } else if (as === 'heating' || as === 'cooling') {
    noteReport(state, point, before, value, now);
  }
  if (before !== value) state.changed.rooms.add(room.id);
  state.unsettled.add(room.id);
}

function commandOutcome(state: State, fact: CommandOutcomeFact, now: Now): void {
  const door = state.doorCommands.get(fact.command);
  if (door === undefined) return;
  state.doorCommands.delete(fact.command);
  const { command, outcome, why } = fact;
  journal(state, now, { kind: 'command', door: door.id, room: door.room, command, outcome, note: why });
  applyDoor(state, door, { kind: 'outcome', command, outcome, why }, now);
}

function testPulse(state: State, fact: TestPulseFact, now: Now): void {
  const { point, command, user } = fact;
  const capability = point.slice(point.indexOf('/') + 1);
  const bindings = state.bindings.get(point) ?? NOTHING_BOUND;
  const refusal = pulseRefusal(state, bindings);
  const note = refusal === undefined ? `test of ${point}` : `test of ${point} refused: ${refusal}`;
  journal(state, now, { kind: 'operator', user, command, note });
  if (refusal !== undefined) return;
  // Off line it hears nothing; on record as on, it would keep the cooling waiting until it is back.
  if (bindings.some(({ as }) => as === 'heating') && isOnline(state, point)) noteOrderedOn(state, point, now);
  if (/^relay(-\d+)?$/.test(capability))
    send(state, now, point, { op: 'set', value: 'on', forMs: TEST_PULSE_MS }, command);
  else if (/^dimmer(-\d+)?$/.test(capability)) send(state, now, point, { op: 'set', value: 100 }, command);
  else if (/^reader(-\d+)?$/.test(capability)) send(state, now, point, { op: 'indicate', signal: 'wait' }, command);
}

/** Why an output is not to be tested now; undefined when it may. */
function pulseRefusal(state: State, bindings: readonly Binding[]): string | undefined {
  for (const binding of bindings) {
    if (binding.as === 'cooling') return 'a compressor keeps its minimum times';
    if (binding.as !== 'heating') continue;
    const { id, points } = binding.room;
    const { reported, lastSwitch } = relayFacts(state, points.cooling);
    // Also one that is ordered on and has not said so yet, or is about to be.
    if (reported === 'on' || lastSwitch?.value === 'on' || state.rooms.get(id)?.climate?.cooling === 'on')
      return 'cooling is, or may be, on, and never runs together with heating';
  }
  return undefined;
}

function alarmAction(state: State, fact: AlarmActionFact, now: Now): void {
  const { alarm: id, action, user, note } = fact;
  const result =
    action === 'acknowledge' ? state.alarms.acknowledge(id, user, note, now) : state.alarms.resolve(id, note, now);
  if (result === 'not_found') return;
  const { door, room, kind } = result;
  journal(state, now, {
    kind: 'alarm',
    door,
    room,
    user,
    note: `${kind} ${result.status}${note === '' ? '' : `: ${note}`}`,
  });
}

function timeAlarm(state: State, now: Now): void {
  const { trusted, why } = state.timeTrust;
  const text = `${why} Until the time is trusted only credentials with no time limit open doors.`;
  state.alarms.reconcile(
    'time',
    trusted ? [] : [{ kind: 'time_not_trusted', severity: 'critical', text }],
    now,
    state.id,
  );
}

function system(state: State, { part, ok, why }: SystemFact, now: Now): void {
  if (part === 'telemetry_refused') {
    state.alarms.raise({ kind: part, severity: 'warning', text: why }, now, state.id());
    return;
  }
  const critical = part === 'journal' || part === 'disk' || part === 'broker';
  const conditions: Condition[] = ok ? [] : [{ kind: part, severity: critical ? 'critical' : 'warning', text: why }];
  if (ok) state.system.delete(part);
  else state.system.set(part, why);
  state.alarms.reconcile(`system:${part}`, conditions, now, state.id);
}

function tick(state: State, now: Now): void {
  for (const door of state.site.doors) applyDoor(state, door, { kind: 'tick' }, now);
  for (const room of state.site.rooms) {
    occupancyInput(state, room, { kind: 'tick' }, now);
    state.unsettled.add(room.id);
  }
  for (const device of state.devices.keys()) deviceAlarms(state, device, now);
  scheduleAlarms(state, now);
  calendarAlarms(state, now);
  if (now.monoMs >= state.nextPruneMonoMs) {
    state.schedule.prune(now.wallMs - KEEP_ENDED_MS);
    state.nextPruneMonoMs = now.monoMs + PRUNE_EVERY_MS;
  }
  if (now.monoMs - state.startedMonoMs >= SETTLE_MS) state.alarms.resolveOrphans(now);
}
