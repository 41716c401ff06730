/** The product as a site runs it: `node gateway/doorward.mjs …` in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../gateway/doorward.mjs', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/gateway/cli.js', import.meta.url));
/** Characters of output that are kept for a failure's message. */
const KEPT = 20_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Product {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** The URL of the line `READY …`; rejects when the process ends before. */
  readonly ready: Promise<string>;
  readonly out: () => string;
  readonly err: () => string;
  kill(signal: NodeJS.Signals): void;
}

/** Throws, naming the remedy, when nothing is built. */
export function runProduct(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Product {
  if (!existsSync(BUILT)) throw new Error('Doorward is not built. Run: npm run build (npm test does)');
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, ...argv], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out = (out + text).slice(-KEPT);
      const url = /^READY (\S+)$/m.exec(out)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('error', reject);
    void ended.then(({ code, signal }) => reject(new Error(`ended with ${code ?? signal} before READY:\n${err}`)));
  });
  ready.catch(() => {});
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err = (err + text).slice(-KEPT);
  });
  return {
    pid: child.pid ?? -1,
    ended,
    ready,
    out: () => out,
    err: () => err,
    kill: (signal) => void child.kill(signal),
  };
}

/** Runs a command of the product to its end. */
export async function product(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const running = runProduct(argv, env);
  const { code } = await running.ended;
  return { code, out: running.out(), err: running.err() };
}
