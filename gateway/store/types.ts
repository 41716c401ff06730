/** What the store keeps and how it is asked. Implemented over SQLite beside this file. Instants are Unix ms. */
import type { Alarm, JournalDraft, Measurement, RelaySwitch, UnknownCard } from '../core/effects.ts';
import type { Booking, BookingStatus, MemberKind, MemberStatus } from '../core/records.ts';

/** Expected refusals of the store, as a value. */
export type Refusal =
  | { readonly ok: false; readonly code: 'not_found' }
  | { readonly ok: false; readonly code: 'conflict'; readonly why: string }
  | { readonly ok: false; readonly code: 'booking_overlap'; readonly clash: Booking };
export type Result<T> = { readonly ok: true; readonly value: T } | Refusal;

/** A journal entry in its place in the chain; `hash` covers the entry and the hash before it. */
export interface JournalEntry extends JournalDraft {
  readonly seq: number;
  readonly recordedAtMs: number;
  readonly previousHash: string;
  readonly hash: string;
}

export interface JournalQuery {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly room?: string | undefined;
  readonly door?: string | undefined;
  readonly kind?: string | undefined;
  /** Entries with a seq below this, newest first. */
  readonly beforeSeq?: number | undefined;
  readonly limit: number;
}

export type VerifyResult =
  | { readonly ok: true; readonly entries: number; readonly headHash: string }
  | { readonly ok: false; readonly entries: number; readonly seq: number; readonly why: string };

export interface Journal {
  /** All or nothing, durable (synchronous=FULL) when it returns. Throws when the disk refuses. */
  append(drafts: readonly JournalDraft[], recordedAtMs: number): readonly JournalEntry[];
  /**
   * Newest first, in steps that each look at a bounded number of entries and give what they found, which may be nothing.
   * Whoever works beside open doors gives the event loop a turn between two steps.
   */
  walk(query: Omit<JournalQuery, 'limit'> & { readonly limit?: number }): IterableIterator<readonly JournalEntry[]>;
  /** All steps of a walk in one turn: for what is surely near. */
  query(query: JournalQuery): readonly JournalEntry[];
  /** All entries, oldest first; streams. */
  iterate(): IterableIterator<JournalEntry>;
  last(): JournalEntry | undefined;
  /** The latest instant at which an entry after `seq` occurred. */
  latestAfter(seq: number): number | undefined;
  /** Walks the whole chain and holds it against the signed head outside the database. */
  verify(progress?: (done: number, total: number) => void): VerifyResult;
  /** Why the journal did not fit its signed head when it was opened; a sentence. Absent when it did. */
  readonly headFault?: string | undefined;
}

export interface WeeklyTimes {
  readonly days: readonly ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[];
  /** `HH:MM` in the site's zone; `to` at or before `from` ends on the next day. */
  readonly from: string;
  readonly to: string;
}
export interface RightRecord {
  readonly doors: readonly string[];
  /** Absent: no time limit. */
  readonly weekly?: readonly WeeklyTimes[] | undefined;
}
export interface MemberRecord {
  readonly id: string;
  readonly name: string;
  readonly kind: MemberKind;
  readonly status: MemberStatus;
  readonly rights: readonly RightRecord[];
  /** Mail addresses by which calendars name the member: lower case, of nobody else. Absent: none. */
  readonly addresses?: readonly string[] | undefined;
}
export interface CredentialRecord {
  readonly id: string;
  readonly member: string;
  readonly format: string;
  readonly hash: string;
  readonly last4: string;
  readonly status: 'active' | 'revoked';
  readonly validFromMs?: number | undefined;
  readonly validUntilMs?: number | undefined;
}

export type Role = 'manager' | 'reception' | 'viewer' | 'practitioner' | 'integrator';
export interface UserRecord {
  /** Sign-in name, unique. */
  readonly name: string;
  readonly role: Role;
  /** The member a practitioner's account stands for. */
  readonly member?: string | undefined;
  readonly passwordHash: string;
}
export interface TokenRecord {
  readonly id: string;
  readonly role: Role;
  readonly note: string;
  readonly createdAtMs: number;
}

export interface BookingQuery {
  readonly room?: string | undefined;
  readonly holder?: string | undefined;
  /** Bookings that overlap `[fromMs, toMs)`. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Those of one series. */
  readonly series?: string | undefined;
  readonly limit?: number | undefined;
}

/** One of a set that cannot be, and the booking in its way. */
export interface BookingClash {
  readonly booking: Booking;
  readonly clash: Booking;
}
export type BookingSet =
  | { readonly ok: true; readonly value: readonly Booking[]; readonly leftOut: readonly BookingClash[] }
  | { readonly ok: false; readonly code: 'conflict'; readonly why: string }
  /** All clashes, by start. */
  | { readonly ok: false; readonly code: 'booking_overlap'; readonly clashes: readonly BookingClash[] };

export interface Bookings {
  /** Refuses an overlap with a booking of the same room that is not cancelled, released or fulfilled. */
  insert(booking: Booking): Result<Booking>;
  update(id: string, change: Partial<Omit<Booking, 'id' | 'source'>>): Result<Booking>;
  setStatus(id: string, status: BookingStatus): Result<Booking>;
  /** New bookings, as one durable commit: all or none; with `skipClashes` those whose time is free. */
  insertAll(bookings: readonly Booking[], options?: { readonly skipClashes?: boolean }): BookingSet;
  /** Known bookings as they now are, as one durable commit: all or none. One may take a place that another of them leaves. */
  replaceAll(bookings: readonly Booking[]): BookingSet;
  get(id: string): Booking | undefined;
  list(query: BookingQuery): readonly Booking[];
  /**
   * Bookings of outside sources as they are said to be, in one durable commit. Overlaps are taken: two holders of one
   * room are the core's alarm, and what a calendar says is kept either way.
   */
  replace(change: { readonly upsert: readonly Booking[]; readonly remove: readonly string[] }): void;
}
export interface Members {
  /** Refuses (conflict) an id that is taken and an address that another member has. */
  insert(member: MemberRecord): Result<MemberRecord>;
  update(id: string, change: Partial<Omit<MemberRecord, 'id'>>): Result<MemberRecord>;
  get(id: string): MemberRecord | undefined;
  list(): readonly MemberRecord[];
}
export interface Credentials {
  /** Refuses (conflict) a hash that an active credential has already. */
  insert(credential: CredentialRecord): Result<CredentialRecord>;
  revoke(id: string): Result<CredentialRecord>;
  get(id: string): CredentialRecord | undefined;
  list(): readonly CredentialRecord[];
}
export interface Users {
  /** New user, or new password and role of a known one. */
  put(user: UserRecord): void;
  get(name: string): UserRecord | undefined;
  list(): readonly UserRecord[];
  remove(name: string): Result<UserRecord>;
}
export interface Tokens {
  /** `secretHash`: SHA-256 of the token, hex. */
  insert(token: TokenRecord, secretHash: string): void;
  bySecretHash(secretHash: string): TokenRecord | undefined;
  list(): readonly TokenRecord[];
  remove(id: string): Result<TokenRecord>;
}
/** As the source sent it; `body` is deflated (zlib), since calendars repeat themselves. */
export interface CalendarObjectRecord {
  readonly href: string;
  readonly collection: string;
  readonly etag: string;
  readonly type: 'ics' | 'fhir' | 'json';
  readonly body: Buffer;
}
/** Fields of a booking that a person or a release set against what its source says. */
export type BookingOverride = Partial<
  Pick<Booking, 'room' | 'holder' | 'delegates' | 'startMs' | 'endMs' | 'status' | 'title'>
>;
/** Where a booking of an outside source came from, and what that source itself says of it. */
export interface OriginRecord {
  /** Id of the booking. */
  readonly booking: string;
  readonly source: string;
  /** The same for one event in one room, whichever source tells of it. */
  readonly key: string;
  readonly uid: string;
  readonly recurrenceId?: string | undefined;
  readonly collection: string;
  readonly href: string;
  readonly sequence: number;
  readonly stampMs: number;
  /** As the source says. */
  readonly startMs: number;
  readonly endMs: number;
  /** The source no longer tells of it. */
  readonly gone: boolean;
  readonly said: Booking;
  /** Kept until the source itself moves the event. */
  readonly override?: BookingOverride | undefined;
}
export interface CalendarSourceRecord {
  readonly source: string;
  /** The source's own mark of how far it was read; absent: everything is to be read. */
  readonly cursor?: string | undefined;
  /** JSON of the host: freshness, standing, what was set aside. */
  readonly state: string;
}
export interface CalendarCommit {
  readonly source: string;
  readonly objects?: { readonly put: readonly CalendarObjectRecord[]; readonly remove: readonly string[] } | undefined;
  readonly origins?: readonly OriginRecord[] | undefined;
  readonly bookings?: { readonly upsert: readonly Booking[]; readonly remove: readonly string[] } | undefined;
  readonly record?: CalendarSourceRecord | undefined;
}
export interface CalendarRelease {
  readonly booking: string;
  readonly source: string;
  readonly why: string;
  readonly tries: number;
  readonly nextAtMs: number;
}
/** What is known of outside calendars. */
export interface Calendars {
  sources(): readonly CalendarSourceRecord[];
  /** Puts all of it in one durable transaction. */
  commit(change: CalendarCommit): void;
  /** In the order of href, after `afterHref`. */
  objects(source: string, limit: number, afterHref?: string): readonly CalendarObjectRecord[];
  object(source: string, href: string): CalendarObjectRecord | undefined;
  /** Every href that is kept of a source, of some collections only. */
  hrefs(
    source: string,
    of?: { readonly only: readonly string[] } | { readonly without: readonly string[] },
  ): readonly string[];
  origin(booking: string): OriginRecord | undefined;
  origins(bookings: readonly string[]): readonly OriginRecord[];
  /** Those that tell of the same events in the same rooms, of any source. */
  originsOfKeys(keys: readonly string[]): readonly OriginRecord[];
  /** Ids of bookings that the source tells of and that end after `afterMs`; of these objects only, where `hrefs` is given. */
  told(source: string, afterMs: number, hrefs?: readonly string[]): readonly string[];
  /**
   * What the source says to grant after `afterMs`: UID, RECURRENCE-ID or '', start, end, SEQUENCE, stamp, and a mark of
   * the row to go on from; an event in two rooms comes twice.
   */
  stated(
    source: string,
    afterMs: number,
    limit: number,
    afterRow: number,
  ): readonly (readonly [string, string, number, number, number, number, number])[];
  /** The bookings of one event, in all its rooms. */
  ofEvent(source: string, uid: string, recurrenceId?: string): readonly OriginRecord[];
  /** How many bookings of the source grant and end after `afterMs`. */
  granting(source: string, afterMs: number): number;
  /** Forgets the source's objects, cursor and releases. */
  forget(source: string): void;
  /** Forgets where bookings came from that ended before `beforeMs`. */
  prune(beforeMs: number): void;
  releases(): readonly CalendarRelease[];
  putRelease(release: CalendarRelease): void;
  removeRelease(booking: string): void;
}
/** Sessions of the web, for @fastify/session. */
export interface Sessions {
  get(id: string): string | undefined;
  set(id: string, json: string, expiresAtMs: number): void;
  remove(id: string): void;
  /** Every session of a user, e.g. when the password is set anew. `json` holds `"user":"NAME"` at its top. */
  removeOfUser(name: string): void;
  prune(nowMs: number): void;
}
export interface UnknownCards {
  /** The last 50, newest first; the same card at the same reader counts once. */
  put(card: UnknownCard): void;
  list(): readonly UnknownCard[];
  take(id: string): UnknownCard | undefined;
}
export interface Alarms {
  put(alarm: Alarm): void;
  live(): readonly Alarm[];
  list(limit: number): readonly Alarm[];
}
export interface Relays {
  put(relay: RelaySwitch): void;
  list(): readonly RelaySwitch[];
}
export interface Meta {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

export interface OutboxRow {
  readonly id: number;
  readonly line: string;
}
/** Telemetry on its way to InfluxDB, or the embedded history itself: durable, first in first out. */
export interface Outbox {
  /** One durable commit for the group. Nanosecond stamps are made unique here. */
  append(points: readonly Measurement[]): void;
  /**
   * Lets the oldest rows go: those beyond the disk quota, and those older than the embedded history. Apart from `append`,
   * so that what the disk refuses here is not taken for points that were not kept.
   */
  trim(): void;
  /** The oldest rows; with `afterId` those that come after it. */
  peek(limit: number, afterId?: number): readonly OutboxRow[];
  /** Forget rows up to and with this id: InfluxDB has them. */
  acknowledge(upToId: number): void;
  /** Put one row that InfluxDB refuses for good aside, with its reason. */
  quarantine(id: number, why: string): void;
  /** The rows put aside, newest first. */
  quarantined(limit: number): readonly QuarantinedRow[];
  /**
   * Points of one room in `[fromMs, toMs)`, oldest first: the embedded history. In slices of bounded size, since a
   * season of one room is a quarter of a million of them: whoever works beside open doors gives the event loop a turn
   * between two.
   */
  range(query: HistoryQuery): IterableIterator<readonly HistoryRow[]>;
  readonly size: number;
  /** Rows dropped since the data folder was made, because the disk quota was reached. */
  readonly dropped: number;
  /** Rows put into quarantine since the data folder was made. */
  readonly refused: number;
}

export interface QuarantinedRow {
  readonly id: number;
  readonly line: string;
  readonly why: string;
}
/** Measurements that carry a `room` tag and can be asked for by it. */
export type RoomMeasurement = 'occupancy' | 'climate' | 'light';
export interface HistoryQuery {
  readonly measurement: RoomMeasurement;
  readonly room: string;
  readonly fromMs: number;
  readonly toMs: number;
}
export interface HistoryRow {
  readonly atMs: number;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

export interface Store {
  readonly journal: Journal;
  readonly bookings: Bookings;
  readonly calendars: Calendars;
  readonly members: Members;
  readonly credentials: Credentials;
  readonly users: Users;
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly unknownCards: UnknownCards;
  readonly alarms: Alarms;
  readonly relays: Relays;
  readonly meta: Meta;
  readonly outbox: Outbox;
  /** Secret of this installation (32 bytes), made at first use, kept in the data folder with mode 0600. */
  readonly secret: Buffer;
  /** Runs several writes of the main database as one durable commit. */
  together<T>(writes: () => T): T;
  /** The whole data folder of one moment into one file. For a process beside the gateway: the check of the copy holds its thread. */
  backup(file: string): Promise<void>;
  close(): void;
}
