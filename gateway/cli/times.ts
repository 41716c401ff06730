/** Times as they are typed and shown. */
import { InvalidArgumentError } from 'commander';

/** Without an offset a time would be the machine's, not the building's. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;
export const TIME_HELP = 'RFC 3339 with offset, e.g. 2026-11-23T09:00+01:00';

export function parseInstant(text: string): string {
  if (!INSTANT.test(text) || Number.isNaN(Date.parse(text))) throw new InvalidArgumentError(`Write ${TIME_HELP}.`);
  return new Date(text).toISOString();
}

/** An instant in the site's zone, to the minute. */
export function localTime(instant: string | null, zone: string): string {
  if (instant === null) return '–';
  // Swedish writes 2026-11-23 09:00.
  return new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).format(new Date(instant));
}
