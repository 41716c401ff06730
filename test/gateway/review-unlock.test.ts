/** Ways to an unlock that nobody should get, or to a journal that no longer verifies: tried from outside. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../gateway/store/index.ts';
import { Clinic } from '../support/clinic.ts';
import type { NativeDevice } from '../support/nativedevice.ts';

const UID = '04A224B2C15E80';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Half of a surrogate pair: JSON carries it, UTF-8 cannot. */
const LONE = '\ud800';

describe('a wrong unlock', () => {
  let clinic: Clinic;
  afterEach(() => clinic.close());

  async function open(): Promise<{ lock: NativeDevice; reader: NativeDevice }> {
    clinic = await Clinic.open();
    const lock = await clinic.device('lock-1', ['lock', 'door', 'exit'], { lock: 'locked', door: 'closed' });
    const reader = await clinic.device('reader-1', ['reader']);
    return { lock, reader };
  }

  /** The newest access decision after `act`, once there is one more than before. */
  async function decided(act: () => Promise<void>) {
    const before = (await clinic.events()).length;
    await act();
    return await vi.waitFor(async () => {
      const events = await clinic.events();
      expect(events.length).toBeGreaterThan(before);
      return events[0];
    }, 8_000);
  }

  it('is refused with the reasons that others rely on, word for word', async () => {
    const { lock, reader } = await open();
    const said = async (uid: string) => {
      const entry = await decided(() => reader.badge(uid));
      return `${entry?.outcome} ${entry?.reason}/${entry?.subReason}`;
    };
    expect(await said('04FF')).toBe('denied denied_unknown_credential/null');
    const ada = await clinic.practitioner('Ada', '04A0');
    const ben = await clinic.practitioner('Ben', '04B0');
    const out = 'denied denied_out_of_time_range';
    expect(await said('04A0')).toBe('denied denied_point_no_access_rights/booking_none');
    const at = (minutes: number) => new Date(clinic.clock.now().wallMs + minutes * MINUTE).toISOString();
    const book = { room: 'consult-1', holder: ada.member, start: at(20), end: at(30) };
    const { id } = (await clinic.api('POST', 'bookings', book)).body;
    expect(await said('04A0')).toBe(`${out}/booking_not_started`);
    clinic.clock.advance(20 * MINUTE);
    expect(await said('04A0')).toBe('granted granted/null');
    expect(await said('04B0')).toBe('denied denied_point_no_access_rights/booking_other_holder');
    await clinic.api('DELETE', `bookings/${id}`);
    expect(await said('04A0')).toBe(`${out}/booking_cancelled`);
    await clinic.api('PATCH', `bookings/${id}`, { status: 'confirmed' });
    clinic.clock.advance(15 * MINUTE);
    expect(await said('04A0')).toBe(`${out}/booking_ended`);
    await clinic.api('PATCH', `members/${ada.member}`, { status: 'suspended' });
    expect(await said('04A0')).toBe('denied denied_credential_manual_disable/null');
    await clinic.api('DELETE', `credentials/${ben.credential}`);
    expect(await said('04B0')).toBe('denied denied_credential_disabled/null');
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1), 8_000);
  });

  it('does not follow from a booking that was moved into the far past', async () => {
    const { lock, reader } = await open();
    const { booking } = await clinic.practitioner('Ada', UID, { startMin: 0, endMin: 60 });
    const at = (ms: number) => new Date(clinic.clock.now().wallMs - 30 * DAY + ms).toISOString();
    expect((await clinic.api('PATCH', `bookings/${booking}`, { start: at(0), end: at(60 * MINUTE) })).status).toBe(200);
    expect(await decided(() => reader.badge(UID))).toMatchObject({ outcome: 'denied' });
    expect(lock.unlocks()).toEqual([]);
  });

  it('does not follow from a second enrolment of one card under its facility and number', async () => {
    const { lock, reader } = await open();
    const { member } = await clinic.practitioner('Ada', UID, { startMin: 0, endMin: 60 });
    const bits = '10111011000000110010000110';
    const enrol = (format: string, value: string) => clinic.api('POST', 'credentials', { member, format, value });
    const first = await enrol('bits', bits);
    expect(first.status).toBe(201);
    expect((await enrol('fc-cn', '118-1603')).status).toBe(409);
    expect((await enrol('fc-cn', 'H10301:118-1603')).status).toBe(409);
    expect((await enrol('fc-cn', 'C1K35:118-1603')).status).toBe(201);
    expect((await clinic.api('DELETE', `credentials/${first.body.id}`)).status).toBe(204);
    const read = { type: 'credential', format: 'bits', value: bits };
    expect(await decided(() => reader.event('reader', read))).toMatchObject({ reason: 'denied_credential_disabled' });
    expect(lock.unlocks()).toEqual([]);
  });

  it('does not follow from the list of unknown cards once the card was enrolled under another number', async () => {
    const { reader } = await open();
    const { member } = await clinic.practitioner('Ada', UID, { startMin: 0, endMin: 60 });
    const bits = '10111011000000110010000110';
    await decided(() => reader.event('reader', { type: 'credential', format: 'bits', value: bits }));
    clinic.clock.advance(1_000);
    const seen = (await clinic.until('credentials/unknown', (answer) => answer.body.length === 1)).body[0].id;
    expect((await clinic.api('POST', 'credentials', { member, format: 'fc-cn', value: '118-1603' })).status).toBe(201);
    expect((await clinic.api('GET', 'credentials/unknown')).body).toEqual([]);
    expect((await clinic.api('POST', 'credentials', { member, seen })).status).toBe(404);
  });

  it('is not confirmed by a lock that started to move and went back', async () => {
    const { lock, reader } = await open();
    lock.obeys = false;
    await clinic.practitioner('Ada', UID, { startMin: 0, endMin: 60 });
    const entry = await decided(() => reader.badge(UID));
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1));
    await lock.state('lock', 'unlocking', entry?.command ?? '');
    await lock.state('lock', 'locked');
    await vi.waitFor(async () => expect((await clinic.events('command'))[0]).toMatchObject({ outcome: 'failed' }));
  });

  it('leaves a journal that verifies whatever texts people and devices send', async () => {
    const { lock, reader } = await open();
    lock.obeys = false;
    await clinic.practitioner('Ada', UID, { startMin: 0, endMin: 60 });
    await decided(() => reader.badge(UID));
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1));
    const id = lock.unlocks()[0]?.command.id;
    await lock.raw('ack/lock', JSON.stringify({ id, result: 'failed', why: `no ${LONE} power\u0000` }));
    await vi.waitFor(async () => expect(await clinic.events('command')).toHaveLength(1));
    lock.obeys = true;
    const opened = await clinic.api('POST', 'doors/consult-1-door/unlock', { reason: `parcel ${LONE}` });
    expect(opened.body).toMatchObject({ outcome: 'confirmed' });
    const store = openStore(clinic.dataDir, { readonly: true });
    try {
      expect(store.journal.verify()).toMatchObject({ ok: true });
    } finally {
      store.close();
    }
  });

  it('is neither given nor withheld for good after the wall clock was far off and came back', async () => {
    const { lock, reader } = await open();
    await clinic.practitioner('Ada', UID, { startMin: 0, endMin: 4 * 60 });
    const cleaner = await clinic.practitioner('Cleo', '04C0');
    const weekly = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '00:00' }];
    await clinic.api('PATCH', `members/${cleaner.member}`, {
      kind: 'cleaner',
      rights: [{ doors: ['consult-1-door'], weekly }],
    });
    clinic.clock.jump(400 * DAY);
    // Long enough for the hourly forgetting of old bookings.
    await clinic.pass(61 * MINUTE, MINUTE);
    expect(await decided(() => reader.badge('04C0'))).toMatchObject({
      outcome: 'granted',
      subReason: 'standing_right',
    });
    expect(await decided(() => reader.badge(UID))).toMatchObject({ outcome: 'denied' });
    clinic.clock.jump(-400 * DAY);
    await clinic.pass(10_000);
    expect(await decided(() => reader.badge(UID))).toMatchObject({ outcome: 'granted' });
    expect(await decided(() => reader.badge('04C0'))).toMatchObject({ outcome: 'granted' });
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(3), 8_000);
  });

  it('keeps the files of its data from other users of the machine', async () => {
    await open();
    for (const name of [
      'doorward.db',
      'doorward.db-wal',
      'telemetry.db',
      'journal.head',
      'secret.key',
      'doorward.sock',
    ])
      expect(`${name} ${(statSync(path.join(clinic.dataDir, name)).mode & 0o077).toString(8)}`).toBe(`${name} 0`);
  });
});
