import { randomBytes } from 'node:crypto';

/** Crockford's base 32: no I, L, O, U, so that an id can be read out over the telephone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_DIGITS = 10;
const RANDOM_BYTES = 16;

/** An id of 26 characters that sorts by time (the ULID layout): 48 bits of `wallMs`, 80 random bits. */
export function ulid(wallMs: number): string {
  let time = '';
  let rest = Math.max(0, Math.floor(wallMs));
  for (let digit = 0; digit < TIME_DIGITS; digit++) {
    time = ALPHABET.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let random = '';
  // Five bits of each byte: 256 is a multiple of 32, so every letter is equally likely.
  for (const byte of randomBytes(RANDOM_BYTES)) random += ALPHABET.charAt(byte & 31);
  return time + random;
}
