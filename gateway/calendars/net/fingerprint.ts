/** Whether a feed says the same as last time, worked out without reading it and without holding up the main thread. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What is done in one go: well under a millisecond, on a small board too. */
const CHUNK_BYTES = 64 * 1024;
const STAMP = '\nDTSTAMP';
/** Stands where a DTSTAMP stood; no calendar has a binary zero. */
const MARK = '\n\0';
const LINE_FEED = 0x0a;

/**
 * SHA-256 of a feed. Many services (Google, Outlook) write the time of the download as DTSTAMP into every event, so no
 * two downloads are equal: where all the DTSTAMPs of a feed are the same they are left out, since they then say nothing
 * that tells one event from another. Feeds with DTSTAMPs of their own are taken byte by byte.
 */
export async function fingerprint(body: Buffer): Promise<string> {
  const from = body.indexOf(STAMP);
  if (from !== -1) {
    const end = body.indexOf(LINE_FEED, from + 1);
    const stamp = body.toString('latin1', from, end === -1 ? body.length : end);
    const print = await digest(body, stamp);
    if (print !== undefined) return `stampless:${print}`;
  }
  return `bytes:${await digest(body, undefined)}`;
}

/** @param stamp the line to leave out; undefined is the answer when another DTSTAMP is found. */
async function digest(body: Buffer, stamp: string | undefined): Promise<string | undefined> {
  const hash = createHash('sha256');
  for (let at = 0; at < body.length; ) {
    if (at > 0) await nextTurn();
    const to = chunkEnd(body, at);
    if (stamp === undefined) hash.update(body.subarray(at, to));
    else {
      const text = body.toString('latin1', at, to).replaceAll(stamp, MARK);
      if (text.includes(STAMP)) return undefined;
      hash.update(text, 'latin1');
    }
    at = to;
  }
  return hash.digest('hex');
}

/** Just before a line feed, so that no line is cut; a line as long as a chunk is no DTSTAMP. */
function chunkEnd(body: Buffer, at: number): number {
  if (body.length - at <= CHUNK_BYTES) return body.length;
  const end = body.lastIndexOf(LINE_FEED, at + CHUNK_BYTES);
  return end > at ? end : at + CHUNK_BYTES;
}
