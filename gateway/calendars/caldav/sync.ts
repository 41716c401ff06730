/** Brings what is known of one calendar up to date. */
import { type HttpFailure, safeAddress } from '../net/http.ts';
import type { CalendarObject } from '../types.ts';
import { type Body, fetchBodies } from './bodies.ts';
import { type Change, type Changes, changesOf, type Gone } from './changes.ts';
import type { CollectionState } from './cursor.ts';
import { urlOf } from './href.ts';
import type { Place, Seen } from './listing.ts';

export interface Synced {
  readonly kind: 'synced';
  readonly state: CollectionState;
  readonly changed: readonly CalendarObject[];
  /** hrefs */
  readonly removed: readonly string[];
  /** Single resources could not be had; all else is in order. */
  readonly trouble: HttpFailure | undefined;
}

/** A resource that cannot be had keeps its last known version so long; after it, it is taken for gone. */
export const HOLD_UNREAD_MS = 24 * 3_600_000;

const NOTHING: CollectionState = { name: '', token: '', stamp: '', items: new Map(), unread: new Map() };

/** @param options.all lists all there is, whatever the token says. */
export async function syncCalendar(
  place: Place,
  seen: Seen,
  known: CollectionState | undefined,
  options: { readonly all: boolean; readonly nowMs: number },
): Promise<Synced | Gone | HttpFailure> {
  const before = known ?? NOTHING;
  const changes = await changesOf(place, seen, options.all ? '' : before.token);
  if (changes.kind !== 'changes') return changes;
  const work = new Work(seen, before, changes, options.nowMs);
  const failure = await fetchBodies(place, seen.key, work.wanted(), (name, body) => work.take(name, body));
  return failure ?? work.done(safeAddress(urlOf(seen.key, place.address)));
}

/** One calendar between what was known and what will be. */
class Work {
  private readonly seen: Seen;
  private readonly before: CollectionState;
  private readonly changes: Changes;
  private readonly nowMs: number;
  private readonly items: Map<string, string>;
  private readonly unread: Map<string, number>;
  private readonly changed: CalendarObject[] = [];
  private readonly removed: string[] = [];
  private readonly troubles: HttpFailure[] = [];

  constructor(seen: Seen, before: CollectionState, changes: Changes, nowMs: number) {
    this.seen = seen;
    this.before = before;
    this.changes = changes;
    this.nowMs = nowMs;
    this.items = new Map(before.items);
    this.unread = new Map(before.unread);
    for (const [name, change] of changes.byName) if (change.kind === 'gone') this.remove(name);
    if (!changes.all) return;
    for (const name of [...before.items.keys(), ...before.unread.keys()])
      if (!changes.byName.has(name)) this.remove(name);
  }

  /** Paths by name of what must be fetched. A resource without ETag may always have changed. */
  wanted(): ReadonlyMap<string, string> {
    const wanted = new Map<string, string>();
    for (const [name, change] of this.changes.byName)
      if (change.kind === 'there' && !this.isKnown(name, change)) wanted.set(name, change.path);
    for (const name of this.unread.keys()) if (!wanted.has(name)) wanted.set(name, `./${name}`);
    return wanted;
  }

  take(name: string, body: Body): void {
    if (body.kind === 'gone') this.lose(name);
    else if (body.kind === 'unread') this.leaveUnread(name, body.failure);
    else this.keep(name, body);
  }

  private keep(name: string, body: Extract<Body, { kind: 'body' }>): void {
    const listed = this.changes.byName.get(name);
    // An ETag of the list may be older than the body: then the next look sees a newer one and fetches again.
    const etag = body.etag === '' && listed?.kind === 'there' ? listed.etag : body.etag;
    this.items.set(name, etag);
    this.unread.delete(name);
    const { key } = this.seen;
    this.changed.push({ href: `${key}${name}`, collection: key, etag, type: 'ics', body: body.body });
  }

  done(where: string): Synced {
    const { name, stamp } = this.seen;
    const [first] = this.troubles;
    return {
      kind: 'synced',
      state: { name, token: this.changes.token, stamp, items: this.items, unread: this.unread },
      changed: this.changed,
      removed: this.removed,
      trouble:
        first === undefined
          ? undefined
          : { ...first, why: `${this.troubles.length} resources of ${where} cannot be had. ${first.why}` },
    };
  }

  private isKnown(name: string, change: Extract<Change, { kind: 'there' }>): boolean {
    return change.etag !== '' && this.before.items.get(name) === change.etag && !this.unread.has(name);
  }

  /** Kept for a while where it is a fault of the server; at once gone where it is the will of its owner. */
  private leaveUnread(name: string, failure: HttpFailure): void {
    const sinceMs = this.unread.get(name) ?? this.nowMs;
    if (failure.code === 'unauthorised' || Math.abs(this.nowMs - sinceMs) >= HOLD_UNREAD_MS) this.remove(name);
    this.unread.set(name, sinceMs);
    this.troubles.push(failure);
  }

  /**
   * Listed, and then not there: deleted meanwhile, or a slip of the server. It is asked for again each time, until the
   * server says that it is gone or lists all without it.
   */
  private lose(name: string): void {
    this.remove(name);
    this.unread.set(name, this.nowMs);
  }

  private remove(name: string): void {
    this.unread.delete(name);
    if (this.items.delete(name)) this.removed.push(`${this.seen.key}${name}`);
  }
}
