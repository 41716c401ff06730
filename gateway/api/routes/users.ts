/** Users and machine tokens: the manager's. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Fault } from '../../core/errors.ts';
import type { AccountChange, AccountFact, AccountStanding } from '../../core/facts.ts';
import type { UserRecord } from '../../store/types.ts';
import * as wire from '../../wire/index.ts';
import { who } from '../access.ts';
import { type Api, type Context, idParams, nothing, problems, taken } from '../context.ts';
import { toToken, toUser } from '../convert.ts';
import { ulid } from '../ids.ts';
import { createTokenSecret } from '../passwords.ts';
import { invalid } from '../problem.ts';
import { submit } from '../submit.ts';

const nameParams = z.object({ name: wire.newUser.shape.name });

export function userRoutes(api: Api, ctx: Context): void {
  const { users, sessions } = ctx.deps.store;
  const config = { allow: 'users.manage' } as const;

  api.get('/users', { config, schema: { tags: ['users'], response: { 200: wire.users, ...problems } } }, async () =>
    users.list().map(toUser),
  );
  api.post(
    '/users',
    { config, schema: { tags: ['users'], body: wire.newUser, response: { 201: wire.user, ...problems } } },
    async (request, reply) => {
      const { name } = request.body;
      if (users.get(name)) throw new Fault('conflict', `There is a user ${name} already.`);
      const user = await toRecord(ctx, name, request.body);
      if (users.get(name)) throw new Fault('conflict', `There is a user ${name} already.`);
      users.put(user);
      await journalled(ctx, request, 'user', name, { after: standing(user) });
      return reply.code(201).header('location', `/api/v1/users/${name}`).send(toUser(user));
    },
  );
  api.put(
    '/users/:name',
    {
      config,
      schema: {
        tags: ['users'],
        summary: 'A new user, or a new role and password of a known one, whose sessions end',
        params: nameParams,
        body: wire.userChange,
        response: { 200: wire.user, 201: wire.user, ...problems },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const user = await toRecord(ctx, name, request.body);
      const before = users.get(name);
      if (user.role !== 'manager') keepManager(ctx, before);
      users.put(user);
      sessions.removeOfUser(name);
      await journalled(ctx, request, 'user', name, { before: before && standing(before), after: standing(user) });
      return reply.code(before ? 200 : 201).send(toUser(user));
    },
  );
  api.delete(
    '/users/:name',
    { config, schema: { tags: ['users'], params: nameParams, response: { 204: nothing, ...problems } } },
    async (request, reply) => {
      const { name } = request.params;
      keepManager(ctx, users.get(name));
      const before = taken(users.remove(name), 'user');
      sessions.removeOfUser(name);
      await journalled(ctx, request, 'user', name, { before: standing(before) });
      return reply.code(204).send(null);
    },
  );
}

/** What a journal entry may tell of a user: no part of the password. */
function standing({ role, member }: UserRecord): AccountStanding {
  return { role, member };
}

/** Handed over as a function: where the loop is too busy now, the entry is written as soon as it is not. */
async function journalled(
  ctx: Context,
  request: FastifyRequest,
  account: AccountFact['account'],
  id: string,
  change: AccountChange,
): Promise<void> {
  const by = who(request).name;
  await submit(ctx.deps, () => ({ kind: 'account', account, id, change, by }));
}

async function toRecord(ctx: Context, name: string, body: z.infer<typeof wire.userChange>): Promise<UserRecord> {
  const { role, member, password } = body;
  if (member !== undefined && !ctx.deps.store.members.get(member))
    throw invalid({ path: 'body.member', message: 'there is no such member' });
  if (role === 'practitioner' && member === undefined)
    throw invalid({ path: 'body.member', message: 'a practitioner account stands for a member' });
  return { name, role, member, passwordHash: await ctx.hasher.hash(password) };
}

/** The last manager stays one, or nobody could ever change anything again. */
function keepManager(ctx: Context, leaving: UserRecord | undefined): void {
  if (leaving?.role !== 'manager') return;
  const managers = ctx.deps.store.users.list().filter((user) => user.role === 'manager');
  if (managers.length <= 1) throw new Fault('conflict', `${leaving.name} is the last manager.`);
}

export function tokenRoutes(api: Api, ctx: Context): void {
  const { tokens } = ctx.deps.store;
  const config = { allow: 'users.manage' } as const;

  api.get('/tokens', { config, schema: { tags: ['tokens'], response: { 200: wire.tokens, ...problems } } }, async () =>
    tokens.list().map(toToken),
  );
  api.post(
    '/tokens',
    { config, schema: { tags: ['tokens'], body: wire.newToken, response: { 201: wire.createdToken, ...problems } } },
    async (request, reply) => {
      const { role, note } = request.body;
      const createdAtMs = Math.floor(ctx.deps.clock.now().wallMs);
      const record = { id: `t-${ulid(createdAtMs).toLowerCase()}`, role, note, createdAtMs };
      const { token, secretHash } = createTokenSecret();
      tokens.insert(record, secretHash);
      await journalled(ctx, request, 'token', record.id, { after: { role } });
      return reply.code(201).send({ ...toToken(record), token });
    },
  );
  api.delete(
    '/tokens/:id',
    { config, schema: { tags: ['tokens'], params: idParams, response: { 204: nothing, ...problems } } },
    async (request, reply) => {
      const { id, role } = taken(tokens.remove(request.params.id), 'token');
      await journalled(ctx, request, 'token', id, { before: { role } });
      return reply.code(204).send(null);
    },
  );
}
