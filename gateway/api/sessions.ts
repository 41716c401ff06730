/** Sessions of the web in SQLite: signed cookie, kept under the hash of its id, over after idling or a working day. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import type { FastifyInstance, FastifyRequest, Session } from 'fastify';
import type { Clock } from '../loop/types.ts';
import type { Sessions } from '../store/types.ts';
import type { ApiDeps } from './deps.ts';

/** However busy, a session ends after this long (OWASP ASVS 5, 7.3.2). */
export const SESSION_MAX_MS = 12 * 3_600_000;
/** A session is written anew when this part of its idle time has passed, not at every request. */
const TOUCH_PART = 20;
const CSRF_BYTES = 24;
const MINUTE_MS = 60_000;

declare module 'fastify' {
  interface Session {
    user?: string;
    csrf?: string;
    createdAtMs?: number;
  }
}

/** What is stored; `user` comes first, so that the store finds a user's sessions. */
interface Stored {
  readonly user: string;
  readonly csrf: string;
  readonly createdAtMs: number;
  readonly seenAtMs: number;
  readonly cookie: Session['cookie'];
}

type Done = (error?: unknown) => void;

/** Adapts `Store.sessions` to @fastify/session, with our clock in place of the cookie's. */
export class SessionStore {
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #idleMs: number;
  constructor(sessions: Sessions, clock: Clock, idleMin: number) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#idleMs = idleMin * MINUTE_MS;
  }

  get(id: string, done: (error: unknown, session?: Session | null) => void): void {
    try {
      done(null, this.#read(id, true));
    } catch (error) {
      done(error);
    }
  }

  set(id: string, session: Session, done: Done): void {
    try {
      if (session.user !== undefined) this.#write(id, session);
      done();
    } catch (error) {
      done(error);
    }
  }

  destroy(id: string, done: Done): void {
    try {
      this.#sessions.remove(key(id));
      done();
    } catch (error) {
      done(error);
    }
  }

  /** Whether the session lives and is the user's, without counting this as a sign of life. */
  alive(id: string, user: string): boolean {
    return this.#read(id, false)?.user === user;
  }

  #read(id: string, touch: boolean): Session | null {
    const json = this.#sessions.get(key(id));
    if (json === undefined) return null;
    const stored = JSON.parse(json) as Stored;
    const nowMs = this.#clock.now().wallMs;
    if (nowMs >= stored.seenAtMs + this.#idleMs || nowMs >= stored.createdAtMs + SESSION_MAX_MS) {
      this.#sessions.remove(key(id));
      return null;
    }
    const { user, csrf, createdAtMs, cookie } = stored;
    if (touch && nowMs - stored.seenAtMs >= this.#idleMs / TOUCH_PART)
      this.#write(id, { user, csrf, createdAtMs, cookie });
    return { user, csrf, createdAtMs, cookie };
  }

  #write(id: string, session: Session): void {
    const nowMs = this.#clock.now().wallMs;
    const stored: Stored = {
      user: session.user ?? '',
      csrf: session.csrf ?? '',
      createdAtMs: session.createdAtMs ?? nowMs,
      seenAtMs: nowMs,
      cookie: session.cookie,
    };
    const expiresAtMs = Math.min(nowMs + this.#idleMs, stored.createdAtMs + SESSION_MAX_MS);
    this.#sessions.set(key(id), JSON.stringify(stored), expiresAtMs);
  }
}

/** Who reads the database cannot take a session over from it. */
function key(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}

export function cookieName(secure: boolean): string {
  // The prefix makes browsers refuse the cookie from anything but this very host over TLS.
  return secure ? '__Host-doorward' : 'doorward';
}

export async function registerSessions(app: FastifyInstance, deps: ApiDeps, store: SessionStore): Promise<void> {
  await app.register(fastifyCookie);
  await app.register(fastifySession, {
    secret: createHmac('sha256', deps.store.secret).update('doorward session cookie').digest('base64url'),
    cookieName: cookieName(deps.cookieSecure),
    // No expiry: the browser forgets it when it closes, the store when it idles.
    cookie: { path: '/', httpOnly: true, sameSite: 'strict', secure: deps.cookieSecure },
    store,
    saveUninitialized: false,
    rolling: false,
  });
}

/** A new session for a user who has just proved who he is; whatever id came in is thrown away. */
export async function beginSession(request: FastifyRequest, user: string, nowMs: number): Promise<string> {
  await request.session.regenerate();
  const csrf = randomBytes(CSRF_BYTES).toString('base64url');
  request.session.user = user;
  request.session.csrf = csrf;
  request.session.createdAtMs = nowMs;
  return csrf;
}
