/**
 * kill -9 at random moments of a running gateway: no unlock that no badge asked for, no unlock without its journal
 * entry, and a journal that verifies. The lock and the reader are witnesses that live on.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { seeded } from '../../devices/simulator/random.ts';
import { openStore } from '../../gateway/store/index.ts';
import { DEVICE_PASSWORD, OBSERVER_PASSWORD, socketApi } from '../support/clinic.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { type Product, product, runProduct } from '../support/product.ts';
import { WitnessLock, WitnessReader } from '../support/witness.ts';

/** In all, over the instances below. */
const KILLS = 50;
/** Gateways that are killed side by side, each on its own data and broker. */
const INSTANCES = ['embedded', 'mosquitto', 'embedded', 'mosquitto'] as const;
const SEED = 20_260_302;
const BADGE_EVERY_MS = 40;
/** A kill comes this long after a grant at most… */
const KILL_AFTER_GRANT_MS = 500;
/** …or, one time in four, this long after the start of the process at most: amid its start, mostly. */
const KILL_AFTER_SPAWN_MS = 1_200;
const PATIENCE_MS = 60_000;
const GATEWAY_PASSWORD = 'gateway-password';
/** A badge that old opens nothing (CONTRACT). */
const FRESH_MS = 10_000;
const HOUR_MS = 3_600_000;

const MEMBER_CARDS = Array.from({ length: 30 }, (_, index) => `04A2${String(index).padStart(4, '0')}`);
const STRANGER_CARDS = Array.from({ length: 15 }, (_, index) => `04FF${String(index).padStart(4, '0')}`);
/** Two members' reads, then a stranger's. */
const CARDS = STRANGER_CARDS.flatMap((card, index) => [...MEMBER_CARDS.slice(index * 2, index * 2 + 2), card]);

const env = { DEVICE_PASSWORD, OBSERVER_PASSWORD };

interface Site {
  readonly folder: string;
  readonly data: string;
  readonly config: string;
  readonly mqttUrl: string;
  readonly stopBroker: () => Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function makeSite(kind: (typeof INSTANCES)[number]): Promise<Site> {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-killed-'));
  const port = await freePort();
  let yaml = readFileSync(new URL('../../config/acceptance.yaml', import.meta.url), 'utf8')
    .replace('port: 18080', 'port: 0')
    .replace('port: 18831', `port: ${port}`)
    .replace(/^influx: .*$/m, '');
  let mqttUrl = `mqtt://127.0.0.1:${port}`;
  let stopBroker = async () => {};
  if (kind === 'mosquitto') {
    const broker = await startMosquitto({
      site: 'acceptance',
      devices: ['lock-1', 'reader-1'].map((id) => ({ id, password: DEVICE_PASSWORD })),
      gateway: { username: 'doorward', password: GATEWAY_PASSWORD },
    });
    mqttUrl = broker.url;
    stopBroker = () => broker.stop();
    const external = `broker:\n  external: { url: "${mqttUrl}", username: doorward, password: ${GATEWAY_PASSWORD} }\n`;
    yaml = yaml.replace(/^broker:\n(?: .*\n)+/m, external);
  }
  const config = path.join(folder, 'site.yaml');
  writeFileSync(config, yaml);
  return { folder, data: path.join(folder, 'data'), config, mqttUrl, stopBroker };
}

function start(site: Site): Product {
  return runProduct(['start', '--config', site.config, '--data', site.data], env);
}

/** Kills at once when the moment has come, whatever the process does just then. */
async function killAfter(running: Product, ms: number): Promise<void> {
  const timer = setTimeout(() => running.kill('SIGKILL'), ms);
  const { signal } = await running.ended;
  clearTimeout(timer);
  expect(signal).toBe('SIGKILL');
}

async function enrol(site: Site): Promise<void> {
  const post = async (route: string, body: object) => {
    const answer = await socketApi(site.data, 'POST', route, body);
    expect(answer.status, answer.text).toBe(201);
    return answer.body as { id: string };
  };
  const { id } = await post('members', { name: 'Ada' });
  for (const value of MEMBER_CARDS) await post('credentials', { member: id, format: 'uid', value });
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  await post('bookings', { room: 'consult-1', holder: id, start: at(-HOUR_MS), end: at(6 * HOUR_MS) });
}

/** Everything that the lock received, held against what was shown at the reader and what the journal says. */
async function judge(site: Site, lock: WitnessLock, reader: WitnessReader) {
  const store = openStore(site.data, { readonly: true });
  const cards = new Map(store.credentials.list().map((card) => [card.id, card.last4]));
  const entries = [...store.journal.iterate()].filter((entry) => entry.kind === 'access');
  store.close();
  const granted = new Map(entries.flatMap((entry) => (entry.command === undefined ? [] : [[entry.command, entry]])));
  const unused = [...reader.sent];
  for (const order of lock.orders.filter(({ op }) => op === 'unlock')) {
    expect(order.retain).toBe(false);
    expect(order.atMs).toBeLessThan(order.expiresAtMs);
    const entry = granted.get(order.id);
    expect(entry, `unlock ${order.id} has no journal entry`).toMatchObject({ outcome: 'granted' });
    if (entry === undefined) continue;
    const last4 = cards.get(entry.credential ?? '');
    const asked = unused.findIndex(
      ({ uid, atMs }) =>
        uid.slice(-4) === last4 &&
        MEMBER_CARDS.includes(uid) &&
        atMs <= entry.occurredAtMs &&
        entry.occurredAtMs - atMs <= FRESH_MS,
    );
    expect(asked, `no badge asked for unlock ${order.id}`).toBeGreaterThanOrEqual(0);
    unused.splice(asked, 1);
  }
  const ids = lock.orders.map((order) => order.id);
  expect(new Set(ids).size).toBe(ids.length);
  return { unlocks: ids.length, granted: granted.size, denied: entries.length - granted.size };
}

async function torment(kind: (typeof INSTANCES)[number], kills: number, seed: number) {
  const random = seeded(seed);
  const site = await makeSite(kind);
  const account = (id: string) => ({ url: site.mqttUrl, site: 'acceptance', id, password: DEVICE_PASSWORD });
  const lock = new WitnessLock(account('lock-1'));
  const reader = new WitnessReader(account('reader-1'));
  let running = start(site);
  try {
    await running.ready;
    await enrol(site);
    reader.begin(CARDS, BADGE_EVERY_MS);
    const grant = async () => {
      const before = reader.granted;
      await vi.waitFor(() => expect(reader.granted).toBeGreaterThan(before), { timeout: PATIENCE_MS, interval: 5 });
    };
    for (let kill = 0; kill < kills; kill += 1) {
      if (kill % 4 === 3) await killAfter(running, random.between(0, KILL_AFTER_SPAWN_MS));
      else {
        await running.ready;
        await grant();
        await killAfter(running, random.between(0, KILL_AFTER_GRANT_MS));
      }
      running = start(site);
    }
    await running.ready;
    await grant();
    running.kill('SIGTERM');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    const verified = await product(['audit', 'verify', '--data', site.data]);
    expect(verified.code, verified.out + verified.err).toBe(0);
    return await judge(site, lock, reader);
  } finally {
    running.kill('SIGKILL');
    await running.ended;
    await lock.stop();
    await reader.stop();
    await site.stopBroker();
    rmSync(site.folder, { recursive: true, force: true });
  }
}

describe('a gateway that is killed', () => {
  it(
    `${KILLS} times unlocks for nobody by itself, and its journal knows of every unlock`,
    async () => {
      const share = (index: number) =>
        Math.floor((KILLS * (index + 1)) / INSTANCES.length) - Math.floor((KILLS * index) / INSTANCES.length);
      // All of them to their ends, so that none is left running when one fails.
      const settled = await Promise.allSettled(
        INSTANCES.map((kind, index) => torment(kind, share(index), SEED + index)),
      );
      const ends = settled.map((end) => {
        if (end.status === 'rejected') throw end.reason;
        return end.value;
      });
      for (const [index, { unlocks, granted, denied }] of ends.entries()) {
        expect(unlocks).toBeGreaterThan(share(index));
        expect(granted).toBeGreaterThanOrEqual(unlocks);
        expect(denied).toBeGreaterThan(0);
      }
    },
    10 * PATIENCE_MS,
  );
});
