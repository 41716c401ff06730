import type { AlarmKind, Severity } from '../effects.ts';

/** Something that is wrong right now. The alarm controller opens an alarm when it appears and resolves it when it goes. */
export interface Condition {
  readonly kind: AlarmKind;
  readonly severity: Severity;
  readonly door?: string | undefined;
  readonly room?: string | undefined;
  readonly device?: string | undefined;
  /** What happened, where, and what to do: one or two sentences. No personal name. */
  readonly text: string;
}
