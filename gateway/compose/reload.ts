/** Which parts of a configuration that was read anew only a restart brings in. */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/index.ts';

/** What `Gateway.reload` takes over while the gateway runs. */
const RULES: ReadonlySet<string> = new Set([
  'earlyMin',
  'lateMin',
  'entranceEarlyMin',
  'maxScheduleAgeH',
  'bufferMin',
  'noShowAfterMin',
  'noShow',
  'overstayAfterMin',
]);

/** Keys of the file's top level, in their order. */
export function partsThatDiffer(running: Config, next: Config): readonly string[] {
  const [before, after] = [withoutRules(running), withoutRules(next)];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => !isDeepStrictEqual(before[key], after[key]));
}

function withoutRules({ bookings, rooms, ...rest }: Config): Readonly<Record<string, unknown>> {
  return {
    ...rest,
    bookings: Object.fromEntries(Object.entries(bookings).filter(([key]) => !RULES.has(key))),
    rooms: rooms.map(({ bookings: _buffer, ...room }) => room),
  };
}
