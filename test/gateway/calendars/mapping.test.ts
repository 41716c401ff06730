/** From an event to rooms and people: by each way of saying it, and what is set aside because it is not certain. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { directoryOf, type MappingRules, mapper, TITLE_MAX, templateOf } from '../../../gateway/calendars/mapping.ts';
import type { Attendee, Occurrence } from '../../../gateway/calendars/types.ts';

const directory = directoryOf([
  { id: 'ada', name: 'Ada Lovelace', addresses: ['ada@clinic.example', 'Practitioner/12'] },
  { id: 'ben', name: 'Ben', addresses: ['ben@clinic.example'] },
  { id: 'm-3', name: 'Kim Lee' },
  { id: 'm-4', name: 'Kim Lee' },
]);

function guest(address: string, change: Partial<Attendee> = {}): Attendee {
  return { address, kind: 'individual', participation: 'accepted', role: 'req-participant', ...change };
}
function event(change: Partial<Occurrence> = {}): Occurrence {
  return {
    uid: 'u',
    startMs: 0,
    endMs: 1,
    status: 'confirmed',
    sequence: 0,
    stampMs: 0,
    summary: 'Visit',
    location: '',
    resources: [],
    attendees: [guest('ada@clinic.example')],
    collection: '',
    href: 'h',
    ...change,
  };
}
function rules(change: Partial<MappingRules> = {}): MappingRules {
  return {
    source: 's',
    priority: 0,
    rooms: { by: 'calendar', map: { '*': 'r1' } },
    holder: { by: 'attendee' },
    ...change,
  };
}
/** `room:holder+delegates` of each booking, or why there is none. */
function mapped(change: Partial<Occurrence>, of: Partial<MappingRules> = {}): string {
  const result = mapper(rules(of), directory)(event(change));
  if (result.kind === 'not_ours') return 'not ours';
  if (result.kind === 'set_aside') return result.setAside.code;
  return result.said
    .map(({ booking: { room, holder, delegates } }) => [`${room}:${holder}`, ...delegates].join('+'))
    .join(' ');
}

describe('the room', () => {
  const map = { 'Room 1': 'r1', Café: 'r2', 'room3@clinic.example': 'r3' };
  it.each([
    ['calendar', { collection: '/dav/ada/room%201/' }, 'r1:ada'],
    ['calendar', { collection: '/dav/ada/other/' }, 'no_room'],
    ['location', { location: '  ROOM   1 ' }, 'r1:ada'],
    ['location', { location: 'Cafe\u0301' }, 'r2:ada'],
    ['location', { location: 'Room 1, Café' }, 'not ours'],
    ['location', { location: '' }, 'not ours'],
    ['resources', { resources: ['Projector', 'Room 1', 'CAFÉ'] }, 'r1:ada r2:ada'],
    ['attendee', { attendees: [guest('room3@clinic.example'), guest('ben@clinic.example')] }, 'r3:ben'],
    [
      'attendee',
      { attendees: [guest('room3@clinic.example', { participation: 'declined' }), guest('ben@clinic.example')] },
      'not ours',
    ],
  ] as const)('by %s: %j is %s', (by, change, expected) => {
    expect(mapped(change, { rooms: { by, map } })).toBe(expected);
  });

  it('by the display name that the server gives its calendar', () => {
    const of = { rooms: { by: 'calendar' as const, map }, collectionLabels: () => ['Room 1'] };
    expect(mapped({ collection: '/c/7f3a/' }, of)).toBe('r1:ada');
  });

  it('`*` is every label that has no line of its own', () => {
    const of = { rooms: { by: 'location' as const, map: { 'Room 1': 'r1', '*': 'r9' } } };
    expect(mapped({ location: 'Room 1' }, of)).toBe('r1:ada');
    expect(mapped({ location: 'anywhere' }, of)).toBe('r9:ada');
    expect(mapped({ location: '' }, of)).toBe('not ours');
  });
});

describe('the holder', () => {
  it.each([
    [
      'the first invited member',
      { attendees: [guest('x@else.example'), guest('BEN@clinic.example'), guest('ada@clinic.example')] },
      'r1:ben+ada',
    ],
    [
      'nobody who declined',
      { attendees: [guest('ben@clinic.example', { participation: 'declined' }), guest('ada@clinic.example')] },
      'r1:ada',
    ],
    [
      'nobody who is a room',
      { attendees: [guest('ben@clinic.example', { kind: 'room' })], organizer: 'ada@clinic.example' },
      'r1:ada',
    ],
    [
      'the organizer where no guest is a member',
      { attendees: [guest('x@else.example')], organizer: 'ada@clinic.example' },
      'r1:ada',
    ],
    [
      'not the organizer who declined',
      { attendees: [guest('ada@clinic.example', { participation: 'declined' })], organizer: 'ada@clinic.example' },
      'no_holder',
    ],
    ['a reference of another system', { attendees: [guest('Practitioner/12')] }, 'r1:ada'],
    ['a member by id', { attendees: [guest('member:m-3')] }, 'r1:m-3'],
    ['never a guess', { attendees: [guest('x@else.example')] }, 'no_holder'],
  ])('by attendee is %s', (_what, change, expected) => {
    expect(mapped(change)).toBe(expected);
  });

  it('by organizer, by template and by name', () => {
    const organizer = { holder: { by: 'organizer' as const } };
    expect(mapped({ organizer: 'ben@clinic.example' }, organizer)).toBe('r1:ben+ada');
    expect(mapped({}, organizer)).toBe('no_holder');
    const template = { holder: { by: 'template' as const, template: '{member} - *' } };
    expect(mapped({ attendees: [], summary: 'ADA  lovelace - physio - again' }, template)).toBe('r1:ada');
    expect(mapped({ attendees: [], summary: 'm-3 - physio' }, template)).toBe('r1:m-3');
    expect(mapped({ attendees: [], summary: 'Kim Lee - physio' }, template)).toBe('no_holder');
    expect(mapped({ attendees: [], summary: 'physio' }, template)).toBe('no_holder');
    expect(mapped({ attendees: [] }, { holder: { by: 'member', member: 'Ben' } })).toBe('r1:ben');
  });

  it('is not asked for where nothing is granted', () => {
    expect(mapped({ attendees: [], status: 'tentative' })).toBe('');
  });
});

describe('the booking', () => {
  it('keeps its id when its event moves, and has another in another room, source or instance', () => {
    const idOf = (change: Partial<Occurrence>, of: Partial<MappingRules> = {}) => {
      const result = mapper(rules(of), directory)(event(change));
      return result.kind === 'said' ? (result.said[0]?.booking.id ?? '') : '';
    };
    const id = idOf({});
    expect(id).toMatch(/^s-[0-9a-f]{20}$/);
    expect(idOf({ startMs: 5, endMs: 9, sequence: 3 })).toBe(id);
    const others = [
      idOf({ recurrenceId: '20260302T090000Z' }),
      idOf({ uid: 'v' }),
      idOf({}, { source: 't' }),
      idOf({}, { rooms: { by: 'calendar', map: { '*': 'r2' } } }),
    ];
    expect(new Set([id, ...others]).size).toBe(5);
  });

  it('grants for confirmed, checked in and fulfilled events alone', () => {
    const statusOf = (change: Partial<Occurrence>) => {
      const result = mapper(rules(), directory)(event(change));
      return result.kind === 'said' ? result.said[0]?.booking.status : undefined;
    };
    expect(statusOf({})).toBe('confirmed');
    expect(statusOf({ stage: 'checked_in' })).toBe('checked_in');
    expect(statusOf({ stage: 'fulfilled' })).toBe('checked_in');
    expect(statusOf({ status: 'tentative' })).toBe('tentative');
    expect(statusOf({ status: 'cancelled', stage: 'checked_in' })).toBe('cancelled');
  });

  it('has a title of one line and bounded length', () => {
    const result = mapper(rules(), directory)(event({ summary: `a\nb${'x'.repeat(500)}` }));
    const title = result.kind === 'said' ? (result.said[0]?.booking.title ?? '') : '';
    expect(title.startsWith('a bx')).toBe(true);
    expect(title).toHaveLength(TITLE_MAX);
  });
});

it('a template takes any text literally, in linear time', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 30 }), fc.string({ maxLength: 200 }), (literal, text) => {
      const safe = literal.replace(/[{}*]/g, '');
      expect(() => templateOf(`${safe} {member} * ${safe}`).exec(text)).not.toThrow();
    }),
  );
  expect(templateOf('[{member}] (*)').exec('[Ada] (x)')?.groups?.member).toBe('Ada');
});
