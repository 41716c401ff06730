/** A table of calendars and what they come to, one test a row. */
import { describe, expect, it } from 'vitest';
import { type Asked, event, expandText, told, vcalendar } from './calendars-ical.ts';

export interface Row extends Asked {
  readonly name: string;
  /** One VEVENT each; `UID:a` and an hour's length unless said. */
  readonly events: readonly string[];
  /** As `told` writes it. */
  readonly want: readonly string[];
  /** Codes of what is set aside. */
  readonly aside?: readonly string[];
}

export function table(title: string, rows: readonly Row[]): void {
  describe(title, () => {
    for (const { name, events, want, aside = [], ...asked } of rows)
      it(name, () => {
        const answer = expandText(vcalendar(...events.map(event)), asked);
        expect(told(answer)).toEqual(want);
        expect(answer.setAside.map(({ code }) => code)).toEqual(aside);
        for (const { why, line } of answer.setAside) {
          expect(why).toMatch(/\.$/);
          expect(line).toBeGreaterThan(0);
        }
      });
  });
}
