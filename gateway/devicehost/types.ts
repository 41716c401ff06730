/** Shapes of the device host. */
import type { Driver } from '../../devices/driver.ts';
import type { Bus } from '../bus/types.ts';
import type { Command } from '../core/effects.ts';
import type { Fact } from '../core/facts.ts';
import type { Clock } from '../loop/types.ts';

/** A log as pino has it; texts and fields hold no credential number. */
export interface Log {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export interface HostedDevice {
  readonly id: string;
  /** Name of its driver. */
  readonly driver: string;
  /** What the driver's schema yielded. */
  readonly config: unknown;
}

/** What a device does at the broker that it may not, as the embedded broker tells it. */
export type Misuse =
  | { readonly kind: 'flood' }
  | { readonly kind: 'too_large'; readonly bytes: number; readonly limitBytes: number }
  | { readonly kind: 'foreign_write' | 'foreign_read'; readonly topic: string };

/** The embedded broker knows of its own who is connected and who misbehaves. */
export interface DeviceLinks {
  onDeviceLink(listener: (device: string, up: boolean) => void): void;
  onMisuse(listener: (device: string, misuse: Misuse) => void): void;
}

export interface HostMetrics {
  readonly malformedMessages?: { inc(labels: { device: string }): void };
  readonly commands?: { inc(labels: { outcome: string }): void };
  readonly devicesOnline?: { set(count: number): void };
}

export interface DeviceHostOptions {
  readonly site: string;
  readonly devices: readonly HostedDevice[];
  readonly registry: readonly Driver[];
  readonly bus?: Bus | undefined;
  readonly links?: DeviceLinks | undefined;
  /** Points that doors and rooms are bound to: a device whose description lacks one is at fault. */
  readonly bound?: readonly string[] | undefined;
  /** Keyed hash of a canonical credential. */
  hash(canonical: string): string;
  readonly clock: Clock;
  /** False when the queue is full and the fact was dropped. */
  emit(fact: Fact): boolean;
  /** While the gateway's wall clock is not trusted, a device's own time says nothing about an event's age. Absent: trusted. */
  readonly timeTrusted?: (() => boolean) | undefined;
  readonly log: Log;
  readonly metrics?: HostMetrics | undefined;
}

export interface DeviceHealth {
  readonly id: string;
  readonly driver: string;
  /** null: not heard of since the gateway started. */
  readonly online: boolean | null;
  /** Percent. */
  readonly battery: number | null;
  readonly lastHeardAtMs: number | null;
  readonly firmware: string | null;
  readonly model: string | null;
  readonly capabilities: readonly string[];
  readonly malformed: number;
  /** The last fault, a sentence. */
  readonly fault: string | null;
}

export interface DeviceHost {
  /** Subscribes and opens the ports. A port or a broker that is absent is no failure. */
  start(): Promise<void>;
  perform(command: Command): void;
  devices(): readonly DeviceHealth[];
  /** Ends every command under way as unknown: the gateway is about to stop. */
  settle(): void;
  /** Closes the ports, outputs in their safe state first. */
  stop(): Promise<void>;
}
