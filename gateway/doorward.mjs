#!/usr/bin/env node
// The `doorward` command. Plain JavaScript, so that it can say what to do when nothing is built yet.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';

// See docs/adr/0013. V8 11 (Node 20) compiles what has run thousands of times, and a door opens some hundred times a day:
// a badge's way would stay interpreted for weeks. Newer versions compile such code of themselves.
if (process.versions.v8.startsWith('11.')) v8.setFlagsFromString('--interrupt-budget=20000');
// A young generation of 1 MB instead of up to 16: some 30 MB less, which a Pi has other uses for.
v8.setFlagsFromString('--semi-space-growth-factor=1');

const built = new URL('../dist/gateway/cli.js', import.meta.url);
if (existsSync(fileURLToPath(built))) {
  const { main } = await import(built.href);
  await main(process.argv.slice(2));
} else {
  console.error('Doorward is not built yet. Run: npm ci && npm run build');
  process.exitCode = 1;
}
