import type { Booking, NewBooking } from '../../gateway/wire/clinic.ts';
import { type Stretch, stretchOf } from './actual.ts';
import { ApiError, type BookingChange } from './api.ts';
import { type FormTimes, longText, timesOf, whenText, windowOf } from './bookingtimes.ts';
import { addDays, clock, dayName, dayOf, HOUR_MS, iso, MINUTE_MS, ms } from './time.ts';

/** What the booking form holds. */
export interface BookingForm extends FormTimes {
  readonly room: string;
  readonly holder: string;
  readonly title: string;
}

/** A booking to change, or the place and time that was clicked for a new one. */
export interface BookingDraft {
  readonly booking?: Booking | undefined;
  readonly room?: string | undefined;
  readonly startMs?: number | undefined;
}

/** How people and rooms are called. */
interface Words {
  readonly nameOf: (member: string) => string;
  readonly roomName: (room: string) => string;
  readonly timeZone: string;
}

export const GRID_MS = 15 * MINUTE_MS;

export function formOf(
  draft: BookingDraft,
  fallback: { room: string; holder: string; nowMs: number },
  timeZone: string,
): BookingForm {
  const { booking } = draft;
  const startMs = booking ? ms(booking.start) : Math.ceil((draft.startMs ?? fallback.nowMs) / GRID_MS) * GRID_MS;
  const endMs = booking ? ms(booking.end) : startMs + HOUR_MS;
  return {
    room: booking?.room ?? draft.room ?? fallback.room,
    holder: booking?.holder ?? fallback.holder,
    title: booking?.title ?? '',
    ...timesOf({ startMs, endMs }, timeZone),
  };
}

/** What the form changes of the booking that was opened: nothing else is sent, so that nothing else is undone. */
export function changeOf(
  opened: Booking,
  form: Pick<BookingForm, 'room' | 'holder' | 'title'>,
  { startMs, endMs }: Stretch,
): BookingChange {
  const title = form.title.trim();
  const moved = startMs !== ms(opened.start) || endMs !== ms(opened.end);
  return {
    ...(form.room !== opened.room && { room: form.room }),
    ...(form.holder !== opened.holder && { holder: form.holder }),
    // Start and end are one choice: either alone could be put together with somebody else's.
    ...(moved && { start: iso(startMs), end: iso(endMs) }),
    ...(title !== opened.title.trim() && { title }),
  };
}

/** What a booking became since it was opened, in words; empty while it is the same. */
export function changedMeanwhile(opened: Booking, now: Booking, words: Words): string {
  const theirs = changeOf(opened, now, stretchOf(now));
  const parts = [
    theirs.start && whenText(stretchOf(now), words.timeZone),
    theirs.room && words.roomName(theirs.room),
    theirs.holder && `for ${words.nameOf(theirs.holder)}`,
    theirs.title !== undefined && (theirs.title ? `“${theirs.title}”` : 'without a title'),
  ];
  const text = parts.filter(Boolean).join(', ');
  return text && `Changed meanwhile: now ${text}.`;
}

/** What is asked before a change is saved that may not be meant: it is long, or takes back what somebody else changed. */
export function doubtOf(opened: Booking, now: Booking, change: BookingChange, words: Words): string {
  const long =
    change.start && change.end ? longText(stretchOf({ start: change.start, end: change.end }), words.timeZone) : '';
  const both = Object.keys(changeOf(opened, now, stretchOf(now))).some((key) => key in change);
  const theirs = both ? `${changedMeanwhile(opened, now, words)} What you entered would replace that.` : '';
  return [long, theirs].filter(Boolean).join(' ');
}

/** The end moved on by some minutes. */
export function longerBy(form: BookingForm, minutes: number, timeZone: string): BookingForm {
  const window = windowOf(form, timeZone);
  if (!window) return form;
  return { ...form, ...timesOf({ startMs: window.startMs, endMs: window.endMs + minutes * MINUTE_MS }, timeZone) };
}

/** What was done, in words, and where it is to be seen. */
export interface Done {
  readonly text: string;
  readonly day: string;
  readonly room: string;
}
export function doneWith(verb: 'Saved' | 'Cancelled', one: Booking, all: number, words: Words): Done {
  const more = all > 1 ? `, and ${all - 1} more of its series` : '';
  return {
    text: `${verb}: ${words.roomName(one.room)}, ${whenText(stretchOf(one), words.timeZone)}${more}`,
    day: dayOf(ms(one.start), words.timeZone),
    room: one.room,
  };
}

/** A refused booking as a sentence; a clash names whose booking is in the way, and when. */
export function refusalText(error: unknown, known: readonly Booking[], words: Words): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.code !== 'booking_overlap') return error.message;
  const clash = typeof error.clash === 'string' ? known.find((booking) => booking.id === error.clash) : error.clash;
  if (!clash?.start || !clash.end) return error.message;
  const who = clash.holder ? words.nameOf(clash.holder) : 'Someone else';
  const where = clash.room ? words.roomName(clash.room) : 'the room';
  const startMs = ms(clash.start);
  return `${who} has ${where} from ${clock(startMs, words.timeZone)} to ${clock(ms(clash.end), words.timeZone)} on ${dayName(startMs, words.timeZone)}. Choose another time or room.`;
}

type Repeat = NonNullable<NewBooking['repeat']>;
export type Day = NonNullable<Repeat['days']>[number];
/** What the form holds of a repetition; `nth`: the same weekday of each month. */
export interface RepeatForm {
  readonly every: 'never' | 'day' | 'week' | 'month' | 'nth';
  readonly interval: number;
  /** Besides that of the first booking, which follows the form's day. */
  readonly days: readonly Day[];
  /** The last day; empty: as it is offered for the form's day. */
  readonly until: string;
}
const WEEKDAYS: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
/** A series is offered to go on for so long; it may be longer. */
const OFFERED_WEEKS = 12;

export const weekdayOf = (day: string): Day => WEEKDAYS[(new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7] ?? 'mon';

export const NO_REPEAT: RepeatForm = { every: 'never', interval: 1, days: [], until: '' };

export const untilOf = (form: RepeatForm, day: string): string =>
  form.until || (day && addDays(day, 7 * OFFERED_WEEKS));

/** As the gateway takes it; the day of the first booking always belongs to it. */
export function repeatOf(form: RepeatForm, day: string): Repeat | undefined {
  const { every, interval } = form;
  const until = untilOf(form, day);
  if (every === 'never') return undefined;
  if (every === 'nth') return { every: 'month', interval, days: [weekdayOf(day)], until };
  if (every !== 'week') return { every, interval, until };
  const days = WEEKDAYS.filter((weekday) => form.days.includes(weekday) || weekday === weekdayOf(day));
  return { every, interval, days, until };
}

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth'];
/** `the second Tue of the month`'s number word. */
export const nthWord = (day: string): string => ORDINALS[Math.ceil(Number(day.slice(8)) / 7) - 1] ?? '';
