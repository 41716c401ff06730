import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkIcs } from '../../../gateway/calendars/check.ts';
import { PART_BYTES, readFeed } from '../../../gateway/calendars/net/feed.ts';
import { fingerprint } from '../../../gateway/calendars/net/fingerprint.ts';
import { Slots } from '../../../gateway/calendars/net/slots.ts';

const calendar = (inner: string): string => `BEGIN:VCALENDAR\r\n${inner}END:VCALENDAR\r\n`;
const event = (uid: number, stamp: string, note = ''): string =>
  `BEGIN:VEVENT\r\nUID:${uid}\r\nDTSTAMP:${stamp}\r\nDTSTART:20300101T090000Z\r\nSUMMARY:Übung${note}\r\nEND:VEVENT\r\n`;
const feed = (stamps: readonly string[], note = ''): Buffer =>
  Buffer.from(calendar(stamps.map((stamp, uid) => event(uid, stamp, note)).join('')));

describe('the fingerprint of a feed', () => {
  const A = '20260101T000000Z';
  const B = '20260202T020202Z';
  const print = fingerprint;

  it('is the same for two downloads that differ in the time of the download only', async () => {
    expect(await print(feed([A, A, A]))).toBe(await print(feed([B, B, B])));
    expect(await print(feed([A]))).toBe(await print(feed([B])));
  });

  it('differs when events have DTSTAMPs of their own, or anything else changes', async () => {
    const prints = await Promise.all(
      [feed([A, A]), feed([A, B]), feed([B, A]), feed([A, A], '!'), feed([A, A, A]), Buffer.from(calendar(''))].map(
        print,
      ),
    );
    expect(new Set(prints).size).toBe(prints.length);
  });

  it('differs when a DTSTAMP moves, is folded or has more in it', async () => {
    const lines = (...all: string[]): Buffer => Buffer.from(all.join('\r\n'));
    const prints = await Promise.all(
      [
        lines('X', `DTSTAMP:${A}`, 'Y'),
        lines('X', 'Y', `DTSTAMP:${A}`),
        lines('X', `DTSTAMP:${A}`, ' 1', 'Y'),
        lines('X', `DTSTAMP:${A}`, 'Y', `DTSTAMP:${A}`),
        lines('X', 'Y'),
        lines('X', 'Y', ''),
      ].map(print),
    );
    expect(new Set(prints).size).toBe(prints.length);
  });

  it('does not depend on where the parts of a large feed are cut', async () => {
    const many = (stamp: string): Buffer => feed(new Array<string>(9_000).fill(stamp));
    expect(many(A).length).toBeGreaterThan(800_000);
    expect(await print(many(A))).toBe(await print(many(B)));
    const last = Buffer.concat([many(A), Buffer.from(`BEGIN:VEVENT\r\nDTSTAMP:${B}\r\n`)]);
    expect(await print(last)).toMatch(/^bytes:/);
    const long = Buffer.alloc(1_000_000, 'a');
    expect(await print(long)).not.toBe(await print(long.subarray(1)));
  });

  it('gives others their turn', async () => {
    let turns = 0;
    let done = false;
    const work = print(Buffer.alloc(8_000_000, 'a')).finally(() => {
      done = true;
    });
    while (!done) {
      turns += 1;
      await nextTurn();
    }
    await work;
    expect(turns).toBeGreaterThan(20);
  });
});

describe('a large feed', () => {
  const CHARS = ['a', 'ü', '漢', '🏥', ' ', '\t', 'x:y', '\r\n', '\r\n '];
  /** Longer than a part, from one short pattern, so that every kind of byte comes to lie on a cut. */
  const large = (pattern: string): string =>
    calendar(`X-NOTE:${pattern.repeat(Math.ceil((PART_BYTES * 2.2) / Buffer.byteLength(pattern)))}\r\n`);

  it('is read as a small one is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...CHARS), { minLength: 1, maxLength: 9 }), async (pattern) => {
        const text = large(pattern.join(''));
        const read = await readFeed(Buffer.from(text), 'text/calendar');
        // Not by toEqual: nobody can read such a difference.
        expect(read.ok && read.text === text).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('has folds in the midst of characters mended, wherever it is cut', async () => {
    for (const shift of [0, 1, 2, 3, 4]) {
      const folded = Buffer.concat([
        Buffer.from(`BEGIN:VCALENDAR\r\nX-NOTE:${'a'.repeat(shift)}`),
        ...new Array<Buffer>(Math.ceil((PART_BYTES * 2.2) / 6)).fill(Buffer.from([0x61, 0xc3, 0x0d, 0x0a, 0x20, 0xbc])),
        Buffer.from('\r\nEND:VCALENDAR\r\n'),
      ]);
      const [read, whole] = [await readFeed(folded, undefined), checkIcs(folded)];
      expect(read.ok && whole.ok && read.text === whole.text).toBe(true);
    }
  });

  it('is refused for what a small one is refused for', async () => {
    const whole = Buffer.from(large('abc\r\n'));
    const codes = async (body: Buffer, type?: string): Promise<unknown> => {
      const read = await readFeed(body, type);
      return read.ok ? 'ok' : read.code;
    };
    expect(await codes(whole.subarray(0, -30))).toBe('truncated');
    expect(await codes(Buffer.from(`<!doctype html>${whole.toString()}`))).toBe('wrong_type');
    const zeros = Buffer.from(whole);
    zeros[PART_BYTES + 5_000] = 0;
    expect(await codes(zeros)).toBe('malformed');
  });

  it('with a line that is not in UTF-8 has that line read as a small one has', async () => {
    const bytes = Buffer.from(large('abc\r\n'));
    bytes[PART_BYTES + 5_000] = 0xfc;
    for (const type of [undefined, 'text/calendar; charset=iso-8859-1']) {
      const [read, whole] = [await readFeed(bytes, type), checkIcs(bytes, type)];
      expect(read).toMatchObject({ ok: true, text: whole.ok ? whole.text : '' });
    }
  });

  it('may begin with a byte order mark', async () => {
    const text = large('abc\r\n');
    const read = await readFeed(Buffer.from(`\ufeff${text}`), undefined);
    expect(read.ok && read.text === text).toBe(true);
  });
});

describe('slots', () => {
  it('are given in order, and a wait that is ended takes none', async () => {
    const slots = new Slots(1);
    const got: string[] = [];
    const stop = new AbortController();
    expect(await slots.take(undefined)).toBe(true);
    const waits = ['a', 'b', 'c'].map(async (name) => {
      if (await slots.take(name === 'b' ? stop.signal : undefined)) got.push(name);
    });
    stop.abort();
    slots.give();
    await waits[0];
    slots.give();
    await Promise.all(waits);
    expect(got).toEqual(['a', 'c']);
    expect(slots.idle).toBe(false);
    slots.give();
    expect(slots.idle).toBe(true);
  });
});
