/**
 * Is this message from who he should be, is it of now, and have we had it before? HMAC-SHA256 (RFC 2104, FIPS 180-4) over
 * exactly the bytes received. A reason for a refusal goes to our log alone; it never holds a secret or what would have
 * been right, so it helps no forger.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { PushRequest } from '../types.ts';
import { parseInstant } from './instant.ts';

/** How the signed text is put together. `.` is a full stop; `timestamp` is the header's text as it came. */
export type Signed = 'timestamp.body' | 'body.timestamp' | 'body' | '[body]';

export interface SignatureScheme {
  /** Lower case. Its value is hex or base64, bare or as `sha256=…`, `v1=…`, `t=…,v1=…`; several may follow commas. */
  readonly signatureHeader: string;
  /** Lower case; where the timestamp stands unless the signature header has a `t=`. Absent: nowhere. */
  readonly timestampHeader?: string | undefined;
  /** Whether a message without a timestamp is refused. */
  readonly timestamp: 'required' | 'none';
  /** Any one may fit. No text fits two of them with two meanings: a timestamp is digits or RFC 3339, JSON is neither. */
  readonly signed: readonly Signed[];
}

export type Verdict =
  | {
      readonly ok: true;
      /** Unix ms that the sender signed; absent where the scheme has none. */
      readonly atMs?: number | undefined;
      /** Tells messages apart: a digest of the good signature, the same for every copy of one message. */
      readonly print: string;
    }
  | { readonly ok: false; readonly why: string };

/** Candidates in one header: senders that change their key send two. */
const MAX_CANDIDATES = 8;
const MAX_HEADER = 2_048;
const DIGEST_BYTES = 32;
/** Timestamps from this on are milliseconds: as seconds it would be the year 5138. */
const MS_FROM = 100_000_000_000;
const PRINT_CHARS = 24;

/** Signature present, timestamp, HMAC, in this order. @param toleranceMs how far the sender's clock may be off, either way */
export function verify(request: PushRequest, scheme: SignatureScheme, secret: string, toleranceMs: number): Verdict {
  if (secret === '') return { ok: false, why: 'no secret is configured for this source' };
  const header = request.headers[scheme.signatureHeader];
  if (header === undefined || header === '') return { ok: false, why: `no ${scheme.signatureHeader} header` };
  if (header.length > MAX_HEADER) return { ok: false, why: `the ${scheme.signatureHeader} header is too long` };
  const parts = readHeader(header);
  if (parts.digests.length === 0) {
    return { ok: false, why: `the ${scheme.signatureHeader} header holds no SHA-256 HMAC in hex or base64` };
  }
  const stamp = timestampOf(request, scheme, parts.times);
  if (typeof stamp === 'object' && 'why' in stamp) return { ok: false, why: stamp.why };
  if (stamp !== undefined && Math.abs(request.receivedAtMs - stamp.atMs) > toleranceMs) {
    const late = request.receivedAtMs > stamp.atMs;
    return { ok: false, why: `the message is too ${late ? 'old' : 'far in the future'}; compare the clocks` };
  }
  for (const signed of scheme.signed) {
    const expected = digest(secret, signed, stamp?.text ?? '', request.body);
    // Every candidate is compared, so that the time taken tells nothing.
    const good = parts.digests.filter((candidate) => timingSafeEqual(candidate, expected));
    // A timestamp beside a body signed alone is anybody's.
    const atMs = signed.includes('timestamp') ? stamp?.atMs : undefined;
    if (good.length > 0) return { ok: true, atMs, print: printOf(expected) };
  }
  return { ok: false, why: 'the signature does not fit: another secret, or the message was changed' };
}

/** The value of a signature header as our own messages have it (release callbacks, the `doorward` preset). */
export function sign(secret: string, timestamp: string, body: Buffer | string): string {
  return `sha256=${digest(secret, 'timestamp.body', timestamp, body).toString('hex')}`;
}

function digest(secret: string, signed: Signed, timestamp: string, body: Buffer | string): Buffer {
  const hmac = createHmac('sha256', secret);
  if (signed === 'timestamp.body') hmac.update(`${timestamp}.`);
  if (signed === '[body]') hmac.update('[');
  hmac.update(body);
  if (signed === '[body]') hmac.update(']');
  if (signed === 'body.timestamp') hmac.update(`.${timestamp}`);
  return hmac.digest();
}

/** A digest of the digest: the cursor, where it may be kept, is no place for signatures. */
function printOf(signature: Buffer): string {
  return createHash('sha256').update(signature).digest('base64url').slice(0, PRINT_CHARS);
}

interface HeaderParts {
  readonly digests: readonly Buffer[];
  readonly times: readonly string[];
}

/** `sha256=…`, `v1=…`, `t=…` or bare, parted by commas. Other labels are another scheme's and are left out. */
function readHeader(header: string): HeaderParts {
  const digests: Buffer[] = [];
  const times: string[] = [];
  for (const piece of header.split(',').slice(0, MAX_CANDIDATES + 1)) {
    const match = /^\s*(?:([A-Za-z][A-Za-z0-9-]*)=(?=[^=]))?(.*?)\s*$/.exec(piece);
    const [label, value] = [match?.[1]?.toLowerCase(), match?.[2] ?? ''];
    if (label === 't') times.push(value);
    else if (label === undefined || label === 'sha256' || label === 'v1') {
      const bytes = readDigest(value);
      if (bytes !== undefined && digests.length < MAX_CANDIDATES) digests.push(bytes);
    }
  }
  return { digests, times };
}

function readDigest(text: string): Buffer | undefined {
  if (/^[0-9A-Fa-f]{64}$/.test(text)) return Buffer.from(text, 'hex');
  // 32 bytes are 43 characters and one `=`; base64url is read too.
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === DIGEST_BYTES ? bytes : undefined;
}

function timestampOf(
  request: PushRequest,
  scheme: SignatureScheme,
  times: readonly string[],
): { readonly atMs: number; readonly text: string } | { readonly why: string } | undefined {
  const named = scheme.timestampHeader === undefined ? undefined : request.headers[scheme.timestampHeader];
  const all = [...new Set([...times, ...(named === undefined ? [] : [named])])];
  if (all.length === 0) {
    if (scheme.timestamp === 'none') return undefined;
    return { why: scheme.timestampHeader === undefined ? 'no timestamp' : `no ${scheme.timestampHeader} header` };
  }
  const [text] = all;
  if (all.length > 1 || text === undefined) return { why: 'the message has two timestamps' };
  const atMs = readTimestamp(text);
  return atMs === undefined ? { why: 'the timestamp is no Unix time and no RFC 3339 instant' } : { atMs, text };
}

/** Unix seconds, Unix milliseconds (told apart by their size) or an RFC 3339 instant. */
function readTimestamp(text: string): number | undefined {
  if (!/^\d{9,14}$/.test(text)) return parseInstant(text);
  const number = Number(text);
  return number >= MS_FROM ? number : number * 1_000;
}
