import type { JournalDraft } from '../../gateway/core/effects.ts';
import type { Journal, JournalEntry } from '../../gateway/store/types.ts';

/** A journal in memory that can be told to refuse, for tests of what happens around it. */
export class MemoryJournal implements Pick<Journal, 'append'> {
  readonly entries: JournalEntry[] = [];
  refuses: string | undefined;
  appends = 0;

  append(drafts: readonly JournalDraft[], recordedAtMs: number): readonly JournalEntry[] {
    if (this.refuses !== undefined) throw new Error(this.refuses);
    this.appends++;
    const added = drafts.map((draft, i) => ({
      ...draft,
      seq: this.entries.length + i + 1,
      recordedAtMs,
      previousHash: '',
      hash: '',
    }));
    this.entries.push(...added);
    return added;
  }
}
