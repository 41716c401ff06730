/**
 * One source: looks when it is told to, believes or holds what it gets, and keeps what is believed in force. Only one
 * look at a time, and only one change is taken in at a time; a push that comes in while a look is under way counts,
 * and the look, whose answer may be older, is made again.
 */
import { denyEvents, statedNow, statedOf, weighty, withDenied } from './hold.ts';
import {
  type ExpanderPort,
  type IntakePorts,
  keepObjects,
  keptObjects,
  LOOK_BACK_MS,
  mapAll,
  takeIn,
} from './intake.ts';
import type { Directory, MappingRules } from './mapping.ts';
import type { SourceSettings } from './settings.ts';
import { placeOf, readStanding, reasonsAfter, type Standing } from './standing.ts';
import { judge, type Stated, type Verdict } from './trust.ts';
import type {
  CalendarObject,
  CalendarSource,
  Expansion,
  Occurrence,
  PartialFault,
  Polled,
  Pushed,
  PushRequest,
} from './types.ts';

export interface FeedLog {
  info(detail: object, message: string): void;
  warn(detail: object, message: string): void;
  error(detail: object, message: string): void;
}

/** What a feed shares with its host. */
export interface FeedPorts extends IntakePorts {
  readonly expander: ExpanderPort;
  readonly siteZone: string;
  readonly horizonMs: number;
  maxScheduleAgeMs(): number;
  readonly log: FeedLog;
  directory(): { readonly directory: Directory; readonly print: string };
  /** Fingerprint of the settings, the zone and the members. */
  mapping(settings: SourceSettings): string;
  /** Its standing changed: alarms, freshness and metrics follow. */
  standingChanged(feed: Feed): void;
}

export type Looked =
  | { readonly kind: 'good'; readonly changed: boolean }
  | { readonly kind: 'held' }
  /** Some of its collections could not be read. */
  | { readonly kind: 'partly' | 'failed'; readonly retryAfterMs?: number | undefined }
  /** A push overtook it, or the gateway stops. */
  | { readonly kind: 'again' };

/** `removed` undefined: `changed` is all there is. */
interface Change {
  readonly changed: readonly CalendarObject[];
  readonly removed: readonly string[] | undefined;
}

export class Feed {
  readonly settings: SourceSettings;
  readonly source: CalendarSource;
  readonly #ports: FeedPorts;
  #standing: Standing;
  #cursor: string | undefined;
  /** Counts changes that were taken in, to see whether one came in during a look. */
  #changes = 0;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #stop = new AbortController();

  constructor(settings: SourceSettings, source: CalendarSource, ports: FeedPorts) {
    this.settings = settings;
    this.source = source;
    this.#ports = ports;
    const record = ports.store.calendars.sources().find((kept) => kept.source === settings.id);
    this.#standing = readStanding(record?.state);
    this.#cursor = record?.cursor;
    const place = placeOf(settings);
    if (this.#standing.place !== place) {
      // Another place: what was believed of the old one is no measure, and its bookings stand until it was read.
      this.#cursor = undefined;
      this.#standing = { ...this.#standing, place, hold: undefined, moved: true };
    }
  }

  get id(): string {
    return this.settings.id;
  }
  get standing(): Standing {
    return this.#standing;
  }

  /** Aborts the look under way; resolves when nothing of this feed runs any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#turn.catch(() => {});
  }

  /** Whether bookings have to be worked out anew although the source says nothing new. */
  get stale(): boolean {
    const { mapping, expandedToMs, unfinished, lastGoodAtMs, hold } = this.#standing;
    if (lastGoodAtMs === undefined) return false;
    const aheadMs = this.#ports.nowMs() + this.#ports.horizonMs - REEXPAND_MS;
    // Further ahead than can be: the clock was wrong then, and what was over or too far off by it is not taken in yet.
    const wrong = expandedToMs > aheadMs + 2 * REEXPAND_MS;
    // What a held answer refuses waits for the hold's end.
    const leftOver = unfinished && hold === undefined;
    return leftOver || mapping !== this.#ports.mapping(this.settings) || expandedToMs < aheadMs || wrong;
  }

  /** Works the kept objects out anew: a new day at the horizon, other members, other settings. */
  async remap(): Promise<void> {
    await this.#inTurn(async () => {
      if (!this.stale) return;
      const tooOld = new Set(this.#tooOld(this.#standing.late));
      const all = await keptObjects(this.#ports.store.calendars, this.id);
      const kept = all.filter(({ collection }) => !tooOld.has(collection));
      const expansion = await this.#expand(kept);
      if ('fault' in expansion) {
        this.#ports.log.error({ source: this.id, why: expansion.why }, 'calendar: kept events cannot be worked out');
        this.#keep({ ...this.#standing, state: 'failing', why: expansion.why });
        return;
      }
      // Nor does it come back out of what is kept, also while the source fails meanwhile.
      const allowed = withDenied(expansion, this.#standing.hold);
      await this.#accept({ changed: kept, removed: undefined }, allowed, { keep: false });
    });
  }

  async look(): Promise<Looked> {
    const askedAtMs = this.#ports.nowMs();
    const changesBefore = this.#changes;
    let polled: Polled;
    try {
      polled = await this.source.poll(this.#cursor, this.#stop.signal);
    } catch (error) {
      this.#ports.log.error({ err: error, source: this.id }, 'calendar: a source broke');
      polled = { kind: 'failed', code: 'unreachable', why: 'Reading it broke inside the gateway; see its log.' };
    }
    if (this.#stop.signal.aborted) return { kind: 'again' };
    return await this.#inTurn(async () => {
      if (this.#changes !== changesBefore) return { kind: 'again' };
      return await this.#answered(polled, askedAtMs);
    });
  }

  /** @returns undefined where the source takes no messages */
  async receive(push: PushRequest): Promise<Pushed['kind'] | undefined> {
    if (this.source.receive === undefined) return undefined;
    // One after the other: each message moves the cursor that the next is held against.
    return await this.#inTurn(async () => {
      const pushed = await this.source.receive?.(push, this.#cursor, this.#stop.signal);
      if (pushed === undefined) return undefined;
      if (pushed.kind === 'refused' || pushed.kind === 'malformed') {
        this.#ports.log.warn({ source: this.id, why: pushed.why }, `calendar: a message was ${pushed.kind}`);
      }
      if (pushed.kind !== 'delta') return pushed.kind;
      const { changed, removed, cursor } = pushed;
      const expansion = await this.#expand(changed);
      if ('fault' in expansion) {
        this.#ports.log.warn({ source: this.id, why: expansion.why }, 'calendar: a message cannot be read');
        return 'malformed';
      }
      this.#changes += 1;
      const bookings = await this.#accept({ changed, removed }, expansion, { keep: true, cursor });
      this.#ports.log.info({ source: this.id, bookings }, 'calendar: changed by a message');
      return 'delta';
    });
  }

  async #answered(polled: Polled, askedAtMs: number): Promise<Looked> {
    if (polled.kind === 'failed') return this.#failed(polled.code, polled.why, askedAtMs, polled.retryAfterMs);
    if (polled.kind === 'unchanged') {
      this.#good(askedAtMs);
      return { kind: 'good', changed: false };
    }
    const change = this.#changeOf(polled);
    const expansion = await this.#expand(change.changed);
    if ('fault' in expansion) return this.#failed(expansion.fault, expansion.why, askedAtMs);
    const rules = this.#rules(polled.cursor);
    const stated = await weighty(expansion.occurrences, rules, this.#ports.directory().directory);
    const verdict = await this.#judged(change, stated);
    if (verdict !== undefined && !verdict.accept) {
      const { code, why, next, deny } = verdict;
      if (this.#standing.state !== 'held') this.#ports.log.warn({ source: this.id, code, why }, 'calendar: held');
      await denyEvents(this.#ports, this.id, deny);
      this.#keep({ ...this.#standing, state: 'held', why, hold: next.hold, lastTriedAtMs: askedAtMs, failures: 0 });
      // What was refused meanwhile comes back with the kept objects once the source is believed again.
      if (deny.length > 0) this.#keep({ ...this.#standing, unfinished: true });
      return { kind: 'held' };
    }
    const bookings = await this.#accept(change, expansion, { keep: true, cursor: polled.cursor });
    if (polled.partial === undefined) {
      this.#good(askedAtMs, bookings);
      return { kind: 'good', changed: true };
    }
    return await this.#partly(polled.partial, askedAtMs);
  }

  /** A whole answer that could not be had of all collections is a change of the others. */
  #changeOf(polled: Extract<Polled, { kind: 'snapshot' | 'delta' }>): Change {
    if (polled.kind === 'delta') return { changed: polled.changed, removed: polled.removed };
    if (polled.partial === undefined) return { changed: polled.objects, removed: undefined };
    const there = new Set(polled.objects.map(({ href }) => href));
    const others = this.#ports.store.calendars.hrefs(this.id, { without: polled.partial.collections });
    return { changed: polled.objects, removed: others.filter((href) => !there.has(href)) };
  }

  /** The rest is fresh; what is held of the collections that could not be read stands until it is too old. */
  async #partly({ why, collections, retryAfterMs }: PartialFault, askedAtMs: number): Promise<Looked> {
    const { calendars } = this.#ports.store;
    const { late, lastGoodAtMs = askedAtMs, failures } = this.#standing;
    const after = Object.fromEntries(collections.map((name) => [name, late[name] ?? lastGoodAtMs]));
    const tooOld = this.#tooOld(after);
    if (tooOld.length > 0) {
      const hrefs = calendars.hrefs(this.id, { only: tooOld });
      const cancelled = await takeIn(this.#ports, this.id, [], hrefs);
      if (cancelled > 0) {
        this.#ports.log.warn({ source: this.id, collections: tooOld, cancelled }, 'calendar: collections are too old');
      }
    }
    this.#keep({
      ...this.#standing,
      ...this.#caughtUp(after),
      state: 'failing',
      why,
      failures: failures + 1,
      hold: undefined,
      lastTriedAtMs: askedAtMs,
      lastGoodAtMs: askedAtMs,
    });
    return { kind: 'partly', retryAfterMs };
  }

  #tooOld(late: Standing['late']): readonly string[] {
    const oldestMs = this.#ports.nowMs() - this.#ports.maxScheduleAgeMs();
    return Object.keys(late).filter((name) => (late[name] ?? 0) < oldestMs);
  }

  /** What was cancelled for its age comes back with the kept objects. */
  #caughtUp(after: Standing['late']): Pick<Standing, 'late' | 'unfinished'> {
    const back = this.#tooOld(this.#standing.late).some((name) => !(name in after));
    return { late: after, unfinished: back || this.#standing.unfinished };
  }

  /**
   * A whole answer is always held against what stood. A change names what it takes away, and is believed unless it takes
   * more than anybody does by hand.
   */
  async #judged(change: Change, occurrences: readonly Occurrence[]): Promise<Verdict | undefined> {
    const { calendars } = this.#ports.store;
    const nowMs = this.#ports.nowMs();
    if (this.#standing.lastGoodAtMs === undefined || this.#standing.moved) return undefined;
    const known = await statedNow(calendars, this.id, nowMs);
    let stated: readonly Stated[] = occurrences;
    if (change.removed !== undefined) {
      const hrefs = [...change.changed.map(({ href }) => href), ...change.removed];
      const taken = new Set(calendars.told(this.id, nowMs, hrefs));
      if (taken.size < MANY_LOST) return undefined;
      const touched = new Set(calendars.origins([...taken]).map(({ uid }) => uid));
      stated = [...known.filter(([uid]) => !touched.has(uid)).map(statedOf), ...occurrences];
    }
    const { toMs } = this.#window();
    return judge({ known, hold: this.#standing.hold }, { nowMs, toMs, stated }, this.settings);
  }

  #failed(code: string, why: string, askedAtMs: number, retryAfterMs?: number): Looked {
    const failures = this.#standing.failures + 1;
    if (failures === 1 || this.#standing.why !== why)
      this.#ports.log.warn({ source: this.id, code, why }, 'calendar: cannot be read');
    this.#keep({ ...this.#standing, state: 'failing', why, failures, lastTriedAtMs: askedAtMs });
    return { kind: 'failed', retryAfterMs };
  }

  #good(askedAtMs: number, bookings?: number): void {
    const { state } = this.#standing;
    if (state !== 'ok') this.#ports.log.info({ source: this.id, was: state }, 'calendar: read well');
    if (bookings !== undefined) this.#ports.log.info({ source: this.id, bookings }, 'calendar: changed');
    this.#keep(
      {
        ...this.#standing,
        ...this.#caughtUp({}),
        state: 'ok',
        why: '',
        failures: 0,
        hold: undefined,
        lastTriedAtMs: askedAtMs,
        lastGoodAtMs: askedAtMs,
      },
      state !== 'ok' || bookings !== undefined,
    );
  }

  #window(): { readonly fromMs: number; readonly toMs: number } {
    const nowMs = this.#ports.nowMs();
    return { fromMs: nowMs - LOOK_BACK_MS, toMs: nowMs + this.#ports.horizonMs };
  }

  #expand(objects: readonly CalendarObject[]) {
    const { siteZone, expander } = this.#ports;
    return expander.expand({ objects, siteZone, ...this.#window() }, this.#stop.signal);
  }

  /** Keeps the objects and brings the bookings in force. Returns how many changed. */
  async #accept(
    change: Change,
    expansion: Expansion,
    options: { readonly keep: boolean; readonly cursor?: string | undefined },
  ): Promise<number> {
    const { changed, removed } = change;
    const { calendars } = this.#ports.store;
    const whole = removed === undefined;
    const { unfinished } = this.#standing;
    const { directory } = this.#ports.directory();
    // Before the work: a member who changes meanwhile makes it stale again.
    const mapping = whole ? this.#ports.mapping(this.settings) : this.#standing.mapping;
    const { toMs } = this.#window();
    const { cursor = this.#cursor } = options;
    const taken = await mapAll(expansion.occurrences, this.#rules(cursor), directory);
    this.#keep({ ...this.#standing, unfinished: true }, true);
    if (options.keep) {
      const there = new Set(changed.map(({ href }) => href));
      const gone = whole ? calendars.hrefs(this.id).filter((href) => !there.has(href)) : removed;
      await keepObjects(this.#ports, this.id, changed, gone);
      // Not before: a power cut would leave the new cursor beside the old objects, and the source says `unchanged` to it.
      this.#cursor = cursor;
    }
    const hrefs = whole ? undefined : [...changed.map(({ href }) => href), ...removed];
    const bookings = await takeIn(this.#ports, this.id, taken.said, hrefs);
    this.#standing = {
      ...this.#standing,
      ...reasonsAfter(this.#standing, expansion, taken, hrefs),
      mapping,
      moved: this.#standing.moved && !whole,
      expandedToMs: whole ? toMs : this.#standing.expandedToMs,
      // A delta does not heal what a whole read left half done, nor is what stays refused worked out in full.
      unfinished: whole ? !options.keep && (this.#standing.hold?.denied.length ?? 0) > 0 : unfinished,
      lastChangedAtMs: options.keep ? this.#ports.nowMs() : this.#standing.lastChangedAtMs,
    };
    this.#keep(this.#standing, true);
    return bookings;
  }

  #rules(cursor = this.#cursor): MappingRules {
    const { id, priority, rooms, holder } = this.settings;
    const names = cursor === undefined ? undefined : this.source.labels?.(cursor);
    const collectionLabels = names && ((collection: string) => names[collection] ?? []);
    return { source: id, priority, rooms, holder, collectionLabels };
  }

  /** Freshness alone waits for the host's next write: one durable commit a look would be dear on flash. */
  #keep(standing: Standing, write = true): void {
    this.#standing = standing;
    if (write) this.write();
    this.#ports.standingChanged(this);
  }

  write(): void {
    this.#ports.store.calendars.commit({
      source: this.id,
      record: { source: this.id, cursor: this.#cursor, state: JSON.stringify(this.#standing) },
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(work, work);
    this.#turn = next;
    return next;
  }
}

/** The horizon moves on by this before all is worked out anew. */
export const REEXPAND_MS = 24 * 3_600_000;
/** A change of so many coming bookings is held against the whole; fewer are a person's work. */
export const MANY_LOST = 10;
