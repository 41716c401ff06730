/** `doorward start`, `check`, `schema` and `simulate`: what works on a configuration file. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { type Logger, pino } from 'pino';
import { drivers } from '../../devices/registry.ts';
import {
  type Config,
  type ConfigFault,
  ConfigFaults,
  faultText,
  jsonSchema,
  loadConfig,
  toSite,
} from '../config/index.ts';
import type { Gateway } from '../main.ts';
import { type Common, Failed, type Io, printJson } from './io.ts';

const STANDARD_ERROR = 2;
/** Faster than this, the network's own delays look like devices that are late. */
const HIGHEST_SPEED = 100;
/** How often `simulate` says what it did. */
const REPORT_MS = 60_000;

export function parseSpeed(text: string): number {
  const speed = Number(text);
  if (!(speed > 0 && speed <= HIGHEST_SPEED)) throw new InvalidArgumentError(`Use a number up to ${HIGHEST_SPEED}.`);
  return speed;
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('Use 0 to 65535.');
  return port;
}

export function runCommands(program: Command, io: Io, leaf: (parent: Command, spec: string) => Command): void {
  leaf(program, 'start')
    .description('run the gateway of a real site')
    .requiredOption('--config <file>', 'configuration')
    .action(async (options: Common & { config: string }) => start(io, options));
  leaf(program, 'check <file>')
    .description('show every fault of a configuration, without starting anything')
    .action(async (file: string, options: Common) => check(io, file, options));
  leaf(program, 'schema')
    .description('print the JSON Schema of the configuration, for editors')
    .action(async () => printJson(io, jsonSchema(drivers)));
  leaf(program, 'simulate')
    .description('virtual devices for any configuration, to its broker')
    .requiredOption('--config <file>', 'configuration')
    .option('--speed <n>', 'how many times as fast rooms warm up and cool down', parseSpeed, 1)
    .option('--url <url>', 'broker, if not the one of the configuration: mqtt://HOST:PORT')
    .action(async (options: Common & SimulateOptions) => simulate(io, options));
}

/** Loads a configuration; cautions go to standard error. */
export function readConfig(io: Io, file: string, env = io.env): Config {
  const caution = (fault: ConfigFault) => io.err(`${cautionText(fault)}\n`);
  return loadConfig(file, { drivers, env, caution });
}

function cautionText(fault: ConfigFault): string {
  return `caution: ${faultText(fault).replace('fault: ', 'why:   ')}`;
}

async function start(io: Io, options: Common & { config: string }): Promise<void> {
  const config = readConfig(io, options.config);
  const { startGateway } = await import('../main.ts');
  const log = logger(config);
  const gateway = await startGateway({ config, site: toSite(config), dataDir: options.data, log });
  const { url, firstPassword } = gateway;
  if (options.json) printJson(io, { url, username: firstPassword && 'manager', password: firstPassword });
  else {
    if (firstPassword !== undefined) {
      io.out(`First start. Sign in as “manager” with this password; it is shown only now:\n\n    ${firstPassword}\n\n`);
    }
    io.out(`READY ${url}\n`);
  }
  io.onReload(() => void reload(io, options.config, gateway, log));
  const signal = await io.ended();
  log.info({ signal }, 'stopping');
  await stopInTime(() => gateway.stop(), log);
}

/** A file with faults changes nothing: the rules of before go on. */
async function reload(io: Io, file: string, gateway: Gateway, log: Logger): Promise<void> {
  try {
    const config = readConfig(io, file);
    const waiting = await gateway.reload(config, toSite(config));
    log.info({ file, waiting }, 'booking rules taken over');
    if (waiting.length > 0)
      io.err(`These parts of ${file} changed too and wait for a restart: ${waiting.join(', ')}.\n`);
  } catch (error) {
    log.error({ err: error, file }, 'the configuration was not taken over');
    if (error instanceof ConfigFaults) io.err(`${error.text}\n`);
  }
}

export function logger(config: Config): Logger {
  return pino({ level: config.log.level }, pino.destination(STANDARD_ERROR));
}

/** An ordered stop, and an end by force when it hangs: devices and people must not wait for ever. */
export async function stopInTime(stop: () => Promise<void>, log: Logger): Promise<void> {
  const { STOP_WITHIN_MS } = await import('../main.ts');
  const late = new Promise<'late'>((resolve) => {
    setTimeout(() => resolve('late'), STOP_WITHIN_MS).unref();
  });
  if ((await Promise.race([stop(), late])) !== 'late') return;
  log.error('the stop took too long and was cut off');
  throw new Failed('the stop took too long');
}

function check(io: Io, file: string, options: Common): void {
  const cautions: ConfigFault[] = [];
  try {
    const config = loadConfig(file, { drivers, env: io.env, caution: (fault) => cautions.push(fault) });
    const { rooms, doors, devices } = config;
    if (options.json) {
      printJson(io, { ok: true, file, faults: [], cautions });
      return;
    }
    for (const caution of cautions) io.err(`${cautionText(caution)}\n\n`);
    const count = ({ length }: readonly unknown[], what: string) => `${length} ${what}${length === 1 ? '' : 's'}`;
    io.out(`${file} is sound: ${count(rooms, 'room')}, ${count(doors, 'door')}, ${count(devices, 'device')}.\n`);
  } catch (error) {
    if (!(error instanceof ConfigFaults)) throw error;
    if (options.json) printJson(io, { ok: false, file, faults: error.faults, cautions });
    else io.out(`${error.text}\n`);
    throw new Failed(error.message);
  }
}

interface SimulateOptions {
  readonly config: string;
  readonly speed: number;
  readonly url?: string;
}

async function simulate(io: Io, options: Common & SimulateOptions): Promise<void> {
  const config = readConfig(io, options.config);
  const { describeSite, startSimulator } = await import('../../devices/simulator/index.ts');
  const { readFileSync } = await import('node:fs');
  const url = options.url ?? brokerUrl(config);
  const ca = config.broker.external?.ca ?? config.broker.embedded?.tls?.cert;
  const simulator = startSimulator({
    ...describeSite(toSite(config), deviceEntries(config), url),
    speed: options.speed,
    tls: url.startsWith('mqtts:') && ca !== undefined ? { ca: readFileSync(ca) } : undefined,
    log: (text) => io.err(`${text}\n`),
  });
  await simulator.ready;
  const report = () => {
    const { devices, online, published, commands } = simulator.stats();
    io.err(`${online} of ${devices} devices online, ${published} messages sent, ${commands} commands received\n`);
  };
  const { devices, online } = simulator.stats();
  if (options.json) printJson(io, { url, devices, online });
  else io.out(`READY ${online} of ${devices} virtual devices are connected to ${url}\n`);
  const timer = setInterval(report, REPORT_MS);
  await io.ended();
  clearInterval(timer);
  report();
  await simulator.stop();
}

/** Where devices find the broker of a configuration. */
export function brokerUrl(config: Config, port = config.broker.embedded?.port): string {
  const { embedded, external } = config.broker;
  if (external !== undefined) return external.url;
  const host = embedded?.host ?? '127.0.0.1';
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `mqtt://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** The devices as the simulator asks for them. */
export function deviceEntries(config: Config): { id: string; driver: string; password?: string | undefined }[] {
  return config.devices.map(({ id, driver, config: own }) => ({
    id,
    driver,
    password: typeof own.password === 'string' ? own.password : undefined,
  }));
}
