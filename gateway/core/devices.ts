/** Who is on line and who misbehaves, and what that makes of doors and rooms. */
import type { Condition } from './alarms/condition.ts';
import { applyDoor } from './doors/apply.ts';
import type { MeasurementField } from './effects.ts';
import type { DeviceFact, DeviceFaultFact, Now } from './facts.ts';
import { noteLink } from './relays.ts';
import { occupancyInput } from './rooms.ts';
import type { State } from './state.ts';

/** A device that is away longer than this is an alarm; shorter gaps are a reboot or a weak link. */
export const OFFLINE_ALARM_AFTER_MS = 60_000;
/** A device's fault is over when it sent nothing wrong for this long. */
export const FAULT_HOLD_MS = 10 * 60_000;

export function deviceLink(state: State, fact: DeviceFact, now: Now): void {
  const before = state.devices.get(fact.device);
  if (before?.online === fact.online) return;
  state.devices.set(fact.device, { online: fact.online, sinceMonoMs: now.monoMs, fault: before?.fault });
  tellDevice(state, fact.device, now);
  const rooms = new Set<string>();
  for (const binding of state.bindingsOfDevice.get(fact.device) ?? []) {
    if ('room' in binding) {
      const { room, as } = binding;
      const relay = as === 'heating' || as === 'cooling' ? room.points[as] : undefined;
      if (relay !== undefined) noteLink(state, relay, fact.online, now);
      rooms.add(room.id);
      continue;
    }
    const { door, as } = binding;
    state.changed.doors.add(door.id);
    if (!fact.online && (as === 'contact' || as === 'lock')) {
      applyDoor(state, door, { kind: 'lost', contact: as === 'contact', lock: as === 'lock' }, now);
    }
  }
  for (const id of rooms) {
    const room = state.roomById.get(id);
    if (room === undefined) continue;
    state.changed.rooms.add(id);
    occupancyInput(state, room, { kind: 'device', device: fact.device, online: fact.online }, now);
    state.unsettled.add(id);
  }
  deviceAlarms(state, fact.device, now);
}

export function tellDevice(state: State, device: string, now: Now): void {
  const online = state.devices.get(device)?.online;
  if (online === undefined) return;
  const battery = state.readings.get(`${device}/battery`)?.value;
  const fields: Record<string, MeasurementField> = { online };
  if (typeof battery === 'number') fields.battery = { float: battery };
  const point = { measurement: 'device', tags: { site: state.site.id, device }, fields, atMs: now.wallMs } as const;
  state.effects.push({ kind: 'telemetry', point });
}

export function deviceFault(state: State, fact: DeviceFaultFact, now: Now): void {
  const before = state.devices.get(fact.device);
  if (before === undefined) return;
  const fault = { text: fact.why, untilMonoMs: now.monoMs + FAULT_HOLD_MS };
  state.devices.set(fact.device, { ...before, fault });
  deviceAlarms(state, fact.device, now);
}

export function deviceAlarms(state: State, device: string, now: Now): void {
  const ds = state.devices.get(device);
  if (ds === undefined) return;
  const conditions: Condition[] = [];
  if (ds.online !== true && now.monoMs - ds.sinceMonoMs >= OFFLINE_ALARM_AFTER_MS) {
    const text = `Device ${device} is off line. Check its power and network.`;
    conditions.push({ kind: 'device_offline', severity: 'warning', device, text });
  }
  if (ds.fault !== undefined && now.monoMs < ds.fault.untilMonoMs) {
    conditions.push({ kind: 'device_fault', severity: 'warning', device, text: ds.fault.text });
  }
  state.alarms.reconcile(`device:${device}`, conditions, now, state.id);
}
