import { render, screen } from '@testing-library/svelte';
import { expect, test, vi } from 'vitest';
import { isAddress } from '../../dashboard/live/address.ts';
import { Api } from '../../dashboard/live/api.ts';
import { may } from '../../dashboard/live/roles.ts';
import { count } from '../../dashboard/live/roomstate.ts';
import { Live } from '../../dashboard/live/store.svelte.ts';
import type { StreamMessage } from '../../dashboard/live/stream.ts';
import Summary from '../../dashboard/parts/Summary.svelte';
import { newMember } from '../../gateway/wire/index.ts';
import { MEMBERS, snapshotOf } from '../support/fixtures-data.ts';

const NOW = Date.parse('2026-11-23T09:20:00Z');

test('a tab shows who is signed in now when somebody else signed in in another tab', async () => {
  let user = { user: 'petra', role: 'manager', csrf: 'first', member: null };
  const writes: (string | undefined)[] = [];
  const api = new Api(async (url, options) => {
    if (options?.method === 'DELETE') writes.push((options.headers as Record<string, string>)['X-CSRF-Token']);
    return new Response(JSON.stringify(String(url).endsWith('session') ? user : MEMBERS));
  });
  let tell: (message: StreamMessage) => void = () => undefined;
  const live = new Live(api, (listener) => {
    tell = listener;
    return { close: () => undefined };
  });
  await live.start();
  await live.loadMembers();
  expect(live.session?.user).toBe('petra');
  user = { user: 'amara', role: 'practitioner', csrf: 'second', member: null };
  tell({ type: 'snapshot', snapshot: { ...snapshotOf(NOW), bookings: [] } });
  await vi.waitFor(() => expect(live.session?.user).toBe('amara'));
  expect(live.members, 'names that the next user may not know are gone').toEqual([]);
  expect(live.may('unlock')).toBe(false);
  await api.revoke('k-1');
  expect(writes).toEqual(['second']);
  live.stop();
});

test('a page joins the stream that is there, and after a sign-in begins a new one, once', async () => {
  const session = { user: 'petra', role: 'manager', csrf: 'c', member: null };
  const api = new Api(async () => new Response(JSON.stringify(session)));
  const said: string[] = [];
  const live = new Live(api, (_tell, first) => {
    said.push(first);
    return { close: () => said.push('bye') };
  });
  await live.start();
  expect(said).toEqual(['here']);
  await live.signIn('petra', 'a password');
  expect(said).toEqual(['here', 'bye', 'fresh']);
  live.stop();
});

test('a practitioner is told nothing about alarms and devices, and not that there are none', () => {
  expect([may('practitioner', 'journal'), may('practitioner', 'devices'), may('viewer', 'journal')]).toEqual([
    false,
    false,
    true,
  ]);
  render(Summary, { counts: count([], [], []), stale: false, hidden: ['alarms', 'offline'] });
  expect(screen.getAllByRole('listitem').map((tile) => tile.dataset.tile)).toEqual(['occupied', 'booked', 'free']);
});

test.each([
  'a@b.example',
  'Practitioner/12',
  'https://id.example|4711',
  '@',
  'a@b',
  'a.example',
  `${'a'.repeat(250)}@b.ex`,
])('the form takes the address %s as the gateway does', (address) => {
  expect(isAddress(address)).toBe(newMember.safeParse({ name: 'Amara', addresses: [address] }).success);
});
