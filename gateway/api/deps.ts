/** What the HTTP side is given by `gateway/main.ts`. Instants are Unix ms. */
import type { Logger } from 'pino';
import type { Booking, Interval, Right } from '../core/records.ts';
import type { BookingRules, Site } from '../core/site.ts';
import type { Clock, LoopPort } from '../loop/types.ts';
import type { RightRecord, Store, WeeklyTimes } from '../store/types.ts';

/** The window and step of a history question. */
export interface HistoryQuery {
  readonly room: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly everyMs: number;
}
export interface OccupancySample {
  readonly atMs: number;
  readonly state: string | null;
  readonly occupied: boolean | null;
  readonly confidence: number | null;
  readonly booked: boolean | null;
  readonly people: number | null;
}
export interface ClimateSample {
  readonly atMs: number;
  readonly temperature: number | null;
  readonly heatingSetpoint: number | null;
  readonly coolingSetpoint: number | null;
  readonly humidity: number | null;
  readonly co2: number | null;
  readonly mode: string | null;
  readonly heating: boolean | null;
  readonly cooling: boolean | null;
}
/** InfluxDB or the embedded history: both answer the same way. */
export interface HistoryPort {
  occupancy(query: HistoryQuery): Promise<readonly OccupancySample[]>;
  climate(query: HistoryQuery): Promise<readonly ClimateSample[]>;
}

export interface DeviceHealth {
  readonly id: string;
  readonly driver: string;
  /** null: not heard of since the gateway started. */
  readonly online: boolean | null;
  /** Percent. */
  readonly battery: number | null;
  readonly lastHeardAtMs: number | null;
  readonly firmware: string | null;
  readonly model: string | null;
  readonly capabilities: readonly string[];
  readonly malformed: number;
  readonly fault: string | null;
}
export interface RefusedLoginRecord {
  readonly atMs: number;
  readonly clientId: string;
  readonly username: string;
  readonly address: string;
  readonly reason: string;
}

export interface CredentialInput {
  readonly format: 'uid' | 'bits' | 'fc-cn';
  readonly value: string;
  readonly facility?: number | undefined;
  readonly card?: number | undefined;
}
/** Canonical numbers, most specific first, or a sentence that says what is wrong (without the number). */
export type CanonicalCredentials =
  | {
      readonly canonical: readonly string[];
      readonly last4: string;
      /** Further numbers that the same card may be enrolled under. */
      readonly also?: readonly string[];
      readonly fault?: undefined;
    }
  | { readonly fault: string };

/** How a booking made by hand repeats; days as `2026-12-24` in the site's zone. */
export interface Repetition {
  readonly every: 'day' | 'week' | 'month';
  readonly interval: number;
  readonly days?: WeeklyTimes['days'] | undefined;
  readonly until?: string | undefined;
  readonly count?: number | undefined;
  readonly except: readonly string[];
}
export type Repeated =
  /** `date`: the calendar day on which it starts. */
  | { readonly ok: true; readonly times: readonly (Interval & { readonly date: string })[] }
  /** The field of the repetition that is at fault, and how its sentence goes on. */
  | { readonly ok: false; readonly field: keyof Repetition; readonly message: string };

/** An outside calendar and how it stands (`gateway/calendars`). */
export interface CalendarHealth {
  readonly id: string;
  readonly kind: 'ics' | 'caldav' | 'webhook' | 'fhir';
  readonly address: string;
  readonly state: 'waiting' | 'ok' | 'held' | 'failing' | 'too_old';
  readonly why: string;
  readonly lastTriedAtMs?: number | undefined;
  readonly lastGoodAtMs?: number | undefined;
  readonly lastChangedAtMs?: number | undefined;
  readonly nextAtMs?: number | undefined;
  readonly bookings: number;
  readonly setAside: readonly {
    readonly uid: string;
    readonly summary: string;
    readonly code: string;
    readonly why: string;
    readonly line?: number | undefined;
  }[];
  readonly setAsideTotal: number;
}
/** A message to a webhook, exactly as it came in: its signature is over the bytes. */
export interface CalendarMessage {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly receivedAtMs: number;
}
export interface CalendarPort {
  health(): readonly CalendarHealth[];
  /** Looks at a source now; false where there is none of the id. */
  refresh(id: string): boolean;
  /** What became of a message; undefined where no source of the id takes any. */
  receive(
    id: string,
    message: CalendarMessage,
  ): Promise<'refused' | 'malformed' | 'ignored' | 'poll' | 'delta' | undefined>;
  /** A member, or an address, changed: events may have other holders now. */
  membersChanged(): void;
}

export interface Health {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly why: string }>>;
}

export interface ApiDeps {
  readonly site: Site;
  readonly store: Store;
  /** Brings into the store what is else written once a second: alarms, unknown cards, telemetry. Before it is read there. */
  readonly keep: () => void;
  readonly loop: LoopPort;
  readonly history: HistoryPort;
  devices(): readonly DeviceHealth[];
  /** The last refused MQTT log-ins, newest first. */
  refusedLogins(): readonly RefusedLoginRecord[];
  metricsText(): Promise<string>;
  /** Hears of each answered request: its route's pattern, never its path or query. */
  answered?(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly seconds: number;
  }): void;
  /** Hears how many live streams are open. */
  streams?(open: number): void;
  health(): Health;
  /** Keyed hash of a canonical credential number. */
  hashCredential(canonical: string): string;
  canonicalCredentials(input: CredentialInput): CanonicalCredentials;
  /** Weekly times worked out to UTC between two instants. */
  expandRights(rights: readonly RightRecord[], fromMs: number, toMs: number): readonly Right[];
  /** The site's calendar day around an instant, as instants. */
  dayAround(atMs: number): Interval;
  /** The times of a series that begins with `first`, in the site's zone: ascending, disjoint. */
  repeatTimes(first: Interval, repetition: Repetition): Repeated;
  /** Times moved as one of them was moved, by the same steps of the wall clock. */
  shiftTimes<T extends Interval>(times: readonly T[], from: Interval, to: Interval): readonly T[];
  /** The outside calendars; absent where no gateway runs. */
  readonly calendars?: CalendarPort | undefined;
  /** Tells of bookings that calendars changed: as they were, and as they are. Returns the stop. */
  bookingsOutside?(listener: (before: readonly Booking[], after: readonly Booking[]) => void): () => void;
  timeTrusted(): boolean;
  /**
   * A member's bookings in force, also as a delegate and of whatever status, that share an instant with
   * `[fromMs, toMs)`, by start. Out of memory, which forgets what ended over a week ago.
   */
  bookingsOf(member: string, fromMs: number, toMs: number): readonly Booking[];
  /** The rules in force; those of the start until they are changed. */
  bookingRules(): BookingRules;
  /** The operator's word that the wall clock is right. */
  confirmTime?(): Promise<void>;
  readonly clock: Clock;
  /** Real time for sessions, sign-in limits and the stream's pings, where `clock` runs fast (the demo). */
  readonly realClock?: Clock | undefined;
  readonly log: Logger;
  /** Folder of the built dashboard; without it only the API is served. */
  readonly dashboardDir: string | undefined;
  readonly version: string;
  /** True where the web is served over TLS: cookies are then marked Secure. */
  readonly cookieSecure: boolean;
  /** A session that asked nothing for this long is over. */
  readonly sessionIdleMin: number;
}
