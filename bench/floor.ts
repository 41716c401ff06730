/**
 * The least that any gateway must do, as a process of its own: take a message, make one journal-like row durable, send a
 * message. Run by `latency.ts`; its options come as JSON.
 */

import mqtt, { type MqttClient } from 'mqtt';
import Sqlite from '../gateway/store/sqlite.ts';

export interface FloorOptions {
  readonly port: number;
  readonly password: string;
  readonly file: string;
  /** Who reads and who writes; one connection when they are the same. */
  readonly reader: string;
  readonly writer: string;
  readonly from: string;
  readonly to: string;
}

const options = JSON.parse(process.argv[2] ?? '{}') as FloorOptions;

async function connect(name: string): Promise<MqttClient> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${options.port}`, {
    clientId: name,
    username: name,
    password: options.password,
    clean: true,
    reschedulePings: false,
  });
  const { stream } = client;
  if ('setNoDelay' in stream && typeof stream.setNoDelay === 'function') stream.setNoDelay(true);
  return client;
}

const db = new Sqlite(options.file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec('CREATE TABLE entries (seq INTEGER PRIMARY KEY, at_ms INTEGER, kind TEXT, door TEXT, member TEXT, note TEXT)');
const insert = db.prepare('INSERT INTO entries (at_ms, kind, door, member, note) VALUES (?, ?, ?, ?, ?)');

const reader = await connect(options.reader);
const writer = options.writer === options.reader ? reader : await connect(options.writer);
reader.on('message', (_topic, payload) => {
  const text = payload.toString();
  insert.run(Date.now(), 'access', 'door-1', 'm-1-1', text);
  writer.publish(options.to, text, { qos: 1 });
});
await reader.subscribeAsync(options.from, { qos: 1 });
process.send?.('ready');
process.once('SIGTERM', () => {
  db.close();
  process.exit(0);
});
