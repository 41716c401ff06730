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

const KILLS = 12;
let child: Bundle;
let dir: string;
beforeAll(async () => {
  child = await bundle(path.join(path.dirname(fileURLToPath(import.meta.url)), 'store-crash-child.ts'));
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-crash-'));
});
afterAll(() => {
  child.remove();
  fs.rmSync(dir, { recursive: true });
});

/** Runs the child until it has printed `lines` seqs, kills it -9 and gives the last seq that it printed. */
async function appendUntilKilled(lines: number, batch: number): Promise<number> {
  const running = spawn(process.execPath, [child.file, dir, String(batch)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(running, 'exit');
  let printed = 0;
  let lastSeq = 0;
  for await (const line of readline.createInterface({ input: running.stdout })) {
    lastSeq = Number(line);
    printed += 1;
    if (printed === lines) running.kill('SIGKILL');
  }
  const [code, signal] = await exited;
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' });
  return lastSeq;
}

test('killed at any moment, no entry that was acknowledged is missing, and the lock is free', {
  timeout: 60_000,
}, async () => {
  for (let kill = 0; kill < KILLS; kill += 1) {
    const lastSeq = await appendUntilKilled(1 + Math.floor(Math.random() * 120), kill % 3 === 0 ? 20 : 1);
    expect(lastSeq).toBeGreaterThan(0);
    const store = openStore(dir);
    expect(store.journal.headFault).toBeUndefined();
    const verified = store.journal.verify();
    expect(verified).toMatchObject({ ok: true });
    expect(verified.entries).toBeGreaterThanOrEqual(lastSeq);
    store.close();
  }
});

test('another process cannot open the folder while it is held', async () => {
  const held = openStore(dir);
  const other = spawn(process.execPath, [child.file, dir], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  other.stderr.on('data', (piece) => {
    errors += piece;
  });
  await once(other, 'close');
  expect(errors).toContain('data_locked');
  held.close();
});
