import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CredentialInput, canonicalCredentials, decodeWiegand } from '../../gateway/core/access/credential.ts';

const TABLE = [
  ['H10301', 118, 1603, '10111011000000110010000110'],
  ['H10301', 113, 6025, '10111000100010111100010011'],
  ['H10301', 4, 123, '10000010000000000011110111'],
  ['C1K35', 118, 1603, '11000001110110000000000110010000111'],
] as const;

function texts(input: CredentialInput): readonly string[] {
  const read = canonicalCredentials(input);
  if (read.fault !== undefined) throw new Error(read.fault);
  return read.canonical;
}
/** What a credential is kept as: the first text. A read is its when any of the read's texts is that one. */
function opens(enrolled: CredentialInput, read: CredentialInput): boolean {
  return texts(read).includes(texts(enrolled)[0] ?? '');
}

describe('Wiegand formats', () => {
  test.each(TABLE)('%s %i-%i is read from its bits', (format, facility, card, bits) => {
    expect(decodeWiegand(bits)).toEqual({ format, facility, card });
  });

  test('a single wrong bit never yields facility and card', () => {
    for (const [, , , bits] of TABLE) {
      for (let at = 0; at < bits.length; at += 1) {
        const wrong = bits.slice(0, at) + (bits[at] === '1' ? '0' : '1') + bits.slice(at + 1);
        expect(decodeWiegand(wrong), `bit ${at} of ${bits.length}`).toBeUndefined();
        expect(texts({ format: 'bits', value: wrong })).toEqual([`bits:${bits.length}:${wrong}`]);
      }
    }
  });

  /** Parities laid out by hand, independent of the tables of the code. */
  const odd = (bits: string): string => (bits.replaceAll('0', '').length % 2 === 0 ? '1' : '0');
  const even = (bits: string): string => (odd(bits) === '1' ? '0' : '1');
  const binary = (value: number, width: number): string => value.toString(2).padStart(width, '0');

  test('any H10306 and H10304 card is read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 0, max: 524_287 }), (facility, number) => {
        const h10304 = binary(facility, 16) + binary(number, 19);
        const bits37 = even(h10304.slice(0, 18)) + h10304 + odd(h10304.slice(17));
        expect(decodeWiegand(bits37)).toEqual({ format: 'H10304', facility, card: number });
        const card = number % 65_536;
        const h10306 = binary(facility, 16) + binary(card, 16);
        const bits34 = even(h10306.slice(0, 16)) + h10306 + odd(h10306.slice(16));
        expect(decodeWiegand(bits34)).toEqual({ format: 'H10306', facility, card });
      }),
    );
  });
});

describe('a read is the credential’s', () => {
  const bits = TABLE[0][3];
  const corporate = TABLE[3][3];
  const plain = { format: 'fc-cn', value: '118-1603' } as const;
  const named = { format: 'fc-cn', value: 'H10301:118-1603' } as const;

  test('however a UID is written', () => {
    const enrolled = { format: 'uid', value: '04A224B2C15E80' } as const;
    for (const value of ['04a224b2c15e80', '04:A2:24:B2:C1:5E:80', '04-A2-24-B2-C1-5E-80', '04 a2 24 b2 c1 5e 80']) {
      expect(opens(enrolled, { format: 'uid', value })).toBe(true);
    }
    expect(opens(enrolled, { format: 'uid', value: '04A224B2C15E81' })).toBe(false);
  });

  test('bits of any known format open what is enrolled as plain facility and card', () => {
    expect(opens(plain, { format: 'bits', value: bits })).toBe(true);
    expect(opens(plain, { format: 'bits', value: corporate })).toBe(true);
    expect(opens(plain, { format: 'fc-cn', value: '', facility: 118, card: 1603 })).toBe(true);
    expect(opens(plain, { format: 'fc-cn', value: '0118 / 01603' })).toBe(true);
  });

  test('a named format keeps two cards of the same numbers apart', () => {
    expect(opens(named, { format: 'bits', value: bits })).toBe(true);
    expect(opens(named, { format: 'bits', value: corporate })).toBe(false);
    expect(opens(named, plain)).toBe(false);
    expect(opens(plain, named)).toBe(true);
  });

  test('what is enrolled by bits opens by these bits only', () => {
    const enrolled = { format: 'bits', value: bits } as const;
    expect(opens(enrolled, enrolled)).toBe(true);
    expect(opens(enrolled, plain)).toBe(false);
    expect(opens(enrolled, { format: 'bits', value: corporate })).toBe(false);
  });

  test('never across kinds: a UID of zeros and ones is no read of bits', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('0', '1'), minLength: 8, maxLength: 32 }), (value) => {
        fc.pre(value.length % 2 === 0);
        expect(opens({ format: 'uid', value }, { format: 'bits', value })).toBe(false);
      }),
    );
  });

  test('the last four characters are the card number’s, the UID’s or the raw bits’ in hex', () => {
    expect(canonicalCredentials({ format: 'bits', value: bits })).toMatchObject({ last4: '1603' });
    expect(canonicalCredentials(plain)).toMatchObject({ last4: '1603' });
    expect(canonicalCredentials({ format: 'uid', value: '04a224b2c15e80' })).toMatchObject({ last4: '5E80' });
    expect(canonicalCredentials({ format: 'bits', value: '00001010101111001101' })).toMatchObject({ last4: 'ABCD' });
  });

  test('a fault never repeats the number', () => {
    for (const input of [
      { format: 'uid', value: '04A224B2C15E8' },
      { format: 'uid', value: 'XYZ-98765' },
      { format: 'uid', value: '' },
      { format: 'bits', value: '98765' },
      { format: 'bits', value: '101' },
      { format: 'fc-cn', value: '98765' },
      { format: 'fc-cn', value: 'W99:1-98765' },
      { format: 'fc-cn', value: '', facility: -1, card: 98765 },
    ] as const) {
      const read = canonicalCredentials(input);
      expect(read.fault, JSON.stringify(input)).toMatch(/^[A-Z].*\.$/);
      expect(read.fault).not.toContain('98765');
    }
  });
});
