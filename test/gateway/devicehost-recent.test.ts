import { describe, expect, test } from 'vitest';
import { EVENT_IDS_KEPT, EVENT_IDS_KEPT_MS, EVENT_IDS_MOST, RecentEvents } from '../../gateway/devicehost/recent.ts';

describe('events that were seen', () => {
  test('are known again behind any number of others while they could still open a door', () => {
    const seen = new RecentEvents();
    expect(seen.add('E0', 0)).toBe(true);
    for (let n = 0; n < 10_000; n += 1) seen.add(`other-${n}`, n);
    expect(seen.add('E0', EVENT_IDS_KEPT_MS - 1)).toBe(false);
  });

  test('are known for longer where few come', () => {
    const seen = new RecentEvents();
    seen.add('E0', 0);
    for (let n = 1; n < EVENT_IDS_KEPT; n += 1) seen.add(`other-${n}`, n * 3_600_000);
    expect(seen.add('E0', EVENT_IDS_KEPT * 3_600_000)).toBe(false);
    seen.add('one more', EVENT_IDS_KEPT * 3_600_000);
    expect(seen.add('E0', EVENT_IDS_KEPT * 3_600_000)).toBe(true);
  });

  test('are bounded whatever comes', () => {
    const seen = new RecentEvents();
    seen.add('E0', 0);
    for (let n = 0; n < EVENT_IDS_MOST - 1; n += 1) seen.add(`other-${n}`, 0);
    expect(seen.add('E0', 0)).toBe(false);
    seen.add('last', 0);
    expect(seen.add('E0', 0)).toBe(true);
  });
});
