import { describe, expect, it } from 'vitest';
import type { Reading } from '../../../gateway/calendars/push/preset.ts';
import { PRESETS } from '../../../gateway/calendars/sources/webhook.ts';
import { asideOf, CONTEXT, END_MS, first, listed, START_MS, statements } from '../../support/calendars-push.ts';

describe('the officernd preset', () => {
  const read = (payload: unknown): Reading => PRESETS.officernd.read(payload, CONTEXT);
  const object = {
    _id: '603dfbc260f4054084125d39',
    timezone: 'Europe/Berlin',
    start: '2026-11-23T08:00:00.000Z',
    end: '2026-11-23T11:00:00.000Z',
    seriesStart: '2026-11-23T08:00:00.000Z',
    resource: 'res-2',
    member: 'mem-1',
    members: ['mem-2'],
    title: 'Physio',
    isCancelled: false,
    isTentative: false,
    visitors: ['vis-1'],
    modifiedAt: '2026-11-20T10:03:33.169Z',
  };
  const message = (eventType: string, over: object = {}): unknown => ({
    eventType,
    data: { object: { ...object, ...over } },
  });

  it('reads a booking of both versions of the API', () => {
    expect(first(read(message('booking.created')))).toMatchObject({
      uid: 'hook:603dfbc260f4054084125d39',
      startMs: START_MS,
      endMs: END_MS,
      status: 'confirmed',
      summary: 'Physio',
      resources: ['res-2'],
      attendees: [{ address: 'mem-1' }, { address: 'mem-2' }],
      stampMs: Date.UTC(2026, 10, 20, 10, 3, 33, 169),
    });
    const old = {
      start: { dateTime: object.start },
      end: { dateTime: object.end },
      resource: undefined,
      resourceId: 'res-3',
      member: { _id: 'mem-9', email: 'Ida@x.example', name: 'Ida' },
    };
    expect(first(read(message('booking.updated', old)))).toMatchObject({
      startMs: START_MS,
      resources: ['res-3'],
      organizer: 'ida@x.example',
      attendees: [{ address: 'ida@x.example', name: 'Ida' }, { address: 'mem-9' }, { address: 'mem-2' }],
    });
  });

  it.each([
    [{ isTentative: true }, 'tentative'],
    [{ tentative: true }, 'tentative'],
    [{ isTentative: 'yes' }, 'tentative'],
    [{ isCancelled: true }, 'cancelled'],
    [{ canceled: true }, 'cancelled'],
    [{ canceled: 1, tentative: true }, 'cancelled'],
  ])('denies what is not surely approved: %j', (over, status) => {
    expect(first(read(message('booking.updated', over)))).toMatchObject({ status });
  });

  it('removes, ignores what is no booking, and looks when told of slots', () => {
    expect(read(message('booking.removed'))).toMatchObject({
      kind: 'bookings',
      removed: [{ href: object._id, endMs: END_MS }],
    });
    expect(read(message('member.created'))).toEqual({ kind: 'ignored' });
    expect(read(message('occupancyslot.created'))).toEqual({ kind: 'poll' });
    expect(read({ data: {} })).toMatchObject({ kind: 'malformed' });
    expect(read({ eventType: 'booking.created' })).toMatchObject({ kind: 'malformed' });
  });

  it('does not guess the times of a series from a message', () => {
    const series = read(message('booking.created', { recurrence: { rrule: 'FREQ=WEEKLY' } }));
    expect(asideOf(statements(series)[0]?.object).setAside[0]).toMatchObject({ code: 'bad_rule' });
  });

  it('lists every time of a series, and keeps the id of a single booking that is moved', () => {
    const times = ['2026-11-23T08:00:00.000Z', '2026-11-30T08:00:00.000Z'].map(
      (start) => listed('officernd', { ...object, start, end: start.replace('T08', 'T11') }).uid,
    );
    expect(times).toEqual([`hook:${object._id}`, `hook:${object._id}/2026-11-30T08:00:00.000Z`]);
    const moved = { ...object, start: '2026-11-23T09:00:00.000Z', seriesStart: '2026-11-23T09:00:00.000Z' };
    expect(listed('officernd', moved).uid).toBe(`hook:${object._id}`);
    const format = PRESETS.officernd.list(CONTEXT);
    const url = PRESETS.officernd.first(
      new URL('https://app.officernd.com/api/v2/organizations/clinic/'),
      START_MS,
      END_MS,
    );
    expect(url.pathname).toBe('/api/v2/organizations/clinic/bookings/occurrences');
    const page = format.page({ cursorNext: 'abc' }, { url, received: 50, before: 0, found: true });
    expect(page.ok && new URL(page.next ?? '').searchParams.get('$cursorNext')).toBe('abc');
    expect(format.page({ cursorNext: null }, { url, received: 50, before: 0, found: true })).toEqual({ ok: true });
  });
});

describe('the nexudus preset', () => {
  const record = {
    Id: 987,
    UniqueId: 'a1b2',
    ResourceId: 55,
    ResourceName: 'Room 2',
    CoworkerId: 12,
    CoworkerFullName: 'Mia Berg',
    Coworker: { Id: 12, Email: 'Mia@Clinic.example' },
    FromTime: '2026-11-23T08:00:00Z',
    ToTime: '2026-11-23T11:00:00Z',
    Tentative: false,
    UpdatedOn: '2026-11-20T08:00:00Z',
  };

  it('takes any message on bookings for a reason to look, since it does not tell made from deleted', () => {
    for (const payload of [record, [record], [{ ResourceId: 1 }]]) {
      expect(PRESETS.nexudus.read(payload, CONTEXT)).toEqual({ kind: 'poll' });
    }
    expect(PRESETS.nexudus.read([{ Id: 1, FullName: 'x' }], CONTEXT)).toEqual({ kind: 'ignored' });
    expect(PRESETS.nexudus.read('x', CONTEXT)).toMatchObject({ kind: 'malformed' });
    expect(PRESETS.nexudus.needsUrl).toBe(true);
  });

  it('lists bookings; only approved ones are confirmed', () => {
    expect(listed('nexudus', record)).toMatchObject({
      uid: 'hook:987',
      startMs: START_MS,
      status: 'confirmed',
      location: 'Room 2',
      resources: ['Room 2', '55'],
      attendees: [{ address: 'mia@clinic.example', name: 'Mia Berg', role: 'chair' }, { address: '12' }],
    });
    expect(listed('nexudus', { ...record, Tentative: true }).status).toBe('tentative');
    expect(listed('nexudus', { ...record, IsCancelled: true }).status).toBe('cancelled');
    const noZone = PRESETS.nexudus.list(CONTEXT).item({ ...record, FromTime: '2026-11-23T08:00:00' });
    expect(asideOf(noZone?.object).setAside[0]).toMatchObject({ uid: '987', code: 'malformed' });
  });

  it('goes from page to page', () => {
    const format = PRESETS.nexudus.list(CONTEXT);
    const url = PRESETS.nexudus.first(new URL('https://spaces.nexudus.com'), START_MS, END_MS);
    expect(url.href).toContain('/api/spaces/bookings?From_Booking_ToTime=2026-11-23T08');
    const page = format.page({ HasNextPage: true, TotalItems: 130 }, { url, received: 100, before: 0, found: true });
    expect(page.ok && new URL(page.next ?? '').searchParams.get('page')).toBe('2');
    expect(page).toMatchObject({ total: 130 });
    expect(
      format.page({ HasNextPage: false, TotalItems: 130 }, { url, received: 30, before: 100, found: true }),
    ).toEqual({
      ok: true,
      total: 130,
    });
  });
});

describe('the cobot preset', () => {
  const entry = {
    id: '20723075',
    from: '2026/11/23 09:00:00 +0100',
    to: '2026/11/23 11:00:00 +0000',
    title: 'Physio',
    resource: { name: 'Room 2', id: 'r2' },
    membership: { id: 'm1', name: 'Mia Berg' },
    comments: 'Wilhelmina needs a chair',
    updated_at: '2026/11/20 08:00:00 +0000',
  };

  it('believes nothing in a message', () => {
    expect(PRESETS.cobot.scheme).toBeUndefined();
    expect(PRESETS.cobot.read({ url: 'https://co-up.cobot.me/api/bookings/1', from: entry.from }, CONTEXT)).toEqual({
      kind: 'poll',
    });
    expect(PRESETS.cobot.read({}, CONTEXT)).toMatchObject({ kind: 'malformed' });
  });

  it('lists bookings in its own notation of time', () => {
    const found = listed('cobot', entry);
    expect(found).toMatchObject({
      startMs: START_MS,
      endMs: END_MS,
      status: 'confirmed',
      resources: ['Room 2', 'r2'],
      attendees: [{ address: 'm1', name: 'Mia Berg' }],
    });
    expect(JSON.stringify(found)).not.toContain('Wilhelmina');
    expect(listed('cobot', { ...entry, approved: false }).status).toBe('tentative');
    expect(listed('cobot', { ...entry, canceled_at: '2026/11/20' }).status).toBe('cancelled');
    const local = PRESETS.cobot.list(CONTEXT).item({ ...entry, from: '2026/11/23 09:00:00' });
    expect(asideOf(local?.object).setAside).toHaveLength(1);
  });

  it('takes only a list for a list', () => {
    const url = PRESETS.cobot.first(new URL('https://co-up.cobot.me/'), START_MS, END_MS);
    expect(url.pathname).toBe('/api/bookings');
    const { page } = PRESETS.cobot.list(CONTEXT);
    expect(page(undefined, { url, received: 1, before: 0, found: true })).toEqual({ ok: true });
    expect(page({ error: 'x' }, { url, received: 0, before: 0, found: false })).toMatchObject({ ok: false });
  });
});
