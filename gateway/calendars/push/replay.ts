/** The prints of messages already accepted, each until it would be too old anyway. In memory: see `sources/webhook.ts`. */

/** Only who knows the secret can add to it; this bounds a sender gone wild. */
const MAX_PRINTS = 10_000;

export class ReplayMemory {
  readonly #prints = new Map<string, number>();

  add(print: string, nowMs: number, untilMs: number): void {
    if (this.#prints.size >= MAX_PRINTS) this.#prune(nowMs);
    this.#prints.delete(print);
    this.#prints.set(print, untilMs);
  }

  has(print: string, nowMs: number): boolean {
    return (this.#prints.get(print) ?? 0) > nowMs;
  }

  get size(): number {
    return this.#prints.size;
  }

  #prune(nowMs: number): void {
    for (const [print, untilMs] of this.#prints) if (untilMs <= nowMs) this.#prints.delete(print);
    // Still full of living ones: the oldest go first (a Map keeps its order).
    for (const print of this.#prints.keys()) {
      if (this.#prints.size < MAX_PRINTS) break;
      this.#prints.delete(print);
    }
  }
}
