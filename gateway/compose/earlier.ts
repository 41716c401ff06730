/** What the run before leaves to this one, as the end of its journal tells it. */
import { EARLIER_GRANTS_MS } from '../core/access/access.ts';
import type { InitialState } from '../core/state.ts';
import type { Journal } from '../store/types.ts';

const GRANTS_MOST = 10_000;
/** A command's outcome comes within seconds: among so many last entries is every command that has none. */
const ENTRIES_LOOKED_AT = 2_000;

/** Grants so recent that a device may still send again what they answered. Oldest first, so that the newest counts. */
export function lastGrants(journal: Journal, nowMs: number): NonNullable<InitialState['grants']> {
  // Not those of what is the future now: the clock went back, and each would stand against whole hours of reads.
  const entries = journal.query({
    kind: 'access',
    fromMs: nowMs - EARLIER_GRANTS_MS,
    toMs: nowMs + 1,
    limit: GRANTS_MOST,
  });
  return entries
    .toReversed()
    .flatMap(({ outcome, door, credential, occurredAtMs }) =>
      outcome === 'granted' && door !== undefined && credential !== undefined
        ? [{ door, credential, atMs: occurredAtMs }]
        : [],
    );
}

/** Orders to doors that the run before gave and saw no end of: it was killed, or lost its power. Oldest first. */
export function openCommands(journal: Journal): NonNullable<InitialState['commands']> {
  const ended = new Set<string>();
  const open: { command: string; door: string }[] = [];
  for (const { kind, command, door } of journal.query({ limit: ENTRIES_LOOKED_AT })) {
    if (command === undefined || door === undefined) continue;
    if (kind === 'command') ended.add(command);
    else if ((kind === 'access' || kind === 'operator') && !ended.has(command)) open.push({ command, door });
  }
  return open.reverse();
}
