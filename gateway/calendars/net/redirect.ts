/** Where a redirect leads, and what goes along. Pure. */
import { failed, type HttpFailure } from './failure.ts';
import { readAddress, safeAddress } from './url.ts';

interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
}
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** What another origin may see; credentials, cookies and signatures of any name it may not (RFC 9110 §15.4). */
const HARMLESS = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-type',
  'depth',
  'if-modified-since',
  'if-none-match',
  'prefer',
  'user-agent',
]);

/**
 * The next message of a redirect; undefined when the answer is none. RFC 9110 §15.4: 307 and 308 keep the method, 303
 * makes it GET, 301 and 302 make a POST a GET and keep the rest (CalDAV servers move PROPFIND and REPORT this way).
 * From https to http only where plain http is allowed.
 */
export function nextHop(hop: Hop, answer: Answer, allowHttp: boolean): Hop | HttpFailure | undefined {
  const location = answer.headers.location;
  if (!REDIRECTS.has(answer.status) || location === undefined) return undefined;
  const from = safeAddress(hop.url);
  const target = URL.canParse(location, hop.url.href) ? readAddress(new URL(location, hop.url.href).href) : undefined;
  if (target === undefined) return failed('refused_address', `${from} redirects to what is no web address.`);
  const { url } = target;
  if (hop.url.protocol === 'https:' && url.protocol === 'http:' && !allowHttp)
    return failed(
      'refused_address',
      `${from} redirects from https to plain http (${safeAddress(url)}), which is not followed.`,
    );
  const same = url.origin === hop.url.origin;
  const becomesGet =
    (answer.status === 303 && hop.method !== 'HEAD') || (answer.status <= 302 && hop.method === 'POST');
  const headers = Object.entries(hop.headers).filter(
    ([name]) => (same || HARMLESS.has(name)) && !(becomesGet && name.startsWith('content-')),
  );
  return {
    url,
    method: becomesGet ? 'GET' : hop.method,
    headers: Object.fromEntries(headers),
    body: becomesGet ? undefined : hop.body,
  };
}
