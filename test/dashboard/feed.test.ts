import { fireEvent, render, screen } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import { type EventPage, PAGES_AT_ONCE, readBack, withOlder } from '../../dashboard/live/feed.ts';
import { noted } from '../../dashboard/live/notes.ts';
import Feed from '../../dashboard/parts/Feed.svelte';
import { event, eventsOf } from '../support/fixtures-data.ts';

const NOW = Date.parse('2026-11-23T09:20:00Z');
const ZONE = 'Europe/Berlin';

describe('a note of the journal', () => {
  test.each([
    [
      { kind: 'change', note: 'member suspended', user: 'reception' },
      { title: 'Amara Adeyemi', sentence: 'Suspended, by reception.' },
    ],
    [
      { kind: 'change', note: 'credential revoked', user: 'petra' },
      { title: 'Card of Amara Adeyemi', sentence: 'Revoked, by petra.' },
    ],
    [
      {
        kind: 'change',
        note: 'booking confirmed, 2026-11-29T15:15:00.000Z to 2026-11-29T16:00:00.000Z',
        user: 'petra',
      },
      { title: 'Booking of Amara Adeyemi', sentence: 'Confirmed: Sun 29 November, 16:15–17:00, by petra.' },
    ],
    [
      { kind: 'change', note: 'booking cancelled, 2026-11-29T22:15:00.000Z to 2026-11-30T05:00:00.000Z' },
      { sentence: 'Cancelled: Sun 29 November, 23:15 to Mon 30 November, 06:00.' },
    ],
    [
      { kind: 'alarm', note: 'unlimited_right_used acknowledged', user: 'petra' },
      { title: 'Emergency card used', sentence: 'Alarm acknowledged, by petra.' },
    ],
    [
      { kind: 'alarm', note: 'door_held_open resolved: Delivery: two\nboxes', user: 'petra' },
      { title: 'Door held open', sentence: 'Alarm resolved, by petra: “Delivery: two\nboxes”' },
    ],
  ])('%o is said as %o', (more, expected) => {
    expect(noted(event(1, NOW, 0, more), 'Amara Adeyemi', ZONE)).toMatchObject(expected);
  });
  test.each([
    { kind: 'change', note: 'booking rules: early grace 15 min' },
    { kind: 'alarm', note: 'a kind of tomorrow' },
    { kind: 'operator', note: 'member suspended' },
  ])('%o is left as it is', (more) => {
    expect(noted(event(1, NOW, 0, more), null, ZONE)).toBeUndefined();
  });
});

describe('older events', () => {
  const at = (seq: number, more = {}) => event(seq, NOW, 0, more);
  test('are read on until one is wanted, the journal ends or it is enough', async () => {
    const page = vi.fn(async (cursor: string | undefined): Promise<EventPage> => {
      const seq = Number(cursor) - 1;
      return { items: [at(seq)], next: seq > 1 ? String(seq) : null };
    });
    const seqs = async (from: string, wanted: number) => {
      const { items, next } = await readBack(from, (one) => one.seq === wanted, page);
      return [items.map((one) => one.seq), next];
    };
    expect(await seqs('20', 18)).toEqual([[19, 18], '18']);
    expect(await seqs('3', 99)).toEqual([[2, 1], null]);
    page.mockClear();
    await seqs('900', 0);
    expect(page).toHaveBeenCalledTimes(PAGES_AT_ONCE);
  });
  test('stay as long as nothing can be missing between them and the stream', () => {
    const older = [at(5), at(4), at(3)];
    expect(withOlder([at(7), at(6), at(5)], older).map((one) => one.seq)).toEqual([7, 6, 5, 4, 3]);
    expect(withOlder([at(9), at(8)], older).map((one) => one.seq)).toEqual([9, 8]);
    expect(withOlder([], older)).toHaveLength(3);
  });
  test('come under the filter that is chosen, by the cursor, until the journal ends', async () => {
    const older = vi.fn(async (cursor: string | undefined, _kind: string | undefined): Promise<EventPage> => {
      const granted = { outcome: 'granted', reason: 'granted', memberName: 'Amara' };
      return cursor === '1' ? { items: [at(-1, granted)], next: '-1' } : { items: [at(-2, granted)], next: null };
    });
    const props = { events: eventsOf(NOW), nowMs: NOW, timeZone: ZONE, placeOf: () => '', older };
    render(Feed, { props: { ...props, nameOf: (one) => one.memberName } });
    await fireEvent.click(screen.getByRole('button', { name: 'Let in' }));
    await fireEvent.click(screen.getByRole('button', { name: 'Older events' }));
    await screen.findByText('Amara');
    await fireEvent.click(screen.getByRole('button', { name: 'Older events' }));
    await screen.findByText(/where the journal begins/);
    expect(screen.getAllByRole('listitem').map((row) => row.dataset.event)).toEqual(['5', '4', '2', '-1', '-2']);
    expect(screen.queryByRole('button', { name: 'Older events' })).toBeNull();
    expect(older.mock.calls).toEqual([
      ['1', 'access'],
      ['-1', 'access'],
    ]);
  });
});
