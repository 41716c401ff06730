/**
 * Cal.com.
 *
 * Messages: `X-Cal-Signature-256`, hex HMAC-SHA256 over the raw body (cal.com's `packages/features/webhooks`), no
 * timestamp header; the body holds `createdAt`, which is signed with it: `{"triggerEvent": "BOOKING_CREATED",
 * "createdAt": "…Z", "payload": {"uid", "title", "type", "startTime", "endTime", "organizer": {"email"}, "attendees":
 * [{"email"}], "location", "status": "ACCEPTED", "rescheduleUid", …}}`. Own templates of the payload are not understood.
 * A moved booking gets a new `uid`; `rescheduleUid` is the old one's.
 * List: GET {url}/v2/bookings, header `cal-api-version: 2024-08-13`, bearer token, `take` and `skip`, answer
 * `{"status": "success", "data": […], "pagination": {"hasNextPage", "totalItems"}}`; each time of a recurring booking is an
 * entry of its own. Only `accepted` grants.
 * Privacy: title, attendees' names, answers to the form and notes are never kept, since attendees may be patients; their
 * addresses only where the configuration takes holders from attendees, and `location`, which may be an attendee's phone
 * number, only where it is in `rooms.map`. The room is known by it, by the event type's slug or id, or by the host's
 * address.
 */
import { Faults, instantAt, type Person, type Statement, statement, withId } from '../booking.ts';
import { get, identifier, isJson, type Json, list, mail, text } from '../fields.ts';
import { parseInstant } from '../instant.ts';
import { endpoint, iso, itemOf, type Preset, type PresetContext, type Reading } from '../preset.ts';

const PAGE_SIZE = 100;
const MAX_PEOPLE = 20;
const API_VERSION = '2024-08-13';

const STATUS: Readonly<Record<string, 'confirmed' | 'tentative' | 'cancelled'>> = {
  accepted: 'confirmed',
  pending: 'tentative',
  awaiting_host: 'tentative',
  unconfirmed: 'tentative',
  cancelled: 'cancelled',
  rejected: 'cancelled',
};

/** Events that make a statement, and the status where the payload's own does not say it. */
const EVENTS: Readonly<Record<string, 'confirmed' | 'tentative' | 'cancelled'>> = {
  BOOKING_CREATED: 'confirmed',
  BOOKING_RESCHEDULED: 'confirmed',
  BOOKING_PAID: 'confirmed',
  BOOKING_REQUESTED: 'tentative',
  BOOKING_PAYMENT_INITIATED: 'tentative',
  BOOKING_REJECTED: 'cancelled',
  BOOKING_CANCELLED: 'cancelled',
};

export const calcom: Preset = {
  id: 'calcom',
  scheme: { signatureHeader: 'x-cal-signature-256', timestamp: 'none', signed: ['body'] },
  timeInBody: true,
  read,
  list: (context) => ({
    keys: ['data'],
    headers: { 'cal-api-version': API_VERSION },
    item: (value) => itemOf(readListed(value, context)),
    page(envelope, { url, received, found }) {
      if (!found || get(envelope, 'status') !== 'success') {
        return { ok: false, code: 'malformed', why: 'does not answer with status "success" and a list "data"' };
      }
      const pagination = get(envelope, 'pagination');
      const total = get(pagination, 'totalItems');
      const known = typeof total === 'number' ? total : undefined;
      // Without word on further pages a full one may not be the last.
      const more = get(pagination, 'hasNextPage');
      if (more === false || (more === undefined && received < PAGE_SIZE)) return { ok: true, total: known };
      const next = new URL(url.href);
      next.searchParams.set('skip', String(Number(url.searchParams.get('skip') ?? '0') + PAGE_SIZE));
      return { ok: true, next: next.href, total: known };
    },
  }),
  first(base, fromMs, toMs) {
    const url = endpoint(base, '/v2/bookings');
    url.searchParams.set('afterStart', iso(fromMs));
    url.searchParams.set('beforeEnd', iso(toMs));
    url.searchParams.set('sortStart', 'asc');
    url.searchParams.set('take', String(PAGE_SIZE));
    url.searchParams.set('skip', '0');
    return url;
  },
};

function read(payload: unknown, context: PresetContext): Reading {
  const event = get(payload, 'triggerEvent');
  if (typeof event !== 'string') return { kind: 'malformed', why: 'triggerEvent: must be a text' };
  const fallback = Object.hasOwn(EVENTS, event) ? EVENTS[event] : undefined;
  if (fallback === undefined) return { kind: 'ignored' };
  const atMs = parseInstant(get(payload, 'createdAt'));
  if (atMs === undefined) return { kind: 'malformed', why: 'createdAt: must be an instant with its offset from UTC' };
  const booking = get(payload, 'payload');
  const found = withId(
    booking,
    (value) => get(value, 'uid'),
    (value, id) => readSent(value, id, atMs, fallback, context),
  );
  if (found === undefined) return { kind: 'malformed', why: 'payload.uid: must be a text' };
  // Calling off what is left of a series names one booking of it; only the list tells the others.
  if (list(booking, 'cancelledDates').length > 1) return { kind: 'poll' };
  const old = identifier(get(booking, 'rescheduleUid'));
  const removed = old === undefined || old === found.href ? [] : [{ href: old, stampMs: atMs }];
  return { kind: 'bookings', statements: [found], removed, atMs };
}

function readSent(
  booking: Json,
  id: string,
  atMs: number,
  fallback: 'confirmed' | 'tentative' | 'cancelled',
  context: PresetContext,
): Statement {
  const faults = new Faults();
  const organizer = get(booking, 'organizer');
  return statement(
    context.source,
    {
      id,
      startMs: instantAt(faults, 'payload.startTime', get(booking, 'startTime'), parseInstant),
      endMs: instantAt(faults, 'payload.endTime', get(booking, 'endTime'), parseInstant),
      status: statusOf(get(booking, 'status'), fallback),
      title: get(booking, 'type'),
      rooms: [place(booking, context), get(booking, 'type'), get(booking, 'eventTypeId'), get(organizer, 'email')],
      location: place(booking, context),
      people: people(booking, [organizer], context),
      organizer: get(organizer, 'email'),
      stampMs: atMs,
    },
    faults,
  );
}

function readListed(value: unknown, context: PresetContext): Statement | undefined {
  return withId(
    value,
    (booking) => get(booking, 'uid'),
    (booking, id) => {
      const faults = new Faults();
      const hosts = list(booking, 'hosts');
      const type = get(booking, 'eventType');
      return statement(
        context.source,
        {
          id,
          startMs: instantAt(faults, 'start', get(booking, 'start'), parseInstant),
          endMs: instantAt(faults, 'end', get(booking, 'end'), parseInstant),
          status: statusOf(get(booking, 'status'), undefined),
          title: get(type, 'slug'),
          rooms: [
            place(booking, context),
            get(type, 'slug'),
            get(booking, 'eventTypeId') ?? get(type, 'id'),
            get(hosts[0], 'email'),
          ],
          location: place(booking, context),
          people: people(booking, hosts, context),
          organizer: get(hosts[0], 'email'),
          stampMs: parseInstant(get(booking, 'updatedAt')) ?? parseInstant(get(booking, 'createdAt')),
        },
        faults,
      );
    },
  );
}

/** The stricter of both words counts: a payload that says `pending` is not confirmed by its event. */
function statusOf(
  value: unknown,
  fallback: 'confirmed' | 'tentative' | 'cancelled' | undefined,
): { readonly status: 'confirmed' | 'tentative' | 'cancelled' } | undefined {
  const word = text(value)?.toLowerCase();
  if (word === undefined) return fallback === undefined ? undefined : { status: fallback };
  const own = Object.hasOwn(STATUS, word) ? STATUS[word] : undefined;
  if (own === undefined || fallback === undefined || fallback === 'confirmed') return own && { status: own };
  return { status: own === 'cancelled' ? own : fallback };
}

/** Shown in place of a location that is no room of ours, so that `*` in rooms.map still stands for it. */
const ELSEWHERE = '(elsewhere)';

function place(booking: Json, context: PresetContext): string | undefined {
  const location = text(get(booking, 'location'));
  return location === undefined || context.isRoom(location) ? location : ELSEWHERE;
}

/** Attendees first, where they are the holders; then the hosts. No names: which of them are patients nobody says. */
function people(booking: Json, hosts: readonly unknown[], context: PresetContext): Person[] {
  const guests = list(booking, 'attendees').filter((guest) => {
    if (get(guest, 'absent') === true) return false;
    const address = mail(get(guest, 'email'));
    return context.attendees || (address !== undefined && context.isRoom(address));
  });
  return [...guests, ...hosts]
    .filter(isJson)
    .slice(0, MAX_PEOPLE)
    .map((person, index) => ({ addresses: [get(person, 'email')], role: index === 0 ? 'chair' : 'req-participant' }));
}
