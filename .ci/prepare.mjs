// What every command needs first: npm packages, Debian's packages, a built tree. Plain Node, since nothing is installed yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command with its output shown (on stderr when `quiet` callers keep stdout for data); ends this process when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.status !== 0) {
    console.error(
      `\n✖ ${[command, ...args].join(' ')} failed (${result.status ?? result.error?.message ?? result.signal}).`,
    );
    process.exit(result.status || 1);
  }
}

const has = (command) => spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;

/** Debian packages by what shows that they are there. */
const COMPILER = [
  { there: () => has('python3'), name: 'python3' },
  { there: () => has('make'), name: 'make' },
  { there: () => has('g++'), name: 'g++' },
];
const TEST_SERVERS = [
  { there: () => has('influxd'), name: 'influxdb' },
  { there: () => has('mosquitto'), name: 'mosquitto' },
  { there: () => has('mosquitto_pub'), name: 'mosquitto-clients' },
  { there: () => has('radicale'), name: 'radicale' },
  { there: () => has('chromium'), name: 'chromium' },
  { there: () => has('socat'), name: 'socat' },
  { there: () => has('curl'), name: 'curl' },
  { there: () => has('openssl'), name: 'openssl' },
  { there: () => has('gcc'), name: 'gcc' },
  { there: () => existsSync('/usr/include/stdio.h'), name: 'libc6-dev' },
  { there: () => has('pkg-config'), name: 'pkg-config' },
  { there: () => has('fusermount3'), name: 'fuse3' },
  { there: () => existsSync('/usr/include/fuse3/fuse.h'), name: 'libfuse3-dev' },
  { there: () => has('unshare'), name: 'util-linux' },
  { there: () => has('systemd-analyze'), name: 'systemd' },
];

function ensureDebian(packages, why) {
  const missing = packages.filter((entry) => !entry.there()).map((entry) => entry.name);
  if (missing.length === 0) return;
  const remedy = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || !has('apt-get')) {
    console.error(`✖ ${why} needs Debian packages that are not here. Run as root: ${remedy}`);
    process.exit(1);
  }
  console.log(`Installing for ${why}: ${missing.join(' ')}`);
  // Servers must not start on their standard ports just because they were installed.
  const policy = '/usr/sbin/policy-rc.d';
  const forbid = !existsSync(policy);
  if (forbid) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-qq'], { env });
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env });
  } finally {
    if (forbid) rmSync(policy, { force: true });
  }
}

export function ensureTestServers() {
  ensureDebian(TEST_SERVERS, 'the tests against real servers');
}

/** npm packages as the lock file says; installs only when the lock file changed. */
export function ensurePackages() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const want = createHash('sha256').update(lock).update(process.version).digest('hex');
  const stamp = join(root, 'node_modules', '.doorward-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return;
  ensureDebian(COMPILER, 'compiling SQLite and GPIO access');
  console.log('Installing npm packages (native modules may compile for 1-2 minutes) …');
  const env = { ...process.env, DOORWARD_PREPARED: '1' };
  const prefix = dirname(dirname(process.execPath));
  // The headers beside the Node that runs. Without this node-gyp asks the network for them, or takes those of Debian's
  // npm, which are of Debian's Node: what it compiles is not found by any other.
  if (existsSync(join(prefix, 'include/node/node.h'))) env.npm_config_nodedir = prefix;
  run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], { env });
  writeFileSync(stamp, want);
}

function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Builds gateway and dashboard when a source is newer than the last build. */
export function ensureBuilt() {
  const stamp = join(root, 'dist', '.built');
  const sources = ['gateway', 'devices', 'dashboard', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
  const built = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Math.max(...sources.map((name) => newest(join(root, name)))) <= built) return;
  console.log('Building …');
  run('npm', ['run', '--silent', 'build']);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, '');
}

// npx runs `prepare` of this repository too, before it starts its command; there is nothing to prepare then.
if (process.env.npm_command === 'exec') process.exit(0);

// `npm ci` calls this as `prepare`, so that a clone can be used at once; a Pi without the build tools brings its own dist/.
if (process.argv[1] === fileURLToPath(import.meta.url) && process.env.DOORWARD_PREPARED === undefined) {
  if (existsSync(join(root, 'node_modules', 'typescript'))) ensureBuilt();
  else console.error('The development packages are not installed: bring a built dist/ from elsewhere.');
}
