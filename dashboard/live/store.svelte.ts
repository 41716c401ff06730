import type { Calendar } from '../../gateway/wire/calendars.ts';
import type { Booking, Member, Session } from '../../gateway/wire/clinic.ts';
import type { Room } from '../../gateway/wire/rooms.ts';
import type { Snapshot } from '../../gateway/wire/stream.ts';
import { type Api, ApiError } from './api.ts';
import { type Connection, connect } from './connection.ts';
import { reduce, replaceById } from './reducer.ts';
import { type Ability, may } from './roles.ts';
import { alarmsOf, count, type RoomState, roomState } from './roomstate.ts';
import type { StreamMessage } from './stream.ts';

/** Without any event for this long (the server pings every 5 s) nothing on the screen may be taken for now. */
export const STALE_AFTER_MS = 10_000;
const TICK_MS = 1_000;
/** Names are read again for a holder that is not known yet, but not more often than this. */
const NAMES_AGAIN_MS = 30_000;

export interface Heard {
  /** `performance.now()` and `Date.now()` of the last message: the first stands still while a laptop sleeps, the second may be set. */
  readonly monoMs: number;
  readonly wallMs: number;
}

export function isStale(heard: Heard, now: Heard): boolean {
  return now.monoMs - heard.monoMs > STALE_AFTER_MS || now.wallMs - heard.wallMs > STALE_AFTER_MS;
}

const hereAndNow = (): Heard => ({ monoMs: performance.now(), wallMs: Date.now() });

/** Everything the screen shows. Written only by the stream, the session and the ticker; views read. */
export class Live {
  snapshot = $state.raw<Snapshot | null>(null);
  session = $state.raw<Session | null>(null);
  members = $state.raw<Member[]>([]);
  /** The outside calendars, as they were last asked for. */
  calendars = $state.raw<Calendar[]>([]);
  /** Counts the snapshots: with each, what was read before may have been overtaken. */
  snapshots = $state(0);
  /** `starting` until the session is known; `down` when the gateway cannot be asked for it. */
  phase = $state<'starting' | 'down' | 'signed-out' | 'signed-in'>('starting');
  stale = $state(false);
  /** The gateway's time, ticking once a second. */
  nowMs = $state(Date.now());
  /** The same, by the minute: what need not be drawn anew each second reads this. */
  minuteMs = $state(Math.floor(Date.now() / 60_000) * 60_000);

  readonly states = $derived.by(() => this.#roomStates());
  readonly counts = $derived(count(this.states.values(), this.snapshot?.alarms ?? [], this.snapshot?.devices ?? []));
  readonly names = $derived(new Map(this.members.map((member) => [member.id, member.name])));
  readonly usable = $derived(this.snapshot !== null && !this.stale);

  readonly api: Api;
  readonly #connect: typeof connect;
  #connection: Connection | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #heard = hereAndNow();
  #offsetMs = 0;
  #namesAtMs = Number.NEGATIVE_INFINITY;

  constructor(api: Api, connector: typeof connect = connect) {
    this.api = api;
    this.#connect = connector;
    api.onSignedOut = () => this.#signedOut();
  }

  may(ability: Ability): boolean {
    return this.session !== null && may(this.session.role, ability);
  }
  get timeZone(): string {
    return this.snapshot?.site.timeZone ?? 'UTC';
  }

  async start(): Promise<void> {
    this.#ticker ??= setInterval(() => this.tick(), TICK_MS);
    try {
      const session = await this.api.session();
      if (!session) return this.#signedOut();
      this.#signedIn(session);
      this.#connection ??= this.#connect((message) => this.receive(message), 'here');
    } catch {
      this.phase = 'down';
    }
  }
  async signIn(username: string, password: string): Promise<void> {
    this.#signedIn(await this.api.signIn(username, password));
    // One that is left is of the session before.
    this.#connection?.close();
    this.#connection = this.#connect((message) => this.receive(message), 'fresh');
  }
  async signOut(): Promise<void> {
    try {
      await this.api.signOut();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
    }
    this.#signedOut();
  }
  stop(): void {
    clearInterval(this.#ticker);
    this.#connection?.close();
  }

  receive(message: StreamMessage): void {
    if (this.phase !== 'signed-in') return;
    if (message.type === 'closed') {
      void this.#askWho();
      return;
    }
    this.#heard = hereAndNow();
    this.stale = false;
    if (message.type === 'snapshot') {
      this.snapshot = message.snapshot;
      this.snapshots += 1;
      this.#setClock(message.snapshot.at);
      void this.#askWho();
    } else if (message.type === 'ping') this.#setClock(message.ping.at);
    else if (this.snapshot) this.snapshot = reduce(this.snapshot, message.change);
    if (message.type !== 'ping') this.#wantNames();
  }

  tick(): void {
    this.nowMs = Date.now() + this.#offsetMs;
    const minute = Math.floor(this.nowMs / 60_000) * 60_000;
    if (minute !== this.minuteMs) this.minuteMs = minute;
    if (this.phase === 'signed-in' && this.snapshot) this.stale = isStale(this.#heard, hereAndNow());
    if (this.phase === 'down' && Math.floor(Date.now() / TICK_MS) % 3 === 0) void this.start();
  }

  /** Bookings that this page wrote are shown at once; the stream brings the same. */
  put(...bookings: Booking[]): void {
    if (this.snapshot) this.snapshot = { ...this.snapshot, bookings: replaceById(this.snapshot.bookings, bookings) };
  }

  async loadMembers(): Promise<void> {
    this.#namesAtMs = performance.now();
    if (!this.may('names')) return;
    this.members = await this.api.members();
  }

  async loadCalendars(): Promise<void> {
    if (this.may('calendars')) this.calendars = await this.api.calendars();
  }

  nameOf(member: string, known?: string | null): string {
    return known ?? this.names.get(member) ?? (this.session?.member === member ? 'You' : 'A member');
  }
  roomName(id: string | null): string {
    return this.snapshot?.rooms.find((room) => room.id === id)?.name ?? id ?? '';
  }
  doorName(id: string | null): string {
    return this.snapshot?.doors.find((door) => door.id === id)?.name ?? id ?? '';
  }

  #setClock(at: string): void {
    this.#offsetMs = Date.parse(at) - Date.now();
    this.tick();
  }
  /** All tabs have one session: with a new stream it may be somebody else's, who signed in in another tab. */
  async #askWho(): Promise<void> {
    const session = await this.api.session().catch(() => undefined);
    if (session === null) this.#signedOut();
    if (!session || !this.session) return;
    const { user, role } = this.session;
    if (session.user === user && session.role === role) return;
    this.session = session;
    this.members = [];
    this.calendars = [];
    this.#namesAtMs = Number.NEGATIVE_INFINITY;
    this.#wantNames();
  }
  #signedIn(session: Session): void {
    this.session = session;
    this.snapshot = null;
    this.phase = 'signed-in';
    this.#heard = hereAndNow();
  }
  #signedOut(): void {
    this.phase = 'signed-out';
    this.session = null;
    this.snapshot = null;
    this.members = [];
    this.calendars = [];
    this.stale = false;
    this.#namesAtMs = Number.NEGATIVE_INFINITY;
    this.#connection?.close();
    this.#connection = undefined;
  }
  #wantNames(): void {
    const unnamed = this.snapshot?.bookings.some((booking) => !this.names.has(booking.holder)) ?? false;
    if (!unnamed || performance.now() - this.#namesAtMs < NAMES_AGAIN_MS) return;
    void this.loadMembers().catch(() => undefined);
  }
  #roomStates(): Map<string, RoomState> {
    const snapshot = this.snapshot;
    const states = new Map<string, RoomState>();
    for (const room of snapshot?.rooms ?? []) {
      states.set(room.id, roomState(room, this.roomAlarms(room), this.minuteMs));
    }
    return states;
  }
  roomAlarms(room: Room) {
    return alarmsOf(room, this.snapshot?.alarms ?? []);
  }
}
