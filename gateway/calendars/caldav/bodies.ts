/** Fetches resources of one calendar: calendar-multiget in batches, and one by one what that leaves out. */
import { failureOf, type HttpFailure, safeAddress } from '../net/http.ts';
import { ask, type DavAnswer } from './dav.ts';
import { asFolder, memberOf, normalPath, urlOf } from './href.ts';
import type { Place } from './listing.ts';
import type { DavResponse } from './multistatus.ts';
import { caldav, dav, multiget } from './requests.ts';

export type Body =
  | { readonly kind: 'body'; readonly etag: string; readonly body: string }
  | { readonly kind: 'gone' }
  /** It is there, and cannot be had. */
  | { readonly kind: 'unread'; readonly failure: HttpFailure };

/** How far from its ends the marks of a calendar may be. */
const MARK = 1_000;
/** Resources asked for at once. */
export const BATCH = 50;

/**
 * @param paths by name, as the server writes them; relative ones are meant within the calendar.
 * @param take called once for each name, in any order.
 * @returns the failure that ended it; the names that were not taken are not known then.
 */
export async function fetchBodies(
  place: Place,
  key: string,
  paths: ReadonlyMap<string, string>,
  take: (name: string, body: Body) => void,
): Promise<HttpFailure | undefined> {
  const names = [...paths.keys()];
  let size = BATCH;
  let plural = true;
  for (let at = 0; at < names.length; ) {
    const batch = names.slice(at, at + size);
    const left = new Set(batch);
    if (plural) {
      const asked = await many(place, key, new Map(batch.map((name) => [name, paths.get(name) ?? name])));
      if (asked === 'unable') plural = false;
      else if (asked.kind === 'answered') {
        for (const [name, body] of asked.bodies) if (left.delete(name)) take(name, body);
      } else if (asked.code === 'too_large' && batch.length > 1) {
        size = Math.ceil(batch.length / 4);
        continue;
      } else if (asked.code !== 'too_large') return asked;
    }
    for (const name of left) {
      const body = await single(place, new URL(paths.get(name) ?? name, urlOf(key, place.address)).href);
      if (body.kind === 'failed') return body;
      take(name, body);
    }
    at += batch.length;
  }
  return undefined;
}

interface Answered {
  readonly kind: 'answered';
  readonly bodies: ReadonlyMap<string, Body>;
}

/** Those that are not in the answer were left out by the server. */
async function many(
  place: Place,
  key: string,
  wanted: ReadonlyMap<string, string>,
): Promise<Answered | HttpFailure | 'unable'> {
  const url = urlOf(key, place.address);
  const hrefs = [...wanted.values()].map((path) => new URL(path, url).pathname);
  const answer = await ask(
    place.http,
    // RFC 4791 §7.9 has no use for Depth here, but its example sends 1, and some servers want it.
    { method: 'REPORT', url, depth: '1', body: multiget(hrefs), signal: place.signal },
    place.maxBytes,
  );
  if (answer.kind === 'failed') return answer;
  if (answer.kind === 'refused') return [401, 404, 410, 429, 503].includes(answer.status) ? answer.failure : 'unable';
  return { kind: 'answered', bodies: sorted(answer, url, wanted) };
}

function sorted(
  answer: Extract<DavAnswer, { kind: 'multistatus' }>,
  url: string,
  wanted: ReadonlyMap<string, string>,
): ReadonlyMap<string, Body> {
  const folders = [...new Set([url, answer.url].map((one) => asFolder(normalPath(new URL(one).pathname))))];
  const bodies = new Map<string, Body>();
  for (const response of answer.multistatus.responses) {
    const member = memberOf(response.href, answer.url, folders);
    // What was not asked for is not taken.
    if (member.kind !== 'resource' || !wanted.has(member.name)) continue;
    const body = bodyOf(response);
    if (body !== undefined) bodies.set(member.name, body);
  }
  return bodies;
}

/** Undefined where the answer does not settle it: then the resource is asked for by itself. */
function bodyOf(response: DavResponse): Body | undefined {
  if (response.status === 404 || response.status === 410) return { kind: 'gone' };
  const data = response.found.get(caldav('calendar-data'))?.text;
  if (data === undefined || !isWhole(data)) return undefined;
  return { kind: 'body', etag: response.found.get(dav('getetag'))?.text.trim() ?? '', body: data };
}

async function single(place: Place, url: string): Promise<Body | HttpFailure> {
  const { http, signal, maxBytes } = place;
  const answer = await http.request({ url, headers: { accept: 'text/calendar' }, signal, maxBytes });
  if (answer.kind === 'failed') return answer.code === 'too_large' ? { kind: 'unread', failure: answer } : answer;
  if (answer.status === 404 || answer.status === 410) return { kind: 'gone' };
  const failure = failureOf(answer);
  if (failure !== undefined) return [401, 429, 503].includes(answer.status) ? failure : { kind: 'unread', failure };
  const type = answer.headers['content-type'] ?? 'text/calendar';
  if (answer.status !== 200 || !/^\s*text\/(calendar|plain)\b/i.test(type))
    return {
      kind: 'unread',
      failure: {
        kind: 'failed',
        code: 'wrong_type',
        why: `${safeAddress(url)} is no calendar resource (${type.slice(0, 40)}).`,
      },
    };
  const body = answer.body.toString('utf8');
  if (!isWhole(body))
    return {
      kind: 'unread',
      failure: {
        kind: 'failed',
        code: 'truncated',
        why: `${safeAddress(url)} is not a whole calendar: it does not begin and end as one.`,
      },
    };
  return { kind: 'body', etag: answer.headers.etag ?? '', body };
}

/** A calendar that breaks off could lack the line that cancels it. */
function isWhole(body: string): boolean {
  return /^\uFEFF?\s*BEGIN:VCALENDAR\s/i.test(body.slice(0, MARK)) && /END:VCALENDAR\s*$/i.test(body.slice(-MARK));
}
