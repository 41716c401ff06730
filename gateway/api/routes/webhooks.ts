/**
 * Messages of booking systems. No session: the signature over the raw bytes is what counts, so the body is taken as it
 * came, and nobody who cannot sign learns why he was refused.
 */
import { z } from 'zod';
import { Fault } from '../../core/errors.ts';
import { type Api, type Context, idParams, problems } from '../context.ts';
import { RateLimiter } from '../limiter.ts';

/** Larger messages are not read to their end. */
export const WEBHOOK_MAX_BYTES = 1024 * 1024;
/** Messages a minute to one source from one address: whoever floods it keeps no other sender out. A booking system that moves a whole day stays below it. */
export const WEBHOOK_MAX_A_MINUTE = 600;
const MINUTE_MS = 60_000;

const accepted = z.object({ status: z.enum(['accepted', 'ignored']) });

export function webhookRoutes(api: Api, ctx: Context): void {
  const { deps, realClock } = ctx;
  const limiter = new RateLimiter(realClock, WEBHOOK_MAX_A_MINUTE, MINUTE_MS);
  void api.register(async (plain) => {
    const scope = plain as unknown as Api;
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.post(
      '/webhooks/:id',
      {
        config: { allow: 'public' },
        bodyLimit: WEBHOOK_MAX_BYTES,
        schema: {
          tags: ['calendars'],
          summary: 'A signed message of a booking system, to the source of this id',
          params: idParams,
          response: { 202: accepted, ...problems },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const { calendars } = deps;
        if (calendars === undefined) throw new Fault('not_found', 'There is no such webhook.');
        // Before anything that costs more: nobody has shown yet that he may send anything.
        const retryAfterS = limiter.waitS(`${id}|${request.ip}`);
        if (retryAfterS > 0) throw new Fault('rate_limited', 'Too many messages to this webhook.', { retryAfterS });
        const kind = await calendars.receive(id, {
          headers: oneOfEach(request.headers),
          body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
          receivedAtMs: deps.clock.now().wallMs,
        });
        switch (kind) {
          case undefined:
            throw new Fault('not_found', 'There is no such webhook.');
          case 'refused':
            throw new Fault('unauthenticated', 'The message is not signed as it must be.');
          case 'malformed':
            throw new Fault('invalid', 'The message cannot be read.');
          case 'ignored':
            return reply.code(202).send({ status: 'ignored' });
          default:
            return reply.code(202).send({ status: 'accepted' });
        }
      },
    );
  });
}

/** A header that comes twice is joined, as HTTP has it. */
function oneOfEach(headers: Readonly<Record<string, string | string[] | undefined>>) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
