import http from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Listening, listenApi } from '../../gateway/api/listen.ts';
import { CLIENTS_MAX, FLUSH_MS, LINGER_MS, PING_MS } from '../../gateway/api/live/hub.ts';
import { ChangeRing, type LiveChange, RING_CHANGES_MAX, RING_ITEMS_MAX } from '../../gateway/api/live/ring.ts';
import { change as changeSchema, ping as pingSchema, snapshot as snapshotSchema } from '../../gateway/wire/index.ts';
import { aDevice, aRig, bearer, iso, NOW, type Rig } from '../support/api.ts';
import { openStream, type Stream } from '../support/api-stream.ts';
import { HOUR, MINUTE } from '../support/records.ts';

let rig: Rig;
let listening: Listening;
const streams: Stream[] = [];
beforeEach(async () => {
  rig = await aRig();
  for (const id of ['ada', 'ben']) rig.addMember(id);
  listening = await listenApi(rig.app, { host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close();
  await listening.close();
  await rig.close();
});

const asToken = (token: string) => ({ authorization: `Bearer ${token}` });
async function open(headers: Record<string, string>, query = ''): Promise<Stream> {
  const stream = await openStream(`${listening.url}/api/v1/stream${query}`, headers);
  streams.push(stream);
  return stream;
}
/** Something happens in the house, and the hub passes it on. */
async function fault(device: string): Promise<void> {
  await rig.loop.submit({ kind: 'device_fault', device, fault: 'flood', why: `${device} floods.` });
  rig.clock.advance(200);
}

describe('stream', () => {
  it('begins with a snapshot of everything and a ping, each as the wire says', async () => {
    rig.addBooking('b1', NOW, NOW + HOUR);
    rig.addBooking('tomorrow', NOW + 24 * HOUR, NOW + 25 * HOUR);
    rig.store.journal.append([{ id: 'e', occurredAtMs: NOW, kind: 'access', member: 'ada' }], NOW);
    const stream = await open(asToken(rig.token('viewer')));
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(stream.headers['content-encoding']).toBeUndefined();
    const snapshot = snapshotSchema.parse((await stream.next('snapshot')).data);
    expect(snapshot.rooms.map(({ id }) => id)).toEqual(['r1', 'r2']);
    expect(snapshot.doors).toHaveLength(3);
    expect(snapshot.devices).toHaveLength(rig.devices.length);
    expect(snapshot.bookings.map(({ id }) => id)).toEqual(['b1']);
    expect(snapshot.events[0]).toMatchObject({ member: 'ada', memberName: 'Name of ada' });
    pingSchema.parse((await stream.next('ping')).data);
  });

  it('pings by name every 5 s', async () => {
    const stream = await open(asToken(rig.token('viewer')));
    await stream.next('ping');
    for (let i = 0; i < 3; i++) rig.clock.advance(PING_MS);
    await vi.waitFor(() => expect(stream.events.filter(({ event }) => event === 'ping')).toHaveLength(4));
  });

  it('tells what changed: alarms, journal, bookings, devices', async () => {
    const stream = await open(asToken(rig.token('reception')));
    await stream.next('ping');
    const seen = () =>
      stream.events.filter(({ event }) => event === 'change').map(({ data }) => changeSchema.parse(data));
    await fault('d1-lock');
    await vi.waitFor(() =>
      expect(seen().flatMap(({ alarms }) => alarms ?? [])).toMatchObject([{ device: 'd1-lock', status: 'open' }]),
    );
    const body = { room: 'r1', holder: 'ada', start: iso(NOW + HOUR), end: iso(NOW + 2 * HOUR) };
    const made = await rig.app.inject(
      bearer(rig.token('reception'), { method: 'POST', url: '/api/v1/bookings', payload: body }),
    );
    rig.clock.advance(200);
    await vi.waitFor(() => expect(seen().flatMap(({ bookings }) => bookings ?? [])).toEqual([made.json()]));
    await vi.waitFor(() =>
      expect(
        seen()
          .flatMap(({ rooms }) => rooms ?? [])
          .at(-1)?.booking.next,
      ).toMatchObject({ holderName: 'Name of ada' }),
    );
    rig.devices[0] = aDevice('r1-unit', { online: false });
    rig.clock.advance(PING_MS);
    await vi.waitFor(() =>
      expect(seen().flatMap(({ devices }) => devices ?? [])).toMatchObject([{ id: 'r1-unit', online: false }]),
    );
    rig.store.journal.append([], NOW);
    const ids = stream.events.flatMap(({ event, id }) => (event === 'change' ? [Number(id?.split('-')[2])] : []));
    expect(ids).toEqual(ids.map((_, i) => (ids[0] ?? 0) + i));
  });

  it('goes on from Last-Event-ID without losing or repeating a change', async () => {
    const token = rig.token('viewer');
    const first = await open(asToken(token));
    await first.next('ping');
    await fault('d1-lock');
    const last = await first.next('change');
    first.close();
    await fault('d2-lock');
    await fault('r1-unit');
    for (const again of [
      await open({ ...asToken(token), 'last-event-id': last.id ?? '' }),
      await open(asToken(token), `?lastEventId=${last.id}`),
    ]) {
      await again.next('ping');
      const alarms = again.events.flatMap(({ event, data }) =>
        event === 'change' ? (changeSchema.parse(data).alarms ?? []) : [],
      );
      expect(alarms.map(({ device }) => device)).toEqual(['d2-lock', 'r1-unit']);
      expect(again.events.some(({ event }) => event === 'snapshot')).toBe(false);
    }
  });

  it.each(['', 'abc', '0-0-0', 'deadbeef-00000000-1', `${'9'.repeat(60)}`])(
    'starts afresh after an id it never gave: %j',
    async (id) => {
      const stream = await open({ ...asToken(rig.token('viewer')), 'last-event-id': id });
      await stream.next('snapshot');
    },
  );

  it('starts afresh with another role, and when the changes between are gone', async () => {
    const viewer = rig.token('viewer');
    const first = await open(asToken(viewer));
    const { id = '' } = await first.next('snapshot');
    const other = await open({ ...asToken(rig.token('practitioner')), 'last-event-id': id });
    expect((await other.next('snapshot')).data).toMatchObject({ rooms: [], alarms: [], devices: [], events: [] });
    first.close();
    other.close();
    await vi.waitFor(() => expect(rig.clock.waiting).toBe(2));
    rig.clock.advance(LINGER_MS);
    await vi.waitFor(() => expect(rig.clock.waiting).toBe(0));
    await (await open({ ...asToken(viewer), 'last-event-id': id })).next('snapshot');
  });

  it('gives a practitioner his own, and of others that the time is taken', async () => {
    rig.addBooking('own', NOW + HOUR, NOW + 2 * HOUR, { holder: 'ben' });
    rig.addBooking('other', NOW - MINUTE, NOW + HOUR, { holder: 'ada' });
    rig.addBooking('elsewhere', NOW, NOW + HOUR, { room: 'r2', holder: 'ada' });
    await rig.loop.submit({ kind: 'tick' });
    rig.addUser('dr-ben', 'practitioner', 'ben');
    const { cookie } = await rig.signIn('dr-ben');
    const stream = await open({ cookie });
    const snapshot = snapshotSchema.parse((await stream.next('snapshot')).data);
    expect(snapshot.rooms.map(({ id }) => id)).toEqual(['r1']);
    expect(snapshot.bookings.map(({ id }) => id)).toEqual(['own']);
    expect(snapshot.rooms[0]?.booking).toMatchObject({
      now: { id: 'taken', holder: '', holderName: null },
      next: { id: 'own', holderName: 'Name of ben' },
    });
    await fault('d2-lock');
    const seen = stream.events.length;
    const body = { room: 'r2', holder: 'ben', start: iso(NOW + 3 * HOUR), end: iso(NOW + 4 * HOUR) };
    await rig.app.inject(bearer(rig.token('reception'), { method: 'POST', url: '/api/v1/bookings', payload: body }));
    const again = snapshotSchema.parse((await stream.next('snapshot', seen)).data);
    expect(again.rooms.map(({ id }) => id)).toEqual(['r1', 'r2']);
    expect(JSON.stringify(stream.events)).not.toMatch(/Name of ada|"ada"|"other"|floods/);
  });

  it('asks the database for no list of bookings, however many practitioners look on', async () => {
    const cookies: string[] = [];
    for (const id of ['ada', 'ben']) {
      rig.addBooking(`b-${id}`, NOW + HOUR, NOW + 2 * HOUR, { holder: id, room: id === 'ada' ? 'r1' : 'r2' });
      rig.addUser(`dr-${id}`, 'practitioner', id);
      cookies.push((await rig.signIn(`dr-${id}`)).cookie);
    }
    await rig.loop.submit({ kind: 'tick' });
    const lists = vi.spyOn(rig.store.bookings, 'list');
    const opened = await Promise.all(cookies.map((cookie) => open({ cookie })));
    await Promise.all(opened.map((stream) => stream.next('ping')));
    await rig.loop.submit({ kind: 'device', device: 'd1-lock', online: false });
    rig.clock.advance(200);
    const change = changeSchema.parse((await (opened[0] as Stream).next('change')).data);
    expect(change.doors?.map(({ id }) => id)).toEqual(['d1']);
    expect((await rig.app.inject({ url: '/api/v1/rooms', headers: { cookie: cookies[1] } })).json()).toHaveLength(1);
    expect(lists).not.toHaveBeenCalled();
  });

  it('ends with the session, whose idle time it does not stretch', async () => {
    rig.addUser('rita', 'reception');
    const { cookie } = await rig.signIn('rita');
    const stream = await open({ cookie });
    await stream.next('ping');
    rig.clock.advance(29 * MINUTE);
    expect(stream.ended()).toBe(false);
    rig.clock.advance(MINUTE + PING_MS);
    await vi.waitFor(() => expect(stream.ended()).toBe(true));
  });

  it('ends when its token is removed or its user gets another role', async () => {
    rig.addUser('rita', 'reception');
    const session = await open({ cookie: (await rig.signIn('rita')).cookie });
    const machine = await open(asToken(rig.token('viewer')));
    await Promise.all([session.next('ping'), machine.next('ping')]);
    rig.addUser('rita', 'viewer');
    for (const { id } of rig.store.tokens.list()) rig.store.tokens.remove(id);
    rig.clock.advance(PING_MS);
    await vi.waitFor(() => expect([session.ended(), machine.ended()]).toEqual([true, true]));
  });

  it('serves a bounded number of clients and tells the next to come back', async () => {
    const token = rig.token('viewer');
    const opened = await Promise.all(Array.from({ length: CLIENTS_MAX }, () => open(asToken(token))));
    expect(opened.every(({ status }) => status === 200)).toBe(true);
    expect((await open(asToken(token))).status).toBe(503);
    opened[0]?.close();
    await vi.waitFor(async () => expect((await open(asToken(token))).status).toBe(200));
  });

  it('cuts a client off that does not read, and nobody else', async () => {
    const token = rig.token('viewer');
    const good = await open(asToken(token));
    const stuck = http.get(`${listening.url}/api/v1/stream`, { headers: asToken(token), agent: false });
    const closed = vi.fn();
    stuck.on('error', () => {});
    stuck.on('response', (response) => {
      response.pause();
      response.on('error', () => {});
      response.socket.on('close', closed);
      response.socket.pause();
    });
    await good.next('ping');
    const bulky = 'x'.repeat(200_000);
    let turn = 0;
    await vi.waitFor(
      () => {
        rig.devices[0] = aDevice('r1-unit', { fault: `${bulky}${turn++}` });
        rig.clock.advance(PING_MS);
        expect(rig.log()).toContain('a client is too slow');
      },
      { timeout: 15_000, interval: 5 },
    );
    expect(good.ended()).toBe(false);
    stuck.destroy();
  });

  it('closes at once when the gateway stops', async () => {
    const stream = await open(asToken(rig.token('viewer')));
    await stream.next('ping');
    await listening.close();
    await vi.waitFor(() => expect(stream.ended()).toBe(true));
  });
});

describe('ring of changes', () => {
  const aChange = (seq: number, alarms = 1): LiveChange => ({
    seq,
    atMs: NOW,
    rooms: [],
    doors: [],
    devices: [],
    events: [],
    bookings: [],
    alarms: Array.from({ length: alarms }, () => ({
      id: 'a',
      kind: 'disk',
      severity: 'info',
      text: '',
      status: 'open',
      openedAtMs: NOW,
    })),
  });
  it('gives what came after, or nothing when a part of it is gone', () => {
    const ring = new ChangeRing();
    for (let seq = 1; seq <= RING_CHANGES_MAX + 10; seq++) ring.add(aChange(seq));
    const last = RING_CHANGES_MAX + 10;
    expect(ring.since(last, last)).toEqual([]);
    expect(ring.since(last - 2, last)?.map(({ seq }) => seq)).toEqual([last - 1, last]);
    expect(ring.since(10, last)).toHaveLength(RING_CHANGES_MAX);
    expect(ring.since(9, last)).toBeUndefined();
    expect(ring.since(last + 1, last)).toBeUndefined();
  });
  it('holds a bounded number of items', () => {
    const ring = new ChangeRing();
    for (let seq = 1; seq <= 10; seq++) ring.add(aChange(seq, RING_ITEMS_MAX / 4));
    expect(ring.since(6, 10)).toHaveLength(4);
    expect(ring.since(5, 10)).toBeUndefined();
    expect(FLUSH_MS).toBeLessThan(200);
  });
});
