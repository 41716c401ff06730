import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TimeTrust, type Trust } from '../../gateway/loop/timetrust.ts';
import { openStore } from '../../gateway/store/store.ts';
import type { Store } from '../../gateway/store/types.ts';
import { ManualClock } from '../support/clock.ts';
import { HOUR, MONDAY } from '../support/records.ts';

const NINE = MONDAY + 9 * HOUR;

describe('trust in the wall clock', () => {
  function trustOf(
    mode: 'kernel' | 'rtc' | 'operator' | 'always',
    options: { synchronised?: boolean | Promise<boolean>; rtcMs?: number; lastJournalMs?: number } = {},
  ) {
    const clock = new ManualClock(NINE);
    const told: Trust[] = [];
    const trust = new TimeTrust({
      mode,
      clock,
      log: { error: vi.fn() },
      evidence: {
        kernelSynchronised: () => Promise.resolve(options.synchronised),
        hardwareClockMs: () => Promise.resolve(options.rtcMs),
      },
      store: {
        journal: { last: () => undefined, latestAfter: () => options.lastJournalMs },
        meta: { get: () => undefined, set: () => {} },
      },
      changed: (now) => told.push(now),
    });
    return { clock, trust, told, last: () => told.at(-1)?.trusted };
  }

  it.each([
    ['always', {}, true],
    ['kernel', { synchronised: true }, true],
    ['kernel', { synchronised: false }, false],
    ['kernel', {}, false],
    ['rtc', { rtcMs: NINE + 1_000 }, true],
    ['rtc', { rtcMs: NINE + HOUR }, false],
    ['rtc', {}, false],
    ['operator', {}, false],
    ['kernel', { synchronised: true, lastJournalMs: NINE + HOUR }, false],
  ] as const)('%s with %o: %s', async (mode, options, expected) => {
    const { trust, last } = trustOf(mode, options);
    await trust.look();
    expect(last()).toBe(expected);
  });

  it('takes the operator’s word until the clock jumps', async () => {
    const { trust, clock, last } = trustOf('operator');
    await trust.confirm();
    expect(last()).toBe(true);
    clock.advance(60_000);
    await trust.look();
    expect(last()).toBe(true);
    clock.jump(-HOUR);
    await trust.look();
    expect(last()).toBe(false);
  });

  it('takes the operator’s word on a clock that was set a moment before', async () => {
    const { trust, clock, told, last } = trustOf('operator');
    await trust.start();
    clock.advance(2_000);
    clock.jump(-HOUR);
    clock.advance(1_000);
    await trust.confirm();
    expect(last()).toBe(true);
    clock.advance(60_000);
    await trust.look();
    expect(told.map(({ trusted }) => trusted)).toEqual([false, true]);
    trust.stop();
  });

  it('lets no answer about an earlier moment undo the operator’s word', async () => {
    let answer: (synchronised: boolean) => void = () => {};
    const { trust, last } = trustOf('kernel', {
      synchronised: new Promise((resolve) => {
        answer = resolve;
      }),
    });
    const slow = trust.look();
    await trust.confirm();
    answer(false);
    await slow;
    expect(last()).toBe(true);
  });

  describe('after a start with a clock that ran ten years ahead', () => {
    const YEAR = 365 * 24 * HOUR;
    let dir: string;
    let store: Store;
    beforeEach(() => {
      dir = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-trust-'));
      store = openStore(dir);
      record(NINE - HOUR);
      record(NINE + 10 * YEAR);
    });
    afterEach(() => {
      store.close();
      fs.rmSync(dir, { recursive: true });
    });
    const record = (atMs: number) =>
      store.journal.append([{ id: `${atMs}`, occurredAtMs: atMs, kind: 'system' }], atMs);

    /** A gateway's start at a time that NTP vouches for. */
    function startAt(wallMs: number) {
      store.close();
      store = openStore(dir);
      const clock = new ManualClock(wallMs);
      const evidence = { kernelSynchronised: async () => true, hardwareClockMs: async () => undefined };
      const log = { error: vi.fn() };
      let told: Trust | undefined;
      const changed = (now: Trust) => {
        told = now;
      };
      const trust = new TimeTrust({ mode: 'kernel', clock, evidence, store, log, changed });
      const trusted = async () => {
        await trust.look();
        return told?.trusted;
      };
      return { clock, trust, trusted, log };
    }

    it('the right time is confirmed once, not at each start', async () => {
      const first = startAt(NINE);
      expect(await first.trusted()).toBe(false);
      await first.trust.confirm();
      expect(await first.trusted()).toBe(true);
      record(NINE + HOUR);
      expect(store.journal.last()?.recordedAtMs).toBe(NINE + 10 * YEAR);
      expect(await startAt(NINE + 2 * HOUR).trusted()).toBe(true);
      record(NINE + 3 * HOUR);
      expect(await startAt(NINE + 4 * HOUR).trusted()).toBe(true);
    });

    it('a clock that is set back after that is noticed: behind the word, and behind what came after it', async () => {
      await startAt(NINE).trust.confirm();
      expect(await startAt(NINE - HOUR).trusted()).toBe(false);
      record(NINE + YEAR);
      record(NINE + HOUR);
      expect(await startAt(NINE + YEAR - HOUR).trusted()).toBe(false);
      expect(await startAt(NINE + YEAR).trusted()).toBe(true);
    });

    it('so is one that is set back without a restart', async () => {
      const { trust, clock, trusted } = startAt(NINE);
      await trust.confirm();
      clock.jump(-HOUR);
      expect(await trusted()).toBe(false);
      clock.jump(HOUR);
      expect(await trusted()).toBe(true);
    });

    it('a clock that ran ahead for a while, and was set right, leaves nothing behind for the next start', async () => {
      await startAt(NINE).trust.confirm();
      const { trust, clock } = startAt(NINE + HOUR);
      clock.jump(5 * YEAR);
      record(clock.now().wallMs);
      clock.jump(-5 * YEAR);
      await trust.confirm();
      expect(await startAt(NINE + 2 * HOUR).trusted()).toBe(true);
    });

    it('the word holds for this run when the disk does not take it', async () => {
      const { trust, trusted, log } = startAt(NINE);
      vi.spyOn(store.meta, 'set').mockImplementation(() => {
        throw new Error('disk full');
      });
      await trust.confirm();
      expect(await trusted()).toBe(true);
      expect(log.error).toHaveBeenCalledOnce();
      expect(await startAt(NINE).trusted()).toBe(false);
    });
  });
});
