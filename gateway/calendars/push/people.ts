/**
 * Mail addresses of a vendor's members by their ids: its bookings name members by id, the clinic knows them by address.
 * Only id and address are read. Kept in memory; a look that cannot read the directory fails, because without addresses
 * every booking would lose its holder.
 */
import type { HttpFailure } from '../net/http.ts';
import { type Paging, type Reader, readPages } from './pager.ts';

/** A changed address is seen after this long at the latest. */
const KEPT_MS = 6 * 3_600_000;
/** For somebody who is missing in it the directory is read anew at most this often. */
const ANEW_MS = 10 * 60_000;

export interface PeopleFormat extends Paging {
  /** @param base as configured */
  first(base: URL): URL;
  /** Undefined for what is no person with an id; `mail` is undefined for one without address. */
  person(value: unknown): { readonly id: string; readonly mail: string | undefined } | undefined;
}

export interface Known {
  /** By id; undefined for somebody without address. */
  readonly mails: ReadonlyMap<string, string | undefined>;
}

export class People {
  readonly #format: PeopleFormat;
  readonly #first: URL;
  readonly #now: () => number;
  #known: (Known & { readonly atMs: number }) | undefined;
  #stale = false;

  constructor(format: PeopleFormat, base: URL, now: () => number) {
    this.#format = format;
    this.#first = format.first(base);
    this.#now = now;
  }

  async known(reader: Reader): Promise<Known | HttpFailure> {
    const atMs = this.#now();
    if (this.#known !== undefined && !this.#stale && atMs - this.#known.atMs < KEPT_MS) return this.#known;
    const mails = new Map<string, string | undefined>();
    const failure = await readPages(this.#first, this.#format, reader, (value) => {
      const person = this.#format.person(value);
      if (person !== undefined) mails.set(person.id, person.mail);
      return { counts: true };
    });
    if (failure !== undefined) return { ...failure, why: `The directory of members cannot be read. ${failure.why}` };
    this.#known = { mails, atMs };
    this.#stale = false;
    return this.#known;
  }

  /** @returns whether it will be read anew: not where that was done a moment ago */
  forget(): boolean {
    if (this.#known === undefined || this.#now() - this.#known.atMs < ANEW_MS) return false;
    this.#stale = true;
    return true;
  }
}
