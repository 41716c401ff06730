/** Still there after the booking's end: known by the room's own sensors, and only while nobody else can be meant. */
import type { Severity } from '../effects.ts';
import type { Now } from '../facts.ts';
import type { Booking } from '../records.ts';
import type { Entry, Watch } from './carestate.ts';

/** Who stays this shortly before the next booking stands in somebody's way. */
export const NEXT_SOON_MS = 60 * 60_000;

export interface OverstayFacts {
  readonly watch: Watch;
  /** The booking that is overstayed already. */
  readonly known: Booking | undefined;
  /** Of the bookings that held the room, the one that ended last, and until when its door opened. */
  readonly last: { readonly booking: Booking; readonly untilMs: number } | undefined;
  /** Bookings that hold the room within their own time, each with the begin of its window. */
  readonly running: readonly { readonly booking: Booking; readonly fromMs: number }[];
  readonly next: Booking | undefined;
  readonly entries: readonly Entry[];
}

export interface Overstay {
  readonly booking: Booking;
  readonly severity: Severity;
  /** The booking that cannot begin, or not for long. */
  readonly blocks: Booking | undefined;
}

export function judgeOverstay(facts: OverstayFacts, overstayAfterMs: number, now: Now): Overstay | undefined {
  const { watch, running, entries } = facts;
  if (watch.verdict !== 'occupied') return undefined;
  const booking = facts.known ?? found(facts, overstayAfterMs, now);
  if (booking === undefined) return undefined;
  for (const { booking: other, fromMs } of running) {
    if (sharesPeople(booking, other)) return undefined;
    if (entries.some(({ atMs, member }) => atMs >= fromMs && (member === undefined || isOf(other, member)))) {
      return undefined;
    }
  }
  const blocks = running[0]?.booking ?? soon(facts.next, booking, now);
  return { booking, severity: blocks === undefined ? 'info' : 'warning', blocks };
}

function found({ watch, last, entries }: OverstayFacts, overstayAfterMs: number, now: Now): Booking | undefined {
  if (last === undefined || now.wallMs < last.untilMs + overstayAfterMs) return undefined;
  // The room must not have been empty since: who came after that is somebody else.
  if (watch.sinceMonoMs > now.monoMs - (now.wallMs - last.untilMs)) return undefined;
  const { booking } = last;
  const another = entries.some(
    ({ atMs, member }) => atMs >= booking.endMs && (member === undefined || !isOf(booking, member)),
  );
  return another ? undefined : booking;
}

function soon(next: Booking | undefined, booking: Booking, now: Now): Booking | undefined {
  return next !== undefined && next.startMs - now.wallMs <= NEXT_SOON_MS && !sharesPeople(booking, next)
    ? next
    : undefined;
}

export function isOf(booking: Booking, member: string): boolean {
  return booking.holder === member || booking.delegates.includes(member);
}

function sharesPeople(a: Booking, b: Booking): boolean {
  return isOf(b, a.holder) || isOf(a, b.holder);
}
