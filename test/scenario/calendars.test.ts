/** From a calendar server to the door: the whole gateway, real HTTP, real MQTT, a badge, and a clock that the test moves. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { calendarClinic, feed, HOUR, look, MINUTE, untilSource } from '../support/calendars-host.ts';
import { CalendarServer, EMPTY_CALENDAR } from '../support/calendars-server.ts';
import { type Clinic, EIGHT } from '../support/clinic.ts';
import type { NativeDevice } from '../support/nativedevice.ts';

const UID = '04A224B2C15E80';
const FEED = '/room-1.ics';
const ADA = 'ada@clinic.example';

describe('a calendar feed', () => {
  let server: CalendarServer;
  let clinic: Clinic;
  let reader: NativeDevice;
  beforeEach(async () => {
    server = await CalendarServer.start();
  });
  afterEach(async () => {
    await clinic.close();
    await server.close();
  });

  async function open(body: string, keys = 'holdPolls: 2', bookings?: string): Promise<void> {
    server.serve(FEED, { body, etag: '"1"' });
    const source = `id: practice, kind: ics, url: "${server.url(FEED)}", rooms: consult-1, ${keys}`;
    clinic = await calendarClinic([source], bookings === undefined ? {} : { bookings });
    await clinic.device('lock-1', ['lock', 'door'], { lock: 'locked', door: 'closed' });
    reader = await clinic.device('reader-1', ['reader']);
    const { member } = await clinic.practitioner('Ada', UID);
    expect((await clinic.api('PATCH', `members/${member}`, { addresses: ['ADA@clinic.example'] })).status).toBe(200);
    clinic.clock.advance(1_000);
    await untilSource(clinic, 'practice', ({ state }) => state !== 'waiting');
  }

  async function serve(body: string): Promise<void> {
    server.serve(FEED, { body, etag: `"${Math.random()}"` });
    await look(clinic, server, 'practice', FEED);
  }

  /** What the next badge comes to. */
  async function verdict(uid = UID): Promise<string> {
    // A card that is held on is read again and again, and told of once.
    clinic.advance(10_000);
    const before = (await clinic.events()).length;
    await reader.badge(uid);
    return await vi.waitFor(async () => {
      const [newest, ...others] = await clinic.events();
      if (newest === undefined || others.length < before) throw new Error('not decided yet');
      return newest.outcome === 'granted' ? 'granted' : `${newest.reason}/${newest.subReason}`;
    }, 8_000);
  }
  async function untilVerdict(expected: string): Promise<void> {
    await vi.waitFor(async () => expect(await verdict()).toBe(expected), { timeout: 15_000, interval: 50 });
  }
  const booked = (startMin: number, endMin: number, more = {}) => ({
    uid: 'visit',
    startMs: EIGHT + startMin * MINUTE,
    endMs: EIGHT + endMin * MINUTE,
    attendee: ADA,
    ...more,
  });
  const other = { uid: 'later', startMs: EIGHT + 20 * HOUR, endMs: EIGHT + 21 * HOUR, attendee: ADA };

  it('grants a confirmed event to the member who is invited, and no other status', async () => {
    await open(feed(booked(0, 60), other));
    await untilSource(clinic, 'practice', ({ bookings }) => bookings === 2);
    expect(await verdict()).toBe('granted');
    await serve(feed(booked(0, 60, { status: 'TENTATIVE', sequence: 1 }), other));
    await untilVerdict('denied_point_no_access_rights/booking_tentative');
    await serve(feed(booked(0, 60, { status: 'CANCELLED', sequence: 2 }), other));
    await untilVerdict('denied_out_of_time_range/booking_cancelled');
  });

  it('frees the old slot of a moved event at once, and grants the new one', async () => {
    await open(feed(booked(0, 60), other));
    await untilVerdict('granted');
    await serve(feed(booked(120, 180, { sequence: 1 }), other));
    await untilVerdict('denied_out_of_time_range/booking_not_started');
    const at = (min: number) => new Date(EIGHT + min * MINUTE).toISOString();
    const taken = await clinic.api('POST', 'bookings', {
      room: 'consult-1',
      holder: (await clinic.get<{ id: string }[]>('members'))[0]?.id,
      start: at(0),
      end: at(60),
    });
    expect(taken.status).toBe(201);
  });

  it('denies from the moment that a visit is cancelled in its middle, whether by word or by vanishing', async () => {
    await open(feed(booked(-30, 60), other));
    await untilVerdict('granted');
    await serve(feed(other));
    await untilVerdict('denied_out_of_time_range/booking_cancelled');
    const list = await clinic.get<{ id: string; status: string; source: string }[]>('bookings');
    expect(list.find(({ status }) => status === 'cancelled')).toMatchObject({ source: 'practice' });
  });

  it.each([
    ['an empty calendar', { body: EMPTY_CALENDAR }, 'held'],
    ['a page of HTML', { body: '<html><body>Sign in</body></html>', type: 'text/html' }, 'failing'],
    ['half a calendar', { body: feed(booked(0, 60), other).slice(0, 200) }, 'failing'],
    ['an error', { body: 'oops', status: 500 }, 'failing'],
  ])('keeps the last good schedule through %s', async (_what, content, state) => {
    await open(feed(booked(0, 60), other));
    await untilVerdict('granted');
    server.serve(FEED, { ...content, etag: '"2"' });
    await look(clinic, server, 'practice', FEED);
    const health = await untilSource(clinic, 'practice', (source) => source.state === state);
    expect(health.why).not.toBe('');
    expect(health.bookings).toBe(2);
    expect(await verdict()).toBe('granted');
    server.serve(FEED, { body: feed(booked(0, 60), other), etag: '"1"' });
    await look(clinic, server, 'practice', FEED);
    await untilSource(clinic, 'practice', (source) => source.state === 'ok');
  });

  it('fails closed when nobody answers for longer than the schedule may be old, and opens again when it heals', async () => {
    const long = { uid: 'long', startMs: EIGHT - HOUR, endMs: EIGHT + 10 * HOUR, attendee: ADA };
    await open(feed(long), 'everyMin: 5', 'earlyMin: 10, lateMin: 5, maxScheduleAgeH: 2');
    await untilVerdict('granted');
    await server.down();
    for (let minutes = 0; minutes < 121; minutes += 5) {
      clinic.advance(5 * MINUTE);
      await clinic.until('calendars', ({ status }) => status === 200);
    }
    await untilVerdict('denied_out_of_time_range/schedule_too_old');
    expect(await clinic.alarms('practice')).toEqual(expect.arrayContaining(['schedule_too_old', 'calendar_failing']));
    await server.up();
    await look(clinic, server, 'practice', FEED);
    await untilVerdict('granted');
    clinic.advance(2_000);
    await clinic.until(
      'alarms',
      ({ body }) => !(body as { device: string }[]).some(({ device }) => device === 'practice'),
    );
  });

  it('tells of an unknown time zone and grants nothing of it, while the other events stand', async () => {
    const strange = ['DTSTART;TZID=Mars/Olympus:20260302T090000', 'DTEND;TZID=Mars/Olympus:20260302T100000'];
    const text = feed(booked(0, 60), other).replace(
      'END:VCALENDAR',
      [
        'BEGIN:VEVENT',
        'UID:mars',
        'DTSTAMP:20260301T000000Z',
        ...strange,
        'SUMMARY:x',
        'END:VEVENT',
        'END:VCALENDAR',
      ].join('\r\n'),
    );
    await open(text);
    const health = await untilSource(clinic, 'practice', ({ setAsideTotal }) => setAsideTotal > 0);
    expect(health.setAside[0]).toMatchObject({ uid: 'mars', code: 'unknown_zone' });
    const alarm = await clinic.until('alarms', ({ text: all }) => all.includes('calendar_set_aside'));
    expect(alarm.text).toContain('Mars/Olympus');
    await untilVerdict('granted');
    await serve(feed(booked(0, 60), other));
    await clinic.until('alarms', ({ text: all }) => !all.includes('calendar_set_aside'));
  });

  it('waits as long as a busy server asks', async () => {
    await open(feed(booked(0, 60), other));
    server.fail(FEED, { status: 429, headers: { 'retry-after': '1200' } } as never, { times: 1 });
    await look(clinic, server, 'practice', FEED);
    const health = await untilSource(clinic, 'practice', ({ state }) => state === 'failing');
    expect(Date.parse(health.nextAt ?? '') - clinic.clock.now().wallMs).toBeGreaterThanOrEqual(1_200_000);
    const asked = server.requestsTo(FEED).length;
    clinic.advance(1_190_000);
    expect(server.requestsTo(FEED)).toHaveLength(asked);
    clinic.advance(200_000);
    await untilSource(clinic, 'practice', ({ state }) => state === 'ok');
  });

  it('keeps bookings, freshness and what an operator set against the calendar over a restart', async () => {
    await open(feed(booked(0, 60), other));
    await untilVerdict('granted');
    const list = await clinic.get<{ id: string; start: string }[]>('bookings');
    const visit = list.find(({ start }) => Date.parse(start) === EIGHT)?.id ?? '';
    await clinic.api('DELETE', `bookings/${visit}`);
    await untilVerdict('denied_out_of_time_range/booking_cancelled');
    await serve(feed(booked(0, 60, { sequence: 3 }), other));
    await untilSource(clinic, 'practice', ({ state }) => state === 'ok');
    expect(await verdict()).toBe('denied_out_of_time_range/booking_cancelled');
    await server.down();
    await clinic.restart();
    expect(await clinic.get(`bookings/${visit}`)).toMatchObject({ status: 'cancelled' });
    const health = await untilSource(clinic, 'practice', ({ lastGoodAt }) => lastGoodAt !== null);
    expect(health.bookings).toBe(1);
    await server.up();
    // Moved by the calendar itself: the operator's word was about the old time.
    await serve(feed(booked(1, 60, { sequence: 4 }), other));
    await clinic.until(`bookings/${visit}`, ({ body }) => body.status === 'confirmed');
  });
});
