/**
 * What a reader may see. Everybody but practitioners sees the whole house, names included; a practitioner sees the
 * rooms of his own bookings, and of other people's bookings only that the time is taken.
 */
import type { Booking } from '../core/records.ts';
import type { DoorView, RoomView } from '../core/views.ts';
import type { Bookings, Store } from '../store/types.ts';
import type { Identity } from './access.ts';
import type { NameOf } from './convert.ts';
import { MASKED_ID } from './convert.ts';
import type { ApiDeps } from './deps.ts';

/** A room stays "own" from this long before a booking's start … */
export const OWN_ROOM_AHEAD_MS = 7 * 24 * 3_600_000;
/** … until this long after its end. */
export const OWN_ROOM_BEHIND_MS = 24 * 3_600_000;

/** The part of the house that somebody sees: all of it, or one member's (null: of nobody, so nothing). */
export type Scope = { readonly all: true } | { readonly all: false; readonly member: string | null };
const ALL: Scope = { all: true };

export function scopeOf(identity: Identity): Scope {
  return identity.role === 'practitioner' ? { all: false, member: identity.member } : ALL;
}

/** Readers with the same key see the same, so that one serialisation serves them all. */
export function scopeKey(scope: Scope): string {
  return scope.all ? 'all' : `member:${scope.member ?? ''}`;
}

export function isOwn(booking: Pick<Booking, 'holder' | 'delegates'>, scope: Scope): boolean {
  if (scope.all) return true;
  return scope.member !== null && (booking.holder === scope.member || booking.delegates.includes(scope.member));
}

/** Only the holder changes a booking; a delegate uses it. */
export function mayChange(booking: Pick<Booking, 'holder'>, scope: Scope): boolean {
  return scope.all || (scope.member !== null && booking.holder === scope.member);
}

const ALIVE = new Set<Booking['status']>(['confirmed', 'checked_in', 'tentative']);

type Schedule = Pick<ApiDeps, 'bookingsOf'>;

/** One member's bookings in `[fromMs, toMs)`, by start. */
export function ownBookings(
  schedule: Schedule,
  scope: Scope & { readonly all: false },
  fromMs: number,
  toMs: number,
): readonly Booking[] {
  return scope.member === null ? [] : schedule.bookingsOf(scope.member, fromMs, toMs);
}

/**
 * Ids of the rooms in which the scope's member has a booking around now; undefined means every room. Asked for each
 * practitioner at each change of the house, so of the schedule in memory.
 */
export function ownRooms(schedule: Schedule, scope: Scope, nowMs: number): ReadonlySet<string> | undefined {
  if (scope.all) return undefined;
  const near = ownBookings(schedule, scope, nowMs - OWN_ROOM_BEHIND_MS, nowMs + OWN_ROOM_AHEAD_MS);
  return new Set(near.filter(({ status }) => ALIVE.has(status)).map(({ room }) => room));
}

export function seesDoor(door: Pick<DoorView, 'room' | 'common'>, own: ReadonlySet<string> | undefined): boolean {
  return own === undefined || door.common || (door.room !== null && own.has(door.room));
}

/** A room as the scope may see it: others' bookings are only "taken". */
export function maskRoom(room: RoomView, scope: Scope, bookings: Bookings): RoomView {
  if (scope.all) return room;
  const mask = (ref: RoomView['booking']['now']): RoomView['booking']['now'] => {
    if (!ref || ref.holder === scope.member) return ref;
    const full = bookings.get(ref.id);
    return full && isOwn(full, scope) ? ref : { ...ref, id: MASKED_ID, holder: '' };
  };
  const { now, next, revoked } = room.booking;
  return {
    ...room,
    booking: { now: mask(now), next: mask(next), revoked: mask(revoked) },
    noShow: mask(room.noShow),
    overstay: mask(room.overstay),
  };
}

/** Names of members, where the scope may know them. Each is looked up once: for one answer, not to be kept. */
export function namesFor(scope: Scope, store: Pick<Store, 'members'>): NameOf {
  const known = new Map<string, string | null>();
  return (member) => {
    if (!scope.all && member !== scope.member) return null;
    let name = known.get(member);
    if (name === undefined) {
      name = store.members.get(member)?.name ?? null;
      known.set(member, name);
    }
    return name;
  };
}
