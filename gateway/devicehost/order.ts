/**
 * What a device's `boot` and `seq` say about a message: new, or one that time has passed over (CONTRACT, “Native
 * devices”). Pure state, no clock.
 */
import { RecentSet } from './recent.ts';

/** Former boots of a device whose late messages are still told from a new boot's. */
const OLD_BOOTS = 8;

interface Last {
  readonly seq: number;
  readonly value: unknown;
  /** The device or the link was away since: the same state told again is news, since it was unknown meanwhile. */
  again: boolean;
}

export type Verdict = 'new' | 'repeat' | 'old_boot' | 'contradiction';

export class MessageOrder {
  #boot: string | undefined;
  readonly #oldBoots = new RecentSet(OLD_BOOTS);
  readonly #last = new Map<string, Last>();

  get boot(): string | undefined {
    return this.#boot;
  }

  /** A status tells its boot. False when it is the late status (or last will) of a former boot. */
  status(boot: string | undefined): boolean {
    if (boot === undefined || boot === this.#boot) return true;
    if (this.#oldBoots.has(boot)) return false;
    this.#renew(boot);
    return true;
  }

  /** `retained`: a retained state of a boot that is not the current one is an old one that was never overwritten. */
  state(
    capability: string,
    told: { boot?: string | undefined; seq?: number | undefined; value: unknown },
    retained: boolean,
  ): Verdict {
    if (told.boot !== undefined && told.boot !== this.#boot) {
      if (this.#boot !== undefined && (retained || this.#oldBoots.has(told.boot))) return 'old_boot';
      this.#renew(told.boot);
    }
    if (told.seq === undefined) return 'new';
    const last = this.#last.get(capability);
    if (last !== undefined && told.seq <= last.seq && !(last.again && told.seq === last.seq)) {
      return told.seq === last.seq && told.value !== last.value ? 'contradiction' : 'repeat';
    }
    this.#last.set(capability, { seq: told.seq, value: told.value, again: false });
    return 'new';
  }

  away(): void {
    for (const last of this.#last.values()) last.again = true;
  }

  #renew(boot: string): void {
    if (this.#boot !== undefined) this.#oldBoots.add(this.#boot);
    this.#boot = boot;
    this.#last.clear();
  }
}
