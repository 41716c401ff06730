/** `doorward booking`. */
import { type Command, InvalidArgumentError } from 'commander';
import { siteZone, withAdmin } from './admin.ts';
import { type Common, type Io, printJson, printTable, Usage } from './io.ts';
import { localTime, parseInstant, TIME_HELP } from './times.ts';

interface Booking {
  readonly id: string;
  readonly room: string;
  readonly holder: string;
  readonly start: string;
  readonly end: string;
  readonly status: string;
  readonly source: string;
  readonly title: string;
  readonly series?: string;
}
interface Made extends Booking {
  readonly bookings?: readonly Booking[];
  readonly leftOut?: readonly { readonly start: string; readonly clash: { readonly id: string } }[];
}

const STEPS = { daily: 'day', weekly: 'week', monthly: 'month' } as const;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const SCOPES = ['this', 'following', 'all'];
const SCOPE_HELP = 'of a series: this, following or all (that is not over)';

function oneOf(known: readonly string[]) {
  return (text: string): string => {
    if (!known.includes(text)) throw new InvalidArgumentError(`Write one of ${known.join(', ')}.`);
    return text;
  };
}
function days(text: string): string[] {
  const found = text.split(',').map((day) => day.trim().toLowerCase());
  if (found.some((day) => !DAYS.includes(day))) throw new InvalidArgumentError(`Write days as ${DAYS.join(',')}.`);
  return found;
}
function date(text: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError('Write a day as 2026-12-24.');
  return text;
}
function whole(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('Write a whole number from 1.');
  return Number(text);
}
const collectDates = (text: string, before: readonly string[] = []) => [...before, date(text)];

const collect = (text: string, before: readonly string[] = []) => [...before, text];

export function bookingCommands(program: Command, io: Io, leaf: (parent: Command, spec: string) => Command): void {
  const booking = program.command('booking').description('bookings of rooms');
  leaf(booking, 'add')
    .description('book a room')
    .requiredOption('--room <id>', 'the room')
    .requiredOption('--member <id>', 'who has it')
    .requiredOption('--start <time>', TIME_HELP, parseInstant)
    .requiredOption('--end <time>', TIME_HELP, parseInstant)
    .option('--delegate <id>', 'a member who may come in the holder’s place; may be repeated', collect)
    .option('--title <title>', 'what for; no patient’s name')
    .option('--id <id>', 'id of your own choice')
    .option('--repeat <how>', 'daily, weekly or monthly, by the building’s clock', oneOf(Object.keys(STEPS)))
    .option('--interval <n>', 'with --repeat: every so many days, weeks or months', whole)
    .option('--days <days>', 'weekly: mon,wed; monthly: the weekday instead of the date', days)
    .option('--until <date>', 'with --repeat: the last day, e.g. 2026-12-24', date)
    .option('--count <n>', 'with --repeat: so many times', whole)
    .option('--except <date>', 'with --repeat: a day that is left out; may be repeated', collectDates)
    .option('--skip-clashes', 'with --repeat: book the times that are free')
    .action(async (options: Common & AddOptions) => add(io, options));
  leaf(booking, 'list')
    .description('list bookings; without times those of the last day and to come')
    .option('--room <id>', 'of this room only')
    .option('--from <time>', `that end after this: ${TIME_HELP}`, parseInstant)
    .option('--to <time>', `that start before this: ${TIME_HELP}`, parseInstant)
    .action(async (options: Common & { room?: string; from?: string; to?: string }) => listBookings(io, options));
  leaf(booking, 'move <id>')
    .description('move a booking to another time or room')
    .option('--room <id>', 'the new room')
    .option('--start <time>', TIME_HELP, parseInstant)
    .option('--end <time>', TIME_HELP, parseInstant)
    .option('--scope <scope>', SCOPE_HELP, oneOf(SCOPES), 'this')
    .action(async (id: string, options: Common & { room?: string; start?: string; end?: string; scope: string }) => {
      const { room, start, end } = options;
      if ([room, start, end].every((value) => value === undefined)) {
        throw new Usage('Say where to: --room, --start or --end.');
      }
      const path = `/bookings/${encodeURIComponent(id)}?scope=${options.scope}`;
      const { after, zone } = await withAdmin(options.data, async (admin) => ({
        after: (await admin.request('PATCH', path, { room, start, end })) as Made,
        zone: await siteZone(admin),
      }));
      if (options.json) printJson(io, after);
      else {
        io.out(`Booking ${after.id} is now: ${sentence(after, zone)}\n`);
        if (after.bookings) io.out(`${after.bookings.length} bookings of its series were changed.\n`);
      }
    });
  leaf(booking, 'cancel <id>')
    .description('cancel a booking')
    .option('--scope <scope>', SCOPE_HELP, oneOf(SCOPES), 'this')
    .action(async (id: string, options: Common & { scope: string }) => {
      const { scope } = options;
      const path = `/bookings/${encodeURIComponent(id)}?scope=${scope}`;
      await withAdmin(options.data, (admin) => admin.request('DELETE', path));
      const more = scope === 'this' ? '' : scope === 'all' ? ' with its whole series' : ' with those after it';
      if (options.json) printJson(io, { id, status: 'cancelled', scope });
      else io.out(`Booking ${id}${more} is cancelled and opens nothing any more.\n`);
    });
}

interface AddOptions {
  readonly room: string;
  readonly member: string;
  readonly start: string;
  readonly end: string;
  readonly delegate?: readonly string[];
  readonly title?: string;
  readonly id?: string;
  readonly repeat?: keyof typeof STEPS;
  readonly interval?: number;
  readonly days?: readonly string[];
  readonly until?: string;
  readonly count?: number;
  readonly except?: readonly string[];
  readonly skipClashes?: boolean;
}

async function add(io: Io, options: Common & AddOptions): Promise<void> {
  const { room, member, start, end, delegate, title, id, repeat, skipClashes } = options;
  const { interval, days: on, until, count, except } = options;
  if (repeat === undefined && [interval, on, until, count, except, skipClashes].some((value) => value !== undefined)) {
    throw new Usage('Say how it repeats: --repeat daily, weekly or monthly.');
  }
  if (repeat !== undefined && (until === undefined) === (count === undefined)) {
    throw new Usage('Say how long it goes on: --until or --count.');
  }
  const rule = repeat && { every: STEPS[repeat], interval, days: on, until, count, except };
  const body = { id, room, holder: member, delegates: delegate, start, end, title, repeat: rule, skipClashes };
  const { made, zone } = await withAdmin(options.data, async (admin) => ({
    made: (await admin.request('POST', '/bookings', body)) as Made,
    zone: await siteZone(admin),
  }));
  if (options.json) return printJson(io, made);
  for (const booking of made.bookings ?? [made]) io.out(`Booking ${booking.id}: ${sentence(booking, zone)}\n`);
  for (const { start: time, clash } of made.leftOut ?? [])
    io.out(`Left out: ${localTime(time, zone)}, taken by ${clash.id}.\n`);
}

async function listBookings(io: Io, options: Common & { room?: string; from?: string; to?: string }): Promise<void> {
  const query = new URLSearchParams();
  for (const key of ['room', 'from', 'to'] as const) {
    const value = options[key];
    if (value !== undefined) query.set(key, value);
  }
  const asked = query.size === 0 ? '/bookings' : `/bookings?${query}`;
  const { bookings, zone } = await withAdmin(options.data, async (admin) => ({
    bookings: (await admin.request('GET', asked)) as Booking[],
    zone: await siteZone(admin),
  }));
  if (options.json) return printJson(io, bookings);
  const rows = bookings.map((booking) => [
    booking.id,
    booking.room,
    localTime(booking.start, zone),
    localTime(booking.end, zone),
    booking.holder,
    booking.status,
    booking.title,
  ]);
  const head = ['ID', 'ROOM', `START (${zone})`, 'END', 'MEMBER', 'STATUS', 'TITLE'];
  printTable(io, head, rows, 'There are no bookings in that time.');
}

function sentence(booking: Booking, zone: string): string {
  const time = `${localTime(booking.start, zone)} to ${localTime(booking.end, zone)} (${zone})`;
  return `${booking.room} for member ${booking.holder}, ${time}, ${booking.status}.`;
}
