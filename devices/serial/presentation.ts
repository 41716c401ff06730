/**
 * An RDM6300 sends a tag's frame again and again while the tag lies on the antenna. One presentation is one event:
 * a frame counts as a repeat while the same tag was seen less than `PRESENTATION_GAP_MS` before.
 */

/** Readers repeat every 65 ms or so; a person who takes the card away and shows it again takes longer than this. */
export const PRESENTATION_GAP_MS = 1000;
/** Tags that can lie on one antenna at once and be told apart; of more, the one longest unseen is forgotten. */
export const MAX_TAGS_PRESENT = 8;

export class Presentations {
  /** Last sight of each tag on the antenna, monotonic ms, longest unseen first. */
  readonly #lastSeenMs = new Map<string, number>();

  /** True for the first frame of a presentation, false for its repeats. `nowMs` is monotonic. */
  isNew(uid: string, nowMs: number): boolean {
    const seenMs = this.#lastSeenMs.get(uid);
    this.#lastSeenMs.delete(uid);
    this.#lastSeenMs.set(uid, nowMs);
    if (this.#lastSeenMs.size > MAX_TAGS_PRESENT) {
      const [oldest] = this.#lastSeenMs.keys();
      if (oldest !== undefined) this.#lastSeenMs.delete(oldest);
    }
    return seenMs === undefined || nowMs - seenMs >= PRESENTATION_GAP_MS;
  }
}
