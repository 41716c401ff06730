/** Opening of the SQLite files: pragmas, migrations, and the faults of a folder that cannot be used. */
import type Sqlite3 from 'better-sqlite3';
import { Fault } from '../core/errors.ts';
import Sqlite from './sqlite.ts';

export type Database = Sqlite3.Database;
export type Statement<P extends unknown[] = unknown[], R = unknown> = Sqlite3.Statement<P, R>;

/** The databases of the data folder. */
export const DATABASES = ['doorward.db', 'telemetry.db'] as const;
/** Readers beside the gateway (the CLI, read-only) may hold a page for a moment. */
export const BUSY_TIMEOUT_MS = 5_000;
/** The write-ahead log is cut back to this after a checkpoint, so that one burst does not hold the disk for good. */
const WAL_LIMIT_BYTES = 32 * 1024 * 1024;

export interface OpenOptions {
  readonly readonly: boolean;
  /** One SQL script a version; `user_version` counts those that were run. Never edit one that was released: add one. */
  readonly migrations: readonly string[];
}

/**
 * Opens one SQLite file in WAL with synchronous=FULL: better-sqlite3's default in WAL is NORMAL, which loses
 * acknowledged commits at a power cut. Throws `data_unusable` when it cannot.
 */
export function openDatabase(file: string, options: OpenOptions): Database {
  return orUnusable(file, () => {
    const db = new Sqlite(file, {
      readonly: options.readonly,
      fileMustExist: options.readonly,
      timeout: BUSY_TIMEOUT_MS,
    });
    try {
      if (!options.readonly) {
        db.pragma('journal_mode = WAL');
        db.pragma('synchronous = FULL');
        db.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`);
      }
      db.pragma('foreign_keys = ON');
      db.pragma('trusted_schema = OFF');
      migrate(db, file, options);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

function migrate(db: Database, file: string, options: OpenOptions): void {
  const version = Number(db.pragma('user_version', { simple: true }));
  const known = options.migrations.length;
  if (version > known) {
    throw new Fault(
      'data_unusable',
      `${file} was written by a newer Doorward (its version ${version}, known ${known}).`,
    );
  }
  if (version === known) return;
  if (options.readonly) {
    throw new Fault(
      'data_unusable',
      `${file} is of an older version; start the gateway once, it brings it up to date.`,
    );
  }
  db.transaction(() => {
    for (const script of options.migrations.slice(version)) db.exec(script);
    db.pragma(`user_version = ${known}`);
  }).exclusive();
}

/** Runs `open`, and turns what SQLite or the file system say against it into `data_unusable`. */
export function orUnusable<T>(what: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof Fault) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_DLOPEN_FAILED' || why.startsWith('Could not locate the bindings file')) {
      throw new Fault('native_module', `better-sqlite3: ${why}`);
    }
    throw new Fault('data_unusable', `${what}: ${why}`);
  }
}

export function isConstraint(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_CONSTRAINT');
}

/** SQLite knows null, the records know absent. */
export function orNull<T>(value: T | undefined): T | null {
  return value ?? null;
}
export function orAbsent<T>(value: T | null): T | undefined {
  return value ?? undefined;
}
