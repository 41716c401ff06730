/**
 * A slow, obvious reading of RFC 5545 §3.3.10, to hold the engine against. It walks the days, hours, minutes and seconds
 * one by one from the begin of DTSTART's period and asks of each wall clock whether the rule's definition has it; the
 * calendar is the Date of UTC, weeks and numbered weekdays are counted off by hand. It shares no code with the engine.
 */
import type { Frequency, Rule } from '../../gateway/calendars/rules/rule.ts';

const DAY = 86_400_000;
const SUBDAILY: readonly Frequency[] = ['hourly', 'minutely', 'secondly'];

interface Wall {
  readonly ms: number;
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** 0 for Monday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

function wallOf(ms: number): Wall {
  const date = new Date(ms);
  return {
    ms,
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: (date.getUTCDay() + 6) % 7,
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

function midnight(ms: number): number {
  const { year, month, day } = wallOf(ms);
  return Date.UTC(year, month - 1, day);
}

/** Steps back to the day on which the week begins. */
function weekBegin(ms: number, weekStart: number): number {
  let day = midnight(ms);
  while (wallOf(day).weekday !== weekStart) day -= DAY;
  return day;
}

/** A week belongs to the year that has at least four of its days, so to the year of its fourth day. */
function weekOf(ms: number, weekStart: number): { year: number; number: number } {
  const fourth = weekBegin(ms, weekStart) + 3 * DAY;
  const { year } = wallOf(fourth);
  const number = Math.floor((fourth - Date.UTC(year, 0, 1)) / DAY / 7) + 1;
  return { year, number };
}

/** 28 December always lies in the last week. */
function weeksOf(year: number, weekStart: number): number {
  return weekOf(Date.UTC(year, 11, 28), weekStart).number;
}

function monthLength(wall: Wall): number {
  return wallOf(Date.UTC(wall.year, wall.month, 0)).day;
}

/** Which period of the frequency a wall clock lies in. */
function periodOf(rule: Rule, wall: Wall): number {
  switch (rule.frequency) {
    case 'yearly':
      return wall.year;
    case 'monthly':
      return wall.year * 12 + wall.month;
    case 'weekly':
      return Math.round((weekBegin(wall.ms, rule.weekStart) - weekBegin(0, rule.weekStart)) / (7 * DAY));
    case 'daily':
      return Math.floor(wall.ms / DAY);
    case 'hourly':
      return Math.floor(wall.ms / 3_600_000);
    case 'minutely':
      return Math.floor(wall.ms / 60_000);
    case 'secondly':
      return Math.floor(wall.ms / 1000);
  }
}

function numberedWeekday(rule: Rule, wall: Wall): boolean {
  const ofYear = rule.frequency === 'yearly' && rule.byMonth.length === 0;
  const first = ofYear ? Date.UTC(wall.year, 0, 1) : Date.UTC(wall.year, wall.month - 1, 1);
  const last = ofYear ? Date.UTC(wall.year, 11, 31) : Date.UTC(wall.year, wall.month, 0);
  const alike: number[] = [];
  for (let day = first; day <= last; day += DAY) if (wallOf(day).weekday === wall.weekday) alike.push(day);
  return rule.byDay.some(({ weekday, ordinal }) => {
    if (weekday !== wall.weekday) return false;
    if (ordinal === 0) return true;
    return alike.at(ordinal > 0 ? ordinal - 1 : ordinal) === midnight(wall.ms);
  });
}

function dayFits(rule: Rule, wall: Wall): boolean {
  if (rule.byMonth.length > 0 && !rule.byMonth.includes(wall.month)) return false;
  const fromMonthEnd = wall.day - monthLength(wall) - 1;
  if (rule.byMonthDay.length > 0 && !rule.byMonthDay.includes(wall.day) && !rule.byMonthDay.includes(fromMonthEnd))
    return false;
  const yearDay = (midnight(wall.ms) - Date.UTC(wall.year, 0, 1)) / DAY + 1;
  const fromYearEnd = (midnight(wall.ms) - Date.UTC(wall.year + 1, 0, 1)) / DAY;
  if (rule.byYearDay.length > 0 && !rule.byYearDay.includes(yearDay) && !rule.byYearDay.includes(fromYearEnd))
    return false;
  if (rule.byWeekNo.length > 0) {
    const week = weekOf(wall.ms, rule.weekStart);
    const fromEnd = week.number - weeksOf(week.year, rule.weekStart) - 1;
    if (!rule.byWeekNo.includes(week.number) && !rule.byWeekNo.includes(fromEnd)) return false;
  }
  return rule.byDay.length === 0 || numberedWeekday(rule, wall);
}

/** RFC 8984 §4.3.3: the parts that DTSTART adds to the rule. */
function completed(rule: Rule, start: Wall): Rule {
  const given = (part: 'byDay' | 'byMonthDay' | 'byMonth' | 'byYearDay' | 'byWeekNo') => rule[part].length > 0;
  const added: { byDay?: Rule['byDay']; byMonthDay?: number[]; byMonth?: number[] } = {};
  const weekday = [{ weekday: start.weekday, ordinal: 0 }];
  if (rule.frequency === 'weekly' && !given('byDay')) added.byDay = weekday;
  if (rule.frequency === 'monthly' && !given('byDay') && !given('byMonthDay')) added.byMonthDay = [start.day];
  if (rule.frequency === 'yearly' && !given('byYearDay')) {
    if (!given('byMonth') && !given('byWeekNo') && (given('byMonthDay') || !given('byDay')))
      added.byMonth = [start.month];
    if (!given('byMonthDay') && !given('byWeekNo') && !given('byDay')) added.byMonthDay = [start.day];
    if (given('byWeekNo') && !given('byMonthDay') && !given('byDay')) added.byDay = weekday;
  }
  return { ...rule, ...added };
}

/** Whether a part of the time of day is as the rule, or else DTSTART, says. */
function partFits(listed: readonly number[], free: boolean, ofStart: number, value: number): boolean {
  if (listed.length > 0) return listed.includes(value);
  return free || value === ofStart;
}

/** All wall clocks before `endMs` that fit every part but BYSETPOS, COUNT and UNTIL, from the first period's begin on. */
function* fitting(written: Rule, start: Wall, endMs: number): Generator<Wall> {
  const rule = completed(written, start);
  const { frequency } = rule;
  const first = periodOf(rule, start);
  const begin = frequency === 'yearly' ? Date.UTC(start.year, 0, 1) : midnight(start.ms) - 31 * DAY;
  for (let dayMs = begin; dayMs < endMs; dayMs += DAY) {
    const day = wallOf(dayMs);
    const inStep = (wall: Wall) => {
      const steps = periodOf(rule, wall) - first;
      return steps >= 0 && steps % rule.interval === 0;
    };
    if (!SUBDAILY.includes(frequency) && !inStep(day)) continue;
    if (!dayFits(rule, day)) continue;
    for (let hour = 0; hour < 24; hour += 1) {
      if (!partFits(rule.byHour, SUBDAILY.includes(frequency), start.hour, hour)) continue;
      for (let minute = 0; minute < 60; minute += 1) {
        const freeMinute = frequency === 'minutely' || frequency === 'secondly';
        if (!partFits(rule.byMinute, freeMinute, start.minute, minute)) continue;
        for (let second = 0; second < 60; second += 1) {
          if (!partFits(rule.bySecond, frequency === 'secondly', start.second, second)) continue;
          const wall = wallOf(dayMs + ((hour * 60 + minute) * 60 + second) * 1000);
          if (inStep(wall)) yield wall;
        }
      }
    }
  }
}

/**
 * All instances before `endMs`. Only periods that are over by then are sure to be complete for BYSETPOS: ask for an end
 * that lies a period further on than what is compared.
 */
export function referenceInstances(
  rule: Rule,
  startMs: number,
  endMs: number,
  asked: { readonly start: 'first' | 'matching'; readonly withinUntil?: ((ms: number) => boolean) | undefined },
): number[] {
  const start = wallOf(startMs);
  const groups = new Map<number, number[]>();
  for (const wall of fitting(rule, start, endMs)) {
    const period = periodOf(rule, wall);
    const group = groups.get(period);
    if (group === undefined) groups.set(period, [wall.ms]);
    else group.push(wall.ms);
  }
  const chosen: number[] = [];
  for (const group of groups.values())
    for (const [index, ms] of group.entries()) {
      const places = [index + 1, index - group.length];
      if (rule.bySetPos.length === 0 || places.some((place) => rule.bySetPos.includes(place))) chosen.push(ms);
    }
  let found = chosen.filter((ms) => ms >= startMs).sort((a, b) => a - b);
  if (asked.start === 'first' && found[0] !== startMs) found = [startMs, ...found];
  found = found.slice(0, rule.count ?? found.length);
  const { until } = rule;
  if (until === undefined) return found;
  if (until.kind === 'date') return found.filter((ms) => midnight(ms) <= until.valueMs);
  if (until.kind === 'utc' && asked.withinUntil !== undefined) return found.filter(asked.withinUntil);
  return found.filter((ms) => ms <= until.valueMs);
}
