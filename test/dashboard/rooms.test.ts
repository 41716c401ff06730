import { describe, expect, test } from 'vitest';
import { inWindow, occupiedStretches, withPresent } from '../../dashboard/live/actual.ts';
import { shownDegrees, shownSince } from '../../dashboard/live/chart.ts';
import { floors, nameLines, neighbour } from '../../dashboard/live/plan.ts';
import { doorState, NO_SHOW_AFTER_MS, roomState } from '../../dashboard/live/roomstate.ts';
import { tileLabel } from '../../dashboard/live/tile.ts';
import type { Alarm, Room } from '../../gateway/wire/rooms.ts';
import { alarmsOf, at, door, room, roomsOf } from '../support/fixtures-data.ts';

const NOW = Date.parse('2026-11-23T09:20:00Z');
const MIN = 60_000;
const booked = (startedMsAgo: number): Partial<Room> => ({
  booking: {
    now: {
      id: 'b',
      holder: 'm',
      holderName: null,
      start: at(NOW - startedMsAgo),
      end: at(NOW + 60 * MIN),
      status: 'confirmed',
    },
    next: null,
    revoked: null,
  },
});
const occupancy = (state: Room['occupancy']['state'], lastSeen: number | null = null): Partial<Room> => ({
  occupancy: {
    state,
    confidence: 1,
    since: at(NOW - 5 * MIN),
    people: null,
    lastSeen: lastSeen === null ? null : at(lastSeen),
  },
});
const [jammed, held] = alarmsOf(NOW) as [Alarm, Alarm];
const off = door('r-door', 'R', 'r', NOW, { online: false });

describe('the state of a room', () => {
  test.each([
    ['free when vacant and not booked', {}, [], 'free'],
    ['booked before the no-show time', booked(NO_SHOW_AFTER_MS - 1), [], 'booked'],
    ['no-show exactly at it', booked(NO_SHOW_AFTER_MS), [], 'no_show'],
    [
      'booked still when somebody was in since the start',
      { ...booked(30 * MIN), ...occupancy('vacant', NOW - 10 * MIN) },
      [],
      'booked',
    ],
    [
      'no-show when somebody was in only before',
      { ...booked(30 * MIN), ...occupancy('vacant', NOW - 31 * MIN) },
      [],
      'no_show',
    ],
    ['occupied, booked or not', occupancy('occupied'), [], 'occupied'],
    ['unknown, never free, without a sign', occupancy('unknown'), [], 'unknown'],
    ['unknown, never booked, without a sign', { ...booked(MIN), ...occupancy('unknown') }, [], 'unknown'],
    ['offline when its door is silent too', { ...occupancy('unknown'), door: off }, [], 'offline'],
    ['fault with a critical alarm, whoever is in', occupancy('occupied'), [jammed], 'fault'],
    ['fault with a jammed lock', { door: door('d', 'D', 'r', NOW, { lock: 'jammed' }) }, [], 'fault'],
    ['not fault with a warning', {}, [held], 'free'],
  ] as const)('is %s', (_name, more, alarms, expected) => {
    expect(roomState(room('r', 'R', NOW, more), alarms, NOW)).toBe(expected);
  });
});

describe('the state of a door', () => {
  test.each([
    [{}, 'locked'],
    [{ lock: 'unlocked' }, 'unlocked'],
    [{ contact: 'open' }, 'open'],
    [{ lock: 'unlocking' }, 'moving'],
    [{ lock: 'jammed', contact: 'open' }, 'jammed'],
    [{ lock: 'unknown' }, 'unknown'],
    [{ online: false }, 'unknown'],
  ] as const)('%o is %s', (more, expected) => {
    expect(doorState(door('d', 'D', null, NOW, more))).toBe(expected);
  });
});

test('a tile reads aloud what its colours and glyphs say', () => {
  const first = roomsOf(NOW)[0];
  if (!first) throw new Error('the fixture has no room');
  expect(tileLabel(first, 'occupied', 1, NOW, 'Europe/Berlin')).toBe(
    'Consulting room 1, occupied, booked, until 11:30, 21.3 degrees, door locked, one alarm',
  );
});

describe('the plan', () => {
  const [ground] = floors(roomsOf(NOW));
  if (!ground) throw new Error('the fixture has no floor');
  test.each([
    ['consult-1', 'ArrowRight', 'consult-2'],
    ['consult-1', 'ArrowDown', 'therapy'],
    ['therapy', 'ArrowUp', 'consult-1'],
    ['consult-1', 'ArrowLeft', undefined],
    ['waiting', 'ArrowUp', 'consult-4'],
  ] as const)('from %s %s leads to %s', (from, arrow, to) => {
    expect(neighbour(ground.rooms, from, arrow)).toBe(to);
  });
  test('rooms without a place are set out below the others and overlap nobody', () => {
    const more = Array.from({ length: 7 }, (_, index) => room(`n-${index}`, `N ${index}`, NOW));
    const [floor] = floors([...roomsOf(NOW), ...more]);
    const placed = floor?.rooms ?? [];
    expect(placed).toHaveLength(15);
    const overlaps = placed.filter((a) =>
      placed.some(
        (b) => a !== b && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.depth && b.y < a.y + a.depth,
      ),
    );
    expect(overlaps).toEqual([]);
  });
  test.each([
    ['Consulting room 1', 200, ['Consulting room 1']],
    ['Consulting room 1', 90, ['Consulting 1']],
    ['Medicine store', 60, ['Medicine', 'store']],
    ['Physiotherapeutically', 60, ['Physiot…']],
  ])('the name %s in %i px', (name, width, lines) => {
    expect(nameLines(name, width, 12, 2).slice(0, lines.length)).toEqual(lines);
  });
});

describe('who was in', () => {
  const point = (minute: number, occupied: boolean | null) => ({
    at: at(NOW + minute * MIN),
    state: occupied === null ? null : occupied ? 'occupied' : 'vacant',
    occupied,
    confidence: null,
    booked: null,
    people: null,
  });
  test('neighbouring occupied samples are one stretch, a gap parts them, unknown is not occupied', () => {
    const series = [point(0, true), point(5, true), point(10, null), point(15, true), point(20, false)];
    expect(occupiedStretches(series, 5 * MIN, NOW + 60 * MIN)).toEqual([
      { startMs: NOW, endMs: NOW + 10 * MIN },
      { startMs: NOW + 15 * MIN, endMs: NOW + 20 * MIN },
    ]);
  });
  test('no stretch reaches into the future', () => {
    expect(occupiedStretches([point(0, true)], 5 * MIN, NOW + 2 * MIN)).toEqual([
      { startMs: NOW, endMs: NOW + 2 * MIN },
    ]);
  });
  test('the stay of right now runs up to now and joins what went before', () => {
    const here = room('r', 'R', NOW, occupancy('occupied'));
    expect(withPresent([{ startMs: NOW - 20 * MIN, endMs: NOW - 5 * MIN }], here, NOW)).toEqual([
      { startMs: NOW - 20 * MIN, endMs: NOW },
    ]);
    expect(withPresent([], here, NOW)).toEqual([{ startMs: NOW - 5 * MIN, endMs: NOW }]);
  });
  test.each([
    [
      { startMs: 0, endMs: 10 },
      { left: 0, width: 10 },
    ],
    [
      { startMs: -50, endMs: 50 },
      { left: 0, width: 50 },
    ],
    [{ startMs: 100, endMs: 120 }, null],
    [{ startMs: -10, endMs: 0 }, null],
  ])('%o in a window of 100 is %o', (of, expected) => {
    expect(inWindow(of, { startMs: 0, endMs: 100 })).toEqual(expected);
  });
});

describe('the chart', () => {
  const window = { startMs: NOW - 24 * 60 * MIN, endMs: NOW };
  test.each([
    ['the whole day when it is known', [{ startMs: window.startMs, endMs: NOW }], window.startMs],
    ['from the first sign when that is later', [{ startMs: NOW - 180 * MIN, endMs: NOW }], NOW - 180 * MIN],
    ['an hour at least', [{ startMs: NOW - 5 * MIN, endMs: NOW }], NOW - 60 * MIN],
    ['an hour when nothing is known', [], NOW - 60 * MIN],
  ])('shows %s', (_name, stays, startMs) => {
    expect(shownSince([], stays, window)).toBe(startMs);
  });
  test('is scaled to the room and its heating, not to a cooling setpoint far above', () => {
    expect(
      shownDegrees([
        [1, 2],
        [20.5, null],
        [21, 16],
        [24, 32],
      ]),
    ).toEqual([15, 23]);
    expect(shownDegrees([[], [], [], []])).toEqual([15, 25]);
  });
});
