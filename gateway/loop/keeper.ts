/** Writes what may wait a moment (telemetry, alarms, relay switches, unknown cards) once a second, in groups. */
import type { Alarm, Effect, Measurement, RelaySwitch, UnknownCard } from '../core/effects.ts';
import type { Clock, LoopPort } from './types.ts';

/** A power cut loses at most this much telemetry. */
export const FLUSH_EVERY_MS = 1_000;
/** Points that wait in memory when the outbox refuses; the oldest go first. */
export const MAX_WAITING_POINTS = 200_000;

export interface KeeperStore {
  readonly outbox: { append(points: readonly Measurement[]): void; trim(): void };
  readonly alarms: { put(alarm: Alarm): void };
  readonly relays: { put(relay: RelaySwitch): void };
  readonly unknownCards: { put(card: UnknownCard): void };
  /** Runs several writes as one durable commit. */
  together(writes: () => void): void;
}

export class Keeper {
  readonly #store: KeeperStore;
  readonly #clock: Clock;
  readonly #failed: (why: string | undefined) => void;
  #points: Measurement[] = [];
  readonly #alarms = new Map<string, Alarm>();
  readonly #relays = new Map<string, RelaySwitch>();
  readonly #cards = new Map<string, UnknownCard>();
  #cancel: (() => void) | undefined;
  #stopped = false;
  #failing = false;

  /** `failed` hears why writing fails, and undefined when it works again. */
  constructor(store: KeeperStore, clock: Clock, failed: (why: string | undefined) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#failed = failed;
  }

  attach(loop: Pick<LoopPort, 'onEffect'>): void {
    loop.onEffect((effect) => this.#take(effect));
    const flush = () => {
      if (this.#stopped) return;
      this.flush();
      this.#cancel = this.#clock.after(FLUSH_EVERY_MS, flush);
    };
    this.#cancel = this.#clock.after(FLUSH_EVERY_MS, flush);
  }

  flush(): void {
    try {
      if (this.#points.length > 0) this.#store.outbox.append(this.#points);
      this.#points = [];
      if (this.#alarms.size + this.#relays.size + this.#cards.size > 0) {
        this.#store.together(() => {
          for (const alarm of this.#alarms.values()) this.#store.alarms.put(alarm);
          for (const relay of this.#relays.values()) this.#store.relays.put(relay);
          for (const card of this.#cards.values()) this.#store.unknownCards.put(card);
        });
      }
      this.#alarms.clear();
      this.#relays.clear();
      this.#cards.clear();
      // Last: when it fails, what is above is written all the same, and it is tried again in a second.
      this.#store.outbox.trim();
      if (this.#failing) this.#failed(undefined);
      this.#failing = false;
    } catch (error) {
      if (this.#points.length > MAX_WAITING_POINTS) this.#points = this.#points.slice(-MAX_WAITING_POINTS);
      if (!this.#failing) this.#failed(error instanceof Error ? error.message : String(error));
      this.#failing = true;
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.flush();
  }

  #take(effect: Effect): void {
    switch (effect.kind) {
      case 'telemetry':
        this.#points.push(effect.point);
        break;
      case 'alarm':
        this.#alarms.set(effect.alarm.id, effect.alarm);
        break;
      case 'relay_switch':
        this.#relays.set(effect.relay.point, effect.relay);
        break;
      case 'unknown_card':
        this.#cards.set(`${effect.card.reader}|${effect.card.hash}`, effect.card);
        break;
      default:
        break;
    }
  }
}
