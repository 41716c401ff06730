/** `checkIcs` for feeds of any size: a large one is decoded and checked in parts, so that no badge waits for it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Checked, checkIcs } from '../check.ts';

/** Checked in one go: a millisecond, on a small board some more. */
export const PART_BYTES = 64 * 1024;
/** How far a part may grow in search of a place where no character and no fold is cut. */
const SEARCH_BYTES = 4 * 1024;
const HEAD = 'BEGIN:VCALENDAR\r\n';
const TAIL = '\r\nEND:VCALENDAR';

export async function readFeed(body: Buffer, contentType: string | undefined): Promise<Checked> {
  if (body.length <= PART_BYTES) return checkIcs(body, contentType);
  // Begin and end first: an error page or half a feed is not worth the rest.
  const ends =
    `${body.toString('latin1', 0, PART_BYTES / 2)}\r\n${body.toString('latin1', body.length - PART_BYTES / 2)}`.replace(
      /^ï»¿/,
      '',
    );
  const outer = checkIcs(ends, contentType);
  if (!outer.ok) return outer;
  let text = '';
  for (let at = 0; at < body.length; ) {
    const to = partEnd(body, at);
    const part = checkIcs(Buffer.concat([Buffer.from(HEAD), body.subarray(at, to), Buffer.from(TAIL)]), contentType);
    if (!part.ok) return part;
    const piece = part.text.slice(HEAD.length, -TAIL.length);
    text += at === 0 ? piece.replace(/^\ufeff/, '') : piece;
    at = to;
    await nextTurn();
  }
  return { ok: true, text };
}

/** Where neither a character is cut nor the fold that some senders put into one. */
function partEnd(body: Buffer, at: number): number {
  const from = at + PART_BYTES;
  if (from >= body.length) return body.length;
  for (let end = from; end < from + SEARCH_BYTES; end += 1) if (mayCut(body[end - 1], body[end])) return end;
  return from + SEARCH_BYTES;
}

function mayCut(before = 0, after = 0): boolean {
  const begins = (after & 0xc0) !== 0x80;
  return begins && !isLineEnd(after) && !(isLineEnd(before) && (after === 0x20 || after === 0x09));
}

function isLineEnd(byte: number): boolean {
  return byte === 0x0d || byte === 0x0a;
}
