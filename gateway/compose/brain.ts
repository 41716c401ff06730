/** The parts that decide and remember, with or without devices around them. */
import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import type { Logger } from 'pino';
import { ulid } from '../api/ids.ts';
import type { ApiDeps } from '../api/index.ts';
import { dayAround, expandRights, repeatTimes, shiftTimes } from '../calendars/index.ts';
import type { Config } from '../config/index.ts';
import { canonicalCredentials } from '../core/access/credential.ts';
import { KEEP_ENDED_MS } from '../core/bookings/schedule.ts';
import type { Command } from '../core/effects.ts';
import type { Member } from '../core/records.ts';
import type { Site } from '../core/site.ts';
import { createState, type State } from '../core/state.ts';
import { systemClock } from '../loop/clock.ts';
import { Keeper } from '../loop/keeper.ts';
import { Loop } from '../loop/loop.ts';
import type { Clock } from '../loop/types.ts';
import type { MemberRecord, Store } from '../store/types.ts';
import { openHistory } from '../telemetry/history.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { builtDashboard, version } from './beside.ts';
import { lastGrants, openCommands } from './earlier.ts';

export const SITE_KEY = 'site';
/** Weekly rights are worked out this far around now, and anew this often. */
const RIGHTS_BEHIND_MS = 24 * 3600_000;
const RIGHTS_AHEAD_MS = 14 * 24 * 3600_000;
const RIGHTS_EVERY_MS = 6 * 3600_000;
export interface Brain {
  readonly site: Site;
  readonly store: Store;
  readonly state: State;
  readonly loop: Loop;
  readonly keeper: Keeper;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where commands go, once there is somewhere. */
  perform: (command: Command) => void;
  stop(): void;
}

export function openBrain(site: Site, store: Store, clock: Clock, log: Logger, maxWaiting?: number): Brain {
  const metrics = createMetrics();
  metrics.watchOutbox(store.outbox);
  const now = clock.now();
  const earlier = openCommands(store.journal);
  const state = createState({
    site,
    instance: ulid(now.wallMs).slice(0, 20),
    alarms: store.alarms.live(),
    relaySwitches: store.relays.list(),
    grants: lastGrants(store.journal, now.wallMs),
    commands: earlier,
    now,
  });
  const loop = new Loop({
    state,
    clock,
    journal: store.journal,
    log,
    maxWaiting,
    perform: (command) => brain.perform(command),
    observer: {
      batch: (_facts, entries, commitMs) => {
        metrics.queueDepth.set(loop.queued);
        metrics.journalWaiting.set(loop.journalWaiting);
        if (entries > 0) metrics.commitSeconds.observe(commitMs / 1000);
      },
      dropped: () => metrics.factsDropped.inc(),
      refused: () => metrics.journalFailures.inc(),
    },
  });
  loop.onJournal((entries) => {
    for (const { kind, outcome, reason } of entries) {
      if (kind === 'access' && outcome !== undefined && reason !== undefined)
        metrics.decisions.inc({ outcome, reason });
    }
  });
  const keeper = new Keeper(store, clock, (why) => {
    log[why === undefined ? 'info' : 'error'](
      { why },
      why === undefined ? 'telemetry is kept again' : 'telemetry cannot be kept',
    );
    const text = `Telemetry cannot be written (${why}). Free the disk.`;
    loop.post({ kind: 'system', part: 'disk', ok: why === undefined, why: why === undefined ? '' : text });
  });
  keeper.attach(loop);
  for (const { command } of earlier) {
    const why = 'The gateway ended before the device reported.';
    loop.post({ kind: 'command_outcome', command, point: '', outcome: 'unknown', why });
  }
  const brain: Brain = {
    site,
    store,
    state,
    loop,
    keeper,
    metrics,
    clock,
    log,
    perform: ({ id, point }) => {
      loop.post({ kind: 'command_outcome', command: id, point, outcome: 'failed', why: 'no devices are attached' });
    },
    stop() {
      loop.stop();
      keeper.stop();
      store.close();
    },
  };
  return brain;
}

/** All that the clinic keeps goes into the core before anything may ask it. */
export async function loadRecords({ loop, store, clock, site }: Brain): Promise<void> {
  const nowMs = clock.now().wallMs;
  await loop.submit({ kind: 'members', upsert: membersNow(store.members.list(), site, nowMs), remove: [] });
  await loop.submit({ kind: 'credentials', upsert: store.credentials.list(), remove: [] });
  await loop.submit({ kind: 'bookings', upsert: store.bookings.list({ fromMs: nowMs - KEEP_ENDED_MS }), remove: [] });
}

function membersNow(records: readonly MemberRecord[], site: Site, nowMs: number): Member[] {
  // The core decides by ids; mail addresses stay outside.
  return records.map(({ addresses: _, ...record }) => ({
    ...record,
    rights: expandRights(record.rights, site.timeZone, nowMs - RIGHTS_BEHIND_MS, nowMs + RIGHTS_AHEAD_MS),
  }));
}

/** Weekly rights are intervals that run out: work them out anew well before. */
export function keepRights({ loop, store, clock, site }: Brain): () => void {
  let cancel = () => {};
  const again = () => {
    loop.post({ kind: 'members', upsert: membersNow(store.members.list(), site, clock.now().wallMs), remove: [] });
    cancel = clock.after(RIGHTS_EVERY_MS, again);
  };
  cancel = clock.after(RIGHTS_EVERY_MS, again);
  return () => cancel();
}

/** Credential numbers leave memory as this; the key never leaves the data folder. */
export function credentialHasher(secret: Buffer): (canonical: string) => string {
  // A key object: node:crypto would make one of a buffer at each read.
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'doorward credential numbers', 32)));
  return (canonical) => createHmac('sha256', key).update(canonical).digest('hex');
}

export interface Surroundings {
  readonly devices: ApiDeps['devices'];
  readonly refusedLogins: ApiDeps['refusedLogins'];
  readonly health: ApiDeps['health'];
  readonly confirmTime: ApiDeps['confirmTime'];
  readonly influx?: Config['influx'] | undefined;
  readonly cookieSecure: boolean;
  readonly sessionIdleMin: number;
  /** The outside calendars, where a gateway runs. */
  readonly outside?: Pick<ApiDeps, 'calendars' | 'bookingsOutside'> | undefined;
}

export function apiDeps(brain: Brain, around: Surroundings): ApiDeps {
  const { site, store, loop, metrics, clock, log, state } = brain;
  return {
    site,
    store,
    keep: () => brain.keeper.flush(),
    loop,
    history: openHistory({ outbox: store.outbox, site: site.id, influx: around.influx }),
    devices: around.devices,
    refusedLogins: around.refusedLogins,
    metricsText: () => {
      metrics.alarmsLive.set(loop.alarms().length);
      metrics.devicesOnline.set(around.devices().filter((device) => device.online === true).length);
      return metrics.text();
    },
    answered: ({ method, route, status, seconds }) => {
      metrics.httpRequests.inc({ method, route, status });
      metrics.httpSeconds.observe({ method, route }, seconds);
    },
    streams: (open) => metrics.streamClients.set(open),
    health: around.health,
    confirmTime: around.confirmTime,
    hashCredential: credentialHasher(store.secret),
    canonicalCredentials,
    expandRights: (rights, fromMs, toMs) => expandRights(rights, site.timeZone, fromMs, toMs),
    dayAround: (atMs) => dayAround(atMs, site.timeZone),
    repeatTimes: (first, repetition) => repeatTimes(first, repetition, site.timeZone),
    shiftTimes: (times, from, to) => shiftTimes(times, from, to, site.timeZone),
    ...around.outside,
    timeTrusted: () => state.timeTrust.trusted,
    bookingsOf: (member, fromMs, toMs) => state.schedule.ofMemberWithin(member, fromMs, toMs),
    bookingRules: () => state.schedule.rules,
    clock,
    realClock: systemClock,
    log,
    dashboardDir: builtDashboard(),
    version: version(),
    cookieSecure: around.cookieSecure,
    sessionIdleMin: around.sessionIdleMin,
  };
}
