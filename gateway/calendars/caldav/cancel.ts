/** The text of a resource with one event, or one instance of a series, cancelled in it. */
import { ianaZone, toInstant, toLocal, type Zone } from '../ical/clock.ts';
import { type CalendarPart, findComponents } from '../ical/components.ts';
import { Spoiled } from '../ical/fault.ts';
import { evenLines } from '../ical/lines.ts';
import { parseStamp, unescapeText } from '../ical/values.ts';
import { ianaName, ZoneNames } from '../ical/zones.ts';
import { Budget } from '../rules/budget.ts';
import type { Origin } from '../types.ts';
import {
  fold,
  lineEndOf,
  paramOf,
  propertyOf,
  type RawEvent,
  type RawLine,
  type RawProperty,
  readEvents,
  readLines,
  withEventAfter,
  withProperties,
} from './icsedit.ts';

const ZONE_STEPS = 200_000;
/** What an override of one instance does not take over from its series. */
const NOT_INHERITED = new Set(
  'RRULE RDATE EXDATE EXRULE DTSTART DTEND RECURRENCE-ID STATUS SEQUENCE DTSTAMP'.split(' '),
);

/** Undefined when it cannot be done for certain. The caller checks by reading what comes out. */
export function cancelIn(body: Buffer, origin: Origin, siteZone: string, nowMs: number): Buffer | undefined {
  const lines = readLines(body.toString('latin1'));
  const events = readEvents(lines)?.filter((event) => uidOf(event) === origin.uid);
  if (events === undefined) return undefined;
  try {
    const clocks = new Clocks(body.toString('utf8'), siteZone, origin.endMs);
    const text =
      origin.recurrenceId === undefined
        ? cancelSingle(lines, events, nowMs)
        : cancelInstance(lines, events, { origin, originalMs: parseStamp(origin.recurrenceId).localMs, clocks, nowMs });
    return text === undefined ? undefined : Buffer.from(text, 'latin1');
  } catch (error) {
    if (error instanceof Spoiled) return undefined;
    throw error;
  }
}

function uidOf(event: RawEvent): string {
  const written = propertyOf(event, 'UID')?.value ?? '';
  return unescapeText(Buffer.from(written, 'latin1').toString('utf8')).trim();
}

function cancelSingle(lines: readonly RawLine[], events: readonly RawEvent[], nowMs: number): string | undefined {
  const [event, ...more] = events;
  return event === undefined || more.length > 0 ? undefined : withProperties(lines, event, cancelled(event, nowMs));
}

interface Instance {
  readonly origin: Origin;
  readonly originalMs: number;
  readonly clocks: Clocks;
  readonly nowMs: number;
}

function cancelInstance(
  lines: readonly RawLine[],
  events: readonly RawEvent[],
  instance: Instance,
): string | undefined {
  const { originalMs, clocks, nowMs } = instance;
  const own = events.filter((event) => {
    const id = propertyOf(event, 'RECURRENCE-ID');
    return id !== undefined && paramOf(id, 'RANGE') === undefined && clocks.instantOf(id) === originalMs;
  });
  const masters = events.filter((event) => propertyOf(event, 'RECURRENCE-ID') === undefined);
  const [override] = own;
  if (own.length > 1 || masters.length > 1) return undefined;
  if (override !== undefined) return withProperties(lines, override, cancelled(override, nowMs));
  const [master] = masters;
  const added = master === undefined ? undefined : overrideOf(lines, master, instance);
  return master === undefined || added === undefined ? undefined : withEventAfter(lines, master, added);
}

/** A cancelled instance with the words of its series, without its alarms. */
function overrideOf(lines: readonly RawLine[], master: RawEvent, instance: Instance): string[] | undefined {
  const { origin, originalMs, clocks, nowMs } = instance;
  const start = propertyOf(master, 'DTSTART');
  if (start === undefined) return undefined;
  const end = propertyOf(master, 'DTEND');
  const kept = master.properties.filter(({ name }) => !NOT_INHERITED.has(name));
  const lineEnd = lineEndOf(lines[master.begin]);
  const times = [
    `RECURRENCE-ID${start.params}:${clocks.write(start, originalMs)}`,
    `DTSTART${start.params}:${clocks.write(start, origin.startMs)}`,
    ...(end === undefined ? [] : [`DTEND${end.params}:${clocks.write(end, origin.endMs)}`]),
    ...Object.entries(cancelled(master, nowMs)).map(([name, value]) => `${name}:${value}`),
  ];
  return [
    `BEGIN:VEVENT${lineEnd}`,
    ...kept.map(({ at }) => lines[at]?.raw ?? ''),
    ...times.map((line) => fold(line, lineEnd)),
    `END:VEVENT${lineEnd}`,
  ];
}

/** RFC 5546 §3.2.5: a cancellation has a higher SEQUENCE. */
function cancelled(event: RawEvent, nowMs: number): Record<string, string> {
  const sequence = Number(/^\s*(\d{1,9})\s*$/.exec(propertyOf(event, 'SEQUENCE')?.value ?? '')?.[1] ?? 0);
  return { STATUS: 'CANCELLED', SEQUENCE: String(sequence + 1), DTSTAMP: utcText(nowMs) };
}

/** Times as a property writes them, in its zone and form. */
class Clocks {
  private readonly site: Zone;
  private readonly names: ZoneNames;

  constructor(text: string, siteZone: string, toMs: number) {
    this.site = ianaZone(ianaName(siteZone) ?? siteZone);
    const even = evenLines(text);
    const calendar: CalendarPart = findComponents(even).events[0]?.calendar ?? { method: '', zones: new Map() };
    this.names = new ZoneNames(even, calendar, { toMs, budget: new Budget(ZONE_STEPS) });
  }

  /** @throws Spoiled */
  instantOf(property: RawProperty): number {
    const { kind, localMs } = parseStamp(property.value);
    return kind === 'utc' ? localMs : toInstant(this.zoneOf(property), localMs);
  }

  /** @throws Spoiled */
  write(like: RawProperty, atMs: number): string {
    const { kind } = parseStamp(like.value);
    if (kind === 'utc') return utcText(atMs);
    const local = utcText(toLocal(this.zoneOf(like), atMs)).slice(0, -1);
    return kind === 'date' ? local.slice(0, 8) : local;
  }

  private zoneOf(property: RawProperty): Zone {
    const tzid = paramOf(property, 'TZID');
    return tzid === undefined || parseStamp(property.value).kind === 'date' ? this.site : this.names.find(tzid);
  }
}

function utcText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}
