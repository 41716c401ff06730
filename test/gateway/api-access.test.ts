import type { InjectOptions } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PERMISSIONS, type Permission } from '../../gateway/api/access.ts';
import {
  SIGN_IN_FAILURES_PER_ADDRESS,
  SIGN_IN_FAILURES_PER_USER,
  SIGN_IN_WINDOW_MS,
} from '../../gateway/api/limiter.ts';
import { createFirstManager, FIRST_MANAGER, HASHES_WAITING_MAX, PasswordHasher } from '../../gateway/api/passwords.ts';
import { SESSION_MAX_MS } from '../../gateway/api/sessions.ts';
import type { Booking } from '../../gateway/core/records.ts';
import { roles } from '../../gateway/wire/index.ts';
import { aRig, bearer, DAY, iso, NOW, PASSWORD, type Rig } from '../support/api.ts';
import { HOUR, MINUTE } from '../support/records.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await aRig();
});
afterEach(() => rig.close());

type Route = readonly [
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  permission: Permission,
  body?: object,
];
const aBody = { room: 'r1', holder: 'ada', start: iso(NOW + HOUR), end: iso(NOW + 2 * HOUR) };
const ROUTES: readonly Route[] = [
  ['GET', 'session', 'session.use'],
  ['DELETE', 'session', 'session.use'],
  ['GET', 'site', 'site.read'],
  ['POST', 'time/confirm', 'time.confirm'],
  ['GET', 'rooms', 'rooms.read'],
  ['GET', 'rooms/r1', 'rooms.read'],
  ['GET', 'doors', 'rooms.read'],
  ['GET', 'doors/d1', 'rooms.read'],
  ['POST', 'doors/none/unlock', 'doors.operate', { reason: 'a reason' }],
  ['POST', 'doors/none/lock', 'doors.operate', { reason: 'a reason' }],
  ['GET', 'bookings', 'bookings.read'],
  ['POST', 'bookings', 'bookings.write', aBody],
  ['GET', 'bookings/x', 'bookings.read'],
  ['PATCH', 'bookings/x', 'bookings.write', {}],
  ['DELETE', 'bookings/x', 'bookings.write'],
  ['GET', 'members', 'members.read'],
  ['POST', 'members', 'members.write', { name: 'New' }],
  ['GET', 'members/ada', 'members.read'],
  ['PATCH', 'members/ada', 'members.write', {}],
  ['GET', 'credentials', 'credentials.read'],
  ['GET', 'credentials/unknown', 'credentials.read'],
  ['POST', 'credentials', 'credentials.write', { member: 'ada', format: 'uid', value: '04A224B2C15E80' }],
  ['DELETE', 'credentials/x', 'credentials.write'],
  ['GET', 'calendars', 'calendars.read'],
  ['POST', 'calendars/x/refresh', 'calendars.refresh'],
  ['GET', 'alarms', 'alarms.read'],
  ['POST', 'alarms/x/acknowledge', 'alarms.write', {}],
  ['POST', 'alarms/x/resolve', 'alarms.write', {}],
  ['GET', 'events', 'events.read'],
  ['GET', 'occupancy?room=r1', 'history.read'],
  ['GET', 'climate?room=r1', 'history.read'],
  ['GET', 'devices', 'devices.read'],
  ['POST', 'devices/none/test', 'devices.test', { capability: 'relay' }],
  ['GET', 'users', 'users.manage'],
  ['POST', 'users', 'users.manage', { name: 'v', role: 'viewer', password: PASSWORD }],
  ['PUT', 'users/v', 'users.manage', { role: 'viewer', password: PASSWORD }],
  ['DELETE', 'users/none', 'users.manage'],
  ['GET', 'tokens', 'users.manage'],
  ['POST', 'tokens', 'users.manage', { role: 'viewer' }],
  ['DELETE', 'tokens/none', 'users.manage'],
];
const request = ([method, path, , payload]: Route): InjectOptions => ({
  method,
  url: `/api/v1/${path}`,
  ...(payload && { payload }),
});

describe('roles', () => {
  it('the table of this test names every route there is', async () => {
    const listed = (await rig.app.inject('/openapi.json')).json<{ paths: Record<string, object> }>().paths;
    const known = new Set(
      ROUTES.map(
        ([method, path]) => `${method} ${path.replace(/\?.*/, '').replace(/\/(x|none|r1|d1|ada|v)(?=\/|$)/, '/{}')}`,
      ),
    );
    const there = Object.entries(listed).flatMap(([path, item]) =>
      Object.keys(item).map(
        (method) => `${method.toUpperCase()} ${path.replace('/api/v1/', '').replace(/\{\w+\}/, '{}')}`,
      ),
    );
    // The webhooks' senders have no role: what they send is signed (calendars-push.test.ts).
    const elsewhere = ['POST session', 'GET stream', 'POST webhooks/{}'];
    expect(there.filter((route) => !known.has(route) && !elsewhere.includes(route))).toEqual([]);
    expect([...known].filter((route) => !there.includes(route))).toEqual([]);
  });

  it.each(roles)('%s may do what the table says on every route, and nothing else', async (role) => {
    rig.addMember('ada');
    const token = rig.token(role);
    for (const route of ROUTES) {
      const reply = await rig.app.inject(bearer(token, request(route)));
      const allowed = (PERMISSIONS[route[2]] as readonly string[]).includes(role);
      const forbidden = reply.statusCode === 403 && reply.json<{ detail: string }>().detail.includes(`role ${role}`);
      expect(`${route[0]} ${route[1]}: ${forbidden ? 'forbidden' : 'allowed'}`).toBe(
        `${route[0]} ${route[1]}: ${allowed ? 'allowed' : 'forbidden'}`,
      );
      expect(reply.statusCode).toBeLessThan(500);
    }
  });

  it('nobody gets anywhere without a session or a token', async () => {
    for (const route of [...ROUTES, ['GET', 'stream', 'stream.read'] as const]) {
      const reply = await rig.app.inject(request(route));
      expect([route[1], reply.statusCode, reply.json<{ code: string }>().code]).toEqual([
        route[1],
        401,
        'unauthenticated',
      ]);
      const wrong = await rig.app.inject(bearer('dw_made-up', request(route)));
      expect(wrong.statusCode).toBe(401);
    }
  });

  it('CONTRACT: what each role writes', () => {
    const writes = (role: (typeof roles)[number]) =>
      Object.entries(PERMISSIONS)
        .filter(
          ([name, allowed]) =>
            /write|operate|test|manage|confirm/.test(name) && (allowed as readonly string[]).includes(role),
        )
        .map(([name]) => name);
    expect(writes('viewer')).toEqual([]);
    expect(writes('practitioner')).toEqual(['bookings.write']);
    expect(writes('integrator')).toEqual(['bookings.write', 'members.write', 'credentials.write']);
    expect(writes('reception')).toEqual([
      'bookings.write',
      'members.write',
      'credentials.write',
      'doors.operate',
      'alarms.write',
    ]);
  });
});

describe('practitioner', () => {
  let cookie: string;
  let csrf: string;
  const S = NOW + HOUR;
  const call = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object) =>
    rig.app.inject({
      method,
      url: `/api/v1/${path}`,
      headers: { cookie, 'x-csrf-token': csrf },
      ...(payload && { payload }),
    });
  beforeEach(async () => {
    for (const id of ['ada', 'ben']) rig.addMember(id);
    rig.addBooking('own', S, S + HOUR);
    rig.addBooking('guest', S + HOUR, S + 2 * HOUR, { holder: 'ben', delegates: ['ada'] });
    rig.addBooking('other', S + 2 * HOUR, S + 3 * HOUR, { holder: 'ben' });
    rig.addBooking('elsewhere', S, S + HOUR, { holder: 'ben', room: 'r2' });
    rig.addUser('dr-ada', 'practitioner', 'ada');
    ({ cookie, csrf } = await rig.signIn('dr-ada'));
  });

  it('sees his own bookings and those he is a delegate of', async () => {
    expect((await call('GET', 'bookings')).json<{ id: string }[]>().map(({ id }) => id)).toEqual(['own', 'guest']);
    expect((await call('GET', 'bookings/other')).statusCode).toBe(404);
  });
  it('books for himself only, and changes only what he holds', async () => {
    const slot = { room: 'r2', start: iso(S + 4 * HOUR), end: iso(S + 5 * HOUR) };
    expect((await call('POST', 'bookings', { ...slot, holder: 'ada' })).statusCode).toBe(201);
    expect((await call('POST', 'bookings', { ...slot, holder: 'ben' })).statusCode).toBe(403);
    expect((await call('PATCH', 'bookings/own', { holder: 'ben' })).statusCode).toBe(403);
    expect((await call('PATCH', 'bookings/guest', { end: iso(S + 90 * MINUTE) })).statusCode).toBe(403);
    expect((await call('DELETE', 'bookings/other')).statusCode).toBe(404);
    expect((await call('DELETE', 'bookings/own')).statusCode).toBe(204);
  });
  it('learns from a clash only that the time is taken', async () => {
    const reply = await call('POST', 'bookings', { room: 'r2', holder: 'ada', start: iso(S), end: iso(S + HOUR) });
    expect(reply.json()).toMatchObject({ code: 'booking_overlap', clash: { holder: '', title: '', start: iso(S) } });
    expect(reply.body).not.toMatch(/ben|elsewhere|private/);
  });
  it('sees the rooms of his bookings, without the names of others', async () => {
    rig.clock.advance(3 * HOUR + 30 * MINUTE);
    rig.loop.post({ kind: 'tick' });
    rig.loop.stop();
    ({ cookie, csrf } = await rig.signIn('dr-ada'));
    const rooms = (await call('GET', 'rooms')).json<{ id: string; booking: { now: unknown } }[]>();
    expect(rooms.map(({ id }) => id)).toEqual(['r1']);
    expect(rooms[0]?.booking.now).toMatchObject({
      id: 'taken',
      holder: '',
      holderName: null,
      start: iso(S + 2 * HOUR),
    });
    expect((await call('GET', 'rooms/r2')).statusCode).toBe(404);
    expect((await call('GET', 'occupancy?room=r2')).statusCode).toBe(404);
    expect((await call('GET', 'doors')).json<{ id: string }[]>().map(({ id }) => id)).toEqual(['d1', 'entrance']);
  });
  it.each<[string, number, number, Partial<Booking>, boolean]>([
    ['begins in just under seven days', 7 * DAY - 1, 8 * DAY, {}, true],
    ['begins in seven days', 7 * DAY, 8 * DAY, {}, false],
    ['ended just under a day ago', -2 * DAY, -DAY + 1, {}, true],
    ['ended a day ago', -2 * DAY, -DAY, {}, false],
    ['is only asked for', HOUR, 2 * HOUR, { status: 'tentative' }, true],
    ['he is a delegate of', HOUR, 2 * HOUR, { holder: 'ben', delegates: ['ada'] }, true],
    ['was cancelled', HOUR, 2 * HOUR, { status: 'cancelled' }, false],
    ['was given free', HOUR, 2 * HOUR, { status: 'released' }, false],
    ['is another’s', HOUR, 2 * HOUR, { holder: 'ben' }, false],
  ])('a room whose booking %s is shown or not', async (_what, fromMs, toMs, change, shown) => {
    rig.store.bookings.setStatus('elsewhere', 'cancelled');
    rig.addBooking('b', NOW + fromMs, NOW + toMs, { room: 'r2', ...change });
    await rig.loop.submit({ kind: 'tick' });
    const rooms = (await call('GET', 'rooms')).json<{ id: string }[]>();
    expect(rooms.map(({ id }) => id)).toEqual(shown ? ['r1', 'r2'] : ['r1']);
  });
});

describe('session', () => {
  beforeEach(() => rig.addUser('rita', 'reception'));
  const get = (cookie: string) => rig.app.inject({ url: '/api/v1/session', headers: { cookie } });

  it('is a signed, HttpOnly, SameSite=Strict cookie and a CSRF token', async () => {
    const reply = await rig.app.inject({
      method: 'POST',
      url: '/api/v1/session',
      payload: { username: 'rita', password: PASSWORD },
    });
    expect(reply.json()).toEqual({
      user: 'rita',
      role: 'reception',
      member: null,
      csrf: expect.stringMatching(/^[\w-]{32}$/),
    });
    expect(reply.headers['set-cookie']).toMatch(/^doorward=[^;]+; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(reply.headers['cache-control']).toBe('no-store');
  });
  it('is Secure, and bound to the host, over TLS', async () => {
    const secure = await aRig({ cookieSecure: true });
    try {
      secure.addUser('rita', 'reception');
      const reply = await secure.app.inject({
        method: 'POST',
        url: 'https://clinic/api/v1/session',
        payload: { username: 'rita', password: PASSWORD },
        headers: {},
      });
      // Injected requests are plain, so no cookie may be set at all.
      expect(reply.headers['set-cookie']).toBeUndefined();
      expect(reply.headers['strict-transport-security']).toContain('max-age');
    } finally {
      await secure.close();
    }
  });
  it('gives back who is signed in, and ends with DELETE', async () => {
    const { cookie, csrf } = await rig.signIn('rita');
    expect((await get(cookie)).json()).toEqual({ user: 'rita', role: 'reception', member: null, csrf });
    const out = await rig.app.inject({
      method: 'DELETE',
      url: '/api/v1/session',
      headers: { cookie, 'x-csrf-token': csrf },
    });
    expect(out.statusCode).toBe(204);
    expect((await get(cookie)).statusCode).toBe(401);
  });
  it('gets a new id at each sign-in; the old one is void', async () => {
    const first = await rig.signIn('rita');
    const again = await rig.app.inject({
      method: 'POST',
      url: '/api/v1/session',
      headers: { cookie: first.cookie },
      payload: { username: 'rita', password: PASSWORD },
    });
    const second = again.cookies.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join();
    expect(second).not.toBe(first.cookie);
    expect((await get(first.cookie)).statusCode).toBe(401);
    expect((await get(second)).statusCode).toBe(200);
  });
  it('ends after idling, and each request puts that off', async () => {
    const { cookie } = await rig.signIn('rita');
    for (let i = 0; i < 4; i++) {
      rig.clock.advance(28 * MINUTE);
      expect((await get(cookie)).statusCode).toBe(200);
    }
    rig.clock.advance(30 * MINUTE);
    expect((await get(cookie)).statusCode).toBe(401);
  });
  it('ends after a working day however busy', async () => {
    const { cookie } = await rig.signIn('rita');
    for (let ms = 0; ms < SESSION_MAX_MS - 20 * MINUTE; ms += 20 * MINUTE) {
      rig.clock.advance(20 * MINUTE);
      expect((await get(cookie)).statusCode).toBe(200);
    }
    rig.clock.advance(20 * MINUTE);
    expect((await get(cookie)).statusCode).toBe(401);
  });
  it('follows the user: a changed role counts at once, a new password or a removed user ends it', async () => {
    const { cookie } = await rig.signIn('rita');
    rig.addUser('rita', 'viewer');
    expect((await get(cookie)).json()).toMatchObject({ role: 'viewer' });
    const token = rig.token('manager');
    await rig.app.inject(
      bearer(token, {
        method: 'PUT',
        url: '/api/v1/users/rita',
        payload: { role: 'viewer', password: 'another password' },
      }),
    );
    expect((await get(cookie)).statusCode).toBe(401);
  });
  it('cannot be forged or found in the database', async () => {
    const { cookie } = await rig.signIn('rita');
    const id = decodeURIComponent(cookie).split('=')[1]?.split('.')[0] ?? '';
    expect(id.length).toBeGreaterThan(20);
    expect(rig.store.sessions.get(id)).toBeUndefined();
    expect((await get(`doorward=${id}`)).statusCode).toBe(401);
    expect((await get(`doorward=${id}.${'A'.repeat(43)}`)).statusCode).toBe(401);
  });
  it('writes only with its CSRF token; bearer tokens need none', async () => {
    rig.addMember('ada');
    const { cookie, csrf } = await rig.signIn('rita');
    const other = await rig.signIn('rita');
    const post = (headers: Record<string, string | undefined>) =>
      rig.app.inject({ method: 'POST', url: '/api/v1/members', headers, payload: { name: 'New' } });
    for (const headers of [
      { cookie },
      { cookie, 'x-csrf-token': '' },
      { cookie, 'x-csrf-token': 'A'.repeat(32) },
      { cookie, 'x-csrf-token': other.csrf },
      { cookie, 'x-csrf-token': 'é'.repeat(32) },
    ]) {
      const reply = await post(headers);
      expect([reply.statusCode, reply.json<{ code: string }>().code]).toEqual([403, 'csrf']);
    }
    expect((await post({ cookie, 'x-csrf-token': csrf })).statusCode).toBe(201);
    expect((await post({ authorization: `Bearer ${rig.token('reception')}` })).statusCode).toBe(201);
  });
});

describe('sign-in', () => {
  const attempt = (username: string, password: string, remoteAddress = '192.0.2.1') =>
    rig.app.inject({ method: 'POST', url: '/api/v1/session', payload: { username, password }, remoteAddress });

  it('says the same for an unknown user as for a wrong password', async () => {
    rig.addUser('rita', 'reception');
    const [wrong, unknown] = [await attempt('rita', 'guess'), await attempt('nobody', 'guess')];
    expect([wrong.statusCode, wrong.json()]).toEqual([401, unknown.json()]);
    expect(wrong.json()).toMatchObject({ code: 'wrong_password' });
    expect(rig.log()).not.toContain('guess');
  });
  it('is slowed down per user, from whatever address, and free again after the window', async () => {
    rig.addUser('rita', 'reception');
    for (let i = 0; i < SIGN_IN_FAILURES_PER_USER; i++)
      expect((await attempt('rita', 'guess', `192.0.2.${i}`)).statusCode).toBe(401);
    const refused = await attempt('rita', PASSWORD, '192.0.2.99');
    expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers['retry-after'])).toBe(SIGN_IN_WINDOW_MS / 1000);
    rig.clock.advance(SIGN_IN_WINDOW_MS);
    expect((await attempt('rita', PASSWORD)).statusCode).toBe(200);
  });
  it('is slowed down per address, over whatever names', async () => {
    rig.addUser('rita', 'reception');
    for (let i = 0; i < SIGN_IN_FAILURES_PER_ADDRESS; i++)
      expect((await attempt(`user-${i}`, 'guess')).statusCode).toBe(401);
    expect((await attempt('rita', PASSWORD)).statusCode).toBe(429);
    expect((await attempt('rita', PASSWORD, '192.0.2.2')).statusCode).toBe(200);
  });
  it('that succeeds is never counted', async () => {
    rig.addUser('rita', 'reception');
    for (let i = 0; i < SIGN_IN_FAILURES_PER_ADDRESS + 5; i++)
      expect((await attempt('rita', PASSWORD)).statusCode).toBe(200);
  });
  it('hashes a bounded number at once and turns the rest away', async () => {
    const hasher = new PasswordHasher();
    const tries = Array.from({ length: HASHES_WAITING_MAX + 10 }, () => hasher.verify(undefined, 'x'));
    const results = await Promise.allSettled(tries);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(8);
    expect(refused[0]?.status === 'rejected' && (refused[0].reason as { code: string }).code).toBe('unavailable');
    expect(await hasher.verify(await hasher.hash('secret word'), 'secret word')).toBe(true);
  });
});

describe('users and tokens', () => {
  const as = (token: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, payload?: object) =>
    rig.app.inject(bearer(token, { method, url: `/api/v1/${path}`, ...(payload && { payload }) }));

  it('the first start makes one manager with a password that works, and never another', async () => {
    const password = createFirstManager(rig.store);
    expect(password).toMatch(/^[\w-]{20}$/);
    expect(createFirstManager(rig.store)).toBeUndefined();
    const reply = await rig.app.inject({
      method: 'POST',
      url: '/api/v1/session',
      payload: { username: FIRST_MANAGER, password },
    });
    expect(reply.json()).toMatchObject({ user: 'manager', role: 'manager' });
    expect(rig.store.users.get('manager')?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });
  it('the last manager can be neither removed nor demoted', async () => {
    rig.addUser('mia', 'manager');
    const token = rig.token('manager');
    for (const reply of [
      await as(token, 'DELETE', 'users/mia'),
      await as(token, 'PUT', 'users/mia', { role: 'viewer', password: PASSWORD }),
    ])
      expect([reply.statusCode, reply.json<{ code: string }>().code]).toEqual([409, 'conflict']);
    rig.addUser('max', 'manager');
    expect((await as(token, 'DELETE', 'users/mia')).statusCode).toBe(204);
    expect((await as(token, 'DELETE', 'users/mia')).statusCode).toBe(404);
  });
  it('users are made, listed without their passwords, and refused twice', async () => {
    const token = rig.token('manager');
    rig.addMember('ada');
    expect(
      (await as(token, 'POST', 'users', { name: 'dr', role: 'practitioner', password: PASSWORD })).statusCode,
    ).toBe(400);
    expect(
      (await as(token, 'POST', 'users', { name: 'dr', role: 'practitioner', member: 'nobody', password: PASSWORD }))
        .statusCode,
    ).toBe(400);
    expect(
      (await as(token, 'POST', 'users', { name: 'dr', role: 'practitioner', member: 'ada', password: 'short' }))
        .statusCode,
    ).toBe(400);
    const made = await as(token, 'POST', 'users', {
      name: 'dr',
      role: 'practitioner',
      member: 'ada',
      password: PASSWORD,
    });
    expect([made.statusCode, made.json()]).toEqual([201, { name: 'dr', role: 'practitioner', member: 'ada' }]);
    expect((await as(token, 'POST', 'users', { name: 'dr', role: 'viewer', password: PASSWORD })).statusCode).toBe(409);
    const list = await as(token, 'GET', 'users');
    expect(list.json()).toEqual([{ name: 'dr', role: 'practitioner', member: 'ada' }]);
    expect(list.body + rig.log()).not.toMatch(/argon2id|a long enough/);
  });
  it('a token is shown once, works, and is void when removed', async () => {
    const manager = rig.token('manager');
    const made = (await as(manager, 'POST', 'tokens', { role: 'viewer', note: 'wall display' })).json<{
      id: string;
      token: string;
    }>();
    expect(made.token).toMatch(/^dw_[\w-]{43}$/);
    expect((await as(made.token, 'GET', 'session')).json()).toEqual({
      user: `token:${made.id}`,
      role: 'viewer',
      csrf: '',
      member: null,
    });
    expect((await as(manager, 'GET', 'tokens')).body).not.toContain('dw_');
    expect((await as(manager, 'DELETE', `tokens/${made.id}`)).statusCode).toBe(204);
    expect((await as(made.token, 'GET', 'session')).statusCode).toBe(401);
    expect(rig.log()).not.toContain(made.token);
  });
});
