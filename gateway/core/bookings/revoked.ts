/** A booking that is taken away while its door is open for it: the door shuts, whoever is inside is left in peace. */
import type { Now } from '../facts.ts';
import type { Booking } from '../records.ts';
import type { Entry, Revocation, Revoked } from './carestate.ts';
import { isOf } from './overstay.ts';
import { grants, type Schedule } from './schedule.ts';

/** @param before bookings whose door was open for them before the change */
export function findRevoked(schedule: Schedule, before: readonly Booking[], now: Now): Revoked | undefined {
  for (const booking of before) {
    // Told of by two sources, or extended by another booking: the holder still has the room.
    if (schedule.open(booking.room, now.wallMs).some((other) => other.holder === booking.holder)) continue;
    const how = howOf(schedule, booking);
    if (how !== undefined) return { booking, atMs: now.wallMs, how };
  }
  return undefined;
}

function howOf(schedule: Schedule, before: Booking): Revocation | undefined {
  const after = schedule.get(before.id);
  if (after === undefined) return 'removed';
  // Finished as planned: nobody lost anything.
  if (after.status === 'fulfilled') return undefined;
  if (!grants(after.status)) return 'cancelled';
  if (after.room === before.room && after.startMs === before.startMs && after.endMs === before.endMs) {
    return schedule.holds(after) ? undefined : 'displaced';
  }
  return 'moved';
}

/** Over once the room is empty, the holder has it again, or those of a later booking have come. */
export function isOver(
  revoked: Revoked,
  verdict: 'occupied' | 'vacant' | 'unknown',
  open: readonly Booking[],
  entries: readonly Entry[],
  now: Now,
): boolean {
  if (verdict === 'vacant') return true;
  return open.some(
    (booking) =>
      booking.holder === revoked.booking.holder ||
      (booking.startMs > revoked.atMs && booking.startMs <= now.wallMs) ||
      entries.some(({ atMs, member }) => atMs > revoked.atMs && member !== undefined && isOf(booking, member)),
  );
}

const HOW: Readonly<Record<Revocation, string>> = {
  cancelled: 'cancelled',
  removed: 'removed',
  moved: 'moved away',
  displaced: 'found to clash with an earlier one and lost the room',
};

export function revokedText({ booking, how }: Revoked, roomName: string): string {
  return `Booking ${booking.id} of ${roomName} was ${HOW[how]} while the room is occupied; its badge no longer opens the door. Speak with the people inside.`;
}
