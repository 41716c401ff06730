/**
 * Booked, and nobody came: by sensors that saw the whole of it, never by a guess. A room that is occupied, or of which
 * nobody can tell, is never given free.
 */
import type { Now } from '../facts.ts';
import type { Booking } from '../records.ts';
import type { BookingRules } from '../site.ts';
import type { Watch } from './carestate.ts';

export interface NoShowFacts {
  /** It holds the room now. */
  readonly booking: Booking;
  /** When its door began to open for it. */
  readonly windowFromMs: number;
  /** Since when it has held the room within its own time. */
  readonly runningSinceMs: number;
  readonly watch: Watch;
  /** Its holder or a delegate was let in, or an operator opened the door. */
  readonly attended: boolean;
  readonly timeTrusted: boolean;
  /** Since when this gateway has been running. */
  readonly startedMonoMs: number;
}

export function isNoShow(facts: NoShowFacts, rules: BookingRules, now: Now): boolean {
  const { booking, watch } = facts;
  if (rules.noShowAfterMs === undefined || !facts.timeTrusted || facts.attended) return false;
  // Who was checked in at the desk is in the house.
  if (booking.status !== 'confirmed') return false;
  const dueMs = Math.max(booking.startMs, facts.runningSinceMs) + rules.noShowAfterMs;
  if (!(now.wallMs >= dueMs && now.wallMs < booking.endMs)) return false;
  const monoAt = (wallMs: number) => now.monoMs - (now.wallMs - wallMs);
  // Whoever was let in before a restart is forgotten: then nobody knows that nobody came.
  if (facts.startedMonoMs > monoAt(Math.min(facts.windowFromMs, booking.startMs))) return false;
  const startMonoMs = monoAt(booking.startMs);
  return (
    watch.verdict === 'vacant' &&
    watch.sinceMonoMs <= startMonoMs &&
    watch.watchedSinceMonoMs !== undefined &&
    watch.watchedSinceMonoMs <= startMonoMs
  );
}
