/** The ICS source against a real https server that fails in every way it can: what is told, that nothing hangs or leaks. */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { HttpClient, type HttpClientSettings, MAX_RETRY_AFTER_MS } from '../../gateway/calendars/net/http.ts';
import type { IcsSettings } from '../../gateway/calendars/settings.ts';
import { icsSource } from '../../gateway/calendars/sources/ics.ts';
import type { FeedFault, Polled } from '../../gateway/calendars/types.ts';
import {
  CalendarServer,
  type Certificate,
  type FailMode,
  makeCertificate,
  SIMPLE_MODES,
  type SimpleMode,
} from '../support/calendars-server.ts';

/** No progress for so long is a failure where silence is expected, */
const STALL_MS = 400;
/** and where it is not, so that a busy machine is no failure. */
const PATIENT_MS = 5_000;
const MAX_BYTES = 300_000;
/** A whole poll may take four times as much. Nothing takes longer, give or take a busy machine. */
const LONGEST_MS = STALL_MS * 4 + 2_000;
const SECRET_PATH = '/calendar/ical/8f14e45fceea167a5a36dedd4bea2543/basic.ics';
const SECRETS = /8f14e45fceea167a5a36dedd4bea2543|hush|anna|YW5u/;

const events = Array.from(
  { length: 40 },
  (_, n) =>
    `BEGIN:VEVENT\r\nUID:${n}@clinic\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20300101T090000Z\r\nDTEND:20300101T100000Z\r\nSUMMARY:Booking ${n}\r\nEND:VEVENT\r\n`,
);
const FEED = `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Doorward//test//EN\r\n${events.join('')}END:VCALENDAR\r\n`;

let certificate: Certificate;
let server: CalendarServer;
let http: HttpClient;
let impatient: HttpClient;
beforeAll(() => {
  certificate = makeCertificate();
});
beforeEach(async () => {
  server = await CalendarServer.start({ tls: certificate });
  server.serve(SECRET_PATH, { body: FEED, etag: '"1"', auth: { user: 'anna', password: 'hush' } });
  http = client();
  impatient = client({ timeoutMs: STALL_MS });
});
afterEach(async () => {
  await Promise.all([http.close(), impatient.close()]);
  await vi.waitFor(() => expect(server.openSockets).toBe(0));
  await server.close();
});

function client(change: Partial<HttpClientSettings> = {}): HttpClient {
  return new HttpClient({
    ...settings('').http,
    ca: certificate.cert,
    allowAddress: (one) => one === '127.0.0.1',
    ...change,
  });
}

function settings(url: string): IcsSettings {
  return {
    kind: 'ics',
    id: 'rooms',
    url,
    everyMs: 60_000,
    priority: 0,
    rooms: { by: 'calendar', map: { '*': 'room-1' } },
    holder: { by: 'organizer' },
    holdPolls: 3,
    http: {
      allowHttp: false,
      allowPrivate: false,
      timeoutMs: PATIENT_MS,
      maxBytes: MAX_BYTES,
      username: 'anna',
      password: 'hush',
    },
  };
}

async function poll(change: { url?: string; http?: HttpClient; cursor?: string } = {}): Promise<Polled> {
  const url = change.url ?? `${server.url(SECRET_PATH)}?key=hush`;
  const fromMs = performance.now();
  const polled = await icsSource(settings(url), change.http ?? http).poll(change.cursor, new AbortController().signal);
  expect(performance.now() - fromMs).toBeLessThan(change.http === impatient ? LONGEST_MS : PATIENT_MS);
  return polled;
}

const OUTCOMES: Readonly<Record<SimpleMode, FeedFault | 'snapshot'>> = {
  close: 'unreachable',
  reset: 'unreachable',
  'reset-mid-body': 'truncated',
  'truncated-length': 'truncated',
  'truncated-chunked': 'truncated',
  'truncated-plain': 'truncated',
  'truncated-short': 'truncated',
  'length-too-small': 'truncated',
  'slow-headers': 'timeout',
  'slow-drip': 'timeout',
  stall: 'timeout',
  endless: 'too_large',
  'html-login': 'wrong_type',
  'html-as-calendar': 'wrong_type',
  'empty-body': 'empty',
  // A calendar it is; that nothing is in it is for the judge (trust.ts).
  'empty-calendar': 'snapshot',
  'no-content': 'empty',
  partial: 'truncated',
  // Many servers have no type for calendars: what it is decides.
  'wrong-type': 'snapshot',
  json: 'wrong_type',
  'gzip-bomb': 'too_large',
  'bad-gzip': 'malformed',
  'truncated-gzip': 'truncated',
  'unknown-coding': 'malformed',
  // One stray byte spoils no feed: lines that are not UTF-8 are read as windows-1252 (check.ts).
  'wrong-charset': 'snapshot',
  'big-headers': 'too_large',
  'endless-headers': 'too_large',
  'not-http': 'malformed',
  'redirect-loop': 'server_error',
  'redirect-private': 'refused_address',
  'redirect-http': 'refused_address',
  'redirect-file': 'refused_address',
  'redirect-nowhere': 'server_error',
};

function expectFailure(polled: Polled, code: FeedFault): void {
  expect(polled).toMatchObject({ kind: 'failed', code });
  if (polled.kind !== 'failed') return;
  expect(polled.why).not.toMatch(SECRETS);
  // A sentence for people: it begins and ends like one and holds nothing of the program.
  expect(polled.why).toMatch(/^[A-Zh].*\.$/);
  expect(polled.why).not.toMatch(/undefined|\[object|Error:|no code|UND_/);
}

describe('a server that fails', () => {
  it('has an outcome for each way', () => {
    expect(Object.keys(OUTCOMES).sort()).toEqual([...SIMPLE_MODES].sort());
  });

  it.each(SIMPLE_MODES.map((mode) => [mode, OUTCOMES[mode]] as const))('%s: %s', async (mode, outcome) => {
    server.fail(SECRET_PATH, mode);
    const polled = await poll({ http: outcome === 'timeout' ? impatient : http });
    if (outcome === 'snapshot') expect(polled).toMatchObject({ kind: 'snapshot' });
    else expectFailure(polled, outcome);
  });

  it.each(SIMPLE_MODES)('is read again after: %s', async (mode) => {
    server.fail(SECRET_PATH, mode, { times: 1 });
    const either = OUTCOMES[mode] === 'timeout' ? impatient : http;
    await poll({ http: either });
    server.heal(SECRET_PATH);
    expect(await poll({ http: either })).toMatchObject({ kind: 'snapshot', objects: [{ body: FEED }] });
  });

  const statuses: readonly [number, FeedFault][] = [
    ...[301, 302, 303, 307, 308, 304].map((status): [number, FeedFault] => [status, 'server_error']),
    ...[401, 403].map((status): [number, FeedFault] => [status, 'unauthorised']),
    ...[404, 410].map((status): [number, FeedFault] => [status, 'not_found']),
    ...[429, 503].map((status): [number, FeedFault] => [status, 'busy']),
    ...[400, 402, 406, 407, 418, 451, 500, 501, 502, 504, 507, 202, 207].map((status): [number, FeedFault] => [
      status,
      'server_error',
    ]),
  ];
  it.each(statuses)('status %i: %s', async (status, code) => {
    server.fail(SECRET_PATH, { status });
    expectFailure(await poll(), code);
  });

  it('that answers 304 to nothing known is not believed', async () => {
    server.fail(SECRET_PATH, { status: 304 });
    expectFailure(await poll(), 'server_error');
  });

  it.each([
    ['seconds', () => '90', 90_000],
    ['a date', () => new Date(Date.now() + 90_000).toUTCString(), 90_000],
    ['a day', () => '86400', MAX_RETRY_AFTER_MS],
  ])('asks to wait: %s', async (_name, retryAfter, expected) => {
    for (const status of [429, 503]) {
      server.fail(SECRET_PATH, { status, retryAfter: retryAfter() });
      const polled = await poll();
      expectFailure(polled, 'busy');
      const waitMs = polled.kind === 'failed' ? (polled.retryAfterMs ?? 0) : 0;
      expect(Math.abs(waitMs - expected)).toBeLessThanOrEqual(2_000);
    }
  });

  it('is not running', async () => {
    expectFailure(await poll({ url: await CalendarServer.closedUrl(SECRET_PATH, 'https') }), 'unreachable');
    const url = server.url(SECRET_PATH);
    await server.down();
    expectFailure(await poll({ url }), 'unreachable');
    await server.up();
    expect(await poll({ url })).toMatchObject({ kind: 'snapshot' });
  });

  it('wants other credentials', async () => {
    const other = client({ username: 'anna', password: 'wrong' });
    expectFailure(await poll({ http: other }), 'unauthorised');
    await other.close();
  });

  it('wants digest authentication', async () => {
    server.fail(SECRET_PATH, { status: 401, headers: { 'www-authenticate': 'Digest realm="clinic", nonce="1"' } });
    const polled = await poll();
    expectFailure(polled, 'unauthorised');
    expect(polled).toMatchObject({ why: expect.stringContaining('digest') });
  });

  it('keeps no connection open after any of it', async () => {
    const modes: FailMode[] = [
      ...SIMPLE_MODES.filter((mode) => OUTCOMES[mode] !== 'timeout'),
      { chain: 7 },
      { status: 500 },
    ];
    await Promise.all(
      modes.map((mode, at) => {
        server.fail(`/feed-${at}.ics`, mode);
        return poll({ url: server.url(`/feed-${at}.ics`) });
      }),
    );
    await http.close();
    await vi.waitFor(() => expect(server.openSockets).toBe(0));
  });
});

describe('redirects over TLS', () => {
  it.each([301, 302, 303, 307, 308])(
    'with %i are followed, with their credentials on the same origin',
    async (status) => {
      server.serve('/moved.ics', { body: FEED, auth: { user: 'anna', password: 'hush' } });
      server.fail(SECRET_PATH, { redirect: status, to: '/moved.ics' });
      expect(await poll()).toMatchObject({ kind: 'snapshot' });
    },
  );

  it('to another server leave the credentials behind', async () => {
    const other = await CalendarServer.start({ tls: certificate });
    try {
      other.serve('/feed.ics', { body: FEED, auth: { user: 'anna', password: 'hush' } });
      server.fail(SECRET_PATH, { redirect: 302, to: other.url('/feed.ics') });
      expectFailure(await poll(), 'unauthorised');
      expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    } finally {
      await other.close();
    }
  });

  it('to plain http reach nobody', async () => {
    const plain = await CalendarServer.start();
    try {
      plain.serve('/feed.ics', { body: FEED });
      server.fail(SECRET_PATH, { redirect: 307, to: plain.url('/feed.ics') });
      expectFailure(await poll(), 'refused_address');
      expect(plain.connections).toBe(0);
    } finally {
      await plain.close();
    }
  });
});

describe('trust in the other side', () => {
  const attempt = async (tls: Certificate, ca: string | undefined): Promise<Polled> => {
    const odd = await CalendarServer.start({ tls });
    const careful = client({ ca });
    try {
      odd.serve(SECRET_PATH, { body: FEED });
      const polled = await poll({ url: odd.url(SECRET_PATH), http: careful });
      expect(odd.requests).toEqual([]);
      return polled;
    } finally {
      await careful.close();
      await odd.close();
    }
  };

  it('needs a known authority', async () => {
    const polled = await attempt(certificate, undefined);
    expectFailure(polled, 'unreachable');
    expect(polled).toMatchObject({ why: expect.stringMatching(/signed by itself|authority/) });
  });

  it('needs the right name', async () => {
    const wrong = makeCertificate({ names: 'DNS:elsewhere.example' });
    const polled = await attempt(wrong, wrong.cert);
    expectFailure(polled, 'unreachable');
    expect(polled).toMatchObject({ why: expect.stringContaining('another name') });
  });

  it('needs a certificate of today', async () => {
    const old = makeCertificate({ expired: true });
    const polled = await attempt(old, old.cert);
    expectFailure(polled, 'unreachable');
    expect(polled).toMatchObject({ why: expect.stringContaining('expired') });
  });

  it('needs TLS', async () => {
    const plain = await CalendarServer.start();
    try {
      expectFailure(await poll({ url: plain.url(SECRET_PATH).replace('http:', 'https:') }), 'unreachable');
      expect(plain.requests).toEqual([]);
    } finally {
      await plain.close();
    }
  });
});

describe('an address with webcal, user and password', () => {
  it('is read over https with basic authentication', async () => {
    const url = server.url(SECRET_PATH).replace('https://', 'webcal://anna:hush@');
    const plain = client({ username: undefined, password: undefined });
    expect(await poll({ url, http: plain })).toMatchObject({ kind: 'snapshot' });
    server.fail(SECRET_PATH, { status: 404 });
    expectFailure(await poll({ url, http: plain }), 'not_found');
    await plain.close();
  });
});

it('an unchanged feed costs one small question', async () => {
  const first = await poll();
  if (first.kind !== 'snapshot') throw new Error(JSON.stringify(first));
  expect(await poll({ cursor: first.cursor })).toEqual({ kind: 'unchanged' });
  expect(server.requests.at(-1)?.headers['if-none-match']).toBe('"1"');
});
