/** A real mosquitto on a free port of 127.0.0.1, set up as config/mosquitto says, with its own folder that goes with it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

export interface MosquittoOptions {
  readonly site: string;
  readonly devices: readonly { readonly id: string; readonly password: string }[];
  readonly users?: readonly {
    readonly name: string;
    readonly password: string;
    readonly read: readonly string[];
    readonly write?: readonly string[];
  }[];
  readonly gateway: { readonly username: string; readonly password: string };
}

export interface Mosquitto {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends the process and forgets nothing: `start` brings it back on the same port with what it kept. */
  halt(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** How long the server may take to listen and to end. */
const START_WAIT_MS = 10_000;
const STOP_WAIT_MS = 5_000;
/** From the sources and from `dist/` (the benchmarks) alike. */
const EXAMPLE = ['../../config/mosquitto/', '../../../config/mosquitto/']
  .map((relative) => new URL(relative, import.meta.url))
  .find((folder) => existsSync(folder)) as URL;

/** Throws, naming the remedy, when mosquitto is not installed. */
export async function startMosquitto(options: MosquittoOptions): Promise<Mosquitto> {
  const program = find('mosquitto');
  const folder = await mkdtemp(join(tmpdir(), 'doorward-mosquitto-'));
  const port = await freePort();
  await writeFile(join(folder, 'mosquitto.conf'), await configuration(folder, port));
  await writeFile(join(folder, 'acl'), await accessList(options));
  const accounts = [
    ...options.devices.map(({ id, password }) => [id, password]),
    ...(options.users ?? []).map(({ name, password }) => [name, password]),
    [options.gateway.username, options.gateway.password],
  ];
  const passwords = join(folder, 'passwords');
  await writeFile(passwords, accounts.map((account) => `${account.join(':')}\n`).join(''), { mode: 0o600 });
  await promisify(execFile)(find('mosquitto_passwd'), ['-U', passwords]);

  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const started = spawn(program, ['-c', join(folder, 'mosquitto.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    const said: string[] = [];
    started.stderr.on('data', (text: Buffer) => said.push(text.toString()));
    await Promise.race([
      listens(port),
      new Promise<never>((_, reject) => {
        started.once('error', reject);
        started.once('exit', (code) => reject(new Error(`mosquitto ended with ${code}: ${said.join('').slice(-500)}`)));
      }),
    ]);
  };
  const halt = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => running.once('exit', () => resolve()));
    running.kill('SIGTERM');
    const patience = setTimeout(() => running.kill('SIGKILL'), STOP_WAIT_MS);
    await ended;
    clearTimeout(patience);
  };
  await start();
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    get pid() {
      return child?.pid ?? -1;
    },
    halt,
    start,
    stop: async () => {
      await halt();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The example configuration with this test's port and folder in it. */
async function configuration(folder: string, port: number): Promise<string> {
  const example = await readFile(new URL('mosquitto.conf', EXAMPLE), 'utf8');
  const own = example
    .replace(/^listener .*$/m, `listener ${port} 127.0.0.1`)
    .replace(/^password_file .*$/m, `password_file ${join(folder, 'passwords')}`)
    .replace(/^acl_file .*$/m, `acl_file ${join(folder, 'acl')}`)
    .replace(/^persistence_location .*$/m, `persistence_location ${folder}/`)
    .replace(/^log_dest .*$/m, 'log_dest none');
  // As root it would step down to the user mosquitto, who may not read this folder.
  return `${own}\nuser ${userInfo().username}\n`;
}

async function accessList(options: MosquittoOptions): Promise<string> {
  const example = await readFile(new URL('acl', EXAMPLE), 'utf8');
  const own = example
    .replace(/^user doorward$/m, `user ${options.gateway.username}`)
    .replaceAll('doorward/1/clinic/', `doorward/1/${options.site}/`)
    .replace(/^user observer\n.*\n/m, '');
  const users = (options.users ?? []).map(({ name, read, write = [] }) =>
    [
      `user ${name}`,
      ...read.map((filter) => `topic read doorward/1/${options.site}/${filter}`),
      ...write.map((filter) => `topic write doorward/1/${options.site}/${filter}`),
    ].join('\n'),
  );
  // Patterns hold for everybody, but what stands before the first `user` line is for anonymous clients: users first.
  return `${users.join('\n\n')}\n\n${own}`;
}

function find(program: string): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const found = folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${program} is not installed. Run: apt-get install mosquitto`);
  return found;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Tries to connect until somebody answers. */
function listens(port: number): Promise<void> {
  const untilMs = performance.now() + START_WAIT_MS;
  return new Promise((resolve, reject) => {
    const attempt = (): void => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve();
      });
      socket.once('error', () => {
        socket.destroy();
        if (performance.now() > untilMs) reject(new Error(`nobody listens on port ${port}`));
        else setTimeout(attempt, 20);
      });
    };
    attempt();
  });
}
