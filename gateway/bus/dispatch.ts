/** Which handlers a message goes to. Pure. */
import type { BusMessage } from './types.ts';

export type Handler = (message: BusMessage) => void;

interface Entry {
  readonly filter: string;
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
    else this.#wild.push({ filter, handlers: [handler] });
    return known === undefined;
  }

  filters(): readonly string[] {
    return [...this.#exact.keys(), ...this.#wild.map((entry) => entry.filter)];
  }

  handle(message: BusMessage): void {
    const exact = this.#exact.get(message.topic);
    if (exact !== undefined) for (const handler of exact) handler(message);
    for (const entry of this.#wild) {
      if (matches(entry.filter, message.topic)) for (const handler of entry.handlers) handler(message);
    }
  }
}

const SLASH = '/'.charCodeAt(0);
const PLUS = '+'.charCodeAt(0);
const HASH = '#'.charCodeAt(0);

/** MQTT 3.1.1, section 4.7. Letter by letter: each message is held against every filter, and levels would be made for it. */
export function matches(filter: string, topic: string): boolean {
  let at = 0;
  for (let i = 0; i < filter.length; i += 1) {
    const wanted = filter.charCodeAt(i);
    if (wanted === HASH) return true;
    if (wanted === PLUS) while (at < topic.length && topic.charCodeAt(at) !== SLASH) at += 1;
    // `a/#` takes `a` too.
    else if (at === topic.length) return wanted === SLASH && i + 2 === filter.length && filter.endsWith('#');
    else if (topic.charCodeAt(at++) !== wanted) return false;
  }
  return at === topic.length;
}
