/** A whole gateway in this process, from `config/acceptance.yaml`, on free ports and a temporary data folder. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { vi } from 'vitest';
import { drivers } from '../../devices/registry.ts';
import { loadConfig, toSite } from '../../gateway/config/index.ts';
import type { Clock } from '../../gateway/loop/types.ts';
import { type Gateway, startGateway } from '../../gateway/main.ts';
import { ManualClock } from './clock.ts';
import { type Mosquitto, startMosquitto } from './mosquitto.ts';
import { NativeDevice } from './nativedevice.ts';

export const DEVICE_PASSWORD = 'device-password';
export const OBSERVER_PASSWORD = 'observer-password';
const GATEWAY_PASSWORD = 'gateway-password';
/** Monday 2026-03-02 08:00 UTC, 09:00 in the clinic. */
export const EIGHT = Date.UTC(2026, 2, 2, 8);

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many routes, looked into by tests
  readonly body: any;
  readonly text: string;
}

export interface ClinicOptions {
  readonly broker?: 'embedded' | 'mosquitto';
  readonly influxUrl?: string | undefined;
  readonly clock?: Clock | undefined;
  /** Text changes of the configuration before it is read. */
  readonly change?: ((yaml: string) => string) | undefined;
  readonly dataDir?: string | undefined;
  /** mosquitto is set up, but halted before the gateway starts. */
  readonly brokerAway?: boolean | undefined;
  /** What the moved clock shows first; a Monday in March unless set. */
  readonly startMs?: number | undefined;
}

/** Turns of the event loop that a second of moved time is given, so that devices nearby are heard and answered in it. */
const TURNS_A_SECOND = 5;
/** Turns after an order went out: broker, device, its report, broker, gateway. */
const TURNS_AN_ORDER = 20;

/** The HTTP interface over a data folder's socket, with full rights. */
export function socketApi(dataDir: string, method: string, apiPath: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const request = http.request(
      { socketPath: path.join(dataDir, 'doorward.sock'), path: `/api/v1/${apiPath}`, method, headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        response.on('end', () => {
          let parsed: unknown;
          try {
            parsed = JSON.parse(text);
          } catch {
            parsed = undefined;
          }
          resolve({ status: response.statusCode ?? 0, body: parsed, text });
        });
      },
    );
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

export class Clinic {
  readonly clock: ManualClock;
  readonly dataDir: string;
  mqttUrl: string;
  gateway: Gateway;
  /** The outside broker, to halt and start. */
  readonly mosquitto: Mosquitto | undefined;
  readonly #start: () => Promise<Gateway>;
  readonly #undo: (() => Promise<void> | void)[];
  readonly #devices: NativeDevice[] = [];

  private constructor(
    clock: ManualClock,
    dataDir: string,
    mqttUrl: string,
    gateway: Gateway,
    start: () => Promise<Gateway>,
    undo: (() => Promise<void> | void)[],
    mosquitto: Mosquitto | undefined,
  ) {
    this.clock = clock;
    this.dataDir = dataDir;
    this.mqttUrl = mqttUrl;
    this.gateway = gateway;
    this.#start = start;
    this.#undo = undo;
    this.mosquitto = mosquitto;
  }

  static async open(options: ClinicOptions = {}): Promise<Clinic> {
    const clock = new ManualClock(options.startMs ?? EIGHT);
    const folder = mkdtempSync(path.join(tmpdir(), 'doorward-clinic-'));
    const undo: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
    let yaml = readFileSync(new URL('../../config/acceptance.yaml', import.meta.url), 'utf8')
      .replace('port: 18080', 'port: 0')
      .replace('port: 18831', 'port: 0')
      .replace(
        /^influx: .*$/m,
        options.influxUrl === undefined
          ? ''
          : `influx: { url: "${options.influxUrl}", database: doorward, retentionDays: 400 }`,
      );
    let mqttUrl = '';
    let mosquitto: Mosquitto | undefined;
    if (options.broker === 'mosquitto') {
      const ids = [...yaml.matchAll(/^ {2}- \{ id: ([a-z0-9-]+), driver: native/gm)].map((match) => match[1] ?? '');
      const server = await startMosquitto({
        site: 'acceptance',
        devices: ids.map((id) => ({ id, password: DEVICE_PASSWORD })),
        users: [{ name: 'observer', password: OBSERVER_PASSWORD, read: ['_room/#'] }],
        gateway: { username: 'doorward', password: GATEWAY_PASSWORD },
      });
      mosquitto = server;
      undo.push(() => server.stop());
      mqttUrl = server.url;
      if (options.brokerAway === true) await server.halt();
      yaml = yaml.replace(
        /^broker:\n(?: .*\n)+/m,
        `broker:\n  external: { url: "${mqttUrl}", username: doorward, password: ${GATEWAY_PASSWORD} }\n`,
      );
    }
    if (options.change !== undefined) yaml = options.change(yaml);
    const file = path.join(folder, 'site.yaml');
    writeFileSync(file, yaml);
    const config = loadConfig(file, { drivers, env: { DEVICE_PASSWORD, OBSERVER_PASSWORD } });
    const dataDir = options.dataDir ?? path.join(folder, 'data');
    const start = () =>
      startGateway({
        config,
        site: toSite(config),
        dataDir,
        clock: options.clock ?? clock,
        log: pino({ level: process.env.TEST_LOG ?? 'silent' }),
      });
    const gateway = await start();
    if (options.broker !== 'mosquitto') mqttUrl = `mqtt://127.0.0.1:${gateway.mqttPort}`;
    return new Clinic(clock, dataDir, mqttUrl, gateway, start, undo, mosquitto);
  }

  async close(): Promise<void> {
    for (const device of this.#devices) await device.stop();
    await this.gateway.stop();
    for (const step of this.#undo.reverse()) await step();
  }

  /** Stops the gateway and starts it anew on the same data and broker (an embedded broker gets another port). */
  async restart(): Promise<void> {
    await this.gateway.stop();
    this.gateway = await this.#start();
    if (this.gateway.mqttPort !== undefined) this.mqttUrl = `mqtt://127.0.0.1:${this.gateway.mqttPort}`;
  }

  /** What a route under /api/v1 answers, or an error that says what it answered instead. */
  async get<T>(apiPath: string): Promise<T> {
    const answer = await this.api('GET', apiPath);
    if (answer.status !== 200) throw new Error(`${apiPath}: ${answer.status} ${answer.text}`);
    return answer.body as T;
  }

  /** Kinds of the live alarms, of a device, door or room when one is named. */
  async alarms(subject?: string): Promise<string[]> {
    const live =
      await this.get<{ kind: string; device: string | null; door: string | null; room: string | null }[]>('alarms');
    const about = (one: (typeof live)[number]) =>
      subject === undefined || [one.device, one.door, one.room].some((name) => name === subject);
    return live.filter(about).map((one) => one.kind);
  }

  /** The HTTP interface over the data folder's socket, with full rights. */
  api(method: string, apiPath: string, body?: unknown): Promise<Answer> {
    return socketApi(this.dataDir, method, apiPath, body);
  }

  async device(
    id: string,
    capabilities: readonly string[],
    states: Readonly<Record<string, unknown>> = {},
    boot = 'b1',
  ): Promise<NativeDevice> {
    const device = await NativeDevice.connect({
      url: this.mqttUrl,
      site: 'acceptance',
      id,
      password: DEVICE_PASSWORD,
      capabilities,
      states,
      wallMs: () => this.clock.now().wallMs,
      boot,
    });
    this.#devices.push(device);
    await this.until(`devices`, (answer) =>
      answer.body.items.some((one: { id: string; online: boolean }) => one.id === id && one.online),
    );
    return device;
  }

  /** A member with a card, and if asked for a booking of consult-1 that runs from `startMin` to `endMin` from now. */
  async practitioner(
    name: string,
    uid: string,
    booking?: { readonly startMin: number; readonly endMin: number; readonly room?: string },
  ) {
    const member = (await this.api('POST', 'members', { name })).body.id as string;
    const credential = (await this.api('POST', 'credentials', { member, format: 'uid', value: uid })).body.id as string;
    const at = (minutes: number) => new Date(this.clock.now().wallMs + minutes * 60_000).toISOString();
    const booked =
      booking === undefined
        ? undefined
        : await this.api('POST', 'bookings', {
            room: booking.room ?? 'consult-1',
            holder: member,
            start: at(booking.startMin),
            end: at(booking.endMin),
          });
    return { member, credential, booking: booked?.body.id as string };
  }

  /** Journal entries of a kind, newest first. */
  async events(kind = 'access') {
    return (await this.api('GET', `events?kind=${kind}&limit=200`)).body.items as {
      seq: number;
      outcome: string;
      reason: string;
      subReason: string | null;
      command: string | null;
      door: string;
      note: string | null;
    }[];
  }

  /** Waits until the answer of a route is as asked; the clock stands still meanwhile. */
  async until(apiPath: string, holds: (answer: Answer) => boolean): Promise<Answer> {
    return await vi.waitFor(
      async () => {
        const answer = await this.api('GET', apiPath);
        if (!holds(answer)) throw new Error(`not yet: ${apiPath} says ${answer.text.slice(0, 400)}`);
        return answer;
      },
      { timeout: 20_000, interval: 20 },
    );
  }

  /** Lets time pass in ticks, so that each second is looked at. */
  advance(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1_000) this.clock.advance(Math.min(1_000, ms - passed));
  }
  /**
   * Lets time pass step by step, and each step be decided and answered before the next begins. For the embedded broker:
   * another process is not waited for.
   */
  async pass(ms: number, stepMs = 1_000): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, ms - passed));
      const heard = this.#orders();
      await turns(TURNS_A_SECOND);
      if (this.#orders() > heard) await turns(TURNS_AN_ORDER);
    }
    await turns(TURNS_AN_ORDER);
  }

  #orders(): number {
    return this.#devices.reduce((sum, device) => sum + device.orders.length, 0);
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
