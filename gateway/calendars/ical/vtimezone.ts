/**
 * VTIMEZONE (RFC 5545 §3.6.5) as a zone: its observances' onsets worked out once by the rules engine, from their DTSTART
 * to past the window. Whatever cannot be read for certain makes the zone unknown.
 */
import { type Budget, BudgetSpent } from '../rules/budget.ts';
import { recur } from '../rules/recur.ts';
import { isRuleFault, parseRule } from '../rules/rule.ts';
import { Offsets, type Zone } from './clock.ts';
import type { Block } from './components.ts';
import { Spoiled, shown } from './fault.ts';
import { LineReader, parseLine } from './lines.ts';
import { parseOffset, parseStamp } from './values.ts';

/** STANDARD and DAYLIGHT of one zone. Zones of the tz database written out year by year stay below it. */
export const MAX_OBSERVANCES = 1_000;
/** Clock changes of one zone. 1601 to 2100 with two a year are 1,000. */
export const MAX_ONSETS = 5_000;

interface Observance {
  start?: number;
  from?: number;
  to?: number;
  readonly rules: string[];
  readonly dates: string[];
}

interface Onset {
  readonly atMs: number;
  readonly fromOffsetMs: number;
  readonly toOffsetMs: number;
}

/**
 * @param untilMs onsets after it are not needed; the last offset before it goes on
 * @throws Spoiled `unknown_zone`
 */
export function readZone(id: string, text: string, block: Block, untilMs: number, budget: Budget): Zone {
  try {
    const observances = readObservances(text, block);
    const offsets = offsetsOf(observances, untilMs, budget);
    return { name: id, offsetAt: (instantMs) => offsets.at(instantMs) };
  } catch (error) {
    if (error instanceof BudgetSpent)
      throw new Spoiled('unknown_zone', `The VTIMEZONE ${shown(id)} of line ${block.line} is too costly to work out.`);
    if (!(error instanceof Spoiled)) throw error;
    throw new Spoiled(
      'unknown_zone',
      `The VTIMEZONE ${shown(id)} of line ${block.line} cannot be relied on: ${error.why}`,
    );
  }
}

/** X-LIC-LOCATION of a VTIMEZONE, which names the IANA zone that it was made from. */
export function locationOf(text: string, block: Block): string | undefined {
  const reader = new LineReader(text, block.from, block.to, block.firstLine);
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    if (!/^X-LIC-LOCATION[;:]/i.test(line.text)) continue;
    const property = parseLine(line);
    if (typeof property !== 'string') return property.value.trim();
  }
  return undefined;
}

function readObservances(text: string, block: Block): Observance[] {
  const observances: Observance[] = [];
  let open: Observance | undefined;
  const reader = new LineReader(text, block.from, block.to, block.firstLine);
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    const property = parseLine(line);
    if (typeof property === 'string') throw new Spoiled('unknown_zone', `line ${line.line}: ${property}.`);
    const value = property.value.trim();
    const upper = value.toUpperCase();
    if (property.name === 'BEGIN') {
      open = upper === 'STANDARD' || upper === 'DAYLIGHT' ? { rules: [], dates: [] } : undefined;
      if (open !== undefined) observances.push(open);
      if (observances.length > MAX_OBSERVANCES)
        throw new Spoiled('unknown_zone', `it has more than ${MAX_OBSERVANCES} observances.`);
    } else if (property.name === 'END') open = undefined;
    else if (open !== undefined) readProperty(open, property.name, value);
  }
  return observances;
}

function readProperty(into: Observance, name: string, value: string): void {
  if (name === 'DTSTART') {
    const stamp = parseStamp(value);
    if (stamp.kind === 'utc') throw new Spoiled('unknown_zone', `${shown(value)} begins an observance in UTC.`);
    into.start = stamp.localMs;
  } else if (name === 'TZOFFSETFROM') into.from = parseOffset(value);
  else if (name === 'TZOFFSETTO') into.to = parseOffset(value);
  else if (name === 'RRULE') into.rules.push(value);
  else if (name === 'RDATE') into.dates.push(...value.split(','));
}

function offsetsOf(observances: readonly Observance[], untilMs: number, budget: Budget): Offsets {
  const onsets = observances.flatMap((observance) => onsetsOf(observance, untilMs, budget));
  if (onsets.length === 0) throw new Spoiled('unknown_zone', 'it has no observance.');
  if (onsets.length > MAX_ONSETS) throw new Spoiled('unknown_zone', `it changes the clock over ${MAX_ONSETS} times.`);
  onsets.sort((a, b) => a.atMs - b.atMs);
  const offsets = new Offsets();
  offsets.add(Number.NEGATIVE_INFINITY, onsets[0]?.fromOffsetMs ?? 0);
  for (const { atMs, toOffsetMs } of onsets) offsets.add(atMs, toOffsetMs);
  return offsets;
}

function onsetsOf({ start, from, to, rules, dates }: Observance, untilMs: number, budget: Budget): Onset[] {
  if (start === undefined || from === undefined || to === undefined)
    throw new Spoiled('unknown_zone', 'an observance lacks DTSTART, TZOFFSETFROM or TZOFFSETTO.');
  // Onsets are local times in the offset that they end.
  const onset = (localMs: number): Onset => ({ atMs: localMs - from, fromOffsetMs: from, toOffsetMs: to });
  const locals = new Set([start]);
  for (const date of dates) {
    if (date.trim() === '') continue;
    budget.spend();
    const stamp = parseStamp(date.split('/', 1)[0] ?? '');
    locals.add(stamp.kind === 'utc' ? stamp.localMs + from : stamp.localMs);
  }
  for (const text of rules) {
    const rule = parseRule(text);
    if (isRuleFault(rule)) throw new Spoiled('unknown_zone', rule.why);
    const untilInstantMs = rule.until?.valueMs ?? 0;
    const withinUntil = (localMs: number) => localMs - from <= untilInstantMs;
    // An UNTIL before the observance's start ends the rule, not the observance: DTSTART is an onset all the same.
    for (const localMs of recur(rule, start, { untilLocalMs: untilMs + from, budget, withinUntil })) {
      locals.add(localMs);
      if (locals.size > MAX_ONSETS) throw new Spoiled('unknown_zone', `it changes the clock over ${MAX_ONSETS} times.`);
    }
  }
  return [...locals].map(onset);
}
