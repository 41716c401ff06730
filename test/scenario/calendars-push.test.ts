/** Messages of booking systems, clashes, removed sources and releases: the whole gateway with real HTTP and real MQTT. */
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { calendarClinic, feed, HOUR, look, MINUTE, untilSource } from '../support/calendars-host.ts';
import { CalendarServer } from '../support/calendars-server.ts';
import { type Clinic, EIGHT } from '../support/clinic.ts';
import type { NativeDevice } from '../support/nativedevice.ts';

const SECRET = 'a-long-secret-that-nobody-guesses';
const UID = '04A224B2C15E80';
const UID_BEN = '04B0';
const HOOK = 'id: own, kind: webhook, preset: doorward, rooms: consult-1';

let clinic: Clinic;
let server: CalendarServer;
beforeEach(async () => {
  server = await CalendarServer.start();
});
afterEach(async () => {
  await clinic.close();
  await server.close();
});

async function reader(): Promise<NativeDevice> {
  await clinic.device('lock-1', ['lock', 'door'], { lock: 'locked', door: 'closed' });
  return await clinic.device('reader-1', ['reader']);
}
async function member(name: string, uid: string, address: string): Promise<string> {
  const { member: id } = await clinic.practitioner(name, uid);
  expect((await clinic.api('PATCH', `members/${id}`, { addresses: [address] })).status).toBe(200);
  clinic.clock.advance(1_000);
  return id;
}
async function verdict(device: NativeDevice, uid = UID): Promise<string> {
  clinic.advance(2_000);
  const before = (await clinic.events()).length;
  await device.badge(uid);
  return await vi.waitFor(async () => {
    const [newest, ...others] = await clinic.events();
    if (newest === undefined || others.length < before) throw new Error('not decided yet');
    return newest.outcome === 'granted' ? 'granted' : `${newest.reason}/${newest.subReason}`;
  }, 8_000);
}

interface Message {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}
function signed(message: unknown, secret = SECRET): Message {
  const body = JSON.stringify(message);
  const at = String(Math.floor(clinic.clock.now().wallMs / 1_000));
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'x-doorward-timestamp': at,
      'x-doorward-signature': `sha256=${signature}`,
    },
  };
}
async function send({ body, headers }: Message, id = 'own') {
  const answer = await fetch(`${clinic.gateway.url}/api/v1/webhooks/${id}`, { method: 'POST', body, headers });
  return { status: answer.status, text: await answer.text() };
}
const iso = (ms: number) => new Date(ms).toISOString();
const visit = (change: Record<string, unknown> = {}) => ({
  id: 'b-1',
  room: 'consult-1',
  start: iso(EIGHT),
  end: iso(EIGHT + HOUR),
  status: 'confirmed',
  holder: { email: 'ada@clinic.example' },
  title: 'Physio',
  updatedAt: iso(EIGHT - HOUR),
  ...change,
});

describe('a webhook', () => {
  it('grants, moves and cancels at once, and believes nobody who cannot sign', async () => {
    clinic = await calendarClinic([`${HOOK}, secret: ${SECRET}`]);
    const door = await reader();
    await member('Ada', UID, 'ada@clinic.example');
    await untilSource(clinic, 'own', ({ state }) => state === 'ok');
    const first = signed({ type: 'booking.upserted', id: 'm-1', bookings: [visit()] });
    const forged = await send({ ...first, body: first.body.replace('ada@', 'eve@') });
    expect(forged.status).toBe(401);
    expect(JSON.parse(forged.text)).toMatchObject({
      code: 'unauthenticated',
      detail: 'The message is not signed as it must be.',
    });
    expect(
      (await send(signed({ type: 'booking.upserted', bookings: [visit()] }, 'another-secret-of-some-length'))).status,
    ).toBe(401);
    expect(await verdict(door)).toBe('denied_point_no_access_rights/booking_none');

    expect((await send(first)).status).toBe(202);
    expect(await verdict(door)).toBe('granted');
    expect(await send(signed({ type: 'ping' }))).toMatchObject({ status: 202 });
    expect((await send(signed('{'))).status).toBe(400);
    expect((await send(first, 'nobody')).status).toBe(404);

    const gone = { id: 'b-1', updatedAt: iso(EIGHT) };
    const cancelled = signed({ type: 'booking.cancelled', id: 'm-2', bookings: [gone] });
    expect((await send(cancelled)).status).toBe(202);
    expect(await verdict(door)).toBe('denied_out_of_time_range/booking_cancelled');
    // A replay of the booking from before its cancellation, in time and well signed.
    expect((await send(first)).status).not.toBe(200);
    expect(await verdict(door)).toBe('denied_out_of_time_range/booking_cancelled');
    clinic.advance(10 * MINUTE);
    expect((await send(first)).status).toBe(401);
    const metrics = await (await fetch(`${clinic.gateway.url}/metrics`)).text();
    expect(metrics).toMatch(/doorward_calendar_messages_total\{source="own",outcome="refused"\} [2-9]/);
  });

  it('that was lost is healed by the next look', async () => {
    const list = (...bookings: unknown[]) =>
      server.serve('/bookings', { body: JSON.stringify({ bookings, next: null }), type: 'application/json' });
    list(visit());
    clinic = await calendarClinic([`${HOOK}, secret: ${SECRET}, url: "${server.url('/bookings')}", everyMin: 5`]);
    const door = await reader();
    await member('Ada', UID, 'ada@clinic.example');
    await untilSource(clinic, 'own', ({ bookings }) => bookings === 1);
    expect(await verdict(door)).toBe('granted');
    list(visit({ status: 'cancelled', updatedAt: iso(EIGHT) }));
    clinic.advance(6 * MINUTE);
    await untilSource(clinic, 'own', ({ bookings }) => bookings === 0);
    expect(await verdict(door)).toBe('denied_out_of_time_range/booking_cancelled');
    // And a message is only a reason to look.
    list(visit({ updatedAt: iso(EIGHT + MINUTE) }));
    const asked = server.requestsTo('/bookings').length;
    expect((await send(signed({ type: 'booking.upserted', id: 'm-9', bookings: [visit()] }))).status).toBe(202);
    await vi.waitFor(() => expect(server.requestsTo('/bookings').length).toBeGreaterThan(asked), 8_000);
    await untilSource(clinic, 'own', ({ bookings }) => bookings === 1);
  });
});

describe('calendars beside one another', () => {
  const event = (uid: string, attendee: string, startMin = 0) => ({
    uid,
    startMs: EIGHT + startMin * MINUTE,
    endMs: EIGHT + 60 * MINUTE,
    attendee,
  });
  const ics = (id: string, more = '') =>
    `id: ${id}, kind: ics, url: "${server.url(`/${id}.ics`)}", rooms: consult-1${more}`;

  it('of two holders the first confirmed keeps the room, also after a restart, and an alarm says so', async () => {
    server.serve('/one.ics', { body: feed(event('x', 'ada@clinic.example')), etag: '"1"' });
    server.serve('/two.ics', { body: feed(), etag: '"1"' });
    clinic = await calendarClinic([ics('one'), ics('two', ', priority: 9')]);
    let door = await reader();
    await member('Ada', UID, 'ada@clinic.example');
    await member('Ben', UID_BEN, 'ben@clinic.example');
    await untilSource(clinic, 'one', ({ bookings }) => bookings === 1);
    clinic.advance(MINUTE);
    server.serve('/two.ics', { body: feed(event('y', 'ben@clinic.example', -30)), etag: '"2"' });
    await look(clinic, server, 'two', '/two.ics');
    await untilSource(clinic, 'two', ({ bookings }) => bookings === 1);
    clinic.advance(2_000);
    await clinic.until('alarms', ({ text }) => text.includes('booking_conflict'));
    expect(await verdict(door)).toBe('granted');
    expect(await verdict(door, UID_BEN)).toBe('denied_point_no_access_rights/booking_other_holder');
    await clinic.restart();
    door = await reader();
    expect(await verdict(door)).toBe('granted');
    expect(await verdict(door, UID_BEN)).toBe('denied_point_no_access_rights/booking_other_holder');
  });

  it('two that tell of one event make one booking, without a conflict', async () => {
    for (const id of ['one', 'two'])
      server.serve(`/${id}.ics`, { body: feed(event('same', 'ada@clinic.example')), etag: '"1"' });
    clinic = await calendarClinic([ics('one'), ics('two', ', priority: 9')]);
    const door = await reader();
    await member('Ada', UID, 'ada@clinic.example');
    await untilSource(clinic, 'two', ({ bookings }) => bookings === 1);
    await untilSource(clinic, 'one', ({ bookings, state }) => bookings === 0 && state === 'ok');
    clinic.advance(2_000);
    expect(await clinic.alarms('consult-1')).not.toContain('booking_conflict');
    expect(await verdict(door)).toBe('granted');
  });

  it('needs a desk to change what a calendar says, and tells others where to do it', async () => {
    server.serve('/one.ics', { body: feed(event('x', 'ada@clinic.example')), etag: '"1"' });
    clinic = await calendarClinic([ics('one')]);
    await member('Ada', UID, 'ada@clinic.example');
    await untilSource(clinic, 'one', ({ bookings }) => bookings === 1);
    const booking = (await clinic.get<{ id: string }[]>('bookings'))[0]?.id ?? '';
    const token = async (role: string) => (await clinic.api('POST', 'tokens', { role })).body.token as string;
    const ask = async (role: string, method: string, path: string, body?: unknown) => {
      const authorization = `Bearer ${await token(role)}`;
      const headers = body === undefined ? { authorization } : { authorization, 'content-type': 'application/json' };
      return await fetch(`${clinic.gateway.url}/api/v1/${path}`, {
        method,
        headers,
        body: body && JSON.stringify(body),
      } as RequestInit);
    };
    const refused = await ask('integrator', 'PATCH', `bookings/${booking}`, { title: 'x' });
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ code: 'conflict', detail: expect.stringContaining('calendar one') });
    expect((await ask('reception', 'DELETE', `bookings/${booking}`)).status).toBe(204);
    expect((await ask('integrator', 'GET', 'calendars')).status).toBe(403);
    expect((await ask('viewer', 'GET', 'calendars')).status).toBe(200);
    expect((await ask('viewer', 'POST', 'calendars/one/refresh')).status).toBe(403);
    expect((await ask('reception', 'POST', 'calendars/none/refresh')).status).toBe(404);
    const ready = await (await fetch(`${clinic.gateway.url}/health/ready`)).json();
    expect(ready).toMatchObject({ parts: { calendars: { ok: true } } });
  });
});
