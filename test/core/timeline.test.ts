import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timeline } from '../../gateway/core/bookings/timeline.ts';
import type { Booking } from '../../gateway/core/records.ts';
import { aBooking } from '../support/records.ts';

const LAST_MS = 60;

type Act =
  | { readonly kind: 'insert'; readonly startMs: number; readonly lengthMs: number }
  | { readonly kind: 'remove'; readonly which: number }
  | { readonly kind: 'ask'; readonly atMs: number };

const instant = fc.integer({ min: -2, max: LAST_MS + 2 });
const insert: fc.Arbitrary<Act> = fc.record({
  kind: fc.constant('insert'),
  startMs: fc.integer({ min: 0, max: LAST_MS }),
  lengthMs: fc.integer({ min: 1, max: 20 }),
});
const act: fc.Arbitrary<Act> = fc.oneof(
  { arbitrary: insert, weight: 3 },
  { arbitrary: fc.record({ kind: fc.constant('remove'), which: fc.nat() }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('ask'), atMs: instant }), weight: 4 },
);

/** What the timeline answers, found by looking at every booking. */
function expectAnswers(timeline: Timeline, bookings: readonly Booking[], atMs: number): void {
  const sorted = [...bookings].sort((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1));
  const started = sorted.filter(({ startMs }) => startMs <= atMs);
  const before = sorted.filter(({ startMs }) => startMs < atMs);
  expect(timeline.items).toEqual(sorted);
  expect(timeline.next(atMs)).toBe(sorted.find(({ startMs }) => startMs > atMs));
  expect(timeline.nextFrom(atMs)).toBe(sorted.find(({ startMs }) => startMs >= atMs));
  expect(timeline.previous(atMs)).toBe(started.at(-1));
  expect(timeline.latestEndBefore(atMs)).toBe(Math.max(...before.map(({ endMs }) => endMs)));
  expect(timeline.covering(atMs)).toEqual(started.filter(({ endMs }) => endMs > atMs).reverse());
  const within = sorted.filter(({ startMs, endMs }) => startMs < atMs + 5 && endMs > atMs);
  expect(timeline.within(atMs, atMs + 5)).toEqual(within);
}

describe('timeline', () => {
  it('answers as a look at every booking would, whatever was asked and changed before', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
        const timeline = new Timeline();
        let bookings: readonly Booking[] = [];
        for (const [i, one] of acts.entries()) {
          if (one.kind === 'insert') {
            const booking = aBooking(`b${i}`, one.startMs, one.startMs + one.lengthMs);
            timeline.insert(booking);
            bookings = [...bookings, booking];
          } else if (one.kind === 'remove') {
            const booking = bookings[one.which % bookings.length];
            if (booking === undefined) continue;
            timeline.remove(booking);
            bookings = bookings.filter((other) => other !== booking);
          } else {
            expectAnswers(timeline, bookings, one.atMs);
          }
        }
      }),
    );
  });

  it('forgets nothing when a booking is to be removed that it never held', () => {
    const timeline = new Timeline();
    const held = aBooking('b1', 10, 15);
    timeline.insert(held);
    timeline.remove(aBooking('b2', 10, 15));
    expect(timeline.items).toEqual([held]);
    expectAnswers(timeline, [held], 12);
  });
});
