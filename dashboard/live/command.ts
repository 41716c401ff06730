import { ApiError, type DoorAnswer } from './api.ts';

/** What became of a door command that this page sent; nothing is ever sent later or again by itself. */
export type Progress =
  | { readonly step: 'idle' }
  | { readonly step: 'pending'; readonly op: 'unlock' | 'lock' }
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

/** A command that got no proper answer. One that may still have been carried out is not called refused. */
export function failureOf(error: unknown): Progress {
  if (error instanceof ApiError && error.status > 0)
    return { step: 'refused', text: `Not sent to the lock. ${error.message}` };
  const text = error instanceof Error ? error.message : String(error);
  return { step: 'unknown', text: `${text} It is not known whether the lock got the command: look at the door.` };
}
