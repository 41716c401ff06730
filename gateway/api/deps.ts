/** What the HTTP side is given by `gateway/main.ts`. Instants are Unix ms. */
import type { Logger } from 'pino';
import type { Interval, Right } from '../core/records.ts';
import type { Site } from '../core/site.ts';
import type { Clock, LoopPort } from '../loop/types.ts';
import type { RightRecord, Store } from '../store/types.ts';

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

export interface Health {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly why: string }>>;
}

export interface ApiDeps {
  readonly site: Site;
  readonly store: Store;
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
  timeTrusted(): boolean;
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
