/** Time for the virtual clinic. Everything here takes its clock as an argument, so that a test can bring its own. */

export interface SimClock {
  /** Unix time, ms. */
  wallMs(): number;
  /** Calls back once after `ms`; returns the way to cancel it. */
  after(ms: number, callback: () => void): () => void;
}

/** Node's timers hold 31 bits; what lies further ahead is armed in stages. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: SimClock = {
  wallMs: () => Date.now(),
  after(ms, callback) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const stageMs = Math.min(Math.max(leftMs, 0), LONGEST_TIMER_MS);
      timer = setTimeout(() => (leftMs > stageMs ? arm(leftMs - stageMs) : callback()), stageMs);
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
};

/** A clock that runs `speed` times as fast as `base`, both showing the same time at the moment of this call. */
export function scaledClock(base: SimClock, speed: number): SimClock {
  const originMs = base.wallMs();
  return {
    wallMs: () => originMs + (base.wallMs() - originMs) * speed,
    after: (ms, callback) => base.after(ms / speed, callback),
  };
}

/** What a wait ends with when the simulator stops meanwhile. */
export class Stopped extends Error {
  constructor() {
    super('the simulator was stopped');
    this.name = 'Stopped';
  }
}

/** Every timer of one part, so that stopping the part leaves none behind. */
export class Timers {
  readonly #clock: SimClock;
  readonly #live = new Set<() => void>();
  #stopped = false;

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  after(ms: number, callback: () => void): () => void {
    if (this.#stopped) return () => {};
    const cancel = this.#clock.after(ms, () => {
      this.#live.delete(drop);
      callback();
    });
    const drop = (): void => {
      this.#live.delete(drop);
      cancel();
    };
    this.#live.add(drop);
    return drop;
  }

  /** Calls back every `ms` until cancelled. */
  every(ms: number, callback: () => void): () => void {
    let cancel: () => void = () => {};
    const arm = (): void => {
      cancel = this.after(ms, () => {
        arm();
        callback();
      });
    };
    arm();
    return () => cancel();
  }

  /** Resolves after `ms`; rejects with `Stopped` when the part is stopped first. */
  sleep(ms: number): Promise<void> {
    return this.race<undefined>(ms, () => () => {});
  }

  /**
   * Waits for `listen` to settle with a value, at most `ms`; undefined when time ran out. `listen` returns the way
   * to stop listening.
   */
  race<T>(ms: number, listen: (settle: (value: T) => void) => () => void): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) {
        reject(new Stopped());
        return;
      }
      let ended = false;
      let unlisten: () => void = () => {};
      const end = (finish: () => void): void => {
        if (ended) return;
        ended = true;
        this.#live.delete(stop);
        cancel();
        unlisten();
        finish();
      };
      const stop = (): void => end(() => reject(new Stopped()));
      const cancel = this.#clock.after(ms, () => end(() => resolve(undefined)));
      this.#live.add(stop);
      unlisten = listen((value) => end(() => resolve(value)));
      if (ended) unlisten();
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of [...this.#live]) cancel();
    this.#live.clear();
  }
}
