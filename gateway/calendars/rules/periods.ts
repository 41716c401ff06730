/**
 * A rule's time cut into blocks: the period of the frequency (a day, week, month, year), or for frequencies below a day
 * the day with all of its periods. A block knows its candidates without listing them: a year of seconds costs no memory.
 */

import type { Budget } from './budget.ts';
import { civilFromDays, DAY_MS, daysFromCivil, modulo, SECOND_MS, weekStartOf } from './civil.ts';
import { DayPicker } from './days.ts';
import type { Rule } from './rule.ts';

/** Candidates in ascending order, without repeats. */
export interface Block {
  readonly size: number;
  /** Local milliseconds. @param index 0 to size - 1 */
  at(index: number): number;
}

export interface Periods {
  /** Blocks with at least one candidate, from the one that holds `fromMs` (local) on, while they begin before `endMs`. */
  walk(fromMs: number, endMs: number, budget: Budget): Generator<Block, void, undefined>;
  /**
   * How many candidates at or after `floorMs` lie in blocks that {@link walk} from `fromMs` leaves out; undefined where
   * that takes looking at each of them.
   */
  before(fromMs: number, floorMs: number): number | undefined;
}

/** A year is looked at month by month. */
const STEPS_PER_YEAR = 12;
/** Places of BYSETPOS worked out for one step. */
const PLACES_PER_STEP = 8;
/** Times of a day tested for one step. */
const SLOTS_PER_STEP = 64;
const UNITS = { secondly: 1, minutely: 60, hourly: 3600 } as const;
const DAY_S = 86_400;

/** @param startMs DTSTART, local, whole seconds */
export function periodsOf(rule: Rule, startMs: number): Periods {
  switch (rule.frequency) {
    case 'secondly':
    case 'minutely':
    case 'hourly':
      return slotPeriods(rule, startMs, UNITS[rule.frequency]);
    default:
      return dayPeriods(rule, startMs);
  }
}

/** Index of the first candidate at or after an instant; the block's size if there is none. */
export function lowerBound(block: Block, ms: number): number {
  if (block.size === 0 || block.at(0) >= ms) return 0;
  let low = 1;
  let high = block.size;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (block.at(middle) < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Periods of a frequency of a day and above, numbered so that the one after has the number one higher. */
interface Numbering {
  numberOf(day: number): number;
  firstDayOf(period: number): number;
  daysOf(period: number): readonly number[];
  readonly steps: number;
}

function numberingOf(rule: Rule, picker: DayPicker): Numbering {
  const { weekStart } = rule;
  switch (rule.frequency) {
    case 'yearly':
      return {
        numberOf: (day) => civilFromDays(day).year,
        firstDayOf: (year) => daysFromCivil(year, 1, 1),
        daysOf: (year) => picker.ofYear(year),
        steps: STEPS_PER_YEAR,
      };
    case 'monthly':
      return {
        numberOf: (day) => {
          const { year, month } = civilFromDays(day);
          return year * 12 + month - 1;
        },
        firstDayOf: (month) => daysFromCivil(Math.floor(month / 12), modulo(month, 12) + 1, 1),
        daysOf: (month) => picker.ofMonth(Math.floor(month / 12), modulo(month, 12) + 1),
        steps: 1,
      };
    case 'weekly': {
      const origin = weekStartOf(0, weekStart);
      return {
        numberOf: (day) => Math.floor((day - origin) / 7),
        firstDayOf: (week) => origin + week * 7,
        daysOf: (week) => picker.ofWeek(origin + week * 7),
        steps: 1,
      };
    }
    default:
      return {
        numberOf: (day) => day,
        firstDayOf: (day) => day,
        daysOf: (day) => (picker.has(day) ? [day] : []),
        steps: 1,
      };
  }
}

function dayPeriods(rule: Rule, startMs: number): Periods {
  const startDay = Math.floor(startMs / DAY_MS);
  const picker = new DayPicker(rule, startDay);
  const numbering = numberingOf(rule, picker);
  const times = timesOfDay(rule, startMs);
  const first = numbering.numberOf(startDay);
  const steps = (fromMs: number) =>
    Math.max(0, Math.ceil((numbering.numberOf(Math.floor(fromMs / DAY_MS)) - first) / rule.interval));
  const stepsEach = numbering.steps + Math.floor(rule.bySetPos.length / PLACES_PER_STEP);
  const blockOf = (days: readonly number[]) => picked(daysWithTimes(days, times), rule.bySetPos);
  return {
    *walk(fromMs, endMs, budget) {
      for (let step = steps(fromMs); ; step += 1) {
        const period = first + step * rule.interval;
        if (numbering.firstDayOf(period) * DAY_MS >= endMs) return;
        budget.spend(stepsEach);
        const days = numbering.daysOf(period);
        if (days.length === 0) continue;
        const block = blockOf(days);
        if (block.size > 0) yield block;
      }
    },
    before(fromMs, floorMs) {
      const left = steps(fromMs);
      if (left === 0) return 0;
      if (!picker.weekly || (rule.frequency !== 'daily' && rule.frequency !== 'weekly')) return undefined;
      // Seven periods on it is the same weekday again, whatever the interval.
      let passed = 0;
      for (let step = 0; step < Math.min(left, 7); step += 1) {
        const block = blockOf(numbering.daysOf(first + step * rule.interval));
        passed += block.size * Math.ceil((left - step) / 7);
        if (step === 0) passed -= lowerBound(block, floorMs);
      }
      return passed;
    },
  };
}

/** Times of day in seconds, by their place in ascending order. */
interface Times {
  readonly size: number;
  at(index: number): number;
}

function timesOfDay(rule: Rule, startMs: number): Times {
  const startS = Math.floor(modulo(startMs, DAY_MS) / SECOND_MS);
  const hours = or(rule.byHour, Math.floor(startS / 3600));
  const minutes = or(rule.byMinute, Math.floor(startS / 60) % 60);
  const seconds = or(rule.bySecond, startS % 60);
  const perHour = minutes.length * seconds.length;
  return {
    size: hours.length * perHour,
    at: (index) =>
      item(hours, Math.floor(index / perHour)) * 3600 +
      item(minutes, Math.floor((index % perHour) / seconds.length)) * 60 +
      item(seconds, index % seconds.length),
  };
}

function daysWithTimes(days: readonly number[], times: Times): Block {
  return {
    size: days.length * times.size,
    at: (index) => item(days, Math.floor(index / times.size)) * DAY_MS + times.at(index % times.size) * SECOND_MS,
  };
}

/** BYSETPOS: only the named places of the whole period's candidates; those before DTSTART have places too. */
function picked(block: Block, places: readonly number[]): Block {
  if (places.length === 0) return block;
  const indexes = places.map((place) => (place > 0 ? place - 1 : block.size + place));
  const kept = [...new Set(indexes)].filter((index) => index >= 0 && index < block.size).sort((a, b) => a - b);
  return { size: kept.length, at: (index) => block.at(item(kept, index)) };
}

/** Periods of an hour, a minute or a second, called slots; they are numbered from 1970 on. */
function slotPeriods(rule: Rule, startMs: number, unitS: number): Periods {
  const picker = new DayPicker(rule, Math.floor(startMs / DAY_MS));
  const unitMs = unitS * SECOND_MS;
  const perDay = DAY_S / unitS;
  const first = Math.floor(startMs / unitMs);
  const offsets = offsetsInSlot(rule, startMs, unitS);
  const slotsFrom = slotTable(rule, unitS, perDay);
  const steps = (day: number) => Math.max(0, Math.ceil((day * perDay - first) / rule.interval));
  return {
    *walk(fromMs, endMs, budget) {
      if (offsets.length === 0) return;
      for (let day = Math.floor(fromMs / DAY_MS); ; day += 1) {
        const slot = first + steps(day) * rule.interval;
        day = Math.floor(slot / perDay);
        if (day * DAY_MS >= endMs) return;
        budget.spend();
        if (!picker.has(day)) continue;
        const slots = slotsFrom(slot - day * perDay, budget);
        if (slots.size > 0) yield slotsWithOffsets(day, slots, unitMs, offsets);
      }
    },
    before(fromMs, floorMs) {
      const left = steps(Math.floor(fromMs / DAY_MS));
      if (left === 0) return 0;
      if (!picker.every || !slotsFrom.whole) return undefined;
      const early = offsets.filter((offset) => first * unitMs + offset * SECOND_MS < floorMs).length;
      return left * offsets.length - early;
    },
  };
}

function slotsWithOffsets(day: number, slots: Times, unitMs: number, offsets: readonly number[]): Block {
  return {
    size: slots.size * offsets.length,
    at: (index) =>
      day * DAY_MS +
      slots.at(Math.floor(index / offsets.length)) * unitMs +
      item(offsets, index % offsets.length) * SECOND_MS,
  };
}

/** Seconds from a slot's begin at which it has candidates; every slot has the same. */
function offsetsInSlot(rule: Rule, startMs: number, unitS: number): number[] {
  const startS = Math.floor(modulo(startMs, DAY_MS) / SECOND_MS);
  const minutes = unitS >= 3600 ? or(rule.byMinute, Math.floor(startS / 60) % 60) : [0];
  const seconds = unitS >= 60 ? or(rule.bySecond, startS % 60) : [0];
  const all = minutes.flatMap((minute) => seconds.map((second) => minute * 60 + second));
  const block = picked({ size: all.length, at: (index) => item(all, index) }, rule.bySetPos);
  return Array.from({ length: block.size }, (_, index) => block.at(index));
}

/**
 * Slots of a day that the rule's times let in, numbered within the day, when the series' first one of that day is
 * `firstSlot`. Days whose series begins alike share one list; together the lists hold at most as many slots as a day.
 */
function slotTable(rule: Rule, unitS: number, perDay: number) {
  const hours = marks(rule.byHour, 24);
  const minutes = unitS < 3600 ? marks(rule.byMinute, 60) : undefined;
  const seconds = unitS < 60 ? marks(rule.bySecond, 60) : undefined;
  const whole = hours === undefined && minutes === undefined && seconds === undefined;
  const known = new Map<number, readonly number[]>();
  const listed = (firstSlot: number, budget: Budget): readonly number[] => {
    const before = known.get(firstSlot);
    if (before !== undefined) return before;
    budget.spend(Math.ceil((perDay - firstSlot) / rule.interval / SLOTS_PER_STEP));
    const list: number[] = [];
    for (let slot = firstSlot; slot < perDay; slot += rule.interval) {
      const second = slot * unitS;
      if (hours !== undefined && hours[Math.floor(second / 3600)] !== 1) continue;
      if (minutes !== undefined && minutes[Math.floor(second / 60) % 60] !== 1) continue;
      if (seconds !== undefined && seconds[second % 60] !== 1) continue;
      list.push(slot);
    }
    known.set(firstSlot, list);
    return list;
  };
  const from = (firstSlot: number, budget: Budget): Times => {
    if (whole) {
      const size = Math.max(0, Math.ceil((perDay - firstSlot) / rule.interval));
      return { size, at: (index) => firstSlot + index * rule.interval };
    }
    const list = listed(firstSlot, budget);
    return { size: list.length, at: (index) => item(list, index) };
  };
  return Object.assign(from, { whole });
}

function or(listed: readonly number[], otherwise: number): readonly number[] {
  return listed.length > 0 ? listed : [otherwise];
}

function marks(listed: readonly number[], size: number): Uint8Array | undefined {
  if (listed.length === 0) return undefined;
  const table = new Uint8Array(size);
  for (const value of listed) table[value] = 1;
  return table;
}

/** @throws RangeError outside of the list: that would be a fault of this file. */
function item(list: readonly number[], index: number): number {
  const value = list[index];
  if (value === undefined) throw new RangeError(`There is no item ${index}.`);
  return value;
}
