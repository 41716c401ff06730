/**
 * Simulated power cuts: what a process wrote, in its order, is replayed up to a moment; what was synced is there, of
 * what was not each sector is or is not, as chance has it. kill -9 cannot show this: the kernel writes all of it.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SECTOR_BYTES = 512;
const HEAD_BYTES = 14;

export type TracedOp =
  | { readonly op: 'write'; readonly file: string; readonly offset: number; readonly bytes: Buffer }
  | { readonly op: 'truncate'; readonly file: string; readonly length: number }
  | { readonly op: 'sync'; readonly file: string }
  | { readonly op: 'print'; readonly text: string };

/** Compiles the recorder to preload. */
export function buildRecorder(folder: string): string {
  const library = path.join(folder, 'powercut.so');
  const source = path.join(path.dirname(fileURLToPath(import.meta.url)), 'powercut.c');
  try {
    execFileSync('gcc', ['-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', library, source, '-ldl']);
  } catch (error) {
    throw new Error('The recorder cannot be compiled. Install a compiler: apt-get install gcc libc6-dev', {
      cause: error,
    });
  }
  return library;
}

export function readTrace(traceFile: string, files: readonly string[]): TracedOp[] {
  const trace = fs.readFileSync(traceFile);
  const ops: TracedOp[] = [];
  for (let at = 0; at + HEAD_BYTES <= trace.length; ) {
    const op = String.fromCharCode(trace.readUInt8(at));
    const file = files[trace.readUInt8(at + 1)] ?? '';
    const offset = Number(trace.readBigUInt64LE(at + 2));
    const length = trace.readUInt32LE(at + 10);
    at += HEAD_BYTES;
    if (op === 's') ops.push({ op: 'sync', file });
    else if (op === 't') ops.push({ op: 'truncate', file, length: offset });
    else {
      // The last record may have been cut by the kill itself.
      if (at + length > trace.length) break;
      const bytes = trace.subarray(at, at + length);
      at += length;
      ops.push(op === 'p' ? { op: 'print', text: bytes.toString() } : { op: 'write', file, offset, bytes });
    }
  }
  return ops;
}

/** One file: what a sync made sure, and what came after it. */
class TracedFile {
  #sure: Buffer;
  #open: TracedOp[] = [];
  constructor(base: Buffer) {
    this.#sure = base;
  }
  add(op: TracedOp): void {
    this.#open.push(op);
  }
  sync(): void {
    this.#sure = this.#apply(() => true);
    this.#open = [];
  }
  afterCut(chance: () => number): Buffer {
    return this.#apply(() => chance() < 0.5);
  }
  #apply(kept: () => boolean): Buffer {
    const ends = this.#open.map((op) => (op.op === 'write' ? op.offset + op.bytes.length : 0));
    const content = Buffer.alloc(ends.reduce((most, end) => Math.max(most, end), this.#sure.length));
    this.#sure.copy(content);
    let length = this.#sure.length;
    for (const op of this.#open) {
      if (op.op === 'truncate' && kept()) {
        content.fill(0, Math.min(length, op.length), length);
        length = Math.min(op.length, content.length);
      }
      if (op.op !== 'write') continue;
      for (let from = 0; from < op.bytes.length; from += SECTOR_BYTES) {
        if (!kept()) continue;
        const end = op.bytes.copy(content, op.offset + from, from, from + SECTOR_BYTES) + op.offset + from;
        length = Math.max(length, end);
      }
    }
    return content.subarray(0, length);
  }
}

export interface Cut {
  /** What had been printed before the power went. */
  readonly printed: string;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Cuts the power before the ops of the given indexes, in rising order. `ignoreSyncs`: a disk that lies. */
export function* cuts(
  ops: readonly TracedOp[],
  base: ReadonlyMap<string, Buffer>,
  at: readonly number[],
  options: { readonly chance: () => number; readonly ignoreSyncs?: boolean },
): Generator<Cut> {
  const files = new Map([...base].map(([name, content]) => [name, new TracedFile(content)]));
  let printed = '';
  let done = 0;
  for (const index of at) {
    for (; done < index; done += 1) {
      const op = ops[done];
      if (op === undefined) break;
      if (op.op === 'print') printed += op.text;
      else if (op.op !== 'sync') files.get(op.file)?.add(op);
      else if (options.ignoreSyncs !== true) files.get(op.file)?.sync();
    }
    yield { printed, files: new Map([...files].map(([name, file]) => [name, file.afterCut(options.chance)])) };
  }
}
