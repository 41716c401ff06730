/** The CalDAV source against a server that does what real ones do on a bad day. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readCursor } from '../../../gateway/calendars/caldav/cursor.ts';
import { HOLD_UNREAD_MS } from '../../../gateway/calendars/caldav/sync.ts';
import type { CaldavSettings } from '../../../gateway/calendars/settings.ts';
import { caldavSource, isTrusted } from '../../../gateway/calendars/sources/caldav.ts';
import type { CalendarSource, Polled } from '../../../gateway/calendars/types.ts';
import { DavServer } from '../../support/calendars-caldav-server.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 2, 1, 8);
let server: DavServer;
let nowMs: number;
let source: CalendarSource;

beforeAll(async () => {
  server = await new DavServer().listen();
});
afterAll(() => server.close());
beforeEach(() => {
  server.reset();
  nowMs = START_MS;
  source = make();
});

function make(more: Partial<CaldavSettings> = {}): CalendarSource {
  const http = { allowHttp: true, allowPrivate: true, timeoutMs: 5_000, maxBytes: 10_000_000 };
  const settings: CaldavSettings = {
    id: 'dav',
    kind: 'caldav',
    url: server.url,
    everyMs: 60_000,
    priority: 1,
    rooms: { by: 'calendar', map: {} },
    holder: { by: 'attendee' },
    holdPolls: 3,
    writeReleases: true,
    http: { ...http, username: 'clinic', password: 'secret' },
    ...more,
  };
  return caldavSource(settings, { now: () => nowMs });
}

/** What a host would hold. */
class Mirror {
  readonly held = new Map<string, string>();
  cursor: string | undefined;
  last: Polled | undefined;

  async look(from = source): Promise<Polled> {
    const answer = await from.poll(this.cursor, AbortSignal.timeout(20_000));
    this.last = answer;
    if (answer.kind === 'snapshot') {
      const kept = answer.partial?.collections ?? [];
      for (const href of this.held.keys()) if (!kept.some((one) => href.startsWith(one))) this.held.delete(href);
      for (const { href, body } of answer.objects) this.held.set(href, body);
    } else if (answer.kind === 'delta') {
      for (const href of answer.removed) this.held.delete(href);
      for (const { href, body } of answer.changed) this.held.set(href, body);
    }
    if (answer.kind === 'snapshot' || answer.kind === 'delta') this.cursor = answer.cursor;
    return answer;
  }
}

function fill(): void {
  for (const room of ['room-1', 'room-2'])
    for (const name of ['a.ics', 'b.ics', 'c d&e']) server.put(room, encodeURIComponent(name), `${room} ${name}`);
}

async function expectInStep(mirror: Mirror): Promise<void> {
  await mirror.look();
  expect(mirror.held).toEqual(server.contents());
}

const whole = (text: string) => `BEGIN:VCALENDAR\r\nX:${text}\r\nEND:VCALENDAR\r\n`;
const isSync = (body: string) => body.includes('sync-collection') && body.includes('sync-level');
const isMultiget = (body: string) => body.includes('calendar-multiget');

describe('a healthy server of any kind', () => {
  it.each([
    ['with all there is', {}],
    ['without sync-collection', { sync: false }],
    ['without sync-collection and ctag', { sync: false, ctag: false }],
    ['without ctag', { ctag: false }],
    ['that tells how nothing stands', { ctag: false, tokenInListing: false }],
    ['without multiget', { multiget: false }],
    ['that lists members by calendar-query only', { sync: false, propfindMembers: false }],
    ['that cuts each answer after one change', { pageSize: 1 }],
    ['with whole addresses', { hrefs: 'absolute' as const }],
    ['with dots in its addresses', { hrefs: 'relative' as const }],
    ['that writes letters as bytes', { hrefs: 'odd' as const }],
    ['with a default namespace', { prefix: '' }],
    ['with a prefix nobody uses', { prefix: 'ns0.x-y:' }],
  ])('%s is followed', async (_what, manners) => {
    Object.assign(server.manners, manners);
    fill();
    const mirror = new Mirror();
    await expectInStep(mirror);
    server.put('room-1', 'a.ics', 'changed');
    server.put('room-1', 'new', 'new');
    server.remove('room-1', 'b.ics');
    server.remove('room-2', 'a.ics');
    await expectInStep(mirror);
    server.calendars.delete('room-2');
    server.put('room-3', 'z.ics', 'new room');
    await expectInStep(mirror);
    await mirror.look();
    await mirror.look();
    expect(await mirror.look()).toEqual({ kind: 'unchanged' });
  });

  it('is asked one question when nothing changed', async () => {
    fill();
    const mirror = new Mirror();
    for (let round = 0; round < 3; round++) await mirror.look();
    server.asked.length = 0;
    expect(await mirror.look()).toEqual({ kind: 'unchanged' });
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toEqual(['PROPFIND /cal/']);
  });

  it('is asked by token each hour and listed each day, whatever its ctags say', async () => {
    fill();
    const mirror = new Mirror();
    for (let round = 0; round < 3; round++) await mirror.look();
    // A ctag of whole seconds: it stays though something changed.
    const room = server.calendars.get('room-1');
    const revision = room?.revision ?? 0;
    server.put('room-1', 'quick.ics', 'within the same second');
    const real = server.calendars.get('room-1')?.revision;
    server.meddle = (_asked, answer) => {
      const given = answer();
      return { ...given, body: given.body?.replace(`c${real}<`, `c${revision}<`) };
    };
    expect(await mirror.look()).toEqual({ kind: 'unchanged' });
    nowMs += HOUR_MS;
    await expectInStep(mirror);
    // A change that sync-collection forgot to tell.
    server.calendars.get('room-1')?.items.set('secret.ics', { etag: '"x"', body: whole('untold') });
    server.calendars.get('room-1')?.changedAt.set('secret.ics', 1);
    nowMs += 24 * HOUR_MS;
    await expectInStep(mirror);
  });

  it('is found anew when its home moves', async () => {
    fill();
    const mirror = new Mirror();
    await expectInStep(mirror);
    const cursor = readCursor(mirror.cursor, server.url);
    expect(cursor?.homes).toEqual([`${server.url}cal/`]);
    mirror.cursor = mirror.cursor?.replaceAll(`${server.url}cal/`, `${server.url}cal-of-old/`);
    server.put('room-1', 'a.ics', 'changed');
    await expectInStep(mirror);
  });

  it('is read from the start with a cursor that is no cursor', async () => {
    fill();
    for (const cursor of ['', '{}', '[]', 'null', '{"version":1}', '{"version":1,"homes":["x"]}', '\u0000']) {
      const answer = await source.poll(cursor, AbortSignal.timeout(20_000));
      expect(answer.kind).toBe('snapshot');
    }
    const mirror = new Mirror();
    await mirror.look();
    const other = make({ url: `${server.url}me/` });
    expect((await other.poll(mirror.cursor, AbortSignal.timeout(20_000))).kind).toBe('snapshot');
  });
});

describe('sync tokens', () => {
  it.each([403, 409, 410, 412, 400])('that are refused with %i begin the calendar anew', async (status) => {
    fill();
    server.manners.staleStatus = status;
    const mirror = new Mirror();
    await expectInStep(mirror);
    server.remove('room-1', 'b.ics');
    server.forgetTokens('room-1');
    server.put('room-1', 'new.ics', 'new');
    await expectInStep(mirror);
    expect(mirror.last).toMatchObject({ kind: 'delta', removed: ['/cal/room-1/b.ics'] });
  });

  it('are not kept when an answer breaks off in the middle of its parts', async () => {
    fill();
    server.manners.pageSize = 1;
    const mirror = new Mirror();
    await expectInStep(mirror);
    for (const name of ['x', 'y', 'z']) server.put('room-1', name, `new ${name}`);
    let reports = 0;
    server.meddle = ({ body }) => (isSync(body) && ++reports === 2 ? { status: 500 } : undefined);
    await mirror.look();
    server.meddle = undefined;
    await expectInStep(mirror);
  });

  it('are not kept when what they stand for cannot be fetched', async () => {
    fill();
    const mirror = new Mirror();
    await expectInStep(mirror);
    server.put('room-1', 'new.ics', 'new');
    server.meddle = ({ body }) => (isMultiget(body) ? { status: 503, headers: { 'retry-after': '7' } } : undefined);
    const answer = await mirror.look();
    expect(answer).toMatchObject({ partial: { code: 'busy', retryAfterMs: 7_000, collections: ['/cal/room-1/'] } });
    server.meddle = undefined;
    await expectInStep(mirror);
  });

  it('that never come to an end lead to a plain listing', async () => {
    fill();
    server.meddle = ({ body }, answer) => {
      if (!isSync(body)) return undefined;
      const given = answer();
      const cut = server.status('/cal/room-1/', 507);
      return {
        ...given,
        body: given.body?.replace(/<D:response>.*<\/D:response>/s, cut).replace(/urn:t:\d+/, 'urn:t:7'),
      };
    };
    await expectInStep(new Mirror());
  });

  it('that are too much for the server as a whole (507) lead to a plain listing', async () => {
    fill();
    server.meddle = ({ body }) =>
      isSync(body) ? { status: 507, body: server.wrap('error', `<D:number-of-matches-within-limits/>`) } : undefined;
    await expectInStep(new Mirror());
  });
});

describe('one bad calendar among good ones', () => {
  it.each([
    [403, 'unauthorised'],
    [500, 'server_error'],
    [429, 'busy'],
  ])('that answers %i keeps its place, and the others go on', async (status, code) => {
    fill();
    const mirror = new Mirror();
    await expectInStep(mirror);
    server.put('room-1', 'a.ics', 'changed 1');
    server.put('room-2', 'a.ics', 'changed 2');
    server.meddle = ({ path, method }) => (path === '/cal/room-1/' && method !== 'PUT' ? { status } : undefined);
    const one = make({ connections: 1 });
    for (let round = 0; round < 3; round++) {
      nowMs += 60_000;
      const answer = await mirror.look(one);
      expect(answer).toMatchObject({ partial: { code, collections: expect.arrayContaining(['/cal/room-1/']) } });
    }
    expect(mirror.held.get('/cal/room-2/a.ics')).toContain('changed 2');
    expect(mirror.held.get('/cal/room-1/a.ics')).toContain('room-1 a.ics');
    server.meddle = undefined;
    await expectInStep(mirror);
  });

  it('fails the look when it is the only one', async () => {
    server.put('room-1', 'a.ics', 'a');
    server.meddle = ({ path }) => (path.startsWith('/cal/room-1/') ? { status: 500 } : undefined);
    expect(await new Mirror().look()).toMatchObject({ kind: 'failed', code: 'server_error' });
  });

  it('that is listed and answers 404 once is found again', async () => {
    fill();
    const mirror = new Mirror();
    for (let round = 0; round < 3; round++) await mirror.look();
    server.put('room-1', 'a.ics', 'changed');
    server.meddle = ({ path }) => (path === '/cal/room-1/' ? { status: 404 } : undefined);
    await mirror.look();
    server.meddle = undefined;
    await expectInStep(mirror);
  });

  it('that is missing from the list but still there is not taken for gone', async () => {
    fill();
    const mirror = new Mirror();
    await expectInStep(mirror);
    server.put('room-1', 'a.ics', 'changed');
    server.meddle = ({ path }, answer) => {
      const given = answer();
      return path === '/cal/'
        ? { ...given, body: given.body?.replace(/<D:response><D:href>\/cal\/room-1\/.*\n?/, '') }
        : given;
    };
    await mirror.look();
    expect(mirror.held).toEqual(server.contents());
  });
});

describe('one bad resource among good ones', () => {
  it('that the server leaves out is asked for by itself', async () => {
    fill();
    server.meddle = ({ body }, answer) => {
      const given = answer();
      return isMultiget(body) ? { ...given, body: given.body?.replace(/<D:response>.*?<\/D:response>/s, '') } : given;
    };
    await expectInStep(new Mirror());
    expect(server.asked.filter(({ method }) => method === 'GET')).toHaveLength(2);
  });

  it('that cannot be read keeps its last version for a day, and is asked for each time', async () => {
    fill();
    const mirror = new Mirror();
    await expectInStep(mirror);
    server.put('room-1', 'a.ics', 'changed');
    server.put('room-1', 'b.ics', 'changed too');
    server.meddle = ({ body, path }, answer) => {
      if (path === '/cal/room-1/a.ics') return { status: 500 };
      const given = answer();
      if (!isMultiget(body)) return given;
      return { ...given, body: given.body?.replace(/<D:response><D:href>\/cal\/room-1\/a\.ics.*?<\/D:response>/s, '') };
    };
    expect(await mirror.look()).toMatchObject({ kind: 'delta', partial: { code: 'server_error', collections: [] } });
    expect(mirror.held.get('/cal/room-1/b.ics')).toContain('changed too');
    expect(mirror.held.get('/cal/room-1/a.ics')).toContain('room-1 a.ics');
    expect(await mirror.look()).toMatchObject({ kind: 'delta', partial: { code: 'server_error' } });
    nowMs += HOLD_UNREAD_MS;
    await mirror.look();
    expect(mirror.held.has('/cal/room-1/a.ics')).toBe(false);
    server.meddle = undefined;
    await expectInStep(mirror);
  });

  it('that is listed and answers 404 once is found again', async () => {
    fill();
    server.manners.multiget = false;
    const mirror = new Mirror();
    for (let round = 0; round < 3; round++) await mirror.look();
    server.put('room-1', 'a.ics', 'changed');
    server.meddle = ({ path }) => (path === '/cal/room-1/a.ics' ? { status: 404 } : undefined);
    await mirror.look();
    server.meddle = undefined;
    await expectInStep(mirror);
  });

  it('that breaks off is not taken', async () => {
    fill();
    const mirror = new Mirror();
    await expectInStep(mirror);
    server.put('room-1', 'a.ics', 'changed');
    server.meddle = ({ body, path }, answer) => {
      const given = answer();
      if (!isMultiget(body) && path !== '/cal/room-1/a.ics') return given;
      return { ...given, body: given.body?.replace('END:VCALENDAR', '') };
    };
    expect(await mirror.look()).toMatchObject({ partial: { code: 'truncated', collections: [] } });
    expect(mirror.held.get('/cal/room-1/a.ics')).toContain('room-1 a.ics');
    server.meddle = undefined;
    await expectInStep(mirror);
  });

  it('that is forbidden is not held', async () => {
    fill();
    const mirror = new Mirror();
    await expectInStep(mirror);
    server.put('room-1', 'a.ics', 'private now');
    server.meddle = ({ body, path }) =>
      path === '/cal/room-1/a.ics' ? { status: 403 } : isMultiget(body) ? { status: 501 } : undefined;
    await mirror.look();
    expect(mirror.held.has('/cal/room-1/a.ics')).toBe(false);
    server.meddle = undefined;
    await expectInStep(mirror);
  });

  it('that is outside of the calendar is refused', async () => {
    fill();
    const mirror = new Mirror();
    await expectInStep(mirror);
    server.put('room-1', 'a.ics', 'changed');
    server.meddle = ({ body }, answer) => {
      const given = answer();
      return isSync(body) ? { ...given, body: given.body?.replace('/cal/room-1/a.ics', '/cal/room-2/a.ics') } : given;
    };
    expect(await mirror.look()).toMatchObject({ partial: { code: 'malformed', collections: ['/cal/room-1/'] } });
    expect(mirror.held.get('/cal/room-2/a.ics')).toContain('room-2 a.ics');
  });
});

describe('a hostile server', () => {
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><D:multistatus xmlns:D="DAV:">&b;</D:multistatus>`;
  const deep = `<D:multistatus xmlns:D="DAV:">${'<D:a>'.repeat(100_000)}${'</D:a>'.repeat(100_000)}</D:multistatus>`;
  it.each([
    ['an entity bomb', bomb],
    ['100,000 levels', deep],
    ['half a document', '<D:multistatus xmlns:D="DAV:"><D:response><D:href>/cal/'],
    ['a web page', '<!doctype html><html><body>Log in</body></html>'],
    ['nothing', ''],
    ['another root', '<a/>'],
    ['an unbound prefix', '<D:multistatus/>'],
    ['a response without href', '<multistatus xmlns="DAV:"><response/></multistatus>'],
    [
      'an href that is no address',
      '<multistatus xmlns="DAV:"><response><href>http://[</href><status>HTTP/1.1 200 OK</status></response><sync-token>t</sync-token></multistatus>',
    ],
    ['bytes', '\u0000\u0001\u0002'],
  ])('that answers with %s fails the look and takes nothing away', async (_what, body) => {
    fill();
    const mirror = new Mirror();
    await expectInStep(mirror);
    server.put('room-1', 'a.ics', 'changed');
    const before = new Map(mirror.held);
    server.meddle = () => ({ status: 207, body });
    expect(await mirror.look()).toMatchObject({ kind: 'failed', code: 'malformed' });
    server.meddle = ({ method }) => (method === 'REPORT' ? { status: 207, body } : undefined);
    expect(await mirror.look()).toMatchObject({ partial: { code: 'malformed' } });
    expect(mirror.held).toEqual(before);
    expect((await new Mirror().look()).kind).toBe('failed');
    server.meddle = undefined;
    await expectInStep(mirror);
  });

  it('that sends more than is allowed is cut off', async () => {
    fill();
    server.meddle = () => ({
      status: 207,
      body: `<D:multistatus xmlns:D="DAV:">${' '.repeat(11_000_000)}</D:multistatus>`,
    });
    expect(await new Mirror().look()).toMatchObject({ kind: 'failed', code: 'too_large' });
  });

  it('that names its resources after what JavaScript has already is taken at its word', async () => {
    for (const name of ['__proto__', 'constructor', 'toString']) server.put('room-1', name, name);
    const mirror = new Mirror();
    await expectInStep(mirror);
    expect(mirror.held.size).toBe(3);
    await mirror.look();
    server.put('room-1', '__proto__', 'changed');
    source = make();
    await expectInStep(mirror);
    server.remove('room-1', '__proto__');
    source = make();
    await expectInStep(mirror);
  });
});

describe('what is said of failures', () => {
  it.each([
    [401, {}, { code: 'unauthorised' }],
    [429, { 'retry-after': '120' }, { code: 'busy', retryAfterMs: 120_000 }],
    [503, { 'retry-after': '5' }, { code: 'busy', retryAfterMs: 5_000 }],
    [500, {}, { code: 'server_error' }],
    [200, {}, { code: 'wrong_type' }],
  ])('%i is told as it is', async (status, headers, expected) => {
    fill();
    const mirror = new Mirror();
    await expectInStep(mirror);
    server.meddle = () => ({ status, headers, body: 'no' });
    const answer = await mirror.look();
    expect(answer).toMatchObject({ kind: 'failed', ...expected });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  it('a connection that breaks is unreachable', async () => {
    server.meddle = () => 'drop';
    expect(await new Mirror().look()).toMatchObject({ kind: 'failed', code: 'unreachable' });
  });

  it('an address that is none is refused without a request', async () => {
    const answer = await make({ url: 'ftp://x/' }).poll(undefined, AbortSignal.timeout(1_000));
    expect(answer).toMatchObject({ kind: 'failed', code: 'refused_address' });
  });

  it('a look that was stopped ends', async () => {
    fill();
    const stop = AbortSignal.abort();
    expect(await source.poll(undefined, stop)).toMatchObject({ kind: 'failed' });
  });
});

describe('who is shown the password', () => {
  it.each([
    ['https://caldav.example.com/x', true],
    ['https://p01-caldav.example.com/', true],
    ['http://caldav.example.com/', false],
    ['https://evil.test/', false],
    ['https://notexample.com/', false],
    ['https://somebody-else.example.com/', false],
  ])('%s: %s', (url, trusted) => {
    expect(isTrusted(new URL(url), new URL('https://caldav.example.com/'))).toBe(trusted);
  });

  it('nobody else where the server has no parent', () => {
    expect(isTrusted(new URL('https://b.test/'), new URL('https://a.test/'))).toBe(false);
    expect(isTrusted(new URL('https://9.0.0.1/'), new URL('https://10.0.0.1/'))).toBe(false);
  });
});
