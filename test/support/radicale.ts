/** A real CalDAV server for tests: Radicale on a free port of 127.0.0.1, with its own folder that goes with it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

export interface RadicaleUser {
  readonly name: string;
  readonly password: string;
}
export interface Radicale {
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
  readonly port: number;
  readonly user: RadicaleUser;
  /** Folder of a collection on disk, `room-1` of the user. */
  folder(collection: string): string;
  /** Asks as the user; `path` from the root, or `room-1/a.ics` of the user. */
  ask(method: string, path: string, body?: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Makes a calendar over the protocol. */
  makeCalendar(collection: string, displayName: string): Promise<void>;
  /** Writes calendars straight to disk: many at once, as a backup would. */
  plant(collections: readonly PlantedCalendar[]): Promise<void>;
  /** Ends the process and keeps the data. */
  halt(): Promise<void>;
  start(): Promise<void>;
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}
export interface PlantedCalendar {
  readonly collection: string;
  readonly displayName: string;
  /** Text by file name. */
  readonly resources: Readonly<Record<string, string>>;
}

const START_MS = 20_000;
const STOP_MS = 5_000;
const POLL_MS = 50;
const DEFAULT_USER: RadicaleUser = { name: 'clinic', password: 'open sesame' };

/** Throws, naming the remedy, when Radicale is not installed. */
export async function startRadicale(user: RadicaleUser = DEFAULT_USER): Promise<Radicale> {
  const program = findRadicale();
  const folder = await mkdtemp(join(tmpdir(), 'doorward-radicale-'));
  const port = await freePort();
  const config = join(folder, 'config');
  const users = join(folder, 'users');
  // What htpasswd -m writes, by a program that the tests need anyway.
  const { stdout: hash } = await promisify(execFile)('openssl', ['passwd', '-apr1', user.password]);
  await writeFile(users, `${user.name}:${hash}`);
  await writeFile(config, configText(folder, users, port));
  await mkdir(join(folder, 'collections'));
  const url = `http://127.0.0.1:${port}/`;
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    child ??= await run(program, config, url);
  };
  const halt = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGTERM');
    const patience = setTimeout(() => running.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(patience);
  };
  const root = join(folder, 'collections', 'collection-root', user.name);
  const ask: Radicale['ask'] = async (method, path, body, headers = {}) =>
    fetch(new URL(path.startsWith('/') ? path : `/${user.name}/${path}`, url), {
      method,
      headers: { authorization: basic(user), ...headers },
      ...(body === undefined ? {} : { body }),
    });

  await start();
  return {
    url,
    port,
    user,
    folder: (collection) => join(root, collection),
    ask,
    makeCalendar: async (collection, displayName) => {
      const answer = await ask('MKCALENDAR', `${collection}/`, mkcalendar(displayName));
      if (answer.status !== 201) throw new Error(`MKCALENDAR answered ${answer.status}: ${await answer.text()}`);
    },
    plant: async (collections) => {
      for (const { collection, displayName, resources } of collections) {
        await mkdir(join(root, collection), { recursive: true });
        const props = {
          tag: 'VCALENDAR',
          'D:displayname': displayName,
          'C:supported-calendar-component-set': 'VEVENT',
        };
        await writeFile(join(root, collection, '.Radicale.props'), JSON.stringify(props));
        for (const [name, text] of Object.entries(resources)) await writeFile(join(root, collection, name), text);
      }
    },
    halt,
    start,
    stop: async () => {
      await halt();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function basic(user: RadicaleUser): string {
  return `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
}

/** A name of its own for a resource, the same in every run. */
export function resourceName(seed: string): string {
  return `${createHash('sha256').update(seed).digest('hex').slice(0, 16)}.ics`;
}

function configText(folder: string, users: string, port: number): string {
  return `[server]
hosts = 127.0.0.1:${port}
max_connections = 64
[auth]
type = htpasswd
htpasswd_filename = ${users}
htpasswd_encryption = md5
delay = 0
[rights]
type = owner_only
[storage]
type = multifilesystem
filesystem_folder = ${join(folder, 'collections')}
[web]
type = none
[logging]
level = warning
`;
}

function mkcalendar(displayName: string): string {
  const name = displayName.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop><D:displayname>${name}</D:displayname><C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>`;
}

async function run(program: string, config: string, url: string): Promise<ChildProcess> {
  const child = spawn(program, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  child.stderr?.on('data', (text: Buffer) => {
    said.push(text.toString());
    if (said.length > 100) said.shift();
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`radicale ended with ${code}: ${said.join('').slice(-2_000)}`)));
  });
  // Once it runs, its end is no fault any more.
  failed.catch(() => {});
  await Promise.race([answers(url), failed]);
  return child;
}

/** Asks until somebody answers. */
function answers(url: string): Promise<void> {
  const untilMs = performance.now() + START_MS;
  return new Promise((resolve, reject) => {
    const attempt = (): void => {
      fetch(url, { method: 'OPTIONS' }).then(
        () => resolve(),
        () => {
          if (performance.now() > untilMs) reject(new Error(`radicale did not answer within ${START_MS / 1000} s`));
          else setTimeout(attempt, POLL_MS);
        },
      );
    };
    attempt();
  });
}

function findRadicale(): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  const found = folders.map((folder) => join(folder, 'radicale')).find((path) => existsSync(path));
  if (found === undefined)
    throw new Error('radicale is not installed. Run: apt-get install radicale (npm test does, as root).');
  return found;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
