/** The embedded broker over TLS, with a certificate that openssl makes for the test. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mqtt from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Broker, startBroker } from '../../gateway/broker/index.ts';
import { testLog } from '../support/mqttclients.ts';

let folder: string;
let broker: Broker;
let cert: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doorward-tls-'));
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  try {
    await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject]);
  } catch (error) {
    throw new Error('openssl could not make a certificate. Run: apt-get install openssl', { cause: error });
  }
  cert = await readFile(join(folder, 'cert.pem'), 'utf8');
  const key = await readFile(join(folder, 'key.pem'), 'utf8');
  const devices = [{ id: 'lock-1', password: 'pw' }];
  const options = { host: '127.0.0.1', port: 0, tls: { port: 0, cert, key }, site: 'clinic', devices, users: [] };
  broker = await startBroker({ ...options, gatewaySecret: 's' }, testLog());
});
afterAll(async () => {
  await broker?.close();
  await rm(folder, { recursive: true, force: true });
});

const login = { clientId: 'lock-1', username: 'lock-1', password: 'pw', reconnectPeriod: 0 };

test('a device that trusts the certificate logs in over TLS, under the same limits', async () => {
  const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${broker.tlsPort}`, { ...login, ca: cert });
  await client.publishAsync('doorward/1/clinic/lock-1/state/lock', '{"value":"locked"}', { qos: 1 });
  const cut = new Promise<void>((resolve) => client.once('close', () => resolve()));
  client.publish('doorward/1/clinic/lock-1/state/lock', Buffer.alloc(20_000), { qos: 1 }, () => {});
  await cut;
  await client.endAsync(true);
});

test('a device that does not trust it stays away, and plain text is not spoken on the TLS port', async () => {
  await expect(mqtt.connectAsync(`mqtts://127.0.0.1:${broker.tlsPort}`, login, false)).rejects.toThrow(
    /self-signed|certificate/,
  );
  await expect(mqtt.connectAsync(`mqtt://127.0.0.1:${broker.tlsPort}`, login, false)).rejects.toThrow();
});
