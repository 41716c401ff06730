import { describe, expect, it } from 'vitest';
import { readCommand, refuseAtReceipt, refuseExpired } from '../../devices/simulator/commands.ts';
import { falsified } from '../../devices/simulator/faults.ts';

const bytes = (body: unknown): Uint8Array => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
const command = (fields: Record<string, unknown> = {}) => {
  const read = readCommand(
    bytes({
      id: 'c1',
      op: 'unlock',
      issuedAt: '2026-03-02T09:00:00.000Z',
      expiresAt: '2026-03-02T09:00:05.000Z',
      ttlMs: 5000,
      boot: 'b1',
      ...fields,
    }),
  );
  if (!read) throw new Error('unreadable');
  return read;
};
const EXPIRES_MS = Date.parse('2026-03-02T09:00:05.000Z');
const fresh = { retained: false, boot: 'b1', seen: new Set<string>() };

describe('reading a command', () => {
  it.each(['', '{', '[]', 'null', '"unlock"', '{"id":"x"}', '{"op":"unlock"}', '{"id":1,"op":"unlock"}'])(
    'reads nothing out of %s',
    (payload) => expect(readCommand(bytes(payload))).toBeUndefined(),
  );

  it('leaves out durations that are no numbers or negative', () => {
    expect(command({ holdMs: -1, ttlMs: '5000', forMs: Number.NaN })).toMatchObject({
      holdMs: undefined,
      ttlMs: undefined,
      forMs: undefined,
    });
  });
});

describe('what a device refuses at receipt', () => {
  it.each([
    ['a fresh command', command(), fresh, undefined],
    ['one without a boot', command({ boot: undefined }), fresh, undefined],
    ['a retained one', command(), { ...fresh, retained: true }, 'stale'],
    ['one for another boot', command({ boot: 'b0' }), fresh, 'stale'],
    ['a repeated id', command(), { ...fresh, seen: new Set(['c1']) }, 'duplicate'],
    ['a repeated id that is retained too', command(), { ...fresh, retained: true, seen: new Set(['c1']) }, 'duplicate'],
    ['one that never ends', command({ expiresAt: undefined, ttlMs: undefined }), fresh, 'failed'],
  ])('%s', (_name, read, circumstances, result) => {
    expect(refuseAtReceipt(read, circumstances)?.result).toBe(result);
  });
});

describe('expiry', () => {
  it.each([
    ['a millisecond before its end', EXPIRES_MS - 1, 0, undefined],
    ['at its end', EXPIRES_MS, 0, 'expired'],
    ['long after', EXPIRES_MS + 60_000, 0, 'expired'],
    ['no clock, acted on at once', undefined, 0, undefined],
    ['no clock, a millisecond before ttlMs', undefined, 4999, undefined],
    ['no clock, after ttlMs', undefined, 5000, 'expired'],
  ])('%s', (_name, nowMs, sinceReceiptMs, result) => {
    expect(refuseExpired(command(), nowMs, sinceReceiptMs)?.result).toBe(result);
  });

  it('is measured from receipt when only ttlMs is given', () => {
    const read = command({ expiresAt: 'soon' });
    expect(refuseExpired(read, EXPIRES_MS, 4999)).toBeUndefined();
    expect(refuseExpired(read, EXPIRES_MS, 5000)?.result).toBe('expired');
  });

  it('cannot be judged by a device without a clock when ttlMs is missing', () => {
    expect(refuseExpired(command({ ttlMs: undefined }), undefined, 0)?.result).toBe('failed');
  });
});

it.each([
  ['locked', 'unlocked'],
  ['open', 'closed'],
  ['on', 'off'],
  [true, false],
  [21, 11],
  [0, 10],
  [null, null],
])('a lying device says %s for %s', (value, lie) => expect(falsified(value)).toBe(lie));
