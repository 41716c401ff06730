/** Child processes of the benchmarks: the gateway under test, and helpers of ours that speak in lines. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

/** `dist/bench` → the package. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const START_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;
/** Linux counts processor time in ticks of 10 ms. */
const MS_PER_TICK = 10;

export interface Running {
  readonly pid: number;
  /** From the spawn to the READY line. */
  readonly readyMs: number;
  readonly url: string;
  /** The manager's password, at the first start. */
  readonly firstPassword?: string | undefined;
  /** Its last warnings. */
  readonly said: readonly string[];
  stop(): Promise<void>;
}

/** Flags of Node for the gateway under test, e.g. `--cpu-prof --cpu-prof-dir=profiles`. */
const NODE_FLAGS = (process.env.BENCH_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');

/** `doorward start` as a site runs it. */
export async function startGateway(config: string, data: string): Promise<Running> {
  const began = performance.now();
  const command = [...NODE_FLAGS, path.join(ROOT, 'gateway/doorward.mjs'), 'start', '--config', config, '--data', data];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  readline.createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    if (said.length > 20) said.shift();
  });
  const lines = readline.createInterface({ input: child.stdout });
  let firstPassword: string | undefined;
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the gateway was not ready in time:\n${said.join('\n')}`));
    }, START_WITHIN_MS);
    lines.on('line', (line) => {
      if (line.startsWith('READY ')) {
        clearTimeout(late);
        resolve(line.slice('READY '.length));
      } else if (line.startsWith('    ')) firstPassword = line.trim();
    });
    child.once('exit', (code) => {
      clearTimeout(late);
      reject(new Error(`the gateway ended with ${code}:\n${said.join('\n')}`));
    });
  });
  const readyMs = performance.now() - began;
  return { pid: child.pid ?? -1, readyMs, url, firstPassword, said, stop: () => end(child) };
}

export interface Helper {
  readonly pid: number;
  send(message: object): void;
  /** The next message. */
  next(): Promise<unknown>;
  stop(): Promise<void>;
}

/** A module of this folder in its own process, told its work by `options`; it answers `ready` when it is. */
export async function startHelper(module: string, options: object): Promise<Helper> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), [JSON.stringify(options)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const next = async (): Promise<unknown> => {
    const [message] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`${module} ended with ${code}`))),
    ])) as [unknown];
    return message;
  };
  await next();
  return { pid: child.pid ?? -1, send: (message) => void child.send(message), next, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await ended;
  clearTimeout(patience);
}

/** Resident memory now, MB. */
export function residentMb(pid: number): number {
  const [, kb] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kb) / 1024;
}

/** Processor time that a process has had, ms. */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}
