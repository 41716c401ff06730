/**
 * What changed in one calendar, known for certain or not at all. By RFC 6578's sync-collection where the server has it;
 * else by the ETags of all resources. A sync token is only ever handed out together with everything that it stands for.
 */
import { type HttpFailure, safeAddress } from '../net/http.ts';
import { ask, type DavAnswer, malformed } from './dav.ts';
import { asFolder, memberOf, normalPath, urlOf } from './href.ts';
import type { Place, Seen } from './listing.ts';
import type { DavResponse } from './multistatus.ts';
import { dav, ETAGS, ETAGS_BY_QUERY, syncCollection } from './requests.ts';
import { childOf } from './xml.ts';

export type Change =
  | { readonly kind: 'there'; readonly etag: string /** As the server writes it. */; readonly path: string }
  | { readonly kind: 'gone' };
export interface Changes {
  readonly kind: 'changes';
  /** All resources there are are among them. */
  readonly all: boolean;
  /** '' where the server has no sync tokens. */
  readonly token: string;
  readonly byName: ReadonlyMap<string, Change>;
}
/** The calendar is not there any more. */
export interface Gone {
  readonly kind: 'gone';
  readonly failure: HttpFailure;
}

/** Parts of one truncated answer. */
export const MAX_PAGES = 1_000;
/** Resources of one calendar. */
export const MAX_ITEMS = 100_000;

/** @param token of the last time; '' asks for all there is. */
export async function changesOf(place: Place, seen: Seen, token: string): Promise<Changes | Gone | HttpFailure> {
  if (seen.syncs !== false) {
    const synced = await bySync(place, seen.key, token);
    if (synced !== 'stale' && synced !== 'unable') return synced;
    if (synced === 'stale') {
      const anew = await bySync(place, seen.key, '');
      if (anew !== 'stale' && anew !== 'unable') return anew;
    }
  }
  return byEtags(place, seen.key);
}

/** `stale`: the token is not known any more. `unable`: the server cannot do it, or not to the end. */
async function bySync(
  place: Place,
  key: string,
  token: string,
): Promise<Changes | Gone | HttpFailure | 'stale' | 'unable'> {
  const byName = new Map<string, Change>();
  const url = urlOf(key, place.address);
  let asked = token;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await ask(
      place.http,
      // RFC 6578 §3.2: the report is only defined for Depth 0.
      { method: 'REPORT', url, depth: '0', body: syncCollection(asked), signal: place.signal },
      place.maxBytes,
    );
    if (answer.kind === 'failed') return answer;
    if (answer.kind === 'refused') return refusedSync(answer, asked);
    const next = answer.multistatus.syncToken;
    if (next === undefined || next === '') return 'unable';
    const read = gather(answer, url, byName);
    if (typeof read === 'object') return read;
    if (read === 'complete') return { kind: 'changes', all: token === '', token: next, byName };
    // Truncated (RFC 6578 §3.6): the new token stands for what came so far. Without progress it would never end.
    if (next === asked) return 'unable';
    asked = next;
  }
  return 'unable';
}

function refusedSync(
  answer: Extract<DavAnswer, { kind: 'refused' }>,
  token: string,
): Gone | HttpFailure | 'stale' | 'unable' {
  const { status, errors, failure } = answer;
  if (errors.includes(dav('number-of-matches-within-limits')) || status === 507) return 'unable';
  if (token !== '' && errors.includes(dav('valid-sync-token'))) return 'stale';
  if (errors.includes(dav('supported-report'))) return 'unable';
  if (status === 404) return { kind: 'gone', failure };
  if (status === 401 || status === 429 || (status >= 500 && status !== 501)) return failure;
  // Servers say it in many ways: 403 (RFC 6578), 409, 410, 412, 400 …
  if (token !== '') return 'stale';
  return status === 410 ? { kind: 'gone', failure } : 'unable';
}

/** Takes the responses of one answer in. */
function gather(
  answer: Extract<DavAnswer, { kind: 'multistatus' }>,
  url: string,
  byName: Map<string, Change>,
): 'complete' | 'truncated' | HttpFailure {
  const folders = [...new Set([url, answer.url].map((one) => asFolder(normalPath(new URL(one).pathname))))];
  const where = safeAddress(url);
  let truncated = false;
  for (const response of answer.multistatus.responses) {
    if (isTruncation(response)) {
      truncated = true;
      continue;
    }
    const member = memberOf(response.href, answer.url, folders);
    if (member.kind === 'outside') return malformed(where, 'it speaks of a resource outside of the calendar');
    if (member.kind !== 'resource' || isFolder(response)) continue;
    byName.set(member.name, changeOf(response, answer.url));
    if (byName.size > MAX_ITEMS)
      return {
        kind: 'failed',
        code: 'too_large',
        why: `The calendar at ${where} has more than ${MAX_ITEMS} resources.`,
      };
  }
  return truncated ? 'truncated' : 'complete';
}

/** RFC 6578 §3.6: 507 for the calendar itself, with or without its precondition. */
function isTruncation(response: DavResponse): boolean {
  return response.status === 507 || response.errors.includes(dav('number-of-matches-within-limits'));
}

function isFolder(response: DavResponse): boolean {
  return childOf(response.found.get(dav('resourcetype')), dav('collection')) !== undefined;
}

/** A resource with any other status is there, and asking for it will tell more. */
function changeOf(response: DavResponse, base: string): Change {
  if (response.status === 404 || response.status === 410) return { kind: 'gone' };
  return {
    kind: 'there',
    etag: response.found.get(dav('getetag'))?.text.trim() ?? '',
    path: new URL(response.href.trim(), base).pathname,
  };
}

/** The ETags of all resources: PROPFIND of depth 1, else calendar-query. */
async function byEtags(place: Place, key: string): Promise<Changes | Gone | HttpFailure> {
  const url = urlOf(key, place.address);
  const ways = [
    { method: 'PROPFIND', body: ETAGS },
    { method: 'REPORT', body: ETAGS_BY_QUERY },
  ] as const;
  let last: HttpFailure | undefined;
  for (const way of ways) {
    const answer = await ask(place.http, { ...way, url, depth: '1', signal: place.signal }, place.maxBytes);
    if (answer.kind === 'failed') return answer;
    if (answer.kind === 'refused') {
      if (answer.status === 404 || answer.status === 410) return { kind: 'gone', failure: answer.failure };
      if (answer.status === 401 || answer.status === 429 || answer.status === 503) return answer.failure;
      // The first refusal says more: the second way may be refused because it is not known at all.
      last ??= answer.failure;
      continue;
    }
    const byName = new Map<string, Change>();
    const read = gather(answer, url, byName);
    if (read === 'complete') return { kind: 'changes', all: true, token: '', byName };
    last ??= typeof read === 'object' ? read : truncated(safeAddress(url));
  }
  return last ?? truncated(safeAddress(url));
}

function truncated(where: string): HttpFailure {
  return {
    kind: 'failed',
    code: 'truncated',
    why: `${where} does not list all of its resources (507): nothing was taken over.`,
  };
}
