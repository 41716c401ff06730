/** Changes of what the clinic keeps: bookings, members, credentials, accounts. They act on the very next decision. */
import type { Condition } from './alarms/condition.ts';
import { lookAgain, noteRevoked, openBefore } from './bookings/care.ts';
import { KEEP_ENDED_MS, LOCAL_SOURCE } from './bookings/schedule.ts';
import type {
  AccountChange,
  AccountFact,
  AccountStanding,
  BookingRulesFact,
  BookingsFact,
  CredentialsFact,
  MembersFact,
  Now,
} from './facts.ts';
import type { Booking } from './records.ts';
import { journal, type State } from './state.ts';

const MS_PER_MIN = 60_000;
const MS_PER_H = 3600_000;

export function changeBookings(state: State, fact: BookingsFact, now: Now): void {
  const { schedule } = state;
  const rooms = new Set<string>();
  const gone = [...fact.remove];
  // The last word on a booking counts where a fact has two.
  const latest = new Map<string, Booking>();
  const before = (id: string) => {
    const booking = schedule.get(id);
    if (booking !== undefined) rooms.add(booking.room);
  };
  for (const id of fact.remove) before(id);
  for (const booking of fact.upsert) latest.set(booking.id, booking);
  for (const booking of latest.values()) {
    before(booking.id);
    rooms.add(booking.room);
    if (booking.endMs >= now.wallMs - KEEP_ENDED_MS) continue;
    // Moved into the past: its old time must not open a door any longer.
    latest.delete(booking.id);
    gone.push(booking.id);
  }
  // Sorted, so that each insertion into an index is an append.
  const kept = [...latest.values()].sort((a, b) => a.startMs - b.startMs);
  const open = openBefore(state, rooms, now);
  schedule.apply(kept, gone);
  noteRevoked(state, open, now);
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
    lookAgain(state, id);
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

export function changeAccount(state: State, { account, id, change, by }: AccountFact, now: Now): void {
  const { member } = change.after ?? change.before;
  journal(state, now, { kind: 'change', member, user: by, note: `${account} ${id} ${accountText(change)}` });
}

function accountText(change: AccountChange): string {
  const text = ({ role, member }: AccountStanding) => (member === undefined ? role : `${role} for member ${member}`);
  if (change.after === undefined) return `removed, was ${text(change.before)}`;
  const is = text(change.after);
  if (change.before === undefined) return `added as ${is}`;
  const was = text(change.before);
  return was === is ? `has a new password, ${is} as before` : `is now ${is}, was ${was}, and has a new password`;
}

/** What is running follows at once: a window is worked out when somebody asks for it. */
export function changeRules(state: State, fact: BookingRulesFact, now: Now): void {
  const { rules, roomBuffers } = fact;
  state.schedule.replaceRules(rules, roomBuffers && new Map(Object.entries(roomBuffers)));
  for (const room of state.site.rooms) {
    lookAgain(state, room.id);
    state.changed.rooms.add(room.id);
    state.unsettled.add(room.id);
  }
  const min = (ms: number) => `${ms / MS_PER_MIN} min`;
  const { earlyMs, lateMs, bufferMs = 0, noShowAfterMs, noShowAction = 'flag', overstayAfterMs } = rules;
  const parts = [`early grace ${min(earlyMs)}`, `late grace ${min(lateMs)}`, `cleaning buffer ${min(bufferMs)}`];
  parts.push(noShowAfterMs === undefined ? 'no-shows not looked for' : `no-show ${noShowAction} ${min(noShowAfterMs)}`);
  if (overstayAfterMs !== undefined) parts.push(`overstay ${min(overstayAfterMs)}`);
  journal(state, now, { kind: 'change', note: `booking rules: ${parts.join(', ')}` });
}

export function scheduleAlarms(state: State, now: Now): void {
  // Conflicts also end by themselves, when their time is over.
  if (state.conflictsDirty || now.wallMs >= state.care.nextConflictEndMs) {
    state.conflictsDirty = false;
    state.care.nextConflictEndMs = Number.POSITIVE_INFINITY;
    const conditions = new Map<string, Condition>();
    for (const { room, id, endMs } of state.schedule.conflicts.values()) {
      if (endMs <= now.wallMs) continue;
      state.care.nextConflictEndMs = Math.min(state.care.nextConflictEndMs, endMs);
      if (conditions.has(room)) continue;
      const text = `Room ${room} is booked twice at one time; booking ${id} does not open its door. Move or cancel one.`;
      conditions.set(room, { kind: 'booking_conflict', severity: 'warning', room, text });
    }
    state.alarms.reconcile('bookings', [...conditions.values()], now, state.id);
  }
  const { maxScheduleAgeMs } = state.schedule.rules;
  const old: Condition[] = [];
  for (const [source, atMs] of state.scheduleFreshAtMs) {
    if (source === LOCAL_SOURCE || Math.abs(now.wallMs - atMs) <= maxScheduleAgeMs) continue;
    const when = now.wallMs > atMs ? 'ago' : 'ahead of the clock, which was wrong then or is now';
    const text = `Calendar ${source} was last read more than ${maxScheduleAgeMs / MS_PER_H} h ${when}; its bookings no longer open doors.`;
    old.push({ kind: 'schedule_too_old', severity: 'critical', device: source, text });
  }
  state.alarms.reconcile('schedule', old, now, state.id);
}
