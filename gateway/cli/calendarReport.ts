/** What a calendar would grant in a room, told to people and to programs. */
import { fold, type Mapped } from '../calendars/mapping.ts';
import type { Expansion, Occurrence, SetAside } from '../calendars/types.ts';
import { type Io, printTable } from './io.ts';
import { localTime } from './times.ts';

export interface Asked {
  readonly room: string;
  readonly zone: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Applies a source's mapping; absent: every event is the room's. */
  readonly map?: ((occurrence: Occurrence) => Mapped) | undefined;
  /** Members' names could not be looked up: whose a booking is stays open. */
  readonly holdersUnknown?: boolean | undefined;
}

interface Told {
  readonly start: string;
  readonly end: string;
  readonly uid: string;
  readonly recurrenceId: string | null;
  readonly summary: string;
  readonly status: Occurrence['status'];
}

export interface Report {
  readonly room: string;
  readonly zone: string;
  readonly from: string;
  readonly to: string;
  readonly granted: readonly (Told & { readonly holder?: string | undefined })[];
  readonly denied: readonly (Told & { readonly why: string })[];
  readonly setAside: readonly { uid: string; line: number | null; code: string; why: string; summary: string }[];
  /** Events of the calendar that were read, series once. */
  readonly events: number;
  /** Occurrences that a source's mapping puts elsewhere. */
  readonly elsewhere: number;
}

const WHY = {
  tentative: 'tentative, or shown as free: it does not hold the room',
  cancelled: 'cancelled',
} as const;

export function reportOf({ occurrences, setAside, events }: Expansion, asked: Asked): Report {
  const granted: (Told & { holder?: string | undefined })[] = [];
  const denied: (Told & { why: string })[] = [];
  const aside: SetAside[] = [...setAside];
  let elsewhere = 0;
  const sorted = [...occurrences].sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
  for (const occurrence of sorted) {
    const { status } = occurrence;
    const mapped = asked.map?.(occurrence);
    if (mapped?.kind === 'set_aside') {
      aside.push(mapped.setAside);
      continue;
    }
    const said = mapped?.kind === 'said' ? mapped.said.find(({ booking }) => booking.room === asked.room) : undefined;
    if (mapped !== undefined && said === undefined) elsewhere += 1;
    else if (status !== 'confirmed') denied.push({ ...told(occurrence), why: WHY[status] });
    else if (said === undefined || asked.holdersUnknown) granted.push(told(occurrence));
    else granted.push({ ...told(occurrence), holder: said.booking.holder });
  }
  return {
    room: asked.room,
    zone: asked.zone,
    from: iso(asked.fromMs),
    to: iso(asked.toMs),
    granted,
    denied,
    setAside: aside.map(({ uid, line, code, why, summary }) => ({
      uid: clean(uid),
      line: line ?? null,
      code,
      why: clean(why),
      summary,
    })),
    events,
    elsewhere,
  };
}

function told({ startMs, endMs, uid, recurrenceId, summary, status }: Occurrence): Told {
  return { start: iso(startMs), end: iso(endMs), uid: clean(uid), recurrenceId: recurrenceId ?? null, summary, status };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** What a stranger wrote must not steer a terminal. */
function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, ' ');
}

export function printReport(io: Io, report: Report): void {
  const { room, zone, from, to, granted, denied, setAside, elsewhere } = report;
  io.out(`Room ${room}, ${localTime(from, zone)} to ${localTime(to, zone)}, times in ${zone}\n\n`);
  const rows = [
    ...granted.map((one) => ({ ...one, outcome: 'granted', why: one.holder === undefined ? '' : `for ${one.holder}` })),
    ...denied.map((one) => ({ ...one, outcome: 'denied' })),
  ].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  printTable(
    io,
    ['', 'START', 'END', 'UTC', 'STATUS', 'UID', 'RECURRENCE', 'TITLE', ''],
    rows.map((one) => [
      one.outcome,
      localTime(one.start, zone),
      localTime(one.end, zone),
      `${brief(one.start)}/${brief(one.end)}`,
      one.status,
      one.uid,
      one.recurrenceId,
      one.summary,
      one.why,
    ]),
    'Nothing in that time.',
  );
  if (setAside.length > 0) io.out('\nSet aside, because it is not certain what was meant:\n');
  for (const { uid, line, code, why, summary } of setAside)
    io.out(
      `  ${line === null ? '' : `line ${line}: `}${uid}${summary === '' ? '' : ` “${summary}”`}: ${why} (${code})\n`,
    );
  io.out(
    `\n${granted.length} granted, ${denied.length} denied, ${setAside.length} set aside, of ${counted(report.events)}.\n`,
  );
  if (elsewhere > 0) io.out(`${elsewhere} more are in other rooms or in none of ours.\n`);
}

function counted(events: number): string {
  return `${events} ${events === 1 ? 'event' : 'events'}`;
}

/** Without milliseconds, which no calendar has. */
function brief(instant: string): string {
  return instant.replace('.000Z', 'Z');
}

/** Whether a mapping may mean this room at all: said before an empty answer puzzles. */
export function meansRoom(map: Readonly<Record<string, string>>, room: string): boolean {
  return Object.values(map).some((mapped) => fold(mapped) === fold(room));
}
