/** The installation's secret: the key of credential hashes and of the journal's signed head. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Fault } from '../core/errors.ts';
import { writeDurably } from './files.ts';

const SECRET_BYTES = 32;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

export function secretFile(dataDir: string): string {
  return path.join(dataDir, 'secret.key');
}

/**
 * Reads the secret; makes it in a folder that has no database yet. A database without its secret is refused: a new
 * secret would make every badge unknown without a word.
 */
export function openSecret(dataDir: string, options: { readonly readonly: boolean; readonly fresh: boolean }): Buffer {
  const file = secretFile(dataDir);
  if (!fs.existsSync(file)) {
    if (options.readonly || !options.fresh) {
      throw new Fault('data_unusable', `${file} is missing; put it back from a backup (doorward restore).`);
    }
    writeDurably(file, randomBytes(SECRET_BYTES), OWNER_ONLY);
  }
  const secret = fs.readFileSync(file);
  if (secret.length !== SECRET_BYTES) {
    throw new Fault('data_unusable', `${file} holds ${secret.length} bytes in place of ${SECRET_BYTES}.`);
  }
  if (!options.readonly && (fs.statSync(file).mode & OTHERS) !== 0) fs.chmodSync(file, OWNER_ONLY);
  return secret;
}
