import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JournalDraft, Measurement } from '../../gateway/core/effects.ts';
import type { Booking } from '../../gateway/core/records.ts';
import { restoreBackup } from '../../gateway/store/backup.ts';
import Sqlite from '../../gateway/store/sqlite.ts';
import { openStore } from '../../gateway/store/store.ts';
import type { Store } from '../../gateway/store/types.ts';

let dir: string;
let data: string;
let store: Store;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-backup-test-'));
  data = path.join(dir, 'data');
  store = openStore(data);
});
afterEach(() => {
  store.close();
  fs.rmSync(dir, { recursive: true });
});

const BOOKING: Booking = {
  id: 'b1',
  room: 'consult-1',
  holder: 'm1',
  delegates: [],
  startMs: 10,
  endMs: 11,
  status: 'confirmed',
  source: 'local',
  title: 'Physiotherapy',
};
const entry = (id: string, atMs: number): JournalDraft => ({ id, occurredAtMs: atMs, kind: 'system' });
const points = (count: number): Measurement[] =>
  Array.from({ length: count }, (_, n) => ({
    measurement: 'light',
    tags: { room: 'r' },
    fields: { level: { float: n } },
    atMs: n,
  }));
function restore(file: string): Store {
  const target = path.join(dir, 'restored');
  restoreBackup(file, target);
  return openStore(target);
}

describe('backup', () => {
  test('one file brings the whole folder back: bookings, secret, telemetry, a journal that verifies', async () => {
    store.bookings.insert(BOOKING);
    for (let n = 0; n < 30; n += 1) {
      store.journal.append([{ id: `e${n}`, occurredAtMs: n, kind: 'system', note: 'x'.repeat(1_000) }], n);
    }
    store.outbox.append([{ measurement: 'light', tags: { room: 'r' }, fields: { level: { float: 1 } }, atMs: 5 }]);
    const file = path.join(dir, 'backup.doorward');
    const running = store.backup(file);
    store.journal.append([{ id: 'meanwhile', occurredAtMs: 99, kind: 'system' }], 99);
    await running;
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(dir).sort()).toEqual(['backup.doorward', 'data']);
    const target = path.join(dir, 'restored');
    restoreBackup(file, target);
    const restored = openStore(target);
    expect(restored.journal.headFault).toBeUndefined();
    expect(restored.journal.verify()).toMatchObject({ ok: true });
    expect(restored.journal.last()?.id).toBe('e29');
    expect(restored.bookings.get('b1')).toEqual(BOOKING);
    expect(restored.outbox.size).toBe(1);
    expect(restored.secret.equals(store.secret)).toBe(true);
    restored.close();
    expect(() => restoreBackup(file, target)).toThrow(/holds data already/);
  });

  test('a gateway that goes on writing neither keeps it from ending nor gets into it', async () => {
    for (let n = 0; n < 1_000; n += 1) store.meta.set(`k${n}`, 'x'.repeat(2_000));
    store.journal.append([entry('before', 1)], 1);
    store.outbox.append(points(20_000));
    const file = path.join(dir, 'backup.doorward');
    const beside = openStore(data, { readonly: true });
    let running = true;
    const done = beside.backup(file).finally(() => {
      running = false;
    });
    // At each turn of the copy; a limit, so that a copy that starts over each time is a failure and no endless test.
    for (let n = 0; running && n < 300; n += 1) {
      store.meta.set('busy', `${n}`);
      store.outbox.append(points(1));
      store.journal.append([entry(`meanwhile-${n}`, 2)], 2);
      await new Promise(setImmediate);
    }
    await done;
    beside.close();
    const restored = restore(file);
    expect(restored.meta.get('busy')).toBeUndefined();
    expect(restored.outbox.size).toBe(20_000);
    expect(restored.journal.last()?.id).toBe('before');
    expect(restored.journal.verify()).toMatchObject({ ok: true, entries: 1 });
    restored.close();
  });

  test('it lets go of the data when it is done or fails: the write-ahead log is cut again', async () => {
    const checkpoint = () => {
      const db = new Sqlite(path.join(data, 'telemetry.db'));
      const [row] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
      db.close();
      return row?.busy;
    };
    store.outbox.append(points(5));
    await store.backup(path.join(dir, 'backup.doorward'));
    store.outbox.append(points(5));
    expect(checkpoint()).toBe(0);
    fs.mkdirSync(path.join(dir, 'taken'));
    await expect(store.backup(path.join(dir, 'taken'))).rejects.toMatchObject({ code: 'data_unusable' });
    store.outbox.append(points(5));
    expect(checkpoint()).toBe(0);
    expect(fs.readdirSync(dir).sort()).toEqual(['backup.doorward', 'data', 'taken']);
  });

  test('data that the disk has spoilt is told and gives no backup', async () => {
    store.outbox.append(points(5_000));
    store.close();
    const handle = fs.openSync(path.join(data, 'telemetry.db'), 'r+');
    fs.writeSync(handle, Buffer.alloc(4_096, 'spoilt'), 0, 4_096, 4_096 * 40);
    fs.closeSync(handle);
    store = openStore(data);
    const file = path.join(dir, 'backup.doorward');
    await expect(store.backup(file)).rejects.toMatchObject({
      code: 'data_unusable',
      detail: expect.stringContaining('telemetry.db is damaged'),
    });
    expect(fs.existsSync(file)).toBe(false);
  });

  test('a backup that is damaged or none at all leaves the folder as it was', async () => {
    const file = path.join(dir, 'backup.doorward');
    await store.backup(file);
    const db = new Sqlite(file);
    db.exec("UPDATE part SET bytes = zeroblob(length(bytes)) WHERE name = 'doorward.db'");
    db.close();
    const target = path.join(dir, 'restored');
    expect(() => restoreBackup(file, target)).toThrow(/damaged/);
    expect(() => restoreBackup(path.join(dir, 'none'), target)).toThrow(
      expect.objectContaining({ code: 'data_unusable' }),
    );
    fs.writeFileSync(path.join(dir, 'text'), 'hello');
    expect(() => restoreBackup(path.join(dir, 'text'), target)).toThrow(
      expect.objectContaining({ code: 'data_unusable' }),
    );
    expect(fs.readdirSync(target)).toEqual(['lock.db']);
    await expect(store.backup(path.join(dir, 'no', 'such', 'folder'))).rejects.toMatchObject({ code: 'data_unusable' });
  });
});
