/** From a credential that was read to the unlock: one decision, one journal entry, at most one unlock. */
import type { Condition } from '../alarms/condition.ts';
import { noteEntry } from '../bookings/care.ts';
import { stepDoor } from '../doors/door.ts';
import type { CredentialFact, KeypadFact, Now, OperatorDoorFact } from '../facts.ts';
import { occupancyInput } from '../rooms.ts';
import type { Door } from '../site.ts';
import { grantKey, journal, type State, send } from '../state.ts';
import { type Decision, decide } from './decide.ts';

/** Readers repeat a card that stays in the field: reads of one card at one reader within this are one. */
export const REPEAT_MS = 1_000;

/** Grants of the run before count this long before the start and after it: what a device sends again comes within. */
export const EARLIER_GRANTS_MS = 60_000;

const BADGE = { kind: 'badge' } as const;
const INDICATE = {
  granted: { op: 'indicate', signal: 'granted' },
  denied: { op: 'indicate', signal: 'denied' },
} as const;
const ONE = { count: { int: 1 } } as const;

export function credentialRead(state: State, door: Door, read: CredentialFact, now: Now): void {
  const decision = decide(state, door, read, now);
  if (read.stale === undefined && wasAnswered(state, door, read, decision, now)) {
    credentialRead(state, door, { ...read, stale: 'event_too_old' }, now);
    return;
  }
  if (read.stale === undefined && isRepeat(state, read, decision, now)) return;
  const command = decision.outcome === 'granted' ? state.id() : undefined;
  journalDecision(state, door, decision, command, now);
  count(state, door, decision, now);
  if (command !== undefined) {
    unlock(state, door, command, decision, now);
    if (decision.subReason === 'unlimited_right') raiseUnlimited(state, door, decision, now);
  }
  // A read that comes late has nobody standing at the reader.
  if (read.stale === undefined) indicate(state, door, decision.outcome, now);
  if (decision.reason === 'denied_unknown_credential') {
    state.effects.push({
      kind: 'unknown_card',
      card: {
        id: state.id(),
        reader: read.point,
        hash: read.hashes[0] ?? '',
        format: read.format,
        last4: read.last4,
        seenAtMs: now.wallMs,
      },
    });
  }
}

/**
 * A device that got no answer before the gateway was restarted sends its event again, and the ids that were seen are
 * gone with the run before. What it read before that run's last grant is not a new wish to enter.
 */
function wasAnswered(state: State, door: Door, read: CredentialFact, decision: Decision, now: Now): boolean {
  if (now.monoMs - state.startedMonoMs >= EARLIER_GRANTS_MS) return false;
  if (read.atMs === undefined || decision.credential === undefined) return false;
  const grantedAtMs = state.earlierGrants.get(grantKey(door.id, decision.credential.id));
  return grantedAtMs !== undefined && read.atMs <= grantedAtMs;
}

/** Digits alone open nothing: a PIN is a second factor and no room asks for one yet. */
export function keypadUsed(state: State, door: Door, fact: KeypadFact, now: Now): void {
  const stale = fact.stale;
  journal(state, now, {
    kind: 'access',
    door: door.id,
    room: door.room,
    outcome: 'denied',
    reason: stale === undefined ? 'denied_incorrect_authentication_factor' : 'denied_other',
    subReason: stale,
  });
  if (stale === undefined) indicate(state, door, 'denied', now);
}

export function operatorDoor(state: State, door: Door, fact: OperatorDoorFact, now: Now): void {
  journal(state, now, {
    kind: 'operator',
    door: door.id,
    room: door.room,
    user: fact.user,
    outcome: fact.op === 'unlock' ? 'granted' : undefined,
    reason: fact.op === 'unlock' ? 'granted' : undefined,
    subReason: fact.op === 'unlock' ? 'operator' : undefined,
    command: fact.command,
    note: fact.reason,
  });
  if (fact.op === 'unlock') {
    unlock(state, door, fact.command, undefined, now);
  } else {
    commanded(state, door, 'lock', fact.command, undefined, now);
    send(state, now, door.lock, { op: 'lock' }, fact.command);
  }
}

/** The entry of every badge, written in place: by way of `journal` it would be made twice. */
function journalDecision(state: State, door: Door, decision: Decision, command: string | undefined, now: Now): void {
  state.effects.push({
    kind: 'journal',
    entry: {
      id: state.id(),
      occurredAtMs: now.wallMs,
      kind: 'access',
      door: door.id,
      room: door.room,
      member: decision.member?.id,
      credential: decision.credential?.id,
      booking: decision.booking?.id,
      outcome: decision.outcome,
      reason: decision.reason,
      subReason: decision.subReason,
      command,
      user: undefined,
      note: undefined,
    },
  });
}

/** The same card with another answer is no repeat: in between it was revoked, or booked, or its window began. */
function isRepeat(state: State, read: CredentialFact, { reason, subReason }: Decision, now: Now): boolean {
  const hash = read.hashes[0] ?? '';
  const last = state.lastReads.get(read.point);
  if (
    last !== undefined &&
    last.hash === hash &&
    last.reason === reason &&
    last.subReason === subReason &&
    now.monoMs - last.monoMs < REPEAT_MS
  ) {
    return true;
  }
  state.lastReads.set(read.point, { hash, reason, subReason, monoMs: now.monoMs });
  return false;
}

function unlock(state: State, door: Door, command: string, decision: Decision | undefined, now: Now): void {
  commanded(state, door, 'unlock', command, decision, now);
  send(state, now, door.lock, { op: 'unlock', holdMs: door.strikeMs }, command);
  noteEntry(state, door, decision?.member?.id, decision?.booking, now);
  const room = door.room === undefined ? undefined : state.roomById.get(door.room);
  if (room === undefined || decision === undefined) return;
  occupancyInput(state, room, BADGE, now);
  state.unsettled.add(room.id);
}

function commanded(
  state: State,
  door: Door,
  op: 'unlock' | 'lock',
  id: string,
  decision: Decision | undefined,
  now: Now,
) {
  const before = state.doors.get(door.id);
  if (before === undefined) return;
  const { state: after } = stepDoor(
    door,
    before,
    {
      kind: 'commanded',
      command: { id, op, outcome: 'pending', atMs: now.wallMs },
      holdMs: door.strikeMs,
      member: decision?.member?.id,
      booking: decision?.booking?.id,
    },
    now,
  );
  state.doors.set(door.id, after);
  state.doorCommands.set(id, door);
  state.changed.doors.add(door.id);
}

function indicate(state: State, door: Door, signal: 'granted' | 'denied', now: Now): void {
  if (door.reader !== undefined) send(state, now, door.reader, INDICATE[signal]);
}

function raiseUnlimited(state: State, door: Door, decision: Decision, now: Now): void {
  const condition: Condition = {
    kind: 'unlimited_right_used',
    severity: 'warning',
    door: door.id,
    room: door.room,
    text: `${door.name}: a credential with no time limit opened the door (member ${decision.member?.id}). Ask why it was needed, then resolve this alarm.`,
  };
  state.alarms.raise(condition, now, state.id());
}

function count(state: State, door: Door, decision: Decision, now: Now): void {
  state.effects.push({
    kind: 'telemetry',
    point: {
      measurement: 'access',
      tags: { site: state.site.id, door: door.id, outcome: decision.outcome, reason: decision.reason },
      fields: ONE,
      atMs: now.wallMs,
    },
  });
}
