/** The CalDAV source against a real server: Radicale. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CaldavSettings } from '../../gateway/calendars/settings.ts';
import { caldavSource } from '../../gateway/calendars/sources/caldav.ts';
import type { CalendarObject, CalendarSource, Origin, Polled } from '../../gateway/calendars/types.ts';
import { type Radicale, startRadicale } from '../support/radicale.ts';

const NOW_MS = Date.UTC(2026, 2, 1, 8);
let server: Radicale;
let source: CalendarSource;

beforeAll(async () => {
  server = await startRadicale();
});
afterAll(() => server.stop());
beforeEach(async () => {
  for (const name of ['room-1', 'room-2', 'room-3', 'tasks'])
    await rm(server.folder(name), { recursive: true, force: true });
  await server.makeCalendar('room-1', 'Behandlung 1 & Küche');
  await server.makeCalendar('room-2', '101');
  source = caldavSource(settings());
});

function settings(url = server.url, password = server.user.password): CaldavSettings {
  return {
    id: 'dav',
    kind: 'caldav',
    url,
    everyMs: 60_000,
    priority: 1,
    rooms: { by: 'calendar', map: {} },
    holder: { by: 'attendee' },
    holdPolls: 3,
    writeReleases: true,
    http: {
      username: server.user.name,
      password,
      allowHttp: true,
      allowPrivate: true,
      timeoutMs: 10_000,
      maxBytes: 10_000_000,
    },
  };
}

function event(uid: string, more: readonly string[] = [], summary = 'Berger'): string {
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Clinic//Test//EN',
    'BEGIN:VEVENT',
    `UID:${uid}`,
    'DTSTAMP:20260201T090000Z',
    'DTSTART;TZID=Europe/Berlin:20260310T100000',
    'DTEND;TZID=Europe/Berlin:20260310T110000',
    `SUMMARY:${summary}`,
    'ATTENDEE;CN="Berger, Anna":mailto:anna@clinic.example',
    ...more,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');
}

async function put(path: string, text: string): Promise<void> {
  const answer = await server.ask('PUT', path, text, { 'content-type': 'text/calendar' });
  expect(answer.status, await answer.text()).toBeLessThan(300);
}

const look = (cursor?: string, from = source): Promise<Polled> => from.poll(cursor, AbortSignal.timeout(60_000));

/** What a host holds after an answer, by href. */
function held(answer: Polled, before: ReadonlyMap<string, CalendarObject> = new Map()): Map<string, CalendarObject> {
  if (answer.kind === 'snapshot') return new Map(answer.objects.map((object) => [object.href, object]));
  if (answer.kind !== 'delta') throw new Error(`no news: ${JSON.stringify(answer)}`);
  const after = new Map(before);
  for (const href of answer.removed) after.delete(href);
  for (const object of answer.changed) after.set(object.href, object);
  return after;
}
function cursorOf(answer: Polled): string {
  if (answer.kind !== 'snapshot' && answer.kind !== 'delta') throw new Error(JSON.stringify(answer));
  return answer.cursor;
}
/** Looks until the server has nothing new to say. */
async function settle(cursor?: string): Promise<string> {
  let at = cursor ?? cursorOf(await look());
  for (let round = 0; round < 5; round++) {
    const answer = await look(at);
    if (answer.kind === 'unchanged') return at;
    at = cursorOf(answer);
  }
  throw new Error('it never settles');
}

describe('where the calendars are', () => {
  it.each([
    ['the server', ''],
    ['the principal, which is the home too', 'clinic/'],
    ['the home without its slash', 'clinic'],
    ['one calendar', 'clinic/room-1/'],
    ['one calendar without its slash', 'clinic/room-1'],
  ])('is found from %s', async (_what, path) => {
    await put('room-1/a.ics', event('a'));
    await put('room-2/b.ics', event('b'));
    const single = path.includes('room-1');
    const from = caldavSource(settings(`${server.url}${path}`));
    const answer = await look(undefined, from);
    expect(answer.kind).toBe('snapshot');
    expect([...held(answer).keys()].sort()).toEqual(
      single ? ['/clinic/room-1/a.ics'] : ['/clinic/room-1/a.ics', '/clinic/room-2/b.ics'],
    );
    expect(from.labels?.(cursorOf(answer))).toEqual({
      '/clinic/room-1/': ['Behandlung 1 & Küche', '/clinic/room-1'],
      ...(single ? {} : { '/clinic/room-2/': ['101', '/clinic/room-2'] }),
    });
  });

  it('takes user and password from the address, too', async () => {
    const { http, ...rest } = settings(server.url.replace('//', '//clinic:open%20sesame@'));
    const answer = await look(
      undefined,
      caldavSource({ ...rest, http: { ...http, username: undefined, password: undefined } }),
    );
    expect(answer.kind).toBe('snapshot');
  });

  it('is refused with a wrong password, without saying it', async () => {
    const answer = await look(undefined, caldavSource(settings(server.url, 'wrong secret')));
    expect(answer).toMatchObject({ kind: 'failed', code: 'unauthorised' });
    expect(JSON.stringify(answer)).not.toContain('wrong secret');
  });

  it('is not found where there is none, and never the rest of the account instead', async () => {
    const from = caldavSource(settings(`${server.url}clinic/room-9/`));
    expect(await look(undefined, from)).toMatchObject({ kind: 'failed', code: 'not_found' });
  });

  it('is not the rest of the account when the one calendar is deleted', async () => {
    await put('room-1/a.ics', event('a'));
    const from = caldavSource(settings(`${server.url}clinic/room-1/`));
    const first = await look(undefined, from);
    expect((await server.ask('DELETE', 'room-1/')).status).toBe(200);
    expect(await look(cursorOf(first), from)).toMatchObject({ kind: 'failed', code: 'not_found' });
  });

  it('is unreachable when the server is not there', async () => {
    const answer = await look(undefined, caldavSource(settings('http://127.0.0.1:9/')));
    expect(answer).toMatchObject({ kind: 'failed', code: 'unreachable' });
  });
});

describe('following a calendar', () => {
  it('says unchanged when nothing changed', async () => {
    await put('room-1/a.ics', event('a'));
    const cursor = await settle();
    expect(await look(cursor)).toEqual({ kind: 'unchanged' });
    // Another process with the same cursor sees the same.
    expect(await look(cursor, caldavSource(settings()))).toEqual({ kind: 'unchanged' });
  });

  it('brings what was added, changed and deleted, whatever it is called', async () => {
    await put('room-1/a.ics', event('a'));
    await put('room-1/b.ics', event('b'));
    const first = await look();
    await put('room-1/no-suffix', event('c'));
    await put('room-1/Müller%20%40%20home.ics', event('d'));
    await put('room-1/a.ics', event('a', [], 'Moved'));
    expect((await server.ask('DELETE', 'room-1/b.ics')).status).toBe(200);
    const second = await look(cursorOf(first));
    expect(second.kind).toBe('delta');
    const after = held(second, held(first));
    expect([...after.keys()].sort()).toEqual([
      '/clinic/room-1/M%C3%BCller%20%40%20home.ics',
      '/clinic/room-1/a.ics',
      '/clinic/room-1/no-suffix',
    ]);
    expect(after.get('/clinic/room-1/a.ics')?.body).toContain('SUMMARY:Moved');
    expect(after.get('/clinic/room-1/a.ics')?.collection).toBe('/clinic/room-1/');
    expect(await look(await settle(cursorOf(second)))).toEqual({ kind: 'unchanged' });
  });

  it('follows a resource to another calendar', async () => {
    await put('room-1/a.ics', event('a'));
    const first = await look();
    const moved = await server.ask('MOVE', 'room-1/a.ics', undefined, {
      destination: `${server.url}clinic/room-2/a.ics`,
    });
    expect(moved.status).toBe(201);
    const second = await look(cursorOf(first));
    expect(second).toMatchObject({ kind: 'delta', removed: ['/clinic/room-1/a.ics'] });
    expect([...held(second, held(first)).keys()]).toEqual(['/clinic/room-2/a.ics']);
  });

  it('sees calendars come and go', async () => {
    await put('room-1/a.ics', event('a'));
    await put('room-2/b.ics', event('b'));
    const first = await look();
    await server.makeCalendar('room-3', 'New');
    await put('room-3/c.ics', event('c'));
    expect((await server.ask('DELETE', 'room-1/')).status).toBe(200);
    const second = await look(cursorOf(first));
    expect(second).toMatchObject({ kind: 'delta', removed: ['/clinic/room-1/a.ics'] });
    expect([...held(second, held(first)).keys()].sort()).toEqual(['/clinic/room-2/b.ics', '/clinic/room-3/c.ics']);
    expect(Object.keys(source.labels?.(cursorOf(second)) ?? {}).sort()).toEqual(['/clinic/room-2/', '/clinic/room-3/']);
  });

  it('leaves calendars of tasks alone', async () => {
    const tasks = await server.ask(
      'MKCALENDAR',
      'tasks/',
      '<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop><D:displayname>To do</D:displayname><C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>',
    );
    expect(tasks.status).toBe(201);
    expect(Object.keys(source.labels?.(cursorOf(await look())) ?? {})).not.toContain('/clinic/tasks/');
  });

  it('begins a calendar anew when the server has lost its tokens, and misses nothing', async () => {
    for (const name of ['a', 'b', 'c']) await put(`room-1/${name}.ics`, event(name));
    const first = await look();
    await server.ask('DELETE', 'room-1/b.ics');
    await put('room-1/c.ics', event('c', [], 'Changed'));
    await rm(join(server.folder('room-1'), '.Radicale.cache'), { recursive: true, force: true });
    const second = await look(cursorOf(first));
    expect(second).toMatchObject({ kind: 'delta', removed: ['/clinic/room-1/b.ics'] });
    // What has the same ETag is not fetched again.
    expect(second.kind === 'delta' && second.changed.map(({ href }) => href)).toEqual(['/clinic/room-1/c.ics']);
  });

  it('brings many resources in batches', async () => {
    const resources = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`e${at}.ics`, event(`e${at}`)]));
    await server.plant([{ collection: 'room-3', displayName: 'Full', resources }]);
    expect(held(await look()).size).toBe(60);
  });
});

describe('releasing a booking', () => {
  const START_MS = Date.UTC(2026, 2, 10, 9);
  const origin = (more: Partial<Origin> = {}): Origin => ({
    booking: 'b',
    source: 'dav',
    uid: 'a',
    collection: '/clinic/room-1/',
    href: '/clinic/room-1/a.ics',
    sequence: 0,
    stampMs: 0,
    startMs: START_MS,
    endMs: START_MS + 3_600_000,
    ...more,
  });
  const release = (what: Origin, from = caldavSource(settings(), { now: () => NOW_MS })) =>
    from.release?.(what, undefined, AbortSignal.timeout(60_000));
  const read = async () => (await server.ask('GET', 'room-1/a.ics')).text();

  it('cancels a single event', async () => {
    await put('room-1/a.ics', event('a', ['SEQUENCE:4', 'X-OURS;X-P="a:b;c":kept']));
    expect(await release(origin())).toEqual({ ok: true });
    const text = await read();
    expect(text).toContain('STATUS:CANCELLED');
    expect(text).toContain('SEQUENCE:5');
    expect(text).toContain('DTSTAMP:20260301T080000Z');
    expect(text).toContain('kept');
    expect(await release(origin()), 'once more').toEqual({ ok: true });
  });

  it('cancels one instance of a series and no other', async () => {
    await put('room-1/a.ics', event('a', ['RRULE:FREQ=WEEKLY;COUNT=5']));
    // 31 March is after the clock change: 10:00 in Berlin is 08:00 in UTC.
    const startMs = Date.UTC(2026, 2, 31, 8);
    const one = origin({ recurrenceId: '20260331T080000Z', startMs, endMs: startMs + 3_600_000 });
    expect(await release(one)).toEqual({ ok: true });
    const text = await read();
    expect(text).toContain('RECURRENCE-ID;TZID=Europe/Berlin:20260331T100000');
    expect(text.match(/BEGIN:VEVENT/g)).toHaveLength(2);
    expect(text.match(/STATUS:CANCELLED/g)).toHaveLength(1);
    expect(text.match(/RRULE:FREQ=WEEKLY/g)).toHaveLength(1);
    expect(await release(one), 'once more').toEqual({ ok: true });
  });

  it('leaves an event alone that was moved meanwhile', async () => {
    await put('room-1/a.ics', event('a').replaceAll('20260310T1', '20260311T1'));
    expect(await release(origin())).toMatchObject({ ok: false, again: false });
    expect(await read()).not.toContain('CANCELLED');
  });

  it('has nothing to do where the event is gone', async () => {
    expect(await release(origin())).toEqual({ ok: true });
  });

  it('says that the password is wrong, and that it is worth another try', async () => {
    await put('room-1/a.ics', event('a'));
    const wrong = caldavSource(settings(server.url, 'wrong'));
    expect(await release(origin(), wrong)).toMatchObject({ ok: false, again: true });
  });

  it('is not offered unless it is configured', () => {
    expect(caldavSource({ ...settings(), writeReleases: false }).release).toBeUndefined();
  });
});
