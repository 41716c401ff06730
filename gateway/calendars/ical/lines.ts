/**
 * Content lines of iCalendar: RFC 5545 §3.1 with the escapes of RFC 6868. Read in what is written, tolerant in how it
 * is broken (CRLF, LF, CR, a byte order mark, blank lines), because all of these are met and none changes a meaning.
 */

/** Characters of one unfolded line that are kept; a longer one matters only where times or persons stand in it. */
export const MAX_LINE_CHARS = 262_144;
/** Parameters of one line. */
export const MAX_PARAMETERS = 64;

/** One unfolded line. */
export interface Line {
  readonly text: string;
  /** Number of its first physical line, from 1. */
  readonly line: number;
  /** It was longer than MAX_LINE_CHARS: the rest is missing from `text`. */
  readonly cut: boolean;
}

export interface Property {
  /** Upper case. */
  readonly name: string;
  /** Upper-case names; quotes taken off, `^` escapes resolved. A parameter given twice keeps its values in order. */
  readonly params: ReadonlyMap<string, readonly string[]>;
  readonly value: string;
  readonly line: number;
}

/** One kind of line end and no byte order mark; line numbers stay as they are. */
export function evenLines(text: string): string {
  const unmarked = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  return /\r(?!\n)/.test(unmarked) ? unmarked.replaceAll(/\r\n?/g, '\n') : unmarked;
}

/** Walks the unfolded lines of a text that went through {@link evenLines}; blank lines are passed over. */
export class LineReader {
  readonly #text: string;
  readonly #end: number;
  #at: number;
  #line: number;

  /** @param line number of the line that begins at `from` */
  constructor(text: string, from = 0, end = text.length, line = 1) {
    this.#text = text;
    this.#at = from;
    this.#end = end;
    this.#line = line;
  }

  /** Where the next physical line begins. */
  get offset(): number {
    return this.#at;
  }

  /** Its number. */
  get line(): number {
    return this.#line;
  }

  next(): Line | undefined {
    while (this.#at < this.#end) {
      const line = this.#line;
      let text = this.#physical();
      let cut = text.length > MAX_LINE_CHARS;
      if (cut) text = text.slice(0, MAX_LINE_CHARS);
      if (!this.#folded()) {
        if (text !== '' && text.trim() !== '') return { text, line, cut };
        continue;
      }
      // Collected first: adding up a folded megabyte piece by piece would copy it again and again.
      const pieces = [text];
      let length = text.length;
      while (this.#folded()) {
        this.#at += 1;
        const piece = this.#physical();
        if (length + piece.length > MAX_LINE_CHARS) cut = true;
        else pieces.push(piece);
        length += piece.length;
      }
      const whole = pieces.join('');
      if (whole.trim() !== '') return { text: whole, line, cut };
    }
    return undefined;
  }

  #folded(): boolean {
    if (this.#at >= this.#end) return false;
    const code = this.#text.charCodeAt(this.#at);
    return code === 0x20 || code === 0x09;
  }

  #physical(): string {
    const feed = this.#text.indexOf('\n', this.#at);
    const stop = feed < 0 || feed >= this.#end ? this.#end : feed;
    const end = stop > this.#at && this.#text.charCodeAt(stop - 1) === 0x0d ? stop - 1 : stop;
    const piece = this.#text.slice(this.#at, end);
    this.#at = stop + 1;
    this.#line += 1;
    return piece;
  }
}

/** Names may hold what vendors put in them beyond the RFC's letters, digits and dashes. */
const NAME = /^[A-Za-z0-9._-]+(?=[;:])/;

/** Name of the property in upper case; undefined when the line is no content line. */
export function nameOf(text: string): string | undefined {
  return NAME.exec(text)?.[0].toUpperCase();
}

/** Splits a content line; a sentence when it is none. */
export function parseLine({ text, line }: Line): Property | string {
  const name = nameOf(text);
  if (name === undefined) return 'no property begins it';
  const params = new Map<string, string[]>();
  let at = name.length;
  while (text[at] === ';') {
    const equals = /[=;:]/g;
    equals.lastIndex = at + 1;
    const stop = equals.exec(text);
    if (stop === null) return 'it has no value';
    const param = text
      .slice(at + 1, stop.index)
      .trim()
      .toUpperCase();
    if (params.size >= MAX_PARAMETERS) return `it has more than ${MAX_PARAMETERS} parameters`;
    const values = params.get(param) ?? [];
    params.set(param, values);
    at = stop.index;
    // vCalendar 1.0 wrote bare words here; they say nothing of times.
    if (stop[0] !== '=') continue;
    const after = parseValues(text, at + 1, values);
    if (after === undefined) return `its parameter ${param.slice(0, 40)} has no closing quote`;
    at = after;
  }
  if (text[at] !== ':') return 'it has no value';
  return { name, params, value: text.slice(at + 1), line };
}

/** Reads `value *("," value)`; where it ends, or undefined when a quote is not closed. */
function parseValues(text: string, from: number, into: string[]): number | undefined {
  let at = from;
  for (;;) {
    if (text[at] === '"') {
      const close = text.indexOf('"', at + 1);
      if (close < 0) return undefined;
      into.push(unescapeParameter(text.slice(at + 1, close)));
      at = close + 1;
      // What stands between the quote and the next delimiter is no value.
      while (at < text.length && !',;:'.includes(text[at] ?? '')) at += 1;
    } else {
      const start = at;
      while (at < text.length && !',;:'.includes(text[at] ?? '')) at += 1;
      into.push(unescapeParameter(text.slice(start, at)));
    }
    if (text[at] !== ',') return at;
    at += 1;
  }
}

/** RFC 6868: `^n` line feed, `^^` circumflex, `^'` double quote; any other circumflex stands for itself. */
function unescapeParameter(value: string): string {
  if (!value.includes('^')) return value;
  return value.replaceAll(/\^[n^']/g, (escaped) => (escaped === '^n' ? '\n' : escaped === '^^' ? '^' : '"'));
}
