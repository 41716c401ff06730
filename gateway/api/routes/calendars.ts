/** The outside calendars: how each stands, and a look at one right now. */
import { Fault } from '../../core/errors.ts';
import * as wire from '../../wire/index.ts';
import { who } from '../access.ts';
import { type Api, type Context, idParams, nothing, problems } from '../context.ts';
import { iso } from '../convert.ts';
import type { CalendarHealth } from '../deps.ts';

export function calendarRoutes(api: Api, ctx: Context): void {
  const { deps } = ctx;
  api.get(
    '/calendars',
    {
      config: { allow: 'calendars.read' },
      schema: {
        tags: ['calendars'],
        summary: 'The outside calendars, and how each stands',
        response: { 200: wire.calendars, ...problems },
      },
    },
    async () => (deps.calendars?.health() ?? []).map(toCalendar),
  );
  api.post(
    '/calendars/:id/refresh',
    {
      config: { allow: 'calendars.refresh' },
      schema: {
        tags: ['calendars'],
        summary: 'Looks at the calendar now; `GET calendars` then tells what came of it',
        params: idParams,
        response: { 202: nothing, ...problems },
      },
    },
    async (request, reply) => {
      if (deps.calendars?.refresh(request.params.id) !== true) {
        throw new Fault('not_found', 'There is no such calendar.');
      }
      request.log.info({ user: who(request).name, source: request.params.id }, 'calendar: a look was asked for');
      return reply.code(202).send(null);
    },
  );
}

function toCalendar(health: CalendarHealth): wire.Calendar {
  const at = (ms: number | undefined) => (ms === undefined ? null : iso(ms));
  return {
    id: health.id,
    kind: health.kind,
    address: health.address,
    state: health.state,
    why: health.why,
    lastTriedAt: at(health.lastTriedAtMs),
    lastGoodAt: at(health.lastGoodAtMs),
    lastChangedAt: at(health.lastChangedAtMs),
    nextAt: at(health.nextAtMs),
    bookings: health.bookings,
    setAside: health.setAside.map(({ uid, summary, code, why, line }) => ({
      uid,
      summary,
      code,
      why,
      line: line ?? null,
    })),
    setAsideTotal: health.setAsideTotal,
  };
}
