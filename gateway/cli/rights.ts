/** Rights as they are written on the command line: `DOORS` or `DOORS@DAYS FROM-TO`. */
import { InvalidArgumentError } from 'commander';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
type Day = (typeof DAYS)[number];
const TIME = /^([01][0-9]|2[0-3]):[0-5][0-9]$/;

export interface RightInput {
  readonly doors: readonly string[];
  readonly weekly?: readonly { readonly days: readonly Day[]; readonly from: string; readonly to: string }[];
}

export const RIGHT_HELP =
  'doors, and their times if not always: "entrance,store" or "entrance@mon-fri 06:00-22:00"; may be repeated';

/** For commander: adds one right to those before it. */
export function collectRight(text: string, before: readonly RightInput[] = []): readonly RightInput[] {
  return [...before, parseRight(text)];
}

export function parseRight(text: string): RightInput {
  const [doorsText = '', timesText] = text.split('@');
  const doors = doorsText.split(',').map((door) => door.trim());
  if (doors.some((door) => door === '')) throw new InvalidArgumentError('Name the doors, separated by commas.');
  if (timesText === undefined) return { doors };
  const match = /^(\S+)\s+([0-9:]+)-([0-9:]+)$/.exec(timesText.trim());
  const [, daysText = '', from = '', to = ''] = match ?? [];
  if (!TIME.test(from) || !TIME.test(to)) {
    throw new InvalidArgumentError('Write the times as DAYS HH:MM-HH:MM, e.g. mon-fri 06:00-22:00.');
  }
  return { doors, weekly: [{ days: parseDays(daysText), from, to }] };
}

/** `mon-fri`, `sat,sun`, `fri-mon`, `daily`. */
function parseDays(text: string): readonly Day[] {
  if (text === 'daily') return DAYS;
  const chosen = new Set<Day>();
  for (const part of text.split(',')) {
    const [first, last = first] = part.split('-').map((name) => DAYS.indexOf(name as Day));
    if (first === undefined || last === undefined || first < 0 || last < 0) {
      throw new InvalidArgumentError(`Write days as ${DAYS.join(', ')}, mon-fri or daily.`);
    }
    for (let day = first; ; day = (day + 1) % DAYS.length) {
      const name = DAYS[day];
      if (name !== undefined) chosen.add(name);
      if (day === last) break;
    }
  }
  return DAYS.filter((day) => chosen.has(day));
}

/** The way back, for lists. */
export function rightText(right: RightInput): string {
  const doors = right.doors.join(',');
  if (right.weekly === undefined) return `${doors} always`;
  return right.weekly.map(({ days, from, to }) => `${doors}@${days.join(',')} ${from}-${to}`).join('; ');
}
