/** The serial driver on the real serialport, over a real pseudo-terminal. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { DeviceMessage, OpenPort } from '../../devices/driver.ts';
import { serialDriver } from '../../devices/serial/index.ts';
import { PtyAdapter } from '../support/pty.ts';
import { id12Frame, rdmFrame } from '../support/serialframes.ts';

const PATIENCE = { timeout: 15_000, interval: 5 };
let adapter: PtyAdapter;
let messages: DeviceMessage[];
let warnings: { code: string; why: string }[];
let port: OpenPort | undefined;

beforeEach(() => {
  adapter = new PtyAdapter();
  messages = [];
  warnings = [];
});
afterEach(async () => {
  await port?.close();
  port = undefined;
  await adapter.remove();
});

async function open(model: 'rdm6300' | 'id-12la' = 'rdm6300'): Promise<void> {
  const config = serialDriver.schema.parse({ port: adapter.path, model });
  port = await serialDriver.open(
    { site: 'bench', id: 'reader', config },
    { emit: (message) => messages.push(message), warn: (code, why) => warnings.push({ code, why }) },
  );
}
const reads = () =>
  messages.flatMap((one) => (one.type === 'event' && one.event.type === 'credential' ? [one.event.value] : []));
const online = () => messages.findLast((one) => one.type === 'status')?.online;

it('passes a read on as a credential event', async () => {
  await adapter.plug();
  await open();
  expect(online()).toBe(true);
  await adapter.send(rdmFrame('010063E9AE'));
  await vi.waitFor(() => expect(reads()).toEqual(['010063E9AE']), PATIENCE);
  expect(messages.find((one) => one.type === 'event')).toEqual({
    type: 'event',
    capability: 'reader',
    event: { type: 'credential', format: 'uid', value: '010063E9AE' },
    retained: false,
  });
});

it('reads an ID-12LA, its frames split at any place', async () => {
  await adapter.plug();
  await open('id-12la');
  const frame = id12Frame('62E3086CED');
  for (const byte of frame) await adapter.send(Uint8Array.of(byte));
  await vi.waitFor(() => expect(reads()).toEqual(['62E3086CED']), PATIENCE);
});

it('refuses a wrong checksum, counts it and does not tell the number', async () => {
  await adapter.plug();
  await open();
  await adapter.send(rdmFrame('010063E9AE', '26'));
  await adapter.send(rdmFrame('62E3086CED'));
  await vi.waitFor(() => expect(reads()).toEqual(['62E3086CED']), PATIENCE);
  expect(warnings.map((one) => one.code)).toEqual(['checksum']);
  expect(JSON.stringify(warnings)).not.toContain('63E9AE');
});

it('goes offline when the adapter is pulled, and reads again by itself when it is back', async () => {
  await adapter.plug();
  await open();
  await adapter.send(rdmFrame('010063E9AE').subarray(0, 7));
  await adapter.pull();
  await vi.waitFor(() => expect(online()).toBe(false), PATIENCE);
  await adapter.plug();
  await vi.waitFor(() => expect(online()).toBe(true), PATIENCE);
  await adapter.send(rdmFrame('62E3086CED'));
  await vi.waitFor(() => expect(reads()).toEqual(['62E3086CED']), PATIENCE);
});

it('notices a pull and a re-plug that were quicker than its look at the path', async () => {
  await adapter.plug();
  await open();
  await adapter.pull();
  await adapter.plug();
  await vi.waitFor(
    () => expect(messages.filter((one) => one.type === 'status').map((one) => one.online)).toContain(false),
    PATIENCE,
  );
  await vi.waitFor(() => expect(online()).toBe(true), PATIENCE);
  await adapter.send(rdmFrame('62E3086CED'));
  await vi.waitFor(() => expect(reads()).toEqual(['62E3086CED']), PATIENCE);
});

it('opens offline when there is no adapter yet, says so once, and comes up with it', async () => {
  await open();
  expect(online()).toBe(false);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]?.why).toContain(`cannot open ${adapter.path}: No such file or directory. It is tried again`);
  await adapter.plug();
  await vi.waitFor(() => expect(online()).toBe(true), PATIENCE);
  expect(warnings).toHaveLength(1);
});

it('answers a command with failed, since the module has neither light nor sounder', async () => {
  await adapter.plug();
  await open();
  const order = { op: 'indicate', signal: 'granted' } as const;
  port?.perform({ id: 'c1', capability: 'reader', do: order, issuedAtMs: 0, ttlMs: 5000 });
  expect(messages.at(-1)).toMatchObject({ type: 'ack', id: 'c1', result: 'failed' });
});
