/** Puts the application on a port, and for the commands of `doorward` on a socket in the data folder. */
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Fault } from '../core/errors.ts';
import { markLocal } from './access.ts';

export interface ListenOptions {
  /** Absent: only the socket is served, for administration while no gateway runs. */
  readonly host?: string | undefined;
  /** 0 takes a free one. */
  readonly port?: number | undefined;
  /** Certificate chain and key, PEM. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /** Unix socket, mode 0600: whoever may open it has all rights. */
  readonly socketPath?: string | undefined;
}
export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

/** A client that takes longer to send its head or its request is cut off (slow loris). */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 10_000;
const CONNECTIONS_MAX = 1_000;
/** Only the owner reads and writes. */
const SOCKET_MODE = 0o600;
const SOCKET_UMASK = 0o177;

const LIMITS = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  noDelay: true,
} as const;

/** Throws `port_taken` when the address or the socket is in use. */
export async function listenApi(app: FastifyInstance, options: ListenOptions): Promise<Listening> {
  const { host = '127.0.0.1', port, tls, socketPath } = options;
  const open: http.Server[] = [];
  const closeAll = async () => {
    const closing = open.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    // The application first: it ends the live streams in good order.
    await app.close();
    for (const server of open) server.closeAllConnections();
    await Promise.all(closing);
  };
  try {
    if (socketPath !== undefined) open.push(await listenLocally(app, socketPath));
    if (port === undefined) {
      return { url: '', close: closeAll };
    }
    const web = tls
      ? https.createServer({ ...LIMITS, cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }, app.routing)
      : http.createServer(LIMITS, app.routing);
    web.maxConnections = CONNECTIONS_MAX;
    await listening(web, () => web.listen(port, host), `${host}:${port}`);
    open.push(web);
    const bound = (web.address() as AddressInfo).port;
    const name = host.includes(':') ? `[${host}]` : host;
    return { url: `${tls ? 'https' : 'http'}://${name}:${bound}`, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function listenLocally(app: FastifyInstance, socketPath: string): Promise<http.Server> {
  const server = http.createServer(LIMITS, (request, response) => {
    markLocal(request);
    app.routing(request, response);
  });
  await removeStale(socketPath);
  // The socket is made inside listen(): it must never be open to others, not for a moment.
  const before = process.umask(SOCKET_UMASK);
  try {
    const done = listening(server, () => server.listen(socketPath), socketPath);
    process.umask(before);
    await done;
  } finally {
    process.umask(before);
  }
  fs.chmodSync(socketPath, SOCKET_MODE);
  return server;
}

function listening(server: http.Server, listen: () => void, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE' || error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL';
      reject(taken ? new Fault('port_taken', `${where} cannot be listened on (${error.code}).`) : error);
    });
    server.once('listening', () => resolve());
    listen();
  });
}

/** A gateway that was killed leaves its socket behind; one that answers is alive and keeps it. */
async function removeStale(socketPath: string): Promise<void> {
  if (!fs.existsSync(socketPath)) return;
  const answers = await new Promise<boolean>((resolve) => {
    const probe = net.connect(socketPath);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (answers) throw new Fault('port_taken', `${socketPath} is in use by another gateway.`);
  fs.rmSync(socketPath, { force: true });
}
