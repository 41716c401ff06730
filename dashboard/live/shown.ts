/** What the schedule's boards are given to draw a booking with. */
import type { Booking } from '../../gateway/wire/clinic.ts';
import type { SourceBadge } from './schedule.ts';
import type { BookingState } from './words.ts';

export interface Shown {
  readonly timeZone: string;
  readonly stateOf: (booking: Booking) => BookingState;
  readonly sourceOf: (booking: Booking) => SourceBadge;
  readonly nameOf: (member: string) => string;
  readonly roomName: (room: string) => string;
  readonly onpick: (booking: Booking) => void;
}
