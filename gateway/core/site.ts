/**
 * The building as the core sees it: plain data, worked out once from the configuration.
 * Durations are milliseconds and say so; temperatures are °C; areas and positions are metres.
 */

/** A capability of one device, as `device/capability`, e.g. `room-1/relay-2`. */
export type Point = string;

export type RoomKind = 'consult' | 'therapy' | 'procedure' | 'waiting' | 'store' | 'other';

export interface ClimateSettings {
  /** Heating setpoint while occupied or booked, °C. */
  readonly heatTo: number;
  /** Cooling setpoint while occupied or booked, °C. */
  readonly coolTo: number;
  /** Heating setpoint while unoccupied, °C. */
  readonly setbackTo: number;
  /** Cooling setpoint while unoccupied, °C. */
  readonly setupTo: number;
  /** How long before a booking the room is brought to its occupied setpoints. */
  readonly leadMs: number;
  /** A relay that went on stays on at least this long. */
  readonly minOnMs: number;
  /** A relay that went off stays off at least this long. */
  readonly minOffMs: number;
  /** Below this room temperature the heating runs whatever else holds, °C. */
  readonly freezeBelow: number;
}

export interface LightingSettings {
  /** Level while the room is in use, 0-100 %. */
  readonly level: number;
  readonly offAfterMs: number;
  /** How long the lights are dimmed as a warning before they go off. */
  readonly warnMs: number;
}

export interface OccupancySettings {
  /** How long the last evidence of presence keeps the room occupied. */
  readonly holdMs: number;
}

export interface RoomPoints {
  readonly presence: readonly Point[];
  readonly people?: Point | undefined;
  readonly temperature?: Point | undefined;
  readonly humidity?: Point | undefined;
  readonly co2?: Point | undefined;
  readonly illuminance?: Point | undefined;
  readonly heating?: Point | undefined;
  readonly cooling?: Point | undefined;
  readonly lights: readonly Point[];
}

/** Place of a room on its floor's plan, metres from the top left corner. */
export interface PlanRect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly depth: number;
}

export interface Room {
  readonly id: string;
  readonly name: string;
  readonly kind: RoomKind;
  readonly floor: string;
  readonly plan?: PlanRect | undefined;
  readonly points: RoomPoints;
  readonly climate?: ClimateSettings | undefined;
  readonly lighting?: LightingSettings | undefined;
  readonly occupancy: OccupancySettings;
  /** Overrides `BookingRules.bufferMs` for this room. */
  readonly bufferMs?: number | undefined;
}

export interface Door {
  readonly id: string;
  readonly name: string;
  /** The room that a booking opens through this door; absent for common doors. */
  readonly room?: string | undefined;
  /** A common door opens for whoever has a booking in the building soon or now. */
  readonly common: boolean;
  readonly lock: Point;
  readonly contact?: Point | undefined;
  readonly reader?: Point | undefined;
  readonly exit?: Point | undefined;
  readonly strikeMs: number;
  readonly heldOpenAfterMs: number;
}

export interface BookingRules {
  /** Early grace: the door opens this long before the booking's start. */
  readonly earlyMs: number;
  /** Late grace: the door still opens this long after the booking's end. */
  readonly lateMs: number;
  /** Common doors open this long before the booking's start. */
  readonly entranceEarlyMs: number;
  /** Bookings of an outside calendar older than this no longer grant. */
  readonly maxScheduleAgeMs: number;
  /**
   * Cleaning buffer after each booking. Neither the late grace of the booking before nor the early grace of the one
   * after reaches into it; a booking's own time is never cut, and standing rights (cleaners, staff) hold as ever.
   */
  readonly bufferMs?: number | undefined;
  /** A booking whose room nobody entered this long after its start is a no-show. Absent: nobody looks. */
  readonly noShowAfterMs?: number | undefined;
  /** Whether a no-show gives the room free or is only shown; `flag` unless set. */
  readonly noShowAction?: 'release' | 'flag' | undefined;
  /** A room still occupied this long after a booking's late grace is an overstay. Absent: nobody looks. */
  readonly overstayAfterMs?: number | undefined;
}

export interface Site {
  readonly id: string;
  readonly name: string;
  /** IANA name, for people's eyes only: the core computes in UTC. */
  readonly timeZone: string;
  readonly bookings: BookingRules;
  readonly rooms: readonly Room[];
  readonly doors: readonly Door[];
  /** Every configured device id. */
  readonly devices: readonly string[];
}
