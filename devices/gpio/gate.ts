/** Which commands a device must refuse, whoever sends them: expired, repeated, or meant for an earlier start. */
import type { DeviceMessage, OutgoingCommand } from '../driver.ts';

/** CONTRACT: a device knows its last 64 command ids. */
export const REMEMBERED_IDS = 64;

type AckResult = Extract<DeviceMessage, { type: 'ack' }>['result'];
export interface Refusal {
  readonly result: AckResult;
  readonly why: string;
}

export class CommandGate {
  readonly #boot: string;
  readonly #ids = new Set<string>();

  constructor(boot: string) {
    this.#boot = boot;
  }

  /**
   * undefined: carry it out now; its id is remembered. A pin obeys at once, so nothing waits here: what has any
   * life left (`ttlMs` since receipt) is in time. The host checks the age up to receipt.
   */
  refusal(command: OutgoingCommand): Refusal | undefined {
    if (command.boot !== undefined && command.boot !== this.#boot) {
      return { result: 'stale', why: 'The command was meant for an earlier start of the device.' };
    }
    if (this.#ids.has(command.id)) return { result: 'duplicate', why: 'A command with this id was received before.' };
    if (!(command.ttlMs > 0)) return { result: 'expired', why: 'The command had no life left when it came.' };
    this.#ids.add(command.id);
    if (this.#ids.size > REMEMBERED_IDS) {
      const [oldest] = this.#ids;
      if (oldest !== undefined) this.#ids.delete(oldest);
    }
    return undefined;
  }
}
