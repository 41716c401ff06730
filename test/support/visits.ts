/** A room over time, for the core's tests: ticks that never stop, a presence sensor, badges and changes of bookings. */
import type { Alarm, Effect, Release } from '../../gateway/core/effects.ts';
import type { Fact } from '../../gateway/core/facts.ts';
import type { Booking, Member } from '../../gateway/core/records.ts';
import type { BookingRules, Site } from '../../gateway/core/site.ts';
import { roomView } from '../../gateway/core/view.ts';
import type { RoomView } from '../../gateway/core/views.ts';
import { aRead, aSite, aWorld, journalOf, MINUTE, MONDAY, verdict, type World } from './records.ts';

/** The gateway's own is a second; a test that plays many mornings takes a longer one still. */
const TICK_MS = 10_000;

export interface VisitOptions {
  readonly rules?: Partial<BookingRules>;
  readonly bookings?: readonly Booking[];
  readonly members?: readonly Member[];
  readonly site?: Site;
  /** When the gateway starts; midnight unless set. */
  readonly fromMs?: number;
  /** Whether the sensors of r1 report that nobody is there at the start. */
  readonly watched?: boolean;
  readonly tickMs?: number;
}

export class Visit {
  readonly world: World;
  readonly effects: Effect[] = [];
  atMs: number;
  readonly #tickMs: number;

  constructor(options: VisitOptions = {}) {
    const site = options.site ?? aSite();
    this.atMs = options.fromMs ?? MONDAY;
    this.#tickMs = options.tickMs ?? TICK_MS;
    this.world = aWorld({
      site: { ...site, bookings: { ...site.bookings, ...options.rules } },
      bookings: options.bookings ?? [],
      atMs: this.atMs,
      ...(options.members === undefined ? {} : { members: options.members }),
    });
    if (options.watched !== false) this.presence(false);
  }

  do(fact: Fact): readonly Effect[] {
    const effects = this.world.do(fact, this.atMs);
    this.effects.push(...effects);
    return effects;
  }

  /** Time passes, with its ticks. */
  until(atMs: number): this {
    while (this.atMs < atMs) {
      this.atMs = Math.min(atMs, this.atMs + this.#tickMs);
      this.do({ kind: 'tick' });
    }
    return this;
  }

  presence(value: boolean | null, point = 'r1-unit/presence'): this {
    this.do({ kind: 'reading', point, value, retained: false });
    return this;
  }

  /** Someone moves about until then, as a motion sensor sees it. */
  someoneUntil(atMs: number): this {
    while (this.atMs < atMs) {
      this.presence(true);
      this.until(Math.min(atMs, this.atMs + 20_000));
      this.presence(false);
      this.until(Math.min(atMs, this.atMs + MINUTE));
    }
    return this;
  }

  device(device: string, online: boolean): this {
    this.do({ kind: 'device', device, online });
    return this;
  }

  badge(member: string, door = 'd1'): string {
    return verdict(this.do(aRead(member, door)));
  }

  operator(): this {
    this.do({ kind: 'operator_door', op: 'unlock', command: 'op-1', door: 'd1', user: 'desk', reason: 'asked' });
    return this;
  }

  put(...upsert: Booking[]): this {
    this.do({ kind: 'bookings', upsert, remove: [] });
    return this;
  }

  remove(...remove: string[]): this {
    this.do({ kind: 'bookings', upsert: [], remove });
    return this;
  }

  get room(): RoomView {
    const room = this.world.state.roomById.get('r1');
    if (room === undefined) throw new Error('no room r1');
    return roomView(this.world.state, room);
  }

  get releases(): readonly Release[] {
    return this.effects.flatMap((effect) => (effect.kind === 'release' ? [effect] : []));
  }

  get journal() {
    return journalOf(this.effects);
  }

  /** Live alarms of r1 of one kind. */
  alarms(kind: Alarm['kind']): readonly Alarm[] {
    return this.world.state.alarms.live.filter((alarm) => alarm.kind === kind && alarm.room === 'r1');
  }
}
