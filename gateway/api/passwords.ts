/** Passwords and machine tokens: Argon2id as OWASP's password storage sheet has it, SHA-256 for random tokens. */
import { createHash, randomBytes } from 'node:crypto';
import { hash, hashSync, verify } from '@node-rs/argon2';
import { Fault } from '../core/errors.ts';
import type { Store } from '../store/types.ts';

/** 19 MiB, two passes, one lane; the package's default algorithm is Argon2id. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** Hashes worked at once: each takes 19 MiB and a core. */
export const HASHES_AT_ONCE = 2;
/** Sign-ins that may wait for a turn; more are told to come back. */
export const HASHES_WAITING_MAX = 20;

/** Sign-in name of the first manager. */
export const FIRST_MANAGER = 'manager';
const FIRST_PASSWORD_BYTES = 15;
const TOKEN_BYTES = 32;

export class PasswordHasher {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #dummy: string | undefined;

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(password, ARGON2));
  }

  /** Takes as long for an unknown user (`stored` undefined) as for a wrong password. */
  verify(stored: string | undefined, password: string): Promise<boolean> {
    return this.#inTurn(async () => {
      if (stored !== undefined) return verify(stored, password).catch(() => false);
      this.#dummy ??= await hash(randomBytes(TOKEN_BYTES), ARGON2);
      await verify(this.#dummy, password);
      return false;
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= HASHES_AT_ONCE) {
      if (this.#waiting.length >= HASHES_WAITING_MAX)
        throw new Fault('unavailable', 'Too many sign-ins at once.', { retryAfterS: 2 });
      // The one who leaves hands its turn over, so that `#running` never counts one too many.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

/**
 * Makes the first manager (user `manager`) when no user exists yet. Returns the password, for the only time; undefined when there are
 * users already. There is no default password (ETSI EN 303 645, 5.1).
 */
export function createFirstManager(store: Pick<Store, 'users'>): string | undefined {
  const users = store.users.list();
  // Users made by command before the first start do not take the manager's place.
  if (users.some((user) => user.role === 'manager' || user.name === FIRST_MANAGER)) return undefined;
  const password = randomBytes(FIRST_PASSWORD_BYTES).toString('base64url');
  store.users.put({ name: FIRST_MANAGER, role: 'manager', passwordHash: hashSync(password, ARGON2) });
  return password;
}

/** Hash of a password for `Store.users`, for commands that work without a running gateway. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, ARGON2);
}

/** A machine token: `dw_` and 256 random bits. Only its SHA-256 is kept; so much chance needs no slow hash. */
export function createTokenSecret(): { token: string; secretHash: string } {
  const token = `dw_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
  return { token, secretHash: tokenHash(token) };
}

/** SHA-256, hex. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
