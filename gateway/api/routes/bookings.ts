/** Bookings: stored first, in force at the next decision when the answer comes. */
import { z } from 'zod';
import { Fault } from '../../core/errors.ts';
import type { Booking } from '../../core/records.ts';
import * as wire from '../../wire/index.ts';
import { type Identity, who } from '../access.ts';
import { type Api, type Context, given, idParams, nothing, problems, taken } from '../context.ts';
import { maskBooking, toBooking } from '../convert.ts';
import { ulid } from '../ids.ts';
import { type FieldFault, invalid } from '../problem.ts';
import { submit } from '../submit.ts';
import { isOwn, mayChange, scopeOf } from '../visibility.ts';
import { bookedBefore, changed, inScope, plan, same, takenSet } from './bookingseries.ts';

const DAY_MS = 24 * 3_600_000;
/** A longer one is a mistake in the month or year. */
export const BOOKING_MAX_MS = 31 * DAY_MS;
/** A booking this far from today is a mistake in the year. */
export const BOOKING_FAR_MS = 10 * 366 * DAY_MS;
/** Without `from`, a list begins this long ago. */
const LIST_BEHIND_MS = DAY_MS;
export const LIST_MAX = 5_000;

const listQuery = z.object({
  room: wire.id.optional(),
  from: wire.instant.optional().describe('Bookings that end after this; a day ago when neither is given'),
  to: wire.instant.optional().describe('Bookings that start before this'),
});

/** Roles whose word stands against an outside calendar. */
const DESK: ReadonlySet<Identity['role']> = new Set(['manager', 'reception']);

const scopeQuery = z.object({ scope: wire.bookingScope });

export function bookingRoutes(api: Api, ctx: Context): void {
  const { deps } = ctx;
  const { bookings } = deps.store;

  api.get(
    '/bookings',
    {
      config: { allow: 'bookings.read' },
      schema: { tags: ['bookings'], querystring: listQuery, response: { 200: wire.bookings, ...problems } },
    },
    async (request) => {
      const { room, from, to } = request.query;
      const fromMs = from ? Date.parse(from) : to ? undefined : deps.clock.now().wallMs - LIST_BEHIND_MS;
      const toMs = to ? Date.parse(to) : undefined;
      const scope = scopeOf(who(request));
      const found = bookings.list({ ...given({ room, fromMs, toMs }), limit: LIST_MAX });
      return found.filter((booking) => isOwn(booking, scope)).map(toBooking);
    },
  );

  api.post(
    '/bookings',
    {
      config: { allow: 'bookings.write' },
      schema: {
        tags: ['bookings'],
        summary: 'Books once, or with `repeat` a series: all of it or nothing',
        body: wire.newBooking,
        response: { 201: wire.madeBooking, ...problems },
      },
    },
    async (request, reply) => {
      const identity = who(request);
      const { id, start, end, repeat, skipClashes = false, ...rest } = request.body;
      const booking: Booking = {
        ...rest,
        id: id ?? `b-${ulid(deps.clock.now().wallMs).toLowerCase()}`,
        startMs: Date.parse(start),
        endMs: Date.parse(end),
        source: 'local',
      };
      check(ctx, identity, booking);
      const made = repeat
        ? await bookSeries(ctx, identity, plan(ctx, booking, repeat), skipClashes)
        : await bookOnce(ctx, identity, booking);
      return reply.code(201).header('location', `/api/v1/bookings/${made.id}`).send(made);
    },
  );

  api.get(
    '/bookings/:id',
    {
      config: { allow: 'bookings.read' },
      schema: { tags: ['bookings'], params: idParams, response: { 200: wire.booking, ...problems } },
    },
    async (request) => toBooking(visible(ctx, who(request), request.params.id)),
  );

  api.patch(
    '/bookings/:id',
    {
      config: { allow: 'bookings.write' },
      schema: {
        tags: ['bookings'],
        summary: 'Changes the booking, or its series: a new time is then meant as a step of the wall clock',
        params: idParams,
        querystring: scopeQuery,
        body: wire.bookingChange,
        response: { 200: wire.changedBooking, ...problems },
      },
    },
    async (request) => {
      const identity = who(request);
      const { scope } = request.query;
      const before = changeable(ctx, identity, request.params.id);
      const { start, end, ...rest } = request.body;
      const change = given({
        ...rest,
        startMs: start === undefined ? undefined : Date.parse(start),
        endMs: end === undefined ? undefined : Date.parse(end),
      });
      check(ctx, identity, { ...before, ...change });
      if (scope !== 'this' && before.series !== undefined) return changeSeries(ctx, identity, before, change, scope);
      const after = taken(bookings.update(before.id, change), 'booking', clashFor(identity));
      await inForce(ctx, identity, [before], [after]);
      return toBooking(after);
    },
  );

  api.delete(
    '/bookings/:id',
    {
      config: { allow: 'bookings.write' },
      schema: {
        tags: ['bookings'],
        summary: 'Cancels the booking, or more of its series',
        params: idParams,
        querystring: scopeQuery,
        response: { 204: nothing, ...problems },
      },
    },
    async (request, reply) => {
      const identity = who(request);
      const { scope } = request.query;
      const before = changeable(ctx, identity, request.params.id);
      if (scope !== 'this' && before.series !== undefined)
        await changeSeries(ctx, identity, before, { status: 'cancelled' }, scope);
      else {
        const after = taken(bookings.setStatus(before.id, 'cancelled'), 'booking');
        await inForce(ctx, identity, [before], [after]);
      }
      return reply.code(204).send(null);
    },
  );
}

async function bookOnce(ctx: Context, identity: Identity, booking: Booking): Promise<wire.MadeBooking> {
  const { bookings } = ctx.deps.store;
  // A client that lost the answer sends the same again: that is no clash with itself.
  if (!same(bookings.get(booking.id), booking)) {
    const made = taken(bookings.insert(booking), 'booking', clashFor(identity));
    await inForce(ctx, identity, [], [made]);
  }
  return toBooking(booking);
}

async function bookSeries(
  ctx: Context,
  identity: Identity,
  planned: readonly Booking[],
  skipClashes: boolean,
): Promise<wire.MadeBooking> {
  const again = bookedBefore(ctx, identity, planned, skipClashes);
  const { made, leftOut } =
    again ?? takenSet(ctx.deps.store.bookings.insertAll(planned, { skipClashes }), identity, skipClashes);
  const [first] = made;
  if (first === undefined) throw new Fault('conflict', 'No time of the series is left to be booked.');
  if (again === undefined) await inForce(ctx, identity, [], made);
  return { ...toBooking(first), bookings: made.map(toBooking), ...(skipClashes && { leftOut }) };
}

async function changeSeries(
  ctx: Context,
  identity: Identity,
  of: Booking,
  change: Partial<Booking>,
  scope: 'following' | 'all',
): Promise<wire.ChangedBooking> {
  const before = inScope(ctx, identity, of, scope);
  const after = changed(ctx, before, of, change);
  const { made } = takenSet(ctx.deps.store.bookings.replaceAll(after), identity, false);
  await inForce(ctx, identity, before, made);
  const named = made.find((booking) => booking.id === of.id) ?? { ...of, ...change };
  return { ...toBooking(named), bookings: made.map(toBooking) };
}

/** All faults at once. */
function check(ctx: Context, identity: Identity, booking: Booking): void {
  const { site, store, clock } = ctx.deps;
  const faults: FieldFault[] = [];
  const fault = (path: string, message: string) => faults.push({ path: `body.${path}`, message });
  if (!site.rooms.some((room) => room.id === booking.room)) fault('room', 'there is no such room');
  if (booking.endMs <= booking.startMs) fault('end', 'must be after start');
  else if (booking.endMs - booking.startMs > BOOKING_MAX_MS) fault('end', 'is more than 31 days after start');
  if (Math.abs(booking.startMs - clock.now().wallMs) > BOOKING_FAR_MS) fault('start', 'is more than ten years away');
  if (store.members.get(booking.holder) === undefined) fault('holder', 'there is no such member');
  booking.delegates.forEach((delegate, index) => {
    if (store.members.get(delegate) === undefined) fault(`delegates.${index}`, 'there is no such member');
  });
  if (!mayChange(booking, scopeOf(identity))) throw new Fault('forbidden', 'A practitioner books only for himself.');
  if (faults.length > 0) throw invalid(...faults);
}

/** Others' bookings do not exist for a practitioner. */
function visible(ctx: Context, identity: Identity, id: string): Booking {
  const booking = ctx.deps.store.bookings.get(id);
  if (!booking || !isOwn(booking, scopeOf(identity))) throw new Fault('not_found', 'There is no such booking.');
  return booking;
}

function changeable(ctx: Context, identity: Identity, id: string): Booking {
  const booking = visible(ctx, identity, id);
  if (!mayChange(booking, scopeOf(identity))) throw new Fault('forbidden', 'Only its holder may change this booking.');
  // What the desk sets stands against the calendar; everybody else changes it where it was made.
  if (booking.source !== 'local' && !DESK.has(identity.role)) {
    const why = `This booking comes from the calendar ${booking.source}: change it there, or ask the reception.`;
    throw new Fault('conflict', why);
  }
  return booking;
}

/** The booking in the way; for a practitioner only that the time is taken. */
function clashFor(identity: Identity) {
  const scope = scopeOf(identity);
  return (clash: Booking) => toBooking(isOwn(clash, scope) ? clash : maskBooking(clash));
}

async function inForce(
  ctx: Context,
  identity: Identity,
  before: readonly Booking[],
  after: readonly Booking[],
): Promise<void> {
  const { bookings } = ctx.deps.store;
  const stored = () => after.map((booking) => bookings.get(booking.id) ?? booking);
  await submit(ctx.deps, () => ({ kind: 'bookings', upsert: stored(), remove: [], by: identity.name }));
  ctx.live.bookingsChanged(before, after);
}
