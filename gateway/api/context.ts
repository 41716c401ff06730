/** What the routes share, and the small words they are written in. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Fault } from '../core/errors.ts';
import type { Booking } from '../core/records.ts';
import type { Clock } from '../loop/types.ts';
import type { Result } from '../store/types.ts';
import { problem } from '../wire/index.ts';
import { type RoomPlace, toBooking } from './convert.ts';
import type { ApiDeps } from './deps.ts';
import type { FailureLimiter } from './limiter.ts';
import type { LiveHub } from './live/hub.ts';
import type { PasswordHasher } from './passwords.ts';
import type { SessionStore } from './sessions.ts';

export interface Context {
  readonly deps: ApiDeps;
  /** Real time: sessions, limits, pings. */
  readonly realClock: Clock;
  readonly sessions: SessionStore;
  readonly hasher: PasswordHasher;
  readonly limiter: FailureLimiter;
  readonly live: LiveHub;
  readonly places: ReadonlyMap<string, RoomPlace>;
}

/** A Fastify scope whose handlers are typed by their zod schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Longest id taken from a path; calendars bring long ones. */
const ID_MAX = 256;
export const idParams = z.object({ id: z.string().min(1).max(ID_MAX) });
export const nothing = z.null().describe('No content');

/** The refusals that any guarded route may give, for the OpenAPI document. */
export const problems = { '4xx': problem, '5xx': problem } as const;

/** Takes the store's value, or throws its refusal as what the client is told. */
export function taken<T>(result: Result<T>, what: string, showClash: (clash: Booking) => unknown = toBooking): T {
  if (result.ok) return result.value;
  if (result.code === 'not_found') throw new Fault('not_found', `There is no such ${what}.`);
  if (result.code === 'conflict') throw new Fault('conflict', result.why);
  throw new Fault('booking_overlap', 'Another booking of the room overlaps this one.', {
    clash: showClash(result.clash),
  });
}

/** Keeps only the keys that say something, so that a change never overwrites with nothing. */
export function given<T extends object>(change: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
