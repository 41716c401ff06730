/** What the rest of the gateway may ask of the loop. */
import type { Alarm, Effect } from '../core/effects.ts';
import type { Fact, Now, Outcome } from '../core/facts.ts';
import type { Changes, DoorView, RoomView } from '../core/views.ts';
import type { JournalEntry } from '../store/types.ts';

/** The only source of time in the gateway. Tests and the simulator bring their own. */
export interface Clock {
  now(): Now;
  /** Calls back after `ms` of monotonic time; returns the cancel. */
  after(ms: number, callback: () => void): () => void;
}

export interface LoopPort {
  /** Puts a fact in the queue; false when the queue is full and the fact was dropped (counted and alarmed). */
  post(fact: Fact): boolean;
  /** As post; resolves when the fact was decided, journalled and its effects performed. Rejects when dropped. */
  submit(fact: Fact): Promise<void>;
  rooms(): readonly RoomView[];
  doors(): readonly DoorView[];
  /** Live alarms: open and acknowledged. */
  alarms(): readonly Alarm[];
  now(): Now;
  /** The outcome of a command sent before or from now on; `unknown` when none came within `withinMs`. */
  outcome(command: string, withinMs: number): Promise<{ outcome: Outcome; why?: string }>;
  onChanges(listener: (changes: Changes) => void): () => void;
  onJournal(listener: (entries: readonly JournalEntry[]) => void): () => void;
  onEffect(listener: (effect: Effect) => void): () => void;
}
