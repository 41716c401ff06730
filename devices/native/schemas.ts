/**
 * What a native device may send, by topic. Types are strict and values keep to what is physically possible; keys that
 * nobody knows are tolerated, so that newer devices talk to older gateways. Messages of zod name path and type, never
 * the value: a fault may be about a credential.
 */
import { z } from 'zod';
import type { StateKind } from '../driver.ts';

/** Longest id of an event or a command, longest name of a model, longest list of capabilities. */
export const ID_CHARS = 64;
export const TEXT_CHARS = 100;
const WHY_CHARS = 300;
const CAPABILITIES = 64;
export const CREDENTIAL_CHARS = 160;

/** RFC 3339 with `Z` or an offset. The instant is worked out by `instantMs`, outside zod: that keeps a badge's way short. */
const at = z.string().max(TEXT_CHARS);
const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
/** `2026-03-01T08:00:00.000Z` */
const USUAL_CHARS = 24;
const DAYS = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Unix ms; undefined for a text that is no instant. Date.parse alone would move 30 February into March. */
export function instantMs(text: string): number | undefined {
  // The usual form is right if it comes out again as it went in; a regular expression costs a badge five times that.
  if (text.length === USUAL_CHARS) {
    const ms = Date.parse(text);
    if (!Number.isNaN(ms) && new Date(ms).toISOString() === text) return ms;
  }
  const parts = INSTANT.exec(text);
  if (parts === null) return undefined;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  if (day < 1 || day > (month === 2 && !leap ? 28 : (DAYS[month] ?? 0))) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

const id = z.string().min(1).max(ID_CHARS);
const boot = z.string().min(1).max(ID_CHARS);
const seq = z.number().int().min(0);

export const description = z.object({
  v: z.literal(1),
  model: z.string().max(TEXT_CHARS),
  firmware: z.string().max(TEXT_CHARS),
  capabilities: z
    .array(z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected a capability such as lock or relay-2'))
    .max(CAPABILITIES),
});

export const status = z.object({
  status: z.enum(['online', 'offline', 'lost']),
  boot: boot.optional(),
  at: at.optional().catch(undefined),
});

const measured = (min: number, max: number) => z.number().min(min).max(max).nullable();

/** Ranges: the sensor's physical limits with room to spare; outside them a value is a fault, not a measurement. */
const values = {
  lock: z.enum(['locked', 'unlocking', 'unlocked', 'locking', 'jammed', 'unknown']),
  door: z.enum(['open', 'closed', 'unknown']),
  presence: z.boolean(),
  people: z.number().int().min(0).max(10_000).nullable(),
  temperature: measured(-60, 120),
  humidity: measured(0, 100),
  co2: measured(0, 20_000),
  illuminance: measured(0, 200_000),
  battery: measured(0, 100),
  relay: z.enum(['on', 'off']),
  dimmer: z.number().min(0).max(100),
} satisfies Record<StateKind, z.ZodType>;

const state = <V extends z.ZodType>(value: V) =>
  z.object({
    boot: boot.optional(),
    seq: seq.optional(),
    at: at.optional(),
    value,
    command: id.optional(),
  });

export const states: { readonly [K in StateKind]: z.ZodType<StatePayload> } = {
  lock: state(values.lock),
  door: state(values.door),
  presence: state(values.presence).extend({ kind: z.enum(['pir', 'mmwave', 'other']).optional() }),
  people: state(values.people),
  temperature: state(values.temperature),
  humidity: state(values.humidity),
  co2: state(values.co2),
  illuminance: state(values.illuminance),
  battery: state(values.battery),
  relay: state(values.relay),
  dimmer: state(values.dimmer),
};

export interface StatePayload {
  readonly boot?: string | undefined;
  readonly seq?: number | undefined;
  readonly at?: string | undefined;
  readonly value: string | number | boolean | null;
  readonly command?: string | undefined;
  /** Of a presence sensor only. */
  readonly kind?: 'pir' | 'mmwave' | 'other' | undefined;
}

const event = { boot: boot.optional(), seq: seq.optional(), id, at };
const whole = z.number().int().min(0).max(0xffff_ffff);

export const readerEvent = z.discriminatedUnion('type', [
  z.object({
    ...event,
    type: z.literal('credential'),
    format: z.enum(['uid', 'bits', 'fc-cn']),
    value: z.string().max(CREDENTIAL_CHARS),
    facility: whole.optional(),
    card: whole.optional(),
  }),
  z.object({ ...event, type: z.literal('keypad'), digits: z.string().regex(/^[0-9*#]{1,32}$/, 'expected digits') }),
]);
export const exitEvent = z.object({ ...event, type: z.literal('request_to_exit') });
export type EventPayload = z.infer<typeof readerEvent> | z.infer<typeof exitEvent>;

export const ack = z.object({
  id,
  result: z.enum(['accepted', 'done', 'failed', 'expired', 'duplicate', 'stale']),
  why: z.string().max(WHY_CHARS).optional(),
});
