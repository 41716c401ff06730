/** The source that a piece of configuration describes. */
import { releaseCallback } from './push/release.ts';
import type { SourceSettings } from './settings.ts';
import { caldavSource } from './sources/caldav.ts';
import { fhirSource } from './sources/fhir.ts';
import { icsSource } from './sources/ics.ts';
import { webhookSource } from './sources/webhook.ts';
import type { CalendarSource } from './types.ts';

export interface OpenOptions {
  /** IANA name of the building's zone. */
  readonly siteZone: string;
  readonly nowMs: () => number;
  /** How far ahead bookings are asked for. */
  readonly horizonMs: number;
}

export function openSource(settings: SourceSettings, { siteZone, nowMs, horizonMs }: OpenOptions): CalendarSource {
  const source = bare(settings, { siteZone, nowMs, horizonMs });
  // Every kind may have an address that hears of releases; where the calendar itself takes them, it comes first.
  const release = source.release ?? releaseCallback(settings, { now: nowMs });
  return release === undefined || source.release !== undefined ? source : withRelease(source, release);
}

function bare(settings: SourceSettings, { siteZone, nowMs, horizonMs }: OpenOptions): CalendarSource {
  switch (settings.kind) {
    case 'ics':
      return icsSource(settings);
    case 'caldav':
      return caldavSource(settings, { siteZone, now: nowMs });
    case 'webhook':
      return webhookSource(settings, { now: nowMs, aheadMs: horizonMs });
    case 'fhir':
      return fhirSource(settings, { now: nowMs, aheadMs: horizonMs });
    default:
      return settings satisfies never;
  }
}

function withRelease(source: CalendarSource, release: NonNullable<CalendarSource['release']>): CalendarSource {
  const { receive, labels } = source;
  return {
    id: source.id,
    kind: source.kind,
    poll: (cursor, signal) => source.poll(cursor, signal),
    release,
    ...(labels === undefined ? {} : { labels: (cursor: string) => labels.call(source, cursor) }),
    ...(receive === undefined ? {} : { receive: (...args: Parameters<typeof receive>) => receive.apply(source, args) }),
  };
}
