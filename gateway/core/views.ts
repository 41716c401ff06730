/** What people are shown of the state, as plain data; instants are Unix milliseconds, null is "not known". */
import type { Alarm } from './effects.ts';
import type { Now } from './facts.ts';
import type { RoomKind } from './site.ts';

export type OccupancyState = 'occupied' | 'vacant' | 'unknown';

/** Zone modes: ASHRAE Guideline 36. `off` is a room without climate control. */
export type ClimateMode =
  | 'occupied'
  | 'warm_up'
  | 'cool_down'
  | 'setback'
  | 'setup'
  | 'unoccupied'
  | 'freeze_protection'
  | 'sensor_fault'
  | 'off';

export interface OccupancyView {
  readonly state: OccupancyState;
  /** 0 to 1: how sure the state is. */
  readonly confidence: number;
  readonly sinceMs: number;
  readonly people: number | null;
  /** Last evidence of presence. */
  readonly lastSeenMs: number | null;
}

export interface BookingRef {
  readonly id: string;
  readonly holder: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly status: string;
}

export interface DoorView {
  readonly id: string;
  readonly name: string;
  readonly room: string | null;
  readonly common: boolean;
  /** As the lock reports it; `unknown` before it has reported since its device came online. */
  readonly lock: 'locked' | 'unlocking' | 'unlocked' | 'locking' | 'jammed' | 'unknown';
  readonly contact: 'open' | 'closed' | 'unknown' | 'none';
  /** The last thing that was asked of the lock, apart from what it reports. */
  readonly lastCommand: {
    readonly id: string;
    readonly op: 'unlock' | 'lock';
    readonly outcome: 'pending' | 'confirmed' | 'failed' | 'unknown';
    readonly atMs: number;
  } | null;
  readonly online: boolean;
  readonly alarms: readonly string[];
  readonly updatedAtMs: number;
}

export interface ClimateView {
  readonly temperature: number | null;
  readonly temperatureAtMs: number | null;
  readonly humidity: number | null;
  readonly co2: number | null;
  readonly heatingSetpoint: number | null;
  readonly coolingSetpoint: number | null;
  readonly mode: ClimateMode;
  /** What the relays report, null while unknown or absent. */
  readonly heating: boolean | null;
  readonly cooling: boolean | null;
}

export interface LightsView {
  /** Level that the controller asks for, 0-100 %. */
  readonly target: number;
  /** Level that the device reports. */
  readonly level: number | null;
  readonly warning: boolean;
}

export interface RoomView {
  readonly id: string;
  readonly name: string;
  readonly kind: RoomKind;
  readonly occupancy: OccupancyView;
  readonly booking: {
    readonly now: BookingRef | null;
    readonly next: BookingRef | null;
    /** Cancelled, removed or moved away in mid-visit while people were inside; until they left or booked anew. */
    readonly revoked: BookingRef | null;
  };
  /** Nobody came to this booking; until its time ends or somebody comes. Its status says whether the room was released. */
  readonly noShow: BookingRef | null;
  /** The booking that ended and whose people are still here. */
  readonly overstay: BookingRef | null;
  readonly door: DoorView | null;
  readonly climate: ClimateView | null;
  readonly lights: LightsView | null;
  /** Warm and aired as its setpoint asks, and no alarm that stands against using it. */
  readonly ready: boolean;
  /** Ids of live alarms. */
  readonly alarms: readonly string[];
  readonly updatedAtMs: number;
}

/** Everything that changed in one batch of facts, for the live stream. */
export interface Changes {
  readonly now: Now;
  readonly rooms: readonly RoomView[];
  readonly doors: readonly DoorView[];
  readonly alarms: readonly Alarm[];
}
