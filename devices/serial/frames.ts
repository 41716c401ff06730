/**
 * Frames of the 125 kHz serial readers RDM6300 and ID-12LA, 9600 baud 8N1:
 * 02, ten ASCII hex digits (the tag), two ASCII hex digits (the XOR of the tag's five bytes), CR LF on an ID-12LA, 03.
 * Source: ID Innovations ID-2LA/12LA/20LA data sheet, section "Data Format"; the RDM6300's sheet has the same frame without CR LF.
 * Bytes in, reads out: no clock and no port, so that any chunking and any noise can be tested.
 */

const START = 0x02;
const END = 0x03;
const CR = 0x0d;
const LF = 0x0a;
const TAG_DIGITS = 10;
const CHECK_DIGITS = 2;
const LINE_END_BYTES = 2;
/** The longest body between start and end; anything longer is noise and is dropped at this length. */
export const MAX_BODY_BYTES = TAG_DIGITS + CHECK_DIGITS + LINE_END_BYTES;

export type SerialRead =
  /** `uid`: ten upper-case hex digits, the checksum verified. */
  | { readonly kind: 'tag'; readonly uid: string }
  /** A whole frame whose checksum is wrong: refused. */
  | { readonly kind: 'checksum' }
  /** A frame that began and is none: cut short, too long or with other characters than hex digits. */
  | { readonly kind: 'broken' };

/** Hex digit of an ASCII byte, or undefined. Clones send lower case too. */
function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x41 + 10;
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x61 + 10;
  return undefined;
}

/** XOR of the bytes that the hex digits spell; a tag's own checksum is right when tag and checksum together give 0. */
function xorOfBytes(digits: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i + 1 < digits.length; i += 2) sum ^= ((digits[i] ?? 0) << 4) | (digits[i + 1] ?? 0);
  return sum;
}

/** What stands between start and end. Either model's frame is taken, since some readers are sold under the other's name. */
function readBody(body: readonly number[]): SerialRead {
  const hasLineEnd = body.length === MAX_BODY_BYTES && body.at(-2) === CR && body.at(-1) === LF;
  const text = hasLineEnd ? body.slice(0, -LINE_END_BYTES) : body;
  const digits = text.map(hexDigit).filter((digit) => digit !== undefined);
  if (text.length !== TAG_DIGITS + CHECK_DIGITS || digits.length !== text.length) return { kind: 'broken' };
  if (xorOfBytes(digits) !== 0) return { kind: 'checksum' };
  const uid = digits
    .slice(0, TAG_DIGITS)
    .map((digit) => digit.toString(16))
    .join('')
    .toUpperCase();
  return { kind: 'tag', uid };
}

/** Keeps the begun frame between chunks; at most `MAX_BODY_BYTES` bytes of memory. */
export class FrameParser {
  /** undefined: between frames, where every byte but a start is noise. */
  #body: number[] | undefined;

  /** The reads that these bytes complete, in order. Noise between frames yields nothing. */
  push(bytes: Uint8Array): SerialRead[] {
    const reads: SerialRead[] = [];
    for (const byte of bytes) {
      const read = this.#take(byte);
      if (read !== undefined) reads.push(read);
    }
    return reads;
  }

  /** Forget a begun frame: its rest will never come, e.g. because the adapter was pulled. */
  reset(): void {
    this.#body = undefined;
  }

  #take(byte: number): SerialRead | undefined {
    const body = this.#body;
    if (byte === START) {
      // A start inside a frame means that the frame's end was lost; the new one may well be whole.
      this.#body = [];
      return body === undefined ? undefined : { kind: 'broken' };
    }
    if (body === undefined) return undefined;
    if (byte === END) {
      this.#body = undefined;
      return readBody(body);
    }
    if (body.length === MAX_BODY_BYTES) {
      this.#body = undefined;
      return { kind: 'broken' };
    }
    body.push(byte);
    return undefined;
  }
}
