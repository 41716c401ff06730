/** The tables, one script a version. A released script is never edited: append one. */

/** DIR/doorward.db */
export const MAIN_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    occurred_at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    door TEXT, room TEXT, member TEXT, credential TEXT, booking TEXT,
    outcome TEXT, reason TEXT, sub_reason TEXT, command TEXT, user TEXT, note TEXT,
    hash BLOB NOT NULL
  ) STRICT;
  CREATE INDEX journal_occurred ON journal (occurred_at_ms);
  CREATE INDEX journal_kind ON journal (kind);
  CREATE INDEX journal_room ON journal (room) WHERE room IS NOT NULL;
  CREATE INDEX journal_door ON journal (door) WHERE door IS NOT NULL;
  CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
  CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
  -- INSERT OR REPLACE deletes without firing the trigger above.
  CREATE TRIGGER journal_in_order BEFORE INSERT ON journal
    WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM journal)
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only: seq out of order'); END;

  CREATE TABLE members (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL, rights TEXT NOT NULL
  ) STRICT;
  CREATE TABLE credentials (
    id TEXT PRIMARY KEY,
    member TEXT NOT NULL REFERENCES members (id),
    format TEXT NOT NULL, hash TEXT NOT NULL, last4 TEXT NOT NULL, status TEXT NOT NULL,
    valid_from_ms INTEGER, valid_until_ms INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX credentials_active ON credentials (hash) WHERE status = 'active';
  CREATE INDEX credentials_member ON credentials (member);

  CREATE TABLE bookings (
    id TEXT PRIMARY KEY, room TEXT NOT NULL, holder TEXT NOT NULL, delegates TEXT NOT NULL,
    start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL CHECK (end_ms > start_ms),
    status TEXT NOT NULL, source TEXT NOT NULL, title TEXT NOT NULL
  ) STRICT;
  -- By end: the bookings that end after a moment near now are few, those that began before it are years of them.
  CREATE INDEX bookings_room ON bookings (room, end_ms);
  CREATE INDEX bookings_end ON bookings (end_ms);
  CREATE INDEX bookings_holder ON bookings (holder, end_ms);

  CREATE TABLE users (name TEXT PRIMARY KEY, role TEXT NOT NULL, member TEXT, password_hash TEXT NOT NULL) STRICT;
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY, role TEXT NOT NULL, note TEXT NOT NULL, created_at_ms INTEGER NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, json TEXT NOT NULL, expires_at_ms INTEGER NOT NULL,
    user TEXT GENERATED ALWAYS AS (CASE WHEN json_valid(json) THEN json_extract(json, '$.user') END) VIRTUAL
  ) STRICT;
  CREATE INDEX sessions_user ON sessions (user);
  CREATE INDEX sessions_expires ON sessions (expires_at_ms);

  CREATE TABLE unknown_cards (
    id TEXT PRIMARY KEY, reader TEXT NOT NULL, hash TEXT NOT NULL, format TEXT NOT NULL, last4 TEXT NOT NULL,
    seen_at_ms INTEGER NOT NULL, UNIQUE (reader, hash)
  ) STRICT;
  CREATE TABLE alarms (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, severity TEXT NOT NULL, door TEXT, room TEXT, device TEXT,
    text TEXT NOT NULL, status TEXT NOT NULL, opened_at_ms INTEGER NOT NULL,
    acknowledged_at_ms INTEGER, acknowledged_by TEXT, note TEXT, resolved_at_ms INTEGER
  ) STRICT;
  CREATE INDEX alarms_opened ON alarms (opened_at_ms);
  CREATE INDEX alarms_live ON alarms (opened_at_ms) WHERE status <> 'resolved';
  CREATE TABLE relays (point TEXT PRIMARY KEY, value TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  `,
  `
  ALTER TABLE bookings ADD COLUMN confirmed_at_ms INTEGER;
  ALTER TABLE bookings ADD COLUMN priority INTEGER;
  ALTER TABLE bookings ADD COLUMN series TEXT;
  CREATE INDEX bookings_series ON bookings (series) WHERE series IS NOT NULL;
  CREATE INDEX bookings_source ON bookings (source, end_ms) WHERE source <> 'local';

  -- A table of its own: the mail address of a calendar names one member or nobody.
  CREATE TABLE member_addresses (
    address TEXT PRIMARY KEY, member TEXT NOT NULL REFERENCES members (id), place INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX member_addresses_member ON member_addresses (member, place);

  -- What the outside calendars hold, as received (body: deflate), so that a restart and a new day need no network.
  CREATE TABLE calendar_objects (
    source TEXT NOT NULL, href TEXT NOT NULL, collection TEXT NOT NULL, etag TEXT NOT NULL, type TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (source, href)
  ) STRICT;
  CREATE TABLE calendar_sources (source TEXT PRIMARY KEY, cursor TEXT, state TEXT NOT NULL) STRICT;
  -- One row a booking that a source tells of, with what the source itself says; bookings holds what counts.
  CREATE TABLE calendar_origins (
    booking TEXT PRIMARY KEY, source TEXT NOT NULL, key TEXT NOT NULL, uid TEXT NOT NULL, recurrence_id TEXT,
    collection TEXT NOT NULL, href TEXT NOT NULL, sequence INTEGER NOT NULL, stamp_ms INTEGER NOT NULL,
    start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, gone INTEGER NOT NULL, grants INTEGER NOT NULL,
    said TEXT NOT NULL, override TEXT
  ) STRICT;
  CREATE INDEX calendar_origins_source ON calendar_origins (source, end_ms);
  CREATE INDEX calendar_origins_href ON calendar_origins (source, href);
  CREATE INDEX calendar_origins_key ON calendar_origins (key);
  CREATE INDEX calendar_origins_uid ON calendar_origins (source, uid);
  -- Releases that a source has still to be told of.
  CREATE TABLE calendar_releases (
    booking TEXT PRIMARY KEY, source TEXT NOT NULL, why TEXT NOT NULL, tries INTEGER NOT NULL, next_at_ms INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- A window of time is found by recorded_at_ms, which never goes back; only what occurred at another time needs more.
  DROP INDEX journal_occurred;
  CREATE INDEX journal_stray ON journal (seq)
    WHERE occurred_at_ms NOT BETWEEN recorded_at_ms - 60000 AND recorded_at_ms + 60000;
  `,
];

/** DIR/telemetry.db */
export const TELEMETRY_MIGRATIONS: readonly string[] = [
  `
  -- AUTOINCREMENT: an id is never given twice, so that it can make nanosecond stamps unique across restarts.
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    measurement TEXT NOT NULL,
    room TEXT,
    line TEXT NOT NULL
  ) STRICT;
  CREATE TABLE quarantine (id INTEGER PRIMARY KEY, line TEXT NOT NULL, why TEXT NOT NULL) STRICT;
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
  INSERT INTO counters VALUES ('size', 0), ('dropped', 0), ('refused', 0);
  `,
];
