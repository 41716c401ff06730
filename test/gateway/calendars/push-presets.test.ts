import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandOccurrences } from '../../../gateway/calendars/push/occurrences.ts';
import type { Reading } from '../../../gateway/calendars/push/preset.ts';
import { PRESETS } from '../../../gateway/calendars/sources/webhook.ts';
import type { CalendarObject } from '../../../gateway/calendars/types.ts';
import {
  asideOf,
  booking,
  CONTEXT,
  cancelled,
  END_MS,
  EVER,
  first,
  listed,
  occurrencesOf,
  START_MS,
  statements,
  upserted,
} from '../../support/calendars-push.ts';

describe('the doorward preset', () => {
  const read = (payload: unknown): Reading => PRESETS.doorward.read(payload, CONTEXT);

  it('reads a booking with holder and delegates', () => {
    expect(first(read(upserted(booking())))).toEqual({
      uid: 'hook:b-7',
      startMs: START_MS,
      endMs: END_MS,
      status: 'confirmed',
      sequence: 0,
      stampMs: Date.UTC(2026, 10, 22, 11),
      summary: 'Physio',
      location: 'Room 2',
      resources: ['Room 2'],
      organizer: 'mia@clinic.example',
      attendees: [
        { address: 'mia@clinic.example', kind: 'individual', participation: 'accepted', role: 'chair' },
        { address: 'member:leo', kind: 'individual', participation: 'accepted', role: 'req-participant' },
      ],
      collection: '',
      href: 'b-7',
    });
  });

  it.each([
    ['confirmed', 'confirmed', undefined],
    ['checked_in', 'confirmed', 'checked_in'],
    ['fulfilled', 'confirmed', 'fulfilled'],
    ['tentative', 'tentative', undefined],
    ['cancelled', 'cancelled', undefined],
    ['released', 'cancelled', undefined],
  ])('reads the status %s as %s', (status, expected, stage) => {
    const found = first(read(upserted(booking({ status }))));
    expect([found.status, found.stage]).toEqual([expected, stage]);
  });

  it('names every fault by its path, and no value', () => {
    const bad = booking({
      start: '2026-11-23T09:00:00',
      room: '',
      status: 'Anna',
      holder: {},
      updatedAt: 7,
      delegates: 'x',
      sequence: -1,
    });
    expect(read(upserted(bad))).toEqual({
      kind: 'malformed',
      why: [
        'bookings[0].status: must be one of confirmed, checked_in, fulfilled, tentative, cancelled, released; found a text',
        'bookings[0].room: must be a text; found an empty text',
        'bookings[0].holder: must have email or member; found an object',
        'bookings[0].delegates: must be a list; found a text',
        'bookings[0].sequence: must be a whole number from 0; found a number',
        'bookings[0].start: must be an instant with its offset from UTC, 2026-11-22T09:00:00Z; found a text',
        'bookings[0].updatedAt: must be an instant with its offset from UTC, 2026-11-22T09:00:00Z; found a number',
      ].join('; '),
    });
  });

  it('sets one bad booking aside and keeps the rest', () => {
    const found = statements(read(upserted(booking(), booking({ id: 'b-8', end: 'soon' }), booking({ id: 'b-9' }))));
    expect(found.map(({ href, readable }) => [href, readable])).toEqual([
      ['b-7', true],
      ['b-8', false],
      ['b-9', true],
    ]);
    expect(asideOf(found[1]?.object)).toMatchObject({ occurrences: [], setAside: [{ uid: 'b-8', code: 'malformed' }] });
  });

  it('sets a booking that ends before it starts, or lasts too long, aside', () => {
    const [turned, long] = statements(
      read(
        upserted(
          booking({ id: 'x', end: booking().start }),
          booking({ id: 'y', end: '2027-11-23T09:00:00Z' }),
          booking(),
        ),
      ),
    );
    expect(asideOf(turned?.object).setAside[0]).toMatchObject({ code: 'contradiction' });
    expect(asideOf(long?.object).setAside[0]).toMatchObject({ code: 'too_long' });
  });

  it('reads a cancellation, which needs no more than id and time', () => {
    expect(read(cancelled({ id: 'b-7', updatedAt: '2026-11-22T12:00:00Z' }))).toMatchObject({
      kind: 'bookings',
      statements: [],
      removed: [{ href: 'b-7', stampMs: Date.UTC(2026, 10, 22, 12) }],
    });
    expect(read(cancelled({ id: 'b-7' }))).toMatchObject({ kind: 'malformed' });
  });

  it('takes a ping for nothing, and an unknown message for malformed', () => {
    expect(read({ type: 'ping' })).toEqual({ kind: 'ignored' });
    for (const payload of [
      {},
      [],
      'x',
      null,
      { type: 'booking.deleted' },
      upserted(),
      { ...upserted(booking()), id: '' },
    ]) {
      expect(read(payload), JSON.stringify(payload)).toMatchObject({ kind: 'malformed' });
    }
    expect(read(upserted(...Array.from({ length: 501 }, () => booking())))).toMatchObject({ kind: 'malformed' });
  });

  it('lists with the address of the next page and the total', () => {
    const format = PRESETS.doorward.list(CONTEXT);
    const context = { url: new URL('https://x.example/'), received: 1, before: 0, found: true };
    expect(format.page({ bookings: [], next: '/page2', total: 3 }, context)).toEqual({
      ok: true,
      next: '/page2',
      total: 3,
    });
    expect(format.page({ bookings: [], next: null }, context)).toEqual({ ok: true });
    expect(format.page({}, { ...context, found: false })).toMatchObject({ ok: false, code: 'malformed' });
    const url = PRESETS.doorward.first(new URL('https://x.example/list?key=1'), START_MS, END_MS);
    expect(url.href).toBe(
      'https://x.example/list?key=1&from=2026-11-23T08%3A00%3A00.000Z&to=2026-11-23T11%3A00%3A00.000Z',
    );
  });
});

describe('the calcom preset', () => {
  const PATIENT = ['Wilhelmina', 'zucker@private.example', '0151 4711', 'Kniearthrose'];
  const payload = {
    uid: 'bk1',
    bookingId: 91,
    title: `30min between Dr. Mia and ${PATIENT[0]}`,
    type: 'physio-30',
    eventTypeId: 50,
    additionalNotes: PATIENT[3],
    description: PATIENT[3],
    responses: { name: { value: PATIENT[0] }, email: { value: PATIENT[1] } },
    startTime: '2026-11-23T08:00:00Z',
    endTime: '2026-11-23T11:00:00Z',
    organizer: { name: 'Dr. Mia', email: 'Mia@Clinic.example', timeZone: 'Europe/Berlin' },
    attendees: [{ name: PATIENT[0], email: PATIENT[1], timeZone: 'Europe/Berlin', phoneNumber: PATIENT[2] }],
    location: 'Room 2',
    status: 'ACCEPTED',
  };
  const message = (triggerEvent: string, over: object = {}): unknown => ({
    triggerEvent,
    createdAt: '2026-11-22T12:00:00.000Z',
    payload: { ...payload, ...over },
  });
  const read = (value: unknown, context = CONTEXT): Reading => PRESETS.calcom.read(value, context);

  it('reads a booking with the host as organizer', () => {
    expect(first(read(message('BOOKING_CREATED')))).toMatchObject({
      uid: 'hook:bk1',
      startMs: START_MS,
      status: 'confirmed',
      summary: 'physio-30',
      location: 'Room 2',
      resources: ['Room 2', 'physio-30', '50', 'Mia@Clinic.example'],
      organizer: 'mia@clinic.example',
      stampMs: Date.UTC(2026, 10, 22, 12),
    });
  });

  it.each([
    ['BOOKING_CREATED', 'ACCEPTED', 'confirmed'],
    ['BOOKING_CREATED', 'PENDING', 'tentative'],
    ['BOOKING_REQUESTED', 'PENDING', 'tentative'],
    ['BOOKING_REQUESTED', 'ACCEPTED', 'tentative'],
    ['BOOKING_PAYMENT_INITIATED', undefined, 'tentative'],
    ['BOOKING_PAID', 'ACCEPTED', 'confirmed'],
    ['BOOKING_RESCHEDULED', 'ACCEPTED', 'confirmed'],
    ['BOOKING_REJECTED', 'REJECTED', 'cancelled'],
    ['BOOKING_CANCELLED', 'ACCEPTED', 'cancelled'],
    ['BOOKING_CANCELLED', undefined, 'cancelled'],
  ])('%s of a booking that is %s is %s', (event, status, expected) => {
    expect(first(read(message(event, { status })))).toMatchObject({ status: expected });
  });

  it('sets a booking with an unknown status aside, and frees the slot that a moved one had', () => {
    const [unknown] = statements(read(message('BOOKING_CREATED', { status: 'MAYBE' })));
    expect(unknown?.readable).toBe(false);
    expect(read(message('BOOKING_RESCHEDULED', { rescheduleUid: 'bk0' }))).toMatchObject({
      removed: [{ href: 'bk0' }],
    });
    expect(read(message('BOOKING_CANCELLED', { cancelledDates: ['a', 'b'] }))).toEqual({ kind: 'poll' });
    expect(read(message('FORM_SUBMITTED'))).toEqual({ kind: 'ignored' });
    for (const value of [
      {},
      { triggerEvent: 'BOOKING_CREATED' },
      { triggerEvent: 'BOOKING_CREATED', createdAt: payload.startTime },
    ]) {
      expect(read(value)).toMatchObject({ kind: 'malformed' });
    }
  });

  const entry = {
    uid: 'bk1',
    title: payload.title,
    description: PATIENT[3],
    hosts: [{ id: 1, name: 'Dr. Mia', email: 'mia@clinic.example' }],
    status: 'accepted',
    start: '2026-11-23T08:00:00Z',
    end: '2026-11-23T11:00:00Z',
    eventType: { id: 50, slug: 'physio-30' },
    location: PATIENT[2],
    attendees: [{ name: PATIENT[0], email: PATIENT[1], absent: false }],
    bookingFieldsResponses: { notes: PATIENT[3] },
    guests: [PATIENT[1]],
    updatedAt: '2026-11-20T08:00:00Z',
  };

  it('keeps nothing of attendees where they are not the holders, and no name or note ever', () => {
    const hosts = { ...CONTEXT, attendees: false };
    const sent = JSON.stringify(statements(read(message('BOOKING_CREATED', { location: PATIENT[2] }), hosts)));
    const list = JSON.stringify(PRESETS.calcom.list(hosts).item(entry));
    for (const word of PATIENT) expect(sent + list, word).not.toContain(word);
    expect(listed('calcom', entry).attendees.map(({ address, name }) => [address, name])).toEqual([
      [PATIENT[1], undefined],
      ['mia@clinic.example', undefined],
    ]);
    const held = JSON.stringify(PRESETS.calcom.list(CONTEXT).item(entry));
    for (const word of [PATIENT[0], PATIENT[2], PATIENT[3]]) expect(held).not.toContain(word);
  });

  it.each([
    ['accepted', 'confirmed'],
    ['pending', 'tentative'],
    ['cancelled', 'cancelled'],
    ['rejected', 'cancelled'],
  ])('lists %s as %s', (status, expected) => {
    expect(listed('calcom', { ...entry, status }).status).toBe(expected);
  });

  it('lists page by page, to the end', () => {
    const format = PRESETS.calcom.list(CONTEXT);
    const url = PRESETS.calcom.first(new URL('https://api.cal.com/v2/bookings'), START_MS, END_MS);
    expect(url.pathname).toBe('/v2/bookings');
    const page = (pagination: unknown, received: number) =>
      format.page({ status: 'success', pagination }, { url, received, before: 0, found: true });
    const next = page({ hasNextPage: true, totalItems: 130 }, 100);
    expect(next.ok && new URL(next.next ?? '').searchParams.get('skip')).toBe('100');
    expect(page({ hasNextPage: false }, 30)).toEqual({ ok: true });
    expect(page(undefined, 30)).toEqual({ ok: true });
    expect(page(undefined, 100)).toMatchObject({ next: expect.stringContaining('skip=100') as string });
    const failed = format.page({ status: 'error' }, { url, received: 0, before: 0, found: true });
    expect(failed).toMatchObject({ ok: false });
  });
});

describe('every preset', () => {
  const keys = [
    ...[
      'type',
      'id',
      'bookings',
      'eventType',
      'data',
      'object',
      '_id',
      'start',
      'end',
      'triggerEvent',
      'createdAt',
      'payload',
      'uid',
    ],
    ...[
      'Id',
      'FromTime',
      'ToTime',
      'ResourceId',
      'url',
      'from',
      'to',
      'status',
      'attendees',
      'hosts',
      'holder',
      'recurrence',
      '__proto__',
    ],
  ];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      fc.constantFrom(
        '2026-11-23T09:00:00Z',
        'booking.upserted',
        'booking.created',
        'BOOKING_CREATED',
        'confirmed',
        null,
        true,
        7,
        '',
        'https://x',
      ),
      fc.dictionary(fc.constantFrom(...keys), tie('any'), { maxKeys: 8 }),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.jsonValue({ maxDepth: 1 }),
    ),
  })).any;

  it('reads whatever comes without an error, and what it makes can be expanded', () => {
    fc.assert(
      fc.property(value, (payload) => {
        for (const preset of Object.values(PRESETS)) {
          const reading = preset.read(payload, CONTEXT);
          const objects = reading.kind === 'bookings' ? reading.statements.map(({ object }) => object) : [];
          const item = preset.list(CONTEXT).item(payload)?.object;
          for (const object of item === undefined ? objects : [...objects, item]) {
            const { occurrences, setAside } = expandOccurrences(object, EVER);
            expect(occurrences.length + setAside.length).toBeLessThanOrEqual(1);
          }
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it('makes objects that are read back as they were, and stored rubbish grants nothing', () => {
    const [statement] = statements(PRESETS.doorward.read(upserted(booking()), CONTEXT));
    const object = statement?.object as CalendarObject;
    expect(expandOccurrences(object, EVER).occurrences).toMatchObject(occurrencesOf(object));
    expect(expandOccurrences(object, { fromMs: END_MS, toMs: END_MS + 1 }).occurrences).toEqual([]);
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        expect(expandOccurrences({ ...object, body: JSON.stringify(body) }, EVER).occurrences).toEqual([]);
      }),
    );
  });
});
