import { describe, expect, it } from 'vitest';
import { KEEP_MS, MAX_STAMPS, Stamps } from '../../../gateway/calendars/push/stamps.ts';
import { MAX_PUSH_BYTES, webhookSource } from '../../../gateway/calendars/sources/webhook.ts';
import type { CalendarSource, Pushed, PushRequest } from '../../../gateway/calendars/types.ts';
import {
  booking,
  cancelled,
  hmac,
  NOW_MS,
  NOW_S,
  occurrencesOf,
  push,
  SECRET,
  signedPush,
  TOLERANCE_MS,
  upserted,
  webhookSettings,
} from '../../support/calendars-push.ts';

const SIGNAL = new AbortController().signal;
const HOUR_MS = 3_600_000;

function receive(source: CalendarSource, request: PushRequest, cursor?: string): Promise<Pushed> {
  if (source.receive === undefined) throw new Error('it takes no messages');
  return source.receive(request, cursor, SIGNAL);
}
function delta(pushed: Pushed): Extract<Pushed, { kind: 'delta' }> {
  if (pushed.kind !== 'delta') throw new Error(`it is ${JSON.stringify(pushed)}`);
  return pushed;
}
/** A source as it is after a restart, which knows only its cursor. */
function source(over: Parameters<typeof webhookSettings>[0] = {}): CalendarSource {
  return webhookSource(webhookSettings(over), { now: () => NOW_MS });
}
/** A message signed `afterMs` later. */
function later(message: unknown, afterMs: number): PushRequest {
  return signedPush(message, String(Math.floor((NOW_MS + afterMs) / 1_000)), NOW_MS + afterMs);
}

describe('a webhook without an address', () => {
  it('says what changed by its own content', async () => {
    const pushed = delta(await receive(source(), signedPush(upserted(booking()))));
    expect(pushed.removed).toEqual([]);
    expect(pushed.changed).toHaveLength(1);
    expect(pushed.changed[0]).toMatchObject({ href: 'b-7', type: 'json', collection: '' });
    expect(occurrencesOf(pushed.changed[0])).toMatchObject([{ uid: 'hook:b-7', resources: ['Room 2'] }]);
    expect(await source().poll(undefined, SIGNAL)).toEqual({ kind: 'unchanged' });
  });

  it('takes a booking away when it is cancelled', async () => {
    const first = delta(await receive(source(), signedPush(upserted(booking()))));
    const gone = { id: 'b-7', updatedAt: '2026-11-22T11:30:00Z' };
    const second = delta(await receive(source(), later(cancelled(gone), 1_000), first.cursor));
    expect(second).toMatchObject({ changed: [], removed: ['b-7'] });
  });

  it('is checked in this order: size, signature, timestamp, HMAC, replay, content', async () => {
    const good = signedPush('{not json');
    const large = Buffer.alloc(MAX_PUSH_BYTES + 1);
    const why = async (request: PushRequest): Promise<string> => {
      const pushed = await receive(source(), request);
      return pushed.kind === 'refused' ? pushed.why : pushed.kind;
    };
    expect(await why({ ...good, body: large, headers: {} })).toContain('larger');
    expect(await why({ ...good, headers: {} })).toContain('no x-doorward-signature');
    const stale = { 'x-doorward-signature': 'f'.repeat(64), 'x-doorward-timestamp': '1700000000' };
    expect(await why({ ...good, headers: stale })).toContain('too old');
    expect(await why({ ...good, headers: { ...stale, 'x-doorward-timestamp': NOW_S } })).toContain('does not fit');
    expect(await why(good)).toBe('malformed');
    expect(await why(signedPush(Buffer.from([0x22, 0xff, 0x22]).toString('latin1')))).toBe('malformed');
  });

  it('refuses a message that it had, also after a restart', async () => {
    const message = signedPush(upserted(booking()));
    const { cursor } = delta(await receive(source(), message));
    expect(await receive(source(), message, cursor)).toEqual({ kind: 'refused', why: 'the message was here before' });
    // The same in other clothes is the same.
    const signature = message.headers['x-doorward-signature']?.replace('sha256=', '').toUpperCase();
    const dressed = { ...message, headers: { ...message.headers, 'x-doorward-signature': signature } };
    expect(await receive(source(), dressed, cursor)).toMatchObject({ kind: 'refused' });
    expect(await receive(source(), { ...message, receivedAtMs: NOW_MS + TOLERANCE_MS + 1 }, cursor)).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('too old') as string,
    });
  });

  it('refuses the second of two copies that come before the first is stored, and takes the next try of one that was not', async () => {
    const one = source();
    const message = signedPush(upserted(booking()));
    expect(await receive(one, message)).toMatchObject({ kind: 'delta' });
    expect(await receive(one, message)).toMatchObject({ kind: 'refused' });
    expect(await receive(one, { ...message, receivedAtMs: NOW_MS + 31_000 })).toMatchObject({ kind: 'delta' });
  });

  it('does not lose a message in the cursor of another that came at the same time', async () => {
    const one = source();
    const first = signedPush(upserted(booking()));
    await receive(one, first);
    const { cursor } = delta(await receive(one, later(upserted(booking({ id: 'b-8' })), 1_000)));
    expect(await receive(source(), first, cursor)).toMatchObject({ kind: 'refused' });
  });

  it('is ignored where it is older than what is known, however late it comes', async () => {
    const moved = booking({
      start: '2026-11-23T14:00:00+01:00',
      end: '2026-11-23T15:00:00+01:00',
      updatedAt: '2026-11-22T11:30:00Z',
    });
    let { cursor } = delta(await receive(source(), signedPush(upserted(moved))));
    const late = delta(await receive(source(), later(upserted(booking()), 1_000), cursor));
    expect(late).toMatchObject({ changed: [], removed: [] });
    cursor = late.cursor;
    const gone = delta(
      await receive(source(), later(cancelled({ id: 'b-7', updatedAt: '2026-11-22T11:40:00Z' }), 2_000), cursor),
    );
    expect(gone.removed).toEqual(['b-7']);
    // Days later somebody's queue sends the old ones again, signed anew.
    const again = delta(await receive(source(), later(upserted(moved, booking()), 5 * 86_400_000), gone.cursor));
    expect(again).toMatchObject({ changed: [], removed: [] });
    const anew = delta(
      await receive(
        source(),
        later(upserted(booking({ updatedAt: '2026-11-25T00:00:00Z' })), 5 * 86_400_000 + 1_000),
        again.cursor,
      ),
    );
    expect(anew.changed).toHaveLength(1);
  });

  it('counts the sequence before the time, and of two at one time the cancellation', async () => {
    const high = booking({ sequence: 2, updatedAt: '2026-11-22T10:00:00Z' });
    const { cursor } = delta(await receive(source(), signedPush(upserted(high))));
    const low = later(upserted(booking({ sequence: 1, updatedAt: '2026-11-22T11:59:00Z' })), 1_000);
    expect(delta(await receive(source(), low, cursor)).changed).toEqual([]);
    const at = '2026-11-22T11:00:00Z';
    const gone = delta(await receive(source(), later(cancelled({ id: 'x', updatedAt: at }), 0)));
    expect(
      delta(await receive(source(), later(upserted(booking({ id: 'x', updatedAt: at })), 0), gone.cursor)).changed,
    ).toEqual([]);
  });

  it('replaces a booking that it can no longer read, so that the old one grants nothing', async () => {
    const { cursor } = delta(await receive(source(), signedPush(upserted(booking()))));
    const bad = booking({ end: 'soon', updatedAt: '2026-11-22T11:30:00Z' });
    const pushed = delta(await receive(source(), later(upserted(bad, booking({ id: 'b-8' })), 1_000), cursor));
    expect(pushed.changed.map(({ href }) => href)).toEqual(['b-7', 'b-8']);
    expect(occurrencesOf(pushed.changed[0])).toMatchObject({ unreadable: { uid: 'b-7' } });
  });

  it('goes back to its sender when nothing in it can be read, with the paths and no values', async () => {
    const pushed = await receive(source(), signedPush(upserted(booking({ start: 'Wilhelmina' }))));
    expect(pushed).toEqual({
      kind: 'malformed',
      why: 'bookings[0].start: must be an instant with its offset from UTC, 2026-11-22T09:00:00Z; found a text',
    });
  });

  it('does not work for vendors whose messages do not tell enough', async () => {
    const body = JSON.stringify([{ Id: 1, FromTime: '2026-11-23T08:00:00Z' }]);
    const nexudus = push(body, { 'x-nexudus-hook-signature': hmac(body) });
    expect(await receive(source({ preset: 'nexudus' }), nexudus)).toMatchObject({ kind: 'malformed' });
    const cobot = push('{"url":"https://co-up.cobot.me/api/bookings/1"}', {});
    expect(await receive(source({ preset: 'cobot' }), cobot)).toMatchObject({ kind: 'malformed' });
  });

  it('never names secret or signature in what it answers', async () => {
    const one = source();
    const message = signedPush(upserted(booking()));
    const answers = [await receive(one, message), await receive(one, message), await receive(one, push('{}', {}))];
    const text = JSON.stringify(answers);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(message.headers['x-doorward-signature']?.slice(7, 30));
  });
});

describe('a webhook with an address', () => {
  const url = 'https://bookings.example/list';

  it('only makes us look there, and a replay is refused', async () => {
    const one = source({ url });
    const message = signedPush(upserted(booking()));
    expect(await receive(one, message)).toEqual({ kind: 'poll' });
    expect(await receive(one, message)).toMatchObject({ kind: 'refused' });
    expect(await receive(one, later(cancelled({ id: 'b-7', updatedAt: '2026-11-22T12:00:00Z' }), 1_000))).toEqual({
      kind: 'poll',
    });
    expect(await receive(one, later({ type: 'ping' }, 2_000))).toEqual({ kind: 'ignored' });
  });

  it('forgets with a restart what a replay could do no harm with', async () => {
    const message = signedPush(upserted(booking()));
    await receive(source({ url }), message);
    expect(await receive(source({ url }), message)).toEqual({ kind: 'poll' });
  });

  it('may have other header names', async () => {
    const body = JSON.stringify(upserted(booking()));
    const headers = { 'x-proxy-signature': hmac(`${NOW_S}.${body}`), 'x-proxy-time': NOW_S };
    const named = { url, signatureHeader: 'X-Proxy-Signature', timestampHeader: 'x-proxy-time' };
    expect(await receive(source(named), push(body, headers))).toEqual({ kind: 'poll' });
    expect(await receive(source({ url }), push(body, headers))).toMatchObject({ kind: 'refused' });
    const own = { 'x-doorward-signature': hmac(`${NOW_S}.${body}`), 'x-doorward-timestamp': NOW_S };
    expect(await receive(source(named), push(body, own))).toMatchObject({ kind: 'refused' });
  });

  it('of OfficeRnD is signed over body and time in one header', async () => {
    const body = JSON.stringify({ eventType: 'booking.created', data: { object: { _id: 'x' } } });
    const one = source({ url, preset: 'officernd' });
    const headers = { 'officernd-signature': `t=${NOW_S},v1=${hmac(`${body}.${NOW_S}`)}` };
    expect(await receive(one, push(body, headers))).toEqual({ kind: 'poll' });
    expect(await receive(one, push(body, headers, NOW_MS + HOUR_MS))).toMatchObject({ kind: 'refused' });
    expect(await receive(one, push(body, { 'officernd-signature': `v1=${hmac(body)}` }))).toMatchObject({
      kind: 'refused',
    });
  });

  it('of Nexudus is signed over the body alone; a copy is refused for a day', async () => {
    const body = JSON.stringify([{ Id: 1, FromTime: '2026-11-23T08:00:00Z' }]);
    const one = source({ url, preset: 'nexudus' });
    const headers = { 'x-nexudus-hook-signature': hmac(body).toUpperCase() };
    expect(await receive(one, push(body, headers))).toEqual({ kind: 'poll' });
    expect(await receive(one, push(body, headers, NOW_MS + 23 * HOUR_MS))).toMatchObject({ kind: 'refused' });
    expect(await receive(one, push(body, { 'x-nexudus-hook-signature': hmac('x') }))).toMatchObject({
      kind: 'refused',
    });
  });

  it('behind a proxy that signs with a time must have that time', async () => {
    const body = JSON.stringify([{ Id: 1, FromTime: '2026-11-23T08:00:00Z' }]);
    const one = source({ url, preset: 'nexudus', timestampHeader: 'X-Time' });
    expect(await receive(one, push(body, { 'x-nexudus-hook-signature': hmac(body) }))).toMatchObject({
      kind: 'refused',
    });
    const headers = { 'x-nexudus-hook-signature': hmac(`${NOW_S}.${body}`), 'x-time': NOW_S };
    expect(await receive(one, push(body, headers))).toEqual({ kind: 'poll' });
  });
});

describe('a Cal.com webhook', () => {
  const message = (createdAt: string, over: object = {}): string =>
    JSON.stringify({
      triggerEvent: 'BOOKING_CREATED',
      createdAt,
      payload: {
        uid: 'bk1',
        startTime: '2026-11-23T08:00:00Z',
        endTime: '2026-11-23T09:00:00Z',
        organizer: { email: 'mia@clinic.example' },
        status: 'ACCEPTED',
        ...over,
      },
    });
  const signed = (body: string, at = NOW_MS): PushRequest => push(body, { 'x-cal-signature-256': hmac(body) }, at);

  it('is known to be of now by the time within its signed body', async () => {
    const body = message('2026-11-22T12:00:00Z');
    for (const over of [{}, { url: 'https://api.cal.com' }]) {
      const one = (): CalendarSource => source({ preset: 'calcom', ...over });
      expect((await receive(one(), signed(body))).kind).toBe('url' in over ? 'poll' : 'delta');
      for (const at of [NOW_MS + TOLERANCE_MS + 1, NOW_MS - TOLERANCE_MS - 1]) {
        expect(await receive(one(), signed(body, at))).toMatchObject({ kind: 'refused' });
      }
    }
  });

  it('that moves a booking frees the old slot in the same message', async () => {
    const one = source({ preset: 'calcom' });
    const first = delta(await receive(one, signed(message('2026-11-22T11:59:00Z'))));
    const moved = signed(message('2026-11-22T12:00:00Z', { uid: 'bk2', rescheduleUid: 'bk1' }));
    const pushed = delta(await receive(one, moved, first.cursor));
    expect([pushed.changed.map(({ href }) => href), pushed.removed]).toEqual([['bk2'], ['bk1']]);
  });
});

describe('a Cobot webhook', () => {
  const url = 'https://co-up.cobot.me';
  const hint = (address: string, at = NOW_MS): PushRequest => push(JSON.stringify({ url: address }), {}, at);

  it('is a hint to look, only when it names our server', async () => {
    const one = source({ preset: 'cobot', url });
    expect(await receive(one, hint('http://co-up.cobot.me/api/bookings/1'))).toEqual({ kind: 'poll' });
    for (const address of [
      'https://evil.example/api/bookings/1',
      'https://co-up.cobot.me.evil.example/',
      'ftp://co-up.cobot.me/',
      'x',
    ]) {
      expect(await receive(one, hint(address)), address).toEqual({ kind: 'ignored' });
    }
  });

  it('in a flood makes us look no more than once in ten seconds', async () => {
    const one = source({ preset: 'cobot', url });
    const kinds: string[] = [];
    for (let second = 0; second < 400; second += 1) {
      kinds.push((await receive(one, hint(`${url}/api/bookings/1`, NOW_MS + second * 1_000))).kind);
    }
    expect(kinds.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 'poll'));
    expect(kinds.slice(200).filter((kind) => kind === 'poll')).toHaveLength(20);
  });

  it('is checked all the same where a proxy signs it', async () => {
    const one = source({ preset: 'cobot', url, signatureHeader: 'x-proxy-signature' });
    const request = hint(`${url}/api/bookings/1`);
    expect(await receive(one, request)).toMatchObject({ kind: 'refused' });
    const headers = { 'x-proxy-signature': hmac(request.body) };
    expect(await receive(one, { ...request, headers })).toEqual({ kind: 'poll' });
  });
});

describe('what a source without an address remembers', () => {
  const removal = (href: string, stampMs: number, endMs?: number) => ({ href, stampMs, endMs });

  it('is kept until the booking is over, a week at least', () => {
    const stamps = new Stamps();
    stamps.accept(removal('short', 1), 1, NOW_MS);
    stamps.accept(removal('long', 1, NOW_MS + 2 * KEEP_MS), 1, NOW_MS);
    const after = Stamps.read(stamps.write(NOW_MS + KEEP_MS + 1));
    expect([after.accept(removal('short', 1), 0, 0), after.accept(removal('long', 1), 0, 0)]).toEqual([true, false]);
  });

  it('has a limit; those that are over first go first', () => {
    const stamps = new Stamps();
    for (let index = 0; index < MAX_STAMPS + 10; index += 1) {
      stamps.accept(removal(`b-${index}`, 5, NOW_MS + KEEP_MS + index), 5, NOW_MS);
    }
    const cursor = stamps.write(NOW_MS);
    expect((JSON.parse(cursor) as { stamps: unknown[] }).stamps).toHaveLength(MAX_STAMPS);
    const after = Stamps.read(cursor);
    expect([after.accept(removal('b-0', 4), 4, NOW_MS), after.accept(removal('b-20', 4), 4, NOW_MS)]).toEqual([
      true,
      false,
    ]);
  });

  it('is nothing when the cursor is not ours', () => {
    for (const cursor of [
      undefined,
      '',
      'x',
      '7',
      '{"v":2}',
      '{"v":1}',
      '{"v":1,"stamps":[1,[2],["a",["b"]]],"prints":[[1,2]]}',
      'sha256:abc',
    ]) {
      expect(Stamps.read(cursor).accept(removal('b', 1), 1, NOW_MS)).toBe(true);
    }
  });
});
