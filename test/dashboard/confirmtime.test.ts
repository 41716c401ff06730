import { render, screen } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';
import Alarms from '../../dashboard/parts/Alarms.svelte';
import type { Alarm } from '../../gateway/wire/rooms.ts';

const alarm: Alarm = {
  id: 'a1',
  kind: 'time_not_trusted',
  severity: 'critical',
  door: null,
  room: null,
  device: null,
  text: 'The clock has not been synchronised by NTP since the start.',
  status: 'open',
  openedAt: '2026-03-02T08:00:00.000Z',
  acknowledgedAt: null,
  acknowledgedBy: null,
  note: null,
  resolvedAt: null,
};
const props = {
  alarms: [alarm],
  nowMs: Date.UTC(2026, 2, 2, 8, 1),
  placeOf: () => '',
  disabled: false,
  onact: () => {},
};

it('lets a manager confirm the time that the gateway shows, and says what went wrong', async () => {
  const confirm = vi
    .fn()
    .mockRejectedValueOnce(new Error('The gateway does not answer.'))
    .mockResolvedValueOnce(undefined);
  render(Alarms, { ...props, may: true, time: { shown: '2 Mar 09:01', confirm } });
  const button = screen.getByRole('button', { name: 'It is 2 Mar 09:01: confirm' });
  button.click();
  expect((await screen.findByRole('alert')).textContent).toBe('The gateway does not answer.');
  button.click();
  await vi.waitFor(() => expect(screen.queryByRole('alert')).toBeNull());
  expect(confirm).toHaveBeenCalledTimes(2);
});

it('offers it to nobody else', () => {
  render(Alarms, { ...props, may: false });
  expect(screen.queryByRole('button')).toBeNull();
});
