/** Members and their credentials. A raw credential number is hashed in the handler and goes nowhere else. */
import { Fault } from '../../core/errors.ts';
import type { CredentialRecord, MemberRecord, RightRecord } from '../../store/types.ts';
import * as wire from '../../wire/index.ts';
import { type Identity, who } from '../access.ts';
import { type Api, type Context, given, idParams, nothing, problems, taken } from '../context.ts';
import { coreCredential, coreMember, toCredential, toMember, toUnknownCard } from '../convert.ts';
import { ulid } from '../ids.ts';
import { invalid } from '../problem.ts';
import { submit } from '../submit.ts';

export function memberRoutes(api: Api, ctx: Context): void {
  const { deps } = ctx;
  const { members } = deps.store;

  api.get(
    '/members',
    {
      config: { allow: 'members.read' },
      schema: { tags: ['members'], response: { 200: wire.members, ...problems } },
    },
    async () => members.list().map(toMember),
  );
  api.post(
    '/members',
    {
      config: { allow: 'members.write' },
      schema: { tags: ['members'], body: wire.newMember, response: { 201: wire.member, ...problems } },
    },
    async (request, reply) => {
      const { id, ...rest } = request.body;
      checkDoors(ctx, rest.rights);
      const member = { ...rest, id: id ?? `m-${ulid(deps.clock.now().wallMs).toLowerCase()}` };
      const after = taken(members.insert(member), 'member');
      await memberInForce(ctx, who(request), after);
      return reply.code(201).header('location', `/api/v1/members/${after.id}`).send(toMember(after));
    },
  );
  api.get(
    '/members/:id',
    {
      config: { allow: 'members.read' },
      schema: { tags: ['members'], params: idParams, response: { 200: wire.member, ...problems } },
    },
    async (request) => {
      const member = members.get(request.params.id);
      if (!member) throw new Fault('not_found', 'There is no such member.');
      return toMember(member);
    },
  );
  api.patch(
    '/members/:id',
    {
      config: { allow: 'members.write' },
      schema: {
        tags: ['members'],
        params: idParams,
        body: wire.memberChange,
        response: { 200: wire.member, ...problems },
      },
    },
    async (request) => {
      checkDoors(ctx, request.body.rights ?? []);
      const after = taken(members.update(request.params.id, given(request.body)), 'member');
      await memberInForce(ctx, who(request), after);
      return toMember(after);
    },
  );
}

function checkDoors(ctx: Context, rights: readonly RightRecord[]): void {
  const known = new Set(ctx.deps.site.doors.map((door) => door.id));
  const faults = rights.flatMap((right, index) =>
    right.doors
      .map((door, place) => ({ door, path: `body.rights.${index}.doors.${place}`, message: 'there is no such door' }))
      .filter(({ door }) => !known.has(door)),
  );
  if (faults.length > 0) throw invalid(...faults.map(({ path, message }) => ({ path, message })));
}

async function memberInForce(ctx: Context, identity: Identity, member: MemberRecord): Promise<void> {
  const { deps } = ctx;
  const stored = () => deps.store.members.get(member.id) ?? member;
  await submit(deps, () => {
    const upsert = [coreMember(stored(), deps.expandRights, deps.clock.now().wallMs)];
    return { kind: 'members', upsert, remove: [], by: identity.name };
  });
  deps.calendars?.membersChanged();
}

export function credentialRoutes(api: Api, ctx: Context): void {
  const { credentials, unknownCards } = ctx.deps.store;

  api.get(
    '/credentials',
    {
      config: { allow: 'credentials.read' },
      schema: { tags: ['credentials'], response: { 200: wire.credentials, ...problems } },
    },
    async () => credentials.list().map(toCredential),
  );
  api.get(
    '/credentials/unknown',
    {
      config: { allow: 'credentials.read' },
      schema: {
        tags: ['credentials'],
        summary: 'Unknown cards just seen, newest first',
        response: { 200: wire.unknownCards, ...problems },
      },
    },
    async () => {
      ctx.deps.keep();
      return unknownCards.list().map((card) => toUnknownCard(card, ctx.deps.site));
    },
  );
  api.post(
    '/credentials',
    {
      config: { allow: 'credentials.write' },
      schema: { tags: ['credentials'], body: wire.newCredential, response: { 201: wire.credential, ...problems } },
    },
    async (request, reply) => {
      const record = enrol(ctx, request.body);
      await credentialInForce(ctx, who(request), record);
      return reply.code(201).send(toCredential(record));
    },
  );
  api.delete(
    '/credentials/:id',
    {
      config: { allow: 'credentials.write' },
      schema: {
        tags: ['credentials'],
        summary: 'Revokes the credential at once',
        params: idParams,
        response: { 204: nothing, ...problems },
      },
    },
    async (request, reply) => {
      const record = taken(credentials.revoke(request.params.id), 'credential');
      await credentialInForce(ctx, who(request), record);
      return reply.code(204).send(null);
    },
  );
}

type NewCredential = ReturnType<typeof wire.newCredential.parse>;

function enrol(ctx: Context, body: NewCredential): CredentialRecord {
  const { store, clock } = ctx.deps;
  if (!store.members.get(body.member)) throw invalid({ path: 'body.member', message: 'there is no such member' });
  const validFromMs = body.validFrom === undefined ? undefined : Date.parse(body.validFrom);
  const validUntilMs = body.validUntil === undefined ? undefined : Date.parse(body.validUntil);
  if (validFromMs !== undefined && validUntilMs !== undefined && validUntilMs <= validFromMs)
    throw invalid({ path: 'body.validUntil', message: 'must be after validFrom' });
  const { hashes, format, last4 } = 'seen' in body ? seenCard(ctx, body.seen) : typedNumber(ctx, body);
  const [hash] = hashes;
  if (hash === undefined) throw invalid({ path: 'body.value', message: 'is no credential number' });
  // A card already known by its facility and number would open for two members when enrolled again by its bits.
  const active = store.credentials.list().some((known) => known.status === 'active' && hashes.includes(known.hash));
  if (active) throw new Fault('conflict', 'This card belongs to a member already; revoke it there first.');
  const record: CredentialRecord = {
    id: `c-${ulid(clock.now().wallMs).toLowerCase()}`,
    member: body.member,
    format,
    hash,
    last4,
    status: 'active',
    validFromMs,
    validUntilMs,
  };
  const stored = taken(store.credentials.insert(record), 'member');
  // Known now, by whichever of its numbers: nobody shall enrol it a second time from the list.
  for (const card of store.unknownCards.list()) if (hashes.includes(card.hash)) store.unknownCards.take(card.id);
  return stored;
}

interface CardNumber {
  readonly hashes: readonly string[];
  readonly format: string;
  readonly last4: string;
}

function seenCard(ctx: Context, id: string): CardNumber {
  ctx.deps.keep();
  const card = ctx.deps.store.unknownCards.list().find((seen) => seen.id === id);
  if (!card) throw new Fault('not_found', 'This card is not among the unknown cards just seen; hold it up again.');
  return { hashes: [card.hash], format: card.format, last4: card.last4 };
}

function typedNumber(ctx: Context, body: Extract<NewCredential, { value: string }>): CardNumber {
  const { format, value } = body;
  const read = ctx.deps.canonicalCredentials({ format, value });
  if (read.fault === undefined)
    return {
      hashes: [...read.canonical, ...(read.also ?? [])].map((text) => ctx.deps.hashCredential(text)),
      format,
      last4: read.last4,
    };
  throw invalid({ path: 'body.value', message: read.fault });
}

async function credentialInForce(ctx: Context, identity: Identity, record: CredentialRecord): Promise<void> {
  const stored = () => coreCredential(ctx.deps.store.credentials.get(record.id) ?? record);
  await submit(ctx.deps, () => ({ kind: 'credentials', upsert: [stored()], remove: [], by: identity.name }));
}
