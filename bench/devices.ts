/** A thousand devices with a connection each, in a process of their own: five for each room, and a little traffic. */
import { Client } from './client.ts';
import { doorDevice, PASSWORD, ROOM_DEVICES, SITE } from './site.ts';

interface DevicesOptions {
  readonly port: number;
  readonly rooms: number;
  readonly messagesPerS: number;
}

const { port, rooms, messagesPerS } = JSON.parse(process.argv[2] ?? '{}') as DevicesOptions;
const BOOT = 'bench-1';
/** Connections made at once; the broker's list of waiting ones is short. */
const AT_ONCE = 50;
const EVERY_MS = 100;

const FIRST: Readonly<Record<string, unknown>> = {
  lock: 'locked',
  door: 'closed',
  temperature: 20.5,
  humidity: 45,
  co2: 600,
  presence: false,
  relay: 'off',
  'relay-2': 'off',
  dimmer: 0,
};

interface Device {
  readonly client: Client;
  readonly base: string;
  seq: number;
}

async function connect(id: string, capabilities: readonly string[]): Promise<Device> {
  const base = `doorward/1/${SITE}/${id}/`;
  const device = { client: await Client.connect({ port, id, password: PASSWORD }), base, seq: 0 };
  device.client.onMessage = (topic, payload) => {
    const command = JSON.parse(payload.toString()) as { id: string; op: string; value?: unknown };
    const capability = topic.slice(`${base}command/`.length);
    if (command.op === 'set') tell(device, capability, command.value, command.id);
    else device.client.publish(`${base}ack/${capability}`, JSON.stringify({ id: command.id, result: 'done' }));
  };
  await device.client.subscribe(`${base}command/#`);
  device.client.publish(`${base}desc`, JSON.stringify({ v: 1, model: 'bench', firmware: '1', capabilities }), true);
  device.client.publish(`${base}status`, JSON.stringify({ status: 'online', boot: BOOT }), true);
  for (const capability of capabilities) if (capability in FIRST) tell(device, capability, FIRST[capability]);
  return device;
}

function tell(device: Device, capability: string, value: unknown, command?: string): void {
  device.seq += 1;
  const state = { boot: BOOT, seq: device.seq, at: new Date().toISOString(), value, command };
  device.client.publish(`${device.base}state/${capability}`, JSON.stringify(state), true);
}

const wanted = Array.from({ length: rooms }, (_, i) => [
  [doorDevice(i), ['lock', 'door', 'reader']] as const,
  ...Object.entries(ROOM_DEVICES).map(([kind, capabilities]) => [`${kind}-${i}`, capabilities] as const),
]).flat();
const devices: Device[] = [];
for (let i = 0; i < wanted.length; i += AT_ONCE) {
  devices.push(
    ...(await Promise.all(wanted.slice(i, i + AT_ONCE).map(([id, capabilities]) => connect(id, capabilities)))),
  );
}

const climates = devices.filter(({ base }) => base.includes('/climate-'));
let sent = 0;
setInterval(() => {
  for (let i = 0; i < (messagesPerS * EVERY_MS) / 1000; i++, sent++) {
    const device = climates[sent % climates.length];
    if (device !== undefined) tell(device, 'temperature', 20 + (sent % 30) / 10);
  }
}, EVERY_MS);
process.send?.('ready');
process.once('SIGTERM', () => process.exit(0));
