/** What the main thread and the worker of the expander say to each other. */
import type { CalendarObject, ExpandRequest, FeedFault, Occurrence, SetAside } from './types.ts';

/** Characters of a body, and of small bodies together, that go over at once: under a millisecond of copying. */
export const PIECE_CHARS = 262_144;
/** Objects that go over at once. */
export const SMALL_OBJECTS = 200;
/** Occurrences that come back at once: about a millisecond of copying. */
export const PORTION = 200;

export type ToWorker =
  | { readonly type: 'begin'; readonly asked: Pick<ExpandRequest, 'siteZone' | 'fromMs' | 'toMs'> }
  | { readonly type: 'piece'; readonly text: string }
  /** Its body is what came in pieces. */
  | { readonly type: 'object'; readonly object: Omit<CalendarObject, 'body'> }
  | { readonly type: 'small'; readonly objects: readonly CalendarObject[] }
  | { readonly type: 'run' }
  | { readonly type: 'next' };

export type FromWorker =
  | { readonly type: 'occurrences'; readonly occurrences: readonly Occurrence[] }
  | {
      readonly type: 'setAside';
      readonly setAside: readonly SetAside[];
      readonly events: number;
      readonly last: boolean;
    }
  | { readonly type: 'fault'; readonly fault: FeedFault; readonly why: string };
