/** From badge to door, over real MQTT and a real database, under a clock that the test moves. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { JournalDraft } from '../../gateway/core/effects.ts';
import { openStore } from '../../gateway/store/index.ts';
import { Clinic } from '../support/clinic.ts';
import type { NativeDevice } from '../support/nativedevice.ts';

const UID = '04A224B2C15E80';
const MINUTE = 60_000;

describe.each(['embedded', 'mosquitto'] as const)('a badge at a door (%s broker)', (broker) => {
  let clinic: Clinic;
  afterEach(() => clinic.close());

  async function open(): Promise<{ lock: NativeDevice; reader: NativeDevice }> {
    clinic = await Clinic.open({ broker });
    const lock = await clinic.device('lock-1', ['lock', 'door', 'exit'], { lock: 'locked', door: 'closed' });
    const reader = await clinic.device('reader-1', ['reader']);
    return { lock, reader };
  }

  /** The newest access decision after `badge`, once there is one more than before. */
  async function decided(act: () => Promise<void>) {
    const before = (await clinic.events()).length;
    await act();
    return await vi.waitFor(async () => {
      const events = await clinic.events();
      expect(events.length).toBeGreaterThan(before);
      return events[0];
    }, 8_000);
  }

  it('opens in the window with a durable grant, an id and an expiry, and is confirmed by what the lock reports', async () => {
    const { lock, reader } = await open();
    await clinic.practitioner('Ada', UID, { startMin: 5, endMin: 60 });
    const entry = await decided(() => reader.badge(UID));
    expect(entry).toMatchObject({ outcome: 'granted', reason: 'granted', door: 'consult-1-door' });
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1));
    const order = lock.unlocks()[0];
    const nowMs = clinic.clock.now().wallMs;
    expect(order?.retain).toBe(false);
    expect(order?.command).toMatchObject({ id: entry?.command, op: 'unlock', holdMs: 5_000, ttlMs: 5_000, boot: 'b1' });
    expect(Date.parse(String(order?.command.expiresAt))).toBe(nowMs + 5_000);
    await vi.waitFor(async () =>
      expect((await clinic.events('command'))[0]).toMatchObject({ outcome: 'confirmed', command: entry?.command }),
    );
    await vi.waitFor(() => expect(reader.orders.map((one) => one.command.signal)).toEqual(['granted']));
    const room = await clinic.until('rooms/consult-1', (answer) => answer.body.door.lock === 'unlocked');
    expect(room.body.door.lastCommand).toMatchObject({ outcome: 'confirmed' });
  });

  it('is exact to the millisecond at both ends of the window', async () => {
    const { lock, reader } = await open();
    await clinic.practitioner('Ada', UID, { startMin: 20, endMin: 30 });
    clinic.clock.advance(10 * MINUTE - 1);
    expect(await decided(() => reader.badge(UID))).toMatchObject({
      reason: 'denied_out_of_time_range',
      subReason: 'booking_not_started',
    });
    clinic.clock.advance(1_000);
    expect(await decided(() => reader.badge(UID))).toMatchObject({ outcome: 'granted' });
    clinic.clock.advance(25 * MINUTE - 1_000);
    expect(await decided(() => reader.badge(UID))).toMatchObject({ outcome: 'granted' });
    clinic.clock.advance(1_001);
    expect(await decided(() => reader.badge(UID))).toMatchObject({
      reason: 'denied_out_of_time_range',
      subReason: 'booking_ended',
    });
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(2), 8_000);
  });

  it('is refused after a cancellation, a revocation and a suspension, at once', async () => {
    const { lock, reader } = await open();
    const ada = await clinic.practitioner('Ada', UID, { startMin: 0, endMin: 60 });
    expect((await clinic.api('DELETE', `bookings/${ada.booking}`)).status).toBe(204);
    expect(await decided(() => reader.badge(UID))).toMatchObject({
      reason: 'denied_out_of_time_range',
      subReason: 'booking_cancelled',
    });
    const ben = await clinic.practitioner('Ben', '04B0', { startMin: 0, endMin: 60 });
    await clinic.api('PATCH', `members/${ben.member}`, { status: 'suspended' });
    expect(await decided(() => reader.badge('04B0'))).toMatchObject({ reason: 'denied_credential_manual_disable' });
    await clinic.api('PATCH', `members/${ben.member}`, { status: 'active' });
    await clinic.api('DELETE', `credentials/${ben.credential}`);
    clinic.clock.advance(1_001);
    expect(await decided(() => reader.badge('04B0'))).toMatchObject({ reason: 'denied_credential_disabled' });
    expect(lock.unlocks()).toEqual([]);
  });

  it('never opens for an event that is retained, old, or sent twice', async () => {
    const { lock, reader } = await open();
    await clinic.practitioner('Ada', UID, { startMin: 0, endMin: 60 });
    const old = new Date(clinic.clock.now().wallMs - 10_001).toISOString();
    expect(await decided(() => reader.badge(UID, { at: old }))).toMatchObject({
      outcome: 'denied',
      subReason: 'event_too_old',
    });
    expect(lock.unlocks()).toEqual([]);
    await decided(() => reader.badge(UID, { id: 'same' }));
    clinic.clock.advance(5_000);
    await reader.badge(UID, { id: 'same' });
    await decided(() => reader.badge('0BAD'));
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1), 8_000);
  });

  it('leaves an unknown card to be enrolled, and opens for it then', async () => {
    const { lock, reader } = await open();
    const { member } = await clinic.practitioner('Ada', '04AA', { startMin: 0, endMin: 60 });
    expect(await decided(() => reader.badge(UID))).toMatchObject({ reason: 'denied_unknown_credential' });
    // At once: what is written once a second is written when it is asked for.
    const seen = await clinic.until(
      'credentials/unknown',
      (answer) => answer.body.items?.length === 1 || answer.body.length === 1,
    );
    const card = (seen.body.items ?? seen.body)[0];
    expect(card).toMatchObject({ last4: '5E80', door: 'consult-1-door' });
    expect(seen.text).not.toContain(UID);
    expect((await clinic.api('POST', 'credentials', { member, seen: card.id })).status).toBe(201);
    expect(await decided(() => reader.badge(UID))).toMatchObject({ outcome: 'granted' });
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1));
  });

  it('ends unknown when the lock says nothing, with an alarm', async () => {
    const { lock, reader } = await open();
    lock.obeys = false;
    await clinic.practitioner('Ada', UID, { startMin: 0, endMin: 60 });
    await decided(() => reader.badge(UID));
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1));
    clinic.advance(11_000);
    await vi.waitFor(async () => expect((await clinic.events('command'))[0]).toMatchObject({ outcome: 'unknown' }));
    await clinic.until('alarms', (answer) => JSON.stringify(answer.body).includes('unlock_failed'));
  });

  it('lets an operator unlock with a reason and waits for the outcome', async () => {
    const { lock } = await open();
    const answer = await clinic.api('POST', 'doors/consult-1-door/unlock', { reason: 'key forgotten' });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'confirmed' } });
    expect(lock.unlocks()[0]?.command.id).toBe(answer.body.command);
    expect((await clinic.events('operator'))[0]).toMatchObject({ note: 'key forgotten', command: answer.body.command });
  });

  it('goes on with what it knew after a restart, and unlocks nothing by itself', async () => {
    const { lock, reader } = await open();
    await clinic.practitioner('Ada', UID, { startMin: 0, endMin: 60 });
    await decided(() => reader.badge(UID));
    await clinic.restart();
    expect((await clinic.events())[0]).toMatchObject({ outcome: 'granted' });
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(1), 8_000);
    expect(
      (await clinic.api('GET', 'bookings')).body.items?.length ?? (await clinic.api('GET', 'bookings')).body.length,
    ).toBe(1);
  });

  it('ends orders that are under way as unknown when it stops, and whoever waits for one is told', async () => {
    const { lock, reader } = await open();
    lock.obeys = false;
    await clinic.practitioner('Ada', UID, { startMin: 0, endMin: 60 });
    const entry = await decided(() => reader.badge(UID));
    const waiting = clinic.api('POST', 'doors/consult-1-door/unlock', { reason: 'key forgotten' });
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(2), 8_000);
    await clinic.restart();
    const operated = lock.unlocks()[1]?.command.id;
    expect(await waiting).toMatchObject({ status: 200, body: { command: operated, outcome: 'unknown' } });
    const ended = (await clinic.events('command')).map(({ command, outcome }) => [command, outcome]);
    expect(ended).toEqual([
      [operated, 'unknown'],
      [entry?.command, 'unknown'],
    ]);
  });

  it('ends an order as unknown that the run before was killed amid', async () => {
    const { lock, reader } = await open();
    await clinic.practitioner('Ada', UID, { startMin: 0, endMin: 60 });
    await decided(() => reader.badge(UID));
    await vi.waitFor(async () => expect(await clinic.events('command')).toHaveLength(1), 8_000);
    await clinic.gateway.stop();
    const store = openStore(clinic.dataDir);
    const [ended, granted] = store.journal.query({ limit: 50 }).filter(({ command }) => command !== undefined);
    expect([ended?.kind, granted?.kind]).toEqual(['command', 'access']);
    // As a kill between the grant and its outcome leaves it.
    store.journal.append([{ ...(granted as JournalDraft), id: 'killed', command: 'cut-short' }], Date.now());
    store.close();
    await clinic.restart();
    await vi.waitFor(async () => {
      const commands = (await clinic.events('command')).map(({ command, outcome }) => `${command} ${outcome}`);
      expect(commands).toEqual(['cut-short unknown', `${granted?.command} confirmed`]);
    }, 8_000);
    expect(lock.unlocks()).toHaveLength(1);
  });
});
