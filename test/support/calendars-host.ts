/** Calendars for the host: feeds as text, and a clinic whose bookings come from a server that can be told to fail. */
import type { CalendarServer } from './calendars-server.ts';
import { Clinic, type ClinicOptions } from './clinic.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export interface IcsEvent {
  readonly uid: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attendee?: string | undefined;
  readonly status?: string | undefined;
  readonly sequence?: number | undefined;
  readonly lines?: readonly string[] | undefined;
}

export function stamp(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
}

export function feed(...events: readonly IcsEvent[]): string {
  const lines = events.flatMap(({ uid, startMs, endMs, attendee, status, sequence, lines: more = [] }) => [
    'BEGIN:VEVENT',
    `UID:${uid}`,
    'DTSTAMP:20260301T000000Z',
    `SEQUENCE:${sequence ?? 0}`,
    `DTSTART:${stamp(startMs)}`,
    `DTEND:${stamp(endMs)}`,
    'SUMMARY:Consultation',
    `STATUS:${status ?? 'CONFIRMED'}`,
    ...(attendee === undefined ? [] : [`ATTENDEE;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED:mailto:${attendee}`]),
    ...more,
    'END:VEVENT',
  ]);
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Doorward//test//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

/** `sources` are lines of YAML flow maps; http to this machine is allowed in each. */
export async function calendarClinic(
  sources: readonly string[],
  options: ClinicOptions & { readonly bookings?: string } = {},
): Promise<Clinic> {
  const written = sources.map((source) => `    - { ${source}, allowHttp: true, allowPrivate: true, timeoutS: 5 }`);
  const { bookings = 'earlyMin: 10, lateMin: 5, entranceEarlyMin: 30, maxScheduleAgeH: 36', ...others } = options;
  const keys = bookings.split(', ').map((key) => `  ${key}`);
  const section = ['bookings:', ...keys, '  sources:', ...written].join('\n');
  return await Clinic.open({
    ...others,
    change: (yaml) => (options.change ?? ((text) => text))(yaml.replace(/^bookings: .*$/m, section)),
  });
}

/** The state of one source, once it holds. */
export async function untilSource(clinic: Clinic, id: string, holds: (source: SourceHealth) => boolean) {
  const answer = await clinic.until('calendars', ({ body }) =>
    (body as SourceHealth[]).some((source) => source.id === id && holds(source)),
  );
  return (answer.body as SourceHealth[]).find((source) => source.id === id) as SourceHealth;
}

export interface SourceHealth {
  readonly id: string;
  readonly state: string;
  readonly why: string;
  readonly address: string;
  readonly bookings: number;
  readonly lastGoodAt: string | null;
  readonly lastTriedAt: string | null;
  readonly nextAt: string | null;
  readonly setAside: readonly { readonly uid: string; readonly code: string; readonly why: string }[];
  readonly setAsideTotal: number;
}

/** Looks at a source now and waits until it was asked. */
export async function look(clinic: Clinic, server: CalendarServer, id: string, path: string): Promise<void> {
  const asked = server.requestsTo(path).length;
  const { status } = await clinic.api('POST', `calendars/${id}/refresh`);
  if (status !== 202) throw new Error(`refresh of ${id}: ${status}`);
  await clinic.until('calendars', () => server.requestsTo(path).length > asked);
}
