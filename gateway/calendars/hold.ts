/** What the judge of answers (trust.ts) must know of what stands, and what it refuses while an answer is held. */
import type { Calendars } from '../store/types.ts';
import { breathe, type IntakePorts, putMerged, SLICE_EVENTS, slices } from './intake.ts';
import { type Directory, type MappingRules, mapper } from './mapping.ts';
import { settle } from './merge.ts';
import type { Hold, Identity, Known, Stated } from './trust.ts';
import type { Expansion, Occurrence } from './types.ts';

const PAGE = 2_000;

/** What the source grants from now on, as it said when it was believed last. */
export async function statedNow(calendars: Calendars, source: string, nowMs: number): Promise<Known[]> {
  const known: Known[] = [];
  for (let after = 0; ; ) {
    const page = calendars.stated(source, nowMs, PAGE, after);
    for (const [uid, recurrenceId, startMs, endMs, sequence, stampMs, row] of page) {
      known.push([uid, recurrenceId, startMs, endMs, sequence, stampMs]);
      after = row;
    }
    if (page.length < PAGE) return known;
    await breathe();
  }
}

export function statedOf([uid, recurrenceId, startMs, endMs, sequence, stampMs]: Known): Stated {
  const stated = { uid, startMs, endMs, status: 'confirmed' as const, sequence, stampMs };
  return recurrenceId === '' ? stated : { ...stated, recurrenceId };
}

/**
 * What may stand for a booking that was there: events that say otherwise than confirmed, and those that map to a room
 * and a holder. A calendar that keeps its events and loses their rooms or people has lost its bookings all the same.
 */
export async function weighty(
  occurrences: readonly Occurrence[],
  rules: MappingRules,
  directory: Directory,
): Promise<readonly Occurrence[]> {
  const map = mapper(rules, directory);
  const found: Occurrence[] = [];
  for (const slice of slices(occurrences, SLICE_EVENTS)) {
    for (const occurrence of slice) {
      if (occurrence.status !== 'confirmed' || map(occurrence).kind === 'said') found.push(occurrence);
    }
    await breathe();
  }
  return found;
}

/** Kept events as they count while an answer is held: what it refuses is cancelled, whatever is kept says. */
export function withDenied(kept: Expansion, hold: Hold | undefined): Expansion {
  if (hold === undefined || hold.denied.length === 0) return kept;
  const denied = new Set(hold.denied.map(([uid, recurrenceId]) => `${uid}\n${recurrenceId}`));
  const occurrences = kept.occurrences.map((occurrence): Occurrence => {
    const { uid, recurrenceId = '' } = occurrence;
    return denied.has(`${uid}\n${recurrenceId}`) ? { ...occurrence, status: 'cancelled' } : occurrence;
  });
  return { ...kept, occurrences };
}

/** A statement about one booking is believed at once where it refuses, though the rest of the answer is held. */
export async function denyEvents(ports: IntakePorts, source: string, events: readonly Identity[]): Promise<void> {
  const { calendars, bookings } = ports.store;
  for (const { uid, recurrenceId } of events) {
    const origins = calendars
      .ofEvent(source, uid, recurrenceId)
      .filter(({ said, endMs }) => said.status !== 'cancelled' && endMs > ports.nowMs())
      .map((origin) => ({ ...origin, said: { ...origin.said, status: 'cancelled' as const } }));
    for (const origin of origins) {
      const rivals = calendars.originsOfKeys([origin.key]).filter(({ booking }) => booking !== origin.booking);
      const settled = settle([origin, ...rivals], (id) => bookings.get(id), ports.nowMs());
      const upsert = [...settled.values()].filter((booking) => booking !== undefined);
      const remove = [...settled].flatMap(([id, booking]) => (booking === undefined ? [id] : []));
      const before = [...settled.keys()].flatMap((id) => bookings.get(id) ?? []);
      await putMerged(ports, source, { origins: [origin], upsert, remove, before });
    }
  }
}
