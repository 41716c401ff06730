/** How a native device reads a command and why it refuses one: the device's half of CONTRACT's MQTT section. */

/** A device remembers this many command ids to refuse repeats. */
export const REMEMBERED_IDS = 64;

export interface DeviceCommand {
  readonly id: string;
  readonly op: string;
  /** Unix ms; undefined when absent or unreadable. */
  readonly expiresAtMs: number | undefined;
  readonly ttlMs: number | undefined;
  readonly boot: string | undefined;
  readonly holdMs: number | undefined;
  readonly forMs: number | undefined;
  readonly fadeMs: number | undefined;
  readonly signal: string | undefined;
  readonly value: unknown;
}

export type AckResult = 'accepted' | 'done' | 'failed' | 'expired' | 'duplicate' | 'stale';

export interface Refusal {
  readonly result: Extract<AckResult, 'failed' | 'expired' | 'duplicate' | 'stale'>;
  readonly why: string;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function durationMs(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** undefined for what is no command at all: no JSON object, no id or no op. */
export function readCommand(payload: Uint8Array): DeviceCommand | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined;
  const fields = raw as Record<string, unknown>;
  const id = text(fields.id);
  const op = text(fields.op);
  if (id === undefined || op === undefined) return undefined;
  const expiresAtMs = Date.parse(text(fields.expiresAt) ?? '');
  return {
    id,
    op,
    expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
    ttlMs: durationMs(fields.ttlMs),
    boot: text(fields.boot),
    holdMs: durationMs(fields.holdMs),
    forMs: durationMs(fields.forMs),
    fadeMs: durationMs(fields.fadeMs),
    signal: text(fields.signal),
    value: fields.value,
  };
}

export interface Circumstances {
  readonly retained: boolean;
  readonly boot: string;
  /** Ids that were seen before. */
  readonly seen: ReadonlySet<string>;
}

/**
 * What can be said at receipt. A repeat is told first: it may be a redelivery of a command that was done, and any
 * other word would make a done command look failed.
 */
export function refuseAtReceipt(command: DeviceCommand, at: Circumstances): Refusal | undefined {
  if (at.seen.has(command.id)) return { result: 'duplicate', why: 'this id was seen before' };
  if (at.retained) return { result: 'stale', why: 'retained: an order that was kept by the broker is never obeyed' };
  if (command.boot !== undefined && command.boot !== at.boot) {
    return { result: 'stale', why: `meant for boot ${command.boot}, this is ${at.boot}` };
  }
  if (command.expiresAtMs === undefined && command.ttlMs === undefined) {
    return { result: 'failed', why: 'neither expiresAt nor ttlMs' };
  }
  return undefined;
}

/**
 * What is said at the moment of acting. `nowMs` is the device's own clock, undefined for a device that has none: it
 * can only measure the time since receipt. Both limits are half-open: at the very end a command is void.
 */
export function refuseExpired(
  command: DeviceCommand,
  nowMs: number | undefined,
  sinceReceiptMs: number,
): Refusal | undefined {
  if (nowMs !== undefined && command.expiresAtMs !== undefined) {
    if (nowMs < command.expiresAtMs) return undefined;
    return { result: 'expired', why: `expired ${Math.round(nowMs - command.expiresAtMs)} ms ago` };
  }
  if (command.ttlMs === undefined) return { result: 'failed', why: 'a device without a clock needs ttlMs' };
  if (sinceReceiptMs < command.ttlMs) return undefined;
  return { result: 'expired', why: `lay here ${Math.round(sinceReceiptMs)} ms, may at most ${command.ttlMs} ms` };
}
