import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BODY_MAX_BYTES } from '../../gateway/api/app.ts';
import { ulid } from '../../gateway/api/ids.ts';
import { SUBMIT_LATER_MS, SUBMIT_PAUSE_MS, SUBMIT_TRIES } from '../../gateway/api/submit.ts';
import type { Alarm } from '../../gateway/core/effects.ts';
import { ERRORS, Fault } from '../../gateway/core/errors.ts';
import { aRig, bearer, iso, NOW, type Rig } from '../support/api.ts';
import { HOUR } from '../support/records.ts';

let rig: Rig;
let token: string;
beforeEach(async () => {
  rig = await aRig();
  token = rig.token('manager');
});
afterEach(() => rig.close());

const call = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object, headers = {}) =>
  rig.app.inject(bearer(token, { method, url: `/api/v1/${path}`, headers, ...(payload && { payload }) }));

describe('members', () => {
  it('are made with rights, changed, and in force at once', async () => {
    const rights = [{ doors: ['d1', 'entrance'], weekly: [{ days: ['mon'], from: '08:00', to: '18:00' }] }];
    const made = await call('POST', 'members', { name: '  Ada L. ', kind: 'staff', rights });
    expect([made.statusCode, made.json()]).toEqual([
      201,
      { id: expect.stringMatching(/^m-/), name: 'Ada L.', kind: 'staff', status: 'active', rights },
    ]);
    const { id } = made.json<{ id: string }>();
    expect((await call('PATCH', `members/${id}`, { status: 'suspended' })).json()).toMatchObject({
      status: 'suspended',
      name: 'Ada L.',
    });
    expect(rig.facts).toMatchObject([{ kind: 'members' }, { kind: 'members', upsert: [{ id, status: 'suspended' }] }]);
    expect((await call('GET', 'members')).json()).toHaveLength(1);
    expect((await call('PATCH', 'members/nobody', {})).statusCode).toBe(404);
  });
  it('with a door or times that do not exist are refused', async () => {
    const faulty = async (right: object) => (await call('POST', 'members', { name: 'A', rights: [right] })).json();
    expect(await faulty({ doors: ['d1', 'nowhere'] })).toMatchObject({ errors: [{ path: 'body.rights.0.doors.1' }] });
    expect(await faulty({ doors: ['d1'], weekly: [{ days: ['mon'], from: '25:00', to: '08:00' }] })).toMatchObject({
      code: 'invalid',
    });
    expect(await faulty({ doors: ['d1'], weekly: [{ days: ['lundi'], from: '07:00', to: '08:00' }] })).toMatchObject({
      code: 'invalid',
    });
  });
  it('with an id that is taken are a conflict', async () => {
    rig.addMember('ada');
    expect((await call('POST', 'members', { id: 'ada', name: 'Other' })).json()).toMatchObject({ code: 'conflict' });
  });
});

describe('credentials', () => {
  const UID = '04A224B2C15E80';
  beforeEach(() => {
    rig.addMember('ada');
    rig.addMember('ben');
  });
  it('are kept as a hash with the last four; the number is neither answered, stored nor logged', async () => {
    const made = await call('POST', 'credentials', {
      member: 'ada',
      format: 'uid',
      value: UID,
      validUntil: iso(NOW + HOUR),
    });
    expect([made.statusCode, made.json()]).toEqual([
      201,
      {
        id: expect.stringMatching(/^c-/),
        member: 'ada',
        format: 'uid',
        last4: '5E80',
        status: 'active',
        validFrom: null,
        validUntil: iso(NOW + HOUR),
      },
    ]);
    const list = await call('GET', 'credentials');
    for (const text of [
      made.body,
      list.body,
      rig.log(),
      JSON.stringify(rig.facts),
      JSON.stringify(rig.store.credentials.list()),
    ])
      expect(text).not.toContain(UID);
    expect(made.body + list.body).not.toContain('hash(');
  });
  it('with a number that cannot be are refused without repeating it', async () => {
    for (const [format, value] of [
      ['uid', 'XYZ-SECRET'],
      ['bits', '10121'],
      ['fc-cn', 'SECRET'],
      ['uid', '9'.repeat(300)],
      ['magstripe', 'SECRET'],
    ]) {
      const reply = await call('POST', 'credentials', { member: 'ada', format, value });
      expect([reply.statusCode, reply.json<{ code: string }>().code]).toEqual([400, 'invalid']);
      expect(reply.body + rig.log()).not.toContain(value);
    }
  });
  it('belong to one member only, also when the same card is written otherwise', async () => {
    const bits = '10111011000000110010000110';
    expect((await call('POST', 'credentials', { member: 'ada', format: 'fc-cn', value: '118-1603' })).statusCode).toBe(
      201,
    );
    expect((await call('POST', 'credentials', { member: 'ben', format: 'bits', value: bits })).json()).toMatchObject({
      code: 'conflict',
    });
  });
  it('are revoked at once by DELETE, and free for another then', async () => {
    const { id } = (await call('POST', 'credentials', { member: 'ada', format: 'uid', value: UID })).json<{
      id: string;
    }>();
    const revoked = await call('DELETE', `credentials/${id}`, undefined, { 'content-type': 'application/json' });
    expect(revoked.statusCode).toBe(204);
    expect(rig.facts.at(-1)).toMatchObject({ kind: 'credentials', upsert: [{ id, status: 'revoked' }] });
    expect((await call('POST', 'credentials', { member: 'ben', format: 'uid', value: UID })).statusCode).toBe(201);
    expect((await call('DELETE', 'credentials/nothing')).statusCode).toBe(404);
  });
  it('are enrolled from the unknown cards just seen with one click', async () => {
    rig.store.unknownCards.put({
      id: 'seen-1',
      reader: 'd1-reader/reader',
      hash: 'hash-of-it',
      format: 'uid',
      last4: 'BEEF',
      seenAtMs: NOW,
    });
    expect((await call('GET', 'credentials/unknown')).json()).toEqual([
      { id: 'seen-1', reader: 'd1-reader/reader', door: 'd1', format: 'uid', last4: 'BEEF', seenAt: iso(NOW) },
    ]);
    expect((await call('POST', 'credentials', { member: 'ada', seen: 'seen-1' })).json()).toMatchObject({
      member: 'ada',
      last4: 'BEEF',
    });
    expect(rig.store.credentials.list()).toMatchObject([{ hash: 'hash-of-it' }]);
    expect((await call('GET', 'credentials/unknown')).json()).toEqual([]);
    expect((await call('POST', 'credentials', { member: 'ada', seen: 'seen-1' })).statusCode).toBe(404);
  });
  it('need a member and a window that is not turned round', async () => {
    expect((await call('POST', 'credentials', { member: 'nobody', format: 'uid', value: UID })).json()).toMatchObject({
      errors: [{ path: 'body.member' }],
    });
    const turned = { member: 'ada', format: 'uid', value: UID, validFrom: iso(NOW), validUntil: iso(NOW) };
    expect((await call('POST', 'credentials', turned)).json()).toMatchObject({ errors: [{ path: 'body.validUntil' }] });
  });
});

describe('doors', () => {
  it.each(['confirmed', 'failed'] as const)('an unlock waits for the lock: %s', async (outcome) => {
    rig.answer = ({ id, point }) => {
      rig.loop.post({
        kind: 'command_outcome',
        command: id,
        point,
        outcome,
        ...(outcome === 'failed' && { why: 'jammed' }),
      });
    };
    rig.loop.post({ kind: 'device', device: 'd1-lock', online: true });
    const reply = await call('POST', 'doors/d1/unlock', { reason: 'courier at the door' });
    expect(reply.json()).toMatchObject({ command: expect.stringMatching(/^[0-9A-Z]{26}$/), outcome });
    expect(rig.commands).toMatchObject([
      { id: reply.json<{ command: string }>().command, point: 'd1-lock/lock', do: { op: 'unlock', holdMs: 5_000 } },
    ]);
    expect(rig.facts).toMatchObject([
      { kind: 'operator_door', op: 'unlock', door: 'd1', user: 'token:t-manager-0', reason: 'courier at the door' },
    ]);
  });
  it('an unlock that nobody answers is unknown after hold time and 5 s', async () => {
    const waiting = call('POST', 'doors/d1/unlock', { reason: 'courier' });
    await vi.waitFor(() => expect(rig.commands).toHaveLength(1));
    await vi.waitFor(() => expect(rig.clock.waiting).toBeGreaterThan(0));
    rig.clock.advance(10_000);
    expect((await waiting).json()).toMatchObject({ outcome: 'unknown' });
  });
  it('without a reason stay as they are', async () => {
    for (const body of [{}, { reason: '' }, { reason: '   ' }])
      expect((await call('POST', 'doors/d1/unlock', body)).statusCode).toBe(400);
    expect((await call('POST', 'doors/none/unlock', { reason: 'courier' })).statusCode).toBe(404);
    expect(rig.commands).toEqual([]);
  });
});

describe('alarms', () => {
  it('go from open to acknowledged to resolved', async () => {
    rig.loop.post({ kind: 'device_fault', device: 'd1-lock', fault: 'flood', why: 'It floods.' });
    await vi.waitFor(async () => expect((await call('GET', 'alarms')).json()).toHaveLength(1));
    const [alarm] = (await call('GET', 'alarms')).json<{ id: string }[]>();
    const acknowledged = await call('POST', `alarms/${alarm?.id}/acknowledge`, { note: 'on my way' });
    expect(acknowledged.json()).toMatchObject({
      id: alarm?.id,
      status: 'acknowledged',
      acknowledgedBy: 'token:t-manager-0',
      note: 'on my way',
    });
    const resolved = await call('POST', `alarms/${alarm?.id}/resolve`);
    expect([resolved.statusCode, resolved.json()]).toMatchObject([200, { status: 'resolved' }]);
    expect((await call('GET', 'alarms')).json()).toEqual([]);
  });
  it('that are past or never were cannot be acknowledged', async () => {
    const past: Alarm = {
      id: 'old',
      kind: 'disk',
      severity: 'critical',
      text: 'x',
      status: 'resolved',
      openedAtMs: NOW,
      resolvedAtMs: NOW,
    };
    rig.store.alarms.put(past);
    expect((await call('POST', 'alarms/old/acknowledge', {})).json()).toMatchObject({ code: 'conflict' });
    expect((await call('POST', 'alarms/none/acknowledge', {})).statusCode).toBe(404);
    expect((await call('GET', 'alarms?status=all')).json()).toMatchObject([{ id: 'old' }]);
  });
});

describe('devices', () => {
  it('show their health and who was refused', async () => {
    const own = await aRig({
      refusedLogins: () => [
        { atMs: NOW, clientId: 'c', username: 'u', address: '192.0.2.1', reason: 'wrong password' },
      ],
    });
    try {
      const reply = await own.app.inject(bearer(own.token('viewer'), { url: '/api/v1/devices' }));
      expect(reply.json()).toMatchObject({
        items: own.devices.map(({ id }) => ({ id, lastHeardAt: iso(NOW) })),
        refusedLogins: [{ at: iso(NOW) }],
      });
    } finally {
      await own.close();
    }
  });
  it('are tested at a relay, never at a lock', async () => {
    rig.answer = ({ id, point }) =>
      void rig.loop.post({ kind: 'command_outcome', command: id, point, outcome: 'confirmed' });
    rig.loop.post({ kind: 'device', device: 'r1-unit', online: true });
    const test = (id: string, capability: string) => call('POST', `devices/${id}/test`, { capability });
    expect((await test('r1-unit', 'relay')).json()).toMatchObject({ outcome: 'confirmed' });
    expect(rig.facts).toMatchObject([{ kind: 'test_pulse', point: 'r1-unit/relay' }]);
    expect((await test('d1-lock', 'lock')).statusCode).toBe(400);
    expect((await test('r1-unit', 'relay-9')).statusCode).toBe(400);
    expect((await test('none', 'relay')).statusCode).toBe(404);
  });
});

describe('time', () => {
  it('is trusted after the operator’s word', async () => {
    expect((await call('GET', 'site')).json()).toMatchObject({
      id: 'test',
      now: iso(NOW),
      timeTrusted: false,
      earlyMin: 10,
      lateMin: 5,
    });
    expect((await call('POST', 'time/confirm')).json()).toMatchObject({ timeTrusted: true });
  });
});

describe('history', () => {
  it('asks for the window and step that were named', async () => {
    const asked: object[] = [];
    const sample = { atMs: NOW, state: 'occupied', occupied: true, confidence: 0.9, booked: true, people: null };
    const own = await aRig({
      history: {
        occupancy: async (query) => {
          asked.push(query);
          return [sample];
        },
        climate: async () => {
          throw new Fault('unavailable', 'InfluxDB does not answer.');
        },
      },
    });
    const get = (url: string) => own.app.inject(bearer(own.token('viewer'), { url: `/api/v1/${url}` }));
    try {
      const reply = await get(`occupancy?room=r1&from=${iso(NOW - HOUR)}&to=${iso(NOW)}&every=5m`);
      const { atMs: _, ...rest } = sample;
      expect(reply.json()).toEqual({ series: [{ at: iso(NOW), ...rest }] });
      expect(asked).toEqual([{ room: 'r1', fromMs: NOW - HOUR, toMs: NOW, everyMs: 300_000 }]);
      expect((await get('climate?room=r1')).json()).toMatchObject({ code: 'unavailable', status: 503 });
      expect((await get('occupancy?room=nowhere')).statusCode).toBe(404);
      for (const query of ['every=0s', 'every=5', 'every=1s', `from=${iso(NOW)}&to=${iso(NOW)}`])
        expect((await get(`occupancy?room=r1&${query}`)).statusCode).toBe(400);
    } finally {
      await own.close();
    }
  });
});

describe('failures', () => {
  it.each([
    ['malformed JSON', { payload: '{"a":', headers: { 'content-type': 'application/json' } }, 400, 'invalid'],
    ['an empty body', { payload: '', headers: { 'content-type': 'application/json' } }, 400, 'invalid'],
    ['a form', { payload: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 400, 'invalid'],
    ['too much', { payload: { name: 'x'.repeat(BODY_MAX_BYTES) }, headers: {} }, 413, 'too_large'],
    [
      'a polluted prototype',
      { payload: '{"__proto__":{"x":1},"name":"a"}', headers: { 'content-type': 'application/json' } },
      400,
      'invalid',
    ],
  ])('%s is a problem with a code', async (_, request, status, code) => {
    const reply = await rig.app.inject(bearer(token, { method: 'POST', url: '/api/v1/members', ...request }));
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(reply.json()).toMatchObject({
      status,
      code,
      title: ERRORS[code as keyof typeof ERRORS].title,
      type: `urn:doorward:error:${code}`,
      remedy: expect.any(String),
    });
    expect(reply.statusCode).toBe(status);
  });
  it('an unknown address is not found, in every corner', async () => {
    for (const url of ['/api/v1/nothing', '/nothing', '/api/v1/rooms/none', '/api/v2/rooms']) {
      const reply = await rig.app.inject(bearer(token, { url }));
      expect([url, reply.statusCode, reply.json<{ code: string }>().code]).toEqual([url, 404, 'not_found']);
    }
  });
  it('an internal one tells the log, and the client nothing of it', async () => {
    vi.spyOn(rig.store.members, 'list').mockImplementation(() => {
      throw new Error('secret inner workings');
    });
    const reply = await call('GET', 'members');
    expect(reply.json()).toMatchObject({ code: 'internal', status: 500 });
    expect(reply.body).not.toMatch(/secret|stack|\.ts/);
    expect(rig.log()).toContain('secret inner workings');
  });
  it('a disk that refuses is unavailable', async () => {
    vi.spyOn(rig.store.members, 'insert').mockImplementation(() => {
      throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    });
    expect((await call('POST', 'members', { name: 'Ada' })).json()).toMatchObject({ code: 'unavailable', status: 503 });
  });
  it('a full queue is tried again, then told', async () => {
    let tries = 0;
    vi.spyOn(rig.loop, 'submit').mockImplementation(async () => {
      tries += 1;
      throw new Error('dropped');
    });
    const reply = call('POST', 'members', { name: 'Ada' });
    for (let attempt = 1; attempt < SUBMIT_TRIES; attempt++) {
      await vi.waitFor(() => expect([tries, rig.clock.waiting]).toEqual([attempt, 1]));
      rig.clock.advance(SUBMIT_PAUSE_MS);
    }
    expect((await reply).json()).toMatchObject({ code: 'unavailable' });
  });
  it('a change that found the queue full for too long is put in force when it has room', async () => {
    rig.addMember('ada');
    const submit = rig.loop.submit.bind(rig.loop);
    const spy = vi.spyOn(rig.loop, 'submit').mockRejectedValue(new Error('dropped'));
    const reply = call('PATCH', 'members/ada', { status: 'suspended' });
    for (let attempt = 1; attempt < SUBMIT_TRIES; attempt++) {
      await vi.waitFor(() => expect([spy.mock.calls.length, rig.clock.waiting]).toEqual([attempt, 1]));
      rig.clock.advance(SUBMIT_PAUSE_MS);
    }
    expect((await reply).json()).toMatchObject({ code: 'unavailable' });
    rig.clock.advance(SUBMIT_LATER_MS);
    await vi.waitFor(() => expect(rig.clock.waiting).toBe(1));
    spy.mockImplementation(submit);
    rig.clock.advance(SUBMIT_LATER_MS);
    await vi.waitFor(() =>
      expect(rig.facts.at(-1)).toMatchObject({ kind: 'members', upsert: [{ id: 'ada', status: 'suspended' }] }),
    );
  });
  it('a change that had to wait never undoes a newer one', async () => {
    rig.addMember('ada');
    const submit = rig.loop.submit.bind(rig.loop);
    vi.spyOn(rig.loop, 'submit').mockRejectedValueOnce(new Error('dropped')).mockImplementation(submit);
    const first = call('PATCH', 'members/ada', { status: 'active', name: 'Older' });
    await vi.waitFor(() => expect(rig.clock.waiting).toBe(1));
    await call('PATCH', 'members/ada', { status: 'suspended' });
    rig.clock.advance(SUBMIT_PAUSE_MS);
    await first;
    expect(rig.facts.at(-1)).toMatchObject({ upsert: [{ id: 'ada', status: 'suspended' }] });
  });
  it('only codes with a status leave by HTTP', () => {
    expect(Object.values(ERRORS).every(({ status }) => status === 0 || status >= 400)).toBe(true);
  });
});

describe('beside the API', () => {
  it('serves health, metrics, the OpenAPI document and its page without a sign-in', async () => {
    expect((await rig.app.inject('/health/live')).json()).toEqual({ status: 'ok' });
    expect((await rig.app.inject('/health/ready')).json()).toEqual({
      status: 'ready',
      parts: { broker: { ok: true, why: '' } },
    });
    expect((await rig.app.inject('/metrics')).body).toBe('doorward_up 1\n');
    const document = (await rig.app.inject('/openapi.json')).json<{
      openapi: string;
      paths: Record<string, Record<string, { responses: object }>>;
    }>();
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths['/api/v1/bookings']?.post?.responses ?? {})).toEqual(['201', '4XX', '5XX']);
    expect((await rig.app.inject('/docs/')).statusCode).toBe(200);
  });
  it('is not ready while a part is not', async () => {
    const own = await aRig({
      health: () => ({ ready: false, parts: { broker: { ok: false, why: 'It does not answer.' } } }),
    });
    const reply = await own.app.inject('/health/ready');
    expect([reply.statusCode, reply.json()]).toMatchObject([503, { parts: { broker: { ok: false } } }]);
    await own.close();
  });
  it('sends headers that keep a page to itself, and nothing that breaks plain HTTP', async () => {
    const { headers } = await rig.app.inject('/health/live');
    expect(headers['content-security-policy']).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
    expect(headers['content-security-policy']).not.toContain('upgrade-insecure-requests');
    expect(headers['strict-transport-security']).toBeUndefined();
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
  it('makes ids that sort by time and never repeat', () => {
    const ids = Array.from({ length: 1_000 }, (_, i) => ulid(NOW + i));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(Array.from({ length: 1_000 }, () => ulid(NOW))).size).toBe(1_000);
    expect(ids.every((id) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(id))).toBe(true);
  });
});
