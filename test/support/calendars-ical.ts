/** Calendars for tests: written as lines, read as what they come to. */
import { expandIcs, REQUEST_STEPS } from '../../gateway/calendars/ical/index.ts';
import { Budget } from '../../gateway/calendars/rules/budget.ts';
import type { CalendarObject, Expansion } from '../../gateway/calendars/types.ts';

export interface Asked {
  readonly zone?: string;
  /** Date or instant; the whole year 2026 unless said. */
  readonly from?: string;
  readonly to?: string;
  readonly steps?: number;
}

export function icsObject(body: string, href = 'feed'): CalendarObject {
  return { href, collection: '', etag: '', type: 'ics', body };
}

/** A VCALENDAR of components, each an array of lines without BEGIN and END; the first line may be `BEGIN:…` of another kind. */
export function vcalendar(...events: readonly (readonly string[])[]): string {
  const lines = events.flatMap((event) =>
    event[0]?.startsWith('BEGIN:') ? event : ['BEGIN:VEVENT', ...event, 'END:VEVENT'],
  );
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

/** The lines of one event as a table writes them: blanks at both ends and empty lines fall away; a UID and a length are added where there is none. */
export function event(text: string): string[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const has = (name: string) => lines.some((line) => new RegExp(`^${name}[;:]`).test(line));
  if (!has('UID')) lines.unshift('UID:a');
  if (!has('DTEND') && !has('DURATION') && has('DTSTART') && !/^DTSTART(;VALUE=DATE)?:\d{8}$/m.test(lines.join('\n')))
    lines.push('DURATION:PT1H');
  return lines;
}

export function expandText(
  text: string,
  { zone = 'Europe/Berlin', from = '2026-01-01', to = '2027-01-01', steps = REQUEST_STEPS }: Asked = {},
): Expansion {
  const budget = new Budget(steps);
  return expandIcs(icsObject(text), { siteZone: zone, fromMs: Date.parse(from), toMs: Date.parse(to), budget });
}

export function instant(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace(/:00\.000Z$/, 'Z')
    .replace('.000Z', 'Z');
}

/** `2026-03-29T01:30Z/02:30Z confirmed`, sorted by time; the end's date only where it differs. */
export function told(expansion: Expansion): string[] {
  return [...expansion.occurrences]
    .sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)
    .map(({ startMs, endMs, status }) => {
      const [start, end] = [instant(startMs), instant(endMs)];
      const shown = start.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end;
      return `${start}/${shown}${status === 'confirmed' ? '' : ` ${status}`}`;
    });
}

/** Starts only. */
export function starts(expansion: Expansion): string[] {
  return expansion.occurrences.map(({ startMs }) => instant(startMs)).sort();
}
