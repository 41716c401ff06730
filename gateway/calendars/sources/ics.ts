/**
 * An ICS feed: one address that gives a whole calendar (RFC 5545). Polled with If-None-Match and If-Modified-Since
 * (RFC 9110 §13); a server that knows neither costs a download, and a fingerprint tells that nothing changed.
 */
import { createHash } from 'node:crypto';
import { readFeed } from '../net/feed.ts';
import { fingerprint } from '../net/fingerprint.ts';
import { failureOf, type HttpAnswer, HttpClient, safeAddress } from '../net/http.ts';
import type { IcsSettings } from '../settings.ts';
import type { CalendarSource, FeedFault, Polled } from '../types.ts';

/** The one object of a feed. */
export const FEED_HREF = 'feed';

/** Kept by the host beside the feed that was accepted. */
interface Cursor {
  /** Of which address; another one starts anew. */
  readonly address: string;
  readonly etag?: string;
  readonly lastModified?: string;
  readonly print: string;
}

/** A Last-Modified younger than this may stand for two versions: its clock has whole seconds only (RFC 9110 §8.8.2.2). */
const SETTLED_MS = 60_000;

/** @param http one with the settings' limits unless given; it lives as long as the source. */
export function icsSource(settings: IcsSettings, http: HttpClient = new HttpClient(settings.http)): CalendarSource {
  const address = createHash('sha256').update(settings.url).digest('hex').slice(0, 16);
  return {
    id: settings.id,
    kind: 'ics',
    async poll(text, signal) {
      const known = readCursor(text, address);
      const answer = await http.request({ url: settings.url, headers: askFor(known), signal });
      if (answer.kind === 'failed') return refusal(answer.code, answer.why, answer.retryAfterMs);
      return judgeAnswer(answer, known, address);
    },
  };
}

function askFor(known: Cursor | undefined): Record<string, string> {
  return {
    accept: 'text/calendar, */*;q=0.1',
    // A cancelled booking must not stand because a cache on the way is slow.
    'cache-control': 'no-cache',
    ...(known?.etag === undefined ? {} : { 'if-none-match': known.etag }),
    ...(known?.lastModified === undefined ? {} : { 'if-modified-since': known.lastModified }),
  };
}

async function judgeAnswer(answer: HttpAnswer, known: Cursor | undefined, address: string): Promise<Polled> {
  const where = safeAddress(answer.url);
  const failure = failureOf(answer);
  if (failure !== undefined) return refusal(failure.code, failure.why, failure.retryAfterMs);
  if (answer.status === 304) {
    if (known !== undefined) return { kind: 'unchanged' };
    return refusal('server_error', `${where} says that nothing changed (304), but nothing was known yet.`);
  }
  if (answer.status === 204 || answer.status === 205)
    return refusal('empty', `${where} answers without a calendar (${answer.status}).`);
  if (answer.status === 206)
    return refusal('truncated', `${where} sends a part of the calendar (206) though all was asked for.`);
  if (answer.status !== 200 && answer.status !== 203)
    return refusal('server_error', `${where} answers with status ${answer.status}, which brings no calendar.`);
  const type = answer.headers['content-type'];
  // First, since what was read before needs no second reading. Nothing that was refused has a cursor.
  const print = await fingerprint(answer.body);
  if (print === known?.print) return { kind: 'unchanged' };
  const feed = await readFeed(answer.body, type);
  if (!feed.ok) return refusal(feed.code, `${where}: ${feed.why}`);
  const etag = sendable(answer.headers.etag);
  return {
    kind: 'snapshot',
    objects: [{ href: FEED_HREF, collection: '', etag: etag ?? '', type: 'ics', body: feed.text }],
    cursor: JSON.stringify({ address, etag, lastModified: settledTime(answer.headers), print } satisfies Loose<Cursor>),
  };
}

type Loose<T> = { [K in keyof T]: T[K] | undefined };

function refusal(code: FeedFault, why: string, retryAfterMs?: number): Polled {
  return { kind: 'failed', code, why, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** The host gives back what it was given; what is not ours, or of another address, asks for all. */
function readCursor(text: string | undefined, address: string): Cursor | undefined {
  if (text === undefined) return undefined;
  try {
    const cursor = JSON.parse(text) as Cursor | null;
    return cursor?.address === address && typeof cursor.print === 'string' ? cursor : undefined;
  } catch {
    return undefined;
  }
}

/** A tag that may be sent back as it came. */
function sendable(etag: string | undefined): string | undefined {
  return etag !== undefined && /^(W\/)?"[\x21\x23-\x7e]*"$/.test(etag) ? etag : undefined;
}

function settledTime(headers: Readonly<Record<string, string>>): string | undefined {
  const { date, 'last-modified': changed } = headers;
  if (changed === undefined || date === undefined) return undefined;
  return Date.parse(date) - Date.parse(changed) >= SETTLED_MS ? changed : undefined;
}
