/** The journal's notes of changes as sentences. A note is a fixed form of the gateway; what is not known is shown as it is. */
import type { Event } from '../../gateway/wire/clinic.ts';
import { clock, dayName, dayOf, ms } from './time.ts';
import { ALARM_WORDS, BOOKING_WORDS } from './words.ts';

export interface Noted {
  /** Who or what it is about. */
  readonly title: string;
  readonly sentence: string;
}

const BOOKING = /^booking (\w+), (\S+Z) to (\S+Z)$/;
const RECORD = /^(member|credential) (\w+)$/;
const ALARM = /^(\w+) (acknowledged|resolved)(?:: (.*))?$/s;
const MEMBER_WORDS: Readonly<Record<string, string>> = { active: 'Active', suspended: 'Suspended', left: 'Left' };
const CARD_WORDS: Readonly<Record<string, string>> = { active: 'Enrolled', revoked: 'Revoked' };

const by = (event: Event) => (event.user ? `, by ${event.user}` : '');

/** `name` is the member's where known. Undefined where the event's note is none of these. */
export function noted(event: Event, name: string | null, timeZone: string): Noted | undefined {
  const note = event.note ?? '';
  if (event.kind === 'alarm') return alarmNote(event, note);
  if (event.kind !== 'change') return undefined;
  const who = name ?? 'a member';
  const booking = BOOKING.exec(note);
  if (booking) {
    const [, status = '', start = '', end = ''] = booking;
    const sentence = `${BOOKING_WORDS[status] ?? status}: ${period(ms(start), ms(end), timeZone)}${by(event)}.`;
    return { title: `Booking of ${who}`, sentence };
  }
  const [, what, status = ''] = RECORD.exec(note) ?? [];
  if (what === 'member') return { title: name ?? 'Member', sentence: `${MEMBER_WORDS[status] ?? status}${by(event)}.` };
  if (what === 'credential')
    return { title: `Card of ${who}`, sentence: `${CARD_WORDS[status] ?? status}${by(event)}.` };
  return undefined;
}

function alarmNote(event: Event, note: string): Noted | undefined {
  const [, kind = '', status = '', said] = ALARM.exec(note) ?? [];
  const title = ALARM_WORDS[kind];
  if (title === undefined) return undefined;
  return { title, sentence: `Alarm ${status}${by(event)}${said ? `: “${said}”` : '.'}` };
}

function period(startMs: number, endMs: number, timeZone: string): string {
  const oneDay = dayOf(startMs, timeZone) === dayOf(endMs, timeZone);
  const start = `${dayName(startMs, timeZone)}, ${clock(startMs, timeZone)}`;
  const end = clock(endMs, timeZone);
  return oneDay ? `${start}–${end}` : `${start} to ${dayName(endMs, timeZone)}, ${end}`;
}
