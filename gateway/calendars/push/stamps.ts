/**
 * What a source without an address must remember between two messages: the newest statement on each booking, and which
 * messages it had. It is the source's cursor, which the host keeps in one transaction with the bookings, so that a restart
 * forgets neither: an old message, replayed or late, never brings a cancelled or moved booking back.
 */
import type { Statement } from './booking.ts';
import { get, isJson, list, parseJson } from './fields.ts';
import type { Removal } from './preset.ts';

/** Of a booking after its end nobody needs to know; one whose end is unknown is remembered this long. */
export const KEEP_MS = 7 * 86_400_000;
/** Bookings remembered: the cursor is written with each message. */
export const MAX_STAMPS = 3_000;
/** Messages remembered: only those that are young enough to be accepted again. */
export const MAX_PRINTS = 1_000;

/** The newest word on one booking. */
interface Stamp {
  readonly sequence: number;
  readonly stampMs: number;
  /** When the message was signed. */
  readonly messageMs: number;
  readonly removed: boolean;
  readonly untilMs: number;
}

export class Stamps {
  readonly #stamps = new Map<string, Stamp>();
  readonly #prints = new Map<string, number>();

  /** What is not a cursor of ours is an empty one. */
  static read(cursor: string | undefined): Stamps {
    const stamps = new Stamps();
    const value = parseJson(cursor ?? '')?.value;
    if (!isJson(value) || get(value, 'v') !== 1) return stamps;
    for (const [href, entry] of list(value, 'stamps').filter(Array.isArray) as unknown[][]) {
      if (typeof href !== 'string' || !isNumbers(entry, 5)) continue;
      const [sequence, stampMs, messageMs, removed, untilMs] = entry;
      stamps.#stamps.set(href, { sequence, stampMs, messageMs, removed: removed === 1, untilMs });
    }
    for (const [print, untilMs] of list(value, 'prints').filter(Array.isArray) as unknown[][]) {
      if (typeof print === 'string' && typeof untilMs === 'number') stamps.#prints.set(print, untilMs);
    }
    return stamps;
  }

  /** As a cursor. What is over is left out. */
  write(nowMs: number): string {
    const stamps = [...this.#stamps].filter(([, stamp]) => stamp.untilMs > nowMs);
    // Too many: those that end first are the least harm.
    if (stamps.length > MAX_STAMPS) stamps.sort((a, b) => b[1].untilMs - a[1].untilMs).length = MAX_STAMPS;
    const prints = [...this.#prints].filter(([, untilMs]) => untilMs > nowMs).slice(-MAX_PRINTS);
    return JSON.stringify({
      v: 1,
      stamps: stamps.map(([href, { sequence, stampMs, messageMs, removed, untilMs }]) => [
        href,
        [sequence, stampMs, messageMs, removed ? 1 : 0, untilMs],
      ]),
      prints,
    });
  }

  /** @returns whether the message was there before */
  knows(print: string, nowMs: number): boolean {
    return (this.#prints.get(print) ?? 0) > nowMs;
  }

  remember(print: string, untilMs: number): void {
    this.#prints.set(print, untilMs);
  }

  /** @returns whether it is news: nothing newer is known. Then it is remembered. */
  accept(word: Statement | Removal, messageMs: number, nowMs: number): boolean {
    const removed = !('object' in word);
    const known = this.#stamps.get(word.href);
    const stamp = {
      sequence: 'sequence' in word ? word.sequence : (known?.sequence ?? 0),
      // A sender that does not say when it changed says it by sending.
      stampMs: word.stampMs === 0 ? messageMs : word.stampMs,
      messageMs,
      removed,
    };
    if (known !== undefined && !isNews(stamp, known)) return false;
    const endMs = word.endMs ?? 0;
    this.#stamps.set(word.href, { ...stamp, untilMs: Math.max(endMs, known?.untilMs ?? 0, nowMs + KEEP_MS) });
    return true;
  }
}

type Word = Omit<Stamp, 'untilMs'>;

/** SEQUENCE, then the time of the change, then that of the message; of two at one time the removal counts. */
function isNews(word: Word, known: Word): boolean {
  for (const key of ['sequence', 'stampMs', 'messageMs'] as const) {
    if (word[key] !== known[key]) return word[key] > known[key];
  }
  return word.removed || !known.removed;
}

function isNumbers(value: unknown, length: number): value is [number, number, number, number, number] {
  return Array.isArray(value) && value.length === length && value.every((one) => Number.isSafeInteger(one));
}
