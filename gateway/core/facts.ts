/** What can happen, as data. The shell makes facts; `step` is the only reader. */
import type { Booking, Credential, Member } from './records.ts';
import type { BookingRules, Point } from './site.ts';

/** `wallMs`: Unix time, for bookings. `monoMs`: never jumps, for timeouts. */
export interface Now {
  readonly wallMs: number;
  readonly monoMs: number;
}

export type LockValue = 'locked' | 'unlocking' | 'unlocked' | 'locking' | 'jammed' | 'unknown';
export type DoorValue = 'open' | 'closed' | 'unknown';
/** Lock, door and relay states are strings; presence is boolean; measurements are numbers in the capability's unit; null is "no value". */
export type ReadingValue = string | number | boolean | null;

/** Why a credential event must not unlock although it arrived. */
export type StaleReason = 'event_retained' | 'event_too_old' | 'event_in_future';

export interface ReadingFact {
  readonly kind: 'reading';
  readonly point: Point;
  readonly value: ReadingValue;
  /** Retained by the broker: the last known state, of unknown age. */
  readonly retained: boolean;
  /** What a presence sensor senses with, where it says so. */
  readonly sensor?: 'pir' | 'mmwave' | 'other' | undefined;
}

export interface CredentialFact {
  readonly kind: 'credential';
  readonly point: Point;
  /** Keyed hashes of the read, most specific first (a Wiegand read may match as bits or as facility and card). */
  readonly hashes: readonly string[];
  readonly format: string;
  readonly last4: string;
  /** When the device says that it read the card, Unix ms. */
  readonly atMs?: number | undefined;
  readonly stale?: StaleReason | undefined;
}

export interface KeypadFact {
  readonly kind: 'keypad';
  readonly point: Point;
  readonly stale?: StaleReason | undefined;
}

export interface RequestToExitFact {
  readonly kind: 'request_to_exit';
  readonly point: Point;
  readonly stale?: StaleReason | undefined;
}

export interface DeviceFact {
  readonly kind: 'device';
  readonly device: string;
  readonly online: boolean;
}

/** A device misbehaves: floods, lies, sends what cannot be read. `why` is a sentence. */
export interface DeviceFaultFact {
  readonly kind: 'device_fault';
  readonly device: string;
  readonly fault: 'malformed' | 'flood' | 'refused' | 'clock' | 'contradiction' | 'driver';
  readonly why: string;
}

export type Outcome = 'confirmed' | 'failed' | 'unknown';

export interface CommandOutcomeFact {
  readonly kind: 'command_outcome';
  readonly command: string;
  readonly point: Point;
  readonly outcome: Outcome;
  readonly why?: string | undefined;
}

/** Changes of what the clinic keeps, already durable when they come in. */
export interface BookingsFact {
  readonly kind: 'bookings';
  readonly upsert: readonly Booking[];
  readonly remove: readonly string[];
  /** The user who changed it by hand: then the change is journalled. */
  readonly by?: string | undefined;
}
export interface MembersFact {
  readonly kind: 'members';
  readonly upsert: readonly Member[];
  readonly remove: readonly string[];
  /** The user who changed it by hand: then the change is journalled. */
  readonly by?: string | undefined;
}
export interface CredentialsFact {
  readonly kind: 'credentials';
  readonly upsert: readonly Credential[];
  readonly remove: readonly string[];
  /** The user who changed it by hand: then the change is journalled. */
  readonly by?: string | undefined;
}

/** What a user or a machine's token may do. */
export interface AccountStanding {
  readonly role: string;
  /** Member id that a practitioner's account stands for. */
  readonly member?: string | undefined;
}
/** Added, changed (a user then has a new password too), or removed. */
export type AccountChange =
  | { readonly before?: AccountStanding | undefined; readonly after: AccountStanding }
  | { readonly before: AccountStanding; readonly after?: undefined };
/** Who may sign in or ask was changed, already durable. Nothing is decided by it: it is journalled. */
export interface AccountFact {
  readonly kind: 'account';
  readonly account: 'user' | 'token';
  /** Sign-in name, or the token's id. */
  readonly id: string;
  readonly change: AccountChange;
  /** Who did it. */
  readonly by: string;
}

/** Grace, buffer, no-show and overstay were configured anew: windows that are running follow at once. */
export interface BookingRulesFact {
  readonly kind: 'booking_rules';
  readonly rules: BookingRules;
  /** Room id → cleaning buffer, for rooms with one of their own. Absent: those of before stay. */
  readonly roomBuffers?: Readonly<Record<string, number>> | undefined;
}

/** An outside calendar was read well at `now`; issue of its age is the core's. */
export interface ScheduleFreshFact {
  readonly kind: 'schedule_fresh';
  readonly source: string;
  readonly atMs: number;
}

/** How an outside calendar stands; its age is told by `schedule_fresh`. */
export interface CalendarFact {
  readonly kind: 'calendar';
  readonly source: string;
  /** `held`: the answer was not believed, the last good one stands. `removed`: it is no longer configured. */
  readonly state: 'ok' | 'held' | 'failing' | 'removed';
  /** A sentence, without address and credentials; empty when all is well. */
  readonly why: string;
  /** Looks in a row that failed. */
  readonly failures: number;
  /** Events that grant nothing because they cannot be understood for certain. */
  readonly setAside: number;
  /** The reasons of the first ones, as sentences; names unknown time zones. */
  readonly setAsideWhy: string;
}

export interface OperatorDoorFact {
  readonly kind: 'operator_door';
  readonly op: 'unlock' | 'lock';
  /** Id that the unlock command will carry; the host waits for its outcome. */
  readonly command: string;
  readonly door: string;
  readonly user: string;
  readonly reason: string;
}

/** A technician's test of an output: a relay or dimmer is switched for a moment, a reader signals. Never a lock. */
export interface TestPulseFact {
  readonly kind: 'test_pulse';
  readonly command: string;
  readonly point: Point;
  readonly user: string;
}

export interface AlarmActionFact {
  readonly kind: 'alarm_action';
  readonly alarm: string;
  readonly action: 'acknowledge' | 'resolve';
  readonly user: string;
  readonly note: string;
}

/** The shell's word on the wall clock; `why` is a sentence when it is not trusted. */
export interface TimeTrustFact {
  readonly kind: 'time_trust';
  readonly trusted: boolean;
  readonly why: string;
}

/** Something in the gateway itself went wrong or came right again (disk, InfluxDB, broker, queues). */
export interface SystemFact {
  readonly kind: 'system';
  /** `telemetry_refused` only ever goes wrong: what InfluxDB refused for good stays refused. */
  readonly part: 'journal' | 'telemetry' | 'telemetry_refused' | 'broker' | 'queue' | 'disk';
  readonly ok: boolean;
  readonly why: string;
}

export interface LifecycleFact {
  readonly kind: 'lifecycle';
  readonly what: 'started' | 'stopping';
  readonly why: string;
}

export interface TickFact {
  readonly kind: 'tick';
}

export type Fact =
  | ReadingFact
  | CredentialFact
  | KeypadFact
  | RequestToExitFact
  | DeviceFact
  | DeviceFaultFact
  | CommandOutcomeFact
  | BookingsFact
  | BookingRulesFact
  | MembersFact
  | CredentialsFact
  | AccountFact
  | ScheduleFreshFact
  | CalendarFact
  | OperatorDoorFact
  | TestPulseFact
  | AlarmActionFact
  | TimeTrustFact
  | SystemFact
  | LifecycleFact
  | TickFact;
