/** The product's process from start to stop: what it prints, what it answers, and that it leaves nothing behind. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStream } from '../support/api-stream.ts';
import { DEVICE_PASSWORD, OBSERVER_PASSWORD, socketApi } from '../support/clinic.ts';
import { type Mosquitto, startMosquitto } from '../support/mosquitto.ts';
import { type Product, product, runProduct } from '../support/product.ts';
import { WitnessLock, WitnessReader } from '../support/witness.ts';

/** What people and systemd wait for a stop. */
const STOP_MS = 5_000;
const PATIENCE_MS = 30_000;
const GATEWAY_PASSWORD = 'gateway-password';
const env = { DEVICE_PASSWORD, OBSERVER_PASSWORD };

let folder: string;
let config: string;
let data: string;
let broker: Mosquitto;
let running: Product | undefined;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'doorward-stop-'));
  data = path.join(folder, 'data');
  broker = await startMosquitto({
    site: 'acceptance',
    devices: ['lock-1', 'reader-1'].map((id) => ({ id, password: DEVICE_PASSWORD })),
    gateway: { username: 'doorward', password: GATEWAY_PASSWORD },
  });
  const external = `broker:\n  external: { url: "${broker.url}", username: doorward, password: ${GATEWAY_PASSWORD} }\n`;
  const yaml = readFileSync(new URL('../../config/acceptance.yaml', import.meta.url), 'utf8')
    .replace('port: 18080', 'port: 0')
    .replace(/^influx: .*$/m, '')
    .replace(/^broker:\n(?: .*\n)+/m, external);
  config = path.join(folder, 'site.yaml');
  writeFileSync(config, yaml);
});

afterEach(async () => {
  running?.kill('SIGKILL');
  await running?.ended;
  running = undefined;
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
});

function start(): Product {
  running = runProduct(['start', '--config', config, '--data', data], env);
  return running;
}

/** Process ids of all that descends from a process. */
function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended while we looked.
    }
  }
  const found: number[] = [];
  for (const queue = [pid]; queue.length > 0; ) {
    const below = children.get(queue.pop() ?? 0) ?? [];
    found.push(...below);
    queue.push(...below);
  }
  return found;
}

describe('the gateway’s process', () => {
  it('says READY and its first password, and answers for its health and its figures', async () => {
    const gateway = start();
    const url = await gateway.ready;
    expect(gateway.out()).toMatch(/First start\. Sign in as “manager”/);
    const get = async (route: string) => {
      const answer = await fetch(url + route);
      return { status: answer.status, text: await answer.text() };
    };
    expect((await get('/health/live')).status).toBe(200);
    expect((await get('/health/ready')).status).toBe(200);
    const { status, text } = await get('/metrics');
    expect(status).toBe(200);
    expect(text).toContain('# TYPE');
    expect(text).toMatch(/doorward/);
    // A broker that is gone is no reason to end, but not ready.
    await broker.halt();
    await vi.waitFor(async () => expect((await get('/health/ready')).status).toBe(503), { timeout: PATIENCE_MS });
    expect((await get('/health/live')).status).toBe(200);
    await broker.start();
    await vi.waitFor(async () => expect((await get('/health/ready')).status).toBe(200), { timeout: PATIENCE_MS });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'stops in order within five seconds at %s, with devices and a live stream connected, and leaves nothing',
    async (signal) => {
      const gateway = start();
      const url = await gateway.ready;
      const account = (id: string) => ({ url: broker.url, site: 'acceptance', id, password: DEVICE_PASSWORD });
      const lock = new WitnessLock(account('lock-1'));
      const reader = new WitnessReader(account('reader-1'));
      await vi.waitFor(
        async () => {
          const { items } = (await socketApi(data, 'GET', 'devices')).body;
          const online = items.filter((one: { online: boolean | null }) => one.online === true);
          expect(online).toHaveLength(2);
        },
        { timeout: PATIENCE_MS },
      );
      reader.begin(['04AA', '04AB'], 50);
      const { token } = (await socketApi(data, 'POST', 'tokens', { role: 'viewer' })).body;
      const stream = await openStream(`${url}/api/v1/stream`, { authorization: `Bearer ${token}` });
      await stream.next('snapshot');
      const children = descendants(gateway.pid);

      const askedMs = performance.now();
      gateway.kill(signal);
      expect(await gateway.ended).toEqual({ code: 0, signal: null });
      expect(performance.now() - askedMs).toBeLessThan(STOP_MS);
      await vi.waitFor(() => expect(stream.ended()).toBe(true));
      expect(existsSync(path.join(data, 'doorward.sock'))).toBe(false);
      for (const pid of children) expect(existsSync(`/proc/${pid}`)).toBe(false);
      await lock.stop();
      await reader.stop();

      // The last word of the journal is the stop, the chain is whole and the folder free.
      const verified = await product(['audit', 'verify', '--data', data]);
      expect(verified.code, verified.out + verified.err).toBe(0);
      const exported = await product(['audit', 'export', '--data', data]);
      expect(exported.code).toBe(0);
      expect(exported.out).toContain('gateway stops');
      expect(await start().ready).toMatch(/^http:/);
    },
  );
});
