/** What is to be done about a fact, as data. `gateway/loop` performs effects, the journal's first. */
import type { Reason, SubReason } from './reasons.ts';
import type { Booking } from './records.ts';
import type { Point } from './site.ts';

export type Signal = 'granted' | 'denied' | 'wait' | 'alarm';

export type CommandOp =
  | { readonly op: 'unlock'; readonly holdMs: number }
  | { readonly op: 'lock' }
  | { readonly op: 'indicate'; readonly signal: Signal }
  | { readonly op: 'set'; readonly value: 'on' | 'off' | number; readonly forMs?: number; readonly fadeMs?: number };

/** An order to one device. It is void after `ttlMs` from `issuedAtMs`; only what the device reports counts. */
export interface Command {
  readonly id: string;
  readonly point: Point;
  readonly issuedAtMs: number;
  readonly ttlMs: number;
  readonly do: CommandOp;
}

export type JournalKind =
  | 'access'
  | 'access_not_taken'
  | 'request_to_exit'
  | 'door_forced'
  | 'door_held_open'
  | 'command'
  | 'operator'
  | 'alarm'
  | 'change'
  | 'no_show'
  | 'system';

/** One journal entry before it has its place in the chain. No personal name, no credential number: ids only. */
export interface JournalDraft {
  readonly id: string;
  readonly occurredAtMs: number;
  readonly kind: JournalKind;
  readonly door?: string | undefined;
  readonly room?: string | undefined;
  readonly member?: string | undefined;
  readonly credential?: string | undefined;
  readonly booking?: string | undefined;
  readonly outcome?: 'granted' | 'denied' | 'confirmed' | 'failed' | 'unknown' | undefined;
  readonly reason?: Reason | undefined;
  readonly subReason?: SubReason | undefined;
  /** Command id that this entry allowed or tells the outcome of. */
  readonly command?: string | undefined;
  /** Dashboard user who acted. */
  readonly user?: string | undefined;
  /** A sentence for people, free of names and numbers of credentials. */
  readonly note?: string | undefined;
}

export type Severity = 'info' | 'warning' | 'critical';
export type AlarmKind =
  | 'door_forced'
  | 'door_held_open'
  | 'lock_jammed'
  | 'unlock_failed'
  | 'unlimited_right_used'
  | 'device_offline'
  | 'device_fault'
  | 'temperature_stale'
  | 'temperature_missing'
  | 'freeze'
  | 'no_heating_effect'
  | 'relay_disobeys'
  | 'interlock'
  | 'presence_stuck'
  | 'time_not_trusted'
  | 'schedule_too_old'
  | 'booking_conflict'
  | 'calendar_failing'
  | 'calendar_held'
  | 'calendar_set_aside'
  | 'booking_revoked_occupied'
  | 'no_show'
  | 'overstay'
  | 'journal'
  | 'telemetry'
  | 'telemetry_refused'
  | 'broker'
  | 'queue'
  | 'disk';

/** open → acknowledged → resolved. One alarm per kind and subject is live at a time. */
export interface Alarm {
  readonly id: string;
  readonly kind: AlarmKind;
  readonly severity: Severity;
  readonly door?: string | undefined;
  readonly room?: string | undefined;
  readonly device?: string | undefined;
  readonly text: string;
  readonly status: 'open' | 'acknowledged' | 'resolved';
  readonly openedAtMs: number;
  readonly acknowledgedAtMs?: number | undefined;
  readonly acknowledgedBy?: string | undefined;
  readonly note?: string | undefined;
  readonly resolvedAtMs?: number | undefined;
}

/** A card that nobody owns, kept for enrolment. */
export interface UnknownCard {
  readonly id: string;
  readonly reader: Point;
  readonly hash: string;
  readonly format: string;
  readonly last4: string;
  readonly seenAtMs: number;
}

/** A point of InfluxDB's data model; an unknown value is left out, never written as zero. */
export interface Measurement {
  readonly measurement: 'occupancy' | 'climate' | 'access' | 'door' | 'light' | 'device';
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, MeasurementField>>;
  readonly atMs: number;
}
/** Whole numbers are told from floats by `int`, since InfluxDB fixes a field's type at its first write. */
export type MeasurementField = string | boolean | { readonly float: number } | { readonly int: number };

/** The last switch of a relay: on from its order, off from its report. A restart never shortens a compressor's rest. */
export interface RelaySwitch {
  readonly point: Point;
  readonly value: 'on' | 'off';
  readonly atMs: number;
}

/**
 * A no-show's room was given free. The core has done so already; whoever keeps the bookings keeps this one as
 * released and tells its source. `booking` is as it stands now, `why` a sentence without names.
 */
export interface Release {
  readonly kind: 'release';
  readonly booking: Booking;
  readonly why: string;
}

export type Effect =
  | { readonly kind: 'journal'; readonly entry: JournalDraft }
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'alarm'; readonly alarm: Alarm }
  | Release
  | { readonly kind: 'unknown_card'; readonly card: UnknownCard }
  | { readonly kind: 'relay_switch'; readonly relay: RelaySwitch }
  | { readonly kind: 'telemetry'; readonly point: Measurement };
