/** A device of CONTRACT's native family for tests: says what it is told to say, and keeps what it is told. */
import mqtt, { type MqttClient } from 'mqtt';

export interface Ordered {
  readonly capability: string;
  readonly command: Record<string, unknown> & { readonly id: string; readonly op: string };
  readonly retain: boolean;
}

export class NativeDevice {
  readonly id: string;
  readonly orders: Ordered[] = [];
  readonly #client: MqttClient;
  readonly #base: string;
  readonly #wallMs: () => number;
  readonly #boot: string;
  /** Locks and relays that obey at once, until they are told to be silent. */
  obeys = true;
  #seq = 0;

  private constructor(client: MqttClient, site: string, id: string, boot: string, wallMs: () => number) {
    this.id = id;
    this.#client = client;
    this.#base = `doorward/1/${site}/${id}`;
    this.#boot = boot;
    this.#wallMs = wallMs;
    client.on('message', (topic, payload, packet) => {
      if (payload.length === 0) return;
      const capability = topic.slice(this.#base.length + '/command/'.length);
      const command = JSON.parse(payload.toString()) as Ordered['command'];
      this.orders.push({ capability, command, retain: packet.retain });
      // A device that is cut off in mid-word says no more.
      if (this.obeys) this.#obey(capability, command).catch(() => {});
    });
  }

  static async connect(options: {
    readonly url: string;
    readonly site: string;
    readonly id: string;
    readonly password: string;
    readonly capabilities: readonly string[];
    readonly states?: Readonly<Record<string, unknown>>;
    readonly wallMs: () => number;
    readonly boot?: string;
  }): Promise<NativeDevice> {
    const { url, site, id, password } = options;
    const base = `doorward/1/${site}/${id}`;
    const boot = options.boot ?? 'b1';
    const will = {
      topic: `${base}/status`,
      payload: Buffer.from(JSON.stringify({ status: 'lost', boot })),
      qos: 1,
      retain: true,
    } as const;
    const client = await mqtt.connectAsync(url, {
      clientId: id,
      username: id,
      password,
      clean: true,
      reconnectPeriod: 0,
      will,
    });
    const device = new NativeDevice(client, site, id, boot, options.wallMs);
    await client.subscribeAsync(`${base}/command/#`, { qos: 1 });
    await device.#publish('desc', { v: 1, model: 'test', firmware: '1', capabilities: options.capabilities }, true);
    await device.#publish('status', { status: 'online', boot, at: device.#at() }, true);
    for (const [capability, value] of Object.entries(options.states ?? {})) await device.state(capability, value);
    return device;
  }

  state(capability: string, value: unknown, command?: string): Promise<void> {
    const body = { boot: this.#boot, seq: ++this.#seq, at: this.#at(), value };
    return this.#publish(
      `state/${capability}`,
      command === undefined ? body : { ...body, cause: 'command', command },
      true,
    );
  }

  event(capability: string, body: object, change: object = {}): Promise<void> {
    const seq = ++this.#seq;
    return this.#publish(
      `event/${capability}`,
      { boot: this.#boot, seq, id: `${this.id}-${this.#boot}-${seq}`, at: this.#at(), ...body, ...change },
      false,
    );
  }

  badge(value: string, change: object = {}): Promise<void> {
    return this.event('reader', { type: 'credential', format: 'uid', value }, change);
  }

  /** Raw bytes to a topic of its own, for what no honest device sends. */
  async raw(topic: string, payload: string | Buffer, retain = false): Promise<void> {
    await this.#client.publishAsync(`${this.#base}/${topic}`, payload, { qos: 1, retain });
  }

  unlocks(): readonly Ordered[] {
    return this.orders.filter((order) => order.command.op === 'unlock');
  }

  /** `now` gives up what is under way, as a broken connection does anyway; an orderly goodbye would wait for it. */
  async stop(now = false): Promise<void> {
    await this.#client.endAsync(now || !this.#client.connected);
  }

  /** The connection breaks without a word, so that the broker speaks the last will. */
  drop(): void {
    this.#client.stream.destroy();
  }

  async #obey(capability: string, command: Ordered['command']): Promise<void> {
    if (command.op === 'unlock') await this.state(capability, 'unlocked', command.id);
    else if (command.op === 'lock') await this.state(capability, 'locked', command.id);
    else if (command.op === 'set') await this.state(capability, command.value, command.id);
  }

  async #publish(topic: string, body: object, retain: boolean): Promise<void> {
    await this.#client.publishAsync(`${this.#base}/${topic}`, JSON.stringify(body), { qos: 1, retain });
  }

  #at(): string {
    return new Date(this.#wallMs()).toISOString();
  }
}
