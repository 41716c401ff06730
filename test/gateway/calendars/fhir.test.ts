import { describe, expect, it } from 'vitest';
import { bundleFormat } from '../../../gateway/calendars/push/bundle.ts';
import { fhirSource } from '../../../gateway/calendars/sources/fhir.ts';
import type { Pushed, PushRequest } from '../../../gateway/calendars/types.ts';
import {
  appointment,
  fhirSettings,
  NOW_MS,
  NOW_S,
  PATIENT_WORDS,
  push,
  SECRET,
  signedPush,
} from '../../support/calendars-push.ts';

const BASE = 'https://ehr.example/fhir';
const URL_OF_PAGE = new URL(`${BASE}/Appointment`);
const SIGNAL = new AbortController().signal;

function page(envelope: unknown, found = true) {
  return bundleFormat(BASE).page(envelope, { url: URL_OF_PAGE, received: 1, before: 0, found });
}

describe('a FHIR list', () => {
  it('is a Bundle of type searchset, nothing else', () => {
    expect(page({ resourceType: 'Bundle', type: 'searchset', total: 1 })).toEqual({ ok: true, total: 1 });
    for (const type of ['batch-response', 'history', 'collection', undefined]) {
      expect(page({ resourceType: 'Bundle', type })).toMatchObject({ ok: false, code: 'malformed' });
    }
    for (const envelope of [
      {},
      undefined,
      appointment(),
      { resourceType: 'OperationOutcome', issue: [{ diagnostics: PATIENT_WORDS[0] }] },
    ]) {
      const read = page(envelope, false);
      expect(read).toMatchObject({ ok: false, code: 'malformed' });
      expect(JSON.stringify(read)).not.toContain(PATIENT_WORDS[0]);
    }
  });

  it('goes on where a link says next', () => {
    const link = [
      { relation: 'self', url: 'x' },
      { relation: 'next', url: `${BASE}?page=2` },
    ];
    expect(page({ resourceType: 'Bundle', type: 'searchset', link })).toEqual({ ok: true, next: `${BASE}?page=2` });
    expect(page({ resourceType: 'Bundle', type: 'searchset', link: [{ relation: 'next' }] })).toMatchObject({
      code: 'truncated',
    });
  });

  it('without entries is empty, unless it tells of some', () => {
    const empty = { resourceType: 'Bundle', type: 'searchset' };
    expect(page(empty, false)).toEqual({ ok: true });
    expect(page({ ...empty, total: 0 }, false)).toEqual({ ok: true, total: 0 });
    expect(page({ ...empty, total: 3 }, false)).toMatchObject({ ok: false, code: 'truncated' });
  });

  it('holds Appointments; all else stands apart, and errors fail it', () => {
    const { item } = bundleFormat(BASE);
    expect(item({ resource: appointment() })?.object?.href).toBe('Appointment/a-1');
    for (const resourceType of ['Practitioner', 'Location', 'Slot', 'Schedule', 'Patient']) {
      expect(item({ resource: { resourceType, id: 'x' } })).toEqual({ apart: true });
    }
    const outcome = (severity: string): unknown => ({
      resource: { resourceType: 'OperationOutcome', issue: [{ severity, diagnostics: PATIENT_WORDS[0] }] },
    });
    expect(item(outcome('warning'))).toEqual({ apart: true });
    for (const severity of ['error', 'fatal', 'odd']) {
      const read = item(outcome(severity));
      expect(read?.fault).toMatchObject({ code: 'server_error' });
      expect(JSON.stringify(read)).not.toContain(PATIENT_WORDS[0]);
    }
    for (const entry of [null, 'x', {}, { resource: null }]) expect(item(entry)).toEqual({ apart: true });
  });

  it('sets an Appointment without an id aside, each under a name of its own', () => {
    const { item } = bundleFormat(BASE);
    const hrefs = [1, 2].map(() => item({ resource: appointment({ id: undefined }) })?.object?.href);
    expect(new Set(hrefs).size).toBe(2);
  });
});

describe('a message to a FHIR source', () => {
  const source = (secret?: string) => fhirSource(fhirSettings({ secret }), { now: () => NOW_MS });
  const receive = (request: PushRequest, to = source(SECRET)): Promise<Pushed> => {
    if (to.receive === undefined) throw new Error('it takes none');
    return to.receive(request, undefined, SIGNAL);
  };

  it('is taken only where a secret is configured', () => {
    expect(source(SECRET).receive).toBeDefined();
    expect(source().receive).toBeUndefined();
    expect(source('').receive).toBeUndefined();
  });

  it('is a reason to look: signed, or with the secret as bearer token, as a Subscription can send it', async () => {
    expect(await receive(signedPush(''))).toEqual({ kind: 'poll' });
    expect(await receive(signedPush({ resourceType: 'Bundle', type: 'history' }))).toEqual({ kind: 'poll' });
    expect(await receive(signedPush(appointment({ id: '../Patient' })))).toEqual({ kind: 'poll' });
    for (const body of ['', JSON.stringify(appointment())]) {
      expect(await receive(push(body, { authorization: `Bearer ${SECRET}` }))).toEqual({ kind: 'poll' });
    }
  });

  it('is refused without, with another secret, forged, or as a copy', async () => {
    const one = source(SECRET);
    for (const authorization of [
      undefined,
      '',
      'Bearer ',
      'Bearer x',
      `Basic ${SECRET}`,
      SECRET,
      `Bearer ${SECRET}x`,
    ]) {
      expect(await receive(push('', { authorization }), one)).toMatchObject({ kind: 'refused' });
    }
    const forged = { ...signedPush(''), body: Buffer.from('{}') };
    expect(await receive(forged, one)).toMatchObject({ kind: 'refused' });
    // A bad signature is not mended by a token.
    expect(
      await receive({ ...forged, headers: { ...forged.headers, authorization: `Bearer ${SECRET}` } }, one),
    ).toMatchObject({
      kind: 'refused',
    });
    expect(await receive(signedPush(''), one)).toEqual({ kind: 'poll' });
    expect(await receive(signedPush(''), one)).toMatchObject({ kind: 'refused' });
    expect(await receive(signedPush('', NOW_S, NOW_MS + 300_001), source(SECRET))).toMatchObject({ kind: 'refused' });
    expect(await receive(push(Buffer.alloc(256 * 1024 + 1), { authorization: `Bearer ${SECRET}` }), one)).toMatchObject(
      {
        kind: 'refused',
      },
    );
  });
});
