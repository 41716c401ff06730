/** The client in the shape of `fetch`, for packages that take one (tsdav): their requests pass the same checks. */

import type { HttpFailure } from './failure.ts';
import type { HttpClient } from './http.ts';

/** What `fetch` throws where the client fails; it carries what happened. */
export class FetchFailed extends TypeError {
  readonly failure: HttpFailure;

  constructor(failure: HttpFailure) {
    super(failure.why);
    this.name = 'FetchFailed';
    this.failure = failure;
  }
}

const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * Takes what tsdav uses of `fetch`: address, method, headers, body as text or bytes, signal, and `redirect: 'manual'`.
 * @throws FetchFailed
 */
export function asFetch(client: HttpClient): typeof globalThis.fetch {
  return async (input, init) => {
    const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
    const headers: Record<string, string> = {};
    new Headers(init?.headers).forEach((value, name) => {
      headers[name] = value;
    });
    const outcome = await client.request({
      method: init?.method,
      url,
      headers,
      body: bodyOf(init?.body),
      signal: init?.signal ?? undefined,
      redirect: init?.redirect === 'manual' ? 'manual' : 'follow',
    });
    if (outcome.kind === 'failed') throw new FetchFailed(outcome);
    const kept = Object.entries(outcome.headers).filter(
      ([name]) => name !== 'content-encoding' && name !== 'content-length',
    );
    const response = new Response(WITHOUT_BODY.has(outcome.status) ? null : new Uint8Array(outcome.body), {
      status: outcome.status,
      headers: kept,
    });
    // A Response that is made by hand has no address; relative hrefs are resolved against it.
    Object.defineProperty(response, 'url', { value: outcome.url });
    return response;
  };
}

function bodyOf(body: unknown): string | Buffer | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return Buffer.from(body);
  throw new TypeError('This fetch takes a body as text or bytes only.');
}
