/** Reading calendars: speed and memory of the worker, and what the main thread feels of it. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { EXPANDER_LIMITS, Expander } from '../gateway/calendars/expander.ts';
import { fingerprint } from '../gateway/calendars/net/fingerprint.ts';
import type { CalendarObject, ExpandRequest } from '../gateway/calendars/types.ts';
import { count, heading, progress, row, target } from './report.ts';

const DAY_MS = 86_400_000;
const FROM_MS = Date.UTC(2026, 2, 1);
const EVENTS = 20_000;
const SERIES = 500;
const ROUNDS = 5;
const NS_PER_MS = 1e6;
/** What net/fingerprint.ts does in one go. */
const FINGERPRINT_PART_BYTES = 65_536;

export async function benchCalendars(): Promise<void> {
  heading('Calendars');
  const feed = objectOf(feedText());
  await readFeedRounds(feed);
  await unchanged(feed);
  await idleDelay();
  await loopDelay('a large feed is read', [feed], 20);
  await loopDelay('a hostile feed is read', [objectOf(hostileText())], 20);
  await loopDelay('a feed at the size limit is read', [objectOf(largestText())], 20);
}

async function readFeedRounds(feed: CalendarObject): Promise<void> {
  const expander = new Expander();
  const tookMs: number[] = [];
  let occurrences = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    const answer = await expander.expand(requestOf([feed]));
    tookMs.push(performance.now() - began);
    if ('fault' in answer) throw new Error(answer.why);
    occurrences = answer.occurrences.length;
  }
  await expander.close();
  const [first = 0] = tookMs;
  row('occurrences of 60 days', count(occurrences), `${(feed.body.length / 1_048_576).toFixed(1)} MB of text`);
  const name = `${count(EVENTS)} events with ${SERIES} series`;
  target(`${name}, first time`, `${first.toFixed(0)} ms`, '< 2 s', first < 2_000);
  row(`${name}, again`, `${Math.min(...tookMs.slice(1)).toFixed(0)} ms`);
  await memory(feed, name);
}

/** The smallest heap in which the worker still reads the feed: a limit is a better measure than a glance. */
async function memory(feed: CalendarObject, name: string): Promise<void> {
  for (const heapMb of [30, 50, 75, 100, EXPANDER_LIMITS.heapMb]) {
    const expander = new Expander({ limits: { heapMb }, log: () => {} });
    const answer = await expander.expand(requestOf([feed]));
    await expander.close();
    if ('fault' in answer) continue;
    target(`${name}, heap of the worker`, `≤ ${heapMb} MB`, '< 150 MB', heapMb < 150);
    return;
  }
  target(`${name}, heap of the worker`, 'more than it may', '< 150 MB', false);
}

/**
 * A server that knows ETags answers 304 and sends nothing. Of others the bytes come again: they are fingerprinted in
 * parts between which the main thread has its turn, so the longest part is what a badge may wait for.
 */
async function unchanged(feed: CalendarObject): Promise<void> {
  const bytes = Buffer.from(feed.body);
  await fingerprint(bytes);
  const before = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round += 1) await fingerprint(bytes);
  const used = process.cpuUsage(before);
  const cpuMs = (used.user + used.system) / 1_000 / ROUNDS;
  const parts = Math.ceil(bytes.length / FINGERPRINT_PART_BYTES);
  const partMs = cpuMs / parts;
  target('unchanged feed without ETag, each part of its fingerprint', `${partMs.toFixed(2)} ms`, '< 1 ms', partMs < 1);
  row('unchanged feed without ETag, all parts', `${cpuMs.toFixed(1)} ms`, `${parts} parts`);
}

/** The same measure with nothing to do: what the machine's other work adds to each figure below. */
async function idleDelay(): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await pause(2_000);
  delay.disable();
  row('event loop p99 with nothing to do', `${(delay.percentile(99) / NS_PER_MS).toFixed(1)} ms`);
}

async function loopDelay(name: string, objects: readonly CalendarObject[], askedMs: number): Promise<void> {
  const expander = new Expander();
  // The thread's own start is not what is asked.
  await expander.expand(requestOf([]));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  progress(name);
  delay.enable();
  const began = performance.now();
  const answer = await expander.expand(requestOf(objects));
  const tookMs = performance.now() - began;
  await pause(20);
  delay.disable();
  await expander.close();
  const p99 = delay.percentile(99) / NS_PER_MS;
  const outcome =
    'fault' in answer ? answer.fault : `${count(answer.events)} events, ${answer.setAside.length} set aside`;
  row(`${name}: ${outcome}`, `${tookMs.toFixed(0)} ms`, `longest pause ${(delay.max / NS_PER_MS).toFixed(1)} ms`);
  target(`event loop p99 while ${name}`, `${p99.toFixed(1)} ms`, `< ${askedMs} ms`, p99 < askedMs);
}

function requestOf(objects: readonly CalendarObject[]): ExpandRequest {
  return { objects, siteZone: 'Europe/Berlin', fromMs: FROM_MS, toMs: FROM_MS + 60 * DAY_MS };
}

function objectOf(body: string): CalendarObject {
  return { href: 'feed', collection: '', etag: '', type: 'ics', body };
}

function calendar(events: readonly string[]): string {
  return `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${events.join('')}END:VCALENDAR\r\n`;
}

function eventText(uid: string, ...lines: readonly string[]): string {
  return `BEGIN:VEVENT\r\nUID:${uid}\r\nDTSTAMP:20260101T000000Z\r\n${lines.join('\r\n')}\r\nEND:VEVENT\r\n`;
}

const two = (value: number) => String(value).padStart(2, '0');

/** A year of a clinic: times in its zone, attendees, places; every fortieth event a series with an exception. */
function feedText(): string {
  const events = Array.from({ length: EVENTS }, (_, index) => {
    const day = `2026${two(1 + (index % 12))}${two(1 + (index % 28))}`;
    const hour = 8 + (index % 10);
    const series = index % (EVENTS / SERIES) === 0;
    return eventText(
      `${index}@bench`,
      `DTSTART;TZID=Europe/Berlin:${series ? '20250106' : day}T${two(hour)}0000`,
      `DTEND;TZID=Europe/Berlin:${series ? '20250106' : day}T${two(hour)}5000`,
      `SUMMARY:Treatment ${index}`,
      `LOCATION:Room ${index % 20}`,
      'STATUS:CONFIRMED',
      `ORGANIZER;CN=Desk:mailto:desk@clinic.example`,
      `ATTENDEE;CN="Member ${index % 300}";PARTSTAT=ACCEPTED:mailto:m${index % 300}@clinic.example`,
      ...(series ? ['RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR', `EXDATE;TZID=Europe/Berlin:20260309T${two(hour)}0000`] : []),
    );
  });
  return calendar(events);
}

/** What costs most for its size. */
function hostileText(): string {
  const start = 'DTSTART:19000101T000000Z\r\nDURATION:PT1H';
  const rules = [
    'FREQ=SECONDLY',
    'FREQ=SECONDLY;BYMONTHDAY=31;BYMONTH=4',
    'FREQ=DAILY;BYMONTHDAY=31;BYMONTH=4',
    'FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5;BYSETPOS=-1;COUNT=2000000000',
    'FREQ=MINUTELY;BYDAY=MO;COUNT=2000000000',
  ];
  return calendar(
    Array.from({ length: 2_000 }, (_, index) => eventText(`${index}`, start, `RRULE:${rules[index % rules.length]}`)),
  );
}

function largestText(): string {
  const one = (index: number) =>
    eventText(`${index}`, 'DTSTART:20260310T090000Z', 'DTEND:20260310T100000Z', `DESCRIPTION:${'x'.repeat(400)}`);
  const events = Math.floor(EXPANDER_LIMITS.maxChars / one(999_999).length) - 1;
  return calendar(Array.from({ length: events }, (_, index) => one(index)));
}
