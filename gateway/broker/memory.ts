/**
 * What the broker keeps: retained messages, wills and half-done QoS 2 messages, in memory. No session outlives its
 * connection (every client is made clean), so nothing is ever queued for a device that is away: no unlock arrives late.
 * Devices send their states anew at each connect, so nothing is lost when the broker restarts.
 */
import { Readable } from 'node:stream';
import { matches } from './filters.ts';

interface Packet {
  readonly topic: string;
  readonly payload: string | Uint8Array;
}
interface Owner {
  readonly id: string;
}
interface Numbered {
  readonly messageId?: number | undefined;
}
interface Will {
  brokerId?: string;
  clientId?: string;
}

/** What only the gateway writes (`_room`): as many as there are rooms, and no device can add to it. */
const GATEWAY_OWNER = /\/_[^/]*$/;
/** A retained message's place: its first four levels are `doorward/1/<site>/<device>`. */
const OWNER_LEVELS = 4;

/**
 * A promise kept at once. aedes hangs its next step on the store's promise; a real one costs a turn of the queue for
 * retained messages only, and the next message of the same device would overtake.
 */
class Kept<T> implements PromiseLike<T> {
  readonly #value: T;
  constructor(value: T) {
    this.#value = value;
  }
  // biome-ignore lint/suspicious/noThenProperty: being a thenable is its purpose
  then<A = T, B = never>(kept?: ((value: T) => A | PromiseLike<A>) | null): PromiseLike<A | B> {
    return new Kept(kept == null ? (this.#value as unknown as A) : (kept(this.#value) as A));
  }
}
const DONE = new Kept<undefined>(undefined);
const NO_SUBSCRIPTIONS = new Kept<readonly never[]>([]);

export class MemoryStore {
  readonly #retained = new Map<string, Map<string, Packet>>();
  readonly #incoming = new Map<string, Map<number, Numbered>>();
  readonly #wills = new Map<string, Will>();
  readonly #maxPerOwner: number;
  readonly #onFull: (owner: string) => void;
  #brokerId = '';

  /** `onFull` is told when an owner (a device) has `maxPerOwner` retained messages and sends one more, which is not kept. */
  constructor(maxPerOwner: number, onFull: (owner: string) => void) {
    this.#maxPerOwner = maxPerOwner;
    this.#onFull = onFull;
  }

  async setup(broker: { readonly id: string }): Promise<void> {
    this.#brokerId = broker.id;
  }

  storeRetained(packet: Packet): PromiseLike<unknown> {
    const owner = packet.topic.split('/', OWNER_LEVELS).join('/');
    let kept = this.#retained.get(owner);
    if (packet.payload.length === 0) {
      kept?.delete(packet.topic);
      if (kept?.size === 0) this.#retained.delete(owner);
      return DONE;
    }
    if (kept === undefined) {
      kept = new Map();
      this.#retained.set(owner, kept);
    }
    if (kept.size < this.#maxPerOwner || kept.has(packet.topic) || GATEWAY_OWNER.test(owner))
      kept.set(packet.topic, { ...packet });
    else this.#onFull(owner);
    return DONE;
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.#find(filters));
  }
  createRetainedStream(filter: string): Readable {
    return Readable.from(this.#find([filter]));
  }
  *#find(filters: readonly string[]): Generator<Packet> {
    for (const filter of filters) {
      const first = filter.split('/', OWNER_LEVELS);
      const named = first.length === OWNER_LEVELS && !first.includes('+') && !first.includes('#');
      const owner = named ? this.#retained.get(first.join('/')) : undefined;
      for (const kept of named ? (owner === undefined ? [] : [owner]) : this.#retained.values()) {
        for (const packet of kept.values()) if (matches(filter, packet.topic)) yield packet;
      }
    }
  }

  // Clean clients only: no stored subscriptions, nothing outgoing is kept.
  addSubscriptions(): PromiseLike<unknown> {
    return DONE;
  }
  removeSubscriptions(): PromiseLike<unknown> {
    return DONE;
  }
  subscriptionsByClient(): PromiseLike<readonly never[]> {
    return NO_SUBSCRIPTIONS;
  }
  subscriptionsByTopic(): PromiseLike<readonly never[]> {
    return NO_SUBSCRIPTIONS;
  }
  cleanSubscriptions(): PromiseLike<unknown> {
    return DONE;
  }
  outgoingEnqueue(): PromiseLike<unknown> {
    return DONE;
  }
  outgoingEnqueueCombi(): PromiseLike<unknown> {
    return DONE;
  }
  outgoingUpdate(): PromiseLike<unknown> {
    return DONE;
  }
  outgoingClearMessageId(): PromiseLike<unknown> {
    return DONE;
  }
  outgoingStream(): Readable {
    return Readable.from([]);
  }

  async incomingStorePacket(owner: Owner, packet: Numbered): Promise<void> {
    let store = this.#incoming.get(owner.id);
    if (store === undefined) {
      store = new Map();
      this.#incoming.set(owner.id, store);
    }
    store.set(packet.messageId ?? 0, packet);
  }
  async incomingGetPacket(owner: Owner, packet: Numbered): Promise<Numbered> {
    const found = this.#incoming.get(owner.id)?.get(packet.messageId ?? 0);
    if (found === undefined) throw new Error('no such packet');
    return found;
  }
  async incomingDelPacket(owner: Owner, packet: Numbered): Promise<void> {
    if (!this.#incoming.get(owner.id)?.delete(packet.messageId ?? 0)) throw new Error('no such packet');
  }
  async cleanIncoming(owner: Owner): Promise<void> {
    this.#incoming.delete(owner.id);
  }

  async putWill(owner: Owner, will: Will): Promise<void> {
    will.brokerId = this.#brokerId;
    will.clientId = owner.id;
    this.#wills.set(owner.id, will);
  }
  async getWill(owner: Owner): Promise<Will | undefined> {
    return this.#wills.get(owner.id);
  }
  async delWill(owner: Owner): Promise<Will | undefined> {
    const will = this.#wills.get(owner.id);
    this.#wills.delete(owner.id);
    return will;
  }
  streamWill(brokers: Readonly<Record<string, unknown>> = {}): Readable {
    return Readable.from([...this.#wills.values()].filter((will) => brokers[will.brokerId ?? ''] === undefined));
  }
  getClientList(): Readable {
    return Readable.from([]);
  }
  async destroy(): Promise<void> {
    this.#retained.clear();
  }
}
