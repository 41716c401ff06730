/** The journal, newest first, as JSON pages or as one CSV stream. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { JournalEntry, JournalQuery } from '../../store/types.ts';
import * as wire from '../../wire/index.ts';
import { who } from '../access.ts';
import { type Api, type Context, given, problems } from '../context.ts';
import { type NameOf, toEvent } from '../convert.ts';
import { csvLine } from '../csv.ts';
import { Turns } from '../turns.ts';
import { namesFor, scopeOf } from '../visibility.ts';

export const EVENTS_PAGE_MAX = 1_000;

const query = z.object({
  from: wire.instant.optional(),
  to: wire.instant.optional(),
  room: wire.id.optional(),
  door: wire.id.optional(),
  kind: z.string().min(1).max(40).optional(),
  cursor: z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .optional()
    .describe('`next` of the page before'),
  limit: z.coerce.number().int().min(1).max(EVENTS_PAGE_MAX).default(100),
  format: z.enum(['json', 'csv']).optional().describe('In place of Accept, for a link to download'),
});

export const CSV_COLUMNS = [
  'seq',
  'id',
  'occurredAt',
  'recordedAt',
  'kind',
  'door',
  'room',
  'member',
  'memberName',
  'outcome',
  'reason',
  'subReason',
  'command',
  'user',
  'note',
  'hash',
] as const satisfies readonly (keyof wire.Event)[];

export function eventRoutes(api: Api, ctx: Context): void {
  const { journal } = ctx.deps.store;
  const turns = new Turns();
  api.get(
    '/events',
    {
      config: { allow: 'events.read' },
      schema: { tags: ['events'], querystring: query, response: { 200: wire.events, ...problems } },
    },
    async (request, reply) => {
      const { from, to, room, door, kind, cursor, limit, format } = request.query;
      const filter: Omit<JournalQuery, 'limit'> = given({
        fromMs: from === undefined ? undefined : Date.parse(from),
        toMs: to === undefined ? undefined : Date.parse(to),
        room,
        door,
        kind,
        beforeSeq: cursor === undefined ? undefined : Number(cursor),
      });
      const names = namesFor(scopeOf(who(request)), ctx.deps.store);
      if (format === 'csv' || (format === undefined && prefersCsv(request.headers.accept))) {
        reply.header('content-type', 'text/csv; charset=utf-8');
        reply.header('content-disposition', 'attachment; filename="doorward-events.csv"');
        reply.serializer((payload: unknown) => payload as string);
        // A slow client has one step waiting for it, not sixteen.
        return reply.send(
          Readable.from(csv(turns.through(journal.walk(filter)), names), { highWaterMark: 1 }) as never,
        );
      }
      const found: JournalEntry[] = [];
      for await (const step of turns.through(journal.walk({ ...filter, limit: limit + 1 }))) found.push(...step);
      const page = found.slice(0, limit);
      const last = page[page.length - 1];
      return {
        items: page.map((entry) => toEvent(entry, names)),
        next: found.length > limit && last ? String(last.seq) : null,
      };
    },
  );
}

function prefersCsv(accept: string | undefined): boolean {
  return accept !== undefined && /^\s*text\/csv\b/i.test(accept);
}

async function* csv(steps: AsyncIterable<readonly JournalEntry[]>, names: NameOf): AsyncGenerator<string> {
  yield csvLine(CSV_COLUMNS);
  for await (const step of steps) {
    if (step.length === 0) continue;
    yield step
      .map((entry) => {
        const event = toEvent(entry, names);
        return csvLine(CSV_COLUMNS.map((column) => event[column]));
      })
      .join('');
  }
}
