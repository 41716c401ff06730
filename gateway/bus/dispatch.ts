/** Which handlers a message goes to. Pure. */
import type { BusMessage } from './types.ts';

export type Handler = (message: BusMessage) => void;

interface Entry {
  readonly filter: string;
  readonly levels: readonly string[];
  readonly handlers: Handler[];
}

/** Filters without a wildcard are looked up; those with one are few (a handful for each driver) and tried in turn. */
export class Dispatch {
  readonly #exact = new Map<string, Handler[]>();
  readonly #wild: Entry[] = [];

  /** True when the filter is new, so that the broker must be asked for it. */
  add(filter: string, handler: Handler): boolean {
    if (!/[+#]/.test(filter)) {
      const known = this.#exact.get(filter);
      if (known !== undefined) known.push(handler);
      else this.#exact.set(filter, [handler]);
      return known === undefined;
    }
    const known = this.#wild.find((entry) => entry.filter === filter);
    if (known !== undefined) known.handlers.push(handler);
    else this.#wild.push({ filter, levels: filter.split('/'), handlers: [handler] });
    return known === undefined;
  }

  filters(): readonly string[] {
    return [...this.#exact.keys(), ...this.#wild.map((entry) => entry.filter)];
  }

  handle(message: BusMessage): void {
    const exact = this.#exact.get(message.topic);
    if (exact !== undefined) for (const handler of exact) handler(message);
    if (this.#wild.length === 0) return;
    const levels = message.topic.split('/');
    for (const entry of this.#wild) {
      if (levelsMatch(entry.levels, levels)) for (const handler of entry.handlers) handler(message);
    }
  }
}

/** MQTT 3.1.1, section 4.7. */
function levelsMatch(filter: readonly string[], topic: readonly string[]): boolean {
  for (let at = 0; at < filter.length; at += 1) {
    const wanted = filter[at];
    if (wanted === '#') return true;
    const given = topic[at];
    if (given === undefined || (wanted !== '+' && wanted !== given)) return false;
  }
  return topic.length === filter.length;
}
