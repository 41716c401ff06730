/** Signing in and out. */
import { Fault } from '../../core/errors.ts';
import * as wire from '../../wire/index.ts';
import { who } from '../access.ts';
import { type Api, type Context, nothing, problems } from '../context.ts';
import { SIGN_IN_FAILURES_PER_ADDRESS, SIGN_IN_FAILURES_PER_USER } from '../limiter.ts';
import { beginSession, cookieName } from '../sessions.ts';

export function sessionRoutes(api: Api, ctx: Context): void {
  const { deps, limiter, hasher } = ctx;

  api.post(
    '/session',
    {
      config: { allow: 'public' },
      schema: { tags: ['session'], body: wire.signIn, response: { 200: wire.session, ...problems } },
    },
    async (request) => {
      const { username, password } = request.body;
      const byAddress = `address:${request.ip}`;
      const byUser = `user:${username.toLowerCase()}`;
      const retryAfterS = Math.max(
        limiter.waitS(byAddress, SIGN_IN_FAILURES_PER_ADDRESS),
        limiter.waitS(byUser, SIGN_IN_FAILURES_PER_USER),
      );
      if (retryAfterS > 0)
        throw new Fault('rate_limited', `Too many failed sign-ins; wait ${retryAfterS} s.`, { retryAfterS });
      limiter.add(byAddress);
      limiter.add(byUser);
      const user = deps.store.users.get(username);
      if (!(await hasher.verify(user?.passwordHash, password)) || !user) {
        request.log.warn({ address: request.ip }, 'sign-in refused');
        throw new Fault('wrong_password', 'No user of this name has this password.');
      }
      limiter.forgive(byAddress);
      limiter.clear(byUser);
      const nowMs = ctx.realClock.now().wallMs;
      deps.store.sessions.prune(nowMs);
      const csrf = await beginSession(request, user.name, nowMs);
      return { user: user.name, role: user.role, csrf, member: user.member ?? null };
    },
  );
  api.get(
    '/session',
    {
      config: { allow: 'session.use' },
      schema: { tags: ['session'], response: { 200: wire.session, ...problems } },
    },
    async (request) => {
      const { name, role, member, kind } = who(request);
      return { user: name, role, member, csrf: (kind === 'session' && request.session.csrf) || '' };
    },
  );
  api.delete(
    '/session',
    {
      config: { allow: 'session.use' },
      schema: { tags: ['session'], response: { 204: nothing, ...problems } },
    },
    async (request, reply) => {
      if (who(request).kind === 'session') {
        await request.session.destroy();
        reply.clearCookie(cookieName(deps.cookieSecure), { path: '/', secure: deps.cookieSecure });
      }
      return reply.code(204).send(null);
    },
  );
}
