/** `doorward calendar explain` as a person and a script have it. */
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { event, vcalendar } from '../../support/calendars-ical.ts';
import { begin, doorward } from '../cliSupport.ts';

const CALENDAR = vcalendar(
  event('UID:one\nSUMMARY:Massage\nDTSTART:20260701T090000'),
  event('UID:two\nSUMMARY:Maybe\nDTSTART;TZID=Europe/London:20260702T090000\nSTATUS:TENTATIVE'),
  event('UID:three\nDTSTART:20260703T090000Z\nRRULE:FREQ=DAILY;COUNT=2'),
  event('UID:three\nRECURRENCE-ID:20260704T090000Z\nDTSTART:20260704T090000Z\nSTATUS:CANCELLED'),
  event('UID:bad\u001b[2J\nSUMMARY:Nowhere\nDTSTART;TZID=Mars/Base:20260703T090000'),
);
const WINDOW = ['--from', '2026-07-01', '--to', '2026-07-08T00:00:00Z'];

let folder = '';
let file = '';
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doorward-explain-'));
  file = path.join(folder, 'room.ics');
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

let server: http.Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
});

async function serve(answer: () => { status: number; type: string; body: string }): Promise<string> {
  server = http.createServer((_, response) => {
    const { status, type, body } = answer();
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/room.ics?token=secret-token`;
}

describe('calendar explain', () => {
  it('answers scripts in one document', async () => {
    fs.writeFileSync(file, CALENDAR);
    const { code, out } = await doorward([
      'calendar',
      'explain',
      file,
      '--room',
      'r1',
      ...WINDOW,
      '--zone',
      'Europe/Berlin',
      '--json',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      room: 'r1',
      zone: 'Europe/Berlin',
      from: '2026-06-30T22:00:00.000Z',
      to: '2026-07-08T00:00:00.000Z',
      granted: [
        {
          start: '2026-07-01T07:00:00.000Z',
          end: '2026-07-01T08:00:00.000Z',
          uid: 'one',
          recurrenceId: null,
          summary: 'Massage',
          status: 'confirmed',
        },
        {
          start: '2026-07-03T09:00:00.000Z',
          end: '2026-07-03T10:00:00.000Z',
          uid: 'three',
          recurrenceId: '20260703T090000Z',
          summary: '',
          status: 'confirmed',
        },
      ],
      denied: [
        {
          start: '2026-07-02T08:00:00.000Z',
          end: '2026-07-02T09:00:00.000Z',
          uid: 'two',
          recurrenceId: null,
          summary: 'Maybe',
          status: 'tentative',
          why: expect.stringContaining('tentative'),
        },
        {
          start: '2026-07-04T09:00:00.000Z',
          end: '2026-07-04T10:00:00.000Z',
          uid: 'three',
          recurrenceId: '20260704T090000Z',
          summary: '',
          status: 'cancelled',
          why: 'cancelled',
        },
      ],
      setAside: [
        {
          uid: 'bad [2J',
          line: 30,
          code: 'unknown_zone',
          why: expect.stringContaining('Mars/Base'),
          summary: 'Nowhere',
        },
      ],
      events: 4,
      elsewhere: 0,
    });
  });

  it('tells people, in the building’s time and in UTC, and steers no terminal', async () => {
    fs.writeFileSync(file, CALENDAR);
    const { code, out, err } = await doorward([
      'calendar',
      'explain',
      file,
      '--room',
      'r1',
      ...WINDOW,
      '--zone',
      'Europe/Berlin',
    ]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /granted +2026-07-01 09:00 +2026-07-01 10:00 +2026-07-01T07:00:00Z\/2026-07-01T08:00:00Z +confirmed +one/,
    );
    expect(out).toMatch(/denied .*tentative, or shown as free/);
    expect(out).toContain('line 30: bad [2J “Nowhere”');
    expect(out).toContain('2 granted, 2 denied, 1 set aside, of 4 events.');
    expect(out).not.toContain('\u001b');
  });

  it('reads standard input, and says plainly that UTC is taken where no zone is named', async () => {
    const session = await doorward(['calendar', 'explain', '-', '--room', 'r1', ...WINDOW, '--json'], {}, CALENDAR);
    expect(session.code).toBe(0);
    expect(session.err).toContain('UTC');
    expect(JSON.parse(session.out)).toMatchObject({
      zone: 'UTC',
      granted: [{ start: '2026-07-01T09:00:00.000Z' }, {}],
    });
  });

  it('fetches an address, when it may', async () => {
    const url = await serve(() => ({ status: 200, type: 'text/calendar', body: CALENDAR }));
    const args = ['calendar', 'explain', url, '--room', 'r1', ...WINDOW, '--zone', 'UTC'];
    const refused = await doorward(args);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('refused_address');
    const allowed = await doorward([...args, '--allow-http', '--allow-private']);
    expect(allowed.out).toContain('2 granted');
    expect(refused.err + allowed.err + allowed.out).not.toContain('secret-token');
  });

  it.each([
    ['a log-in page', 200, 'text/html', '<html><input type=password></html>', 'wrong_type'],
    ['half a calendar', 200, 'text/calendar', CALENDAR.slice(0, 200), 'truncated'],
    ['no right to it', 403, 'text/plain', 'no', 'unauthorised'],
  ])('is refused by %s: exit 1', async (_, status, type, body, code) => {
    const url = await serve(() => ({ status, type, body }));
    const args = [
      'calendar',
      'explain',
      url,
      '--room',
      'r1',
      '--zone',
      'UTC',
      '--allow-http',
      '--allow-private',
      '--json',
    ];
    const session = await doorward(args);
    expect(session.code).toBe(1);
    expect(JSON.parse(session.out)).toMatchObject({ ok: false, code });
  });

  it.each([
    ['no room', [file, '--zone', 'UTC']],
    ['no calendar', ['--room', 'r1']],
    ['no such zone', ['x.ics', '--room', 'r1', '--zone', 'Mars/Base']],
    [
      'an end before the start',
      ['x.ics', '--room', 'r1', '--zone', 'UTC', '--from', '2026-07-02', '--to', '2026-07-01'],
    ],
    ['a time without offset', ['x.ics', '--room', 'r1', '--from', '2026-07-02T09:00']],
    ['a source without configuration', ['--room', 'r1', '--source', 's']],
  ])('%s: exit 2', async (_, args) => {
    expect((await doorward(['calendar', 'explain', ...args])).code).toBe(2);
  });

  it('a file that is not there: exit 1', async () => {
    expect(
      (await doorward(['calendar', 'explain', path.join(folder, 'none.ics'), '--room', 'r1', '--zone', 'UTC'])).code,
    ).toBe(1);
  });

  it('watches a file: progress, and again when it changes, until Ctrl-C', async () => {
    fs.writeFileSync(file, CALENDAR);
    const session = begin(['calendar', 'explain', file, '--room', 'r1', ...WINDOW, '--zone', 'UTC', '--watch']);
    await vi.waitFor(() => expect(session.out()).toContain('2 granted'), { timeout: 15_000 });
    expect(session.err()).toMatch(/… .*bytes in .* s; reading/);
    expect(session.err()).toMatch(/4 events, 1 set aside/);
    fs.writeFileSync(file, '<html>');
    await vi.waitFor(() => expect(session.err()).toContain('wrong_type'), { timeout: 15_000 });
    fs.writeFileSync(file, vcalendar(event('UID:one\nDTSTART:20260701T090000')));
    await vi.waitFor(() => expect(session.out()).toContain('1 granted, 0 denied'), { timeout: 15_000 });
    session.end();
    expect(await session.code).toBe(0);
  });
});
