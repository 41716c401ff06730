/**
 * OfficeRnD Flex.
 *
 * Messages: `officernd-signature: t=<unix time>,v1=<hex>`. OfficeRnD's own example (github.com/officernd/webhooks-demo)
 * signs body + "." + timestamp; a published integration signs timestamp + "." + body and works as well: both are
 * accepted, no message fits both. Body: `{"eventType": "booking.created|updated|removed" or "occupancyslot.…",
 * "data": {"object": {…}}}`.
 * List: GET {url}/bookings/occurrences (developer.officernd.com, v2 Flex; scope flex.space.bookings.read), series already
 * spread out, `$limit` (50 at most) and `$cursorNext`; the answer is `{"rangeStart", "rangeEnd", "cursorNext", "results"}`.
 * Not to be found in public: the names of the period's parameters in v2; `start` and `end` are those of v1. Where they
 * differ, write them into the address with `{from}` and `{to}`.
 * Members: GET {url}/members (scope flex.community.members.read), `_id` and `email`, for the addresses of the ids above.
 * Booking: `_id`, `start`, `end` (v1: `start.dateTime`), `seriesStart`, `recurrence.rrule`, `resource` (v1: `resourceId`),
 * `member`, `members` (ids), `title`, `isCancelled` (v1: `canceled`), `isTentative` (v1: `tentative`), `modifiedAt`.
 */
import { Faults, instantAt, type Person, type Statement, statement, withId } from '../booking.ts';
import { get, identifier, isJson, type Json, list, mail, text } from '../fields.ts';
import { parseInstant } from '../instant.ts';
import type { PageContext, PageEnd } from '../pager.ts';
import { addressesOf, endpoint, iso, itemOf, type Preset, type PresetContext, type Reading } from '../preset.ts';
import { unreadableObject } from '../setaside.ts';

const LIST = '/bookings/occurrences';
const PAGE_SIZE = 50;
const KEYS = ['results', 'data'];
const MAX_MEMBERS = 20;

export const officernd: Preset = {
  id: 'officernd',
  scheme: {
    signatureHeader: 'officernd-signature',
    timestamp: 'required',
    signed: ['body.timestamp', 'timestamp.body'],
  },
  read,
  list: (context) => ({ keys: KEYS, item: (value) => itemOf(readBooking(context, value, true)), page: readPage }),
  people: {
    keys: KEYS,
    page: readPage,
    first(base) {
      const url = endpoint(base, '/members', LIST);
      url.searchParams.set('$limit', String(PAGE_SIZE));
      return url;
    },
    person: (value) =>
      withId(
        value,
        (member) => get(member, '_id'),
        (member, id) => ({ id, mail: mail(get(member, 'email')) }),
      ),
  },
  first(base, fromMs, toMs) {
    const url = endpoint(base, LIST);
    url.searchParams.set('start', iso(fromMs));
    url.searchParams.set('end', iso(toMs));
    url.searchParams.set('$limit', String(PAGE_SIZE));
    return url;
  },
};

function readPage(envelope: unknown, { url, found }: PageContext): PageEnd {
  if (!found) return { ok: false, code: 'malformed', why: 'has no list of results' };
  const cursor = text(get(envelope, 'cursorNext') ?? get(envelope, '$cursorNext'), 2_000);
  if (cursor === undefined) return { ok: true };
  const next = new URL(url.href);
  next.searchParams.set('$cursorNext', cursor);
  return { ok: true, next: next.href };
}

function read(payload: unknown, context: PresetContext): Reading {
  const event = get(payload, 'eventType');
  if (typeof event !== 'string') return { kind: 'malformed', why: 'eventType: must be a text' };
  if (event.startsWith('occupancyslot.')) return { kind: 'poll' };
  if (!event.startsWith('booking.')) return { kind: 'ignored' };
  const booking = get(get(payload, 'data'), 'object');
  const id = identifier(get(booking, '_id'));
  if (id === undefined) return { kind: 'malformed', why: 'data.object._id: must be a text' };
  if (event === 'booking.removed') {
    const stampMs = parseInstant(get(booking, 'modifiedAt')) ?? 0;
    return { kind: 'bookings', statements: [], removed: [{ href: id, stampMs, endMs: timeOf(booking, 'end') }] };
  }
  const found = readBooking(context, booking, false);
  return found === undefined ? { kind: 'poll' } : { kind: 'bookings', statements: [found], removed: [] };
}

/** @param spread whether series were spread out by the server: then a rule is only told, not to be worked out */
function readBooking(context: PresetContext, value: unknown, spread: boolean): Statement | undefined {
  return withId(value, idOf, (booking, id) => {
    const faults = new Faults();
    const stampMs = parseInstant(get(booking, 'modifiedAt')) ?? parseInstant(get(booking, 'updatedAt'));
    if (!spread && text(get(get(booking, 'recurrence'), 'rrule')) !== undefined) {
      const why =
        'it repeats, and a message tells only its first time; give the source its url, so that the list is read';
      const object = unreadableObject(id, { uid: id, code: 'bad_rule', why });
      return { href: id, object, stampMs: stampMs ?? 0, sequence: 0, readable: false };
    }
    const startMs = instantAt(faults, 'start', timeText(booking, 'start'), parseInstant);
    return statement(
      context.source,
      {
        id: spread && startMs !== undefined ? occurrenceId(booking, id, startMs) : id,
        startMs,
        endMs: instantAt(faults, 'end', timeText(booking, 'end'), parseInstant),
        status: { status: statusOf(booking) },
        title: get(booking, 'summary') ?? get(booking, 'title'),
        rooms: [...nameAndId(get(booking, 'resource')), get(booking, 'resourceId')],
        location: get(get(booking, 'resource'), 'name'),
        people: [
          { ...personOf(get(booking, 'member'), context), role: 'chair' },
          ...list(booking, 'members')
            .slice(0, MAX_MEMBERS)
            .map((member) => personOf(member, context)),
        ],
        organizer: personOf(get(booking, 'member'), context).addresses.find((one) => mail(one) !== undefined),
        stampMs,
      },
      faults,
    );
  });
}

function idOf(booking: Json): unknown {
  return get(booking, '_id') ?? get(booking, 'bookingId');
}

/** Occurrences of a series share the booking's id; one that stands alone keeps it when it is moved. */
function occurrenceId(booking: Json, id: string, startMs: number): string {
  const repeats = text(get(get(booking, 'recurrence'), 'rrule')) !== undefined;
  const seriesMs = parseInstant(get(booking, 'seriesStart'));
  return repeats || (seriesMs !== undefined && seriesMs !== startMs) ? `${id}/${iso(startMs)}` : id;
}

/** Approved and confirmed grants; a flag that says otherwise, under any of its names, denies. */
function statusOf(booking: Json): 'confirmed' | 'tentative' | 'cancelled' {
  if (['canceled', 'cancelled', 'isCanceled', 'isCancelled', 'deleted'].some((key) => says(booking, key))) {
    return 'cancelled';
  }
  return ['tentative', 'isTentative', 'pending'].some((key) => says(booking, key)) ? 'tentative' : 'confirmed';
}

/** Anything but a clear no is a yes: what denies must not be overlooked for its notation. */
function says(booking: Json, key: string): boolean {
  const value = get(booking, key);
  return value !== undefined && value !== null && value !== false;
}

function timeText(booking: unknown, key: 'start' | 'end'): unknown {
  const value = get(booking, key);
  return isJson(value) ? get(value, 'dateTime') : value;
}

function timeOf(booking: unknown, key: 'start' | 'end'): number | undefined {
  return parseInstant(timeText(booking, key));
}

function nameAndId(value: unknown): unknown[] {
  return isJson(value) ? [get(value, 'name'), get(value, '_id')] : [value];
}

/** A member's id, or the member with his mail address where the API was asked for it. */
function personOf(member: unknown, context: PresetContext): Person {
  if (!isJson(member)) return { addresses: addressesOf(member, context) };
  return { addresses: [get(member, 'email'), ...addressesOf(get(member, '_id'), context)], name: get(member, 'name') };
}
