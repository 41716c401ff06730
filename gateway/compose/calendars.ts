/** The outside calendars of a site: sources out of the configuration, the host beside the brain, what the API asks of it. */
import type { ApiDeps } from '../api/index.ts';
import { CalendarHost, Expander, openSource, type SourceSettings } from '../calendars/index.ts';
import type { Config, SourceConfig } from '../config/index.ts';
import type { Booking } from '../core/records.ts';
import type { Brain } from './brain.ts';

const MS_PER_S = 1_000;
const MS_PER_MIN = 60 * MS_PER_S;
const MS_PER_DAY = 24 * 60 * MS_PER_MIN;
const BYTES_PER_MB = 1024 * 1024;

/** What the configuration says of one source, in the words of `gateway/calendars`. */
export function toSourceSettings(source: SourceConfig): SourceSettings {
  const { id, kind, url = '', priority, holder, holdPolls, releaseUrl, releaseSecret, secret = '' } = source;
  const common = {
    id,
    url,
    priority,
    holder,
    holdPolls,
    releaseUrl,
    releaseSecret,
    everyMs: source.everyMin * MS_PER_MIN,
    rooms: typeof source.rooms === 'string' ? { by: 'calendar' as const, map: { '*': source.rooms } } : source.rooms,
    http: {
      username: source.username,
      password: source.password,
      bearer: source.bearer,
      allowHttp: source.allowHttp,
      allowPrivate: source.allowPrivate,
      timeoutMs: source.timeoutS * MS_PER_S,
      maxBytes: Math.round(source.maxMb * BYTES_PER_MB),
    },
  };
  switch (kind) {
    case 'ics':
      return { ...common, kind };
    case 'caldav':
      return { ...common, kind, writeReleases: source.writeReleases };
    case 'webhook':
      return {
        ...common,
        kind,
        url: source.url,
        preset: source.preset ?? 'doorward',
        secret,
        signatureHeader: source.signatureHeader?.toLowerCase(),
        timestampHeader: source.timestampHeader?.toLowerCase(),
        toleranceMs: source.toleranceS * MS_PER_S,
      };
    case 'fhir':
      return { ...common, kind, secret: source.secret };
    default:
      return kind satisfies never;
  }
}

export interface OpenedCalendars {
  readonly host: CalendarHost;
  readonly deps: Pick<Required<ApiDeps>, 'calendars' | 'bookingsOutside'>;
}

/** Tells the core how fresh each schedule is; `host.start()` begins to look. */
export function openCalendars(config: Config, brain: Brain): OpenedCalendars {
  const { site, store, loop, clock, metrics, log } = brain;
  const nowMs = () => clock.now().wallMs;
  const { horizonDays, sources } = config.bookings;
  const horizonMs = horizonDays * MS_PER_DAY;
  const listeners = new Set<(before: readonly Booking[], after: readonly Booking[]) => void>();
  const host = new CalendarHost({
    sources: sources.map(toSourceSettings).map((settings) => ({
      settings,
      source: openSource(settings, { siteZone: site.timeZone, nowMs, horizonMs }),
    })),
    store,
    loop,
    clock,
    log,
    expander: new Expander({ log: (text) => log.warn({ why: text }, 'calendar: the reader') }),
    siteZone: site.timeZone,
    horizonMs,
    get maxScheduleAgeMs() {
      return brain.state.schedule.rules.maxScheduleAgeMs;
    },
    bookingsChanged: (before, after) => {
      for (const listener of listeners) listener(before, after);
    },
    observer: {
      looked: (source, outcome) => metrics.calendarLooks.inc({ source, outcome }),
      pushed: (source, outcome) => metrics.calendarMessages.inc({ source, outcome }),
    },
  });
  metrics.watchCalendars(() => host.health(), nowMs);
  loop.onEffect((effect) => {
    if (effect.kind === 'release') host.bookingReleased(effect.booking, effect.why);
  });
  host.announce();
  return {
    host,
    deps: {
      calendars: {
        health: () => host.health(),
        refresh: (id) => host.refresh(id),
        receive: (id, push) => host.receive(id, push),
        membersChanged: () => host.membersChanged(),
      },
      bookingsOutside: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  };
}
