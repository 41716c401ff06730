/**
 * A no-show from the sensor to the source: the whole gateway, a real calendar server, real MQTT, and a clock that the test
 * moves. Nobody comes: the room is given free, its climate falls back, the source is told. Somebody, or nobody knows: not.
 */
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { calendarClinic, feed, look, MINUTE, untilSource } from '../support/calendars-host.ts';
import { CalendarServer, type LoggedRequest } from '../support/calendars-server.ts';
import { type Clinic, EIGHT } from '../support/clinic.ts';
import type { NativeDevice } from '../support/nativedevice.ts';

const SECOND = 1_000;
const UID = '04A224B2C15E80';
const FEED = '/room-1.ics';
const TOLD = '/released';
const SECRET = 'a-secret-of-the-release-callback';
const ADA = 'ada@clinic.example';
const VISIT = { uid: 'visit', startMs: EIGHT + 30 * MINUTE, endMs: EIGHT + 120 * MINUTE, attendee: ADA };
const LATER = { uid: 'later', startMs: EIGHT + 20 * 60 * MINUTE, endMs: EIGHT + 21 * 60 * MINUTE, attendee: ADA };
const ROOM = ['presence', 'temperature', 'co2', 'relay', 'relay-2', 'dimmer'];

/** A whole clinic each time, on a machine that may be busy. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

describe('a booking of a calendar to which nobody comes', () => {
  let server: CalendarServer;
  let clinic: Clinic;
  let reader: NativeDevice;
  let room: NativeDevice;
  beforeEach(async () => {
    server = await CalendarServer.start();
    server.serve(TOLD, (_request, response) => void response.writeHead(204).end());
  });
  afterEach(async () => {
    await clinic.close();
    await server.close();
  });

  /** At 08:00; the visit is from 08:30 to 10:00, and a no-show at 08:50. */
  async function open(action: 'release' | 'flag' = 'release'): Promise<void> {
    server.serve(FEED, { body: feed(VISIT, LATER), etag: '"1"' });
    const told = `releaseUrl: "${server.url(TOLD)}", releaseSecret: ${SECRET}`;
    const source = `id: practice, kind: ics, url: "${server.url(FEED)}", rooms: consult-1, ${told}`;
    const bookings = `earlyMin: 10, lateMin: 5, maxScheduleAgeH: 36, noShowAfterMin: 20, noShow: ${action}`;
    clinic = await calendarClinic([source], { bookings });
    await clinic.device('lock-1', ['lock', 'door'], { lock: 'locked', door: 'closed' });
    reader = await clinic.device('reader-1', ['reader']);
    const states = { presence: false, temperature: 18, co2: 500, relay: 'off', 'relay-2': 'off', dimmer: 0 };
    room = await clinic.device('room-1', ROOM, states);
    const { member } = await clinic.practitioner('Ada', UID);
    expect((await clinic.api('PATCH', `members/${member}`, { addresses: [ADA] })).status).toBe(200);
    await clinic.pass(2 * SECOND);
    await untilSource(clinic, 'practice', ({ bookings: count }) => count === 2);
  }

  async function to(minute: number): Promise<void> {
    await clinic.pass(EIGHT + minute * MINUTE - clinic.clock.now().wallMs);
  }
  async function visit() {
    const list = await clinic.get<{ id: string; start: string; status: string; source: string }[]>('bookings');
    const found = list.find(({ start }) => Date.parse(start) === VISIT.startMs);
    if (found === undefined) throw new Error('the visit is not booked');
    return found;
  }
  const climate = async () => (await clinic.api('GET', 'rooms/consult-1')).body.climate;
  async function verdict(): Promise<string> {
    await clinic.pass(10 * SECOND);
    const before = (await clinic.events()).length;
    await reader.badge(UID);
    return await vi.waitFor(async () => {
      const [newest, ...others] = await clinic.events();
      if (newest === undefined || others.length < before) throw new Error('not decided yet');
      return newest.outcome === 'granted' ? 'granted' : `${newest.reason}/${newest.subReason}`;
    }, 8_000);
  }

  it('gives the room free, lets its climate fall back, and tells the source, once, until it has heard', async () => {
    await open();
    server.fail(TOLD, { status: 503 }, { times: 1 });
    await to(49);
    expect((await visit()).status).toBe('confirmed');
    // Booked and not yet occupied: half a kelvin below the comfort of 21.
    expect(await climate()).toMatchObject({ heatingSetpoint: 20.5, heating: true });
    await to(50);
    await clinic.until('bookings', ({ text }) => text.includes('"released"'));
    const { id, status } = await visit();
    expect(status).toBe('released');
    await clinic.until('rooms/consult-1', ({ body }) => body.climate.heating === false);
    expect(await climate()).toMatchObject({ heatingSetpoint: 16 });
    expect(room.orders.filter(({ capability }) => capability === 'relay').at(-1)?.command.value).toBe('off');
    expect(await clinic.alarms('consult-1')).toContain('no_show');
    expect((await clinic.events('no_show')).map(({ note }) => note)).toEqual([expect.stringContaining('given free')]);
    expect(await verdict()).toBe('denied_out_of_time_range/booking_released');

    // The first try failed; the next comes a minute later.
    await vi.waitFor(() => expect(server.requestsTo(TOLD)).toHaveLength(1));
    await vi.waitFor(async () => {
      await clinic.pass(MINUTE);
      expect(server.requestsTo(TOLD)).toHaveLength(2);
    }, 30_000);
    const [first, second] = server.requestsTo(TOLD).map(told);
    expect(first?.signed && second?.signed).toBe(true);
    expect(second?.key).toBe(first?.key);
    expect(second?.message).toMatchObject({ type: 'booking.released', booking: id, uid: 'visit', reason: 'no_show' });
    expect(JSON.stringify(second?.message)).not.toMatch(/ada|consultation/i);

    // The calendar goes on to say that it is booked, and the gateway starts anew: it stays as it is, told of once.
    server.serve(FEED, { body: feed({ ...VISIT, sequence: 7 }, LATER), etag: '"2"' });
    await look(clinic, server, 'practice', FEED);
    await untilSource(clinic, 'practice', ({ state }) => state === 'ok');
    await clinic.restart();
    await clinic.pass(2 * MINUTE);
    expect((await visit()).status).toBe('released');
    expect(server.requestsTo(TOLD)).toHaveLength(2);
    // Its time is free for somebody else.
    const ben = (await clinic.api('POST', 'members', { name: 'Ben' })).body.id as string;
    const [start, end] = [new Date(EIGHT + 60 * MINUTE).toISOString(), new Date(EIGHT + 90 * MINUTE).toISOString()];
    expect((await clinic.api('POST', 'bookings', { room: 'consult-1', holder: ben, start, end })).status).toBe(201);
  });

  it('stands where only flagging is asked for: people hear of it, its holder still gets in, nobody outside is told', async () => {
    await open('flag');
    await to(51);
    await clinic.until('alarms', ({ text }) => text.includes('no_show'));
    expect((await visit()).status).toBe('confirmed');
    expect(await climate()).toMatchObject({ heatingSetpoint: 20.5 });
    expect(await verdict()).toBe('granted');
    expect(server.requestsTo(TOLD)).toEqual([]);
  });

  it.each([
    ['somebody was seen in the room', async () => await room.state('presence', true)],
    ['its sensor has fallen silent', async () => room.drop()],
    ['its sensor says that it does not know', async () => await room.state('presence', null)],
    ['its holder was let in, though no sensor saw her', async () => expect(await verdict()).toBe('granted')],
  ])('is never given free where %s', async (_what, happens) => {
    await open();
    await to(35);
    await happens();
    await to(75);
    expect((await visit()).status).toBe('confirmed');
    expect(await clinic.alarms('consult-1')).not.toContain('no_show');
    expect(server.requestsTo(TOLD)).toEqual([]);
    expect(await verdict()).toBe('granted');
  });
});

function told({ headers, body }: LoggedRequest) {
  const timestamp = String(headers['x-doorward-timestamp']);
  const hmac = createHmac('sha256', SECRET).update(`${timestamp}.`).update(body).digest('hex');
  return {
    signed: headers['x-doorward-signature'] === `sha256=${hmac}`,
    key: String(headers['idempotency-key']),
    message: JSON.parse(body.toString('utf8')) as Record<string, unknown>,
  };
}
