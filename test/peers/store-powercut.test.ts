import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../gateway/store/store.ts';
import { type Bundle, bundle } from '../support/bundle.ts';
import { buildRecorder, type Cut, cuts, readTrace, type TracedOp } from '../support/powercut.ts';

const FILES = ['doorward.db', 'doorward.db-wal'];
/** Enough that the write-ahead log is brought back into the database several times. */
const APPENDS = 600;
const CUTS = 60;

let child: Bundle;
let folder: string;
let ops: TracedOp[];
let base: Map<string, Buffer>;

beforeAll(async () => {
  child = await bundle(path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../gateway/store-crash-child.ts'));
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-powercut-'));
  const dir = path.join(folder, 'data');
  openStore(dir).close();
  fs.cpSync(dir, path.join(folder, 'base'), { recursive: true });
  base = new Map(FILES.map((name) => [name, read(path.join(dir, name))]));
  const trace = path.join(folder, 'trace');
  const running = spawn(process.execPath, [child.file, dir, '1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LD_PRELOAD: buildRecorder(folder), POWERCUT_TRACE: trace, POWERCUT_FILES: FILES.join(':') },
  });
  const exited = once(running, 'exit');
  let lines = 0;
  for await (const _ of readline.createInterface({ input: running.stdout })) {
    lines += 1;
    if (lines === APPENDS) running.kill('SIGKILL');
  }
  await exited;
  ops = readTrace(trace, FILES);
});
afterAll(() => {
  child.remove();
  fs.rmSync(folder, { recursive: true });
});

function read(file: string): Buffer {
  return fs.existsSync(file) ? fs.readFileSync(file) : Buffer.alloc(0);
}

/** Starts on what the cut left: why it is not all there, or nothing. */
function lossAfter(cut: Cut): string | undefined {
  const dir = fs.mkdtempSync(path.join(folder, 'cut-'));
  fs.cpSync(path.join(folder, 'base'), dir, { recursive: true });
  for (const [name, content] of cut.files) fs.writeFileSync(path.join(dir, name), content);
  const promised = Number(cut.printed.trim().split('\n').at(-1) || 0);
  try {
    const store = openStore(dir);
    const verified = store.journal.verify();
    store.close();
    if (!verified.ok) return verified.why;
    return verified.entries < promised ? `${verified.entries} of ${promised} entries` : undefined;
  } catch (error) {
    return String(error);
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

/** Repeatable chance: a cut that fails can be looked at again. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
function moments(seed: number): number[] {
  const chance = chances(seed);
  const moments = Array.from({ length: CUTS }, () => Math.floor(chance() * ops.length));
  // And right after a seq was printed, when it must be there.
  const printed = ops.flatMap((op, index) => (op.op === 'print' ? [index + 1] : [])).filter(() => chance() < 0.1);
  return [...moments, ...printed].sort((a, b) => a - b);
}

test('the recorder sees the commits and the write-ahead log brought back into the database', () => {
  const count = (op: TracedOp['op'], file: string) =>
    ops.filter((each) => each.op === op && 'file' in each && each.file === file).length;
  expect(ops.filter((op) => op.op === 'print').length).toBeGreaterThanOrEqual(APPENDS);
  expect(count('sync', 'doorward.db-wal')).toBeGreaterThanOrEqual(APPENDS);
  expect(count('sync', 'doorward.db')).toBeGreaterThan(0);
});

test('the power goes at any moment: every entry that was acknowledged is there and the journal verifies', () => {
  const losses = [...cuts(ops, base, moments(1), { chance: chances(2) })]
    .map(lossAfter)
    .filter((loss) => loss !== undefined);
  expect(losses).toEqual([]);
});

test('the same cuts on a disk that lies about its syncs lose entries: the test would see it', () => {
  const some = moments(1).filter((_, index) => index % 10 === 9);
  const losses = [...cuts(ops, base, some, { chance: chances(2), ignoreSyncs: true })].map(lossAfter);
  expect(losses.filter((loss) => loss !== undefined).length).toBeGreaterThan(some.length / 2);
});
