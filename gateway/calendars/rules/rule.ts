/**
 * RECUR, the value of RRULE: RFC 5545 §3.3.10, read strictly in what it means and tolerantly in how it is written
 * (parts in any order, either case, blanks, a semicolon at the end). A rule that says two things, or one that the RFC
 * forbids, is refused rather than guessed: what follows from it opens doors.
 */
import { DAY_MS, daysInMonth, localMsOf } from './civil.ts';

export const FREQUENCIES = ['secondly', 'minutely', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Frequency = (typeof FREQUENCIES)[number];

export interface WeekdayNumber {
  /** 0 for Monday to 6 for Sunday. */
  readonly weekday: number;
  /** The how-manieth of the month or year, from its end when negative; 0: each of them. */
  readonly ordinal: number;
}

/** UNTIL as it was written; what it means depends on the zone of DTSTART, which the caller knows. Inclusive in each form. */
export interface Until {
  /** `date`: the whole of that day. `local`: wall clock of DTSTART's zone. `utc`: an instant. */
  readonly kind: 'date' | 'local' | 'utc';
  /** Its digits read as if they were UTC; midnight for a date. */
  readonly valueMs: number;
}

/** Lists are sorted without repeats; an empty one means that the part was not given. */
export interface Rule {
  readonly frequency: Frequency;
  readonly interval: number;
  readonly count?: number | undefined;
  readonly until?: Until | undefined;
  /** 60 is read as 59, see {@link parseRule}. */
  readonly bySecond: readonly number[];
  readonly byMinute: readonly number[];
  readonly byHour: readonly number[];
  readonly byDay: readonly WeekdayNumber[];
  readonly byMonthDay: readonly number[];
  readonly byYearDay: readonly number[];
  readonly byWeekNo: readonly number[];
  readonly byMonth: readonly number[];
  readonly bySetPos: readonly number[];
  /** WKST, 0 for Monday. */
  readonly weekStart: number;
}

/** A rule that cannot be followed. */
export interface RuleFault {
  readonly fault: 'malformed' | 'missing' | 'repeated' | 'unknown' | 'out_of_range' | 'contradiction' | 'unsupported';
  /** Name of the part, `''` for the rule as a whole. */
  readonly part: string;
  /** A sentence: what is wrong and what was found. */
  readonly why: string;
}

/** All that can be said without repeats takes under 12,000 characters. */
export const MAX_RULE_CHARS = 16_384;
/** Of INTERVAL and COUNT. */
export const MAX_RULE_NUMBER = 2_147_483_647;
/** How much of a bad value is shown. */
const MAX_SHOWN_CHARS = 40;

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
/** Lowest and highest of each list; where the lowest is negative, 0 is none of them. */
const RANGES = {
  BYSECOND: [0, 60],
  BYMINUTE: [0, 59],
  BYHOUR: [0, 23],
  BYMONTHDAY: [-31, 31],
  BYYEARDAY: [-366, 366],
  BYWEEKNO: [-53, 53],
  BYMONTH: [1, 12],
  BYSETPOS: [-366, 366],
} as const satisfies Record<string, readonly [number, number]>;
const MAX_ORDINAL = 53;
const PARTS = new Set([
  ...Object.keys(RANGES),
  'FREQ',
  'UNTIL',
  'COUNT',
  'INTERVAL',
  'BYDAY',
  'WKST',
  'RSCALE',
  'SKIP',
]);

/** Ends the reading; caught in parseRule, so that each part's reader can stay short. */
class Refusal extends Error {
  readonly fault: RuleFault;
  constructor(fault: RuleFault['fault'], part: string, why: string) {
    super(why);
    this.fault = { fault, part, why };
  }
}

export function isRuleFault(parsed: Rule | RuleFault): parsed is RuleFault {
  return 'fault' in parsed;
}

/**
 * @param text value of an RRULE or EXRULE, unfolded, without the property's name.
 * BYSECOND=60 is read as 59: RFC 5545 §3.3.12 tells those who keep no leap seconds to do so.
 * RSCALE=GREGORIAN and SKIP=OMIT (RFC 7529) say what holds without them; every other value of theirs is refused.
 * Parts that begin with X- are passed over, as RFC 2445 allowed them. Never throws.
 */
export function parseRule(text: string): Rule | RuleFault {
  try {
    const rule = ruleOf(partsOf(text));
    checkTogether(rule);
    return rule;
  } catch (error) {
    if (error instanceof Refusal) return error.fault;
    throw error;
  }
}

/**
 * What a rule means to a DTSTART that is a date. BYHOUR, BYMINUTE and BYSECOND "must be ignored" there (RFC 5545
 * §3.3.10), else a whole day would begin at nine. A frequency below a day has no days to give: refused.
 */
export function ruleForDates(rule: Rule): Rule | RuleFault {
  const { frequency } = rule;
  if (frequency === 'secondly' || frequency === 'minutely' || frequency === 'hourly')
    return {
      fault: 'contradiction',
      part: 'FREQ',
      why: `FREQ=${frequency.toUpperCase()} has no meaning where DTSTART is a whole day.`,
    };
  return { ...rule, byHour: [], byMinute: [], bySecond: [] };
}

function partsOf(text: string): ReadonlyMap<string, string> {
  if (text.length > MAX_RULE_CHARS)
    throw new Refusal('malformed', '', `The rule has ${text.length} characters; ${MAX_RULE_CHARS} are the most.`);
  const parts = new Map<string, string>();
  for (const written of text.split(';')) {
    if (written.trim() === '') continue;
    const equals = written.indexOf('=');
    if (equals < 0)
      throw new Refusal('malformed', '', `"${shown(written)}" is no part of a rule: NAME=VALUE was expected.`);
    const name = written.slice(0, equals).trim().toUpperCase();
    if (name.startsWith('X-')) continue;
    if (!PARTS.has(name)) throw new Refusal('unknown', shown(name), `No rule has a part "${shown(name)}".`);
    if (parts.has(name)) throw new Refusal('repeated', name, `${name} is given twice.`);
    parts.set(
      name,
      written
        .slice(equals + 1)
        .trim()
        .toUpperCase(),
    );
  }
  return parts;
}

function ruleOf(parts: ReadonlyMap<string, string>): Rule {
  const frequency = FREQUENCIES.find((known) => known.toUpperCase() === parts.get('FREQ'));
  if (!parts.has('FREQ')) throw new Refusal('missing', 'FREQ', 'FREQ is missing: how often is not said.');
  if (frequency === undefined)
    throw new Refusal('malformed', 'FREQ', `"${shown(parts.get('FREQ') ?? '')}" is no frequency.`);
  refuseOtherCalendars(parts);
  const list = (part: keyof typeof RANGES) => numbersOf(part, parts.get(part));
  const seconds = list('BYSECOND').map((second) => Math.min(second, 59));
  const weekStart = parts.get('WKST') ?? 'MO';
  if (!WEEKDAYS.includes(weekStart)) throw new Refusal('malformed', 'WKST', `"${shown(weekStart)}" is no weekday.`);
  return {
    frequency,
    interval: wholeOf('INTERVAL', parts.get('INTERVAL')) ?? 1,
    count: wholeOf('COUNT', parts.get('COUNT')),
    until: untilOf(parts.get('UNTIL')),
    bySecond: [...new Set(seconds)],
    byMinute: list('BYMINUTE'),
    byHour: list('BYHOUR'),
    byDay: weekdaysOf(parts.get('BYDAY')),
    byMonthDay: list('BYMONTHDAY'),
    byYearDay: list('BYYEARDAY'),
    byWeekNo: list('BYWEEKNO'),
    byMonth: list('BYMONTH'),
    bySetPos: list('BYSETPOS'),
    weekStart: WEEKDAYS.indexOf(weekStart),
  };
}

function refuseOtherCalendars(parts: ReadonlyMap<string, string>): void {
  const scale = parts.get('RSCALE') ?? 'GREGORIAN';
  if (scale !== 'GREGORIAN')
    throw new Refusal('unsupported', 'RSCALE', `Rules in the calendar "${shown(scale)}" are not followed (RFC 7529).`);
  const skip = parts.get('SKIP') ?? 'OMIT';
  if (skip !== 'OMIT')
    throw new Refusal('unsupported', 'SKIP', `SKIP=${shown(skip)} is not followed (RFC 7529); OMIT is.`);
}

/** What the RFC forbids between parts. */
function checkTogether(rule: Rule): void {
  const { frequency } = rule;
  const refuse = (part: string, why: string): never => {
    throw new Refusal('contradiction', part, why);
  };
  const freq = `FREQ=${frequency.toUpperCase()}`;
  if (rule.count !== undefined && rule.until !== undefined)
    refuse('COUNT', 'UNTIL and COUNT are both given: only one end can hold.');
  if (rule.byWeekNo.length > 0 && frequency !== 'yearly') refuse('BYWEEKNO', `BYWEEKNO has no meaning with ${freq}.`);
  if (rule.byYearDay.length > 0 && ['daily', 'weekly', 'monthly'].includes(frequency))
    refuse('BYYEARDAY', `BYYEARDAY has no meaning with ${freq}.`);
  if (rule.byMonthDay.length > 0 && frequency === 'weekly')
    refuse('BYMONTHDAY', `BYMONTHDAY has no meaning with ${freq}.`);
  if (rule.byDay.some(({ ordinal }) => ordinal !== 0)) {
    if (frequency !== 'monthly' && frequency !== 'yearly')
      refuse('BYDAY', `BYDAY with a number, such as 1MO, has no meaning with ${freq}.`);
    if (rule.byWeekNo.length > 0) refuse('BYDAY', 'BYDAY with a number, such as 1MO, has no meaning with BYWEEKNO.');
  }
  const others = [rule.bySecond, rule.byMinute, rule.byHour, rule.byDay, rule.byMonthDay, rule.byYearDay];
  if (rule.bySetPos.length > 0 && [...others, rule.byWeekNo, rule.byMonth].every((list) => list.length === 0))
    refuse('BYSETPOS', 'BYSETPOS picks from what another BY part gives, and there is none.');
}

function numbersOf(part: keyof typeof RANGES, text: string | undefined): number[] {
  if (text === undefined) return [];
  const [lowest, highest] = RANGES[part];
  const numbers = text.split(',').map((written) => {
    const item = written.trim();
    if (!(lowest < 0 ? /^[+-]?\d{1,3}$/ : /^\d{1,3}$/).test(item))
      throw new Refusal('malformed', part, `"${shown(item)}" is no value of ${part}.`);
    const value = Number(item);
    if (value < lowest || value > highest || (lowest < 0 && value === 0))
      throw new Refusal(
        'out_of_range',
        part,
        `${part}=${item} is outside of ${lowest} to ${highest}${lowest < 0 ? ' without 0' : ''}.`,
      );
    return value;
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function wholeOf(part: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Refusal('malformed', part, `${part}=${shown(text)} is no whole number.`);
  const value = Number(text);
  if (value < 1 || value > MAX_RULE_NUMBER)
    throw new Refusal('out_of_range', part, `${part}=${shown(text)} is outside of 1 to ${MAX_RULE_NUMBER}.`);
  return value;
}

function weekdaysOf(text: string | undefined): WeekdayNumber[] {
  if (text === undefined) return [];
  const found = new Map<string, WeekdayNumber>();
  for (const written of text.split(',')) {
    const match = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(written.trim());
    const weekday = WEEKDAYS.indexOf(match?.[2] ?? '');
    if (match === null || weekday < 0)
      throw new Refusal('malformed', 'BYDAY', `"${shown(written)}" is no value of BYDAY.`);
    const ordinal = match[1] === undefined ? 0 : Number(match[1]);
    if (match[1] !== undefined && (ordinal === 0 || Math.abs(ordinal) > MAX_ORDINAL))
      throw new Refusal(
        'out_of_range',
        'BYDAY',
        `The number of BYDAY=${shown(written)} is outside of -53 to 53 without 0.`,
      );
    found.set(`${weekday} ${ordinal}`, { weekday, ordinal });
  }
  return [...found.values()].sort((a, b) => a.weekday - b.weekday || a.ordinal - b.ordinal);
}

function untilOf(text: string | undefined): Until | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/.exec(text);
  if (match === null) throw new Refusal('malformed', 'UNTIL', `UNTIL=${shown(text)} is neither date nor date-time.`);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0));
  const parts = [year ?? 0, month ?? 0, day ?? 0, hour ?? 0, minute ?? 0, Math.min(second ?? 0, 59)] as const;
  const [, inMonths, inDays, inHours, inMinutes] = parts;
  const real =
    inMonths >= 1 && inMonths <= 12 && inDays >= 1 && inDays <= daysInMonth(parts[0], inMonths) && inHours <= 23;
  if (!real || inMinutes > 59 || (second ?? 0) > 60)
    throw new Refusal('out_of_range', 'UNTIL', `UNTIL=${text} is no day of the calendar or no time of the day.`);
  const valueMs = localMsOf(...parts);
  if (match[4] === undefined) return { kind: 'date', valueMs };
  return { kind: match[7] === 'Z' ? 'utc' : 'local', valueMs };
}

/** The last local millisecond that a date or local UNTIL lets in; an instant is taken as a wall clock in UTC. */
export function lastLocalMs(until: Until): number {
  return until.kind === 'date' ? until.valueMs + DAY_MS - 1 : until.valueMs;
}

function shown(text: string): string {
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}
