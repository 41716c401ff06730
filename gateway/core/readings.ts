/** What devices report, as the room's controllers ask for it. */
import type { Point } from './site.ts';
import { isOnline, type State } from './state.ts';

/** 0-100 %, null while unknown; a relay counts as 0 or 100. */
export function lightLevel(state: State, point: Point): number | null {
  const value = state.readings.get(point)?.value;
  if (!isOnline(state, point)) return null;
  if (value === 'on') return 100;
  if (value === 'off') return 0;
  return numberOrNull(value ?? null);
}

export function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
