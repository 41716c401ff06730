/** Values of iCalendar properties (RFC 5545 §3.3): dates, times, durations, periods, texts, addresses. */
import { DAY_MS, daysInMonth, HOUR_MS, localMsOf, MINUTE_MS, SECOND_MS } from '../rules/civil.ts';
import { Spoiled, shown } from './fault.ts';

/** A date or a time as it was written: the wall clock read as if it were UTC. */
export interface Stamp {
  /** `date`: a whole day, `localMs` its midnight. `local`: some zone's wall clock. `utc`: an instant. */
  readonly kind: 'date' | 'local' | 'utc';
  readonly localMs: number;
}

/** A length of time: days follow the wall clock, the rest is exact (RFC 5545 §3.3.6). */
export interface Length {
  readonly days: number;
  readonly exactMs: number;
}

const STAMP = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/i;
const DURATION =
  /^([+-])?P(?=[\dT])(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/i;

/**
 * DATE or DATE-TIME. Second 60 is read as 59, as RFC 5545 §3.3.12 tells those who keep no leap seconds.
 * @throws Spoiled `malformed` for what is no time of the calendar: 30 February, month 13, year 0, 24:00.
 */
export function parseStamp(text: string): Stamp {
  const written = text.trim();
  const match = STAMP.exec(written);
  if (match === null) throw new Spoiled('malformed', `${shown(text)} is neither date nor date-time.`);
  const part = (index: number) => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const real = year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
  if (!real || hour > 23 || minute > 59 || second > 60)
    throw new Spoiled('malformed', `${shown(text)} is no day of the calendar or no time of the day.`);
  const localMs = localMsOf(year, month, day, hour, minute, Math.min(second, 59));
  if (match[4] === undefined) return { kind: 'date', localMs };
  return { kind: match[7] === '' ? 'local' : 'utc', localMs };
}

/** DURATION. Weeks are seven days each. @throws Spoiled when it is none or runs backwards. */
export function parseDuration(text: string): Length {
  const match = DURATION.exec(text.trim());
  if (match === null) throw new Spoiled('malformed', `${shown(text)} is no duration.`);
  const part = (index: number) => Number(match[index] ?? 0);
  const days = part(2) * 7 + part(3);
  const exactMs = part(4) * HOUR_MS + part(5) * MINUTE_MS + part(6) * SECOND_MS;
  if (match[1] === '-' && days + exactMs > 0)
    throw new Spoiled('contradiction', `The duration ${shown(text)} is negative.`);
  return { days, exactMs };
}

/** Upper bound of a length in exact time; a day has at most 25 hours, so this is only good for comparing with limits. */
export function roughMs(length: Length): number {
  return length.days * DAY_MS + length.exactMs;
}

/** TZOFFSETFROM and TZOFFSETTO in milliseconds. @throws Spoiled beyond ±18 h, what no clock on earth shows. */
export function parseOffset(text: string): number {
  const match = /^([+-])(\d\d)(\d\d)(\d\d)?$/.exec(text.trim());
  const [hours, minutes, seconds] = [Number(match?.[2]), Number(match?.[3]), Number(match?.[4] ?? 0)];
  const ms = hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS;
  if (match === null || minutes > 59 || seconds > 59 || ms > 18 * HOUR_MS)
    throw new Spoiled('unknown_zone', `${shown(text)} is no offset from UTC.`);
  return match[1] === '-' ? -ms : ms;
}

/** TEXT with its escapes resolved. */
export function unescapeText(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(/\\([\\;,nN])/g, (_, escaped: string) =>
    escaped === 'n' || escaped === 'N' ? '\n' : escaped,
  );
}

/** Splits a list of TEXT at the commas that are no part of a text. */
export function splitTexts(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === ',') {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.map((part) => unescapeText(part).trim()).filter((part) => part !== '');
}

/**
 * CAL-ADDRESS: the mail address in lower case, other URIs as they are.
 * @param email the EMAIL parameter, which holds the address when the URI is not one
 */
export function parseAddress(text: string, email?: string): string {
  const uri = text.trim();
  if (/^mailto:/i.test(uri))
    return decoded(uri.slice(7).split('?', 1)[0] ?? '')
      .trim()
      .toLowerCase();
  if (email?.includes('@'))
    return email
      .trim()
      .replace(/^mailto:/i, '')
      .toLowerCase();
  return /^[a-z][a-z0-9+.-]*:/i.test(uri) || !uri.includes('@') ? uri : uri.toLowerCase();
}

function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that is no escape
  }
}
