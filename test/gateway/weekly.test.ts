import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayAround, expandRights, MAX_KNOWN_TIMES, weeklyIntervals } from '../../gateway/calendars/weekly.ts';
import type { WeeklyTimes } from '../../gateway/store/types.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const at = (text: string) => Date.parse(text);
const shown = (intervals: readonly { startMs: number; endMs: number }[]) =>
  intervals.map(({ startMs, endMs }) => `${new Date(startMs).toISOString()} ${new Date(endMs).toISOString()}`);
const times = (days: WeeklyTimes['days'], from: string, to: string): WeeklyTimes => ({ days, from, to });

describe('weekly times', () => {
  it('hold on their days, at the local time of the zone', () => {
    // 2026-11-23 is a Monday; Berlin is at UTC+1.
    const found = weeklyIntervals(
      [times(['mon', 'wed'], '07:00', '20:00')],
      'Europe/Berlin',
      at('2026-11-22T00:00Z'),
      at('2026-11-29T00:00Z'),
    );
    expect(shown(found)).toEqual([
      '2026-11-23T06:00:00.000Z 2026-11-23T19:00:00.000Z',
      '2026-11-25T06:00:00.000Z 2026-11-25T19:00:00.000Z',
    ]);
  });

  it('keep their local time across clock changes', () => {
    const starts = (zone: string, from: string, to: string) =>
      weeklyIntervals([times(DAYS, '07:00', '08:00')], zone, at(from), at(to)).map(({ startMs }) =>
        new Date(startMs).toISOString().slice(0, 16),
      );
    expect(starts('Europe/Berlin', '2026-03-28T00:00Z', '2026-03-30T00:00Z')).toEqual([
      '2026-03-28T06:00',
      '2026-03-29T05:00',
    ]);
    expect(starts('America/New_York', '2026-10-31T05:00Z', '2026-11-02T05:00Z')).toEqual([
      '2026-10-31T11:00',
      '2026-11-01T12:00',
    ]);
  });

  it.each([
    // FACTS 2: right answers at clock changes.
    ['Europe/Berlin', 'sun', '02:30', '2026-03-29T00:00Z', '2026-03-29T01:30:00.000Z'],
    ['America/New_York', 'sun', '02:30', '2026-03-08T00:00Z', '2026-03-08T07:30:00.000Z'],
    ['Europe/Berlin', 'sun', '02:30', '2026-10-25T00:00Z', '2026-10-25T00:30:00.000Z'],
    ['America/New_York', 'sun', '01:30', '2026-11-01T00:00Z', '2026-11-01T05:30:00.000Z'],
  ] as const)('in %s, %s %s after %s begins at %s', (zone, day, from, after, expected) => {
    const [found] = weeklyIntervals([times([day], from, '12:00')], zone, at(after), at(after) + 24 * HOUR_MS);
    expect(found && new Date(found.startMs).toISOString()).toBe(expected);
  });

  it('make one interval of a night, also of the night in which the clocks change', () => {
    const night = [times(DAYS, '22:00', '06:00')];
    const found = weeklyIntervals(night, 'Europe/Berlin', at('2026-03-28T12:00Z'), at('2026-03-29T12:00Z'));
    expect(shown(found)).toEqual(['2026-03-28T21:00:00.000Z 2026-03-29T04:00:00.000Z']);
    const [long] = weeklyIntervals(night, 'Europe/Berlin', at('2026-10-24T12:00Z'), at('2026-10-25T12:00Z'));
    expect(long && (long.endMs - long.startMs) / HOUR_MS).toBe(9);
  });

  it('see a night that began before the range', () => {
    const found = weeklyIntervals(
      [times(['mon'], '22:00', '06:00')],
      'UTC',
      at('2026-11-24T03:00Z'),
      at('2026-11-24T12:00Z'),
    );
    expect(shown(found)).toEqual(['2026-11-24T03:00:00.000Z 2026-11-24T06:00:00.000Z']);
  });

  it('take equal ends for a whole day, and join days that touch', () => {
    const found = weeklyIntervals(
      [times(['mon', 'tue'], '00:00', '00:00')],
      'UTC',
      at('2026-11-20T00:00Z'),
      at('2026-11-27T00:00Z'),
    );
    expect(shown(found)).toEqual(['2026-11-23T00:00:00.000Z 2026-11-25T00:00:00.000Z']);
  });

  it('drop a time that a clock change swallows, and a day that never was', () => {
    const swallowed = weeklyIntervals(
      [times(['sun'], '02:30', '03:10')],
      'Europe/Berlin',
      at('2026-03-28T12:00Z'),
      at('2026-03-29T12:00Z'),
    );
    expect(swallowed).toEqual([]);
    const samoa = weeklyIntervals(
      [times(['fri'], '09:00', '17:00')],
      'Pacific/Apia',
      at('2011-12-29T00:00Z'),
      at('2012-01-01T00:00Z'),
    );
    expect(samoa).toEqual([]);
  });

  it('find nothing in an empty range or without times', () => {
    expect(weeklyIntervals([times(DAYS, '00:00', '00:00')], 'UTC', 5, 5)).toEqual([]);
    expect(weeklyIntervals([], 'UTC', 0, HOUR_MS)).toEqual([]);
  });

  it('stay right when more times were asked for than are remembered', () => {
    const day = [times(DAYS, '09:00', '10:00')];
    const toMs = (MAX_KNOWN_TIMES / 2 + 50) * 24 * HOUR_MS;
    const found = weeklyIntervals(day, 'UTC', 0, toMs);
    expect(found).toHaveLength(MAX_KNOWN_TIMES / 2 + 50);
    expect(found.every(({ startMs }, index) => startMs === index * 24 * HOUR_MS + 9 * HOUR_MS)).toBe(true);
  });
});

const clocks = new Map<string, Intl.DateTimeFormat>();
function wallClock(zone: string): Intl.DateTimeFormat {
  const known =
    clocks.get(zone) ??
    new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  clocks.set(zone, known);
  return known;
}

/** The slow, obvious reference: look at the wall clock of the zone at each minute. */
function holdsAt(weekly: readonly WeeklyTimes[], zone: string, atMs: number): boolean {
  const parts = wallClock(zone).formatToParts(atMs);
  const part = (type: string) => parts.find((candidate) => candidate.type === type)?.value ?? '';
  const today = DAYS.indexOf(part('weekday').toLowerCase() as (typeof DAYS)[number]);
  const clock = `${part('hour')}:${part('minute')}`;
  const has = (day: number, { days }: WeeklyTimes) => days.includes(DAYS[(day + 7) % 7] as (typeof DAYS)[number]);
  return weekly.some((entry) =>
    entry.from < entry.to
      ? has(today, entry) && clock >= entry.from && clock < entry.to
      : (has(today, entry) && clock >= entry.from) || (has(today - 1, entry) && clock < entry.to),
  );
}

const timeOfDay = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom('00', '15', '30', '45'))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${minute}`);
const weeklyTimes = fc.array(
  fc.record({ days: fc.uniqueArray(fc.constantFrom(...DAYS), { minLength: 1 }), from: timeOfDay, to: timeOfDay }),
  { minLength: 1, maxLength: 4 },
);
/** Two days in a zone whose clocks do not change in them, its offset whole quarters of an hour. */
const calm = fc.constantFrom(
  ['Europe/Berlin', '2026-11-18T00:00Z'],
  ['America/New_York', '2026-06-10T00:00Z'],
  ['Asia/Kathmandu', '2026-01-03T00:00Z'],
  ['Pacific/Auckland', '2026-12-30T00:00Z'],
  ['UTC', '2024-02-28T00:00Z'],
);

describe('weekly times against the wall clock', () => {
  it('hold at exactly the quarters at which the wall clock says so', () => {
    fc.assert(
      fc.property(weeklyTimes, calm, fc.integer({ min: 0, max: 600 }), (weekly, [zone, from], shift) => {
        const fromMs = at(from as string) + shift * 15 * MINUTE_MS;
        const toMs = fromMs + 30 * HOUR_MS;
        const found = weeklyIntervals(weekly, zone as string, fromMs, toMs);
        for (let ms = fromMs; ms < toMs; ms += 15 * MINUTE_MS) {
          const inside = found.some(({ startMs, endMs }) => ms >= startMs && ms < endMs);
          if (inside !== holdsAt(weekly, zone as string, ms)) return false;
        }
        return true;
      }),
      { numRuns: 100 },
    );
  });

  it('are sorted, disjoint, not empty and within the range, through every clock change of a year', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Beirut');
    fc.assert(
      fc.property(weeklyTimes, zones, fc.integer({ min: 0, max: 330 }), (weekly, zone, day) => {
        const fromMs = at('2026-01-01T00:00Z') + day * 24 * HOUR_MS;
        const toMs = fromMs + 35 * 24 * HOUR_MS;
        let lastEndMs = fromMs - 1;
        for (const { startMs, endMs } of weeklyIntervals(weekly, zone, fromMs, toMs)) {
          if (startMs <= lastEndMs || endMs <= startMs || startMs < fromMs || endMs > toMs) return false;
          lastEndMs = endMs;
        }
        return true;
      }),
      { numRuns: 60 },
    );
  });

  it('are the same whether a range is asked for at once or in two pieces', () => {
    fc.assert(
      fc.property(weeklyTimes, fc.integer({ min: 1, max: 191 }), (weekly, quarters) => {
        const fromMs = at('2026-03-28T00:00Z');
        const middleMs = fromMs + quarters * 15 * MINUTE_MS;
        const toMs = fromMs + 48 * HOUR_MS;
        const total = (from: number, to: number) =>
          weeklyIntervals(weekly, 'Europe/Berlin', from, to).reduce(
            (sum, { startMs, endMs }) => sum + endMs - startMs,
            0,
          );
        return total(fromMs, middleMs) + total(middleMs, toMs) === total(fromMs, toMs);
      }),
      { numRuns: 60 },
    );
  });
});

describe('rights', () => {
  it('without weekly times have no time limit, others have their intervals', () => {
    const rights = expandRights(
      [{ doors: ['entrance'] }, { doors: ['store'], weekly: [times(['mon'], '08:00', '09:00')] }],
      'UTC',
      at('2026-11-23T00:00Z'),
      at('2026-11-24T00:00Z'),
    );
    expect(rights).toEqual([
      { doors: ['entrance'], when: 'always' },
      { doors: ['store'], when: [{ startMs: at('2026-11-23T08:00Z'), endMs: at('2026-11-23T09:00Z') }] },
    ]);
  });
});

describe('the calendar day', () => {
  it.each([
    ['2026-11-22T16:00Z', '2026-11-21T23:00:00.000Z 2026-11-22T23:00:00.000Z'],
    ['2026-03-29T12:00Z', '2026-03-28T23:00:00.000Z 2026-03-29T22:00:00.000Z'],
    ['2026-10-25T12:00Z', '2026-10-24T22:00:00.000Z 2026-10-25T23:00:00.000Z'],
  ])('around %s in Berlin is %s', (instant, expected) => {
    expect(shown([dayAround(at(instant), 'Europe/Berlin')])).toEqual([expected]);
  });
});
