/** A FHIR R4 Bundle of type searchset (hl7.org/fhir/R4/bundle.html, http.html#search) as a list of Appointments. */
import type { CalendarObject } from '../types.ts';
import { mails } from './actors.ts';
import { addMails, keepAppointment, resourceName } from './appointment.ts';
import { get, identifier, list, text } from './fields.ts';
import type { ListFormat, PageItem } from './pager.ts';
import { unreadableObject } from './setaside.ts';

/**
 * @param base address of the server without a slash at its end
 * @param mailsOf mail addresses by `Practitioner/ID`; those of included Practitioners are put into it
 */
export function bundleFormat(base: string, mailsOf: Map<string, readonly string[]> = new Map()): ListFormat {
  let nameless = 0;
  return {
    keys: ['entry'],
    // What a server does not know of the search it is to leave out (hl7.org/fhir/R4/search.html#errors).
    headers: { accept: 'application/fhir+json', prefer: 'handling=lenient' },
    item(entry) {
      const resource = get(entry, 'resource');
      const type = resourceName(resource);
      if (type === 'OperationOutcome') return outcome(resource);
      if (type === 'Practitioner') learn(resource, mailsOf);
      // Included practitioners and places, and Slots and Schedules, which never grant.
      if (type !== 'Appointment') return { apart: true };
      const kept = keepAppointment(resource, base);
      if (kept !== undefined) return { object: kept };
      nameless += 1;
      return { object: withoutId(nameless) };
    },
    finish: (object) => (object.type === 'fhir' && mailsOf.size > 0 ? addMails(object, mailsOf) : object),
    page(envelope, { found }) {
      const type = resourceName(envelope);
      if (type !== 'Bundle') return { ok: false, code: 'malformed', why: `answers with ${type}, not with a Bundle` };
      if (get(envelope, 'type') !== 'searchset') {
        return { ok: false, code: 'malformed', why: 'answers with a Bundle that is no searchset' };
      }
      const total = get(envelope, 'total');
      const next = list(envelope, 'link').find((link) => get(link, 'relation') === 'next');
      const known = typeof total === 'number' ? total : undefined;
      const address = text(get(next, 'url'), 4_000);
      if (next !== undefined && address === undefined) {
        return { ok: false, code: 'truncated', why: 'has a next page without its address' };
      }
      // Without entries there is no `entry` at all.
      if (!found && known !== undefined && known > 0 && address === undefined) {
        return { ok: false, code: 'truncated', why: `tells of ${known} appointments and sends none` };
      }
      return { ok: true, next: address, total: known };
    },
  };
}

/** Practitioners of whom addresses are kept; a clinic has tens. */
const MAX_PRACTITIONERS = 5_000;

function learn(resource: unknown, mailsOf: Map<string, readonly string[]>): void {
  const id = identifier(get(resource, 'id'));
  if (id === undefined || mailsOf.size === MAX_PRACTITIONERS) return;
  // Known without an address is known too.
  mailsOf.set(`Practitioner/${id}`, mails(resource));
}

/** Errors mean that the list is not whole; warnings and hints do not. Their texts are not shown: they may name a patient. */
function outcome(resource: unknown): PageItem {
  const bad = list(resource, 'issue').some(
    (issue) => !['warning', 'information'].includes(String(get(issue, 'severity'))),
  );
  if (!bad) return { apart: true };
  return {
    apart: true,
    fault: { code: 'server_error', why: 'reports an error in the middle of its list (OperationOutcome)' },
  };
}

function withoutId(count: number): CalendarObject {
  const href = `Appointment/(without id ${count})`;
  return unreadableObject(href, { uid: href, code: 'malformed', why: 'the Appointment has no id' });
}
