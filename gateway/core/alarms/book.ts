/** The alarms that are live: open or acknowledged. One per key; what appears is opened, what goes is resolved. */
import type { Alarm, AlarmKind, Severity } from '../effects.ts';
import type { Now } from '../facts.ts';
import type { Condition } from './condition.ts';

/** These tell of an event, not of a state that lasts: a person resolves them. */
const LATCHING: ReadonlySet<AlarmKind> = new Set(['door_forced', 'unlimited_right_used', 'telemetry_refused']);
/** Events that come in floods: one alarm stands for all until a person resolves it, and its words follow the newest. */
const GATHERED: ReadonlySet<AlarmKind> = new Set(['telemetry_refused']);
const WEIGHT: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };
/** More live alarms than anybody reads; past it the oldest that waits for a person is resolved to make room. */
export const MAX_LIVE_ALARMS = 500;

/** These lists of what is wrong change while they last: their words follow. Others' numbers would only flicker. */
const REWORDED: ReadonlySet<AlarmKind> = new Set(['calendar_failing', 'calendar_held', 'calendar_set_aside']);

export type AlarmRefusal = 'not_found';

export class AlarmBook {
  readonly #byKey = new Map<string, Alarm>();
  readonly #keyOf = new Map<string, string>();
  readonly #keysByOwner = new Map<string, Set<string>>();
  readonly #changed: (alarm: Alarm) => void;

  /** `changed` hears of each alarm that opened, changed or was resolved. */
  constructor(live: readonly Alarm[], changed: (alarm: Alarm) => void) {
    this.#changed = changed;
    for (const alarm of live) {
      const key = LATCHING.has(alarm.kind) ? keyOfEvent(alarm, alarm.id) : keyOf(alarm);
      this.#byKey.set(key, alarm);
      this.#keyOf.set(alarm.id, key);
    }
  }

  get live(): readonly Alarm[] {
    return [...this.#byKey.values()];
  }

  get(id: string): Alarm | undefined {
    const key = this.#keyOf.get(id);
    return key === undefined ? undefined : this.#byKey.get(key);
  }

  /** Live alarms of a room or door. */
  of(subject: { readonly room?: string | undefined; readonly door?: string | undefined }): readonly Alarm[] {
    const found: Alarm[] = [];
    for (const alarm of this.#byKey.values()) {
      if (
        (subject.room !== undefined && alarm.room === subject.room) ||
        (subject.door !== undefined && alarm.door === subject.door)
      ) {
        found.push(alarm);
      }
    }
    return found;
  }

  /**
   * Holds what `owner` says is wrong now against what it said before. `id` makes the id of a new alarm.
   * An owner that says nothing and said nothing costs one look-up.
   */
  reconcile(owner: string, conditions: readonly Condition[], now: Now, id: () => string): void {
    let known = this.#keysByOwner.get(owner);
    if (conditions.length === 0 && known === undefined) return;
    const present = new Set<string>();
    for (const condition of conditions) {
      const key = keyOf(condition);
      present.add(key);
      const live = this.#byKey.get(key);
      if (live === undefined) this.#open(key, condition, now, id());
      else if (WEIGHT[condition.severity] > WEIGHT[live.severity])
        this.#change(key, { ...live, ...told(condition), status: 'open' });
      else if (REWORDED.has(condition.kind) && condition.text !== live.text)
        this.#change(key, { ...live, text: condition.text });
    }
    known ??= new Set();
    for (const key of known) if (!present.has(key)) this.#resolve(key, now);
    if (present.size > 0) this.#keysByOwner.set(owner, present);
    else this.#keysByOwner.delete(owner);
  }

  /** Alarms that were live before a restart and that nobody stands for any more are resolved. Call it once, after the first round. */
  resolveOrphans(now: Now): void {
    const owned = new Set<string>();
    for (const keys of this.#keysByOwner.values()) for (const key of keys) owned.add(key);
    for (const [key, alarm] of this.#byKey) if (!LATCHING.has(alarm.kind) && !owned.has(key)) this.#resolve(key, now);
  }

  /** Opens an alarm of an event; it stays until a person resolves it. */
  raise(condition: Condition, now: Now, id: string): void {
    const key = keyOfEvent(condition, id);
    const live = this.#byKey.get(key);
    if (live !== undefined) {
      this.#change(key, { ...live, text: condition.text });
      return;
    }
    if (this.#byKey.size >= MAX_LIVE_ALARMS) {
      for (const [oldest, alarm] of this.#byKey) {
        if (!LATCHING.has(alarm.kind)) continue;
        this.#resolve(oldest, now);
        break;
      }
    }
    this.#open(key, condition, now, id);
  }

  acknowledge(id: string, user: string, note: string, now: Now): Alarm | AlarmRefusal {
    const key = this.#keyOf.get(id);
    const alarm = key === undefined ? undefined : this.#byKey.get(key);
    if (key === undefined || alarm === undefined) return 'not_found';
    const acknowledged: Alarm = {
      ...alarm,
      status: 'acknowledged',
      acknowledgedAtMs: now.wallMs,
      acknowledgedBy: user,
      note: note === '' ? alarm.note : note,
    };
    this.#byKey.set(key, acknowledged);
    this.#changed(acknowledged);
    return acknowledged;
  }

  /** A person's word that it is over. A condition that still holds opens anew at the next look. */
  resolve(id: string, note: string, now: Now): Alarm | AlarmRefusal {
    const key = this.#keyOf.get(id);
    const alarm = key === undefined ? undefined : this.#byKey.get(key);
    if (key === undefined || alarm === undefined) return 'not_found';
    return this.#resolve(key, now, note) ?? 'not_found';
  }

  #open(key: string, condition: Condition, now: Now, id: string): void {
    const alarm: Alarm = { id, ...condition, status: 'open', openedAtMs: now.wallMs };
    this.#byKey.set(key, alarm);
    this.#keyOf.set(id, key);
    this.#changed(alarm);
  }

  /** Worse than it was when somebody acknowledged it: it is open again. */
  #change(key: string, alarm: Alarm): void {
    this.#byKey.set(key, alarm);
    this.#changed(alarm);
  }

  #resolve(key: string, now: Now, note = ''): Alarm | undefined {
    const alarm = this.#byKey.get(key);
    if (alarm === undefined) return undefined;
    this.#byKey.delete(key);
    this.#keyOf.delete(alarm.id);
    const resolved: Alarm = {
      ...alarm,
      status: 'resolved',
      resolvedAtMs: now.wallMs,
      note: note === '' ? alarm.note : note,
    };
    this.#changed(resolved);
    return resolved;
  }
}

function told({ severity, text }: Condition): Pick<Condition, 'severity' | 'text'> {
  return { severity, text };
}

/** Each event is an alarm of its own, unless they are gathered. */
function keyOfEvent(event: Pick<Condition, 'kind' | 'door' | 'room' | 'device'>, id: string): string {
  return GATHERED.has(event.kind) ? keyOf(event) : id;
}

function keyOf(subject: Pick<Condition, 'kind' | 'door' | 'room' | 'device'>): string {
  return `${subject.kind}|${subject.door ?? ''}|${subject.room ?? ''}|${subject.device ?? ''}`;
}
