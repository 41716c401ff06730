import type { Bus, BusMessage, PublishOptions } from '../../gateway/bus/types.ts';

/** A broker reduced to what the host sees of it; the peers' tests run the same host on real ones. */
export class HandBus implements Bus {
  connected = true;
  behind: 'not' | 'a little' | 'far' = 'not';
  readonly sent: { topic: string; payload: string }[] = [];
  readonly #handlers: [RegExp, (message: BusMessage) => void][] = [];
  readonly #links: ((up: boolean, why: string) => void)[] = [];
  async subscribe(filter: string, handler: (message: BusMessage) => void): Promise<void> {
    const pattern = filter.replace(/\+/g, '[^/]+').replace(/\/#$/, '(/.*)?');
    this.#handlers.push([new RegExp(`^${pattern}$`), handler]);
  }
  publish(topic: string, payload: string, options?: PublishOptions): boolean {
    const takes = this.behind === 'not' || (this.behind === 'a little' && options?.yields !== true);
    if (!this.connected || !takes) return false;
    this.sent.push({ topic, payload });
    return true;
  }
  onLink(listener: (up: boolean, why: string) => void): void {
    this.#links.push(listener);
  }
  async close(): Promise<void> {}
  link(up: boolean): void {
    this.connected = up;
    for (const listener of this.#links) listener(up, '');
  }
  arrive(topic: string, payload: object | string, retain = false): void {
    const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
    for (const [pattern, handler] of this.#handlers)
      if (pattern.test(topic)) handler({ topic, payload: bytes, retain });
  }
}
