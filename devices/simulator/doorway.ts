/** A door as people meet it: one at a time, badge, wait for the bolt, pull, walk through. */
import type { Timers } from './clock.ts';
import { fullPoint, type SimulatedDoor } from './describe.ts';
import type { VirtualContact, VirtualExitButton, VirtualLock } from './lock.ts';
import type { Parts } from './parts.ts';
import type { Badge, VirtualReader } from './reader.ts';

/** How long somebody stands before a door that does nothing. */
const PATIENCE_MS = 8000;
/** From the bolt's click to the door's opening, and how long the door is open. */
const REACH_MS = 700;
const OPEN_MS = 2500;
/** From the exit button to the handle. */
const BUTTON_MS = 400;

export type Answer = 'opened' | 'denied' | 'no_answer';

export class Doorway {
  readonly id: string;
  readonly room: string | undefined;
  readonly common: boolean;
  readonly lock: VirtualLock | undefined;
  readonly contact: VirtualContact | undefined;
  readonly reader: VirtualReader | undefined;
  readonly exit: VirtualExitButton | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(door: SimulatedDoor, parts: Parts) {
    this.id = door.id;
    this.room = door.room;
    this.common = door.common;
    this.lock = parts.locks.get(fullPoint(door.lock, 'lock'));
    this.contact = door.contact === undefined ? undefined : parts.contacts.get(fullPoint(door.contact, 'door'));
    this.reader = door.reader === undefined ? undefined : parts.readers.get(fullPoint(door.reader, 'reader'));
    this.exit = door.exit === undefined ? undefined : parts.exits.get(fullPoint(door.exit, 'exit'));
  }

  /** Badges and, when let in, walks through; `through` is called with the door open. */
  async enter(badge: Badge, timers: Timers, through: () => void): Promise<Answer> {
    return this.#inTurn(async () => {
      const answer = await this.#ask(badge, timers);
      if (answer !== 'opened') return answer;
      await timers.sleep(REACH_MS);
      // Who dawdles finds the bolt back again.
      if (this.lock?.bolt !== 'unlocked') return 'no_answer';
      await this.#pass(timers, through);
      return 'opened';
    });
  }

  /** From inside a door always opens, whatever the lock and the gateway do. */
  async goOut(timers: Timers, through: () => void): Promise<void> {
    await this.#inTurn(async () => {
      this.exit?.press();
      await timers.sleep(BUTTON_MS);
      await this.#pass(timers, through);
    });
  }

  /** Opened by force: no badge, no button. */
  async force(timers: Timers): Promise<void> {
    await this.#inTurn(() => this.#pass(timers, () => {}));
  }

  async #ask(badge: Badge, timers: Timers): Promise<Answer> {
    const answer = await timers.race<Answer>(PATIENCE_MS, (settle) => {
      const unlisten = [
        this.lock?.onUnlocked(() => settle('opened')),
        this.reader?.onSignal((signal) => {
          if (signal === 'denied') settle('denied');
        }),
      ];
      this.reader?.present(badge);
      return () => {
        for (const stop of unlisten) stop?.();
      };
    });
    return answer ?? 'no_answer';
  }

  async #pass(timers: Timers, through: () => void): Promise<void> {
    this.contact?.set(true);
    through();
    await timers.sleep(OPEN_MS);
    this.contact?.set(false);
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(task);
    this.#turn = mine.catch(() => {});
    return mine;
  }
}
