/** WebDAV over the checked HTTP client: what a request comes to, as plain data. */
import { failureOf, type HttpAnswer, type HttpFailure, type HttpRequest, safeAddress } from '../net/http.ts';
import { decodeXml, type Multistatus, readErrors, readMultistatus } from './multistatus.ts';

/** What is needed of `HttpClient`. */
export interface Requester {
  request(request: HttpRequest): Promise<HttpAnswer | HttpFailure>;
}

export interface DavRequest {
  readonly method: 'PROPFIND' | 'REPORT';
  readonly url: string;
  readonly depth: '0' | '1';
  readonly body: string;
  readonly signal: AbortSignal;
}

export type DavAnswer =
  | {
      readonly kind: 'multistatus';
      /** Where the answer came from, after redirects: relative hrefs are meant from there. */
      readonly url: string;
      readonly multistatus: Multistatus;
    }
  /** A status that is no multistatus. `errors`: names in DAV:error, which say why a server refuses. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly errors: readonly string[];
      readonly failure: HttpFailure;
    }
  | HttpFailure;

/** An answer of one request; larger ones are refused, and batches are made smaller. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Bytes of an answer that nothing was read of yet. */
export type RawAnswer =
  | Extract<DavAnswer, { kind: 'refused' | 'failed' }>
  | { readonly kind: 'raw'; readonly answer: HttpAnswer };

/** Sends; what is no 207 is `refused` or `failed`. */
export async function askRaw(http: Requester, request: DavRequest, maxBytes: number): Promise<RawAnswer> {
  const answer = await http.request({
    method: request.method,
    url: request.url,
    headers: {
      depth: request.depth,
      'content-type': 'application/xml; charset=utf-8',
      accept: 'application/xml, text/xml',
    },
    body: request.body,
    signal: request.signal,
    maxBytes: Math.min(maxBytes, MAX_ANSWER_BYTES),
  });
  if (answer.kind === 'failed') return answer;
  if (answer.status === 207) return { kind: 'raw', answer };
  const failure = failureOf(answer) ?? strange(answer);
  const text = decodeXml(answer.body, answer.headers['content-type']);
  const errors = text?.includes('<') ? await readErrors(text) : [];
  return { kind: 'refused', status: answer.status, errors, failure };
}

export async function readAnswer(answer: HttpAnswer): Promise<DavAnswer> {
  const where = safeAddress(answer.url);
  const text = decodeXml(answer.body, answer.headers['content-type']);
  if (text === undefined) return malformed(where, 'it is not in the encoding that it claims');
  const multistatus = await readMultistatus(text);
  if ('fault' in multistatus) return malformed(where, multistatus.fault);
  return { kind: 'multistatus', url: answer.url, multistatus };
}

export async function ask(http: Requester, request: DavRequest, maxBytes: number): Promise<DavAnswer> {
  const raw = await askRaw(http, request, maxBytes);
  return raw.kind === 'raw' ? readAnswer(raw.answer) : raw;
}

export function malformed(where: string, what: string): HttpFailure {
  return {
    kind: 'failed',
    code: 'malformed',
    why: `The answer of ${where} cannot be read: ${what}. Is it a CalDAV server?`,
  };
}

/** A success, but not the one of WebDAV: often a web page. */
function strange(answer: HttpAnswer): HttpFailure {
  return {
    kind: 'failed',
    code: 'wrong_type',
    why: `${safeAddress(answer.url)} does not answer as a CalDAV server (${answer.status}): check the address of this source.`,
    status: answer.status,
  };
}
