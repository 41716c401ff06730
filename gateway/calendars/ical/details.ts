/** What an event says beside its times: title, place, persons. Cut to sizes that a screen and a database bear. */
import type { Attendee, Occurrence } from '../types.ts';
import type { Properties } from './event.ts';
import { plain } from './fault.ts';
import type { Property } from './lines.ts';
import { parseAddress, splitTexts, unescapeText } from './values.ts';

export const MAX_SUMMARY_CHARS = 200;
export const MAX_LOCATION_CHARS = 500;
export const MAX_ADDRESS_CHARS = 320;
export const MAX_NAME_CHARS = 200;
export const MAX_RESOURCES = 50;
export const MAX_ATTENDEES = 200;

export type Details = Pick<Occurrence, 'summary' | 'location' | 'resources' | 'organizer' | 'attendees'>;

const KINDS: ReadonlyMap<string, Attendee['kind']> = new Map([
  ['INDIVIDUAL', 'individual'],
  ['GROUP', 'group'],
  ['RESOURCE', 'resource'],
  ['ROOM', 'room'],
]);

/** Times and persons must be told apart for certain; a title never spoils an event. */
export function readDetails(properties: Properties): Details {
  const organizer = properties.get('ORGANIZER')?.[0];
  const resources = (properties.get('RESOURCES') ?? []).flatMap(({ value }) => splitTexts(value));
  return {
    summary: textOf(properties, 'SUMMARY', MAX_SUMMARY_CHARS),
    location: textOf(properties, 'LOCATION', MAX_LOCATION_CHARS),
    resources: resources.slice(0, MAX_RESOURCES).map((text) => plain(text).slice(0, MAX_LOCATION_CHARS)),
    organizer: organizer === undefined ? undefined : addressOf(organizer),
    attendees: (properties.get('ATTENDEE') ?? []).slice(0, MAX_ATTENDEES).map(attendeeOf),
  };
}

export function textOf(properties: Properties, name: string, max: number): string {
  return plain(unescapeText(properties.get(name)?.[0]?.value ?? '')).slice(0, max);
}

/** Defaults are those of RFC 5545 §3.2.3, §3.2.12 and §3.2.16. */
function attendeeOf(property: Property): Attendee {
  const param = (name: string) => property.params.get(name)?.[0]?.trim();
  const name = param('CN');
  return {
    address: addressOf(property),
    name: name === undefined || name === '' ? undefined : plain(name).slice(0, MAX_NAME_CHARS),
    kind: KINDS.get(param('CUTYPE')?.toUpperCase() ?? 'INDIVIDUAL') ?? 'unknown',
    participation: (param('PARTSTAT') ?? 'needs-action').toLowerCase(),
    role: (param('ROLE') ?? 'req-participant').toLowerCase(),
  };
}

function addressOf(property: Property): string {
  return plain(parseAddress(property.value, property.params.get('EMAIL')?.[0])).slice(0, MAX_ADDRESS_CHARS);
}
