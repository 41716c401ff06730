/** One VEVENT (RFC 5545 §3.6.1): its identity, its times and what recurs, each checked. What it means is in recurrence.ts. */
import type { Budget } from '../rules/budget.ts';
import { DAY_MS } from '../rules/civil.ts';
import type { Occurrence, SetAsideCode } from '../types.ts';
import { stretchesRead, toInstant, UTC, type Zone } from './clock.ts';
import type { EventBlock } from './components.ts';
import { Spoiled, shown } from './fault.ts';
import { LineReader, nameOf, type Property, parseLine } from './lines.ts';
import { type Length, parseDuration, parseStamp, roughMs, type Stamp } from './values.ts';
import type { ZoneNames } from './zones.ts';

/** A booking longer than this is a mistake, or no booking: 31 days, the longest month. */
export const MAX_LENGTH_MS = 31 * DAY_MS;
/** Budget steps that one look at the zone database stands for. */
const STRETCH_STEPS = 1_000;

/** A time in its zone. */
export interface Moment extends Stamp {
  /** Of the wall clock that was meant; the site's for dates and floating times. */
  readonly zone: Zone;
  readonly floating: boolean;
  readonly atMs: number;
}

export interface Identity {
  readonly sequence: number;
  readonly stampMs: number;
  readonly recurrenceId?: Moment | undefined;
  /** RANGE=THISANDFUTURE. */
  readonly following: boolean;
}

export interface VEvent {
  readonly ok: true;
  readonly block: EventBlock;
  readonly identity: Identity;
  readonly status: Occurrence['status'];
  /** Absent only where it is cancelled. */
  readonly times?: Times | undefined;
  readonly rules: readonly string[];
  readonly exRules: readonly string[];
  readonly extra: readonly Extra[];
  readonly exceptions: readonly Moment[];
  readonly properties: Properties;
}

export interface Times {
  readonly start: Moment;
  readonly length: Length;
}

/** RDATE. */
export interface Extra {
  readonly start: Moment;
  /** Of a PERIOD. */
  readonly length?: Length | undefined;
}

/** A VEVENT that cannot be followed. */
export interface Broken {
  readonly ok: false;
  readonly block: EventBlock;
  readonly properties: Properties;
  /** Absent when not even that can be read. */
  readonly identity?: Identity | undefined;
  /** Where its start is known. */
  readonly startMs?: number | undefined;
  readonly code: SetAsideCode;
  readonly why: string;
}

export type Properties = ReadonlyMap<string, readonly Property[]>;

export interface ReadContext {
  readonly text: string;
  readonly site: Zone;
  readonly zones: ZoneNames;
  readonly budget: Budget;
}

/** What is read of an event; every other line must only be a content line. */
const READ = new Set(
  'DTSTART DTEND DURATION RRULE RDATE EXDATE EXRULE RECURRENCE-ID SEQUENCE DTSTAMP LAST-MODIFIED STATUS TRANSP X-MICROSOFT-CDO-BUSYSTATUS SUMMARY LOCATION RESOURCES ORGANIZER ATTENDEE UID'.split(
    ' ',
  ),
);

/** @throws BudgetSpent when the event is too costly. */
export function readEvent(block: EventBlock, context: ReadContext): VEvent | Broken {
  const properties = new Map<string, Property[]>();
  let identity: Identity | undefined;
  let start: Moment | undefined;
  try {
    collect(block, context, properties);
    // Before the event's own fault: a broken statement may still be an old one that a newer replaced.
    identity = readIdentity(properties, context);
    if (block.fault !== undefined) throw new Spoiled('malformed', `The event cannot be relied on: ${block.fault}.`);
    const status = readStatus(properties, block);
    start = single(properties, 'DTSTART', (property) => moment(property, context));
    const times = start === undefined ? undefined : { start, length: readLength(properties, start, context) };
    if (times === undefined && status !== 'cancelled') throw new Spoiled('no_times', 'The event has no DTSTART.');
    const rules = valuesOf(properties, 'RRULE');
    const exRules = valuesOf(properties, 'EXRULE');
    const extra = each(properties, 'RDATE', (property) => extras(property, context));
    const exceptions = each(properties, 'EXDATE', (property) => moments(property, context));
    if (start?.kind === 'date')
      for (const moment of exceptions.filter(isUtcMidnight)) exceptions.push({ ...moment, kind: 'date' });
    return { ok: true, block, identity, status, times, rules, exRules, extra, exceptions, properties };
  } catch (error) {
    if (!(error instanceof Spoiled)) throw error;
    const { code, why } = error;
    return { ok: false, block, properties, identity, startMs: start?.atMs, code, why };
  }
}

/** How many senders write a day where the RFC wants a date. */
export function isUtcMidnight({ kind, localMs }: Moment): boolean {
  return kind === 'utc' && localMs % DAY_MS === 0;
}

function collect(block: EventBlock, { text, budget }: ReadContext, into: Map<string, Property[]>): void {
  const reader = new LineReader(text, block.from, block.to, block.firstLine);
  let depth = 0;
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    const name = nameOf(line.text);
    if (name === 'BEGIN') depth += 1;
    else if (name === 'END') depth -= 1;
    else if (depth <= 0 && name !== undefined && READ.has(name)) {
      budget.spend();
      const property = line.cut ? 'it is too long' : parseLine(line);
      if (typeof property === 'string') {
        block.fault ??= `line ${line.line} (${name}): ${property}`;
        continue;
      }
      const known = into.get(name);
      if (known === undefined) into.set(name, [property]);
      else known.push(property);
    }
  }
}

function readIdentity(properties: Properties, context: ReadContext): Identity {
  const sequence = single(properties, 'SEQUENCE', ({ value }) => {
    if (!/^\d{1,15}$/.test(value.trim())) throw new Spoiled('malformed', `${shown(value)} is no whole number.`);
    return Number(value);
  });
  let following = false;
  const recurrenceId = single(properties, 'RECURRENCE-ID', (property) => {
    const range = property.params.get('RANGE')?.[0]?.toUpperCase();
    if (range !== undefined && range !== 'THISANDFUTURE')
      throw new Spoiled('contradiction', `RANGE=${range.slice(0, 40)} is not followed; THISANDFUTURE is.`);
    following = range !== undefined;
    return moment(property, context);
  });
  const stampMs = Math.max(instantOf(properties, 'DTSTAMP'), instantOf(properties, 'LAST-MODIFIED'));
  return { sequence: sequence ?? 0, stampMs, recurrenceId, following };
}

/** These only order statements: one that cannot be read is as old as can be. */
function instantOf(properties: Properties, name: string): number {
  const written = properties.get(name)?.[0];
  if (written === undefined) return 0;
  try {
    return parseStamp(written.value).localMs;
  } catch {
    return 0;
  }
}

/**
 * What grants: CONFIRMED, or nothing said. An event that its owner shows as free (TRANSP:TRANSPARENT, Microsoft's FREE
 * and WORKINGELSEWHERE) reserves no room: like a tentative one it stands in the calendar and opens nothing; so does a
 * status that we do not know, and a message that states no booking (METHOD:REPLY, COUNTER, REFRESH, ADD).
 */
function readStatus(properties: Properties, { calendar }: EventBlock): Occurrence['status'] {
  const word = (name: string) => single(properties, name, ({ value }) => value.trim().toUpperCase()) ?? '';
  const status = word('STATUS');
  if (calendar.method === 'CANCEL' || status === 'CANCELLED' || status === 'CANCELED') return 'cancelled';
  if (!['', 'PUBLISH', 'REQUEST'].includes(calendar.method)) return 'tentative';
  if (status !== '' && status !== 'CONFIRMED') return 'tentative';
  if (word('TRANSP') === 'TRANSPARENT') return 'tentative';
  return ['FREE', 'TENTATIVE', 'WORKINGELSEWHERE'].includes(word('X-MICROSOFT-CDO-BUSYSTATUS'))
    ? 'tentative'
    : 'confirmed';
}

/**
 * DTEND gives an exact length and DURATION a nominal one, also for all instances of a series (RFC 5545 §3.8.5.3); whole
 * days stay whole days.
 */
function readLength(properties: Properties, start: Moment, context: ReadContext): Length {
  const end = single(properties, 'DTEND', (property) => moment(property, context));
  const duration = single(properties, 'DURATION', ({ value }) => parseDuration(value));
  if (end !== undefined && duration !== undefined)
    throw new Spoiled('contradiction', 'The event has both DTEND and DURATION; only one of them can hold.');
  if (end !== undefined) return checkLength(between(start, end));
  if (duration !== undefined) {
    if (start.kind === 'date' && duration.exactMs % DAY_MS !== 0)
      throw new Spoiled('contradiction', 'The event begins on a whole day and lasts a part of one.');
    return checkLength(
      start.kind === 'date' ? { days: duration.days + duration.exactMs / DAY_MS, exactMs: 0 } : duration,
    );
  }
  return checkLength({ days: start.kind === 'date' ? 1 : 0, exactMs: 0 });
}

function between(start: Moment, end: Moment): Length {
  if ((start.kind === 'date') !== (end.kind === 'date'))
    throw new Spoiled('contradiction', 'Of start and end one is a whole day and the other a time.');
  if (start.kind === 'date') return { days: (end.localMs - start.localMs) / DAY_MS, exactMs: 0 };
  return { days: 0, exactMs: end.atMs - start.atMs };
}

function checkLength(length: Length): Length {
  const ms = roughMs(length);
  if (ms < 0) throw new Spoiled('contradiction', 'The event ends before it starts.');
  if (ms === 0) throw new Spoiled('no_times', 'The event has no length: it needs an end or a duration.');
  if (ms > MAX_LENGTH_MS)
    throw new Spoiled('too_long', `The event lasts ${Math.round(ms / DAY_MS)} days; 31 are the most.`);
  return length;
}

function extras(property: Property, context: ReadContext): Extra[] {
  if (property.params.get('VALUE')?.[0]?.toUpperCase() !== 'PERIOD')
    return moments(property, context).map((start) => ({ start }));
  const { tzid, list } = listOf(property);
  return list.map((period) => {
    const [from, to] = period.split('/');
    if (from === undefined || to === undefined) throw new Spoiled('malformed', `${shown(period)} is no period.`);
    const start = placed(parseStamp(from), tzid, context);
    if (start.kind === 'date') throw new Spoiled('malformed', `The period ${shown(period)} begins with no time.`);
    const length = /^[+-]?P/i.test(to.trim())
      ? parseDuration(to)
      : between(start, placed(parseStamp(to), tzid, context));
    return { start, length: checkLength(length) };
  });
}

function moment(property: Property, context: ReadContext): Moment {
  const [first, ...more] = moments(property, context);
  if (first === undefined || more.length > 0)
    throw new Spoiled('malformed', `${shown(property.value)} is not one time.`);
  return first;
}

function moments(property: Property, context: ReadContext): Moment[] {
  const value = property.params.get('VALUE')?.[0]?.toUpperCase();
  if (value !== undefined && value !== 'DATE' && value !== 'DATE-TIME')
    throw new Spoiled('malformed', `VALUE=${value.slice(0, 40)} is no form of a time.`);
  const { tzid, list } = listOf(property);
  return list.map((text) => {
    const stamp = parseStamp(text);
    // A bare date without VALUE=DATE is met often and says one thing only.
    if (value !== undefined && (value === 'DATE') !== (stamp.kind === 'date'))
      throw new Spoiled('malformed', `${shown(text)} is no ${value}.`);
    return placed(stamp, tzid, context);
  });
}

/** The values, and the TZID: one with a colon in it that lacks its quotes ends at the last colon, times have none. */
function listOf({ params, value }: Property): { tzid: string | undefined; list: string[] } {
  const colon = value.lastIndexOf(':');
  const written = params.get('TZID')?.join(',');
  const tzid = colon < 0 || written === undefined ? written : `${written}:${value.slice(0, colon)}`;
  const list = value.slice(written === undefined ? 0 : colon + 1).split(',');
  return { tzid, list: list.filter((text) => text.trim() !== '') };
}

/** A date has no zone (RFC 5545 §3.2.19 forbids TZID there) and is the site's day; Z says UTC whatever TZID says. */
function placed(stamp: Stamp, tzid: string | undefined, context: ReadContext): Moment {
  const floating = stamp.kind === 'local' && tzid === undefined;
  const named = stamp.kind === 'local' && tzid !== undefined;
  const zone = stamp.kind === 'utc' ? UTC : named ? context.zones.find(tzid) : context.site;
  const { kind, localMs } = stamp;
  const atMs = kind === 'utc' ? localMs : charged(context.budget, () => toInstant(zone, localMs));
  return { kind, localMs, zone, floating, atMs };
}

/** Runs a look at a zone's clock and charges what it asked of the zone database. */
export function charged<T>(budget: Budget, look: () => T): T {
  const before = stretchesRead();
  const result = look();
  budget.spend(1 + (stretchesRead() - before) * STRETCH_STEPS);
  return result;
}

/** The property that may stand only once; said twice it must say the same. */
function single<T>(properties: Properties, name: string, read: (property: Property) => T): T | undefined {
  const [first, ...more] = properties.get(name) ?? [];
  if (first === undefined) return undefined;
  if (more.some((other) => other.value !== first.value || tzidOf(other) !== tzidOf(first)))
    throw new Spoiled('contradiction', `The event has more than one ${name}, and they differ.`);
  return at(first, read);
}

function tzidOf(property: Property): string {
  return property.params.get('TZID')?.join(',') ?? '';
}

function each<T>(properties: Properties, name: string, read: (property: Property) => T[]): T[] {
  return (properties.get(name) ?? []).flatMap((property) => at(property, read));
}

function valuesOf(properties: Properties, name: string): string[] {
  return (properties.get(name) ?? []).map(({ value }) => value);
}

/** Says where in the object a fault lies. */
function at<T>(property: Property, read: (property: Property) => T): T {
  try {
    return read(property);
  } catch (error) {
    if (!(error instanceof Spoiled)) throw error;
    throw new Spoiled(error.code, `${property.name} in line ${property.line}: ${error.why}`);
  }
}
