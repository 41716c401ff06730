/** How reading one event ends when it cannot be understood for certain. */
import type { SetAsideCode } from '../types.ts';

/**
 * Thrown within the reading of one event and caught there: it never leaves `ical/`. No Error, because the stack of one
 * costs more than reading an event, and a feed may have 200,000 bad ones.
 */
export class Spoiled {
  readonly code: SetAsideCode;
  /** A sentence for the technician. */
  readonly why: string;
  constructor(code: SetAsideCode, why: string) {
    this.code = code;
    this.why = why;
  }
}

/** Characters of a value that a sentence shows. */
const SHOWN_CHARS = 60;

/** What a stranger wrote, fit to stand in a sentence on a terminal. */
export function shown(text: string): string {
  const clean = plain(text);
  return `"${clean.length > SHOWN_CHARS ? `${clean.slice(0, SHOWN_CHARS)}…` : clean}"`;
}

/** Control characters (also those that steer a terminal) and runs of blanks become one blank. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  return text.replaceAll(/[\u0000-\u0020\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
}
