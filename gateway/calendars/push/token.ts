/**
 * OAuth 2.0 client credentials (RFC 6749 §4.4) for APIs whose tokens live an hour, such as OfficeRnD's: fetched when
 * needed, kept in memory, fetched anew shortly before the end.
 */
import { failureOf, type HttpClient, type HttpFailure, safeAddress } from '../net/http.ts';
import { get, parseJson, text } from './fields.ts';

/** Fetched anew this long before the end, so that a list is not cut in its middle. */
const EARLY_MS = 5 * 60_000;
/** Where the server does not say. */
const DEFAULT_LIFE_S = 600;
const MAX_TOKEN = 8_192;
const MAX_ANSWER_BYTES = 64 * 1024;

export interface ClientCredentials {
  readonly url: string;
  readonly id: string;
  readonly secret: string;
  readonly scope: string;
}

export class TokenSource {
  readonly #credentials: ClientCredentials;
  readonly #http: Pick<HttpClient, 'request'>;
  readonly #now: () => number;
  #token: { readonly value: string; readonly untilMs: number } | undefined;

  /** @param http its own credentials must be for the API, not for the token's address: they are sent in the body here */
  constructor(credentials: ClientCredentials, http: Pick<HttpClient, 'request'>, now: () => number) {
    this.#credentials = credentials;
    this.#http = http;
    this.#now = now;
  }

  /** @returns the value for `Authorization`, or why there is none */
  async authorization(signal: AbortSignal): Promise<string | HttpFailure> {
    if (this.#token !== undefined && this.#token.untilMs - EARLY_MS > this.#now()) return `Bearer ${this.#token.value}`;
    const { url, id, secret, scope } = this.#credentials;
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret, scope });
    const answer = await this.#http.request({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      signal,
      maxBytes: MAX_ANSWER_BYTES,
      redirect: 'manual',
    });
    if (answer.kind === 'failed') return answer;
    const failure = failureOf(answer);
    if (failure !== undefined) {
      // RFC 6749 §5.2: wrong client credentials are 400 or 401.
      return answer.status === 400 ? { ...failure, code: 'unauthorised' } : failure;
    }
    const value = parseJson(answer.body.toString('utf8'))?.value;
    const token = text(get(value, 'access_token'), MAX_TOKEN);
    if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
      return { kind: 'failed', code: 'malformed', why: `${safeAddress(url)} gives no access token.` };
    }
    const life = get(value, 'expires_in');
    const lifeS = typeof life === 'number' && life > 0 ? life : DEFAULT_LIFE_S;
    this.#token = { value: token, untilMs: this.#now() + lifeS * 1_000 };
    return `Bearer ${token}`;
  }

  /** After a 401 the token is not asked for again. */
  forget(): void {
    this.#token = undefined;
  }
}
