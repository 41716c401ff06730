/**
 * Writes a booking that was given free back to its calendar: the only thing that is ever written there. A single event
 * gets STATUS:CANCELLED, a higher SEQUENCE and a new DTSTAMP. An instance of a series gets an override (RECURRENCE-ID)
 * that is cancelled, not an EXDATE: it keeps who had booked what, Nextcloud and Apple show it struck through, Google and
 * Outlook's connectors take it for a deleted instance, and a later SEQUENCE tells all of them that it is meant.
 *
 * What is written is worked out by the same reader that works out bookings: it must take away this one time, and nothing
 * else may change. The write is bound to the version that was read (If-Match), so nobody's change is overwritten.
 */
import { expandIcs } from '../ical/index.ts';
import { failureOf, type HttpFailure, safeAddress } from '../net/http.ts';
import { Budget, BudgetSpent } from '../rules/budget.ts';
import type { CalendarObject, Occurrence, Origin, ReleaseResult } from '../types.ts';
import { cancelIn } from './cancel.ts';
import { urlOf } from './href.ts';
import type { Place } from './listing.ts';

/** Somebody else may write at the same time. */
export const MAX_TRIES = 3;
/** Steps for reading one resource: a fraction of what a feed may take. */
const RELEASE_STEPS = 200_000;
/** A larger resource is no booking. */
const MAX_RESOURCE_BYTES = 1024 * 1024;
const DAY_MS = 86_400_000;

/** @param siteZone IANA name for floating and all-day times. */
export async function releaseResource(
  place: Place,
  origin: Origin,
  siteZone: string,
  nowMs: number,
): Promise<ReleaseResult> {
  if (!origin.href.startsWith(origin.collection) || origin.collection === '')
    return refusal('The booking does not say in which resource of the calendar it lies.');
  const url = urlOf(origin.href, place.address);
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const read = await fetchResource(place, url);
    if ('ok' in read) return read;
    const next = judge(read.body, origin, siteZone, nowMs);
    if ('ok' in next) return next;
    const written = await write(place, url, next.body, read.etag);
    if (written !== 'conflict') return written;
  }
  return { ok: false, again: true, why: `${safeAddress(url)} was changed by others each time it was to be released.` };
}

async function fetchResource(place: Place, url: string): Promise<{ body: Buffer; etag: string } | ReleaseResult> {
  const answer = await place.http.request({
    url,
    // Some servers mark the ETag of a packed answer, and do not know it again.
    headers: { accept: 'text/calendar', 'accept-encoding': 'identity' },
    signal: place.signal,
    maxBytes: MAX_RESOURCE_BYTES,
  });
  if (answer.kind === 'failed') return failure(answer);
  // It is not there any more: free already.
  if (answer.status === 404 || answer.status === 410) return { ok: true };
  const failed = failureOf(answer);
  if (failed !== undefined) return failure(failed);
  const { etag } = answer.headers;
  if (answer.status !== 200 || etag === undefined)
    return refusal(`${safeAddress(url)} names no version of the event, so a write could undo another's change.`);
  return { body: answer.body, etag };
}

/** The text to write, or why none is. */
function judge(
  body: Buffer,
  origin: Origin,
  siteZone: string,
  nowMs: number,
): { readonly body: Buffer } | ReleaseResult {
  try {
    const before = read(body, origin, siteZone);
    const mine = before.find((occurrence) => isMine(occurrence, origin));
    if (mine?.status === 'cancelled') return { ok: true };
    if (mine === undefined || mine.startMs !== origin.startMs || mine.endMs !== origin.endMs)
      return refusal('The event has been moved or changed meanwhile: it was left as it is.');
    if (mine.status !== 'confirmed') return refusal('The event is not confirmed any more: it was left as it is.');
    const edited = cancelIn(body, origin, siteZone, nowMs);
    if (edited === undefined) return refusal('The event is written in a way that cannot be changed for certain.');
    const after = read(edited, origin, siteZone);
    const left = after.find((occurrence) => isMine(occurrence, origin));
    if ((left !== undefined && left.status !== 'cancelled') || others(after, origin) !== others(before, origin))
      return refusal('The event could not be cancelled without a change to others: it was left as it is.');
    return { body: edited };
  } catch (error) {
    if (error instanceof BudgetSpent) return refusal('The event is too costly to read: it was left as it is.');
    throw error;
  }
}

function read(body: Buffer, origin: Origin, siteZone: string): readonly Occurrence[] {
  const { href, collection } = origin;
  const object: CalendarObject = { href, collection, etag: '', type: 'ics', body: body.toString('utf8') };
  const window = { fromMs: origin.startMs - 2 * DAY_MS, toMs: origin.endMs + 2 * DAY_MS };
  return expandIcs(object, { ...window, siteZone, budget: new Budget(RELEASE_STEPS) }).occurrences;
}

function isMine(occurrence: Occurrence, origin: Origin): boolean {
  return occurrence.uid === origin.uid && occurrence.recurrenceId === origin.recurrenceId;
}

/** All but the one, in a form to compare. */
function others(occurrences: readonly Occurrence[], origin: Origin): string {
  return occurrences
    .filter((occurrence) => !isMine(occurrence, origin))
    .map(({ uid, recurrenceId, startMs, endMs, status }) => JSON.stringify([uid, recurrenceId, startMs, endMs, status]))
    .sort()
    .join('\n');
}

async function write(place: Place, url: string, body: Buffer, etag: string): Promise<ReleaseResult | 'conflict'> {
  const answer = await place.http.request({
    method: 'PUT',
    url,
    headers: { 'content-type': 'text/calendar; charset=utf-8', 'if-match': etag },
    body,
    signal: place.signal,
  });
  if (answer.kind === 'failed') return failure(answer);
  if (answer.status === 412) return 'conflict';
  const failed = failureOf(answer);
  return failed === undefined ? { ok: true } : failure(failed);
}

/** What the server will refuse the next time too needs a person, not another try. */
function failure({ code, why, status }: HttpFailure): ReleaseResult {
  const lasting =
    status !== undefined && status >= 400 && status < 500 && ![401, 408, 409, 423, 425, 429].includes(status);
  return { ok: false, why, again: !lasting && code !== 'too_large' && code !== 'refused_address' };
}

function refusal(why: string): ReleaseResult {
  return { ok: false, why, again: false };
}
