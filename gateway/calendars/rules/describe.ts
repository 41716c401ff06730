/** A rule in plain English, for people who ask why a door opened: "every 2 weeks on Monday and Wednesday, 10 times". */
import { civilFromDays, DAY_MS, modulo, SECOND_MS } from './civil.ts';
import type { Frequency, Rule, Until } from './rule.ts';

const UNITS: Readonly<Record<Frequency, string>> = {
  secondly: 'second',
  minutely: 'minute',
  hourly: 'hour',
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  yearly: 'year',
};
const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const WORKING_DAYS = '0,1,2,3,4';
/** Longer lists are cut: nobody reads them. */
const MAX_LISTED = 8;
/** More times of day than this are told part by part. */
const MAX_TIMES = 6;

/**
 * One sentence's part without a full stop, in lower case but for names. What DTSTART fills in is not in the rule and
 * is not told; neither is the week's first day where nothing depends on it.
 */
export function describeRule(rule: Rule): string {
  const told = [everyOf(rule), daysOf(rule), timesOf(rule), placesOf(rule)].filter((text) => text !== '').join(' ');
  return told + weekStartOf(rule) + endOf(rule);
}

function everyOf({ frequency, interval }: Rule): string {
  const unit = UNITS[frequency];
  return interval === 1 ? `every ${unit}` : `every ${interval} ${unit}s`;
}

function daysOf(rule: Rule): string {
  const ofYear = rule.frequency === 'yearly' && rule.byMonth.length === 0;
  const told: string[] = [];
  if (rule.byDay.length > 0) told.push(`on ${weekdaysOf(rule, ofYear)}`);
  if (rule.byMonthDay.length > 0) told.push(`on ${counted(rule.byMonthDay, 'day')} of the month`);
  if (rule.byYearDay.length > 0) told.push(`on ${counted(rule.byYearDay, 'day')} of the year`);
  if (rule.byWeekNo.length > 0) told.push(`in ${weeksOf(rule.byWeekNo)}`);
  if (rule.byMonth.length > 0) told.push(`in ${listed(rule.byMonth.map((month) => MONTHS[month - 1] ?? ''))}`);
  return told.join(' ');
}

function weekdaysOf(rule: Rule, ofYear: boolean): string {
  if (rule.byDay.every(({ ordinal }) => ordinal === 0)) {
    const days = rule.byDay.map(({ weekday }) => weekday);
    if (days.length === 7) return 'any day';
    return days.join() === WORKING_DAYS ? 'Monday to Friday' : listed(days.map((day) => WEEKDAYS[day] ?? ''));
  }
  const days = rule.byDay.map(({ weekday, ordinal }) => {
    const name = WEEKDAYS[weekday] ?? '';
    return ordinal === 0 ? `every ${name}` : `the ${place(ordinal)} ${name}`;
  });
  return `${listed(days)} of the ${ofYear ? 'year' : 'month'}`;
}

function weeksOf(weeks: readonly number[]): string {
  if (weeks.some((week) => week < 0)) return `${counted(weeks, 'week')} of the year`;
  return `${weeks.length === 1 ? 'week' : 'weeks'} ${listed(weeks.map(String))}`;
}

/** `the 2nd and the last day` */
function counted(places: readonly number[], unit: string): string {
  const inOrder = [...places].sort((a, b) => Number(a < 0) - Number(b < 0) || a - b);
  const cut = places.length > MAX_LISTED && !unit.includes(' ') ? 's' : '';
  return `${listed(inOrder.map((at) => `the ${place(at)}`))} ${unit}${cut}`;
}

function timesOf({ frequency, byHour, byMinute, bySecond }: Rule): string {
  const daily = !['hourly', 'minutely', 'secondly'].includes(frequency);
  const count = byHour.length * byMinute.length * Math.max(1, bySecond.length);
  if (daily && count > 0 && count <= MAX_TIMES) {
    const seconds = bySecond.length > 0 ? bySecond.map((second) => `:${two(second)}`) : [''];
    const times = byHour.flatMap((hour) =>
      byMinute.flatMap((minute) => seconds.map((second) => `${two(hour)}:${two(minute)}${second}`)),
    );
    return `at ${listed(times)}`;
  }
  const told: string[] = [];
  const tell = (values: readonly number[], unit: string) => {
    if (values.length > 0) told.push(`${unit}${values.length === 1 ? '' : 's'} ${ranges(values)}`);
  };
  tell(byHour, 'hour');
  tell(byMinute, 'minute');
  tell(bySecond, 'second');
  return told.length === 0 ? '' : `at ${told.join(', ')}`;
}

function placesOf({ bySetPos, frequency }: Rule): string {
  if (bySetPos.length === 0) return '';
  return `(only ${counted(bySetPos, 'of these times')} in each ${UNITS[frequency]})`;
}

/** WKST matters to weeks that are left out, to weeks with places, and to weeks with numbers. */
function weekStartOf(rule: Rule): string {
  const { frequency, interval, byDay, bySetPos, byWeekNo, weekStart } = rule;
  const matters =
    byWeekNo.length > 0 || (frequency === 'weekly' && (bySetPos.length > 0 || (interval > 1 && byDay.length > 1)));
  return matters && weekStart !== 0 ? `, weeks beginning on ${WEEKDAYS[weekStart]}` : '';
}

function endOf({ until, count }: Rule): string {
  if (until !== undefined) return ` until ${untilText(until)}`;
  if (count === undefined) return '';
  return count === 1 ? ', once' : `, ${count} times`;
}

function untilText({ kind, valueMs }: Until): string {
  const { year, month, day } = civilFromDays(Math.floor(valueMs / DAY_MS));
  const date = `${day} ${MONTHS[month - 1]?.slice(0, 3)} ${year}`;
  if (kind === 'date') return date;
  const second = modulo(valueMs, DAY_MS) / SECOND_MS;
  const clock = `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}`;
  return `${date} ${clock}${second % 60 === 0 ? '' : `:${two(second % 60)}`}${kind === 'utc' ? ' UTC' : ''}`;
}

/** `2nd`, `last`, `3rd last` */
function place(at: number): string {
  if (at === -1) return 'last';
  return at < 0 ? `${ordinal(-at)} last` : ordinal(at);
}

function ordinal(value: number): string {
  const teens = value % 100 >= 11 && value % 100 <= 13;
  return `${value}${teens ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th')}`;
}

/** `9 to 16, 20` */
function ranges(values: readonly number[]): string {
  const spans: [number, number][] = [];
  for (const value of values) {
    const last = spans.at(-1);
    if (last !== undefined && last[1] === value - 1) last[1] = value;
    else spans.push([value, value]);
  }
  return listed(spans.map(([first, last]) => (first === last ? `${first}` : `${first} to ${last}`)));
}

function listed(items: readonly string[]): string {
  if (items.length > MAX_LISTED)
    return `${items.slice(0, MAX_LISTED).join(', ')} and ${items.length - MAX_LISTED} more`;
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
