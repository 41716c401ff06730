/**
 * Keeps one serial port open: opens it, notices that the adapter was pulled, and tries again with a bounded back-off
 * until it is back. `serialport` is loaded at the first attempt, never by importing this file.
 */
import { stat } from 'node:fs/promises';

/** First wait after a failure; it doubles up to the maximum and starts anew once the port has opened. */
export const RETRY_MIN_MS = 250;
/** A technician who plugs an adapter back in sees the reader alive within this time. */
export const RETRY_MAX_MS = 5000;
/**
 * How often an open port's path is looked at. A pulled adapter hangs the terminal up, and a read of a hung-up terminal
 * yields nothing for ever instead of an error; that the path is gone, or leads to another device, is the reliable sign.
 */
export const PRESENCE_CHECK_MS = 500;

export interface RawPortListeners {
  data: (bytes: Uint8Array) => void;
  error: (error?: Error | null) => void;
  close: (error?: Error | null) => void;
}

/** What this file needs of a `SerialPort`. */
export interface RawPort {
  on<E extends keyof RawPortListeners>(event: E, listener: RawPortListeners[E]): unknown;
  readonly isOpen: boolean;
  close(done: () => void): void;
}

export interface PortSettings {
  readonly path: string;
  readonly baudRate: number;
}

/** Opens a port or rejects with the reason. */
export type PortOpener = (settings: PortSettings) => Promise<RawPort>;

export interface PortEvents {
  opened(): void;
  /** The port was lost or could not be opened; told once per outage and cause. */
  lost(why: string): void;
  data(bytes: Uint8Array): void;
}

export const openSerialPort: PortOpener = async ({ path, baudRate }) => {
  const { SerialPort } = await import('serialport');
  return await new Promise((resolve, reject) => {
    const port = new SerialPort({ path, baudRate, dataBits: 8, parity: 'none', stopBits: 1, autoOpen: false });
    port.open((error) => (error ? reject(error) : resolve(port)));
  });
};

/** serialport says `Error: No such file or directory, cannot open /dev/…`: the middle is what a technician needs. */
function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^Error:? /, '').replace(/,? cannot open .*$/i, '');
}

/** Which device node the path leads to now; rejects when there is none. */
async function identity(path: string): Promise<string> {
  const found = await stat(path);
  return `${found.dev}:${found.ino}:${found.rdev}`;
}

export class PersistentPort {
  readonly #settings: PortSettings;
  readonly #events: PortEvents;
  readonly #open: PortOpener;
  #port: RawPort | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempt: Promise<void> = Promise.resolve();
  #retryMs = RETRY_MIN_MS;
  #lastWhy: string | undefined;
  #closed = false;

  constructor(settings: PortSettings, events: PortEvents, open: PortOpener = openSerialPort) {
    this.#settings = settings;
    this.#events = events;
    this.#open = open;
  }

  /** Resolves after the first attempt, whether it succeeded or not. */
  async start(): Promise<void> {
    this.#attempt = this.#tryOpen();
    await this.#attempt;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    // An attempt in flight would otherwise leave a port open that nobody owns.
    await this.#attempt;
    clearTimeout(this.#timer);
    await this.#release();
  }

  async #tryOpen(): Promise<void> {
    try {
      const port = await this.#open(this.#settings);
      if (this.#closed) {
        await new Promise<void>((resolve) => port.close(resolve));
        return;
      }
      this.#port = port;
      port.on('data', (bytes) => this.#events.data(bytes));
      port.on('error', (error) => this.#lose(port, `the port failed: ${sentence(error)}`));
      port.on('close', () => this.#lose(port, 'the port closed: was the adapter pulled?'));
      const device = await identity(this.#settings.path);
      this.#retryMs = RETRY_MIN_MS;
      this.#lastWhy = undefined;
      this.#events.opened();
      this.#watch(port, device);
    } catch (error) {
      const port = this.#port;
      this.#failed(`cannot open ${this.#settings.path}: ${sentence(error)}`);
      if (port !== undefined) await this.#release();
    }
  }

  #watch(port: RawPort, device: string): void {
    if (this.#closed || this.#port !== port) return;
    this.#timer = setTimeout(async () => {
      const now = await identity(this.#settings.path).catch(() => 'gone');
      if (now === device) this.#watch(port, device);
      else this.#lose(port, `${this.#settings.path} is gone: was the adapter pulled?`);
    }, PRESENCE_CHECK_MS);
  }

  #lose(port: RawPort, why: string): void {
    if (this.#closed || this.#port !== port) return;
    void this.#release();
    this.#failed(why);
  }

  #failed(why: string): void {
    if (this.#closed) return;
    if (why !== this.#lastWhy) this.#events.lost(why);
    this.#lastWhy = why;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#attempt = this.#tryOpen();
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
  }

  async #release(): Promise<void> {
    const port = this.#port;
    this.#port = undefined;
    if (port?.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
  }
}
