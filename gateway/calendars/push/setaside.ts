/** How one unreadable booking among good ones is carried as a `json` object: in place of the list of occurrences. */
import type { CalendarObject, SetAside, SetAsideCode } from '../types.ts';

const CODES: ReadonlySet<string> = new Set<SetAsideCode>([
  'malformed',
  'unknown_zone',
  'bad_rule',
  'too_many_instances',
  'too_long',
  'no_times',
  'contradiction',
]);

export interface Unreadable {
  readonly uid: string;
  readonly code: SetAsideCode;
  /** Names paths and types only, no value. */
  readonly why: string;
}

/** An object that grants nothing and shows up among what was set aside. */
export function unreadableObject(href: string, fault: Unreadable): CalendarObject {
  return { href, collection: '', etag: '', type: 'json', body: JSON.stringify({ unreadable: fault }) };
}

/** @param body the parsed body of a `json` object */
export function readUnreadable(body: unknown, href: string): SetAside | undefined {
  if (typeof body !== 'object' || body === null || !('unreadable' in body)) return undefined;
  const fault = body.unreadable;
  if (typeof fault !== 'object' || fault === null) return undefined;
  const { uid, code, why } = fault as Partial<Record<'uid' | 'code' | 'why', unknown>>;
  return {
    uid: typeof uid === 'string' ? uid : href,
    summary: '',
    code: typeof code === 'string' && CODES.has(code) ? (code as SetAsideCode) : 'malformed',
    why: typeof why === 'string' ? why : 'the booking cannot be read',
    href,
  };
}
