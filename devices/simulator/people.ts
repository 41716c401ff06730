/**
 * People who come, badge, sit and go. What they intend is data (`Visit`); what happens to them depends on the doors.
 * Appointments follow the world's time, which may run fast; hands and doors follow the devices' own clock.
 */
import { type SimClock, Stopped, Timers } from './clock.ts';
import type { Answer, Doorway } from './doorway.ts';
import type { Random } from './random.ts';
import type { Badge } from './reader.ts';
import type { RoomUnit } from './roomunit.ts';

export type Behaviour = 'normal' | 'no_show' | 'wrong_door' | 'overstay' | 'early';

export interface Visit {
  /** For the log and the tests only; never leaves the simulator. */
  readonly person: string;
  readonly badge: Badge;
  /** Room id. */
  readonly room: string;
  /** Unix ms at the entrance. */
  readonly atMs: number;
  /** Unix ms, leaving the room. */
  readonly leaveMs: number;
  readonly behaviour: Behaviour;
  /** Who walks in behind, without a badge: patients. */
  readonly companions?: number | undefined;
  /** Which door a `wrong_door` tries first; chosen at random when absent. */
  readonly wrongRoom?: string | undefined;
  /** An `early` one who is refused comes again at this time, Unix ms; without it, tries again every few minutes. */
  readonly returnMs?: number | undefined;
  /** Comes from inside the building and stays there: staff on an errand. */
  readonly inside?: boolean | undefined;
}

/** Visits known now and, where people keep coming, those of later days. */
export interface VisitPlan {
  readonly visits: readonly Visit[];
  /** `visits` holds everybody who arrives before this, Unix ms. */
  readonly untilMs?: number | undefined;
  /** Who arrives in `[fromMs, toMs)`. */
  more?(fromMs: number, toMs: number): readonly Visit[];
}

export interface VisitStep {
  readonly visit: Visit;
  readonly step: 'seated' | 'arrived' | 'answer' | 'entered' | 'left_room' | 'gone' | 'stayed_away';
  readonly door?: string | undefined;
  readonly answer?: Answer | undefined;
}

/** Nobody plans more visits than this. */
const MAX_VISITS = 20_000;
/** Who should have come longer ago than this sits there already. */
const SEATED_AFTER_MS = 60_000;
/** Later days are asked for this long ahead, in pieces of a day. */
const AHEAD_MS = 6 * 3_600_000;
const PIECE_MS = 24 * 3_600_000;
/** From the entrance to a room or from door to door. */
const WALK_MS: readonly [number, number] = [3000, 6000];
/** Between two tries at a door that said nothing. */
const TRY_AGAIN_MS = 4000;
const TRIES = 2;
/** By the world's clock: between two tries of somebody too early, and how many. */
const EARLY_WAIT_MS = 150_000;
const EARLY_TRIES = 6;
const OVERSTAY_MS: readonly [number, number] = [5 * 60_000, 15 * 60_000];

export interface PeopleOptions {
  readonly clock: SimClock;
  readonly world: SimClock;
  readonly random: Random;
  readonly doors: readonly Doorway[];
  readonly rooms: ReadonlyMap<string, RoomUnit>;
  readonly plan: VisitPlan;
  readonly onStep?: ((step: VisitStep) => void) | undefined;
  readonly log?: ((text: string) => void) | undefined;
}

export class People {
  readonly counts = { arrived: 0, admitted: 0, refused: 0, unanswered: 0, stayedAway: 0, inside: 0 };
  readonly #options: PeopleOptions;
  readonly #timers: Timers;
  readonly #worldTimers: Timers;
  /** Soonest first. */
  #waiting: Visit[] = [];
  #cancelNext: () => void = () => {};
  #knownUntilMs: number;
  #running = false;

  constructor(options: PeopleOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock);
    this.#worldTimers = new Timers(options.world);
    this.#knownUntilMs = options.plan.untilMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Visits that have not begun. */
  get planned(): number {
    return this.#waiting.length;
  }

  start(): void {
    this.#running = true;
    const nowMs = this.#options.world.wallMs();
    this.#knownUntilMs = Math.max(this.#knownUntilMs, nowMs);
    for (const visit of this.#options.plan.visits) {
      if (visit.leaveMs <= nowMs) continue;
      if (visit.atMs < nowMs - SEATED_AFTER_MS) this.#sitAlready(visit);
      else this.add(visit);
    }
    this.#lookAhead();
    this.#armNext();
  }

  /** False when too many visits are planned already. */
  add(visit: Visit): boolean {
    if (this.#waiting.length >= MAX_VISITS) return false;
    let place = this.#waiting.length;
    while (place > 0 && (this.#waiting[place - 1] as Visit).atMs > visit.atMs) place--;
    this.#waiting.splice(place, 0, visit);
    if (place === 0) this.#armNext();
    return true;
  }

  stop(): void {
    this.#running = false;
    this.#cancelNext();
    this.#timers.stop();
    this.#worldTimers.stop();
  }

  #lookAhead(): void {
    const { plan, world } = this.#options;
    if (!plan.more) return;
    while (this.#knownUntilMs < world.wallMs() + AHEAD_MS) {
      const fromMs = this.#knownUntilMs;
      this.#knownUntilMs = fromMs + PIECE_MS;
      for (const visit of plan.more(fromMs, this.#knownUntilMs)) this.add(visit);
    }
    this.#worldTimers.after(AHEAD_MS / 2, () => this.#lookAhead());
  }

  #armNext(): void {
    this.#cancelNext();
    const next = this.#waiting[0];
    if (!next || !this.#running) return;
    const waitMs = Math.max(0, next.atMs - this.#options.world.wallMs());
    this.#cancelNext = this.#worldTimers.after(waitMs, () => {
      this.#waiting.shift();
      this.#armNext();
      this.#run(next, () => this.#come(next));
    });
  }

  #run(visit: Visit, task: () => Promise<void>): void {
    task().catch((error: unknown) => {
      if (error instanceof Stopped) return;
      this.#options.log?.(`${visit.person}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  #sitAlready(visit: Visit): void {
    if (visit.behaviour === 'no_show') return;
    const room = this.#options.rooms.get(visit.room);
    if (!room) return;
    this.counts.inside++;
    room.enter(1 + (visit.companions ?? 0));
    this.#tell({ visit, step: 'seated' });
    this.#run(visit, () => this.#stayAndGo(visit));
  }

  async #come(visit: Visit): Promise<void> {
    if (visit.behaviour === 'no_show') {
      this.counts.stayedAway++;
      this.#tell({ visit, step: 'stayed_away' });
      return;
    }
    this.counts.arrived++;
    this.#tell({ visit, step: 'arrived' });
    if (!(await this.#passEntrance(visit))) {
      this.#tell({ visit, step: 'gone' });
      return;
    }
    await this.#walk();
    if (visit.behaviour === 'wrong_door') await this.#tryWrongDoor(visit);
    if (await this.#passRoomDoor(visit)) {
      await this.#stayAndGo(visit);
      return;
    }
    await this.#leaveBuilding(visit);
  }

  async #passEntrance(visit: Visit): Promise<boolean> {
    const entrance = visit.inside ? undefined : this.#entrance();
    if (entrance && !(await this.#persist(visit, entrance, () => {}))) return false;
    this.counts.inside++;
    return true;
  }

  async #passRoomDoor(visit: Visit): Promise<boolean> {
    const room = this.#options.rooms.get(visit.room);
    const door = this.#doorOf(visit.room);
    const sit = (): void => room?.enter(1 + (visit.companions ?? 0));
    if (door) return this.#persist(visit, door, sit);
    sit();
    this.#tell({ visit, step: 'entered' });
    return true;
  }

  /** Tries a door as long as this person would. */
  async #persist(visit: Visit, door: Doorway, through: () => void): Promise<boolean> {
    let silences = 0;
    let denials = 0;
    for (;;) {
      const answer = await door.enter(visit.badge, this.#timers, through);
      this.#tell({ visit, step: 'answer', door: door.id, answer });
      if (answer === 'opened') {
        this.counts.admitted++;
        this.#tell({ visit, step: 'entered', door: door.id });
        return true;
      }
      if (answer === 'no_answer') {
        this.counts.unanswered++;
        if (++silences >= TRIES) return false;
        await this.#timers.sleep(TRY_AGAIN_MS);
      } else {
        this.counts.refused++;
        if (visit.behaviour !== 'early' || ++denials >= EARLY_TRIES) return false;
        const { world } = this.#options;
        const untilReturnMs = (visit.returnMs ?? 0) - world.wallMs();
        await this.#worldTimers.sleep(untilReturnMs > 0 ? untilReturnMs : EARLY_WAIT_MS);
      }
    }
  }

  async #tryWrongDoor(visit: Visit): Promise<void> {
    const others = this.#options.doors.filter((door) => door.reader && door.room && door.room !== visit.room);
    const named = others.find((door) => door.room === visit.wrongRoom);
    if (!named && others.length === 0) return;
    const door = named ?? this.#options.random.pick(others);
    const answer = await door.enter(visit.badge, this.#timers, () => {});
    this.#tell({ visit, step: 'answer', door: door.id, answer });
    if (answer === 'denied') this.counts.refused++;
    await this.#walk();
  }

  async #stayAndGo(visit: Visit): Promise<void> {
    const { world, random, rooms } = this.#options;
    const extraMs = visit.behaviour === 'overstay' ? random.between(...OVERSTAY_MS) : 0;
    await this.#worldTimers.sleep(Math.max(0, visit.leaveMs + extraMs - world.wallMs()));
    const out = (): void => rooms.get(visit.room)?.leave(1 + (visit.companions ?? 0));
    const door = this.#doorOf(visit.room);
    if (door) await door.goOut(this.#timers, out);
    else out();
    this.#tell({ visit, step: 'left_room', door: door?.id });
    await this.#leaveBuilding(visit);
  }

  async #leaveBuilding(visit: Visit): Promise<void> {
    if (!visit.inside) {
      await this.#walk();
      await this.#entrance()?.goOut(this.#timers, () => {});
    }
    this.counts.inside--;
    this.#tell({ visit, step: 'gone' });
  }

  #walk(): Promise<void> {
    return this.#timers.sleep(this.#options.random.between(...WALK_MS));
  }

  #entrance(): Doorway | undefined {
    const entrances = this.#options.doors.filter((door) => door.common && door.reader && door.lock);
    return entrances[0];
  }

  #doorOf(room: string): Doorway | undefined {
    return this.#options.doors.find((door) => door.room === room && door.reader && door.lock);
  }

  #tell(step: VisitStep): void {
    this.#options.onStep?.(step);
  }
}
