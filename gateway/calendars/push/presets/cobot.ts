/**
 * Cobot.
 *
 * Messages: Cobot signs nothing (dev.cobot.me, Webhooks API). A message is `{"url": "https://SPACE.cobot.me/api/bookings/ID"}`,
 * for a deleted booking the whole record. Nothing in it is believed: it is a reason to look at the list, with our own
 * token, and only when its address is of the same server as `url`. So the preset needs `url`.
 * List: GET {url}/api/bookings?from=…&to=…, a bare list without pages of all bookings that overlap the time; `from`, `to` as
 * `2012/01/01 12:00:00 +0000`, `resource: {name, id}`, `membership: {id, name}`, `title`, `updated_at`. `comments` are not
 * kept. A booking names its member by `membership.id`; the mail address is that of GET {url}/api/memberships (scope
 * read_memberships, six requests a minute at most). What is booked there is confirmed; fields that would say otherwise are not documented, and deny if they come.
 */
import { Faults, instantAt, type Statement, statement, withId } from '../booking.ts';
import { get, type Json, mail, text } from '../fields.ts';
import { parseSlashed } from '../instant.ts';
import type { PageContext, PageEnd } from '../pager.ts';
import { addressesOf, endpoint, iso, itemOf, type Preset, type PresetContext, type Reading } from '../preset.ts';

const LIST = '/api/bookings';

export const cobot: Preset = {
  id: 'cobot',
  needsUrl: true,
  read,
  // Only a bare list is one; an error is an object.
  list: (context) => ({ keys: [], item: (value) => itemOf(readBooking(context, value)), page: readPage }),
  people: {
    keys: [],
    page: readPage,
    first: (base) => endpoint(base, '/api/memberships', LIST),
    person: (value) =>
      withId(
        value,
        (membership) => get(membership, 'id'),
        (membership, id) => ({
          id,
          mail: mail(get(membership, 'email')) ?? mail(get(get(membership, 'user'), 'email')),
        }),
      ),
  },
  first(base, fromMs, toMs) {
    const url = endpoint(base, LIST);
    url.searchParams.set('from', iso(fromMs));
    url.searchParams.set('to', iso(toMs));
    return url;
  },
};

function readPage(_envelope: unknown, { found }: PageContext): PageEnd {
  return found ? { ok: true } : { ok: false, code: 'malformed', why: 'does not answer with a list' };
}

/** @returns whether the message names a resource under the same origin as the configured address */
export function namesOurServer(payload: unknown, base: URL): boolean {
  const named = text(get(payload, 'url'), 2_000);
  if (named === undefined || !URL.canParse(named)) return false;
  const url = new URL(named);
  // Cobot's own examples write http for what is https.
  return url.hostname === base.hostname && (url.protocol === 'https:' || url.protocol === 'http:');
}

function read(payload: unknown): Reading {
  return text(get(payload, 'url'), 2_000) === undefined
    ? { kind: 'malformed', why: 'url: must be the address of what has changed' }
    : { kind: 'poll' };
}

function readBooking(context: PresetContext, value: unknown): Statement | undefined {
  return withId(
    value,
    (booking) => get(booking, 'id'),
    (booking, id) => {
      const faults = new Faults();
      const resource = get(booking, 'resource');
      const membership = get(booking, 'membership');
      const ids = addressesOf(get(membership, 'id'), context);
      const mailAddress = get(membership, 'email') ?? ids[0];
      return statement(
        context.source,
        {
          id,
          startMs: instantAt(faults, 'from', get(booking, 'from'), parseSlashed),
          endMs: instantAt(faults, 'to', get(booking, 'to'), parseSlashed),
          status: { status: statusOf(booking) },
          title: get(booking, 'title'),
          rooms: [get(resource, 'name'), get(resource, 'id')],
          location: get(resource, 'name'),
          people: [
            {
              addresses: [mailAddress, ...ids],
              name: get(membership, 'name'),
              role: 'chair',
            },
          ],
          organizer: mailAddress,
          stampMs: parseSlashed(get(booking, 'updated_at')) ?? parseSlashed(get(booking, 'created_at')),
        },
        faults,
      );
    },
  );
}

function statusOf(booking: Json): 'confirmed' | 'tentative' | 'cancelled' {
  const says = (key: string): boolean => {
    const value = get(booking, key);
    return value !== undefined && value !== null && value !== false;
  };
  if (says('canceled') || says('cancelled') || says('canceled_at') || says('deleted_at')) return 'cancelled';
  const unapproved = get(booking, 'approved') === false || get(booking, 'confirmed') === false;
  return unapproved || says('pending') || says('tentative') ? 'tentative' : 'confirmed';
}
