/** The header's pins brought up in the order that keeps doors shut: outputs safe first, then the guardian, then the rest. */
import { closeSync } from 'node:fs';
import { findLine } from './chips.ts';
import { DEFAULT_DEBOUNCE_MS, inputKind, outputKind, type PinConfig, safeLevel } from './config.ts';
import { Debouncer } from './debounce.ts';
import { Guardian } from './guardian.ts';
import { type Line, type LineClass, loadOnoff } from './onoff.ts';
import { Output } from './output.ts';
import { driveLine, exportLine, readChips, silenceLine } from './sysfs.ts';

export interface HeaderEvents {
  /** A pulse ended by itself. */
  ended(pin: PinConfig): void;
  /** An input came to rest in another state. `active`: the contact is closed, the button pressed. */
  changed(pin: PinConfig, active: boolean): void;
  warn(code: string, why: string): void;
}

interface Placed {
  readonly pin: PinConfig;
  /** The kernel's line number. */
  readonly line: number;
}

interface Input {
  readonly pin: PinConfig;
  readonly line: Line;
  readonly debouncer: Debouncer;
  readonly active: () => boolean | undefined;
}

/** Resolves every pin before any is touched. */
async function place(pins: readonly PinConfig[]): Promise<Placed[]> {
  const chips = await readChips();
  return pins.map((pin) => {
    const found = findLine(chips, pin.pin);
    if (!found.found) throw new Error(found.why);
    return { pin, line: found.line };
  });
}

/** Every output into its safe state, before anything else is tried: one pin that refuses must not hold up the others. */
async function makeSafe(outputs: readonly Placed[]): Promise<void> {
  const done = await Promise.allSettled(
    outputs.map(async ({ pin, line }) => {
      await exportLine(line, pin.pin);
      silenceLine(line);
      driveLine(line, safeLevel(pin));
    }),
  );
  const refused = done.find((one) => one.status === 'rejected');
  if (refused !== undefined) throw refused.reason;
}

/**
 * Closes an output's value file and leaves the line exported. onoff's own `unexport` would hand the line back to the
 * kernel, which makes it an input: the level that we have just made safe would float.
 */
function releaseOutput(line: Line): void {
  line.unwatchAll();
  const descriptor: unknown = Reflect.get(line, '_valueFd');
  if (typeof descriptor === 'number') closeSync(descriptor);
}

export class Header {
  readonly outputs = new Map<string, Output>();
  readonly inputs = new Map<string, Input>();
  readonly #events: HeaderEvents;
  readonly #outputLines: Line[] = [];
  #guardian: Guardian | undefined;

  private constructor(events: HeaderEvents) {
    this.#events = events;
  }

  /** Rejects with a sentence; whatever was opened by then is released again, the outputs in their safe state. */
  static async open(
    name: string,
    pins: readonly PinConfig[],
    events: HeaderEvents,
    monoMs: () => number,
  ): Promise<Header> {
    const placed = await place(pins);
    const outputs = placed.filter(({ pin }) => outputKind(pin.capability) !== undefined);
    const inputs = placed.filter(({ pin }) => inputKind(pin.capability) !== undefined);
    await makeSafe(outputs);
    const header = new Header(events);
    try {
      const LineOf = await loadOnoff();
      if (outputs.length > 0) {
        const safe = outputs.map(({ pin, line }) => ({ line, level: safeLevel(pin) }));
        header.#guardian = new Guardian(name, safe, (why) => events.warn('guardian', why));
        header.#guardian.start();
      }
      for (const one of outputs) header.#openOutput(LineOf, one, monoMs);
      for (const one of inputs) {
        await exportLine(one.line, one.pin.pin);
        header.#openInput(LineOf, one);
      }
      return header;
    } catch (error) {
      await header.close();
      throw error;
    }
  }

  get guardianPid(): number | undefined {
    return this.#guardian?.pid;
  }

  /** Safe state first, then the files, the inputs' lines and the guardian. Outputs stay driven at their safe level. */
  async close(): Promise<void> {
    let safe = true;
    for (const [capability, output] of this.outputs) {
      try {
        output.makeSafe();
      } catch (error) {
        safe = false;
        this.#events.warn('safe', `${capability} could not be made safe: ${String(error)}`);
      }
    }
    for (const { line, debouncer } of this.inputs.values()) {
      debouncer.stop();
      line.unexport();
    }
    for (const line of this.#outputLines) releaseOutput(line);
    this.outputs.clear();
    this.inputs.clear();
    if (safe) await this.#guardian?.dismiss();
    else await this.#guardian?.act();
  }

  #openOutput(LineOf: LineClass, { pin, line: lineNumber }: Placed, monoMs: () => number): void {
    const level = safeLevel(pin);
    // `high` and `low` set direction and level at once; polarity is ours, so that the guardian's raw levels hold.
    const line = new LineOf(lineNumber, level === 1 ? 'high' : 'low', 'none', { activeLow: false });
    this.#outputLines.push(line);
    const output = new Output({
      pin,
      lineNumber,
      line,
      safeLevel: level,
      monoMs,
      ended: () => this.#events.ended(pin),
      fault: (why) => this.#events.warn('pulse', why),
    });
    this.outputs.set(pin.capability, output);
    // onoff keeps silent about a line that was exported before and does not obey.
    if (line.direction() !== 'out') throw new Error(`GPIO${pin.pin} does not become an output`);
  }

  #openInput(LineOf: LineClass, { pin, line: lineNumber }: Placed): void {
    const line = new LineOf(lineNumber, 'in', 'both', { activeLow: false });
    const active = () => {
      try {
        return (line.readSync() === 1) !== pin.activeLow;
      } catch {
        this.#events.warn('read', `GPIO${pin.pin} cannot be read`);
        return undefined;
      }
    };
    const debouncer = new Debouncer(pin.debounceMs ?? DEFAULT_DEBOUNCE_MS, active() ?? false, active, (now) =>
      this.#events.changed(pin, now),
    );
    this.inputs.set(pin.capability, { pin, line, debouncer, active });
    if (line.direction() !== 'in') throw new Error(`GPIO${pin.pin} does not become an input`);
    if (line.edge() !== 'both') throw new Error(`GPIO${pin.pin} does not tell its edges`);
    line.watch(() => debouncer.edge());
    // What changed between the first reading and the watch has made no edge that we heard.
    debouncer.edge();
  }
}
