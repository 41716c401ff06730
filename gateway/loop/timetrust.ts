/**
 * Whether the wall clock can be believed. A Pi has no battery clock: after a power cut it may start hours or years
 * off, and a booking's window means nothing then.
 */
import type { Now } from '../core/facts.ts';
import type { Journal, Meta } from '../store/types.ts';
import type { LoopLog } from './loop.ts';
import type { Clock } from './types.ts';

export type TrustMode = 'kernel' | 'rtc' | 'operator' | 'always';

/** Wall and monotonic time drifting apart by more than this between two looks is a jump. */
export const JUMP_MS = 2_000;
export const LOOK_EVERY_MS = 5_000;

export interface TimeEvidence {
  /** The kernel says that its clock is synchronised (NTP); undefined where it cannot be asked. */
  kernelSynchronised(): Promise<boolean | undefined>;
  /** Unix ms of a battery-backed clock; undefined without one. */
  hardwareClockMs(): Promise<number | undefined>;
}

export interface Trust {
  readonly trusted: boolean;
  readonly why: string;
}

/** A battery clock further from the wall clock than this does not vouch for it. */
export const RTC_TOLERANCE_MS = 60_000;

/**
 * The operator's word against the journal: the times of the entries up to `seq` were those of a clock that ran ahead.
 * `wallMs` is the time that was confirmed. Kept, since those entries stay for good.
 */
interface Word {
  readonly seq: number;
  readonly wallMs: number;
}
const WORD_KEY = 'clock_confirmed';

export interface TimeTrustStore {
  readonly journal: Pick<Journal, 'last' | 'latestAfter'>;
  readonly meta: Meta;
}

export class TimeTrust {
  readonly #mode: TrustMode;
  readonly #clock: Clock;
  readonly #evidence: TimeEvidence;
  readonly #store: TimeTrustStore;
  readonly #log: Pick<LoopLog, 'error'>;
  readonly #changed: (trust: Trust) => void;
  readonly #jumped: () => void;
  /** The wall clock of an earlier start, or of an operator's word, had come this far: a right one is not behind it. */
  #floorMs: number;
  #last: Now;
  #confirmed = false;
  #looks = 0;
  #told: string | undefined;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: {
    readonly mode: TrustMode;
    readonly clock: Clock;
    readonly evidence: TimeEvidence;
    readonly store: TimeTrustStore;
    readonly log: Pick<LoopLog, 'error'>;
    readonly changed: (trust: Trust) => void;
    /** The wall clock was set to another time: what was worked out around the old one is void. */
    readonly jumped?: (() => void) | undefined;
  }) {
    this.#mode = options.mode;
    this.#clock = options.clock;
    this.#evidence = options.evidence;
    this.#store = options.store;
    this.#log = options.log;
    this.#changed = options.changed;
    this.#jumped = options.jumped ?? (() => {});
    this.#last = options.clock.now();
    this.#floorMs = this.#recordedMs();
  }

  /** First look at once, then every few seconds. */
  async start(): Promise<void> {
    await this.look();
    const again = () => {
      if (this.#stopped) return;
      void this.look().finally(() => {
        if (!this.#stopped) this.#cancel = this.#clock.after(LOOK_EVERY_MS, again);
      });
    };
    this.#cancel = this.#clock.after(LOOK_EVERY_MS, again);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** The operator's word that the clock is right; a later jump takes it back. */
  async confirm(): Promise<void> {
    // First: whoever sets the clock and confirms it at once speaks of the time after that jump.
    const now = this.#notice();
    this.#confirmed = true;
    if (behind(now, this.#recordedMs())) this.#keepWord(now);
    await this.#tell(now);
  }

  async look(): Promise<void> {
    await this.#tell(this.#notice());
  }

  /**
   * How far the clock had come by what is recorded. Of an entry its own time counts: recordedAt never runs back, so that
   * after one entry of 2036 it is 2036 for ten years.
   */
  #recordedMs(): number {
    const kept = this.#store.meta.get(WORD_KEY);
    const word: Word = kept === undefined ? { seq: 0, wallMs: 0 } : JSON.parse(kept);
    return Math.max(word.wallMs, this.#store.journal.latestAfter(word.seq) ?? 0);
  }

  #keepWord({ wallMs }: Now): void {
    const word: Word = { seq: this.#store.journal.last()?.seq ?? 0, wallMs };
    this.#floorMs = wallMs;
    try {
      this.#store.meta.set(WORD_KEY, JSON.stringify(word));
    } catch (error) {
      this.#log.error({ err: error }, 'the confirmed time cannot be kept: the next start asks for it again');
    }
  }

  #notice(): Now {
    const now = this.#clock.now();
    const jumpMs = now.wallMs - this.#last.wallMs - (now.monoMs - this.#last.monoMs);
    this.#last = now;
    if (Math.abs(jumpMs) > JUMP_MS) {
      this.#confirmed = false;
      this.#jumped();
    }
    return now;
  }

  async #tell(now: Now): Promise<void> {
    this.#looks += 1;
    const look = this.#looks;
    const trust = await this.#judge(now);
    // Evidence takes its time: what it says of an earlier moment must not undo what was found since.
    if (look !== this.#looks || this.#stopped || this.#told === `${trust.trusted}${trust.why}`) return;
    this.#told = `${trust.trusted}${trust.why}`;
    this.#changed(trust);
  }

  async #judge(now: Now): Promise<Trust> {
    if (this.#mode === 'always')
      return { trusted: true, why: 'The clock is trusted by configuration (time.trust: always).' };
    if (behind(now, this.#floorMs) && !this.#confirmed) {
      return { trusted: false, why: `The clock is behind the journal's latest entry. Set it, then confirm it: ${HOW}` };
    }
    if (this.#confirmed) return { trusted: true, why: 'An operator confirmed the clock.' };
    if (this.#mode === 'kernel' && (await this.#evidence.kernelSynchronised()) === true) {
      return { trusted: true, why: 'The clock is synchronised by NTP.' };
    }
    if (this.#mode === 'rtc') {
      const hardwareMs = await this.#evidence.hardwareClockMs();
      if (hardwareMs !== undefined && Math.abs(hardwareMs - now.wallMs) <= RTC_TOLERANCE_MS) {
        return { trusted: true, why: 'The clock agrees with the hardware clock.' };
      }
    }
    return { trusted: false, why: `${UNTRUSTED[this.#mode]} Check the time, then confirm it: ${HOW}` };
  }
}

function behind({ wallMs }: Now, floorMs: number): boolean {
  return wallMs + JUMP_MS < floorMs;
}

const HOW = '`doorward time confirm`, or Confirm time in the dashboard.';
const UNTRUSTED: Readonly<Record<Exclude<TrustMode, 'always'>, string>> = {
  kernel: 'The clock has not been synchronised by NTP since the start.',
  rtc: 'No hardware clock vouches for the time.',
  operator: 'Nobody has confirmed the clock since the start or its last jump.',
};
