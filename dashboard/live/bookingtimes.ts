/** When a booking is, as its form holds it: wall times of the site's zone, and the instants that they stand for. */
import type { Stretch } from './actual.ts';
import {
  addDays,
  clock,
  DAY_MS,
  dayName,
  dayOf,
  daysBetween,
  HOUR_MS,
  instantOf,
  instantsOf,
  MINUTE_MS,
  span,
} from './time.ts';

export interface FormTimes {
  readonly day: string;
  readonly from: string;
  readonly to: string;
  /** How many days after `day` it ends; 0: the same day, or the next when `to` is earlier than `from`. */
  readonly nights: number;
  /**
   * The instants that are meant for as long as the wall times are still theirs: in the hour that a clock change
   * repeats the wall time alone does not tell which.
   */
  readonly startMs: number;
  readonly endMs: number;
}

export function timesOf({ startMs, endMs }: Stretch, timeZone: string): FormTimes {
  const day = dayOf(startMs, timeZone);
  const from = clock(startMs, timeZone);
  const to = clock(endMs, timeZone);
  const nights = daysBetween(day, dayOf(endMs, timeZone));
  return { day, from, to, nights: nights === 1 && to < from ? 0 : nights, startMs, endMs };
}

const DAY = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d\d:\d\d$/;

/** The form's window, also one that ends at or before its start; null while a field is empty. */
export function windowOf(form: FormTimes, timeZone: string): Stretch | null {
  const { day, from, to, nights } = form;
  if (!DAY.test(day) || !TIME.test(from) || !TIME.test(to)) return null;
  const meant = (atMs: number, on: string, time: string) =>
    dayOf(atMs, timeZone) === on && clock(atMs, timeZone) === time;
  const startMs = meant(form.startMs, day, from) ? form.startMs : instantOf(day, from, timeZone);
  const last = addDays(day, nights === 0 && to < from ? 1 : nights);
  if (meant(form.endMs, last, to) && (form.endMs > startMs || last !== day)) return { startMs, endMs: form.endMs };
  const ends = instantsOf(last, to, timeZone);
  const endMs = ends.find((atMs) => atMs > startMs) ?? ends[0] ?? startMs;
  // A start that the clock change skips moves on, and takes an end of the same day along.
  if (endMs <= startMs && last === day && to > from)
    return { startMs, endMs: startMs + minutesOf(from, to) * MINUTE_MS };
  return { startMs, endMs };
}

/** A longer booking is more often a typing mistake than meant. */
export const LONG_MS = 12 * HOUR_MS;

/** `9 h 30 min`, `2 d 8 h`. */
export function lengthText({ startMs, endMs }: Stretch): string {
  const forMs = endMs - startMs;
  const days = Math.floor(forMs / DAY_MS);
  if (days === 0) return forMs > 0 ? span(forMs) : '';
  return forMs % DAY_MS === 0 ? `${days} d` : `${days} d ${span(forMs % DAY_MS)}`;
}

/** Why such a window cannot be booked; empty where it can. */
export function refusedTimes({ startMs, endMs }: Stretch): string {
  if (endMs === startMs) return 'It would end at the moment at which it begins: choose another end.';
  return endMs < startMs ? 'It would end before it begins: choose another end.' : '';
}

/** What the wall times of the form come to where that is not plain from them. */
export function timesHint(form: FormTimes, window: Stretch, timeZone: string): string {
  const { startMs, endMs } = window;
  if (refusedTimes(window)) return '';
  if (clock(startMs, timeZone) !== form.from || clock(endMs, timeZone) !== form.to)
    return `The clocks change: it is ${whenText(window, timeZone)}.`;
  const nextDay = form.nights === 0 && dayOf(endMs, timeZone) !== form.day;
  return nextDay ? `Ends ${dayName(endMs, timeZone)} ${clock(endMs, timeZone)}, the next day.` : '';
}

/** Said of a time that begins in the past: it may be meant, as a note of who was there. `was`: where it stood before. */
export function pastText(window: Stretch, was: Stretch | undefined, nowMs: number): string {
  if (window.startMs === was?.startMs && window.endMs === was.endMs) return '';
  if (window.endMs <= nowMs) return 'This time is over.';
  const begins = window.startMs <= nowMs - MINUTE_MS && window.startMs !== was?.startMs;
  return begins ? 'It begins in the past.' : '';
}

/** What is asked before a long one is saved; empty where nothing is. */
export function longText(window: Stretch, timeZone: string): string {
  if (window.endMs - window.startMs <= LONG_MS) return '';
  return `It lasts ${lengthText(window)}: ${whenText(window, timeZone)}.`;
}

const minutesOf = (from: string, to: string): number =>
  (Number(to.slice(0, 2)) - Number(from.slice(0, 2))) * 60 + Number(to.slice(3)) - Number(from.slice(3));

/** `09:00–17:00`, with the number of midnights that lie between. */
export function periodText({ startMs, endMs }: Stretch, timeZone: string): string {
  const nights = daysBetween(dayOf(startMs, timeZone), dayOf(endMs - 1, timeZone));
  return `${clock(startMs, timeZone)}–${clock(endMs, timeZone)}${nights > 0 ? ` (+${nights})` : ''}`;
}

/** `Wed 16 December 09:00–10:00`, with the end's day where it is another. */
export function whenText({ startMs, endMs }: Stretch, timeZone: string): string {
  const first = dayName(startMs, timeZone);
  const last = dayName(endMs, timeZone);
  if (first === last) return `${first} ${clock(startMs, timeZone)}–${clock(endMs, timeZone)}`;
  return `${first} ${clock(startMs, timeZone)} – ${last} ${clock(endMs, timeZone)}`;
}
