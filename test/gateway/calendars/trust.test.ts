import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, judge, type Standing, type Stated, type Verdict } from '../../../gateway/calendars/trust.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 22, 12);
const HOLD = { holdPolls: 3 };

/** Booking `n` begins `n` hours from now and lasts one. */
function booking(uid: string | number, change: Partial<Stated> = {}): Stated {
  const at = typeof uid === 'number' ? uid : 1;
  return {
    uid: String(uid),
    startMs: NOW + at * HOUR,
    endMs: NOW + (at + 1) * HOUR,
    status: 'confirmed',
    sequence: 0,
    stampMs: NOW - 24 * HOUR,
    ...change,
  };
}
const bookings = (...numbers: number[]): Stated[] => numbers.map((n) => booking(n));
function candidate(stated: readonly Stated[], change: Partial<Candidate> = {}): Candidate {
  return { nowMs: NOW, toMs: NOW + 60 * 24 * HOUR, stated, ...change };
}
/** What stands after `stated` was believed, as it comes back from the store. */
function standing(stated: readonly Stated[]): Standing {
  const verdict = judge(undefined, candidate(stated), HOLD);
  return JSON.parse(JSON.stringify(verdict.next)) as Standing;
}
const words = (verdict: Verdict): string => (verdict.accept ? 'accept' : verdict.code);
const keysOf = (stand: Standing): string[] => stand.known.map(([uid, id]) => `${uid}${id}`).sort();

describe('an answer is judged by what would be lost', () => {
  const moved = booking(1, { startMs: NOW + 30 * HOUR, endMs: NOW + 31 * HOUR });
  const cancelled = (n: number): Stated => booking(n, { status: 'cancelled' });
  it.each<[string, readonly Stated[], readonly Stated[], string]>([
    ['all is as it was', bookings(1, 2, 3, 4), bookings(1, 2, 3, 4), 'accept'],
    ['there is more', bookings(1, 2), bookings(1, 2, 3, 4, 5), 'accept'],
    ['nothing stood', [], [], 'accept'],
    ['nothing stood and something comes', [], bookings(1, 2), 'accept'],
    ['all is gone', bookings(1, 2, 3, 4), [], 'empty'],
    ['the only booking is gone', bookings(1), [], 'empty'],
    ['three of four are gone', bookings(1, 2, 3, 4), bookings(1), 'shrunken'],
    ['half is gone', bookings(1, 2, 3, 4), bookings(1, 2), 'accept'],
    ['a little more than half is gone', bookings(1, 2, 3, 4, 5), bookings(1, 2), 'shrunken'],
    ['one of two is gone', bookings(1, 2), bookings(1), 'accept'],
    ['one of three is gone', bookings(1, 2, 3), bookings(1, 2), 'accept'],
    ['two of three are gone', bookings(1, 2, 3), bookings(1), 'shrunken'],
    ['the only booking made way for another', bookings(1), bookings(9), 'accept'],
    ['all are swapped for as many others', bookings(1, 2, 3), bookings(7, 8, 9), 'shrunken'],
    ['all are swapped for many more', bookings(1, 2), bookings(5, 6, 7, 8, 9), 'shrunken'],
    ['all are cancelled by word', bookings(1, 2, 3), [1, 2, 3].map(cancelled), 'accept'],
    ['the only one is cancelled by word', bookings(1), [cancelled(1)], 'accept'],
    ['all became tentative', bookings(1, 2, 3), [1, 2, 3].map((n) => booking(n, { status: 'tentative' })), 'accept'],
    ['two are cancelled, the third vanished', bookings(1, 2, 3), [cancelled(1), cancelled(2)], 'empty'],
    [
      'three of five are cancelled, one vanished',
      bookings(1, 2, 3, 4, 5),
      [...[1, 2, 3].map(cancelled), booking(4)],
      'accept',
    ],
    ['one is moved', bookings(1), [moved], 'accept'],
    ['cancelled ones stood and vanish', [cancelled(1), cancelled(2)], [], 'accept'],
    ['only what never granted is left', bookings(1, 2), [booking(3, { status: 'tentative' })], 'empty'],
  ])('%s', (_name, before, after, expected) => {
    expect(words(judge(standing(before), candidate(after), HOLD))).toBe(expected);
  });

  it('believes anything the first time', () => {
    expect(judge(undefined, candidate([]), HOLD)).toEqual({ accept: true, next: { known: [] } });
  });

  it('does not miss what ended', () => {
    const before = standing(bookings(1, 2, 3, 4));
    const later = NOW + 4 * HOUR; // the first three have ended, to the millisecond
    expect(words(judge(before, candidate(bookings(4), { nowMs: later }), HOLD))).toBe('accept');
    expect(words(judge(before, candidate([], { nowMs: later }), HOLD))).toBe('empty');
    expect(words(judge(before, candidate([], { nowMs: later + HOUR }), HOLD))).toBe('accept');
    expect(words(judge(before, candidate([], { nowMs: later + HOUR - 1 }), HOLD))).toBe('empty');
  });

  it('does not miss what lies beyond the time that was looked at', () => {
    const before = standing(bookings(1, 100, 101, 102));
    expect(words(judge(before, candidate(bookings(1), { toMs: NOW + 100 * HOUR }), HOLD))).toBe('accept');
    expect(words(judge(before, candidate(bookings(1), { toMs: NOW + 102 * HOUR }), HOLD))).toBe('shrunken');
  });

  it('takes a UID that a signed message took back as a word', () => {
    expect(words(judge(standing(bookings(1)), candidate([], { withdrawn: ['1'] }), HOLD))).toBe('accept');
    expect(words(judge(standing(bookings(1, 2)), candidate([], { withdrawn: ['1'] }), HOLD))).toBe('empty');
  });

  it('counts the newest statement about one booking, and of equal ones the one that refuses', () => {
    const newer = booking(1, { status: 'cancelled', sequence: 1 });
    for (const stated of [
      [booking(1), newer],
      [newer, booking(1)],
    ])
      expect(judge(standing(bookings(1)), candidate(stated), HOLD)).toEqual({ accept: true, next: { known: [] } });
    const equal = booking(1, { status: 'cancelled' });
    for (const stated of [
      [booking(1), equal],
      [equal, booking(1)],
    ])
      expect(judge(undefined, candidate(stated), HOLD)).toEqual({ accept: true, next: { known: [] } });
  });
});

describe('a series', () => {
  const instance = (n: number, change: Partial<Stated> = {}): Stated =>
    booking(n, { uid: 'series', recurrenceId: `2026112${n}T100000Z`, ...change });
  const weekly = [1, 2, 3, 4, 5].map((n) => instance(n));

  it('has lost instances that are gone though the event is the same version', () => {
    expect(words(judge(standing(weekly), candidate([instance(1)]), HOLD))).toBe('shrunken');
  });

  it('may end earlier in a newer version', () => {
    expect(words(judge(standing(weekly), candidate([instance(1, { sequence: 1 })]), HOLD))).toBe('accept');
    expect(words(judge(standing(weekly), candidate([instance(1, { stampMs: NOW })]), HOLD))).toBe('accept');
  });

  it('may move to another day in a newer version', () => {
    const other = [7, 8, 9].map((n) => instance(n, { sequence: 2 }));
    expect(words(judge(standing(weekly), candidate(other), HOLD))).toBe('accept');
  });

  it('keeps an instance that is moved', () => {
    const shifted = weekly.map((one) => ({ ...one, startMs: one.startMs + 40 * HOUR, endMs: one.endMs + 40 * HOUR }));
    expect(words(judge(standing(weekly), candidate(shifted), HOLD))).toBe('accept');
  });
});

/** Looks of one source, one after the other. */
function looks(before: readonly Stated[], answers: readonly (readonly Stated[])[], holdPolls = 3): Verdict[] {
  let now = standing(before);
  return answers.map((answer) => {
    const verdict = judge(now, candidate(answer), { holdPolls });
    now = JSON.parse(JSON.stringify(verdict.next)) as Standing;
    return verdict;
  });
}

describe('a hold', () => {
  it('lasts for so many equal looks, then the answer is believed', () => {
    const verdicts = looks(bookings(1), [[], [], [], []]);
    expect(verdicts.map(words)).toEqual(['empty', 'empty', 'empty', 'accept']);
    expect(verdicts.at(-1)?.next).toEqual({ known: [] });
  });

  it('can be switched off', () => {
    expect(looks(bookings(1, 2, 3), [[]], 0).map(words)).toEqual(['accept']);
  });

  it('begins anew with another answer', () => {
    const all = bookings(1, 2, 3, 4, 5, 6);
    const a = bookings(1);
    const b = bookings(2);
    expect(looks(all, [a, a, b, b, b, b]).map(words)).toEqual([...new Array(5).fill('shrunken'), 'accept']);
    expect(looks(all, [a, b, a, b, a, b, a, b]).map(words)).toEqual(new Array(8).fill('shrunken'));
  });

  it('does not wait through answers that change each time', () => {
    const all = bookings(1, 2, 3, 4);
    const garbage = [10, 20, 30, 40, 50].map((n) => bookings(n, n + 1, n + 2));
    expect(looks(all, garbage).map(words)).toEqual(new Array(5).fill('shrunken'));
  });

  it('ends when the source recovers, and counts from one the next time', () => {
    const all = bookings(1, 2, 3, 4);
    expect(looks(all, [[], [], all, [], [], [], []]).map(words)).toEqual([
      ...['empty', 'empty', 'accept', 'empty', 'empty', 'empty', 'accept'],
    ]);
  });

  it('keeps what was believed last, and says since when', () => {
    const before = standing(bookings(1, 2));
    const first = judge(before, candidate([]), HOLD);
    const second = judge(first.next, candidate(bookings(7, 8), { nowMs: NOW + 1000 }), HOLD);
    expect(second.next.known).toEqual(before.known);
    expect(second.next.hold).toMatchObject({ polls: 1, sinceMs: NOW, code: 'shrunken' });
  });

  it('goes on counting while time passes: bookings end, and others come within sight', () => {
    const before = standing(bookings(1, 2, 3, 4, 5, 6, 7, 8));
    const left = bookings(1, 8);
    const first = judge(before, candidate(left, { toMs: NOW + 100 * HOUR }), HOLD);
    const later = { nowMs: NOW + 2 * HOUR, toMs: NOW + 102 * HOUR };
    const second = judge(first.next, candidate([booking(8), booking(101)], later), HOLD);
    expect([first, second].map(words)).toEqual(['shrunken', 'shrunken']);
    expect(second.next.hold?.polls).toBe(2);
  });

  it('goes on counting while DTSTAMPs change', () => {
    const before = standing(bookings(1, 2, 3, 4));
    let now = before;
    const codes = [1, 2, 3, 4].map((n) => {
      const verdict = judge(now, candidate([booking(1, { stampMs: NOW + n })]), HOLD);
      now = verdict.next;
      return words(verdict);
    });
    expect(codes).toEqual(['shrunken', 'shrunken', 'shrunken', 'accept']);
  });

  it('names numbers, no people, and what happens next', () => {
    const verdict = looks(bookings(1, 2, 3, 4), [bookings(1)])[0];
    expect(verdict).toMatchObject({ why: expect.stringMatching(/lost 3 of 4 .* look 1 of 3 /) });
  });
});

describe('a held answer', () => {
  const all = bookings(1, 2, 3, 4, 5, 6, 7);
  const denied = (verdict: Verdict | undefined): unknown => (verdict?.accept === false ? verdict.deny : 'accepted');

  it('still refuses what it states to be cancelled or tentative', () => {
    const answer = [booking(1, { status: 'cancelled' }), booking(2, { status: 'tentative' }), booking(3)];
    expect(denied(looks(all, [answer])[0])).toEqual([{ uid: '1' }, { uid: '2' }]);
  });

  it('refuses the old time of what is moved clear of it, not of what is shifted a little', () => {
    const away = booking(1, { startMs: NOW + 50 * HOUR, endMs: NOW + 51 * HOUR });
    const touching = booking(2, { startMs: NOW + 3 * HOUR, endMs: NOW + 4 * HOUR });
    const longer = booking(3, { endMs: NOW + 4.5 * HOUR });
    expect(denied(looks(all, [[away, touching, longer]])[0])).toEqual([{ uid: '1' }, { uid: '2' }]);
  });

  it('names instances of a series by their RECURRENCE-ID', () => {
    const one = booking(1, { uid: 'series', recurrenceId: '20261122T130000Z' });
    const before = [one, ...bookings(2, 3, 4)];
    expect(denied(looks(before, [[{ ...one, status: 'cancelled' }]])[0])).toEqual([
      { uid: 'series', recurrenceId: '20261122T130000Z' },
    ]);
  });

  it('keeps refusing until the booking is stated as before', () => {
    const cancelled = [booking(1, { status: 'cancelled' })];
    const verdicts = looks(all, [cancelled, [], bookings(1), []]);
    expect(verdicts.map(denied)).toEqual([[{ uid: '1' }], [{ uid: '1' }], [], []]);
  });

  it('never speaks of bookings that were not granted', () => {
    expect(denied(looks(all, [[booking(99, { status: 'cancelled' })]])[0])).toEqual([]);
  });
});

describe('whatever a source says', () => {
  const stated = fc.record({
    uid: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    recurrenceId: fc.constantFrom(undefined, 'r1', 'r2'),
    startMs: fc.integer({ min: -5, max: 40 }).map((h) => NOW + h * HOUR),
    status: fc.constantFrom<Stated['status']>('confirmed', 'confirmed', 'confirmed', 'tentative', 'cancelled'),
    sequence: fc.integer({ min: 0, max: 2 }),
    stampMs: fc.integer({ min: 0, max: 3 }),
  });
  const answer = fc.array(
    stated.map((one): Stated => ({ ...one, endMs: one.startMs + HOUR })),
    { maxLength: 12 },
  );

  it('a refusal leaves what was known untouched, names only that, and an accepted answer holds nothing', () => {
    fc.assert(
      fc.property(
        answer,
        fc.array(answer, { maxLength: 8 }),
        fc.integer({ min: 0, max: 4 }),
        (first, rest, holdPolls) => {
          let now = standing(first);
          for (const one of rest) {
            const verdict = judge(now, candidate(one), { holdPolls });
            if (verdict.accept) expect(verdict.next.hold).toBeUndefined();
            else {
              expect(verdict.next.known).toEqual(now.known);
              const known = new Set(keysOf(now));
              for (const { uid, recurrenceId } of verdict.deny) expect(known).toContain(`${uid}${recurrenceId ?? ''}`);
              expect(verdict.next.hold?.polls).toBeLessThanOrEqual(holdPolls);
            }
            now = verdict.next;
          }
        },
      ),
    );
  });

  it('no answer is held longer than so many equal looks', () => {
    fc.assert(
      fc.property(answer, answer, fc.integer({ min: 0, max: 4 }), (first, second, holdPolls) => {
        const verdicts = looks(first, new Array(holdPolls + 1).fill(second), holdPolls);
        expect(verdicts.at(-1)?.accept).toBe(true);
      }),
    );
  });

  it('the order of events plays no part', () => {
    fc.assert(
      fc.property(
        answer,
        answer.chain((one) => fc.tuple(fc.constant(one), fc.shuffledSubarray(one, { minLength: one.length }))),
        (first, [one, other]) => {
          const before = standing(first);
          const left = judge(before, candidate(one), HOLD);
          const right = judge(before, candidate(other), HOLD);
          expect(words(left)).toBe(words(right));
          if (left.accept) expect(keysOf(left.next)).toEqual(keysOf(right.next));
        },
      ),
    );
  });

  it('agrees with the rule in plain words, for single events of one version', () => {
    const plain = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 12 });
    fc.assert(
      fc.property(plain, plain, (before, after) => {
        const lost = before.filter((n) => !after.includes(n)).length;
        const expected =
          lost > 0 && after.length === 0 ? 'empty' : lost >= 2 && lost > before.length / 2 ? 'shrunken' : 'accept';
        expect(words(judge(standing(bookings(...before)), candidate(bookings(...after)), HOLD))).toBe(expected);
      }),
    );
  });
});
