/** The rooms for others on MQTT, retained: CONTRACT's `doorward/1/<site>/_room/<room>`. No name, no booking's title. */
import type { RoomView } from '../core/views.ts';
import type { Bus } from './types.ts';

export function roomTopic(site: string, room: string): string {
  return `doorward/1/${site}/_room/${room}`;
}

function payloadOf(room: RoomView): string {
  return JSON.stringify({
    occupancy: room.occupancy.state,
    booked: room.booking.now !== null,
    ready: room.ready,
    temperature: room.climate?.temperature ?? null,
    mode: room.climate?.mode ?? null,
    lights: room.lights?.level ?? null,
    at: new Date(room.updatedAtMs).toISOString(),
  });
}

/** Publishes each room when it changes, and all of them whenever the link comes up. */
export class RoomTopics {
  readonly #bus: Bus;
  readonly #site: string;
  readonly #told = new Map<string, string>();

  constructor(bus: Bus, site: string, all: () => readonly RoomView[]) {
    this.#bus = bus;
    this.#site = site;
    bus.onLink((up) => {
      if (!up) return;
      this.#told.clear();
      this.publish(all());
    });
  }

  publish(rooms: readonly RoomView[]): void {
    for (const room of rooms) {
      const payload = payloadOf(room);
      if (this.#told.get(room.id) === payload) continue;
      if (this.#bus.publish(roomTopic(this.#site, room.id), payload, { retain: true }))
        this.#told.set(room.id, payload);
    }
  }
}
