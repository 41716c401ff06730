/** Looks after the bookings of a room as they run: no-shows, overstays and visits whose booking was taken away. */
import type { Condition } from '../alarms/condition.ts';
import type { Now } from '../facts.ts';
import type { OccupancyState } from '../occupancy/state.ts';
import type { Booking } from '../records.ts';
import type { BookingRules, Door, Room } from '../site.ts';
import { deviceOf, journal, type State } from '../state.ts';
import { initialRoomCare, type NoShow, type RoomCare } from './carestate.ts';
import { isNoShow } from './noshow.ts';
import { judgeOverstay, NEXT_SOON_MS, type Overstay } from './overstay.ts';
import { findRevoked, isOver, revokedText } from './revoked.ts';

/** Entries of a room that are remembered: who came since the last booking's end, not who came this year. */
export const MAX_ENTRIES = 32;
/** A room is looked at least this often: a device's fault shows in no reading. */
export const LOOK_EVERY_MS = 60_000;
const NONE: readonly Condition[] = [];
const MS_PER_MIN = 60_000;

/**
 * Somebody was let in: by a badge, or (no member) by an operator. Whoever was let in for a booking, also at the
 * entrance, has come to it. It is on the way of each badge, so the rest is left to the next look.
 */
export function noteEntry(
  state: State,
  door: Door,
  member: string | undefined,
  booking: Booking | undefined,
  now: Now,
): void {
  const { schedule } = state;
  const looks = isLooking(schedule.rules);
  if (looks && booking !== undefined) careOf(state, booking.room)?.attended.add(booking.id);
  if (door.room === undefined) return;
  const known = state.care.rooms.get(door.room);
  if (!looks && known?.revoked === undefined) return;
  const care = known ?? careOf(state, door.room);
  if (care === undefined) return;
  care.entries.push({ atMs: now.wallMs, member });
  if (care.entries.length > MAX_ENTRIES) care.entries.shift();
  if (!isIdle(care)) care.nextLookMs = Number.NEGATIVE_INFINITY;
  if (member !== undefined) return;
  for (const { id } of schedule.open(door.room, now.wallMs)) care.attended.add(id);
}

/** Bookings or rules changed: what the last look found stands no longer. */
export function lookAgain(state: State, room: string): void {
  const care = state.care.rooms.get(room);
  if (care !== undefined) care.nextLookMs = Number.NEGATIVE_INFINITY;
}

/**
 * To be asked before a room's climate and light are worked out, since a no-show gives the room free. It costs a few
 * comparisons unless something happened in the room or is due.
 * @returns what is wrong about the room's bookings right now
 */
export function careForBookings(state: State, room: Room, occupancy: OccupancyState, now: Now): readonly Condition[] {
  const known = state.care.rooms.get(room.id);
  if (!isLooking(state.schedule.rules) && (known === undefined || isIdle(known))) {
    // What is not looked at is not known without a break.
    if (known !== undefined) known.watch = undefined;
    return NONE;
  }
  const care = known ?? careOf(state, room.id);
  if (care === undefined) return NONE;
  const stands = now.wallMs < care.nextLookMs && now.wallMs >= care.lookedAtMs;
  if (stands && looksTheSame(care.seen, occupancy)) return care.conditions;
  watch(state, care, occupancy, now);
  const running = state.schedule.held(room.id).covering(now.wallMs);
  takeRunning(state, care, running, now);
  const conditions: Condition[] = [];
  for (const booking of running) findNoShow(state, room, care, booking, running, now);
  noShowConditions(state, room, care, conditions, now);
  overstayCondition(state, room, care, running, conditions, now);
  revokedCondition(state, room, care, conditions, now);
  care.seen = occupancy;
  care.lookedAtMs = now.wallMs;
  care.conditions = conditions;
  care.nextLookMs = nextLookMs(state, room, care, running, now);
  return conditions;
}

function isLooking({ noShowAfterMs, overstayAfterMs }: BookingRules): boolean {
  return noShowAfterMs !== undefined || overstayAfterMs !== undefined;
}

/** Nothing that a look goes by has changed; how sure the verdict is, and what CO2 does, it does not ask. */
function looksTheSame(seen: OccupancyState | undefined, now: OccupancyState): boolean {
  return (
    seen === now ||
    (seen !== undefined &&
      seen.verdict === now.verdict &&
      seen.sinceMs === now.sinceMs &&
      seen.sensors === now.sensors &&
      seen.blindSinceMonoMs === now.blindSinceMonoMs &&
      (seen.people === null) === (now.people === null))
  );
}

/** The earliest instant after now at which the passing of time alone may change what a look finds. */
function nextLookMs(state: State, room: Room, care: RoomCare, running: readonly Booking[], now: Now): number {
  const { schedule } = state;
  const { noShowAfterMs = 0, overstayAfterMs = 0 } = schedule.rules;
  let next = now.wallMs + LOOK_EVERY_MS;
  const due = (atMs: number | undefined) => {
    if (atMs !== undefined && atMs > now.wallMs && atMs < next) next = atMs;
  };
  for (const { id, startMs, endMs } of running) {
    due(endMs);
    due((care.running.get(id)?.sinceMs ?? startMs) + noShowAfterMs);
  }
  for (const { booking } of care.noShows.values()) due(booking.endMs);
  const following = schedule.held(room.id).next(now.wallMs);
  due(following?.startMs);
  if (care.watch?.verdict === 'occupied') {
    const last = schedule.held(room.id).lastEnded(now.wallMs);
    if (last !== undefined) due(schedule.window(last).toMs + overstayAfterMs);
    if (following !== undefined) due(following.startMs - NEXT_SOON_MS);
  }
  return next;
}

/** Bookings whose door is open for them, by room: to be held against what is left after a change. */
export function openBefore(state: State, rooms: Iterable<string>, now: Now): Map<string, readonly Booking[]> {
  const open = new Map<string, readonly Booking[]>();
  for (const room of rooms) {
    if (state.rooms.get(room)?.occupancy.verdict !== 'occupied') continue;
    const bookings = state.schedule.open(room, now.wallMs);
    if (bookings.length > 0) open.set(room, bookings);
  }
  return open;
}

export function noteRevoked(state: State, before: ReadonlyMap<string, readonly Booking[]>, now: Now): void {
  for (const [room, bookings] of before) {
    const revoked = findRevoked(state.schedule, bookings, now);
    if (revoked === undefined) continue;
    const care = careOf(state, room);
    if (care === undefined) continue;
    care.revoked = revoked;
    care.nextLookMs = Number.NEGATIVE_INFINITY;
    const { id, holder } = revoked.booking;
    const note = revokedText(revoked, state.roomById.get(room)?.name ?? room);
    journal(state, now, { kind: 'change', room, member: holder, booking: id, note });
    state.unsettled.add(room);
    state.changed.rooms.add(room);
  }
}

function careOf(state: State, id: string): RoomCare | undefined {
  const known = state.care.rooms.get(id);
  if (known !== undefined) return known;
  const points = state.roomById.get(id)?.points;
  if (points === undefined) return undefined;
  const seeing = points.presence.length > 0 ? points.presence : points.people === undefined ? [] : [points.people];
  const care = initialRoomCare([...new Set(seeing.map(deviceOf))]);
  state.care.rooms.set(id, care);
  return care;
}

function isIdle(care: RoomCare): boolean {
  return care.revoked === undefined && care.noShows.size === 0 && care.overstay === undefined;
}

function watch(state: State, care: RoomCare, occupancy: OccupancyState, now: Now): void {
  const before = care.watch;
  const { verdict, sinceMs } = occupancy;
  const same = before !== undefined && before.verdict === verdict && before.sinceMs === sinceMs;
  const watchedSinceMonoMs = isWatched(state, care, occupancy, now)
    ? Math.max(before?.watchedSinceMonoMs ?? now.monoMs, onlineSinceMonoMs(state, care))
    : undefined;
  if (same && watchedSinceMonoMs === before.watchedSinceMonoMs) return;
  care.watch = { verdict, sinceMs, sinceMonoMs: same ? before.sinceMonoMs : now.monoMs, watchedSinceMonoMs };
}

/** Whether every sensor that could see a person is on line, has reported, and is not known to be wrong. */
function isWatched(state: State, care: RoomCare, occupancy: OccupancyState, now: Now): boolean {
  if (care.devices.length === 0 || occupancy.blindSinceMonoMs !== null) return false;
  let sensors = 0;
  for (const point in occupancy.sensors) {
    const sensor = occupancy.sensors[point];
    if (sensor === undefined || sensor.on === null || sensor.stuck) return false;
    sensors++;
  }
  if (sensors === 0 && occupancy.people === null) return false;
  return care.devices.every((id) => {
    const device = state.devices.get(id);
    return device?.online === true && (device.fault === undefined || now.monoMs >= device.fault.untilMonoMs);
  });
}

function onlineSinceMonoMs(state: State, care: RoomCare): number {
  let latest = Number.NEGATIVE_INFINITY;
  for (const id of care.devices) latest = Math.max(latest, state.devices.get(id)?.sinceMonoMs ?? 0);
  return latest;
}

/** Notes what begins to run, and forgets what no longer does. */
function takeRunning(state: State, care: RoomCare, running: readonly Booking[], now: Now): void {
  for (const { id, startMs } of running) {
    if (care.running.get(id)?.startMs === startMs) continue;
    // Booked before its start and running from there, or booked (or moved here) while its time ran already.
    const inTime = care.lookedAtMs < startMs;
    care.running.set(id, { startMs, sinceMs: inTime ? startMs : now.wallMs });
  }
  if (care.running.size === running.length) return;
  for (const id of care.running.keys()) {
    if (!running.some((booking) => booking.id === id)) care.running.delete(id);
  }
  for (const id of care.attended) {
    const booking = state.schedule.get(id);
    if (booking === undefined || now.wallMs >= booking.endMs) care.attended.delete(id);
  }
}

function findNoShow(
  state: State,
  room: Room,
  care: RoomCare,
  booking: Booking,
  running: readonly Booking[],
  now: Now,
): void {
  const { schedule } = state;
  const { rules } = schedule;
  if (rules.noShowAfterMs === undefined || care.noShows.has(booking.id) || care.watch === undefined) return;
  const facts = {
    booking,
    windowFromMs: booking.startMs - rules.earlyMs,
    runningSinceMs: care.running.get(booking.id)?.sinceMs ?? now.wallMs,
    watch: care.watch,
    // Who came to one of two bookings of his came to both.
    attended: running.some(({ id, holder }) => holder === booking.holder && care.attended.has(id)),
    timeTrusted: state.timeTrust.trusted,
    startedMonoMs: state.startedMonoMs,
  };
  if (!isNoShow(facts, rules, now)) return;
  const released = rules.noShowAction === 'release';
  const why = noShowText(room, booking, released, rules);
  care.noShows.set(booking.id, { booking, released, over: false });
  journal(state, now, { kind: 'no_show', room: room.id, member: booking.holder, booking: booking.id, note: why });
  state.changed.rooms.add(room.id);
  if (!released) return;
  const given: Booking = { ...booking, status: 'released' };
  schedule.put(given);
  care.running.delete(booking.id);
  // Another booking may have waited for this room and time.
  state.conflictsDirty = true;
  state.effects.push({ kind: 'release', booking: given, why });
}

function noShowText(room: Room, { id }: Booking, released: boolean, { noShowAfterMs = 0 }: BookingRules): string {
  const after = `${Math.round(noShowAfterMs / MS_PER_MIN)} min after its start`;
  return released
    ? `Nobody came to booking ${id} of ${room.name} by ${after}; the room was given free.`
    : `Nobody came to booking ${id} of ${room.name} by ${after}. Ask its holder, or cancel it.`;
}

function noShowConditions(state: State, room: Room, care: RoomCare, conditions: Condition[], now: Now): void {
  for (const [id, noShow] of care.noShows) {
    const booking = state.schedule.get(id);
    if (now.wallMs >= Math.max(noShow.booking.endMs, booking?.endMs ?? 0)) {
      care.noShows.delete(id);
      state.changed.rooms.add(room.id);
    } else if (!noShow.over && isNoShowOver(state, care, noShow, booking, now)) {
      care.noShows.set(id, { ...noShow, over: true });
      state.changed.rooms.add(room.id);
    } else if (!noShow.over) {
      const text = noShowText(room, noShow.booking, noShow.released, state.schedule.rules);
      conditions.push({ kind: 'no_show', severity: 'info', room: room.id, text });
    }
  }
}

/** Its time has ended, it was given back to its holder; or, where it was only shown, changed, or somebody came after all. */
function isNoShowOver(state: State, care: RoomCare, noShow: NoShow, booking: Booking | undefined, now: Now): boolean {
  if (now.wallMs >= noShow.booking.endMs) return true;
  const holds = booking !== undefined && state.schedule.holds(booking);
  if (noShow.released) return holds;
  return (
    !holds ||
    booking.startMs !== noShow.booking.startMs ||
    care.watch?.verdict === 'occupied' ||
    care.attended.has(booking.id)
  );
}

function overstayCondition(
  state: State,
  room: Room,
  care: RoomCare,
  running: readonly Booking[],
  conditions: Condition[],
  now: Now,
): void {
  const { schedule } = state;
  const { overstayAfterMs } = schedule.rules;
  let overstay: Overstay | undefined;
  if (overstayAfterMs !== undefined && care.watch?.verdict === 'occupied') {
    const last = schedule.held(room.id).lastEnded(now.wallMs);
    const facts = {
      watch: care.watch,
      known: care.overstay,
      last: last === undefined ? undefined : { booking: last, untilMs: schedule.window(last).toMs },
      running: running.map((booking) => ({ booking, fromMs: schedule.window(booking).fromMs })),
      next: schedule.held(room.id).next(now.wallMs),
      entries: care.entries,
    };
    overstay = judgeOverstay(facts, overstayAfterMs, now);
  }
  if (overstay?.booking.id !== care.overstay?.id) state.changed.rooms.add(room.id);
  care.overstay = overstay?.booking;
  if (overstay === undefined) return;
  const { booking, severity, blocks } = overstay;
  const ended = `${room.name} is still occupied although booking ${booking.id} has ended`;
  const text =
    blocks === undefined
      ? `${ended}. Nobody else has it booked for the next hour.`
      : `${ended} and booking ${blocks.id} ${blocks.startMs <= now.wallMs ? 'has begun' : 'begins within the hour'}. Speak with the people inside.`;
  conditions.push({ kind: 'overstay', severity, room: room.id, text });
}

function revokedCondition(state: State, room: Room, care: RoomCare, conditions: Condition[], now: Now): void {
  const { revoked } = care;
  if (revoked === undefined) return;
  const verdict = care.watch?.verdict ?? 'unknown';
  if (isOver(revoked, verdict, state.schedule.open(room.id, now.wallMs), care.entries, now)) {
    care.revoked = undefined;
    state.changed.rooms.add(room.id);
    return;
  }
  const text = revokedText(revoked, room.name);
  conditions.push({ kind: 'booking_revoked_occupied', severity: 'info', room: room.id, text });
}
