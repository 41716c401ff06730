/** Who asks, and what each role may do. The server decides here; the dashboard only hides what would be refused. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Fault } from '../core/errors.ts';
import type { Role, Store } from '../store/types.ts';
import { tokenHash } from './passwords.ts';

/**
 * CONTRACT's roles. `practitioner` stands for "own" wherever it appears: the handlers narrow it to the user's member
 * (see visibility.ts). Reception needs to see what a viewer sees to do its work. Integrators see no room: machines
 * that book do not learn who is where.
 */
export const PERMISSIONS = {
  'session.use': ['manager', 'reception', 'viewer', 'practitioner', 'integrator'],
  'site.read': ['manager', 'reception', 'viewer', 'practitioner', 'integrator'],
  'rooms.read': ['manager', 'reception', 'viewer', 'practitioner'],
  'stream.read': ['manager', 'reception', 'viewer', 'practitioner'],
  'history.read': ['manager', 'reception', 'viewer', 'practitioner'],
  'bookings.read': ['manager', 'reception', 'viewer', 'practitioner', 'integrator'],
  'bookings.write': ['manager', 'reception', 'practitioner', 'integrator'],
  'calendars.read': ['manager', 'reception', 'viewer'],
  'calendars.refresh': ['manager', 'reception'],
  'members.read': ['manager', 'reception', 'viewer', 'integrator'],
  'members.write': ['manager', 'reception', 'integrator'],
  'credentials.read': ['manager', 'reception', 'viewer', 'integrator'],
  'credentials.write': ['manager', 'reception', 'integrator'],
  'doors.operate': ['manager', 'reception'],
  'events.read': ['manager', 'reception', 'viewer'],
  'alarms.read': ['manager', 'reception', 'viewer'],
  'alarms.write': ['manager', 'reception'],
  'devices.read': ['manager', 'reception', 'viewer'],
  'devices.test': ['manager'],
  'time.confirm': ['manager'],
  'users.manage': ['manager'],
} as const satisfies Record<string, readonly Role[]>;
export type Permission = keyof typeof PERMISSIONS;

export function mayRole(role: Role, permission: Permission): boolean {
  return (PERMISSIONS[permission] as readonly Role[]).includes(role);
}

export interface Identity {
  readonly kind: 'local' | 'session' | 'token';
  /** As the journal names the one who acted: the sign-in name, or `token:ID`. */
  readonly name: string;
  readonly role: Role;
  /** The member a practitioner's account stands for. */
  readonly member: string | null;
  /** SHA-256 of the token, to see whether it is still valid while a stream is open. */
  readonly secretHash?: string;
}

/** Whoever may open the socket in the data folder (mode 0600) may do all. */
export const LOCAL_ADMINISTRATOR: Identity = {
  kind: 'local',
  name: 'local administrator',
  role: 'manager',
  member: null,
};

const localRequests = new WeakSet<IncomingMessage>();
/** Marks a request that came in by the unix socket. */
export function markLocal(request: IncomingMessage): void {
  localRequests.add(request);
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Permission that the route asks for; `public` needs none. Every route under /api/v1 names one. */
    allow?: Permission | 'public';
  }
  interface FastifyRequest {
    identity: Identity | null;
  }
}

const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Guards every route of its scope. To be registered after the session plugin. */
export function guard(app: FastifyInstance, store: Store): void {
  app.decorateRequest('identity', null);
  app.addHook('onRoute', (route) => {
    if (route.config?.allow === undefined) throw new Error(`route ${route.url} names no permission`);
  });
  app.addHook('onRequest', async (request) => {
    const allow = request.routeOptions.config.allow;
    if (allow === undefined || allow === 'public') return;
    const identity = identify(request, store);
    if (!identity) throw new Fault('unauthenticated', 'This needs a session or a bearer token.');
    if (identity.kind === 'session' && UNSAFE.has(request.method)) checkCsrf(request);
    if (!mayRole(identity.role, allow)) throw new Fault('forbidden', `The role ${identity.role} may not do this.`);
    request.identity = identity;
  });
}

export function identify(request: FastifyRequest, store: Store): Identity | undefined {
  if (localRequests.has(request.raw)) return LOCAL_ADMINISTRATOR;
  const authorization = request.headers.authorization;
  if (authorization !== undefined) return identifyToken(authorization, store);
  const name = request.session?.user;
  if (typeof name !== 'string') return undefined;
  // Read anew each time: a changed role or a removed user counts at once.
  const user = store.users.get(name);
  return user && { kind: 'session', name: user.name, role: user.role, member: user.member ?? null };
}

function identifyToken(authorization: string, store: Store): Identity | undefined {
  const match = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization);
  if (!match?.[1]) return undefined;
  const secretHash = tokenHash(match[1]);
  const token = store.tokens.bySecretHash(secretHash);
  return token && { kind: 'token', name: `token:${token.id}`, role: token.role, member: null, secretHash };
}

function checkCsrf(request: FastifyRequest): void {
  const sent = request.headers['x-csrf-token'];
  const held = request.session.csrf;
  const same = typeof sent === 'string' && typeof held === 'string' && held !== '' && equal(sent, held);
  if (!same) throw new Fault('csrf', 'A write with a session cookie needs the header X-CSRF-Token.');
}

/** In constant time for texts of equal length. */
function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The identity of a guarded route's request. */
export function who(request: FastifyRequest): Identity {
  if (!request.identity) throw new Error('route is not guarded');
  return request.identity;
}
