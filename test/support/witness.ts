/**
 * Virtual devices that outlive the gateway and the broker: they connect again by themselves, and keep with its time
 * all that they sent and received.
 */
import mqtt, { type MqttClient } from 'mqtt';

const RECONNECT_MS = 20;

export interface Account {
  readonly url: string;
  readonly site: string;
  readonly id: string;
  readonly password: string;
}

export interface ReceivedOrder {
  readonly id: string;
  readonly op: string;
  readonly atMs: number;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly retain: boolean;
}

export interface SentBadge {
  readonly uid: string;
  readonly atMs: number;
}

class Device {
  readonly base: string;
  readonly client: MqttClient;
  readonly #boot: string;
  #seq = 0;

  constructor(account: Account, capabilities: readonly string[], states: Readonly<Record<string, unknown>>) {
    this.base = `doorward/1/${account.site}/${account.id}`;
    this.#boot = `${account.id}-1`;
    this.client = mqtt.connect(account.url, {
      clientId: account.id,
      username: account.id,
      password: account.password,
      clean: true,
      reconnectPeriod: RECONNECT_MS,
      queueQoSZero: false,
      resubscribe: false,
      will: {
        topic: `${this.base}/status`,
        payload: Buffer.from(JSON.stringify({ status: 'lost', boot: this.#boot })),
        qos: 1,
        retain: true,
      },
    });
    this.client.on('error', () => {});
    this.client.on('connect', () => {
      this.client.subscribe(`${this.base}/command/#`, { qos: 1 });
      this.send('desc', { v: 1, model: 'witness', firmware: '1', capabilities }, true);
      this.send('status', { status: 'online', boot: this.#boot, at: new Date().toISOString() }, true);
      for (const [capability, value] of Object.entries(states)) this.state(capability, value);
    });
  }

  get online(): boolean {
    return this.client.connected;
  }

  state(capability: string, value: unknown, command?: string): void {
    this.send(`state/${capability}`, { ...this.#head(), value, ...(command && { cause: 'command', command }) }, true);
  }

  event(capability: string, body: object): void {
    const head = this.#head();
    this.send(`event/${capability}`, { ...head, id: `${this.#boot}-${head.seq}`, ...body }, false);
  }

  send(topic: string, body: object, retain: boolean): void {
    this.client.publish(`${this.base}/${topic}`, JSON.stringify(body), { qos: 1, retain }, () => {});
  }

  async stop(): Promise<void> {
    await this.client.endAsync(true);
  }

  #head() {
    this.#seq += 1;
    return { boot: this.#boot, seq: this.#seq, at: new Date().toISOString() };
  }
}

export class WitnessLock {
  readonly orders: ReceivedOrder[] = [];
  readonly #device: Device;

  constructor(account: Account) {
    this.#device = new Device(account, ['lock', 'door', 'exit'], { lock: 'locked', door: 'closed' });
    this.#device.client.on('message', (_topic, payload, packet) => {
      if (payload.length === 0) return;
      const { id, op, issuedAt, expiresAt } = JSON.parse(payload.toString()) as Record<string, string>;
      this.orders.push({
        id: id ?? '',
        op: op ?? '',
        atMs: Date.now(),
        issuedAtMs: Date.parse(issuedAt ?? ''),
        expiresAtMs: Date.parse(expiresAt ?? ''),
        retain: packet.retain,
      });
      this.#device.state('lock', op === 'unlock' ? 'unlocked' : 'locked', id);
    });
  }

  stop(): Promise<void> {
    return this.#device.stop();
  }
}

export class WitnessReader {
  readonly sent: SentBadge[] = [];
  granted = 0;
  readonly #device: Device;
  #timer: NodeJS.Timeout | undefined;

  constructor(account: Account) {
    this.#device = new Device(account, ['reader'], {});
    this.#device.client.on('message', (_topic, payload) => {
      if (payload.toString().includes('"signal":"granted"')) this.granted += 1;
    });
  }

  /** One card after the other, also while nobody listens. */
  begin(cards: readonly string[], everyMs: number): void {
    let next = 0;
    this.#timer = setInterval(() => {
      if (!this.#device.online) return;
      const uid = cards[next % cards.length] ?? '';
      next += 1;
      this.sent.push({ uid, atMs: Date.now() });
      this.#device.event('reader', { type: 'credential', format: 'uid', value: uid });
    }, everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#device.stop();
  }
}
