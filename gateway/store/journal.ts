/** The journal: append-only entries, each hashed with a key over the one before, durable when `append` returns. */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { JournalDraft } from '../core/effects.ts';
import { type Database, orAbsent } from './database.ts';
import { type Head, type HeadRead, keepHead, readHead } from './head.ts';
import { selectRows, walk } from './journalwalk.ts';
import type { Journal, JournalEntry, VerifyResult } from './types.ts';

/** The hash before the first entry. */
export const NO_HASH = '0'.repeat(64);
/**
 * Export and verification read this many entries at a time. A cursor left open would hold the connection, and a grant
 * could not be committed beside it.
 */
const PAGE_ENTRIES = 1_000;

interface RowValues {
  seq: number;
  id: string;
  recorded_at_ms: number;
  occurred_at_ms: number;
  kind: string;
  door: string | null;
  room: string | null;
  member: string | null;
  credential: string | null;
  booking: string | null;
  outcome: string | null;
  reason: string | null;
  sub_reason: string | null;
  command: string | null;
  user: string | null;
  note: string | null;
}
interface Row extends RowValues {
  hash: Buffer;
  previous_hash: Buffer | null;
}

/** The columns in their order, absent ones null. The hash is over these, as one JSON array. */
function columns(row: RowValues): (string | number | null)[] {
  return [
    row.seq,
    row.id,
    row.recorded_at_ms,
    row.occurred_at_ms,
    row.kind,
    row.door,
    row.room,
    row.member,
    row.credential,
    row.booking,
    row.outcome,
    row.reason,
    row.sub_reason,
    row.command,
    row.user,
    row.note,
  ];
}

const CHAIN_KEY_BYTES = 32;

/** Of the installation's secret: who has only the database cannot make an entry that follows from the ones before. */
function chainKey(secret: Buffer): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'doorward journal chain', CHAIN_KEY_BYTES)));
}

/** HMAC-SHA-256 over the hash before (64 hex digits) and the entry's canonical JSON. */
function chain(key: KeyObject, previousHash: string, fields: readonly (string | number | null)[]): Buffer {
  return createHmac('sha256', key)
    .update(previousHash + JSON.stringify(fields))
    .digest();
}

/** Half of a surrogate pair, which JSON carries and UTF-8 cannot: SQLite would keep another text than the one hashed. */
const LONE_SURROGATE = /\p{Surrogate}/gu;
const ANY_SURROGATE = /[\ud800-\udfff]/;

function wellFormed(text: string): string {
  return ANY_SURROGATE.test(text) ? text.replace(LONE_SURROGATE, '\ufffd') : text;
}
function textOrNull(text: string | undefined): string | null {
  return text === undefined ? null : wellFormed(text);
}

function toRow(draft: JournalDraft, seq: number, recordedAtMs: number): RowValues {
  return {
    seq,
    id: wellFormed(draft.id),
    recorded_at_ms: recordedAtMs,
    // Whole milliseconds, as the column keeps them: the hash must be of what is stored.
    occurred_at_ms: Math.round(draft.occurredAtMs),
    kind: draft.kind,
    door: textOrNull(draft.door),
    room: textOrNull(draft.room),
    member: textOrNull(draft.member),
    credential: textOrNull(draft.credential),
    booking: textOrNull(draft.booking),
    outcome: textOrNull(draft.outcome),
    reason: textOrNull(draft.reason),
    sub_reason: textOrNull(draft.subReason),
    command: textOrNull(draft.command),
    user: textOrNull(draft.user),
    note: textOrNull(draft.note),
  };
}

function toEntry(row: RowValues, hash: string, previousHash: string): JournalEntry {
  return {
    seq: row.seq,
    id: row.id,
    recordedAtMs: row.recorded_at_ms,
    occurredAtMs: row.occurred_at_ms,
    kind: row.kind as JournalEntry['kind'],
    door: orAbsent(row.door),
    room: orAbsent(row.room),
    member: orAbsent(row.member),
    credential: orAbsent(row.credential),
    booking: orAbsent(row.booking),
    outcome: orAbsent(row.outcome) as JournalEntry['outcome'],
    reason: orAbsent(row.reason) as JournalEntry['reason'],
    subReason: orAbsent(row.sub_reason) as JournalEntry['subReason'],
    command: orAbsent(row.command),
    user: orAbsent(row.user),
    note: orAbsent(row.note),
    previousHash,
    hash,
  };
}

function ofRow(row: Row): JournalEntry {
  return toEntry(row, row.hash.toString('hex'), row.previous_hash?.toString('hex') ?? NO_HASH);
}

export interface OpenJournal extends Journal {
  close(): void;
}

export interface JournalOptions {
  readonly readonly: boolean;
  readonly dataDir: string;
  readonly secret: Buffer;
  /** The head could not be written: the disk refuses. The journal itself says so at its next append. */
  readonly onHeadError: (error: Error) => void;
}

export function openJournal(db: Database, options: JournalOptions): OpenJournal {
  // By place, not by name: a badge waits for this, and names cost as much again as the row itself.
  const insert = db.prepare('INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const newest = db.prepare<[], Row>(`${selectRows()} ORDER BY j.seq DESC LIMIT 1`);
  const hashAt = db.prepare<[number], Buffer>('SELECT hash FROM journal WHERE seq = ?').pluck();
  // By the index of time, and the plus keeps SQLite to it: by seq it would read all entries of years.
  const latestAfter = db
    .prepare<[number], number>('SELECT occurred_at_ms FROM journal WHERE +seq > ? ORDER BY occurred_at_ms DESC LIMIT 1')
    .pluck();
  const key = chainKey(options.secret);
  // The head first: beside a running gateway the journal read after it holds all that it names.
  const head = readHead(options.dataDir, options.secret);
  let last = lastOf();
  const headFault = checkHead(head, last, (seq) => hashAt.get(seq));
  // A head that does not fit stays as it is: it is the evidence.
  const keeper =
    options.readonly || headFault !== undefined
      ? undefined
      : keepHead(options.dataDir, options.secret, options.onHeadError);
  // At once, and for an empty journal too: from now on a missing head is a sign that someone took it away.
  keeper?.write({ seq: last?.seq ?? 0, hash: last?.hash ?? NO_HASH });

  function lastOf(): JournalEntry | undefined {
    const row = newest.get();
    return row === undefined ? undefined : ofRow(row);
  }

  function add(draft: JournalDraft, before: JournalEntry | undefined, recordedAtMs: number): JournalEntry {
    const row = toRow(draft, (before?.seq ?? 0) + 1, recordedAtMs);
    const fields = columns(row);
    const previousHash = before?.hash ?? NO_HASH;
    const hash = chain(key, previousHash, fields);
    insert.run(...fields, hash);
    return toEntry(row, hash.toString('hex'), previousHash);
  }

  const addAll = db.transaction((drafts: readonly JournalDraft[], recordedAtMs: number): JournalEntry[] => {
    let before = last;
    return drafts.map((draft) => {
      before = add(draft, before, recordedAtMs);
      return before;
    });
  });

  return {
    headFault,
    append(drafts, recordedAtMs) {
      const [first] = drafts;
      if (first === undefined) return [];
      const atMs = Math.max(Math.round(recordedAtMs), last?.recordedAtMs ?? 0);
      // One row is a transaction by itself; somebody at a door waits for it.
      const entries = drafts.length === 1 ? [add(first, last, atMs)] : addAll.immediate(drafts, atMs);
      last = entries.at(-1);
      if (last !== undefined) keeper?.advance({ seq: last.seq, hash: last.hash });
      return entries;
    },
    walk: (query) => entries(walk<Row>(db, query)),
    query: (query) => [...entries(walk<Row>(db, query))].flat(),
    iterate: () => iterate(db),
    last: () => (options.readonly ? lastOf() : last),
    latestAfter: (seq) => latestAfter.get(seq),
    verify: (progress) => verify(db, key, readHead(options.dataDir, options.secret), progress),
    close: () => keeper?.close(),
  };
}

function* entries(steps: Iterable<readonly Row[]>): IterableIterator<readonly JournalEntry[]> {
  for (const rows of steps) yield rows.map(ofRow);
}

function* iterate(db: Database): IterableIterator<JournalEntry> {
  const page = db.prepare<[number], Row>(`${selectRows()} WHERE j.seq > ? ORDER BY j.seq LIMIT ${PAGE_ENTRIES}`);
  for (let after = 0; ; ) {
    const rows = page.all(after);
    for (const row of rows) yield ofRow(row);
    const end = rows.at(-1);
    if (end === undefined || rows.length < PAGE_ENTRIES) return;
    after = end.seq;
  }
}

/** Why the head does not fit the journal, or nothing. */
function checkHead(
  read: HeadRead,
  last: { seq: number } | undefined,
  hashAt: (seq: number) => Buffer | undefined,
): string | undefined {
  if (read.state === 'bad') return read.why;
  if (read.state === 'absent') return last === undefined ? undefined : 'the signed head is missing';
  if (read.head.seq === 0) return undefined;
  return againstHead(read.head, last?.seq ?? 0, hashAt(read.head.seq)?.toString('hex'));
}

function againstHead(head: Head, lastSeq: number, hash: string | undefined): string | undefined {
  if (lastSeq < head.seq) {
    return `entries ${lastSeq + 1} to ${head.seq} are missing at the end: the signed head names ${head.seq}`;
  }
  return hash === head.hash ? undefined : `entry ${head.seq} is not the one that the signed head names`;
}

function verify(
  db: Database,
  key: KeyObject,
  read: HeadRead,
  progress?: (done: number, total: number) => void,
): VerifyResult {
  const page = db.prepare<[number], Row>(
    `SELECT *, NULL AS previous_hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ${PAGE_ENTRIES}`,
  );
  const total = db.prepare<[], number>('SELECT coalesce(max(seq), 0) FROM journal').pluck().get() ?? 0;
  let seq = 0;
  let previousHash = NO_HASH;
  let hashAtHead: string | undefined;
  const broken = (at: number, why: string): VerifyResult => ({ ok: false, entries: seq, seq: at, why });
  for (;;) {
    const rows = page.all(seq);
    for (const row of rows) {
      if (row.seq !== seq + 1) return broken(seq + 1, `entry ${seq + 1} is missing`);
      const hash = row.hash.toString('hex');
      if (chain(key, previousHash, columns(row)).toString('hex') !== hash) {
        return broken(row.seq, `entry ${row.seq} was changed: its hash does not follow from it and the one before`);
      }
      seq = row.seq;
      previousHash = hash;
      if (read.state === 'good' && read.head.seq === seq) hashAtHead = hash;
    }
    progress?.(seq, total);
    if (rows.length < PAGE_ENTRIES) break;
  }
  if (read.state === 'bad') return broken(seq, read.why);
  if (read.state === 'absent') return broken(seq, 'the signed head is missing');
  if (read.head.seq > 0) {
    const why = againstHead(read.head, seq, hashAtHead);
    if (why !== undefined) return broken(Math.min(seq + 1, read.head.seq), why);
  }
  return { ok: true, entries: seq, headHash: previousHash };
}
