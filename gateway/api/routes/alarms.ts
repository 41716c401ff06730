/** Alarms: open → acknowledged → resolved, by people or by the core. */
import { z } from 'zod';
import { Fault } from '../../core/errors.ts';
import * as wire from '../../wire/index.ts';
import { type Identity, who } from '../access.ts';
import { type Api, type Context, idParams, problems } from '../context.ts';
import { toAlarm } from '../convert.ts';
import { submit } from '../submit.ts';

/** Past alarms in one answer. */
export const ALARMS_LIST_MAX = 1_000;

const query = z.object({
  status: z.enum(['live', 'all']).default('live').describe('`all`: resolved ones too, newest first'),
  limit: z.coerce.number().int().min(1).max(ALARMS_LIST_MAX).default(200),
});

export function alarmRoutes(api: Api, ctx: Context): void {
  const { deps } = ctx;
  api.get(
    '/alarms',
    {
      config: { allow: 'alarms.read' },
      schema: { tags: ['alarms'], querystring: query, response: { 200: wire.alarms, ...problems } },
    },
    async (request) => {
      const { status, limit } = request.query;
      deps.keep();
      const found = status === 'live' ? deps.loop.alarms().slice(0, limit) : deps.store.alarms.list(limit);
      return found.map(toAlarm);
    },
  );
  for (const action of ['acknowledge', 'resolve'] as const) {
    api.post(
      `/alarms/:id/${action}`,
      {
        config: { allow: 'alarms.write' },
        schema: {
          tags: ['alarms'],
          params: idParams,
          body: wire.alarmNote.nullish(),
          response: { 200: wire.alarm, ...problems },
        },
      },
      async (request) => act(ctx, who(request), request.params.id, action, request.body?.note ?? ''),
    );
  }
}

async function act(
  ctx: Context,
  identity: Identity,
  id: string,
  action: 'acknowledge' | 'resolve',
  note: string,
): Promise<wire.Alarm> {
  const { deps } = ctx;
  deps.keep();
  const live = deps.loop.alarms().find((alarm) => alarm.id === id);
  if (!live) {
    const past = deps.store.alarms.list(ALARMS_LIST_MAX).some((alarm) => alarm.id === id);
    throw past
      ? new Fault('conflict', 'This alarm is resolved already.')
      : new Fault('not_found', 'There is no such alarm.');
  }
  await submit(deps, { kind: 'alarm_action', alarm: id, action, user: identity.name, note });
  deps.keep();
  const after =
    deps.loop.alarms().find((alarm) => alarm.id === id) ??
    deps.store.alarms.list(ALARMS_LIST_MAX).find((alarm) => alarm.id === id && alarm.status === 'resolved');
  return toAlarm(
    after ?? { ...live, status: 'resolved', resolvedAtMs: deps.clock.now().wallMs, note: note || live.note },
  );
}
