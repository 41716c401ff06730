/** `GET stream`: server-sent events (WHATWG HTML, 9.2). */
import { z } from 'zod';
import { Fault } from '../../core/errors.ts';
import { type Identity, who } from '../access.ts';
import { type Api, type Context, problems } from '../context.ts';
import { scopeOf } from '../visibility.ts';

/** How long a browser waits before it reconnects by itself. */
const RECONNECT_MS = 1_000;

const query = z.object({
  lastEventId: z.string().max(64).optional().describe('For a client that makes its EventSource anew'),
});

export function streamRoutes(api: Api, ctx: Context): void {
  api.get(
    '/stream',
    {
      exposeHeadRoute: false,
      config: { allow: 'stream.read' },
      schema: {
        tags: ['stream'],
        summary: 'Server-sent events: snapshot, change, ping',
        querystring: query,
        produces: ['text/event-stream'],
        response: { ...problems },
      },
    },
    async (request, reply) => {
      const identity = who(request);
      if (ctx.live.full) throw new Fault('unavailable', 'Too many live streams are open.');
      const header = request.headers['last-event-id'];
      const lastEventId = typeof header === 'string' ? header : request.query.lastEventId;
      const alive = aliveCheck(ctx, identity, request.session?.sessionId);
      reply.hijack();
      reply.raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string | string[]>),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // Proxies that buffer would hold changes back.
        'x-accel-buffering': 'no',
      });
      reply.raw.write(`retry: ${RECONNECT_MS}\n\n`);
      ctx.live.add(reply.raw, scopeOf(identity), lastEventId, alive);
    },
  );
}

/** A stream ends with the session or token that opened it, and does not count as a sign of life for it. */
function aliveCheck(ctx: Context, identity: Identity, sessionId: string | undefined): () => boolean {
  const { users, tokens } = ctx.deps.store;
  const { secretHash } = identity;
  if (identity.kind === 'local') return () => true;
  if (secretHash !== undefined) return () => tokens.bySecretHash(secretHash)?.role === identity.role;
  return () => {
    const user = users.get(identity.name);
    return (
      user?.role === identity.role &&
      (user.member ?? null) === identity.member &&
      sessionId !== undefined &&
      ctx.sessions.alive(sessionId, identity.name)
    );
  };
}
