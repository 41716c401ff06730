/** How long a look takes at 1,000 calendars where nothing changed, against a real server (Radicale). */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { CaldavSettings } from '../gateway/calendars/settings.ts';
import { caldavSource } from '../gateway/calendars/sources/caldav.ts';
import type { CalendarSource, Polled } from '../gateway/calendars/types.ts';
import { type Radicale, startRadicale } from '../test/support/radicale.ts';
import { count, heading, progress, row, target } from './report.ts';

const ROOMS = 1_000;
const EVENTS_PER_ROOM = 3;
const ASKED_MS = 10_000;
const PATIENCE_MS = 600_000;
const HOUR_MS = 3_600_000;

export async function benchCaldav(): Promise<void> {
  heading(`CalDAV: ${count(ROOMS)} rooms' calendars with ${EVENTS_PER_ROOM} events each on one Radicale`);
  const server = await startRadicale();
  try {
    progress('writing the calendars');
    await server.plant(Array.from({ length: ROOMS }, (_, room) => calendar(room)));
    await oneHome(server);
    await separately(server);
  } finally {
    await server.stop();
  }
}

async function oneHome(server: Radicale): Promise<void> {
  let nowMs = Date.now();
  const source = caldavSource(settings(server, server.url), { now: () => nowMs });
  progress('reading all of them for the first time');
  const first = await look(source);
  let cursor = cursorOf(first.answer);
  row('one home: first look, all events', `${(first.ms / 1000).toFixed(1)} s`);
  // Its second look asks the cheaper question, the third is that of every day.
  const second = await look(source, cursor);
  cursor = cursorOf(second.answer, cursor);
  row('one home: second look', `${Math.round(second.ms)} ms`);
  const third = await look(source, cursor);
  cursor = cursorOf(third.answer, cursor);
  const quiet = await look(source, cursor);
  said(quiet.answer, 'unchanged');
  target('one home: a look with nothing changed', `${Math.round(quiet.ms)} ms`, '< 10 s', quiet.ms < ASKED_MS);
  row('  event loop, longest delay in it', `${quiet.delayMs.toFixed(1)} ms`);

  const changed = await server.ask('PUT', 'room-500/new.ics', event('new'), { 'content-type': 'text/calendar' });
  if (!changed.ok) throw new Error(`PUT answered ${changed.status}`);
  const one = await look(source, cursor);
  cursor = cursorOf(one.answer, cursor);
  row('one home: a look with one event new', `${Math.round(one.ms)} ms`);

  nowMs += HOUR_MS;
  const hourly = await look(source, cursor);
  const what = 'one home: the hourly look, each calendar asked';
  target(what, `${(hourly.ms / 1000).toFixed(1)} s`, '< 10 s', hourly.ms < ASKED_MS);
  row('  event loop, longest delay in it', `${hourly.delayMs.toFixed(1)} ms`);
}

/** Each room with a source and a connection of its own, looked at four at a time, as a host would. */
async function separately(server: Radicale): Promise<void> {
  const sources = Array.from({ length: ROOMS }, (_, room) =>
    caldavSource({ ...settings(server, `${server.url}clinic/room-${room}/`), id: `room-${room}`, connections: 1 }),
  );
  const cursors = new Map<string, string>();
  const lookAtAll = async (): Promise<number> => {
    const fromMs = performance.now();
    const queue = sources[Symbol.iterator]();
    const work = async (): Promise<void> => {
      for (const source of queue) {
        const { answer } = await look(source, cursors.get(source.id));
        cursors.set(source.id, cursorOf(answer, cursors.get(source.id)));
      }
    };
    await Promise.all(Array.from({ length: 4 }, work));
    return performance.now() - fromMs;
  };
  progress('the same as 1,000 sources');
  const first = await lookAtAll();
  row('one source a room: first looks', `${(first / 1000).toFixed(1)} s`);
  await lookAtAll();
  await lookAtAll();
  const quiet = await lookAtAll();
  const what = 'one source a room: all looks with nothing changed';
  target(what, `${(quiet / 1000).toFixed(1)} s`, '< 10 s', quiet < ASKED_MS);
}

async function look(source: CalendarSource, cursor?: string): Promise<{ answer: Polled; ms: number; delayMs: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const fromMs = performance.now();
  const answer = await source.poll(cursor, AbortSignal.timeout(PATIENCE_MS));
  const ms = performance.now() - fromMs;
  delay.disable();
  if (answer.kind === 'failed') throw new Error(answer.why);
  if (answer.kind !== 'unchanged' && answer.partial !== undefined) throw new Error(answer.partial.why);
  return { answer, ms, delayMs: delay.max / 1e6 };
}

function cursorOf(answer: Polled, before = ''): string {
  return answer.kind === 'snapshot' || answer.kind === 'delta' ? answer.cursor : before;
}

function said(answer: Polled, kind: Polled['kind']): void {
  if (answer.kind !== kind) throw new Error(`The look said ${answer.kind}, not ${kind}.`);
}

function calendar(room: number) {
  const names = Array.from({ length: EVENTS_PER_ROOM }, (_, at) => `r${room}-e${at}`);
  return {
    collection: `room-${room}`,
    displayName: `Room ${room}`,
    resources: Object.fromEntries(names.map((name) => [`${name}.ics`, event(name)])),
  };
}

function event(uid: string): string {
  return `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Doorward//Bench//EN\r\nBEGIN:VEVENT\r\nUID:${uid}\r\nDTSTAMP:20260201T090000Z\r\nDTSTART:20260310T100000Z\r\nDTEND:20260310T110000Z\r\nSUMMARY:Treatment\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
}

function settings(server: Radicale, url: string): CaldavSettings {
  return {
    id: 'dav',
    kind: 'caldav',
    url,
    everyMs: 60_000,
    priority: 1,
    rooms: { by: 'calendar', map: {} },
    holder: { by: 'attendee' },
    holdPolls: 3,
    writeReleases: false,
    http: {
      username: server.user.name,
      password: server.user.password,
      allowHttp: true,
      allowPrivate: true,
      timeoutMs: 60_000,
      maxBytes: 50_000_000,
    },
  };
}
