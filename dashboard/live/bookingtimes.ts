/** When a booking is, as its form holds it: wall times of the site's zone, and the instants that they stand for. */
import type { Stretch } from './actual.ts';
import { addDays, clock, dayName, dayOf, daysBetween, instantOf, instantsOf, MINUTE_MS } from './time.ts';

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
