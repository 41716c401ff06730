/** One driven pin: a relay or a strike, with the timer that ends its pulse. The pin itself is read back after each write. */
import type { PinConfig } from './config.ts';
import type { Line } from './onoff.ts';
import { driveLine, type Level } from './sysfs.ts';

/** A pulse whose end could not be written is tried again this often until it takes: a strike must not stay open. */
export const END_RETRY_MS = 500;

export interface OutputParts {
  readonly pin: PinConfig;
  /** The kernel's line number. */
  readonly lineNumber: number;
  readonly line: Line;
  readonly safeLevel: Level;
  /** Monotonic ms. */
  readonly monoMs: () => number;
  /** The pulse ended by itself. */
  readonly ended: () => void;
  readonly fault: (why: string) => void;
}

export class Output {
  readonly #parts: OutputParts;
  #end: NodeJS.Timeout | undefined;
  #endsAtMs = 0;

  constructor(parts: OutputParts) {
    this.#parts = parts;
  }

  /** As the pin reads now; undefined when it cannot be read. */
  energised(): boolean | undefined {
    try {
      return (this.#parts.line.readSync() === 1) !== this.#parts.pin.activeLow;
    } catch {
      return undefined;
    }
  }

  /**
   * Drive the pin now; with `forMs` it goes back by itself. `extend`: a pulse that is under way is never shortened by a
   * further one, so that the second of two people at a door is not locked out by the first one's time.
   * True when the pin then reads what was written.
   */
  drive(energise: boolean, forMs?: number, extend = false): boolean {
    const { monoMs } = this.#parts;
    const underWay = this.#end !== undefined && energise && extend ? this.#endsAtMs - monoMs() : 0;
    this.#stopTimer();
    const took = this.#write(energise);
    // The pulse is ended even if it seems not to have begun: the read-back, not the write, may be what failed.
    if (forMs !== undefined) this.#endAfter(Math.max(forMs, underWay), !energise);
    return took;
  }

  /** The safe state, direction and level in one write. Throws when the kernel refuses. */
  makeSafe(): void {
    this.#stopTimer();
    driveLine(this.#parts.lineNumber, this.#parts.safeLevel);
  }

  #endAfter(ms: number, energise: boolean): void {
    this.#endsAtMs = this.#parts.monoMs() + ms;
    this.#end = setTimeout(() => this.#finish(energise), ms);
  }

  #finish(energise: boolean): void {
    this.#end = undefined;
    if (this.#write(energise)) {
      this.#parts.ended();
      return;
    }
    this.#parts.fault(`GPIO${this.#parts.pin.pin} does not take the end of its pulse; it is tried again`);
    this.#end = setTimeout(() => this.#finish(energise), END_RETRY_MS);
  }

  #write(energise: boolean): boolean {
    try {
      this.#parts.line.writeSync(energise !== this.#parts.pin.activeLow ? 1 : 0);
    } catch {
      return false;
    }
    return this.energised() === energise;
  }

  #stopTimer(): void {
    clearTimeout(this.#end);
    this.#end = undefined;
  }
}
