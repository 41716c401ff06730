/** What went wrong with a request, as a code for the feed and a sentence for the technician. None of them holds a secret. */
import type { FeedFault } from '../types.ts';
import { AddressRefused } from './guard.ts';
import { safeAddress } from './url.ts';

export interface HttpFailure {
  readonly kind: 'failed';
  readonly code: FeedFault;
  readonly why: string;
  /** The source asked to wait this long (Retry-After), at most `MAX_RETRY_AFTER_MS`. */
  readonly retryAfterMs?: number | undefined;
  /** The status, where there was an answer. */
  readonly status?: number | undefined;
}

/** However long a source asks to wait: after this it is looked at again. */
export const MAX_RETRY_AFTER_MS = 6 * 3_600_000;

export function failed(code: FeedFault, why: string): HttpFailure {
  return { kind: 'failed', code, why };
}

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly url: string;
}

/**
 * What a status that is no success means for the feed; undefined for 2xx and 304.
 * @param nowMs for a Retry-After that names a time, when the answer has no Date of its own.
 */
export function failureOf(answer: Answered, nowMs: number = Date.now()): HttpFailure | undefined {
  const { status } = answer;
  if ((status >= 200 && status < 300) || status === 304) return undefined;
  const where = safeAddress(answer.url);
  const retryAfterMs = readRetryAfter(answer.headers['retry-after'], answer.headers.date, nowMs);
  const { code, why } = meaningOf(status, where, answer.headers['www-authenticate']);
  return { kind: 'failed', code, why, status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function meaningOf(status: number, where: string, challenge: string | undefined): { code: FeedFault; why: string } {
  if (
    status === 401 &&
    challenge !== undefined &&
    /^\s*digest\b/i.test(challenge) &&
    !/\b(basic|bearer)\b/i.test(challenge)
  )
    return {
      code: 'unauthorised',
      why: `${where} asks for digest authentication (401), which Doorward does not speak: allow basic authentication over https there, or use a token.`,
    };
  if (status === 401)
    return {
      code: 'unauthorised',
      why: `${where} wants other credentials (401): check user name and password or token of this source.`,
    };
  if (status === 403)
    return {
      code: 'unauthorised',
      why: `${where} forbids the access (403): share the calendar with the account of this source, or make a new secret address.`,
    };
  if (status === 404 || status === 410)
    return {
      code: 'not_found',
      why: `There is no calendar at ${where} (${status}): it was moved or deleted, or its secret address was renewed. Put the new address into the configuration.`,
    };
  if (status === 429)
    return { code: 'busy', why: `${where} wants fewer requests (429): look less often, see everyMin of this source.` };
  if (status === 503) return { code: 'busy', why: `${where} is not available at the moment (503).` };
  if (status >= 300 && status < 400)
    return { code: 'server_error', why: `${where} answers with status ${status}, which names no calendar.` };
  if (status >= 500)
    return { code: 'server_error', why: `${where} has a fault of its own (${status}): tell its operator if it lasts.` };
  return { code: 'server_error', why: `${where} did not accept the request (${status}).` };
}

/**
 * RFC 9110 §10.2.3: seconds or a date. A date counts from the server's own Date where there is one, since a gateway's
 * clock may not be set. Undefined when absent or not to be read.
 */
export function readRetryAfter(value: string | undefined, date: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? '';
  if (text === '') return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
  const atMs = readHttpDate(text);
  if (atMs === undefined) return undefined;
  const fromMs = (date === undefined ? undefined : readHttpDate(date)) ?? nowMs;
  return Math.min(Math.max(0, atMs - fromMs), MAX_RETRY_AFTER_MS);
}

/** RFC 9110 §5.6.7, all three forms; the oldest names no zone and means UTC. */
function readHttpDate(text: string): number | undefined {
  if (!/^[A-Z][a-z]+,? /.test(text)) return undefined;
  const atMs = Date.parse(/GMT|UTC|Z|[+-]\d{4}/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(atMs) ? undefined : atMs;
}

const DNS_CODES = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME', 'ENODATA', 'ESERVFAIL']);
const TLS_WHYS: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired (or the clock of this gateway is wrong)',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet (or the clock of this gateway is wrong)',
  CERT_REVOKED: 'its certificate was revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is from an authority that this gateway does not know',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is from an authority that this gateway does not know',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is from an authority that this gateway does not know',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'it does not send the whole chain of its certificate',
};
const TRUST_REMEDY = 'Mend the certificate there, or trust its authority with NODE_EXTRA_CA_CERTS.';

const NO_CODE = 'no code';
/** undici gives no code where the parser has none. */
const NOT_HTTP = 'not HTTP';

/** How far an exchange had come. */
export type Phase = 'before the answer' | 'in the answer';

/** The failure that an error of socket, TLS, HTTP or unpacking stands for. */
export function failureFrom(error: unknown, url: URL, phase: Phase): HttpFailure {
  const where = safeAddress(url);
  const cause = rootOf(error);
  if (cause instanceof AddressRefused)
    return failed(
      'refused_address',
      `${where} is at ${cause.address || 'no address'} (${cause.range}), which is not a public address: set allowPrivate for this source if that is meant.`,
    );
  const code = codeOf(cause);
  if (DNS_CODES.has(code))
    return failed(
      'unreachable',
      `The name ${url.hostname} is not found (${code}): check the address and the DNS of this gateway.`,
    );
  const tls = TLS_WHYS[code];
  if (tls !== undefined) return failed('unreachable', `${where} is not trusted: ${tls}. ${TRUST_REMEDY}`);
  if (code === 'EPROTO' || code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS'))
    return failed('unreachable', `${where} does not speak TLS as it should (${code}): check the port.`);
  return httpFailure(code, where, phase);
}

function httpFailure(code: string, where: string, phase: Phase): HttpFailure {
  if (code === 'ECONNREFUSED')
    return failed(
      'unreachable',
      `${where} takes no connection: the server is not running, or a firewall is in the way.`,
    );
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT')
    return failed('timeout', `${where} does not answer to a connection.`);
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return failed('too_large', `${where} sends headers that are too large.`);
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' || code === 'HPE_INVALID_EOF_STATE' || code === 'Z_BUF_ERROR')
    return failed('truncated', `${where} broke off its answer in the middle.`);
  if (code.startsWith('HPE_') || (code === NOT_HTTP && phase === 'before the answer'))
    return failed('malformed', `${where} does not answer in HTTP as it should (${code}).`);
  if (
    code.startsWith('Z_') ||
    code.startsWith('ERR_BROTLI') ||
    code.startsWith('ERR__ERROR_FORMAT') ||
    code.startsWith('ERR_PADDING')
  )
    return failed('malformed', `${where} sends an answer that cannot be unpacked (${code}).`);
  if (phase === 'in the answer') return failed('truncated', `${where} broke off its answer in the middle.`);
  return failed('unreachable', `${where} cannot be reached (${code}).`);
}

/** Sockets try several addresses and report all that failed; what was refused says the most. */
function rootOf(error: unknown): unknown {
  if (error instanceof AggregateError) {
    const refused = error.errors.find((one) => one instanceof AddressRefused);
    return refused ?? rootOf(error.errors[0]);
  }
  if (error instanceof AddressRefused || !(error instanceof Error) || error.cause === undefined) return error;
  return codeOf(error) === NO_CODE ? rootOf(error.cause) : error;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return NO_CODE;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name === 'HTTPParserError' ? NOT_HTTP : NO_CODE;
}
