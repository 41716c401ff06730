/** What is remembered of one room between two facts. */
import type { ClimateDecision, ClimateLatch } from './climate/climate.ts';
import type { OnOff } from './climate/outputs.ts';
import type { RelayState } from './climate/relay.ts';
import type { Now } from './facts.ts';
import type { LightingDecision, LightingLatch } from './lighting/lighting.ts';
import { initialOccupancy, type OccupancyState } from './occupancy/occupancy.ts';
import type { Booking } from './records.ts';
import type { Point, Room } from './site.ts';

/** What a room's series say. Compared value by value, since a room is worked out far more often than it has news. */
export interface Told {
  readonly occupancy: {
    readonly state: OccupancyState['verdict'];
    readonly booking: string | undefined;
    readonly people: number | null;
  };
  readonly climate: {
    readonly mode: ClimateDecision['mode'] | undefined;
    readonly heatingSetpoint: number | null;
    readonly coolingSetpoint: number | null;
    /** What the relays report. */
    readonly heating: OnOff | undefined;
    readonly cooling: OnOff | undefined;
  };
  /** A light that changes is told with what is wished of it: the live view shows both. */
  readonly lights: {
    readonly target: number | undefined;
    readonly warning: boolean | undefined;
    readonly level: number | null;
  };
  /** In the steps that are news. */
  readonly readings: Readings;
}
export type Readings = Readonly<Record<'temperature' | 'humidity' | 'co2', number | null>>;

export interface RoomState {
  /** Replaced by itself between two looks at the room: on the way of each badge the rest is not copied. */
  occupancy: OccupancyState;
  readonly climate?: ClimateDecision | undefined;
  readonly climateLatch?: ClimateLatch | undefined;
  readonly lighting?: LightingDecision | undefined;
  readonly lightingLatch?: LightingLatch | undefined;
  /** What was asked of each relay and lamp. */
  readonly outputs: ReadonlyMap<Point, RelayState<'on' | 'off' | number>>;
  readonly heatingOn?: { readonly sinceMonoMs: number; readonly temperature: number | null } | undefined;
  readonly bookedNow?: Booking | undefined;
  readonly next?: Booking | undefined;
  /** What the series last said; undefined until they said something. */
  readonly told: Told | undefined;
  /** When the next reading may be told. */
  readonly nextReadingsMonoMs: number;
  readonly nextTelemetryMonoMs: number;
  readonly updatedAtMs: number;
}

/** A room's next state while it is being worked out. */
export type RoomDraft = { -readonly [K in keyof Required<RoomState>]: RoomState[K] };

/** Field by field, which is many times faster than spreading (see `touched` in doors/door.ts). */
export function draftRoom(state: RoomState): RoomDraft {
  return {
    occupancy: state.occupancy,
    climate: state.climate,
    climateLatch: state.climateLatch,
    lighting: state.lighting,
    lightingLatch: state.lightingLatch,
    outputs: state.outputs,
    heatingOn: state.heatingOn,
    bookedNow: state.bookedNow,
    next: state.next,
    told: state.told,
    nextReadingsMonoMs: state.nextReadingsMonoMs,
    nextTelemetryMonoMs: state.nextTelemetryMonoMs,
    updatedAtMs: state.updatedAtMs,
  };
}

export function initialRoom(room: Room, now: Now): RoomState {
  return {
    occupancy: initialOccupancy(room, now),
    climate: undefined,
    climateLatch: undefined,
    lighting: undefined,
    lightingLatch: undefined,
    outputs: new Map(),
    heatingOn: undefined,
    bookedNow: undefined,
    next: undefined,
    told: undefined,
    nextReadingsMonoMs: now.monoMs,
    nextTelemetryMonoMs: now.monoMs,
    updatedAtMs: now.wallMs,
  };
}
