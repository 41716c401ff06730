/** The HTTP client against a real server on 127.0.0.1. TLS and the failing ways are in test/peers/calendars-ics.test.ts. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { asFetch, FetchFailed } from '../../../gateway/calendars/net/fetch.ts';
import {
  DEFAULT_CONNECTIONS,
  HttpClient,
  type HttpClientSettings,
  MAX_ORIGINS,
  MAX_REDIRECTS,
} from '../../../gateway/calendars/net/http.ts';
import { CalendarServer } from '../../support/calendars-server.ts';

let server: CalendarServer;
let other: CalendarServer;
const clients: HttpClient[] = [];
beforeEach(async () => {
  [server, other] = await Promise.all([CalendarServer.start(), CalendarServer.start()]);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all([server.close(), other.close()]);
});

function client(change: Partial<HttpClientSettings> = {}): HttpClient {
  const made = new HttpClient({ allowHttp: true, allowPrivate: true, timeoutMs: 5_000, maxBytes: 100_000, ...change });
  clients.push(made);
  return made;
}
const guarded = { allowPrivate: false };

describe('addresses', () => {
  it('refuses loopback in every notation, before a connection is made', async () => {
    const port = server.port;
    const http = client(guarded);
    for (const host of [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '127.0.0.1.',
      '[::ffff:127.0.0.1]',
      '[::1]',
      '[::ffff:7f00:1]',
      '0.0.0.0',
      '0',
      'localhost',
    ])
      expect(await http.request({ url: `http://${host}:${port}/` }), host).toMatchObject({
        kind: 'failed',
        code: 'refused_address',
      });
    expect(server.connections).toBe(0);
  });

  it('refuses a name that resolves to addresses that are not public', async () => {
    const resolve = vi.fn<NonNullable<HttpClientSettings['resolve']>>((_name, _options, callback) =>
      callback(null, [{ address: '127.0.0.1', family: 4 }]),
    );
    const outcome = await client({ ...guarded, resolve }).request({ url: `http://calendar.example:${server.port}/` });
    expect(outcome).toMatchObject({ code: 'refused_address', why: expect.stringContaining('127.0.0.1 (loopback)') });
    expect(server.connections).toBe(0);
  });

  it('connects to nothing but what it checked, when the answers of a name change', async () => {
    server.serve('/', { body: 'x', headers: { connection: 'close' } });
    const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.1'];
    const resolve: HttpClientSettings['resolve'] = (_name, _options, callback) =>
      callback(null, [{ address: answers.shift() ?? '', family: 4 }]);
    const http = client({ ...guarded, resolve, allowAddress: (address) => address === '127.0.0.1' });
    const url = `http://rebound.example:${server.port}/`;
    expect(await http.request({ url })).toMatchObject({ status: 200 });
    expect(await http.request({ url })).toMatchObject({ code: 'refused_address' });
    expect(await http.request({ url })).toMatchObject({ status: 200 });
    expect(server.connections).toBe(2);
  });

  it('takes only the allowed ones of several addresses', async () => {
    server.serve('/', { body: 'x' });
    const resolve: HttpClientSettings['resolve'] = (_name, _options, callback) =>
      callback(null, [
        { address: '10.0.0.1', family: 4 },
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ]);
    const http = client({ ...guarded, resolve, allowAddress: (address) => address === '127.0.0.1' });
    expect(await http.request({ url: `http://calendar.example:${server.port}/` })).toMatchObject({ status: 200 });
  });

  it('says so when a name is not found', async () => {
    const resolve: HttpClientSettings['resolve'] = (_name, _options, callback) =>
      callback(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []);
    expect(await client({ resolve }).request({ url: 'http://calendar.example/' })).toMatchObject({
      code: 'unreachable',
      why: expect.stringContaining('calendar.example is not found'),
    });
  });

  it('refuses plain http, and what is no web address', async () => {
    const http = client({ allowHttp: false });
    expect(await http.request({ url: server.url('/?token=hush') })).toMatchObject({
      code: 'refused_address',
      why: expect.not.stringContaining('hush'),
    });
    for (const url of ['file:///etc/passwd', 'calendar', ''])
      expect(await http.request({ url })).toMatchObject({ code: 'refused_address' });
    expect(server.connections).toBe(0);
  });
});

describe('redirects', () => {
  it(`are followed ${MAX_REDIRECTS} times, not more`, async () => {
    server.serve('/feed', { body: 'here' });
    server.fail('/feed', { chain: MAX_REDIRECTS, status: 307 });
    const good = await client().request({ url: server.url('/feed') });
    expect(good).toMatchObject({ status: 200, url: server.url(`/feed?hop=${MAX_REDIRECTS}`) });
    server.fail('/feed', { chain: MAX_REDIRECTS + 1 });
    expect(await client().request({ url: server.url('/feed') })).toMatchObject({ code: 'server_error' });
  });

  it('to an address that is not allowed are refused, and say where they came from', async () => {
    server.fail('/feed', 'redirect-private');
    const http = client({ ...guarded, allowAddress: (address) => address === '127.0.0.1' });
    const outcome = await http.request({ url: server.url('/feed') });
    expect(outcome).toMatchObject({
      code: 'refused_address',
      why: expect.stringContaining(`${server.url('/feed')} redirects.`),
    });
  });

  it('to a name of a private address are refused', async () => {
    server.fail('/feed', { redirect: 302, to: `http://inside.example:${other.port}/` });
    const resolve: HttpClientSettings['resolve'] = (_name, _options, callback) =>
      callback(null, [{ address: '127.0.0.2', family: 4 }]);
    const http = client({ ...guarded, resolve, allowAddress: (address) => address === '127.0.0.1' });
    expect(await http.request({ url: server.url('/feed') })).toMatchObject({ code: 'refused_address' });
    expect(other.connections).toBe(0);
  });

  it('take credentials along on the same origin only', async () => {
    server.fail('/same', { redirect: 302, to: '/end' });
    server.fail('/away', { redirect: 307, to: other.url('/end') });
    server.serve('/end', { body: 'same' });
    other.serve('/end', { body: 'away' });
    const http = client({ username: 'anna', password: 'hush' });
    await http.request({ url: server.url('/same') });
    await http.request({ url: server.url('/away'), headers: { 'x-signature': 'hush', cookie: 'a=b' } });
    expect(server.requestsTo('/end')[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('anna:hush').toString('base64')}`,
    );
    expect(JSON.stringify(other.requestsTo('/end')[0]?.headers)).not.toMatch(/authorization|hush|cookie/);
  });

  it('keep method and body of PROPFIND, and make a POST a GET', async () => {
    server.fail('/dav', { redirect: 301, to: '/moved' });
    server.serve('/moved', { body: 'x' });
    await client().request({
      method: 'PROPFIND',
      url: server.url('/dav'),
      headers: { Depth: '1' },
      body: '<propfind/>',
    });
    await client().request({ method: 'POST', url: server.url('/dav'), body: 'text' });
    const [propfind, post] = server.requestsTo('/moved');
    expect(propfind).toMatchObject({ method: 'PROPFIND', headers: { depth: '1' }, body: Buffer.from('<propfind/>') });
    expect(post).toMatchObject({ method: 'GET', body: Buffer.alloc(0) });
  });

  it('are answers when they are asked for', async () => {
    server.fail('/feed', { redirect: 302, to: '/end' });
    expect(await client().request({ url: server.url('/feed'), redirect: 'manual' })).toMatchObject({
      status: 302,
      headers: { location: '/end' },
    });
  });
});

describe('credentials', () => {
  it('are basic or bearer, from the settings or the address', async () => {
    server.serve('/basic', { body: 'x', auth: { user: 'änna', password: 'p:w' } });
    server.serve('/bearer', { body: 'x', auth: { bearer: 'abc' } });
    const url = server.url('/basic');
    expect(await client({ username: 'änna', password: 'p:w' }).request({ url })).toMatchObject({ status: 200 });
    const inside = await client().request({ url: url.replace('http://', 'http://%C3%A4nna:p%3Aw@') });
    expect(inside).toMatchObject({ status: 200, url });
    expect(await client({ bearer: 'abc' }).request({ url: server.url('/bearer') })).toMatchObject({ status: 200 });
    expect(await client().request({ url })).toMatchObject({ kind: 'answer', status: 401 });
  });

  it('go to trusted origins only', async () => {
    server.serve('/', { body: 'x' });
    other.serve('/', { body: 'x' });
    const http = client({ bearer: 'hush', trusts: (url) => url.origin === server.origin });
    await Promise.all([http.request({ url: server.url() }), http.request({ url: other.url() })]);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer hush');
    expect(other.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('of the request itself count first', async () => {
    server.serve('/', { body: 'x' });
    await client({ bearer: 'one' }).request({ url: server.url(), headers: { Authorization: 'Bearer two' } });
    expect(server.requests[0]?.headers).toMatchObject({ authorization: 'Bearer two', 'user-agent': 'Doorward' });
  });
});

describe('bodies', () => {
  const text = 'Grüße\r\n'.repeat(2_000);

  it.each(['gzip', 'deflate', 'raw-deflate', 'br', undefined] as const)('are unpacked: %s', async (coding) => {
    server.serve('/', { body: text, coding });
    const outcome = await client().request({ url: server.url() });
    expect(outcome).toMatchObject({ status: 200, body: Buffer.from(text) });
  });

  it('may be as large as allowed, packed or not, and not a byte more', async () => {
    const size = Buffer.byteLength(text);
    for (const coding of ['gzip', undefined] as const) {
      server.serve('/', { body: text, coding });
      expect(await client({ maxBytes: size }).request({ url: server.url() })).toMatchObject({ status: 200 });
      expect(await client({ maxBytes: size - 1 }).request({ url: server.url() })).toMatchObject({ code: 'too_large' });
      expect(await client().request({ url: server.url(), maxBytes: size - 1 })).toMatchObject({ code: 'too_large' });
    }
  });

  it('of an error do not hide its status', async () => {
    server.serve('/', (_request, response) => response.writeHead(503, { 'content-encoding': 'gzip' }).end('no gzip'));
    expect(await client().request({ url: server.url() })).toMatchObject({ status: 503, body: Buffer.alloc(0) });
    server.serve('/', (_request, response) => response.writeHead(404).end('a'.repeat(300_000)));
    expect(await client({ maxBytes: 1_000 }).request({ url: server.url() })).toMatchObject({ status: 404 });
  });

  it('may be missing', async () => {
    server.serve('/', (_request, response) => response.writeHead(204, { 'content-encoding': 'gzip' }).end());
    expect(await client().request({ url: server.url() })).toMatchObject({ status: 204, body: Buffer.alloc(0) });
    server.serve('/', { body: 'x' });
    expect(await client().request({ method: 'HEAD', url: server.url() })).toMatchObject({
      status: 200,
      body: Buffer.alloc(0),
    });
  });
});

describe('connections', () => {
  it('are kept, and bounded for each origin', async () => {
    let most = 0;
    let open = 0;
    const answers: (() => void)[] = [];
    server.serve('/', (_request, response) => {
      open += 1;
      most = Math.max(most, open);
      answers.push(() => {
        open -= 1;
        response.end('x');
      });
    });
    const http = client();
    const all = Promise.all(Array.from({ length: 20 }, () => http.request({ url: server.url() })));
    for (let done = 0; done < 20; done += 1) {
      await vi.waitFor(() => expect(answers.length).toBeGreaterThan(0));
      answers.shift()?.();
    }
    expect((await all).every((outcome) => outcome.kind === 'answer')).toBe(true);
    expect(most).toBe(DEFAULT_CONNECTIONS);
    expect(server.connections).toBe(DEFAULT_CONNECTIONS);
  });

  it('do not let the time run for requests that wait their turn', async () => {
    const answers: (() => void)[] = [];
    server.serve('/', (_request, response) => {
      answers.push(() => response.end('x'));
    });
    const http = client({ connections: 1, timeoutMs: 1_000 });
    const all = Promise.all([1, 2, 3, 4].map(() => http.request({ url: server.url() })));
    for (let done = 0; done < 4; done += 1) {
      await vi.waitFor(() => expect(answers).toHaveLength(1));
      const answer = answers.shift();
      setTimeout(() => answer?.(), 300);
    }
    expect((await all).map((outcome) => outcome.kind)).toEqual(new Array(4).fill('answer'));
  });

  it('that went stale are made anew, once and for safe methods only', async () => {
    server.serve('/', { body: 'x' });
    const http = client({ connections: 1 });
    await http.request({ url: server.url() });
    server.fail('/', 'close', { times: 1 });
    expect(await http.request({ url: server.url() })).toMatchObject({ status: 200 });
    server.fail('/', 'close', { times: 2 });
    expect(await http.request({ url: server.url() })).toMatchObject({ code: 'unreachable' });
    server.heal('/');
    await http.request({ url: server.url() });
    server.fail('/', 'close', { times: 1 });
    expect(await http.request({ method: 'POST', url: server.url(), body: 'x' })).toMatchObject({ code: 'unreachable' });
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('can be ended from outside, on the way and while waiting', async () => {
    server.fail('/', 'slow-headers');
    const http = client({ connections: 1 });
    const first = new AbortController();
    const second = new AbortController();
    const running = http.request({ url: server.url(), signal: first.signal });
    const waiting = http.request({ url: server.url(), signal: second.signal });
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    second.abort();
    expect(await waiting).toMatchObject({ kind: 'failed', code: 'unreachable' });
    first.abort();
    expect(await running).toMatchObject({ kind: 'failed', code: 'unreachable' });
    expect(await http.request({ url: server.url(), signal: first.signal })).toMatchObject({ kind: 'failed' });
    expect(server.requests).toHaveLength(1);
    await vi.waitFor(() => expect(server.openSockets).toBe(0));
  });

  it('end with the client', async () => {
    server.fail('/', 'slow-headers');
    const http = client();
    const running = http.request({ url: server.url() });
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    await http.close();
    expect(await running).toMatchObject({ kind: 'failed' });
    expect(await http.request({ url: server.url() })).toMatchObject({ kind: 'failed' });
    await vi.waitFor(() => expect(server.openSockets).toBe(0));
  });

  it('to ever new hosts are forgotten', async () => {
    server.serve('/', { body: 'x' });
    const resolve: HttpClientSettings['resolve'] = (_name, _options, callback) =>
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    const http = client({ resolve });
    for (let n = 0; n < MAX_ORIGINS + 3; n += 1)
      expect(await http.request({ url: `http://host-${n}.example:${server.port}/` })).toMatchObject({ status: 200 });
  });
});

describe('as fetch', () => {
  it('answers as fetch does', async () => {
    server.serve('/dav/', { body: '<a/>', status: 207, type: 'application/xml', coding: 'gzip' });
    server.fail('/well-known', { redirect: 301, to: '/dav/' });
    const fetch = asFetch(client());
    const manual = await fetch(server.url('/well-known'), { method: 'PROPFIND', redirect: 'manual', body: '<x/>' });
    expect([manual.status, manual.headers.get('Location')]).toEqual([301, '/dav/']);
    const followed = await fetch(new URL(server.url('/well-known')), {
      method: 'PROPFIND',
      headers: new Headers({ Depth: '0' }),
    });
    expect([followed.status, followed.ok, followed.url, await followed.text()]).toEqual([
      207,
      true,
      server.url('/dav/'),
      '<a/>',
    ]);
    expect(server.requestsTo('/dav/')[0]).toMatchObject({ method: 'PROPFIND', headers: { depth: '0' } });
    server.fail('/dav/', 'no-content');
    expect((await fetch(server.url('/dav/'))).status).toBe(204);
  });

  it('throws what failed, and passes the same checks', async () => {
    const failure = await asFetch(client(guarded))(server.url()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FetchFailed);
    expect(failure).toMatchObject({ failure: { code: 'refused_address' } });
  });
});
