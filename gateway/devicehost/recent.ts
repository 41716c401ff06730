/** Remembers the last `limit` texts; the oldest is forgotten for a new one. */
export class RecentSet {
  readonly #limit: number;
  readonly #texts = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(text: string): boolean {
    return this.#texts.has(text);
  }

  /** False when it was there already. */
  add(text: string): boolean {
    if (this.#texts.has(text)) return false;
    this.#texts.add(text);
    if (this.#texts.size > this.#limit) {
      const [oldest] = this.#texts;
      if (oldest !== undefined) this.#texts.delete(oldest);
    }
    return true;
  }
}
