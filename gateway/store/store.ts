/** The data folder: `doorward.db`, `telemetry.db`, `secret.key`, `journal.head`, `lock.db`. */
import fs from 'node:fs';
import path from 'node:path';
import { Fault } from '../core/errors.ts';
import { openSessions, openTokens, openUsers } from './accounts.ts';
import { backupTo } from './backup.ts';
import { openBookings } from './bookings.ts';
import { openCalendars } from './calendars.ts';
import { DATABASES, type Database, openDatabase, orUnusable } from './database.ts';
import { keepPrivate } from './files.ts';
import { openJournal } from './journal.ts';
import { lockFolder } from './lock.ts';
import { openOutbox } from './outbox.ts';
import { openCredentials, openMembers } from './people.ts';
import { openAlarms, openMeta, openRelays, openUnknownCards } from './running.ts';
import { MAIN_MIGRATIONS, TELEMETRY_MIGRATIONS } from './schema.ts';
import { openSecret } from './secret.ts';
import type { Store } from './types.ts';

const FOLDER_MODE = 0o700;
/** Disk quota of the outbox: about ten million points. */
export const OUTBOX_QUOTA_MB = 2_048;

export interface StoreOptions {
  /** Neither lock nor write: for looking at the data of a running gateway. */
  readonly readonly?: boolean | undefined;
  /** Disk quota of the outbox, MB. */
  readonly quotaMb?: number | undefined;
  /** The embedded history: telemetry older than this many days is dropped. Absent: the outbox waits for InfluxDB. */
  readonly historyDays?: number | undefined;
  /** Largest size of doorward.db in SQLite's pages of 4 KiB; beyond it every write is refused as by a full disk. */
  readonly maxPages?: number | undefined;
  /** Wall time, Unix ms: when a booking is first known as granting. Without it that is not noted. */
  readonly nowMs?: (() => number) | undefined;
  /** Told when the journal's signed head cannot be written. */
  readonly onHeadError?: ((error: Error) => void) | undefined;
}

/**
 * Opens the data folder, makes it when it is not there, and holds its lock until `close`.
 * Throws `data_locked` when another process has it, `data_unusable` when it cannot be read or written.
 */
export function openStore(dataDir: string, options: StoreOptions = {}): Store {
  const readonly = options.readonly ?? false;
  if (readonly && !fs.existsSync(path.join(dataDir, 'doorward.db'))) {
    throw new Fault('data_unusable', `There is no data of Doorward in ${dataDir}.`);
  }
  if (!readonly) orUnusable(dataDir, () => fs.mkdirSync(dataDir, { recursive: true, mode: FOLDER_MODE }));
  const release = readonly ? () => {} : lockFolder(dataDir);
  const databases: Database[] = [];
  try {
    const mainFile = path.join(dataDir, 'doorward.db');
    const secret = orUnusable(dataDir, () => openSecret(dataDir, { readonly, fresh: !fs.existsSync(mainFile) }));
    if (!readonly) for (const name of DATABASES) orUnusable(dataDir, () => keepPrivate(path.join(dataDir, name)));
    const main = openDatabase(mainFile, { readonly, migrations: MAIN_MIGRATIONS });
    databases.push(main);
    if (options.maxPages !== undefined) main.pragma(`max_page_count = ${Math.floor(options.maxPages)}`);
    const telemetry = openDatabase(path.join(dataDir, 'telemetry.db'), { readonly, migrations: TELEMETRY_MIGRATIONS });
    databases.push(telemetry);
    const journal = openJournal(main, { readonly, dataDir, secret, onHeadError: options.onHeadError ?? (() => {}) });
    return {
      journal,
      bookings: openBookings(main, options.nowMs),
      calendars: openCalendars(main),
      members: openMembers(main),
      credentials: openCredentials(main),
      users: openUsers(main),
      tokens: openTokens(main),
      sessions: openSessions(main),
      unknownCards: openUnknownCards(main),
      alarms: openAlarms(main),
      relays: openRelays(main),
      meta: openMeta(main),
      outbox: openOutbox(telemetry, {
        readonly,
        quotaMb: options.quotaMb ?? OUTBOX_QUOTA_MB,
        historyDays: options.historyDays,
      }),
      secret,
      together: (writes) => main.transaction(writes).immediate(),
      backup: (file) => backupTo(file, { dataDir, secret }),
      close() {
        journal.close();
        for (const db of databases) db.close();
        release();
      },
    };
  } catch (error) {
    for (const db of databases) db.close();
    release();
    throw error;
  }
}
