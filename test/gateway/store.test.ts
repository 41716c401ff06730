import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Alarm } from '../../gateway/core/effects.ts';
import type { Booking, BookingStatus } from '../../gateway/core/records.ts';
import { openStore } from '../../gateway/store/store.ts';
import type { CredentialRecord, Store } from '../../gateway/store/types.ts';

let dir: string;
let store: Store;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-store-'));
  store = openStore(path.join(dir, 'data'));
});
afterEach(() => {
  store.close();
  fs.rmSync(dir, { recursive: true });
});
const data = () => path.join(dir, 'data');
function reopen(): void {
  store.close();
  store = openStore(data());
}

const HOUR = 3_600_000;
function booking(change: Partial<Booking> = {}): Booking {
  return {
    id: 'b1',
    room: 'consult-1',
    holder: 'm1',
    delegates: [],
    startMs: 10 * HOUR,
    endMs: 11 * HOUR,
    status: 'confirmed',
    source: 'local',
    title: 'Physiotherapy',
    ...change,
  };
}

describe('bookings', () => {
  beforeEach(() => {
    expect(store.bookings.insert(booking()).ok).toBe(true);
  });

  test.each([
    ['ends at the start', 9, 10, true],
    ['starts at the end', 11, 12, true],
    ['the same hour', 10, 11, false],
    ['one millisecond over the start', 9, 10 + 1 / HOUR, false],
    ['one millisecond before the end', 11 - 1 / HOUR, 12, false],
    ['within', 10.25, 10.5, false],
    ['around', 9, 12, false],
  ])('%s: the window is half-open', (_, startH, endH, free) => {
    const result = store.bookings.insert(booking({ id: 'b2', startMs: startH * HOUR, endMs: endH * HOUR }));
    expect(result.ok).toBe(free);
    if (!result.ok) expect(result).toMatchObject({ code: 'booking_overlap', clash: { id: 'b1' } });
  });

  test.each(['cancelled', 'released', 'fulfilled'] as const)('a %s booking gives the room free', (status) => {
    expect(store.bookings.setStatus('b1', status).ok).toBe(true);
    expect(store.bookings.insert(booking({ id: 'b2' })).ok).toBe(true);
    // And it cannot come back while another has the room.
    expect(store.bookings.setStatus('b1', 'confirmed')).toMatchObject({ code: 'booking_overlap', clash: { id: 'b2' } });
  });

  test('another room is another matter', () => {
    expect(store.bookings.insert(booking({ id: 'b2', room: 'consult-2' })).ok).toBe(true);
    expect(store.bookings.update('b2', { room: 'consult-1' })).toMatchObject({ code: 'booking_overlap' });
    expect(store.bookings.get('b2')?.room).toBe('consult-2');
  });

  test('a booking does not stand in its own way', () => {
    expect(store.bookings.update('b1', { endMs: 11.5 * HOUR, title: undefined })).toMatchObject({
      ok: true,
      value: { title: 'Physiotherapy', endMs: 11.5 * HOUR },
    });
  });

  test('the same id, an end before the start and an unknown id are refused', () => {
    expect(store.bookings.insert(booking({ startMs: 20 * HOUR, endMs: 21 * HOUR }))).toMatchObject({
      code: 'conflict',
    });
    expect(store.bookings.insert(booking({ id: 'b2', startMs: 20 * HOUR, endMs: 20 * HOUR }))).toMatchObject({
      code: 'conflict',
    });
    expect(store.bookings.update('b1', { startMs: 12 * HOUR })).toMatchObject({ code: 'conflict' });
    expect(store.bookings.setStatus('none', 'cancelled')).toEqual({ ok: false, code: 'not_found' });
  });

  test('lists those that overlap a window, in the order of their start', () => {
    store.bookings.insert(booking({ id: 'b0', startMs: 8 * HOUR, endMs: 9 * HOUR, holder: 'm2', delegates: ['m1'] }));
    const ids = (query: Parameters<typeof store.bookings.list>[0]) => store.bookings.list(query).map((b) => b.id);
    expect(ids({})).toEqual(['b0', 'b1']);
    expect(ids({ fromMs: 9 * HOUR, toMs: 10 * HOUR })).toEqual([]);
    expect(ids({ fromMs: 9 * HOUR - 1, toMs: 10 * HOUR + 1 })).toEqual(['b0', 'b1']);
    expect(ids({ holder: 'm2' })).toEqual(['b0']);
    expect(ids({ room: 'consult-1', limit: 1 })).toEqual(['b0']);
    reopen();
    expect(store.bookings.get('b0')).toEqual(
      booking({ id: 'b0', startMs: 8 * HOUR, endMs: 9 * HOUR, holder: 'm2', delegates: ['m1'] }),
    );
  });

  test('whatever is tried, two bookings that block never overlap in one room', () => {
    const status = fc.constantFrom<BookingStatus>('confirmed', 'tentative', 'checked_in', 'cancelled', 'fulfilled');
    const attempt = fc.record({ id: fc.integer({ min: 0, max: 15 }), at: fc.nat(20), long: fc.nat(6), status });
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 40 }), fc.integer(), (attempts, salt) => {
        const room = `room-${salt}`;
        for (const { id, at, long, status } of attempts) {
          const wanted = booking({ id: `${salt}-${id}`, room, startMs: at, endMs: at + long, status });
          if (!store.bookings.insert(wanted).ok) store.bookings.update(wanted.id, wanted);
        }
        const blocking = store.bookings
          .list({ room })
          .filter((b) => b.status === 'confirmed' || b.status === 'tentative' || b.status === 'checked_in');
        for (const [i, b] of blocking.entries()) {
          const next = blocking[i + 1];
          expect(next === undefined || b.endMs <= next.startMs).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('people', () => {
  const member = {
    id: 'm1',
    name: 'Ada',
    kind: 'cleaner',
    status: 'active',
    rights: [{ doors: ['d1'], weekly: [{ days: ['mon'], from: '18:00', to: '22:00' }] }, { doors: ['d2'] }],
  } as const;
  const card: CredentialRecord = { id: 'c1', member: 'm1', format: 'uid', hash: 'h1', last4: '5E80', status: 'active' };

  test('members keep their rights as they were given', () => {
    expect(store.members.insert(member).ok).toBe(true);
    expect(store.members.insert(member)).toMatchObject({ ok: false, code: 'conflict' });
    expect(store.members.update('m1', { status: 'suspended', name: undefined })).toMatchObject({
      value: { name: 'Ada', status: 'suspended' },
    });
    expect(store.members.update('m2', {})).toMatchObject({ code: 'not_found' });
    reopen();
    expect(store.members.get('m1')).toEqual({ ...member, status: 'suspended' });
    expect(store.members.list()).toHaveLength(1);
  });

  test('a card is one active credential at a time, and is free again once revoked', () => {
    expect(store.credentials.insert(card)).toMatchObject({ code: 'conflict', why: 'There is no member m1.' });
    store.members.insert(member);
    expect(store.credentials.insert({ ...card, validFromMs: 5 }).ok).toBe(true);
    expect(store.credentials.insert({ ...card, id: 'c2' })).toMatchObject({ code: 'conflict' });
    expect(store.credentials.revoke('c1')).toMatchObject({ value: { status: 'revoked', validFromMs: 5 } });
    expect(store.credentials.insert({ ...card, id: 'c2' }).ok).toBe(true);
    expect(store.credentials.revoke('c9')).toMatchObject({ code: 'not_found' });
    expect(store.credentials.list().map((c) => c.status)).toEqual(['revoked', 'active']);
  });
});

describe('accounts', () => {
  test('users are put, put again and removed', () => {
    store.users.put({ name: 'ann', role: 'manager', passwordHash: 'x' });
    store.users.put({ name: 'ann', role: 'practitioner', member: 'm1', passwordHash: 'y' });
    expect(store.users.list()).toEqual([{ name: 'ann', role: 'practitioner', member: 'm1', passwordHash: 'y' }]);
    expect(store.users.remove('ann').ok).toBe(true);
    expect(store.users.remove('ann')).toMatchObject({ code: 'not_found' });
    expect(store.users.get('ann')).toBeUndefined();
  });

  test('tokens are found by the hash of their secret only', () => {
    const token = { id: 't1', role: 'integrator', note: 'calendar', createdAtMs: 5 } as const;
    store.tokens.insert(token, 'aa');
    expect(store.tokens.bySecretHash('aa')).toEqual(token);
    expect(store.tokens.bySecretHash('ab')).toBeUndefined();
    expect(store.tokens.list()).toEqual([token]);
    expect(store.tokens.remove('t1').ok).toBe(true);
    expect(store.tokens.bySecretHash('aa')).toBeUndefined();
  });

  test('sessions end one by one, all of a user, or by age', () => {
    for (const [id, user, expiresAtMs] of [
      ['s1', 'ann', 10],
      ['s2', 'ann', 20],
      ['s3', 'bob', 30],
    ] as const) {
      store.sessions.set(id, JSON.stringify({ user, csrf: 'x' }), expiresAtMs);
    }
    store.sessions.set('s4', 'not json', 30);
    store.sessions.prune(10);
    expect(store.sessions.get('s1')).toBeUndefined();
    expect(store.sessions.get('s2')).toBe('{"user":"ann","csrf":"x"}');
    store.sessions.removeOfUser('ann');
    expect(store.sessions.get('s2')).toBeUndefined();
    store.sessions.remove('s3');
    expect(store.sessions.get('s3')).toBeUndefined();
    expect(store.sessions.get('s4')).toBe('not json');
  });
});

describe('the running building', () => {
  test('the last 50 unknown cards, each once per reader, under the id of their first sight', () => {
    const card = (n: number, seenAtMs: number) =>
      ({ id: `u${n}-${seenAtMs}`, reader: 'r/reader', hash: `h${n}`, format: 'uid', last4: '0000', seenAtMs }) as const;
    for (let n = 0; n < 60; n += 1) store.unknownCards.put(card(n, n));
    expect(store.unknownCards.list()).toHaveLength(50);
    store.unknownCards.put(card(20, 100));
    expect(store.unknownCards.list()).toHaveLength(50);
    expect(store.unknownCards.list()[0]).toMatchObject({ id: 'u20-20', seenAtMs: 100 });
    expect(store.unknownCards.take('u20-20')).toMatchObject({ hash: 'h20' });
    expect(store.unknownCards.take('u20-20')).toBeUndefined();
    expect(store.unknownCards.take('u5-5')).toBeUndefined();
  });

  test('alarms live until resolved', () => {
    const alarm: Alarm = {
      id: 'a1',
      kind: 'door_forced',
      severity: 'critical',
      door: 'd1',
      text: 'Forced.',
      status: 'open',
      openedAtMs: 1,
    };
    store.alarms.put(alarm);
    store.alarms.put({ ...alarm, id: 'a2', openedAtMs: 2 });
    store.alarms.put({ ...alarm, status: 'acknowledged', acknowledgedAtMs: 3, acknowledgedBy: 'ann', note: 'seen' });
    expect(store.alarms.live().map((a) => [a.id, a.status])).toEqual([
      ['a2', 'open'],
      ['a1', 'acknowledged'],
    ]);
    store.alarms.put({ ...alarm, status: 'resolved', resolvedAtMs: 4 });
    expect(store.alarms.live().map((a) => a.id)).toEqual(['a2']);
    expect(store.alarms.list(1).map((a) => a.id)).toEqual(['a2']);
    expect(store.alarms.list(9)).toHaveLength(2);
  });

  test('relays and loose values keep the last', () => {
    store.relays.put({ point: 'p/relay', value: 'on', atMs: 1 });
    store.relays.put({ point: 'p/relay', value: 'off', atMs: 2 });
    store.meta.set('k', '1');
    store.meta.set('k', '2');
    reopen();
    expect(store.relays.list()).toEqual([{ point: 'p/relay', value: 'off', atMs: 2 }]);
    expect(store.meta.get('k')).toBe('2');
    expect(store.meta.get('none')).toBeUndefined();
  });
});

describe('the data folder', () => {
  test('one process at a time writes it; looking is allowed', () => {
    expect(() => openStore(data())).toThrow(expect.objectContaining({ code: 'data_locked' }));
    const reader = openStore(data(), { readonly: true });
    store.journal.append([{ id: 'e1', occurredAtMs: 1, kind: 'system' }], 1);
    expect(reader.journal.last()?.id).toBe('e1');
    expect(() => reader.meta.set('k', 'v')).toThrow(/readonly/);
    reader.close();
    store.close();
    openStore(data()).close();
  });

  test('the secret is made once, for the owner alone, and never made anew beside data', () => {
    const file = path.join(data(), 'secret.key');
    const { secret } = store;
    expect(secret).toHaveLength(32);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(fs.statSync(data()).mode & 0o777).toBe(0o700);
    reopen();
    expect(store.secret.equals(secret)).toBe(true);
    store.close();
    fs.renameSync(file, `${file}.away`);
    expect(() => openStore(data())).toThrow(expect.objectContaining({ code: 'data_unusable' }));
    expect(fs.existsSync(file)).toBe(false);
    fs.writeFileSync(file, 'short');
    expect(() => openStore(data())).toThrow(/5 bytes/);
    fs.renameSync(`${file}.away`, file);
    store = openStore(data());
  });

  test.each([
    ['a file in the folder’s place', (folder: string) => fs.writeFileSync(folder, '')],
    [
      'no database',
      (folder: string) => {
        fs.mkdirSync(folder);
        fs.writeFileSync(path.join(folder, 'secret.key'), Buffer.alloc(32));
        fs.writeFileSync(
          path.join(folder, 'doorward.db'),
          'not a database, but long enough to be looked at'.repeat(20),
        );
      },
    ],
    ['nothing to look at', () => {}],
  ])('%s is a fault with the path', (_, spoil) => {
    const folder = path.join(dir, 'other');
    spoil(folder);
    const readonly = !fs.existsSync(folder);
    expect(() => openStore(folder, { readonly })).toThrow(
      expect.objectContaining({ code: 'data_unusable', detail: expect.stringContaining(folder) }),
    );
  });

  test('a database of a newer version is left alone', async () => {
    store.close();
    const { default: Sqlite } = await import('../../gateway/store/sqlite.ts');
    const file = path.join(data(), 'doorward.db');
    const db = new Sqlite(file);
    const version = Number(db.pragma('user_version', { simple: true }));
    db.pragma('user_version = 99');
    db.close();
    expect(() => openStore(data())).toThrow(/newer Doorward/);
    const mend = new Sqlite(file);
    mend.pragma(`user_version = ${version}`);
    mend.close();
    store = openStore(data());
  });

  test('bookings are looked up by their room and time, not one by one', async () => {
    const { default: Sqlite } = await import('../../gateway/store/sqlite.ts');
    const db = new Sqlite(path.join(data(), 'doorward.db'), { readonly: true });
    const plan = db
      .prepare<[], { detail: string }>(
        `EXPLAIN QUERY PLAN SELECT id FROM bookings WHERE room = 'r' AND end_ms > 1 AND start_ms < 2 ORDER BY start_ms`,
      )
      .all();
    db.close();
    expect(plan[0]?.detail).toMatch(/^SEARCH bookings USING INDEX .*room=/);
  });
});
