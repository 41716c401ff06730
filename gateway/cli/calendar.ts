/** `doorward calendar explain`: what a calendar would grant in a room, and why not. */
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { Temporal } from 'temporal-polyfill';
import { Expander } from '../calendars/expander.ts';
import { type DirectoryMember, directoryOf, mapper } from '../calendars/mapping.ts';
import { openSource } from '../calendars/open.ts';
import type { IcsSettings, SourceSettings } from '../calendars/settings.ts';
import { toSourceSettings } from '../compose/calendars.ts';
import type { Config } from '../config/index.ts';
import { withAdmin } from './admin.ts';
import {
  fileReader,
  type Progress,
  progressTo,
  type Reader,
  size,
  sourceReader,
  streamReader,
  urlReader,
} from './calendarRead.ts';
import { type Asked, meansRoom, printReport, reportOf } from './calendarReport.ts';
import { type Common, Failed, type Io, printJson, Refused, Usage } from './io.ts';
import { readConfig } from './run.ts';
import { parseInstant, TIME_HELP } from './times.ts';

const DAY_MS = 86_400_000;
/** Shown unless asked otherwise. */
const DEFAULT_DAYS = 14;
/** What can be shown at once: a series that never ends has thousands of instances in it. */
const MAX_DAYS = 400;
/** Between two looks at an address while watching, unless asked otherwise. */
const WATCH_EVERY_S = 60;
const LEAST_EVERY_S = 5;
const FETCH_TIMEOUT_MS = 30_000;
const FETCH_MAX_BYTES = 33_554_432;
/** Between two lines of progress while reading. */
const SAY_EVERY_MS = 1_000;

interface Options extends Common {
  readonly room: string;
  readonly from?: string;
  readonly to?: string;
  readonly zone?: string;
  readonly config?: string;
  readonly source?: string;
  readonly watch: boolean;
  readonly every: number;
  readonly allowHttp: boolean;
  readonly allowPrivate: boolean;
}

const TIME_OR_DAY = `${TIME_HELP}, or a day, e.g. 2026-11-23`;

export function calendarCommands(program: Command, io: Io, leaf: (parent: Command, spec: string) => Command): void {
  const calendar = program.command('calendar').description('outside calendars');
  leaf(calendar, 'explain [calendar]')
    .description('show what a calendar (file, address, or - for standard input) would grant in a room, and why not')
    .requiredOption('--room <id>', 'the room')
    .option('--from <time>', `from when on, else from now: ${TIME_OR_DAY}`, parseTime)
    .option('--to <time>', `until when, else for ${DEFAULT_DAYS} days: ${TIME_OR_DAY}`, parseTime)
    .option('--zone <name>', 'IANA name of the building’s time zone, e.g. Europe/Berlin')
    .option('--config <file>', 'the site’s configuration: its zone, rooms and sources')
    .option('--source <id>', 'with --config: read it as this source; without a calendar, fetch the source’s own')
    .option('--watch', 'show progress, and again whenever it changes, until Ctrl-C', false)
    .option('--every <seconds>', 'with --watch: how often an address is looked at', parseEvery, WATCH_EVERY_S)
    .option('--allow-http', 'fetch from a plain http address too', false)
    .option('--allow-private', 'fetch from an address that is not public too', false)
    .action(async (target: string | undefined, options: Options) => explain(io, target, options));
}

function parseTime(text: string): string {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : parseInstant(text);
}

function parseEvery(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= LEAST_EVERY_S && seconds <= 86_400))
    throw new InvalidArgumentError(`Use ${LEAST_EVERY_S} to 86400.`);
  return seconds;
}

async function explain(io: Io, target: string | undefined, options: Options): Promise<void> {
  const config = options.config === undefined ? undefined : readConfig(io, options.config);
  const settings = sourceOf(config, options);
  if (target === undefined && settings === undefined)
    throw new Usage('Name a file, an address or - for standard input; or --config and --source.');
  if (options.zone === undefined && config === undefined)
    io.err('caution: no --zone and no --config: floating and all-day times are read in UTC.\n');
  const zone = checkedZone(options.zone ?? config?.site.timeZone ?? 'UTC');
  const { fromMs, toMs } = windowOf(options, zone);
  const progress = progressTo(io, options.watch);
  const reader = readerOf(io, target, settings, options, zone, progress);
  const asked = { room: options.room, zone, fromMs, toMs, ...(await mappingOf(io, settings, options)) };
  const expander = new Expander({ log: (text) => io.err(`caution: ${text}\n`) });
  const stop = new AbortController();
  if (options.watch) void io.ended().then(() => stop.abort());
  const { json } = options;
  // Standard input comes once: there is nothing to watch.
  const goesOn = options.watch && target !== '-';
  const run: Run = { io, reader, expander, asked, json, watch: goesOn, progress, signal: stop.signal };
  try {
    await look(run);
    if (goesOn) await watch(run);
  } finally {
    await expander.close();
  }
}

/** One run of the command. */
interface Run {
  readonly io: Io;
  readonly reader: Reader;
  readonly expander: Expander;
  readonly asked: Asked;
  readonly json: boolean;
  readonly watch: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

async function watch(run: Run): Promise<void> {
  const { reader, progress, signal } = run;
  progress(`watching ${reader.name}; Ctrl-C ends it`);
  while (!signal.aborted) {
    try {
      await pause(reader.everyMs, undefined, { signal });
    } catch {
      return; // Ctrl-C
    }
    await look(run);
  }
}

/** @throws Failed when the calendar as a whole is faulty; while watching it is said and looked at again. */
async function look(run: Run): Promise<void> {
  const { io, reader, progress, signal } = run;
  const began = performance.now();
  const read = await reader.look(signal);
  if (signal.aborted || read.kind === 'unchanged') return;
  if (read.kind === 'failed') return faulty(run, read.code, read.why);
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`;
  progress(`${reader.name}: ${size(read.bytes)} in ${seconds()}; reading …`);
  const waiting = setInterval(() => progress(`${reader.name}: reading for ${seconds()} …`), SAY_EVERY_MS);
  try {
    const { zone: siteZone, fromMs, toMs } = run.asked;
    const outcome = await run.expander.expand({ objects: read.objects, siteZone, fromMs, toMs }, signal);
    if ('fault' in outcome) return faulty(run, outcome.fault, outcome.why);
    progress(`${reader.name}: ${outcome.events} events, ${outcome.setAside.length} set aside, in ${seconds()}`);
    const report = reportOf(outcome, run.asked);
    if (run.json) printJson(io, report);
    else printReport(io, report);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(waiting);
  }
}

function faulty({ io, json, watch: goesOn }: Run, code: string, why: string): void {
  // Here the settings of a source are options of the command.
  const said = why
    .replace('set allowHttp for this source', 'give --allow-http')
    .replace('set allowPrivate for this source', 'give --allow-private');
  if (json) printJson(io, { ok: false, code, why: said });
  else io.err(`✖ ${said} (${code})\n  Nothing of it would be believed; the last good schedule would stand.\n`);
  if (!goesOn) throw new Failed();
}

function sourceOf(config: Config | undefined, { source, room }: Options): SourceSettings | undefined {
  if (source !== undefined && config === undefined) throw new Usage('--source needs --config.');
  if (config === undefined) return undefined;
  if (!config.rooms.some(({ id }) => id === room))
    throw new Refused(
      'unknown_room',
      `There is no room ${room}`,
      'in this configuration',
      `Its rooms: ${config.rooms.map(({ id }) => id).join(', ')}.`,
    );
  if (source === undefined) return undefined;
  const found = config.bookings.sources.find(({ id }) => id === source);
  if (found === undefined) {
    const ids = config.bookings.sources.map(({ id }) => id).join(', ');
    throw new Refused(
      'unknown_source',
      `There is no source ${source}`,
      'in bookings.sources',
      ids === '' ? 'It has none.' : `Its sources: ${ids}.`,
    );
  }
  return toSourceSettings(found);
}

function readerOf(
  io: Io,
  target: string | undefined,
  settings: SourceSettings | undefined,
  options: Options,
  zone: string,
  progress: Progress,
): Reader {
  if (target === '-') return streamReader(io.stdin, progress);
  if (target !== undefined && !/^(https?|webcals?):\/\//i.test(target)) return fileReader(target, progress);
  if (target !== undefined) return urlReader(addressSettings(target, options), progress);
  if (settings === undefined) throw new Usage('Name a file, an address or -.');
  if (settings.kind === 'webhook' && settings.url === undefined)
    throw new Usage(`The source ${settings.id} is only pushed to; there is nothing to fetch.`);
  const source = openSource(settings, { siteZone: zone, nowMs: Date.now, horizonMs: MAX_DAYS * DAY_MS });
  return sourceReader(source, options.every * 1000, settings.id, progress);
}

/** An address of the command line: no credentials but those in it, no mapping. */
function addressSettings(url: string, { room, every, allowHttp, allowPrivate }: Options): IcsSettings {
  return {
    id: 'calendar',
    kind: 'ics',
    url,
    everyMs: every * 1000,
    priority: 0,
    rooms: { by: 'calendar', map: { '*': room } },
    holder: { by: 'attendee' },
    holdPolls: 1,
    http: { allowHttp, allowPrivate, timeoutMs: FETCH_TIMEOUT_MS, maxBytes: FETCH_MAX_BYTES },
  };
}

async function mappingOf(
  io: Io,
  settings: SourceSettings | undefined,
  options: Options,
): Promise<Pick<Asked, 'map' | 'holdersUnknown'>> {
  if (settings === undefined) return {};
  if (!meansRoom(settings.rooms.map, options.room))
    io.err(`caution: the source ${settings.id} maps nothing to the room ${options.room}.\n`);
  const members = await membersOf(options.data);
  const rules = { source: settings.id, priority: settings.priority, rooms: settings.rooms };
  if (members !== undefined) return { map: mapper({ ...rules, holder: settings.holder }, directoryOf(members)) };
  io.err('caution: no data folder, so whose each booking is was not looked up (--data).\n');
  const nobody = { id: 'unknown', name: 'unknown' };
  const holder = { by: 'member', member: nobody.id } as const;
  return { map: mapper({ ...rules, holder }, directoryOf([nobody])), holdersUnknown: true };
}

/** Undefined where there is no data folder: one is never made for a look. */
async function membersOf(data: string): Promise<readonly DirectoryMember[] | undefined> {
  if (!existsSync(data)) return undefined;
  return (await withAdmin(data, (admin) => admin.request('GET', '/members'))) as readonly DirectoryMember[];
}

function checkedZone(zone: string): string {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone).timeZoneId;
  } catch {
    throw new Usage(`“${zone}” is no time zone; use an IANA name such as Europe/Berlin.`);
  }
}

function windowOf({ from, to }: Options, zone: string): { fromMs: number; toMs: number } {
  const fromMs = from === undefined ? Date.now() : instantOf(from, zone);
  const toMs = to === undefined ? fromMs + DEFAULT_DAYS * DAY_MS : instantOf(to, zone);
  if (!(fromMs < toMs)) throw new Usage('--to must be after --from.');
  if (toMs - fromMs > MAX_DAYS * DAY_MS) throw new Usage(`${MAX_DAYS} days are the most that can be shown at once.`);
  return { fromMs, toMs };
}

/** A day begins at its midnight in the building. */
function instantOf(time: string, zone: string): number {
  return time.length > 10 ? Date.parse(time) : Temporal.PlainDate.from(time).toZonedDateTime(zone).epochMilliseconds;
}
