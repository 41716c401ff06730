/** The last changes, so that a client that lost its line for a moment goes on where it was. */
import type { Alarm } from '../../core/effects.ts';
import type { Booking } from '../../core/records.ts';
import type { DoorView, RoomView } from '../../core/views.ts';
import type { JournalEntry } from '../../store/types.ts';
import type { DeviceHealth } from '../deps.ts';

/** Everything that changed in one moment, still as the gateway keeps it: each reader gets his own part of it. */
export interface LiveChange {
  readonly seq: number;
  readonly atMs: number;
  readonly rooms: readonly RoomView[];
  readonly doors: readonly DoorView[];
  readonly alarms: readonly Alarm[];
  readonly devices: readonly DeviceHealth[];
  readonly events: readonly JournalEntry[];
  readonly bookings: readonly Booking[];
}

export const RING_CHANGES_MAX = 512;
/** Rooms, doors, … in all changes together: the bound of the memory. */
export const RING_ITEMS_MAX = 4_000;

export function itemsOf(change: LiveChange): number {
  const { rooms, doors, alarms, devices, events, bookings } = change;
  return rooms.length + doors.length + alarms.length + devices.length + events.length + bookings.length;
}

export class ChangeRing {
  #changes: LiveChange[] = [];
  #items = 0;

  add(change: LiveChange): void {
    this.#changes.push(change);
    this.#items += itemsOf(change);
    while (this.#changes.length > RING_CHANGES_MAX || this.#items > RING_ITEMS_MAX) {
      const oldest = this.#changes.shift();
      if (!oldest) break;
      this.#items -= itemsOf(oldest);
    }
  }

  /** The changes after `seq`, oldest first; undefined when some of them are gone or `seq` was never given out. */
  since(seq: number, lastSeq: number): readonly LiveChange[] | undefined {
    if (seq > lastSeq) return undefined;
    if (seq === lastSeq) return [];
    const first = this.#changes[0];
    if (!first || first.seq > seq + 1) return undefined;
    return this.#changes.filter((change) => change.seq > seq);
  }

  clear(): void {
    this.#changes = [];
    this.#items = 0;
  }
}
