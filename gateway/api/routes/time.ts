/** The operator's word on the wall clock, for a gateway that cannot know the time by itself. */
import { Fault } from '../../core/errors.ts';
import * as wire from '../../wire/index.ts';
import { type Api, type Context, problems } from '../context.ts';
import { toSite } from '../convert.ts';

export function timeRoutes(api: Api, ctx: Context): void {
  const { deps } = ctx;
  api.post(
    '/time/confirm',
    {
      config: { allow: 'time.confirm' },
      schema: {
        tags: ['site'],
        summary: 'Confirms that the gateway’s clock is right',
        response: { 200: wire.site, ...problems },
      },
    },
    async (request) => {
      if (!deps.confirmTime) throw new Fault('unavailable', 'This gateway takes its time from elsewhere.');
      await deps.confirmTime();
      request.log.info({ user: request.identity?.name }, 'the clock was confirmed');
      return toSite(deps);
    },
  );
}
