/**
 * Instants as other systems write them, read strictly: a time without its offset from UTC is no instant, because guessing
 * the zone would open a door an hour early. All results are Unix milliseconds; undefined means that it is not one.
 */

/** RFC 3339 and FHIR R4 `instant`: seconds and offset are required, any number of decimals (cut to milliseconds). */
const ISO = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;
/** Cobot's notation, `2026/11/22 09:00:00 +0100` (dev.cobot.me, bookings); its newer answers are RFC 3339. */
const SLASHED = /^(\d{4})\/(\d{2})\/(\d{2}) (\d{2}):(\d{2}):(\d{2})()(?: )([Zz]|[+-]\d{2}:?\d{2})$/;

const MINUTE_MS = 60_000;
/** Largest offset in use is +14:00 (Kiribati). */
const MAX_OFFSET_MIN = 14 * 60;

/** @returns Unix ms of an RFC 3339 instant with seconds and offset; undefined for all else. */
export function parseInstant(text: unknown): number | undefined {
  return typeof text === 'string' && text.length <= 40 ? fromParts(ISO.exec(text)) : undefined;
}

/** As `parseInstant`, and Cobot's notation with slashes. */
export function parseSlashed(text: unknown): number | undefined {
  if (typeof text !== 'string' || text.length > 40) return undefined;
  return fromParts(ISO.exec(text) ?? SLASHED.exec(text));
}

function fromParts(match: RegExpExecArray | null): number | undefined {
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offset = offsetMinutes(match[8] ?? '');
  if (offset === undefined || hour > 23 || minute > 59 || second > 60 || month < 1 || day < 1) return undefined;
  // FHIR allows :60; a leap second is read as the first of the next minute, as POSIX clocks do.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour, minute, second, Number((match[7] ?? '').slice(0, 3).padEnd(3, '0')));
  return date.getTime() - offset * MINUTE_MS;
}

function offsetMinutes(text: string): number | undefined {
  if (text === 'Z' || text === 'z') return 0;
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(text);
  if (match === null) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  if (Number(match[3]) > 59 || minutes > MAX_OFFSET_MIN) return undefined;
  return match[1] === '-' ? -minutes : minutes;
}
