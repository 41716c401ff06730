/** Release callbacks against a real HTTP server that is told to fail. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { releaseCallback } from '../../gateway/calendars/push/release.ts';
import { fhirSource } from '../../gateway/calendars/sources/fhir.ts';
import { webhookSource } from '../../gateway/calendars/sources/webhook.ts';
import type { Origin } from '../../gateway/calendars/types.ts';
import { fhirSettings, HTTP, hmac, NOW_MS, webhookSettings } from '../support/calendars-push.ts';
import { CalendarServer, type LoggedRequest } from '../support/calendars-server.ts';

const SIGNAL = new AbortController().signal;
/** Times of a test: a server that says nothing is left soon. */
const QUICK = { ...HTTP, bearer: 'a-token-for-the-api', timeoutMs: 400 };

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

describe('a release', () => {
  const path = '/released';
  const origin: Origin = {
    booking: 'hook-abc',
    source: 'hook',
    uid: 'hook:b-7',
    collection: '',
    href: 'b-7',
    sequence: 0,
    stampMs: 0,
    startMs: Date.UTC(2026, 10, 23, 8),
    endMs: Date.UTC(2026, 10, 23, 11),
  };
  const release = (over: Parameters<typeof webhookSettings>[0] = {}, who: Origin = origin) => {
    const url = `${server.url('/api')}`;
    const settings = webhookSettings({
      url,
      releaseUrl: server.url(path),
      releaseSecret: 'other-secret',
      http: QUICK,
      ...over,
    });
    return webhookSource(settings, { now: () => NOW_MS }).release?.(who, undefined, SIGNAL);
  };

  it('is told by a signed POST that names no person and shows no credentials', async () => {
    server.serve(path, { status: 204, type: '' });
    expect(await release()).toEqual({ ok: true });
    const [request] = server.requests;
    const { headers, body, method } = request as LoggedRequest;
    expect([method, headers['content-type'], headers.authorization]).toEqual(['POST', 'application/json', undefined]);
    const stamp = String(NOW_MS / 1_000);
    expect(headers['x-doorward-timestamp']).toBe(stamp);
    expect(headers['x-doorward-signature']).toBe(`sha256=${hmac(`${stamp}.${body.toString()}`, 'other-secret')}`);
    expect(JSON.parse(body.toString())).toEqual({
      type: 'booking.released',
      id: headers['idempotency-key'],
      source: 'hook',
      booking: 'hook-abc',
      href: 'b-7',
      uid: 'hook:b-7',
      recurrenceId: null,
      start: '2026-11-23T08:00:00.000Z',
      end: '2026-11-23T11:00:00.000Z',
      reason: 'no_show',
      releasedAt: '2026-11-22T12:00:00.000Z',
    });
  });

  it('has one idempotency key for every try, and another one after the booking was moved', async () => {
    server.serve(path, { status: 200 });
    await release();
    await release();
    await release({}, { ...origin, startMs: origin.startMs + 1 });
    const keys = server.requests.map(({ headers }) => headers['idempotency-key']);
    expect([keys[0] === keys[1], keys[0] === keys[2]]).toEqual([true, false]);
  });

  it.each([
    [400, false],
    [401, false],
    [404, false],
    [409, true],
    [410, false],
    [302, false],
    [429, true],
    [500, true],
    [503, true],
  ])('that is answered with %i is tried again: %s', async (status, again) => {
    server.serve(path, { status, headers: status === 302 ? { location: other.url(path) } : {} });
    expect(await release()).toMatchObject({ ok: false, again });
    expect(other.requests).toEqual([]);
  });

  it('is tried again where nobody answers, and is not sent where its address is not allowed or its secret is missing', async () => {
    expect(await release({ releaseUrl: await CalendarServer.closedUrl(path) })).toMatchObject({
      ok: false,
      again: true,
    });
    server.serve(path, { status: 200 });
    server.fail(path, 'slow-headers', { times: 1 });
    expect(await release()).toMatchObject({ ok: false, again: true });
    server.requests.length = 0;
    for (const over of [
      { http: { ...QUICK, allowPrivate: false } },
      { http: { ...QUICK, allowHttp: false } },
      { releaseSecret: undefined },
    ]) {
      expect(await release(over)).toMatchObject({ ok: false, again: false });
    }
    expect(server.requests).toEqual([]);
  });

  it('is told for FHIR too, and by no source without releaseUrl', () => {
    expect(fhirSource(fhirSettings({ releaseUrl: server.url(path), releaseSecret: 'x' })).release).toBeDefined();
    expect(fhirSource(fhirSettings()).release).toBeUndefined();
    expect(webhookSource(webhookSettings()).release).toBeUndefined();
    expect(releaseCallback({ id: 'ics', http: HTTP })).toBeUndefined();
  });
});
