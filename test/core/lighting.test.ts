import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BLINK_MS,
  decideLighting,
  type LightingDecision,
  type LightingFacts,
  type LightingLatch,
  lightValue,
  MAX_OFF_AFTER_MS,
} from '../../gateway/core/lighting/lighting.ts';
import type { Room, RoomKind } from '../../gateway/core/site.ts';
import type { OccupancyView } from '../../gateway/core/views.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const OFF_AFTER = 15 * MINUTE;
const START = Date.UTC(2026, 2, 2, 8);
const at = (ms: number) => ({ wallMs: START + ms, monoMs: ms });
const LEVEL = 80;
const DIM = 27;

function aRoom(kind: RoomKind, light = 'u/dimmer', offAfterMs = OFF_AFTER): Room {
  return {
    id: 'r',
    name: 'Room',
    kind,
    floor: 'ground',
    points: { presence: ['u/presence'], lights: [light] },
    lighting: { level: LEVEL, offAfterMs, warnMs: MINUTE },
    occupancy: { holdMs: 7 * MINUTE },
  };
}
const CONSULT = aRoom('consult');
const WAITING = aRoom('waiting');

type State = OccupancyView['state'];

/** A light that obeys, a hand that may move it, and a room; one decision a second. */
class Play {
  readonly room: Room;
  ms = 0;
  level: number | null = 0;
  online = true;
  state: State = 'vacant';
  booked = false;
  badgeMs: number | undefined;
  latch: LightingLatch | undefined;
  #seenMs: number | null = null;
  #reportedMs = 0;

  constructor(room: Room) {
    this.room = room;
  }

  facts(): LightingFacts {
    const occupancy = { state: this.state, confidence: 0.9, sinceMs: START, people: null, lastSeenMs: this.#seenMs };
    return {
      occupancy,
      bookedNow: this.booked,
      lastBadgeMonoMs: this.badgeMs,
      reportedLevel: this.level,
      reportedMonoMs: this.#reportedMs,
      online: this.online,
    };
  }

  /** Goes on for `ms`; gives the last decision. */
  run(ms: number): LightingDecision {
    let decision = this.#once();
    for (const endMs = this.ms + ms; this.ms < endMs; ) {
      this.ms += SECOND;
      decision = this.#once();
    }
    return decision;
  }

  become(state: State): this {
    this.state = state;
    return this;
  }

  badge(): this {
    this.badgeMs = this.ms;
    return this;
  }

  hand(level: number): this {
    this.level = level;
    this.#reportedMs = this.ms;
    return this;
  }

  #once(): LightingDecision {
    if (this.state === 'occupied') this.#seenMs = START + this.ms;
    const decision = decideLighting(this.room, this.facts(), this.latch, at(this.ms));
    this.latch = decision.latch;
    const sent = lightValue(this.room.points.lights[0] ?? '', decision);
    const level = sent === 'on' ? 100 : sent === 'off' ? 0 : sent;
    if (this.online && this.level !== level) {
      this.level = level;
      this.#reportedMs = this.ms;
    }
    return decision;
  }
}

describe('lighting', () => {
  it('lights with a granted badge, before any sensor sees someone', () => {
    const play = new Play(CONSULT);
    play.booked = true;
    expect(play.run(MINUTE).target).toBe(0);
    expect(play.badge().run(0).target).toBe(LEVEL);
  });

  it('lights with presence, booked or not: people must see', () => {
    for (const booked of [true, false]) {
      const play = new Play(CONSULT);
      play.booked = booked;
      play.run(MINUTE);
      expect(play.become('occupied').run(0).target).toBe(LEVEL);
    }
  });

  it('warns and goes dark after vacancy, to the second', () => {
    const play = new Play(WAITING);
    play.become('occupied').run(MINUTE);
    play.become('vacant');
    expect(play.run(OFF_AFTER - MINUTE - SECOND)).toMatchObject({ target: LEVEL, warning: false });
    expect(play.run(SECOND)).toMatchObject({ target: DIM, warning: true });
    expect(play.run(MINUTE - SECOND)).toMatchObject({ target: DIM, warning: true });
    expect(play.run(SECOND)).toMatchObject({ target: 0, warning: false });
  });

  it('counts from the last presence, not from the end of its hold, and never beyond 20 minutes', () => {
    const play = new Play(aRoom('waiting', 'u/dimmer', 60 * MINUTE));
    play.become('occupied').run(MINUTE);
    play.become('vacant');
    expect(play.run(MAX_OFF_AFTER_MS - SECOND).target).toBeGreaterThan(0);
    expect(play.run(SECOND).target).toBe(0);
  });

  it('comes back at once when someone moves during the warning', () => {
    const play = new Play(WAITING);
    play.become('occupied').run(MINUTE);
    play.become('vacant').run(OFF_AFTER - 30 * SECOND);
    expect(play.run(0).warning).toBe(true);
    expect(play.become('occupied').run(0)).toMatchObject({ target: LEVEL, warning: false });
  });

  it.each(['consult', 'therapy', 'procedure'] as const)('dims a booked %s room and never darkens it', (kind) => {
    const play = new Play(aRoom(kind));
    play.booked = true;
    play.become('occupied').run(MINUTE);
    expect(play.become('vacant').run(120 * MINUTE)).toMatchObject({ target: DIM, warning: false });
    play.booked = false;
    expect(play.run(SECOND)).toMatchObject({ target: DIM, warning: true });
    expect(play.run(2 * MINUTE).target).toBe(0);
  });

  it('darkens a booked waiting room, and leaves a booked room dark that nobody has entered', () => {
    const waiting = new Play(WAITING);
    waiting.booked = true;
    waiting.become('occupied').run(MINUTE);
    expect(waiting.become('vacant').run(OFF_AFTER).target).toBe(0);
    const consult = new Play(CONSULT);
    consult.booked = true;
    expect(consult.run(60 * MINUTE).target).toBe(0);
  });

  it('stays off after a hand put it off, until the room was empty', () => {
    const play = new Play(CONSULT);
    play.booked = true;
    play.become('occupied').run(MINUTE);
    expect(play.hand(0).run(30 * MINUTE).target).toBe(0);
    expect(play.become('unknown').run(30 * MINUTE).target).toBe(0);
    expect(play.become('vacant').run(MINUTE).target).toBe(0);
    expect(play.become('occupied').run(0).target).toBe(LEVEL);
  });

  it('keeps a level and a light that a hand has set', () => {
    const play = new Play(CONSULT);
    play.become('occupied').run(MINUTE);
    expect(play.hand(40).run(60 * MINUTE).target).toBe(40);
    expect(play.hand(0).run(MINUTE).target).toBe(0);
    const empty = new Play(CONSULT);
    empty.run(MINUTE);
    expect(empty.hand(60).run(OFF_AFTER - MINUTE - SECOND).target).toBe(60);
    expect(empty.run(2 * MINUTE).target).toBe(0);
    empty.become('occupied').run(0);
    expect(empty.run(MINUTE).target).toBe(LEVEL);
  });

  it('takes no late report and no power cut for a hand', () => {
    const play = new Play(CONSULT);
    play.become('occupied').run(0);
    // The light has not obeyed yet: it still reports dark.
    play.level = 0;
    expect(play.run(0).target).toBe(LEVEL);
    play.run(MINUTE);
    play.online = false;
    play.hand(0).run(MINUTE);
    play.online = true;
    expect(play.run(MINUTE).target).toBe(LEVEL);
    // Back online, its last word from before the cut still stands for a moment, then it reports dark.
    play.online = false;
    play.run(MINUTE);
    play.online = true;
    play.run(0);
    play.ms += SECOND;
    expect(play.hand(0).run(MINUTE).target).toBe(LEVEL);
  });

  it('keeps a booked room lit while occupancy is unknown, and fades an unbooked one', () => {
    for (const booked of [true, false]) {
      const play = new Play(CONSULT);
      play.booked = booked;
      play.become('occupied').run(MINUTE);
      expect(play.become('unknown').run(60 * MINUTE).target).toBe(booked ? LEVEL : 0);
    }
  });

  it('takes over what burns at a start, and fades it if nobody turns up', () => {
    const play = new Play(CONSULT);
    play.level = LEVEL;
    expect(play.become('unknown').run(0).target).toBe(LEVEL);
    expect(play.run(OFF_AFTER).target).toBe(0);
  });

  it('switches a relay on and off, and blinks it as a warning', () => {
    const play = new Play(aRoom('waiting', 'u/relay-3'));
    const value = (decision: LightingDecision) => lightValue('u/relay-3', decision);
    expect(value(play.become('occupied').run(MINUTE))).toBe('on');
    const warned = play.become('vacant').run(OFF_AFTER - MINUTE);
    expect(warned.warning).toBe(true);
    expect(value(warned)).toBe('off');
    const after = play.run(BLINK_MS + SECOND);
    expect([after.warning, value(after)]).toEqual([true, 'on']);
    expect(value(play.run(MINUTE))).toBe('off');
    expect(value(play.become('occupied').run(MINUTE))).toBe('on');
    play.hand(0);
    expect(value(play.run(MINUTE))).toBe('off');
    play.hand(100);
    expect(value(play.run(MINUTE))).toBe('on');
  });

  it('has nothing to do in a room without lights', () => {
    const bare: Room = { ...CONSULT, points: { presence: [], lights: [] } };
    const play = new Play(bare);
    expect(play.become('occupied').run(MINUTE)).toMatchObject({ target: 0, warning: false });
  });

  const happening = fc.oneof(
    fc.record({ what: fc.constant('state' as const), state: fc.constantFrom('occupied', 'vacant', 'unknown') }),
    fc.record({ what: fc.constant('booked' as const), booked: fc.boolean() }),
    fc.record({ what: fc.constant('badge' as const) }),
    fc.record({ what: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 1200 }).map((s) => s * SECOND) }),
  );

  it('is never dark nor dim while occupied unless by hand, and never lit long in an empty unbooked room', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 25 }), fc.constantFrom('u/dimmer', 'u/relay'), (story, light) => {
        const play = new Play(aRoom('consult', light));
        for (const one of story) {
          if (one.what === 'state') play.become(one.state);
          if (one.what === 'booked') play.booked = one.booked;
          if (one.what === 'badge') play.badge();
          const decision = play.run(one.what === 'wait' ? one.ms : 0);
          if (play.state === 'occupied') expect(decision).toMatchObject({ target: LEVEL, warning: false });
          if (play.state === 'vacant' && !play.booked && one.what === 'wait' && one.ms >= OFF_AFTER) {
            expect(decision.target).toBe(0);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('decides the same twice from plain data, and leaves its facts alone', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            waitMs: fc.nat(20 * MINUTE),
            level: fc.constantFrom(null, 0, 27, 80),
            booked: fc.boolean(),
            state: fc.constantFrom<State>('occupied', 'vacant', 'unknown'),
          }),
          { maxLength: 30 },
        ),
        (story) => {
          const play = new Play(CONSULT);
          let latch: LightingLatch | undefined;
          let ms = 0;
          for (const one of story) {
            ms += one.waitMs;
            const given: LightingFacts = {
              ...play.become(one.state).facts(),
              bookedNow: one.booked,
              reportedLevel: one.level,
              reportedMonoMs: ms,
            };
            const before = JSON.stringify([given, latch]);
            const decision = decideLighting(CONSULT, given, latch, at(ms));
            expect(JSON.stringify([given, latch])).toBe(before);
            const revived: LightingLatch | undefined =
              latch === undefined ? undefined : JSON.parse(JSON.stringify(latch));
            expect(decideLighting(CONSULT, given, revived, at(ms))).toEqual(decision);
            expect(decision.target).toBeGreaterThanOrEqual(0);
            expect(decision.target).toBeLessThanOrEqual(100);
            latch = decision.latch;
          }
        },
      ),
    );
  });
});
