/**
 * The real `onoff`, loaded only when a header is opened. It is an optional package (its native part compiles at install),
 * so its types are described here: a laptop without a compiler must still build and run the demo.
 */
import type { Level } from './sysfs.ts';

export interface Line {
  readSync(): Level;
  writeSync(value: Level): void;
  watch(listener: (error: Error | null | undefined, value: Level) => void): void;
  unwatchAll(): void;
  direction(): string;
  edge(): string;
  /** Closes the value file and gives the line back to the kernel, which turns it into an input. */
  unexport(): void;
}

export type LineClass = new (
  line: number,
  direction: 'in' | 'high' | 'low',
  edge: 'none' | 'both',
  options: { readonly activeLow: boolean },
) => Line;

/** A variable, so that the compiler does not ask for a package that may be absent. */
const PACKAGE: string = 'onoff';

const isLineClass = (value: unknown): value is LineClass => typeof value === 'function';

export async function loadOnoff(): Promise<LineClass> {
  let loaded: unknown;
  try {
    loaded = await import(PACKAGE);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new Error(
      `the package onoff cannot be loaded (${why}): install python3, make and g++, run npm ci again, restart`,
    );
  }
  const found = typeof loaded === 'object' && loaded !== null && 'Gpio' in loaded ? loaded.Gpio : undefined;
  if (!isLineClass(found)) throw new Error('the package onoff has no Gpio class: install the version of package.json');
  return found;
}
