import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplayMemory } from '../../../gateway/calendars/push/replay.ts';
import { type SignatureScheme, sign, type Verdict, verify } from '../../../gateway/calendars/push/signature.ts';
import { hmac, NOW_MS, NOW_S, push, SECRET, TOLERANCE_MS } from '../../support/calendars-push.ts';

const TIMED: SignatureScheme = {
  signatureHeader: 'x-signature',
  timestampHeader: 'x-timestamp',
  timestamp: 'required',
  signed: ['timestamp.body'],
};
const BODY: SignatureScheme = { signatureHeader: 'x-signature', timestamp: 'none', signed: ['body'] };
const BODY_TEXT = '{"hello":"wörld"}';

function check(
  headers: Record<string, string | undefined>,
  options: { scheme?: SignatureScheme; body?: string | Buffer; secret?: string; at?: number } = {},
): Verdict {
  const { scheme = TIMED, body = BODY_TEXT, secret = SECRET, at = NOW_MS } = options;
  return verify(push(body, headers, at), scheme, secret, TOLERANCE_MS);
}

function why(verdict: Verdict): string {
  return verdict.ok ? 'taken' : verdict.why;
}

/** The same digest by another implementation. */
function openssl(text: string, secret: string): string {
  const run = spawnSync('openssl', ['dgst', '-sha256', '-hmac', secret, '-r'], { input: text, encoding: 'utf8' });
  if (run.status !== 0) throw new Error('openssl is needed: apt-get install openssl');
  return run.stdout.slice(0, 64);
}

describe('a signature', () => {
  it('is HMAC-SHA256 as RFC 4231 has it (test case 2)', () => {
    const signature = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    const body = 'what do ya want for nothing?';
    expect(check({ 'x-signature': signature }, { scheme: BODY, body, secret: 'Jefe' })).toMatchObject({ ok: true });
  });

  it('is what openssl works out, over timestamp, full stop and the bytes of the body', () => {
    const signature = openssl(`${NOW_S}.${BODY_TEXT}`, SECRET);
    expect(check({ 'x-signature': `sha256=${signature}`, 'x-timestamp': NOW_S })).toMatchObject({
      ok: true,
      atMs: NOW_MS,
    });
    expect(sign(SECRET, NOW_S, BODY_TEXT)).toBe(`sha256=${signature}`);
  });

  it('is understood in every usual notation', () => {
    const hex = hmac(`${NOW_S}.${BODY_TEXT}`);
    const base64 = Buffer.from(hex, 'hex').toString('base64');
    const url = Buffer.from(hex, 'hex').toString('base64url');
    for (const text of [
      hex,
      hex.toUpperCase(),
      base64,
      url,
      `sha256=${hex}`,
      `sha256=${base64}`,
      `v1=${hex}`,
      `SHA256=${hex}`,
    ]) {
      expect(check({ 'x-signature': text, 'x-timestamp': NOW_S }), text).toMatchObject({ ok: true });
    }
    for (const text of [`t=${NOW_S},v1=${hex}`, `t=${NOW_S}, v0=abc, v1=${'0'.repeat(64)}, v1=${hex}`]) {
      expect(check({ 'x-signature': text }), text).toMatchObject({ ok: true, atMs: NOW_MS });
      expect(check({ 'x-signature': text, 'x-timestamp': NOW_S }), text).toMatchObject({ ok: true });
    }
  });

  it('may be signed over a time in seconds, milliseconds or RFC 3339', () => {
    for (const at of [NOW_S, String(NOW_MS), '2026-11-22T12:00:00Z', '2026-11-22T13:00:00.000+01:00']) {
      expect(check({ 'x-signature': hmac(`${at}.${BODY_TEXT}`), 'x-timestamp': at }), at).toMatchObject({
        ok: true,
        atMs: NOW_MS,
      });
    }
  });

  it('is refused when forged, cut, missing or of another secret', () => {
    const hex = hmac(`${NOW_S}.${BODY_TEXT}`);
    const flipped = hex.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    expect(why(check({ 'x-timestamp': NOW_S }))).toContain('no x-signature header');
    expect(why(check({ 'x-timestamp': NOW_S, 'x-signature': '' }))).toContain('no x-signature header');
    for (const text of [flipped, hmac(`${NOW_S}.${BODY_TEXT}`, 'another'), hmac(BODY_TEXT)]) {
      expect(why(check({ 'x-timestamp': NOW_S, 'x-signature': text }))).toContain('does not fit');
    }
    for (const text of [hex.slice(0, 40), hex.slice(0, 63), `${hex}0`, 'sha256=', 'sha1=abc', ',,,', `md5=${hex}`]) {
      expect(why(check({ 'x-timestamp': NOW_S, 'x-signature': text })), text).toContain('holds no SHA-256 HMAC');
    }
    expect(why(check({ 'x-timestamp': NOW_S, 'x-signature': 'a'.repeat(5_000) }))).toContain('too long');
    expect(why(check({ 'x-timestamp': NOW_S, 'x-signature': hex }, { secret: '' }))).toContain('no secret');
  });

  it('is over the very bytes: a body that means the same but is written otherwise is refused', () => {
    const headers = { 'x-timestamp': NOW_S, 'x-signature': hmac(`${NOW_S}.${BODY_TEXT}`) };
    for (const body of [
      '{"hello": "wörld"}',
      '{"hello":"w\\u00f6rld"}',
      `${BODY_TEXT}\n`,
      Buffer.from(BODY_TEXT, 'latin1'),
    ]) {
      expect(why(check(headers, { body }))).toContain('does not fit');
    }
  });

  it('counts within the tolerance, both ways, to the millisecond', () => {
    const headers = { 'x-timestamp': NOW_S, 'x-signature': hmac(`${NOW_S}.${BODY_TEXT}`) };
    expect(check(headers, { at: NOW_MS + TOLERANCE_MS })).toMatchObject({ ok: true });
    expect(check(headers, { at: NOW_MS - TOLERANCE_MS })).toMatchObject({ ok: true });
    expect(why(check(headers, { at: NOW_MS + TOLERANCE_MS + 1 }))).toContain('too old');
    expect(why(check(headers, { at: NOW_MS - TOLERANCE_MS - 1 }))).toContain('in the future');
  });

  it('needs exactly one time that can be read', () => {
    const hex = hmac(`${NOW_S}.${BODY_TEXT}`);
    expect(why(check({ 'x-signature': hex }))).toContain('no x-timestamp header');
    expect(why(check({ 'x-signature': `t=${NOW_S},v1=${hex}`, 'x-timestamp': '1' }))).toContain('two timestamps');
    expect(why(check({ 'x-signature': `t=${NOW_S},t=1,v1=${hex}` }))).toContain('two timestamps');
    for (const at of ['', 'now', '-5', '1e9', '2026-11-22T12:00:00', '0x5', `${NOW_S}, ${NOW_S}`]) {
      expect(why(check({ 'x-signature': hex, 'x-timestamp': at })), at).toContain('no Unix time');
    }
  });

  it('takes no time from beside a body that was signed alone', () => {
    const headers = { 'x-signature': `t=${NOW_S},v1=${hmac(BODY_TEXT)}` };
    expect(check(headers, { scheme: BODY })).toEqual({ ok: true, atMs: undefined, print: expect.any(String) });
  });

  it('may be over the body first, or over the body as a list of one', () => {
    const both: SignatureScheme = {
      ...TIMED,
      timestampHeader: undefined,
      signed: ['body.timestamp', 'timestamp.body'],
    };
    for (const text of [`${BODY_TEXT}.${NOW_S}`, `${NOW_S}.${BODY_TEXT}`]) {
      expect(check({ 'x-signature': `t=${NOW_S},v1=${hmac(text)}` }, { scheme: both })).toMatchObject({ ok: true });
    }
    const wrapped: SignatureScheme = { ...BODY, signed: ['body', '[body]'] };
    expect(check({ 'x-signature': hmac(`[${BODY_TEXT}]`) }, { scheme: wrapped })).toMatchObject({ ok: true });
    expect(check({ 'x-signature': hmac(`[${BODY_TEXT}]`) }, { scheme: BODY })).toMatchObject({ ok: false });
  });

  it('has one print whatever its notation, and no print or reason holds signature or secret', () => {
    const hex = hmac(`${NOW_S}.${BODY_TEXT}`);
    const prints = [hex, `v1=${hex}`, Buffer.from(hex, 'hex').toString('base64')].map((text) => {
      const verdict = check({ 'x-signature': text, 'x-timestamp': NOW_S });
      return verdict.ok ? verdict.print : '';
    });
    expect(new Set(prints).size).toBe(1);
    const refused = why(check({ 'x-signature': 'f'.repeat(64), 'x-timestamp': NOW_S }));
    for (const text of [...prints, refused]) {
      expect(text).not.toContain(hex.slice(0, 12));
      expect(text).not.toContain(SECRET);
    }
  });

  it('is judged without an error whatever the headers are', () => {
    const scheme = fc.constantFrom(TIMED, BODY);
    fc.assert(
      fc.property(scheme, fc.string({ unit: 'binary' }), fc.string(), fc.uint8Array(), (over, signature, at, body) => {
        const headers = { 'x-signature': signature, 'x-timestamp': at };
        expect(verify(push(Buffer.from(body), headers), over, SECRET, TOLERANCE_MS).ok).toBe(false);
      }),
    );
  });

  it('fits no other body', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (body, other) => {
        const bytes = Buffer.concat([Buffer.from(`${NOW_S}.`), body]);
        const headers = { 'x-timestamp': NOW_S, 'x-signature': hmac(bytes) };
        expect(check(headers, { body: Buffer.from(other) }).ok).toBe(Buffer.from(body).equals(Buffer.from(other)));
      }),
    );
  });
});

describe('the memory of messages', () => {
  it('knows a message until it would be too old anyway', () => {
    const memory = new ReplayMemory();
    memory.add('a', 0, 100);
    expect([memory.has('a', 0), memory.has('a', 99), memory.has('a', 100), memory.has('b', 0)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('holds no more than its limit: what is over goes first, then the oldest', () => {
    const memory = new ReplayMemory();
    for (let index = 0; index < 10_000; index += 1) memory.add(`old-${index}`, 0, 10);
    memory.add('young', 20, 100);
    expect(memory.size).toBe(1);
    for (let index = 0; index < 10_500; index += 1) memory.add(`new-${index}`, 20, 100);
    expect(memory.size).toBe(10_000);
    expect([memory.has('young', 20), memory.has('new-10499', 20)]).toEqual([false, true]);
  });
});
