import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repeatTimes, shiftTimes } from '../../gateway/calendars/series.ts';
import type { ChangedBooking, LeftOut, MadeBooking } from '../../gateway/wire/index.ts';
import { aRig, bearer, DAY, iso, NOW, type Rig } from '../support/api.ts';
import { HOUR } from '../support/records.ts';

const BERLIN = 'Europe/Berlin';
const NEW_YORK = 'America/New_York';
/** The rig's site is in Berlin; Monday 2 March 2026, 09:00 there. */
const START = '2026-03-02T09:00:00+01:00';
const END = '2026-03-02T10:00:00+01:00';

const at = (text: string) => Date.parse(text);
const window = (start: string, end: string) => ({ startMs: at(start), endMs: at(end) });
const weekly = { every: 'week', interval: 1, except: [] } as const;

describe('the times of a series', () => {
  const shown = (first: { startMs: number; endMs: number }, repetition: object, zone: string) => {
    const found = repeatTimes(first, { ...weekly, ...repetition }, zone);
    return found.ok ? found.times.map((time) => `${iso(time.startMs)} ${iso(time.endMs)}`) : found;
  };
  it.each([
    [
      'stay at nine when summer time begins',
      BERLIN,
      window('2026-03-23T09:00:00+01:00', '2026-03-23T10:00:00+01:00'),
      { count: 2 },
      ['2026-03-23T08:00:00.000Z 2026-03-23T09:00:00.000Z', '2026-03-30T07:00:00.000Z 2026-03-30T08:00:00.000Z'],
    ],
    [
      'stay at nine when summer time ends',
      NEW_YORK,
      window('2026-10-26T09:00:00-04:00', '2026-10-26T10:00:00-04:00'),
      { count: 2 },
      ['2026-10-26T13:00:00.000Z 2026-10-26T14:00:00.000Z', '2026-11-02T14:00:00.000Z 2026-11-02T15:00:00.000Z'],
    ],
    [
      'of a night are an hour shorter on the night of the change',
      BERLIN,
      window('2026-03-27T22:00:00+01:00', '2026-03-28T06:00:00+01:00'),
      { every: 'day', count: 2 },
      ['2026-03-27T21:00:00.000Z 2026-03-28T05:00:00.000Z', '2026-03-28T21:00:00.000Z 2026-03-29T04:00:00.000Z'],
    ],
    [
      'that the change skips move on with the clock',
      BERLIN,
      window('2026-03-28T02:15:00+01:00', '2026-03-28T02:45:00+01:00'),
      { every: 'day', count: 2 },
      ['2026-03-28T01:15:00.000Z 2026-03-28T01:45:00.000Z', '2026-03-29T01:15:00.000Z 2026-03-29T01:45:00.000Z'],
    ],
    [
      'that the change would leave nothing of keep their length',
      BERLIN,
      window('2026-03-28T02:30:00+01:00', '2026-03-28T03:15:00+01:00'),
      { every: 'day', count: 2 },
      ['2026-03-28T01:30:00.000Z 2026-03-28T02:15:00.000Z', '2026-03-29T01:30:00.000Z 2026-03-29T02:15:00.000Z'],
    ],
    [
      'that come twice are the first one',
      BERLIN,
      window('2026-10-24T02:30:00+02:00', '2026-10-24T02:45:00+02:00'),
      { every: 'day', count: 2 },
      ['2026-10-24T00:30:00.000Z 2026-10-24T00:45:00.000Z', '2026-10-25T00:30:00.000Z 2026-10-25T00:45:00.000Z'],
    ],
    [
      'begin in the second of two hours when that is what was asked for',
      BERLIN,
      window('2026-10-25T02:30:00+01:00', '2026-10-25T02:45:00+01:00'),
      { every: 'day', count: 2 },
      ['2026-10-25T01:30:00.000Z 2026-10-25T01:45:00.000Z', '2026-10-26T01:30:00.000Z 2026-10-26T01:45:00.000Z'],
    ],
    [
      'keep their milliseconds',
      BERLIN,
      window('2026-03-02T09:00:00.250+01:00', '2026-03-02T10:00:00.750+01:00'),
      { count: 2 },
      ['2026-03-02T08:00:00.250Z 2026-03-02T09:00:00.750Z', '2026-03-09T08:00:00.250Z 2026-03-09T09:00:00.750Z'],
    ],
    [
      'of the 31st are there only in months that have one',
      BERLIN,
      window('2026-01-31T09:00:00+01:00', '2026-01-31T10:00:00+01:00'),
      { every: 'month', count: 3 },
      [
        '2026-01-31T08:00:00.000Z 2026-01-31T09:00:00.000Z',
        '2026-03-31T07:00:00.000Z 2026-03-31T08:00:00.000Z',
        '2026-05-31T07:00:00.000Z 2026-05-31T08:00:00.000Z',
      ],
    ],
    [
      'of the second Tuesday stay on it',
      BERLIN,
      window('2026-01-13T09:00:00+01:00', '2026-01-13T10:00:00+01:00'),
      { every: 'month', days: ['tue'], count: 3 },
      [
        '2026-01-13T08:00:00.000Z 2026-01-13T09:00:00.000Z',
        '2026-02-10T08:00:00.000Z 2026-02-10T09:00:00.000Z',
        '2026-03-10T08:00:00.000Z 2026-03-10T09:00:00.000Z',
      ],
    ],
    [
      'include the day of `until`, whose clock is the site’s',
      BERLIN,
      window('2026-03-02T23:30:00+01:00', '2026-03-03T00:30:00+01:00'),
      { until: '2026-03-09' },
      ['2026-03-02T22:30:00.000Z 2026-03-02T23:30:00.000Z', '2026-03-09T22:30:00.000Z 2026-03-09T23:30:00.000Z'],
    ],
    [
      'leave out excepted days, which count',
      BERLIN,
      window(START, END),
      { days: ['mon', 'wed'], count: 4, except: ['2026-03-04'] },
      [
        '2026-03-02T08:00:00.000Z 2026-03-02T09:00:00.000Z',
        '2026-03-09T08:00:00.000Z 2026-03-09T09:00:00.000Z',
        '2026-03-11T08:00:00.000Z 2026-03-11T09:00:00.000Z',
      ],
    ],
    [
      'of every other week are two weeks apart, both days in the same weeks',
      BERLIN,
      window(START, END),
      { days: ['mon', 'tue'], interval: 2, count: 4 },
      [
        '2026-03-02T08:00:00.000Z 2026-03-02T09:00:00.000Z',
        '2026-03-03T08:00:00.000Z 2026-03-03T09:00:00.000Z',
        '2026-03-16T08:00:00.000Z 2026-03-16T09:00:00.000Z',
        '2026-03-17T08:00:00.000Z 2026-03-17T09:00:00.000Z',
      ],
    ],
  ])('%s', (_, zone, first, repetition, expected) => {
    expect(shown(first, repetition, zone)).toEqual(expected);
  });

  it.each([
    ['days that the first is not on', { days: ['tue'], count: 2 }, 'days'],
    ['days of a daily series', { every: 'day', days: ['mon'], count: 2 }, 'days'],
    ['an end before its start', { until: '2026-03-01' }, 'until'],
    ['an end in another age', { until: '2096-03-01' }, 'until'],
    ['more than 366 times', { every: 'day', until: '2027-03-03' }, 'until'],
    ['nothing left', { count: 1, except: ['2026-03-02'] }, 'except'],
    ['a reach of more than ten years', { every: 'month', interval: 52, count: 4 }, 'count'],
  ])('are refused with %s', (_, repetition, field) => {
    expect(shown(window(START, END), repetition, BERLIN)).toMatchObject({ ok: false, field });
  });
  it('are refused when they overlap each other', () => {
    const long = window('2026-03-02T09:00:00+01:00', '2026-03-03T10:00:00+01:00');
    expect(shown(long, { every: 'day', count: 2 }, BERLIN)).toMatchObject({ ok: false, field: 'interval' });
  });
  it('are moved by the steps of the wall clock, across a clock change', () => {
    const times = [window('2026-03-23T09:00:00+01:00', '2026-03-23T10:00:00+01:00')];
    times.push(window('2026-03-30T09:00:00+02:00', '2026-03-30T10:00:00+02:00'));
    const [from = { startMs: 0, endMs: 0 }] = times;
    const to = window('2026-03-24T08:30:00+01:00', '2026-03-24T10:30:00+01:00');
    expect(shiftTimes(times, from, to, BERLIN)).toEqual([
      to,
      window('2026-03-31T08:30:00+02:00', '2026-03-31T10:30:00+02:00'),
    ]);
  });
});

describe('a series', () => {
  let rig: Rig;
  let token: string;
  beforeEach(async () => {
    rig = await aRig();
    rig.addMember('ada');
    rig.addMember('ben');
    token = rig.token('reception');
  });
  afterEach(() => rig.close());

  const body = (change: object = {}) => ({
    room: 'r1',
    holder: 'ada',
    start: iso(NOW + HOUR),
    end: iso(NOW + 2 * HOUR),
    repeat: { every: 'week', count: 4 },
    ...change,
  });
  const call = (method: 'POST' | 'GET' | 'PATCH' | 'DELETE', url: string, payload?: object, by = token) =>
    rig.app.inject(bearer(by, { method, url: `/api/v1${url}`, ...(payload && { payload }) }));
  const make = async (change: object = {}) => {
    const reply = await call('POST', '/bookings', body(change));
    expect(reply.statusCode, reply.body).toBe(201);
    return reply.json<MadeBooking>();
  };
  const week = (n: number) => NOW + HOUR + n * 7 * DAY;
  const stored = () => rig.store.bookings.list({}).map(({ id, startMs, status }) => [id, startMs, status]);

  it('is made whole, in force at once, and each of it has the series’ id', async () => {
    const made = await make({ id: 'yoga', title: 'Yoga' });
    expect(made).toMatchObject({ id: 'yoga', series: 'yoga', title: 'Yoga', start: iso(week(0)) });
    expect(made.bookings?.map((one) => [one.id, one.start, one.series])).toEqual([
      ['yoga', iso(week(0)), 'yoga'],
      ['yoga.20260309', iso(week(1)), 'yoga'],
      ['yoga.20260316', iso(week(2)), 'yoga'],
      ['yoga.20260323', iso(week(3)), 'yoga'],
    ]);
    expect(made.leftOut).toBeUndefined();
    expect(rig.facts).toHaveLength(1);
    expect(rig.facts[0]).toMatchObject({ kind: 'bookings', upsert: [{ id: 'yoga' }, {}, {}, {}] });
    const one = await call('GET', '/bookings/yoga.20260316');
    expect(one.json()).toMatchObject({ series: 'yoga', start: iso(week(2)) });
  });

  it('sent twice is made once; another of that id is a conflict', async () => {
    const first = await make({ id: 'yoga' });
    expect(await make({ id: 'yoga' })).toEqual(first);
    expect(rig.facts).toHaveLength(1);
    const other = await call('POST', '/bookings', body({ id: 'yoga', room: 'r2' }));
    expect([other.statusCode, other.json<{ code: string }>().code]).toEqual([409, 'conflict']);
    const longer = await call('POST', '/bookings', body({ id: 'yoga', repeat: { every: 'week', count: 5 } }));
    expect([longer.statusCode, longer.json<{ code: string }>().code]).toEqual([409, 'conflict']);
  });

  it('that clashes is refused as a whole, with every clash and its date', async () => {
    rig.addBooking('a', week(1), week(1) + HOUR, { holder: 'ben' });
    rig.addBooking('b', week(3) + HOUR / 2, week(3) + 2 * HOUR);
    const reply = await call('POST', '/bookings', body());
    expect(reply.statusCode).toBe(409);
    const problem = reply.json<{ code: string; clash: object; clashes: LeftOut[] }>();
    expect(problem.code).toBe('booking_overlap');
    expect(problem.clash).toMatchObject({ id: 'a', holder: 'ben' });
    expect(problem.clashes.map(({ start, clash }) => [start, clash.id])).toEqual([
      [iso(week(1)), 'a'],
      [iso(week(3)), 'b'],
    ]);
    expect(stored().map(([id]) => id)).toEqual(['a', 'b']);
    expect(rig.facts).toEqual([]);
  });

  it('with skipClashes books the others and tells what was left out, the second time too', async () => {
    rig.addBooking('a', week(0), week(0) + HOUR);
    const made = await make({ id: 'yoga', skipClashes: true });
    expect(made.id).toBe('yoga.20260309');
    expect(made.bookings?.map(({ start }) => start)).toEqual([iso(week(1)), iso(week(2)), iso(week(3))]);
    expect(made.leftOut).toMatchObject([{ start: iso(week(0)), clash: { id: 'a' } }]);
    expect(await make({ id: 'yoga', skipClashes: true })).toEqual(made);
  });

  it('of which nothing is free is refused also with skipClashes', async () => {
    rig.addBooking('a', week(0), week(0) + HOUR);
    rig.addBooking('b', week(1), week(1) + HOUR);
    const reply = await call('POST', '/bookings', body({ skipClashes: true, repeat: { every: 'week', count: 2 } }));
    expect([reply.statusCode, reply.json<{ clashes: object[] }>().clashes.length]).toEqual([409, 2]);
  });

  it('names to a practitioner only that the time is taken', async () => {
    rig.addBooking('a', week(1), week(1) + HOUR, { holder: 'ben' });
    rig.addUser('ada', 'practitioner', 'ada');
    const { cookie, csrf } = await rig.signIn('ada');
    const reply = await rig.app.inject({
      method: 'POST',
      url: '/api/v1/bookings',
      headers: { cookie, 'x-csrf-token': csrf },
      payload: body(),
    });
    expect(reply.statusCode).toBe(409);
    expect(reply.body).not.toMatch(/ben|private title/);
    expect(reply.json()).toMatchObject({ clashes: [{ clash: { id: 'taken', holder: '' } }] });
  });

  it.each([
    ['no end', { every: 'week' }, 'body.repeat.until'],
    ['two ends', { every: 'week', count: 2, until: '2026-04-01' }, 'body.repeat.until'],
    ['an unknown step', { every: 'year', count: 2 }, 'body.repeat.every'],
    ['too many times', { every: 'day', count: 367 }, 'body.repeat.count'],
    ['another day', { every: 'week', days: ['tue'], count: 2 }, 'body.repeat.days'],
    ['no such date', { every: 'week', until: '2026-02-30' }, 'body.repeat.until'],
    ['an unknown key', { every: 'week', count: 2, byDay: 'MO' }, 'body.repeat'],
  ])('with %s is refused with its path', async (_, repeat, path) => {
    const reply = await call('POST', '/bookings', body({ repeat }));
    expect(reply.statusCode).toBe(400);
    expect(reply.json<{ errors: { path: string }[] }>().errors.map((error) => error.path)).toContain(path);
    expect(stored()).toEqual([]);
  });

  describe('changed', () => {
    beforeEach(async () => {
      await make({ id: 's' });
      rig.facts.length = 0;
    });
    const statuses = () => stored().map(([, , status]) => status);
    const C = 'cancelled';
    const K = 'confirmed';
    it.each([
      ['this', [K, C, K, K]],
      ['following', [K, C, C, C]],
      ['all', [C, C, C, C]],
    ])('by a cancellation of %s', async (scope, expected) => {
      const reply = await call('DELETE', `/bookings/s.20260309?scope=${scope}`);
      expect([reply.statusCode, reply.body]).toEqual([204, '']);
      expect(statuses()).toEqual(expected);
      expect(rig.facts).toHaveLength(1);
    });
    it.each([
      ['this', [0, HOUR / 2, 0, 0]],
      ['following', [0, HOUR / 2, HOUR / 2, HOUR / 2]],
      ['all', [HOUR / 2, HOUR / 2, HOUR / 2, HOUR / 2]],
    ])('by a move of %s', async (scope, moved) => {
      const to = { start: iso(week(1) + HOUR / 2), end: iso(week(1) + HOUR + HOUR / 2), room: 'r2' };
      const reply = await call('PATCH', `/bookings/s.20260309?scope=${scope}`, to);
      expect(reply.statusCode, reply.body).toBe(200);
      expect(reply.json<ChangedBooking>()).toMatchObject({ id: 's.20260309', ...to });
      expect(stored().map(([, startMs]) => startMs)).toEqual(moved.map((by, n) => week(n) + by));
      const rooms = rig.store.bookings.list({}).map(({ room }) => room);
      expect(rooms).toEqual(moved.map((by) => (by === 0 ? 'r1' : 'r2')));
    });
    it('leaves what is over and what was cancelled as it is', async () => {
      await call('DELETE', '/bookings/s.20260316');
      rig.clock.advance(10 * DAY);
      await call('PATCH', '/bookings/s.20260323?scope=all', { title: 'new' });
      expect(rig.store.bookings.list({}).map(({ title }) => title)).toEqual(['', '', '', 'new']);
    });
    it('may move onto where it stood itself', async () => {
      const reply = await call('PATCH', '/bookings/s?scope=all', {
        start: iso(week(1)),
        end: iso(week(1) + HOUR),
      });
      expect(reply.statusCode, reply.body).toBe(200);
      // On 30 March it is summer: the clock on the wall counts.
      expect(stored().map(([, startMs]) => startMs)).toEqual([week(1), week(2), week(3), week(4) - HOUR]);
    });
    it('is refused as a whole when one of it clashes', async () => {
      rig.addBooking('x', week(2) + HOUR, week(2) + 2 * HOUR);
      const before = stored();
      const reply = await call('PATCH', '/bookings/s?scope=all', { end: iso(week(0) + 90 * 60_000) });
      expect(reply.statusCode).toBe(409);
      expect(reply.json()).toMatchObject({ clash: { id: 'x' }, clashes: [{ start: iso(week(2)) }] });
      expect(stored()).toEqual(before);
      expect(rig.facts).toEqual([]);
    });
    it('by an unknown scope is refused', async () => {
      expect((await call('DELETE', '/bookings/s?scope=everything')).statusCode).toBe(400);
    });
    it('leaves to a practitioner what another was given of it', async () => {
      await call('PATCH', '/bookings/s.20260316', { holder: 'ben' });
      rig.addUser('ada', 'practitioner', 'ada');
      const { cookie, csrf } = await rig.signIn('ada');
      await rig.app.inject({
        method: 'DELETE',
        url: '/api/v1/bookings/s?scope=all',
        headers: { cookie, 'x-csrf-token': csrf },
      });
      expect(statuses()).toEqual([C, C, K, C]);
    });
  });
});
