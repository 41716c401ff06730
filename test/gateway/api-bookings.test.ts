import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Booking as WireBooking } from '../../gateway/wire/index.ts';
import { aRig, bearer, iso, NOW, type Rig } from '../support/api.ts';
import { HOUR, MINUTE } from '../support/records.ts';

let rig: Rig;
let token: string;
beforeEach(async () => {
  rig = await aRig();
  rig.addMember('ada');
  rig.addMember('ben');
  token = rig.token('reception');
});
afterEach(() => rig.close());

const S = NOW + HOUR;
const body = (change: object = {}) => ({ room: 'r1', holder: 'ada', start: iso(S), end: iso(S + HOUR), ...change });
const post = (payload: object) => rig.app.inject(bearer(token, { method: 'POST', url: '/api/v1/bookings', payload }));
const call = (method: 'GET' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
  rig.app.inject(bearer(token, { method, url: `/api/v1${url}`, ...(payload && { payload }) }));

describe('booking', () => {
  it('is stored, put into force and given back', async () => {
    const made = await post(body({ title: 'Tuesday clinic', delegates: ['ben'] }));
    expect(made.statusCode).toBe(201);
    const booking = made.json<WireBooking>();
    expect(booking).toEqual({
      id: expect.stringMatching(/^b-/),
      room: 'r1',
      holder: 'ada',
      delegates: ['ben'],
      start: iso(S),
      end: iso(S + HOUR),
      status: 'confirmed',
      source: 'local',
      title: 'Tuesday clinic',
    });
    expect(made.headers.location).toBe(`/api/v1/bookings/${booking.id}`);
    expect(rig.store.bookings.get(booking.id)?.startMs).toBe(S);
    expect(rig.facts).toMatchObject([{ kind: 'bookings', upsert: [{ id: booking.id }], by: 'token:t-reception-0' }]);
    expect(rig.loop.rooms().find((room) => room.id === 'r1')?.booking.next?.id).toBe(booking.id);
    expect((await call('GET', `/bookings/${booking.id}`)).json()).toEqual(booking);
  });

  it('reads any offset as the same instant', async () => {
    const made = await post(body({ start: '2026-03-02T11:00:00+02:00', end: '2026-03-02T12:30:00+02:00' }));
    expect(made.json()).toMatchObject({ start: '2026-03-02T09:00:00.000Z', end: '2026-03-02T10:30:00.000Z' });
  });

  it.each([
    ['ends before it starts', { end: iso(S) }, 'body.end'],
    ['is longer than 31 days', { end: iso(S + 32 * 24 * HOUR) }, 'body.end'],
    ['is in no room', { room: 'nowhere' }, 'body.room'],
    ['is held by nobody', { holder: 'nobody' }, 'body.holder'],
    ['has an unknown delegate', { delegates: ['ben', 'nobody'] }, 'body.delegates.1'],
    ['is in another century', { start: '2126-03-02T09:00:00Z', end: '2126-03-02T10:00:00Z' }, 'body.start'],
    ['has no time zone', { start: '2026-03-02T09:00:00' }, 'body.start'],
    ['is on the 30th of February', { start: '2026-02-30T09:00:00Z' }, 'body.start'],
    ['has a number for a room', { room: 7 }, 'body.room'],
    ['has a key that is not known', { colour: 'red' }, 'body'],
  ])('that %s is refused with its path', async (_, change, path) => {
    const reply = await post(body(change));
    expect(reply.statusCode).toBe(400);
    expect(reply.headers['content-type']).toContain('application/problem+json');
    expect(reply.json()).toMatchObject({ code: 'invalid', status: 400 });
    expect(reply.json<{ errors: { path: string }[] }>().errors.map((error) => error.path)).toContain(path);
    expect(rig.store.bookings.list({})).toEqual([]);
  });

  it('shows all faults at once', async () => {
    const reply = await post(body({ room: 'x', holder: 'y', end: iso(S - 1) }));
    expect(reply.json<{ errors: unknown[] }>().errors).toHaveLength(3);
  });

  it('that overlaps another is refused with the clash named', async () => {
    rig.addBooking('first', S, S + HOUR);
    const reply = await post(body({ holder: 'ben', start: iso(S + 59 * MINUTE), end: iso(S + 2 * HOUR) }));
    expect(reply.statusCode).toBe(409);
    expect(reply.json()).toMatchObject({
      code: 'booking_overlap',
      clash: { id: 'first', holder: 'ada', start: iso(S) },
    });
  });

  it.each([
    ['ends in the millisecond in which the next starts', -HOUR, 0, 201],
    ['starts in the millisecond in which the other ends', HOUR, 2 * HOUR, 201],
    ['reaches one millisecond into the next', -HOUR, 1, 409],
    ['starts one millisecond too early', HOUR - 1, 2 * HOUR, 409],
    ['lies within', MINUTE, 2 * MINUTE, 409],
    ['lies around', -HOUR, 2 * HOUR, 409],
  ])('that %s', async (_, from, to, status) => {
    rig.addBooking('first', S, S + HOUR);
    expect((await post(body({ start: iso(S + from), end: iso(S + to) }))).statusCode).toBe(status);
  });

  it('in another room, or beside a cancelled one, is no clash', async () => {
    rig.addBooking('first', S, S + HOUR);
    expect((await post(body({ room: 'r2' }))).statusCode).toBe(201);
    await call('DELETE', '/bookings/first');
    expect((await post(body())).statusCode).toBe(201);
  });

  it('sent twice with the same id is made once; another with that id is a conflict', async () => {
    expect((await post(body({ id: 'mine' }))).statusCode).toBe(201);
    expect((await post(body({ id: 'mine' }))).statusCode).toBe(201);
    expect(rig.facts).toHaveLength(1);
    const other = await post(body({ id: 'mine', room: 'r2' }));
    expect([other.statusCode, other.json<{ code: string }>().code]).toEqual([409, 'conflict']);
  });

  it('is cancelled by DELETE, in force at once', async () => {
    rig.addBooking('first', S, S + HOUR);
    const reply = await call('DELETE', '/bookings/first');
    expect([reply.statusCode, reply.body]).toEqual([204, '']);
    expect(rig.store.bookings.get('first')?.status).toBe('cancelled');
    expect(rig.facts.at(-1)).toMatchObject({ kind: 'bookings', upsert: [{ id: 'first', status: 'cancelled' }] });
    expect(rig.loop.rooms()[0]?.booking.next).toBeNull();
  });

  it('is extended and moved, but not into another, and not turned round', async () => {
    rig.addBooking('first', S, S + HOUR);
    rig.addBooking('second', S + 2 * HOUR, S + 3 * HOUR);
    expect((await call('PATCH', '/bookings/first', { end: iso(S + 2 * HOUR) })).json()).toMatchObject({
      end: iso(S + 2 * HOUR),
    });
    expect((await call('PATCH', '/bookings/first', { end: iso(S + 2 * HOUR + 1) })).json()).toMatchObject({
      code: 'booking_overlap',
      clash: { id: 'second' },
    });
    expect((await call('PATCH', '/bookings/first', { end: iso(S) })).json()).toMatchObject({ code: 'invalid' });
    expect((await call('PATCH', '/bookings/first', { room: 'r2' })).statusCode).toBe(200);
    expect((await call('PATCH', '/bookings/nothing', { room: 'r2' })).statusCode).toBe(404);
  });

  it('is listed by room and window', async () => {
    rig.addBooking('a', S, S + HOUR);
    rig.addBooking('b', S + HOUR, S + 2 * HOUR);
    rig.addBooking('c', S, S + HOUR, { room: 'r2' });
    const ids = async (query: string) =>
      (await call('GET', `/bookings?${query}`)).json<WireBooking[]>().map((b) => b.id);
    expect(await ids('room=r1')).toEqual(['a', 'b']);
    expect(await ids(`from=${iso(S + HOUR)}`)).toEqual(['b']);
    expect(await ids(`to=${iso(S + HOUR)}`)).toEqual(['a', 'c']);
    expect((await call('GET', '/bookings?from=yesterday')).statusCode).toBe(400);
  });

  it('of any series of requests never overlaps another in its room', async () => {
    const slot = fc.record({
      room: fc.constantFrom('r1', 'r2'),
      from: fc.integer({ min: 0, max: 20 }),
      length: fc.integer({ min: 1, max: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(slot, { maxLength: 8 }), async (slots) => {
        for (const { room, from, length } of slots)
          await post(body({ room, start: iso(S + from * MINUTE), end: iso(S + (from + length) * MINUTE) }));
        const all = rig.store.bookings.list({}).filter((b) => b.status === 'confirmed');
        for (const a of all)
          for (const b of all)
            if (a.id !== b.id && a.room === b.room) expect(a.endMs <= b.startMs || b.endMs <= a.startMs).toBe(true);
      }),
      { numRuns: 15 },
    );
  });
});
