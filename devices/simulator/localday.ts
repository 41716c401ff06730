/** Where a site's day begins: opening hours are local, instants are not. */

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** How far the zone's clock is ahead of UTC at an instant, ms. */
function offsetMs(atMs: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  }).formatToParts(atMs);
  const field = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find((part) => part.type === type)?.value ?? 0);
  const local = Date.UTC(field('year'), field('month') - 1, field('day'), field('hour'), field('minute'));
  return local - Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
}

/** Local midnight at or before an instant, Unix ms. */
export function dayStart(atMs: number, timeZone: string): number {
  const local = atMs + offsetMs(atMs, timeZone);
  const midnight = Math.floor(local / (24 * HOUR_MS)) * 24 * HOUR_MS;
  const guess = midnight - offsetMs(atMs, timeZone);
  // A clock change between midnight and the instant moves midnight by its step.
  return midnight - offsetMs(guess, timeZone);
}

/** Local midnight `days` later. */
export function addDays(dayStartMs: number, days: number, timeZone: string): number {
  // Noon is far enough from either midnight for any clock change.
  return dayStart(dayStartMs + days * 24 * HOUR_MS + 12 * HOUR_MS, timeZone);
}
