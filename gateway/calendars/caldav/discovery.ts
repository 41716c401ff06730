/**
 * Finds where the calendars of an account are, from whatever address people have at hand: a server, a principal, a
 * calendar home or one calendar (RFC 6764, RFC 5397, RFC 4791 §6.2.1). The way from a bare server goes through tsdav; the
 * addresses it finds are asked by ourselves, since tsdav takes only the first of several homes, reads a calendar called
 * `101` as a number, and asks each calendar for its reports, all at once.
 */
import { fetchPrincipalUrl, serviceDiscovery } from 'tsdav';
import { asFetch, FetchFailed } from '../net/fetch.ts';
import { failureOf, type HttpClient, type HttpFailure, safeAddress } from '../net/http.ts';
import { ask, type DavAnswer } from './dav.ts';
import { pathOf } from './href.ts';
import { calendarsOf, isEventCalendar, type Place } from './listing.ts';
import type { DavResponse } from './multistatus.ts';
import { caldav, dav, WHAT_IS_IT } from './requests.ts';
import { childrenOf, isXmlFault, readXml } from './xml.ts';

export interface Found {
  readonly kind: 'found';
  readonly homes: readonly string[];
  /** The only home is itself the one calendar. */
  readonly single: boolean;
}

/** Answers on the way to the calendars are small; tsdav reads them in one go. */
export const MAX_DISCOVERY_CHARACTERS = 256 * 1024;
/** An account has one home, maybe a second for what is shared. */
export const MAX_HOMES = 16;

/** @param client the checked client that tsdav sends through. */
export async function discover(place: Place, client: HttpClient): Promise<Found | HttpFailure> {
  const { address } = place;
  const given = await whatIs(place, address);
  const direct = given.kind === 'multistatus' ? directly(given, address) : undefined;
  if (direct !== undefined) return direct;
  // Credentials that are refused here are refused everywhere, and other faults of the way are the same for each address.
  if (given.kind === 'failed') return given;
  if (given.kind === 'refused' && (stops(given.failure) || isMissing(given.status, address))) return given.failure;
  if (given.kind === 'multistatus' && !isStart(given)) return nothing(address);
  if (given.kind === 'multistatus' && (await listsCalendars(place))) return found([address]);
  const principal = await principalOf(place, client);
  if (typeof principal !== 'string') return principal;
  const asked = await whatIs(place, principal);
  if (asked.kind === 'failed') return asked;
  if (asked.kind === 'refused') return asked.failure;
  return directly(asked, principal) ?? nothing(principal);
}

type WhatIs = DavAnswer;

/** A calendar that is not there must not become all calendars of the account; a bare server may well have no root. */
function isMissing(status: number, address: string): boolean {
  const { pathname } = new URL(address);
  return (status === 404 || status === 410) && pathname !== '/' && !pathname.startsWith('/.well-known/');
}

/** A folder or a principal leads on; a single resource, an address book, a list of tasks do not. */
function isStart(answer: Extract<WhatIs, { kind: 'multistatus' }>): boolean {
  const type = answer.multistatus.responses[0]?.found.get(dav('resourcetype'));
  const types = type?.children.map(({ name }) => name) ?? [];
  return types.every((name) => name === dav('collection') || name === dav('principal')) && types.length > 0;
}

function whatIs(place: Place, url: string): Promise<WhatIs> {
  const { http, signal, maxBytes } = place;
  return ask(http, { method: 'PROPFIND', url, depth: '0', body: WHAT_IS_IT, signal }, maxBytes);
}

/** The address is a calendar, or a principal that names its homes. */
function directly(answer: Extract<WhatIs, { kind: 'multistatus' }>, address: string): Found | undefined {
  const response = answer.multistatus.responses[0];
  if (response === undefined) return undefined;
  if (isEventCalendar(response)) return { kind: 'found', homes: [address], single: true };
  const homes = homesOf(response, answer.url, address);
  return homes.length === 0 ? undefined : found(homes);
}

function homesOf(response: DavResponse, url: string, address: string): string[] {
  const hrefs = childrenOf(response.found.get(caldav('calendar-home-set')), dav('href')).map(({ text }) => text.trim());
  const homes = hrefs.filter((href) => pathOf(href, url) !== undefined).map((href) => reachable(href, url, address));
  return [...new Set(homes)].slice(0, MAX_HOMES);
}

/**
 * Servers behind a proxy name themselves by http or an inner port. The way that worked is kept for the same host; another
 * host is another server (as with iCloud).
 */
function reachable(href: string, base: string, address: string): string {
  const url = new URL(href, base);
  const own = new URL(address);
  url.hash = '';
  if (url.hostname !== own.hostname) return url.href;
  return new URL(`${url.pathname}${url.search}`, own).href;
}

async function listsCalendars(place: Place): Promise<boolean> {
  const { http, signal, maxBytes, address } = place;
  const answer = await ask(http, { method: 'PROPFIND', url: address, depth: '1', body: WHAT_IS_IT, signal }, maxBytes);
  if (answer.kind !== 'multistatus') return false;
  const calendars = calendarsOf(answer.multistatus.responses, answer.url, address);
  return !('kind' in calendars) && calendars.length > 0;
}

/** By tsdav: /.well-known/caldav, then the current-user-principal of what it leads to, of the address, of the root. */
async function principalOf(place: Place, client: HttpClient): Promise<string | HttpFailure> {
  const watched = watchedFetch(place, client);
  const account = { accountType: 'caldav' as const, serverUrl: place.address };
  const start = await serviceDiscovery({ account, fetch: watched.fetch }).catch(() => place.address);
  const roots = new Set([start, place.address, new URL('/', place.address).href]);
  for (const rootUrl of roots) {
    if (place.signal.aborted) break;
    watched.last = undefined;
    try {
      const principal = await fetchPrincipalUrl({ account: { ...account, rootUrl }, fetch: watched.fetch });
      return reachable(principal, rootUrl, place.address);
    } catch {
      // tsdav throws one sentence for all faults; what happened is in `watched`.
      if (watched.last !== undefined && stops(watched.last)) return watched.last;
    }
  }
  return watched.last?.code === 'unauthorised' ? watched.last : nothing(place.address);
}

/** tsdav's fetch: through our checked client, and nothing reaches its XML parser that ours would not take. */
function watchedFetch(
  place: Place,
  client: HttpClient,
): { fetch: typeof globalThis.fetch; last: HttpFailure | undefined } {
  const checked = asFetch(client);
  const watched: { fetch: typeof globalThis.fetch; last: HttpFailure | undefined } = {
    last: undefined,
    fetch: async (input, init) => {
      try {
        const answer = await checked(input, { ...init, signal: place.signal });
        const headers = Object.fromEntries(answer.headers);
        watched.last = failureOf({ status: answer.status, headers, url: answer.url }) ?? watched.last;
        const text = await answer.text();
        const harmless =
          text.length <= MAX_DISCOVERY_CHARACTERS && (answer.status !== 207 || !isXmlFault(await readXml(text)));
        const passed = new Response(harmless && answer.status !== 204 && answer.status !== 304 ? text : null, {
          status: answer.status,
          headers,
        });
        Object.defineProperty(passed, 'url', { value: answer.url });
        return passed;
      } catch (error) {
        if (error instanceof FetchFailed) watched.last = error.failure;
        throw error;
      }
    },
  };
  return watched;
}

/** Faults that another address of the same server would have too. */
function stops({ code, status }: HttpFailure): boolean {
  // A root that is forbidden says nothing about what lies below it.
  if (code === 'unauthorised') return status !== 403;
  return code === 'busy' || code === 'unreachable' || code === 'timeout' || code === 'refused_address';
}

function found(homes: readonly string[]): Found {
  return { kind: 'found', homes, single: false };
}

function nothing(address: string): HttpFailure {
  return {
    kind: 'failed',
    code: 'not_found',
    why: `No calendars are found at ${safeAddress(address)}: give the address of a CalDAV server, of an account on it, or of one calendar.`,
  };
}
