/** Who may log in at the embedded broker, and the last ones who were refused. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Party } from './access.ts';

/** The gateway's own name at the broker; no device or user can be called so, ids have no underscore. */
export const GATEWAY_USER = '_gateway';
/** CONTRACT: ids of at most 40 characters. */
export const CLIENT_ID_CHARS = 40;
/** As many refused log-ins are remembered for the technician. */
export const REFUSED_KEPT = 50;
const TEXT_KEPT_CHARS = 64;

export type RefusedReason =
  | 'unknown_user'
  | 'wrong_password'
  | 'wrong_client_id'
  | 'empty_client_id'
  | 'client_id_too_long'
  | 'will_not_allowed'
  | 'gateway_only_inside';

export interface RefusedLogin {
  readonly atMs: number;
  readonly clientId: string;
  readonly username: string;
  readonly address: string;
  readonly reason: RefusedReason;
}

interface Account {
  readonly party: Party;
  readonly password: Buffer;
}

/** Equal length for all, so that the comparison tells nothing about length or content. Not for storage: it is in memory only. */
function digest(password: string | Uint8Array): Buffer {
  return createHash('sha256').update(password).digest();
}

export class Logins {
  readonly #accounts = new Map<string, Account>();
  readonly #nobody = digest('');

  constructor(
    devices: readonly { readonly id: string; readonly password: string }[],
    users: readonly { readonly name: string; readonly password: string; readonly read: readonly string[] }[],
    gatewaySecret: string,
  ) {
    // Devices last: where a user has a device's name, the device must still get in.
    for (const { name, password, read } of users) {
      this.#accounts.set(name, { party: { kind: 'user', name, read }, password: digest(password) });
    }
    for (const { id, password } of devices) {
      this.#accounts.set(id, { party: { kind: 'device', id }, password: digest(password) });
    }
    this.#accounts.set(GATEWAY_USER, { party: { kind: 'gateway' }, password: digest(gatewaySecret) });
  }

  party(username: string): Party | undefined {
    return this.#accounts.get(username)?.party;
  }

  /** Takes as long for an unknown name as for a wrong password. */
  check(username: string, password: Uint8Array): Party | 'unknown_user' | 'wrong_password' {
    const account = this.#accounts.get(username);
    const right = timingSafeEqual(digest(password), account?.password ?? this.#nobody);
    if (account === undefined) return 'unknown_user';
    return right ? account.party : 'wrong_password';
  }
}

export class RefusedLogins {
  readonly #last: RefusedLogin[] = [];

  add(login: RefusedLogin): RefusedLogin {
    const kept = { ...login, clientId: clean(login.clientId), username: clean(login.username) };
    this.#last.push(kept);
    if (this.#last.length > REFUSED_KEPT) this.#last.shift();
    return kept;
  }

  /** Newest first. */
  list(): readonly RefusedLogin[] {
    return this.#last.toReversed();
  }
}

/** What a stranger sent ends up in logs and on a screen: short, and without control characters. */
function clean(text: string): string {
  return text.replace(/\p{C}/gu, '?').slice(0, TEXT_KEPT_CHARS);
}
