/**
 * Tells a booking system by POST that a booking was given free (no-show), signed as our webhooks are:
 *
 *     X-Doorward-Timestamp: <Unix seconds>
 *     X-Doorward-Signature: sha256=<hex HMAC-SHA256(releaseSecret, timestamp + "." + body)>
 *     Idempotency-Key: <the same for every try of one release>
 *
 *     {"type": "booking.released", "id": <Idempotency-Key>, "source", "booking", "href", "uid", "recurrenceId", "start",
 *      "end", "reason": "no_show", "releasedAt"}
 *
 * Nothing in it names a person. Any 2xx is taken for done; the receiver must take a second delivery for the first.
 */
import { createHash } from 'node:crypto';
import { failureOf, HttpClient, safeAddress } from '../net/http.ts';
import type { HttpSettings } from '../settings.ts';
import type { CalendarSource, FeedFault, Origin, ReleaseResult } from '../types.ts';
import { sign } from './signature.ts';

export interface ReleaseSettings {
  readonly id: string;
  readonly releaseUrl?: string | undefined;
  readonly releaseSecret?: string | undefined;
  readonly http: HttpSettings;
}
export interface ReleaseOptions {
  readonly http?: Pick<HttpClient, 'request'> | undefined;
  /** Unix ms. */
  readonly now?: (() => number) | undefined;
}

/** What another try may mend; everything else stays as it is. */
const AGAIN: ReadonlySet<FeedFault> = new Set<FeedFault>(['unreachable', 'timeout', 'busy', 'truncated']);
/** The answer is not looked at, only its status. */
const MAX_ANSWER_BYTES = 64 * 1024;
const TRY_AGAIN_STATUS: ReadonlySet<number> = new Set([408, 409, 423, 425, 429]);

/** The `release` of a source with `releaseUrl`; undefined without one. Never throws. */
export function releaseCallback(settings: ReleaseSettings, options: ReleaseOptions = {}): CalendarSource['release'] {
  const { releaseUrl, releaseSecret } = settings;
  if (releaseUrl === undefined) return undefined;
  // The source's credentials are for the source; here the signature says who we are.
  const { allowHttp, allowPrivate, timeoutMs } = settings.http;
  const http = options.http ?? new HttpClient({ allowHttp, allowPrivate, timeoutMs, maxBytes: MAX_ANSWER_BYTES });
  const now = options.now ?? Date.now;
  return async (origin, _object, signal): Promise<ReleaseResult> => {
    if (releaseSecret === undefined || releaseSecret === '') {
      return { ok: false, again: false, why: 'releaseUrl is configured without releaseSecret: nobody could trust it' };
    }
    const key = releaseKey(settings.id, origin);
    const body = JSON.stringify(releaseMessage(settings.id, key, origin, now()));
    const timestamp = String(Math.floor(now() / 1_000));
    const answer = await http.request({
      method: 'POST',
      url: releaseUrl,
      headers: {
        'content-type': 'application/json',
        'idempotency-key': key,
        'x-doorward-timestamp': timestamp,
        'x-doorward-signature': sign(releaseSecret, timestamp, body),
      },
      body,
      signal,
      maxBytes: MAX_ANSWER_BYTES,
      // A signed message belongs to the address that it was configured for.
      redirect: 'manual',
    });
    if (answer.kind === 'failed') return { ok: false, why: answer.why, again: AGAIN.has(answer.code) };
    if (answer.status >= 200 && answer.status < 300) return { ok: true };
    const failure = failureOf(answer);
    const again = answer.status >= 500 || TRY_AGAIN_STATUS.has(answer.status);
    const why = failure?.why ?? `${safeAddress(releaseUrl)} answered with status ${answer.status}`;
    return { ok: false, why, again };
  };
}

/** The same for every try; another one when the booking was moved before it was released again. */
function releaseKey(source: string, origin: Origin): string {
  const text = JSON.stringify([source, origin.booking, origin.href, origin.recurrenceId ?? null, origin.startMs]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function releaseMessage(source: string, key: string, origin: Origin, nowMs: number): Readonly<Record<string, unknown>> {
  return {
    type: 'booking.released',
    id: key,
    source,
    booking: origin.booking,
    href: origin.href,
    uid: origin.uid,
    recurrenceId: origin.recurrenceId ?? null,
    start: new Date(origin.startMs).toISOString(),
    end: new Date(origin.endMs).toISOString(),
    reason: 'no_show',
    releasedAt: new Date(nowMs).toISOString(),
  };
}
