/** One process at a time writes a data folder. */
import path from 'node:path';
import { Fault } from '../core/errors.ts';
import { orUnusable } from './database.ts';
import { keepPrivate } from './files.ts';
import Sqlite from './sqlite.ts';

/**
 * Takes the folder and returns the release. The lock is an exclusive SQLite transaction, which is a lock of the
 * kernel on an open file: it vanishes with the process, also at kill -9, and never stands there stale as a pid file
 * does. Throws `data_locked` when another process holds it.
 */
export function lockFolder(dataDir: string): () => void {
  const file = path.join(dataDir, 'lock.db');
  const db = orUnusable(file, () => {
    // Whoever may read it could hold it.
    keepPrivate(file);
    return new Sqlite(file, { timeout: 0 });
  });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new Fault('data_locked', dataDir);
    }
    throw new Fault('data_unusable', `${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return () => {
    if (db.open) db.close();
  };
}
