/**
 * Where the components of an iCalendar stream lie. Only VEVENT and VTIMEZONE are kept, as places in the text: their
 * properties are read when they are needed, so that a feed of 200,000 events costs little more memory than its text.
 * A component that is not closed, or closed by another's name, spoils its own event and nothing else.
 */
import { BudgetSpent } from '../rules/budget.ts';
import { shown } from './fault.ts';
import { type Line, LineReader, nameOf, parseLine } from './lines.ts';
import { unescapeText } from './values.ts';

/** VEVENTs of one object. */
export const MAX_EVENTS = 200_000;
/** VTIMEZONEs of one VCALENDAR; those after them are as good as not there. */
export const MAX_ZONES = 1_000;
/** How far up an END may reach past components that were left open. */
const MAX_REACH = 32;

/** What lies between BEGIN and END. */
export interface Block {
  readonly from: number;
  to: number;
  /** Line of BEGIN. */
  readonly line: number;
  /** Line of what follows BEGIN. */
  readonly firstLine: number;
}

export interface CalendarPart {
  /** METHOD in upper case, '' where there is none. */
  method: string;
  /** By TZID as written. The first definition of a name counts. */
  readonly zones: Map<string, Block>;
}

export interface EventBlock extends Block {
  /** '' where there is none. */
  uid: string;
  readonly calendar: CalendarPart;
  /** Why its lines or components cannot be relied on. */
  fault?: string | undefined;
}

export interface Components {
  readonly events: readonly EventBlock[];
  /** What is wrong outside of events, so that something may be missing. */
  readonly faults: readonly { readonly why: string; readonly line: number }[];
}

/** Components that RFC 5545 names and that are nothing to us. None of them may hold a VEVENT. */
const IGNORED = new Set(['VTODO', 'VJOURNAL', 'VFREEBUSY', 'VALARM', 'VAVAILABILITY']);

type Open =
  | { readonly kind: 'event'; readonly name: string; readonly block: EventBlock }
  | { readonly kind: 'zone'; readonly name: string; readonly block: Block; id: string | undefined }
  | { readonly kind: 'ignored' | 'unknown'; readonly name: string; readonly line: number };

/**
 * @param text after `evenLines`
 * @throws BudgetSpent when there are more than MAX_EVENTS events.
 */
export function findComponents(text: string): Components {
  return new Scan(text).run();
}

class Scan {
  readonly #text: string;
  readonly #events: EventBlock[] = [];
  readonly #faults: { why: string; line: number }[] = [];
  #calendar: CalendarPart | undefined;
  #top: Open | undefined;
  #nested: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  run(): Components {
    const reader = new LineReader(this.#text);
    let before = 0;
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      const { text } = line;
      const second = text.charCodeAt(1) | 0x20;
      // BEGIN, END: most lines are neither and are told apart by one letter.
      if (second === 0x65 && /^BEGIN[;:]/i.test(text)) this.#begin(wordOf(line), line.line, reader);
      else if (second === 0x6e && /^END[;:]/i.test(text)) this.#end(wordOf(line), line.line, before);
      else this.#property(line);
      before = reader.offset;
    }
    this.#closeTop(this.#text.length, 'it breaks off: the calendar ends within it');
    return { events: this.#events, faults: this.#faults };
  }

  #begin(name: string, line: number, reader: LineReader): void {
    const from = reader.offset;
    if (name === 'VCALENDAR') {
      this.#closeTop(from, `it is not closed before the VCALENDAR of line ${line}`);
      this.#calendar = { method: '', zones: new Map() };
      return;
    }
    const inside = this.#top;
    if (inside !== undefined) {
      if (name !== 'VEVENT' || inside.kind === 'unknown') {
        this.#nested.push(name);
        return;
      }
      this.#closeTop(from, `it is not closed before the VEVENT of line ${line}`);
    }
    const place = { from, to: from, line, firstLine: reader.line };
    if (name === 'VEVENT') this.#top = { kind: 'event', name, block: this.#openEvent(place) };
    else if (name === 'VTIMEZONE') this.#top = { kind: 'zone', name, block: place, id: undefined };
    else this.#top = { kind: IGNORED.has(name) ? 'ignored' : 'unknown', name, line };
  }

  #openEvent(place: Block): EventBlock {
    if (this.#events.length >= MAX_EVENTS) throw new BudgetSpent(`The calendar has more than ${MAX_EVENTS} events.`);
    const calendar = this.#calendar;
    const block: EventBlock = { ...place, uid: '', calendar: calendar ?? { method: '', zones: new Map() } };
    if (calendar === undefined) block.fault = 'it lies outside of every VCALENDAR';
    this.#events.push(block);
    return block;
  }

  #end(name: string, line: number, at: number): void {
    const top = this.#top;
    if (top === undefined) {
      if (name === 'VCALENDAR') this.#calendar = undefined;
      return;
    }
    if (this.#nested.at(-1) === name) {
      this.#nested.pop();
    } else if (name === top.name) {
      const open = this.#nested.at(-1);
      this.#closeTop(at, open === undefined ? undefined : `its ${open.slice(0, 40)} is not closed`);
    } else if (name === 'VCALENDAR') {
      this.#closeTop(at, 'it is not closed before the VCALENDAR ends');
      this.#calendar = undefined;
    } else {
      this.#spoil(`END:${name.slice(0, 40)} in line ${line} closes nothing`);
      const depth = this.#nested.lastIndexOf(name);
      if (depth >= 0 && depth >= this.#nested.length - MAX_REACH) this.#nested.length = depth;
    }
  }

  #closeTop(at: number, fault: string | undefined): void {
    const top = this.#top;
    if (top === undefined) return;
    if (fault !== undefined) this.#spoil(fault);
    if (top.kind === 'event' || top.kind === 'zone') top.block.to = at;
    if (top.kind === 'zone' && top.id !== undefined && fault === undefined && this.#calendar !== undefined) {
      const { zones } = this.#calendar;
      if (zones.size < MAX_ZONES && !zones.has(top.id)) zones.set(top.id, top.block);
    }
    if (top.kind === 'unknown' && fault !== undefined)
      this.#faults.push({
        why: `The component ${shown(top.name)} is wrong: ${fault}. What lies in it is not read.`,
        line: top.line,
      });
    this.#top = undefined;
    this.#nested = [];
  }

  /** The first fault of an event is kept: what follows it is often its consequence. */
  #spoil(why: string): void {
    if (this.#top?.kind === 'event') this.#top.block.fault ??= why;
  }

  #property(line: Line): void {
    const top = this.#top;
    if (top === undefined) {
      if (this.#calendar !== undefined && /^METHOD[;:]/i.test(line.text)) this.#calendar.method = wordOf(line);
      return;
    }
    if (this.#nested.length > 0) return;
    if (top.kind === 'event') {
      const name = nameOf(line.text);
      if (name === undefined) this.#spoil(`line ${line.line} is no content line: ${shown(line.text)}`);
      else if (name === 'UID') top.block.uid ||= unescapeText(valueIn(line)).trim();
    } else if (top.kind === 'zone' && /^TZID[;:]/i.test(line.text)) {
      top.id ??= unescapeText(valueIn(line)).trim();
    }
  }
}

function valueIn(line: Line): string {
  const parsed = parseLine(line);
  return typeof parsed === 'string' ? '' : parsed.value;
}

function wordOf(line: Line): string {
  return valueIn(line).trim().toUpperCase();
}
