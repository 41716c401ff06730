/**
 * The journal's signed head, outside the database: the hash chain shows edits, the head shows a tail that was cut off.
 * `DIR/journal.head` is `{seq, hash, hmac}`; the HMAC-SHA-256 is over `seq:hash` with a key derived (HKDF) from the
 * installation's secret.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { writeDurably } from './files.ts';

const HEAD_MODE = 0o600;
const KEY_BYTES = 32;
/** The head may lag this far behind the journal: more often would cost a sync beside each grant's own. */
const HEAD_INTERVAL_MS = 1_000;

export interface Head {
  readonly seq: number;
  readonly hash: string;
}

export type HeadRead =
  | { readonly state: 'absent' }
  | { readonly state: 'bad'; readonly why: string }
  | { readonly state: 'good'; readonly head: Head };

export function headFile(dataDir: string): string {
  return path.join(dataDir, 'journal.head');
}

function sign(secret: Buffer, head: Head): Buffer {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'doorward journal head', KEY_BYTES));
  return createHmac('sha256', key).update(`${head.seq}:${head.hash}`).digest();
}

export function headText(secret: Buffer, head: Head): string {
  return `${JSON.stringify({ seq: head.seq, hash: head.hash, hmac: sign(secret, head).toString('hex') })}\n`;
}

export function readHead(dataDir: string, secret: Buffer): HeadRead {
  let text: string;
  try {
    text = fs.readFileSync(headFile(dataDir), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { state: 'absent' };
    return { state: 'bad', why: `the signed head cannot be read: ${(error as Error).message}` };
  }
  const head = parse(text);
  if (head === undefined) return { state: 'bad', why: 'the signed head is not in its form' };
  const given = Buffer.from(head.hmac, 'hex');
  const right = sign(secret, head);
  if (given.length !== right.length || !timingSafeEqual(given, right)) {
    return { state: 'bad', why: 'the signature of the signed head is wrong' };
  }
  return { state: 'good', head: { seq: head.seq, hash: head.hash } };
}

function parse(text: string): (Head & { hmac: string }) | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { seq, hash, hmac } = value as Record<string, unknown>;
    if (typeof seq !== 'number' || typeof hash !== 'string' || typeof hmac !== 'string') return undefined;
    return { seq, hash, hmac };
  } catch {
    return undefined;
  }
}

export interface HeadKeeper {
  /** Durable when it returns, unless the disk refuses; for the opening. */
  write(head: Head): void;
  /** Tells of a new durable head; written soon, beside the caller, at most once a second. */
  advance(head: Head): void;
  /** Writes the newest head before it returns. */
  close(): void;
}

/** Keeps the file behind the journal, off the caller's path: a grant never waits for it. */
export function keepHead(dataDir: string, secret: Buffer, onError: (error: Error) => void): HeadKeeper {
  const file = headFile(dataDir);
  let newest: Head | undefined;
  let written: Head | undefined;
  let lastWriteMs = Number.NEGATIVE_INFINITY;
  let writing = false;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function writeWhenDue(): void {
    if (closed || writing || timer !== undefined || newest === undefined || newest === written) return;
    const waitMs = lastWriteMs + HEAD_INTERVAL_MS - performance.now();
    if (waitMs > 0) {
      timer = setTimeout(() => {
        timer = undefined;
        writeWhenDue();
      }, waitMs);
      timer.unref();
      return;
    }
    const head = newest;
    writing = true;
    lastWriteMs = performance.now();
    replaceBeside(file, headText(secret, head), () => closed)
      .then(() => {
        written = head;
      }, onError)
      .finally(() => {
        writing = false;
        writeWhenDue();
      });
  }

  function writeNow(head: Head): void {
    newest = head;
    lastWriteMs = performance.now();
    try {
      writeDurably(file, headText(secret, head), HEAD_MODE);
      written = head;
    } catch (error) {
      // A full disk keeps nobody from opening: it is told, and tried again with the next entry.
      onError(error as Error);
    }
  }

  return {
    write: writeNow,
    advance(head) {
      newest = head;
      writeWhenDue();
    },
    close() {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      if (newest !== undefined && newest !== written) writeNow(newest);
    },
  };
}

async function replaceBeside(file: string, text: string, cancelled: () => boolean): Promise<void> {
  const beside = `${file}.next`;
  const handle = await fs.promises.open(beside, 'w', HEAD_MODE);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // Synchronous, so that a close in between never has its newer head overwritten by this one.
  if (cancelled()) fs.rmSync(beside, { force: true });
  else fs.renameSync(beside, file);
}
