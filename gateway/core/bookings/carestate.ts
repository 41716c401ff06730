/** What is remembered of a room beside its schedule: who came, who did not, who stayed, and whose booking was taken. */
import type { Condition } from '../alarms/condition.ts';
import type { OccupancyState } from '../occupancy/state.ts';
import type { Booking } from '../records.ts';

/** Somebody was let in at the room's door. */
export interface Entry {
  readonly atMs: number;
  /** Absent: an operator opened it for someone. */
  readonly member: string | undefined;
}

/** The verdict on occupancy as it was last seen, and since when it holds by the monotonic clock. */
export interface Watch {
  readonly verdict: 'occupied' | 'vacant' | 'unknown';
  /** The verdict's own time of change: tells a change there and back between two looks. */
  readonly sinceMs: number;
  readonly sinceMonoMs: number;
  /** Since when every sensor that could see a person has been watching without a break; undefined while one is not. */
  readonly watchedSinceMonoMs: number | undefined;
}

export interface NoShow {
  readonly booking: Booking;
  readonly released: boolean;
  /** Somebody came after all. */
  readonly over: boolean;
}

export type Revocation = 'cancelled' | 'removed' | 'moved' | 'displaced';
export interface Revoked {
  readonly booking: Booking;
  readonly atMs: number;
  readonly how: Revocation;
}

export interface RoomCare {
  /** Devices of the sensors that can see a person. */
  readonly devices: readonly string[];
  watch: Watch | undefined;
  /** The occupancy of the last look, its wall time, what it found, and until when that stands if nothing happens. */
  seen: OccupancyState | undefined;
  lookedAtMs: number;
  conditions: readonly Condition[];
  nextLookMs: number;
  /** Booking id → since when it holds the room within its own time; its start, unless it was booked or moved later. */
  readonly running: Map<string, { readonly startMs: number; readonly sinceMs: number }>;
  /** Bookings whose people were let in. */
  readonly attended: Set<string>;
  /** Bookings found to be no-shows, until they end: no booking is one twice. */
  readonly noShows: Map<string, NoShow>;
  overstay: Booking | undefined;
  revoked: Revoked | undefined;
  /** Newest last. */
  readonly entries: Entry[];
}

export interface BookingCare {
  readonly rooms: Map<string, RoomCare>;
  /** When the next booking in conflict ends, so that its alarm goes. */
  nextConflictEndMs: number;
}

export function initialCare(): BookingCare {
  return { rooms: new Map(), nextConflictEndMs: Number.POSITIVE_INFINITY };
}

export function initialRoomCare(devices: readonly string[]): RoomCare {
  return {
    devices,
    watch: undefined,
    seen: undefined,
    lookedAtMs: Number.POSITIVE_INFINITY,
    conditions: [],
    nextLookMs: Number.NEGATIVE_INFINITY,
    running: new Map(),
    attended: new Set(),
    noShows: new Map(),
    overstay: undefined,
    revoked: undefined,
    entries: [],
  };
}
