/**
 * The cheap outer look at what a feed answered, before anything in it is believed: is it a whole calendar, or an error
 * page, a log-in, half an answer? What is wrong inside is told event by event later.
 */
import { isUtf8 } from 'node:buffer';
import type { FeedFault } from './types.ts';

export type Checked =
  /** `text`: decoded, with line ends and folds as they were. */
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly code: FeedFault; readonly why: string };

/** How much of the start is looked at to say what it is instead of a calendar. */
const HEAD_CHARS = 2_000;
/** Charsets that a sender may declare beside UTF-8; every byte means something in them. */
const DECLARED = new Set(['iso-8859-1', 'latin1', 'windows-1252', 'cp1252', 'iso-8859-15', 'us-ascii', 'ascii']);
/** What a line is in that is neither UTF-8 nor declared: the charset of every old calendar program of the west. */
const STRAY = 'windows-1252';

/**
 * @param body as received; bytes are decoded as UTF-8, or as the Latin charset that `contentType` declares. A line that is
 *   not in UTF-8 is read in that charset by itself: one odd letter in a title costs no other event its grant, and times and
 *   UIDs are in ASCII everywhere.
 * @param contentType of the answer, parameters included
 */
export function checkIcs(body: string | Buffer, contentType?: string): Checked {
  const text = typeof body === 'string' ? body : decode(body, contentType);
  if (typeof text !== 'string') return text;
  const content = text
    .trim()
    .replace(/^\ufeff/, '')
    .trim();
  if (content === '') return { ok: false, code: 'empty', why: 'The answer is empty.' };
  if (!/^BEGIN:VCALENDAR[ \t]*(?=[\r\n]|$)/i.test(content)) return instead(content, contentType);
  if (content.includes('\0'))
    return { ok: false, code: 'malformed', why: 'The calendar has binary zeros in it; it was damaged on its way.' };
  if (!/(?:^|[\r\n])END:VCALENDAR[ \t]*$/i.test(content.slice(-HEAD_CHARS)))
    return { ok: false, code: 'truncated', why: 'The calendar breaks off: it does not end with END:VCALENDAR.' };
  return { ok: true, text };
}

function instead(content: string, contentType = ''): Checked {
  const head = content.slice(0, HEAD_CHARS);
  const type = contentType.toLowerCase();
  const wrong = (what: string): Checked => {
    return { ok: false, code: 'wrong_type', why: `The answer is ${what}, no calendar; check the address.` };
  };
  if (/^(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html|head|body)/i.test(head) || type.includes('html'))
    return wrong(
      /password|log ?in|sign ?in|passwor[td]|anmeld/i.test(content.slice(0, 65_536)) ? 'a log-in page' : 'a web page',
    );
  if (/^<\?xml|^<[a-z]/i.test(head)) return wrong('an XML document');
  if (/^[{[]/.test(head) || type.includes('json')) return wrong('a JSON document');
  if (head.includes('\0')) return wrong('a binary file');
  // The very start of a calendar, and nothing after it.
  if ('BEGIN:VCALENDAR'.startsWith(content.toUpperCase()))
    return { ok: false, code: 'truncated', why: 'The calendar breaks off in its first line.' };
  return { ok: false, code: 'malformed', why: 'The answer does not begin with BEGIN:VCALENDAR.' };
}

function decode(bytes: Buffer, contentType = ''): string | Checked {
  const declared = /charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]?.toLowerCase();
  const charset = declared !== undefined && DECLARED.has(declared) ? declared : STRAY;
  if (isUtf8(bytes)) return bytes.toString();
  if (charset === declared) return new TextDecoder(charset).decode(bytes);
  const unfolded = unfoldCharacters(bytes);
  if (isUtf8(unfolded)) return unfolded.toString();
  // What is no text at all is told as what it is.
  if (bytes.subarray(0, HEAD_CHARS).includes(0))
    return { ok: false, code: 'wrong_type', why: 'The answer is a binary file, no calendar; check the address.' };
  return lineByLine(unfolded, charset);
}

/** Lines in UTF-8 as they are, each other one in `charset`. */
function lineByLine(bytes: Buffer, charset: string): string {
  const decoder = new TextDecoder(charset);
  const pieces: string[] = [];
  let pending = 0;
  for (let at = 0; at < bytes.length; ) {
    const feed = bytes.indexOf(0x0a, at);
    const end = feed < 0 ? bytes.length : feed + 1;
    const line = bytes.subarray(at, end);
    if (!isUtf8(line)) {
      pieces.push(bytes.toString('utf8', pending, at), decoder.decode(line));
      pending = end;
    }
    at = end;
  }
  pieces.push(bytes.toString('utf8', pending));
  return pieces.join('');
}

/** RFC 5545 §3.1: a sender that counts octets may fold in the midst of a character. Only those folds are taken out. */
function unfoldCharacters(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    const skip = byte === 0x0d || byte === 0x0a ? foldAt(bytes, at) : 0;
    const after = bytes[at + skip] ?? 0;
    if (skip > 0 && (after & 0xc0) === 0x80 && length > 0 && (out[length - 1] ?? 0) >= 0x80) {
      at += skip - 1;
      continue;
    }
    out[length] = byte;
    length += 1;
  }
  return out.subarray(0, length);
}

/** Octets of the fold that begins at `at`: line end and one blank; 0 when there is none. */
function foldAt(bytes: Buffer, at: number): number {
  const end = bytes[at] === 0x0d && bytes[at + 1] === 0x0a ? 2 : 1;
  const blank = bytes[at + end];
  return blank === 0x20 || blank === 0x09 ? end + 1 : 0;
}
