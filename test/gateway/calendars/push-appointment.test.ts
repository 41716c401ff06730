import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandAppointment, keepAppointment } from '../../../gateway/calendars/push/appointment.ts';
import type { CalendarObject, Expansion, Occurrence } from '../../../gateway/calendars/types.ts';
import { appointment, PATIENT_WORDS } from '../../support/calendars-push.ts';

const BASE = 'https://ehr.example/fhir';
const WINDOW = { fromMs: Date.UTC(2026, 10, 1), toMs: Date.UTC(2026, 11, 31) };

function keep(resource: unknown): CalendarObject {
  const kept = keepAppointment(resource, BASE);
  if (kept === undefined) throw new Error('not kept');
  return kept;
}
function expand(over: Readonly<Record<string, unknown>>): Expansion {
  return expandAppointment(keep(appointment(over)), WINDOW);
}
function only(expansion: Expansion): Occurrence {
  expect(expansion.setAside).toEqual([]);
  expect(expansion.occurrences).toHaveLength(1);
  return expansion.occurrences[0] as Occurrence;
}

describe('a FHIR Appointment', () => {
  it('becomes an occurrence with its room and its practitioner', () => {
    const object = keep(appointment());
    expect(object).toMatchObject({ href: 'Appointment/a-1', etag: 'W/"3"', type: 'fhir', collection: '' });
    expect(only(expandAppointment(object, WINDOW))).toEqual({
      uid: `${BASE}/Appointment/a-1`,
      startMs: Date.UTC(2026, 10, 23, 8),
      endMs: Date.UTC(2026, 10, 23, 8, 30),
      status: 'confirmed',
      stage: undefined,
      sequence: 3,
      stampMs: Date.UTC(2026, 10, 20, 9, 0, 0, 123),
      summary: 'Appointment',
      location: 'Room 2',
      resources: ['Location/room-2', 'Room 2'],
      attendees: [
        {
          address: 'Practitioner/12',
          name: 'Dr. Mia Berg',
          kind: 'individual',
          participation: 'accepted',
          role: 'req-participant',
        },
      ],
      collection: '',
      href: 'Appointment/a-1',
    });
  });

  it.each([
    ['booked', 'confirmed', undefined],
    ['arrived', 'confirmed', 'checked_in'],
    ['checked-in', 'confirmed', 'checked_in'],
    ['fulfilled', 'confirmed', 'fulfilled'],
    ['proposed', 'tentative', undefined],
    ['pending', 'tentative', undefined],
    ['waitlist', 'tentative', undefined],
    ['cancelled', 'cancelled', undefined],
    ['noshow', 'cancelled', undefined],
    ['entered-in-error', 'cancelled', undefined],
  ])('that is %s counts as %s (%s)', (status, expected, stage) => {
    expect(only(expand({ status }))).toMatchObject({ status: expected, stage });
  });

  it.each([
    ['Booked'],
    ['BOOKED'],
    [' booked'],
    ['confirmed'],
    [''],
    [null],
    [7],
    [['booked']],
    [undefined],
    ['constructor'],
  ])('with the status %j is set aside', (status) => {
    expect(expand({ status })).toMatchObject({ occurrences: [], setAside: [{ code: 'malformed' }], events: 1 });
  });

  it.each([
    ['2026-11-23T09:00:00', 'no_times'],
    ['2026-11-23T09:00+01:00', 'no_times'],
    ['2026-11-23', 'no_times'],
    ['2026-02-30T09:00:00Z', 'no_times'],
    ['2026-11-23T25:00:00Z', 'no_times'],
    ['2026-11-23T09:00:00+25:00', 'no_times'],
    ['2026-11-23 09:00:00Z', 'no_times'],
    [1_800_000_000, 'no_times'],
    [null, 'no_times'],
    ['2026-11-23T10:00:00+01:00', 'contradiction'],
    ['2026-10-01T10:00:00+01:00', 'too_long'],
  ])('that starts at %j and ends at half past nine is set aside as %s', (start, code) => {
    expect(expand({ start })).toMatchObject({ occurrences: [], setAside: [{ code, href: 'Appointment/a-1' }] });
  });

  it('needs no times where it grants nothing', () => {
    for (const status of ['proposed', 'cancelled', 'waitlist']) {
      expect(expand({ status, start: undefined, end: undefined })).toEqual({
        occurrences: [],
        setAside: [],
        events: 1,
      });
    }
  });

  it('is there when it overlaps the window, half open', () => {
    const [startMs, endMs] = [Date.UTC(2026, 10, 23, 8), Date.UTC(2026, 10, 23, 8, 30)];
    const count = (fromMs: number, toMs: number): number =>
      expandAppointment(keep(appointment()), { fromMs, toMs }).occurrences.length;
    expect([
      count(endMs, endMs + 1),
      count(endMs - 1, endMs),
      count(startMs - 1, startMs),
      count(startMs, startMs + 1),
    ]).toEqual([0, 1, 0, 1]);
  });

  it('that says it cannot be understood without an extension is set aside', () => {
    const modifier = [{ url: 'https://x.example/not-really', valueBoolean: true }];
    const participant = [{ actor: { reference: 'Location/1' }, modifierExtension: modifier }];
    for (const over of [{ modifierExtension: modifier }, { implicitRules: 'https://x.example' }, { participant }]) {
      expect(expand(over)).toMatchObject({ occurrences: [], setAside: [{ code: 'malformed' }] });
    }
  });

  it('is no other resource: a Slot or Schedule never grants', () => {
    for (const resourceType of ['Slot', 'Schedule', 'Encounter', 'appointment', undefined]) {
      expect(keepAppointment({ ...appointment(), resourceType }, BASE)).toBeUndefined();
    }
    for (const id of [undefined, '', 'a b', '../x', 'x'.repeat(65), 7]) {
      expect(keepAppointment(appointment({ id }), BASE)).toBeUndefined();
    }
  });
});

describe('who takes part', () => {
  const participants = (participant: readonly unknown[]): Occurrence => only(expand({ participant }));
  const mia = { reference: 'Practitioner/12', display: 'Dr. Mia Berg' };

  it('is known by reference, and by the mail address and identifiers of a contained resource', () => {
    const role = {
      resourceType: 'PractitionerRole',
      id: 'role',
      practitioner: mia,
      telecom: [{ system: 'email', value: 'MIA@clinic.example' }],
    };
    const contained = [...(appointment().contained as unknown[]), role];
    const found = only(
      expand({
        contained,
        participant: [
          { actor: { reference: '#dr' }, status: 'accepted' },
          { actor: { reference: '#role' }, status: 'accepted' },
          { actor: { reference: `${BASE}/Practitioner/13/_history/2` }, status: 'accepted' },
          { actor: { reference: 'https://other.example/Practitioner/14' }, status: 'accepted' },
          { actor: { type: 'Practitioner', identifier: { system: 'urn:lanr', value: '9' } }, status: 'accepted' },
        ],
      }),
    );
    expect(found.attendees.map(({ address }) => address)).toEqual([
      'urn:lanr|123456601',
      'mia@clinic.example',
      'Practitioner/12',
      'mia@clinic.example',
      'Practitioner/13',
      'https://other.example/Practitioner/14',
      'urn:lanr|9',
    ]);
    expect(found.attendees[0]?.name).toBe('Dr. Mia Berg');
  });

  it('says whether he takes part: declined stays declined, no word is no yes', () => {
    const found = participants([
      { actor: mia, status: 'declined' },
      { actor: { reference: 'Practitioner/13' } },
      { actor: { reference: 'Practitioner/14' }, status: 'yes' },
    ]);
    expect(found.attendees.map(({ participation }) => participation)).toEqual([
      'declined',
      'needs-action',
      'needs-action',
    ]);
  });

  it('comes first as primary performer, and not at all when only told of it', () => {
    const found = participants([
      { actor: { reference: 'Practitioner/1' }, status: 'accepted', required: 'optional' },
      { actor: { reference: 'Practitioner/2' }, status: 'accepted', required: 'information-only' },
      { actor: mia, status: 'accepted', type: [{ coding: [{ code: 'PPRF' }] }] },
    ]);
    expect(found.attendees.map(({ address, role }) => [address, role])).toEqual([
      ['Practitioner/12', 'chair'],
      ['Practitioner/1', 'opt-participant'],
    ]);
  });

  it('is not a room that declined', () => {
    const found = participants([
      { actor: { reference: 'Location/1', display: 'Room 1' }, status: 'declined' },
      { actor: { reference: 'Location/2', display: 'Room 2' }, status: 'accepted' },
    ]);
    expect([found.location, found.resources]).toEqual(['Room 2', ['Location/2', 'Room 2']]);
  });

  it('is never one whose type is not sure', () => {
    const found = participants([
      { actor: { reference: 'Practitioner/1', type: 'Patient' } },
      { actor: { reference: '#p', type: 'Practitioner' } },
      { actor: { reference: '#nobody', type: 'Practitioner' } },
      { actor: { reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' } },
      { actor: { display: 'Practitioner/1' } },
      { actor: 'Practitioner/1' },
      'Practitioner/1',
      null,
    ]);
    expect(found.attendees).toEqual([]);
  });
});

describe('a patient', () => {
  it('leaves no trace: not in what is stored, not in what is granted, not in what is set aside', () => {
    const damaged = [
      {},
      { status: PATIENT_WORDS[0] },
      { start: PATIENT_WORDS[0], end: PATIENT_WORDS[1] },
      { id: 'a-2', meta: { versionId: 'Zucker schnabel', lastUpdated: PATIENT_WORDS[1] } },
      { participant: PATIENT_WORDS },
      { modifierExtension: [{ url: PATIENT_WORDS[2] }] },
    ];
    for (const over of damaged) {
      const object = keep(appointment(over));
      const out = JSON.stringify([object, expandAppointment(object, WINDOW)]);
      for (const word of PATIENT_WORDS) expect(out, word).not.toContain(word);
    }
  });

  it('leaves none even where a whole Appointment was stored', () => {
    const object: CalendarObject = { ...keep(appointment()), body: JSON.stringify(appointment()) };
    const out = JSON.stringify(expandAppointment(object, WINDOW));
    for (const word of PATIENT_WORDS) expect(out, word).not.toContain(word);
  });

  it('leaves none wherever his name stands in a resource of any shape', () => {
    const name = 'Qwertzuiopü Patient';
    const resource = fc.jsonValue().map((value) => {
      const text = JSON.stringify(value).replaceAll(/"(?:[^"\\]|\\.)*"/g, JSON.stringify(name));
      // Keys that came twice are one now.
      return { ...appointment({ participant: [] }), extra: JSON.parse(text) as unknown };
    });
    fc.assert(
      fc.property(
        resource,
        fc.constantFrom('comment', 'reasonCode', 'meta', 'contained', 'participant'),
        (value, key) => {
          const object = keep({ ...value, [key]: value.extra });
          expect(JSON.stringify([object, expandAppointment(object, WINDOW)])).not.toContain('Qwertz');
        },
      ),
    );
  });
});

describe('whatever comes', () => {
  it('is read without an error', () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom('Practitioner/1', '#dr', [], {}, null));
    const over = fc.dictionary(
      fc.constantFrom(
        'meta',
        'contained',
        'participant',
        'status',
        'start',
        'end',
        'id',
        'modifierExtension',
        '__proto__',
      ),
      fc.oneof(
        odd,
        fc.array(fc.dictionary(fc.constantFrom('actor', 'status', 'type', 'required', 'id', 'resourceType'), odd)),
      ),
    );
    fc.assert(
      fc.property(over, fc.jsonValue(), (changes, body) => {
        const object = keepAppointment(appointment(changes), BASE);
        if (object !== undefined) expandAppointment(object, WINDOW);
        const stored = { ...keep(appointment()), body: JSON.stringify(body) };
        expect(expandAppointment(stored, WINDOW).occurrences).toEqual([]);
        keepAppointment(body, BASE);
      }),
      { numRuns: 500 },
    );
  });
});
