/** Native devices over MQTT 3.1.1: locks, door contacts, readers, sensors, relays and dimmers that speak Doorward's topics. */
import { z } from 'zod';
import type { CommandOp } from '../../gateway/core/effects.ts';
import {
  type CapabilityKind,
  type ConfiguredDevice,
  capabilityKind,
  type DeviceEvent,
  type DeviceMessage,
  type MqttDriver,
  type MqttMessage,
  type OutgoingCommand,
} from '../driver.ts';
import { plainCredential } from './credential.ts';
import * as schemas from './schemas.ts';
import { deviceOfTopic, deviceTopic, siteFilters } from './topics.ts';

const schema = z.strictObject({
  password: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Password of the device at the embedded broker; its user name and client id are its id.'),
});
export type NativeConfig = z.infer<typeof schema>;

/** Capabilities that a later gateway will know: their messages are let pass, so that such devices may be installed today. */
const LATER = new Set(['window', 'tamper', 'fire']);
const NO_INSTANT = 'at: expected an RFC 3339 instant such as 2026-03-01T08:00:00.000Z';
/** A fault's text names the first few issues only. */
const ISSUES_SHOWN = 3;

export const nativeDriver: MqttDriver<NativeConfig> = {
  name: 'native',
  title: 'Devices that speak Doorward’s own topics over MQTT.',
  transport: 'mqtt',
  schema,
  subscriptions: (device) => siteFilters(device.site),
  siteSubscriptions: siteFilters,
  deviceOf: deviceOfTopic,
  decode,
  encode,
};

function decode(message: MqttMessage, device: ConfiguredDevice<NativeConfig>): readonly DeviceMessage[] {
  const below = message.topic.slice(deviceTopic(device.site, device.id).length);
  // An empty payload is how a retained message is cleared; it tells nothing about the device.
  if (message.payload.byteLength === 0) return [];
  const json = parse(text(message.payload));
  if (json === undefined) return malformed(below, 'the payload is not JSON');
  const slash = below.indexOf('/');
  const branch = slash < 0 ? below : below.slice(0, slash);
  const capability = slash < 0 ? '' : below.slice(slash + 1);
  switch (branch) {
    case 'desc':
      return decodeDescription(below, json);
    case 'status':
      return decodeStatus(below, json);
    case 'state':
      return decodeState(below, capability, json, message.retain);
    case 'event':
      return decodeEvent(below, capability, json, message.retain);
    case 'ack':
      return decodeAck(below, capability, json);
    default:
      return malformed(below, 'there is no such topic');
  }
}

/** A number that is none, as Python and C write it into JSON. */
const NO_NUMBER = /(:\s*)(?:-?nan|-?inf(?:inity)?)(?=\s*[,}])/gi;

/** undefined: no JSON. A sensor's NaN is read as null, the measurement that is not there: it must stop the heating. */
function parse(payload: string): unknown {
  for (const attempt of [() => payload, () => payload.replace(NO_NUMBER, '$1null')]) {
    try {
      return JSON.parse(attempt());
    } catch {}
  }
  return undefined;
}

function text(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8');
}

function decodeDescription(topic: string, json: unknown): readonly DeviceMessage[] {
  const parsed = schemas.description.safeParse(json);
  if (!parsed.success) return malformed(topic, issues(parsed.error));
  const { model, firmware, capabilities } = parsed.data;
  return [{ type: 'description', model, firmware, capabilities }];
}

function decodeStatus(topic: string, json: unknown): readonly DeviceMessage[] {
  const parsed = schemas.status.safeParse(json);
  if (!parsed.success) return malformed(topic, issues(parsed.error));
  const { status, boot, at } = parsed.data;
  // A status with a time that is none still tells whether the device is there.
  const atMs = at === undefined ? undefined : schemas.instantMs(at);
  return [{ type: 'status', online: status === 'online', boot, atMs }];
}

function decodeState(topic: string, capability: string, json: unknown, retained: boolean): readonly DeviceMessage[] {
  const kind = capabilityKind(capability);
  if (kind === undefined || kind === 'reader' || kind === 'exit') return unfit(topic, capability, 'state');
  const parsed = schemas.states[kind].safeParse(json);
  if (!parsed.success) return malformed(topic, issues(parsed.error));
  const { value, boot, seq, at, command, kind: sensor } = parsed.data;
  const atMs = at === undefined ? undefined : schemas.instantMs(at);
  if (at !== undefined && atMs === undefined) return malformed(topic, NO_INSTANT);
  return [{ type: 'state', capability, value, boot, seq, atMs, retained, command, sensor }];
}

function decodeEvent(topic: string, capability: string, json: unknown, retained: boolean): readonly DeviceMessage[] {
  const kind = capabilityKind(capability);
  if (kind !== 'reader' && kind !== 'exit') return unfit(topic, capability, 'event');
  let payload: schemas.EventPayload | undefined = kind === 'reader' ? plainCredential(json) : undefined;
  if (payload === undefined) {
    const parsed = kind === 'reader' ? schemas.readerEvent.safeParse(json) : schemas.exitEvent.safeParse(json);
    if (!parsed.success) return malformed(topic, issues(parsed.error));
    payload = parsed.data;
  }
  const { id, boot, seq, at } = payload;
  const atMs = schemas.instantMs(at);
  if (atMs === undefined) return malformed(topic, NO_INSTANT);
  return [{ type: 'event', capability, event: eventOf(payload), id, boot, seq, atMs, retained }];
}

function eventOf(payload: schemas.EventPayload): DeviceEvent {
  switch (payload.type) {
    case 'credential': {
      const { type, format, value, facility, card } = payload;
      return { type, format, value, facility, card };
    }
    case 'keypad':
      return { type: payload.type, digits: payload.digits };
    case 'request_to_exit':
      return { type: payload.type };
  }
}

function decodeAck(topic: string, capability: string, json: unknown): readonly DeviceMessage[] {
  if (capabilityKind(capability) === undefined) return unfit(topic, capability, 'ack');
  const parsed = schemas.ack.safeParse(json);
  if (!parsed.success) return malformed(topic, issues(parsed.error));
  return [{ type: 'ack', capability, id: parsed.data.id, result: parsed.data.result, why: parsed.data.why }];
}

function unfit(topic: string, capability: string, branch: string): readonly DeviceMessage[] {
  const base = capability.replace(/-[0-9]+$/, '');
  return LATER.has(base) ? [] : malformed(topic, `no capability of that name has a topic ${branch}`);
}

/** Longest part of a topic that a fault repeats: it came from the device. */
const TOPIC_SHOWN = 60;

function malformed(topic: string, why: string): readonly DeviceMessage[] {
  return [{ type: 'malformed', why: `${topic.slice(0, TOPIC_SHOWN)}: ${why}` }];
}

function issues(error: z.ZodError): string {
  const shown = error.issues.slice(0, ISSUES_SHOWN).map((issue) => {
    const path = issue.path.length === 0 ? 'the payload' : issue.path.join('.');
    return `${path}: ${issue.message}`;
  });
  const more = error.issues.length - shown.length;
  return more > 0 ? `${shown.join('; ')}; and ${more} more` : shown.join('; ');
}

function encode(command: OutgoingCommand, device: ConfiguredDevice<NativeConfig>) {
  if (!performs(capabilityKind(command.capability), command.do)) return undefined;
  const { id, issuedAtMs, ttlMs, boot } = command;
  const payload = {
    id,
    ...command.do,
    issuedAt: new Date(issuedAtMs).toISOString(),
    expiresAt: new Date(issuedAtMs + ttlMs).toISOString(),
    ttlMs,
    boot,
  };
  return {
    topic: `${deviceTopic(device.site, device.id)}command/${command.capability}`,
    payload: JSON.stringify(payload),
  };
}

/** Which capability takes which command: CONTRACT's table. */
function performs(kind: CapabilityKind | undefined, op: CommandOp): boolean {
  switch (op.op) {
    case 'unlock':
    case 'lock':
      return kind === 'lock';
    case 'indicate':
      return kind === 'reader';
    case 'set':
      return typeof op.value === 'number' ? kind === 'dimmer' && op.value >= 0 && op.value <= 100 : kind === 'relay';
  }
}
