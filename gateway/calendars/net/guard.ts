/**
 * The door of every connection to a calendar server. The address is checked in the socket's own lookup, on exactly the
 * addresses that it then connects to: a name that changes its answer between a check and the connection (DNS rebinding)
 * gains nothing. Addresses written out are checked as the socket gets them, in whatever notation they were given.
 */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { isPublicAddress, rangeOf } from './address.ts';

/** All addresses of a name, as `dns.lookup` gives them with `all`. */
export type Resolve = (
  hostname: string,
  options: { all: true; family?: number; hints?: number },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface GuardOptions {
  readonly allowPrivate: boolean;
  /** Single addresses that are allowed though they are not public. */
  readonly allowAddress?: ((address: string) => boolean) | undefined;
  readonly connectTimeoutMs: number;
  /** Certificates to trust instead of the system's (PEM). */
  readonly ca?: string | readonly string[] | undefined;
  readonly resolve?: Resolve | undefined;
}

/** The address is not one that this source may speak to. */
export class AddressRefused extends Error {
  readonly address: string;
  readonly range: string;

  constructor(address: string) {
    super('address refused');
    this.name = 'AddressRefused';
    this.address = address;
    this.range = rangeOf(address) ?? 'public';
  }
}

/** TLS sessions to keep for quick reconnects. */
const MAX_TLS_SESSIONS = 50;

/** A connector for undici that gives no socket to an address which is not allowed. */
export function guardedConnector(options: GuardOptions): buildConnector.connector {
  const allowed = (address: string): boolean =>
    options.allowPrivate || isPublicAddress(address) || options.allowAddress?.(address) === true;
  const connect = buildConnector({
    lookup: guardedLookup(allowed, options.resolve ?? (systemLookup as Resolve)),
    timeout: options.connectTimeoutMs,
    maxCachedSessions: MAX_TLS_SESSIONS,
    ...(options.ca === undefined ? {} : { ca: [options.ca].flat() as string[] }),
  });
  return (target, callback) => {
    // Sockets skip the lookup for an address written out.
    if (isIP(target.hostname) !== 0 && !allowed(target.hostname)) {
      callback(new AddressRefused(target.hostname), null);
      return;
    }
    connect(target, (...outcome: [null, Socket] | [Error, null]) => {
      const [error, socket] = outcome;
      if (error !== null) {
        callback(error, null);
        return;
      }
      // Belt and braces: whatever way the socket came to its address, this is the one that it speaks to.
      const address = socket.remoteAddress ?? '';
      if (allowed(address)) {
        callback(null, socket);
        return;
      }
      socket.destroy();
      // A socket that is closed again already has no address any more.
      const closed = Object.assign(new Error('closed'), { code: 'ECONNRESET' });
      callback(address === '' ? closed : new AddressRefused(address), null);
    });
  };
}

/** A lookup for sockets that gives only addresses which are allowed, and an `AddressRefused` when none is left. */
export function guardedLookup(allowed: (address: string) => boolean, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0);
    resolve(hostname, { all: true, family, hints: options.hints ?? 0 }, (error, addresses) => {
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      const fit = addresses.filter((entry) => allowed(entry.address));
      const first = fit[0];
      if (first === undefined) callback(new AddressRefused(addresses[0]?.address ?? ''), '', 0);
      else if (options.all === true) callback(null, fit);
      else callback(null, first.address, first.family);
    });
  };
}
