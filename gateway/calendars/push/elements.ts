/**
 * Takes a large JSON answer apart without ever holding up the event loop: the elements of one list are parsed one by one,
 * in slices of time with rests between them, so that a hostile page of many megabytes costs a door no millisecond.
 * JSON.parse still reads every byte (RFC 8259), this only finds where the elements end.
 */
import { setImmediate as rest } from 'node:timers/promises';

/** Work between two rests. */
export const SLICE_MS = 4;
/** Bytes looked at between two looks at the clock. */
const STRIDE_BYTES = 32 * 1024;
/** One booking that is larger is none. */
export const MAX_ELEMENT_BYTES = 256 * 1024;
/** What stands around the list: links, totals, paging. */
export const MAX_ENVELOPE_BYTES = 256 * 1024;
/** Deeper nesting has no meaning in any of the formats. */
const MAX_DEPTH = 100;

export type Taken =
  | {
      readonly ok: true;
      /** The answer with the list taken out (`[]` in its place); undefined when the answer is the list itself. */
      readonly envelope: unknown;
      /** Whether the list was there. */
      readonly found: boolean;
    }
  | { readonly ok: false; readonly code: 'malformed' | 'too_large' | 'too_costly'; readonly why: string };

export interface TakeOptions {
  /** Names under which the list may stand, at the top of the answer; a bare list is taken as well. */
  readonly keys: readonly string[];
  readonly maxElements: number;
  readonly signal?: AbortSignal | undefined;
}

/** Calls `each` for every element, in order. Never throws for what the bytes are. */
export async function takeElements(
  body: Buffer,
  options: TakeOptions,
  each: (element: unknown, index: number) => void,
): Promise<Taken> {
  const finder = new Finder(body, options.keys);
  let count = 0;
  let sinceMs = performance.now();
  for (;;) {
    const found = finder.next();
    if (found === 'end') break;
    if (found === 'malformed') return malformed('is no JSON');
    if (found === 'deep') return malformed('is nested too deeply');
    if (found === 'envelope') return { ok: false, code: 'too_large', why: 'what stands around its list is too large' };
    if (found !== 'pause') {
      if (found.to - found.from > MAX_ELEMENT_BYTES) {
        return { ok: false, code: 'too_large', why: 'one entry of its list is larger than 256 kB' };
      }
      if (count === options.maxElements) return { ok: false, code: 'too_large', why: 'its list is too long' };
      const value = parse(body, found.from, found.to);
      if (value === undefined) return malformed('is no JSON');
      each(value.value, count);
      count += 1;
    }
    if (performance.now() - sinceMs < SLICE_MS) continue;
    await rest();
    if (options.signal?.aborted === true) return { ok: false, code: 'too_costly', why: 'reading it was broken off' };
    sinceMs = performance.now();
  }
  const envelope = finder.envelope();
  const value = parseText(envelope);
  if (value === undefined) return malformed('is no JSON');
  return { ok: true, envelope: finder.isBare ? undefined : value.value, found: finder.found };
}

function malformed(why: string): Taken {
  return { ok: false, code: 'malformed', why };
}

function parse(body: Buffer, from: number, to: number): { readonly value: unknown } | undefined {
  return parseText(body.toString('utf8', from, to));
}

function parseText(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

interface Span {
  readonly from: number;
  readonly to: number;
}
type Found = Span | 'pause' | 'end' | 'malformed' | 'deep' | 'envelope';

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Walks over the bytes once. UTF-8 keeps ASCII bytes apart from all others, so quotes and brackets are surely such. */
class Finder {
  readonly #body: Buffer;
  readonly #keys: ReadonlySet<string>;
  #at: number;
  #depth = 0;
  #inText = false;
  /** Depth of the list's inside while in it, else 0. */
  #listDepth = 0;
  #from = 0;
  #elements = 0;
  /** Start and end of the last text at the top of the answer: maybe a key. */
  #text: Span | undefined;
  #isKey = false;
  found = false;
  isBare = false;
  readonly #around: string[] = [];
  #aroundFrom = 0;

  constructor(body: Buffer, keys: readonly string[]) {
    this.#body = body;
    this.#keys = new Set(keys);
    // A byte order mark is allowed to be ignored (RFC 8259 §8.1).
    this.#at = body.length >= 3 && body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
    this.#aroundFrom = this.#at;
  }

  next(): Found {
    const until = Math.min(this.#body.length, this.#at + STRIDE_BYTES);
    while (this.#at < until) {
      const byte = this.#body[this.#at] as number;
      this.#at += 1;
      if (this.#inText) {
        if (byte === BACKSLASH) this.#at += 1;
        else if (byte === QUOTE) this.#endText();
        continue;
      }
      const found = this.#structure(byte);
      if (found !== undefined) return found;
    }
    if (this.#listDepth === 0 && this.#at - this.#aroundFrom > MAX_ENVELOPE_BYTES) return 'envelope';
    if (this.#at < this.#body.length) return 'pause';
    return this.#depth === 0 && !this.#inText ? 'end' : 'malformed';
  }

  /** The answer without its list. */
  envelope(): string {
    return [...this.#around, this.#body.toString('utf8', this.#aroundFrom)].join('');
  }

  #endText(): void {
    this.#inText = false;
    if (this.#depth === 1 && this.#text !== undefined) this.#text = { from: this.#text.from, to: this.#at };
  }

  #structure(byte: number): Found | undefined {
    switch (byte) {
      case QUOTE:
        this.#inText = true;
        if (this.#depth === 1) this.#text = { from: this.#at - 1, to: this.#at };
        return undefined;
      case COLON:
        if (this.#depth === 1) this.#isKey = this.#listDepth === 0 && this.#isListKey();
        return undefined;
      case OPEN_LIST:
      case OPEN_OBJECT:
        return this.#open(byte === OPEN_LIST);
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        return this.#close();
      case COMMA:
        if (this.#listDepth === 0 || this.#depth !== this.#listDepth) {
          if (this.#depth === 1) this.#isKey = false;
          return undefined;
        }
        return this.#element(false);
      default:
        return undefined;
    }
  }

  #open(list: boolean): Found | undefined {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) return 'deep';
    const bare = list && this.#depth === 1;
    if (this.#listDepth === 0 && (bare || (list && this.#depth === 2 && this.#isKey))) {
      // A key that stands there twice means two things.
      if (this.found) return 'malformed';
      this.found = true;
      this.isBare = bare;
      this.#listDepth = this.#depth;
      this.#from = this.#at;
      if (this.#at - this.#aroundFrom > MAX_ENVELOPE_BYTES) return 'envelope';
      this.#around.push(this.#body.toString('utf8', this.#aroundFrom, this.#at));
    }
    this.#isKey = false;
    return undefined;
  }

  #close(): Found | undefined {
    if (this.#depth === 0) return 'malformed';
    if (this.#listDepth === this.#depth) {
      const last = this.#element(true);
      this.#listDepth = 0;
      this.#depth -= 1;
      this.#aroundFrom = this.#at - 1;
      return last;
    }
    this.#depth -= 1;
    return undefined;
  }

  /** The bytes between two commas; an empty list has none. */
  #element(last: boolean): Found | undefined {
    const span = { from: this.#from, to: this.#at - 1 };
    this.#from = this.#at;
    if (last && this.#elements === 0 && this.#isBlank(span)) return undefined;
    this.#elements += 1;
    return span;
  }

  #isBlank(span: Span): boolean {
    if (span.to - span.from > MAX_ELEMENT_BYTES) return false;
    return /^[ \t\r\n]*$/.test(this.#body.toString('latin1', span.from, span.to));
  }

  #isListKey(): boolean {
    if (this.#text === undefined || this.#text.to - this.#text.from > 64) return false;
    const key = parse(this.#body, this.#text.from, this.#text.to)?.value;
    return typeof key === 'string' && this.#keys.has(key);
  }
}
