import { fireEvent, render, screen } from '@testing-library/svelte';
import { expect, test, vi } from 'vitest';
import { Api } from '../../dashboard/live/api.ts';
import type { BookingDraft } from '../../dashboard/live/booking.ts';
import { Live } from '../../dashboard/live/store.svelte.ts';
import BookingDialog from '../../dashboard/views/BookingDialog.svelte';
import type { Booking } from '../../gateway/wire/index.ts';
import { MEMBERS, snapshotOf } from '../support/fixtures-data.ts';

const NOW = Date.parse('2026-11-23T09:20:00Z');
const several: Booking = {
  id: 'b-several',
  room: 'consult-2',
  holder: 'm-weiss',
  delegates: [],
  start: '2026-12-09T08:00:00Z',
  end: '2026-12-11T16:00:00Z',
  status: 'confirmed',
  source: 'local',
  title: 'Course',
};

/** The dialog of a receptionist; `sent` is what the gateway was asked for, `[method, body]` of each write. */
function show(draft: BookingDraft) {
  const sent: [string, unknown][] = [];
  const api = new Api(async (_url, options) => {
    const body = JSON.parse(String(options?.body ?? 'null'));
    sent.push([options?.method ?? '', body]);
    return new Response(JSON.stringify({ ...several, ...draft.booking, ...body }), { status: 200 });
  });
  const live = new Live(api, () => ({ close() {}, fresh() {} }));
  live.session = { user: 'petra', role: 'reception', csrf: 'c', member: null };
  live.snapshot = snapshotOf(NOW);
  live.members = [...MEMBERS];
  live.nowMs = NOW;
  const props = { live, snapshot: live.snapshot, draft, onclose: vi.fn(), onsaved: vi.fn() };
  return { sent, props, shown: render(BookingDialog, props) };
}
const press = (name: string) => fireEvent.click(screen.getByRole('button', { name }));
const field = (name: string): HTMLInputElement => {
  const found = document.querySelector<HTMLInputElement>(`[name=${name}]`);
  if (!found) throw new Error(`there is no field ${name}`);
  return found;
};
const fill = (name: string, value: string) => fireEvent.input(field(name), { target: { value } });

test('a booking of several days shows its last day, and only the title that was edited is sent', async () => {
  const { sent, props } = show({ booking: several });
  expect(field('last').value).toBe('2026-12-11');
  await fill('title', 'Course for two');
  await press('Save');
  await vi.waitFor(() => expect(props.onsaved).toHaveBeenCalledOnce());
  expect(sent).toEqual([['PATCH', { title: 'Course for two' }]]);
});

test('saving without an edit sends nothing', async () => {
  const { sent, props } = show({ booking: several });
  await press('Save');
  expect(props.onclose).toHaveBeenCalledOnce();
  expect(sent).toEqual([]);
});
