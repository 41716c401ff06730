import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FIRST_REPORT_WAIT_MS,
  MAX_RESENDS,
  type OutputValue,
  RESEND_AFTER_MS,
  type Reconciliation,
  type RelayState,
  reconcileRelay,
} from '../../gateway/core/climate/relay.ts';

const SECOND = 1000;
const at = (ms: number) => ({ wallMs: 1_700_000_000_000 + ms, monoMs: ms });

/** Asks each second; gives what was sent when, and when the alarm stood. */
function run(
  untilMs: number,
  want: (ms: number) => OutputValue,
  reported: (ms: number, sent: readonly OutputValue[]) => OutputValue | undefined,
  online: (ms: number) => boolean = () => true,
) {
  let state: RelayState | undefined;
  const sent: [number, OutputValue][] = [];
  const alarms: number[] = [];
  for (let ms = 0; ms <= untilMs; ms += SECOND) {
    const values = sent.map(([, value]) => value);
    const result = reconcileRelay(state, want(ms), reported(ms, values), online(ms), at(ms));
    state = result.state;
    if (result.send !== undefined) sent.push([ms, result.send]);
    if (result.condition !== undefined) alarms.push(ms);
  }
  return { sent, alarms };
}

describe('reconciling an output', () => {
  it('sends once on a change, and nothing while the relay obeys', () => {
    const { sent, alarms } = run(
      60 * SECOND,
      (ms) => (ms < 10 * SECOND ? 'off' : 'on'),
      (_ms, values) => values.at(-1) ?? 'off',
    );
    expect(sent).toEqual([[10 * SECOND, 'on']]);
    expect(alarms).toEqual([]);
  });

  it('waits for the first report of a device that has just connected, then sends without one', () => {
    const { sent } = run(
      2 * SECOND,
      () => 'on',
      () => undefined,
    );
    expect(sent).toEqual([[FIRST_REPORT_WAIT_MS, 'on']]);
  });

  it('sends again five times, ever more slowly, then raises the alarm and stays still', () => {
    const { sent, alarms } = run(
      600 * SECOND,
      () => 'on',
      () => 'off',
    );
    expect(sent).toHaveLength(1 + MAX_RESENDS);
    const gaps = sent.slice(1).map(([ms], index) => ms - (sent[index]?.[0] ?? 0));
    expect(gaps).toEqual(RESEND_AFTER_MS);
    expect(alarms[0]).toBe((sent.at(-1)?.[0] ?? 0) + (RESEND_AFTER_MS.at(-1) ?? 0));
    expect(alarms.at(-1)).toBe(600 * SECOND);
  });

  it('resolves the alarm when the relay obeys at last', () => {
    const { alarms } = run(
      600 * SECOND,
      () => 'on',
      (ms) => (ms < 300 * SECOND ? 'off' : 'on'),
    );
    expect(alarms.at(-1)).toBe(299 * SECOND);
  });

  it('brings back a relay that moved by itself, with five resends', () => {
    const { sent, alarms } = run(
      900 * SECOND,
      () => 'off',
      (ms) => (ms < 100 * SECOND ? 'off' : 'on'),
    );
    expect(sent).toHaveLength(MAX_RESENDS);
    expect(sent[0]).toEqual([100 * SECOND, 'off']);
    expect(alarms).not.toEqual([]);
  });

  it('reaches the alarm with a relay that obeys for a moment and flips back', () => {
    const { sent, alarms } = run(
      300 * SECOND,
      () => 'on',
      (ms) => (ms % (4 * SECOND) === 0 ? 'on' : 'off'),
    );
    expect(sent.length).toBeLessThanOrEqual(1 + MAX_RESENDS);
    expect(alarms).not.toEqual([]);
  });

  it('sends nothing to a device that is offline and compares anew when it is back', () => {
    const { sent } = run(
      100 * SECOND,
      () => 'on',
      (ms) => (ms < 51 * SECOND ? undefined : 'off'),
      (ms) => ms >= 50 * SECOND,
    );
    expect(sent[0]).toEqual([51 * SECOND, 'on']);
    const suits = run(
      100 * SECOND,
      () => 'on',
      (ms) => (ms < 51 * SECOND ? undefined : 'on'),
      (ms) => ms >= 50 * SECOND,
    );
    expect(suits.sent).toEqual([]);
  });

  it('takes back an order that is still on its way, although the report already suits', () => {
    const { sent } = run(
      5 * SECOND,
      (ms) => (ms === SECOND ? 'on' : 'off'),
      () => 'off',
    );
    expect(sent).toEqual([
      [SECOND, 'on'],
      [2 * SECOND, 'off'],
    ]);
  });

  it('lets a dimmer round, but never takes dark for dim', () => {
    expect(
      run(
        60 * SECOND,
        () => 33,
        () => 32,
      ).sent,
    ).toEqual([]);
    expect(
      run(
        SECOND,
        () => 33,
        () => 40,
      ).sent,
    ).toEqual([[0, 33]]);
    expect(
      run(
        SECOND,
        () => 1,
        () => 0,
      ).sent,
    ).toEqual([[0, 1]]);
    expect(
      run(
        SECOND,
        () => 0,
        () => 1,
      ).sent,
    ).toEqual([[0, 0]]);
  });

  it('ends at what is wanted with any relay that obeys some of its orders, and never sends anything else', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('on' as const, 'off' as const), { minLength: 1, maxLength: 8 }),
        fc.array(fc.boolean(), { maxLength: 4 }),
        (wants, lost) => {
          let relay: OutputValue = 'off';
          let state: RelayState | undefined;
          let order = 0;
          for (let ms = 0; ms <= (wants.length + 6) * 10 * SECOND; ms += SECOND) {
            const want = wants[Math.min(Math.floor(ms / (10 * SECOND)), wants.length - 1)] ?? 'off';
            const before = JSON.stringify(state ?? null);
            const result: Reconciliation = reconcileRelay(state, want, relay, true, at(ms));
            expect(JSON.stringify(state ?? null)).toBe(before);
            state = result.state;
            if (result.send === undefined) continue;
            expect(result.send).toBe(want);
            if (lost[order] !== true) relay = result.send;
            order += 1;
          }
          expect(relay).toBe(wants.at(-1));
        },
      ),
    );
  });
});
