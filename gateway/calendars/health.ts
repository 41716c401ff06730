/** How a source stands, for people. */
import type { Feed } from './feed.ts';
import { safeAddress } from './net/url.ts';
import type { FeedHealth } from './types.ts';

/** Events set aside that people are shown. */
export const SET_ASIDE_SHOWN = 100;

export function healthOf(
  { id, settings, standing, source }: Feed,
  around: {
    readonly nextAtMs: number | undefined;
    readonly bookings: number;
    readonly nowMs: number;
    readonly maxScheduleAgeMs: number;
  },
): FeedHealth {
  const { state, why, lastTriedAtMs, lastGoodAtMs, lastChangedAtMs, events, notOurs } = standing;
  const old = lastGoodAtMs !== undefined && around.nowMs - lastGoodAtMs > around.maxScheduleAgeMs;
  const strangers = state === 'ok' && events > 0 && notOurs > 0 && around.bookings === 0;
  return {
    id,
    kind: source.kind,
    address: settings.url === undefined ? '' : safeAddress(settings.url),
    state: old ? 'too_old' : state,
    why: strangers ? 'It is read well, but none of its coming events names a room of rooms.map.' : why,
    lastTriedAtMs,
    lastGoodAtMs,
    lastChangedAtMs,
    nextAtMs: around.nextAtMs,
    bookings: around.bookings,
    setAside: standing.setAside.slice(0, SET_ASIDE_SHOWN),
    setAsideTotal: standing.setAsideTotal,
  };
}
