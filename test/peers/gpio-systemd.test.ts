/** The systemd unit: hardened as promised, and its last line of defence for the GPIO outputs works. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildGpioBench, type GpioBench, GpioTree } from '../support/gpiotree.ts';

const unitFile = join(import.meta.dirname, '../../config/systemd/doorward.service');
const unit = readFileSync(unitFile, 'utf8');
/** As systemd rates it: 0 is locked in, 10 is bare. */
const WORST_EXPOSURE = 2;
const STRIKE_LINE = 512 + 17;

let bench: GpioBench;
beforeAll(async () => {
  bench = await buildGpioBench();
});
afterAll(() => bench.remove());

function analyze(...args: string[]): string {
  const done = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  if (done.error) throw new Error('systemd-analyze is missing. On Debian: apt-get install systemd.');
  return done.stdout + done.stderr;
}

it(`is rated ${WORST_EXPOSURE} or better by systemd`, () => {
  const told = analyze('security', '--offline=true', unitFile);
  const exposure = /Overall exposure level[^:]*: ([\d.]+)/.exec(told)?.[1];
  expect(Number(exposure), told).toBeLessThanOrEqual(WORST_EXPOSURE);
});

it('is a unit in which systemd finds no fault', () => {
  // Whether /usr/bin/node is there is the machine's matter, not the unit's.
  const faults = analyze('verify', unitFile).split('\n');
  expect(faults.filter((line) => line.includes('doorward.service') && !line.includes('is not executable'))).toEqual([]);
});

it('starts the program that package.json calls doorward', () => {
  const root = join(import.meta.dirname, '../..');
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: { doorward: string } };
  expect(unit).toContain(`ExecStart=/usr/bin/node /opt/doorward/${bin.doorward} start `);
});

it('makes the outputs safe when the gateway and its guardian were both killed', async () => {
  const quoted = /^ExecStopPost=-\/bin\/sh -c '(.*)'$/m.exec(unit)?.[1];
  if (quoted === undefined) throw new Error('the unit has no ExecStopPost');
  // systemd's own escapes, as systemd.service(5) and systemd.unit(5) undo them.
  const script = quoted.replaceAll('$$', '$').replaceAll('%%', '%');
  const folder = mkdtempSync(join(tmpdir(), 'doorward-run-'));
  const tree = await GpioTree.mount(bench, 'pinctrl-bcm2711:512:58');
  try {
    const env = { RUNTIME_DIRECTORY: folder };
    const driver = await tree.startDriver({ pins: [{ capability: 'lock', pin: 17 }] }, { env }).opened();
    driver.perform({
      id: 'c1',
      capability: 'lock',
      do: { op: 'unlock', holdMs: 600_000 },
      issuedAtMs: 0,
      ttlMs: 5000,
    });
    await tree.until(() => tree.level(STRIKE_LINE) === 1, 'energised');
    process.kill(driver.guardianPid ?? Number.NaN, 'SIGKILL');
    await driver.kill();
    expect(tree.level(STRIKE_LINE)).toBe(1);
    tree.run(['sh', '-c', script], env);
    await tree.until(() => tree.level(STRIKE_LINE) === 0, 'safe');
    expect(readdirSync(folder)).toEqual([]);
    // And with nothing to do, as after an ordinary stop, it does nothing and does not fail.
    tree.run(['sh', '-c', script], env);
  } finally {
    await tree.unmount();
    rmSync(folder, { recursive: true });
  }
});
