/**
 * The embedded MQTT broker: aedes 1.2.0 with one credential and one access list per device, and with the limits that
 * aedes itself does not have. MQTT 3.1.1 over TCP, over TLS where configured, and in-process for the gateway itself.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes, type Client } from 'aedes';
import { Fault } from '../core/errors.ts';
import { guardSocket } from './guard.ts';
import { CLIENT_ID_CHARS, Logins, RefusedLogins } from './logins.ts';
import { MemoryStore } from './memory.ts';
import { pair } from './pair.ts';
import { Router } from './router.ts';
import {
  authenticate,
  authorizePublish,
  authorizeSubscribe,
  forward,
  preConnect,
  refusal,
  tellMisuse,
} from './rules.ts';
import type { Broker, BrokerLimits, BrokerOptions, Context, Log } from './types.ts';

export { GATEWAY_USER, type RefusedLogin, type RefusedReason } from './logins.ts';
export type { Broker, BrokerLimits, BrokerOptions, Misuse } from './types.ts';

const DEFAULT_LIMITS: Omit<BrokerLimits, 'connections'> = {
  packetBytes: 16 * 1024,
  packetsPerS: 500,
  burstPackets: 1_000,
  connectTimeoutMs: 10_000,
  drainTimeoutMs: 1_000,
  backlogBytes: 1024 * 1024,
  retainedPerDevice: 150,
  subscriptionsPerClient: 20,
};
/** Connections beyond the known devices and users: strangers who are about to be refused, devices that reconnect. */
const SPARE_CONNECTIONS = 50;
/** `doorward/1/site/device/command/lock-2` has six levels; one for what is to come. */
const TOPIC_LEVELS = 7;
const INFLIGHT_QOS2 = 20;
/** Probes to a silent peer, so that a device without power is noticed even without MQTT's keep-alive. */
const TCP_KEEPALIVE_MS = 30_000;
/** The gateway's own stream: a pause of the process must not look like a stalled subscriber. */
const GATEWAY_BUFFER_BYTES = 32 * 1024 * 1024;
/** One flood of a device is reported once in this time. */
const FLOOD_REPORT_MS = 10_000;

/** Throws Fault `port_taken`. */
export async function startBroker(options: BrokerOptions, log: Log): Promise<Broker> {
  const connections = options.devices.length * 2 + options.users.length * 4 + SPARE_CONNECTIONS;
  const context: Context = {
    options,
    limits: { connections, ...DEFAULT_LIMITS, ...options.limits },
    log,
    logins: new Logins(options.devices, options.users, options.gatewaySecret),
    refused: new RefusedLogins(),
    inside: new WeakSet(),
    parties: new WeakMap(),
    linkListeners: [],
    misuseListeners: [],
  };
  const aedes = await createAedes(context);
  const accept = (socket: Socket): void => acceptSocket(aedes, context, socket);
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    const ended = servers.map((server) => new Promise<void>((done) => server.close(() => done())));
    await new Promise<void>((done) => aedes.close(() => done()));
    for (const socket of open) socket.destroy();
    await Promise.all(ended);
  };
  const open = new Set<Socket>();
  const track = (server: Server): Server => {
    server.maxConnections = context.limits.connections;
    server.on('connection', (socket: Socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    });
    servers.push(server);
    return server;
  };
  try {
    const port = await listen(track(createServer(accept)), options.host, options.port);
    let tlsPort: number | undefined;
    if (options.tls !== undefined) {
      const { cert, key } = options.tls;
      const server = track(createTlsServer({ cert, key, minVersion: 'TLSv1.2' }, accept));
      server.on('tlsClientError', (error: Error) => log.debug({ why: error.message }, 'TLS handshake failed'));
      tlsPort = await listen(server, options.host, options.tls.port);
    }
    log.info({ host: options.host, port, tlsPort }, 'embedded broker listens');
    return {
      port,
      tlsPort,
      connectGateway: () => connectGateway(aedes, context),
      refusedLogins: () => context.refused.list(),
      onDeviceLink: (listener) => void context.linkListeners.push(listener),
      onMisuse: (listener) => void context.misuseListeners.push(listener),
      get connections() {
        return aedes.connectedClients;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function createAedes(context: Context): Promise<Aedes> {
  const { limits, log } = context;
  const aedes = await Aedes.createBroker({
    mq: new Router(),
    persistence: new MemoryStore(limits.retainedPerDevice, (owner) =>
      log.warn({ owner, limit: limits.retainedPerDevice }, 'too many retained messages of one device; not kept'),
    ),
    connectTimeout: limits.connectTimeoutMs,
    drainTimeout: limits.drainTimeoutMs,
    maxClientsIdLength: CLIENT_ID_CHARS,
    maxTopicLevels: TOPIC_LEVELS,
    maxInflightInbound: INFLIGHT_QOS2,
    preConnect: (client, packet, done) => preConnect(context, client, packet, done),
    authenticate: (client, username, password, done) => {
      const reason = authenticate(context, client, username ?? '', password ?? Buffer.alloc(0));
      if (reason === undefined) done(null, true);
      else done(refusal(reason), null);
    },
    authorizePublish: (client, packet, done) => done(authorizePublish(context, client, packet)),
    authorizeSubscribe: (client, subscription, done) =>
      done(null, authorizeSubscribe(context, client, subscription) ? subscription : null),
    authorizeForward: (client, packet) => forward(context, client, packet),
  });
  const link = (client: Client, up: boolean): void => {
    const party = context.parties.get(client);
    if (party?.kind !== 'device') return;
    log.debug({ device: party.id, up }, 'device link');
    for (const listener of context.linkListeners) listener(party.id, up);
  };
  aedes.on('client', (client) => link(client, true));
  aedes.on('clientDisconnect', (client) => link(client, false));
  const cut = (client: Client, error: Error): void =>
    log.debug({ client: client.id, why: error.message }, 'connection ended by the broker');
  aedes.on('clientError', cut);
  aedes.on('connectionError', cut);
  return aedes;
}

function acceptSocket(aedes: Aedes, context: Context, socket: Socket): void {
  // Nagle's algorithm would hold a PUBLISH back for some 43 ms after a PUBACK.
  socket.setNoDelay(true);
  socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  const name = (): string => {
    const party = context.parties.get(client);
    return party?.kind === 'device' ? party.id : (socket.remoteAddress ?? '');
  };
  const monoMs = (): number => performance.now();
  guardSocket(
    socket,
    context.limits,
    {
      tooLarge: (bytes) => {
        const limitBytes = context.limits.packetBytes;
        context.log.warn({ client: name(), bytes, limitBytes }, 'packet too large; cut');
        tellMisuse(context, client, { kind: 'too_large', bytes, limitBytes });
      },
      flood: () => {
        const nowMs = monoMs();
        if (nowMs - reportedAtMs < FLOOD_REPORT_MS) return;
        reportedAtMs = nowMs;
        context.log.warn({ client: name(), packetsPerS: context.limits.packetsPerS }, 'client floods; slowed');
        tellMisuse(context, client, { kind: 'flood' });
      },
    },
    monoMs,
  );
  const client = aedes.handle(socket);
}

function connectGateway(aedes: Aedes, context: Context): Duplex {
  const [ours, theirs] = pair(GATEWAY_BUFFER_BYTES);
  context.inside.add(theirs);
  aedes.handle(theirs);
  // A pair's end does not know when the other is destroyed.
  ours.once('close', () => theirs.destroy());
  theirs.once('close', () => ours.destroy());
  return ours;
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') {
        reject(new Fault('port_taken', `MQTT cannot listen on ${host}:${port} (${error.code}).`));
      } else reject(error);
    };
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
