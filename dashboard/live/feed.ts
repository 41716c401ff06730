/** Which events the feed shows: those of the stream, and older ones as they are asked for. */
import type { Event } from '../../gateway/wire/clinic.ts';
import type { EventFilter } from './words.ts';

/** One page of `GET events`. */
export const OLDER_AT_ONCE = 100;
/** Pages read for one press where the server cannot filter: a rare kind of event may be far back. */
export const PAGES_AT_ONCE = 5;

export interface EventPage {
  readonly items: readonly Event[];
  readonly next: string | null;
}

/** The kind to ask the server for; the rest of a filter is done here. */
export const kindOf = (filter: EventFilter): string | undefined =>
  filter === 'denied' || filter === 'granted' ? 'access' : undefined;

/** Newest first, each once. */
export function joined(some: readonly Event[], others: readonly Event[]): Event[] {
  const bySeq = new Map([...some, ...others].map((event) => [event.seq, event]));
  return [...bySeq.values()].sort((a, b) => b.seq - a.seq);
}

/**
 * What was read back, with the stream's events that it was read on from: as long as the two overlap nothing is missing
 * between them. After a long silence they may not, and what was read back is then left out.
 */
export function withOlder(events: readonly Event[], older: readonly Event[]): readonly Event[] {
  const oldest = events.at(-1);
  const newest = older[0];
  if (newest === undefined || (oldest !== undefined && oldest.seq > newest.seq)) return events;
  return joined(events, older);
}

/** Reads back from `cursor` until an event passes `wanted`, the journal ends, or it was enough for one press. */
export async function readBack(
  cursor: string | undefined,
  wanted: (event: Event) => boolean,
  page: (cursor: string | undefined) => Promise<EventPage>,
): Promise<EventPage> {
  const items: Event[] = [];
  let next: string | null | undefined = cursor;
  for (let pages = 0; next !== null && pages < PAGES_AT_ONCE && !items.some(wanted); pages += 1) {
    const read: EventPage = await page(next);
    items.push(...read.items);
    next = read.next;
  }
  return { items, next: next ?? null };
}
