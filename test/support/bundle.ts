/** A TypeScript file as a process of its own: bundled once, run by plain node. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

export interface Bundle {
  /** Run it with `node FILE`. */
  readonly file: string;
  remove(): void;
}

export async function bundle(source: string): Promise<Bundle> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-child-'));
  const packages = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../node_modules');
  // Node looks for packages beside the bundle: native modules stay outside of it.
  fs.symlinkSync(packages, path.join(folder, 'node_modules'));
  const outDir = path.join(folder, 'out');
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: source,
      outDir,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  });
  return {
    file: path.join(outDir, 'child.mjs'),
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}
