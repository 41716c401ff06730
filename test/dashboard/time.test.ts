import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clock, dayOf, dayWindow, HOUR_MS, instantOf, span } from '../../dashboard/live/time.ts';

const zoneTable = [
  // The right answers of RFC 5545 at clock changes.
  ['Europe/Berlin', '2026-03-29', '02:30', '2026-03-29T01:30:00Z'],
  ['America/New_York', '2026-03-08', '02:30', '2026-03-08T07:30:00Z'],
  ['Europe/Berlin', '2026-10-25', '02:30', '2026-10-25T00:30:00Z'],
  ['America/New_York', '2026-11-01', '01:30', '2026-11-01T05:30:00Z'],
  ['Europe/Berlin', '2026-11-23', '09:00', '2026-11-23T08:00:00Z'],
  ['Asia/Kathmandu', '2026-11-23', '09:00', '2026-11-23T03:15:00Z'],
] as const;

describe('wall time of the site', () => {
  test.each(zoneTable)('%s %s %s is %s', (zone, day, time, instant) => {
    expect(new Date(instantOf(day, time, zone)).toISOString()).toBe(new Date(instant).toISOString());
  });
  test('goes there and back for every instant that occurs once', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'UTC');
    const minutes = fc.integer({ min: Date.UTC(2026, 0, 1) / 60_000, max: Date.UTC(2028, 0, 1) / 60_000 });
    fc.assert(
      fc.property(zones, minutes, (zone, minute) => {
        const atMs = minute * 60_000;
        const back = instantOf(dayOf(atMs, zone), clock(atMs, zone), zone);
        // In the hour that occurs twice the first is meant.
        expect([0, HOUR_MS]).toContain(atMs - back);
      }),
    );
  });
  test.each([
    ['2026-03-29', 23],
    ['2026-10-25', 25],
    ['2026-11-23', 24],
  ])('the day %s in Berlin has %i hours', (day, hours) => {
    const { startMs, endMs } = dayWindow(day, 'Europe/Berlin');
    expect((endMs - startMs) / HOUR_MS).toBe(hours);
  });
});

test.each([
  [0, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [3_599_999, '59 min'],
  [3_600_000, '1 h'],
  [12_000_000, '3 h 20 min'],
  [48 * HOUR_MS, '2 d'],
  [-5, '0 s'],
])('%i ms is said as %s', (forMs, words) => {
  expect(span(forMs)).toBe(words);
});
