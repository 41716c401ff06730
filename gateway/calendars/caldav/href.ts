/**
 * Addresses within a CalDAV server. Servers write one and the same resource in many ways: whole or from the root, with
 * `%40` or `@`, with small or capital hex digits. Everything here is compared and kept in one notation: the path from the
 * root, each segment decoded and encoded again, so that two notations of one resource are equal and two resources never are.
 */

/** Longer ones are refused: a cursor holds them all. */
export const MAX_HREF = 2_000;

/** The path of an address in our notation; undefined when it is none. `base` resolves relative ones. */
export function pathOf(href: string, base: string): string | undefined {
  const trimmed = href.trim();
  if (trimmed === '' || trimmed.length > MAX_HREF || !URL.canParse(trimmed, base)) return undefined;
  const url = new URL(trimmed, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  return normalPath(url.pathname);
}

/** One notation for a path: `/a%40b/caf%c3%a9` and `/a@b/café` are the same. */
export function normalPath(path: string): string {
  return path.split('/').map(normalSegment).join('/');
}

function normalSegment(segment: string): string {
  try {
    // encodeURIComponent leaves !'()* as they are and writes @ as %40; what counts is that it is always the same.
    return encodeURIComponent(decodeURIComponent(segment));
  } catch {
    // Bytes that are no UTF-8 (old servers): they stay, with capital digits.
    return segment.replace(/%[0-9a-f]{2}/gi, (byte) => byte.toUpperCase());
  }
}

/** A collection's path ends in a slash (RFC 4918 §5.2); some servers leave it out. */
export function asFolder(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}

/** For people and for mapping: decoded, without the last slash. */
export function readable(path: string): string {
  const bare = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}

/**
 * How a collection is called within a source: its path on the configured server; its whole address where the server
 * keeps calendars on another one.
 */
export function keyOf(url: string, home: string): string {
  const parsed = new URL(url);
  const path = asFolder(normalPath(parsed.pathname));
  return parsed.origin === new URL(home).origin ? path : `${parsed.origin}${path}`;
}

/** The address that a key stands for. */
export function urlOf(key: string, home: string): string {
  return new URL(key, home).href;
}

export type Member =
  /** The collection itself, or a collection within it. */
  | { readonly kind: 'itself' | 'folder' }
  | { readonly kind: 'resource'; readonly name: string }
  /** Not within the collection: nothing that it may speak about. */
  | { readonly kind: 'outside' };

/**
 * What an href of an answer is to the collection that was asked.
 * @param folders paths that the collection goes by: its own, and that which a redirect led to.
 */
export function memberOf(href: string, base: string, folders: readonly string[]): Member {
  const path = pathOf(href, base);
  if (path === undefined) return { kind: 'outside' };
  for (const folder of folders) {
    if (asFolder(path) === folder) return { kind: 'itself' };
    if (!path.startsWith(folder)) continue;
    const name = path.slice(folder.length);
    if (name.endsWith('/')) return { kind: 'folder' };
    return name.includes('/') ? { kind: 'outside' } : { kind: 'resource', name };
  }
  return { kind: 'outside' };
}
