import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import { Api, ApiError, type DoorAnswer } from '../../dashboard/live/api.ts';
import { refusalText } from '../../dashboard/live/booking.ts';
import { pulseText } from '../../dashboard/live/command.ts';
import { daysText } from '../../dashboard/live/rights.ts';
import { may } from '../../dashboard/live/roles.ts';
import { readPlace, writePlace } from '../../dashboard/live/router.svelte.ts';
import { sourceBadge } from '../../dashboard/live/schedule.ts';
import Alarms from '../../dashboard/parts/Alarms.svelte';
import DayBoard from '../../dashboard/parts/DayBoard.svelte';
import DoorControl from '../../dashboard/parts/DoorControl.svelte';
import Feed from '../../dashboard/parts/Feed.svelte';
import UnknownCards from '../../dashboard/parts/UnknownCards.svelte';
import SignIn from '../../dashboard/views/SignIn.svelte';
import { unknownCardsOf } from '../support/fixtures-cards.ts';
import { alarmsOf, bookingsOf, door, eventsOf, MEMBERS, roomsOf } from '../support/fixtures-data.ts';

/** jsdom lays nothing out and has no observer of sizes; the parts then draw for a wide screen. */
vi.stubGlobal(
  'ResizeObserver',
  class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
);

const NOW = Date.parse('2026-11-23T09:20:00Z');
const ZONE = 'Europe/Berlin';
const entrance = door('entrance', 'Entrance', null, NOW);

describe('the control of a door', () => {
  const show = (command: (op: 'unlock' | 'lock', reason: string) => Promise<DoorAnswer>, more = {}) =>
    render(DoorControl, { door: entrance, nowMs: NOW, timeZone: ZONE, may: true, disabled: false, command, ...more });
  const ask = async (reason: string) => {
    await fireEvent.click(screen.getByRole('button', { name: 'Unlock Entrance' }));
    await fireEvent.input(screen.getByLabelText(/Why is Entrance unlocked/), { target: { value: reason } });
    await fireEvent.click(screen.getByRole('button', { name: 'Unlock now' }));
  };

  test.each([
    ['confirmed', 'Confirmed: the lock reports it unlocked.'],
    ['failed', 'Failed: the lock did not unlock.'],
    ['unknown', 'Timed out: the lock did not answer.'],
  ] as const)('shows pending until the answer, then %s', async (outcome, text) => {
    let settle: (answer: DoorAnswer) => void = () => undefined;
    const command = vi.fn(
      () =>
        new Promise<DoorAnswer>((resolve) => {
          settle = resolve;
        }),
    );
    show(command);
    await ask('Patient waiting');
    await screen.findByText(/Pending/);
    const button = screen.getByRole('button', { name: 'Unlock Entrance' });
    expect(button.getAttribute('aria-disabled')).toBe('true');
    expect(document.activeElement, 'the keyboard stays at the door').toBe(button);
    await fireEvent.click(button);
    expect(screen.queryByLabelText(/Why is Entrance unlocked/)).toBeNull();
    settle({ command: 'c', outcome });
    await screen.findByText(text, { exact: false });
    expect(command.mock.calls).toEqual([['unlock', 'Patient waiting']]);
  });
  test.each(['before', 'after'])(
    'takes the word back once the lock reports locked again; opened %s the answer',
    async (when) => {
      const props = { nowMs: NOW, timeZone: ZONE, may: true, disabled: false };
      let settle: (answer: DoorAnswer) => void = () => undefined;
      const command = () =>
        new Promise<DoorAnswer>((resolve) => {
          settle = resolve;
        });
      const { rerender } = show(command);
      await ask('Delivery');
      const open = () => rerender({ ...props, command, door: { ...entrance, lock: 'unlocked' } });
      if (when === 'before') await open();
      settle({ command: 'c', outcome: 'confirmed' });
      await screen.findByText('Confirmed: the lock reports it unlocked.');
      if (when === 'after') await open();
      await rerender({ ...props, command, door: { ...entrance, updatedAt: '2026-11-23T06:39:00Z' } });
      await screen.findByText('The lock reported it unlocked; locked again 07:39.');
      expect(screen.queryByText(/Confirmed/)).toBeNull();
    },
  );
  test('Escape on one of the common reasons closes the question and goes back to the button', async () => {
    const around = vi.fn();
    document.body.addEventListener('keydown', around);
    show(async () => ({ command: 'c', outcome: 'confirmed' }));
    await fireEvent.click(screen.getByRole('button', { name: 'Unlock Entrance' }));
    const preset = screen.getByRole('button', { name: 'Delivery' });
    preset.focus();
    await fireEvent.keyDown(preset, { key: 'Escape' });
    await vi.waitFor(() =>
      expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Unlock Entrance' })),
    );
    expect(screen.queryByLabelText(/Why is Entrance unlocked/)).toBeNull();
    expect(around, 'a panel around it does not hear of it').not.toHaveBeenCalled();
    document.body.removeEventListener('keydown', around);
  });
  test('tells a refusal from an answer that never came', async () => {
    show(() => Promise.reject(new ApiError(403, 'forbidden', 'Your role may not do this')));
    await ask('Delivery');
    await screen.findByText(/Not sent to the lock. Your role may not do this/);
  });
  test('does not call a lost answer refused', async () => {
    show(() => Promise.reject(new ApiError(0, 'unreachable', 'The gateway did not answer in time.')));
    await ask('Delivery');
    await screen.findByText(/It is not known whether the lock got the command/);
  });
  test.each([
    ['while the screen is stale', { disabled: true }],
    ['while the lock is offline', { door: { ...entrance, online: false } }],
  ])('offers no unlock %s', (_name, more) => {
    show(async () => ({ command: 'c', outcome: 'confirmed' }), more);
    expect(screen.getByRole('button', { name: 'Unlock Entrance' })).toHaveProperty('disabled', true);
  });
  test('is not there for whoever may not unlock', () => {
    show(async () => ({ command: 'c', outcome: 'confirmed' }), { may: false });
    expect(screen.queryByRole('button')).toBeNull();
  });
});

test('alarms stand open before acknowledged, critical before the rest, and tell what is to be done', async () => {
  const onact = vi.fn();
  render(Alarms, {
    alarms: [...alarmsOf(NOW)].reverse(),
    nowMs: NOW,
    placeOf: () => '',
    may: true,
    disabled: false,
    onact,
  });
  const rows = screen.getAllByRole('listitem');
  expect(rows.map((row) => row.dataset.alarm)).toEqual(['a-jam', 'a-held', 'a-dev']);
  await fireEvent.click(within(rows[0] as HTMLElement).getByRole('button', { name: 'Acknowledge' }));
  expect(onact.mock.calls[0]?.[0].id).toBe('a-jam');
  expect(onact.mock.calls[0]?.[1]).toBe('acknowledge');
  expect(within(rows[2] as HTMLElement).queryByRole('button', { name: 'Acknowledge' })).toBeNull();
});

test('the feed filters by what people ask for', async () => {
  // `events` is an option of render too, so the props are named as such.
  const props = { events: eventsOf(NOW), nowMs: NOW, timeZone: ZONE, placeOf: () => '' };
  render(Feed, { props: { ...props, nameOf: (event) => event.memberName } });
  await fireEvent.click(screen.getByRole('button', { name: 'Refused' }));
  const rows = screen.getAllByRole('listitem');
  expect(rows.map((row) => row.dataset.event)).toEqual(['12', '11', '8', '3']);
  expect(rows[0]?.textContent).toContain('Someone else has the room booked now.');
});

test('a card is enrolled only for a chosen member', async () => {
  const onenrol = vi.fn();
  const props = { cards: unknownCardsOf(NOW), nowMs: NOW, disabled: false, doorName: (id: string) => id, onenrol };
  const shown = render(UnknownCards, { ...props, member: undefined });
  for (const button of screen.getAllByRole('button')) expect(button).toHaveProperty('disabled', true);
  await shown.rerender({ ...props, member: MEMBERS[0] });
  await fireEvent.click(screen.getAllByRole('button', { name: 'Enrol for Dr Anna Weiss' })[0] as HTMLElement);
  expect(onenrol.mock.calls[0]?.[0].id).toBe('u-1');
});

test('the day’s board shows who has which room in the site’s zone, from where, and what was cancelled', async () => {
  const onpick = vi.fn();
  const [first, ...rest] = bookingsOf(NOW);
  const bookings = [{ ...(first as (typeof rest)[number]), status: 'cancelled' as const }, ...rest];
  render(DayBoard, {
    rooms: roomsOf(NOW),
    bookings,
    window: { startMs: Date.parse('2026-11-23T06:00:00Z'), endMs: Date.parse('2026-11-23T19:00:00Z') },
    nowMs: NOW,
    may: true,
    shown: {
      timeZone: ZONE,
      stateOf: (booking) => booking.status,
      sourceOf: (booking) => sourceBadge(booking.source, []),
      nameOf: (member) => MEMBERS.find((known) => known.id === member)?.name ?? '',
      roomName: (id) => id,
      onpick,
    },
    onnew: () => undefined,
  });
  screen.getByRole('button', { name: '09:30–11:30, Dr Anna Weiss, Consulting room 1, Cancelled, made here' });
  await fireEvent.click(
    screen.getByRole('button', { name: '10:15–11:15, Dr Chidi Okafor, Consulting room 2, Confirmed, made here' }),
  );
  expect(onpick.mock.calls[0]?.[0].id).toBe('b-3');
});

test('a wrong password is said in words and the password field emptied', async () => {
  render(SignIn, { signIn: () => Promise.reject(new ApiError(401, 'wrong_password', 'x')) });
  await fireEvent.input(screen.getByLabelText('User name'), { target: { value: 'petra' } });
  await fireEvent.input(screen.getByLabelText('Password'), { target: { value: 'wrong' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Sign in' }));
  await screen.findByText('User name or password is wrong.');
  expect(screen.getByLabelText('Password')).toHaveProperty('value', '');
  expect(document.activeElement).toBe(screen.getByLabelText('Password'));
});

describe('the interface to the gateway', () => {
  const answer = (status: number, body?: unknown) =>
    new Response(body === undefined ? null : JSON.stringify(body), { status });
  const session = { user: 'petra', role: 'reception', csrf: 'abc', member: null };

  test('sends the session’s CSRF token with every write and with no read', async () => {
    const sent: [string, string | undefined][] = [];
    const api = new Api(async (url, options) => {
      const headers = options?.headers as Record<string, string>;
      sent.push([`${options?.method} ${String(url)}`, headers['X-CSRF-Token']]);
      return String(url).endsWith('session') ? answer(200, session) : answer(200, []);
    });
    await api.signIn('petra', 'secret');
    await api.members();
    await api.cancelBooking('b/1');
    expect(sent).toEqual([
      ['POST /api/v1/session', undefined],
      ['GET /api/v1/members', undefined],
      ['DELETE /api/v1/bookings/b%2F1', 'abc'],
    ]);
  });
  test('tells the page when the session is over, but not when a password is wrong', async () => {
    const api = new Api(async () => answer(401, { code: 'unauthenticated', title: 'Not signed in' }));
    const over = vi.fn();
    api.onSignedOut = over;
    await expect(api.signIn('a', 'b')).rejects.toMatchObject({ status: 401 });
    expect(await api.session()).toBeNull();
    expect(over).not.toHaveBeenCalled();
    await expect(api.members()).rejects.toMatchObject({ status: 401 });
    expect(over).toHaveBeenCalledOnce();
  });
  test('names the clash of a refused booking by whose it is and when', async () => {
    const [clash] = bookingsOf(NOW);
    const api = new Api(async () => answer(409, { code: 'booking_overlap', title: 'The room is booked', clash }));
    const error = await api.changeBooking('b-2', { room: 'consult-1' }).catch((caught: unknown) => caught);
    const words = { nameOf: () => 'Dr Weiss', roomName: () => 'Consulting room 1', timeZone: ZONE };
    expect(refusalText(error, [], words)).toBe(
      'Dr Weiss has Consulting room 1 from 09:30 to 11:30 on Mon 23 November. Choose another time or room.',
    );
  });
  test('tells each field at fault once', async () => {
    const errors = [{ path: 'body.name', message: 'Too small' }];
    const title = 'The request is not valid';
    const problem = { code: 'invalid', title, detail: 'body.name: Too small', errors };
    const api = new Api(async () => answer(400, problem));
    await expect(api.members()).rejects.toMatchObject({ message: 'The request is not valid. name: Too small' });
  });
  test('says that the gateway cannot be reached', async () => {
    const api = new Api(() => Promise.reject(new TypeError('failed to fetch')));
    await expect(api.members()).rejects.toMatchObject({ code: 'unreachable', status: 0 });
  });
});

test.each([
  ['reader', { outcome: 'unknown' }, 'Sent: look at the reader'],
  ['relay', { outcome: 'unknown' }, 'Timed out, no answer'],
  ['relay-2', { outcome: 'failed', why: 'no such pin' }, 'Failed: no such pin'],
  ['reader', { outcome: 'failed', why: 'offline' }, 'Failed: offline'],
])('a test of a %s that gave %o is told as “%s”', (capability, answer, text) => {
  expect(pulseText(capability, answer)).toBe(text);
});

test.each([
  ['manager', 'test', true],
  ['reception', 'unlock', true],
  ['reception', 'test', false],
  ['viewer', 'unlock', false],
  ['viewer', 'alarms', false],
  ['practitioner', 'own_bookings', true],
  ['practitioner', 'people', false],
] as const)('%s is offered %s: %s', (role, ability, expected) => {
  expect(may(role, ability)).toBe(expected);
});

test.each([
  ['#/overview/room/consult%201', { view: 'overview', room: 'consult 1' }],
  ['#/people', { view: 'people', room: null }],
  ['#/nonsense', { view: 'overview', room: null }],
  ['#/overview/room/%zz', { view: 'overview', room: null }],
  ['', { view: 'overview', room: null }],
  ['#/bookings', { view: 'bookings', room: null }],
  [
    '#/bookings/week/2026-11-23/consult%201',
    { view: 'bookings', room: null, schedule: { span: 'week', day: '2026-11-23', room: 'consult 1' } },
  ],
  ['#/bookings/day/nonsense', { view: 'bookings', room: null, schedule: { span: 'day', day: null, room: null } }],
] as const)('the address %s is the place %o', (hash, place) => {
  expect(readPlace(hash)).toEqual(place);
  expect(readPlace(writePlace(place))).toEqual(place);
});

test.each([
  [['mon', 'tue', 'wed', 'thu', 'fri'], 'Mon–Fri'],
  [['fri', 'mon', 'wed'], 'Mon, Wed, Fri'],
  [['mon', 'tue'], 'Mon, Tue'],
  [['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], 'every day'],
] as const)('the days %o are said as %s', (days, words) => {
  expect(daysText(days)).toBe(words);
});
