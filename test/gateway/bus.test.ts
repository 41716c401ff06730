import { createServer, type Server, type Socket } from 'node:net';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Bus, connectBus } from '../../gateway/bus/index.ts';
import { testLog } from '../support/mqttclients.ts';

/** A broker written out by hand, so that it can do what a real one would not. */
class HandBroker {
  readonly packets: Packet[] = [];
  readonly sockets: Socket[] = [];
  acknowledge = true;
  refuses: readonly string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<HandBroker> {
    const server = createServer();
    const broker = new HandBroker(server);
    server.on('connection', (socket) => broker.#serve(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return broker;
  }

  get url(): string {
    const address = this.#server.address();
    return `mqtt://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  send(packet: Packet): void {
    this.sockets.at(-1)?.write(mqttPacket.generate(packet));
  }

  published(): string[] {
    return this.packets.flatMap((packet) => (packet.cmd === 'publish' ? [packet.payload.toString()] : []));
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.sockets.push(socket);
    socket.on('error', () => {});
    const parser = mqttPacket.parser();
    socket.on('data', (bytes) => parser.parse(bytes));
    parser.on('packet', (packet) => {
      this.packets.push(packet);
      const messageId = packet.messageId ?? 0;
      if (packet.cmd === 'connect')
        socket.write(mqttPacket.generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }));
      if (packet.cmd === 'subscribe') {
        const granted = packet.subscriptions.map(({ topic, qos }) => (this.refuses.includes(topic) ? 0x80 : qos));
        socket.write(mqttPacket.generate({ cmd: 'suback', messageId, granted }));
      }
      if (packet.cmd === 'publish' && packet.qos === 1 && this.acknowledge) {
        socket.write(mqttPacket.generate({ cmd: 'puback', messageId }));
      }
    });
  }
}

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function setUp(): Promise<{ broker: HandBroker; bus: Bus; links: boolean[] }> {
  const broker = await HandBroker.start();
  ended.push(() => broker.stop());
  const bus = await connectBus({ kind: 'external', url: broker.url, username: 'u', password: 'p' }, 'gw', testLog());
  ended.push(() => bus.close());
  const links: boolean[] = [];
  bus.onLink((up) => links.push(up));
  return { broker, bus, links };
}

describe('the bus', () => {
  test('connects with a clean session and QoS 1', async () => {
    const { broker, bus } = await setUp();
    await bus.subscribe('a/+', () => {});
    expect(bus.publish('a/b', 'x')).toBe(true);
    await vi.waitFor(() => expect(broker.published()).toEqual(['x']));
    expect(broker.packets).toMatchObject([
      { cmd: 'connect', clean: true, protocolVersion: 4, clientId: 'gw', username: 'u' },
      { cmd: 'subscribe', subscriptions: [{ topic: 'a/+', qos: 1 }] },
      { cmd: 'publish', qos: 1, retain: false, dup: false },
    ]);
  });

  test('what was unacknowledged when the link broke is never sent again', async () => {
    const { broker, bus, links } = await setUp();
    broker.acknowledge = false;
    for (const text of ['1', '2', '3']) expect(bus.publish('a/b', text)).toBe(true);
    await vi.waitFor(() => expect(broker.published()).toEqual(['1', '2', '3']));
    broker.sockets[0]?.destroy();
    await vi.waitFor(() => expect(links).toEqual([false]));
    expect(bus.publish('a/b', 'down')).toBe(false);
    broker.acknowledge = true;
    await vi.waitFor(() => expect(links).toEqual([false, true]), 5_000);
    expect(bus.publish('a/b', '4')).toBe(true);
    await vi.waitFor(() => expect(broker.published()).toEqual(['1', '2', '3', '4']));
  });

  test('subscriptions come back with the link, before it is told to be up', async () => {
    const { broker, bus, links } = await setUp();
    const seen: string[] = [];
    await bus.subscribe('a/#', (message) => seen.push(message.topic));
    await bus.subscribe('b', (message) => seen.push(message.topic));
    broker.sockets[0]?.destroy();
    await vi.waitFor(() => expect(links).toEqual([false, true]), 5_000);
    const asked = broker.packets.filter((packet) => packet.cmd === 'subscribe').at(-1);
    expect(asked).toMatchObject({ subscriptions: [{ topic: 'b' }, { topic: 'a/#' }] });
    for (const topic of ['a/1', 'b', 'c', 'a'])
      broker.send({ cmd: 'publish', topic, payload: 'x', qos: 0, dup: false, retain: false });
    await vi.waitFor(() => expect(seen).toEqual(['a/1', 'b', 'a']));
  });

  test('a broker that refuses a subscription is a link that is down, with the reason, until it grants it', async () => {
    const { broker, bus, links } = await setUp();
    const whys: string[] = [];
    bus.onLink((up, why) => up || whys.push(why));
    broker.refuses = ['a/+/event/#'];
    await bus.subscribe('a/+/event/#', () => {});
    await vi.waitFor(() => expect(links).toEqual([false]), 5_000);
    expect(whys).toEqual([expect.stringMatching(/a\/\+\/event\/#|subscriptions/)]);
    expect(bus.publish('a/lock/command/lock', 'unlock')).toBe(false);
    const asked = broker.packets.filter((packet) => packet.cmd === 'subscribe').length;
    await vi.waitFor(
      () => expect(broker.packets.filter((packet) => packet.cmd === 'subscribe').length).toBeGreaterThan(asked),
      5_000,
    );
    expect(links).toEqual([false]);
    broker.refuses = [];
    await vi.waitFor(() => expect(links).toEqual([false, true]), 10_000);
  });

  test('one filter has many handlers and is asked for once', async () => {
    const { broker, bus } = await setUp();
    const calls: string[] = [];
    await bus.subscribe('a/+', ({ topic }) => calls.push(topic));
    await bus.subscribe('a/+', ({ topic }) => calls.push(topic));
    broker.send({ cmd: 'publish', topic: 'a/b', payload: 'x', qos: 0, dup: false, retain: true });
    await vi.waitFor(() => expect(calls.length).toBe(2));
    expect(broker.packets.filter((packet) => packet.cmd === 'subscribe').length).toBe(1);
  });

  test('a message larger than any device sends is not handed on', async () => {
    const { broker, bus } = await setUp();
    const seen: number[] = [];
    await bus.subscribe('a', (message) => seen.push(message.payload.byteLength));
    for (const bytes of [64 * 1024 + 1, 64 * 1024]) {
      broker.send({ cmd: 'publish', topic: 'a', payload: Buffer.alloc(bytes), qos: 0, dup: false, retain: false });
    }
    await vi.waitFor(() => expect(seen).toEqual([64 * 1024]));
  });

  test('beyond its limit of unacknowledged publishes it refuses instead of queueing', async () => {
    const { broker, bus } = await setUp();
    broker.acknowledge = false;
    let taken = 0;
    while (taken < 30_000 && bus.publish('a', '')) taken += 1;
    expect(taken).toBe(20_000);
  });

  test('what yields is refused while the rest still leaves', async () => {
    const { broker, bus } = await setUp();
    broker.acknowledge = false;
    let taken = 0;
    while (taken < 30_000 && bus.publish('a', 'lamp', { yields: true })) taken += 1;
    expect(taken).toBe(4_000);
    expect(bus.publish('a', 'unlock')).toBe(true);
    await vi.waitFor(() => expect(broker.published().at(-1)).toBe('unlock'));
  });

  test('closing waits for what is under way, but not for ever', async () => {
    const { broker, bus } = await setUp();
    bus.publish('a', 'last');
    await bus.close();
    expect(broker.published()).toEqual(['last']);
    expect(broker.packets.at(-1)?.cmd).toBe('disconnect');
    const stalled = await connectBus({ kind: 'external', url: broker.url }, 'gw', testLog());
    broker.acknowledge = false;
    stalled.publish('a', 'never acknowledged');
    await stalled.close();
  });

  test('a broker that is not there is no failure of the start', async () => {
    const log = testLog();
    const bus = await connectBus({ kind: 'external', url: 'mqtt://user:secret@127.0.0.1:1' }, 'gw', log);
    expect(bus.connected).toBe(false);
    expect(JSON.stringify(log.lines)).toContain('ECONNREFUSED');
    expect(JSON.stringify(log.lines)).not.toContain('secret');
    await bus.close();
  });
});
