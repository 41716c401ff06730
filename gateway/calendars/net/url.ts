/** Addresses of calendars as people paste them, and as they may be shown. */

export interface ReadAddress {
  /** `http:` or `https:`, without user, password and fragment. */
  readonly url: URL;
  /** From `https://user:password@…`, decoded. */
  readonly user?: { readonly name: string; readonly password: string } | undefined;
}

/** Reads an address; undefined for what is no http address. `webcal:` is the calendar's word for `https:`. */
export function readAddress(text: string): ReadAddress | undefined {
  const trimmed = text.trim().replace(/^webcals?:/i, 'https:');
  if (!URL.canParse(trimmed)) return undefined;
  const url = new URL(trimmed);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  const user =
    url.username === '' && url.password === ''
      ? undefined
      : { name: decoded(url.username), password: decoded(url.password) };
  url.username = '';
  url.password = '';
  url.hash = '';
  return { url, user };
}

/** Longest segment of a path that is shown. */
export const MAX_SHOWN_SEGMENT = 20;
const MASK = '…';

/**
 * An address for logs and people: scheme, host and path; no user, password, query or fragment. Secret calendar
 * addresses carry the secret in the path, so every segment is masked that does not read like words: longer than
 * `MAX_SHOWN_SEGMENT`, letters and digits mixed, long numbers, letters that no word has. Rather one too many.
 */
export function safeAddress(address: string | URL): string {
  const read = readAddress(String(address));
  if (read === undefined) return '(no web address)';
  const path = read.url.pathname.split('/').map(safeSegment).join('/');
  return `${read.url.protocol}//${read.url.host}${path === '/' ? '' : path}`;
}

function safeSegment(segment: string): string {
  const text = decoded(segment);
  if (text === '') return '';
  if (text.length <= MAX_SHOWN_SEGMENT && text.split(/[-_.@+~ ]/).every(isWord)) return text.replace(/\p{C}/gu, '');
  const ending = /\.(ics|ical|ifb|php|json|xml)$/i.exec(text)?.[0] ?? '';
  return `${MASK}${ending}`;
}

function isWord(part: string): boolean {
  if (part.length <= 3) return true;
  if (!/^\p{L}*\d{0,4}$/u.test(part)) return false;
  const letters = part.replace(/\d+$/, '');
  // One change of case may be a name like `MyRoom`; random letters have many, or consonants in a row.
  const changes = [...letters.matchAll(/\p{Ll}\p{Lu}/gu)].length;
  return changes <= 1 && !/[bcdfghjklmnpqrstvwxz]{5}/i.test(letters);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
