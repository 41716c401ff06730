/** The disk full: who may come in is still let in, an alarm says what to do, and nothing is missing afterwards. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../gateway/store/index.ts';
import { doorward } from '../gateway/cliSupport.ts';
import { Clinic } from '../support/clinic.ts';

const CARD = '04A224B2C15E80';
const PATIENCE = { timeout: 20_000, interval: 20 };
/** Room for the data folder and some hundred entries. */
const DISK_MB = 8;
const GRANTS = 40;

let disk: string;
let clinic: Clinic;

beforeEach(() => {
  disk = mkdtempSync(path.join(tmpdir(), 'doorward-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m,mode=0700`, 'tmpfs', disk], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(`a small disk cannot be mounted; run the tests as root: ${String(error)}`);
  }
});

afterEach(async () => {
  await clinic.close();
  execFileSync('umount', [disk]);
  rmSync(disk, { recursive: true, force: true });
});

function freeBytes(): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

describe('a disk that is full', () => {
  it('keeps nobody out who may come in, is an alarm, and leaves no gap in the journal once there is room', async () => {
    const dataDir = path.join(disk, 'data');
    clinic = await Clinic.open({ dataDir });
    const lock = await clinic.device('lock-1', ['lock', 'door', 'exit'], { lock: 'locked', door: 'closed' });
    const reader = await clinic.device('reader-1', ['reader']);
    await clinic.practitioner('Ada', CARD, { startMin: 0, endMin: 600 });
    const grant = async () => {
      clinic.clock.advance(1_500);
      const before = lock.unlocks().length;
      await reader.badge(CARD);
      await vi.waitFor(() => expect(lock.unlocks()).toHaveLength(before + 1), PATIENCE);
    };
    await grant();
    const ballast = path.join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(freeBytes()));
    expect(freeBytes()).toBe(0);

    // The write-ahead log may have room left in its last pages: go on until the disk says no, and then some.
    let grants = 1;
    await vi.waitFor(async () => {
      await grant();
      grants += 1;
      expect(await clinic.alarms()).toContain('journal');
    }, PATIENCE);
    for (const until = grants + GRANTS; grants < until; grants += 1) await grant();
    await reader.badge('0BAD0001');
    await vi.waitFor(
      () => expect(reader.orders.at(-1)?.command).toMatchObject({ op: 'indicate', signal: 'denied' }),
      PATIENCE,
    );
    const alarm = (await clinic.get<{ kind: string; severity: string; text: string }[]>('alarms')).find(
      (one) => one.kind === 'journal',
    );
    expect(alarm).toMatchObject({ severity: 'critical', text: expect.stringContaining('Free the disk') });
    const told = async () => {
      const health = (await (await fetch(`${clinic.gateway.url}/health/ready`)).json()) as {
        parts: { journal: { ok: boolean; why: string } };
      };
      return health.parts.journal;
    };
    // Doors still open, so it is ready; but it says what is wrong.
    expect(await told()).toMatchObject({ ok: false, why: alarm?.text });
    const figures = await (await fetch(`${clinic.gateway.url}/metrics`)).text();
    expect(Number(/^doorward_journal_waiting (\d+)$/m.exec(figures)?.[1])).toBeGreaterThan(GRANTS);
    expect(Number(/^doorward_journal_failures_total (\d+)$/m.exec(figures)?.[1])).toBeGreaterThan(GRANTS);

    rmSync(ballast);
    await grant();
    grants += 1;
    await vi.waitFor(async () => {
      clinic.clock.advance(1_000);
      expect(await clinic.alarms()).toEqual(expect.not.arrayContaining(['journal', 'disk']));
    }, PATIENCE);
    expect(await told()).toMatchObject({ ok: true });
    await clinic.gateway.stop();

    expect((await doorward(['audit', 'verify', '--data', dataDir])).code).toBe(0);
    const store = openStore(dataDir, { readonly: true });
    const entries = [...store.journal.iterate()];
    store.close();
    const granted = entries.filter((entry) => entry.kind === 'access' && entry.outcome === 'granted');
    expect(granted.map((entry) => entry.command)).toEqual(lock.unlocks().map((order) => order.command.id));
    expect(granted).toHaveLength(grants);
    expect(entries.filter((entry) => entry.reason === 'denied_unknown_credential')).toHaveLength(1);
    expect(existsSync(ballast)).toBe(false);
  });
});
