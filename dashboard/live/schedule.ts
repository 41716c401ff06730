/** What the schedule shows of bookings: how each stands, where it lies, which days make a week. */
import type { Calendar } from '../../gateway/wire/calendars.ts';
import type { Booking } from '../../gateway/wire/clinic.ts';
import type { Room } from '../../gateway/wire/rooms.ts';
import type { IconName } from '../parts/icons.ts';
import { type Stretch, stretchOf } from './actual.ts';
import { addDays, clock, dayWindow, ms } from './time.ts';
import { BOOKING_STATE_MEANS, BOOKING_STATE_WORDS, type BookingState } from './words.ts';

/** Only these open doors, so only these can be in each other's way. */
const grants = (booking: Booking): boolean => booking.status === 'confirmed' || booking.status === 'checked_in';

/** Ids of bookings that somebody else's overlaps in the same room. */
export function conflicting(bookings: readonly Booking[]): Set<string> {
  const found = new Set<string>();
  for (const there of inRooms(bookings.filter(grants)).values()) {
    there.sort((a, b) => ms(a.start) - ms(b.start));
    let open: Booking[] = [];
    for (const booking of there) {
      open = open.filter((other) => ms(other.end) > ms(booking.start));
      for (const other of open) {
        if (other.holder === booking.holder) continue;
        found.add(other.id).add(booking.id);
      }
      open.push(booking);
    }
  }
  return found;
}

/** Ids of the bookings to which nobody came, as the rooms tell. */
export function noShows(rooms: readonly Room[]): Set<string> {
  return new Set(rooms.flatMap((room) => (room.noShow ? [room.noShow.id] : [])));
}

export function bookingState(
  booking: Booking,
  of: { conflicts: ReadonlySet<string>; absent: ReadonlySet<string> },
): BookingState {
  if (of.conflicts.has(booking.id)) return 'conflict';
  if (of.absent.has(booking.id) && grants(booking)) return 'no_show';
  return booking.status;
}

/** What a state means for the door now. */
export function meansOf(state: BookingState, booking: Booking, nowMs: number): string {
  const over = (state === 'confirmed' || state === 'checked_in') && ms(booking.end) <= nowMs;
  return BOOKING_STATE_MEANS[over ? 'fulfilled' : state];
}

/** A cancelled or released one is drawn narrower, beside what holds the room. */
export const isGone = (booking: Booking): boolean => booking.status === 'cancelled' || booking.status === 'released';

/** Which of how many lanes each lies in, so that overlapping ones are all seen; what is gone comes last. */
export function lanes(bookings: readonly Booking[]): Map<string, { lane: number; of: number }> {
  const placed = new Map<string, { lane: number; of: number }>();
  const sorted = [...bookings].sort((a, b) => ms(a.start) - ms(b.start) || Number(isGone(a)) - Number(isGone(b)));
  for (let from = 0; from < sorted.length; ) {
    // A cluster ends where nothing reaches over.
    let endMs = 0;
    let to = from;
    for (let next = sorted[to]; next && (to === from || ms(next.start) < endMs); next = sorted[++to])
      endMs = Math.max(endMs, ms(next.end));
    const cluster = sorted.slice(from, to).sort((a, b) => Number(isGone(a)) - Number(isGone(b)));
    const ends: Stretch[][] = [];
    const at = new Map<string, number>();
    for (const booking of cluster) {
      const own = stretchOf(booking);
      const free = ends.findIndex((lane) => lane.every((of) => of.endMs <= own.startMs || of.startMs >= own.endMs));
      const lane = free < 0 ? ends.length : free;
      const taken = ends[lane];
      if (taken) taken.push(own);
      else ends.push([own]);
      at.set(booking.id, lane);
    }
    for (const [id, lane] of at) placed.set(id, { lane, of: ends.length });
    from = to;
  }
  return placed;
}

/** Monday to Sunday around a day. */
export function weekOf(day: string): string[] {
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  return Array.from({ length: 7 }, (_, index) => addDays(day, index - weekday));
}

/** What the wall clock shows at an instant of a day, in hours; 0 before the day, 24 after it. */
export function wallHour(atMs: number, day: Stretch, timeZone: string): number {
  if (atMs <= day.startMs) return 0;
  if (atMs >= day.endMs) return 24;
  const [hours, minutes] = clock(atMs, timeZone).split(':').map(Number);
  return (hours ?? 0) + (minutes ?? 0) / 60;
}

/** The hours of the wall clock that a board shows. */
export interface Hours {
  readonly fromH: number;
  readonly toH: number;
}

/** The hours of the wall clock that hold every booking of the days: 7 to 20 at least. */
export function shownClock(days: readonly Stretch[], bookings: readonly Booking[], timeZone: string): Hours {
  let fromH = 7;
  let toH = 20;
  for (const day of days)
    for (const booking of bookings) {
      const { startMs, endMs } = stretchOf(booking);
      if (startMs >= day.endMs || endMs <= day.startMs) continue;
      fromH = Math.min(fromH, Math.floor(wallHour(startMs, day, timeZone)));
      toH = Math.max(toH, Math.ceil(wallHour(endMs, day, timeZone)));
    }
  return { fromH, toH };
}

/**
 * Where a stretch lies on a day's column of wall hours, in %. The column has the hours of its labels on the days of a
 * clock change too: what ends in the repeated hour at or before its start there is drawn no height at all.
 */
export function onClock(
  of: Stretch,
  day: Stretch,
  { fromH, toH }: Hours,
  timeZone: string,
): { top: number; height: number } {
  const within = (atMs: number) => Math.min(toH, Math.max(fromH, wallHour(atMs, day, timeZone)));
  const start = within(of.startMs);
  const part = 100 / (toH - fromH);
  return { top: (start - fromH) * part, height: Math.max(0, within(of.endMs) - start) * part };
}

/** Bookings that touch `[startMs, endMs)`, by start. */
export function touching(bookings: readonly Booking[], of: Stretch): Booking[] {
  return bookings
    .filter((booking) => ms(booking.start) < of.endMs && ms(booking.end) > of.startMs)
    .sort((a, b) => ms(a.start) - ms(b.start));
}

/** By room, in the order given. */
export function inRooms(bookings: readonly Booking[]): Map<string, Booking[]> {
  const rooms = new Map<string, Booking[]>();
  for (const booking of bookings) {
    const there = rooms.get(booking.room);
    if (there) there.push(booking);
    else rooms.set(booking.room, [booking]);
  }
  return rooms;
}

/** The days' windows, read one by one: a list of a week of a big house is longer than one answer. */
export function windowsOf(days: readonly string[], timeZone: string): Stretch[] {
  return days.map((day) => dayWindow(day, timeZone));
}

/** Where a booking came from, as glyph and word. */
export interface SourceBadge {
  readonly name: string;
  readonly icon: IconName;
}
export function sourceBadge(source: string, calendars: readonly Pick<Calendar, 'id' | 'kind'>[]): SourceBadge {
  if (source === 'local') return { name: 'made here', icon: 'local' };
  return { name: source, icon: calendars.find((calendar) => calendar.id === source)?.kind ?? 'calendar' };
}

/** What a booking says aloud. */
export function bookingLabel(words: {
  period: string;
  holder: string;
  room: string;
  state: BookingState;
  source: string;
  series: boolean;
}): string {
  const parts = [words.period, words.holder, words.room, BOOKING_STATE_WORDS[words.state]];
  parts.push(words.source);
  if (words.series) parts.push('repeats');
  return parts.filter(Boolean).join(', ');
}

export type Arrow = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown';
interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}
/** The nearest box in the arrow's direction, distance to the side counting double; undefined where there is none. */
export function nearestBox(boxes: readonly Box[], from: Box, arrow: Arrow): number | undefined {
  const centre = (of: Box) => ({ x: of.left + of.width / 2, y: of.top + of.height / 2 });
  const start = centre(from);
  const across = arrow === 'ArrowLeft' || arrow === 'ArrowRight';
  const sign = arrow === 'ArrowRight' || arrow === 'ArrowDown' ? 1 : -1;
  let best: { index: number; cost: number } | undefined;
  boxes.forEach((box, index) => {
    const end = centre(box);
    const along = (across ? end.x - start.x : end.y - start.y) * sign;
    if (along <= 1) return;
    const cost = along + 2 * Math.abs(across ? end.y - start.y : end.x - start.x);
    if (!best || cost < best.cost) best = { index, cost };
  });
  return best?.index;
}
