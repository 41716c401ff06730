import { afterEach, describe, expect, it } from 'vitest';
import { Expander } from '../../../gateway/calendars/expander.ts';
import type { CalendarObject, ExpandRequest } from '../../../gateway/calendars/types.ts';

const DAY_MS = 86_400_000;
const FROM = Date.UTC(2026, 2, 1);

let expander: Expander | undefined;
afterEach(() => expander?.close());

function ics(...events: readonly string[][]): CalendarObject {
  const lines = events.flatMap((event) => ['BEGIN:VEVENT', ...event, 'END:VEVENT']);
  const body = ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR', ''].join('\r\n');
  return { href: 'feed', collection: '', etag: '', type: 'ics', body };
}

function request(...objects: readonly CalendarObject[]): ExpandRequest {
  return { objects, siteZone: 'Europe/Berlin', fromMs: FROM, toMs: FROM + 60 * DAY_MS };
}

/** Takes some seconds to read. */
function heavy(): CalendarObject {
  const one = (index: number) => [
    `UID:${index}`,
    'DTSTART:20260301T000000Z',
    'DURATION:PT1H',
    `RRULE:FREQ=HOURLY;COUNT=${1_000 + (index % 400)}`,
  ];
  return ics(...Array.from({ length: 2_000 }, (_, index) => one(index)));
}

const NIGHT = ['UID:a', 'DTSTART;TZID=Europe/Berlin:20260328T220000', 'DURATION:PT8H', 'SUMMARY:Night'];
const NIGHT_READ = {
  occurrences: [{ uid: 'a', startMs: Date.UTC(2026, 2, 28, 21), endMs: Date.UTC(2026, 2, 29, 5), status: 'confirmed' }],
  setAside: [],
  events: 1,
};

describe('the expander', () => {
  it('reads a calendar in its worker', async () => {
    expander = new Expander();
    expect(await expander.expand(request(ics(NIGHT)))).toMatchObject(NIGHT_READ);
  });

  it('reads our own bookings and FHIR appointments beside it', async () => {
    expander = new Expander();
    const [startMs, endMs] = [FROM, FROM + 3_600_000];
    const own = {
      uid: 'own',
      startMs,
      endMs,
      status: 'confirmed',
      sequence: 0,
      stampMs: 0,
      summary: '',
      location: '',
      resources: [],
      attendees: [],
      collection: '',
      href: '',
    };
    const json: CalendarObject = {
      href: 'b/1',
      collection: '',
      etag: '',
      type: 'json',
      body: JSON.stringify([own, { ...own, startMs: 'x' }]),
    };
    const appointment = {
      resourceType: 'Appointment',
      id: '1',
      status: 'booked',
      start: '2026-03-02T09:00:00Z',
      end: '2026-03-02T10:00:00Z',
      rooms: [],
      attendees: [],
    };
    const fhir: CalendarObject = {
      href: 'Appointment/1',
      collection: '',
      etag: '',
      type: 'fhir',
      body: JSON.stringify(appointment),
    };
    const answer = await expander.expand(request(json, fhir, ics(NIGHT)));
    expect('occurrences' in answer && answer.occurrences.map(({ href }) => href)).toEqual([
      'b/1',
      'Appointment/1',
      'feed',
    ]);
    expect(answer).toMatchObject({ setAside: [{ href: 'b/1', code: 'malformed' }] });
  });

  it('hands over large bodies and large answers in portions, whole and in order', async () => {
    expander = new Expander();
    const padding = 'x'.repeat(60_000);
    const events = Array.from({ length: 1_300 }, (_, index) => [
      `UID:${index}`,
      'DTSTART:20260301T000000Z',
      'DURATION:PT1H',
      ...(index % 40 === 0 ? [`X-PAD:${padding}ü`] : []),
    ]);
    const bad = Array.from({ length: 1_200 }, (_, index) => [`UID:bad${index}`, 'DTSTART:never', 'DURATION:PT1H']);
    const small = Array.from({ length: 1_100 }, (_, index) => ({ ...ics(NIGHT), href: `small/${index}` }));
    const answer = await expander.expand(request(ics(...events, ...bad), ...small));
    if ('fault' in answer) throw new Error(answer.why);
    expect(answer.occurrences.map(({ uid, href }) => (href === 'feed' ? uid : href))).toEqual([
      ...events.map((_, index) => String(index)),
      ...small.map(({ href }) => href),
    ]);
    expect(answer.setAside).toHaveLength(1_001);
    expect(answer.events).toBe(1_300 + 1_200 + 1_100);
  });

  it('cuts a worker that does not come to its end, while other work goes on, and reads the next with a new one', async () => {
    expander = new Expander({ limits: { requestMs: 400 } });
    let turns = 0;
    let over = false;
    const turn = () => {
      turns += 1;
      if (!over) setImmediate(turn);
    };
    turn();
    const answer = await expander.expand(request(...Array.from({ length: 5 }, heavy)));
    over = true;
    expect(answer).toMatchObject({ fault: 'too_costly', why: expect.stringMatching(/\.$/) });
    // The main thread had its turns: decisions are made between them.
    expect(turns).toBeGreaterThan(100);
    await expander.close();
    expander = new Expander();
    expect(await expander.expand(request(ics(NIGHT)))).toMatchObject(NIGHT_READ);
  });

  it('ends a worker that wants too much memory, and the gateway lives', async () => {
    expander = new Expander({ limits: { heapMb: 12 } });
    const events = Array.from({ length: 30_000 }, (_, index) => [
      `UID:${index}`,
      'DTSTART:20260301T000000Z',
      'DURATION:PT1H',
      `SUMMARY:${index}`,
    ]);
    expect(await expander.expand(request(ics(...events)))).toMatchObject({ fault: 'too_costly' });
    expect(await expander.expand(request(ics(NIGHT)))).toMatchObject(NIGHT_READ);
  });

  it('a request that is too costly as a whole spoils no other', async () => {
    expander = new Expander();
    const body = `BEGIN:VCALENDAR\n${'BEGIN:VEVENT\nEND:VEVENT\n'.repeat(200_001)}END:VCALENDAR`;
    expect(await expander.expand(request({ ...ics(), body }))).toMatchObject({ fault: 'too_costly' });
    expect(await expander.expand(request(ics(NIGHT)))).toMatchObject(NIGHT_READ);
  });

  it('serves one request after the other', async () => {
    expander = new Expander();
    const answers = await Promise.all(Array.from({ length: 5 }, () => expander?.expand(request(ics(NIGHT)))));
    for (const answer of answers) expect(answer).toMatchObject(NIGHT_READ);
  });

  it('refuses what is too large, and more than may wait', async () => {
    expander = new Expander({ limits: { maxChars: 1_000, queued: 2 } });
    expect(await expander.expand(request({ ...ics(NIGHT), body: 'x'.repeat(1_001) }))).toMatchObject({
      fault: 'too_large',
    });
    const first = [1, 2, 3].map(() => expander?.expand(request(ics(NIGHT))));
    expect(await expander.expand(request(ics(NIGHT)))).toMatchObject({ fault: 'busy' });
    for (const answer of await Promise.all(first)) expect(answer).toMatchObject(NIGHT_READ);
  });

  it('is aborted: waiting, running and before it began', async () => {
    expander = new Expander();
    const abort = new AbortController();
    const running = expander.expand(request(heavy()), abort.signal);
    const waiting = expander.expand(request(ics(NIGHT)), abort.signal);
    const other = expander.expand(request(ics(NIGHT)));
    abort.abort(new Error('no more'));
    expect(await Promise.allSettled([running, waiting])).toMatchObject([
      { status: 'rejected', reason: { message: 'no more' } },
      { status: 'rejected', reason: { message: 'no more' } },
    ]);
    await expect(expander.expand(request(ics(NIGHT)), abort.signal)).rejects.toThrow('no more');
    expect(await other).toMatchObject(NIGHT_READ);
  });

  it('closes in the midst of work, and takes none after it', async () => {
    expander = new Expander();
    const running = expander.expand(request(heavy()));
    const waiting = expander.expand(request(ics(NIGHT)));
    await expander.close();
    expect(await running).toMatchObject({ fault: 'busy' });
    expect(await waiting).toMatchObject({ fault: 'busy' });
    expect(await expander.expand(request(ics(NIGHT)))).toMatchObject({ fault: 'busy' });
    await expander.close();
  });

  it('ends its worker when it is idle, and begins anew', async () => {
    expander = new Expander({ limits: { idleMs: 1 } });
    for (let time = 0; time < 3; time += 1)
      expect(await expander.expand(request(ics(NIGHT)))).toMatchObject(NIGHT_READ);
  });

  it('fails for a site zone that is none', async () => {
    expander = new Expander();
    await expect(expander.expand({ ...request(ics(NIGHT)), siteZone: 'Mars/Base' })).rejects.toThrow(RangeError);
    expect(await expander.expand(request(ics(NIGHT)))).toMatchObject(NIGHT_READ);
  });
});
