/** A CalDAV account (RFC 4791, 6578, 6764) as a source of bookings. */
import { type CursorState, readCursor, writeCursor } from '../caldav/cursor.ts';
import { readable } from '../caldav/href.ts';
import type { Place } from '../caldav/listing.ts';
import { releaseResource } from '../caldav/release.ts';
import { lookAround, type Round } from '../caldav/round.ts';
import { HttpClient, safeAddress } from '../net/http.ts';
import { readAddress } from '../net/url.ts';
import type { CaldavSettings } from '../settings.ts';
import type { CalendarSource, Polled } from '../types.ts';

export const DEFAULT_CALDAV_CONNECTIONS = 4;

export interface CaldavDeps {
  /** The checked client; made from the settings unless given. It lives as long as the source. */
  readonly http?: HttpClient | undefined;
  /** IANA name: zone of floating and all-day times, for writing releases; UTC unless given. */
  readonly siteZone?: string | undefined;
  /** Wall clock, Unix ms. */
  readonly now?: (() => number) | undefined;
}

/**
 * @param settings `url` may be a server, a principal, a calendar home or one calendar. User and password in it count.
 * It keeps no state but what it read of the last cursor, so that an unchanged account is not read from text each time.
 */
export function caldavSource(settings: CaldavSettings, deps: CaldavDeps = {}): CalendarSource {
  const read = readAddress(settings.url);
  const address = read?.url.href ?? settings.url;
  const connections = settings.connections ?? DEFAULT_CALDAV_CONNECTIONS;
  const http = deps.http ?? clientOf(settings, connections);
  const now = deps.now ?? Date.now;
  let last: { readonly text: string; readonly state: CursorState } | undefined;
  const known = (text: string | undefined): CursorState | undefined => {
    if (text === undefined) return undefined;
    if (last?.text !== text) {
      const state = readCursor(text, address);
      last = state === undefined ? undefined : { text, state };
    }
    return last?.state;
  };
  const place = (signal: AbortSignal): Place => ({ http, address, signal, maxBytes: settings.http.maxBytes });

  return {
    id: settings.id,
    kind: 'caldav',
    async poll(text, signal) {
      if (read === undefined) return noAddress();
      const cursor = known(text);
      try {
        const round = await lookAround(place(signal), http, cursor, { nowMs: now(), connections });
        if (round.kind !== 'round') return round;
        const written = writeCursor(round.state);
        last = { text: written, state: round.state };
        return answerOf(round, written, text, cursor === undefined);
      } catch (error) {
        return unreadable(address, error);
      }
    },
    labels(text) {
      const collections = known(text)?.collections ?? new Map();
      return Object.fromEntries(
        [...collections].map(([key, { name }]) => [key, name === '' ? [readable(key)] : [name, readable(key)]]),
      );
    },
    ...(settings.writeReleases
      ? {
          release: async (origin, _object, signal) => {
            try {
              return await releaseResource(place(signal), origin, deps.siteZone ?? 'UTC', now());
            } catch (error) {
              return { ok: false, again: false, why: `The event cannot be released (${shortly(error)}).` };
            }
          },
        }
      : {}),
  } satisfies CalendarSource;
}

/**
 * Credentials go to the configured server, and by https to its shards (`p01-caldav.example.com` of `caldav.example.com`):
 * not to everything beside it, since under `hoster.example` or `org.uk` others have their servers.
 */
function clientOf(settings: CaldavSettings, connections: number): HttpClient {
  const read = readAddress(settings.url);
  const user = read?.user === undefined ? {} : { username: read.user.name, password: read.user.password };
  return new HttpClient({
    ...settings.http,
    ...user,
    connections,
    trusts: (url) => read !== undefined && isTrusted(url, read.url),
  });
}

export function isTrusted(url: URL, own: URL): boolean {
  if (url.origin === own.origin) return true;
  if (url.protocol !== 'https:' || own.protocol !== 'https:') return false;
  const labels = own.hostname.split('.');
  return labels.length >= 3 && /[a-z]/i.test(own.hostname) && url.hostname.endsWith(`-${own.hostname}`);
}

function answerOf(round: Round, cursor: string, before: string | undefined, snapshot: boolean): Polled {
  const { changed, removed } = round;
  const partial = round.partial === undefined ? {} : { partial: round.partial };
  if (snapshot) return { kind: 'snapshot', objects: changed, cursor, ...partial };
  if (cursor === before && changed.length === 0 && removed.length === 0 && round.partial === undefined)
    return { kind: 'unchanged' };
  return { kind: 'delta', changed, removed, cursor, ...partial };
}

function noAddress(): Polled {
  return {
    kind: 'failed',
    code: 'refused_address',
    why: 'The address of this source is no web address: it begins with https://.',
  };
}

/** The last net: whatever a server sends must not end the gateway. */
function unreadable(address: string, error: unknown): Polled {
  return {
    kind: 'failed',
    code: 'malformed',
    why: `What ${safeAddress(address)} answers cannot be used (${shortly(error)}).`,
  };
}

function shortly(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 200);
}
