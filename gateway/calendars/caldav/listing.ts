/** What calendars there are and how each stands: one PROPFIND for a whole home. */
import { createHash } from 'node:crypto';
import { type HttpFailure, safeAddress } from '../net/http.ts';
import { askRaw, type DavAnswer, malformed, type Requester, readAnswer } from './dav.ts';
import { asFolder, keyOf, pathOf } from './href.ts';
import type { DavResponse } from './multistatus.ts';
import { CTAG, caldav, dav, HOW_DO_CTAGS_STAND, HOW_DO_THEY_STAND } from './requests.ts';
import { childOf, childrenOf } from './xml.ts';

/** A calendar as a listing tells of it. */
export interface Seen {
  readonly key: string;
  readonly name: string;
  /** ctag or sync token, told apart by a letter; '' where the server tells neither. */
  readonly stamp: string;
  /** Whether it takes sync-collection; undefined where the server does not say. */
  readonly syncs: boolean | undefined;
}

export interface Place {
  readonly http: Requester;
  /** The configured address. */
  readonly address: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export type Listed =
  | { readonly kind: 'same' }
  | {
      readonly kind: 'listed';
      readonly calendars: readonly Seen[];
      readonly digest: string;
      readonly ctags: boolean;
    }
  | Extract<DavAnswer, { kind: 'refused' | 'failed' }>;

/** Calendars of one source: more are a fault of the address. */
export const MAX_COLLECTIONS = 10_000;
/** Bytes of a display name that are kept. */
const MAX_NAME = 200;

/**
 * @param single the address is a calendar, not a folder of them.
 * @param known digest of the last listing: an equal answer is `same` and is not read at all.
 */
export async function list(
  place: Place,
  home: string,
  options: { readonly single: boolean; readonly ctags: boolean; readonly known: string | undefined },
): Promise<Listed> {
  const raw = await askRaw(
    place.http,
    {
      method: 'PROPFIND',
      url: home,
      depth: options.single ? '0' : '1',
      body: options.ctags ? HOW_DO_CTAGS_STAND : HOW_DO_THEY_STAND,
      signal: place.signal,
    },
    place.maxBytes,
  );
  if (raw.kind !== 'raw') return raw;
  const digest = createHash('sha256').update(raw.answer.body).digest('base64');
  if (digest === options.known) return { kind: 'same' };
  const answer = await readAnswer(raw.answer);
  if (answer.kind !== 'multistatus') return answer;
  const found = calendarsOf(answer.multistatus.responses, answer.url, place.address);
  if ('kind' in found) return found;
  const calendars = options.single ? found.slice(0, 1) : found;
  return { kind: 'listed', calendars, digest, ctags: calendars.every(({ stamp }) => stamp.startsWith('c')) };
}

/** The calendars for events among the responses. An incomplete listing is a failure: what is not in it would be gone. */
export function calendarsOf(
  responses: readonly DavResponse[],
  url: string,
  address: string,
): readonly Seen[] | HttpFailure {
  const calendars = new Map<string, Seen>();
  for (const response of responses) {
    if (response.status === 507 || response.errors.includes(dav('number-of-matches-within-limits')))
      return {
        kind: 'failed',
        code: 'truncated',
        why: `${safeAddress(url)} does not list all of its calendars (507): give the address of the calendars themselves.`,
      };
    const path = pathOf(response.href, url);
    if (path === undefined) return malformed(safeAddress(url), 'an href in it is no address');
    if (!isEventCalendar(response)) continue;
    const key = keyOf(new URL(asFolder(path), url).href, address);
    calendars.set(key, { key, name: nameOf(response), stamp: stampOf(response), syncs: syncsOf(response) });
  }
  if (calendars.size > MAX_COLLECTIONS)
    return {
      kind: 'failed',
      code: 'too_large',
      why: `${safeAddress(url)} lists more than ${MAX_COLLECTIONS} calendars: give the address of those that are meant.`,
    };
  return [...calendars.values()];
}

/** RFC 4791 §4.2 and §5.2.3: absent means that all components are taken. */
export function isEventCalendar(response: DavResponse): boolean {
  if (childOf(response.found.get(dav('resourcetype')), caldav('calendar')) === undefined) return false;
  const components = childrenOf(response.found.get(caldav('supported-calendar-component-set')), caldav('comp'));
  return components.length === 0 || components.some(({ attributes }) => attributes.name?.toUpperCase() === 'VEVENT');
}

function nameOf(response: DavResponse): string {
  return (response.found.get(dav('displayname'))?.text.trim() ?? '').slice(0, MAX_NAME);
}

function stampOf(response: DavResponse): string {
  const ctag = response.found.get(CTAG)?.text.trim() ?? '';
  if (ctag !== '') return `c${ctag}`;
  const token = response.found.get(dav('sync-token'))?.text.trim() ?? '';
  return token === '' ? '' : `t${token}`;
}

function syncsOf(response: DavResponse): boolean | undefined {
  const reports = childrenOf(response.found.get(dav('supported-report-set')), dav('supported-report'));
  if (reports.length === 0) return undefined;
  return reports.some((report) => childOf(childOf(report, dav('report')), dav('sync-collection')) !== undefined);
}
