/**
 * One look at all calendars of an account. A round asks how they stand (one PROPFIND for a home), reads those that changed,
 * and hands out what it knows for certain: a calendar that could not be read keeps its token and is asked again.
 */
import type { HttpClient, HttpFailure } from '../net/http.ts';
import type { CalendarObject, PartialFault } from '../types.ts';
import type { CollectionState, CursorState } from './cursor.ts';
import { discover } from './discovery.ts';
import { readable, urlOf } from './href.ts';
import { type Listed, list, type Place, type Seen } from './listing.ts';
import { syncCalendar } from './sync.ts';

/** Homes are looked for again, and all resources listed, whatever tokens say: it heals what a server forgot to tell. */
export const REDISCOVER_MS = 24 * 3_600_000;
/** Tokens are asked for, whatever ctags say: some have the resolution of a second. */
export const ASK_ANYWAY_MS = 3_600_000;
/** Text of resources taken over in one round; the rest comes with the next. */
export const MAX_ROUND_CHARACTERS = 128 * 1024 * 1024;
/** Calendars without an answer before the rest is left for the next round. */
export const MAX_SILENT = 8;
const MINUTE_MS = 60_000;
/** Names of calendars in one sentence. */
const MAX_NAMED = 3;

export interface RoundOptions {
  readonly nowMs: number;
  /** Calendars read at a time. */
  readonly connections: number;
}
export interface Round {
  readonly kind: 'round';
  readonly state: CursorState;
  readonly changed: readonly CalendarObject[];
  readonly removed: readonly string[];
  readonly partial: PartialFault | undefined;
}

/** @param cursor undefined looks at everything. */
export async function lookAround(
  place: Place,
  client: HttpClient,
  cursor: CursorState | undefined,
  options: RoundOptions,
): Promise<Round | { readonly kind: 'unchanged' } | HttpFailure> {
  const homes = await homesOf(place, client, cursor, options.nowMs);
  if (homes.kind === 'failed') return homes;
  const due = dueOf(homes.state, options.nowMs);
  let listed = await listAll(place, homes.state, due.ask);
  let { state } = homes;
  if (listed.kind === 'refused' && !homes.fresh && (listed.status === 404 || listed.status === 410)) {
    // The home has moved: once more from the start.
    const anew = await homesOf(place, client, undefined, options.nowMs);
    if (anew.kind === 'failed') return anew;
    if (state.single && !anew.state.single) return listed.failure;
    state = { ...anew.state, collections: state.collections, askedAtMs: state.askedAtMs, listedAtMs: state.listedAtMs };
    listed = await listAll(place, state, true);
  }
  if (listed.kind === 'failed') return listed;
  if (listed.kind === 'refused') return listed.failure;
  if (listed.kind === 'same')
    return state === cursor
      ? { kind: 'unchanged' }
      : { kind: 'round', state, changed: [], removed: [], partial: undefined };
  const tour = new Tour(place, state, due, options);
  await tour.run(listed.calendars);
  return tour.done(listed);
}

interface Due {
  readonly ask: boolean;
  readonly all: boolean;
}

/** A clock that was set back makes everything due, too. */
function dueOf(state: CursorState, nowMs: number): Due {
  const all = Math.abs(nowMs - state.listedAtMs) >= REDISCOVER_MS;
  return { all, ask: all || Math.abs(nowMs - state.askedAtMs) >= ASK_ANYWAY_MS };
}

async function homesOf(
  place: Place,
  client: HttpClient,
  cursor: CursorState | undefined,
  nowMs: number,
): Promise<{ readonly kind: 'known'; readonly state: CursorState; readonly fresh: boolean } | HttpFailure> {
  if (cursor !== undefined && Math.abs(nowMs - cursor.discoveredAtMs) < REDISCOVER_MS)
    return { kind: 'known', state: cursor, fresh: false };
  const found = await discover(place, client);
  // What was found yesterday is still good for today.
  if (found.kind === 'failed') return cursor === undefined ? found : { kind: 'known', state: cursor, fresh: false };
  const { homes, single } = found;
  // One calendar never becomes a whole account: `*` may stand for its room.
  if (cursor?.single === true && !single) return { kind: 'known', state: cursor, fresh: false };
  const state = { address: place.address, homes, single, discoveredAtMs: nowMs, ctags: false, digests: new Map() };
  return {
    kind: 'known',
    fresh: true,
    state: {
      ...state,
      askedAtMs: cursor?.askedAtMs ?? nowMs,
      listedAtMs: cursor?.listedAtMs ?? nowMs,
      collections: cursor?.collections ?? new Map(),
    },
  };
}

/** All homes. `anew`: read them even when nothing changed in them. */
async function listAll(place: Place, state: CursorState, anew: boolean): Promise<AllListed> {
  const { homes, single, ctags } = state;
  const ask = (home: string, read: boolean) =>
    list(place, home, { single, ctags, known: read ? undefined : state.digests.get(home) });
  const answers: Listed[] = [];
  for (const home of homes) answers.push(await ask(home, anew));
  if (answers.every(({ kind }) => kind === 'same')) return { kind: 'same' };
  const calendars = new Map<string, Seen>();
  const digests = new Map<string, string>();
  let allCtags = true;
  for (const [index, home] of homes.entries()) {
    let answer = answers[index] ?? { kind: 'same' };
    if (answer.kind === 'same') answer = await ask(home, true);
    if (answer.kind === 'failed' || answer.kind === 'refused') return answer;
    if (answer.kind === 'same') continue;
    digests.set(home, answer.digest);
    allCtags &&= answer.ctags;
    for (const calendar of answer.calendars) calendars.set(calendar.key, calendar);
  }
  return { kind: 'listed', calendars: [...calendars.values()], digests, ctags: allCtags };
}
type AllListed =
  | { readonly kind: 'same' }
  | {
      readonly kind: 'listed';
      readonly calendars: readonly Seen[];
      readonly digests: ReadonlyMap<string, string>;
      readonly ctags: boolean;
    }
  | Extract<Listed, { kind: 'refused' | 'failed' }>;

/** Reads the calendars that need it, a few at a time. */
class Tour {
  private readonly place: Place;
  private readonly state: CursorState;
  private readonly due: Due;
  private readonly options: RoundOptions;
  private readonly collections: Map<string, CollectionState>;
  private readonly changed: CalendarObject[] = [];
  private readonly removed: string[] = [];
  private readonly failures = new Map<string, HttpFailure>();
  private readonly troubles = new Map<string, HttpFailure>();
  /** Why the rest is left for the next round. */
  private halt: HttpFailure | undefined;
  private silent = 0;
  private characters = 0;
  private read = 0;
  /** Calendars that must be asked again though their listing may stay the same. */
  private unsettled = 0;

  constructor(place: Place, state: CursorState, due: Due, options: RoundOptions) {
    this.place = place;
    this.state = state;
    this.due = due;
    this.options = options;
    this.collections = new Map(state.collections);
  }

  async run(calendars: readonly Seen[]): Promise<void> {
    const listed = new Set(calendars.map(({ key }) => key));
    const lost = [...this.collections.keys()].filter((key) => !listed.has(key));
    const jobs = [
      ...calendars.filter((seen) => this.needs(seen)).map((seen) => ({ key: seen.key, run: () => this.visit(seen) })),
      ...lost.map((key) => ({ key, run: () => this.search(key) })),
    ];
    // Another one begins each time, so that a calendar that always fails does not keep others from their turn.
    const first = jobs.length === 0 ? 0 : Math.floor(this.options.nowMs / MINUTE_MS) % jobs.length;
    const queue = [...jobs.slice(first), ...jobs.slice(0, first)][Symbol.iterator]();
    const work = async (): Promise<void> => {
      for (const { key, run } of queue) {
        if (this.halt === undefined) await run();
        else this.fail(key, this.halt);
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, this.options.connections) }, work));
    this.read = jobs.length;
  }

  done(listed: Extract<AllListed, { kind: 'listed' }>): Round | HttpFailure {
    const [first] = this.failures.values();
    if (first !== undefined && this.failures.size === this.read && this.failures.size >= listed.calendars.length)
      return this.halt ?? first;
    const settled =
      this.failures.size === 0 &&
      this.troubles.size === 0 &&
      this.unsettled === 0 &&
      listed.calendars.every(({ stamp }) => stamp !== '');
    const { ask, all } = this.due;
    const { nowMs } = this.options;
    return {
      kind: 'round',
      state: {
        ...this.state,
        collections: this.collections,
        ctags: listed.calendars.length > 0 && listed.ctags,
        // With another question the answer will be another one.
        digests: settled && listed.ctags === this.state.ctags ? listed.digests : new Map(),
        askedAtMs: ask ? nowMs : this.state.askedAtMs,
        listedAtMs: all ? nowMs : this.state.listedAtMs,
      },
      changed: this.changed,
      removed: this.removed,
      partial: this.partial(),
    };
  }

  private needs(seen: Seen): boolean {
    const known = this.collections.get(seen.key);
    if (known === undefined || this.due.ask) return true;
    return seen.stamp === '' || seen.stamp !== known.stamp || seen.name !== known.name || known.unread.size > 0;
  }

  private async visit(seen: Seen): Promise<void> {
    const known = this.collections.get(seen.key);
    const synced = await syncCalendar(this.place, seen, known, { all: this.due.all, nowMs: this.options.nowMs });
    if (synced.kind === 'failed') return this.fail(seen.key, synced);
    if (synced.kind === 'gone') {
      // Listed, and then not there: if that was a slip of the server, the next look will find it.
      this.unsettled++;
      return known === undefined ? this.fail(seen.key, synced.failure) : this.drop(seen.key);
    }
    if (synced.state.unread.size > 0) this.unsettled++;
    this.collections.set(seen.key, synced.state);
    for (const object of synced.changed) {
      this.changed.push(object);
      this.characters += object.body.length;
    }
    for (const href of synced.removed) this.removed.push(href);
    if (synced.trouble !== undefined) this.troubles.set(seen.key, synced.trouble);
    if (this.characters > MAX_ROUND_CHARACTERS) this.halt ??= tooMuch();
  }

  /** A calendar that is listed no more: gone when it says so itself. */
  private async search(key: string): Promise<void> {
    const asked = await list(this.place, urlOf(key, this.place.address), {
      single: true,
      ctags: false,
      known: undefined,
    });
    if (asked.kind === 'failed') return this.fail(key, asked);
    if (asked.kind === 'refused')
      return asked.status === 404 || asked.status === 410 ? this.drop(key) : this.fail(key, asked.failure);
    const seen = asked.kind === 'listed' ? asked.calendars.find((calendar) => calendar.key === key) : undefined;
    if (seen === undefined) return this.drop(key);
    this.unsettled++;
    return this.visit(seen);
  }

  private drop(key: string): void {
    for (const name of this.collections.get(key)?.items.keys() ?? []) this.removed.push(`${key}${name}`);
    this.collections.delete(key);
  }

  private fail(key: string, failure: HttpFailure): void {
    this.failures.set(key, failure);
    const known = this.collections.get(key);
    // Without its stamp it is asked again whatever the listing says.
    if (known !== undefined) this.collections.set(key, { ...known, stamp: '', token: this.due.all ? '' : known.token });
    if (failure.code === 'unreachable' || failure.code === 'timeout' || failure.status === 503) this.silent++;
    if (failure.status === 401 || failure.status === 429 || this.silent >= MAX_SILENT || this.place.signal.aborted)
      this.halt ??= failure;
  }

  private partial(): PartialFault | undefined {
    const all = new Map([...this.troubles, ...this.failures]);
    const [first] = this.failures.size > 0 ? this.failures.values() : this.troubles.values();
    if (first === undefined) return undefined;
    const { code, why, retryAfterMs } = this.halt ?? first;
    const named = [...all.keys()].slice(0, MAX_NAMED).map((key) => this.nameOf(key));
    const more = all.size > MAX_NAMED ? ` and ${all.size - MAX_NAMED} more` : '';
    return {
      code,
      why: `Not read this time: ${named.join(', ')}${more}. ${why}`,
      collections: [...this.failures.keys()],
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }

  private nameOf(key: string): string {
    const name = this.collections.get(key)?.name ?? '';
    return name === '' ? readable(key) : name;
  }
}

function tooMuch(): HttpFailure {
  return {
    kind: 'failed',
    code: 'too_large',
    why: `More than ${MAX_ROUND_CHARACTERS} characters came in one look: the rest comes with the next.`,
  };
}
