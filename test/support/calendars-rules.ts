/** Recurrence rules for tests: wall clocks as text, and expected lists written month by month as people write them. */
import { Budget } from '../../gateway/calendars/rules/budget.ts';
import { type RecurOptions, recur } from '../../gateway/calendars/rules/recur.ts';
import { isRuleFault, parseRule, type Rule } from '../../gateway/calendars/rules/rule.ts';

/** Enough for any honest rule of these tests. */
export const PLENTY_STEPS = 1_000_000;

/** Local milliseconds of `1997-09-02 09:00`, `1997-09-02 09:00:30` or `1997-09-02`. */
export function wall(text: string): number {
  const ms = Date.parse(`${text.replace(' ', 'T').padEnd(16, 'T00:00').padEnd(19, ':00')}Z`);
  if (Number.isNaN(ms)) throw new Error(`${text} is no wall clock`);
  return ms;
}

/** `1997-09-02 09:00`, with seconds where there are any. */
export function wallText(localMs: number): string {
  return new Date(localMs).toISOString().slice(0, 19).replace('T', ' ').replace(/:00$/, '');
}

export function ruleOf(text: string): Rule {
  const rule = parseRule(text);
  if (isRuleFault(rule)) throw new Error(`${text}: ${rule.why}`);
  return rule;
}

export interface Asked extends Partial<RecurOptions> {
  /** No more than so many are taken. */
  readonly take?: number;
}

export function instances(rule: string | Rule, start: string, asked: Asked = {}): string[] {
  const found: string[] = [];
  const options = { untilLocalMs: wall('9999-12-31'), budget: new Budget(PLENTY_STEPS), ...asked };
  const take = asked.take ?? Number.POSITIVE_INFINITY;
  if (take <= 0) return found;
  for (const ms of recur(typeof rule === 'string' ? ruleOf(rule) : rule, wall(start), options)) {
    found.push(wallText(ms));
    if (found.length >= take) break;
  }
  return found;
}

/**
 * Spells out a list like `1997-09: 2 4-6; 1997-10: 1` at a time of day.
 * @param times of each day, `09:00` unless told otherwise
 */
export function spelled(list: string, times: readonly string[] = ['09:00']): string[] {
  return list.split(';').flatMap((part) => {
    const [month = '', days = ''] = part.split(':').map((side) => side.trim());
    return days.split(/\s+/).flatMap((range) => {
      const [first, last = first] = range.split('-').map(Number);
      if (first === undefined || last === undefined) throw new Error(`${range} is no range of days`);
      const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
      return numbers.flatMap((day) => times.map((time) => `${month}-${String(day).padStart(2, '0')} ${time}`));
    });
  });
}
