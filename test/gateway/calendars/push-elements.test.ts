import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_ELEMENT_BYTES,
  MAX_ENVELOPE_BYTES,
  SLICE_MS,
  takeElements,
} from '../../../gateway/calendars/push/elements.ts';

async function take(text: string | Buffer, maxElements = 1_000_000) {
  const elements: unknown[] = [];
  const taken = await takeElements(Buffer.from(text), { keys: ['entry', 'data'], maxElements }, (element) => {
    elements.push(element);
  });
  return { taken, elements };
}

describe('a large JSON answer', () => {
  it('gives its list and what stands around it', async () => {
    const text = ' {"a":{"entry":[9]},"entry" : [1, "x,]}\\"" , {"b":[2,{}]} ,null] ,"total":4} ';
    expect(await take(text)).toEqual({
      taken: { ok: true, found: true, envelope: { a: { entry: [9] }, entry: [], total: 4 } },
      elements: [1, 'x,]}"', { b: [2, {}] }, null],
    });
    expect(await take('[{"a":1},2]')).toEqual({
      taken: { ok: true, found: true, envelope: undefined },
      elements: [{ a: 1 }, 2],
    });
    expect((await take('\ufeff{"data":[ ]}')).elements).toEqual([]);
    expect((await take('{"other":[1]}')).taken).toEqual({ ok: true, found: false, envelope: { other: [1] } });
    expect((await take('{"entry":{"entry":[1]}}')).taken).toMatchObject({ found: false });
  });

  it('is the same as JSON.parse makes of it, for any JSON', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 2, '\t'),
        async (list, around, space) => {
          const { entry: _entry, data: _data, ...rest } = around;
          const whole = { before: rest, entry: list, after: [rest] };
          const { taken, elements } = await take(JSON.stringify(whole, null, space));
          const parsed = JSON.parse(JSON.stringify(whole)) as typeof whole;
          expect(elements).toEqual(parsed.entry);
          expect(taken).toEqual({ ok: true, found: true, envelope: { ...parsed, entry: [] } });
        },
      ),
    );
  });

  it('is taken only where JSON.parse takes it, for any damage to it', async () => {
    const good = '{"entry":[{"a":"\\\\\\""},[1,[2]],"x"],"link":[{"r":"next"}]}';
    const damage = fc.record({
      at: fc.nat(good.length),
      cut: fc.nat(3),
      put: fc.constantFrom('', '"', ',', '[', ']', '{', '}', ':', '\\', 'x'),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, cut, put }) => {
        const text = good.slice(0, at) + put + good.slice(at + cut);
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        const { taken } = await take(text);
        if (!valid) expect(taken.ok, text).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws, whatever the bytes', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array(), async (bytes) => void (await take(Buffer.from(bytes)))));
  });

  it('is refused when it means two things, is cut, or is nested without end', async () => {
    for (const text of [
      '{"entry":[1],"entry":[2]}',
      '{"entry":[1,2',
      '[1][2]',
      '',
      '{"entry":[1}]',
      `${'['.repeat(200)}${']'.repeat(200)}`,
    ]) {
      expect((await take(text)).taken, text).toMatchObject({ ok: false, code: 'malformed' });
    }
  });

  it('is refused when one entry, the list or what is around it is too large', async () => {
    const long = 'x'.repeat(MAX_ELEMENT_BYTES);
    expect((await take(`{"entry":["${long}"]}`)).taken).toMatchObject({ ok: false, code: 'too_large' });
    expect((await take(`{"a":"${'x'.repeat(MAX_ENVELOPE_BYTES)}"}`)).taken).toMatchObject({
      ok: false,
      code: 'too_large',
    });
    expect((await take('{"entry":[1,2,3]}', 2)).taken).toMatchObject({ ok: false, code: 'too_large' });
  });

  it('lets others have their turn while megabytes are read', async () => {
    const entry = JSON.stringify({
      resource: { text: 'y'.repeat(2_000), list: Array.from({ length: 200 }, (_, n) => n) },
    });
    const body = `{"entry":[${Array.from({ length: 6_000 }, () => entry).join(',')}]}`;
    let turns = 0;
    let done = false;
    const count = (): void => {
      turns += 1;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    const fromMs = performance.now();
    const { elements } = await take(body);
    const tookMs = performance.now() - fromMs;
    done = true;
    expect(elements).toHaveLength(6_000);
    // One slice may take some times longer on a busy machine, the mean does not.
    expect(turns).toBeGreaterThan(tookMs / (SLICE_MS * 8));
  });

  it('is left when it is called off', async () => {
    const stop = new AbortController();
    const body = Buffer.from(`[${Array.from({ length: 200_000 }, () => '{"a":[1,2,3]}').join(',')}]`);
    const options = { keys: [], maxElements: 1_000_000, signal: stop.signal };
    const taken = await takeElements(body, options, (_element, index) => {
      if (index === 10) stop.abort();
    });
    expect(taken).toMatchObject({ ok: false, code: 'too_costly' });
  });
});
