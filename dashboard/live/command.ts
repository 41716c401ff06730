import type { Door } from '../../gateway/wire/rooms.ts';
import { ApiError, type DoorAnswer } from './api.ts';

/** What became of a door command that this page sent; nothing is ever sent later or again by itself. */
export type Progress =
  | { readonly step: 'idle' }
  | { readonly step: 'pending'; readonly op: 'unlock' | 'lock' }
  /** It was so, and is no longer. */
  | { readonly step: 'over'; readonly text: string }
  | { readonly step: 'confirmed' | 'failed' | 'unknown' | 'refused'; readonly text: string };

/** The answer of the gateway as a sentence. `unknown` is no success: nobody may rely on the door. */
export function outcomeOf(op: 'unlock' | 'lock', answer: DoorAnswer): Progress {
  const why = answer.why ? ` ${answer.why}` : '';
  switch (answer.outcome) {
    case 'confirmed':
      return {
        step: 'confirmed',
        text: op === 'unlock' ? 'Confirmed: the lock reports it unlocked.' : 'Confirmed: the lock reports it locked.',
      };
    case 'failed':
      return { step: 'failed', text: `Failed: the lock did not ${op}.${why}` };
    case 'unknown':
      return {
        step: 'unknown',
        text: `Timed out: the lock did not answer. Look at the door before you rely on it.${why}`,
      };
  }
}

/**
 * The word that a door was unlocked holds until its lock reports otherwise. The report of the unlock itself may come
 * before or after the answer, so a lock is locked *again* only when it has been seen `open` in between.
 */
export function afterReport(progress: Progress, open: boolean, door: Pick<Door, 'lock'>, time: string): Progress {
  if (progress.step !== 'confirmed' || !open || door.lock !== 'locked') return progress;
  return { step: 'over', text: `The lock reported it unlocked; locked again ${time}.` };
}

const PULSE_WORDS: Readonly<Record<string, string>> = {
  confirmed: 'Confirmed by the device',
  failed: 'Failed',
  unknown: 'Timed out, no answer',
};

/** What came of a test pulse. A reader lights up and beeps but reports nothing, so silence is what it always answers. */
export function pulseText(capability: string, answer: { outcome?: string; why?: string } | undefined): string {
  const outcome = answer?.outcome ?? '';
  if (capability.startsWith('reader') && outcome === 'unknown') return 'Sent: look at the reader';
  return `${PULSE_WORDS[outcome] ?? 'Sent'}${answer?.why ? `: ${answer.why}` : ''}`;
}

/** A command that got no proper answer. One that may still have been carried out is not called refused. */
export function failureOf(error: unknown): Progress {
  if (error instanceof ApiError && error.status > 0)
    return { step: 'refused', text: `Not sent to the lock. ${error.message}` };
  const text = error instanceof Error ? error.message : String(error);
  return { step: 'unknown', text: `${text} It is not known whether the lock got the command: look at the door.` };
}
