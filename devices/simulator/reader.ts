/** A badge reader with a keypad and a lamp. */
import type { VirtualDevice } from './device.ts';

export interface Badge {
  readonly format: 'uid' | 'bits' | 'fc-cn';
  /** uid: hex digits; bits: zeros and ones, first bit first; fc-cn: `facility:card`. */
  readonly value: string;
}

export const SIGNALS = ['granted', 'denied', 'wait', 'alarm'] as const;
export type Signal = (typeof SIGNALS)[number];

export class VirtualReader {
  readonly #device: VirtualDevice;
  readonly #capability: string;
  readonly #listeners = new Set<(signal: Signal) => void>();
  #shown: Signal | undefined;

  constructor(device: VirtualDevice, capability: string) {
    this.#device = device;
    this.#capability = capability;
    device.handle(capability, (command, reply) => {
      const signal = SIGNALS.find((known) => known === command.signal);
      if (command.op !== 'indicate' || !signal) {
        reply.failed('a reader only knows indicate, with a signal');
        return;
      }
      this.#shown = signal;
      reply.done();
      for (const listener of [...this.#listeners]) listener(signal);
    });
  }

  /** What it showed last. */
  get shown(): Signal | undefined {
    return this.#shown;
  }

  onSignal(listener: (signal: Signal) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A badge is held to it. False when the reader has no link: the read is lost. */
  present(badge: Badge): boolean {
    const numbers = /^(\d+)[:/-](\d+)$/.exec(badge.value);
    const split =
      badge.format === 'fc-cn' && numbers ? { facility: Number(numbers[1]), card: Number(numbers[2]) } : undefined;
    return this.#device.emit(this.#capability, {
      type: 'credential',
      format: badge.format,
      value: badge.value,
      ...split,
    });
  }

  type(digits: string): boolean {
    return this.#device.emit(this.#capability, { type: 'keypad', digits });
  }
}
