/**
 * A believable clinic day: who works there, what is booked, who comes when. All of it follows from the site, the time
 * and a seed, so a day that is asked for later is the day that its bookings were made for.
 */
import type { Room, Site } from '../../gateway/core/site.ts';
import {
  type Cast,
  CLEANERS,
  castOf,
  type PlannedBadge,
  type PlannedBooking,
  type PlannedMember,
  type Session,
  STAFF,
} from './cast.ts';
import { addDays, dayStart } from './localday.ts';
import { inventTitle } from './names.ts';
import type { Visit, VisitPlan } from './people.ts';
import { type Random, seeded } from './random.ts';
import { openingScenes } from './scenes.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const QUARTER_MS = 15 * MINUTE_MS;
/** Opening hours of a day, hours from local midnight. */
const OPENS_H = 7;
const CLOSES_H = 20;
/** Staff are about before and after, within their rights of 06:00-22:00. */
const STAFF_FROM_H = 6;
const STAFF_TO_H = 21.8;
/** Today reaches at least this far back and ahead of now, so that a demo at night shows a working clinic too. */
const AROUND_BACK_MS = 90 * MINUTE_MS;
const AROUND_AHEAD_MS = 6 * HOUR_MS;
const SESSIONS_MIN: Readonly<Record<string, readonly number[]>> = {
  consult: [45, 60, 60, 90, 120],
  therapy: [45, 60, 60],
  procedure: [90, 120, 180],
};
const GAPS_MIN = [0, 0, 15, 15, 30, 45];
/** Of each kind of visitor, in hundredths; the rest come as they should. */
const NO_SHOWS = 5;
const WRONG_DOORS = 5;
const OVERSTAYERS = 6;

export interface DemoPlan extends VisitPlan {
  readonly members: readonly PlannedMember[];
  readonly badges: readonly PlannedBadge[];
  readonly bookings: readonly PlannedBooking[];
  readonly visits: readonly Visit[];
  readonly untilMs: number;
  more(fromMs: number, toMs: number): readonly Visit[];
  /** Bookings of the local day that holds this instant, for a demo that runs on past `daysAhead`. */
  bookingsOf(atMs: number): readonly PlannedBooking[];
}

export interface PlanOptions {
  /** Days before and after today whose bookings are made at once. */
  readonly daysBack?: number;
  readonly daysAhead?: number;
}

/**
 * Bookings under way and to come, members and their badges, and visits. Within a minute of `nowMs` a practitioner is
 * let in, one is refused for coming early, one tries a wrong door, and a card that nobody knows is held to the
 * entrance; one booking under way stays empty.
 */
export function demoPlan(site: Site, nowMs: number, seed: number | string, options: PlanOptions = {}): DemoPlan {
  const cast = castOf(site, seed);
  const today = dayStart(nowMs, site.timeZone);
  const scenes = openingScenes(site, cast, nowMs, seeded(`${seed}/scenes`));
  const plannedDays = new Map<number, readonly Session[]>();
  const sessionsOf = (day: number): readonly Session[] => {
    let sessions = plannedDays.get(day);
    if (!sessions) {
      sessions = planDay(site, cast, day, seed, day === today ? { nowMs, fixed: scenes.sessions } : undefined);
      plannedDays.set(day, sessions);
    }
    return sessions;
  };
  const between = (fromMs: number, toMs: number): readonly Visit[] => {
    const visits: Visit[] = [];
    // Today may reach into its neighbours, so these are looked at as well.
    let day = addDays(dayStart(fromMs, site.timeZone), -1, site.timeZone);
    for (; day < toMs + 24 * HOUR_MS; day = addDays(day, 1, site.timeZone)) {
      visits.push(...visitsOf(site, cast, sessionsOf(day), day, seed));
      for (const known of plannedDays.keys()) if (known < day - 3 * 24 * HOUR_MS) plannedDays.delete(known);
    }
    return visits.filter((visit) => visit.atMs >= fromMs && visit.atMs < toMs).sort((a, b) => a.atMs - b.atMs);
  };
  const bookings: PlannedBooking[] = [];
  for (let offset = -(options.daysBack ?? 1); offset <= (options.daysAhead ?? 2); offset++) {
    bookings.push(...sessionsOf(addDays(today, offset, site.timeZone)).map(bookingOf));
  }
  const untilMs = addDays(today, 1, site.timeZone);
  const earlier = between(nowMs - 12 * HOUR_MS, untilMs).filter((visit) => visit.leaveMs > nowMs);
  return {
    members: cast.members,
    badges: cast.badges,
    bookings,
    visits: [...scenes.visits, ...earlier].sort((a, b) => a.atMs - b.atMs),
    untilMs,
    more: between,
    bookingsOf: (atMs) => sessionsOf(dayStart(atMs, site.timeZone)).map(bookingOf),
  };
}

function bookingOf({ id, room, holder, startMs, endMs, title, status }: Session): PlannedBooking {
  return { id, room, holder, startMs, endMs, title, status };
}

interface Around {
  readonly nowMs: number;
  readonly fixed: readonly Session[];
}

function planDay(site: Site, cast: Cast, day: number, seed: number | string, around?: Around): readonly Session[] {
  let fromMs = day + OPENS_H * HOUR_MS;
  let toMs = day + CLOSES_H * HOUR_MS;
  if (around) {
    fromMs = Math.min(fromMs, quarter(around.nowMs - AROUND_BACK_MS));
    toMs = Math.max(toMs, quarter(around.nowMs + AROUND_AHEAD_MS));
    // The days beside it keep their own hours.
    fromMs = Math.max(fromMs, addDays(day, -1, site.timeZone) + CLOSES_H * HOUR_MS);
    toMs = Math.min(toMs, addDays(day, 1, site.timeZone) + OPENS_H * HOUR_MS);
  }
  return cast.rooms.flatMap((room) => {
    const random = seeded(`${seed}/${day}/${room.id}`);
    const fixed = (around?.fixed ?? []).filter((session) => session.room === room.id);
    fixed.sort((a, b) => a.startMs - b.startMs);
    const sessions: Session[] = [...fixed];
    let atMs = fromMs;
    for (const session of fixed) {
      sessions.push(...fill(cast, room, atMs, session.startMs, random));
      atMs = session.endMs;
    }
    sessions.push(...fill(cast, room, atMs, toMs, random));
    return sessions.sort((a, b) => a.startMs - b.startMs);
  });
}

/** Sessions one after another in `[fromMs, toMs)`, with pauses, the room's holders in turn. */
function fill(cast: Cast, room: Room, fromMs: number, toMs: number, random: Random): readonly Session[] {
  const sessions: Session[] = [];
  const holders = cast.holdersOf(room.id);
  const lengths = SESSIONS_MIN[room.kind] ?? [60, 90];
  let startMs = Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS + random.pick(GAPS_MIN) * MINUTE_MS;
  let turn = random.whole(0, 1);
  for (;;) {
    const endMs = startMs + random.pick(lengths) * MINUTE_MS;
    if (endMs > toMs) return sessions;
    sessions.push({
      id: `b-${room.id}-${Math.floor(startMs / MINUTE_MS)}`,
      room: room.id,
      holder: holders[turn % holders.length] as string,
      startMs,
      endMs,
      title: inventTitle(room.kind, random),
      status: random.chance(0.04) ? 'tentative' : 'confirmed',
    });
    // Whoever has the room often has it twice running.
    if (random.chance(0.6)) turn++;
    startMs = endMs + random.pick(GAPS_MIN) * MINUTE_MS;
  }
}

function visitsOf(
  site: Site,
  cast: Cast,
  sessions: readonly Session[],
  day: number,
  seed: number | string,
): readonly Visit[] {
  const random = seeded(`${seed}/${day}/visits`);
  const taken = sessions.filter((session) => !session.scripted && session.status === 'confirmed');
  return [
    ...taken.map((session) => visitOf(site, cast, session, random)),
    ...errands(site, cast, day, seeded(`${seed}/${day}/errands`)),
    ...cleaningRound(cast, day, seeded(`${seed}/${day}/cleaning`)),
    ...waiting(site, cast, day, seeded(`${seed}/${day}/waiting`)),
  ];
}

function visitOf(site: Site, cast: Cast, session: Session, random: Random): Visit {
  const dice = random.whole(1, 100);
  const behaviour =
    dice <= NO_SHOWS
      ? 'no_show'
      : dice <= NO_SHOWS + WRONG_DOORS
        ? 'wrong_door'
        : dice <= NO_SHOWS + WRONG_DOORS + OVERSTAYERS
          ? 'overstay'
          : 'normal';
  const earliestMs = Math.min(site.bookings.earlyMs, 8 * MINUTE_MS) * 0.9;
  return {
    person: session.holder,
    badge: cast.badgeOf(session.holder),
    room: session.room,
    atMs: Math.round(session.startMs + random.between(-earliestMs, 3 * MINUTE_MS)),
    leaveMs: Math.round(session.endMs - random.between(0, 5 * MINUTE_MS)),
    behaviour,
    companions: random.whole(0, 2),
  };
}

/** Staff who fetch something: from a store if there is one, else from any room, every few minutes of the day. */
function errands(site: Site, cast: Cast, day: number, random: Random): readonly Visit[] {
  const readable = site.doors.filter((door) => door.reader && door.room);
  const kindOf = new Map(site.rooms.map((room) => [room.id, room.kind]));
  const stores = readable.filter((door) => kindOf.get(door.room ?? '') === 'store');
  const targets = stores.length > 0 ? stores : readable;
  const visits: Visit[] = [];
  if (targets.length === 0) return visits;
  let atMs = day + STAFF_FROM_H * HOUR_MS;
  while (atMs < day + STAFF_TO_H * HOUR_MS) {
    atMs += Math.round(random.between(1.5, 5) * MINUTE_MS);
    const person = `staff-${random.whole(1, STAFF)}`;
    visits.push({
      person,
      badge: cast.badgeOf(person),
      room: random.pick(targets).room as string,
      atMs,
      leaveMs: atMs + Math.round(random.between(0.7, 3) * MINUTE_MS),
      behaviour: 'normal',
      // Now and then they come in from the street, or from a break.
      inside: random.chance(0.75),
    });
  }
  return visits;
}

/** Patients in waiting rooms that nobody needs a badge for; they come in with somebody else. */
function waiting(site: Site, cast: Cast, day: number, random: Random): readonly Visit[] {
  const open = site.rooms.filter(
    (room) => room.kind === 'waiting' && !site.doors.some((door) => door.room === room.id && door.reader),
  );
  return open.flatMap((room) => {
    const visits: Visit[] = [];
    let atMs = day + OPENS_H * HOUR_MS;
    while (atMs < day + (CLOSES_H - 1) * HOUR_MS) {
      const leaveMs = atMs + Math.round(random.between(4, 20) * MINUTE_MS);
      // The badge is never shown: there is no reader on the way.
      const badge = cast.badgeOf('emergency');
      visits.push({ person: 'a patient', badge, room: room.id, atMs, leaveMs, behaviour: 'normal', inside: true });
      atMs += Math.round(random.between(3, 9) * MINUTE_MS);
    }
    return visits;
  });
}

/** After hours each room is cleaned in turn; once a day a cleaner comes at a time when cleaners have no right. */
function cleaningRound(cast: Cast, day: number, random: Random): readonly Visit[] {
  const clean = (room: Room, atMs: number, index: number, inside: boolean): Visit => {
    const person = `cleaner-${(index % CLEANERS) + 1}`;
    const leaveMs = atMs + 7 * MINUTE_MS;
    return { person, badge: cast.badgeOf(person), room: room.id, atMs, leaveMs, behaviour: 'normal', inside };
  };
  const [first] = cast.rooms;
  if (!first) return [];
  const round = cast.rooms.slice(0, 12).map((room, index) => {
    const atMs = day + CLOSES_H * HOUR_MS + 5 * MINUTE_MS + Math.floor(index / CLEANERS) * 9 * MINUTE_MS;
    return clean(room, atMs + random.whole(0, 60_000), index, index >= CLEANERS);
  });
  return [clean(first, day + 16 * HOUR_MS + random.whole(0, HOUR_MS), 0, false), ...round];
}

function quarter(atMs: number): number {
  return Math.floor(atMs / QUARTER_MS) * QUARTER_MS;
}

export type { PlannedBadge, PlannedBooking, PlannedMember } from './cast.ts';
