/**
 * The recurrence set of one series (RFC 5545 §3.8.5): DTSTART, RRULE and RDATE without EXRULE and EXDATE. Rules run in
 * wall-clock time, instances are instants: two that a clock change brings to one instant count once.
 */
import type { Budget } from '../rules/budget.ts';
import { DAY_MS } from '../rules/civil.ts';
import { recur } from '../rules/recur.ts';
import { isRuleFault, parseRule, type Rule, ruleForDates } from '../rules/rule.ts';
import { toInstant, toLocal, type Zone } from './clock.ts';
import { charged, type Extra, type Moment, type Times, type VEvent } from './event.ts';
import { Spoiled } from './fault.ts';
import { type Length, roughMs } from './values.ts';

/** Instances of one series within what is asked for. A room booked every 12 minutes for 41 days comes to it. */
export const MAX_INSTANCES = 5_000;
/** A wall clock is at most this far from UTC, a clock change included. */
const MAX_OFFSET_MS = 2 * DAY_MS;
/** Up to so many instances are looked up one by one; more, by walking the stretch that holds them. */
const FEW = 4;

/** One instance before overrides: where the series puts it. */
export interface Instance {
  /** In the series' zone, as the rule has it: also a time that a clock change skips. */
  readonly localMs: number;
  readonly atMs: number;
  /** Where a PERIOD gives its own. */
  readonly length?: Length | undefined;
}

export class Series {
  readonly start: Moment;
  readonly length: Length;
  /** Of the series' length and those that its periods bring; a day may be an hour longer. */
  readonly longestMs: number;
  /** Its rules are walked, so it has more than one instance, or may have. */
  readonly recurs: boolean;
  readonly #zone: Zone;
  readonly #budget: Budget;
  readonly #rules: readonly Rule[];
  readonly #exRules: readonly Rule[];
  readonly #extra: readonly Extra[];
  readonly #without = new Set<number>();
  /** Days, as numbers since 1970, in the series' zone. */
  readonly #withoutDays = new Set<number>();

  /** @throws Spoiled when a rule or a date cannot be followed: then nothing of the series may be granted. */
  constructor(master: VEvent, times: Times, budget: Budget) {
    this.start = times.start;
    this.length = times.length;
    this.#zone = times.start.zone;
    this.#budget = budget;
    this.#rules = master.rules.map((text) => this.#readRule('RRULE', text));
    this.#exRules = master.exRules.map((text) => this.#readRule('EXRULE', text));
    this.#extra = master.extra.map((extra) => this.#checkExtra(extra));
    let longestMs = roughMs(this.length);
    for (const { length } of this.#extra) if (length !== undefined) longestMs = Math.max(longestMs, roughMs(length));
    this.longestMs = longestMs;
    this.recurs = this.#rules.length > 0 || this.#extra.length > 0;
    for (const exception of master.exceptions) this.#exclude(exception);
  }

  /**
   * Instances that start within `[fromMs, toMs)`, ascending.
   * @param limit of how many there may be. Exceptions count too: working them out costs as much.
   * @throws Spoiled when there are more.
   * @throws BudgetSpent
   */
  instances(fromMs: number, toMs: number, limit: number = MAX_INSTANCES): Instance[] {
    const found = this.#candidates(fromMs, toMs, limit);
    const dropped = new Set<number>();
    for (const rule of this.#exRules)
      for (const localMs of this.#walk(rule, fromMs, toMs, 'matching')) dropped.add(this.#instant(localMs));
    return [...found.values()]
      .filter((instance) => !dropped.has(instance.atMs) && !this.#isExcepted(instance))
      .sort((a, b) => a.atMs - b.atMs);
  }

  /** Which of these instants start an instance. */
  members(instants: readonly number[]): ReadonlySet<number> {
    const few = instants.length <= FEW;
    const spans = few
      ? instants.map((atMs) => [atMs, atMs] as const)
      : [[Math.min(...instants), Math.max(...instants)]];
    const wanted = new Set(instants);
    const found = new Set<number>();
    for (const [from, to] of spans)
      for (const { atMs } of this.instances(from ?? 0, (to ?? 0) + 1, Number.POSITIVE_INFINITY))
        if (wanted.has(atMs)) found.add(atMs);
    return found;
  }

  /** Whether an EXDATE takes this instant out, whatever the rules say. */
  excepts(atMs: number): boolean {
    return this.#isExcepted({ atMs, localMs: toLocal(this.#zone, atMs) });
  }

  /**
   * The instants that a RECURRENCE-ID may mean, the likeliest first. A date means the day's only instance; a floating
   * time in a series with a zone, which the RFC forbids, is read in the series' zone before the site's.
   */
  identified(id: Moment): readonly number[] {
    if (this.start.kind === 'date') return [this.#instant(dayOf(this.#dayIn(id)))];
    if (id.kind === 'date') {
      const from = toInstant(this.#zone, id.localMs);
      const ofDay = this.instances(from, toInstant(this.#zone, id.localMs + DAY_MS));
      return ofDay.length === 1 ? ofDay.map(({ atMs }) => atMs) : [];
    }
    return id.floating && !this.start.floating ? [this.#instant(id.localMs), id.atMs] : [id.atMs];
  }

  /** When an instance ends. Days follow the wall clock from where the rule puts it. */
  endOf({ localMs, atMs, length = this.length }: Instance): number {
    return endOf(this.#zone, localMs, atMs, length, this.#budget);
  }

  /** A time on the series' wall clock. */
  localOf(moment: Moment): number {
    return moment.zone === this.#zone ? moment.localMs : toLocal(this.#zone, moment.atMs);
  }

  localAt(atMs: number): number {
    return toLocal(this.#zone, atMs);
  }

  /** The instance moved on the wall clock. */
  shifted(instance: Instance, byMs: number, length: Length | undefined): Instance {
    const localMs = instance.localMs + byMs;
    return { localMs, atMs: this.#instant(localMs), length: length ?? instance.length };
  }

  #readRule(name: string, text: string): Rule {
    const written = parseRule(text);
    const rule = isRuleFault(written) || this.start.kind !== 'date' ? written : ruleForDates(written);
    if (isRuleFault(rule)) throw new Spoiled('bad_rule', `${name}: ${rule.why}`);
    if (this.start.kind !== 'date' || rule.until?.kind !== 'utc') return rule;
    // Whole days end on a day. UTC midnight is how many write that day; any other instant is looked up in the site's zone.
    const { valueMs } = rule.until;
    const day = valueMs % DAY_MS === 0 ? valueMs : dayOf(toLocal(this.#zone, valueMs));
    return { ...rule, until: { kind: 'date', valueMs: day } };
  }

  #checkExtra(extra: Extra): Extra {
    const isDate = extra.start.kind === 'date';
    if (isDate !== (this.start.kind === 'date'))
      throw new Spoiled('contradiction', 'Of DTSTART and RDATE one is a whole day and the other a time.');
    return extra;
  }

  /** Taking out too much opens no door: where an EXDATE can be read in two ways both are taken out. */
  #exclude(moment: Moment): void {
    if (moment.kind === 'date' || this.start.kind === 'date') this.#withoutDays.add(this.#dayIn(moment) / DAY_MS);
    if (moment.kind === 'date') return;
    this.#without.add(moment.atMs);
    if (moment.floating && !this.start.floating) this.#without.add(this.#instant(moment.localMs));
  }

  #isExcepted({ atMs, localMs }: Instance): boolean {
    return this.#without.has(atMs) || this.#withoutDays.has(Math.floor(localMs / DAY_MS));
  }

  /** Midnight, local, of the day that is meant: as written, but that of an instant in the series' zone. */
  #dayIn(moment: Moment): number {
    return dayOf(moment.kind === 'utc' ? toLocal(this.#zone, moment.atMs) : moment.localMs);
  }

  #candidates(fromMs: number, toMs: number, limit: number): Map<number, Instance> {
    const found = new Map<number, Instance>();
    const add = (instance: Instance) => {
      if (instance.atMs < fromMs || instance.atMs >= toMs) return;
      // Of a skipped time and the real one that it is moved to, the real one knows better where its days end.
      const known = found.get(instance.atMs);
      if (known !== undefined && known.localMs >= instance.localMs) return;
      found.set(instance.atMs, instance);
      if (found.size > limit)
        throw new Spoiled('too_many_instances', `The series has over ${limit} instances in the time that is read.`);
    };
    for (const rule of this.#rules)
      for (const localMs of this.#walk(rule, fromMs, toMs, 'first')) add({ localMs, atMs: this.#instant(localMs) });
    if (this.#rules.length === 0) add({ localMs: this.start.localMs, atMs: this.start.atMs });
    for (const { start, length } of this.#extra) {
      this.#budget.spend();
      add({ localMs: this.localOf(start), atMs: start.atMs, length });
    }
    return found;
  }

  #walk(rule: Rule, fromMs: number, toMs: number, start: 'first' | 'matching'): Iterable<number> {
    const untilMs = rule.until?.kind === 'utc' ? rule.until.valueMs : Number.POSITIVE_INFINITY;
    return recur(rule, this.start.localMs, {
      fromLocalMs: fromMs - MAX_OFFSET_MS,
      untilLocalMs: toMs + MAX_OFFSET_MS,
      budget: this.#budget,
      start,
      withinUntil: (localMs) => this.#instant(localMs) <= untilMs,
    });
  }

  #instant(localMs: number): number {
    return charged(this.#budget, () => toInstant(this.#zone, localMs));
  }
}

/** @param localMs where the wall clock was meant to stand at `atMs`; another where that time was skipped */
export function endOf(zone: Zone, localMs: number, atMs: number, length: Length, budget: Budget): number {
  if (length.days === 0) return atMs + length.exactMs;
  return charged(budget, () => toInstant(zone, localMs + length.days * DAY_MS)) + length.exactMs;
}

function dayOf(localMs: number): number {
  return Math.floor(localMs / DAY_MS) * DAY_MS;
}
