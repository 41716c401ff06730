/** What only an external broker can do: be away at the start, end, and come back. */
import { afterEach, expect, test, vi } from 'vitest';
import { connectBus } from '../../gateway/bus/index.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { TestClient, testLog } from '../support/mqttclients.ts';

const GATEWAY = { username: 'doorward', password: 'outside' };
const DEVICES = [{ id: 'room-1', password: 'pw' }];
const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function server() {
  const made = await startMosquitto({ site: 'clinic', devices: DEVICES, gateway: GATEWAY });
  ended.push(made.stop);
  return made;
}

test('the gateway starts without its broker, says so, and is linked and subscribed when it comes', async () => {
  const broker = await server();
  await broker.halt();
  const bus = await connectBus({ kind: 'external', url: broker.url, ...GATEWAY }, 'gw', testLog());
  ended.push(() => bus.close());
  expect(bus.connected).toBe(false);
  expect(bus.publish('doorward/1/clinic/room-1/command/relay', 'x')).toBe(false);
  const links: boolean[] = [];
  bus.onLink((up) => links.push(up));
  const seen: string[] = [];
  await bus.subscribe('doorward/1/clinic/+/state/#', (message) => seen.push(Buffer.from(message.payload).toString()));
  await broker.start();
  await vi.waitFor(() => expect(links).toEqual([true]), 10_000);
  const room = await TestClient.connect(broker.port, 'room-1', 'pw');
  ended.push(() => room.end());
  await room.publish('doorward/1/clinic/room-1/state/co2', 'here');
  await vi.waitFor(() => expect(seen).toEqual(['here']));
});

test('a broker that restarts is found again, with its retained states', async () => {
  const broker = await server();
  const room = await TestClient.connect(broker.port, 'room-1', 'pw');
  await room.publish('doorward/1/clinic/room-1/state/co2', 'kept', { retain: true });
  await room.end();
  const bus = await connectBus({ kind: 'external', url: broker.url, ...GATEWAY }, 'gw', testLog());
  ended.push(() => bus.close());
  const links: [boolean, string][] = [];
  bus.onLink((up, why) => links.push([up, why]));
  const seen: [string, boolean][] = [];
  await bus.subscribe('doorward/1/clinic/+/state/#', ({ payload, retain }) =>
    seen.push([Buffer.from(payload).toString(), retain]),
  );
  await vi.waitFor(() => expect(seen).toEqual([['kept', true]]));
  await broker.halt();
  await vi.waitFor(() => expect(links).toEqual([[false, 'The connection to the broker broke.']]));
  await broker.start();
  await vi.waitFor(() => expect(seen.length).toBe(2), 10_000);
  expect(seen).toEqual([
    ['kept', true],
    ['kept', true],
  ]);
  expect(links.at(-1)).toEqual([true, '']);
});

test('wrong credentials are told as such, and tried again', async () => {
  const broker = await server();
  const log = testLog();
  const bus = await connectBus({ kind: 'external', url: broker.url, username: 'doorward', password: 'no' }, 'gw', log);
  ended.push(() => bus.close());
  expect(bus.connected).toBe(false);
  expect(JSON.stringify(log.lines)).toMatch(/[Nn]ot authorized/);
  expect(JSON.stringify(log.lines)).not.toContain('"no"');
});
