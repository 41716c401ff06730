/**
 * The schedule in memory: who may use which room when. Indexes asked in O(log n): what holds a room, a member's
 * bookings anywhere, a member's bookings in one room.
 *
 * Which bookings hold a room is a function of the bookings alone, never of the order in which they came in: the first
 * confirmed keeps it, so a restart or a late word of a calendar changes nothing.
 */
import type { Booking, BookingStatus } from '../records.ts';
import type { BookingRules, Room } from '../site.ts';
import { firstConfirmed, whoHolds } from './precedence.ts';
import { Timeline } from './timeline.ts';

/** Bookings of this source are made here and are never too old. */
export const LOCAL_SOURCE = 'local';
/** How long after its end a booking still explains a refusal and shows in views; then it leaves memory. */
export const KEEP_ENDED_MS = 8 * 24 * 3600_000;

/** Only these grant. */
export function grants(status: BookingStatus): boolean {
  return status === 'confirmed' || status === 'checked_in';
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Some of a member's bookings: those that hold their room, and all others (cancelled, tentative, in conflict …). */
export interface Own {
  /** The text of the id under which every book has this member. */
  readonly member: string;
  readonly held: Timeline;
  /** Made when it is needed: most books have none. */
  rest: Timeline | undefined;
}
interface RoomBook {
  /** All that would grant. */
  readonly claims: Timeline;
  /** Of these, the ones that do: bookings of different holders never share an instant. */
  readonly held: Timeline;
  /** What each person has here. Kept with the room: a door asks for one of these, and its room is at hand already. */
  readonly byMember: Map<string, Own>;
}
/** Stretches of time in which who holds a room is to be worked out anew. */
type Dirty = Map<string, { readonly startMs: number; readonly endMs: number }[]>;

export class Schedule {
  readonly #byId = new Map<string, Booking>();
  readonly #rooms = new Map<string, RoomBook>();
  readonly #byMember = new Map<string, Own>();
  readonly #holding = new Set<string>();
  readonly #conflicts = new Map<string, Booking>();
  #rules: BookingRules;
  #buffers: ReadonlyMap<string, number>;

  /** `buffers`: room id → cleaning buffer where it is not the rules'. */
  constructor(rules: BookingRules, buffers: ReadonlyMap<string, number> = new Map()) {
    this.#rules = rules;
    this.#buffers = buffers;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The rules in force: those of the site until others were configured. */
  get rules(): BookingRules {
    return this.#rules;
  }

  /** Acts at once, since no window is worked out before it is asked for. */
  replaceRules(rules: BookingRules, buffers?: ReadonlyMap<string, number>): void {
    this.#rules = rules;
    if (buffers !== undefined) this.#buffers = buffers;
  }

  bufferMs(room: string): number {
    return this.#buffers.get(room) ?? this.#rules.bufferMs ?? 0;
  }

  /** Granting by status, but another holder's booking, confirmed before, has the room at that time. */
  get conflicts(): ReadonlyMap<string, Booking> {
    return this.#conflicts;
  }

  get(id: string): Booking | undefined {
    return this.#byId.get(id);
  }

  put(booking: Booking): void {
    this.apply([booking], []);
  }

  remove(id: string): Booking | undefined {
    const booking = this.#byId.get(id);
    if (booking !== undefined) this.apply([], [id]);
    return booking;
  }

  /** Forgets what ended before `beforeMs`. */
  prune(beforeMs: number): void {
    const ended: string[] = [];
    for (const booking of this.#byId.values()) if (!(booking.endMs >= beforeMs)) ended.push(booking.id);
    this.apply([], ended);
  }

  /** Takes many changes at once; conflicts are resolved after all of them, and only where something changed. */
  apply(upsert: readonly Booking[], remove: readonly string[]): void {
    const dirty: Dirty = new Map();
    for (const id of remove) this.#forget(id, dirty);
    for (const booking of upsert) {
      this.#forget(booking.id, dirty);
      this.#learn(booking, dirty);
    }
    const gained: Booking[] = [];
    for (const [room, spans] of dirty) this.#resolve(room, spans, gained);
    // By start, so that in a member's book too they are appended.
    if (dirty.size > 1) gained.sort((a, b) => a.startMs - b.startMs);
    for (const booking of gained) this.#eachOwn(booking, (own) => own.held.insert(booking));
  }

  /** Bookings that hold a room, sorted; those of different holders are disjoint. */
  held(room: string): Timeline {
    return this.#room(room).held;
  }

  ofMember(member: string): Own | undefined {
    return this.#byMember.get(member);
  }

  /** A member's bookings of whatever status, also as a delegate, that share an instant with `[fromMs, toMs)`, by start. */
  ofMemberWithin(member: string, fromMs: number, toMs: number): readonly Booking[] {
    const own = this.ofMember(member);
    if (own === undefined) return [];
    const all = [...own.held.within(fromMs, toMs), ...(own.rest?.within(fromMs, toMs) ?? [])];
    return all.sort((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1));
  }

  ofMemberInRoom(member: string, room: string): Own | undefined {
    return this.#rooms.get(room)?.byMember.get(member);
  }

  holds(booking: Booking): boolean {
    return this.#holding.has(booking.id);
  }

  /**
   * When the room's door opens for a booking that holds it: `[start − early, end + late)`. Either side ends where
   * another booking's time begins; with a cleaning buffer there is no late grace, and the early grace begins after the
   * buffer of the one before. `[start, end)` itself is never cut. The bookings of one holder that touch or overlap are
   * together open without a gap.
   */
  window(booking: Booking): Window {
    const { startMs, endMs, room } = booking;
    const held = this.held(room);
    const bufferMs = this.bufferMs(room);
    const occupiedUntilMs = held.latestEndBefore(startMs) + bufferMs;
    const after = held.nextFrom(endMs);
    return {
      fromMs: Math.max(startMs - this.#rules.earlyMs, Math.min(occupiedUntilMs, startMs)),
      toMs: bufferMs > 0 ? endMs : Math.min(endMs + this.#rules.lateMs, after?.startMs ?? Number.POSITIVE_INFINITY),
    };
  }

  /** Whether the room's door opens for this very booking now, were it alone in being asked for. */
  isOpenFor(booking: Booking, atMs: number): boolean {
    if (!this.holds(booking)) return false;
    const window = this.window(booking);
    return atMs >= window.fromMs && atMs < window.toMs;
  }

  /** Bookings of the room that hold it and whose window covers `atMs`. */
  open(room: string, atMs: number): readonly Booking[] {
    const found: Booking[] = [];
    this.held(room).findCovering(atMs, this.#rules.earlyMs, this.#rules.lateMs, (booking) => {
      if (this.isOpenFor(booking, atMs)) found.push(booking);
      return false;
    });
    return found;
  }

  /** Of the bookings that held the room, the one that ended last before or at `atMs`. */
  lastEnded(room: string, atMs: number): Booking | undefined {
    return this.held(room).lastEnded(atMs);
  }

  #room(id: string): RoomBook {
    let room = this.#rooms.get(id);
    if (room === undefined) {
      room = { claims: new Timeline(), held: new Timeline(), byMember: new Map() };
      this.#rooms.set(id, room);
    }
    return room;
  }

  #learn(booking: Booking, dirty: Dirty): void {
    this.#byId.set(booking.id, booking);
    if (!hasTime(booking)) return;
    if (!grants(booking.status)) {
      this.#eachOwn(booking, (own) => restOf(own).insert(booking));
      return;
    }
    this.#room(booking.room).claims.insert(booking);
    touch(dirty, booking);
  }

  #forget(id: string, dirty: Dirty): void {
    const booking = this.#byId.get(id);
    if (booking === undefined) return;
    this.#byId.delete(id);
    if (!hasTime(booking)) return;
    if (!grants(booking.status)) {
      this.#eachOwn(booking, (own) => own.rest?.remove(booking));
      this.#tidy(booking);
      return;
    }
    this.#room(booking.room).claims.remove(booking);
    this.#drop(booking);
    this.#tidy(booking);
    touch(dirty, booking);
  }

  /** Takes a granting booking out of where the last resolution put it. */
  #drop(booking: Booking): void {
    if (this.#holding.delete(booking.id)) {
      this.#room(booking.room).held.remove(booking);
      this.#eachOwn(booking, (own) => own.held.remove(booking));
    } else if (this.#conflicts.delete(booking.id)) {
      this.#eachOwn(booking, (own) => own.rest?.remove(booking));
    }
  }

  /** Works out who holds the room within `spans`. What gains it is in its members' books only after `apply` put it there. */
  #resolve(room: string, spans: { readonly startMs: number; readonly endMs: number }[], gained: Booking[]): void {
    const { claims, held } = this.#room(room);
    let doneUntilMs = Number.NEGATIVE_INFINITY;
    for (const span of spans.sort((a, b) => a.startMs - b.startMs)) {
      const fromMs = Math.max(span.startMs, doneUntilMs);
      if (fromMs >= span.endMs) continue;
      for (const group of claims.groups(fromMs, span.endMs)) {
        const holders = group.length === 1 ? undefined : whoHolds([...group].sort(firstConfirmed));
        for (const booking of group) {
          doneUntilMs = Math.max(doneUntilMs, booking.endMs);
          const holds = holders === undefined || holders.has(booking);
          if (holds === this.#holding.has(booking.id) && holds !== this.#conflicts.has(booking.id)) continue;
          this.#drop(booking);
          if (holds) {
            this.#holding.add(booking.id);
            held.insert(booking);
            gained.push(booking);
          } else {
            this.#conflicts.set(booking.id, booking);
            this.#eachOwn(booking, (own) => restOf(own).insert(booking));
          }
        }
      }
    }
  }

  #eachOwn(booking: Booking, act: (own: Own) => void): void {
    const { byMember } = this.#room(booking.room);
    for (const member of people(booking)) {
      const own = ownOf(this.#byMember, member);
      act(own);
      // Each booking brings its own text of the id, and comparing those reads all over memory.
      act(ownOf(byMember, own.member));
    }
  }

  /** Who has no bookings left takes no memory. */
  #tidy(booking: Booking): void {
    const { byMember } = this.#room(booking.room);
    for (const member of people(booking)) {
      forgetEmpty(this.#byMember, member);
      forgetEmpty(byMember, member);
    }
  }
}

/** Rooms with a cleaning buffer of their own. */
export function ownBuffers(rooms: readonly Room[]): ReadonlyMap<string, number> {
  return new Map(rooms.flatMap(({ id, bufferMs }) => (bufferMs === undefined ? [] : [[id, bufferMs]])));
}

/** Whoever a booking lets in. */
export function people(booking: Booking): ReadonlySet<string> {
  return new Set([booking.holder, ...booking.delegates]);
}

/** A booking without a time of its own never grants and is in no index. */
function hasTime({ startMs, endMs }: Booking): boolean {
  return Number.isFinite(startMs) && Number.isFinite(endMs) && startMs < endMs;
}

function ownOf(owns: Map<string, Own>, member: string): Own {
  let own = owns.get(member);
  if (own === undefined) {
    own = { member, held: new Timeline(), rest: undefined };
    owns.set(member, own);
  }
  return own;
}

function forgetEmpty(owns: Map<string, Own>, member: string): void {
  const own = owns.get(member);
  if (own !== undefined && isEmpty(own)) owns.delete(member);
}

function restOf(own: Own): Timeline {
  own.rest ??= new Timeline();
  return own.rest;
}

function isEmpty(own: Own): boolean {
  return own.held.items.length === 0 && (own.rest === undefined || own.rest.items.length === 0);
}

function touch(dirty: Dirty, { room, startMs, endMs }: Booking): void {
  const spans = dirty.get(room);
  if (spans === undefined) dirty.set(room, [{ startMs, endMs }]);
  else spans.push({ startMs, endMs });
}
