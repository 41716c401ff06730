import { describe, expect, test } from 'vitest';
import { EVENTS_KEPT, reduce } from '../../dashboard/live/reducer.ts';
import type { Change, Snapshot } from '../../gateway/wire/stream.ts';
import { alarmsOf, bookingsOf, devicesOf, event, roomsOf, snapshotOf } from '../support/fixtures-data.ts';

const NOW = Date.parse('2026-11-23T09:20:00Z');
const later = '2026-11-23T09:20:05.000Z';
const base = snapshotOf(NOW);
const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
};
deepFreeze(base);

const firstRoom = roomsOf(NOW)[0];
const booking = bookingsOf(NOW)[0];
const device = devicesOf(NOW)[0];
const jammed = alarmsOf(NOW)[0];
if (!firstRoom?.door || !booking || !device || !jammed) throw new Error('the fixture lost its first entries');
const firstDoor = firstRoom.door;

interface Case {
  readonly name: string;
  readonly change: Omit<Change, 'at'>;
  readonly read: (state: Snapshot) => unknown;
  readonly expected: unknown;
}
const CASES: Case[] = [
  {
    name: 'nothing new leaves everything as it is',
    change: {},
    read: (s) => s.rooms === base.rooms && s.events === base.events,
    expected: true,
  },
  {
    name: 'a room is replaced in its place',
    change: { rooms: [{ ...firstRoom, name: 'Renamed' }] },
    read: (s) => s.rooms.map((room) => room.name).slice(0, 2),
    expected: ['Renamed', 'Consulting room 2'],
  },
  {
    name: 'a room that did not change keeps its identity',
    change: { rooms: [{ ...firstRoom, name: 'Renamed' }] },
    read: (s) => s.rooms[1] === base.rooms[1],
    expected: true,
  },
  {
    name: 'a door that changes alone changes in its room too',
    change: { doors: [{ ...firstDoor, lock: 'unlocked', updatedAt: later }] },
    read: (s) => [s.doors[0]?.lock, s.rooms[0]?.door?.lock],
    expected: ['unlocked', 'unlocked'],
  },
  {
    name: 'an older door does not overwrite the newer one in its room',
    change: { doors: [{ ...firstDoor, lock: 'unlocked', updatedAt: '2026-11-23T08:00:00.000Z' }] },
    read: (s) => s.rooms[0]?.door?.lock,
    expected: 'locked',
  },
  {
    name: 'a resolved alarm goes',
    change: { alarms: [{ ...jammed, status: 'resolved' }] },
    read: (s) => s.alarms.map((alarm) => alarm.id),
    expected: ['a-held', 'a-dev'],
  },
  {
    name: 'an acknowledged alarm stays',
    change: { alarms: [{ ...jammed, status: 'acknowledged' }] },
    read: (s) => s.alarms[0]?.status,
    expected: 'acknowledged',
  },
  {
    name: 'a new event stands first, one that came before is not doubled',
    change: { events: [event(12, NOW, 0, {}), event(13, NOW, 0, {})] },
    read: (s) => s.events.slice(0, 3).map((one) => one.seq),
    expected: [13, 12, 11],
  },
  {
    name: 'events that come out of order are put in order',
    change: { events: [event(15, NOW, 0, {}), event(13, NOW, 0, {}), event(14, NOW, 0, {})] },
    read: (s) => s.events.slice(0, 4).map((one) => one.seq),
    expected: [15, 14, 13, 12],
  },
  {
    name: 'no more than so many events are kept, the newest',
    change: { events: Array.from({ length: EVENTS_KEPT + 50 }, (_, index) => event(100 + index, NOW, 0, {})) },
    read: (s) => [s.events.length, s.events[0]?.seq, s.events.at(-1)?.seq],
    expected: [EVENTS_KEPT, 100 + EVENTS_KEPT + 49, 150],
  },
  {
    name: 'a new booking is added, a cancelled one keeps its place with its new status',
    change: {
      bookings: [
        { ...booking, id: 'b-9' },
        { ...booking, status: 'cancelled' },
      ],
    },
    read: (s) => [s.bookings.length, s.bookings[0]?.status, s.bookings.at(-1)?.id],
    expected: [base.bookings.length + 1, 'cancelled', 'b-9'],
  },
  {
    name: 'a device is replaced by its id',
    change: { devices: [{ ...device, online: false }] },
    read: (s) => [s.devices.length, s.devices[0]?.online],
    expected: [base.devices.length, false],
  },
];

describe('a change of the stream', () => {
  // The frozen base throws if the reducer writes to it.
  test.each(CASES)('$name', ({ change, read, expected }) => {
    expect(read(reduce(base, deepFreeze({ at: later, ...change })))).toEqual(expected);
  });
  test('moves the time of the state on', () => {
    expect(reduce(base, { at: later }).at).toBe(later);
  });
});
