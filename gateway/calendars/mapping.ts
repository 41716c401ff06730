/**
 * From an event of a calendar to bookings: which room, whose. Pure. What is not certain is set aside with its reason
 * and grants nothing; an event that names none of our rooms is not ours and no fault.
 */
import { createHash } from 'node:crypto';
import type { Booking, BookingStatus } from '../core/records.ts';
import type { HolderMapping, RoomMapping } from './settings.ts';
import type { Attendee, Occurrence, SetAside } from './types.ts';

/** Longest title that is kept. Titles are for the dashboard; panels and brokers never see them. */
export const TITLE_MAX = 200;
/** Rooms of one event; more are a mistake in the calendar. */
export const ROOMS_MAX = 20;
/** Members who may use a room in the holder's place. */
export const DELEGATES_MAX = 50;
/** Any label: one calendar, one room. */
const ANY = '*';

/** What mapping must know of a member. */
export interface DirectoryMember {
  readonly id: string;
  readonly name: string;
  /** Lower case. */
  readonly addresses?: readonly string[] | undefined;
}

/** Who is meant by an address, an id or a name. A name that two members have means nobody. */
export interface Directory {
  /** Mail addresses, references of other systems (`Practitioner/12`), and `member:ID`. */
  readonly byAddress: ReadonlyMap<string, string>;
  readonly byWord: ReadonlyMap<string, string | 'several'>;
}

export function directoryOf(members: readonly DirectoryMember[]): Directory {
  const byAddress = new Map<string, string>();
  const byWord = new Map<string, string | 'several'>();
  const add = (word: string, id: string) => {
    const known = byWord.get(word);
    byWord.set(word, known === undefined || known === id ? id : 'several');
  };
  for (const { id, name, addresses = [] } of members) {
    add(fold(name), id);
    for (const address of addresses) {
      byAddress.set(fold(address), id);
      add(fold(address), id);
    }
  }
  for (const { id } of members) {
    // An id is unique: it means its member although another may be called so.
    byWord.set(fold(id), id);
    byAddress.set(fold(`member:${id}`), id);
  }
  return { byAddress, byWord };
}

/** Texts that people type in two places are equal when they look equal. */
export function fold(text: string): string {
  return text.normalize('NFC').trim().replace(/\s+/g, ' ').toLowerCase();
}

export interface MappingRules {
  readonly source: string;
  readonly priority: number;
  readonly rooms: RoomMapping;
  readonly holder: HolderMapping;
  /** Further labels of a collection, e.g. its display name. */
  readonly collectionLabels?: ((collection: string) => readonly string[]) | undefined;
}

/** What an event says of one room, before people and other sources have their word. */
export interface Said {
  readonly booking: Booking;
  /** The same for one event in one room, whichever source tells of it. */
  readonly key: string;
  readonly occurrence: Occurrence;
}

export type Mapped =
  | { readonly kind: 'said'; readonly said: readonly Said[] }
  /** It names none of our rooms. */
  | { readonly kind: 'not_ours' }
  | { readonly kind: 'set_aside'; readonly setAside: SetAside };

/** Maps the occurrences of one source. Made once per look, since the labels are folded only once. */
export function mapper(rules: MappingRules, directory: Directory): (occurrence: Occurrence) => Mapped {
  const rooms = new Map(Object.entries(rules.rooms.map).map(([label, room]) => [fold(label), room]));
  const template = rules.holder.by === 'template' ? templateOf(rules.holder.template ?? '{member}') : undefined;
  return (occurrence) => {
    const found = roomsOf(occurrence, rules, rooms);
    if (found.rooms.length === 0) {
      if (rules.rooms.by !== 'calendar') return { kind: 'not_ours' };
      const why = `The calendar “${found.labels[0] ?? ''}” stands for no room: add it to rooms.map of the source, or remove it there.`;
      return aside(occurrence, 'no_room', why);
    }
    if (found.rooms.length > ROOMS_MAX) {
      return aside(occurrence, 'no_room', `The event is in more than ${ROOMS_MAX} rooms: split it.`);
    }
    const people = peopleOf(occurrence, rules, directory, template, rooms);
    if ('why' in people) {
      // An event that grants nothing anyway needs no holder, and its room is free without it.
      return occurrence.status === 'confirmed'
        ? aside(occurrence, 'no_holder', people.why)
        : { kind: 'said', said: [] };
    }
    return { kind: 'said', said: found.rooms.map((room) => sayOf(occurrence, rules, room, people)) };
  };
}

function aside(occurrence: Occurrence, code: 'no_room' | 'no_holder', why: string): Mapped {
  const { uid, summary, href } = occurrence;
  return { kind: 'set_aside', setAside: { uid, summary: titleOf(summary), code, why, href } };
}

function roomsOf(
  occurrence: Occurrence,
  rules: MappingRules,
  map: ReadonlyMap<string, string>,
): { readonly rooms: readonly string[]; readonly labels: readonly string[] } {
  const labels = labelsOf(occurrence, rules);
  const any = map.get(ANY);
  const found = new Set<string>();
  for (const label of labels) {
    const room = map.get(fold(label));
    if (room !== undefined) found.add(room);
  }
  // `*` stands for labels that have no line of their own; a calendar always has one label.
  const anyHolds = labels.length > 0 || rules.rooms.by === 'calendar';
  if (found.size === 0 && any !== undefined && anyHolds) found.add(any);
  return { rooms: [...found], labels };
}

function labelsOf(occurrence: Occurrence, rules: MappingRules): readonly string[] {
  switch (rules.rooms.by) {
    case 'calendar':
      return collectionLabels(occurrence.collection, rules);
    case 'location':
      return occurrence.location.trim() === '' ? [] : [occurrence.location];
    case 'resources':
      return [
        ...occurrence.resources,
        ...occurrence.attendees.flatMap(({ kind, name, participation }) =>
          kind === 'resource' && name !== undefined && participation !== 'declined' ? [name] : [],
        ),
      ];
    case 'attendee':
      // A room that declined the invitation is not booked.
      return occurrence.attendees.flatMap(({ address, participation }) =>
        participation === 'declined' ? [] : [address],
      );
    default:
      return rules.rooms.by satisfies never;
  }
}

/** A path, its last part, and what the source calls it. */
function collectionLabels(collection: string, rules: MappingRules): readonly string[] {
  const path = decoded(collection);
  const parts = path.split('/').filter((part) => part !== '');
  const labels = [collection, path, path.replace(/\/+$/, ''), parts.at(-1) ?? ''];
  return [...(rules.collectionLabels?.(collection) ?? []), ...labels].filter((label) => label !== '');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

interface People {
  readonly holder: string;
  readonly delegates: readonly string[];
}

function peopleOf(
  occurrence: Occurrence,
  rules: MappingRules,
  directory: Directory,
  template: RegExp | undefined,
  rooms: ReadonlyMap<string, string>,
): People | { readonly why: string } {
  const { holder } = rules;
  const guests = occurrence.attendees.filter((attendee) => isPerson(attendee, rules, rooms));
  const members = guests.flatMap(({ address }) => directory.byAddress.get(fold(address)) ?? []);
  const organizer =
    occurrence.organizer === undefined ? undefined : directory.byAddress.get(fold(occurrence.organizer));
  const withDelegates = (id: string): People => ({
    holder: id,
    delegates: [...new Set(members)].filter((member) => member !== id).slice(0, DELEGATES_MAX),
  });
  switch (holder.by) {
    case 'attendee': {
      const first = members[0] ?? (declined(occurrence, organizer, directory) ? undefined : organizer);
      if (first !== undefined) return withDelegates(first);
      return {
        why: 'Neither an attendee nor the organizer is a member: add the mail address to the member, or invite one.',
      };
    }
    case 'organizer':
      if (organizer !== undefined) return withDelegates(organizer);
      return { why: 'The organizer is no member: add the mail address to the member.' };
    case 'template': {
      const text = holder.field === 'location' ? occurrence.location : occurrence.summary;
      const word = template?.exec(text.normalize('NFC').trim())?.groups?.member;
      if (word === undefined) return { why: `The event’s ${holder.field ?? 'summary'} does not fit holder.template.` };
      const member = directory.byWord.get(fold(word));
      if (member === 'several') return { why: 'Two members have the name that the event gives: use an id or address.' };
      if (member !== undefined) return withDelegates(member);
      return { why: 'Nobody has the id, address or exact name that the event gives as its holder.' };
    }
    case 'member': {
      const member = holder.member === undefined ? undefined : directory.byWord.get(fold(holder.member));
      if (member !== undefined && member !== 'several') return withDelegates(member);
      return { why: `There is no member “${holder.member ?? ''}”, whose all events of this calendar are to be.` };
    }
    default:
      return holder.by satisfies never;
  }
}

/** Whether the member said by one of his addresses that he does not come. */
function declined({ attendees }: Occurrence, member: string | undefined, directory: Directory): boolean {
  return attendees.some(
    ({ address, participation }) =>
      participation === 'declined' && member !== undefined && directory.byAddress.get(fold(address)) === member,
  );
}

function isPerson(attendee: Attendee, rules: MappingRules, rooms: ReadonlyMap<string, string>): boolean {
  if (attendee.kind === 'room' || attendee.kind === 'resource') return false;
  if (attendee.participation === 'declined') return false;
  // Calendars invite rooms as if they were people.
  return rules.rooms.by !== 'attendee' || !rooms.has(fold(attendee.address));
}

/** `{member} - *`: `{member}` names the member, other `{…}` and `*` stand for any text. Everything else is literal. */
export function templateOf(template: string): RegExp {
  let named = false;
  const parts = template
    .normalize('NFC')
    .trim()
    .split(/(\{[^}]*\}|\*)/)
    .map((part) => {
      if (part === '*') return '.*?';
      if (!/^\{.*\}$/.test(part)) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+');
      if (part !== '{member}' || named) return '.*?';
      named = true;
      return '(?<member>.+?)';
    });
  return new RegExp(`^${parts.join('')}$`, 'iu');
}

function sayOf(occurrence: Occurrence, rules: MappingRules, room: string, people: People): Said {
  const key = keyOf(occurrence, room);
  return {
    key,
    occurrence,
    booking: {
      id: `${rules.source}-${key}`,
      room,
      holder: people.holder,
      delegates: people.delegates,
      startMs: occurrence.startMs,
      endMs: occurrence.endMs,
      status: statusOf(occurrence),
      source: rules.source,
      title: titleOf(occurrence.summary),
      priority: rules.priority,
    },
  };
}

const KEY_DIGITS = 20;
/** Stays when the event is moved to another time, so that its old time is free at once. */
export function keyOf({ uid, recurrenceId }: Pick<Occurrence, 'uid' | 'recurrenceId'>, room: string): string {
  const text = JSON.stringify([uid, recurrenceId ?? null, room]);
  return createHash('sha256').update(text).digest('hex').slice(0, KEY_DIGITS);
}

/** FHIR knows more stages than iCalendar: `fulfilled` grants until its end, like one that has checked in. */
export function statusOf({ status, stage }: Pick<Occurrence, 'status' | 'stage'>): BookingStatus {
  if (status !== 'confirmed') return status;
  return stage === undefined ? 'confirmed' : 'checked_in';
}

function titleOf(summary: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  const clean = summary.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
  return clean.length <= TITLE_MAX ? clean : `${[...clean.slice(0, TITLE_MAX - 1)].join('')}…`;
}
