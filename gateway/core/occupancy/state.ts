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
