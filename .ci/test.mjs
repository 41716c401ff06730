// `npm test`: installs what the tests need, builds, runs all of them. Arguments go on to vitest.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensurePackages, ensureTestServers, root } from './prepare.mjs';

ensurePackages();
ensureTestServers();
ensureBuilt();
const folder = mkdtempSync(join(tmpdir(), 'doorward-test-'));
const report = join(folder, 'report.json');
const result = spawnSync(
  join(root, 'node_modules/.bin/vitest'),
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
let passed = 0;
let failed = 0;
try {
  const counts = JSON.parse(readFileSync(report, 'utf8'));
  passed = counts.numPassedTests;
  // A file that does not even load has no test to count, but it failed.
  const broken = counts.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  failed = counts.numFailedTests + broken;
} catch {
  failed = 1;
}
rmSync(folder, { recursive: true, force: true });
const ok = result.status === 0 && failed === 0 && passed > 0;
console.log(`${passed} passed, ${ok ? 0 : Math.max(1, failed)} failed`);
process.exit(ok ? 0 : result.status || 1);
