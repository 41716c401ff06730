/** What a command may touch of the outside, so that a test can hand in its own. */
import type { Readable } from 'node:stream';

export interface Io {
  /** Data and answers. */
  out(text: string): void;
  /** Progress, cautions and refusals. */
  err(text: string): void;
  readonly stdin: Readable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Progress is shown only to people. */
  readonly errIsTty: boolean;
  /** Settles when the command is asked to end (SIGINT, SIGTERM). Commands that run on listen; others do not. */
  ended(): Promise<string>;
  /** `act` is called whenever the command is asked to read its configuration anew (SIGHUP). */
  onReload(act: () => void): void;
}

export const processIo: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  stdin: process.stdin,
  env: process.env,
  errIsTty: process.stderr.isTTY === true,
  ended: () =>
    new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
    }),
  onReload: (act) => void process.on('SIGHUP', act),
};

/** Options that every command has. */
export interface Common {
  readonly data: string;
  readonly json: boolean;
}

/** The command was called in a way that it does not have: exit 2. */
export class Usage extends Error {}

/** The command was understood and is refused, or cannot be done: exit 1. */
export class Refused extends Error {
  readonly code: string;
  readonly detail: string;
  readonly remedy: string;
  constructor(code: string, title: string, detail: string, remedy: string) {
    super(title);
    this.code = code;
    this.detail = detail;
    this.remedy = remedy;
  }
}

/** As `Refused`, when the command has said what there is to say. */
export class Failed extends Error {}

/** The one JSON document of `--json`. */
export function printJson(io: Io, value: unknown): void {
  io.out(`${JSON.stringify(value, null, 2)}\n`);
}

/** Columns as wide as their longest entry; `none` is said when there are no rows. */
export function printTable(
  io: Io,
  head: readonly string[],
  rows: readonly (readonly (string | number | null | undefined)[])[],
  none: string,
): void {
  if (rows.length === 0) {
    io.out(`${none}\n`);
    return;
  }
  const cells = [head, ...rows.map((row) => row.map((cell) => String(cell ?? '–')))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  for (const row of cells) {
    io.out(`${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
    io.out('\n');
  }
}
