/**
 * The composition root: builds the real parts, wires them, starts and stops them in order. Data before devices, so
 * that the first badge is decided with all bookings known; devices before the web, so that what it shows is true.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from 'pino';
import { drivers } from '../devices/registry.ts';
import { buildApi, createFirstManager, FIRST_MANAGER, listenApi } from './api/index.ts';
import { type Broker, GATEWAY_USER, startBroker } from './broker/index.ts';
import { type Bus, connectBus } from './bus/index.ts';
import { RoomTopics } from './bus/roomtopics.ts';
import { version } from './compose/beside.ts';
import {
  apiDeps,
  type Brain,
  credentialHasher,
  keepRights,
  loadRecords,
  openBrain,
  SITE_KEY,
} from './compose/brain.ts';
import { openCalendars } from './compose/calendars.ts';
import { watchRefused } from './compose/refused.ts';
import { partsThatDiffer } from './compose/reload.ts';
import { Undo } from './compose/undo.ts';
import type { Config } from './config/index.ts';
import type { Site } from './core/site.ts';
import { createDeviceHost, type DeviceHost } from './devicehost/index.ts';
import { systemClock } from './loop/clock.ts';
import { systemEvidence } from './loop/evidence.ts';
import { TimeTrust } from './loop/timetrust.ts';
import type { Clock } from './loop/types.ts';
import { openStore } from './store/index.ts';
import { type InfluxWriter, startInfluxWriter } from './telemetry/writer.ts';

export interface GatewayOptions {
  readonly config: Config;
  readonly site: Site;
  readonly dataDir: string;
  readonly clock?: Clock | undefined;
  readonly log: Logger;
}

export interface Gateway {
  readonly url: string;
  /** Port of the embedded broker. */
  readonly mqttPort?: number | undefined;
  /** The manager's password, at the first start only. */
  readonly firstPassword?: string | undefined;
  /**
   * Takes the rules of bookings (grace, buffers, no-shows) over from a configuration that was read anew: they hold for
   * windows that are already running, from the very next read on.
   * @returns the parts of the file that differ as well and wait for a restart
   */
  reload(config: Config, site: Site): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** What a stop may take before it is forced; systemd and people wait this long. */
export const STOP_WITHIN_MS = 5_000;

/** @throws Fault when data, ports or the broker cannot be had; what had started is stopped again. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const undo = new Undo(options.log);
  try {
    return await compose(options, undo);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function compose(
  { config, site, dataDir, clock = systemClock, log }: GatewayOptions,
  undo: Undo,
): Promise<Gateway> {
  const store = openStore(dataDir, {
    nowMs: () => clock.now().wallMs,
    quotaMb: config.history.quotaMb,
    historyDays: config.influx === undefined ? config.history.days : undefined,
    onHeadError: (error) => log.error({ err: error }, 'the journal’s signed head cannot be written'),
  });
  const brain = openBrain(site, store, clock, log, config.limits.queueFacts);
  undo.add('data', () => brain.stop());
  const { loop, metrics } = brain;
  store.meta.set(SITE_KEY, JSON.stringify(site));
  const firstPassword = await createFirstManager(store);
  if (firstPassword !== undefined) {
    const change = { after: { role: 'manager' } };
    loop.post({ kind: 'account', account: 'user', id: FIRST_MANAGER, change, by: 'first start' });
  }

  const trust = new TimeTrust({
    mode: config.time.trust,
    clock,
    evidence: systemEvidence,
    store,
    log,
    changed: ({ trusted, why }) => loop.post({ kind: 'time_trust', trusted, why }),
    // Weekly rights and the bookings in memory reach only so far around the time that it was.
    jumped: () =>
      void loadRecords(brain).catch((error: unknown) => log.error({ err: error }, 'records cannot be loaded anew')),
  });
  await trust.start();
  undo.add('time', () => trust.stop());
  // How fresh each schedule is comes before its bookings: what is too old never grants, not for a moment.
  const calendars = openCalendars(config, brain);
  undo.add('calendars', () => calendars.host.stop());
  await loadRecords(brain);
  undo.add('rights', keepRights(brain));
  const tampered = store.journal.headFault;
  if (tampered !== undefined) {
    const why = `The journal does not fit its signed head (${tampered}). See docs/operations.md, “The journal does not verify”.`;
    log.error({ why: tampered }, 'the journal does not fit its signed head');
    loop.post({ kind: 'system', part: 'journal', ok: false, why });
  }
  loop.post({ kind: 'lifecycle', what: 'started', why: `gateway started, version ${version()}` });

  const gatewaySecret = randomBytes(24).toString('base64url');
  const broker = await openBroker(config, gatewaySecret, brain);
  if (broker !== undefined) undo.add('broker', () => broker.close());
  const bus = await openBus(config, broker, gatewaySecret, brain);
  undo.add('bus', () => bus.close());
  const host = openDevices(config, bus, broker, brain);
  brain.perform = (command) => host.perform(command);
  undo.add('devices', () => host.stop());
  const topics = new RoomTopics(bus, site.id, () => loop.rooms());
  loop.onChanges((changes) => topics.publish(changes.rooms));
  loop.start();
  undo.add('farewell', () => void loop.post({ kind: 'lifecycle', what: 'stopping', why: 'gateway stops' }));
  await host.start();
  calendars.host.start();

  let influxWhy = '';
  const writer = startWriter(config, brain, (why) => {
    influxWhy = why;
  });
  if (writer !== undefined) {
    undo.add('InfluxDB', () => writer.stop());
    undo.add('refused points', watchRefused(brain));
  }

  const app = await buildApi(
    apiDeps(brain, {
      devices: () => host.devices(),
      refusedLogins: () => broker?.refusedLogins() ?? [],
      health: () => ({
        ready: bus.connected,
        parts: {
          mqtt: { ok: bus.connected, why: bus.connected ? '' : 'The MQTT broker does not answer.' },
          journal: { ok: !brain.state.system.has('journal'), why: brain.state.system.get('journal') ?? '' },
          disk: { ok: !brain.state.system.has('disk'), why: brain.state.system.get('disk') ?? '' },
          time: { ok: brain.state.timeTrust.trusted, why: brain.state.timeTrust.why },
          influx: { ok: influxWhy === '', why: influxWhy },
          calendars: calendarsPart(calendars.host.health()),
        },
      }),
      confirmTime: async () => {
        await trust.confirm();
        // Decided before the answer, which tells whether the time is trusted now.
        await loop.submit({ kind: 'tick' });
      },
      influx: config.influx,
      outside: calendars.deps,
      cookieSecure: config.web.tls !== undefined,
      sessionIdleMin: config.web.sessionIdleMin,
    }),
  );
  const tls = config.web.tls && { cert: readFileSync(config.web.tls.cert), key: readFileSync(config.web.tls.key) };
  const { url, close } = await listenApi(app, {
    host: config.web.host,
    port: config.web.port,
    tls,
    socketPath: path.join(dataDir, 'doorward.sock'),
  });
  undo.add('web', close);
  // Before the web closes, so that whoever waits for a door's answer gets one.
  undo.add('orders', async () => {
    host.settle();
    await loop.submit({ kind: 'tick' });
  });
  metrics.mqttUp.set(bus.connected ? 1 : 0);
  log.info({ url, rooms: site.rooms.length, doors: site.doors.length, devices: site.devices.length }, 'ready');
  const reload = (next: Config, nextSite: Site) => takeOver(brain, config, next, nextSite);
  return { url, mqttPort: broker?.port, firstPassword, reload, stop: () => undo.run() };
}

async function takeOver({ loop, store, site }: Brain, config: Config, next: Config, nextSite: Site) {
  const roomBuffers = Object.fromEntries(
    nextSite.rooms.flatMap(({ id, bufferMs }) => (bufferMs === undefined ? [] : [[id, bufferMs]])),
  );
  await loop.submit({ kind: 'booking_rules', rules: nextSite.bookings, roomBuffers });
  // What works on the data while no gateway runs goes by the newest rules as well.
  store.meta.set(SITE_KEY, JSON.stringify({ ...site, bookings: nextSite.bookings }));
  return partsThatDiffer(config, next);
}

async function openBroker(config: Config, gatewaySecret: string, brain: Brain): Promise<Broker | undefined> {
  const embedded = config.broker.embedded;
  if (embedded === undefined) return undefined;
  const { host, port, tls, users } = embedded;
  const devices = config.devices.flatMap(({ id, config: own }) =>
    typeof own.password === 'string' ? [{ id, password: own.password }] : [],
  );
  return await startBroker(
    {
      host,
      port,
      tls: tls && { port: tls.port, cert: readFileSync(tls.cert), key: readFileSync(tls.key) },
      site: brain.site.id,
      devices,
      users,
      gatewaySecret,
      limits: {
        packetBytes: config.limits.packetBytes,
        packetsPerS: config.limits.deviceMessagesPerS,
      },
      wallMs: () => brain.clock.now().wallMs,
    },
    brain.log,
  );
}

async function openBus(config: Config, broker: Broker | undefined, gatewaySecret: string, brain: Brain): Promise<Bus> {
  const { loop, log, metrics, site } = brain;
  const external = config.broker.external;
  const bus = await connectBus(
    broker !== undefined
      ? { kind: 'embedded', stream: () => broker.connectGateway(), username: GATEWAY_USER, password: gatewaySecret }
      : {
          kind: 'external',
          url: external?.url ?? '',
          username: external?.username,
          password: external?.password,
          ca: external?.ca === undefined ? undefined : readFileSync(external.ca),
        },
    `doorward-${site.id}`.slice(0, 23),
    log,
  );
  const tell = (up: boolean, why: string) => {
    metrics.mqttUp.set(up ? 1 : 0);
    loop.post({ kind: 'system', part: 'broker', ok: up, why });
  };
  bus.onLink(tell);
  if (!bus.connected)
    tell(false, 'The MQTT broker does not answer: no device can be reached. Check the broker and the network.');
  return bus;
}

function openDevices(config: Config, bus: Bus, broker: Broker | undefined, brain: Brain): DeviceHost {
  const { loop, clock, log, metrics, site, store, state } = brain;
  return createDeviceHost({
    site: site.id,
    devices: config.devices,
    registry: drivers,
    bus,
    hash: credentialHasher(store.secret),
    clock,
    emit: (fact) => loop.post(fact),
    log,
    links: broker,
    bound: [...state.bindings.keys()],
    timeTrusted: () => state.timeTrust.trusted,
    metrics,
  });
}

function startWriter(
  config: Config,
  { store, loop, log, metrics }: Brain,
  tell: (why: string) => void,
): InfluxWriter | undefined {
  if (config.influx === undefined) return undefined;
  return startInfluxWriter({
    outbox: store.outbox,
    influx: config.influx,
    log,
    onDelivered: (points) => metrics.influxDelivered.inc(points),
    onState: (ok, why) => {
      metrics.influxUp.set(ok ? 1 : 0);
      tell(ok ? '' : why);
      loop.post({ kind: 'system', part: 'telemetry', ok, why });
    },
  });
}

function calendarsPart(health: readonly { readonly id: string; readonly state: string }[]) {
  const bad = health.filter(({ state }) => state !== 'ok').map(({ id, state }) => `${id} ${state}`);
  return { ok: bad.length === 0, why: bad.length === 0 ? '' : `Calendars: ${bad.join(', ')}.` };
}

const NO_SITE: Site = {
  id: 'unknown',
  name: 'not configured yet',
  timeZone: 'UTC',
  bookings: { earlyMs: 0, lateMs: 0, entranceEarlyMs: 0, maxScheduleAgeMs: 0 },
  rooms: [],
  doors: [],
  devices: [],
};

/**
 * The API on the data folder's socket alone, for administration while no gateway runs. The site is the one of the last
 * start. It holds the folder's lock until `close`.
 */
export async function serveOffline(dataDir: string, log: Logger): Promise<{ readonly close: () => Promise<void> }> {
  const undo = new Undo(log);
  try {
    const store = openStore(dataDir);
    const known = store.meta.get(SITE_KEY);
    const brain = openBrain(known === undefined ? NO_SITE : (JSON.parse(known) as Site), store, systemClock, log);
    undo.add('data', () => brain.stop());
    await loadRecords(brain);
    const app = await buildApi(
      apiDeps(brain, {
        devices: () => [],
        refusedLogins: () => [],
        health: () => ({ ready: false, parts: { gateway: { ok: false, why: 'The gateway does not run.' } } }),
        confirmTime: () => Promise.resolve(),
        cookieSecure: false,
        sessionIdleMin: 30,
      }),
    );
    const { close } = await listenApi(app, { socketPath: path.join(dataDir, 'doorward.sock') });
    undo.add('socket', close);
    return { close: () => undo.run() };
  } catch (error) {
    await undo.run();
    throw error;
  }
}
