/** Brings one input to one door, and tells what follows: journal, alarms, series. */
import type { Now } from '../facts.ts';
import type { Door } from '../site.ts';
import { journal, type State } from '../state.ts';
import { type DoorInput, doorConditions, stepDoor } from './door.ts';

export function applyDoor(state: State, door: Door, input: DoorInput, now: Now): void {
  const before = state.doors.get(door.id);
  if (before === undefined) return;
  const { state: after, happened } = stepDoor(door, before, input, now);
  if (after === before) return;
  state.doors.set(door.id, after);
  state.changed.doors.add(door.id);
  const where = { door: door.id, room: door.room };
  if (happened?.kind === 'forced') {
    journal(state, now, { kind: 'door_forced', ...where });
    const text = `${door.name}: the door was opened with neither a grant nor a request to exit. Go and look.`;
    state.alarms.raise({ kind: 'door_forced', severity: 'critical', ...where, text }, now, state.id());
  } else if (happened?.kind === 'held_open') {
    journal(state, now, { kind: 'door_held_open', ...where });
  } else if (happened?.kind === 'not_taken') {
    const { member, booking } = happened;
    journal(state, now, { kind: 'access_not_taken', ...where, member, booking, reason: 'no_entry_after_granted' });
  }
  state.alarms.reconcile(`door:${door.id}`, doorConditions(door, after), now, state.id);
  if (before.contact !== after.contact || before.lock !== after.lock) tellDoor(state, door, now);
}

function tellDoor(state: State, door: Door, now: Now): void {
  const ds = state.doors.get(door.id);
  if (ds === undefined) return;
  const fields: Record<string, boolean> = {};
  if (ds.contact !== 'unknown') fields.open = ds.contact === 'open';
  if (ds.lock !== 'unknown') fields.locked = ds.lock === 'locked';
  if (Object.keys(fields).length === 0) return;
  const point = {
    measurement: 'door',
    tags: { site: state.site.id, door: door.id },
    fields,
    atMs: now.wallMs,
  } as const;
  state.effects.push({ kind: 'telemetry', point });
}
