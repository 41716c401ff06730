/** What a command asks of an output, as data: pure, so that every odd command can be tested without a pin. */
import type { OutgoingCommand } from '../driver.ts';
import type { OutputKind } from './config.ts';

/** The longest strike time. More is a mistake: a door that stays open is a schedule's business, not a pulse's. */
export const MAX_HOLD_MS = 600_000;
/** The longest pulse of a relay; beyond 24.8 days a Node timer would fire at once. */
export const MAX_FOR_MS = 86_400_000;

export type Switching =
  | { readonly ok: true; readonly energise: boolean; readonly forMs?: number | undefined }
  | { readonly ok: false; readonly why: string };

function duration(ms: number, maxMs: number, name: string): string | undefined {
  if (Number.isInteger(ms) && ms > 0 && ms <= maxMs) return undefined;
  return `${name} must be a whole number of ms from 1 to ${maxMs}, found ${ms}.`;
}

/**
 * A strike is energised to unlock (fail secure) and always for a limited time. A relay with `forMs` goes to the other
 * state when the time is over, as Shelly's `toggle_after` does.
 */
export function switchingOf(kind: OutputKind, command: OutgoingCommand['do']): Switching {
  if (kind === 'lock' && command.op === 'unlock') {
    const why = duration(command.holdMs, MAX_HOLD_MS, 'holdMs');
    return why === undefined ? { ok: true, energise: true, forMs: command.holdMs } : { ok: false, why };
  }
  if (kind === 'lock' && command.op === 'lock') return { ok: true, energise: false };
  if (kind === 'relay' && command.op === 'set') {
    if (command.value !== 'on' && command.value !== 'off') {
      return { ok: false, why: `A relay is set on or off, not ${command.value}.` };
    }
    const why = command.forMs === undefined ? undefined : duration(command.forMs, MAX_FOR_MS, 'forMs');
    if (why !== undefined) return { ok: false, why };
    return { ok: true, energise: command.value === 'on', forMs: command.forMs };
  }
  return { ok: false, why: `A ${kind} on a pin has no command ${command.op}.` };
}
