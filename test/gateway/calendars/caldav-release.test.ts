/** Writing a release back: what is written to the byte, and when nothing is. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cancelIn } from '../../../gateway/calendars/caldav/cancel.ts';
import { fold, readEvents, readLines } from '../../../gateway/calendars/caldav/icsedit.ts';
import type { CaldavSettings } from '../../../gateway/calendars/settings.ts';
import { caldavSource } from '../../../gateway/calendars/sources/caldav.ts';
import type { Origin, ReleaseResult } from '../../../gateway/calendars/types.ts';
import { DavServer, type DavServer as Server } from '../../support/calendars-caldav-server.ts';

const NOW_MS = Date.UTC(2026, 2, 1, 8);
const START_MS = Date.UTC(2026, 2, 10, 9);
const HOUR_MS = 3_600_000;
const origin: Origin = {
  booking: 'b',
  source: 'dav',
  uid: 'müller@x',
  collection: '/cal/room-1/',
  href: '/cal/room-1/a.ics',
  sequence: 0,
  stampMs: 0,
  startMs: START_MS,
  endMs: START_MS + HOUR_MS,
};
const HEAD = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'X-FIRST:1'];
const TIMES = ['DTSTART;TZID=Europe/Berlin:20260310T100000', 'DTEND;TZID=Europe/Berlin:20260310T110000'];
const TAIL = ['END:VEVENT', 'END:VCALENDAR', ''];
const ics = (...lines: readonly string[]) => lines.join('\r\n');
const single = (...more: readonly string[]) =>
  ics(...HEAD, 'BEGIN:VEVENT', 'UID:müller@x', 'DTSTAMP:20260101T000000Z', ...TIMES, ...more, ...TAIL);
const cancel = (text: string, what: Partial<Origin> = {}, zone = 'Europe/Berlin') =>
  cancelIn(Buffer.from(text), { ...origin, ...what }, zone, NOW_MS)?.toString('utf8');

describe('the text of a cancellation', () => {
  it('changes three lines and leaves every other byte as it was', () => {
    const odd = [
      'SEQUENCE:3',
      'SUMMARY:Ä lo',
      ' ng\tone; with : and',
      '\t folds',
      'x-lower;a="b;c:d":v',
      'STATUS:CONFIRMED',
    ];
    const before = single(...odd, 'BEGIN:VALARM', 'ACTION:DISPLAY', 'STATUS:X', 'END:VALARM');
    expect(cancel(before)).toBe(
      before
        .replace('DTSTAMP:20260101T000000Z', 'DTSTAMP:20260301T080000Z')
        .replace('SEQUENCE:3', 'SEQUENCE:4')
        .replace('STATUS:CONFIRMED', 'STATUS:CANCELLED'),
    );
  });

  it('adds the lines that are not there before the alarms, with the line ends of the text', () => {
    const before = single('BEGIN:VALARM', 'ACTION:DISPLAY', 'END:VALARM').replaceAll('\r\n', '\n');
    const after = cancel(before);
    expect(after).toContain('T110000\nSTATUS:CANCELLED\nSEQUENCE:1\nBEGIN:VALARM\n');
    expect(after).not.toContain('\r');
  });

  it('keeps bytes that are no UTF-8', () => {
    const before = Buffer.concat([Buffer.from(single('SUMMARY:x')), Buffer.from([])]);
    before[before.indexOf('SUMMARY:x') + 8] = 0xe9;
    const after = cancelIn(before, origin, 'UTC', NOW_MS);
    expect(after?.includes(Buffer.from([0x3a, 0xe9]))).toBe(true);
  });

  const series = single(
    'RRULE:FREQ=DAILY;COUNT=30',
    'ATTENDEE:mailto:a@x',
    'BEGIN:VALARM',
    'ACTION:DISPLAY',
    'END:VALARM',
  );
  const third = {
    recurrenceId: '20260329T080000Z',
    startMs: Date.UTC(2026, 2, 29, 8),
    endMs: Date.UTC(2026, 2, 29, 9),
  };

  it('adds a cancelled instance to a series, in the wall clock of the series', () => {
    const after = cancel(series, third) ?? '';
    const added = after.slice(series.indexOf('END:VEVENT') + 'END:VEVENT\r\n'.length);
    expect(after.startsWith(series.slice(0, series.indexOf('END:VCALENDAR')))).toBe(true);
    expect(added.split('\r\n')).toEqual([
      'BEGIN:VEVENT',
      'UID:müller@x',
      'ATTENDEE:mailto:a@x',
      'RECURRENCE-ID;TZID=Europe/Berlin:20260329T100000',
      'DTSTART;TZID=Europe/Berlin:20260329T100000',
      'DTEND;TZID=Europe/Berlin:20260329T110000',
      'STATUS:CANCELLED',
      'SEQUENCE:1',
      'DTSTAMP:20260301T080000Z',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ]);
  });

  it('writes dates as dates, instants as instants, floating times in the clock of the site', () => {
    const daily = series.replaceAll(';TZID=Europe/Berlin', '');
    expect(cancel(daily, third)).toContain('RECURRENCE-ID:20260329T100000\r\n');
    expect(cancel(daily.replace('100000', '080000Z').replace('110000', '090000Z'), third)).toContain(
      'RECURRENCE-ID:20260329T080000Z',
    );
    const whole = daily.replace(':20260310T100000', ';VALUE=DATE:20260310').replace(/DTEND.*\r\n/, '');
    expect(cancel(whole, { ...third, recurrenceId: '20260328T230000Z', startMs: Date.UTC(2026, 2, 28, 23) })).toContain(
      'RECURRENCE-ID;VALUE=DATE:20260329\r\nDTSTART;VALUE=DATE:20260329\r\n',
    );
  });

  it('cancels the override where the instance has one', () => {
    const override = ['BEGIN:VEVENT', 'UID:müller@x', 'RECURRENCE-ID:20260329T080000Z', ...TIMES, 'SUMMARY:moved'];
    const after = cancel(
      series.replace('END:VCALENDAR', [...override, 'END:VEVENT', 'END:VCALENDAR'].join('\r\n')),
      third,
    );
    expect(after?.match(/BEGIN:VEVENT/g)).toHaveLength(2);
    expect(after?.indexOf('STATUS:CANCELLED')).toBeGreaterThan(after?.indexOf('SUMMARY:moved') ?? 0);
  });

  it.each([
    ['another event', single().replace('müller', 'x')],
    ['components that are not closed', single().replace('END:VEVENT\r\n', '')],
    ['a single event twice', single().replace('END:VCALENDAR\r\n', '') + single()],
  ])('is not made for %s', (_what, text) => {
    expect(cancel(text)).toBeUndefined();
  });

  it('folds at 75 octets', () => {
    const folded = fold('x'.repeat(200), '\r\n');
    expect(
      folded
        .split('\r\n')
        .slice(0, -1)
        .map((line) => line.length),
    ).toEqual([75, 75, 52]);
    expect(readLines(folded)[0]?.text).toBe('x'.repeat(200));
    expect(readEvents(readLines('BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR'))).toBeUndefined();
  });
});

describe('the write', () => {
  let server: Server;
  beforeAll(async () => {
    server = await new DavServer().listen();
  });
  afterAll(() => server.close());
  beforeEach(() => {
    server.reset();
    server.put('room-1', 'a.ics', single('SEQUENCE:1'));
  });

  const release = async (more: Partial<Origin> = {}): Promise<ReleaseResult | undefined> => {
    const settings: CaldavSettings = {
      id: 'dav',
      kind: 'caldav',
      url: server.url,
      everyMs: 60_000,
      priority: 1,
      rooms: { by: 'calendar', map: {} },
      holder: { by: 'attendee' },
      holdPolls: 3,
      writeReleases: true,
      http: { allowHttp: true, allowPrivate: true, timeoutMs: 5_000, maxBytes: 1_000_000 },
    };
    const source = caldavSource(settings, { now: () => NOW_MS, siteZone: 'Europe/Berlin' });
    return source.release?.({ ...origin, ...more }, undefined, AbortSignal.timeout(20_000));
  };
  const puts = () => server.asked.filter(({ method }) => method === 'PUT');
  const kept = () => server.calendars.get('room-1')?.items.get('a.ics')?.body ?? '';

  it('is bound to the version that was read, and nothing else is ever written', async () => {
    expect(await release()).toEqual({ ok: true });
    expect(puts()).toHaveLength(1);
    expect(puts()[0]?.headers['if-match']).toMatch(/^"\d+"$/);
    expect(server.asked.map(({ method }) => method)).toEqual(['GET', 'PUT']);
    expect(kept()).toContain('STATUS:CANCELLED');
  });

  it('is tried again after a conflict, on what the other one wrote', async () => {
    let conflicts = 0;
    server.meddle = ({ method }) => {
      if (method === 'PUT' && conflicts++ === 0)
        server.put('room-1', 'a.ics', single('SEQUENCE:7', 'SUMMARY:by another'));
      return undefined;
    };
    expect(await release()).toEqual({ ok: true });
    expect(kept()).toContain('SUMMARY:by another');
    expect(kept()).toContain('SEQUENCE:8');
  });

  it('gives up after three conflicts, for now', async () => {
    server.meddle = ({ method }) => (method === 'PUT' ? { status: 412 } : undefined);
    expect(await release()).toMatchObject({ ok: false, again: true });
    expect(puts()).toHaveLength(3);
  });

  it('is left when the event was moved in the conflict', async () => {
    server.meddle = ({ method }) => {
      if (method === 'PUT') server.put('room-1', 'a.ics', single().replaceAll('20260310T1', '20260310T2'));
      return undefined;
    };
    expect(await release()).toMatchObject({ ok: false, again: false });
    expect(kept()).not.toContain('CANCELLED');
  });

  it('is not needed when the event was cancelled or deleted meanwhile', async () => {
    server.put('room-1', 'a.ics', single('STATUS:CANCELLED'));
    expect(await release()).toEqual({ ok: true });
    server.remove('room-1', 'a.ics');
    expect(await release()).toEqual({ ok: true });
    expect(puts()).toHaveLength(0);
  });

  it.each([
    [403, false],
    [405, false],
    [413, false],
    [401, true],
    [423, true],
    [429, true],
    [500, true],
    [503, true],
  ])('answered with %i is worth another try: %s', async (status, again) => {
    server.meddle = ({ method }) => (method === 'PUT' ? { status } : undefined);
    expect(await release()).toMatchObject({ ok: false, again });
    expect(puts()).toHaveLength(1);
  });

  it('is not made where the server names no version', async () => {
    server.meddle = ({ method }, answer) => (method === 'GET' ? { ...answer(), headers: {} } : undefined);
    expect(await release()).toMatchObject({ ok: false, again: false });
    expect(puts()).toHaveLength(0);
  });

  it('is not made when a part of the event cannot be read for certain', async () => {
    server.put('room-1', 'a.ics', single('RRULE:FREQ=NEVER'));
    expect(await release()).toMatchObject({ ok: false, again: false });
    server.put('room-1', 'a.ics', '<html>');
    expect(await release()).toMatchObject({ ok: false, again: false });
    expect(await release({ href: '/elsewhere/a.ics' })).toMatchObject({ ok: false, again: false });
    expect(puts()).toHaveLength(0);
  });
});
