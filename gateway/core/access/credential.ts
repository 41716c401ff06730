/**
 * One number, one text: reads and enrolments of a credential are brought to the same canonical texts, whose keyed hashes
 * are compared. Pure.
 *
 * A read yields every text that it may be known by, the most specific first; an enrolment is kept under one text, the
 * first. A read is the credential's when any of its texts is the one kept:
 *
 * | enrolled as          | kept as                 | is matched by                                               |
 * |----------------------|-------------------------|-------------------------------------------------------------|
 * | uid                  | `uid:04A224B2C15E80`    | the same UID, however written                               |
 * | bits                 | `bits:26:1011…`         | the same bits only                                          |
 * | fc-cn, format named  | `fc-cn:H10301:118-1603` | bits or fields of that format with these numbers            |
 * | fc-cn                | `fc-cn:118-1603`        | bits of any known format, or fields, with these numbers     |
 *
 * The last row is the one where two cards can collide: an H10301 card 118-1603 and a Corporate 1000 card 118-1603 are two
 * pieces of plastic. A site that has both formats enrols by bits or names the format; bits whose parity is wrong, or
 * whose length is no known format's, never match as facility and card.
 */

export type CredentialFormat = 'uid' | 'bits' | 'fc-cn';

export interface CredentialInput {
  readonly format: CredentialFormat;
  /** uid: hex digits, separators allowed; bits: zeros and ones, first bit first; fc-cn: `118-1603` or `H10301:118-1603`. */
  readonly value: string;
  /** fc-cn: stand in place of `value` when both are given. */
  readonly facility?: number | undefined;
  readonly card?: number | undefined;
}

export type CanonicalCredential =
  /** `last4` is for people: the last four hex digits of a UID or of unknown bits, the last four digits of a card number. */
  | {
      readonly canonical: readonly [string, ...string[]];
      readonly last4: string;
      /** fc-cn: further texts that a card with these numbers may be enrolled under. Enrolled twice it would outlive its revocation. */
      readonly also?: readonly string[];
      readonly fault?: undefined;
    }
  /** A sentence without the number. */
  | { readonly fault: string };

/** UIDs of 4, 7 and 10 bytes (ISO 14443), 8 (ISO 15693), 5 (EM4100); room on both sides for clones of these. */
const UID_HEX_MIN = 4;
const UID_HEX_MAX = 32;
const BITS_MIN = 8;
const BITS_MAX = 128;
/** Largest facility code and card number of any known format fit 32 bits. */
const NUMBER_MAX = 0xffff_ffff;

export function canonicalCredentials(input: CredentialInput): CanonicalCredential {
  switch (input.format) {
    case 'uid':
      return fromUid(input.value);
    case 'bits':
      return fromBits(input.value);
    case 'fc-cn':
      return fromNumbers(input);
  }
}

function fromUid(value: string): CanonicalCredential {
  const hex = value.replace(/[\s:.-]/g, '').toUpperCase();
  if (!/^[0-9A-F]+$/.test(hex)) return { fault: 'A UID is written in hexadecimal digits.' };
  if (hex.length < UID_HEX_MIN || hex.length > UID_HEX_MAX || hex.length % 2 !== 0) {
    return { fault: `A UID has ${UID_HEX_MIN} to ${UID_HEX_MAX} hexadecimal digits, an even number of them.` };
  }
  return { canonical: [`uid:${hex}`], last4: hex.slice(-4) };
}

function fromBits(value: string): CanonicalCredential {
  const bits = value.replace(/\s/g, '');
  if (!/^[01]+$/.test(bits)) return { fault: 'Bits are written as zeros and ones.' };
  if (bits.length < BITS_MIN || bits.length > BITS_MAX) {
    return { fault: `A read has ${BITS_MIN} to ${BITS_MAX} bits, this one ${bits.length}.` };
  }
  const raw = `bits:${bits.length}:${bits}`;
  const wiegand = decodeWiegand(bits);
  if (wiegand === undefined) return { canonical: [raw], last4: lastHex(bits) };
  const numbers = `${wiegand.facility}-${wiegand.card}`;
  return {
    canonical: [raw, `fc-cn:${wiegand.format}:${numbers}`, `fc-cn:${numbers}`],
    last4: String(wiegand.card).slice(-4),
  };
}

function lastHex(bits: string): string {
  return Number.parseInt(bits.slice(-16), 2).toString(16).toUpperCase().padStart(4, '0').slice(-4);
}

function fromNumbers(input: CredentialInput): CanonicalCredential {
  let { facility, card } = input;
  let format: string | undefined;
  if (facility === undefined || card === undefined) {
    const match = /^(?:([A-Za-z0-9]{1,16}):)?\s*(\d{1,10})\s*[-:/]\s*(\d{1,10})$/.exec(input.value.trim());
    if (match === null) return { fault: 'Facility and card number are written as 118-1603.' };
    facility = Number(match[2]);
    card = Number(match[3]);
    if (match[1] !== undefined) {
      format = WIEGAND_FORMATS.find((known) => known.name.toLowerCase() === match[1]?.toLowerCase())?.name;
      if (format === undefined) {
        return { fault: `The format before the numbers is one of ${WIEGAND_FORMATS.map((f) => f.name).join(', ')}.` };
      }
    }
  }
  if (![facility, card].every((n) => Number.isInteger(n) && n >= 0 && n <= NUMBER_MAX)) {
    return { fault: `Facility and card number are whole numbers from 0 to ${NUMBER_MAX}.` };
  }
  const plain = `fc-cn:${facility}-${card}`;
  const last4 = String(card).slice(-4);
  const also = enrolledOtherwise(facility, card, format);
  if (format === undefined) return { canonical: [plain], last4, also };
  return { canonical: [`fc-cn:${format}:${facility}-${card}`, plain], last4, also };
}

/** The texts of the bits that carry these numbers, in the named format or in any. */
function enrolledOtherwise(facility: number, card: number, only: string | undefined): readonly string[] {
  const formats = WIEGAND_FORMATS.filter((format) => only === undefined || format.name === only);
  return formats.flatMap((format) => {
    const bits = encodeWiegand(format, facility, card);
    return bits === undefined ? [] : [`bits:${bits.length}:${bits}`, `fc-cn:${format.name}:${facility}-${card}`];
  });
}

export interface WiegandRead {
  readonly format: 'H10301' | 'H10306' | 'H10304' | 'C1K35';
  readonly facility: number;
  readonly card: number;
}

interface Parity {
  /** Place of the parity bit, bit 0 first. */
  readonly at: number;
  readonly over: readonly number[];
  readonly kind: 'even' | 'odd';
}

interface WiegandFormat {
  readonly name: WiegandRead['format'];
  readonly bits: number;
  /** `[from, to)` of the facility code and of the card number, most significant bit first. */
  readonly facility: readonly [number, number];
  readonly card: readonly [number, number];
  readonly parities: readonly Parity[];
}

/** HID's published card data formats; Corporate 1000's two inner parities skip every third bit. */
const WIEGAND_FORMATS: readonly WiegandFormat[] = [
  {
    name: 'H10301',
    bits: 26,
    facility: [1, 9],
    card: [9, 25],
    parities: [
      { at: 0, over: range(1, 12), kind: 'even' },
      { at: 25, over: range(13, 24), kind: 'odd' },
    ],
  },
  {
    name: 'H10306',
    bits: 34,
    facility: [1, 17],
    card: [17, 33],
    parities: [
      { at: 0, over: range(1, 16), kind: 'even' },
      { at: 33, over: range(17, 32), kind: 'odd' },
    ],
  },
  {
    name: 'H10304',
    bits: 37,
    facility: [1, 17],
    card: [17, 36],
    parities: [
      { at: 0, over: range(1, 18), kind: 'even' },
      { at: 36, over: range(18, 35), kind: 'odd' },
    ],
  },
  {
    name: 'C1K35',
    bits: 35,
    facility: [2, 14],
    card: [14, 34],
    parities: [
      { at: 1, over: range(2, 33).filter((bit) => (bit - 2) % 3 !== 2), kind: 'even' },
      { at: 34, over: range(1, 32).filter((bit) => (bit - 1) % 3 !== 2), kind: 'odd' },
      { at: 0, over: range(1, 34), kind: 'odd' },
    ],
  },
];

/** First and last bit, both inclusive, as the data sheets write it. */
function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Facility and card of a read whose length is a known format's and whose parities all hold; else undefined. */
export function decodeWiegand(bits: string): WiegandRead | undefined {
  const format = WIEGAND_FORMATS.find((known) => known.bits === bits.length);
  if (format === undefined || !format.parities.every((parity) => holds(bits, parity))) return undefined;
  return {
    format: format.name,
    facility: Number.parseInt(bits.slice(...format.facility), 2),
    card: Number.parseInt(bits.slice(...format.card), 2),
  };
}

/** The bits of a card with these numbers, parities set; undefined where the numbers do not fit the format. */
function encodeWiegand(format: WiegandFormat, facility: number, card: number): string | undefined {
  const bits: string[] = Array.from({ length: format.bits }, () => '0');
  for (const [[from, to], value] of [
    [format.facility, facility],
    [format.card, card],
  ] as const) {
    const digits = value.toString(2).padStart(to - from, '0');
    if (digits.length > to - from) return undefined;
    bits.splice(from, to - from, ...digits);
  }
  for (const parity of format.parities) if (!holds(bits, parity)) bits[parity.at] = '1';
  return bits.join('');
}

function holds(bits: ArrayLike<string>, parity: Parity): boolean {
  let ones = bits[parity.at] === '1' ? 1 : 0;
  for (const bit of parity.over) if (bits[bit] === '1') ones += 1;
  return ones % 2 === (parity.kind === 'even' ? 0 : 1);
}
