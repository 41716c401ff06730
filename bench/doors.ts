/** Door units at the broker: they badge, and their locks say that they did what they were told. */
import { Client } from './client.ts';
import { CARDS_PER_DOOR, doorDevice, PASSWORD, SITE, uid } from './site.ts';

const BOOT = 'bench-1';

export class DoorUnit {
  readonly client: Client;
  /** Hears when an unlock command arrived. */
  onUnlock: () => void = () => {};
  readonly #number: number;
  readonly #base: string;
  #events = 0;
  unlocks = 0;
  sent = 0;

  private constructor(client: Client, number: number) {
    this.client = client;
    this.#number = number;
    this.#base = `doorward/1/${SITE}/${doorDevice(number)}/`;
    const lock = lockTopic(number);
    client.onMessage = (topic, payload) => {
      if (topic === lock) this.#ordered(payload);
    };
  }

  static async connect(port: number, number: number): Promise<DoorUnit> {
    const id = doorDevice(number);
    const unit = new DoorUnit(await Client.connect({ port, id, password: PASSWORD }), number);
    // What the gateway tells the reader goes to the broker too; the lamp of a reader is not what is measured.
    await unit.client.subscribe(lockTopic(number));
    const desc = { v: 1, model: 'bench', firmware: '1', capabilities: ['lock', 'reader'] };
    unit.client.publish(`${unit.#base}desc`, JSON.stringify(desc), true);
    unit.client.publish(`${unit.#base}status`, JSON.stringify({ status: 'online', boot: BOOT }), true);
    const state = { boot: BOOT, seq: 1, value: 'locked' };
    unit.client.publish(`${unit.#base}state/lock`, JSON.stringify(state), true);
    return unit;
  }

  /** The next card of this door: never the same twice in a row, for a repeat within a second is one read. */
  badge(): void {
    const n = ++this.#events;
    this.sent += 1;
    const event = {
      boot: BOOT,
      seq: n,
      id: `e${n}`,
      at: new Date().toISOString(),
      type: 'credential',
      format: 'uid',
      value: uid(this.#number, n % CARDS_PER_DOOR),
    };
    this.client.publish(`${this.#base}event/reader`, JSON.stringify(event));
  }

  #ordered(payload: Buffer): void {
    const command = JSON.parse(payload.toString()) as { id: string; op: string };
    if (command.op !== 'unlock') return;
    this.unlocks += 1;
    this.onUnlock();
    this.client.publish(`${this.#base}ack/lock`, JSON.stringify({ id: command.id, result: 'done' }));
  }
}

function lockTopic(number: number): string {
  return `doorward/1/${SITE}/${doorDevice(number)}/command/lock`;
}

export async function connectDoors(port: number, doors: number): Promise<DoorUnit[]> {
  const units: DoorUnit[] = [];
  for (let i = 0; i < doors; i++) units.push(await DoorUnit.connect(port, i));
  return units;
}
