/** What is told to the occupancy controller, and what it remembers of a room. */
import type { DoorValue } from '../facts.ts';
import type { Point } from '../site.ts';
import type { Co2Trend } from './evidence.ts';

export type OccupancyInput =
  | {
      readonly kind: 'presence';
      readonly point: Point;
      readonly value: boolean | null;
      readonly retained: boolean;
      readonly sensor?: 'pir' | 'mmwave' | 'other' | undefined;
    }
  | { readonly kind: 'people'; readonly value: number | null }
  | { readonly kind: 'co2'; readonly value: number | null }
  | { readonly kind: 'door'; readonly value: DoorValue }
  /** Access was granted at the room's door: expect someone to enter. */
  | { readonly kind: 'badge' }
  | { readonly kind: 'device'; readonly device: string; readonly online: boolean }
  | { readonly kind: 'tick' };

export interface PresenceSensor {
  /** null: offline, or it has not reported since. */
  readonly on: boolean | null;
  /** False for a retained `true`: the sensor says so, but nobody knows since when. */
  readonly fresh: boolean;
  readonly onSinceMonoMs: number | null;
  readonly stuck: boolean;
  /** It sees who sits still too: being on for hours is no fault of it. */
  readonly seesStill: boolean;
  readonly offline: boolean;
}

/** A room's next occupancy while it is being worked out. */
export type OccupancyDraft = { -readonly [K in keyof OccupancyState]: OccupancyState[K] };

/** Field by field, which is many times faster than spreading (see `touched` in doors/door.ts). */
export function draftOccupancy(state: OccupancyState): OccupancyDraft {
  return {
    verdict: state.verdict,
    confidence: state.confidence,
    sinceMs: state.sinceMs,
    startedMonoMs: state.startedMonoMs,
    sensors: state.sensors,
    people: state.people,
    lastSeenMs: state.lastSeenMs,
    lastSeenMonoMs: state.lastSeenMonoMs,
    visitSinceMonoMs: state.visitSinceMonoMs,
    expected: state.expected,
    activity: state.activity,
    activityAtMonoMs: state.activityAtMonoMs,
    activityWhenSeen: state.activityWhenSeen,
    co2: state.co2,
    slopeWhenSeen: state.slopeWhenSeen,
    badgeMonoMs: state.badgeMonoMs,
    doorOpenedMonoMs: state.doorOpenedMonoMs,
    blindSinceMonoMs: state.blindSinceMonoMs,
  };
}

export interface OccupancyState {
  readonly verdict: 'occupied' | 'vacant' | 'unknown';
  readonly confidence: number;
  /** Wall time of the verdict's last change. */
  readonly sinceMs: number;
  readonly startedMonoMs: number;
  readonly sensors: Readonly<Record<Point, PresenceSensor>>;
  readonly people: { readonly value: number; readonly atMonoMs: number } | null;
  readonly lastSeenMs: number | null;
  readonly lastSeenMonoMs: number | null;
  /** First presence of the visit that is going on; null while nobody is here. */
  readonly visitSinceMonoMs: number | null;
  readonly expected: boolean;
  readonly activity: number;
  readonly activityAtMonoMs: number;
  readonly activityWhenSeen: number;
  readonly co2: Co2Trend | null;
  readonly slopeWhenSeen: number | null;
  readonly badgeMonoMs: number | null;
  readonly doorOpenedMonoMs: number | null;
  /** Since when no sensor can tell; null while one can. */
  readonly blindSinceMonoMs: number | null;
}
