/** Webhook and FHIR sources against a real HTTP server that is told to fail. */
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expandAll } from '../../gateway/calendars/expand.ts';
import { fhirSource } from '../../gateway/calendars/sources/fhir.ts';
import { webhookSource } from '../../gateway/calendars/sources/webhook.ts';
import type { CalendarObject, CalendarSource, Polled, PushRequest } from '../../gateway/calendars/types.ts';
import {
  appointment,
  booking,
  fhirSettings,
  HTTP,
  NOW_MS,
  PATIENT_WORDS,
  SECRET,
  searchset,
  signedPush,
  webhookSettings,
} from '../support/calendars-push.ts';
import { CalendarServer, type Handler, type LoggedRequest, SIMPLE_MODES } from '../support/calendars-server.ts';

const SIGNAL = new AbortController().signal;
const WINDOW = { siteZone: 'Europe/Berlin', fromMs: NOW_MS - 86_400_000, toMs: NOW_MS + 60 * 86_400_000 };
const TOKEN = 'a-token-for-the-api';
/** Times of a test: a server that says nothing is left soon. */
const QUICK = { ...HTTP, bearer: TOKEN, timeoutMs: 400, maxBytes: 300_000 };

let server: CalendarServer;
let other: CalendarServer;

beforeAll(async () => {
  server = await CalendarServer.start();
  other = await CalendarServer.start();
});
afterAll(async () => {
  await Promise.all([server.close(), other.close()]);
});
beforeEach(() => {
  server.requests.length = 0;
  other.requests.length = 0;
});

function json(response: ServerResponse, value: unknown, type = 'application/json', status = 200): void {
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(value));
}
function query(request: LoggedRequest): URLSearchParams {
  return new URLSearchParams(request.query);
}
function snapshot(polled: Polled): readonly CalendarObject[] {
  if (polled.kind !== 'snapshot') throw new Error(`it is ${JSON.stringify(polled)}`);
  return polled.objects;
}
function expand(objects: readonly CalendarObject[]) {
  const expansion = expandAll({ ...WINDOW, objects });
  if ('fault' in expansion) throw new Error(expansion.why);
  return expansion;
}
function bookings(count: number, from = 0): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, index) => booking({ id: `b-${from + index}` }));
}

describe('the list of a booking system in our format', () => {
  const path = '/bookings';
  const source = (over: Parameters<typeof webhookSettings>[0] = {}): CalendarSource =>
    webhookSource(webhookSettings({ url: server.url(path), http: QUICK, ...over }), { now: () => NOW_MS });
  const pages =
    (sizes: readonly number[], total = sizes.reduce((sum, size) => sum + size, 0)): Handler =>
    (request, response) => {
      const page = Number(query(request).get('page') ?? '0');
      const from = sizes.slice(0, page).reduce((sum, size) => sum + size, 0);
      const next = page + 1 < sizes.length ? `${path}?page=${page + 1}` : null;
      json(response, { bookings: bookings(sizes[page] ?? 0, from), next, total });
    };

  it('is read over all pages with our token, for the days around now', async () => {
    server.serve(path, pages([2, 2, 1]));
    const polled = await source().poll(undefined, SIGNAL);
    expect(expand(snapshot(polled)).occurrences.map(({ href }) => href)).toEqual(['b-0', 'b-1', 'b-2', 'b-3', 'b-4']);
    expect(server.requests).toHaveLength(3);
    for (const { headers } of server.requests) expect(headers.authorization).toBe(`Bearer ${TOKEN}`);
    const first = query(server.requests[0] as LoggedRequest);
    expect([first.get('from'), first.get('to')]).toEqual(['2026-11-21T00:00:00.000Z', '2027-02-23T00:00:00.000Z']);
  });

  it('that did not change is unchanged, in any order', async () => {
    server.serve(path, pages([3]));
    const polled = await source().poll(undefined, SIGNAL);
    if (polled.kind !== 'snapshot') throw new Error('no snapshot');
    server.serve(path, (_request, response) => json(response, { bookings: bookings(3).reverse() }));
    expect(await source().poll(polled.cursor, SIGNAL)).toEqual({ kind: 'unchanged' });
    server.serve(path, pages([2]));
    expect(snapshot(await source().poll(polled.cursor, SIGNAL))).toHaveLength(2);
  });

  it('sets one bad booking aside and keeps the rest', async () => {
    const list = [...bookings(2), booking({ id: 'bad', start: 'tomorrow' }), { room: 'no id' }];
    server.serve(path, (_request, response) => json(response, { bookings: list, total: 4 }));
    const { occurrences, setAside } = expand(snapshot(await source().poll(undefined, SIGNAL)));
    expect(occurrences).toHaveLength(2);
    expect(setAside).toMatchObject([
      { uid: 'bad', code: 'malformed', why: expect.stringContaining('booking.start') as string },
    ]);
  });

  it('is not taken for whole when entries are missing, or moved over a border of pages while it was read', async () => {
    server.serve(path, pages([2, 2], 5));
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'truncated' });
    const shifting: Handler = (request, response) => {
      const page = query(request).get('page');
      const list = page === null ? bookings(2) : bookings(2, 1);
      json(response, { bookings: list, next: page === null ? `${path}?page=1` : null, total: 4 });
    };
    server.serve(path, shifting);
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'truncated' });
  });

  it('is not followed to another server, nor in a circle, nor without end', async () => {
    other.serve(path, pages([1]));
    server.serve(path, (_request, response) => json(response, { bookings: bookings(1), next: other.url(path) }));
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'refused_address' });
    expect(other.requests).toEqual([]);
    server.serve(path, (_request, response) => json(response, { bookings: bookings(1), next: `${path}?page=1` }));
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'malformed' });
    let page = 0;
    server.serve(path, (_request, response) => {
      page += 1;
      json(response, { bookings: [], next: `${path}?page=${page}` });
    });
    expect(await source({ http: { ...QUICK, timeoutMs: 5_000 } }).poll(undefined, SIGNAL)).toMatchObject({
      kind: 'failed',
      code: 'too_large',
    });
    expect(page).toBe(200);
  });

  it('fails as a whole, with a reason and without a secret, in every way that servers fail', async () => {
    const body = JSON.stringify({ bookings: bookings(50) });
    server.serve(path, { body, type: 'application/json' });
    expect(snapshot(await source().poll(undefined, SIGNAL))).toHaveLength(50);
    for (const mode of SIMPLE_MODES) {
      server.fail(path, mode);
      const polled = await source({ url: `${server.url(path)}?key=hidden` }).poll('sha256:x', SIGNAL);
      expect(polled.kind, mode).toBe('failed');
      expect(JSON.stringify(polled), mode).not.toMatch(/hidden|a-token|a-long-secret/);
    }
    server.heal(path);
  }, 120_000);

  it.each([
    [401, 'unauthorised'],
    [403, 'unauthorised'],
    [404, 'not_found'],
    [410, 'not_found'],
    [429, 'busy'],
    [500, 'server_error'],
    [502, 'server_error'],
    [503, 'busy'],
  ])('fails with %i as %s', async (status, code) => {
    server.serve(path, pages([1]));
    server.fail(path, { status, retryAfter: '120' }, { times: 1 });
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code, retryAfterMs: 120_000 });
  });

  it('is not believed when it is cut, an error, a page or something else in JSON', async () => {
    const whole = JSON.stringify({ bookings: bookings(5) });
    const answers: [string, string, number][] = [
      [whole.slice(0, whole.length / 2), 'application/json', 200],
      [whole, 'text/html', 200],
      [whole, 'text/plain', 200],
      [whole, 'application/json', 206],
      ['{"error":"expired"}', 'application/json', 200],
      ['{"bookings":{}}', 'application/json', 200],
      ['null', 'application/json', 200],
      ['', 'application/json', 200],
      [`${whole}${whole}`, 'application/json', 200],
    ];
    for (const [body, type, status] of answers) {
      server.serve(path, (_request, response) => response.writeHead(status, { 'content-type': type }).end(body));
      expect((await source().poll(undefined, SIGNAL)).kind, body.slice(0, 40)).toBe('failed');
    }
    await server.down();
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'unreachable' });
    await server.up();
  });

  // That it is read in small steps: test/gateway/calendars/push-elements.test.ts, and the bench.
  it('of many megabytes is read whole, or refused', async () => {
    const large = JSON.stringify({ bookings: bookings(19_000) });
    server.serve(path, { body: large, type: 'application/json' });
    const http = { ...QUICK, timeoutMs: 20_000, maxBytes: 50_000_000 };
    expect(snapshot(await source({ http }).poll(undefined, SIGNAL))).toHaveLength(19_000);
    server.serve(path, { body: JSON.stringify({ bookings: bookings(20_001) }), type: 'application/json' });
    expect(await source({ http }).poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'too_large' });
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'too_large' });
  }, 60_000);

  it('may be asked in other words, where the address says how', async () => {
    server.serve(path, pages([1]));
    const url = `${server.url(path)}?since={from}&until={to}&key=k`;
    expect(snapshot(await source({ url }).poll(undefined, SIGNAL))).toHaveLength(1);
    expect(server.requests[0]?.query).toBe(
      '?since=2026-11-21T00%3A00%3A00.000Z&until=2027-02-23T00%3A00%3A00.000Z&key=k',
    );
  });
});

describe('the lists of the vendors', () => {
  const poll = (over: Parameters<typeof webhookSettings>[0], http = QUICK): Promise<Polled> =>
    webhookSource(webhookSettings({ ...over, http }), { now: () => NOW_MS }).poll(undefined, SIGNAL);
  const [start, end] = ['2026-11-23T08:00:00.000Z', '2026-11-23T09:00:00.000Z'];

  it('of Nexudus: pages by number, basic authentication', async () => {
    server.serve('/api/spaces/bookings', (request, response) => {
      const page = Number(query(request).get('page'));
      const record = { Id: page, ResourceName: 'Room 2', CoworkerId: page % 2, FromTime: start, ToTime: end };
      json(response, { Records: [record], HasNextPage: page < 3, TotalItems: 3 });
    });
    server.serve('/api/spaces/coworkers', (request, response) => {
      const more = query(request).get('page') === '1';
      const record = more
        ? { Id: 1, Email: 'Mia@Clinic.example', FullName: 'Mia' }
        : { Id: 0, Email: 'leo@clinic.example' };
      json(response, { Records: [record], HasNextPage: more, TotalItems: 2 });
    });
    const { bearer: _bearer, ...http } = { ...QUICK, username: 'api@x', password: 'pw' };
    const { occurrences } = expand(
      snapshot(await poll({ preset: 'nexudus', url: server.origin }, http as typeof QUICK)),
    );
    expect(occurrences.map(({ uid, organizer }) => [uid, organizer])).toEqual([
      ['hook:1', 'mia@clinic.example'],
      ['hook:2', 'leo@clinic.example'],
      ['hook:3', 'mia@clinic.example'],
    ]);
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('api@x:pw').toString('base64')}`);
  });

  it('of Cal.com: take and skip, the version of the API', async () => {
    server.serve('/v2/bookings', (request, response) => {
      const skip = Number(query(request).get('skip'));
      const data = Array.from({ length: skip === 0 ? 100 : 30 }, (_, index) => ({
        uid: `u${skip + index}`,
        status: index % 2 === 0 ? 'accepted' : 'pending',
        hosts: [{ email: 'mia@clinic.example' }],
        eventType: { slug: 'physio', id: 5 },
        attendees: [{ name: PATIENT_WORDS[0], email: PATIENT_WORDS[6] }],
        start,
        end,
      }));
      json(response, { status: 'success', data, pagination: { hasNextPage: skip === 0, totalItems: 130 } });
    });
    const objects = snapshot(await poll({ preset: 'calcom', url: server.origin, holder: { by: 'organizer' } }));
    expect(objects).toHaveLength(130);
    expect(expand(objects).occurrences.filter(({ status }) => status === 'confirmed')).toHaveLength(65);
    expect(server.requests[0]?.headers['cal-api-version']).toBe('2024-08-13');
    for (const word of PATIENT_WORDS) expect(JSON.stringify(objects)).not.toContain(word);
  });

  it('of OfficeRnD: cursors, and a token of an hour for the client id', async () => {
    let tokens = 0;
    let expired = false;
    server.serve('/oauth/token', (request, response) => {
      tokens += 1;
      const form = new URLSearchParams(request.body.toString());
      const good = form.get('client_id') === 'id' && form.get('client_secret') === 'geheim';
      if (good && form.get('grant_type') === 'client_credentials') {
        json(response, { access_token: `hour-${tokens}`, expires_in: 3_600, token_type: 'Bearer' });
      } else json(response, { error: 'invalid_client' }, 'application/json', 400);
    });
    server.serve('/org/bookings/occurrences', (request, response) => {
      if (expired || request.headers.authorization !== `Bearer hour-${tokens}`) {
        response.writeHead(401).end();
        return;
      }
      const more = query(request).get('$cursorNext') === null;
      const results = [{ _id: more ? 'a' : 'b', start, end, resource: 'r', member: 'm' }];
      json(response, { rangeStart: 1, rangeEnd: 2, results, ...(more ? { cursorNext: 'c2' } : {}) });
    });
    const { bearer: _bearer, ...http } = { ...QUICK, username: 'id', password: 'geheim' };
    const settings = webhookSettings({ preset: 'officernd', url: server.url('/org'), http });
    const one = webhookSource(settings, { now: () => NOW_MS });
    server.serve('/org/members', (_request, response) =>
      json(response, { results: [{ _id: 'm', email: 'mia@x.example' }] }),
    );
    const { occurrences } = expand(snapshot(await one.poll(undefined, SIGNAL)));
    expect(occurrences.map(({ href, organizer }) => [href, organizer])).toEqual([
      ['a', 'mia@x.example'],
      ['b', 'mia@x.example'],
    ]);
    expect(snapshot(await one.poll(undefined, SIGNAL))).toHaveLength(2);
    expect(tokens).toBe(1);
    expect(server.requestsTo('/org/members')).toHaveLength(1);
    expired = true;
    expect(await one.poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'unauthorised' });
    expired = false;
    expect(snapshot(await one.poll(undefined, SIGNAL))).toHaveLength(2);
    expect(tokens).toBe(2);
    const wrong = webhookSource({ ...settings, http: { ...http, password: 'x' } }, { now: () => NOW_MS });
    const failed = await wrong.poll(undefined, SIGNAL);
    expect(failed).toMatchObject({ kind: 'failed', code: 'unauthorised' });
    expect(JSON.stringify(failed)).not.toContain('geheim');
  });

  it('of Cobot: a bare list, our token', async () => {
    server.serve('/api/bookings', (_request, response) => {
      const [from, to] = ['2026/11/23 08:00:00 +0000', '2026/11/23 09:00:00 +0000'];
      json(response, [{ id: '1', from, to, resource: { name: 'Room 2', id: 'r' }, membership: { id: 'm' } }]);
    });
    const cobot = { preset: 'cobot', url: server.origin } as const;
    server.serve('/api/memberships', (_request, response) =>
      json(response, [{ id: 'm', user: { email: 'mia@x.example' } }]),
    );
    expect(expand(snapshot(await poll(cobot))).occurrences).toMatchObject([{ organizer: 'mia@x.example' }]);
    server.serve('/api/memberships', (_request, response) => response.writeHead(403).end());
    expect(await poll(cobot)).toMatchObject({
      kind: 'failed',
      code: 'unauthorised',
      why: expect.stringContaining('directory') as string,
    });
    expect(expand(snapshot(await poll({ ...cobot, holder: { by: 'template' } }))).occurrences).toHaveLength(1);
    server.serve('/api/memberships', (_request, response) => json(response, []));
    server.serve('/api/bookings', (_request, response) => json(response, []));
    expect(snapshot(await poll({ preset: 'cobot', url: server.origin }))).toEqual([]);
    server.serve('/api/bookings', (_request, response) => json(response, { error: 'x' }));
    expect(await poll({ preset: 'cobot', url: server.origin })).toMatchObject({ kind: 'failed', code: 'malformed' });
  });
});

describe('the directory of a vendor', () => {
  it('is kept for hours, and read anew for somebody who is missing, but not all the time', async () => {
    let nowMs = NOW_MS;
    const members: object[] = [{ id: 'm1', email: 'mia@x.example' }];
    const [from, to] = ['2026-11-23T08:00:00Z', '2026-11-23T09:00:00Z'];
    let membership = 'm1';
    server.serve('/api/memberships', (_request, response) => json(response, members));
    server.serve('/api/bookings', (_request, response) =>
      json(response, [{ id: '1', from, to, membership: { id: membership } }]),
    );
    const settings = webhookSettings({ preset: 'cobot', url: server.url('/api/bookings'), http: QUICK });
    const source = webhookSource(settings, { now: () => nowMs });
    const organizer = async () => expand(snapshot(await source.poll(undefined, SIGNAL))).occurrences[0]?.organizer;
    const reads = () => server.requestsTo('/api/memberships').length;
    expect([await organizer(), await organizer(), reads()]).toEqual(['mia@x.example', 'mia@x.example', 1]);
    membership = 'm2';
    members.push({ id: 'm2', email: 'leo@x.example' });
    expect([await organizer(), reads()]).toEqual(['m2', 1]);
    nowMs += 11 * 60_000;
    expect([await organizer(), reads()]).toEqual(['leo@x.example', 2]);
    membership = 'gone';
    expect([await organizer(), await organizer(), reads()]).toEqual(['gone', 'gone', 2]);
    nowMs += 7 * 3_600_000;
    membership = 'm1';
    expect([await organizer(), reads()]).toEqual(['mia@x.example', 3]);
  });
});

describe('a FHIR server', () => {
  const path = '/fhir/Appointment';
  const FHIR_JSON = 'application/fhir+json; charset=utf-8';
  const source = (over: Parameters<typeof fhirSettings>[0] = {}): CalendarSource =>
    fhirSource(fhirSettings({ url: server.url('/fhir/'), http: QUICK, secret: SECRET, ...over }), {
      now: () => NOW_MS,
    });
  const serve = (bundle: unknown): void =>
    server.serve(path, (_request, response) => json(response, bundle, FHIR_JSON));

  it('is searched page by page, and its patients stay there', async () => {
    const link = [{ relation: 'next', url: server.url('/fhir?_getpages=2') }];
    const included = { resourceType: 'Patient', id: 'x', name: [{ text: PATIENT_WORDS[0] }] };
    serve(searchset([appointment(), included], { total: 3, link }));
    server.serve('/fhir', (_request, response) =>
      json(
        response,
        searchset([appointment({ id: 'a-2', status: 'proposed' }), appointment({ id: 'a-3', start: 'x' })], {
          total: 3,
        }),
        FHIR_JSON,
      ),
    );
    const polled = await source().poll(undefined, SIGNAL);
    const { occurrences, setAside } = expand(snapshot(polled));
    expect(occurrences.map(({ href, status }) => [href, status])).toEqual([
      ['Appointment/a-1', 'confirmed'],
      ['Appointment/a-2', 'tentative'],
    ]);
    expect(setAside).toMatchObject([{ code: 'no_times', href: 'Appointment/a-3' }]);
    const out = JSON.stringify([polled, occurrences, setAside]);
    for (const word of PATIENT_WORDS) expect(out, word).not.toContain(word);
    const [first] = server.requests;
    expect(query(first as LoggedRequest).getAll('date')).toEqual([
      'ge2026-11-15T00:00:00.000Z',
      'lt2027-02-23T00:00:00.000Z',
    ]);
    expect(query(first as LoggedRequest).get('_count')).toBe('200');
    expect(first?.headers).toMatchObject({ accept: 'application/fhir+json', authorization: `Bearer ${TOKEN}` });
  });

  it('fails whole when a page is missing, elsewhere, an error or something else', async () => {
    serve(searchset([appointment()], { total: 2 }));
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'truncated' });
    serve(searchset([appointment()], { link: [{ relation: 'next', url: server.url('/fhir/gone') }] }));
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'not_found' });
    serve(searchset([appointment()], { link: [{ relation: 'next', url: other.url('/fhir?p=2') }] }));
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'refused_address' });
    expect(other.requests).toEqual([]);
    serve(searchset([appointment(), { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] }]));
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'server_error' });
    serve(appointment());
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'malformed' });
    server.serve(path, (_request, response) => json(response, '<Bundle/>', 'application/fhir+xml'));
    expect(await source().poll(undefined, SIGNAL)).toMatchObject({ kind: 'failed', code: 'wrong_type' });
  });

  it('with nothing in the list is an empty list, and the same list again is unchanged', async () => {
    serve({ resourceType: 'Bundle', type: 'searchset', total: 0 });
    expect(snapshot(await source().poll(undefined, SIGNAL))).toEqual([]);
    serve(searchset([appointment()]));
    const polled = await source().poll(undefined, SIGNAL);
    if (polled.kind !== 'snapshot') throw new Error('no snapshot');
    expect(await source().poll(polled.cursor, SIGNAL)).toEqual({ kind: 'unchanged' });
  });

  it('includes Practitioners, by whose mail addresses the members are known', async () => {
    const practitioner = (id: string, value: string) => ({
      resourceType: 'Practitioner',
      id,
      telecom: [{ system: 'email', value }],
    });
    serve(
      searchset([appointment(), practitioner('12', 'Mia@Clinic.example'), practitioner('13', 'leo@clinic.example')], {
        total: 1,
      }),
    );
    const one = source();
    const addresses = (objects: readonly CalendarObject[]) =>
      expand(objects).occurrences[0]?.attendees.map(({ address }) => address);
    expect(addresses(snapshot(await one.poll(undefined, SIGNAL)))).toEqual(['Practitioner/12', 'mia@clinic.example']);
    expect(query(server.requests[0] as LoggedRequest).get('_include')).toBe('Appointment:practitioner');
    server.serve(`${path}/a-1`, (_request, response) => json(response, appointment(), FHIR_JSON));
    const delta = await one.receive?.(signedPush(appointment()), 'x', SIGNAL);
    expect(addresses(delta?.kind === 'delta' ? delta.changed : [])).toEqual(['Practitioner/12', 'mia@clinic.example']);
    const unknown = appointment({ participant: [{ actor: { reference: 'Practitioner/99' }, status: 'accepted' }] });
    server.serve(`${path}/a-1`, (_request, response) => json(response, unknown, FHIR_JSON));
    expect(await one.receive?.(signedPush(appointment(), String(NOW_MS / 1_000 + 1)), 'x', SIGNAL)).toEqual({
      kind: 'poll',
    });
  });

  it('that pushes an Appointment is asked for it: what the message says does not count', async () => {
    const one = source();
    let pushes = 0;
    const receive = (request: PushRequest) => {
      pushes += 1;
      const at = String(NOW_MS / 1_000 + pushes);
      return one.receive?.(signedPush(request.body.toString(), at), 'sha256:x', SIGNAL);
    };
    const pushed = signedPush(appointment({ status: 'booked', end: '2026-11-23T23:00:00Z' }));
    server.serve(`${path}/a-1`, (_request, response) =>
      json(response, appointment({ status: 'cancelled' }), FHIR_JSON),
    );
    // Before the first list nobody's address is known.
    expect(await receive(pushed)).toEqual({ kind: 'poll' });
    serve(searchset([appointment()]));
    await one.poll(undefined, SIGNAL);
    const delta = await receive(pushed);
    expect(delta).toMatchObject({
      kind: 'delta',
      removed: [],
      changed: [{ href: 'Appointment/a-1' }],
      cursor: 'pushed',
    });
    const { occurrences } = expand(delta?.kind === 'delta' ? delta.changed : []);
    expect(occurrences).toMatchObject([{ status: 'cancelled', endMs: Date.UTC(2026, 10, 23, 8, 30) }]);
    for (const word of PATIENT_WORDS) expect(JSON.stringify(delta), word).not.toContain(word);
    server.serve(`${path}/a-1`, (_request, response) => response.writeHead(410).end());
    expect(await receive(pushed)).toEqual({
      kind: 'delta',
      changed: [],
      removed: ['Appointment/a-1'],
      cursor: 'pushed',
    });
    for (const status of [404, 401, 500]) {
      server.serve(`${path}/a-1`, (_request, response) => response.writeHead(status).end());
      expect(await receive(pushed)).toEqual({ kind: 'poll' });
    }
    server.serve(`${path}/a-1`, (_request, response) => json(response, appointment({ id: 'another' }), FHIR_JSON));
    expect(await receive(pushed)).toEqual({ kind: 'poll' });
  });
});
