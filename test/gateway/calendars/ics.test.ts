/** The ICS source against a real server on 127.0.0.1; the failing ways are in test/peers/calendars-ics.test.ts. */
import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IcsSettings } from '../../../gateway/calendars/settings.ts';
import { FEED_HREF, icsSource } from '../../../gateway/calendars/sources/ics.ts';
import type { Polled } from '../../../gateway/calendars/types.ts';
import { CalendarServer, EMPTY_CALENDAR } from '../../support/calendars-server.ts';

let server: CalendarServer;
beforeEach(async () => {
  server = await CalendarServer.start();
});
afterEach(async () => {
  await server.close();
});

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
    http: { allowHttp: true, allowPrivate: true, timeoutMs: 5_000, maxBytes: 5_000_000 },
  };
}
const event = (uid: string, stamp = '20260101T000000Z'): string =>
  `BEGIN:VEVENT\r\nUID:${uid}\r\nDTSTAMP:${stamp}\r\nDTSTART:20300101T090000Z\r\nDTEND:20300101T100000Z\r\nSUMMARY:Übung\r\nEND:VEVENT\r\n`;
const calendar = (...events: string[]): string =>
  `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Doorward//test//EN\r\n${events.join('')}END:VCALENDAR\r\n`;
const never = new AbortController().signal;
const poll = (path = '/feed.ics', cursor?: string): Promise<Polled> =>
  icsSource(settings(server.url(path))).poll(cursor, never);

async function cursorOf(path?: string): Promise<string> {
  const polled = await poll(path);
  if (polled.kind !== 'snapshot') throw new Error(`no snapshot: ${JSON.stringify(polled)}`);
  return polled.cursor;
}
const lastHeaders = (): Readonly<Record<string, unknown>> => server.requests.at(-1)?.headers ?? {};

describe('a feed', () => {
  it('comes as one object with its text as it was', async () => {
    const body = calendar(event('a'), event('b'));
    server.serve('/feed.ics', { body, etag: '"1"' });
    expect(await poll()).toEqual({
      kind: 'snapshot',
      objects: [{ href: FEED_HREF, collection: '', etag: '"1"', type: 'ics', body }],
      cursor: expect.any(String),
    });
    expect(lastHeaders()).toMatchObject({ 'user-agent': 'Doorward', 'cache-control': 'no-cache' });
    expect(lastHeaders()).not.toHaveProperty('if-none-match');
  });

  it('without events is a snapshot too: whether it is believed is decided later', async () => {
    server.serve('/feed.ics', { body: EMPTY_CALENDAR });
    expect(await poll()).toMatchObject({ kind: 'snapshot', objects: [{ body: EMPTY_CALENDAR }] });
  });

  it.each(['gzip', 'deflate', 'br'] as const)('may be packed: %s', async (coding) => {
    server.serve('/feed.ics', { body: calendar(event('a')), coding });
    expect(await poll()).toMatchObject({ kind: 'snapshot', objects: [{ body: calendar(event('a')) }] });
  });

  it.each(['application/octet-stream', 'text/plain', 'text/calendar', ''])('may come as "%s"', async (type) => {
    server.serve('/feed.ics', { body: calendar(event('a')), type });
    expect(await poll()).toMatchObject({ kind: 'snapshot' });
  });

  it('is read in the charset that it declares', async () => {
    const body = Buffer.from(calendar(event('a')), 'latin1');
    server.serve('/feed.ics', { body, type: 'text/calendar; charset=ISO-8859-1' });
    expect(await poll()).toMatchObject({ kind: 'snapshot', objects: [{ body: calendar(event('a')) }] });
  });

  it('may lie behind redirects, and keeps its cursor there', async () => {
    server.serve('/feed.ics', { body: calendar(event('a')), etag: '"1"' });
    server.fail('/old.ics', { redirect: 301, to: '/feed.ics' });
    expect(await poll('/old.ics', await cursorOf('/old.ics'))).toEqual({ kind: 'unchanged' });
  });

  it('of a kind that is larger than one part is whole', async () => {
    const body = calendar(...Array.from({ length: 9_000 }, (_, n) => event(`uid-${n}`)));
    server.serve('/feed.ics', { body });
    const polled = await poll();
    expect(polled.kind === 'snapshot' && polled.objects[0]?.body === body).toBe(true);
  });
});

describe('an unchanged feed', () => {
  it.each(['"1"', 'W/"1"', '"a/b:c-e"'])('is known by its tag %s', async (etag) => {
    server.serve('/feed.ics', { body: calendar(event('a')), etag });
    expect(await poll('/feed.ics', await cursorOf())).toEqual({ kind: 'unchanged' });
    expect(lastHeaders()).toMatchObject({ 'if-none-match': etag });
  });

  it('is known by its date', async () => {
    const lastModified = 'Thu, 01 Jan 2026 00:00:00 GMT';
    server.serve('/feed.ics', { body: calendar(event('a')), lastModified });
    expect(await poll('/feed.ics', await cursorOf())).toEqual({ kind: 'unchanged' });
    expect(lastHeaders()).toMatchObject({ 'if-modified-since': lastModified });
  });

  it('is not taken for unchanged by a date of this very minute: it may change again within that second', async () => {
    server.serve('/feed.ics', { body: calendar(event('a')), lastModified: new Date().toUTCString() });
    const cursor = await cursorOf();
    await poll('/feed.ics', cursor);
    expect(lastHeaders()).not.toHaveProperty('if-modified-since');
  });

  it('is known by what it says where the server has neither', async () => {
    server.serve('/feed.ics', { body: calendar(event('a')) });
    const cursor = await cursorOf();
    expect(await poll('/feed.ics', cursor)).toEqual({ kind: 'unchanged' });
    server.serve('/feed.ics', { body: calendar(event('a'), event('b')) });
    expect(await poll('/feed.ics', cursor)).toMatchObject({ kind: 'snapshot' });
  });

  it('is known though its service writes the time of the download into every event', async () => {
    server.serve('/feed.ics', { body: calendar(event('a'), event('b')) });
    const cursor = await cursorOf();
    server.serve('/feed.ics', { body: calendar(event('a', '20260303T000000Z'), event('b', '20260303T000000Z')) });
    expect(await poll('/feed.ics', cursor)).toEqual({ kind: 'unchanged' });
    server.serve('/feed.ics', { body: calendar(event('a', '20260303T000000Z'), event('b')) });
    expect(await poll('/feed.ics', cursor)).toMatchObject({ kind: 'snapshot' });
  });

  it('costs under a millisecond of the main thread', async () => {
    server.serve('/feed.ics', {
      body: calendar(...Array.from({ length: 2_000 }, (_, n) => event(`${n}`))),
      etag: '"1"',
    });
    const source = icsSource(settings(server.url('/feed.ics')));
    const first = await source.poll(undefined, never);
    if (first.kind !== 'snapshot') throw new Error('no snapshot');
    const cost = async (): Promise<number> => {
      // The server shares this thread: what is measured is both, so the best of many is still too much.
      const before = performance.eventLoopUtilization();
      expect(await source.poll(first.cursor, never)).toEqual({ kind: 'unchanged' });
      return performance.eventLoopUtilization(before).active;
    };
    const costs: number[] = [];
    for (let n = 0; n < 60; n += 1) costs.push(await cost());
    expect(Math.min(...costs)).toBeLessThan(1);
  });
});

describe('a cursor', () => {
  it('of another address asks for all', async () => {
    server.serve('/feed.ics', { body: calendar(event('a')), etag: '"1"' });
    server.serve('/other.ics', { body: calendar(event('a')), etag: '"1"' });
    expect(await poll('/other.ics', await cursorOf())).toMatchObject({ kind: 'snapshot' });
    expect(lastHeaders()).not.toHaveProperty('if-none-match');
  });

  it.each(['', 'no json', 'null', '7', '{}', '{"address":"x"}'])('that is none asks for all: %s', async (cursor) => {
    server.serve('/feed.ics', { body: calendar(event('a')), etag: '"1"' });
    expect(await poll('/feed.ics', cursor)).toMatchObject({ kind: 'snapshot' });
  });

  it('holds neither the address nor a tag that cannot be sent back', async () => {
    server.serve('/secret-token-of-the-feed.ics', { body: calendar(event('a')), etag: 'no quotes' });
    const cursor = await cursorOf('/secret-token-of-the-feed.ics');
    expect(cursor).not.toMatch(/secret|no quotes/);
    expect(await poll('/secret-token-of-the-feed.ics', cursor)).toEqual({ kind: 'unchanged' });
    expect(lastHeaders()).not.toHaveProperty('if-none-match');
  });

  it('is not made of what was refused', async () => {
    server.serve('/feed.ics', { body: calendar(event('a')).slice(0, -10), etag: '"1"' });
    expect(await poll()).toMatchObject({ kind: 'failed', code: 'truncated' });
  });
});

it('says where it looked without a secret of the address', async () => {
  const polled = await poll('/ical/0123456789abcdef0123456789abcdef/basic.ics?key=hush');
  expect(polled).toMatchObject({
    kind: 'failed',
    code: 'not_found',
    why: expect.stringContaining(`${server.origin}/ical/…/basic.ics`),
  });
  expect(JSON.stringify(polled)).not.toMatch(/0123456789abcdef|hush/);
});
