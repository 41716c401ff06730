/** The HTTP side over the real store and the real loop; only the clock and the devices are the test's. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { hashSync } from '@node-rs/argon2';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { pino } from 'pino';
import { buildApi } from '../../gateway/api/app.ts';
import { coreMember } from '../../gateway/api/convert.ts';
import type { ApiDeps, DeviceHealth } from '../../gateway/api/deps.ts';
import { createTokenSecret } from '../../gateway/api/passwords.ts';
import { repeatTimes, shiftTimes } from '../../gateway/calendars/series.ts';
import { canonicalCredentials } from '../../gateway/core/access/credential.ts';
import type { Command } from '../../gateway/core/effects.ts';
import type { Fact } from '../../gateway/core/facts.ts';
import type { Booking } from '../../gateway/core/records.ts';
import { createState } from '../../gateway/core/state.ts';
import { Loop } from '../../gateway/loop/loop.ts';
import { openStore } from '../../gateway/store/store.ts';
import type { MemberRecord, Role, Store } from '../../gateway/store/types.ts';
import { ManualClock } from './clock.ts';
import { aSite, HOUR, MONDAY } from './records.ts';

export const PASSWORD = 'a long enough password';
/** Cheap on purpose: what is tested is not the cost of guessing. */
const QUICK = { memoryCost: 8, timeCost: 1 };
const PASSWORD_HASH = hashSync(PASSWORD, QUICK);
export const DAY = 24 * HOUR;
/** Monday 08:00 UTC. */
export const NOW = MONDAY + 8 * HOUR;

export interface Rig {
  readonly app: FastifyInstance;
  readonly store: Store;
  readonly loop: Loop;
  readonly clock: ManualClock;
  readonly devices: DeviceHealth[];
  readonly commands: Command[];
  /** Every fact that reached the loop by the API. */
  readonly facts: Fact[];
  readonly dataDir: string;
  /** Everything that was logged. */
  log(): string;
  /** What the devices do with a command; nothing unless set. */
  answer: (command: Command) => void;
  addMember(id: string, change?: Partial<MemberRecord>): void;
  addBooking(id: string, startMs: number, endMs: number, change?: Partial<Booking>): Booking;
  addUser(name: string, role: Role, member?: string): void;
  token(role: Role): string;
  signIn(name: string): Promise<{ cookie: string; csrf: string }>;
  close(): Promise<void>;
}

export function aDevice(id: string, change: Partial<DeviceHealth> = {}): DeviceHealth {
  return {
    id,
    driver: 'native',
    online: true,
    battery: null,
    lastHeardAtMs: NOW,
    firmware: '1',
    model: 'test',
    capabilities: ['relay', 'relay-2', 'lock', 'temperature'],
    malformed: 0,
    fault: null,
    ...change,
  };
}

export async function aRig(change: Partial<ApiDeps> = {}): Promise<Rig> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-api-'));
  const store = openStore(dataDir);
  const clock = new ManualClock(NOW);
  const site = aSite();
  const commands: Command[] = [];
  const facts: Fact[] = [];
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = pino({ level: 'trace' }, sink);
  const state = createState({ site, instance: 'T', alarms: [], relaySwitches: [], now: clock.now() });
  const loop = new Loop({
    state,
    clock,
    journal: store.journal,
    log,
    perform: (command) => {
      commands.push(command);
      rig.answer(command);
    },
  });
  const trust = { trusted: false };
  const devices = site.devices.map((id) => aDevice(id));
  const recording = new Proxy(loop, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (name === 'submit') facts.push(args[0] as Fact);
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
  const deps: ApiDeps = {
    site,
    store,
    keep: () => {},
    loop: recording,
    history: { occupancy: async () => [], climate: async () => [] },
    devices: () => devices,
    refusedLogins: () => [],
    metricsText: async () => 'doorward_up 1\n',
    health: () => ({ ready: true, parts: { broker: { ok: true, why: '' } } }),
    hashCredential: (canonical) => `hash(${Buffer.from(canonical).toString('hex')})`,
    canonicalCredentials,
    expandRights: (rights) => rights.map(({ doors }) => ({ doors, when: 'always' as const })),
    repeatTimes: (first, repetition) => repeatTimes(first, repetition, site.timeZone),
    shiftTimes: (times, from, to) => shiftTimes(times, from, to, site.timeZone),
    dayAround: (atMs) => ({ startMs: Math.floor(atMs / DAY) * DAY, endMs: Math.floor(atMs / DAY) * DAY + DAY }),
    timeTrusted: () => trust.trusted,
    bookingsOf: (member, fromMs, toMs) => state.schedule.ofMemberWithin(member, fromMs, toMs),
    bookingRules: () => site.bookings,
    confirmTime: async () => {
      trust.trusted = true;
    },
    clock,
    log,
    dashboardDir: undefined,
    version: '0.0.0-test',
    cookieSecure: false,
    sessionIdleMin: 30,
    ...change,
  };
  const app = await buildApi(deps);
  const rig: Rig = {
    app,
    store,
    loop,
    clock,
    devices,
    commands,
    facts,
    dataDir,
    log: () => lines.join(''),
    answer: () => {},
    addMember(id, member = {}) {
      const record: MemberRecord = {
        id,
        name: `Name of ${id}`,
        kind: 'practitioner',
        status: 'active',
        rights: [],
        ...member,
      };
      store.members.insert(record);
      loop.post({ kind: 'members', upsert: [coreMember(record, deps.expandRights, NOW)], remove: [] });
    },
    addBooking(id, startMs, endMs, booking = {}) {
      const full: Booking = {
        id,
        room: 'r1',
        holder: 'ada',
        delegates: [],
        startMs,
        endMs,
        status: 'confirmed',
        source: 'local',
        title: 'private title',
        ...booking,
      };
      const result = store.bookings.insert(full);
      if (!result.ok) throw new Error(result.code);
      loop.post({ kind: 'bookings', upsert: [full], remove: [] });
      return full;
    },
    addUser: (name, role, member) => store.users.put({ name, role, member, passwordHash: PASSWORD_HASH }),
    token(role) {
      const { token, secretHash } = createTokenSecret();
      store.tokens.insert(
        { id: `t-${role}-${store.tokens.list().length}`, role, note: '', createdAtMs: NOW },
        secretHash,
      );
      return token;
    },
    async signIn(name) {
      const reply = await app.inject({
        method: 'POST',
        url: '/api/v1/session',
        payload: { username: name, password: PASSWORD },
      });
      if (reply.statusCode !== 200) throw new Error(`sign-in of ${name}: ${reply.statusCode} ${reply.body}`);
      const cookie = reply.cookies.map(({ name: key, value }) => `${key}=${encodeURIComponent(value)}`).join('; ');
      return { cookie, csrf: reply.json<{ csrf: string }>().csrf };
    },
    async close() {
      await app.close();
      loop.stop();
      store.close();
      fs.rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return rig;
}

/** A request with a bearer token. */
export function bearer(token: string, options: InjectOptions): InjectOptions {
  return { ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } };
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
