/**
 * All VEVENTs of one UID come to occurrences: which statement of an event is the newest, which instances are overridden,
 * moved or cancelled. What is not certain is not granted; see docs/adr/0010 for where the RFC leaves a choice.
 */
import type { Budget } from '../rules/budget.ts';
import { BudgetSpent } from '../rules/budget.ts';
import { DAY_MS } from '../rules/civil.ts';
import type { Occurrence, SetAside } from '../types.ts';
import { type Details, MAX_SUMMARY_CHARS, readDetails, textOf } from './details.ts';
import { type Broken, type Identity, isUtcMidnight, type Moment, type VEvent } from './event.ts';
import { Spoiled } from './fault.ts';
import { endOf, type Instance, Series } from './recurrence.ts';
import { type Length, roughMs } from './values.ts';

/** How far THISANDFUTURE may move a series: further is a new series. */
export const MAX_SHIFT_MS = 366 * DAY_MS;

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where an occurrence comes from. */
export interface Place {
  readonly uid: string;
  readonly collection: string;
  readonly href: string;
}

export interface Resolved {
  readonly occurrences: Occurrence[];
  readonly setAside: SetAside[];
}

type Statement = VEvent | Broken;

/**
 * @param events all statements of one UID in the order of the object
 * @throws BudgetSpent
 */
export function resolve(place: Place, events: readonly Statement[], window: Window, budget: Budget): Resolved {
  return new Resolver(place, window, budget).run(events);
}

/** Newer by SEQUENCE, then by DTSTAMP or LAST-MODIFIED; of two equal ones the later in the file. */
function newest<T extends Statement>(events: readonly T[]): T | undefined {
  let best: T | undefined;
  for (const event of events) if (best === undefined || !isNewer(best.identity, event.identity)) best = event;
  return best;
}

function isNewer(a: Identity | undefined, b: Identity | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.sequence === b.sequence ? a.stampMs > b.stampMs : a.sequence > b.sequence;
}

interface Override {
  readonly event: VEvent;
  /** Original start of the instance. */
  readonly atMs: number;
}

/** From an instance on: another override, another time, another length. */
interface Range extends Override {
  readonly shiftMs: number;
  readonly length: Length | undefined;
}

class Resolver {
  readonly #place: Place;
  readonly #window: Window;
  readonly #budget: Budget;
  readonly #occurrences: Occurrence[] = [];
  readonly #setAside: SetAside[] = [];
  readonly #details = new Map<VEvent, Details>();

  constructor(place: Place, window: Window, budget: Budget) {
    this.#place = place;
    this.#window = window;
    this.#budget = budget;
  }

  run(events: readonly Statement[]): Resolved {
    const unknown = events.find((event) => event.identity === undefined);
    const master = newest(events.filter((event) => event.identity?.recurrenceId === undefined));
    const overrides = events.filter((event) => event.identity?.recurrenceId !== undefined);
    if (unknown !== undefined && !unknown.ok) this.#aside(unknown, events.length > 1);
    else if (master === undefined) this.#orphans(overrides);
    else if (!master.ok) this.#aside(master, overrides.length > 0);
    else this.#whole(master, overrides);
    return { occurrences: this.#occurrences, setAside: this.#setAside };
  }

  /** A series stands or falls as one: half of it may be the half that was cancelled. */
  #whole(master: VEvent, overrides: readonly Statement[]): void {
    if (master.times === undefined) return; // cancelled without a time: nothing is left to show
    try {
      this.#series(master, new Series(master, master.times, this.#budget), overrides);
    } catch (error) {
      this.#occurrences.length = 0;
      this.#setAside.length = 0;
      const { code, why } = faultOf(error, this.#budget);
      this.#aside({ ok: false, block: master.block, properties: master.properties, code, why }, overrides.length > 0);
    }
  }

  #series(master: VEvent, series: Series, statements: readonly Statement[]): void {
    const { single, ranges, gone } = this.#sortOverrides(master, series, statements);
    for (const { event, atMs } of [...single.values(), ...ranges])
      if (!gone.has(atMs)) this.#own(event, atMs, master, series);
    const taken = new Set([...single.keys(), ...gone, ...ranges.map(({ atMs }) => atMs)]);
    let next = 0;
    // Both ascend: the range that holds an instance is the last one that began.
    for (const instance of this.#originals(series, ranges)) {
      while ((ranges[next]?.atMs ?? Number.POSITIVE_INFINITY) <= instance.atMs) next += 1;
      if (taken.has(instance.atMs)) continue;
      const range = ranges[next - 1];
      const from = range?.event ?? master;
      const moved = range === undefined ? instance : series.shifted(instance, range.shiftMs, range.length);
      const id = series.recurs ? instance.atMs : undefined;
      this.#add(from, moved.atMs, series.endOf(moved), id, statusUnder(master, from));
    }
  }

  /** Everything that may end up in the window, wherever THISANDFUTURE moves it. */
  #originals(series: Series, ranges: readonly Range[]): Instance[] {
    let [back, forth] = [0, 0];
    for (const { shiftMs, length } of ranges) {
      back = Math.max(back, shiftMs + roughMs(length ?? series.length));
      forth = Math.max(forth, -shiftMs);
    }
    const fromMs = this.#window.fromMs - Math.max(back, series.longestMs) - 2 * DAY_MS;
    return series.instances(fromMs, this.#window.toMs + (ranges.length > 0 ? forth + 2 * DAY_MS : 0));
  }

  #sortOverrides(master: VEvent, series: Series, statements: readonly Statement[]) {
    const single = new Map<number, Override>();
    const ranges: Range[] = [];
    /** Instances whose override cannot be followed: neither it nor what it replaces is granted. */
    const gone = new Set<number>();
    for (const [atMs, statement] of this.#matched(series, statements)) {
      const following = statement.identity?.following === true;
      if (!statement.ok || recursByItself(statement, master)) {
        const fault = statement.ok
          ? broken(statement, 'contradiction', 'The event overrides one instance and recurs by itself.')
          : statement;
        if (following)
          throw new Spoiled(fault.code, `An override of all following instances cannot be followed. ${fault.why}`);
        gone.add(atMs);
        this.#aside(fault, false);
      } else if (following) {
        ranges.push(this.#range(statement, atMs, series));
        // An EXDATE takes out the first instance that the override speaks of, not those that follow.
        if (series.excepts(atMs)) gone.add(atMs);
      } else single.set(atMs, { event: statement, atMs });
    }
    ranges.sort((a, b) => a.atMs - b.atMs);
    return { single, ranges, gone };
  }

  /** The newest statement about each instance that the series has. Those about others are set aside or fall away. */
  #matched(series: Series, statements: readonly Statement[]): Map<number, Statement> {
    const candidates = statements.map((statement) => {
      const id = statement.identity?.recurrenceId;
      return { statement, instants: id === undefined ? [] : meanings(series, id) };
    });
    const members = series.members(candidates.flatMap(({ instants }) => instants));
    const byInstant = new Map<number, Statement[]>();
    for (const { statement, instants } of candidates) {
      const atMs = instants.find((instant) => members.has(instant));
      if (atMs !== undefined) add(byInstant, atMs, statement);
      else {
        const excepted = instants.find((instant) => series.excepts(instant));
        if (excepted !== undefined && statement.identity?.following === true) add(byInstant, excepted, statement);
        else this.#unmatched(statement, excepted !== undefined);
      }
    }
    const matched = new Map<number, Statement>();
    for (const [atMs, about] of byInstant) {
      const best = newest(about);
      if (best !== undefined) matched.set(atMs, best);
    }
    return matched;
  }

  /** An EXDATE takes out an override as well; a cancelled one grants nothing anyway. */
  #unmatched(statement: Statement, excepted: boolean): void {
    if (statement.identity?.following === true)
      throw new Spoiled(
        'contradiction',
        'An override of all following instances begins at a time that the series does not have.',
      );
    if (excepted || (statement.ok && statement.status === 'cancelled')) return;
    const why = 'The event overrides an instance that its series does not have (any more).';
    this.#aside(statement.ok ? broken(statement, 'contradiction', why) : statement, false);
  }

  #range(event: VEvent, atMs: number, series: Series): Range {
    const { times } = event;
    if (times === undefined) return { event, atMs, shiftMs: 0, length: undefined };
    if ((times.start.kind === 'date') !== (series.start.kind === 'date'))
      throw new Spoiled(
        'contradiction',
        'An override turns all following instances from times into whole days or back.',
      );
    const shiftMs = series.localOf(times.start) - series.localAt(atMs);
    if (Math.abs(shiftMs) > MAX_SHIFT_MS)
      throw new Spoiled('contradiction', 'An override moves all following instances by more than a year.');
    return { event, atMs, shiftMs, length: times.length };
  }

  /** An override at its own times; a cancelled one without times at those of the instance. */
  #own(event: VEvent, atMs: number, master: VEvent, series: Series): void {
    const status = statusUnder(master, event);
    if (event.times !== undefined) this.#addTimes(event, atMs, status);
    else {
      const instance = { localMs: series.localAt(atMs), atMs };
      this.#add(event, atMs, series.endOf(instance), atMs, status);
    }
  }

  /** Overrides whose series is not in the object: an invitation to single days. Each stands for itself. */
  #orphans(statements: readonly Statement[]): void {
    const byInstant = new Map<number, Statement[]>();
    for (const statement of statements) {
      const atMs = statement.identity?.recurrenceId?.atMs ?? 0;
      add(byInstant, atMs, statement);
    }
    for (const [atMs, about] of byInstant) {
      const best = newest(about);
      if (best === undefined) continue;
      if (!best.ok) this.#aside(best, false);
      else if (best.rules.length > 0 || best.extra.length > 0)
        this.#aside(broken(best, 'contradiction', 'The event overrides one instance and recurs by itself.'), false);
      else this.#addTimes(best, atMs, best.status);
    }
  }

  #addTimes(event: VEvent, originalMs: number, status: Occurrence['status']): void {
    if (event.times === undefined) return;
    const { start, length } = event.times;
    const endMs = endOf(start.zone, start.localMs, start.atMs, length, this.#budget);
    this.#add(event, start.atMs, endMs, originalMs, status);
  }

  #add(
    event: VEvent,
    startMs: number,
    endMs: number,
    originalMs: number | undefined,
    status: Occurrence['status'],
  ): void {
    if (startMs >= this.#window.toMs || endMs <= this.#window.fromMs || startMs >= endMs) return;
    let details = this.#details.get(event);
    if (details === undefined) {
      details = readDetails(event.properties);
      this.#details.set(event, details);
    }
    this.#budget.spend();
    const { uid, collection, href } = this.#place;
    const recurrenceId = originalMs === undefined ? undefined : utcText(originalMs);
    const { sequence, stampMs } = event.identity;
    this.#occurrences.push({
      uid,
      recurrenceId,
      startMs,
      endMs,
      status,
      sequence,
      stampMs,
      ...details,
      collection,
      href,
    });
  }

  /** @param more other statements of this UID fall with it */
  #aside({ block, properties, code, why, startMs }: Broken, more: boolean): void {
    const single = !properties.has('RRULE') && !properties.has('RDATE') && !more;
    const { fromMs, toMs } = this.#window;
    // Old events without length are in every export; only what might have granted in the window is worth a word.
    if (code === 'no_times' && single && startMs !== undefined && (startMs < fromMs || startMs >= toMs)) return;
    const { uid, href } = this.#place;
    const all = more ? ' Nothing of this series is granted.' : '';
    const summary = textOf(properties, 'SUMMARY', MAX_SUMMARY_CHARS);
    this.#setAside.push({ uid, summary, code, why: `${why}${all}`, line: block.line, href });
  }
}

function add(into: Map<number, Statement[]>, atMs: number, statement: Statement): void {
  const about = into.get(atMs);
  if (about === undefined) into.set(atMs, [statement]);
  else about.push(statement);
}

/**
 * Of a whole-day series, midnight in UTC is how senders write the day itself; west of Greenwich the building's clock
 * still shows the day before, which it means only where the series has no other.
 */
function meanings(series: Series, id: Moment): readonly number[] {
  const read = series.identified(id);
  if (series.start.kind !== 'date' || !isUtcMidnight(id)) return read;
  return [...series.identified({ ...id, kind: 'date' }), ...read];
}

/**
 * Some senders (Confluence among them) copy the series' own rule into an override of one instance: that instance is
 * where the override says, whichever way the copy is meant. Another rule is another series, and cannot be followed.
 */
function recursByItself({ rules, extra, identity }: VEvent, master: VEvent): boolean {
  if (rules.length === 0 && extra.length === 0) return false;
  return identity.following || extra.length > 0 || !rules.every((rule) => master.rules.includes(rule));
}

/** A cancelled series cancels each of its overrides that is not newer than the cancellation. */
function statusUnder(master: VEvent, event: VEvent): Occurrence['status'] {
  if (event === master || master.status !== 'cancelled') return event.status;
  return isNewer(event.identity, master.identity) ? event.status : 'cancelled';
}

function broken(event: VEvent, code: Broken['code'], why: string): Broken {
  return { ...event, ok: false, code, why, startMs: event.times?.start.atMs };
}

/** What an exception says of an event; others are faults of ours and go on. */
function faultOf(error: unknown, budget: Budget): Pick<Broken, 'code' | 'why'> {
  if (error instanceof Spoiled) return error;
  if (error instanceof BudgetSpent && budget.left <= 0)
    return { code: 'too_many_instances', why: 'The event takes more work to read than any booking needs.' };
  throw error;
}

/** `20260329T003000Z` */
function utcText(atMs: number): string {
  return new Date(atMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}
