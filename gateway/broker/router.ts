/**
 * Where the broker's messages are handed to subscribers: the `mq` that aedes is given.
 *
 * aedes 1.2.0 numbers a message when it comes in and hands it on later, retained ones after a turn through the store; a
 * message overtaken on that way has the lower number and is then dropped as a duplicate (`dedupe` in its lib/client.js).
 * So a message gets its number here, at the moment when it is handed on: the order of numbers is the order of delivery.
 *
 * `emit` also calls back at once instead of waiting for the slowest subscriber: a stalled one holds nobody up. What it
 * has not read yet is bounded by `MAX_BACKLOG_BYTES` and aedes' drain timeout.
 */

export interface RoutedPacket {
  readonly topic: string;
  brokerCounter?: number;
}
export type Listener = (packet: RoutedPacket, done: () => void) => void;

interface Node {
  children: Map<string, Node> | undefined;
  /** Listeners whose filter ends here. Replaced, never changed, so that a running delivery sees one state. */
  here: readonly Listener[];
  /** Listeners of `…/#`, which also match the level above. */
  below: readonly Listener[];
}

const NONE: readonly Listener[] = [];
const node = (): Node => ({ children: undefined, here: NONE, below: NONE });

export class Router {
  readonly #root = node();
  #handedOn = 0;
  #closed = false;

  on(filter: string, listener: Listener, done?: () => void): this {
    const levels = filter.split('/');
    const wild = levels.at(-1) === '#';
    if (wild) levels.pop();
    let at = this.#root;
    for (const level of levels) {
      at.children ??= new Map();
      let next = at.children.get(level);
      if (next === undefined) {
        next = node();
        at.children.set(level, next);
      }
      at = next;
    }
    if (wild) at.below = [...at.below, listener];
    else at.here = [...at.here, listener];
    if (done !== undefined) setImmediate(done);
    return this;
  }

  removeListener(filter: string, listener: Listener, done?: () => void): this {
    const levels = filter.split('/');
    const wild = levels.at(-1) === '#';
    if (wild) levels.pop();
    remove(this.#root, levels, 0, wild, listener);
    if (done !== undefined) setImmediate(done);
    return this;
  }

  emit(packet: RoutedPacket, done?: (error?: Error) => void): this {
    if (this.#closed) {
      done?.(new Error('the broker is closed'));
      return this;
    }
    this.#handedOn += 1;
    packet.brokerCounter = this.#handedOn;
    const levels = packet.topic.split('/');
    deliver(this.#root, levels, 0, packet);
    done?.();
    return this;
  }

  close(done: () => void): this {
    this.#closed = true;
    setImmediate(done);
    return this;
  }
}

function deliver(at: Node, levels: readonly string[], depth: number, packet: RoutedPacket): void {
  for (const listener of at.below) listener(packet, ignore);
  const level = levels[depth];
  if (level === undefined) {
    for (const listener of at.here) listener(packet, ignore);
    return;
  }
  if (at.children === undefined) return;
  const named = at.children.get(level);
  if (named !== undefined) deliver(named, levels, depth + 1, packet);
  const any = at.children.get('+');
  if (any !== undefined) deliver(any, levels, depth + 1, packet);
}

function ignore(): void {}

/** True when the node holds nothing any more, so that its parent may forget it. */
function remove(at: Node, levels: readonly string[], depth: number, wild: boolean, listener: Listener): boolean {
  const level = levels[depth];
  if (level === undefined) {
    if (wild) at.below = without(at.below, listener);
    else at.here = without(at.here, listener);
  } else {
    const next = at.children?.get(level);
    if (next !== undefined && remove(next, levels, depth + 1, wild, listener)) at.children?.delete(level);
  }
  return at.here.length === 0 && at.below.length === 0 && (at.children === undefined || at.children.size === 0);
}

function without(listeners: readonly Listener[], gone: Listener): readonly Listener[] {
  const at = listeners.indexOf(gone);
  if (at < 0) return listeners;
  return listeners.length === 1 ? NONE : listeners.filter((_, index) => index !== at);
}
