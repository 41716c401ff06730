/**
 * iCalendar (RFC 5545, 6868, 7986) to occurrences. Pure: the answer depends on the text, the site's zone, the window and
 * the zone database, never on the host's zone or clock. One bad event is set aside and the others stand.
 */
import { createHash } from 'node:crypto';
import { Budget, BudgetSpent } from '../rules/budget.ts';
import type { CalendarObject, ExpandRequest, Expansion, Occurrence, SetAside } from '../types.ts';
import { ianaZone, type Zone } from './clock.ts';
import { type CalendarPart, type EventBlock, findComponents } from './components.ts';
import { readEvent } from './event.ts';
import { evenLines, LineReader } from './lines.ts';
import { resolve } from './resolve.ts';
import { ianaName, ZoneNames } from './zones.ts';

/** Steps that the events of one UID may take: some tenths of a second on a Pi. */
export const EVENT_STEPS = 500_000;
/** Steps that all objects of a request may take together: above it the answer as a whole is `too_costly`. */
export const REQUEST_STEPS = 20_000_000;
/** Occurrences of one object. 1,000 rooms booked 24 times a day for nine days come to it. */
export const MAX_OCCURRENCES = 200_000;
/** Set-aside entries of one object; one more says how many there are beyond. */
export const MAX_SET_ASIDE = 1_000;
export const MAX_UID_CHARS = 1_000;
/** What tells events without UID apart. */
const LASTING = /^(DTSTART|DTEND|DURATION|RRULE|RDATE|SUMMARY|LOCATION)[;:]/i;

export interface ExpandIcsOptions extends Pick<ExpandRequest, 'siteZone' | 'fromMs' | 'toMs'> {
  /** Shared by the objects of one request. */
  readonly budget: Budget;
}

/**
 * The occurrences of one object that overlap `[fromMs, toMs)`.
 * @throws BudgetSpent when the object as a whole is too costly.
 * @throws RangeError when the site's zone is no IANA name.
 */
export function expandIcs(object: CalendarObject, options: ExpandIcsOptions): Expansion {
  const text = evenLines(object.body);
  const { events, faults } = findComponents(text);
  const reading = new Reading(object, text, options);
  for (const [uid, blocks] of byUid(events)) reading.group(uid, blocks);
  for (const { why, line } of faults)
    reading.aside({ uid: '', summary: '', code: 'malformed', why, line, href: object.href });
  return reading.result();
}

function byUid(events: readonly EventBlock[]): Map<string, EventBlock[]> {
  const groups = new Map<string, EventBlock[]>();
  for (const event of events) {
    const group = groups.get(event.uid);
    if (group === undefined) groups.set(event.uid, [event]);
    else group.push(event);
  }
  return groups;
}

class Reading {
  readonly #object: CalendarObject;
  readonly #text: string;
  readonly #options: ExpandIcsOptions;
  readonly #site: Zone;
  readonly #zones = new Map<CalendarPart, ZoneNames>();
  readonly #occurrences: Occurrence[] = [];
  readonly #setAside: SetAside[] = [];
  #notShown = 0;
  #events = 0;

  constructor(object: CalendarObject, text: string, options: ExpandIcsOptions) {
    this.#object = object;
    this.#text = text;
    this.#options = options;
    const name = ianaName(options.siteZone) ?? options.siteZone;
    this.#site = ianaZone(name);
    this.#site.offsetAt(options.fromMs); // throws here, not in the midst, for a zone that is none
  }

  group(uid: string, blocks: readonly EventBlock[]): void {
    if (uid === '') for (const block of blocks) this.#nameless(block);
    else if (uid.length > MAX_UID_CHARS) for (const block of blocks) this.#refuse(block, 'Its UID is too long.');
    else this.#resolve(uid, blocks);
  }

  /**
   * The RFC wants a UID in every event, and many small exporters forget it. An event without one still says clearly when
   * and where it is: it gets an id from its own words, the same at every look. What an override belongs to is not clear.
   */
  #nameless(block: EventBlock): void {
    const reader = new LineReader(this.#text, block.from, block.to, block.firstLine);
    const lasting: string[] = [];
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      if (/^RECURRENCE-ID[;:]/i.test(line.text)) {
        this.#refuse(block, 'The event overrides an instance and has no UID: of which series?');
        return;
      }
      if (LASTING.test(line.text)) lasting.push(line.text);
    }
    const digest = createHash('sha256').update(lasting.sort().join('\n')).digest('hex').slice(0, 32);
    this.#resolve(`no-uid-${digest}`, [block]);
  }

  #resolve(uid: string, blocks: readonly EventBlock[]): void {
    const { budget } = this.#options;
    const mine = new Budget(Math.min(EVENT_STEPS, budget.left));
    const before = mine.left;
    const place = { uid, collection: this.#object.collection, href: this.#object.href };
    this.#events += 1;
    try {
      const statements = blocks.map((block) => this.#read(block, mine));
      const { occurrences, setAside } = resolve(place, statements, this.#options, mine);
      for (const occurrence of occurrences) this.#occurrences.push(occurrence);
      for (const entry of setAside) this.aside(entry);
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error;
      for (const block of blocks.slice(0, 1))
        this.#refuse(block, 'The event takes more work to read than any booking needs.', uid, 'too_many_instances');
    }
    // The event ran into the end of the request's budget, not of its own: what it says is not known, nor what follows.
    if (before < EVENT_STEPS && mine.left === 0)
      throw new BudgetSpent('The calendar takes more work to read than it may.');
    budget.spend(before - mine.left);
    if (this.#occurrences.length > MAX_OCCURRENCES)
      throw new BudgetSpent(`The calendar has more than ${MAX_OCCURRENCES} occurrences in the time that is read.`);
  }

  #read(block: EventBlock, budget: Budget) {
    let zones = this.#zones.get(block.calendar);
    if (zones === undefined) {
      zones = new ZoneNames(this.#text, block.calendar, this.#options);
      this.#zones.set(block.calendar, zones);
    }
    return readEvent(block, { text: this.#text, site: this.#site, zones, budget });
  }

  #refuse(block: EventBlock, why: string, uid = '', code: SetAside['code'] = 'malformed'): void {
    if (uid === '') this.#events += 1;
    this.aside({ uid, summary: '', code, why, line: block.line, href: this.#object.href });
  }

  aside(entry: SetAside): void {
    if (this.#setAside.length < MAX_SET_ASIDE) this.#setAside.push(entry);
    else this.#notShown += 1;
  }

  result(): Expansion {
    const setAside = [...this.#setAside];
    if (this.#notShown > 0) {
      const why = `${this.#notShown} more events were set aside; mend those above first.`;
      setAside.push({ uid: '', summary: '', code: 'malformed', why, href: this.#object.href });
    }
    return { occurrences: this.#occurrences, setAside, events: this.#events };
  }
}
