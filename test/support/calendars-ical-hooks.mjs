// Module hooks of calendars-ical-loader.mjs. The compiler is vite's own: the one that vitest runs these sources with.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'rolldown/utils';

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !new URL(url).pathname.endsWith('.ts')) return next(url, context);
  const file = fileURLToPath(url);
  const options = { target: 'es2022', typescript: { onlyRemoveTypeImports: true } };
  const { code, errors } = transformSync(file, await readFile(file, 'utf8'), options);
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0].message}`);
  return { format: 'module', shortCircuit: true, source: code };
}
