/**
 * The contract of a device driver. A driver turns bytes into `DeviceMessage`s and commands into bytes; it never
 * decides. A driver over MQTT is a pure codec; a driver that owns a port (serial, GPIO) opens and closes it.
 * To add one, copy `devices/blueprint` and add a line to `devices/registry.ts`.
 */
import type { z } from 'zod';
import type { CommandOp } from '../gateway/core/effects.ts';
import type { DoorValue, LockValue } from '../gateway/core/facts.ts';

/** What a capability reports, its unit beside it. A further instance has a number: `relay-2`. */
export interface CapabilityValues {
  lock: LockValue;
  door: DoorValue;
  presence: boolean;
  /** Whole number of people. */
  people: number | null;
  /** °C */
  temperature: number | null;
  /** % relative humidity */
  humidity: number | null;
  /** ppm */
  co2: number | null;
  /** lx */
  illuminance: number | null;
  /** % */
  battery: number | null;
  relay: 'on' | 'off';
  /** 0-100 % */
  dimmer: number;
}
export type StateKind = keyof CapabilityValues;
export type CapabilityKind = StateKind | 'reader' | 'exit';

export const CAPABILITY_KINDS = [
  'lock',
  'door',
  'presence',
  'people',
  'temperature',
  'humidity',
  'co2',
  'illuminance',
  'battery',
  'relay',
  'dimmer',
  'reader',
  'exit',
] as const satisfies readonly CapabilityKind[];

/** `relay-2` → `relay`; undefined for what no capability is called. */
export function capabilityKind(capability: string): CapabilityKind | undefined {
  return KINDS.get(capability) ?? KINDS.get(capability.replace(/-[1-9][0-9]?$/, ''));
}
const KINDS: ReadonlyMap<string, CapabilityKind> = new Map(CAPABILITY_KINDS.map((kind) => [kind, kind]));

export type CredentialFormat = 'uid' | 'bits' | 'fc-cn';

export type DeviceEvent =
  | {
      readonly type: 'credential';
      readonly format: CredentialFormat;
      /** uid: hex digits; bits: zeros and ones, first bit first; fc-cn: free text. */
      readonly value: string;
      readonly facility?: number | undefined;
      readonly card?: number | undefined;
    }
  | { readonly type: 'keypad'; readonly digits: string }
  | { readonly type: 'request_to_exit' };

/** What a driver tells the device host. Instants are the device's own word, Unix ms. */
export type DeviceMessage =
  | {
      readonly type: 'description';
      readonly model: string;
      readonly firmware: string;
      readonly capabilities: readonly string[];
    }
  | {
      readonly type: 'status';
      readonly online: boolean;
      readonly boot?: string | undefined;
      readonly atMs?: number | undefined;
    }
  | {
      readonly type: 'state';
      readonly capability: string;
      readonly value: string | number | boolean | null;
      readonly boot?: string | undefined;
      readonly seq?: number | undefined;
      readonly atMs?: number | undefined;
      readonly retained: boolean;
      /** What a presence sensor senses with: a `pir` sees motion, `mmwave` also who sits still. */
      readonly sensor?: 'pir' | 'mmwave' | 'other' | undefined;
      /** Id of the command that led to this state. */
      readonly command?: string | undefined;
    }
  | {
      readonly type: 'event';
      readonly capability: string;
      readonly event: DeviceEvent;
      /** Absent for devices that cannot number their events. */
      readonly id?: string | undefined;
      readonly boot?: string | undefined;
      readonly seq?: number | undefined;
      readonly atMs?: number | undefined;
      readonly retained: boolean;
    }
  | {
      readonly type: 'ack';
      readonly capability: string;
      readonly id: string;
      readonly result: 'accepted' | 'done' | 'failed' | 'expired' | 'duplicate' | 'stale';
      readonly why?: string | undefined;
    }
  /** The device sent what cannot be read; `why` is a sentence that says what and where. */
  | { readonly type: 'malformed'; readonly why: string };

/** A device of the configuration: its id and the keys that its driver's schema yielded. */
export interface ConfiguredDevice<C> {
  readonly site: string;
  readonly id: string;
  readonly config: C;
}

/** A command on its way to a device. Instants Unix ms. */
export interface OutgoingCommand {
  readonly id: string;
  readonly capability: string;
  readonly do: CommandOp;
  readonly issuedAtMs: number;
  readonly ttlMs: number;
  /** The device's current boot, where it has told one. */
  readonly boot?: string | undefined;
}

export interface MqttMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
}

interface DriverBase<C> {
  readonly name: string;
  /** One sentence for the generated documentation. */
  readonly title: string;
  /** The driver's own keys of a device's configuration. A strict object. Must load no native module. */
  readonly schema: z.ZodType<C>;
}

export interface MqttDriver<C = unknown> extends DriverBase<C> {
  readonly transport: 'mqtt';
  /** Filters to subscribe to for this device (the host merges equal ones). */
  subscriptions(device: ConfiguredDevice<C>): readonly string[];
  /** Filters that serve every device of this driver at a site, where it has such: one subscription instead of thousands. */
  siteSubscriptions?(site: string): readonly string[];
  /** Which device a topic belongs to, where `siteSubscriptions` is used. */
  deviceOf?(topic: string): string | undefined;
  decode(message: MqttMessage, device: ConfiguredDevice<C>): readonly DeviceMessage[];
  /** undefined: the device has no such command. */
  encode(
    command: OutgoingCommand,
    device: ConfiguredDevice<C>,
  ): { readonly topic: string; readonly payload: string } | undefined;
}

export interface PortHost {
  emit(message: DeviceMessage): void;
  /** Counts and logs; `code` is short and constant, e.g. `checksum`. */
  warn(code: string, why: string): void;
}

export interface OpenPort {
  /** Perform a command; its outcome comes back as an `ack` and a `state` message. */
  perform(command: OutgoingCommand): void;
  /** Safe state first, then release the port. Resolves when both are done. */
  close(): Promise<void>;
}

export interface PortDriver<C = unknown> extends DriverBase<C> {
  readonly transport: 'port';
  /** Known without asking the device, so that a check can hold bindings against them. */
  capabilities(config: C): readonly string[];
  /** Never rejects because a port is absent: it says `status online: false` and tries again by itself. */
  open(device: ConfiguredDevice<C>, host: PortHost): Promise<OpenPort>;
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds drivers of every config type
export type Driver = MqttDriver<any> | PortDriver<any>;
