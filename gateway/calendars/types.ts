/**
 * The shapes that calendars pass on, from the bytes of a source to the bookings of the core. Instants are Unix
 * milliseconds in UTC; the words are RFC 5545's where it has one. All of it is plain data: it crosses to a worker.
 *
 *     source.poll ─▶ CalendarObject[] ─▶ expand (worker) ─▶ Occurrence[] ─▶ map rooms and holders ─▶ Booking[] ─▶ merge
 */
import type { Booking } from '../core/records.ts';

/** What a source keeps under one address: a whole ICS feed, one CalDAV resource, one FHIR Appointment, one webhook's booking. */
export interface CalendarObject {
  /** Unique within the source: path of the resource, `Appointment/ID`, id of the booking. */
  readonly href: string;
  /** The collection that it lies in, where a source has several (CalDAV); else ''. It may name the room. */
  readonly collection: string;
  /** Version of the resource as the source names it; '' where it has none. */
  readonly etag: string;
  readonly type: 'ics' | 'fhir' | 'json';
  /** As it was received. `json` is our own `Occurrence[]`, as a webhook's preset worked it out. */
  readonly body: string;
}

/** The answer of one look at a source. `cursor` is the source's own (ETag, sync tokens), kept beside what it belongs to. */
export type Polled =
  | { readonly kind: 'unchanged' }
  /** All there is: what is not in it is gone. */
  | {
      readonly kind: 'snapshot';
      readonly objects: readonly CalendarObject[];
      readonly cursor: string;
      readonly partial?: PartialFault | undefined;
    }
  /** What changed since the cursor. Only a complete answer is one. */
  | {
      readonly kind: 'delta';
      readonly changed: readonly CalendarObject[];
      /** hrefs */
      readonly removed: readonly string[];
      readonly cursor: string;
      readonly partial?: PartialFault | undefined;
    }
  | {
      readonly kind: 'failed';
      readonly code: FeedFault;
      /** A sentence for the technician: what happened, what to do. Without credentials and query. */
      readonly why: string;
      /** The source asked to wait this long (Retry-After). */
      readonly retryAfterMs?: number | undefined;
    };

/**
 * A source of several collections (CalDAV) could read only some of them. What it tells of those is whole and its cursor
 * may be kept; of `collections` it tells nothing: what is held of them stands, also where the answer is a snapshot, and
 * grows old (their last good look was an earlier one).
 */
export interface PartialFault {
  readonly code: FeedFault;
  /** A sentence for the technician. */
  readonly why: string;
  /** As in `CalendarObject.collection`. */
  readonly collections: readonly string[];
  readonly retryAfterMs?: number | undefined;
}

export type FeedFault =
  | 'unreachable' // no address, no connection, broken off
  | 'timeout'
  | 'refused_address' // http, or an address that the configuration does not allow (SSRF)
  | 'unauthorised' // 401, 403
  | 'not_found' // 404, 410
  | 'busy' // 429, 503
  | 'server_error' // any other status that is no success
  | 'wrong_type' // HTML and the like
  | 'truncated'
  | 'too_large'
  | 'malformed'
  | 'empty' // held: nothing in it
  | 'shrunken' // held: lost over half
  | 'too_costly'; // reading it took longer or more memory than it may

/** A place where bookings come from. It holds no state of its own: the host keeps cursor and objects for it. */
export interface CalendarSource {
  readonly id: string;
  readonly kind: SourceKind;
  /**
   * Looks once, within the source's limits of time and size. Never throws for what the other side does: that is `failed`.
   * @param cursor that of the last accepted answer; undefined asks for all.
   */
  poll(cursor: string | undefined, signal: AbortSignal): Promise<Polled>;
  /** Tells the source that a booking was given free (no-show); absent where it takes no word of ours. */
  release?(origin: Origin, object: CalendarObject | undefined, signal: AbortSignal): Promise<ReleaseResult>;
  /**
   * What people call the collections, for mapping rooms by calendar: by `CalendarObject.collection`, the display name (where
   * it has one) and the readable path. Absent where a source has one collection; the collection's own text always counts too.
   * @param cursor that of the last accepted answer.
   */
  labels?(cursor: string): Readonly<Record<string, readonly string[]>>;
  /** A pushed message; absent where the source has none. */
  receive?(request: PushRequest, cursor: string | undefined, signal: AbortSignal): Promise<Pushed>;
}
export type SourceKind = 'ics' | 'caldav' | 'webhook' | 'fhir';
export type ReleaseResult =
  | { readonly ok: true }
  /** `again`: worth another try later. */
  | { readonly ok: false; readonly why: string; readonly again: boolean };

export interface PushRequest {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Exactly the bytes received: the signature is over them. */
  readonly body: Buffer;
  readonly receivedAtMs: number;
}
export type Pushed =
  /** The sender is not who he should be, or the message is a replay: 401. */
  | { readonly kind: 'refused'; readonly why: string }
  /** Signed well, but not to be read: 400. */
  | { readonly kind: 'malformed'; readonly why: string }
  /** Nothing for us in it, or known already. */
  | { readonly kind: 'ignored' }
  /** Look at the source now. */
  | { readonly kind: 'poll' }
  | {
      readonly kind: 'delta';
      readonly changed: readonly CalendarObject[];
      readonly removed: readonly string[];
      /** Absent: the cursor stays. */
      readonly cursor?: string | undefined;
    };

export interface Attendee {
  /** Mail address, lower case, without `mailto:`; other URIs as they are. */
  readonly address: string;
  readonly name?: string | undefined;
  /** CUTYPE, RFC 5545 §3.2.3. */
  readonly kind: 'individual' | 'group' | 'resource' | 'room' | 'unknown';
  /** PARTSTAT, lower case: `accepted`, `declined`, `needs-action` … */
  readonly participation: string;
  /** ROLE, lower case: `chair`, `req-participant`, `opt-participant`, `non-participant`. */
  readonly role: string;
}

/** One event at one time: what recurrence, overrides and exceptions come to. `[startMs, endMs)`. */
export interface Occurrence {
  readonly uid: string;
  /** Tells the instances of a series apart and stays when one is moved: the original start in UTC, `20260329T003000Z`. Absent for single events. */
  readonly recurrenceId?: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly status: 'confirmed' | 'tentative' | 'cancelled';
  /** Booked, checked in and the like, where the source says more than iCalendar can (FHIR). */
  readonly stage?: 'checked_in' | 'fulfilled' | undefined;
  readonly sequence: number;
  /** DTSTAMP (or LAST-MODIFIED where later): the newer statement of one event counts. */
  readonly stampMs: number;
  readonly summary: string;
  readonly location: string;
  readonly resources: readonly string[];
  readonly organizer?: string | undefined;
  readonly attendees: readonly Attendee[];
  /** Collection and href of the object that it came from. */
  readonly collection: string;
  readonly href: string;
}

export type SetAsideCode =
  | 'malformed'
  | 'unknown_zone'
  | 'bad_rule'
  | 'too_many_instances'
  | 'too_long'
  | 'no_times'
  | 'contradiction' // e.g. an override without its series' rule for that time, DTEND before DTSTART
  | 'no_room'
  | 'no_holder';

/** One event (or one instance) that is not granted because it cannot be understood for certain. */
export interface SetAside {
  readonly uid: string;
  readonly summary: string;
  readonly code: SetAsideCode;
  /** A sentence: what is wrong, found where, and what to do. */
  readonly why: string;
  /** First line of the event in its object, counted from 1; absent where there are no lines. */
  readonly line?: number | undefined;
  readonly href: string;
}

export interface ExpandRequest {
  readonly objects: readonly CalendarObject[];
  /** IANA name: zone of floating and all-day times. */
  readonly siteZone: string;
  /** Occurrences that overlap `[fromMs, toMs)` are wanted. */
  readonly fromMs: number;
  readonly toMs: number;
}
export interface Expansion {
  readonly occurrences: readonly Occurrence[];
  readonly setAside: readonly SetAside[];
  /** VEVENTs (series count once) that were read, within the window or not. */
  readonly events: number;
}

/** Where a booking of an outside source came from. */
export interface Origin {
  readonly booking: string;
  readonly source: string;
  readonly uid: string;
  readonly recurrenceId?: string | undefined;
  readonly collection: string;
  readonly href: string;
  readonly sequence: number;
  readonly stampMs: number;
  readonly startMs: number;
  readonly endMs: number;
}
export interface SourcedBooking {
  readonly booking: Booking;
  readonly origin: Origin;
}

/** How a source stands, for people. */
export interface FeedHealth {
  readonly id: string;
  readonly kind: SourceKind;
  /** Host and path; never user, password, query or token. */
  readonly address: string;
  /** `waiting`: not read yet. `held`: the answer was not believed, the last good one stands. `too_old`: grants no longer. */
  readonly state: 'waiting' | 'ok' | 'held' | 'failing' | 'too_old';
  readonly why: string;
  readonly lastTriedAtMs?: number | undefined;
  readonly lastGoodAtMs?: number | undefined;
  readonly lastChangedAtMs?: number | undefined;
  readonly nextAtMs?: number | undefined;
  /** Bookings in force from now on. */
  readonly bookings: number;
  /** The first hundred. */
  readonly setAside: readonly SetAside[];
  readonly setAsideTotal: number;
}
