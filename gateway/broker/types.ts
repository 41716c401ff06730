/** Shapes of the embedded broker. */
import type { Duplex } from 'node:stream';
import type { Client } from 'aedes';
import type { Party } from './access.ts';
import type { Logins, RefusedLogin, RefusedLogins } from './logins.ts';

/** A log as pino has it; texts hold no credential. */
export interface Log {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export interface BrokerLimits {
  /** Largest packet of a client, by its remaining length. */
  readonly packetBytes: number;
  /** Packets a second of one client over time; beyond it the client is read more slowly and reported. */
  readonly packetsPerS: number;
  /** Packets that a client may send at once: a device tells all of its states when it connects. */
  readonly burstPackets: number;
  /** TCP connections at once. */
  readonly connections: number;
  /** How long a connection may be open without a CONNECT. */
  readonly connectTimeoutMs: number;
  /** A subscriber that reads nothing for so long is dropped. */
  readonly drainTimeoutMs: number;
  /** A subscriber that has left so much unread is dropped. */
  readonly backlogBytes: number;
  readonly retainedPerDevice: number;
  readonly subscriptionsPerClient: number;
}

export interface BrokerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** PEM texts. */
  readonly tls?: { readonly port: number; readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  readonly site: string;
  readonly devices: readonly { readonly id: string; readonly password: string }[];
  /** `read`: filters below `doorward/1/<site>/`; `#` is everything of the site. */
  readonly users: readonly { readonly name: string; readonly password: string; readonly read: readonly string[] }[];
  readonly gatewaySecret: string;
  readonly limits?: Partial<BrokerLimits> | undefined;
  /** Wall time for the list of refused log-ins, Unix ms. */
  readonly wallMs?: (() => number) | undefined;
}

export type Misuse =
  | { readonly kind: 'flood' }
  | { readonly kind: 'too_large'; readonly bytes: number; readonly limitBytes: number }
  /** It wrote, or asked to read, where it may not. */
  | { readonly kind: 'foreign_write' | 'foreign_read'; readonly topic: string };

export interface Broker {
  readonly port: number;
  readonly tlsPort?: number | undefined;
  /** The gateway's own way in, without a socket: a stream to hand to `connectBus`. It still logs in. */
  connectGateway(): Duplex;
  /** The last 50, newest first. */
  refusedLogins(): readonly RefusedLogin[];
  /** Called when a device's connection begins and ends. */
  onDeviceLink(listener: (device: string, up: boolean) => void): void;
  /** Called when a device does what it may not: a flood slows it (told at most every ten seconds), the rest is refused. */
  onMisuse(listener: (device: string, misuse: Misuse) => void): void;
  readonly connections: number;
  close(): Promise<void>;
}

/** What the parts of the broker share. */
export interface Context {
  readonly options: BrokerOptions;
  readonly limits: BrokerLimits;
  readonly log: Log;
  readonly logins: Logins;
  readonly refused: RefusedLogins;
  /** Streams made by `connectGateway`: only over these may the gateway log in. */
  readonly inside: WeakSet<object>;
  readonly parties: WeakMap<Client, Party>;
  readonly linkListeners: ((device: string, up: boolean) => void)[];
  readonly misuseListeners: ((device: string, misuse: Misuse) => void)[];
}
