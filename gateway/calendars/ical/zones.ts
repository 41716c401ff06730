/**
 * Which zone a TZID means. In this order:
 *
 * 1. an IANA name, also an old one (US/Eastern) or behind a vendor's prefix (/mozilla.org/20050126_1/Europe/Berlin);
 * 2. a Windows name;
 * 3. the VTIMEZONE of that name in the same VCALENDAR; by its X-LIC-LOCATION if that is an IANA name;
 * 4. a bare abbreviation that IANA has (EST, CET).
 *
 * A known name wins over its VTIMEZONE: senders copy VTIMEZONEs that are years old, hold the current year only or only
 * one half, while the name says which clock hangs on the wall of the practice; Google, Apple and Exchange read it so too.
 * Abbreviations come last because IANA's EST has no summer time and the EST of many a VTIMEZONE has. Nothing else is
 * known: not `GMT+0200` (its sign is read both ways), never the host's own zone.
 */
import { Temporal } from 'temporal-polyfill';
import { Budget } from '../rules/budget.ts';
import { DAY_MS } from '../rules/civil.ts';
import { ianaZone, UTC, type Zone } from './clock.ts';
import type { Block, CalendarPart } from './components.ts';
import { Spoiled, shown } from './fault.ts';
import { locationOf, readZone } from './vtimezone.ts';
import { windowsZone } from './windows.ts';

/** Names without a slash that IANA has; ICU knows others (IST, CST), which mean different zones to different people. */
const PLAIN_NAMES =
  'UTC GMT UCT Zulu Universal Greenwich GMT0 GMT+0 GMT-0 Cuba Egypt Eire GB GB-Eire Hongkong Iceland Iran Israel Jamaica Japan Kwajalein Libya NZ NZ-CHAT Navajo PRC Poland Portugal ROC ROK Singapore Turkey W-SU';
const ABBREVIATIONS = 'EST MST HST CET EET MET WET EST5EDT CST6CDT MST7MDT PST8PDT';
const PLAIN = named(PLAIN_NAMES);
const ABBREVIATED = named(ABBREVIATIONS);
/** Ways to say UTC that are no zone names. */
const UTC_NAMES = new Set([
  'z',
  'utc',
  'gmt',
  'etc/utc',
  'etc/gmt',
  'zulu',
  'tzone://microsoft/utc',
  '(utc)',
  '(utc) coordinated universal time',
]);
const IANA_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){1,2}$/;
/** Zone names that were looked up. Emptied when full: a hostile feed may invent any number. */
const MAX_KNOWN_NAMES = 10_000;
const MAX_NAME_CHARS = 255;
/** VTIMEZONEs are worked out this far beyond the window, so that a series' last days are right. */
const BEYOND_MS = 400 * DAY_MS;
/** Steps for all VTIMEZONEs of one VCALENDAR together, so that a hostile one costs its own events and no others. */
export const ZONE_STEPS = 2_000_000;
/** And for one of them. */
export const ONE_ZONE_STEPS = 100_000;

function named(list: string): ReadonlyMap<string, string> {
  return new Map(list.split(' ').map((name) => [name.toLowerCase(), name]));
}

const knownNames = new Map<string, string | undefined>();

/** The IANA name as Temporal writes it; undefined when it is none. Abbreviations (EST) are none here. */
export function ianaName(id: string): string | undefined {
  if (id.length > MAX_NAME_CHARS) return undefined;
  if (!knownNames.has(id)) {
    if (knownNames.size >= MAX_KNOWN_NAMES) knownNames.clear();
    knownNames.set(id, lookUp(id.trim()));
  }
  return knownNames.get(id);
}

function lookUp(id: string): string | undefined {
  if (UTC_NAMES.has(id.toLowerCase())) return 'UTC';
  const plain = PLAIN.get(id.toLowerCase());
  if (plain !== undefined) return temporalName(plain);
  if (!id.startsWith('/')) return IANA_NAME.test(id) ? temporalName(id) : undefined;
  // A globally unique name (RFC 5545 §3.2.19): vendor/version/Area/City. The longest end that is a zone counts.
  const parts = id.split('/').filter((part) => part !== '');
  for (const length of [3, 2]) {
    const end = parts.slice(-length).join('/');
    const found = parts.length >= length && IANA_NAME.test(end) ? temporalName(end) : undefined;
    if (found !== undefined) return found;
  }
  const last = parts.at(-1)?.toLowerCase() ?? '';
  return UTC_NAMES.has(last) ? 'UTC' : PLAIN.get(last);
}

/** Temporal refuses what the zone database does not have. SystemV/… are ICU's own and no longer IANA's. */
function temporalName(name: string): string | undefined {
  if (/^systemv\//i.test(name)) return undefined;
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch {
    return undefined;
  }
}

/** The zones that the TZIDs of one VCALENDAR mean. */
export class ZoneNames {
  readonly #text: string;
  readonly #calendar: CalendarPart;
  readonly #untilMs: number;
  readonly #shared: Budget;
  readonly #budget = new Budget(ZONE_STEPS);
  readonly #known = new Map<string, Zone | Spoiled>();

  /** @param options end of the window, and the budget of the whole request */
  constructor(text: string, calendar: CalendarPart, options: { readonly toMs: number; readonly budget: Budget }) {
    this.#text = text;
    this.#calendar = calendar;
    this.#untilMs = options.toMs + BEYOND_MS;
    this.#shared = options.budget;
  }

  /** @throws Spoiled `unknown_zone` */
  find(tzid: string): Zone {
    const id = tzid.trim();
    let found = this.#known.get(id);
    if (found === undefined) {
      found = this.#look(id);
      if (this.#known.size >= MAX_KNOWN_NAMES) this.#known.clear();
      this.#known.set(id, found);
    }
    if (found instanceof Spoiled) throw found;
    return found;
  }

  #look(id: string): Zone | Spoiled {
    const name = ianaName(id) ?? windowsZone(id);
    if (name !== undefined) return name === 'UTC' ? UTC : ianaZone(name);
    const block = this.#calendar.zones.get(id);
    if (block !== undefined) {
      const location = ianaName(locationOf(this.#text, block) ?? '');
      if (location !== undefined) return ianaZone(location);
      return this.#define(id, block);
    }
    const abbreviated = ABBREVIATED.get(id.toLowerCase());
    if (abbreviated !== undefined) return ianaZone(abbreviated);
    return new Spoiled(
      'unknown_zone',
      `The time zone ${shown(id)} is neither an IANA nor a Windows name and the calendar does not define it; use an IANA name such as Europe/Berlin.`,
    );
  }

  #define(id: string, block: Block): Zone | Spoiled {
    const mine = new Budget(Math.min(ONE_ZONE_STEPS, this.#budget.left));
    const before = mine.left;
    try {
      return readZone(id, this.#text, block, this.#untilMs, mine);
    } catch (error) {
      if (error instanceof Spoiled) return error;
      throw error;
    } finally {
      this.#budget.spend(before - mine.left);
      this.#shared.spend(before - mine.left);
    }
  }
}
