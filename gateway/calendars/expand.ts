/** Objects of every type to occurrences, in the thread that calls it. The gateway calls it through the Expander's worker. */
import { expandIcs, REQUEST_STEPS } from './ical/index.ts';
import { expandAppointment } from './push/appointment.ts';
import { expandOccurrences } from './push/occurrences.ts';
import { Budget, BudgetSpent } from './rules/budget.ts';
import type { CalendarObject, ExpandRequest, Expansion, FeedFault, Occurrence, SetAside } from './types.ts';

/** Occurrences of one request. */
export const MAX_OCCURRENCES = 300_000;
/** Set-aside entries of one request; what is beyond is counted in the last. */
export const MAX_SET_ASIDE = 5_000;

export interface Fault {
  readonly fault: FeedFault;
  /** A sentence for the technician. */
  readonly why: string;
}
export type Outcome = Expansion | Fault;

type Reader = (object: CalendarObject, request: ExpandRequest, budget: Budget) => Expansion;

const READERS: Readonly<Record<CalendarObject['type'], Reader>> = {
  ics: (object, { siteZone, fromMs, toMs }, budget) => expandIcs(object, { siteZone, fromMs, toMs, budget }),
  fhir: (object, request) => expandAppointment(object, request),
  json: (object, request) => expandOccurrences(object, request),
};

/** Never throws for what the objects hold; a request that is too costly as a whole is a fault. */
export function expandAll(request: ExpandRequest): Outcome {
  const budget = new Budget(REQUEST_STEPS);
  const occurrences: Occurrence[] = [];
  const setAside: SetAside[] = [];
  let events = 0;
  let notShown = 0;
  try {
    for (const object of request.objects) {
      const read = READERS[object.type](object, request, budget);
      events += read.events;
      for (const occurrence of read.occurrences) occurrences.push(occurrence);
      for (const entry of read.setAside) {
        if (setAside.length < MAX_SET_ASIDE) setAside.push(entry);
        else notShown += 1;
      }
      if (occurrences.length > MAX_OCCURRENCES)
        throw new BudgetSpent(`There are more than ${MAX_OCCURRENCES} occurrences in the time that is read.`);
    }
  } catch (error) {
    if (error instanceof BudgetSpent) return { fault: 'too_costly', why: error.message };
    throw error;
  }
  if (notShown > 0) {
    const why = `${notShown} more events were set aside; mend those above first.`;
    setAside.push({ uid: '', summary: '', code: 'malformed', why, href: '' });
  }
  return { occurrences, setAside, events };
}
