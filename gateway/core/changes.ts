/** Changes of what the clinic keeps: bookings, members, credentials. They act on the very next decision. */
import type { Condition } from './alarms/condition.ts';
import { KEEP_ENDED_MS, LOCAL_SOURCE } from './bookings/schedule.ts';
import type { BookingsFact, CredentialsFact, MembersFact, Now } from './facts.ts';
import { journal, type State } from './state.ts';

export function changeBookings(state: State, fact: BookingsFact, now: Now): void {
  const rooms = new Set<string>();
  // Sorted, so that each insertion into an index is an append; the first confirmed keeps the room either way.
  const upsert = fact.upsert.length > 1 ? [...fact.upsert].sort((a, b) => a.startMs - b.startMs) : fact.upsert;
  for (const id of fact.remove) {
    const removed = state.schedule.remove(id);
    if (removed !== undefined) rooms.add(removed.room);
  }
  for (const booking of upsert) {
    const before = state.schedule.get(booking.id);
    if (before !== undefined) rooms.add(before.room);
    if (booking.endMs < now.wallMs - KEEP_ENDED_MS) {
      // Moved into the past: its old time must not open a door any longer.
      state.schedule.remove(booking.id);
      continue;
    }
    state.schedule.put(booking);
    rooms.add(booking.room);
  }
  if (fact.by !== undefined) {
    for (const booking of fact.upsert) {
      const { id, room, holder } = booking;
      journal(state, now, {
        kind: 'change',
        room,
        member: holder,
        booking: id,
        user: fact.by,
        note: `booking ${booking.status}, ${utc(booking.startMs)} to ${utc(booking.endMs)}`,
      });
    }
  }
  state.conflictsDirty = true;
  for (const id of rooms) {
    const room = state.roomById.get(id);
    if (room === undefined) continue;
    state.changed.rooms.add(id);
    state.unsettled.add(id);
  }
}

function utc(ms: number): string {
  return new Date(ms).toISOString();
}

export function changeMembers(state: State, fact: MembersFact, now: Now): void {
  for (const id of fact.remove) state.members.delete(id);
  for (const member of fact.upsert) {
    state.members.set(member.id, member);
    if (fact.by !== undefined) {
      journal(state, now, { kind: 'change', member: member.id, user: fact.by, note: `member ${member.status}` });
    }
  }
}

export function changeCredentials(state: State, fact: CredentialsFact, now: Now): void {
  for (const id of fact.remove) {
    const credential = state.credentialById.get(id);
    state.credentialById.delete(id);
    if (credential !== undefined && state.credentials.get(credential.hash)?.id === id)
      state.credentials.delete(credential.hash);
  }
  for (const credential of fact.upsert) {
    state.credentialById.set(credential.id, credential);
    const known = state.credentials.get(credential.hash);
    // A number may have been revoked for one member and given to another: the active record answers.
    if (known === undefined || known.id === credential.id || credential.status === 'active') {
      state.credentials.set(credential.hash, credential);
    }
    if (fact.by !== undefined) {
      const { id, member, status } = credential;
      journal(state, now, { kind: 'change', member, credential: id, user: fact.by, note: `credential ${status}` });
    }
  }
}

export function scheduleAlarms(state: State, now: Now): void {
  if (state.conflictsDirty) {
    state.conflictsDirty = false;
    const conditions: Condition[] = [];
    for (const { room, id, endMs } of state.schedule.conflicts.values()) {
      if (endMs <= now.wallMs) continue;
      const text = `Room ${room} is booked twice at one time; booking ${id} does not open its door. Move or cancel one.`;
      conditions.push({ kind: 'booking_conflict', severity: 'warning', room, text });
    }
    state.alarms.reconcile('bookings', conditions, now, state.id);
  }
  const old: Condition[] = [];
  for (const [source, atMs] of state.scheduleFreshAtMs) {
    if (source === LOCAL_SOURCE || now.wallMs - atMs <= state.site.bookings.maxScheduleAgeMs) continue;
    const text = `Calendar ${source} was last read more than ${state.site.bookings.maxScheduleAgeMs / 3600_000} h ago; its bookings no longer open doors.`;
    old.push({ kind: 'schedule_too_old', severity: 'critical', device: source, text });
  }
  state.alarms.reconcile('schedule', old, now, state.id);
}
