/** Whose word counts: tables for each rule, and properties over random histories. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Said } from '../../../gateway/calendars/mapping.ts';
import { merge, newerOf, oncePerBooking } from '../../../gateway/calendars/merge.ts';
import type { Booking, BookingStatus } from '../../../gateway/core/records.ts';
import type { BookingOverride, OriginRecord } from '../../../gateway/store/types.ts';

const NOW = Date.UTC(2026, 2, 2, 8);
const HOUR = 3_600_000;

interface Says {
  readonly source?: string;
  readonly status?: BookingStatus;
  readonly startMs?: number;
  readonly endMs?: number;
  readonly sequence?: number;
  readonly stampMs?: number;
  readonly priority?: number;
  readonly holder?: string;
  readonly recurrenceId?: string;
}
function says({ source = 'a', status = 'confirmed', sequence = 0, stampMs = 0, ...rest }: Says = {}): Said {
  const { startMs = NOW + HOUR, endMs = startMs + HOUR, priority = 0, holder = 'ada' } = rest;
  return {
    key: 'k',
    booking: {
      id: `${source}-k`,
      room: 'r1',
      holder,
      delegates: [],
      startMs,
      endMs,
      status,
      source,
      title: '',
      priority,
    },
    occurrence: {
      uid: 'u',
      recurrenceId: rest.recurrenceId,
      startMs,
      endMs,
      status: status === 'cancelled' || status === 'tentative' ? status : 'confirmed',
      sequence,
      stampMs,
      summary: '',
      location: '',
      resources: [],
      attendees: [],
      collection: '',
      href: 'h',
    },
  };
}

/** A store of one event: what sources say, one after the other, and what counts then. */
class World {
  readonly origins = new Map<string, OriginRecord>();
  readonly bookings = new Map<string, Booking>();
  nowMs = NOW;

  say(...said: Says[]): this {
    return this.#take({ said: said.map(says), gone: [] });
  }
  gone(source = 'a'): this {
    return this.#take({ said: [], gone: [`${source}-k`] });
  }
  override(fields: BookingOverride, source = 'a'): this {
    const origin = this.origins.get(`${source}-k`);
    const booking = this.bookings.get(`${source}-k`);
    if (origin === undefined || booking === undefined) throw new Error('nothing to override');
    this.origins.set(origin.booking, { ...origin, override: fields });
    this.bookings.set(booking.id, { ...booking, ...fields });
    return this;
  }
  status(source = 'a'): string {
    return this.bookings.get(`${source}-k`)?.status ?? 'none';
  }
  #take(change: { said: readonly Said[]; gone: readonly string[] }): this {
    const merged = merge(change, [...this.origins.values()], (id) => this.bookings.get(id), this.nowMs);
    for (const origin of merged.origins) this.origins.set(origin.booking, origin);
    for (const id of merged.remove) this.bookings.delete(id);
    for (const booking of merged.upsert) this.bookings.set(booking.id, booking);
    return this;
  }
}

describe('one source', () => {
  it('is followed when it moves an event, under the same id', () => {
    const world = new World().say({}).say({ sequence: 1, startMs: NOW + 5 * HOUR });
    expect([...world.bookings.values()]).toMatchObject([{ id: 'a-k', startMs: NOW + 5 * HOUR }]);
  });

  it('is not followed back: an older SEQUENCE or DTSTAMP is ignored', () => {
    expect(new World().say({ status: 'cancelled', sequence: 2 }).say({ sequence: 1, stampMs: 9 }).status()).toBe(
      'cancelled',
    );
    expect(new World().say({ status: 'cancelled', stampMs: 9 }).say({ stampMs: 8 }).status()).toBe('cancelled');
    expect(new World().say({ status: 'cancelled', stampMs: 8 }).say({ stampMs: 9 }).status()).toBe('confirmed');
  });

  it('is followed when it takes back the change of one instance, though the series counts a lower SEQUENCE', () => {
    const instance = { recurrenceId: '20260302T090000Z' };
    const moved = { ...instance, sequence: 3, stampMs: 5, startMs: NOW + 6 * HOUR };
    const world = new World().say({ ...instance, stampMs: 1 }).say(moved);
    expect(world.say({ ...instance, sequence: 1, stampMs: 4 }).bookings.get('a-k')?.startMs).toBe(NOW + 6 * HOUR);
    expect(world.say({ ...instance, sequence: 1, stampMs: 9 }).bookings.get('a-k')?.startMs).toBe(NOW + HOUR);
    const cancelled = new World().say({ ...instance, status: 'cancelled', sequence: 2 });
    expect(cancelled.say({ ...instance, sequence: 1, stampMs: 9 }).status()).toBe('cancelled');
  });

  it('cancels what it no longer tells of, restores what comes back, and leaves the past alone', () => {
    const world = new World().say({ sequence: 4 }).gone();
    expect(world.status()).toBe('cancelled');
    expect(world.say({ sequence: 4 }).status()).toBe('confirmed');
    world.nowMs = NOW + 3 * HOUR;
    expect(world.gone().status()).toBe('confirmed');
  });

  it('that tells twice of an event is read by its cancellation, then its newest word', () => {
    expect(newerOf(says({ status: 'cancelled' }), says({ sequence: 3 })).booking.status).toBe('cancelled');
    const once = oncePerBooking([says({ sequence: 1, holder: 'ben' }), says({ sequence: 2, holder: 'ada' })]);
    expect(once.map(({ booking }) => booking.holder)).toEqual(['ada']);
  });

  it('keeps when it was first confirmed until it claims more than it had', () => {
    const world = new World().say({});
    const confirmed = () => world.bookings.get('a-k')?.confirmedAtMs;
    world.nowMs = NOW + 60_000;
    expect(world.say({ sequence: 1, holder: 'ben' }) && confirmed()).toBe(NOW);
    expect(world.say({ sequence: 2, endMs: NOW + HOUR + 60_000 }) && confirmed()).toBe(NOW);
    expect(world.say({ sequence: 3, endMs: NOW + 4 * HOUR }) && confirmed()).toBe(NOW + 60_000);
    world.nowMs = NOW + 120_000;
    expect(world.say({ sequence: 4, status: 'tentative' }) && confirmed()).toBeUndefined();
    expect(world.say({ sequence: 5 }) && confirmed()).toBe(NOW + 120_000);
  });
});

describe('a person’s word, or a release', () => {
  it('stands against the calendar until the calendar moves the event', () => {
    const world = new World().say({}).override({ status: 'cancelled' });
    expect(world.say({ sequence: 1 }).status()).toBe('cancelled');
    expect(world.say({ sequence: 2, startMs: NOW + 2 * HOUR }).status()).toBe('confirmed');
    expect(new World().say({}).override({ status: 'released' }).say({ sequence: 1 }).status()).toBe('released');
  });

  it('counts field by field: who extended a booking did not un-cancel it', () => {
    const world = new World().say({}).override({ endMs: NOW + 4 * HOUR });
    expect(world.say({ sequence: 1, holder: 'ben' }).bookings.get('a-k')).toMatchObject({
      holder: 'ben',
      endMs: NOW + 4 * HOUR,
    });
    expect(world.say({ sequence: 2, status: 'cancelled' }).status()).toBe('cancelled');
  });

  it('stands against a cancellation where it is about that', () => {
    expect(
      new World()
        .say({ status: 'cancelled' })
        .override({ status: 'confirmed' })
        .say({ status: 'cancelled', sequence: 1 })
        .status(),
    ).toBe('confirmed');
  });
});

describe('two sources of one event', () => {
  it.each([
    ['the higher priority', { priority: 1 }, { source: 'b', priority: 5 }, 'none', 'confirmed'],
    ['of equal ones the newer', { stampMs: 2 }, { source: 'b', stampMs: 1 }, 'confirmed', 'none'],
    ['a cancellation by the lower one', { priority: 5 }, { source: 'b', status: 'cancelled' }, 'cancelled', 'none'],
    ['a tentative word of the higher one', { priority: 5, status: 'tentative' }, { source: 'b' }, 'tentative', 'none'],
  ] as const)('%s counts', (_what, a, b, ofA, ofB) => {
    for (const world of [new World().say(a).say(b), new World().say(b).say(a)]) {
      expect([world.status('a'), world.status('b')]).toEqual([ofA, ofB]);
    }
  });

  it.each(['cancelled', 'released'] as const)(
    'the other does not bring back what a person %s, when the first no longer tells of it',
    (status) => {
      const world = new World().say({ source: 'a', priority: 5 }).say({ source: 'b' }).override({ status });
      world.gone('a');
      expect(world.status('b')).toBe(status);
      expect(world.say({ source: 'b', sequence: 1, startMs: NOW + 5 * HOUR }).status('b')).toBe('confirmed');
    },
  );

  it('the other takes over when the first no longer tells of it', () => {
    const world = new World().say({ priority: 5 }).say({ source: 'b' }).gone('a');
    expect([world.status('a'), world.status('b')]).toEqual(['cancelled', 'confirmed']);
  });
});

describe('whatever is said in whatever order', () => {
  const statement = fc.record({
    source: fc.constantFrom('a', 'b'),
    status: fc.constantFrom<BookingStatus>('confirmed', 'tentative', 'cancelled', 'checked_in'),
    sequence: fc.integer({ min: 0, max: 3 }),
    stampMs: fc.integer({ min: 0, max: 3 }),
    startMs: fc.constantFrom(NOW + HOUR, NOW + 2 * HOUR),
    priority: fc.constant(0),
  });
  const act = fc.oneof(
    { weight: 4, arbitrary: statement.map((said) => (world: World) => world.say(said)) },
    { weight: 1, arbitrary: fc.constantFrom('a', 'b').map((source) => (world: World) => world.gone(source)) },
  );
  const grants = (booking: Booking | undefined) => booking?.status === 'confirmed' || booking?.status === 'checked_in';

  it('no more than one booking of an event grants, and none while a source says cancelled', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 12 }), (acts) => {
        const world = new World();
        for (const step of acts) {
          step(world);
          const granting = [...world.bookings.values()].filter(grants);
          expect(granting.length).toBeLessThanOrEqual(1);
          const told = [...world.origins.values()].filter(({ gone }) => !gone);
          if (told.some(({ said }) => said.status === 'cancelled')) expect(granting).toEqual([]);
          for (const booking of granting) {
            expect(told.find((origin) => origin.booking === booking.id)?.said.startMs).toBe(booking.startMs);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('said again, nothing changes', () => {
    fc.assert(
      fc.property(fc.array(statement, { minLength: 1, maxLength: 6 }), (said) => {
        const world = new World();
        for (const one of said) world.say(one);
        const before = JSON.stringify([...world.bookings].sort());
        const last = said.at(-1);
        if (last !== undefined) world.say(last);
        expect(JSON.stringify([...world.bookings].sort())).toBe(before);
      }),
    );
  });
});
