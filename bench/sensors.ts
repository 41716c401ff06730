/** Sensors that talk steadily, in a process of their own: `messagesPerS` over all of them, each value a new one. */
import { Client } from './client.ts';
import { PASSWORD, SITE, sensorDevice } from './site.ts';

interface SensorOptions {
  readonly port: number;
  readonly sensors: number;
  readonly messagesPerS: number;
}

/** Messages leave in small groups, as often as timers allow. */
const EVERY_MS = 5;
const { port, sensors, messagesPerS } = JSON.parse(process.argv[2] ?? '{}') as SensorOptions;

const clients: Client[] = [];
for (let i = 0; i < sensors; i++) clients.push(await Client.connect({ port, id: sensorDevice(i), password: PASSWORD }));

const began = performance.now();
let sent = 0;
setInterval(() => {
  const due = ((performance.now() - began) * messagesPerS) / 1000;
  for (; sent < due; sent++) {
    const i = sent % sensors;
    const seq = Math.floor(sent / sensors) + 1;
    const value = 18 + (seq % 80) / 10;
    const state = { boot: 'bench-1', seq, at: new Date().toISOString(), value };
    clients[i]?.publish(`doorward/1/${SITE}/${sensorDevice(i)}/state/temperature`, JSON.stringify(state), true);
  }
}, EVERY_MS);
process.send?.('ready');
process.once('SIGTERM', () => process.exit(0));
