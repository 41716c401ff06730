/** Small builders for the core's tests: a site with two rooms, people, badges and bookings. */
import type { Effect, JournalDraft, RelaySwitch } from '../../gateway/core/effects.ts';
import type { CredentialFact, Fact, Now } from '../../gateway/core/facts.ts';
import type { Booking, Credential, Member } from '../../gateway/core/records.ts';
import type { Door, Room, Site } from '../../gateway/core/site.ts';
import { createState, type State } from '../../gateway/core/state.ts';
import { settle, step } from '../../gateway/core/step.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
/** Monday 2026-03-02 00:00 UTC. */
export const MONDAY = Date.UTC(2026, 2, 2);

export function at(wallMs: number): Now {
  return { wallMs, monoMs: wallMs - MONDAY };
}

export function aRoom(id: string, change: Partial<Room> = {}): Room {
  return {
    id,
    name: id,
    kind: 'consult',
    floor: 'ground',
    points: {
      presence: [`${id}-unit/presence`],
      temperature: `${id}-unit/temperature`,
      heating: `${id}-unit/relay`,
      cooling: `${id}-unit/relay-2`,
      lights: [`${id}-unit/dimmer`],
    },
    climate: {
      heatTo: 21,
      coolTo: 24,
      setbackTo: 16,
      setupTo: 32,
      leadMs: 45 * MINUTE,
      minOnMs: 0,
      minOffMs: 0,
      freezeBelow: 4,
    },
    lighting: { level: 80, offAfterMs: 15 * MINUTE, warnMs: MINUTE },
    occupancy: { holdMs: 7 * MINUTE },
    ...change,
  };
}

export function aDoor(id: string, room: string | undefined, change: Partial<Door> = {}): Door {
  return {
    id,
    name: id,
    room,
    common: room === undefined,
    lock: `${id}-lock/lock`,
    contact: `${id}-lock/door`,
    reader: `${id}-reader/reader`,
    exit: `${id}-lock/exit`,
    strikeMs: 5_000,
    heldOpenAfterMs: 120_000,
    ...change,
  };
}

export function aSite(change: Partial<Site> = {}): Site {
  return {
    id: 'test',
    name: 'Test clinic',
    timeZone: 'Europe/Berlin',
    bookings: { earlyMs: 10 * MINUTE, lateMs: 5 * MINUTE, entranceEarlyMs: 30 * MINUTE, maxScheduleAgeMs: 36 * HOUR },
    rooms: [aRoom('r1'), aRoom('r2')],
    doors: [aDoor('d1', 'r1'), aDoor('d2', 'r2'), aDoor('entrance', undefined)],
    devices: ['r1-unit', 'r2-unit', 'd1-lock', 'd1-reader', 'd2-lock', 'd2-reader', 'entrance-lock', 'entrance-reader'],
    ...change,
  };
}

export function aBooking(id: string, startMs: number, endMs: number, change: Partial<Booking> = {}): Booking {
  return {
    id,
    room: 'r1',
    holder: 'ada',
    delegates: [],
    startMs,
    endMs,
    status: 'confirmed',
    source: 'local',
    title: '',
    ...change,
  };
}

export function aMember(id: string, change: Partial<Member> = {}): Member {
  return { id, name: id, kind: 'practitioner', status: 'active', rights: [], ...change };
}

export function aCredential(member: string, change: Partial<Credential> = {}): Credential {
  return { id: `card-${member}`, member, hash: `hash-${member}`, status: 'active', ...change };
}

export function aRead(member: string, door = 'd1', change: Partial<CredentialFact> = {}): CredentialFact {
  return {
    kind: 'credential',
    point: `${door}-reader/reader`,
    hashes: [`hash-${member}`],
    format: 'uid',
    last4: '0000',
    ...change,
  };
}

export interface World {
  readonly state: State;
  /** Steps the core and keeps every effect. */
  do(fact: Fact, atMs: number): readonly Effect[];
}

/** A state with trusted time, Ada and Ben with a badge each, and the bookings given. */
export function aWorld(
  options: {
    site?: Site;
    bookings?: readonly Booking[];
    members?: readonly Member[];
    credentials?: readonly Credential[];
    relaySwitches?: readonly RelaySwitch[];
    /** Those that are on line from the start; all unless given. */
    online?: readonly string[];
    atMs?: number;
  } = {},
): World {
  const startMs = options.atMs ?? MONDAY;
  const state = createState({
    site: options.site ?? aSite(),
    instance: 'T',
    alarms: [],
    relaySwitches: options.relaySwitches ?? [],
    now: at(startMs),
  });
  const act = (fact: Fact, atMs: number) => [...step(state, fact, at(atMs)), ...settle(state, at(atMs))];
  act({ kind: 'time_trust', trusted: true, why: 'test' }, startMs);
  act({ kind: 'members', upsert: options.members ?? [aMember('ada'), aMember('ben')], remove: [] }, startMs);
  act(
    { kind: 'credentials', upsert: options.credentials ?? [aCredential('ada'), aCredential('ben')], remove: [] },
    startMs,
  );
  act({ kind: 'bookings', upsert: options.bookings ?? [], remove: [] }, startMs);
  for (const device of options.online ?? state.site.devices) act({ kind: 'device', device, online: true }, startMs);
  return { state, do: act };
}

export function journalOf(effects: readonly Effect[]): JournalDraft[] {
  return effects.flatMap((effect) => (effect.kind === 'journal' ? [effect.entry] : []));
}

export function commandsOf(effects: readonly Effect[], op?: string) {
  return effects.flatMap((effect) =>
    effect.kind === 'command' && (op === undefined || effect.command.do.op === op) ? [effect.command] : [],
  );
}

/** `granted`, or `reason` or `reason/subReason`: one word for tables. */
export function verdict(effects: readonly Effect[]): string {
  const entry = journalOf(effects).find((draft) => draft.kind === 'access');
  if (entry === undefined) return 'nothing';
  return entry.subReason === undefined ? (entry.reason ?? 'nothing') : `${entry.reason}/${entry.subReason}`;
}
