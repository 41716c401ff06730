/** For service managers and monitoring: no sign-in, and nothing personal. */
import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from './deps.ts';

export function registerHealth(app: FastifyInstance, deps: ApiDeps): void {
  const schema = { hide: true };
  app.get('/health/live', { schema }, async (_request, reply) =>
    reply
      .header('cache-control', 'no-store')
      .type('application/json')
      .send(JSON.stringify({ status: 'ok' })),
  );
  app.get('/health/ready', { schema }, async (_request, reply) => {
    const { ready, parts } = deps.health();
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .type('application/json')
      .send(JSON.stringify({ status: ready ? 'ready' : 'not_ready', parts }));
  });
  app.get('/metrics', { schema }, async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await deps.metricsText()),
  );
}
