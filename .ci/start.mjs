// `npm start`: installs, builds and runs the demo clinic. Options go on to `doorward demo`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuilt, ensurePackages, root } from './prepare.mjs';

ensurePackages();
ensureBuilt();
const demo = spawn(process.execPath, [join(root, 'gateway/doorward.mjs'), 'demo', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => demo.kill(signal));
// Whoever ends only npm, or the shell between, means the demo too.
const parent = process.ppid;
setInterval(() => process.ppid === parent || demo.kill('SIGTERM'), 1_000).unref();
demo.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 0 : 1)));
