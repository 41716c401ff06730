/** MQTT clients for tests, independent of the gateway's own bus. */
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

export interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly qos: number;
}

export class TestClient {
  readonly client: MqttClient;
  readonly received: Received[] = [];
  readonly closed: Promise<void>;

  private constructor(client: MqttClient) {
    this.client = client;
    client.on('message', (topic, payload, packet) => {
      this.received.push({ topic, payload: payload.toString(), retain: packet.retain, qos: packet.qos });
    });
    client.on('error', () => {});
    this.closed = new Promise((resolve) => client.once('close', () => resolve()));
  }

  /** Rejects when the broker refuses. */
  static async connect(port: number, id: string, password: string, options: IClientOptions = {}): Promise<TestClient> {
    const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
      clientId: id,
      username: id,
      password,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: 5_000,
      ...options,
    });
    const made = new TestClient(client);
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', reject);
      client.once('close', () => reject(new Error('closed before CONNACK')));
    });
    if ('setNoDelay' in client.stream && typeof client.stream.setNoDelay === 'function') client.stream.setNoDelay(true);
    return made;
  }

  async subscribe(filter: string, qos: 0 | 1 = 1): Promise<number> {
    try {
      const [granted] = await this.client.subscribeAsync(filter, { qos });
      return granted?.qos ?? 128;
    } catch {
      return 128;
    }
  }

  async publish(
    topic: string,
    payload: object | string | Buffer,
    options: { retain?: boolean; qos?: 0 | 1 } = {},
  ): Promise<void> {
    const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
    await this.client.publishAsync(topic, bytes, { qos: 1, ...options });
  }

  /** As a device that loses its power: no DISCONNECT, so that the will is sent. */
  cut(): void {
    this.client.stream.destroy();
  }

  async end(): Promise<void> {
    await this.client.endAsync(true);
  }
}

/** A log that keeps its lines. */
export function testLog() {
  const lines: { level: string; text: string; fields: object }[] = [];
  const at = (level: string) => (fields: object, text: string) => void lines.push({ level, text, fields });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
