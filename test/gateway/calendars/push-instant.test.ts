import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bundleFormat } from '../../../gateway/calendars/push/bundle.ts';
import { identifier, mail, text, typeName } from '../../../gateway/calendars/push/fields.ts';
import { parseInstant, parseSlashed } from '../../../gateway/calendars/push/instant.ts';

describe('an instant', () => {
  it.each([
    ['2026-11-22T09:00:00Z', Date.UTC(2026, 10, 22, 9)],
    ['2026-11-22t09:00:00z', Date.UTC(2026, 10, 22, 9)],
    ['2026-11-22T09:00:00.5+01:00', Date.UTC(2026, 10, 22, 8, 0, 0, 500)],
    ['2026-11-22T09:00:00.123999-05:30', Date.UTC(2026, 10, 22, 14, 30, 0, 123)],
    ['2026-11-22T00:00:00+14:00', Date.UTC(2026, 10, 21, 10)],
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
    ['0099-01-01T00:00:00Z', Date.parse('0099-01-01T00:00:00Z')],
  ])('%s is read exactly', (value, expected) => {
    expect(parseInstant(value)).toBe(expected);
  });

  it.each([
    ['2026-11-22T09:00:00'],
    ['2026-11-22T09:00Z'],
    ['2026-11-22'],
    ['2026-11-22 09:00:00Z'],
    ['2026-11-22T09:00:00+0100'],
    ['2026-11-22T09:00:00+15:00'],
    ['2026-11-22T09:00:00+01:60'],
    ['2026-11-22T24:00:00Z'],
    ['2026-11-22T09:60:00Z'],
    ['2026-11-22T09:00:61Z'],
    ['2027-02-29T09:00:00Z'],
    ['2026-13-01T09:00:00Z'],
    ['2026-00-01T09:00:00Z'],
    ['2026-11-00T09:00:00Z'],
    [' 2026-11-22T09:00:00Z'],
    ['2026-11-22T09:00:00ZZ'],
    [`2026-11-22T09:00:00.${'1'.repeat(40)}Z`],
    [1_790_000_000_000],
    [null],
    [undefined],
    [['2026-11-22T09:00:00Z']],
  ])('%j is none', (value) => {
    expect(parseInstant(value)).toBeUndefined();
  });

  it('is the one that was written, whatever the zone of this machine', () => {
    const dates = fc.date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(dates, fc.integer({ min: -840, max: 840 }), (date, offset) => {
        const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
        const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60];
        const zone = `${offset < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
        expect(parseInstant(local + zone)).toBe(date.getTime());
      }),
    );
  });

  it('may be written with slashes by Cobot', () => {
    for (const value of ['2026/11/22 09:00:00 +0100', '2026/11/22 09:00:00 +01:00', '2026-11-22T09:00:00+01:00']) {
      expect(parseSlashed(value)).toBe(Date.UTC(2026, 10, 22, 8));
    }
    for (const value of ['2026/11/22 09:00:00', '2026/11/22', '2026/02/30 09:00:00 +0000', null, 5]) {
      expect(parseSlashed(value)).toBeUndefined();
    }
  });
});

describe('the small checks', () => {
  it('take texts, ids and mail addresses as they are meant', () => {
    expect([text('  a\u0000\nb '), text(''), text('  '), text(7), text('abc', 2)]).toEqual([
      'a b',
      undefined,
      undefined,
      undefined,
      'ab',
    ]);
    expect([identifier(7), identifier('x'), identifier(1.5), identifier(''), identifier('x'.repeat(256))]).toEqual([
      '7',
      'x',
      undefined,
      undefined,
      undefined,
    ]);
    expect([mail('mailto:Mia@X.example'), mail('mia'), mail('a b@c'), mail(null)]).toEqual([
      'mia@x.example',
      undefined,
      undefined,
      undefined,
    ]);
    expect([
      typeName(null),
      typeName([]),
      typeName({}),
      typeName(''),
      typeName('x'),
      typeName(1),
      typeName(undefined),
    ]).toEqual(['null', 'a list', 'an object', 'an empty text', 'a text', 'a number', 'nothing']);
  });

  it('never throw', () => {
    const format = bundleFormat('https://ehr.example/fhir');
    const context = { url: new URL('https://ehr.example/fhir/Appointment'), received: 0, before: 0, found: true };
    fc.assert(
      fc.property(fc.anything(), (value) => {
        text(value);
        identifier(value);
        mail(value);
        parseInstant(value);
        parseSlashed(value);
        format.item(value);
        format.page(value, context);
      }),
    );
  });
});
