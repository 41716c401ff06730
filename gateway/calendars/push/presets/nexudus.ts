/**
 * Nexudus.
 *
 * Messages: header `X-Nexudus-Hook-Signature`, by the integrations that publish their code a hex HMAC-SHA256 over the raw
 * body with the shared secret (upper case; learn.nexudus.com names the header, not the algorithm), no timestamp. The body
 * is a list of one record or the record; one integrator found the list signed where the record was sent, so that form is
 * accepted too. The record of a booking created, updated or deleted looks the same, and no time says when it was sent: a
 * message is only a reason to look at the list, and the preset needs `url`.
 * List: GET {url}/api/spaces/bookings, `Records`, `HasNextPage`, `TotalItems` (learn.nexudus.com, Search Bookings), basic
 * authentication or a bearer token; `From_Booking_ToTime` and `To_Booking_FromTime` bound the window. Times are UTC with Z.
 * A booking that was cancelled leaves the list. It names its customer by `CoworkerId`; the mail address is that of
 * GET {url}/api/spaces/coworkers (`Id`, `Email`; role Coworker-List).
 */
import { Faults, instantAt, type Statement, statement, withId } from '../booking.ts';
import { get, isJson, type Json, mail } from '../fields.ts';
import { parseInstant } from '../instant.ts';
import type { PageContext, PageEnd } from '../pager.ts';
import { addressesOf, endpoint, iso, itemOf, type Preset, type PresetContext, type Reading } from '../preset.ts';

const LIST = '/api/spaces/bookings';
const PAGE_SIZE = 100;
const KEYS = ['Records'];

export const nexudus: Preset = {
  id: 'nexudus',
  scheme: { signatureHeader: 'x-nexudus-hook-signature', timestamp: 'none', signed: ['body', '[body]'] },
  needsUrl: true,
  read,
  list: (context) => ({ keys: KEYS, item: (value) => itemOf(readBooking(context, value)), page: readPage }),
  people: {
    keys: KEYS,
    page: readPage,
    first: (base) => paged(endpoint(base, '/api/spaces/coworkers', LIST)),
    person: (value) =>
      withId(
        value,
        (record) => get(record, 'Id'),
        (record, id) => ({ id, mail: mail(get(record, 'Email')) }),
      ),
  },
  first(base, fromMs, toMs) {
    const url = endpoint(base, LIST);
    url.searchParams.set('From_Booking_ToTime', iso(fromMs));
    url.searchParams.set('To_Booking_FromTime', iso(toMs));
    return paged(url);
  },
};

function paged(url: URL): URL {
  url.searchParams.set('orderBy', 'Id');
  url.searchParams.set('size', String(PAGE_SIZE));
  url.searchParams.set('page', '1');
  return url;
}

function readPage(envelope: unknown, { url, found }: PageContext): PageEnd {
  if (!found) return { ok: false, code: 'malformed', why: 'has no list "Records"' };
  const total = get(envelope, 'TotalItems');
  const known = typeof total === 'number' ? total : undefined;
  if (get(envelope, 'HasNextPage') !== true) return { ok: true, total: known };
  const next = new URL(url.href);
  next.searchParams.set('page', String(Number(url.searchParams.get('page') ?? '1') + 1));
  return { ok: true, next: next.href, total: known };
}

function read(payload: unknown): Reading {
  const records = Array.isArray(payload) ? (payload as unknown[]) : [payload];
  if (!records.every(isJson)) return { kind: 'malformed', why: 'the message must be a record or a list of records' };
  // Hooks of other records may point to the same address.
  const ours = records.some(
    (record) => get(record, 'FromTime') !== undefined || get(record, 'ResourceId') !== undefined,
  );
  return { kind: ours ? 'poll' : 'ignored' };
}

function readBooking(context: PresetContext, value: unknown): Statement | undefined {
  return withId(
    value,
    (booking) => get(booking, 'Id'),
    (booking, id) => {
      const faults = new Faults();
      const coworker = get(booking, 'Coworker');
      const ids = addressesOf(get(booking, 'CoworkerId') ?? get(coworker, 'Id'), context);
      const mailAddress = get(coworker, 'Email') ?? get(booking, 'CoworkerEmail') ?? ids[0];
      return statement(
        context.source,
        {
          id,
          startMs: instantAt(faults, 'FromTime', get(booking, 'FromTime'), parseInstant),
          endMs: instantAt(faults, 'ToTime', get(booking, 'ToTime'), parseInstant),
          status: { status: statusOf(booking) },
          title: get(booking, 'Name'),
          rooms: [get(booking, 'ResourceName'), get(booking, 'ResourceId')],
          location: get(booking, 'ResourceName'),
          people: [
            {
              addresses: [mailAddress, ...ids],
              name: get(booking, 'CoworkerFullName') ?? get(coworker, 'FullName'),
              role: 'chair',
            },
          ],
          organizer: mailAddress,
          stampMs: parseInstant(get(booking, 'UpdatedOn')) ?? parseInstant(get(booking, 'CreatedOn')),
        },
        faults,
      );
    },
  );
}

/** Tentative bookings wait for an administrator's approval. Anything but a clear no is a yes. */
function statusOf(booking: Json): 'confirmed' | 'tentative' | 'cancelled' {
  const says = (key: string): boolean => {
    const value = get(booking, key);
    return value !== undefined && value !== null && value !== false;
  };
  if (says('IsCancelled') || says('Cancelled') || says('Deleted')) return 'cancelled';
  return says('Tentative') ? 'tentative' : 'confirmed';
}
