/**
 * A light MQTT 3.1.1 client, so that a thousand devices or thousands of badges a second cost the machine little beside
 * the gateway under test. QoS 1, no retries: a link that breaks is a failed benchmark.
 */
import { once } from 'node:events';
import net from 'node:net';
import mqtt from 'mqtt-packet';

export interface ClientOptions {
  readonly port: number;
  /** User name and client id. */
  readonly id: string;
  readonly password: string;
}

const MAX_PACKET_ID = 65_535;

export class Client {
  readonly id: string;
  /** Hears each publish as it is parsed. */
  onMessage: (topic: string, payload: Buffer) => void = () => {};
  /** Publishes that the broker has not acknowledged. */
  unacknowledged = 0;
  readonly #socket: net.Socket;
  readonly #answers = new Map<number, () => void>();
  #packetId = 0;
  #corked = false;

  private constructor(id: string, socket: net.Socket) {
    this.id = id;
    this.#socket = socket;
  }

  static async connect({ port, id, password }: ClientOptions): Promise<Client> {
    const socket = net.connect(port, '127.0.0.1').setNoDelay(true);
    await once(socket, 'connect');
    const client = new Client(id, socket);
    const parser = mqtt.parser({ protocolVersion: 4 });
    await new Promise<void>((resolve, reject) => {
      parser.on('packet', (packet) => {
        if (packet.cmd !== 'connack') client.#take(packet);
        else if (packet.returnCode === 0) resolve();
        else reject(new Error(`the broker refuses ${id}: ${packet.returnCode}`));
      });
      parser.on('error', reject);
      socket.on('data', (bytes: Buffer) => parser.parse(bytes));
      socket.on('error', reject);
      socket.on('close', () => reject(new Error(`the broker cut ${id} off`)));
      client.#send({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clientId: id,
        username: id,
        password: Buffer.from(password),
        clean: true,
        keepalive: 0,
      });
    });
    return client;
  }

  async subscribe(filter: string): Promise<void> {
    const messageId = this.#nextId();
    const answered = new Promise<void>((resolve) => this.#answers.set(messageId, resolve));
    this.#send({ cmd: 'subscribe', messageId, subscriptions: [{ topic: filter, qos: 1 }] });
    await answered;
  }

  publish(topic: string, payload: string, retain = false): void {
    this.unacknowledged += 1;
    this.#send({ cmd: 'publish', messageId: this.#nextId(), topic, payload, qos: 1, dup: false, retain });
  }

  end(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.end(mqtt.generate({ cmd: 'disconnect' } as mqtt.Packet));
  }

  #take(packet: mqtt.Packet): void {
    if (packet.cmd === 'publish') {
      // The message first: its time is what is measured.
      this.onMessage(packet.topic, packet.payload as Buffer);
      if (packet.qos > 0) this.#send({ cmd: 'puback', messageId: packet.messageId });
    } else if (packet.cmd === 'puback') this.unacknowledged -= 1;
    else if (packet.cmd === 'suback') this.#answers.get(packet.messageId ?? 0)?.();
  }

  /** What is sent in one turn leaves in one write, as from a device that has several things to say. */
  #send(packet: mqtt.Packet): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      queueMicrotask(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(mqtt.generate(packet));
  }

  #nextId(): number {
    this.#packetId = (this.#packetId % MAX_PACKET_ID) + 1;
    return this.#packetId;
  }
}
