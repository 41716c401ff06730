/** Small files that are replaced as a whole. */
import fs from 'node:fs';
import path from 'node:path';

/** Writes beside the file, syncs, renames over it and syncs the folder: there is the old file or the new one. */
export function writeDurably(file: string, content: string | Uint8Array, mode: number): void {
  const beside = `${file}.new`;
  const handle = fs.openSync(beside, 'w', mode);
  try {
    fs.writeFileSync(handle, content);
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
  fs.renameSync(beside, file);
  syncFolder(path.dirname(file));
}

/** A rename is durable once its folder is. */
export function syncFolder(folder: string): void {
  const handle = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

/** SQLite's log and shared memory take their mode from the database, which SQLite itself would make readable by all. */
const BESIDE_DATABASE = ['', '-wal', '-shm'];
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** Makes a database file for its owner only, also in a folder that others may enter. */
export function keepPrivate(file: string): void {
  fs.closeSync(fs.openSync(file, 'a', OWNER_ONLY));
  for (const beside of BESIDE_DATABASE) {
    const mode = fs.statSync(`${file}${beside}`, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & OTHERS) !== 0) fs.chmodSync(`${file}${beside}`, OWNER_ONLY);
  }
}
