/** Who holds a room when several are told that they do, and when its door opens for them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Own, Schedule } from '../../gateway/core/bookings/schedule.ts';
import type { Booking, BookingStatus } from '../../gateway/core/records.ts';
import type { BookingRules } from '../../gateway/core/site.ts';
import {
  aBooking,
  aCredential,
  aMember,
  aRead,
  aSite,
  aWorld,
  HOUR,
  MINUTE,
  MONDAY,
  verdict,
} from '../support/records.ts';

const NINE = MONDAY + 9 * HOUR;
const TEN = MONDAY + 10 * HOUR;
const ELEVEN = MONDAY + 11 * HOUR;
const RULES = aSite().bookings;
const OTHER = 'denied_point_no_access_rights/booking_other_holder';
const ENDED = 'denied_out_of_time_range/booking_ended';
const NOT_STARTED = 'denied_out_of_time_range/booking_not_started';

function heldIds(schedule: Schedule, room = 'r1'): string[] {
  return schedule.held(room).items.map((booking) => booking.id);
}

describe('two holders on one room and time', () => {
  const ada = (change: Partial<Booking>) => aBooking('ada', NINE, TEN, { holder: 'ada', ...change });
  const ben = (change: Partial<Booking>) => aBooking('ben', NINE, TEN, { holder: 'ben', ...change });
  const cases: readonly [string, Booking, Booking, string][] = [
    ['the first confirmed keeps it', ada({ confirmedAtMs: 2 }), ben({ confirmedAtMs: 1 }), 'ben'],
    ['one known before such times were kept is earlier', ada({ confirmedAtMs: 1 }), ben({}), 'ben'],
    [
      'confirmed together: the higher priority',
      ada({ confirmedAtMs: 1 }),
      ben({ confirmedAtMs: 1, priority: 1 }),
      'ben',
    ],
    ['no priority is 0', ada({ confirmedAtMs: 1 }), ben({ confirmedAtMs: 1, priority: -1 }), 'ada'],
    ['earlier beats higher', ada({ confirmedAtMs: 1 }), ben({ confirmedAtMs: 2, priority: 9 }), 'ada'],
    ['all alike: the lower id', ada({}), ben({}), 'ada'],
    [
      'one millisecond is enough',
      ada({ startMs: TEN - 1, endMs: ELEVEN, confirmedAtMs: 2 }),
      ben({ confirmedAtMs: 1 }),
      'ben',
    ],
  ];
  it.each(cases)('%s, whoever comes in first', (_name, a, b, holder) => {
    for (const order of [
      [a, b],
      [b, a],
    ]) {
      const schedule = new Schedule(RULES);
      for (const booking of order) schedule.put(booking);
      expect(heldIds(schedule)).toEqual([holder]);
      expect([...schedule.conflicts.keys()]).toEqual([holder === 'ada' ? 'ben' : 'ada']);
    }
  });

  it('is no conflict where one ends as the other starts', () => {
    const schedule = new Schedule(RULES);
    schedule.apply([ada({}), ben({ startMs: TEN, endMs: ELEVEN })], []);
    expect(heldIds(schedule)).toEqual(['ada', 'ben']);
  });

  it('is told by an alarm that ends with the conflict, also when only time passes', () => {
    const bookings = [ada({ confirmedAtMs: 2 }), ben({ confirmedAtMs: 1 })];
    const kinds = (world: ReturnType<typeof aWorld>) => world.state.alarms.live.map(({ kind }) => kind);
    const world = aWorld({ bookings });
    world.do({ kind: 'tick' }, NINE);
    expect(kinds(world)).toContain('booking_conflict');
    world.do({ kind: 'tick' }, TEN);
    expect(kinds(world)).not.toContain('booking_conflict');
  });

  it('gives the room back to the earlier confirmed that comes in late, at the very next read', () => {
    const world = aWorld({ bookings: [ada({ confirmedAtMs: 2 })] });
    expect(verdict(world.do(aRead('ada'), NINE))).toBe('granted');
    world.do({ kind: 'bookings', upsert: [ben({ confirmedAtMs: 1 })], remove: [] }, NINE + 1);
    expect(verdict(world.do(aRead('ada'), NINE + 2))).toBe(OTHER);
    expect(verdict(world.do(aRead('ben'), NINE + 3))).toBe('granted');
  });

  it('lets a booking that is moved away free its old slot at once', () => {
    const world = aWorld({ bookings: [ada({ confirmedAtMs: 1 }), ben({ confirmedAtMs: 2 })] });
    expect(verdict(world.do(aRead('ben'), NINE))).toBe(OTHER);
    const moved = ada({ startMs: TEN, endMs: ELEVEN, confirmedAtMs: 1 });
    world.do({ kind: 'bookings', upsert: [moved], remove: [] }, NINE + 1);
    expect(verdict(world.do(aRead('ben'), NINE + 2))).toBe('granted');
    expect(verdict(world.do(aRead('ada'), NINE + 3))).toBe(NOT_STARTED);
    expect(world.state.schedule.conflicts.size).toBe(0);
  });

  it('passes the room on along a chain of clashes', () => {
    const chain = [
      aBooking('a', NINE, TEN, { holder: 'ada', confirmedAtMs: 1 }),
      aBooking('b', TEN - 1, ELEVEN, { holder: 'ben', confirmedAtMs: 2 }),
      aBooking('c', ELEVEN - 1, ELEVEN + HOUR, { holder: 'cyn', confirmedAtMs: 3 }),
    ];
    const schedule = new Schedule(RULES);
    schedule.apply(chain, []);
    expect(heldIds(schedule)).toEqual(['a', 'c']);
    schedule.remove('a');
    expect(heldIds(schedule)).toEqual(['b']);
  });
});

describe('one holder twice on one room', () => {
  const first = aBooking('a', NINE, TEN);
  it('is no conflict and opens the room for the whole of both', () => {
    const extended = aBooking('b', TEN - 30 * MINUTE, ELEVEN, { source: 'local' });
    const world = aWorld({ bookings: [first, extended] });
    expect(world.state.schedule.conflicts.size).toBe(0);
    const reads: readonly [number, string][] = [
      [NINE - 10 * MINUTE - 1, NOT_STARTED],
      [NINE - 10 * MINUTE, 'granted'],
      [NINE, 'granted'],
      [TEN, 'granted'],
      [ELEVEN + 5 * MINUTE - 1, 'granted'],
      [ELEVEN + 5 * MINUTE, ENDED],
    ];
    for (const [atMs, expected] of reads) expect(verdict(world.do(aRead('ada'), atMs))).toBe(expected);
  });

  it('keeps the late grace of the longer one where a shorter one lies within it', () => {
    const world = aWorld({ bookings: [first, aBooking('b', NINE + 10 * MINUTE, NINE + 20 * MINUTE)] });
    expect(verdict(world.do(aRead('ada'), TEN + 5 * MINUTE - 1))).toBe('granted');
  });

  it('is clipped by the neighbours of the whole', () => {
    const world = aWorld({
      bookings: [
        aBooking('z', NINE - HOUR, NINE - 3 * MINUTE, { holder: 'ben' }),
        first,
        aBooking('b', NINE + MINUTE, TEN - MINUTE),
        aBooking('y', TEN + 2 * MINUTE, ELEVEN, { holder: 'ben' }),
      ],
    });
    expect(verdict(world.do(aRead('ada'), NINE - 3 * MINUTE - 1))).toBe(NOT_STARTED);
    expect(verdict(world.do(aRead('ada'), NINE - 3 * MINUTE))).toBe('granted');
    expect(verdict(world.do(aRead('ada'), TEN + 2 * MINUTE - 1))).toBe('granted');
    expect(verdict(world.do(aRead('ada'), TEN + 2 * MINUTE))).toBe(ENDED);
  });

  it('opens by what one source says although the other was not read for too long', () => {
    const world = aWorld({ bookings: [first, aBooking('b', NINE, TEN, { source: 'feed' })] });
    expect(verdict(world.do(aRead('ada'), NINE))).toBe('granted');
    expect(verdict(world.do(aRead('ada', 'entrance'), NINE))).toBe('granted');
    world.do({ kind: 'bookings', upsert: [], remove: ['a'] }, NINE + 1);
    expect(verdict(world.do(aRead('ada'), NINE + 2))).toBe('denied_out_of_time_range/schedule_too_old');
  });
});

describe('cleaning buffer', () => {
  const site = (bufferMs: number | undefined, ofRoom?: number) => {
    const plain = aSite();
    return aSite({
      bookings: { ...plain.bookings, bufferMs },
      rooms: plain.rooms.map((room) => ({ ...room, bufferMs: ofRoom })),
    });
  };
  const bookings = [
    aBooking('a', NINE, TEN),
    aBooking('b', TEN + 15 * MINUTE, ELEVEN, { holder: 'ben' }),
    aBooking('c', ELEVEN + 5 * MINUTE, ELEVEN + HOUR, { holder: 'ada' }),
  ];
  const cases: readonly [string, string, number, string][] = [
    ['cuts no booking short', 'ada', TEN - 1, 'granted'],
    ['leaves no late grace', 'ada', TEN, ENDED],
    ['holds the early grace of the next back', 'ben', TEN + 10 * MINUTE - 1, NOT_STARTED],
    ['lets the early grace of the next begin after it', 'ben', TEN + 10 * MINUTE, 'granted'],
    ['leaves the whole of a booking that starts within it', 'ada', ELEVEN + 5 * MINUTE, 'granted'],
    ['leaves no early grace to one that starts within it', 'ada', ELEVEN + 5 * MINUTE - 1, NOT_STARTED],
  ];
  it.each(cases)('%s', (_name, member, atMs, expected) => {
    const world = aWorld({ site: site(10 * MINUTE), bookings });
    expect(verdict(world.do(aRead(member), atMs))).toBe(expected);
  });

  it('is the room’s own where it has one, also none', () => {
    expect(verdict(aWorld({ site: site(10 * MINUTE, 0), bookings }).do(aRead('ada'), TEN))).toBe('granted');
    expect(verdict(aWorld({ site: site(undefined, MINUTE), bookings }).do(aRead('ada'), TEN))).toBe(ENDED);
  });

  it('lets cleaners and staff in by their own rights', () => {
    for (const kind of ['cleaner', 'staff'] as const) {
      const member = aMember('ben', { kind, rights: [{ doors: ['d1'], when: [{ startMs: NINE, endMs: ELEVEN }] }] });
      const world = aWorld({
        site: site(10 * MINUTE),
        bookings: [aBooking('a', NINE, TEN)],
        members: [aMember('ada'), member],
      });
      expect(verdict(world.do(aRead('ben'), TEN + MINUTE))).toBe('granted/standing_right');
    }
  });

  it('leaves the entrance as it is', () => {
    const world = aWorld({ site: site(10 * MINUTE), bookings: [aBooking('a', NINE, TEN)] });
    expect(verdict(world.do(aRead('ada', 'entrance'), TEN + 4 * MINUTE))).toBe('granted');
  });
});

describe('rules that change while windows run', () => {
  const bookings = [aBooking('a', NINE, TEN)];
  const rules = (change: Partial<BookingRules>) => ({ kind: 'booking_rules', rules: { ...RULES, ...change } }) as const;

  it('shorten a late grace that is running at the very next read', () => {
    const world = aWorld({ bookings });
    expect(verdict(world.do(aRead('ada'), TEN + 3 * MINUTE))).toBe('granted');
    world.do(rules({ lateMs: 2 * MINUTE }), TEN + 3 * MINUTE + 1);
    expect(verdict(world.do(aRead('ada'), TEN + 3 * MINUTE + 2))).toBe(ENDED);
    world.do(rules({ lateMs: 30 * MINUTE }), TEN + 3 * MINUTE + 3);
    expect(verdict(world.do(aRead('ada'), TEN + 30 * MINUTE - 1))).toBe('granted');
  });

  it('move early grace, entrance and greatest age at once', () => {
    const world = aWorld({
      bookings: [...bookings, aBooking('f', TEN + HOUR, TEN + 3 * HOUR, { source: 'feed', holder: 'ben' })],
    });
    world.do({ kind: 'schedule_fresh', source: 'feed', atMs: NINE }, NINE - HOUR);
    world.do(rules({ earlyMs: 20 * MINUTE, entranceEarlyMs: HOUR, maxScheduleAgeMs: HOUR }), NINE - HOUR);
    expect(verdict(world.do(aRead('ada', 'entrance'), NINE - HOUR))).toBe('granted');
    expect(verdict(world.do(aRead('ada'), NINE - 20 * MINUTE))).toBe('granted');
    expect(verdict(world.do(aRead('ben'), ELEVEN + 1_000))).toBe('denied_out_of_time_range/schedule_too_old');
  });

  it('bring a cleaning buffer to rooms, and leave it where a fact does not speak of it', () => {
    const world = aWorld({ bookings });
    world.do({ ...rules({}), roomBuffers: { r1: 5 * MINUTE } }, TEN);
    expect(verdict(world.do(aRead('ada'), TEN + 1))).toBe(ENDED);
    world.do(rules({ bufferMs: 0 }), TEN + 2);
    expect(verdict(world.do(aRead('ada'), TEN + 1_003))).toBe(ENDED);
    world.do({ ...rules({}), roomBuffers: {} }, TEN + 4);
    expect(verdict(world.do(aRead('ada'), TEN + 2_005))).toBe('granted');
  });
});

const statuses: readonly BookingStatus[] = [
  'confirmed',
  'confirmed',
  'confirmed',
  'checked_in',
  'tentative',
  'cancelled',
];
const aPlan = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'),
  start: fc.integer({ min: 0, max: 60 }),
  length: fc.integer({ min: 1, max: 25 }),
  room: fc.constantFrom('r1', 'r1', 'r1', 'r2'),
  holder: fc.constantFrom('ada', 'ben', 'cyn'),
  delegates: fc.subarray(['ada', 'ben', 'dan']),
  status: fc.constantFrom(...statuses),
  confirmedAtMs: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  priority: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
});
type Plan = typeof aPlan extends fc.Arbitrary<infer T> ? T : never;

function booked({ start, length, id, ...rest }: Plan): Booking {
  return aBooking(id, NINE + start * MINUTE, NINE + (start + length) * MINUTE, rest);
}

/** Slow and obvious: in order of precedence, each that clashes with nobody else's held booking holds. */
function reference(bookings: readonly Booking[], room: string): Booking[] {
  const before = (a: Booking, b: Booking) => {
    const at = (x: Booking) => x.confirmedAtMs ?? -1;
    if (at(a) !== at(b)) return at(a) - at(b);
    if ((a.priority ?? 0) !== (b.priority ?? 0)) return (b.priority ?? 0) - (a.priority ?? 0);
    return a.id < b.id ? -1 : 1;
  };
  const held: Booking[] = [];
  for (const one of bookings.filter((b) => b.room === room && /^c(onfirmed|hecked_in)$/.test(b.status)).sort(before)) {
    if (held.every((x) => x.holder === one.holder || x.endMs <= one.startMs || one.endMs <= x.startMs)) held.push(one);
  }
  return held.sort((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1));
}

describe('properties', () => {
  const action = fc.oneof(
    { weight: 4, arbitrary: aPlan.map((plan) => ({ put: plan })) },
    { weight: 1, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h').map((remove) => ({ remove })) },
  );

  it('who holds a room depends on the bookings alone, not on how they came in', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), fc.integer(), (actions, seed) => {
        const schedule = new Schedule(RULES);
        const kept = new Map<string, Booking>();
        for (const act of actions) {
          if ('put' in act) {
            const booking = booked(act.put);
            kept.set(booking.id, booking);
            schedule.put(booking);
          } else {
            kept.delete(act.remove);
            schedule.remove(act.remove);
          }
        }
        const anew = new Schedule(RULES);
        const shuffled = [...kept.values()].sort((a, b) => hash(a.id, seed) - hash(b.id, seed));
        anew.apply(shuffled.slice(0, 4), []);
        for (const booking of shuffled.slice(4)) anew.put(booking);
        for (const room of ['r1', 'r2']) {
          const expected = reference([...kept.values()], room).map(({ id }) => id);
          expect(heldIds(schedule, room)).toEqual(expected);
          expect(heldIds(anew, room)).toEqual(expected);
        }
        for (const booking of kept.values()) {
          const holds = reference([...kept.values()], booking.room).some(({ id }) => id === booking.id);
          expect(schedule.holds(booking)).toBe(holds);
          expect(schedule.conflicts.has(booking.id)).toBe(!holds && /^c(onf|hecked)/.test(booking.status));
        }
        expectBooksToAgree(schedule, [...kept.values()]);
        expect(schedule.size).toBe(kept.size);
      }),
      { numRuns: 300 },
    );
  });

  it('a door opens exactly when the reference says, and never for two holders within a booking', () => {
    const rules = fc.record({
      earlyMs: fc.integer({ min: 0, max: 15 }),
      lateMs: fc.integer({ min: 0, max: 15 }),
      bufferMs: fc.constantFrom(0, 0, 3, 8),
    });
    fc.assert(
      fc.property(fc.array(aPlan, { maxLength: 10 }), rules, (plans, { earlyMs, lateMs, bufferMs }) => {
        const inForce = { ...RULES, earlyMs: earlyMs * MINUTE, lateMs: lateMs * MINUTE, bufferMs: bufferMs * MINUTE };
        const schedule = new Schedule(inForce);
        const kept = new Map(plans.map((plan) => [plan.id, booked(plan)]));
        schedule.apply([...kept.values()], []);
        const held = reference([...kept.values()], 'r1');
        for (let minute = -20; minute < 110; minute++) {
          const atMs = NINE + minute * MINUTE;
          const open = schedule.open('r1', atMs).map(({ id }) => id);
          expect([...open].sort()).toEqual(
            held
              .filter((one) => opens(one, held, atMs, inForce))
              .map(({ id }) => id)
              .sort(),
          );
          const running = held.find((one) => one.startMs <= atMs && atMs < one.endMs);
          if (running === undefined) continue;
          for (const id of open) expect(held.find((one) => one.id === id)?.holder).toBe(running.holder);
          // Nobody is shut out of his own time.
          expect(open).toContain(running.id);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('a badge opens a door exactly when a booking of its own is open there', () => {
    const minutes = fc.array(fc.integer({ min: -35, max: 100 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(aPlan, { maxLength: 8 }), minutes, fc.constantFrom(0, 4), (plans, reads, buffer) => {
        const inForce = { ...RULES, bufferMs: buffer * MINUTE };
        const kept = new Map(plans.map((plan) => [plan.id, booked(plan)]));
        const people = ['ada', 'ben', 'cyn', 'dan'];
        const world = aWorld({
          site: aSite({ bookings: inForce }),
          bookings: [...kept.values()],
          members: people.map((id) => aMember(id)),
          credentials: people.map((id) => aCredential(id)),
        });
        const held = ['r1', 'r2'].map((room) => reference([...kept.values()], room));
        const isOf = (one: Booking, id: string) => one.holder === id || one.delegates.includes(id);
        for (const atMs of reads.sort((a, b) => a - b).map((minute) => NINE + minute * MINUTE)) {
          for (const member of people) {
            const doors: readonly [string, boolean][] = [
              ...held.map((ones, i): [string, boolean] => [
                `d${i + 1}`,
                ones.some((one) => isOf(one, member) && opens(one, ones, atMs, inForce)),
              ]),
              [
                'entrance',
                held
                  .flat()
                  .some(
                    (one) =>
                      isOf(one, member) &&
                      atMs >= one.startMs - RULES.entranceEarlyMs &&
                      atMs < one.endMs + RULES.lateMs,
                  ),
              ],
            ];
            for (const [door, expected] of doors) {
              const got = verdict(world.do(aRead(member, door), atMs));
              // Read twice at the same millisecond, a card is one read.
              if (got !== 'nothing') expect([door, member, got === 'granted']).toEqual([door, member, expected]);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  function opens(one: Booking, held: readonly Booking[], atMs: number, rules: BookingRules): boolean {
    const { bufferMs = 0 } = rules;
    if (atMs >= one.startMs && atMs < one.endMs) return true;
    if (atMs < one.startMs) {
      const busy = held.some((other) => other.startMs < one.startMs && other.endMs + bufferMs > atMs);
      return atMs >= one.startMs - rules.earlyMs && !busy;
    }
    const begun = held.some((other) => other.startMs >= one.endMs && other.startMs <= atMs);
    return bufferMs === 0 && atMs < one.endMs + rules.lateMs && !begun;
  }
});

function hash(id: string, seed: number): number {
  return Math.imul(id.charCodeAt(0) ^ seed, 2_654_435_761) >>> 0;
}

/** Each member's books hold exactly his bookings, in the right part. */
function expectBooksToAgree(schedule: Schedule, bookings: readonly Booking[]): void {
  for (const member of ['ada', 'ben', 'cyn', 'dan']) {
    const own = bookings.filter((one) => one.holder === member || one.delegates.includes(member));
    const parts = (book: Own | undefined, some: readonly Booking[]) => {
      const ids = (list: readonly Booking[]) => list.map(({ id }) => id).sort();
      expect(ids(book?.held.items ?? [])).toEqual(ids(some.filter((one) => schedule.holds(one))));
      expect(ids(book?.rest?.items ?? [])).toEqual(ids(some.filter((one) => !schedule.holds(one))));
    };
    parts(schedule.ofMember(member), own);
    for (const [fromMs, toMs] of [-20, 0, 7, 31].map(
      (minute) => [NINE + minute * MINUTE, NINE + 40 * MINUTE] as const,
    )) {
      const near = own.filter((one) => one.endMs > fromMs && one.startMs < toMs);
      near.sort((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1));
      expect(schedule.ofMemberWithin(member, fromMs, toMs)).toEqual(near);
    }
    for (const room of ['r1', 'r2']) {
      parts(
        schedule.ofMemberInRoom(member, room),
        own.filter((one) => one.room === room),
      );
    }
  }
}

describe('cost', () => {
  const many = (count: number, make: (i: number) => Booking) => Array.from({ length: count }, (_, i) => make(i));
  const seconds = (act: () => void) => {
    const before = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };

  it('of 50,000 bookings put one by one grows with their number', () => {
    const bookings = many(50_000, (i) => {
      const startMs = NINE + Math.floor(i / 200) * HOUR;
      return aBooking(`b${i}`, startMs, startMs + HOUR, { room: `r${i % 200}`, holder: `m${i % 997}` });
    });
    const schedule = new Schedule(RULES);
    const putAll = () => {
      for (const booking of bookings) schedule.put(booking);
    };
    expect(seconds(putAll)).toBeLessThan(10);
    expect(schedule.conflicts.size).toBe(0);
  });

  it('of 10,000 bookings piled on one hour of one room is that of sorting them', () => {
    const piled = many(10_000, (i) =>
      aBooking(`b${i}`, NINE + i, NINE + HOUR + i, { holder: `m${i % 9}`, confirmedAtMs: -i }),
    );
    const schedule = new Schedule(RULES);
    expect(seconds(() => schedule.apply(piled, []))).toBeLessThan(5);
    expect(seconds(() => schedule.prune(TEN + HOUR))).toBeLessThan(5);
    expect(schedule.size).toBe(0);
  });
});

describe('a booking without a time of its own', () => {
  it.each([
    ['ends as it starts', NINE, NINE],
    ['ends before it starts', TEN, NINE],
    ['has no start', Number.NaN, TEN],
    ['has no end', NINE, Number.POSITIVE_INFINITY],
  ])('never grants: one that %s', (_name, startMs, endMs) => {
    const schedule = new Schedule(RULES);
    schedule.put(aBooking('b', startMs, endMs));
    expect(schedule.open('r1', NINE)).toEqual([]);
    expect(schedule.holds(aBooking('b', startMs, endMs))).toBe(false);
    schedule.remove('b');
    expect(schedule.size).toBe(0);
  });
});
