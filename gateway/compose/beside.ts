/** What lies in the project's folder, found from the sources and from `dist/` alike. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** An absolute path in the project's folder; undefined when there is nothing. */
export function projectFile(...names: readonly string[]): string | undefined {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const root = ['../..', '../../..']
    .map((up) => path.resolve(here, up))
    .find((up) => existsSync(path.join(up, 'package.json')));
  const file = root === undefined ? undefined : path.join(root, ...names);
  return file !== undefined && existsSync(file) ? file : undefined;
}

/** The folder of the dashboard as Vite built it; the sources' own index.html is none. */
export function builtDashboard(): string | undefined {
  const index = projectFile('dist', 'dashboard', 'index.html');
  return index === undefined ? undefined : path.dirname(index);
}

export function version(): string {
  const file = projectFile('package.json');
  return file === undefined
    ? 'unknown'
    : String((JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown }).version);
}
