/** Time as the clinic reads it: in the site's zone, whatever the browser's own. Instants are Unix milliseconds. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter costs about a millisecond on a slow machine, so each is made once. */
function format(timeZone: string, key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${timeZone} ${key}`;
  const made = formats.get(name) ?? new Intl.DateTimeFormat('en-GB', { ...options, timeZone });
  formats.set(name, made);
  return made;
}

export const ms = (instant: string): number => Date.parse(instant);
export const iso = (atMs: number): string => new Date(atMs).toISOString();

/** `14:05` */
export function clock(atMs: number, timeZone: string): string {
  return format(timeZone, 'clock', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(atMs);
}

/** `14:05:09` */
export function clockSeconds(atMs: number, timeZone: string): string {
  return format(timeZone, 'seconds', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).format(atMs);
}

/** `Sun 22 November` */
export function dayName(atMs: number, timeZone: string): string {
  return format(timeZone, 'day', { weekday: 'short', day: 'numeric', month: 'long' }).format(atMs);
}

/** `22 Nov 14:05`, or only the time when it is on the same day as `nowMs`. */
export function stamp(atMs: number, nowMs: number, timeZone: string): string {
  if (dayOf(atMs, timeZone) === dayOf(nowMs, timeZone)) return clock(atMs, timeZone);
  return `${format(timeZone, 'short', { day: 'numeric', month: 'short' }).format(atMs)} ${clock(atMs, timeZone)}`;
}

function wallParts(atMs: number, timeZone: string): number {
  const parts = format(timeZone, 'parts', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(atMs);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
}

/** `2026-11-22`: the site's calendar day of an instant. */
export function dayOf(atMs: number, timeZone: string): string {
  return new Date(wallParts(atMs, timeZone)).toISOString().slice(0, 10);
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Whole days from one calendar day to another. */
export const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / DAY_MS;

/**
 * The instants of a wall time in the zone, by time: two where a clock change repeats it; where one skips it, it moves
 * on by the gap.
 */
export function instantsOf(day: string, time: string, timeZone: string): readonly [number, ...number[]] {
  const wall = Date.parse(`${day}T${time}:00Z`);
  const before = wallParts(wall - DAY_MS, timeZone) - (wall - DAY_MS);
  const after = wallParts(wall + DAY_MS, timeZone) - (wall + DAY_MS);
  const [first, second] = [wall - before, wall - after]
    .filter((candidate) => wallParts(candidate, timeZone) === wall)
    .sort((a, b) => a - b);
  if (first === undefined) return [wall - before];
  return second === undefined || second === first ? [first] : [first, second];
}

/** The first of them: RFC 5545's rule, Temporal's `compatible`. */
export const instantOf = (day: string, time: string, timeZone: string): number => instantsOf(day, time, timeZone)[0];

/** The day's window `[start, end)`: 23, 24 or 25 hours. */
export function dayWindow(day: string, timeZone: string): { startMs: number; endMs: number } {
  return { startMs: instantOf(day, '00:00', timeZone), endMs: instantOf(addDays(day, 1), '00:00', timeZone) };
}

/** How long something took or is old, in words as short as a label: `8 s`, `12 min`, `3 h 20 min`, `2 d`. */
export function span(forMs: number): string {
  const seconds = Math.max(0, Math.floor(forMs / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${Math.floor(hours / 24)} d`;
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

export function ago(atMs: number, nowMs: number): string {
  return nowMs - atMs < 1000 ? 'just now' : `${span(nowMs - atMs)} ago`;
}
