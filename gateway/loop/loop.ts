/** One fact at a time into the core, and its effects out in order: journal, commands, then everybody who listens. */
import type { Alarm, Command, Effect } from '../core/effects.ts';
import type { CommandOutcomeFact, Fact, Now, Outcome } from '../core/facts.ts';
import type { State } from '../core/state.ts';
import { settle, step } from '../core/step.ts';
import { doorView, roomView, takeChanges } from '../core/view.ts';
import type { Changes, DoorView, RoomView } from '../core/views.ts';
import type { Journal, JournalEntry } from '../store/types.ts';
import { type Commit, Committer } from './committer.ts';
import { FactQueue } from './queue.ts';
import type { Clock, LoopPort } from './types.ts';

/** Facts decided together share one durable commit. */
export const MAX_BATCH = 512;
export const TICK_MS = 1_000;
/** Entries that no order waits for are on the disk this much later: a lock's outcome must not keep the next badge waiting. */
export const HOLD_MS = 20;
/**
 * What follows a lone unlock waits this long, so that broker and lock have the processor while the unlock is on its way: on
 * two cores a gateway that goes on working holds it up by a tenth. Nobody sees a lamp or a chart that much later.
 */
export const AFTER_UNLOCK_MS = 2;
/** The live view follows at most this often. */
export const CHANGES_EVERY_MS = 100;
/** Outcomes of commands that are remembered for who asks late. */
export const MAX_OUTCOMES = 1_000;

export interface LoopLog {
  error(detail: object, message: string): void;
  warn(detail: object, message: string): void;
}

export interface LoopObserver {
  /** After each batch: facts decided, entries made durable, and how long the commit took. */
  batch(facts: number, entries: number, commitMs: number): void;
  dropped(kind: Fact['kind']): void;
  /** The disk refused the journal's entries of a batch. */
  refused?(): void;
}

export interface LoopOptions {
  readonly state: State;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly log: LoopLog;
  /** Takes commands whose grant is durable. */
  readonly perform: (command: Command) => void;
  readonly observer?: LoopObserver | undefined;
  /** Facts that may wait to be decided; further ones are dropped, counted and alarmed. */
  readonly maxWaiting?: number | undefined;
}

interface KnownOutcome {
  outcome: Outcome;
  why?: string;
}

type Performed = Commit & { readonly commitMs: number };

export class Loop implements LoopPort {
  readonly #options: LoopOptions;
  readonly #queue: FactQueue;
  readonly #committer: Committer;
  readonly #changeListeners = new Set<(changes: Changes) => void>();
  readonly #journalListeners = new Set<(entries: readonly JournalEntry[]) => void>();
  readonly #effectListeners = new Set<(effect: Effect) => void>();
  readonly #outcomes = new Map<string, KnownOutcome>();
  readonly #outcomeWaiters = new Map<string, (known: KnownOutcome) => void>();
  /** Facts of this turn of Node's event loop, and whether the turn before had more than one. */
  #turnFacts = 0;
  #crowded = false;
  #turnOpen = false;
  #stopped = false;
  #cancelTick: (() => void) | undefined;
  #cancelChanges: (() => void) | undefined;
  #changesAtMonoMs = Number.NEGATIVE_INFINITY;
  #flush: NodeJS.Timeout | undefined;
  /** What is still to be done about the last unlock. */
  #rest: (() => void) | undefined;
  #journalRefuses = false;
  #queueFull = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#queue = new FactQueue(options.maxWaiting);
    this.#committer = new Committer(options.journal);
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Journal entries that wait in memory because the disk refuses. */
  get journalWaiting(): number {
    return this.#committer.waiting;
  }

  start(): void {
    const tick = () => {
      if (this.#stopped) return;
      this.post({ kind: 'tick' });
      this.#cancelTick = this.#options.clock.after(TICK_MS, tick);
    };
    tick();
  }

  /** Decides what is queued, then takes no more. */
  stop(): void {
    this.#cancelTick?.();
    this.#cancelChanges?.();
    while (this.#queue.size > 0) this.#drain();
    this.#finish();
    clearTimeout(this.#flush);
    this.#follow(this.#perform([], true), [], 0);
    this.#stopped = true;
  }

  post(fact: Fact): boolean {
    return this.#put({ fact });
  }

  submit(fact: Fact): Promise<void> {
    return new Promise((done, failed) => {
      if (!this.#put({ fact, done, failed })) failed(new Error('the gateway is overloaded and dropped this request'));
    });
  }

  rooms(): readonly RoomView[] {
    const { state } = this.#options;
    return state.site.rooms.map((room) => roomView(state, room));
  }

  doors(): readonly DoorView[] {
    const { state } = this.#options;
    return state.site.doors.map((door) => doorView(state, door));
  }

  alarms(): readonly Alarm[] {
    return this.#options.state.alarms.live;
  }

  now(): Now {
    return this.#options.clock.now();
  }

  outcome(command: string, withinMs: number): Promise<KnownOutcome> {
    const known = this.#outcomes.get(command);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(withinMs, () => {
        this.#outcomeWaiters.delete(command);
        resolve({ outcome: 'unknown' });
      });
      this.#outcomeWaiters.set(command, (outcome) => {
        cancel();
        resolve(outcome);
      });
    });
  }

  onChanges(listener: (changes: Changes) => void): () => void {
    return listen(this.#changeListeners, listener);
  }

  onJournal(listener: (entries: readonly JournalEntry[]) => void): () => void {
    return listen(this.#journalListeners, listener);
  }

  onEffect(listener: (effect: Effect) => void): () => void {
    return listen(this.#effectListeners, listener);
  }

  #put(item: Parameters<FactQueue['put']>[0]): boolean {
    if (this.#stopped || !this.#queue.put(item)) {
      this.#options.observer?.dropped(item.fact.kind);
      this.#queueFull = true;
      return false;
    }
    this.#schedule();
    return true;
  }

  /**
   * A fact that comes alone is decided at once: the acknowledgement of its message and the orders that follow then
   * leave in one write. In a crowd facts wait for the end of the turn's reads, so that badges of one moment share one
   * commit; the first quiet turn ends the crowd.
   */
  #schedule(): void {
    this.#turnFacts += 1;
    if (this.#turnFacts === 1 && !this.#crowded) process.nextTick(() => this.#drain());
    this.#openTurn();
  }

  #openTurn(): void {
    if (this.#turnOpen) return;
    this.#turnOpen = true;
    setImmediate(() => {
      this.#turnOpen = false;
      this.#crowded = this.#turnFacts > 1;
      this.#turnFacts = 0;
      this.#drain();
      if (this.#crowded || this.#queue.size > 0) this.#openTurn();
    });
  }

  #drain(): void {
    if (this.#queue.size === 0) return;
    this.#finish();
    const batch = this.#queue.take(MAX_BATCH);
    const effects: Effect[] = [];
    for (const { fact } of batch) for (const effect of this.#decide(fact)) effects.push(effect);
    if (this.#queueFull) {
      this.#queueFull = false;
      effects.push(...this.#decide({ kind: 'system', part: 'queue', ok: false, why: QUEUE_FULL }));
    } else if (this.#options.state.system.has('queue') && this.#queue.size === 0) {
      effects.push(...this.#decide({ kind: 'system', part: 'queue', ok: true, why: '' }));
    }
    const awaited = batch.some(({ done }) => done !== undefined);
    const commit = this.#perform(effects, awaited);
    this.#rest = () => {
      this.#follow(commit, effects, batch.length);
      // Climate and light after the doors: whoever badged waits for no thermostat.
      const rooms = this.#settleRooms();
      if (rooms.length > 0) this.#follow(this.#perform(rooms, awaited), rooms, 0);
      for (const { fact, done } of batch) {
        if (fact.kind === 'command_outcome') this.#settle(fact);
        done?.();
      }
      this.#tellChanges();
    };
    const lone = batch.length === 1 && commit.commands.some(({ do: { op } }) => op === 'unlock');
    if (lone && !awaited) setTimeout(() => this.#finish(), AFTER_UNLOCK_MS);
    else this.#finish();
  }

  /** In the order of the batches, so before the next one is decided. */
  #finish(): void {
    const rest = this.#rest;
    this.#rest = undefined;
    try {
      rest?.();
    } catch (error) {
      // Its commands are away and its entries durable; a counter that fails must not end the gateway.
      this.#options.log.error({ err: error }, 'what follows a batch failed');
    }
  }

  #decide(fact: Fact): readonly Effect[] {
    const { state, clock } = this.#options;
    return this.#guarded(fact.kind, () => step(state, fact, clock.now()));
  }

  #settleRooms(): readonly Effect[] {
    const { state, clock } = this.#options;
    return this.#guarded('settle', () => settle(state, clock.now()));
  }

  #guarded(what: string, act: () => readonly Effect[]): readonly Effect[] {
    try {
      return act();
    } catch (error) {
      // Nothing of a fact that broke the core is done: an unlock least of all. The gateway goes on.
      this.#options.log.error({ err: error, fact: what }, 'the core failed at a fact');
      return [];
    }
  }

  /** Commits, then sends what people wait for. `#follow` does the rest. */
  #perform(effects: readonly Effect[], urgent: boolean): Performed {
    const { clock } = this.#options;
    const before = clock.now();
    const commit = this.#committer.commit(effects, before, urgent);
    const commitMs = clock.now().monoMs - before.monoMs;
    for (const command of commit.commands) if (command.do.op !== 'indicate') this.#send(command, commitMs);
    return { ...commit, commitMs };
  }

  #follow(commit: Performed, effects: readonly Effect[], facts: number): void {
    const { observer, log } = this.#options;
    const { commands, withheld, entries, refused, commitMs } = commit;
    for (const command of commands) if (command.do.op === 'indicate') this.#send(command, commitMs);
    observer?.batch(facts, entries.length, commitMs);
    if (refused !== undefined) observer?.refused?.();
    for (const command of withheld) {
      log.error({ command: command.id, point: command.point }, 'unlock withheld: its grant cannot be kept');
      this.#failed(command, WITHHELD);
    }
    if (entries.length > 0) emit(this.#journalListeners, entries, log);
    if (this.#effectListeners.size > 0) for (const effect of effects) emit(this.#effectListeners, effect, log);
    this.#journalHealth(refused);
    if (refused === undefined && this.#committer.waiting > 0) this.#flushSoon();
  }

  /** A matter of writing well, not of the clinic's time: hence no timer of its clock. */
  #flushSoon(): void {
    this.#flush ??= setTimeout(() => {
      this.#flush = undefined;
      this.#finish();
      this.#follow(this.#perform([], true), [], 0);
    }, HOLD_MS);
  }

  #send(command: Command, waitedMs: number): void {
    const { perform, log } = this.#options;
    // The disk held it up for too long: whoever stood at the door is gone, and a device without a clock would obey.
    if (waitedMs > command.ttlMs) {
      log.error({ command: command.id, point: command.point, waitedMs }, 'order void: its commit took too long');
      this.#failed(command, TOO_LATE);
      return;
    }
    try {
      perform(command);
    } catch (error) {
      // One device's fault keeps no other order of the batch from leaving.
      log.error({ err: error, command: command.id, point: command.point }, 'an order could not be sent');
      this.#failed(command, NOT_SENT);
    }
  }

  #failed({ id, point }: Command, why: string): void {
    this.post({ kind: 'command_outcome', command: id, point, outcome: 'failed', why });
  }

  #journalHealth(refused: string | undefined): void {
    if ((refused !== undefined) === this.#journalRefuses) return;
    this.#journalRefuses = refused !== undefined;
    const why =
      refused === undefined
        ? ''
        : `The journal cannot be written (${refused}). Free the disk; entries wait in memory until then.`;
    this.#options.log.error(
      { refused },
      refused === undefined ? 'the journal is written again' : 'the journal cannot be written',
    );
    this.post({ kind: 'system', part: 'journal', ok: refused === undefined, why });
  }

  #settle({ command, outcome, why }: CommandOutcomeFact): void {
    const known: KnownOutcome = why === undefined ? { outcome } : { outcome, why };
    this.#outcomes.set(command, known);
    if (this.#outcomes.size > MAX_OUTCOMES) {
      for (const oldest of this.#outcomes.keys()) {
        this.#outcomes.delete(oldest);
        break;
      }
    }
    this.#outcomeWaiters.get(command)?.(known);
    this.#outcomeWaiters.delete(command);
  }

  #tellChanges(): void {
    if (this.#cancelChanges !== undefined || this.#changeListeners.size === 0) return;
    const { clock, state, log } = this.#options;
    const { rooms, doors, alarms } = state.changed;
    if (rooms.size + doors.size + alarms.size === 0) return;
    const now = clock.now();
    const waitMs = this.#changesAtMonoMs + CHANGES_EVERY_MS - now.monoMs;
    const tell = () => {
      this.#cancelChanges = undefined;
      const at = clock.now();
      this.#changesAtMonoMs = at.monoMs;
      const changes = takeChanges(state, at);
      if (changes !== undefined) emit(this.#changeListeners, changes, log);
    };
    if (waitMs <= 0) tell();
    else this.#cancelChanges = clock.after(waitMs, tell);
  }
}

const QUEUE_FULL = 'More came in than could be decided, and some of it was dropped. See which device floods.';
const WITHHELD = 'the journal cannot be written';
const TOO_LATE = 'the disk took too long, and the order was void';
const NOT_SENT = 'the order could not be sent; see the log';

function listen<T>(listeners: Set<(value: T) => void>, listener: (value: T) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** One listener's fault is not the next one's. */
function emit<T>(listeners: ReadonlySet<(value: T) => void>, value: T, log: LoopLog): void {
  for (const listener of listeners) {
    try {
      listener(value);
    } catch (error) {
      log.error({ err: error }, 'a listener of the loop failed');
    }
  }
}
