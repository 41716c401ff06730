/**
 * From a badge published to the unlock command received at the lock, with the durable commit in between, beside its floor:
 * an echo through the same broker with one durable commit. Both in one run and in random order, so that what the machine
 * does meanwhile meets both alike.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type BrokerKind, startUnderTest, type UnderTest } from './brokers.ts';
import { Client } from './client.ts';
import { connectDoors, type DoorUnit } from './doors.ts';
import type { FloorOptions } from './floor.ts';
import { type Helper, startHelper } from './processes.ts';
import { heading, progress, row, type Spread, seeded, shuffle, spread, target } from './report.ts';
import { PASSWORD, SITE } from './site.ts';

const DOORS = 50;
const SENSORS = 10;
const SENSOR_MESSAGES_PER_S = 2_000;
const SAMPLES = 2_000;
const WARM_UP = 300;
/** Pause between samples, drawn from `[first, second)` ms: the lock's report of the sample before is dealt with by then. */
const PAUSE_MS = [2, 6] as const;
const ANSWER_WITHIN_MS = 5_000;
/** Asked of badge against floor. */
const P50_RATIO = { mosquitto: 1.4, embedded: 1.1 } as const;
const LOADED_P95_RATIO = 1.5;
const NO_COMMIT_P99_MS = 10;
const RAM_DISK = '/dev/shm';

export async function benchLatency(): Promise<void> {
  for (const broker of ['mosquitto', 'embedded'] as const) {
    heading(`Badge published → unlock received, on ${broker} (floor: echo + one durable commit), ms`);
    await onDisk(broker);
    await onRamDisk(broker);
  }
}

async function onDisk(broker: BrokerKind): Promise<void> {
  const probe = await Probe.open(broker);
  try {
    const quiet = await probe.measure(`${broker}, quiet`);
    print('quiet', quiet);
    const p50 = quiet.badge.p50 / quiet.floor.p50;
    const asked = P50_RATIO[broker];
    target('p50 badge / floor, quiet', `${p50.toFixed(2)} ×`, `≤ ${asked} ×`, p50 <= asked);
    await probe.load();
    const loaded = await probe.measure(`${broker}, ${SENSOR_MESSAGES_PER_S} sensor messages/s`);
    print('with sensors', loaded);
    const p95 = loaded.badge.p95 / loaded.floor.p95;
    target(
      'p95 badge / floor, with sensors',
      `${p95.toFixed(2)} ×`,
      `≤ ${LOADED_P95_RATIO} ×`,
      p95 <= LOADED_P95_RATIO,
    );
  } finally {
    await probe.close();
  }
}

/** On a disk in memory a commit costs nothing: what is left is the gateway's own. */
async function onRamDisk(broker: BrokerKind): Promise<void> {
  if (!existsSync(RAM_DISK)) {
    row(`p99 without the commit: no ${RAM_DISK} here`);
    return;
  }
  const probe = await Probe.open(broker, RAM_DISK);
  try {
    await probe.load();
    const { badge } = await probe.measure(`${broker}, without the disk`, ['badge']);
    row('badge without the commit, with sensors', told(badge));
    const figure = `${badge.p99.toFixed(2)} ms`;
    target('p99 without the commit, with sensors', figure, `< ${NO_COMMIT_P99_MS} ms`, badge.p99 < NO_COMMIT_P99_MS);
  } finally {
    await probe.close();
  }
}

interface Measured {
  readonly floor: Spread;
  readonly badge: Spread;
}

function told({ p50, p95, p99 }: Spread): string {
  return `p50 ${p50.toFixed(2)}   p95 ${p95.toFixed(2)}   p99 ${p99.toFixed(2)}`;
}

function print(label: string, { floor, badge }: Measured): void {
  row(`floor, ${label}`, told(floor));
  row(`badge, ${label}`, told(badge));
  row(
    `badge / floor, ${label}`,
    `p50 ${(badge.p50 / floor.p50).toFixed(2)} ×   p95 ${(badge.p95 / floor.p95).toFixed(2)} ×   p99 ${(badge.p99 / floor.p99).toFixed(2)} ×`,
  );
}

/** Everything around one gateway that takes samples of it and of the floor. */
class Probe {
  readonly #under: UnderTest;
  readonly #doors: readonly DoorUnit[];
  readonly #floor: Helper;
  readonly #floorOut: Client;
  readonly #floorIn: Client;
  readonly #floorTopic: string;
  #sensors: Helper | undefined;

  private constructor(
    under: UnderTest,
    doors: readonly DoorUnit[],
    floor: Helper,
    out: Client,
    into: Client,
    topic: string,
  ) {
    this.#under = under;
    this.#doors = doors;
    this.#floor = floor;
    this.#floorOut = out;
    this.#floorIn = into;
    this.#floorTopic = topic;
  }

  static async open(broker: BrokerKind, parent?: string): Promise<Probe> {
    const under = await startUnderTest({ broker, rooms: DOORS, sensors: SENSORS, parent });
    const { port } = under;
    const base = `doorward/1/${SITE}/`;
    // On mosquitto the floor has topics of its own. The embedded broker knows devices' topics only; `window` is one that
    // the gateway lets pass unread.
    const topics =
      broker === 'mosquitto'
        ? { from: `${base}_floor/in`, to: `${base}_floor/out`, reader: 'floor-echo', writer: 'floor-echo' }
        : {
            from: `${base}floor/event/window`,
            to: `${base}floor-echo/event/window`,
            reader: 'floor-in',
            writer: 'floor-echo',
          };
    const file = path.join(under.prepared.folder, 'floor.db');
    const options: FloorOptions = { port, password: PASSWORD, file, ...topics };
    const floor = await startHelper('./floor.js', options);
    const out = await Client.connect({ port, id: 'floor', password: PASSWORD });
    const into = broker === 'mosquitto' ? out : await Client.connect({ port, id: 'floor-out', password: PASSWORD });
    await into.subscribe(topics.to);
    return new Probe(under, await connectDoors(port, DOORS), floor, out, into, topics.from);
  }

  async load(): Promise<void> {
    const options = { port: this.#under.port, sensors: SENSORS, messagesPerS: SENSOR_MESSAGES_PER_S };
    this.#sensors = await startHelper('./sensors.js', options);
  }

  async measure(what: string, of: readonly Kind[] = ['floor', 'badge']): Promise<Measured> {
    progress(`latency: ${what}`);
    const random = seeded(7);
    const floor: number[] = [];
    const badge: number[] = [];
    // As many of each kind, in random order.
    const kinds = shuffle(
      of.flatMap((kind) => Array.from({ length: WARM_UP + SAMPLES }, () => kind)),
      random,
    );
    for (const [at, kind] of kinds.entries()) {
      const ms = kind === 'floor' ? await this.#echo() : await this.#badge(at);
      if (at >= WARM_UP * of.length) (kind === 'floor' ? floor : badge).push(ms);
      await wait(PAUSE_MS[0] + random() * (PAUSE_MS[1] - PAUSE_MS[0]));
    }
    return { floor: spread(floor), badge: spread(badge) };
  }

  #echo(): Promise<number> {
    const payload = JSON.stringify({
      boot: 'bench-1',
      id: 'floor',
      at: new Date().toISOString(),
      value: 'A0000000',
      type: 'x',
    });
    return timed('the floor', (done) => {
      this.#floorIn.onMessage = done;
      this.#floorOut.publish(this.#floorTopic, payload);
    });
  }

  #badge(at: number): Promise<number> {
    const door = this.#doors[at % DOORS] as DoorUnit;
    return timed('a badge', (done) => {
      door.onUnlock = done;
      door.badge();
    });
  }

  async close(): Promise<void> {
    await this.#sensors?.stop();
    await this.#floor.stop();
    for (const { client } of this.#doors) client.end();
    this.#floorOut.end();
    if (this.#floorIn !== this.#floorOut) this.#floorIn.end();
    await this.#under.stop();
  }
}

type Kind = 'floor' | 'badge';

function timed(what: string, start: (done: () => void) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${what} was not answered`)), ANSWER_WITHIN_MS);
    const began = performance.now();
    start(() => {
      clearTimeout(late);
      resolve(performance.now() - began);
    });
  });
}
