import type { Room } from '../../gateway/wire/rooms.ts';
import { DOOR_WORDS, doorState, type RoomState, STATE_WORDS } from './roomstate.ts';
import { clock, dayOf, ms } from './time.ts';

export const degrees = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : `${value.toFixed(1)} °C`;

/** What is booked, as one line: `until 11:30`, `next 14:00`, or nothing more today. */
export function bookingLine(room: Room, nowMs: number, timeZone: string): string {
  const { now, next, revoked } = room.booking;
  if (revoked) return 'cancelled!';
  if (now) return `until ${clock(ms(now.end), timeZone)}`;
  if (!next || dayOf(ms(next.start), timeZone) !== dayOf(nowMs, timeZone)) return '';
  return `next ${clock(ms(next.start), timeZone)}`;
}

/** The tile read aloud: everything that its colours and glyphs say. */
export function tileLabel(room: Room, state: RoomState, alarms: number, nowMs: number, timeZone: string): string {
  const parts = [room.name, STATE_WORDS[state].toLowerCase()];
  if (room.booking.now && state !== 'booked') parts.push('booked');
  if (room.booking.revoked) parts.push('the running booking was cancelled, people may still be inside');
  if (room.overstay) parts.push('still occupied after its booking');
  const line = room.booking.revoked ? '' : bookingLine(room, nowMs, timeZone);
  if (line) parts.push(line);
  if (room.climate) {
    const { temperature } = room.climate;
    parts.push(temperature === null ? 'temperature not known' : `${temperature.toFixed(1)} degrees`);
  }
  if (room.door) parts.push(`door ${DOOR_WORDS[doorState(room.door)].toLowerCase()}`);
  if (alarms > 0) parts.push(alarms === 1 ? 'one alarm' : `${alarms} alarms`);
  return parts.join(', ');
}
