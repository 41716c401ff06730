/** Tells of the points that InfluxDB refused for good. */
import type { Brain } from './brain.ts';

/** They come in floods, as one bad field of every room each second: a person reads one alarm, renewed this often. */
export const LOOK_EVERY_MS = 60_000;
/** How many were told of, kept: what was refused just before a stop is told after the start, and nothing twice. */
const TOLD_KEY = 'refused_told';
/** The server's reason is a sentence; it may quote a whole line. */
const WHY_CHARS = 300;

export type Watched = Pick<Brain, 'loop' | 'clock' | 'log'> & {
  readonly store: {
    readonly outbox: Pick<Brain['store']['outbox'], 'refused' | 'quarantined'>;
    readonly meta: Brain['store']['meta'];
  };
};

/** Looks at once and then each minute. @returns what ends it */
export function watchRefused({ loop, store, clock, log }: Watched): () => void {
  const { outbox, meta } = store;
  let cancel = () => {};
  const tell = () => {
    const { refused } = outbox;
    if (refused <= Number(meta.get(TOLD_KEY) ?? 0)) return;
    const [last] = outbox.quarantined(1);
    const why =
      `InfluxDB has refused ${refused} ${refused === 1 ? 'point' : 'points'} of history for good, ` +
      `the last with “${last?.why.slice(0, WHY_CHARS) ?? ''}”. They are set aside: ` +
      'see docs/operations.md, “Points that InfluxDB refuses”.';
    if (loop.post({ kind: 'system', part: 'telemetry_refused', ok: false, why })) meta.set(TOLD_KEY, `${refused}`);
  };
  const again = () => {
    try {
      tell();
    } catch (error) {
      // The disk's fault has an alarm of its own.
      log.error({ err: error }, 'points that InfluxDB refused cannot be counted');
    }
    cancel = clock.after(LOOK_EVERY_MS, again);
  };
  again();
  return () => cancel();
}
