/** Reads, checks and completes the configuration file. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { z } from 'zod';
import { Fault } from '../core/errors.ts';
import type { KnownDevice } from './bindings.ts';
import { cautions, crossChecks } from './checks.ts';
import type { DriverSpec } from './drivers.ts';
import { explain } from './explain.ts';
import { type ConfigFault, ConfigFaults, type Finding, pathText } from './faults.ts';
import { deviceSchema, type JsonSchema, jsonSchema } from './json-schema.ts';
import { type Fields, fields, isPresent, list, words } from './lenient.ts';
import { nearest, oneOf } from './nearest.ts';
import { type Config, type DeviceConfig, fileSchema } from './schema.ts';
import { errorCode, resolveSecrets } from './secrets.ts';
import { ConfigSource, MAX_CONFIG_CHARS } from './source.ts';

export interface LoadOptions {
  readonly drivers: readonly DriverSpec[];
  /** Default: the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Reads a text file of an absolute path. Default: the disk. */
  readonly readFile?: (file: string) => string;
  /** Hears of what is allowed but most likely not meant. */
  readonly caution?: (caution: ConfigFault) => void;
}

/**
 * The configuration with defaults filled in, secrets resolved and file paths absolute.
 * @throws ConfigFaults with every fault at once; Fault `config_unreadable` when there is nothing to check.
 */
export function loadConfig(file: string, options: LoadOptions): Config {
  const folder = path.dirname(path.resolve(file));
  const read = options.readFile ?? ((name: string) => readFileSync(name, 'utf8'));
  const readBeside = (name: string) => read(path.resolve(folder, name));
  const source = new ConfigSource(file, readText(file, read));
  const syntax = source.syntaxFaults();
  if (!syntax.readable) throw new ConfigFaults(file, syntax.faults);

  const raw = plainData(source);
  if (raw === null || raw === undefined) {
    const remedy = 'Start from config/demo.yaml or config/pi.yaml.';
    throw new ConfigFaults(file, [source.fault({ path: [], why: 'The file is empty.', remedy })]);
  }
  const secrets = resolveSecrets(raw, { env: options.env ?? process.env, readFile: readBeside });
  const data = fields(secrets.data);
  const parsed = fileSchema.safeParse(secrets.data);
  const devices = readDevices(list(data.devices), options.drivers, isPresent(fields(data.broker).embedded));
  const findings = [
    ...secrets.findings,
    ...(parsed.success ? [] : explainAll(parsed.error, jsonSchema(options.drivers), secrets.data)),
    ...devices.findings,
    ...crossChecks(data, devices.known),
  ];
  const faults = [...syntax.faults, ...firstPerPath(findings).map((finding) => source.fault(secrets.redact(finding)))];
  if (faults.length > 0 || !parsed.success) throw new ConfigFaults(file, faults);

  const config: Config = { ...parsed.data, devices: devices.configs };
  for (const finding of [...cautions(data), ...unreadableFiles(config, readBeside)]) {
    options.caution?.(source.fault(secrets.redact(finding)));
  }
  return withAbsolutePaths(config, folder);
}

/** Aliases are followed only now. */
function plainData(source: ConfigSource): unknown {
  try {
    return source.data();
  } catch (error) {
    const why = error instanceof Error ? `This cannot be read: ${error.message}.` : 'This cannot be read.';
    const remedy = 'Look for a `*name` without its `&name` before it, or for anchors that repeat each other endlessly.';
    throw new ConfigFaults(source.file, [source.fault({ path: [], why, remedy })]);
  }
}

function readText(file: string, read: (name: string) => string): string {
  let text: string;
  try {
    text = read(path.resolve(file));
  } catch (error) {
    throw new Fault('config_unreadable', `${file}: ${errorCode(error)}`);
  }
  if (text.length > MAX_CONFIG_CHARS) {
    throw new Fault('config_unreadable', `${file} is longer than ${MAX_CONFIG_CHARS} characters`);
  }
  return text;
}

function explainAll(error: z.ZodError, schema: JsonSchema, data: unknown): Finding[] {
  return error.issues.flatMap((issue) => explain(issue, schema, data));
}

/** Holds each device against its own driver's keys. */
function readDevices(entries: readonly unknown[], drivers: readonly DriverSpec[], embedded: boolean) {
  const findings: Finding[] = [];
  const known = new Map<string, KnownDevice>();
  const configs: DeviceConfig[] = [];
  for (const [index, entry] of entries.entries()) {
    const device = fields(entry);
    const id = words(device.id);
    const driverName = words(device.driver);
    const driver = drivers.find((candidate) => candidate.name === driverName);
    if (driver === undefined && driverName !== undefined) findings.push(unknownDriver(index, driverName, drivers));
    const read = driver === undefined ? undefined : readDevice(device, driver, index, embedded);
    findings.push(...(read?.findings ?? []));
    if (id === undefined || driverName === undefined) continue;
    if (!known.has(id)) known.set(id, { id, driver, config: read?.config });
    if (read?.config !== undefined) configs.push({ id, driver: driverName, config: read.config });
  }
  return { findings, known, configs };
}

function readDevice(
  device: Fields,
  driver: DriverSpec,
  index: number,
  embedded: boolean,
): { readonly findings: Finding[]; readonly config?: Fields } {
  const { id: _id, driver: _driver, ...own } = device;
  const prefix = ['devices', index];
  const parsed = driver.schema.safeParse(own);
  const schema = parsed.success && !embedded ? undefined : deviceSchemaOf(driver);
  if (!parsed.success) {
    return { findings: parsed.error.issues.flatMap((issue) => explain(issue, schema ?? {}, own, prefix)) };
  }
  const takesPassword = 'password' in fields(schema?.properties);
  if (embedded && takesPassword && !isPresent(own.password)) {
    const why = `The device “${words(device.id) ?? ''}” has no password, so it cannot log in to the embedded broker.`;
    const remedy = `Add \`password: "\${env:DEVICE_PASSWORD}"\`, or one of its own.`;
    return { findings: [{ path: [...prefix, 'password'], why, remedy }] };
  }
  return { findings: [], config: fields(parsed.data) };
}

/** Worked out once per driver: a site has thousands of devices and a few drivers. */
const deviceSchemas = new WeakMap<DriverSpec, JsonSchema>();
function deviceSchemaOf(driver: DriverSpec): JsonSchema {
  const schema = deviceSchemas.get(driver) ?? deviceSchema(driver);
  deviceSchemas.set(driver, schema);
  return schema;
}

function unknownDriver(index: number, name: string, drivers: readonly DriverSpec[]): Finding {
  const names = drivers.map((driver) => driver.name);
  const meant = nearest(name, names);
  const hint = meant === undefined ? '' : `Did you mean “${meant}”? `;
  const remedy = `${hint}Use ${oneOf(names)}.`;
  return { path: ['devices', index, 'driver'], why: `There is no driver “${name}”.`, remedy };
}

/** One fault a place: what follows from the first would only confuse. */
function firstPerPath(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const at = pathText(finding.path);
    return seen.has(at) ? false : seen.add(at);
  });
}

/** Certificates may be missing where a file is only checked, e.g. on a laptop; the start needs them. */
function unreadableFiles(config: Config, read: (name: string) => string): Finding[] {
  const { embedded, external } = config.broker;
  const files: [(string | number)[], string | undefined][] = [
    [['web', 'tls', 'cert'], config.web.tls?.cert],
    [['web', 'tls', 'key'], config.web.tls?.key],
    [['broker', 'embedded', 'tls', 'cert'], embedded?.tls?.cert],
    [['broker', 'embedded', 'tls', 'key'], embedded?.tls?.key],
    [['broker', 'external', 'ca'], external?.ca],
  ];
  return files.flatMap(([at, name]): Finding[] => {
    if (name === undefined) return [];
    try {
      read(name);
      return [];
    } catch (error) {
      const why = `The file ${name} cannot be read: ${errorCode(error)}.`;
      return [
        { path: at, why, remedy: 'Put it there before the start; paths are relative to the configuration file.' },
      ];
    }
  });
}

function withAbsolutePaths(config: Config, folder: string): Config {
  const absolute = (name: string) => path.resolve(folder, name);
  const pair = <T extends { cert: string; key: string }>(tls: T): T => ({
    ...tls,
    cert: absolute(tls.cert),
    key: absolute(tls.key),
  });
  const { web, broker } = config;
  return {
    ...config,
    web: web.tls === undefined ? web : { ...web, tls: pair(web.tls) },
    broker: {
      embedded:
        broker.embedded?.tls === undefined ? broker.embedded : { ...broker.embedded, tls: pair(broker.embedded.tls) },
      external:
        broker.external?.ca === undefined ? broker.external : { ...broker.external, ca: absolute(broker.external.ca) },
    },
  };
}
