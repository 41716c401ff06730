import { z } from 'zod';
import { id, instant, ref, role } from './common.ts';

const weekday = z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']);
export type Weekday = z.infer<typeof weekday>;
/** Times of one series; a longer one is a mistake in `until`. */
export const REPEATS_MAX = 366;
const calendarDay = z.iso.date();
/** How a booking made here repeats, in the site's zone: its clock times stay the same when the clocks change. */
export const repeat = z
  .strictObject({
    every: z.enum(['day', 'week', 'month']).default('week'),
    interval: z.int().min(1).max(52).default(1).describe('2 with `week`: every other week'),
    days: z
      .array(weekday)
      .min(1)
      .max(7)
      .optional()
      .describe(
        'With `week`: these days, else that of `start`. With `month`: the same week of the month, e.g. the second Tuesday',
      ),
    until: calendarDay.optional().describe('The last day, included'),
    count: z.int().min(1).max(REPEATS_MAX).optional().describe('So many times; days of `except` count'),
    except: z.array(calendarDay).max(REPEATS_MAX).default([]).describe('Days that are left out'),
  })
  .refine(({ until, count }) => (until === undefined) !== (count === undefined), {
    message: 'needs either `until` or `count`',
    path: ['until'],
  });
export type Repeat = z.infer<typeof repeat>;

export const bookingStatus = z.enum(['confirmed', 'checked_in', 'tentative', 'cancelled', 'released', 'fulfilled']);
export const booking = z.object({
  id: ref,
  room: ref,
  /** Member id; empty where the reader may not know it. */
  holder: ref,
  delegates: z.array(ref),
  start: instant,
  end: instant,
  status: bookingStatus,
  source: z.string(),
  title: z.string(),
  /** Common to the bookings that were made as one series; absent where it stands alone. */
  series: ref.optional(),
});
export type Booking = z.infer<typeof booking>;
export const bookings = z.array(booking);
/** A time of a series that was not booked because another booking is there. */
export const leftOut = z.object({ start: instant, end: instant, clash: booking });
export type LeftOut = z.infer<typeof leftOut>;
/** The booking that was asked for; for a series the first one, with all of it. */
export const madeBooking = booking.extend({
  bookings: bookings.optional(),
  leftOut: z.array(leftOut).optional().describe('With `skipClashes`: the times that were not booked'),
});
export type MadeBooking = z.infer<typeof madeBooking>;
export const changedBooking = booking.extend({
  bookings: bookings.optional().describe('With a `scope` beyond `this`: every booking that was changed'),
});
export type ChangedBooking = z.infer<typeof changedBooking>;
export const bookingScope = z
  .enum(['this', 'following', 'all'])
  .default('this')
  .describe('Of a series: this booking, this and those after it, or all of it that is not over');
export const newBooking = z.strictObject({
  /** Chosen by the caller for a safe repeat; made by the gateway when absent. */
  id: id.regex(/^[A-Za-z0-9._-]+$/).optional(),
  room: id,
  holder: id,
  delegates: z.array(id).max(20).default([]),
  start: instant,
  end: instant,
  status: z.enum(['confirmed', 'checked_in', 'tentative']).default('confirmed'),
  title: z.string().max(200).default(''),
  repeat: repeat.optional(),
  skipClashes: z.boolean().optional().describe('With `repeat`: book the times that are free, and tell which are not'),
});
export type NewBooking = z.input<typeof newBooking>;
export const bookingChange = z.strictObject({
  room: id.optional(),
  holder: id.optional(),
  delegates: z.array(id).max(20).optional(),
  start: instant.optional(),
  end: instant.optional(),
  status: bookingStatus.optional(),
  title: z.string().max(200).optional(),
});

const time = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/);
export const weekly = z.strictObject({
  days: z.array(weekday).min(1),
  from: time,
  /** At or before `from`: ends on the next day. `24:00` is written `00:00`. */
  to: time,
});
/** No `weekly` means always. */
export const right = z.strictObject({ doors: z.array(id).min(1), weekly: z.array(weekly).min(1).optional() });
export const member = z.object({
  id: ref,
  name: z.string(),
  kind: z.enum(['practitioner', 'staff', 'cleaner']),
  status: z.enum(['active', 'suspended', 'left']),
  rights: z.array(right),
  /** Mail addresses by which calendars name the member; absent where there are none. */
  addresses: z.array(z.string()).optional(),
});
export type Member = z.infer<typeof member>;
export const members = z.array(member);
/** A mail address, or what another system calls the person: `Practitioner/12`, `https://id.example|4711` (FHIR). */
const address = z
  .string()
  .trim()
  .max(254)
  .regex(/^(?:[^\s@]+@[^\s@]+\.[^\s@]+|[A-Za-z]+\/[A-Za-z0-9.-]+|[^\s|]*\|[^\s|]+)$/, 'must be a mail address');
const addresses = z.array(address).max(20);
export const newMember = z.strictObject({
  id: id.regex(/^[A-Za-z0-9._-]+$/).optional(),
  name: z.string().trim().min(1).max(120),
  kind: z.enum(['practitioner', 'staff', 'cleaner']).default('practitioner'),
  status: z.enum(['active', 'suspended', 'left']).default('active'),
  rights: z.array(right).max(50).default([]),
  addresses: addresses.optional().describe('Mail addresses by which calendars name the member; of nobody else'),
});
export const memberChange = z.strictObject({
  name: z.string().trim().min(1).max(120).optional(),
  kind: z.enum(['practitioner', 'staff', 'cleaner']).optional(),
  status: z.enum(['active', 'suspended', 'left']).optional(),
  rights: z.array(right).max(50).optional(),
  addresses: addresses.optional(),
});

export const credential = z.object({
  id: ref,
  member: ref,
  format: z.string(),
  last4: z.string(),
  status: z.enum(['active', 'revoked']),
  validFrom: instant.nullable(),
  validUntil: instant.nullable(),
});
export type Credential = z.infer<typeof credential>;
export const credentials = z.array(credential);
const validity = { validFrom: instant.optional(), validUntil: instant.optional() };
export const newCredential = z.union([
  z.strictObject({
    member: id,
    format: z.enum(['uid', 'bits', 'fc-cn']),
    value: z.string().min(1).max(256),
    ...validity,
  }),
  /** Enrol a card from the list of unknown cards just seen, by its id there. */
  z.strictObject({ member: id, seen: id, ...validity }),
]);
export const unknownCard = z.object({
  id: ref,
  reader: z.string(),
  door: z.string().nullable(),
  format: z.string(),
  last4: z.string(),
  seenAt: instant,
});
export type UnknownCard = z.infer<typeof unknownCard>;
export const unknownCards = z.array(unknownCard);

export const event = z.object({
  seq: z.number().int(),
  id: z.string(),
  occurredAt: instant,
  recordedAt: instant,
  kind: z.string(),
  door: z.string().nullable(),
  room: z.string().nullable(),
  member: z.string().nullable(),
  /** The member's name, where the reader may know it; not part of the journal. */
  memberName: z.string().nullable(),
  outcome: z.string().nullable(),
  reason: z.string().nullable(),
  subReason: z.string().nullable(),
  command: z.string().nullable(),
  user: z.string().nullable(),
  note: z.string().nullable(),
  hash: z.string(),
});
export type Event = z.infer<typeof event>;
export const events = z.object({ items: z.array(event), next: z.string().nullable() });

export const occupancyPoint = z.object({
  at: instant,
  state: z.string().nullable(),
  occupied: z.boolean().nullable(),
  confidence: z.number().nullable(),
  booked: z.boolean().nullable(),
  people: z.number().nullable(),
});
export const occupancySeries = z.object({ series: z.array(occupancyPoint) });
export const climatePoint = z.object({
  at: instant,
  temperature: z.number().nullable(),
  heatingSetpoint: z.number().nullable(),
  coolingSetpoint: z.number().nullable(),
  humidity: z.number().nullable(),
  co2: z.number().nullable(),
  mode: z.string().nullable(),
  heating: z.boolean().nullable(),
  cooling: z.boolean().nullable(),
});
export const climateSeries = z.object({ series: z.array(climatePoint) });
export type OccupancySeries = z.infer<typeof occupancySeries>;
export type ClimateSeries = z.infer<typeof climateSeries>;

export const signIn = z.strictObject({ username: z.string().min(1).max(64), password: z.string().min(1).max(256) });
export const session = z.object({ user: z.string(), role, csrf: z.string(), member: z.string().nullable() });
export type Session = z.infer<typeof session>;

export const user = z.object({ name: z.string(), role, member: z.string().nullable() });
export const newUser = z.strictObject({
  name: z.string().regex(/^[a-zA-Z0-9._@-]{1,64}$/),
  role,
  member: id.optional(),
  password: z.string().min(10).max(256),
});
/** `PUT users/{name}`: a new user, or a new role and password of a known one. */
export const userChange = newUser.omit({ name: true });
export const users = z.array(user);
export const token = z.object({ id: ref, role, note: z.string(), createdAt: instant });
export const newToken = z.strictObject({ role, note: z.string().max(120).default('') });
export const tokens = z.array(token);
/** The only time that the token itself is shown. */
export const createdToken = token.extend({ token: z.string() });

export const site = z.object({
  id: z.string(),
  name: z.string(),
  timeZone: z.string(),
  version: z.string(),
  now: instant,
  timeTrusted: z.boolean(),
  earlyMin: z.number(),
  lateMin: z.number(),
});
export type Site = z.infer<typeof site>;
