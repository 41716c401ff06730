/** A room and its settings for the tests of climate control. */
import type { ClimateSettings, Room } from '../../gateway/core/site.ts';
import type { OccupancyView } from '../../gateway/core/views.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const START = Date.UTC(2026, 0, 12, 8);
export const at = (ms: number) => ({ wallMs: START + ms, monoMs: ms });

export const SETTINGS: ClimateSettings = {
  heatTo: 21,
  coolTo: 24,
  setbackTo: 16,
  setupTo: 32,
  leadMs: 45 * MINUTE,
  minOnMs: 15 * MINUTE,
  minOffMs: 5 * MINUTE,
  freezeBelow: 4,
};
export const FREE: ClimateSettings = { ...SETTINGS, minOnMs: 0, minOffMs: 0 };

export function aRoom(climate: ClimateSettings | undefined, points: Partial<Room['points']> = {}): Room {
  return {
    id: 'consult-1',
    name: 'Consulting room 1',
    kind: 'consult',
    floor: 'ground',
    points: {
      presence: [],
      temperature: 'u/temperature',
      heating: 'u/relay',
      cooling: 'u/relay-2',
      lights: [],
      ...points,
    },
    climate,
    occupancy: { holdMs: 7 * MINUTE },
  };
}
export const ROOM = aRoom(SETTINGS);
export const QUICK = aRoom(FREE);

export function being(state: OccupancyView['state'], sinceMs = 0): OccupancyView {
  return { state, confidence: 0.9, sinceMs: START + sinceMs, people: null, lastSeenMs: null };
}
