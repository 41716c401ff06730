/** Occupancy and climate over time, from InfluxDB or the embedded history. */
import { z } from 'zod';
import { Fault } from '../../core/errors.ts';
import * as wire from '../../wire/index.ts';
import { type Identity, who } from '../access.ts';
import { type Api, type Context, problems } from '../context.ts';
import { iso } from '../convert.ts';
import type { HistoryQuery } from '../deps.ts';
import { invalid } from '../problem.ts';
import { ownRooms, scopeOf } from '../visibility.ts';

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DEFAULT_SPAN_MS = 24 * UNIT_MS.h;
/** Points in one answer; a chart has a few hundred pixels. */
export const SERIES_POINTS_MAX = 20_000;

const every = z.string().regex(/^[1-9][0-9]{0,5}[smhd]$/, 'is a number and one of s, m, h, d, e.g. 60s');
const query = z.object({
  room: wire.id,
  from: wire.instant.optional().describe('A day before `to` when absent'),
  to: wire.instant.optional().describe('Now when absent'),
  every: every.default('60s').describe('Step of the series'),
});

export function historyRoutes(api: Api, ctx: Context): void {
  const config = { allow: 'history.read' } as const;
  api.get(
    '/occupancy',
    {
      config,
      schema: { tags: ['history'], querystring: query, response: { 200: wire.occupancySeries, ...problems } },
    },
    async (request) => {
      const samples = await ctx.deps.history.occupancy(toQuery(ctx, who(request), request.query));
      return { series: samples.map(({ atMs, ...rest }) => ({ at: iso(atMs), ...rest })) };
    },
  );
  api.get(
    '/climate',
    {
      config,
      schema: { tags: ['history'], querystring: query, response: { 200: wire.climateSeries, ...problems } },
    },
    async (request) => {
      const samples = await ctx.deps.history.climate(toQuery(ctx, who(request), request.query));
      return { series: samples.map(({ atMs, ...rest }) => ({ at: iso(atMs), ...rest })) };
    },
  );
}

/** `90s` → 90 000 ms; the schema has seen to its form. */
export function parseEvery(text: string): number {
  const unit = text.slice(-1) as keyof typeof UNIT_MS;
  return Number(text.slice(0, -1)) * UNIT_MS[unit];
}

function toQuery(ctx: Context, identity: Identity, asked: z.infer<typeof query>): HistoryQuery {
  const { site, clock } = ctx.deps;
  const nowMs = clock.now().wallMs;
  const own = ownRooms(ctx.deps, scopeOf(identity), nowMs);
  if (!site.rooms.some((room) => room.id === asked.room) || (own && !own.has(asked.room)))
    throw new Fault('not_found', 'There is no such room.');
  const toMs = asked.to === undefined ? nowMs : Date.parse(asked.to);
  const fromMs = asked.from === undefined ? toMs - DEFAULT_SPAN_MS : Date.parse(asked.from);
  const everyMs = parseEvery(asked.every);
  if (fromMs >= toMs) throw invalid({ path: 'querystring.to', message: 'must be after from' });
  if ((toMs - fromMs) / everyMs > SERIES_POINTS_MAX)
    throw invalid({ path: 'querystring.every', message: `more than ${SERIES_POINTS_MAX} points; take a longer step` });
  return { room: asked.room, fromMs, toMs, everyMs };
}
