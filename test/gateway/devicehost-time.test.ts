import { describe, expect, test } from 'vitest';
import { DeviceTime } from '../../gateway/devicehost/devicetime.ts';

/** The device's clock shows any time at all; the gateway knows only how much has passed. */
const THEN = Date.UTC(2019, 0, 1);
const MINUTE = 60_000;

/** One event as the host brings it: judged, then heard. */
function event(time: DeviceTime, atMs: number, monoMs: number): boolean {
  const fresh = time.isFresh(atMs, monoMs);
  time.heard(atMs, monoMs);
  return fresh;
}

describe('a device’s own time', () => {
  test('told at the connect is what its events are measured by', () => {
    const time = new DeviceTime();
    time.connected(THEN, 0);
    expect(event(time, THEN + MINUTE, MINUTE)).toBe(true);
    expect(event(time, THEN + MINUTE - 10_000, MINUTE)).toBe(true);
    expect(event(time, THEN + MINUTE - 10_001, MINUTE)).toBe(false);
    expect(event(time, THEN - 10 * MINUTE, MINUTE)).toBe(false);
  });

  test('set forward meanwhile makes no event old, and shows that those before it are', () => {
    const time = new DeviceTime();
    time.connected(THEN, 0);
    expect(event(time, THEN + 60 * MINUTE, 1_000)).toBe(true);
    expect(event(time, THEN + 1_000, 1_000)).toBe(false);
  });

  test('never told: a burst of what was kept is old, however near together', () => {
    const time = new DeviceTime();
    for (let n = 0; n < 20; n += 1) expect(event(time, THEN + n * 1_000, n * 5)).toBe(false);
    time.connected(THEN + 10 * MINUTE, 200);
    expect(event(time, THEN + 20_000, 205)).toBe(false);
    expect(event(time, THEN + 10 * MINUTE, 210)).toBe(true);
  });

  test('never told: an event counts that agrees with one ten seconds before', () => {
    const time = new DeviceTime();
    expect(event(time, THEN, 0)).toBe(false);
    expect(event(time, THEN + 9_999, 9_999)).toBe(false);
    expect(event(time, THEN + 10_000, 10_000)).toBe(true);
    // A little jitter is no other time.
    expect(event(time, THEN + 10_025, 10_020)).toBe(true);
    expect(event(time, THEN + 40_000, 11_000)).toBe(false);
    expect(event(time, THEN + 41_000, 12_000)).toBe(false);
    expect(event(time, THEN + 50_000, 21_000)).toBe(true);
  });

  test('ends with the connection, and with one that tells none', () => {
    const time = new DeviceTime();
    time.connected(THEN, 0);
    time.away();
    expect(time.isFresh(THEN, 0)).toBe(false);
    time.connected(THEN, 0);
    time.connected(undefined, 0);
    expect(time.isFresh(THEN, 0)).toBe(false);
  });
});
