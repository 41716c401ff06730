#!/usr/bin/env node
// The `doorward` command. Plain JavaScript, so that it can say what to do when nothing is built yet.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/gateway/cli.js', import.meta.url);
if (existsSync(fileURLToPath(built))) {
  const { main } = await import(built.href);
  await main(process.argv.slice(2));
} else {
  console.error('Doorward is not built yet. Run: npm ci && npm run build');
  process.exitCode = 1;
}
