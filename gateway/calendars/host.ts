/**
 * Keeps the outside calendars in force: looks at each source in its time, takes messages, works everything out anew
 * when members, settings or the day change, tells releases, and says how each source stands.
 */
import type { Fact } from '../core/facts.ts';
import type { Booking } from '../core/records.ts';
import type { Clock } from '../loop/types.ts';
import type { Bookings, Calendars, MemberRecord } from '../store/types.ts';
import { Feed, type FeedLog, type FeedPorts, type Looked } from './feed.ts';
import { healthOf } from './health.ts';
import { type ExpanderPort, LOOK_BACK_MS, slices } from './intake.ts';
import { directoryOf } from './mapping.ts';
import { isSameVisit, Releases } from './releases.ts';
import { retire } from './retire.ts';
import type { SourceSettings } from './settings.ts';
import { directoryPrint, mappingOf, readStanding, setAsideWhy } from './standing.ts';
import type { CalendarSource, FeedHealth, Pushed, PushRequest } from './types.ts';

/** Sources looked at at once. */
export const MAX_LOOKS = 4;
/** Pauses after a failure: from the first doubling to the longest. */
export const FIRST_PAUSE_MS = 30_000;
export const LONGEST_PAUSE_MS = 3_600_000;
/** Looks are spread by this share, so that gateways of one office do not ask in step. */
export const JITTER = 0.05;
/** Freshness is written this often; a power cut forgets at most that much of it. */
export const WRITE_EVERY_MS = 60_000;
/** Changes of members that come together are worked out together. */
const MEMBERS_PAUSE_MS = 500;
/** Whether a new day is at the horizon, or a release is due, is looked at this often. */
const CARE_EVERY_MS = 60_000;
/** A fact that the loop does not take is offered again. */
const OFFER_AGAIN_MS = 200;
/** Bookings that dashboards hear of by themselves. */
const SHOWN_BEHIND_MS = LOOK_BACK_MS;
const SHOWN_AHEAD_MS = 15 * 24 * 3_600_000;
/** Origins of bookings are forgotten this long after their end. */
const FORGET_AFTER_MS = 30 * 24 * 3_600_000;

export interface HostStore {
  readonly calendars: Calendars;
  readonly bookings: Pick<Bookings, 'get' | 'setStatus'>;
  readonly members: { list(): readonly MemberRecord[] };
  /** Runs several writes as one durable commit. */
  together<T>(writes: () => T): T;
}
export interface HostLoop {
  post(fact: Fact): boolean;
  submit(fact: Fact): Promise<void>;
}
export interface HostObserver {
  looked?(source: string, outcome: Looked['kind']): void;
  pushed?(source: string, outcome: string): void;
}
export interface HostOptions {
  readonly sources: readonly { readonly settings: SourceSettings; readonly source: CalendarSource }[];
  readonly store: HostStore;
  readonly loop: HostLoop;
  readonly clock: Clock;
  readonly log: FeedLog;
  readonly expander: ExpanderPort & { close(): Promise<void> };
  readonly siteZone: string;
  readonly horizonMs: number;
  readonly maxScheduleAgeMs: number;
  /** Bookings as they were and as they are now: for the dashboards. */
  readonly bookingsChanged?: ((before: readonly Booking[], after: readonly Booking[]) => void) | undefined;
  readonly observer?: HostObserver | undefined;
  /** 0 to 1. */
  readonly random?: (() => number) | undefined;
}

interface Slot {
  readonly feed: Feed;
  /** A look waits for its turn or is under way. */
  looking: boolean;
  /** Another look was asked for meanwhile. */
  again: boolean;
  /** When the next look is due by itself. */
  nextAtMs?: number | undefined;
  cancel: (() => void) | undefined;
}

export class CalendarHost {
  readonly #options: HostOptions;
  readonly #slots = new Map<string, Slot>();
  readonly #waiting: Slot[] = [];
  readonly #releases: Releases;
  readonly #stop = new AbortController();
  readonly #unwritten = new Set<Feed>();
  readonly #work = new Set<Promise<unknown>>();
  #looks = 0;
  #members: { readonly directory: ReturnType<typeof directoryOf>; readonly print: string } | undefined;
  #cancelMembers: (() => void) | undefined;
  #cancelCare: (() => void) | undefined;
  #cancelWrite: (() => void) | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
    const ports = this.#ports();
    for (const { settings, source } of options.sources) {
      const feed = new Feed(settings, source, ports);
      this.#slots.set(settings.id, { feed, looking: false, again: false, cancel: undefined });
    }
    this.#releases = new Releases(
      options.store.calendars,
      (id) => this.#slots.get(id)?.feed.source,
      () => this.#nowMs(),
      options.log,
    );
  }

  /** Tells the core how fresh each schedule is. To be called before the bookings are loaded into it. */
  announce(): void {
    for (const { feed } of this.#slots.values()) this.#standingChanged(feed);
  }

  start(): void {
    this.#track(this.#retireRemoved());
    for (const slot of this.#slots.values()) this.#ask(slot);
    this.#care();
    const write = () => {
      this.#writeFresh();
      this.#cancelWrite = this.#options.clock.after(WRITE_EVERY_MS, write);
    };
    this.#cancelWrite = this.#options.clock.after(WRITE_EVERY_MS, write);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#waiting.length = 0;
    for (const cancel of [this.#cancelMembers, this.#cancelCare, this.#cancelWrite]) cancel?.();
    for (const slot of this.#slots.values()) slot.cancel?.();
    await this.#options.expander.close();
    await Promise.allSettled([...this.#slots.values()].map(({ feed }) => feed.stop()));
    await Promise.allSettled(this.#work);
    this.#writeFresh();
  }

  /** A message for a source; undefined where there is none that takes messages. */
  async receive(source: string, push: PushRequest): Promise<Pushed['kind'] | undefined> {
    const slot = this.#slots.get(source);
    if (slot === undefined || this.#stop.signal.aborted) return undefined;
    const kind = await this.#track(slot.feed.receive(push));
    if (kind === undefined) return undefined;
    this.#options.observer?.pushed?.(source, kind);
    if (kind === 'poll') this.#ask(slot);
    else if (kind === 'delta') this.#standingChanged(slot.feed);
    return kind;
  }

  /** Looks at a source now; false where there is no such source. */
  refresh(source: string): boolean {
    const slot = this.#slots.get(source);
    if (slot === undefined) return false;
    this.#ask(slot);
    return true;
  }

  /** Members, or their addresses, changed: events may have other holders now. */
  membersChanged(): void {
    this.#cancelMembers?.();
    this.#cancelMembers = this.#options.clock.after(MEMBERS_PAUSE_MS, () => {
      this.#members = undefined;
      this.#remapStale();
    });
  }

  /** A no-show's room was given free by the core: kept, shown, and its source told. */
  bookingReleased(booking: Booking, why: string): void {
    const { store, log } = this.#options;
    try {
      const before = store.bookings.get(booking.id);
      // Moved or cancelled in the same instant: the core is about to hear of it, and the release meant the old time.
      if (before !== undefined && !isSameVisit(before, booking)) return;
      // One commit: a power cut between the two would leave the room free here and its source untold for ever.
      const result = store.together(() => {
        const kept = store.bookings.setStatus(booking.id, 'released');
        if (kept.ok) this.#releases.add(booking.id, booking.source, why);
        return kept;
      });
      if (!result.ok) return;
      this.#tell(before === undefined ? [] : [before], [result.value]);
      this.#track(this.#releases.run(this.#stop.signal));
    } catch (error) {
      // The disk refuses: the core holds the room free meanwhile.
      log.error({ err: error, booking: booking.id }, 'calendar: a release cannot be kept');
      if (!this.#stop.signal.aborted) {
        this.#options.clock.after(CARE_EVERY_MS, () => this.bookingReleased(booking, why));
      }
    }
  }

  health(): readonly FeedHealth[] {
    const { maxScheduleAgeMs, store } = this.#options;
    const nowMs = this.#nowMs();
    return [...this.#slots.values()].map(({ feed, nextAtMs }) => {
      const bookings = store.calendars.granting(feed.id, nowMs);
      return healthOf(feed, { nextAtMs, bookings, nowMs, maxScheduleAgeMs });
    });
  }

  #nowMs(): number {
    return this.#options.clock.now().wallMs;
  }

  #ports(): FeedPorts {
    const { store, expander, siteZone, horizonMs, log } = this.#options;
    return {
      store,
      expander,
      siteZone,
      horizonMs,
      maxScheduleAgeMs: () => this.#options.maxScheduleAgeMs,
      log,
      nowMs: () => this.#nowMs(),
      inForce: (ids) => this.#inForce(ids),
      told: (before, after) => this.#tell(before, after),
      directory: () => this.#directory(),
      mapping: (settings) => mappingOf(settings, siteZone, this.#directory().print),
      standingChanged: (feed) => this.#standingChanged(feed),
    };
  }

  #directory() {
    if (this.#members === undefined) {
      const members = this.#options.store.members.list();
      this.#members = { directory: directoryOf(members), print: directoryPrint(members) };
    }
    return this.#members;
  }

  /** What is stored is in force at the next decision. Read at each try, so that no newer change is overtaken. */
  async #inForce(ids: readonly string[]): Promise<void> {
    const { store, loop, clock } = this.#options;
    for (;;) {
      const upsert = ids.flatMap((id) => store.bookings.get(id) ?? []);
      const remove = ids.filter((id) => !upsert.some((booking) => booking.id === id));
      try {
        return await loop.submit({ kind: 'bookings', upsert, remove });
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#options.log.warn({ err: error }, 'calendar: the loop is full, bookings wait');
        await new Promise<void>((resolve) => clock.after(OFFER_AGAIN_MS, resolve));
      }
    }
  }

  #tell(before: readonly Booking[], after: readonly Booking[]): void {
    const { bookingsChanged } = this.#options;
    if (bookingsChanged === undefined) return;
    const nowMs = this.#nowMs();
    const near = ({ startMs, endMs }: Booking) => endMs > nowMs - SHOWN_BEHIND_MS && startMs < nowMs + SHOWN_AHEAD_MS;
    const [was, is] = [before.filter(near), after.filter(near)];
    if (was.length + is.length > 0) bookingsChanged(was, is);
  }

  #ask(slot: Slot): void {
    if (this.#stop.signal.aborted) return;
    slot.cancel?.();
    slot.cancel = undefined;
    if (slot.looking) {
      slot.again = true;
      return;
    }
    slot.looking = true;
    this.#waiting.push(slot);
    this.#next();
  }

  #next(): void {
    while (this.#looks < MAX_LOOKS) {
      const slot = this.#waiting.shift();
      if (slot === undefined) return;
      this.#looks += 1;
      this.#track(
        this.#look(slot).finally(() => {
          this.#looks -= 1;
          this.#next();
        }),
      );
    }
  }

  async #look(slot: Slot): Promise<void> {
    const { feed } = slot;
    let looked: Looked;
    try {
      if (feed.stale) await feed.remap();
      looked = await feed.look();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#options.log.error({ err: error, source: feed.id }, 'calendar: what was read cannot be kept');
      looked = { kind: 'failed' };
    }
    if (this.#stop.signal.aborted) return;
    this.#options.observer?.looked?.(feed.id, looked.kind);
    slot.looking = false;
    const again = slot.again || looked.kind === 'again';
    slot.again = false;
    if (again) this.#ask(slot);
    else this.#later(slot, looked);
  }

  #later(slot: Slot, looked: Looked): void {
    const { clock, random = Math.random } = this.#options;
    const ms = this.#pauseMs(slot.feed, looked) * (1 - JITTER + 2 * JITTER * random());
    slot.nextAtMs = this.#nowMs() + ms;
    slot.cancel = clock.after(ms, () => this.#ask(slot));
  }

  #pauseMs({ settings, standing }: Feed, looked: Looked): number {
    if (looked.kind === 'partly') return Math.max(settings.everyMs, looked.retryAfterMs ?? 0);
    if (looked.kind !== 'failed') return settings.everyMs;
    // A schedule must not grow too old only because nobody asked.
    const longestMs = Math.min(LONGEST_PAUSE_MS, this.#options.maxScheduleAgeMs / 2);
    const doubled = FIRST_PAUSE_MS * 2 ** Math.min(Math.max(standing.failures - 1, 0), 20);
    const pauseMs = Math.min(doubled, Math.max(longestMs, 0));
    const wantedMs = Math.min(looked.retryAfterMs ?? 0, this.#options.maxScheduleAgeMs / 2);
    // The jitter may shorten a pause; what the source asked for is never shortened.
    return Math.max(pauseMs, wantedMs / (1 - JITTER));
  }

  #care(): void {
    this.#cancelCare = this.#options.clock.after(CARE_EVERY_MS, () => this.#care());
    this.#remapStale();
    this.#track(this.#releases.run(this.#stop.signal));
    try {
      this.#options.store.calendars.prune(this.#nowMs() - FORGET_AFTER_MS);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'calendar: old origins cannot be forgotten now');
    }
  }

  #remapStale(): void {
    for (const { feed } of this.#slots.values()) {
      if (!feed.stale) continue;
      const remapped = feed.remap().catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        this.#options.log.error({ err: error, source: feed.id }, 'calendar: bookings cannot be worked out anew');
      });
      this.#track(remapped);
    }
  }

  /** Sources that are no longer configured: their coming bookings are cancelled, their alarms resolved. */
  async #retireRemoved(): Promise<void> {
    const { store, loop, log } = this.#options;
    for (const { source, state } of store.calendars.sources()) {
      if (this.#slots.has(source)) continue;
      try {
        const bookings = await retire(this.#ports(), source);
        log.info({ source, bookings, lastGoodAtMs: readStanding(state).lastGoodAtMs }, 'calendar: source was removed');
        const gone = { kind: 'calendar', source, state: 'removed', why: '', failures: 0 } as const;
        loop.post({ ...gone, setAside: 0, setAsideWhy: '' });
      } catch (error) {
        log.error({ err: error, source }, 'calendar: a removed source cannot be forgotten now');
      }
    }
  }

  #standingChanged(feed: Feed): void {
    const { loop } = this.#options;
    const { standing, id } = feed;
    if (standing.lastGoodAtMs !== undefined)
      loop.post({ kind: 'schedule_fresh', source: id, atMs: standing.lastGoodAtMs });
    if (standing.state !== 'waiting') {
      loop.post({
        kind: 'calendar',
        source: id,
        state: standing.state,
        why: standing.why,
        failures: standing.failures,
        setAside: standing.setAsideTotal,
        setAsideWhy: setAsideWhy(standing.setAside),
      });
    }
    this.#unwritten.add(feed);
  }

  #writeFresh(): void {
    for (const slice of slices([...this.#unwritten], MAX_LOOKS)) {
      for (const feed of slice) {
        try {
          feed.write();
          this.#unwritten.delete(feed);
        } catch (error) {
          this.#options.log.warn({ err: error, source: feed.id }, 'calendar: its freshness cannot be written now');
        }
      }
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#work.add(work);
    void work.catch(() => {}).finally(() => this.#work.delete(work));
    return work;
  }
}
