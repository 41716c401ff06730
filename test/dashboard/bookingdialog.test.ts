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
  const live = new Live(api, () => ({ close() {} }));
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

const short: Booking = { ...several, id: 'b-short', end: '2026-12-09T09:00:00Z' };
/** Another receptionist moves the booking while the dialog is open. */
async function movedMeanwhile() {
  const there = show({ booking: short });
  const moved = { ...short, start: '2026-12-09T12:00:00Z', end: '2026-12-09T13:00:00Z' };
  await there.shown.rerender({ snapshot: { ...there.props.snapshot, bookings: [moved] } });
  await screen.findByText('Changed meanwhile: now Wed 9 December 13:00–14:00.');
  return there;
}

test('a move by somebody else is told, and stands when another field is saved', async () => {
  const { sent, props } = await movedMeanwhile();
  await fill('title', 'Checkup');
  await press('Save');
  await vi.waitFor(() => expect(props.onsaved).toHaveBeenCalledOnce());
  expect(sent).toEqual([['PATCH', { title: 'Checkup' }]]);
});

test('a move by somebody else is replaced only after a yes', async () => {
  const { sent } = await movedMeanwhile();
  await press('+ 30 min');
  await press('Save');
  expect(sent).toEqual([]);
  await press('Yes, save it');
  const times = { start: '2026-12-09T08:00:00.000Z', end: '2026-12-09T09:30:00.000Z' };
  expect(sent).toEqual([['PATCH', times]]);
});

test('the new values are taken into the form', async () => {
  await movedMeanwhile();
  await press('Take the new values');
  expect([field('from').value, field('to').value]).toEqual(['13:00', '14:00']);
  expect(screen.queryByText(/Changed meanwhile/)).toBeNull();
});

const NEW: BookingDraft = { room: 'consult-2', startMs: Date.parse('2027-01-05T13:00:00Z') };
async function typed(to: string) {
  const there = show(NEW);
  await fireEvent.change(field('holder'), { target: { value: 'm-weiss' } });
  await fill('to', to);
  return there;
}

test('an end at the start is refused with a sentence, which is scrolled to', async () => {
  const seen = vi.fn();
  Object.assign(HTMLElement.prototype, { scrollIntoView: seen });
  const { sent } = await typed('14:00');
  await press('Book');
  const refusal = await screen.findByText(/It would end at the moment at which it begins/);
  expect(seen.mock.contexts).toEqual([refusal]);
  expect(sent).toEqual([]);
});

test('an end before the start is told as the next day’s, and booked after one question', async () => {
  const { sent } = await typed('13:00');
  await screen.findByText('Ends Wed 6 January 13:00, the next day.');
  await press('Book');
  await screen.findByText('It lasts 23 h: Tue 5 January 14:00 – Wed 6 January 13:00.');
  await press('Change it');
  expect(sent).toEqual([]);
  await press('Book');
  await press('Yes, book it');
  expect(sent).toMatchObject([['POST', { start: '2027-01-05T13:00:00.000Z', end: '2027-01-06T12:00:00.000Z' }]]);
});

test('a weekly series is of the weekday that the form ends up with', async () => {
  const { sent } = await typed('15:00');
  await fill('day', '2027-01-06');
  await fireEvent.change(field('every'), { target: { value: 'week' } });
  expect(field('until').value).toBe('2027-03-31');
  expect(['mon', 'tue', 'wed'].map((day) => field(`day-${day}`).checked)).toEqual([false, false, true]);
  await press('Book');
  expect(sent).toMatchObject([['POST', { repeat: { every: 'week', days: ['wed'], until: '2027-03-31' } }]]);
});

test('a room without a door that was asked for can be booked', async () => {
  const doorless = snapshotOf(NOW).rooms.find((room) => room.door === null);
  const { sent } = show({ room: doorless?.id, startMs: NOW });
  await fireEvent.change(field('holder'), { target: { value: 'm-weiss' } });
  await press('Book');
  expect(doorless).toBeDefined();
  expect(sent).toMatchObject([['POST', { room: doorless?.id }]]);
});
