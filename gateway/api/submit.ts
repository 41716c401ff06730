import { Fault } from '../core/errors.ts';
import type { Fact } from '../core/facts.ts';
import type { ApiDeps } from './deps.ts';

/** A change that is already durable must reach the core: the queue is given time to empty itself. */
export const SUBMIT_TRIES = 5;
export const SUBMIT_PAUSE_MS = 200;

/** What is stored and still not in force, a revocation say, is put in force as soon as the queue takes it. */
export const SUBMIT_LATER_MS = 1_000;

type Deps = Pick<ApiDeps, 'loop' | 'clock' | 'log'>;

/**
 * Hands a fact to the loop and waits until it was decided; 503 when the queue stays full. A change of what is stored
 * comes as a function that reads it anew: a try that waited must not overtake a newer change.
 */
export async function submit(deps: Deps, fact: Fact | (() => Fact)): Promise<void> {
  const now = typeof fact === 'function' ? fact : () => fact;
  for (let attempt = 1; ; attempt++) {
    try {
      await deps.loop.submit(now());
      return;
    } catch (error) {
      if (attempt < SUBMIT_TRIES) {
        await new Promise<void>((resolve) => deps.clock.after(SUBMIT_PAUSE_MS, resolve));
        continue;
      }
      deps.log.error({ err: error, fact: now().kind }, 'the loop does not take a fact from the API');
      if (typeof fact === 'function') submitLater(deps, fact);
      throw new Fault('unavailable', 'The gateway is too busy to put this in force; what was stored stays stored.');
    }
  }
}

function submitLater(deps: Deps, fact: () => Fact): void {
  deps.clock.after(SUBMIT_LATER_MS, () => {
    deps.loop.submit(fact()).catch(() => submitLater(deps, fact));
  });
}
