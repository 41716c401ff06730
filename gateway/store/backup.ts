/**
 * A backup is one SQLite file of its own: table `part(name, n, bytes)` holds the files of the data folder in pieces,
 * table `about` their SHA-256 and the version. It holds the secret: keep it as safe as the building's keys.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Fault } from '../core/errors.ts';
import { BUSY_TIMEOUT_MS, DATABASES, type Database, orUnusable } from './database.ts';
import { syncFolder } from './files.ts';
import { headFile, headText } from './head.ts';
import { lockFolder } from './lock.ts';
import { secretFile } from './secret.ts';
import Sqlite from './sqlite.ts';

const FORMAT = 'doorward backup 1';
const PIECE_BYTES = 1024 * 1024;
/** Pages copied between two turns of the event loop. */
const PAGES_A_TURN = 200;
const OWNER_ONLY = 0o600;
const FOLDER_MODE = 0o700;

export interface BackupSource {
  readonly dataDir: string;
  readonly secret: Buffer;
}

/** Writes the backup beside `file` and renames it there when it is whole. Throws `data_unusable` when it cannot. */
export async function backupTo(file: string, source: BackupSource): Promise<void> {
  const beside = `${file}.new`;
  const scratch = orUnusable(file, () =>
    fs.mkdtempSync(path.join(path.dirname(path.resolve(file)), '.doorward-backup-')),
  );
  const snapshots: Database[] = [];
  try {
    for (const name of DATABASES) snapshots.push(openSnapshot(path.join(source.dataDir, name)));
    for (const db of snapshots) {
      const copy = path.join(scratch, path.basename(db.name));
      await db.backup(copy, { progress: () => PAGES_A_TURN });
      // At once, so that the log beside the data can be cut again while the rest is done.
      db.close();
      checkCopy(copy);
    }
    // The head is made from the copy itself, so that it names what the copy holds.
    const head = lastEntry(path.join(scratch, 'doorward.db'));
    if (head !== undefined) fs.writeFileSync(headFile(scratch), headText(source.secret, head), { mode: OWNER_ONLY });
    fs.writeFileSync(secretFile(scratch), source.secret, { mode: OWNER_ONLY });
    fs.rmSync(beside, { force: true });
    await pack(beside, scratch);
    fs.renameSync(beside, file);
    syncFolder(path.dirname(path.resolve(file)));
  } catch (error) {
    fs.rmSync(beside, { force: true });
    throw new Fault('data_unusable', `${file}: ${(error as Error).message}`);
  } finally {
    for (const db of snapshots) db.close();
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * A connection that sees one moment for as long as it is open. Without a transaction SQLite starts a copy over whenever
 * another connection has written, and beside a gateway, which writes each second, a large one would never end. The
 * write-ahead log cannot be reused meanwhile: it grows by what is written until the copy is done.
 */
function openSnapshot(file: string): Database {
  const db = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  try {
    db.exec('BEGIN');
    // The moment is that of the first read.
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A backup of a database that the disk has spoilt is none; it is better to know now. */
function checkCopy(file: string): void {
  const db = new Sqlite(file);
  try {
    // One plain file, no log beside it.
    db.pragma('journal_mode = DELETE');
    const found = db.pragma('quick_check(1)', { simple: true });
    if (found !== 'ok') throw new Error(`${path.basename(file)} is damaged: ${found}`);
  } finally {
    db.close();
  }
}

function lastEntry(file: string): { seq: number; hash: string } | undefined {
  const db = new Sqlite(file, { readonly: true });
  try {
    const sql = 'SELECT seq, lower(hex(hash)) AS hash FROM journal ORDER BY seq DESC LIMIT 1';
    return db.prepare<[], { seq: number; hash: string }>(sql).get();
  } finally {
    db.close();
  }
}

async function pack(file: string, folder: string): Promise<void> {
  fs.closeSync(fs.openSync(file, 'wx', OWNER_ONLY));
  const db = new Sqlite(file);
  try {
    // A file that is not whole is thrown away: one sync at its end is enough.
    db.pragma('journal_mode = OFF');
    db.pragma('synchronous = OFF');
    db.exec(`CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
      CREATE TABLE part (name TEXT, n INTEGER, bytes BLOB NOT NULL, PRIMARY KEY (name, n)) STRICT;`);
    const about = db.prepare('INSERT INTO about VALUES (?, ?)');
    const part = db.prepare('INSERT INTO part VALUES (?, ?, ?)');
    for (const name of fs.readdirSync(folder).filter((entry) => !/-(wal|shm|journal)$/.test(entry))) {
      const handle = await fs.promises.open(path.join(folder, name));
      const sha = createHash('sha256');
      try {
        const piece = Buffer.alloc(PIECE_BYTES);
        for (let n = 0; ; n += 1) {
          const { bytesRead } = await handle.read(piece, 0, PIECE_BYTES);
          if (bytesRead === 0) break;
          sha.update(piece.subarray(0, bytesRead));
          part.run(name, n, piece.subarray(0, bytesRead));
        }
      } finally {
        await handle.close();
      }
      about.run(`sha256 ${name}`, sha.digest('hex'));
    }
    // Last: a backup without it is not whole.
    about.run('format', FORMAT);
  } finally {
    db.close();
  }
  const handle = await fs.promises.open(file, 'r+');
  await handle.sync().finally(() => handle.close());
}

/**
 * Puts a backup into an empty or new folder. Throws `data_unusable` when the folder holds data already or the file is
 * no whole backup; the folder is then left as it was.
 */
export function restoreBackup(file: string, dataDir: string): void {
  orUnusable(dataDir, () => fs.mkdirSync(dataDir, { recursive: true, mode: FOLDER_MODE }));
  const release = lockFolder(dataDir);
  try {
    for (const name of [...DATABASES, 'secret.key']) {
      if (fs.existsSync(path.join(dataDir, name))) {
        throw new Fault('data_unusable', `${dataDir} holds data already; restore into an empty folder.`);
      }
    }
    orUnusable(file, () => unpack(file, dataDir));
  } finally {
    release();
  }
}

function unpack(file: string, dataDir: string): void {
  const db = new Sqlite(file, { readonly: true, fileMustExist: true });
  const written: string[] = [];
  try {
    const about = new Map(db.prepare<[], [string, string]>('SELECT name, value FROM about').raw().all());
    if (about.get('format') !== FORMAT) throw new Error('this is no whole backup of Doorward');
    const piece = db.prepare<[string, number], Buffer>('SELECT bytes FROM part WHERE name = ? AND n = ?').pluck();
    for (const [key, sha] of about) {
      if (!key.startsWith('sha256 ')) continue;
      const name = path.basename(key.slice('sha256 '.length));
      const target = path.join(dataDir, name);
      written.push(target);
      if (writePieces(target, (n) => piece.get(name, n)) !== sha) throw new Error(`${name} in the backup is damaged`);
    }
    syncFolder(dataDir);
  } catch (error) {
    for (const target of written) fs.rmSync(target, { force: true });
    throw error;
  } finally {
    db.close();
  }
}

/** Returns the SHA-256 of what it wrote. */
function writePieces(target: string, piece: (n: number) => Buffer | undefined): string {
  const sha = createHash('sha256');
  const handle = fs.openSync(target, 'w', OWNER_ONLY);
  try {
    for (let n = 0; ; n += 1) {
      const bytes = piece(n);
      if (bytes === undefined) break;
      sha.update(bytes);
      fs.writeSync(handle, bytes);
    }
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
  return sha.digest('hex');
}
