/** The built dashboard: hashed files for ever, the page itself never from a cache. */
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { Fault } from '../core/errors.ts';
import { sendProblem } from './problem.ts';

/** Vite puts a hash of the content into every name in here. */
const HASHED = `${path.sep}assets${path.sep}`;
const PAGE = 'index.html';

export async function registerAssets(app: FastifyInstance, dashboardDir: string | undefined): Promise<void> {
  if (dashboardDir !== undefined)
    await app.register(fastifyStatic, {
      root: dashboardDir,
      cacheControl: false,
      preCompressed: true,
      wildcard: true,
      setHeaders: (reply, file) => {
        const hashed = file.includes(HASHED);
        reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  app.setNotFoundHandler((request, reply) => {
    const wantsPage = request.method === 'GET' && /text\/html/.test(request.headers.accept ?? '');
    const elsewhere = /^\/(api|docs|health|metrics|openapi\.json|assets)(\/|$|\?)/.test(request.url);
    // The dashboard has its own addresses, e.g. /rooms/consult-1: the page itself finds its view.
    if (dashboardDir !== undefined && wantsPage && !elsewhere) return reply.sendFile(PAGE);
    return sendProblem(reply, new Fault('not_found', 'There is nothing at this address.'));
  });
}
