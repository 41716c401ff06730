/** The house as it is now: site, rooms, doors; and an operator's word to a door. */
import { Fault } from '../../core/errors.ts';
import type { DoorView } from '../../core/views.ts';
import * as wire from '../../wire/index.ts';
import { type Identity, who } from '../access.ts';
import { type Api, type Context, idParams, problems } from '../context.ts';
import { toDoor, toRoom, toSite } from '../convert.ts';
import { ulid } from '../ids.ts';
import { submit } from '../submit.ts';
import { maskRoom, namesFor, ownRooms, scopeOf, seesDoor } from '../visibility.ts';

/** CONTRACT: a command is `unknown` when nothing came within its hold time and this. */
export const OUTCOME_MARGIN_MS = 5_000;

export function roomRoutes(api: Api, ctx: Context): void {
  const { deps } = ctx;

  api.get(
    '/site',
    { config: { allow: 'site.read' }, schema: { tags: ['site'], response: { 200: wire.site, ...problems } } },
    async () => toSite(deps),
  );
  api.get(
    '/rooms',
    { config: { allow: 'rooms.read' }, schema: { tags: ['rooms'], response: { 200: wire.rooms, ...problems } } },
    async (request) => visibleRooms(ctx, who(request)),
  );
  api.get(
    '/rooms/:id',
    {
      config: { allow: 'rooms.read' },
      schema: { tags: ['rooms'], params: idParams, response: { 200: wire.room, ...problems } },
    },
    async (request) => {
      const found = visibleRooms(ctx, who(request), request.params.id)[0];
      if (!found) throw new Fault('not_found', 'There is no such room.');
      return found;
    },
  );
  api.get(
    '/doors',
    { config: { allow: 'rooms.read' }, schema: { tags: ['doors'], response: { 200: wire.doors, ...problems } } },
    async (request) => visibleDoors(ctx, who(request)).map(toDoor),
  );
  api.get(
    '/doors/:id',
    {
      config: { allow: 'rooms.read' },
      schema: { tags: ['doors'], params: idParams, response: { 200: wire.door, ...problems } },
    },
    async (request) => {
      const found = visibleDoors(ctx, who(request)).find((door) => door.id === request.params.id);
      if (!found) throw new Fault('not_found', 'There is no such door.');
      return toDoor(found);
    },
  );
  for (const op of ['unlock', 'lock'] as const) {
    api.post(
      `/doors/:id/${op}`,
      {
        config: { allow: 'doors.operate' },
        schema: {
          tags: ['doors'],
          summary: 'Waits for the outcome that the lock reports',
          params: idParams,
          body: wire.doorAction,
          response: { 200: wire.doorOutcome, ...problems },
        },
      },
      async (request) => operate(ctx, who(request), request.params.id, op, request.body.reason),
    );
  }
}

function visibleRooms(ctx: Context, identity: Identity, only?: string): wire.Room[] {
  const { deps, places } = ctx;
  const scope = scopeOf(identity);
  const own = ownRooms(deps, scope, deps.clock.now().wallMs);
  const names = namesFor(scope, deps.store);
  return deps.loop
    .rooms()
    .filter((room) => (only === undefined || room.id === only) && (own === undefined || own.has(room.id)))
    .map((room) => toRoom(maskRoom(room, scope, deps.store.bookings), places.get(room.id), names));
}

function visibleDoors(ctx: Context, identity: Identity): DoorView[] {
  const { deps } = ctx;
  const own = ownRooms(deps, scopeOf(identity), deps.clock.now().wallMs);
  return deps.loop.doors().filter((door) => seesDoor(door, own));
}

async function operate(ctx: Context, identity: Identity, id: string, op: 'unlock' | 'lock', reason: string) {
  const { deps } = ctx;
  const door = deps.site.doors.find((known) => known.id === id);
  if (!door) throw new Fault('not_found', 'There is no such door.');
  const command = ulid(deps.clock.now().wallMs);
  await submit(deps, { kind: 'operator_door', op, command, door: id, user: identity.name, reason });
  const holdMs = op === 'unlock' ? door.strikeMs : 0;
  const { outcome, why } = await deps.loop.outcome(command, holdMs + OUTCOME_MARGIN_MS);
  return { command, outcome, ...(why === undefined ? {} : { why }) };
}
