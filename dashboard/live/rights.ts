import type { Member } from '../../gateway/wire/clinic.ts';

type Right = Member['rights'][number];
type Day = NonNullable<Right['weekly']>[number]['days'][number];

export const DAYS: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
export const DAY_WORDS: Record<Day, string> = {
  mon: 'Mon',
  tue: 'Tue',
  wed: 'Wed',
  thu: 'Thu',
  fri: 'Fri',
  sat: 'Sat',
  sun: 'Sun',
};

/** `Mon–Fri` for days in a run, `Mon, Wed` for others. */
export function daysText(days: readonly Day[]): string {
  const sorted = DAYS.filter((day) => days.includes(day));
  const first = sorted[0];
  const last = sorted.at(-1);
  if (!first || !last) return 'no day';
  if (sorted.length === DAYS.length) return 'every day';
  const run = DAYS.indexOf(last) - DAYS.indexOf(first) + 1 === sorted.length && sorted.length > 2;
  return run ? `${DAY_WORDS[first]}–${DAY_WORDS[last]}` : sorted.map((day) => DAY_WORDS[day]).join(', ');
}

/** A member's standing rights as one line each; bookings open doors besides. */
export function rightsText(rights: readonly Right[], doorName: (id: string) => string): string[] {
  return rights.map((right) => {
    const doors = right.doors.map(doorName).join(', ');
    if (!right.weekly) return `${doors}: always`;
    return `${doors}: ${right.weekly.map((week) => `${daysText(week.days)} ${week.from}–${week.to}`).join('; ')}`;
  });
}
