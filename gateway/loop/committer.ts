import type { Command, Effect, JournalDraft, JournalKind } from '../core/effects.ts';
import type { Now } from '../core/facts.ts';
import type { Journal, JournalEntry } from '../store/types.ts';

/** Entries that wait for a disk that refuses; when this is full too, nothing unlocks any more. */
export const MAX_WAITING_ENTRIES = 10_000;

export interface Commit {
  /** Entries that became durable now, those that had waited first. */
  readonly entries: readonly JournalEntry[];
  /** Commands of the batch that may leave. */
  readonly commands: readonly Command[];
  /** Unlocks that may not leave, since their grant could not be kept anywhere. */
  readonly withheld: readonly Command[];
  /** Why the disk refuses, if it does. Left as it was when nothing was tried. */
  readonly refused?: string | undefined;
}

/** A disk that refuses is asked again this much later: each try writes all that waits. */
export const RETRY_AFTER_MS = 1_000;
/** Refusals, outcomes and exit buttons come in crowds, and nobody waits for their entries. */
const MAY_BE_HELD: ReadonlySet<JournalKind> = new Set(['access', 'command', 'request_to_exit']);
/** Entries that no order waits for are written together; this many are written at once. */
export const MAX_HELD_ENTRIES = 256;

/**
 * Journal first: a batch's entries are durable before any of its commands leaves. If the disk refuses, valid holders
 * are still let in and the entries wait in memory, up to a limit; past it unlocks are withheld.
 */
export class Committer {
  readonly #journal: Journal;
  #waiting: JournalDraft[] = [];
  #refusal: { readonly why: string; readonly untilMonoMs: number } | undefined;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * `urgent`: somebody waits for the entries themselves. Otherwise they are written at once only where an order of
   * the batch waits for them, and else with the next that must be.
   */
  commit(effects: readonly Effect[], now: Now, urgent: boolean): Commit {
    const drafts: JournalDraft[] = [];
    const commands: Command[] = [];
    for (const effect of effects) {
      if (effect.kind === 'journal') drafts.push(effect.entry);
      else if (effect.kind === 'command') commands.push(effect.command);
    }
    if (drafts.length === 0 && this.#waiting.length === 0) return { entries: [], commands, withheld: [] };
    const refusal = this.#refusal;
    if (refusal !== undefined && now.monoMs < refusal.untilMonoMs) return this.#refused(drafts, commands, refusal.why);
    const all = this.#waiting.length === 0 ? drafts : [...this.#waiting, ...drafts];
    const ids = new Set(commands.map(({ id }) => id));
    const ordered = ids.size > 0 && drafts.some(({ command }) => command !== undefined && ids.has(command));
    const holdable = drafts.every(({ kind }) => MAY_BE_HELD.has(kind));
    if (!urgent && !ordered && holdable && refusal === undefined && all.length < MAX_HELD_ENTRIES) {
      this.#waiting = all;
      return { entries: [], commands, withheld: [] };
    }
    try {
      const entries = this.#journal.append(all, now.wallMs);
      this.#waiting = [];
      this.#refusal = undefined;
      return { entries, commands, withheld: [] };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#refusal = { why, untilMonoMs: now.monoMs + RETRY_AFTER_MS };
      return this.#refused(drafts, commands, why);
    }
  }

  #refused(drafts: readonly JournalDraft[], commands: readonly Command[], refused: string): Commit {
    const kept = drafts.slice(0, MAX_WAITING_ENTRIES - this.#waiting.length);
    this.#waiting.push(...kept);
    if (kept.length === drafts.length) return { entries: [], commands, withheld: [], refused };
    const lost = new Set(drafts.slice(kept.length).map((draft) => draft.command));
    const withheld = commands.filter((command) => command.do.op === 'unlock' && lost.has(command.id));
    return { entries: [], commands: commands.filter((command) => !withheld.includes(command)), withheld, refused };
  }
}
