/** Releases that sources are still to be told of: durable, tried again with growing pauses, given up after some days. */
import type { Booking } from '../core/records.ts';
import type { CalendarRelease, Calendars } from '../store/types.ts';
import { unpacked } from './intake.ts';
import type { CalendarSource, Origin } from './types.ts';

/** 1, 2, 4 … min, then an hour each: about three days. */
export const RELEASE_TRIES = 75;
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** Sources told at once in one round. */
const RELEASES_A_ROUND = 20;

export interface ReleaseLog {
  info(detail: object, message: string): void;
  warn(detail: object, message: string): void;
}

export class Releases {
  readonly #calendars: Calendars;
  readonly #source: (id: string) => CalendarSource | undefined;
  readonly #nowMs: () => number;
  readonly #log: ReleaseLog;
  #running: Promise<void> | undefined;

  constructor(
    calendars: Calendars,
    source: (id: string) => CalendarSource | undefined,
    nowMs: () => number,
    log: ReleaseLog,
  ) {
    this.#calendars = calendars;
    this.#source = source;
    this.#nowMs = nowMs;
    this.#log = log;
  }

  /** Puts it in the queue where the source takes a word of ours. */
  add(booking: string, source: string, why: string): void {
    if (this.#source(source)?.release === undefined) return;
    this.#calendars.putRelease({ booking, source, why, tries: 0, nextAtMs: this.#nowMs() });
  }

  /** Tells what is due, one after the other. Never throws. */
  run(signal: AbortSignal): Promise<void> {
    this.#running ??= this.#round(signal)
      .catch((error: unknown) => this.#log.warn({ err: error }, 'calendar: releases cannot be told now'))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #round(signal: AbortSignal): Promise<void> {
    const due = this.#calendars.releases().filter(({ nextAtMs }) => nextAtMs <= this.#nowMs());
    for (const release of due.slice(0, RELEASES_A_ROUND)) {
      if (signal.aborted) return;
      await this.#tell(release, signal);
    }
  }

  async #tell(release: CalendarRelease, signal: AbortSignal): Promise<void> {
    const { booking, source: id } = release;
    const source = this.#source(id);
    const origin = this.#calendars.origin(booking);
    // Moved by its calendar or given back by a person meanwhile: a late try would take away what is booked now.
    const stands = origin?.override?.status === 'released';
    if (source?.release === undefined || origin === undefined || !stands) {
      return this.#calendars.removeRelease(booking);
    }
    const record = this.#calendars.object(id, origin.href);
    const object = record && (await unpacked(record));
    const result = await source
      .release(origin as Origin, object, signal)
      .catch((error: unknown) => ({ ok: false as const, why: String(error), again: true }));
    if (result.ok) {
      this.#calendars.removeRelease(booking);
      this.#log.info({ source: id, booking }, 'calendar: the source was told of a release');
      return;
    }
    const tries = release.tries + 1;
    if (!result.again || tries >= RELEASE_TRIES) {
      this.#calendars.removeRelease(booking);
      this.#log.warn({ source: id, booking, why: result.why }, 'calendar: the source cannot be told of a release');
      return;
    }
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
    this.#calendars.putRelease({ ...release, tries, nextAtMs: this.#nowMs() + pauseMs });
  }
}

/** Whether a booking is still what the core gave free. */
export function isSameVisit(stored: Booking, released: Booking): boolean {
  return (
    stored.status === 'confirmed' &&
    stored.room === released.room &&
    stored.startMs === released.startMs &&
    stored.endMs === released.endMs
  );
}
