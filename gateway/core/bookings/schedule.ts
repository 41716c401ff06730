/**
 * The schedule in memory: who may use which room when. Three indexes, each asked in O(log n): what holds a room, a
 * member's bookings anywhere, a member's bookings in one room.
 */
import type { Booking, BookingStatus } from '../records.ts';
import type { BookingRules } from '../site.ts';
import { Timeline } from './timeline.ts';

/** Bookings of this source are made here and are never too old. */
export const LOCAL_SOURCE = 'local';
/** How long after its end a booking still explains a refusal and shows in views; then it leaves memory. */
export const KEEP_ENDED_MS = 8 * 24 * 3600_000;

/** Only these grant. */
export function grants(status: BookingStatus): boolean {
  return status === 'confirmed' || status === 'checked_in';
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A member's bookings, anywhere and by room. */
interface Own {
  readonly all: Timeline;
  readonly byRoom: Map<string, Timeline>;
}

export class Schedule {
  readonly #byId = new Map<string, Booking>();
  /** Granting bookings by room: disjoint, since the first confirmed keeps the room. */
  readonly #held = new Map<string, Timeline>();
  readonly #byMember = new Map<string, Own>();
  /** Granting by status, but another booking has the room at that time. */
  readonly #conflicts = new Map<string, Booking>();

  get size(): number {
    return this.#byId.size;
  }

  get conflicts(): ReadonlyMap<string, Booking> {
    return this.#conflicts;
  }

  get(id: string): Booking | undefined {
    return this.#byId.get(id);
  }

  put(booking: Booking): void {
    const before = this.#byId.get(booking.id);
    if (before !== undefined) this.#take(before);
    this.#byId.set(booking.id, booking);
    for (const member of people(booking)) {
      let own = this.#byMember.get(member);
      if (own === undefined) {
        own = { all: new Timeline(), byRoom: new Map() };
        this.#byMember.set(member, own);
      }
      own.all.insert(booking);
      timelineOf(own.byRoom, booking.room).insert(booking);
    }
    this.#hold(booking);
    if (before !== undefined) this.#retryConflicts(before.room);
  }

  remove(id: string): Booking | undefined {
    const booking = this.#byId.get(id);
    if (booking === undefined) return undefined;
    this.#byId.delete(id);
    this.#take(booking);
    this.#retryConflicts(booking.room);
    return booking;
  }

  /** Forgets what ended before `beforeMs`. */
  prune(beforeMs: number): void {
    for (const booking of this.#byId.values()) if (booking.endMs < beforeMs) this.remove(booking.id);
  }

  /** Bookings that hold a room, sorted and disjoint. */
  held(room: string): Timeline {
    return timelineOf(this.#held, room);
  }

  ofMember(member: string): Timeline | undefined {
    return this.#byMember.get(member)?.all;
  }

  ofMemberInRoom(member: string, room: string): Timeline | undefined {
    return this.#byMember.get(member)?.byRoom.get(room);
  }

  holds(booking: Booking): boolean {
    return grants(booking.status) && !this.#conflicts.has(booking.id);
  }

  /** When the room's door opens for a booking: `[start − early, end + late)`, either side clipped by the neighbour. */
  window(booking: Booking, rules: BookingRules): Window {
    const held = this.held(booking.room);
    const before = held.previous(booking.startMs - 1);
    const after = held.next(booking.startMs);
    return {
      fromMs: Math.max(
        booking.startMs - rules.earlyMs,
        Math.min(before?.endMs ?? Number.NEGATIVE_INFINITY, booking.startMs),
      ),
      toMs: Math.min(booking.endMs + rules.lateMs, Math.max(after?.startMs ?? Number.POSITIVE_INFINITY, booking.endMs)),
    };
  }

  #hold(booking: Booking): void {
    if (!grants(booking.status)) return;
    const held = this.held(booking.room);
    if (held.overlapping(booking.startMs, booking.endMs) === undefined) held.insert(booking);
    else this.#conflicts.set(booking.id, booking);
  }

  #take(booking: Booking): void {
    for (const member of people(booking)) {
      const own = this.#byMember.get(member);
      if (own === undefined) continue;
      own.all.remove(booking);
      const inRoom = own.byRoom.get(booking.room);
      inRoom?.remove(booking);
      if (inRoom?.items.length === 0) own.byRoom.delete(booking.room);
      if (own.all.items.length === 0) this.#byMember.delete(member);
    }
    if (!this.#conflicts.delete(booking.id)) this.#held.get(booking.room)?.remove(booking);
  }

  #retryConflicts(room: string): void {
    for (const booking of [...this.#conflicts.values()]) {
      if (booking.room !== room) continue;
      this.#conflicts.delete(booking.id);
      this.#hold(booking);
    }
  }
}

function people(booking: Booking): ReadonlySet<string> {
  return new Set([booking.holder, ...booking.delegates]);
}

function timelineOf(map: Map<string, Timeline>, key: string): Timeline {
  let timeline = map.get(key);
  if (timeline === undefined) {
    timeline = new Timeline();
    map.set(key, timeline);
  }
  return timeline;
}
