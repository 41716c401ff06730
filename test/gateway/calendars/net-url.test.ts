import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf, MAX_RETRY_AFTER_MS, readRetryAfter } from '../../../gateway/calendars/net/failure.ts';
import { nextHop } from '../../../gateway/calendars/net/redirect.ts';
import { readAddress, safeAddress } from '../../../gateway/calendars/net/url.ts';

describe('an address as it is pasted', () => {
  it('reads webcal as https', () => {
    expect(readAddress('webcal://calendar.example/a.ics')?.url.href).toBe('https://calendar.example/a.ics');
    expect(readAddress(' WEBCALS://calendar.example/a.ics ')?.url.href).toBe('https://calendar.example/a.ics');
  });

  it('takes user and password out', () => {
    const read = readAddress('https://anna%40praxis.de:p%C3%A4ss%3A@calendar.example/a.ics#part');
    expect(read?.url.href).toBe('https://calendar.example/a.ics');
    expect(read?.user).toEqual({ name: 'anna@praxis.de', password: 'päss:' });
  });

  it.each(['', 'calendar.example/a.ics', 'file:///etc/passwd', 'ftp://a/b', 'javascript:alert(1)', 'https://'])(
    'refuses "%s"',
    (text) => {
      expect(readAddress(text)).toBeUndefined();
    },
  );

  it.each([
    ['https://2130706433/', '127.0.0.1'],
    ['https://0x7f.1/', '127.0.0.1'],
    ['https://0177.0.0.1/', '127.0.0.1'],
    ['https://127.1/', '127.0.0.1'],
    ['https://[::ffff:127.0.0.1]/', '[::ffff:7f00:1]'],
  ])('%s is plainly %s, which the socket checks', (text, host) => {
    expect(readAddress(text)?.url.hostname).toBe(host);
  });
});

describe('an address for logs', () => {
  it.each([
    [
      'https://calendar.google.com/calendar/ical/anna%40praxis.de/private-0123456789abcdef0123456789abcdef/basic.ics',
      'https://calendar.google.com/calendar/ical/anna@praxis.de/…/basic.ics',
    ],
    [
      'https://outlook.office365.com/owa/calendar/0b7c9d5e4a3f4c2db1a0f9e8d7c6b5a4@praxis.de/3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c1234567890/calendar.ics',
      'https://outlook.office365.com/owa/calendar/…/…/calendar.ics',
    ],
    [
      'https://user:secret@cloud.example:8443/remote.php/dav/?token=abc#x',
      'https://cloud.example:8443/remote.php/dav/',
    ],
    ['https://app.cobot.me/s/Zk3v9QpL.ics', 'https://app.cobot.me/s/….ics'],
    ['https://a.example/feeds/12345678901', 'https://a.example/feeds/…'],
    ['https://a.example/feeds/qwrtpzxk', 'https://a.example/feeds/…'],
    ['https://a.example/feeds/AbCdEfGh', 'https://a.example/feeds/…'],
    ['https://a.example/rooms/room-1/calendar2026.ics', 'https://a.example/rooms/room-1/calendar2026.ics'],
    ['https://a.example/', 'https://a.example'],
    ['webcal://a.example/x', 'https://a.example/x'],
    ['not an address with secret=1', '(no web address)'],
  ])('%s is shown as %s', (address, shown) => {
    expect(safeAddress(address)).toBe(shown);
  });

  it('never shows user, password, query or a long token', () => {
    const token = fc.stringMatching(/^[A-Za-z0-9_-]{21,60}$/);
    fc.assert(
      fc.property(token, token, token, token, (user, password, segment, query) => {
        const shown = safeAddress(`https://${user}:${password}@a.example/ical/${segment}/basic.ics?key=${query}`);
        for (const secret of [user, password, segment, query]) expect(shown).not.toContain(secret);
        expect(shown).toBe('https://a.example/ical/…/basic.ics');
      }),
    );
  });

  it('shows no random token of ten letters and digits', () => {
    // Both kinds in it: a token of letters only may read like a word.
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{2,4}[0-9]{1,3}[a-z]{2,4}[0-9]{1,3}$/), (token) => {
        expect(safeAddress(`https://a.example/${token}`)).toBe('https://a.example/…');
      }),
    );
  });
});

describe('Retry-After', () => {
  const nowMs = Date.UTC(2026, 10, 22, 12);
  it.each([
    ['120', undefined, 120_000],
    ['0', undefined, 0],
    ['999999999', undefined, MAX_RETRY_AFTER_MS],
    ['Sun, 22 Nov 2026 12:02:00 GMT', undefined, 120_000],
    ['Sunday, 22-Nov-26 12:02:00 GMT', undefined, 120_000],
    ['Sun Nov 22 12:02:00 2026', undefined, 120_000],
    ['Sun, 22 Nov 2026 11:00:00 GMT', undefined, 0],
    ['Fri, 22 Nov 2030 12:00:00 GMT', undefined, MAX_RETRY_AFTER_MS],
    // The gateway's clock is a day behind: what counts is the server's own.
    ['Mon, 23 Nov 2026 12:01:00 GMT', 'Mon, 23 Nov 2026 12:00:00 GMT', 60_000],
    ['soon', undefined, undefined],
    ['-5', undefined, undefined],
    ['', undefined, undefined],
    [undefined, undefined, undefined],
  ])('%s (Date %s) waits %s ms', (value, date, expected) => {
    expect(readRetryAfter(value, date, nowMs)).toBe(expected);
  });
});

describe('what a status means', () => {
  const url = 'https://a.example/x?token=hush';
  it.each([
    [401, 'unauthorised'],
    [403, 'unauthorised'],
    [404, 'not_found'],
    [410, 'not_found'],
    [429, 'busy'],
    [503, 'busy'],
    [500, 'server_error'],
    [502, 'server_error'],
    [418, 'server_error'],
    [302, 'server_error'],
  ])('%i is %s', (status, code) => {
    const failure = failureOf({ status, headers: {}, url });
    expect(failure).toMatchObject({ kind: 'failed', code, status });
    expect(failure?.why).not.toContain('hush');
  });

  it.each([200, 204, 207, 304])('%i is no failure', (status) => {
    expect(failureOf({ status, headers: {}, url })).toBeUndefined();
  });

  it('says that digest authentication is not spoken', () => {
    const asks = (challenge: string) =>
      failureOf({ status: 401, headers: { 'www-authenticate': challenge }, url })?.why;
    expect(asks('Digest realm="x", nonce="y"')).toContain('digest authentication');
    expect(asks('Digest realm="x", Basic realm="x"')).not.toContain('digest');
    expect(asks('Basic realm="x"')).not.toContain('digest');
  });
});

describe('a redirect', () => {
  const headers = {
    'user-agent': 'Doorward',
    authorization: 'Bearer secret',
    cookie: 'session=1',
    'x-doorward-signature': 'secret',
    'content-type': 'text/xml',
    depth: '1',
    'if-none-match': '"1"',
  };
  const hop = (method: string) => ({ url: new URL('https://a.example/dav/'), method, headers, body: 'body' });
  const to = (status: number, location?: string): { status: number; headers: Record<string, string> } => ({
    status,
    headers: location === undefined ? {} : { location },
  });

  it.each([
    [301, 'PROPFIND', 'PROPFIND'],
    [302, 'REPORT', 'REPORT'],
    [307, 'POST', 'POST'],
    [308, 'PUT', 'PUT'],
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [302, 'GET', 'GET'],
    [302, 'DELETE', 'DELETE'],
  ])('%i makes %s a %s', (status, method, expected) => {
    const next = nextHop(hop(method), to(status, '/other'), false);
    expect(next).toMatchObject({ method: expected });
    const keepsBody = expected === method && method !== 'HEAD' && method !== 'GET';
    if (keepsBody) expect(next).toMatchObject({ body: 'body', headers: { 'content-type': 'text/xml' } });
    if (expected === 'GET' && method !== 'GET') expect(next).toMatchObject({ body: undefined });
  });

  it('keeps everything on the same origin', () => {
    expect(nextHop(hop('PROPFIND'), to(302, '/other?x=1'), false)).toMatchObject({ headers });
  });

  it.each(['https://b.example/', 'https://a.example:8443/', '//b.example/x'])(
    'drops all secrets on the way to %s',
    (location) => {
      expect(nextHop(hop('PROPFIND'), to(302, location), false)).toMatchObject({
        headers: { 'user-agent': 'Doorward', 'content-type': 'text/xml', depth: '1', 'if-none-match': '"1"' },
      });
      const next = nextHop(hop('PROPFIND'), to(302, location), false);
      expect(JSON.stringify(next)).not.toMatch(/secret|session/);
    },
  );

  it('takes no credentials from the address that it leads to', () => {
    const next = nextHop(hop('GET'), to(302, 'https://eve:pw@b.example/'), false);
    expect(next).toMatchObject({ headers: expect.not.objectContaining({ authorization: expect.anything() }) });
    expect(JSON.stringify(next)).not.toContain('pw');
  });

  it('never leads from https to http unless http is allowed', () => {
    expect(nextHop(hop('GET'), to(302, 'http://a.example/'), false)).toMatchObject({ code: 'refused_address' });
    expect(nextHop(hop('GET'), to(302, 'http://a.example/'), true)).toMatchObject({ method: 'GET' });
  });

  it.each(['file:///etc/passwd', 'gopher://a/', 'data:text/calendar,x', 'http://'])('refuses %s', (location) => {
    expect(nextHop(hop('GET'), to(302, location), true)).toMatchObject({ code: 'refused_address' });
  });

  it.each([200, 300, 304, 305, 306])('%i is none', (status) => {
    expect(nextHop(hop('GET'), to(status, '/x'), false)).toBeUndefined();
  });

  it('without Location is none', () => {
    expect(nextHop(hop('GET'), to(302), false)).toBeUndefined();
  });
});
