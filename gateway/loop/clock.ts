import type { Clock } from './types.ts';

/** The machine's own clocks. Monotonic time is Node's, from the start of the process. */
export const systemClock: Clock = {
  now: () => ({ wallMs: Date.now(), monoMs: performance.now() }),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** A clock that runs `speed` times as fast from now on, for demonstrations. */
export function fastClock(speed: number): Clock {
  const wallStart = Date.now();
  const monoStart = performance.now();
  return {
    now: () => {
      const passed = (performance.now() - monoStart) * speed;
      return { wallMs: Math.round(wallStart + passed), monoMs: monoStart + passed };
    },
    after: (ms, callback) => systemClock.after(ms / speed, callback),
  };
}
