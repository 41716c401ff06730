/**
 * The guardian brings the outputs to their safe state when the gateway dies without a farewell (SIGKILL, a crash of a
 * native module). It is a shell that blocks on a pipe: the kernel closes the pipe with the gateway, whatever killed it.
 * A shell because it needs 2 MB, most of it shared, where a second node needs 40. It has its own session and ignores the signals of a
 * terminal and of systemd's stop, so that it outlives the gateway; it never outlives it for longer than the writing takes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { directionFile, directionWord, type Level } from './sysfs.ts';

/**
 * Arguments: a file and a word, and so on. A line on the pipe means that the gateway has done it itself; the end of the
 * pipe means that the gateway is dead. Only builtins are used: nothing is looked up or started in that moment.
 */
const SCRIPT = `trap '' INT TERM HUP QUIT PIPE
if read -r farewell; then exit 0; fi
while [ $# -gt 1 ]; do
  printf '%s' "$2" > "$1"
  shift 2
done`;

/** A guardian that was killed is replaced after this wait. */
export const REPLACE_AFTER_MS = 1000;
/** How long a farewell may take before we stop waiting for it. */
const FAREWELL_TIMEOUT_MS = 1000;

export interface SafeOutput {
  /** The kernel's line number. */
  readonly line: number;
  readonly level: Level;
}

export class Guardian {
  readonly #outputs: readonly SafeOutput[];
  readonly #warn: (why: string) => void;
  readonly #listFile: string | undefined;
  #child: ChildProcess | undefined;
  #replace: NodeJS.Timeout | undefined;
  #dismissed = false;

  /**
   * `name` tells several headers apart. Under systemd (RUNTIME_DIRECTORY is set) the outputs are listed there as well, for
   * the unit's ExecStopPost: it acts when the whole control group is killed, this guardian included.
   */
  constructor(name: string, outputs: readonly SafeOutput[], warn: (why: string) => void) {
    this.#outputs = outputs;
    this.#warn = warn;
    const folder = process.env.RUNTIME_DIRECTORY?.split(':')[0];
    this.#listFile = folder ? join(folder, `gpio-${name}.safe`) : undefined;
  }

  /** Process id of the guardian, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    this.#writeList();
    const pairs = this.#outputs.flatMap(({ line, level }) => [directionFile(line), directionWord(level)]);
    const child = spawn('/bin/sh', ['-c', SCRIPT, 'doorward-gpio-guardian', ...pairs], {
      cwd: '/',
      env: {},
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child = child;
    // The pipe breaks when the guardian dies; its exit tells the same, once.
    child.stdin?.on('error', () => undefined);
    child.on('error', (error) => this.#lost(child, error.message));
    child.on('exit', (code, signal) => this.#lost(child, signal ?? `exit code ${code}`));
    // Neither the child nor its pipe may keep a gateway alive that has nothing else to do.
    child.unref();
    if (child.stdin !== null && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
  }

  /** The outputs are safe already: it leaves without touching them. */
  async dismiss(): Promise<void> {
    if (this.#listFile !== undefined) rmSync(this.#listFile, { force: true });
    await this.#end('done\n');
  }

  /** The outputs could not be made safe from here: it leaves after trying it itself. */
  async act(): Promise<void> {
    await this.#end('');
  }

  async #end(farewell: string): Promise<void> {
    this.#dismissed = true;
    clearTimeout(this.#replace);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, FAREWELL_TIMEOUT_MS);
      child.once('exit', () => {
        clearTimeout(patience);
        resolve();
      });
      child.stdin?.end(farewell);
    });
  }

  #lost(child: ChildProcess, why: string): void {
    if (this.#dismissed || this.#child !== child) return;
    this.#child = undefined;
    this.#warn(`the guardian of the outputs ended (${why}); a new one is started`);
    this.#replace = setTimeout(() => this.start(), REPLACE_AFTER_MS);
    this.#replace.unref();
  }

  #writeList(): void {
    if (this.#listFile === undefined) return;
    const lines = this.#outputs.map(({ line, level }) => `${directionFile(line)} ${directionWord(level)}\n`);
    try {
      writeFileSync(this.#listFile, lines.join(''));
    } catch (error) {
      this.#warn(`cannot list the outputs for systemd: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
