import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainCredential } from '../../devices/native/credential.ts';
import { instantMs, readerEvent } from '../../devices/native/schemas.ts';

const AT = '2026-03-02T08:00:00.250Z';
const usual = { boot: 'b91', seq: 413, id: 'e1', at: AT, type: 'credential', format: 'uid', value: '04A224B2C15E80' };

/** One field of the usual event is replaced or left out, or one is added. */
const spoiled = fc
  .tuple(
    fc.constantFrom(...Object.keys(usual), 'facility', 'card', 'battery'),
    fc.oneof(
      fc.anything(),
      fc.constantFrom(
        undefined,
        '',
        'x'.repeat(64),
        'x'.repeat(65),
        'x'.repeat(161),
        -1,
        0.5,
        2 ** 53,
        'bits',
        'fc-cn',
      ),
    ),
  )
  .map(([key, value]) => ({ ...usual, [key]: value }));

describe('the short way for a credential event', () => {
  test('takes the usual event of a reader', () => {
    expect(plainCredential(usual)).toEqual(usual);
    const { boot: _boot, seq: _seq, ...least } = usual;
    expect(plainCredential({ ...least, format: 'bits', value: '10111011000000110010000110' })).toEqual({
      ...least,
      format: 'bits',
      value: '10111011000000110010000110',
    });
  });

  test('never takes what the schema refuses, and reads the same out of what it takes', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: spoiled }, fc.anything()), (json) => {
        const plain = plainCredential(json);
        if (plain === undefined) return;
        taken += 1;
        expect(readerEvent.safeParse(json)).toEqual({ success: true, data: plain });
      }),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});

describe('instants', () => {
  test.each([
    ['2026-02-30T08:00:00.000Z', undefined],
    ['2024-02-29T08:00:00.000Z', Date.UTC(2024, 1, 29, 8)],
    ['2026-03-01T25:00:00.000Z', undefined],
    ['2026-03-01 08:00:00.0000Z', undefined],
    ['2026-03-01T08:00:00.0000', undefined],
    ['2026-03-01T09:00:00+01:00', Date.UTC(2026, 2, 1, 8)],
    ['Sun, 01 Mar 2026 08:00:0', undefined],
  ])('%s', (text, expected) => {
    expect(instantMs(text)).toBe(expected);
  });

  test('every millisecond of four digits of years comes back', () => {
    const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(0, 0, 1), max: last }), (ms) => {
        expect(instantMs(new Date(ms).toISOString())).toBe(ms);
      }),
    );
  });
});
