import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DeviceMessage } from '../../devices/driver.ts';
import { FrameParser, MAX_BODY_BYTES, type SerialRead } from '../../devices/serial/frames.ts';
import { BROKEN_FRAMES_TOLERATED, createSerialDriver, serialDriver } from '../../devices/serial/index.ts';
import { MAX_TAGS_PRESENT, PRESENTATION_GAP_MS, Presentations } from '../../devices/serial/presentation.ts';
import { type RawPortListeners, RETRY_MAX_MS, RETRY_MIN_MS } from '../../devices/serial/reconnect.ts';
import { id12Frame, rdmFrame } from '../support/serialframes.ts';

// Importing a driver must load no native module, so that a check of a configuration runs anywhere.
const loads = vi.hoisted(() => ({ count: 0 }));
vi.mock('serialport', () => {
  loads.count += 1;
  return {
    SerialPort: class {
      open(done: (error: Error) => void) {
        done(new Error('no such port'));
      }
    },
  };
});

const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const parse = (bytes: Uint8Array) => new FrameParser().push(bytes);
const tagArbitrary = fc
  .uint8Array({ minLength: 5, maxLength: 5 })
  .map((bytes) => Buffer.from(bytes).toString('hex').toUpperCase());
/** What stands on a line: right frames of both models, frames with a wrong checksum, noise that looks like frames. */
const lineArbitrary = fc
  .array(
    fc.oneof(
      tagArbitrary.map((tag) => rdmFrame(tag)),
      tagArbitrary.map((tag) => id12Frame(tag)),
      fc
        .tuple(tagArbitrary, fc.integer({ min: 0, max: 255 }))
        .map(([tag, check]) => rdmFrame(tag, check.toString(16).padStart(2, '0'))),
      fc
        .array(fc.constantFrom(0x02, 0x03, 0x0d, 0x0a, 0x30, 0x41, 0x46, 0xff), { maxLength: 20 })
        .map((bytes) => Uint8Array.from(bytes)),
      fc.uint8Array({ maxLength: 20 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => join(...parts));

describe('frames', () => {
  it.each([
    ['the worked example of an RDM6300', [0x02, ...Buffer.from('010063E9AE25'), 0x03], '010063E9AE'],
    ['the data sheet of the ID-12LA', [0x02, ...Buffer.from('62E3086CED08\r\n'), 0x03], '62E3086CED'],
    ['a clone that writes lower case', [0x02, ...Buffer.from('62e3086ced08'), 0x03], '62E3086CED'],
  ])('reads %s', (_name, bytes, uid) => {
    expect(parse(Uint8Array.from(bytes))).toEqual([{ kind: 'tag', uid }]);
  });

  const whole = rdmFrame('010063E9AE');
  it.each<[string, Uint8Array, SerialRead[]]>([
    ['refuses a wrong checksum', rdmFrame('010063E9AE', '24'), [{ kind: 'checksum' }]],
    ['refuses a digit too few', join(whole.subarray(0, 12), Uint8Array.of(0x03)), [{ kind: 'broken' }]],
    ['refuses a digit too many', join(whole.subarray(0, 13), Buffer.from('0\x03')), [{ kind: 'broken' }]],
    ['refuses other characters', Buffer.from('\x02010063E9AG25\x03'), [{ kind: 'broken' }]],
    ['refuses a line end at the wrong place', Buffer.from('\x02\r\n010063E9AE25\x03'), [{ kind: 'broken' }]],
    [
      'passes noise between frames over',
      join(Buffer.from('noise\r\n'), whole, Buffer.from('25')),
      [{ kind: 'tag', uid: '010063E9AE' }],
    ],
    [
      'reads on when a frame begins inside another',
      join(whole.subarray(0, 6), whole),
      [{ kind: 'broken' }, { kind: 'tag', uid: '010063E9AE' }],
    ],
    [
      'reads on after a frame without end',
      join(Buffer.from(`\x02${'A'.repeat(500)}`), whole),
      [{ kind: 'broken' }, { kind: 'tag', uid: '010063E9AE' }],
    ],
    ['takes an empty frame for broken', Uint8Array.of(0x02, 0x03), [{ kind: 'broken' }]],
  ])('%s', (_name, bytes, expected) => {
    expect(parse(bytes)).toEqual(expected);
  });

  it('drops a frame at its length limit, not when it happens to end', () => {
    const parser = new FrameParser();
    expect(parser.push(Buffer.from(`\x02${'0'.repeat(MAX_BODY_BYTES)}`))).toEqual([]);
    expect(parser.push(Buffer.from('0'))).toEqual([{ kind: 'broken' }]);
    expect(parser.push(Buffer.from('0\x03'))).toEqual([]);
  });

  it('yields the same reads however the bytes are cut', () => {
    fc.assert(
      fc.property(lineArbitrary, fc.array(fc.nat({ max: 240 }), { maxLength: 20 }), (line, cuts) => {
        const parser = new FrameParser();
        const ends = [...cuts.filter((cut) => cut <= line.length), line.length].sort((a, b) => a - b);
        let from = 0;
        const cut = ends.flatMap((end) => {
          const reads = parser.push(line.subarray(from, end));
          from = end;
          return reads;
        });
        expect(cut).toEqual(parse(line));
      }),
    );
  });

  it('never yields a tag whose checksum does not stand behind it on the line', () => {
    fc.assert(
      fc.property(lineArbitrary, (line) => {
        const text = Buffer.from(line).toString('latin1').toUpperCase();
        for (const read of parse(line)) {
          if (read.kind !== 'tag') continue;
          const frame = Buffer.from(rdmFrame(read.uid)).toString('latin1').slice(1, -1);
          expect(text).toMatch(new RegExp(`\u0002${frame}(\r\n)?\u0003`));
        }
      }),
    );
  });

  it('finds every right frame behind any noise that does not begin a frame', () => {
    const noise = fc.uint8Array({ maxLength: 30 }).map((bytes) => bytes.filter((byte) => byte !== 0x02));
    fc.assert(
      fc.property(fc.array(fc.tuple(noise, tagArbitrary), { maxLength: 6 }), (parts) => {
        const line = join(...parts.flatMap(([before, tag]) => [before, rdmFrame(tag)]));
        expect(parse(line)).toEqual(parts.map(([, uid]) => ({ kind: 'tag', uid })));
      }),
    );
  });
});

describe('presentations', () => {
  it('takes the frames of a card that stays for one, however long it stays', () => {
    const presentations = new Presentations();
    const seen = Array.from({ length: 100 }, (_, i) => presentations.isNew('A', i * (PRESENTATION_GAP_MS - 1)));
    expect(seen.filter(Boolean)).toHaveLength(1);
  });

  it('takes a card that was away for the whole gap for a new presentation, and one millisecond less for the old', () => {
    const presentations = new Presentations();
    expect(presentations.isNew('A', 0)).toBe(true);
    expect(presentations.isNew('A', PRESENTATION_GAP_MS - 1)).toBe(false);
    expect(presentations.isNew('A', 2 * PRESENTATION_GAP_MS - 1)).toBe(true);
  });

  it('tells two cards on one antenna apart', () => {
    const presentations = new Presentations();
    expect(['A', 'B', 'A', 'B'].map((uid, i) => presentations.isNew(uid, i * 70))).toEqual([true, true, false, false]);
  });

  it('forgets the card that was unseen longest when there are too many', () => {
    const presentations = new Presentations();
    for (let tag = 0; tag <= MAX_TAGS_PRESENT; tag += 1) presentations.isNew(`T${tag}`, 0);
    expect(presentations.isNew('T1', 1)).toBe(false);
    expect(presentations.isNew('T0', 1)).toBe(true);
  });
});

describe('configuration', () => {
  it('fills in the speed and refuses unknown keys, models and relative paths', () => {
    expect(serialDriver.schema.parse({ port: '/dev/serial0', model: 'rdm6300' })).toEqual({
      port: '/dev/serial0',
      model: 'rdm6300',
      baudRate: 9600,
    });
    for (const wrong of [
      { port: '/dev/serial0', model: 'rdm6300', door: 'entrance' },
      { port: '/dev/serial0', model: 'rc522' },
      { port: 'COM3', model: 'rdm6300' },
      { model: 'rdm6300' },
    ]) {
      expect(serialDriver.schema.safeParse(wrong).success).toBe(false);
    }
  });
});

describe('a reader', () => {
  /** A driver whose port is in the test's hands. */
  async function openReader() {
    const messages: DeviceMessage[] = [];
    const warnings: string[] = [];
    let nowMs = 0;
    let feed: (bytes: Uint8Array) => void = () => undefined;
    const driver = createSerialDriver({
      monoMs: () => nowMs,
      open: async () => ({
        on: <E extends keyof RawPortListeners>(event: E, listener: RawPortListeners[E]) => {
          if (event === 'data') feed = listener as RawPortListeners['data'];
        },
        isOpen: true,
        close: (done: () => void) => done(),
      }),
    });
    // Any path that exists: the driver looks whether it is still there.
    const config = driver.schema.parse({ port: '/dev/null', model: 'rdm6300' });
    const host = { emit: (one: DeviceMessage) => messages.push(one), warn: (code: string) => warnings.push(code) };
    const port = await driver.open({ site: 's', id: 'r', config }, host);
    const events = () => messages.filter((one) => one.type === 'event');
    const wait = (ms: number) => {
      nowMs += ms;
    };
    return { port, feed: (bytes: Uint8Array) => feed(bytes), events, warnings, wait };
  }

  it('tells a card that is held against it once, and again when it was taken away in between', async () => {
    const { port, feed, events, wait } = await openReader();
    for (let i = 0; i < 50; i += 1) {
      feed(rdmFrame('010063E9AE'));
      wait(65);
    }
    expect(events()).toHaveLength(1);
    wait(PRESENTATION_GAP_MS);
    feed(rdmFrame('010063E9AE'));
    expect(events()).toHaveLength(2);
    await port.close();
  });

  it('complains of broken frames only when they come in a row', async () => {
    const { port, feed, warnings } = await openReader();
    const broken = Buffer.from('\x02zz\x03');
    for (let i = 0; i < 3 * BROKEN_FRAMES_TOLERATED; i += 1) {
      feed(broken);
      feed(rdmFrame('010063E9AE'));
    }
    expect(warnings).toEqual([]);
    for (let i = 0; i < BROKEN_FRAMES_TOLERATED; i += 1) feed(broken);
    expect(warnings).toEqual(['frame']);
    await port.close();
  });
});

describe('reconnecting', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tries again with growing waits up to the maximum, and stops when it is closed', async () => {
    const triedAtMs: number[] = [];
    const statuses: DeviceMessage[] = [];
    const driver = createSerialDriver({
      monoMs: () => 0,
      open: () => {
        triedAtMs.push(Date.now());
        return Promise.reject(new Error('no such port'));
      },
    });
    const config = driver.schema.parse({ port: '/dev/none', model: 'rdm6300' });
    const port = await driver.open(
      { site: 's', id: 'r', config },
      { emit: (one) => statuses.push(one), warn: () => undefined },
    );
    await vi.advanceTimersByTimeAsync(60_000);
    const waits = triedAtMs.slice(1).map((at, i) => at - (triedAtMs[i] ?? 0));
    expect(waits.slice(0, 3)).toEqual([RETRY_MIN_MS, 2 * RETRY_MIN_MS, 4 * RETRY_MIN_MS]);
    expect(Math.max(...waits)).toBe(RETRY_MAX_MS);
    expect(statuses).toEqual([{ type: 'status', online: false }]);
    const before = triedAtMs.length;
    await port.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(triedAtMs).toHaveLength(before);
  });

  it('loads serialport when a port is opened, not before', async () => {
    expect(loads.count).toBe(0);
    const config = serialDriver.schema.parse({ port: '/dev/none', model: 'rdm6300' });
    const host = { emit: () => undefined, warn: () => undefined };
    const port = await serialDriver.open({ site: 's', id: 'r', config }, host);
    expect(loads.count).toBe(1);
    await port.close();
  });
});
