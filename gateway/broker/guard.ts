/**
 * Looks at the bytes of a connection before the broker parses them: cuts it at the first header of a packet that is too
 * large, before its body is gathered, and slows a client that sends more packets a second than it may.
 * MQTT 3.1.1, section 2.2: one byte of type, then the remaining length in one to four bytes of seven bits.
 */
import type { Socket } from 'node:net';

export interface GuardLimits {
  readonly packetBytes: number;
  /** Sustained packets a second of one client, and how many it may send at once after a quiet time. */
  readonly packetsPerS: number;
  readonly burstPackets: number;
}

export interface GuardEvents {
  tooLarge(bytes: number): void;
  flood(): void;
}

/** Longest time that a flooding client is not read: its keep-alive must still get through. */
const MAX_PAUSE_MS = 5_000;
const LENGTH_BYTES_MAX = 4;

export class PacketCounter {
  readonly #maxBytes: number;
  /** Bytes of the running packet's body still to come. */
  #body = 0;
  /** Bytes of the running header seen; 0 between packets. */
  #header = 0;
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Packets that begin in this chunk; or the announced size of one that is too large. */
  take(chunk: Uint8Array): { readonly packets: number } | { readonly tooLarge: number } {
    let packets = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#body > 0) {
        const step = Math.min(this.#body, chunk.length - at);
        this.#body -= step;
        at += step;
        continue;
      }
      const byte = chunk[at] ?? 0;
      at += 1;
      if (this.#header === 0) {
        packets += 1;
        this.#header = 1;
        this.#length = 0;
        continue;
      }
      this.#length += (byte & 0x7f) * 128 ** (this.#header - 1);
      this.#header += 1;
      const last = byte < 0x80;
      if (this.#length > this.#maxBytes || (!last && this.#header > LENGTH_BYTES_MAX))
        return { tooLarge: this.#length };
      if (last) {
        this.#body = this.#length;
        this.#header = 0;
      }
    }
    return { packets };
  }
}

/**
 * aedes takes bytes by `socket.read()` when the socket is `readable`; this stands in that one door. Reading is refused
 * while a client pays back what it sent too fast; meanwhile TCP holds the rest at the sender.
 */
export function guardSocket(socket: Socket, limits: GuardLimits, events: GuardEvents, monoMs: () => number): void {
  const counter = new PacketCounter(limits.packetBytes);
  const take = socket.read.bind(socket);
  let tokens = limits.burstPackets;
  let filledAtMs = monoMs();
  let wake: NodeJS.Timeout | undefined;

  const pause = (ms: number): void => {
    wake = setTimeout(() => {
      wake = undefined;
      socket.emit('readable');
    }, ms);
  };
  socket.once('close', () => clearTimeout(wake));

  socket.read = (size?: number) => {
    if (wake !== undefined) return null;
    const chunk: Buffer | null = size === undefined ? take() : take(size);
    if (chunk === null) return null;
    const seen = counter.take(chunk);
    if ('tooLarge' in seen) {
      events.tooLarge(seen.tooLarge);
      socket.destroy();
      return null;
    }
    const nowMs = monoMs();
    tokens = Math.min(limits.burstPackets, tokens + ((nowMs - filledAtMs) * limits.packetsPerS) / 1000);
    filledAtMs = nowMs;
    tokens -= seen.packets;
    if (tokens < 0) {
      events.flood();
      pause(Math.min(MAX_PAUSE_MS, (-tokens * 1000) / limits.packetsPerS));
    }
    return chunk;
  };
}
