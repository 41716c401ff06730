/** A real InfluxDB 1.x for tests: its own folder, free ports, stopped by its process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

const START_MS = 30_000;

export interface TestInflux {
  readonly url: string;
  /** Ends the server and keeps its data: an outage. */
  pause(): Promise<void>;
  /** Starts it again on the same port with the same data. */
  resume(): Promise<void>;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
  /** Asks in InfluxQL; the rows of the first series as objects, instants in ms. */
  ask(influxQl: string, database?: string): Promise<Record<string, unknown>[]>;
}

export interface TestInfluxOptions {
  /** Bytes of a request's body beyond which the server answers 413; 25 MB unless set. */
  readonly maxBodyBytes?: number;
}

export async function startInflux(options: TestInfluxOptions = {}): Promise<TestInflux> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-influx-'));
  const port = await freePort();
  const config = path.join(folder, 'influxdb.conf');
  fs.writeFileSync(config, configText(folder, port, options.maxBodyBytes ?? 25_000_000));
  const url = `http://127.0.0.1:${port}`;
  let server: ChildProcess | undefined = await run(config);

  async function pause(): Promise<void> {
    const ending = server;
    server = undefined;
    if (ending === undefined || ending.exitCode !== null) return;
    ending.kill('SIGTERM');
    await once(ending, 'exit');
  }

  return {
    url,
    pause,
    async resume() {
      server ??= await run(config);
    },
    async stop() {
      await pause();
      fs.rmSync(folder, { recursive: true, force: true });
    },
    async ask(influxQl, database = '') {
      const answer = await fetch(`${url}/query?${new URLSearchParams({ db: database, epoch: 'ms', q: influxQl })}`, {
        method: 'POST',
      });
      const body = (await answer.json()) as { error?: string; results?: Result[] };
      const first = body.results?.[0];
      if (body.error !== undefined || first?.error !== undefined) throw new Error(body.error ?? first?.error);
      const series = first?.series?.[0];
      return (series?.values ?? []).map((row) =>
        Object.fromEntries(row.map((value, index) => [series?.columns[index] ?? '', value])),
      );
    },
  };
}

interface Result {
  error?: string;
  series?: { columns: string[]; values: unknown[][] }[];
}

/** The series-file and cache sizes are those of a small server; what is reported home is switched off. */
function configText(folder: string, port: number, maxBodyBytes: number): string {
  return `
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
  max-body-size = ${maxBodyBytes}
`;
}

async function run(config: string): Promise<ChildProcess> {
  const server = spawn('influxd', ['run', '-config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => {
      server.kill('SIGKILL');
      reject(new Error(`influxd was not ready within ${START_MS / 1000} s:\n${lines.slice(-20).join('\n')}`));
    }, START_MS);
    const settle = (done: () => void) => {
      clearTimeout(late);
      done();
    };
    server.on('error', () =>
      settle(() =>
        reject(new Error('influxd is missing. Install it: apt-get install influxdb (npm test does, as root).')),
      ),
    );
    server.on('exit', (code) =>
      settle(() => reject(new Error(`influxd ended with ${code}:\n${lines.slice(-20).join('\n')}`))),
    );
    // Read for good: a full pipe would stop the server.
    readline.createInterface({ input: server.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > 100) lines.shift();
      if (line.includes('Listening on HTTP')) settle(resolve);
    });
  });
  return server;
}

async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
