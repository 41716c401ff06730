/**
 * The one HTTP client of all calendar sources (undici): https only unless allowed, public addresses only unless allowed
 * (checked in the socket, see `guard.ts`), redirects followed by hand and checked again, everything bounded in size and
 * time, connections too. What the other side does is never thrown: it is an `HttpFailure`.
 */
import { Agent, type Dispatcher } from 'undici';
import type { HttpSettings } from '../settings.ts';
import { ACCEPT_ENCODING, BodyTooLarge, readBody, UnknownCoding } from './body.ts';
import { failed, failureFrom, type HttpFailure, type Phase } from './failure.ts';
import { guardedConnector, type Resolve } from './guard.ts';
import { nextHop } from './redirect.ts';
import { Slots } from './slots.ts';
import { readAddress, safeAddress } from './url.ts';
import { type Ended, Watch } from './watch.ts';

export { failureOf, type HttpFailure, MAX_RETRY_AFTER_MS } from './failure.ts';
export { safeAddress } from './url.ts';

export interface HttpRequest {
  /** `GET` unless given; any method of RFC 9110 and WebDAV. */
  readonly method?: string | undefined;
  /** `https:`, `webcal:` or, where allowed, `http:`. User and password in it are taken as basic authentication. */
  readonly url: string;
  /** Without `authorization` the credentials of the settings go along. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Buffer | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of the unpacked body; the settings' unless given. */
  readonly maxBytes?: number | undefined;
  /** `manual`: a redirect is an answer. */
  readonly redirect?: 'follow' | 'manual' | undefined;
}

/** A whole answer, of any status: `failureOf` tells what a status means. */
export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** Lower-case names; a header that came several times is joined with commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Unpacked. Of an answer that is no success: as much as could be read, maybe nothing. */
  readonly body: Buffer;
  /** Where it came from in the end, without user and password. It may hold a secret: show `safeAddress(url)`. */
  readonly url: string;
}

export interface HttpClientSettings extends HttpSettings {
  /** At a time to one origin. */
  readonly connections?: number | undefined;
  /** Longest time for a request with all its redirects, once it is its turn; `TOTAL_FACTOR` × `timeoutMs` unless given. */
  readonly totalMs?: number | undefined;
  /** Certificates to trust instead of the system's (PEM). */
  readonly ca?: string | readonly string[] | undefined;
  /** Which origins are shown the credentials when they are asked for directly; all unless given. */
  readonly trusts?: ((url: URL) => boolean) | undefined;
  /** Single addresses that are allowed though they are not public and `allowPrivate` is not set. */
  readonly allowAddress?: ((address: string) => boolean) | undefined;
  /** The resolver of names; the system's unless given. */
  readonly resolve?: Resolve | undefined;
}

export const DEFAULT_CONNECTIONS = 4;
/** A feed may take several times the longest silence, not more: a drip is no feed. */
export const TOTAL_FACTOR = 4;
export const MAX_REDIRECTS = 5;
export const MAX_HEADER_BYTES = 32 * 1024;
/** Body of an answer that is no success: enough for an error in XML or JSON. */
export const MAX_ERROR_BYTES = 256 * 1024;
const KEEP_ALIVE_MS = 15_000;
const MAX_KEEP_ALIVE_MS = 60_000;
/** Remembered at a time, beside those in use. */
export const MAX_ORIGINS = 64;
const BYTES_PER_MB = 1_000_000;
const USER_AGENT = 'Doorward';
/** Methods that may be sent again when an idle connection was closed just as we used it. */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'PROPFIND', 'REPORT']);

/** One message to one address, without credentials in the address. */
interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
}
interface Origin {
  readonly slots: Slots;
  /** When it answered last (monotonic). */
  answeredMs: number;
}
interface Limits {
  readonly signal: AbortSignal | undefined;
  readonly maxBytes: number;
}

export class HttpClient {
  readonly #settings: HttpClientSettings;
  readonly #agent: Agent;
  readonly #origins = new Map<string, Origin>();

  constructor(settings: HttpClientSettings) {
    this.#settings = settings;
    this.#agent = new Agent({
      connections: settings.connections ?? DEFAULT_CONNECTIONS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      // Our own watch keeps the time: undici's runs in steps of a second.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: guardedConnector({
        allowPrivate: settings.allowPrivate,
        allowAddress: settings.allowAddress,
        connectTimeoutMs: settings.timeoutMs,
        ca: settings.ca,
        resolve: settings.resolve,
      }),
    });
  }

  /** Sends a request and follows it to its end. */
  async request(request: HttpRequest): Promise<HttpAnswer | HttpFailure> {
    const read = readAddress(request.url);
    if (read === undefined)
      return failed(
        'refused_address',
        'The address of this source is no web address: it begins with https:// or webcal://.',
      );
    const limits = { signal: request.signal, maxBytes: request.maxBytes ?? this.#settings.maxBytes };
    const authorization = this.#authorization(read.url, read.user);
    let hop: Hop = {
      url: read.url,
      method: (request.method ?? 'GET').toUpperCase(),
      headers: {
        'user-agent': USER_AGENT,
        'accept-encoding': ACCEPT_ENCODING,
        ...(authorization === undefined ? {} : { authorization }),
        ...lowerCase(request.headers ?? {}),
      },
      body: request.body,
    };
    let leftMs = this.#settings.totalMs ?? this.#settings.timeoutMs * TOTAL_FACTOR;
    for (let redirects = 0; ; redirects += 1) {
      if (hop.url.protocol === 'http:' && !this.#settings.allowHttp)
        return failed(
          'refused_address',
          `${safeAddress(hop.url)} is plain http, where anybody on the way can read and change it: use https, or set allowHttp for this source.`,
        );
      const { outcome, tookMs } = await this.#exchange(hop, limits, leftMs);
      leftMs -= tookMs;
      if (outcome.kind === 'failed') return redirects === 0 ? outcome : afterRedirect(outcome, read.url);
      if (request.redirect === 'manual') return outcome;
      const next = nextHop(hop, outcome, this.#settings.allowHttp);
      if (next === undefined) return outcome;
      if ('kind' in next) return redirects === 0 ? next : afterRedirect(next, read.url);
      if (redirects === MAX_REDIRECTS)
        return failed('server_error', `${safeAddress(read.url)} redirects more than ${MAX_REDIRECTS} times.`);
      hop = next;
    }
  }

  /** Ends all connections; requests under way fail. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #authorization(url: URL, user: { name: string; password: string } | undefined): string | undefined {
    const { username, password, bearer, trusts } = this.#settings;
    // Credentials in an address are meant for that very address.
    if (user !== undefined) return basic(user.name, user.password);
    if (trusts?.(url) === false) return undefined;
    if (bearer !== undefined) return `Bearer ${bearer}`;
    return username === undefined ? undefined : basic(username, password ?? '');
  }

  /** One message and its answer, when it is its turn; once more when the connection had gone stale. */
  async #exchange(
    hop: Hop,
    limits: Limits,
    leftMs: number,
  ): Promise<{ outcome: HttpAnswer | HttpFailure; tookMs: number }> {
    const origin = this.#originOf(hop.url);
    if (!(await origin.slots.take(limits.signal))) return { outcome: stopped(hop.url), tookMs: 0 };
    const fromMs = performance.now();
    try {
      const reused = fromMs - origin.answeredMs < MAX_KEEP_ALIVE_MS;
      let outcome = await this.#send(hop, limits, leftMs);
      if (outcome === 'closed' && reused && SAFE_METHODS.has(hop.method))
        outcome = await this.#send(hop, limits, leftMs - (performance.now() - fromMs));
      if (outcome === 'closed')
        outcome = failed('unreachable', `${safeAddress(hop.url)} closed the connection without an answer.`);
      else if (outcome.kind === 'answer') origin.answeredMs = performance.now();
      return { outcome, tookMs: performance.now() - fromMs };
    } finally {
      origin.slots.give();
    }
  }

  #originOf(url: URL): Origin {
    const known = this.#origins.get(url.origin);
    if (known !== undefined) return known;
    // Redirects may name a new host each time.
    if (this.#origins.size >= MAX_ORIGINS)
      for (const [name, { slots }] of this.#origins) if (slots.idle) this.#origins.delete(name);
    const size = this.#settings.connections ?? DEFAULT_CONNECTIONS;
    const origin = { slots: new Slots(size), answeredMs: Number.NEGATIVE_INFINITY };
    this.#origins.set(url.origin, origin);
    return origin;
  }

  async #send(hop: Hop, limits: Limits, leftMs: number): Promise<HttpAnswer | HttpFailure | 'closed'> {
    const watch = new Watch({ stallMs: this.#settings.timeoutMs, totalMs: Math.max(1, leftMs), signal: limits.signal });
    let phase: Phase = 'before the answer';
    try {
      const response = await this.#agent.request({
        origin: hop.url.origin,
        path: `${hop.url.pathname}${hop.url.search}`,
        method: hop.method as Dispatcher.HttpMethod,
        headers: { ...hop.headers },
        body: hop.body ?? null,
        signal: watch.signal,
      });
      phase = 'in the answer';
      watch.progress();
      const headers = joined(response.headers);
      return {
        kind: 'answer',
        status: response.statusCode,
        headers,
        body: await bodyOf(response, headers, limits.maxBytes, () => watch.progress()),
        url: hop.url.href,
      };
    } catch (error) {
      if (watch.ended !== undefined) return endedFailure(watch.ended, hop.url, phase);
      if (error instanceof BodyTooLarge)
        return failed(
          'too_large',
          `${safeAddress(hop.url)} sends more than ${(limits.maxBytes / BYTES_PER_MB).toFixed(1)} MB: take fewer events into the calendar, or raise maxMb of this source.`,
        );
      if (error instanceof UnknownCoding)
        return failed('malformed', `${safeAddress(hop.url)} packs its answer in a way that was not asked for.`);
      if (phase === 'before the answer' && wasClosed(error)) return 'closed';
      return failureFrom(error, hop.url, phase);
    } finally {
      watch.close();
    }
  }
}

/** The body of a success, or as much as is useful of anything else. */
async function bodyOf(
  response: Dispatcher.ResponseData,
  headers: Readonly<Record<string, string>>,
  maxBytes: number,
  progress: () => void,
): Promise<Buffer> {
  const success = response.statusCode >= 200 && response.statusCode < 300;
  const length = Number(headers['content-length'] ?? Number.NaN);
  const options = {
    coding: headers['content-encoding'] ?? '',
    length: Number.isSafeInteger(length) && length >= 0 ? length : undefined,
    maxBytes: success ? maxBytes : Math.min(maxBytes, MAX_ERROR_BYTES),
    progress,
  };
  if (success) return readBody(response.body, options);
  // The status has said what matters; a broken page of an error must not hide it.
  return readBody(response.body, options).catch(() => Buffer.alloc(0));
}

/** People know the address that they configured, not the one that it led to. */
function afterRedirect(failure: HttpFailure, from: URL): HttpFailure {
  return { ...failure, why: `${safeAddress(from)} redirects. ${failure.why}` };
}

function stopped(url: URL): HttpFailure {
  return failed('unreachable', `The request to ${safeAddress(url)} was ended by this gateway.`);
}

function endedFailure(ended: Ended, url: URL, phase: Phase): HttpFailure {
  if (ended === 'stopped') return stopped(url);
  const where = safeAddress(url);
  if (ended === 'overdue') return failed('timeout', `${where} took too long to send its answer.`);
  return failed(
    'timeout',
    phase === 'before the answer'
      ? `${where} gave no answer in time.`
      : `${where} stopped sending in the middle of its answer.`,
  );
}

/** The other side closed the connection before it said anything. */
function wasClosed(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'UND_ERR_SOCKET' || error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

/** RFC 7617 with UTF-8. */
function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`, 'utf8').toString('base64')}`;
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) result[name] = [value].flat().join(', ');
  return result;
}
