/**
 * A Raspberry Pi's GPIO tree on any Linux machine: our FUSE file system (gpio-fuse/gpio_fuse.c) mounted as
 * /sys/class/gpio in a mount namespace of its own, the real driver with the real onoff in a process inside of it, and the
 * other end of the wires in the test's hands.
 */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { build } from 'vite';
import { vi } from 'vitest';
import type { DeviceMessage, OutgoingCommand } from '../../devices/driver.ts';

const REMEDY =
  'These tests need root, /dev/fuse and, on Debian: apt-get install gcc pkg-config libfuse3-dev fuse3 util-linux. Optional npm packages must be installed too (onoff: python3, make, g++).';
/** Everything on the bench answers within milliseconds; a slow machine gets this much. */
const PATIENCE_MS = 15_000;
/** Folders of the bench: one where everything is installed, and one where the optional package is not. */
const ALL_PACKAGES = 'all-packages';
const WITHOUT_ONOFF = 'without-onoff';
const here = import.meta.dirname;

type Piped = ChildProcessByStdio<Writable, Readable, Readable>;

/** The compiled file system and the bundled driver process; built once per test file. */
export interface GpioBench {
  readonly folder: string;
  remove(): void;
}

export async function buildGpioBench(): Promise<GpioBench> {
  const folder = mkdtempSync(join(tmpdir(), 'doorward-gpio-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'fuse3'], { encoding: 'utf8' }).trim().split(/\s+/);
    const source = join(here, 'gpio-fuse', 'gpio_fuse.c');
    execFileSync('gcc', ['-O1', '-Wall', '-Wextra', '-Werror', '-o', join(folder, 'gpio_fuse'), source, ...flags]);
    // Plain node runs the driver, as on a Pi; the packages are found through the links.
    const packages = resolve(here, '../../node_modules');
    mkdirSync(join(folder, ALL_PACKAGES));
    symlinkSync(packages, join(folder, ALL_PACKAGES, 'node_modules'));
    mkdirSync(join(folder, WITHOUT_ONOFF, 'node_modules'), { recursive: true });
    symlinkSync(join(packages, 'zod'), join(folder, WITHOUT_ONOFF, 'node_modules', 'zod'));
    await build({
      configFile: false,
      logLevel: 'error',
      build: {
        ssr: join(here, 'gpiotree-child.ts'),
        outDir: join(folder, ALL_PACKAGES, 'driver'),
        emptyOutDir: true,
        target: 'node20',
        rollupOptions: { output: { entryFileNames: 'child.mjs' } },
      },
    });
    // A copy, not a link: node looks for packages beside the real file.
    cpSync(join(folder, ALL_PACKAGES, 'driver'), join(folder, WITHOUT_ONOFF, 'driver'), { recursive: true });
  } catch (error) {
    remove();
    throw new Error(`The GPIO bench cannot be built. ${REMEDY}`, { cause: error });
  }
  return { folder, remove };
}

function linesOf(stream: Readable, take: (line: string) => void): void {
  createInterface({ input: stream }).on('line', take);
}

async function ended(child: Piped): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** The driver in its own process. */
export class DriverProcess {
  readonly messages: DeviceMessage[] = [];
  readonly warnings: { code: string; why: string }[] = [];
  readonly errors: string[] = [];
  guardianPid: number | undefined;
  /** Files that the process has open below /sys/class/gpio; told after close. */
  openFiles: number | undefined;
  readonly #child: Piped;
  #opened = false;

  constructor(child: Piped) {
    this.#child = child;
    linesOf(child.stderr, (line) => this.errors.push(line));
    linesOf(child.stdout, (line) => {
      const told: unknown = JSON.parse(line);
      if (typeof told !== 'object' || told === null) return;
      if ('message' in told) this.messages.push(told.message as DeviceMessage);
      if ('warning' in told) this.warnings.push(told.warning as { code: string; why: string });
      if ('opened' in told) this.#opened = true;
      if ('guardianPid' in told) this.guardianPid = told.guardianPid as number | undefined;
      if ('openFiles' in told) this.openFiles = told.openFiles as number;
    });
  }

  async opened(): Promise<this> {
    await vi.waitFor(
      () => {
        if (!this.#opened) throw new Error(`the driver did not open: ${this.errors.join('\n')}`);
      },
      { timeout: PATIENCE_MS, interval: 5 },
    );
    return this;
  }

  perform(command: OutgoingCommand): void {
    this.#child.stdin.write(`${JSON.stringify({ perform: command })}\n`);
  }

  /** Waits until a message satisfies `wanted` and returns it. */
  async message(wanted: (message: DeviceMessage) => boolean): Promise<DeviceMessage> {
    return await vi.waitFor(
      () => {
        const found = this.messages.find(wanted);
        if (found === undefined) throw new Error(`no such message among ${JSON.stringify(this.messages, null, 1)}`);
        return found;
      },
      { timeout: PATIENCE_MS, interval: 5 },
    );
  }

  /** The states of a capability so far, oldest first. */
  states(capability: string): unknown[] {
    return this.messages.flatMap((one) => (one.type === 'state' && one.capability === capability ? [one.value] : []));
  }

  events(capability: string): unknown[] {
    return this.messages.flatMap((one) => (one.type === 'event' && one.capability === capability ? [one.event] : []));
  }

  /** An ordinary stop. */
  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.stdin.end('{"close":true}\n');
    await ended(this.#child);
  }

  /** SIGKILL to this one process. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await ended(this.#child);
  }

  /** Also the id of its process group. */
  get pid(): number | undefined {
    return this.#child.pid;
  }
}

export class GpioTree {
  /** What happened on the pins, oldest first: `direction 529 0 low`: the line, its level after it, what was written. */
  readonly trace: string[] = [];
  readonly #bench: GpioBench;
  readonly #tree: Piped;
  readonly #drivers: DriverProcess[] = [];

  private constructor(bench: GpioBench, tree: Piped) {
    this.#bench = bench;
    this.#tree = tree;
    linesOf(tree.stdout, (line) => this.trace.push(line));
  }

  /** `chips`: LABEL:BASE:NGPIO each, as the kernel of the Pi in question has them. */
  static async mount(bench: GpioBench, ...chips: string[]): Promise<GpioTree> {
    const script = 'mount -t tmpfs none /sys/class && mkdir /sys/class/gpio && exec "$0" /sys/class/gpio "$@"';
    const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, join(bench.folder, 'gpio_fuse'), ...chips];
    const child = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const errors: string[] = [];
    linesOf(child.stderr, (line) => errors.push(line));
    const tree = new GpioTree(bench, child);
    await vi.waitFor(
      () => {
        if (!tree.trace.includes('ready')) throw new Error(`no GPIO tree: ${errors.join('; ')}. ${REMEDY}`);
      },
      { timeout: PATIENCE_MS, interval: 5 },
    );
    return tree;
  }

  /** An outside circuit pulls a line to a level. */
  drive(line: number, level: 0 | 1): void {
    this.#tree.stdin.write(`drive ${line} ${level}\n`);
  }

  /** Another driver of the kernel has the line (or gives it back). */
  async setBusy(line: number, busy: boolean): Promise<void> {
    await this.#order(`busy ${line} ${busy ? 1 : 0}`, 'busy');
  }

  /** Writes to the line's value fail (or work again). */
  async setFailing(line: number, fail: boolean): Promise<void> {
    await this.#order(`fail ${line} ${fail ? 1 : 0}`, 'fail');
  }

  async #order(command: string, word: string): Promise<void> {
    const before = this.trace.filter((one) => one.startsWith(word)).length;
    this.#tree.stdin.write(`${command}\n`);
    await this.until(() => this.trace.filter((one) => one.startsWith(word)).length > before, command);
  }

  /** The entries of a line, without those that the bench itself made. */
  traceOf(line: number): string[] {
    return this.trace.filter((one) => one.split(' ')[1] === String(line) && !/^(drive|busy|fail)/.test(one));
  }

  /** The level of a line after the last thing that happened to it. */
  level(line: number): number | undefined {
    const last = this.trace.filter((one) => one.split(' ')[1] === String(line)).at(-1);
    return last === undefined ? undefined : Number(last.split(' ')[2]);
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    await vi.waitFor(
      () => {
        if (!condition()) throw new Error(`never came: ${what}; trace:\n${this.trace.join('\n')}`);
      },
      { timeout: PATIENCE_MS, interval: 5 },
    );
  }

  /** Runs a command inside the tree's mount namespace; throws when it fails. */
  run(command: readonly string[], env: NodeJS.ProcessEnv = {}): string {
    return execFileSync('nsenter', [`--mount=/proc/${this.#tree.pid}/ns/mnt`, '--', ...command], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
  }

  /**
   * Starts the driver on these pins in a process of its own; `env` is added to the test's. With `onoff` false the optional
   * package is not installed.
   */
  startDriver(config: unknown, { env = {}, onoff = true }: { env?: NodeJS.ProcessEnv; onoff?: boolean } = {}) {
    const child = spawn(
      'nsenter',
      [
        `--mount=/proc/${this.#tree.pid}/ns/mnt`,
        '--',
        process.execPath,
        join(this.#bench.folder, onoff ? ALL_PACKAGES : WITHOUT_ONOFF, 'driver', 'child.mjs'),
        JSON.stringify(config),
      ],
      { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env }, detached: true },
    );
    const driver = new DriverProcess(child);
    this.#drivers.push(driver);
    return driver;
  }

  async unmount(): Promise<void> {
    await Promise.all(this.#drivers.map((driver) => driver.kill()));
    this.#tree.stdin.end();
    await ended(this.#tree);
  }
}
