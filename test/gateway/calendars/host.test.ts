/** The host over a real store and the real reader, under a clock that the test moves; only the sources are the test's. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Expander } from '../../../gateway/calendars/expander.ts';
import { CalendarHost, FIRST_PAUSE_MS, LONGEST_PAUSE_MS } from '../../../gateway/calendars/host.ts';
import type { SourceSettings } from '../../../gateway/calendars/settings.ts';
import type { CalendarObject, CalendarSource, Polled, Pushed } from '../../../gateway/calendars/types.ts';
import type { Fact } from '../../../gateway/core/facts.ts';
import { openStore } from '../../../gateway/store/index.ts';
import type { Store } from '../../../gateway/store/types.ts';
import { feed, HOUR, type IcsEvent } from '../../support/calendars-host.ts';
import { ManualClock } from '../../support/clock.ts';

const NOW = Date.UTC(2026, 2, 2, 8);
const DAY = 24 * HOUR;

let dir: string;
let store: Store;
let clock: ManualClock;
let facts: Fact[];
let hosts: CalendarHost[];
let logged: string[];
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-host-'));
  store = openStore(path.join(dir, 'data'));
  clock = new ManualClock(NOW);
  facts = [];
  hosts = [];
  logged = [];
  store.members.insert({
    id: 'ada',
    name: 'Ada',
    kind: 'practitioner',
    status: 'active',
    rights: [],
    addresses: ['ada@x.example'],
  });
});
afterEach(async () => {
  for (const host of hosts) await host.stop();
  store.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

/** A source that answers what it is told, and counts how often it was asked. */
class Script implements CalendarSource {
  readonly id: string;
  readonly kind = 'caldav';
  asked = 0;
  cursors: (string | undefined)[] = [];
  answer: Polled | Promise<Polled> = { kind: 'unchanged' };
  pushed: Pushed = { kind: 'ignored' };
  readonly released: string[] = [];
  releaseFails = 0;
  constructor(id = 'src') {
    this.id = id;
  }
  async poll(cursor: string | undefined): Promise<Polled> {
    this.asked += 1;
    this.cursors.push(cursor);
    return await this.answer;
  }
  async receive(): Promise<Pushed> {
    return this.pushed;
  }
  async release(origin: { readonly uid: string }) {
    if (this.releaseFails-- > 0) return { ok: false, why: 'not now', again: true } as const;
    this.released.push(origin.uid);
    return { ok: true } as const;
  }
}

function settings(id: string, change: Partial<SourceSettings> = {}): SourceSettings {
  return {
    id,
    kind: 'caldav',
    url: 'https://cal.example/dav/',
    everyMs: 300_000,
    priority: 0,
    rooms: { by: 'calendar', map: { '*': 'r1' } },
    holder: { by: 'attendee' },
    holdPolls: 3,
    writeReleases: false,
    http: { allowHttp: false, allowPrivate: false, timeoutMs: 1_000, maxBytes: 1_000_000 },
    ...change,
  } as SourceSettings;
}

function open(scripts: readonly Script[], change: Partial<SourceSettings> = {}): CalendarHost {
  const keep = (detail: object, message: string) => void logged.push(`${message} ${JSON.stringify(detail)}`);
  const host = new CalendarHost({
    sources: scripts.map((source) => ({ settings: settings(source.id, change), source })),
    store,
    loop: {
      post: (fact) => facts.push(fact) > 0,
      submit: async (fact) => void facts.push(fact),
    },
    clock,
    log: { info: keep, warn: keep, error: keep },
    expander: new Expander(),
    siteZone: 'Europe/Berlin',
    horizonMs: 60 * DAY,
    maxScheduleAgeMs: 36 * HOUR,
    random: () => 0.5,
  });
  hosts.push(host);
  host.announce();
  host.start();
  return host;
}

const object = (href: string, events: readonly IcsEvent[], collection = ''): CalendarObject => ({
  href,
  collection,
  etag: '',
  type: 'ics',
  body: feed(...events),
});
const visit = (uid: string, startMs = NOW + HOUR, attendee = 'ada@x.example'): IcsEvent => ({
  uid,
  startMs,
  endMs: startMs + HOUR,
  attendee,
});
const snapshot = (cursor: string, ...objects: CalendarObject[]): Polled => ({ kind: 'snapshot', objects, cursor });
const statuses = () => store.bookings.list({}).map(({ status }) => status);
const healthOf = (host: CalendarHost) => host.health()[0];
async function until(holds: () => void): Promise<void> {
  await vi.waitFor(holds, { timeout: 10_000, interval: 5 });
}
const untilState = (host: CalendarHost, state: string) => until(() => expect(healthOf(host)?.state).toBe(state));

describe('looking', () => {
  it('goes on from the cursor, tells freshness, and writes nothing for what has not changed', async () => {
    const script = new Script();
    script.answer = snapshot('c1', object('a', [visit('a')]));
    const host = open([script]);
    await untilState(host, 'ok');
    script.answer = { kind: 'unchanged' };
    const commit = vi.spyOn(store.calendars, 'commit');
    clock.advance(300_000);
    await until(() => expect(healthOf(host)?.lastGoodAtMs).toBe(NOW + 300_000));
    expect(script.cursors).toEqual([undefined, 'c1']);
    expect(commit.mock.calls.filter(([change]) => change.objects ?? change.bookings)).toEqual([]);
    expect(facts.filter(({ kind }) => kind === 'schedule_fresh').at(-1)).toMatchObject({ atMs: NOW + 300_000 });
  });

  it('holds an answer that keeps its events and loses their people', async () => {
    const script = new Script();
    const three = (attendee?: string) =>
      ['a', 'b', 'c'].map((uid, index) => ({ ...visit(uid, NOW + (index + 1) * 2 * HOUR), attendee }));
    script.answer = snapshot('c1', object('feed', three('ada@x.example')));
    const host = open([script]);
    await untilState(host, 'ok');
    expect(statuses()).toEqual(['confirmed', 'confirmed', 'confirmed']);
    script.answer = snapshot('c2', object('feed', three()));
    clock.advance(300_000);
    await untilState(host, 'held');
    expect(statuses()).toEqual(['confirmed', 'confirmed', 'confirmed']);
  });

  it('waits longer after each failure, and never past the hour', async () => {
    const script = new Script();
    script.answer = { kind: 'failed', code: 'unreachable', why: 'Nobody there.' };
    const host = open([script]);
    const pauses: number[] = [];
    for (let look = 1; look <= 10; look += 1) {
      await until(() => expect(script.asked).toBe(look));
      await until(() => expect(healthOf(host)?.nextAtMs ?? 0).toBeGreaterThan(clock.now().wallMs));
      const pauseMs = (healthOf(host)?.nextAtMs ?? 0) - clock.now().wallMs;
      pauses.push(pauseMs);
      clock.advance(pauseMs);
    }
    expect(pauses.slice(0, 4)).toEqual([1, 2, 4, 8].map((times) => times * FIRST_PAUSE_MS));
    expect(pauses.at(-1)).toBe(LONGEST_PAUSE_MS);
    expect(facts).toContainEqual(expect.objectContaining({ kind: 'calendar', state: 'failing', failures: 3 }));
  });

  it('looks again when a message came in meanwhile, since what was fetched may be older', async () => {
    const script = new Script();
    script.answer = snapshot('c1', object('a', [visit('a')]), object('b', [visit('b', NOW + 3 * HOUR)]));
    const host = open([script]);
    await untilState(host, 'ok');
    let answer: (polled: Polled) => void = () => {};
    script.answer = new Promise((resolve) => {
      answer = resolve;
    });
    host.refresh('src');
    await until(() => expect(script.asked).toBe(2));
    script.pushed = { kind: 'delta', changed: [], removed: ['a'], cursor: 'c2' };
    expect(await host.receive('src', { headers: {}, body: Buffer.alloc(0), receivedAtMs: NOW })).toBe('delta');
    expect(statuses().sort()).toEqual(['cancelled', 'confirmed']);
    script.answer = { kind: 'unchanged' };
    answer(snapshot('old', object('a', [visit('a')]), object('b', [visit('b', NOW + 3 * HOUR)])));
    await until(() => expect(script.cursors).toEqual([undefined, 'c1', 'c2']));
    expect(statuses().sort()).toEqual(['cancelled', 'confirmed']);
  });

  it('keeps what is held of a collection that cannot be read, until it is too old, and restores it', async () => {
    const script = new Script();
    const all = [object('1/a', [visit('a', NOW + 40 * HOUR)], '1'), object('2/b', [visit('b', NOW + 40 * HOUR)], '2')];
    script.answer = snapshot('c1', ...all);
    const host = open([script]);
    await untilState(host, 'ok');
    const partial = { code: 'server_error' as const, why: 'Calendar 2 cannot be read.', collections: ['2'] };
    script.answer = { kind: 'delta', changed: [], removed: [], cursor: 'c1', partial };
    host.refresh('src');
    await untilState(host, 'failing');
    expect(statuses()).toEqual(['confirmed', 'confirmed']);
    clock.jump(37 * HOUR);
    host.refresh('src');
    await until(() => expect(statuses().sort()).toEqual(['cancelled', 'confirmed']));
    await until(() => expect(healthOf(host)?.lastGoodAtMs).toBe(NOW + 37 * HOUR));
    script.answer = { kind: 'unchanged' };
    host.refresh('src');
    await untilState(host, 'ok');
    clock.advance(60_000);
    await until(() => expect(statuses()).toEqual(['confirmed', 'confirmed']));
  });
});

it('refuses what a held answer says to be cancelled, also when the next look fails, and grants it again when it is taken back', async () => {
  const script = new Script();
  const visits = Array.from({ length: 6 }, (_, n) => visit(`v${n}`, NOW + (1 + 2 * n) * HOUR));
  const whole = object('a', visits);
  script.answer = snapshot('c1', whole);
  const host = open([script]);
  await untilState(host, 'ok');
  const [first] = visits;
  if (first === undefined) throw new Error('no visit');
  script.answer = snapshot('c2', object('a', [{ ...first, status: 'CANCELLED', sequence: 1 }]));
  host.refresh('src');
  await untilState(host, 'held');
  const cancelled = () => statuses().filter((status) => status === 'cancelled').length;
  expect(cancelled()).toBe(1);
  script.answer = { kind: 'failed', code: 'timeout', why: 'Too slow.' };
  host.refresh('src');
  await untilState(host, 'failing');
  clock.advance(120_000);
  await until(() => expect(script.asked).toBeGreaterThan(3));
  expect(cancelled()).toBe(1);
  script.answer = { kind: 'unchanged' };
  host.refresh('src');
  await untilState(host, 'ok');
  clock.advance(60_000);
  await until(() => expect(cancelled()).toBe(0));
});

it('gives an address to its new member while an answer is held, and brings nothing back that the answer refuses', async () => {
  const script = new Script();
  const visits = Array.from({ length: 6 }, (_, n) => visit(`v${n}`, NOW + (1 + 2 * n) * HOUR));
  script.answer = snapshot('c1', object('a', visits));
  const host = open([script]);
  await untilState(host, 'ok');
  script.answer = snapshot('c2', object('a', [{ ...visit('v0'), status: 'CANCELLED', sequence: 1 }]));
  host.refresh('src');
  await untilState(host, 'held');
  store.members.update('ada', { addresses: [] });
  const ben = { id: 'ben', name: 'Ben', kind: 'practitioner', status: 'active', rights: [] } as const;
  store.members.insert({ ...ben, addresses: ['ada@x.example'] });
  host.membersChanged();
  clock.advance(1_000);
  const holders = () => store.bookings.list({}).map(({ holder, status }) => `${holder} ${status}`);
  const five = Array.from({ length: 5 }, () => 'ben confirmed');
  await until(() => expect(holders()).toEqual(['ben cancelled', ...five]));
  expect(healthOf(host)?.state).toBe('held');
  script.answer = { kind: 'unchanged' };
  host.refresh('src');
  await untilState(host, 'ok');
  clock.advance(60_000);
  await until(() => expect(holders()).toEqual(['ben confirmed', ...five]));
});

it('a mail address is one member’s, in any case', () => {
  const ben = { id: 'ben', name: 'Ben', kind: 'practitioner', status: 'active', rights: [] } as const;
  expect(store.members.insert({ ...ben, addresses: ['ADA@X.example'] })).toMatchObject({ ok: false, code: 'conflict' });
  expect(store.members.insert({ ...ben, addresses: ['Ben@X.example', 'ben@x.example '] })).toMatchObject({ ok: true });
  expect(store.members.get('ben')?.addresses).toEqual(['ben@x.example']);
  expect(store.members.update('ben', { addresses: ['ada@x.example'] })).toMatchObject({ ok: false, code: 'conflict' });
  expect(store.members.update('ben', { name: 'B' })).toMatchObject({ value: { addresses: ['ben@x.example'] } });
  expect(store.members.update('ben', { addresses: [] })).toMatchObject({ ok: true });
  expect(store.members.get('ben')?.addresses).toBeUndefined();
});

describe('working out anew, without the source', () => {
  it('when a member gets an address, and when the day moves on', async () => {
    const script = new Script();
    const far = visit('far', NOW + 61 * DAY);
    script.answer = snapshot('c1', object('a', [visit('b', NOW + HOUR, 'ben@x.example')]), object('f', [far]));
    const host = open([script]);
    await untilState(host, 'ok');
    expect(store.bookings.list({})).toEqual([]);
    expect(healthOf(host)?.setAside[0]).toMatchObject({ code: 'no_holder', uid: 'b' });
    script.answer = { kind: 'failed', code: 'unreachable', why: 'Nobody there.' };
    store.members.insert({
      id: 'ben',
      name: 'Ben',
      kind: 'practitioner',
      status: 'active',
      rights: [],
      addresses: ['ben@x.example'],
    });
    host.membersChanged();
    clock.advance(1_000);
    await until(() => expect(store.bookings.list({})).toMatchObject([{ holder: 'ben' }]));
    clock.jump(2 * DAY);
    clock.advance(60_000);
    await until(() => expect(store.bookings.list({})).toHaveLength(2));
  });

  it('after a stop in the middle of a change', async () => {
    const script = new Script();
    script.answer = snapshot('c1', object('a', [visit('a')]));
    const host = open([script]);
    await untilState(host, 'ok');
    script.answer = snapshot('c2', object('a', [visit('a')]), object('b', [visit('b', NOW + 3 * HOUR)]));
    const { commit } = store.calendars;
    // The disk refuses the bookings: the objects are written, the bookings are not.
    const refusing = vi.spyOn(store.calendars, 'commit').mockImplementation((change) => {
      if (change.bookings !== undefined) throw new Error('SQLITE_FULL');
      commit(change);
    });
    host.refresh('src');
    await until(() => expect(logged.join('\n')).toContain('cannot be kept'));
    expect(statuses()).toEqual(['confirmed']);
    await host.stop();
    refusing.mockRestore();
    const after = new Script();
    after.answer = { kind: 'failed', code: 'unreachable', why: 'Nobody there.' };
    open([after]);
    await until(() => expect(statuses()).toEqual(['confirmed', 'confirmed']));
  });
});

describe('a source that is no longer configured', () => {
  it('takes its coming bookings with it, and its alarms', async () => {
    const script = new Script('old');
    script.answer = snapshot('c1', object('a', [visit('a')]));
    const host = open([script]);
    await untilState(host, 'ok');
    await host.stop();
    open([]);
    await until(() => expect(statuses()).toEqual(['cancelled']));
    await until(() => expect(facts.at(-1)).toMatchObject({ kind: 'calendar', source: 'old', state: 'removed' }));
    expect(store.calendars.sources()).toEqual([]);
  });
});

describe('a release', () => {
  async function booked(script: Script) {
    script.answer = snapshot('c1', object('a', [visit('a')]));
    const host = open([script]);
    await untilState(host, 'ok');
    const [booking] = store.bookings.list({});
    if (booking === undefined) throw new Error('no booking');
    return { host, booking };
  }

  it('is kept, told to the source until it hears, and not undone by what the source still says', async () => {
    const script = new Script();
    script.releaseFails = 2;
    const { host, booking } = await booked(script);
    host.bookingReleased(booking, 'nobody came');
    expect(statuses()).toEqual(['released']);
    await until(() => expect(store.calendars.releases()[0]?.tries).toBe(1));
    clock.advance(60_000);
    await until(() => expect(store.calendars.releases()[0]?.tries).toBe(2));
    await until(() => {
      clock.advance(60_000);
      expect(script.released).toEqual(['a']);
    });
    expect(store.calendars.releases()).toEqual([]);
    script.answer = snapshot('c2', object('a', [{ ...visit('a'), sequence: 5 }]));
    host.refresh('src');
    await until(() => expect(script.cursors.at(-1)).toBe('c1'));
    await untilState(host, 'ok');
    expect(statuses()).toEqual(['released']);
  });

  it('is kept with the word to its source, or not at all until both can be', async () => {
    const script = new Script();
    const { host, booking } = await booked(script);
    const refusing = vi.spyOn(store.calendars, 'putRelease').mockImplementation(() => {
      throw new Error('SQLITE_FULL');
    });
    host.bookingReleased(booking, 'nobody came');
    expect(statuses()).toEqual(['confirmed']);
    refusing.mockRestore();
    await until(() => {
      clock.advance(60_000);
      expect(script.released).toEqual(['a']);
    });
    expect(statuses()).toEqual(['released']);
  });

  it('that waits for its next try is not told once the calendar has moved the event', async () => {
    const script = new Script();
    script.releaseFails = 1;
    const { host, booking } = await booked(script);
    host.bookingReleased(booking, 'nobody came');
    await until(() => expect(store.calendars.releases()[0]?.tries).toBe(1));
    script.answer = snapshot('c2', object('a', [{ ...visit('a', NOW + 5 * HOUR), sequence: 1 }]));
    host.refresh('src');
    await until(() => expect(statuses()).toEqual(['confirmed']));
    await until(() => {
      clock.advance(60_000);
      expect(store.calendars.releases()).toEqual([]);
    });
    expect(script.released).toEqual([]);
  });

  it('means the time that the core gave free, not the one that the event has moved to meanwhile', async () => {
    const script = new Script();
    const { host, booking } = await booked(script);
    host.bookingReleased({ ...booking, startMs: booking.startMs - HOUR, endMs: booking.endMs - HOUR }, 'nobody came');
    expect(statuses()).toEqual(['confirmed']);
    expect(store.calendars.releases()).toEqual([]);
  });
});

it('takes in thousands of events without holding up the event loop', { timeout: 60_000 }, async () => {
  const events = Array.from({ length: 4_000 }, (_, n) =>
    visit(`e${n}`, NOW + HOUR + (n % 50) * DAY + Math.floor(n / 50) * 900_000),
  );
  const script = new Script();
  script.answer = snapshot('c1', object('a', events));
  const host = open([script]);
  let turns = 0;
  let done = false;
  const turn = () => {
    turns += 1;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  await until(() => expect(healthOf(host)?.bookings).toBe(4_000));
  done = true;
  // One at least for each slice of a hundred bookings; how long a slice takes is the bench's matter.
  expect(turns).toBeGreaterThan(40);
});
