import { z } from 'zod';
import { instant, ref } from './common.ts';

export const bookingRef = z.object({
  id: ref,
  holder: z.string(),
  /** The holder's name, where the reader may know it. */
  holderName: z.string().nullable(),
  start: instant,
  end: instant,
  status: z.string(),
});

export const door = z.object({
  id: ref,
  name: z.string(),
  room: z.string().nullable(),
  common: z.boolean(),
  lock: z.enum(['locked', 'unlocking', 'unlocked', 'locking', 'jammed', 'unknown']),
  contact: z.enum(['open', 'closed', 'unknown', 'none']),
  lastCommand: z
    .object({
      id: z.string(),
      op: z.enum(['unlock', 'lock']),
      outcome: z.enum(['pending', 'confirmed', 'failed', 'unknown']),
      at: instant,
    })
    .nullable(),
  online: z.boolean(),
  alarms: z.array(z.string()),
  updatedAt: instant,
});
export const doors = z.array(door);
export type Door = z.infer<typeof door>;

export const climateModes = [
  'occupied',
  'warm_up',
  'cool_down',
  'setback',
  'setup',
  'unoccupied',
  'freeze_protection',
  'sensor_fault',
  'off',
] as const;

export const room = z.object({
  id: ref,
  name: z.string(),
  kind: z.enum(['consult', 'therapy', 'procedure', 'waiting', 'store', 'other']),
  floor: z.string(),
  /** Place on the floor's plan, metres from the top left. */
  plan: z.object({ x: z.number(), y: z.number(), width: z.number(), depth: z.number() }).nullable(),
  occupancy: z.object({
    state: z.enum(['occupied', 'vacant', 'unknown']),
    confidence: z.number(),
    since: instant,
    people: z.number().int().nullable(),
    lastSeen: instant.nullable(),
  }),
  booking: z.object({
    now: bookingRef.nullable(),
    next: bookingRef.nullable(),
    /** Cancelled or moved away while people were inside; until they left or booked anew. */
    revoked: bookingRef.nullable(),
  }),
  /** Nobody came to this booking; its status says whether the room was released. */
  noShow: bookingRef.nullable(),
  /** The booking that ended and whose people are still here. */
  overstay: bookingRef.nullable(),
  door: door.nullable(),
  climate: z
    .object({
      temperature: z.number().nullable(),
      temperatureAt: instant.nullable(),
      humidity: z.number().nullable(),
      co2: z.number().nullable(),
      heatingSetpoint: z.number().nullable(),
      coolingSetpoint: z.number().nullable(),
      mode: z.enum(climateModes),
      heating: z.boolean().nullable(),
      cooling: z.boolean().nullable(),
    })
    .nullable(),
  lights: z.object({ target: z.number(), level: z.number().nullable(), warning: z.boolean() }).nullable(),
  ready: z.boolean(),
  /** Ids of live alarms. */
  alarms: z.array(z.string()),
  updatedAt: instant,
});
export const rooms = z.array(room);
export type Room = z.infer<typeof room>;

export const alarm = z.object({
  id: ref,
  kind: z.string(),
  severity: z.enum(['info', 'warning', 'critical']),
  door: z.string().nullable(),
  room: z.string().nullable(),
  device: z.string().nullable(),
  text: z.string(),
  status: z.enum(['open', 'acknowledged', 'resolved']),
  openedAt: instant,
  acknowledgedAt: instant.nullable(),
  acknowledgedBy: z.string().nullable(),
  note: z.string().nullable(),
  resolvedAt: instant.nullable(),
});
export const alarms = z.array(alarm);
export type Alarm = z.infer<typeof alarm>;

export const device = z.object({
  id: ref,
  driver: z.string(),
  /** null: not heard of since the gateway started. */
  online: z.boolean().nullable(),
  battery: z.number().nullable(),
  lastHeardAt: instant.nullable(),
  firmware: z.string().nullable(),
  model: z.string().nullable(),
  capabilities: z.array(z.string()),
  /** Messages that could not be read, since the gateway started. */
  malformed: z.number().int(),
  /** The last sentence about what is wrong with it. */
  fault: z.string().nullable(),
});
export type Device = z.infer<typeof device>;

export const refusedLogin = z.object({
  at: instant,
  clientId: z.string(),
  username: z.string(),
  address: z.string(),
  reason: z.string(),
});
export type RefusedLogin = z.infer<typeof refusedLogin>;
export const devices = z.object({ items: z.array(device), refusedLogins: z.array(refusedLogin) });

export const doorAction = z.object({ reason: z.string().trim().min(3).max(200) });
export const doorOutcome = z.object({
  command: z.string(),
  outcome: z.enum(['confirmed', 'failed', 'unknown']),
  why: z.string().optional(),
});
export const testPulse = z.object({ capability: z.string().min(1).max(40) });
export const alarmNote = z.object({ note: z.string().trim().max(500).default('') });
