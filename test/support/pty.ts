/** A serial adapter that is none: a real pseudo-terminal held by socat, which can be pulled and plugged in again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';

const REMEDY = 'On Debian: apt-get install socat.';
const PATIENCE_MS = 10_000;

export class PtyAdapter {
  readonly #folder = mkdtempSync(join(tmpdir(), 'doorward-pty-'));
  /** What the driver opens, the same before and after a re-plug, as a path below /dev/serial/by-id is. */
  readonly path = join(this.#folder, 'usb-reader');
  #socat: ChildProcess | undefined;

  /** Plug the adapter in; resolves when its path is there. */
  async plug(): Promise<this> {
    // Raw and without echo: bytes pass as they are, 02, 03, CR and LF included.
    const socat = spawn('socat', ['STDIO', `PTY,raw,echo=0,link=${this.path}`], { stdio: ['pipe', 'ignore', 'pipe'] });
    this.#socat = socat;
    let trouble = '';
    socat.on('error', (error) => {
      trouble = error.message;
    });
    socat.stdin?.on('error', () => undefined);
    socat.stderr?.on('data', (text: Buffer) => {
      trouble += text.toString();
    });
    await vi.waitFor(
      () => {
        if (!existsSync(this.path)) throw new Error(`no pseudo-terminal by socat: ${trouble}. ${REMEDY}`);
      },
      { timeout: PATIENCE_MS, interval: 5 },
    );
    return this;
  }

  /** The reader sends these bytes; resolves when they are on their way. */
  async send(bytes: Uint8Array): Promise<void> {
    const stdin = this.#socat?.stdin;
    if (!stdin) throw new Error('the adapter is not plugged in');
    await new Promise<void>((resolve, reject) => stdin.write(bytes, (error) => (error ? reject(error) : resolve())));
  }

  /** Pull the adapter out: the terminal is hung up and its path is gone. */
  async pull(): Promise<void> {
    const socat = this.#socat;
    this.#socat = undefined;
    if (socat !== undefined && socat.exitCode === null && socat.signalCode === null) {
      // Without warning, as a hand pulls; and socat asked nicely may wait for its terminal to drain.
      socat.kill('SIGKILL');
      await once(socat, 'exit');
    }
    rmSync(this.path, { force: true });
  }

  async remove(): Promise<void> {
    await this.pull();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
