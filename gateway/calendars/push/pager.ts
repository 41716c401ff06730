/**
 * Reads a list of bookings over all its pages, or fails whole: half a list would take away good bookings. What is one
 * unreadable booking in it is set aside, the rest stand.
 */
import { createHash } from 'node:crypto';
import { setImmediate as rest } from 'node:timers/promises';
import { failureOf, type HttpClient, type HttpFailure, safeAddress } from '../net/http.ts';
import type { CalendarObject, FeedFault, Polled } from '../types.ts';
import { takeElements } from './elements.ts';

/** Pages of one look; at 50 to a page these are ten thousand bookings. */
export const MAX_PAGES = 200;
/** Bookings of one look, as many as a feed may have events. */
export const MAX_OBJECTS = 20_000;
/** Work between two rests of the event loop. */
const OBJECTS_PER_SLICE = 200;

/** What an API's list looks like. All functions are pure and never throw. */
export interface ListFormat {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Where the bookings stand at the top of an answer; a bare list is understood too. */
  readonly keys: readonly string[];
  /** One entry: a booking (readable or not), or undefined when it is not one. `fault` fails the whole look. */
  item(value: unknown): PageItem | undefined;
  /** What an object becomes once all pages are read. */
  finish?(object: CalendarObject): CalendarObject;
  /** What the answer says about itself. `received` counts the entries of this page, `before` those of the pages before. */
  page(envelope: unknown, context: PageContext): PageEnd;
}
export interface PageItem {
  readonly object?: CalendarObject | undefined;
  readonly fault?: { readonly code: FeedFault; readonly why: string } | undefined;
  /** It stands in the list but is none of what is listed, so the total does not count it. */
  readonly apart?: true | undefined;
}
export interface PageContext {
  readonly url: URL;
  readonly received: number;
  readonly before: number;
  /** Whether the page had the list at all. */
  readonly found: boolean;
}
export type PageEnd =
  | {
      readonly ok: true;
      /** Address of the next page; absent on the last. */
      readonly next?: string | undefined;
      /** How many entries there are in all, where the API says it. */
      readonly total?: number | undefined;
    }
  | { readonly ok: false; readonly code: FeedFault; readonly why: string };

/** What of a format turns the pages, whatever is on them. */
export type Paging = Pick<ListFormat, 'headers' | 'keys' | 'page'>;

export interface Reader {
  readonly http: Pick<HttpClient, 'request'>;
  readonly signal: AbortSignal;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What an entry came to. */
interface Entry {
  /** Whether it counts towards the total. */
  readonly counts: boolean;
  readonly fault?: PageItem['fault'];
}

/** @param cursor of the last accepted answer; the same content again is `unchanged` */
export async function readList(
  first: URL,
  format: ListFormat,
  reader: Reader,
  cursor: string | undefined,
): Promise<Polled> {
  const objects = new Map<string, CalendarObject>();
  const failure = await readPages(first, format, reader, (value) => {
    const { object, fault, apart } = format.item(value) ?? {};
    if (object === undefined) return { counts: apart !== true, fault };
    // A list that changes while its pages are read moves entries over the border of two pages: one comes twice, and as
    // many are missing. So what came twice does not count; the later is the later statement.
    const known = objects.delete(object.href);
    objects.set(object.href, object);
    return { counts: !known, fault };
  });
  if (failure !== undefined) return failure;
  return snapshot(await finished([...objects.values()], format), cursor);
}

/** Calls `each` for every entry of all pages. @returns why not all of them could be read */
export async function readPages(
  first: URL,
  paging: Paging,
  reader: Reader,
  each: (value: unknown) => Entry,
): Promise<HttpFailure | undefined> {
  const seen = new Set<string>();
  let url = first;
  let received = 0;
  for (let pages = 0; ; pages += 1) {
    if (pages === MAX_PAGES) return failed('too_large', url, `has more than ${MAX_PAGES} pages`);
    if (seen.has(url.href)) return failed('malformed', url, 'sends the same page again and again');
    seen.add(url.href);
    const page = await readPage(url, paging, reader, received, each);
    if ('kind' in page) return page;
    received += page.received;
    if (received > MAX_OBJECTS) return failed('too_large', url, `has more than ${MAX_OBJECTS} entries`);
    if (page.end.next === undefined) {
      if (page.end.total === undefined || received >= page.end.total) return undefined;
      const why = `sent ${received} of ${page.end.total} entries; it is read again at the next look`;
      return failed('truncated', url, why);
    }
    const next = nextUrl(page.end.next, url);
    if (next === undefined) {
      return failed('refused_address', url, 'names a next page on another server, where our credentials are not for');
    }
    url = next;
  }
}

interface ReadPage {
  readonly received: number;
  readonly end: Extract<PageEnd, { ok: true }>;
}

async function readPage(
  url: URL,
  paging: Paging,
  { http, signal, headers }: Reader,
  before: number,
  each: (value: unknown) => Entry,
): Promise<ReadPage | HttpFailure> {
  const answer = await http.request({
    url: url.href,
    headers: { accept: 'application/json', ...paging.headers, ...headers },
    signal,
  });
  if (answer.kind === 'failed') return answer;
  const failure = failureOf(answer);
  if (failure !== undefined) return failure;
  // 206 is a part, 204 is nothing, 304 was not asked for.
  if (answer.status !== 200) return failed('truncated', url, `answers with status ${answer.status} instead of 200`);
  if (!isJsonType(answer.headers['content-type'])) {
    return failed('wrong_type', url, 'does not answer in JSON; check the address and the credentials');
  }
  let received = 0;
  let counted = 0;
  let fault: PageItem['fault'];
  const taken = await takeElements(answer.body, { keys: paging.keys, maxElements: MAX_OBJECTS, signal }, (value) => {
    const entry = each(value);
    received += 1;
    if (entry.counts) counted += 1;
    fault ??= entry.fault;
  });
  if (!taken.ok) return failed(taken.code, url, `sends an answer that cannot be read: it ${taken.why}`);
  if (fault !== undefined) return failed(fault.code, url, fault.why);
  const end = paging.page(taken.envelope, { url, received, before, found: taken.found });
  return end.ok ? { received: counted, end } : failed(end.code, url, end.why);
}

function isJsonType(type: string | undefined): boolean {
  return /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/i.test(type?.trim() ?? '');
}

/** Resolved against the page it stood on; undefined for another origin (scheme, host and port). */
function nextUrl(text: string, base: URL): URL | undefined {
  if (!URL.canParse(text, base.href)) return undefined;
  const url = new URL(text, base);
  url.hash = '';
  return url.origin === base.origin && url.username === '' && url.password === '' ? url : undefined;
}

function failed(code: FeedFault, url: URL, why: string): HttpFailure {
  return { kind: 'failed', code, why: `${safeAddress(url)} ${why}.` };
}

async function finished(objects: CalendarObject[], { finish }: ListFormat): Promise<readonly CalendarObject[]> {
  if (finish === undefined) return objects;
  for (const [index, object] of objects.entries()) {
    objects[index] = finish(object);
    if (index % OBJECTS_PER_SLICE === OBJECTS_PER_SLICE - 1) await rest();
  }
  return objects;
}

const DIGEST_BYTES = 32;

/** Order does not count, servers list in any: so the digests are added up bit by bit, without sorting them. */
async function snapshot(objects: readonly CalendarObject[], cursor: string | undefined): Promise<Polled> {
  const sum = Buffer.alloc(DIGEST_BYTES);
  for (const [index, { href, body }] of objects.entries()) {
    const digest = createHash('sha256')
      .update(JSON.stringify([href, body]))
      .digest();
    for (let at = 0; at < DIGEST_BYTES; at += 1) sum[at] = (sum[at] ?? 0) ^ (digest[at] ?? 0);
    if (index % OBJECTS_PER_SLICE === OBJECTS_PER_SLICE - 1) await rest();
  }
  const now = `sha256:${objects.length}:${sum.toString('base64url')}`;
  return now === cursor ? { kind: 'unchanged' } : { kind: 'snapshot', objects, cursor: now };
}
