import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Listening, listenApi } from '../../gateway/api/listen.ts';
import { aRig, PASSWORD, type Rig } from '../support/api.ts';
import { send } from '../support/api-stream.ts';

/** Listens and dies at once, as a killed gateway does: its socket stays. */
const LEAVES_SOCKET =
  "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";

let dir: string;
let rig: Rig;
const open: Listening[] = [];
const rigs: Rig[] = [];
async function start(change: Parameters<typeof aRig>[0] = {}): Promise<Rig> {
  const made = await aRig(change);
  rigs.push(made);
  return made;
}
async function listen(on: Rig, options: Partial<Parameters<typeof listenApi>[1]> = {}): Promise<Listening> {
  const listening = await listenApi(on.app, { host: '127.0.0.1', port: 0, ...options });
  open.push(listening);
  return listening;
}
beforeEach(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-listen-'));
  rig = await start();
});
afterEach(async () => {
  for (const listening of open.splice(0)) await listening.close();
  for (const made of rigs.splice(0)) await made.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

describe('unix socket', () => {
  it('is the owner’s alone and gives all rights without a sign-in or CSRF token', async () => {
    const socketPath = path.join(dir, 'doorward.sock');
    await listen(rig, { socketPath });
    expect(fs.statSync(socketPath).mode & 0o777).toBe(0o600);
    expect(JSON.parse((await send({ socketPath, path: '/api/v1/session' })).body)).toMatchObject({
      user: 'local administrator',
      role: 'manager',
    });
    const made = await send({
      socketPath,
      path: '/api/v1/users',
      method: 'POST',
      body: { name: 'mia', role: 'manager', password: PASSWORD },
    });
    expect(made.status).toBe(201);
    await send({ socketPath, path: '/api/v1/members', method: 'POST', body: { name: 'Ada' } });
    expect(rig.facts).toMatchObject([
      { kind: 'account', id: 'mia', by: 'local administrator' },
      { kind: 'members', by: 'local administrator' },
    ]);
  });
  it('gives no rights to who comes by TCP at the same time', async () => {
    const { url } = await listen(rig, { socketPath: path.join(dir, 'doorward.sock') });
    const { port } = new URL(url);
    expect((await send({ host: '127.0.0.1', port, path: '/api/v1/session' })).status).toBe(401);
  });
  it('that a killed gateway left behind is replaced; one in use is not', async () => {
    const socketPath = path.join(dir, 'doorward.sock');
    spawnSync(process.execPath, ['-e', LEAVES_SOCKET, socketPath], { stdio: 'ignore' });
    expect(fs.existsSync(socketPath)).toBe(true);
    await listen(rig, { socketPath });
    expect((await send({ socketPath, path: '/health/live' })).status).toBe(200);
    const second = await start();
    await expect(listenApi(second.app, { host: '127.0.0.1', port: 0, socketPath })).rejects.toMatchObject({
      code: 'port_taken',
    });
    expect((await send({ socketPath, path: '/health/live' })).status).toBe(200);
  });
});

describe('port', () => {
  it('that is taken is a fault with a code and the address', async () => {
    const { url } = await listen(rig);
    const second = await start();
    const port = Number(new URL(url).port);
    const failure = listenApi(second.app, { host: '127.0.0.1', port });
    await expect(failure).rejects.toMatchObject({
      code: 'port_taken',
      detail: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });
  it('closes at once although a client keeps its connection', async () => {
    const listening = await listen(rig);
    const socket = net.connect(Number(new URL(listening.url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    await listening.close();
    await closed;
  });
  it('with TLS sets a Secure cookie bound to the host', async () => {
    const key = path.join(dir, 'key.pem');
    const cert = path.join(dir, 'cert.pem');
    const subject = ['-subj', '/CN=localhost', '-days', '2', '-nodes'];
    const made = spawnSync('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      ...subject,
      '-keyout',
      key,
      '-out',
      cert,
    ]);
    if (made.status !== 0) throw new Error('openssl is missing or failed: apt-get install openssl');
    const secure = await start({ cookieSecure: true });
    secure.addUser('rita', 'reception');
    const { url } = await listen(secure, { tls: { key: fs.readFileSync(key), cert: fs.readFileSync(cert) } });
    expect(url).toMatch(/^https:/);
    const to = { tls: true, host: '127.0.0.1', port: new URL(url).port, rejectUnauthorized: false } as const;
    const body = { username: 'rita', password: PASSWORD };
    const answer = await send({ ...to, path: '/api/v1/session', method: 'POST', body });
    expect(answer.headers['set-cookie']?.[0]).toMatch(
      /^__Host-doorward=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect(answer.headers['content-security-policy']).toContain('upgrade-insecure-requests');
    const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    expect((await send({ ...to, path: '/api/v1/session', headers: { cookie } })).status).toBe(200);
  });
});

describe('dashboard', () => {
  it('is served with its hashed files for ever, and its page for every address of its own', async () => {
    fs.mkdirSync(path.join(dir, 'dash', 'assets'), { recursive: true });
    fs.writeFileSync(path.join(dir, 'dash', 'index.html'), '<title>Doorward</title>');
    fs.writeFileSync(path.join(dir, 'dash', 'assets', 'main-abc123.js'), 'start()');
    fs.writeFileSync(path.join(dir, 'secret'), 'outside');
    const own = await start({ dashboardDir: path.join(dir, 'dash') });
    const get = (url: string, accept = 'text/html') => own.app.inject({ url, headers: { accept } });
    for (const url of ['/', '/rooms/r1', '/events?x=1']) {
      const page = await get(url);
      expect([url, page.statusCode, page.body]).toEqual([url, 200, '<title>Doorward</title>']);
      expect(page.headers['cache-control']).toBe('no-cache');
    }
    const script = await get('/assets/main-abc123.js', '*/*');
    expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    for (const url of [
      '/assets/gone-1.js',
      '/api/v1/none',
      '/../secret',
      '/%2e%2e/secret',
      '/assets/..%2f..%2f..%2fsecret',
    ]) {
      const reply = await get(url, url.startsWith('/api') ? 'text/html' : '*/*');
      expect([url, reply.statusCode >= 400 && reply.statusCode < 500]).toEqual([url, true]);
    }
  });
});
