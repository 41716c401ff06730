/** How a device connects: as itself, with a clean session and a will that tells of its loss. */
import type { IClientOptions } from 'mqtt';

const RECONNECT_MS = 1000;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_S = 60;
export interface Tls {
  readonly ca?: string | Buffer;
  readonly rejectUnauthorized?: boolean;
}

/** `root` is `doorward/1/<site>/<device>`. */
export function clientOptions(
  device: { readonly id: string; readonly password?: string | undefined; readonly tls?: Tls | undefined },
  root: string,
  boot: string,
): IClientOptions {
  const { id, password, tls } = device;
  return {
    clientId: id,
    username: id,
    ...(password === undefined ? {} : { password }),
    ...tls,
    clean: true,
    protocolVersion: 4,
    keepalive: KEEPALIVE_S,
    reconnectPeriod: RECONNECT_MS,
    reconnectOnConnackError: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    resubscribe: false,
    queueQoSZero: false,
    will: {
      topic: `${root}/status`,
      payload: Buffer.from(JSON.stringify({ status: 'lost', boot })),
      qos: 1,
      retain: true,
    },
  };
}
