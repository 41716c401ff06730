/** How a source stands, as it is kept between two runs: plain data, read back with care. */
import { createHash } from 'node:crypto';
import type { SourceSettings } from './settings.ts';
import type { Hold } from './trust.ts';
import type { SetAside } from './types.ts';

/** Events set aside that are kept for people; more are only counted. */
const SET_ASIDE_KEPT = 1_000;

export interface Standing {
  /** Fingerprint of what makes bookings out of events: changed settings, members or zone mean mapping anew. */
  readonly mapping: string;
  /** Fingerprint of where the source is: the cursor of another place means nothing here. */
  readonly place: string;
  readonly state: 'waiting' | 'ok' | 'held' | 'failing';
  readonly why: string;
  /** Looks in a row that failed. */
  readonly failures: number;
  readonly lastTriedAtMs?: number | undefined;
  /** When the last good answer was asked for. */
  readonly lastGoodAtMs?: number | undefined;
  readonly lastChangedAtMs?: number | undefined;
  /** Bookings are worked out up to here. */
  readonly expandedToMs: number;
  /** Events read, and those that name none of our rooms. */
  readonly events: number;
  readonly notOurs: number;
  readonly setAside: readonly SetAside[];
  readonly setAsideTotal: number;
  /** A change is half written: work it out anew from the objects. */
  readonly unfinished: boolean;
  /** The source is configured at another place than what is kept came from: no measure for what is read there. */
  readonly moved: boolean;
  /** Collections that cannot be read, and when each was read well last. */
  readonly late: Readonly<Record<string, number>>;
  /** The answer that is not believed yet (trust.ts). */
  readonly hold?: Hold | undefined;
}

export const NEW_STANDING: Standing = {
  mapping: '',
  place: '',
  state: 'waiting',
  why: 'Not read yet.',
  failures: 0,
  expandedToMs: 0,
  events: 0,
  notOurs: 0,
  setAside: [],
  setAsideTotal: 0,
  unfinished: false,
  moved: false,
  late: {},
};

/** What an older version wrote, or nobody, is a source that was never read. */
export function readStanding(text: string | undefined): Standing {
  if (text === undefined) return NEW_STANDING;
  try {
    const read = JSON.parse(text) as Partial<Standing>;
    return { ...NEW_STANDING, ...read };
  } catch {
    return NEW_STANDING;
  }
}

/**
 * What was set aside, after a read.
 * @param hrefs the objects that were read, where that were not all; reasons of others stay
 */
export function reasonsAfter(
  before: Standing,
  read: { readonly setAside: readonly SetAside[]; readonly events: number },
  mapped: { readonly setAside: readonly SetAside[]; readonly notOurs: number },
  hrefs: readonly string[] | undefined,
): Pick<Standing, 'setAside' | 'setAsideTotal' | 'events' | 'notOurs'> {
  const fresh = [...read.setAside, ...mapped.setAside];
  if (hrefs === undefined) {
    const kept = fresh.slice(0, SET_ASIDE_KEPT);
    return { setAside: kept, setAsideTotal: fresh.length, events: read.events, notOurs: mapped.notOurs };
  }
  const again = new Set(hrefs);
  const others = before.setAside.filter(({ href }) => !again.has(href));
  const goneTotal = before.setAside.length - others.length;
  return {
    setAside: [...others, ...fresh].slice(0, SET_ASIDE_KEPT),
    setAsideTotal: before.setAsideTotal - goneTotal + fresh.length,
    events: before.events,
    notOurs: before.notOurs,
  };
}

function fingerprint(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** Where the source is and as whom it is asked; no password, so that a new one costs no full read. */
export function placeOf(settings: SourceSettings): string {
  return fingerprint(settings.kind, settings.url, settings.http.username, 'preset' in settings ? settings.preset : '');
}

/** @param directory fingerprint of the members */
export function mappingOf(settings: SourceSettings, zone: string, directory: string): string {
  return fingerprint(settings.rooms, settings.holder, settings.priority, zone, directory);
}

export function directoryPrint(
  members: readonly { id: string; name: string; addresses?: readonly string[] | undefined }[],
): string {
  return fingerprint(members.map(({ id, name, addresses }) => [id, name, addresses ?? []]));
}

/** The reasons in a few sentences for an alarm: each once, unknown zones first since they concern whole calendars. */
export function setAsideWhy(setAside: readonly SetAside[]): string {
  const sorted = [...setAside].sort((a, b) => Number(b.code === 'unknown_zone') - Number(a.code === 'unknown_zone'));
  const whys = new Set<string>();
  for (const { why } of sorted) {
    if (whys.size >= WHYS_SHOWN) break;
    whys.add(why.slice(0, WHY_MAX));
  }
  return [...whys].join(' ');
}
const WHYS_SHOWN = 3;
const WHY_MAX = 300;
