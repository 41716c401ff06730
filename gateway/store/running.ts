/** What the running building leaves behind: unknown cards, alarms, last switch times of relays, loose values. */
import type { Alarm, RelaySwitch, UnknownCard } from '../core/effects.ts';
import { type Database, orAbsent, orNull } from './database.ts';
import type { Alarms, Meta, Relays, UnknownCards } from './types.ts';

/** Enrolment needs the last few; more would be a log of strangers' cards. */
const UNKNOWN_CARDS_KEPT = 50;

interface CardRow {
  id: string;
  reader: string;
  hash: string;
  format: string;
  last4: string;
  seen_at_ms: number;
}

const toCard = ({ seen_at_ms, ...rest }: CardRow): UnknownCard => ({ ...rest, seenAtMs: seen_at_ms });

export function openUnknownCards(db: Database): UnknownCards {
  // The id of the first sight stays: someone may be about to click on it.
  const upsert = db.prepare(
    `INSERT INTO unknown_cards VALUES (@id, @reader, @hash, @format, @last4, @seenAtMs)
     ON CONFLICT (reader, hash) DO UPDATE SET seen_at_ms = excluded.seen_at_ms
     ON CONFLICT (id) DO UPDATE SET seen_at_ms = excluded.seen_at_ms`,
  );
  const prune = db.prepare(
    `DELETE FROM unknown_cards WHERE id NOT IN
       (SELECT id FROM unknown_cards ORDER BY seen_at_ms DESC, rowid DESC LIMIT ${UNKNOWN_CARDS_KEPT})`,
  );
  const all = db.prepare<[], CardRow>('SELECT * FROM unknown_cards ORDER BY seen_at_ms DESC, rowid DESC');
  const take = db.prepare<[string], CardRow>('DELETE FROM unknown_cards WHERE id = ? RETURNING *');
  const put = db.transaction((card: UnknownCard) => {
    upsert.run(card);
    prune.run();
  });
  return {
    put: (card) => put.immediate(card),
    list: () => all.all().map(toCard),
    take(id) {
      const row = take.get(id);
      return row === undefined ? undefined : toCard(row);
    },
  };
}

interface AlarmRow {
  id: string;
  kind: string;
  severity: string;
  door: string | null;
  room: string | null;
  device: string | null;
  text: string;
  status: string;
  opened_at_ms: number;
  acknowledged_at_ms: number | null;
  acknowledged_by: string | null;
  note: string | null;
  resolved_at_ms: number | null;
}

const toAlarm = (row: AlarmRow): Alarm => ({
  id: row.id,
  kind: row.kind as Alarm['kind'],
  severity: row.severity as Alarm['severity'],
  door: orAbsent(row.door),
  room: orAbsent(row.room),
  device: orAbsent(row.device),
  text: row.text,
  status: row.status as Alarm['status'],
  openedAtMs: row.opened_at_ms,
  acknowledgedAtMs: orAbsent(row.acknowledged_at_ms),
  acknowledgedBy: orAbsent(row.acknowledged_by),
  note: orAbsent(row.note),
  resolvedAtMs: orAbsent(row.resolved_at_ms),
});

export function openAlarms(db: Database): Alarms {
  const put = db.prepare(
    `INSERT INTO alarms VALUES (@id, @kind, @severity, @door, @room, @device, @text, @status, @opened_at_ms,
       @acknowledged_at_ms, @acknowledged_by, @note, @resolved_at_ms)
     ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, text = excluded.text, status = excluded.status,
       acknowledged_at_ms = excluded.acknowledged_at_ms, acknowledged_by = excluded.acknowledged_by,
       note = excluded.note, resolved_at_ms = excluded.resolved_at_ms`,
  );
  const live = db.prepare<[], AlarmRow>(
    "SELECT * FROM alarms WHERE status <> 'resolved' ORDER BY opened_at_ms DESC, rowid DESC",
  );
  const newest = db.prepare<[number], AlarmRow>('SELECT * FROM alarms ORDER BY opened_at_ms DESC, rowid DESC LIMIT ?');
  return {
    put(alarm) {
      put.run({
        id: alarm.id,
        kind: alarm.kind,
        severity: alarm.severity,
        door: orNull(alarm.door),
        room: orNull(alarm.room),
        device: orNull(alarm.device),
        text: alarm.text,
        status: alarm.status,
        opened_at_ms: alarm.openedAtMs,
        acknowledged_at_ms: orNull(alarm.acknowledgedAtMs),
        acknowledged_by: orNull(alarm.acknowledgedBy),
        note: orNull(alarm.note),
        resolved_at_ms: orNull(alarm.resolvedAtMs),
      });
    },
    live: () => live.all().map(toAlarm),
    list: (limit) => newest.all(limit).map(toAlarm),
  };
}

export function openRelays(db: Database): Relays {
  const put = db.prepare(
    `INSERT INTO relays VALUES (@point, @value, @atMs)
     ON CONFLICT (point) DO UPDATE SET value = excluded.value, at_ms = excluded.at_ms`,
  );
  const all = db.prepare<[], RelaySwitch>('SELECT point, value, at_ms AS atMs FROM relays ORDER BY point');
  return { put: (relay) => void put.run(relay), list: () => all.all() };
}

export function openMeta(db: Database): Meta {
  const get = db.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck();
  const set = db.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
  return { get: (key) => get.get(key), set: (key, value) => void set.run(key, value) };
}
