/** Makes the web application; `listen.ts` puts it on a port. */
import fastifyCompress from '@fastify/compress';
import fastifyHelmet from '@fastify/helmet';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { guard } from './access.ts';
import { registerAssets } from './assets.ts';
import type { Api, Context } from './context.ts';
import { roomPlaces } from './convert.ts';
import type { ApiDeps } from './deps.ts';
import { registerDocs } from './docs.ts';
import { registerHealth } from './health.ts';
import { ulid } from './ids.ts';
import { FailureLimiter } from './limiter.ts';
import { LiveHub } from './live/hub.ts';
import { PasswordHasher } from './passwords.ts';
import { handleError } from './problem.ts';
import { alarmRoutes } from './routes/alarms.ts';
import { bookingRoutes } from './routes/bookings.ts';
import { calendarRoutes } from './routes/calendars.ts';
import { deviceRoutes } from './routes/devices.ts';
import { eventRoutes } from './routes/events.ts';
import { historyRoutes } from './routes/history.ts';
import { credentialRoutes, memberRoutes } from './routes/people.ts';
import { roomRoutes } from './routes/rooms.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { streamRoutes } from './routes/stream.ts';
import { timeRoutes } from './routes/time.ts';
import { tokenRoutes, userRoutes } from './routes/users.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { registerSessions, SessionStore } from './sessions.ts';

export const BODY_MAX_BYTES = 256 * 1024;
/** Smaller answers are not worth a deflate. */
const COMPRESS_FROM_BYTES = 2_048;
/** Longest part of a path, e.g. a booking's id. */
const PARAM_MAX = 300;

const ROUTES = [
  sessionRoutes,
  roomRoutes,
  timeRoutes,
  bookingRoutes,
  calendarRoutes,
  webhookRoutes,
  memberRoutes,
  credentialRoutes,
  alarmRoutes,
  eventRoutes,
  historyRoutes,
  deviceRoutes,
  userRoutes,
  tokenRoutes,
  streamRoutes,
];

/** The application with all routes, ready to be injected into or listened with; it listens to nothing itself. */
export async function buildApi(deps: ApiDeps): Promise<FastifyInstance> {
  const realClock = deps.realClock ?? deps.clock;
  const places = roomPlaces(deps.site);
  const ctx: Context = {
    deps,
    realClock,
    sessions: new SessionStore(deps.store.sessions, realClock, deps.sessionIdleMin),
    hasher: new PasswordHasher(),
    limiter: new FailureLimiter(realClock),
    live: new LiveHub(deps, realClock, places),
    places,
  };
  const app: FastifyInstance = fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    // One line at its end instead, without address and query: see onResponse.
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    bodyLimit: BODY_MAX_BYTES,
    routerOptions: { maxParamLength: PARAM_MAX },
    genReqId: () => ulid(realClock.now().wallMs),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(handleError);
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions, identity } = request;
    const ms = Math.round(reply.elapsedTime);
    deps.answered?.({
      method,
      route: routeOptions.url ?? '',
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
    request.log.debug({ method, route: routeOptions.url, status: reply.statusCode, ms, user: identity?.name }, 'http');
  });
  tolerateEmptyBodies(app);
  await app.register(fastifyHelmet, securityHeaders(deps));
  await app.register(fastifyCompress, { threshold: COMPRESS_FROM_BYTES, encodings: ['gzip', 'identity'] });
  await registerDocs(app, deps.version);
  registerHealth(app, deps);
  await app.register(
    async (scope) => {
      await registerSessions(scope, deps, ctx.sessions);
      guard(scope, deps.store);
      scope.addHook('onSend', async (_request, reply) => {
        if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
      });
      for (const routes of ROUTES) routes(scope as unknown as Api, ctx);
    },
    { prefix: '/api/v1' },
  );
  await registerAssets(app, deps.dashboardDir);
  const stop = deps.bookingsOutside?.((before, after) => ctx.live.bookingsChanged(before, after));
  if (stop !== undefined) app.addHook('onClose', async () => stop());
  // Before connections are waited for: an open stream never ends by itself.
  app.addHook('preClose', async () => ctx.live.close());
  await app.ready();
  return app;
}

/** Many clients name JSON as their content type on every request, also on a DELETE without a body. */
function tolerateEmptyBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else parse(request, body, done);
  });
}

/** OWASP's headers. Over plain HTTP nothing may ask the browser for TLS: a clinic's panel would stay blank. */
function securityHeaders(deps: ApiDeps) {
  return {
    contentSecurityPolicy: {
      useDefaults: true,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        workerSrc: ["'self'"],
        frameAncestors: ["'none'"],
        upgradeInsecureRequests: deps.cookieSecure ? [] : null,
      },
    },
    strictTransportSecurity: deps.cookieSecure ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    // Both mean nothing, or break, where the page has no secure origin.
    crossOriginOpenerPolicy: deps.cookieSecure ? { policy: 'same-origin' as const } : false,
    originAgentCluster: deps.cookieSecure,
    referrerPolicy: { policy: 'no-referrer' as const },
  };
}
