/** `doorward booking`. */
import type { Command } from 'commander';
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
}

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
    .action(async (options: Common & AddOptions) => {
      const { room, member, start, end, delegate, title, id } = options;
      const body = { id, room, holder: member, delegates: delegate, start, end, title };
      const { made, zone } = await withAdmin(options.data, async (admin) => ({
        made: (await admin.request('POST', '/bookings', body)) as Booking,
        zone: await siteZone(admin),
      }));
      if (options.json) printJson(io, made);
      else io.out(`Booking ${made.id}: ${sentence(made, zone)}\n`);
    });
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
    .action(async (id: string, options: Common & { room?: string; start?: string; end?: string }) => {
      const { room, start, end } = options;
      if ([room, start, end].every((value) => value === undefined)) {
        throw new Usage('Say where to: --room, --start or --end.');
      }
      const path = `/bookings/${encodeURIComponent(id)}`;
      const { after, zone } = await withAdmin(options.data, async (admin) => ({
        after: (await admin.request('PATCH', path, { room, start, end })) as Booking,
        zone: await siteZone(admin),
      }));
      if (options.json) printJson(io, after);
      else io.out(`Booking ${after.id} is now: ${sentence(after, zone)}\n`);
    });
  leaf(booking, 'cancel <id>')
    .description('cancel a booking')
    .action(async (id: string, options: Common) => {
      await withAdmin(options.data, (admin) => admin.request('DELETE', `/bookings/${encodeURIComponent(id)}`));
      if (options.json) printJson(io, { id, status: 'cancelled' });
      else io.out(`Booking ${id} is cancelled and opens nothing any more.\n`);
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
