/** Every example of RFC 5545 §3.8.5.3 (and those of §3.3.10), as wall clocks of New York, where they are set. */
import { describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../../gateway/calendars/rules/civil.ts';
import { RFC_EXAMPLES } from '../../support/calendars-rfc.ts';
import { instances, ruleOf, spelled, wall } from '../../support/calendars-rules.ts';

describe('the examples of RFC 5545', () => {
  for (const { name, start, rules, expected, endless, hoursBehind } of RFC_EXAMPLES)
    it.each(rules)(`${name}: %s`, (rule) => {
      const untilMs = ruleOf(rule).until?.valueMs ?? 0;
      const withinUntil = hoursBehind === undefined ? undefined : (ms: number) => ms + hoursBehind * HOUR_MS <= untilMs;
      const take = endless === true ? expected.length : undefined;
      for (const reading of ['first', 'matching'] as const)
        expect(instances(rule, start, { start: reading, withinUntil, ...(take && { take }) })).toEqual(expected);
    });

  it('Friday the 13th: DTSTART is an instance too, which the example takes out by an EXDATE', () => {
    const rule = 'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13';
    const fridays = spelled('1998-02: 13; 1998-03: 13; 1998-11: 13; 1999-08: 13; 2000-10: 13');
    expect(instances(rule, '1997-09-02 09:00', { take: 6 })).toEqual(['1997-09-02 09:00', ...fridays]);
    expect(instances(rule, '1997-09-02 09:00', { take: 5, start: 'matching' })).toEqual(fridays);
  });

  it('a UTC end is exact: five in the afternoon in London is one in New York', () => {
    const rule = 'FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z';
    const withinUntil = (ms: number) => ms + 4 * HOUR_MS <= wall('1997-09-02 17:00');
    expect(instances(rule, '1997-09-02 09:00', { withinUntil })).toEqual(['1997-09-02 09:00', '1997-09-02 12:00']);
  });
});
