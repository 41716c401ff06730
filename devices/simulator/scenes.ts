/** What is seen in the first minutes of a demo, whatever the hour: one let in, one too early, one astray, one unknown. */
import type { Room, Site } from '../../gateway/core/site.ts';
import type { Cast, Session } from './cast.ts';
import { inventTitle } from './names.ts';
import type { Visit } from './people.ts';
import type { Random } from './random.ts';

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;
/** When they come, from the start of the demo. */
const PUNCTUAL_MS = 6000;
const EARLY_MS = 14_000;
const ASTRAY_MS = 26_000;
const UNKNOWN_MS = 45_000;
const EMERGENCY_MS = 6 * MINUTE_MS;

export interface Scenes {
  readonly sessions: readonly Session[];
  readonly visits: readonly Visit[];
}

export function openingScenes(site: Site, cast: Cast, nowMs: number, random: Random): Scenes {
  const [punctual, early, astray, empty, busy] = cast.rooms;
  const script = new Script(cast, random);
  const first = (room: Room): string => cast.holdersOf(room.id)[0] as string;
  const startedMs = Math.floor(nowMs / QUARTER_MS) * QUARTER_MS;
  if (punctual) {
    const session = script.book(punctual, startedMs, 75 * MINUTE_MS, first(punctual));
    script.come(session, nowMs + PUNCTUAL_MS);
    tooEarly(site, cast, script, nowMs, early, punctual, session.endMs);
  }
  if (astray) {
    const session = script.book(astray, startedMs, 60 * MINUTE_MS, first(astray));
    script.come(session, nowMs + ASTRAY_MS, { behaviour: 'wrong_door', wrongRoom: punctual?.id });
  }
  // Nobody comes to this one: booked, free, and to be seen as such.
  if (empty) script.book(empty, startedMs, 45 * MINUTE_MS, first(empty));
  if (busy) {
    const session = script.book(busy, startedMs - QUARTER_MS, 90 * MINUTE_MS, first(busy));
    script.come(session, session.startMs - 2 * MINUTE_MS, { companions: 2 });
  }
  script.visits.push(...passersBy(site, cast, nowMs, random));
  return script;
}

class Script implements Scenes {
  readonly sessions: Session[] = [];
  readonly visits: Visit[] = [];
  readonly #cast: Cast;
  readonly #random: Random;

  constructor(cast: Cast, random: Random) {
    this.#cast = cast;
    this.#random = random;
  }

  book(room: Room, startMs: number, lengthMs: number, holder: string): Session {
    const session: Session = {
      id: `b-${room.id}-${Math.floor(startMs / MINUTE_MS)}`,
      room: room.id,
      holder,
      startMs,
      endMs: startMs + lengthMs,
      title: inventTitle(room.kind, this.#random),
      status: 'confirmed',
      scripted: true,
    };
    this.sessions.push(session);
    return session;
  }

  come(session: Session, atMs: number, extra: Partial<Visit> = {}): void {
    const usual = { leaveMs: session.endMs - 2 * MINUTE_MS, behaviour: 'normal', companions: 1 } as const;
    const { holder, room } = session;
    this.visits.push({ person: holder, badge: this.#cast.badgeOf(holder), room, atMs, ...usual, ...extra });
  }
}

/** Somebody whose booking is so far ahead that neither the room nor the entrance opens yet; comes again in time. */
function tooEarly(
  site: Site,
  cast: Cast,
  script: Script,
  nowMs: number,
  early: Room | undefined,
  otherwise: Room,
  otherwiseFreeMs: number,
): void {
  const { earlyMs, entranceEarlyMs } = site.bookings;
  const room = early ?? otherwise;
  const farMs = nowMs + Math.max(earlyMs, entranceEarlyMs) + 10 * MINUTE_MS;
  const startMs = Math.ceil((early ? farMs : Math.max(farMs, otherwiseFreeMs)) / QUARTER_MS) * QUARTER_MS;
  const [guest, other] = [...cast.holdersOf(room.id)].reverse();
  // Until then the room is another's, so that nothing else lets the early one in.
  if (early && other) {
    const sinceMs = Math.floor(nowMs / QUARTER_MS) * QUARTER_MS - QUARTER_MS;
    const session = script.book(early, sinceMs, startMs - QUARTER_MS - sinceMs, other);
    script.come(session, session.startMs - 3 * MINUTE_MS);
  }
  const session = script.book(room, startMs, 60 * MINUTE_MS, guest as string);
  const returnMs = startMs - Math.min(earlyMs, entranceEarlyMs) / 2;
  script.come(session, nowMs + EARLY_MS, { behaviour: 'early', returnMs });
}

/** A card that nobody knows, and the emergency key, once. */
function passersBy(site: Site, cast: Cast, nowMs: number, random: Random): readonly Visit[] {
  const anyRoom = site.doors.find((door) => door.reader && door.room)?.room;
  if (anyRoom === undefined) return [];
  const store = site.rooms.find((room) => room.kind === 'store' && site.doors.some((door) => door.room === room.id));
  const atMs = nowMs + EMERGENCY_MS;
  return [
    {
      person: 'somebody unknown',
      badge: { format: 'uid', value: `04${random.hex(12)}` },
      room: anyRoom,
      atMs: nowMs + UNKNOWN_MS,
      leaveMs: nowMs + UNKNOWN_MS + MINUTE_MS,
      behaviour: 'normal',
    },
    {
      person: 'emergency',
      badge: cast.badgeOf('emergency'),
      room: store?.id ?? anyRoom,
      atMs,
      leaveMs: atMs + 2 * MINUTE_MS,
      behaviour: 'normal',
      inside: true,
    },
  ];
}
