/** Bookings that repeat: what a series comes to, and what a change of one of it means for the others. */

import { isDeepStrictEqual } from 'node:util';
import { Fault } from '../../core/errors.ts';
import type { Booking } from '../../core/records.ts';
import type { BookingClash, BookingSet } from '../../store/types.ts';
import type * as wire from '../../wire/index.ts';
import type { Identity } from '../access.ts';
import type { Context } from '../context.ts';
import { iso, maskBooking, toBooking } from '../convert.ts';
import { invalid } from '../problem.ts';
import { isOwn, mayChange, scopeOf } from '../visibility.ts';

/** A series has at most 366; of an id that another client chose too there may be more. */
const SERIES_MAX = 1_000;
/** These are over for good: a change of the series leaves them as they are. */
const OVER: ReadonlySet<Booking['status']> = new Set(['cancelled', 'released', 'fulfilled']);

/** The bookings of a series whose first is `first`; the later ones are named by their day, so that a repeat finds them. */
export function plan(ctx: Context, first: Booking, repeat: wire.Repeat): Booking[] {
  const repeated = ctx.deps.repeatTimes(first, repeat);
  if (!repeated.ok) throw invalid({ path: `body.repeat.${repeated.field}`, message: repeated.message });
  return repeated.times.map(({ date, startMs, endMs }, index) => ({
    ...first,
    id: index === 0 ? first.id : `${first.id}.${date.replaceAll('-', '')}`,
    startMs,
    endMs,
    series: first.id,
  }));
}

/** Those of a series that a change of `of` goes for, itself among them. */
export function inScope(ctx: Context, identity: Identity, of: Booking, scope: 'following' | 'all'): readonly Booking[] {
  const { store, clock } = ctx.deps;
  const nowMs = clock.now().wallMs;
  return store.bookings
    .list({ series: of.series, limit: SERIES_MAX })
    .filter(
      (booking) =>
        booking.id === of.id ||
        (!OVER.has(booking.status) &&
          mayChange(booking, scopeOf(identity)) &&
          booking.endMs > nowMs &&
          (scope === 'all' || booking.startMs >= of.startMs)),
    );
}

/** The same change to each: a new time is meant as a step of the wall clock. */
export function changed(
  ctx: Context,
  bookings: readonly Booking[],
  of: Booking,
  change: Partial<Booking>,
): readonly Booking[] {
  const after = { ...of, ...change };
  const { startMs: _start, endMs: _end, ...rest } = change;
  const alike = bookings.map((booking) => ({ ...booking, ...rest }));
  if (after.startMs === of.startMs && after.endMs === of.endMs) return alike;
  // Which room they are in has no part in it: the moved one is known by its time.
  return ctx.deps.shiftTimes(alike, of, after);
}

/** Whether a booking is already as it was asked for; when it was first confirmed is not asked. */
export function same(known: Booking | undefined, asked: Booking): boolean {
  return known !== undefined && isDeepStrictEqual(toBooking(known), toBooking(asked));
}

interface Taken {
  readonly made: readonly Booking[];
  readonly leftOut: wire.LeftOut[];
}

/** A client that lost the answer sends the same series again: what was booked then, or undefined when nothing was. */
export function bookedBefore(
  ctx: Context,
  identity: Identity,
  planned: readonly Booking[],
  skipClashes: boolean,
): Taken | undefined {
  const { bookings } = ctx.deps.store;
  const made = planned.filter((booking) => same(bookings.get(booking.id), booking));
  const missing = planned.filter((booking) => bookings.get(booking.id) === undefined);
  // Anything else is another series of that id, or one that was changed since: the store says so.
  if (made.length === 0 || made.length + missing.length < planned.length) return undefined;
  if (missing.length > 0 && !skipClashes) return undefined;
  const leftOut = missing.flatMap((booking) => {
    const { room, startMs: fromMs, endMs: toMs } = booking;
    const clash = bookings.list({ room, fromMs, toMs }).find(({ status }) => !OVER.has(status));
    return clash === undefined ? [] : [toLeftOut({ booking, clash }, identity)];
  });
  return { made, leftOut };
}

/** The store's set, or its refusal with every clash. */
export function takenSet(set: BookingSet, identity: Identity, skipClashes: boolean): Taken {
  if (set.ok && (set.value.length > 0 || set.leftOut.length === 0))
    return { made: set.value, leftOut: set.leftOut.map((clash) => toLeftOut(clash, identity)) };
  if (!set.ok && set.code === 'conflict') throw new Fault('conflict', set.why);
  const clashes = (set.ok ? set.leftOut : set.clashes).map((clash) => toLeftOut(clash, identity));
  const many = skipClashes ? 'All' : String(clashes.length);
  throw new Fault('booking_overlap', `${many} of the times are taken: nothing was changed; \`clashes\` lists them.`, {
    clash: clashes[0]?.clash,
    clashes,
  });
}

/** The time that cannot be and the booking in its way; for a practitioner only that the time is taken. */
function toLeftOut({ booking, clash }: BookingClash, identity: Identity): wire.LeftOut {
  const shown = isOwn(clash, scopeOf(identity)) ? clash : maskBooking(clash);
  return { start: iso(booking.startMs), end: iso(booking.endMs), clash: toBooking(shown) };
}
