/** The outer look at what a feed answered. */
import { describe, expect, it } from 'vitest';
import { checkIcs } from '../../../gateway/calendars/check.ts';
import { event, expandText, vcalendar } from '../../support/calendars-ical.ts';

const GOOD = vcalendar(event('DTSTART:20260701T090000Z\nSUMMARY:Müller'));

describe('a calendar', () => {
  it.each<[string, string | Buffer, string?]>([
    ['as it should be', GOOD],
    ['in bytes', Buffer.from(GOOD)],
    ['with a byte order mark', Buffer.from(`\ufeff${GOOD}`)],
    ['with blank lines around', `\r\n\r\n${GOOD}\r\n\r\n \r\n`],
    ['without a last line end', GOOD.trimEnd()],
    ['in lower case', GOOD.replace('BEGIN:VCALENDAR', 'begin:vcalendar').replace('END:VCALENDAR', 'end:vcalendar')],
    ['that is called something else', GOOD, 'text/plain'],
    ['in a Latin charset that is declared', Buffer.from(GOOD, 'latin1'), 'text/calendar; charset=ISO-8859-1'],
    ['without events', vcalendar()],
  ])('%s is taken', (_, body, type) => expect(checkIcs(body, type)).toMatchObject({ ok: true }));

  it('is decoded', () => {
    const latin = checkIcs(Buffer.from(GOOD, 'latin1'), 'text/calendar; charset="iso-8859-1"');
    expect(latin.ok && latin.text).toBe(GOOD);
  });

  it('with a line that is not in UTF-8 loses nothing: that line is read as Latin, the others as they are', () => {
    const lines = [
      event('UID:a\nDTSTART:20260701T090000Z\nSUMMARY:Müller'),
      event('UID:b\nDTSTART:20260701T090000Z\nSUMMARY:Jürgen – 10 €'),
    ];
    const bytes = Buffer.from(vcalendar(...lines));
    const at = bytes.indexOf('ü');
    const mixed = Buffer.concat([bytes.subarray(0, at), Buffer.from([0xfc]), bytes.subarray(at + 2)]);
    const checked = checkIcs(mixed, 'text/calendar; charset=utf-8');
    const read = checked.ok ? expandText(checked.text).occurrences.map(({ summary }) => summary) : [];
    expect(read.toSorted()).toEqual(['Jürgen – 10 €', 'Müller']);
  });

  it('that is folded in the midst of a character is put together', () => {
    const bytes = Buffer.from(GOOD);
    const at = bytes.indexOf('ü') + 1;
    const folded = Buffer.concat([bytes.subarray(0, at), Buffer.from('\r\n '), bytes.subarray(at)]);
    const checked = checkIcs(folded);
    expect(checked.ok && expandText(checked.text).occurrences[0]?.summary).toBe('Müller');
  });
});

describe('anything else', () => {
  const page = '<!DOCTYPE html><html><form><input type="password"></form></html>';
  it.each<[string, string | Buffer, string, string?]>([
    ['nothing', '', 'empty'],
    ['blanks', ' \r\n', 'empty'],
    ['a page', '<html><body>Sorry</body></html>', 'wrong_type', 'text/html'],
    ['a page that claims to be a calendar', page, 'wrong_type', 'text/calendar'],
    ['XML', '<?xml version="1.0"?><error/>', 'wrong_type'],
    ['JSON', '{"error":"gone"}', 'wrong_type', 'application/json'],
    ['an image', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0xff, 0xfe]), 'wrong_type'],
    ['plain words', 'Too many requests', 'malformed'],
    ['one event without its calendar', 'BEGIN:VEVENT\r\nEND:VEVENT', 'malformed'],
    ['half a calendar', GOOD.slice(0, GOOD.length / 2), 'truncated'],
    ['all but the last line', GOOD.slice(0, GOOD.lastIndexOf('END:VCALENDAR')), 'truncated'],
    ['all but the last letter', GOOD.trimEnd().slice(0, -1), 'truncated'],
    ['the first letters', 'BEGIN:VCAL', 'truncated'],
    ['binary zeros', GOOD.replace('Müller', 'M\0ller'), 'malformed'],
    ['words behind the end', `${GOOD}<!-- page made in 0.1 s -->`, 'truncated'],
  ])('%s is refused', (_, body, code, type) => {
    const checked = checkIcs(body, type);
    expect(checked).toMatchObject({ ok: false, code });
    if (!checked.ok) expect(checked.why).toMatch(/\.$/);
  });

  it('tells a log-in page from another', () => {
    expect(checkIcs(page)).toMatchObject({ why: expect.stringContaining('log-in') });
  });
});
