/** Doors and rights over real MQTT under a moved clock. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Clinic } from '../support/clinic.ts';
import type { NativeDevice } from '../support/nativedevice.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PATIENCE_MS = 20_000;
const LONG = 90_000;

/** A whole clinic each time, on a machine that may be busy. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let clinic: Clinic;
afterEach(() => clinic.close());

interface Gear {
  readonly lock: NativeDevice;
  readonly reader: NativeDevice;
}

/** Lock and reader of consulting room 1, of 2, or of the entrance. */
async function gear(which: '1' | '2' | 'entrance' = '1', boot = 'b1'): Promise<Gear> {
  const lock = await clinic.device(`lock-${which}`, ['lock', 'door', 'exit'], { lock: 'locked', door: 'closed' }, boot);
  const reader = await clinic.device(`reader-${which}`, ['reader'], {}, boot);
  return { lock, reader };
}

async function open(options: Parameters<typeof Clinic.open>[0] = {}): Promise<Gear> {
  clinic = await Clinic.open(options);
  return await gear();
}

/** The newest access decision after `act`, once there is one more than before. */
async function decided(act: () => Promise<void>) {
  const before = (await clinic.events())[0]?.seq ?? 0;
  await act();
  return await vi.waitFor(async () => {
    const newest = (await clinic.events())[0];
    expect(newest?.seq ?? 0).toBeGreaterThan(before);
    return newest;
  }, PATIENCE_MS);
}

/** A card is read after a moment's rest, so that it is no repeat of the last read; a grant is seen to its end. */
async function shown(reader: NativeDevice, uid: string) {
  clinic.clock.advance(1_500);
  const entry = await decided(() => reader.badge(uid));
  if (entry?.outcome === 'granted') {
    await vi.waitFor(async () => expect((await clinic.events('command'))[0]?.command).toBe(entry.command), PATIENCE_MS);
  }
  return entry;
}

async function contact(lock: NativeDevice, value: 'open' | 'closed', door = 'consult-1-door'): Promise<void> {
  await lock.state('door', value);
  await vi.waitFor(async () => {
    const doors = await clinic.get<{ id: string; contact: string }[]>('doors');
    expect(doors.find((one) => one.id === door)?.contact).toBe(value);
  }, PATIENCE_MS);
}

async function member(name: string, uid: string, change: object = {}, card: object = {}): Promise<string> {
  const { id } = (await clinic.api('POST', 'members', { name, ...change })).body;
  const made = await clinic.api('POST', 'credentials', { member: id, format: 'uid', value: uid, ...card });
  expect(made.status).toBe(201);
  return id;
}

function booking(holder: string, startMin: number, endMin: number, more: object = {}) {
  const at = (minutes: number) => new Date(clinic.clock.now().wallMs + minutes * MINUTE).toISOString();
  return clinic.api('POST', 'bookings', { room: 'consult-1', holder, start: at(startMin), end: at(endMin), ...more });
}

describe('a door', () => {
  it('held open longer than it may is an alarm until it is closed', async () => {
    const { lock } = await open();
    await clinic.api('POST', 'doors/consult-1-door/unlock', { reason: 'delivery' });
    await contact(lock, 'open');
    await clinic.pass(119 * SECOND);
    expect(await clinic.alarms('consult-1-door')).toEqual([]);
    await clinic.pass(2 * SECOND);
    expect(await clinic.alarms('consult-1-door')).toEqual(['door_held_open']);
    expect(await clinic.events('door_held_open')).toHaveLength(1);
    await contact(lock, 'closed');
    expect(await clinic.alarms('consult-1-door')).toEqual([]);
  });

  it('forced open is a critical alarm that stays until a person resolves it, across a restart', async () => {
    const { lock } = await open();
    await contact(lock, 'open');
    expect(await clinic.alarms('consult-1-door')).toEqual(['door_forced']);
    expect(await clinic.events('door_forced')).toHaveLength(1);
    await contact(lock, 'closed');
    await clinic.pass(2 * SECOND);
    const [alarm] = await clinic.get<{ id: string; status: string; severity: string }[]>('alarms');
    expect(alarm).toMatchObject({ severity: 'critical', status: 'open' });
    const noted = await clinic.api('POST', `alarms/${alarm?.id}/acknowledge`, { note: 'on my way' });
    expect(noted).toMatchObject({ status: 200, body: { status: 'acknowledged', note: 'on my way' } });
    await clinic.restart();
    await clinic.pass(2 * MINUTE);
    const after = await clinic.get<{ id: string; kind: string }[]>('alarms');
    expect(after.find((one) => one.kind === 'door_forced')).toMatchObject({
      id: alarm?.id,
      status: 'acknowledged',
      note: 'on my way',
    });
    const resolved = await clinic.api('POST', `alarms/${alarm?.id}/resolve`, { note: 'the wind' });
    expect(resolved).toMatchObject({ status: 200, body: { status: 'resolved' } });
    expect(await clinic.alarms('consult-1-door')).toEqual([]);
    expect((await clinic.api('POST', `alarms/${alarm?.id}/resolve`, {})).status).toBe(409);
    expect((await clinic.events('alarm')).map((entry) => entry.note)).toEqual([
      'door_forced resolved: the wind',
      'door_forced acknowledged: on my way',
    ]);
  });

  it('opened from inside by the exit button is neither forced nor in need of the gateway', async () => {
    const { lock } = await open();
    await lock.event('exit', { type: 'request_to_exit' });
    await vi.waitFor(async () => expect(await clinic.events('request_to_exit')).toHaveLength(1), PATIENCE_MS);
    await contact(lock, 'open');
    expect(await clinic.alarms('consult-1-door')).toEqual([]);
    await contact(lock, 'closed');
    await clinic.pass(20 * SECOND);
    await contact(lock, 'open');
    expect(await clinic.alarms('consult-1-door')).toEqual(['door_forced']);
    expect(lock.unlocks()).toEqual([]);
  });

  it('whose lock jams tells the operator and raises an alarm until it is free', async () => {
    const { lock } = await open();
    lock.obeys = false;
    const asked = clinic.api('POST', 'doors/consult-1-door/unlock', { reason: 'key forgotten' });
    const order = await vi.waitFor(() => {
      expect(lock.unlocks()).toHaveLength(1);
      return lock.unlocks()[0];
    }, PATIENCE_MS);
    await lock.state('lock', 'unlocking', order?.command.id);
    await lock.state('lock', 'jammed', order?.command.id);
    expect(await asked).toMatchObject({ status: 200, body: { command: order?.command.id, outcome: 'failed' } });
    await vi.waitFor(
      async () => expect(await clinic.alarms('consult-1-door')).toEqual(['lock_jammed', 'unlock_failed']),
      PATIENCE_MS,
    );
    await lock.state('lock', 'locked');
    await vi.waitFor(
      async () => expect(await clinic.alarms('consult-1-door')).not.toContain('lock_jammed'),
      PATIENCE_MS,
    );
  });

  it('whose lock is lost is unknown, not locked, and a grant at it ends unknown', async () => {
    const { lock, reader } = await open();
    await clinic.practitioner('Ada', '04AA', { startMin: 0, endMin: 60 });
    lock.drop();
    const door = await vi.waitFor(async () => {
      const found = (await clinic.get<{ id: string; online: boolean }[]>('doors')).find(
        (one) => one.id === 'consult-1-door',
      );
      expect(found?.online).toBe(false);
      return found;
    }, PATIENCE_MS);
    expect(door).toMatchObject({ lock: 'unknown', contact: 'unknown' });
    expect(await decided(() => reader.badge('04AA'))).toMatchObject({ outcome: 'granted' });
    await clinic.pass(11 * SECOND);
    await vi.waitFor(
      async () => expect((await clinic.events('command'))[0]).toMatchObject({ outcome: 'unknown' }),
      PATIENCE_MS,
    );
    await clinic.pass(MINUTE);
    expect(await clinic.alarms()).toEqual(expect.arrayContaining(['unlock_failed', 'device_offline']));
    // It comes back with its word, and no unlock that waited for it.
    const again = await clinic.device('lock-1', ['lock', 'door', 'exit'], { lock: 'locked', door: 'closed' }, 'b2');
    await vi.waitFor(async () => {
      const doors = await clinic.get<{ id: string; lock: string }[]>('doors');
      expect(doors.find((one) => one.id === 'consult-1-door')?.lock).toBe('locked');
    }, PATIENCE_MS);
    expect(again.orders).toEqual([]);
  });
});

describe('rights', () => {
  it('the entrance opens half an hour before any booking of the holder, and no earlier', async () => {
    clinic = await Clinic.open();
    const { reader } = await gear('entrance');
    const ada = await member('Ada', '04AA');
    await booking(ada, 45, 90, { room: 'consult-2' });
    expect(await shown(reader, '04AA')).toMatchObject({ outcome: 'denied', subReason: 'booking_not_started' });
    clinic.clock.advance(15 * MINUTE);
    expect(await shown(reader, '04AA')).toMatchObject({ outcome: 'granted', door: 'entrance' });
    await member('Ben', '04BB');
    expect(await shown(reader, '04BB')).toMatchObject({
      reason: 'denied_point_no_access_rights',
      subReason: 'booking_none',
    });
  });

  it('a cleaner comes in across midnight of the clinic’s own zone', async () => {
    // Monday 21:59 in Berlin, winter time.
    const { reader } = await open({ startMs: Date.UTC(2026, 2, 2, 20, 59) });
    const weekly = [{ days: ['mon'], from: '22:00', to: '02:00' }];
    await member('Cleo', '04CC', { kind: 'cleaner', rights: [{ doors: ['consult-1-door'], weekly }] });
    expect(await shown(reader, '04CC')).toMatchObject({ outcome: 'denied', reason: 'denied_out_of_time_range' });
    clinic.clock.advance(MINUTE);
    expect(await shown(reader, '04CC')).toMatchObject({ outcome: 'granted', subReason: 'standing_right' });
    clinic.clock.advance(3 * HOUR + 58 * MINUTE);
    expect(await shown(reader, '04CC')).toMatchObject({ outcome: 'granted' });
    clinic.clock.advance(2 * MINUTE);
    expect(await shown(reader, '04CC')).toMatchObject({ outcome: 'denied', reason: 'denied_out_of_time_range' });
    expect(await clinic.alarms('consult-1-door')).toEqual([]);
  });

  it('a weekly right follows the zone’s clock change', async () => {
    // Sunday 29 March 2026, 07:30 in Berlin: summer time began at night.
    const { reader } = await open({ startMs: Date.UTC(2026, 2, 29, 4, 59) });
    const weekly = [{ days: ['sun'], from: '07:00', to: '08:00' }];
    await member('Sam', '04DD', { kind: 'staff', rights: [{ doors: ['consult-1-door'], weekly }] });
    expect(await shown(reader, '04DD')).toMatchObject({ outcome: 'denied' });
    clinic.clock.advance(MINUTE);
    expect(await shown(reader, '04DD')).toMatchObject({ outcome: 'granted' });
    clinic.clock.advance(HOUR);
    expect(await shown(reader, '04DD')).toMatchObject({ outcome: 'denied' });
  });

  it('a right without hours opens always, and each use is an alarm', async () => {
    const { lock, reader } = await open();
    await member('Emergency set', '04EE', { kind: 'staff', rights: [{ doors: ['consult-1-door', 'entrance'] }] });
    expect(await shown(reader, '04EE')).toMatchObject({ outcome: 'granted', subReason: 'unlimited_right' });
    expect(await shown(reader, '04EE')).toMatchObject({ outcome: 'granted', subReason: 'unlimited_right' });
    await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(2), PATIENCE_MS);
    expect(await clinic.alarms('consult-1-door')).toEqual(['unlimited_right_used', 'unlimited_right_used']);
  });

  it('a delegate opens as the holder does; nobody else', async () => {
    const { reader } = await open();
    const ada = await member('Ada', '04AA');
    const dee = await member('Dee', '04DE');
    await member('Eve', '04EF');
    await booking(ada, 0, 60, { delegates: [dee] });
    expect(await shown(reader, '04DE')).toMatchObject({ outcome: 'granted' });
    expect(await shown(reader, '04EF')).toMatchObject({ outcome: 'denied', subReason: 'booking_other_holder' });
  });

  it('grace ends where the neighbour’s booking begins, on both sides', async () => {
    const { reader } = await open();
    const ada = await member('Ada', '04AA');
    const ben = await member('Ben', '04BB');
    await booking(ada, 0, 30);
    await booking(ben, 30, 60);
    clinic.clock.advance(25 * MINUTE);
    expect(await shown(reader, '04BB')).toMatchObject({ outcome: 'denied', subReason: 'booking_not_started' });
    clinic.clock.advance(5 * MINUTE);
    expect(await shown(reader, '04BB')).toMatchObject({ outcome: 'granted' });
    expect(await shown(reader, '04AA')).toMatchObject({ outcome: 'denied', subReason: 'booking_ended' });
    // After the last one nobody waits: the late grace holds in full.
    clinic.clock.advance(30 * MINUTE);
    expect(await shown(reader, '04BB')).toMatchObject({ outcome: 'granted' });
  });

  it('a credential counts only within its own time', async () => {
    const { reader } = await open();
    const at = (minutes: number) => new Date(clinic.clock.now().wallMs + minutes * MINUTE).toISOString();
    const ada = await member('Ada', '04AA', {}, { validFrom: at(10), validUntil: at(20) });
    await booking(ada, 0, 120);
    expect(await shown(reader, '04AA')).toMatchObject({ reason: 'denied_credential_not_yet_active' });
    clinic.clock.advance(10 * MINUTE);
    expect(await shown(reader, '04AA')).toMatchObject({ outcome: 'granted' });
    clinic.clock.advance(10 * MINUTE);
    expect(await shown(reader, '04AA')).toMatchObject({ reason: 'denied_credential_expired' });
  });
});

describe('bookings', () => {
  it('that overlap are refused with the one in the way; side by side is no overlap', async () => {
    await open();
    const ada = await member('Ada', '04AA');
    const first = (await booking(ada, 30, 60)).body;
    const clash = await booking(ada, 59, 90);
    expect(clash).toMatchObject({ status: 409, body: { code: 'booking_overlap', clash: { id: first.id } } });
    expect((await booking(ada, 60, 90)).status).toBe(201);
    expect((await booking(ada, 0, 30)).status).toBe(201);
    expect((await booking(ada, 30, 60, { room: 'consult-2' })).status).toBe(201);
  });

  it('moved to another time free the old one at once, for the booking list and for the door', async () => {
    const { reader } = await open();
    const ada = await member('Ada', '04AA');
    const ben = await member('Ben', '04BB');
    const { id, start, end } = (await booking(ada, 0, 60)).body;
    expect(await shown(reader, '04AA')).toMatchObject({ outcome: 'granted' });
    const later = (text: string) => new Date(Date.parse(text) + 3 * HOUR).toISOString();
    const moved = await clinic.api('PATCH', `bookings/${id}`, { start: later(start), end: later(end) });
    expect(moved).toMatchObject({ status: 200, body: { id, start: later(start) } });
    expect(await shown(reader, '04AA')).toMatchObject({ outcome: 'denied', subReason: 'booking_not_started' });
    expect((await clinic.api('POST', 'bookings', { room: 'consult-1', holder: ben, start, end })).status).toBe(201);
    expect(await shown(reader, '04BB')).toMatchObject({ outcome: 'granted' });
    const back = await clinic.api('PATCH', `bookings/${id}`, { start, end });
    expect(back).toMatchObject({ status: 409, body: { code: 'booking_overlap' } });
    // Refused means unchanged.
    expect((await clinic.api('GET', `bookings/${id}`)).body.start).toBe(later(start));
  });

  it(
    'go on after a restart as they were',
    async () => {
      await open();
      const ada = await member('Ada', '04AA');
      await booking(ada, 0, 60);
      await clinic.restart();
      const { lock, reader } = await gear('1', 'b2');
      expect(lock.orders).toEqual([]);
      expect(await shown(reader, '04AA')).toMatchObject({ outcome: 'granted' });
    },
    LONG,
  );
});

describe('a gateway whose time nobody vouches for', () => {
  const untrusted = (yaml: string) => yaml.replace('trust: always', 'trust: operator');

  async function staff(uid: string): Promise<void> {
    const rights = [{ doors: ['consult-1-door'] }];
    const { body } = await clinic.api('POST', 'members', { name: 'Staff', kind: 'staff', rights });
    await clinic.api('POST', 'credentials', { member: body.id, format: 'uid', value: uid });
  }

  it('lets in nobody for a badge that the reader kept, and somebody for one read now', async () => {
    const { lock, reader } = await open({ change: untrusted });
    await staff('04AA');
    const kept = new Date(clinic.clock.now().wallMs - 10 * MINUTE).toISOString();
    expect(await decided(() => reader.badge('04AA', { at: kept }))).toMatchObject({
      outcome: 'denied',
      subReason: 'event_too_old',
    });
    expect(await shown(reader, '04AA')).toMatchObject({ outcome: 'granted', subReason: 'unlimited_right' });
    expect(lock.unlocks()).toHaveLength(1);
  });

  it(
    'lets holders without a time limit in after a restart that set the clock back an hour',
    async () => {
      const { reader } = await open({ change: untrusted });
      await staff('04AA');
      expect(await shown(reader, '04AA')).toMatchObject({ outcome: 'granted' });
      clinic.clock.jump(-HOUR);
      await clinic.restart();
      const again = await gear('1', 'b2');
      expect(await shown(again.reader, '04AA')).toMatchObject({ outcome: 'granted', subReason: 'unlimited_right' });
      expect(again.lock.unlocks()).toHaveLength(1);
    },
    LONG,
  );
});
