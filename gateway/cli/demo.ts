/** The demo clinic of `npm start`: the real gateway, its embedded broker, and virtual devices and people over real MQTT. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { type Logger, pino } from 'pino';
import type { DemoPlan, PlannedBooking } from '../../devices/simulator/plan.ts';
import { projectFile } from '../compose/beside.ts';
import { type Config, toSite } from '../config/index.ts';
import type { Clock } from '../loop/types.ts';
import { type Admin, answers, withAdmin } from './admin.ts';
import { type Common, type Io, Refused } from './io.ts';
import { brokerUrl, deviceEntries, parsePort, parseSpeed, readConfig, stopInTime } from './run.ts';

/** Makes each demo the same clinic; its secrets are new each time. */
const SEED = 'harbour-street';
const MARK = 'demo.json';
const OWNER_ONLY = 0o600;
const SECRET_BYTES = 18;
/** Bookings of later days are made this often. */
const NEXT_DAY_MS = 24 * 3_600_000;
const DAYS_AHEAD = 2;
/** Requests under way at once while the clinic is filled. */
const SEEDING_AT_ONCE = 8;

interface DemoOptions {
  readonly port: number;
  readonly mqttPort: number;
  readonly speed: number;
  readonly keep: boolean;
}

/** What scripts find in `demo.json`. */
export interface DemoFile {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly token: string;
  /** With the observer's name and password: it may read everything. */
  readonly mqttUrl: string;
  readonly observer: { readonly username: string; readonly password: string };
  readonly devicePassword: string;
  readonly badges: readonly { readonly member: string; readonly format: string; readonly value: string }[];
}

export function demoCommand(program: Command, io: Io, leaf: (parent: Command, spec: string) => Command): void {
  leaf(program, 'demo')
    .description('run the demo clinic: gateway, broker, virtual devices and people')
    .option('--port <port>', 'of the dashboard', parsePort, 8080)
    .option('--mqtt-port <port>', 'of the broker', parsePort, 18830)
    .option('--speed <n>', 'how many times as fast time goes by', parseSpeed, 1)
    .option('--keep', 'go on with the data that is there, instead of starting anew', false)
    .action(async (options: Common & DemoOptions, command: Command) => {
      const data = command.getOptionValueSource('data') === 'cli' ? options.data : '.demo';
      await demo(io, { ...options, data });
    });
}

async function demo(io: Io, options: Common & DemoOptions): Promise<void> {
  const before = await prepareFolder(options);
  const secrets = {
    DEMO_DEVICE_PASSWORD: before?.devicePassword ?? randomSecret(),
    DEMO_OBSERVER_PASSWORD: before?.observer.password ?? randomSecret(),
  };
  const config = withPorts(
    readConfig(io, projectFile('config', 'demo.yaml') ?? 'config/demo.yaml', { ...io.env, ...secrets }),
    options,
  );
  const site = toSite(config);
  const logFile = path.join(options.data, 'demo.log');
  const log = pino({ level: config.log.level }, pino.destination({ dest: logFile, sync: false, mode: OWNER_ONLY }));
  const [{ startGateway }, { demoPlan }, { describeSite, startSimulator }, { fastClock, systemClock }] =
    await Promise.all([
      import('../main.ts'),
      import('../../devices/simulator/plan.ts'),
      import('../../devices/simulator/index.ts'),
      import('../loop/clock.ts'),
    ]);
  const clock = options.speed === 1 ? systemClock : fastClock(options.speed);
  const gateway = await startGateway({ config, site, dataDir: options.data, clock, log });
  const stopping: (() => Promise<void>)[] = [() => gateway.stop()];
  const stop = async () => {
    for (const step of stopping.reverse()) await step();
  };
  try {
    const plan = demoPlan(site, clock.now().wallMs, SEED, { daysAhead: DAYS_AHEAD });
    const token = await withAdmin(options.data, (admin) => fill(admin, plan, before?.token));
    const mqttUrl = brokerUrl(config, gateway.mqttPort);
    const observer = { username: 'observer', password: secrets.DEMO_OBSERVER_PASSWORD };
    const file: DemoFile = {
      url: gateway.url,
      username: 'manager',
      password: gateway.firstPassword ?? before?.password ?? '',
      token,
      mqttUrl: mqttUrl.replace('://', `://${observer.username}:${observer.password}@`),
      observer,
      devicePassword: secrets.DEMO_DEVICE_PASSWORD,
      badges: plan.badges.map(({ member, format, value }) => ({ member, format, value })),
    };
    writeDemoFile(options.data, file);
    const simulator = startSimulator({
      ...describeSite(site, deviceEntries(config), mqttUrl),
      plan,
      clock: { wallMs: () => clock.now().wallMs, after: (ms, callback) => clock.after(ms, callback) },
      seed: SEED,
      log: (text) => log.debug({ part: 'simulator' }, text),
    });
    stopping.push(() => simulator.stop());
    await simulator.ready;
    stopping.push(keepBooking(options.data, plan, clock, log));
    tell(io, options, file, config);
    log.info({ signal: await io.ended() }, 'stopping the demo');
  } catch (error) {
    await stop();
    throw error;
  }
  await stopInTime(stop, log);
}

const randomSecret = () => randomBytes(SECRET_BYTES).toString('base64url');

/** A fresh folder, or with `--keep` what the last demo left. Only a demo's own folder is ever emptied. */
async function prepareFolder({ data, keep }: Common & DemoOptions): Promise<DemoFile | undefined> {
  if (existsSync(data)) {
    if (await answers(path.join(data, 'doorward.sock'))) {
      throw new Refused(
        'data_locked',
        'A demo is running already',
        data,
        'Stop it, or name another folder with --data.',
      );
    }
    const mark = path.join(data, MARK);
    if (!existsSync(mark) && readdirSync(data).length > 0) {
      const why = `${data} holds something that is no demo, and a demo starts with an empty folder`;
      throw new Refused('data_unusable', 'The folder is not a demo’s', why, 'Name another folder with --data.');
    }
    if (keep && existsSync(mark)) {
      const file = JSON.parse(readFileSync(mark, 'utf8')) as Partial<DemoFile>;
      if (file.token !== undefined) return file as DemoFile;
    }
    for (const name of readdirSync(data)) rmSync(path.join(data, name), { recursive: true });
  }
  mkdirSync(data, { recursive: true, mode: 0o700 });
  // The mark comes first: a demo that is cut off at its start can be started again.
  writeFileSync(path.join(data, MARK), '{}\n', { mode: OWNER_ONLY });
  return undefined;
}

function writeDemoFile(data: string, file: DemoFile): void {
  writeFileSync(path.join(data, MARK), `${JSON.stringify(file, null, 2)}\n`, { mode: OWNER_ONLY });
}

function withPorts(config: Config, { port, mqttPort }: DemoOptions): Config {
  const embedded = config.broker.embedded && { ...config.broker.embedded, port: mqttPort };
  return { ...config, web: { ...config.web, port }, broker: { embedded } };
}

/** Members, badges and bookings of the plan, through the API as anybody else would make them; and a token for scripts. */
async function fill(admin: Admin, plan: DemoPlan, known: string | undefined): Promise<string> {
  await inTurns(plan.members, async (member) => {
    const { id, name, kind, rights } = member;
    await unlessThere(admin.request('POST', '/members', { id, name, kind, rights }));
  });
  await inTurns(plan.badges, async ({ member, format, value }) => {
    await unlessThere(admin.request('POST', '/credentials', { member, format, value }));
  });
  await inTurns(plan.bookings, (booking) => book(admin, booking));
  if (known !== undefined) return known;
  const made = await admin.request('POST', '/tokens', { role: 'manager', note: 'scripts of the demo' });
  return (made as { token: string }).token;
}

async function book(admin: Admin, booking: PlannedBooking): Promise<void> {
  const { id, room, holder, startMs, endMs, title, status } = booking;
  const [start, end] = [startMs, endMs].map((ms) => new Date(ms).toISOString());
  await unlessThere(admin.request('POST', '/bookings', { id, room, holder, start, end, title, status }));
}

/** With `--keep` most of it is there already. */
async function unlessThere(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof Refused && ['conflict', 'booking_overlap'].includes(error.code))) throw error;
  }
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: SEEDING_AT_ONCE }, worker));
}

/** A demo that runs for days keeps being booked. */
function keepBooking(data: string, plan: DemoPlan, clock: Clock, log: Logger): () => Promise<void> {
  let cancel = () => {};
  const again = () => {
    const bookings = plan.bookingsOf(clock.now().wallMs + DAYS_AHEAD * NEXT_DAY_MS);
    withAdmin(data, (admin) => inTurns(bookings, (booking) => book(admin, booking))).catch((error: unknown) => {
      log.error({ err: error }, 'the next day cannot be booked');
    });
    cancel = clock.after(NEXT_DAY_MS, again);
  };
  cancel = clock.after(NEXT_DAY_MS, again);
  return async () => cancel();
}

function tell(io: Io, options: Common & DemoOptions, file: DemoFile, config: Config): void {
  if (options.json) io.out(`${JSON.stringify(file, null, 2)}\n`);
  else {
    io.out(`
${config.site.name}: ${config.rooms.length} rooms, ${config.doors.length} doors, ${config.devices.length} virtual devices

  Dashboard  ${file.url}
  User name  ${file.username}
  Password   ${file.password}
  API token  ${file.token}
  MQTT       ${file.mqttUrl} (may read everything)
  Badges     ${file.badges.length}, in ${path.join(options.data, MARK)} with all of the above
  Log        ${path.join(options.data, 'demo.log')}

Ctrl-C ends it.
`);
  }
  io.out(`READY ${file.url}\n`);
}
