/** How the outside calendars stand, `GET calendars`. */
import { z } from 'zod';
import { instant, ref } from './common.ts';

export const setAside = z.object({
  uid: z.string(),
  /** The event's own title. */
  summary: z.string(),
  code: z.string(),
  /** What is wrong, found where, and what to do. */
  why: z.string(),
  /** First line of the event in its file, from 1; null where there are no lines. */
  line: z.number().int().nullable(),
});
export const calendar = z.object({
  id: ref,
  kind: z.enum(['ics', 'caldav', 'webhook', 'fhir']),
  /** Host and path, without anything secret. */
  address: z.string(),
  /** `waiting`: not read yet. `held`: the answer was not believed, the last good one stands. `too_old`: grants no longer. */
  state: z.enum(['waiting', 'ok', 'held', 'failing', 'too_old']),
  why: z.string(),
  lastTriedAt: instant.nullable(),
  lastGoodAt: instant.nullable(),
  lastChangedAt: instant.nullable(),
  nextAt: instant.nullable(),
  /** In force from now on. */
  bookings: z.number().int(),
  /** The first hundred. */
  setAside: z.array(setAside),
  setAsideTotal: z.number().int(),
});
export const calendars = z.array(calendar);
export type Calendar = z.infer<typeof calendar>;
