/**
 * The days that a rule picks out of a month, a week or a year: the day half of RFC 5545 §3.3.10's table of what expands
 * and what limits. Expanding and limiting come to one thing here: of all days of the period those stay that satisfy
 * every BY part given, once the parts that are missing are filled in from DTSTART.
 */
import {
  civilFromDays,
  daysFromCivil,
  daysInMonth,
  daysInYear,
  firstWeekOf,
  weekdayOf,
  weekStartOf,
  weeksInYear,
} from './civil.ts';
import type { Rule } from './rule.ts';

type DayParts = Pick<Rule, 'byDay' | 'byMonthDay' | 'byMonth' | 'byYearDay' | 'byWeekNo'>;

/** Room for ordinals from -53 to 53. */
const ORDINAL_SPAN = 128;
const ORDINAL_ZERO = 64;
const ALL_MONTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
/** Marks of days counted from the end stand behind those counted from the start. */
const FROM_END = 400;

/**
 * What DTSTART says where the rule is silent ("information not contained in the rule is derived from DTSTART"), by the
 * words of RFC 8984 §4.3.3, which settles what RFC 5545 leaves open and is how libical reads it too. Other libraries
 * take a yearly BYMONTHDAY without BYMONTH for every month, and a BYWEEKNO without weekday for all seven days: that is
 * more than was asked for, and would open doors.
 */
function filledIn(rule: Rule, startDay: number): DayParts {
  const start = civilFromDays(startDay);
  const weekday = [{ weekday: weekdayOf(startDay), ordinal: 0 }];
  const { byDay, byMonthDay, byMonth, byYearDay, byWeekNo } = rule;
  const noDays = byDay.length === 0 && byMonthDay.length === 0;
  switch (rule.frequency) {
    case 'yearly': {
      if (byYearDay.length > 0) return rule;
      if (byWeekNo.length > 0) return noDays ? { ...rule, byDay: weekday } : rule;
      const inMonth = byMonth.length === 0 && (byMonthDay.length > 0 || byDay.length === 0);
      return { ...rule, byMonth: inMonth ? [start.month] : byMonth, byMonthDay: noDays ? [start.day] : byMonthDay };
    }
    case 'monthly':
      return noDays ? { ...rule, byMonthDay: [start.day] } : rule;
    case 'weekly':
      return noDays ? { ...rule, byDay: weekday } : rule;
    default:
      return rule;
  }
}

export class DayPicker {
  /** Weekdays at most tell one day from another: the days repeat every week. */
  readonly weekly: boolean;
  readonly #months: readonly number[];
  readonly #monthMarks: Uint8Array | undefined;
  readonly #monthDayMarks: Uint8Array | undefined;
  readonly #yearDayMarks: Uint8Array | undefined;
  readonly #weekdayMarks: Uint8Array | undefined;
  readonly #weekMarks: Uint8Array | undefined;
  readonly #hasOrdinals: boolean;
  /** A numbered weekday is counted within the year only when no month is spoken of. */
  readonly #ordinalsOfYear: boolean;
  readonly #weekStart: number;

  constructor(rule: Rule, startDay: number) {
    const parts = filledIn(rule, startDay);
    this.#weekStart = rule.weekStart;
    this.#months = parts.byMonth.length > 0 ? parts.byMonth : ALL_MONTHS;
    this.#monthMarks = marksOf(parts.byMonth);
    this.#monthDayMarks = marksOf(parts.byMonthDay);
    this.#yearDayMarks = marksOf(parts.byYearDay);
    this.#weekdayMarks = marksOf(
      parts.byDay.map(({ weekday, ordinal }) => weekday * ORDINAL_SPAN + ORDINAL_ZERO + ordinal),
      7 * ORDINAL_SPAN,
    );
    this.#weekMarks = marksOf(parts.byWeekNo);
    this.#hasOrdinals = parts.byDay.some(({ ordinal }) => ordinal !== 0);
    this.#ordinalsOfYear = rule.frequency === 'yearly' && parts.byMonth.length === 0;
    const narrow = parts.byMonth.length + parts.byMonthDay.length + parts.byYearDay.length > 0;
    this.weekly = !narrow && !this.#hasOrdinals;
  }

  /** Neither month nor weekday nor anything else tells days apart. */
  get every(): boolean {
    return this.weekly && this.#weekdayMarks === undefined;
  }

  has(day: number): boolean {
    if (this.weekly) return this.#weekdayMarks === undefined || this.#fitsWeekday(day, 0, 0, 0);
    const { year, month, day: monthDay } = civilFromDays(day);
    return this.#fits(day, year, month, monthDay);
  }

  /** @param firstDay of the week */
  ofWeek(firstDay: number): number[] {
    const found: number[] = [];
    for (let day = firstDay; day < firstDay + 7; day += 1) if (this.has(day)) found.push(day);
    return found;
  }

  /** @param month 1 to 12 */
  ofMonth(year: number, month: number): number[] {
    const found: number[] = [];
    this.#addMonth(year, month, found);
    return found;
  }

  /** The calendar's year, also with BYWEEKNO: its first and last days may lie in weeks of the years beside it. */
  ofYear(year: number): number[] {
    const found: number[] = [];
    if (this.#weekMarks !== undefined) this.#addWeeks(year, this.#weekMarks, found);
    else for (const month of this.#months) this.#addMonth(year, month, found);
    return found;
  }

  #addWeeks(year: number, marks: Uint8Array, found: number[]): void {
    const firstDay = daysFromCivil(year, 1, 1);
    const lastDay = firstDay + daysInYear(year) - 1;
    const ownFirst = firstWeekOf(year, this.#weekStart);
    const nextFirst = firstWeekOf(year + 1, this.#weekStart);
    for (let week = weekStartOf(firstDay, this.#weekStart); week <= lastDay; week += 7) {
      const weekYear = week < ownFirst ? year - 1 : week >= nextFirst ? year + 1 : year;
      const number = (week - firstWeekOf(weekYear, this.#weekStart)) / 7 + 1;
      const fromEnd = weeksInYear(weekYear, this.#weekStart) - number + 1;
      if (marks[number] !== 1 && marks[FROM_END + fromEnd] !== 1) continue;
      for (const day of this.ofWeek(week)) if (day >= firstDay && day <= lastDay) found.push(day);
    }
  }

  #addMonth(year: number, month: number, found: number[]): void {
    if (this.#monthMarks !== undefined && this.#monthMarks[month] !== 1) return;
    const before = daysFromCivil(year, month, 1) - 1;
    const length = daysInMonth(year, month);
    for (let monthDay = 1; monthDay <= length; monthDay += 1)
      if (this.#fits(before + monthDay, year, month, monthDay)) found.push(before + monthDay);
  }

  #fits(day: number, year: number, month: number, monthDay: number): boolean {
    if (this.#monthMarks !== undefined && this.#monthMarks[month] !== 1) return false;
    const monthDays = this.#monthDayMarks;
    if (monthDays !== undefined) {
      const fromEnd = daysInMonth(year, month) - monthDay + 1;
      if (monthDays[monthDay] !== 1 && monthDays[FROM_END + fromEnd] !== 1) return false;
    }
    const yearDays = this.#yearDayMarks;
    if (yearDays !== undefined) {
      const yearDay = day - daysFromCivil(year, 1, 1) + 1;
      const fromEnd = daysInYear(year) - yearDay + 1;
      if (yearDays[yearDay] !== 1 && yearDays[FROM_END + fromEnd] !== 1) return false;
    }
    return this.#fitsWeekday(day, year, month, monthDay);
  }

  #fitsWeekday(day: number, year: number, month: number, monthDay: number): boolean {
    const marks = this.#weekdayMarks;
    if (marks === undefined) return true;
    const zero = weekdayOf(day) * ORDINAL_SPAN + ORDINAL_ZERO;
    if (marks[zero] === 1) return true;
    if (!this.#hasOrdinals) return false;
    const position = this.#ordinalsOfYear ? day - daysFromCivil(year, 1, 1) + 1 : monthDay;
    const length = this.#ordinalsOfYear ? daysInYear(year) : daysInMonth(year, month);
    const fromStart = Math.ceil(position / 7);
    const fromEnd = Math.ceil((length - position + 1) / 7);
    return marks[zero + fromStart] === 1 || marks[zero - fromEnd] === 1;
  }
}

/** A table of what was listed; -n is kept at FROM_END + n. */
function marksOf(listed: readonly number[], size = 2 * FROM_END): Uint8Array | undefined {
  if (listed.length === 0) return undefined;
  const marks = new Uint8Array(size);
  for (const value of listed) marks[value >= 0 ? value : FROM_END - value] = 1;
  return marks;
}
