import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { DemoFile } from '../../gateway/cli/demo.ts';
import { begin, doorward, type Session } from './cliSupport.ts';

const root = join(import.meta.dirname, '..', '..');
/** Time goes by so many times as fast: what people do within a minute is seen within seconds. */
const SPEED = 6;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'doorward-demo-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const ready = (session: Session) =>
  vi.waitFor(
    async () => {
      expect(session.out() || session.err()).toMatch(/^READY /m);
    },
    { timeout: 30_000 },
  );

function demo(data: string, ...more: string[]): Session {
  return begin(['demo', '--port', '0', '--mqtt-port', '0', '--data', data, '--speed', String(SPEED), ...more]);
}

interface Entry {
  readonly id: string;
  readonly kind: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly room: string | null;
}
async function events({ url, token }: DemoFile): Promise<readonly Entry[]> {
  const response = await fetch(`${url}/api/v1/events?limit=100`, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  return ((await response.json()) as { items: Entry[] }).items;
}
const fileOf = (data: string) => JSON.parse(readFileSync(join(data, 'demo.json'), 'utf8')) as DemoFile;

describe('doorward demo', () => {
  it('shows somebody let into a booked room and somebody refused with a reason, then stops in order', async () => {
    const data = join(folder, 'demo');
    const session = demo(data);
    await ready(session);
    const file = fileOf(data);
    expect(statSync(join(data, 'demo.json')).mode & 0o777).toBe(0o600);
    expect(session.out()).toContain(`\nREADY ${file.url}\n`);
    for (const value of [file.url, file.username, file.password, file.token, file.mqttUrl]) {
      expect(session.out()).toContain(value);
    }
    expect(file.badges.length).toBeGreaterThan(10);
    const signedIn = await fetch(`${file.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: file.username, password: file.password }),
    });
    expect(signedIn.status).toBe(200);
    await vi.waitFor(
      async () => {
        const access = (await events(file)).filter(({ kind }) => kind === 'access');
        expect(access.some(({ outcome, room }) => outcome === 'granted' && room !== null)).toBe(true);
        expect(access.some(({ outcome, reason }) => outcome === 'denied' && reason?.startsWith('denied_'))).toBe(true);
      },
      { timeout: 30_000, interval: 200 },
    );

    // Nobody may start a second one over it.
    expect(await demo(data).code).toBe(1);
    session.end();
    expect(await session.code).toBe(0);
    const verified = await doorward(['audit', 'verify', '--data', data]);
    expect(verified).toMatchObject({ code: 0, out: expect.stringMatching(/^The journal is whole/) });

    // With --keep the next one goes on where it stopped, with the same secrets.
    const second = demo(data, '--keep');
    await ready(second);
    expect({ ...fileOf(data), url: '', mqttUrl: '' }).toEqual({ ...file, url: '', mqttUrl: '' });
    second.end();
    expect(await second.code).toBe(0);
    const kept = await doorward(['audit', 'verify', '--data', data, '--json']);
    const entries = (text: string) => Number(/(\d+) entries|"entries": (\d+)/.exec(text)?.slice(1).join(''));
    expect(entries(kept.out)).toBeGreaterThan(entries(verified.out));
  }, 90_000);

  it('never empties a folder that is not a demo’s', async () => {
    const data = join(folder, 'precious');
    mkdirSync(data);
    writeFileSync(join(data, 'doorward.db'), 'precious');
    const session = demo(data);
    expect(await session.code).toBe(1);
    expect(session.err()).toContain('The folder is not a demo’s');
    expect(existsSync(join(data, 'doorward.db'))).toBe(true);
  });
});

describe('doorward simulate', () => {
  it('brings every native device of a configuration online', async () => {
    const port = await freePort();
    const config = join(folder, 'site.yaml');
    const text = readFileSync(join(root, 'config', 'acceptance.yaml'), 'utf8');
    writeFileSync(
      config,
      text
        .replace('port: 18831', `port: ${port}`)
        .replace('port: 18080', 'port: 0')
        .replace(/^influx:.*$/m, 'log: { level: fatal }'),
    );
    const env = { DEVICE_PASSWORD: 'device-pass', OBSERVER_PASSWORD: 'observer-1' };
    const data = join(folder, 'simulated');
    const gateway = begin(['start', '--config', config, '--data', data], env);
    await ready(gateway);
    const simulator = begin(['simulate', '--config', config], env);
    await ready(simulator);
    expect(simulator.out()).toBe(`READY 8 of 8 virtual devices are connected to mqtt://127.0.0.1:${port}\n`);
    simulator.end();
    expect(await simulator.code).toBe(0);
    gateway.end();
    expect(await gateway.code).toBe(0);
  }, 60_000);
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
