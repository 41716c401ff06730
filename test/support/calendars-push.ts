/** Settings, signatures and messages for the tests of pushing sources. Signatures are made here anew, not by the product. */
import { createHmac } from 'node:crypto';
import { expandOccurrences } from '../../gateway/calendars/push/occurrences.ts';
import type { Reading } from '../../gateway/calendars/push/preset.ts';
import type { FhirSettings, HttpSettings, WebhookSettings } from '../../gateway/calendars/settings.ts';
import { PRESETS } from '../../gateway/calendars/sources/webhook.ts';
import type { CalendarObject, Occurrence, PushRequest } from '../../gateway/calendars/types.ts';

export const SECRET = 'a-long-secret-that-nobody-guesses';
/** 2026-11-22T12:00:00Z */
export const NOW_MS = Date.UTC(2026, 10, 22, 12);
export const NOW_S = String(NOW_MS / 1_000);
export const TOLERANCE_MS = 300_000;

export const HTTP: HttpSettings = { allowHttp: true, allowPrivate: true, timeoutMs: 2_000, maxBytes: 8_000_000 };

const COMMON = {
  everyMs: 300_000,
  priority: 0,
  rooms: { by: 'resources', map: { 'Room 2': 'room-2' } },
  holder: { by: 'attendee' },
  holdPolls: 3,
  http: HTTP,
} as const;

export function webhookSettings(over: Partial<WebhookSettings> = {}): WebhookSettings {
  return {
    ...COMMON,
    id: 'hook',
    kind: 'webhook',
    preset: 'doorward',
    secret: SECRET,
    toleranceMs: TOLERANCE_MS,
    ...over,
  };
}

export function fhirSettings(over: Partial<FhirSettings> = {}): FhirSettings {
  return { ...COMMON, id: 'ehr', kind: 'fhir', url: 'https://ehr.example/fhir', ...over };
}

export function hmac(text: string | Buffer, secret = SECRET): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

export function push(
  body: string | Buffer,
  headers: Readonly<Record<string, string | undefined>>,
  receivedAtMs = NOW_MS,
): PushRequest {
  return { headers, body: Buffer.from(body), receivedAtMs };
}

/** A message signed as the `doorward` preset wants it. */
export function signedPush(message: unknown, at = NOW_S, receivedAtMs = NOW_MS): PushRequest {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  return push(
    body,
    { 'x-doorward-timestamp': at, 'x-doorward-signature': `sha256=${hmac(`${at}.${body}`)}` },
    receivedAtMs,
  );
}

export function booking(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    id: 'b-7',
    room: 'Room 2',
    start: '2026-11-23T09:00:00+01:00',
    end: '2026-11-23T12:00:00+01:00',
    status: 'confirmed',
    holder: { email: 'Mia@Clinic.example' },
    delegates: [{ member: 'leo' }],
    title: 'Physio',
    updatedAt: '2026-11-22T11:00:00Z',
    ...over,
  };
}

export function upserted(...bookings: readonly unknown[]): Record<string, unknown> {
  return { type: 'booking.upserted', id: 'm-1', bookings };
}

export function cancelled(...bookings: readonly unknown[]): Record<string, unknown> {
  return { type: 'booking.cancelled', id: 'm-2', bookings };
}

/** The occurrences of a `json` object. */
export function occurrencesOf(object: CalendarObject | undefined): Occurrence[] {
  return JSON.parse(object?.body ?? '[]') as Occurrence[];
}

/** What a preset is told of the site, and when the tests' bookings begin and end. */
export const CONTEXT = { source: 'hook', attendees: true, isRoom: (text: string) => text === 'Room 2' };
export const START_MS = Date.UTC(2026, 10, 23, 8);
export const END_MS = Date.UTC(2026, 10, 23, 11);
export const EVER = { fromMs: 0, toMs: Date.UTC(2100, 0, 1) };

/** What a message says of bookings. */
export function statements(reading: Reading) {
  if (reading.kind !== 'bookings') throw new Error(`it is ${JSON.stringify(reading)}`);
  return reading.statements;
}

/** The first occurrence that a message tells of. */
export function first(reading: Reading): Occurrence {
  const [occurrence] = occurrencesOf(statements(reading)[0]?.object);
  if (occurrence === undefined) throw new Error('nothing in it');
  return occurrence;
}

/** An object worked out, with what was set aside. */
export function asideOf(object: CalendarObject | undefined) {
  if (object === undefined) throw new Error('no object');
  return expandOccurrences(object, EVER);
}

/** The first occurrence that an entry of a preset's list comes to. */
export function listed(preset: keyof typeof PRESETS, value: unknown, context = CONTEXT): Occurrence {
  const [occurrence] = occurrencesOf(PRESETS[preset].list(context).item(value)?.object);
  if (occurrence === undefined) throw new Error('nothing in it');
  return occurrence;
}

/** Everything that a patient's appointment could give away; each a word that is found nowhere else. */
export const PATIENT_WORDS = [
  'Wilhelmina',
  'Zuckerschnabel',
  'pat-4711',
  'Kniearthrose',
  'bring the x-ray',
  '+49 151 000111',
  'wilhelmina@private.example',
  'rel-88',
  'Kordula',
  'M17.1',
  'insurance-0815',
  'svc-orthopaedics',
] as const;

/** An Appointment as practice software sends it, with a patient in every field that has room for one. */
export function appointment(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const [first, last, id, reason, comment, phone, mail, relative, relativeName, code, insurance, service] =
    PATIENT_WORDS;
  return {
    resourceType: 'Appointment',
    id: 'a-1',
    meta: { versionId: '3', lastUpdated: '2026-11-20T10:00:00.123+01:00', tag: [{ display: first }] },
    text: { status: 'generated', div: `<div>${first} ${last}</div>` },
    extension: [{ url: 'https://x.example/insurance', valueString: insurance }],
    contained: [
      {
        resourceType: 'Patient',
        id: 'p',
        name: [{ text: `${first} ${last}` }],
        telecom: [{ system: 'email', value: mail }],
      },
      {
        resourceType: 'Practitioner',
        id: 'dr',
        name: [{ prefix: ['Dr.'], given: ['Mia'], family: 'Berg' }],
        telecom: [
          { system: 'phone', value: '030 1' },
          { system: 'email', value: 'Mia@Clinic.example' },
        ],
        identifier: [{ system: 'urn:lanr', value: '123456601' }],
      },
    ],
    identifier: [{ system: 'urn:visit', value: id }],
    status: 'booked',
    cancelationReason: { text: reason },
    serviceCategory: [{ text: service }],
    serviceType: [{ text: service }],
    specialty: [{ text: service }],
    appointmentType: { text: reason },
    reasonCode: [{ coding: [{ code }], text: reason }],
    reasonReference: [{ reference: 'Condition/c-1', display: reason }],
    description: `${reason} of ${first}`,
    comment,
    patientInstruction: comment,
    supportingInformation: [{ reference: `DocumentReference/${id}`, display: reason }],
    basedOn: [{ reference: 'ServiceRequest/s', display: first }],
    start: '2026-11-23T09:00:00+01:00',
    end: '2026-11-23T09:30:00+01:00',
    participant: [
      { actor: { reference: `Patient/${id}`, display: `${first} ${last}` }, status: 'accepted' },
      { actor: { reference: '#p', display: first }, status: 'accepted' },
      { actor: { type: 'Patient', identifier: { system: 'urn:kv', value: id }, display: last }, status: 'accepted' },
      { actor: { display: `${first} ${last} ${phone}` }, status: 'accepted' },
      { actor: { reference: `RelatedPerson/${relative}`, display: relativeName }, status: 'accepted' },
      { actor: { reference: `https://other.example/fhir/Patient/${id}`, type: 'Practitioner' }, status: 'accepted' },
      { actor: { reference: 'HealthcareService/h', display: service }, status: 'accepted' },
      { actor: { reference: 'Practitioner/12', display: 'Dr. Mia Berg' }, status: 'accepted', required: 'required' },
      { actor: { reference: 'Location/room-2', display: 'Room 2' }, status: 'accepted' },
    ],
    ...over,
  };
}

export function searchset(entries: readonly unknown[], over: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    entry: entries.map((resource) => ({ resource, search: { mode: 'match' } })),
    ...over,
  };
}
