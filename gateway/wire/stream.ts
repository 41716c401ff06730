/**
 * `GET stream`, server-sent events. First `snapshot`, then `change` as things change, and a named `ping` every 5 s.
 * A `change` holds whole new values of what changed: the client replaces by id.
 */
import { z } from 'zod';
import { booking, event, site } from './clinic.ts';
import { instant } from './common.ts';
import { alarm, device, door, room } from './rooms.ts';

export const snapshot = z.object({
  site,
  at: instant,
  rooms: z.array(room),
  doors: z.array(door),
  /** Live alarms. */
  alarms: z.array(alarm),
  devices: z.array(device),
  /** The last 50, newest first. */
  events: z.array(event),
  /** Bookings that touch today in the site's zone. */
  bookings: z.array(booking),
});
export type Snapshot = z.infer<typeof snapshot>;

export const change = z.object({
  at: instant,
  rooms: z.array(room).optional(),
  doors: z.array(door).optional(),
  /** A resolved alarm comes a last time, with status `resolved`. */
  alarms: z.array(alarm).optional(),
  devices: z.array(device).optional(),
  events: z.array(event).optional(),
  bookings: z.array(booking).optional(),
});
export type Change = z.infer<typeof change>;

export const ping = z.object({ at: instant });
export type Ping = z.infer<typeof ping>;
