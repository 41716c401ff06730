// `npm run bench`: every figure of speed and memory, in one run. Arguments choose parts, e.g. `-- core latency`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuilt, ensurePackages, ensureTestServers, root } from './prepare.mjs';

ensurePackages();
ensureTestServers();
ensureBuilt();
const result = spawnSync(process.execPath, [join(root, 'dist/bench/run.js'), ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(result.status ?? 1);
