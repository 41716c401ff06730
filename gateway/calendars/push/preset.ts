/** What a preset is: how one vendor signs, what its messages say, and how its list of bookings is read. All pure. */
import type { Statement } from './booking.ts';
import { identifier } from './fields.ts';
import type { ListFormat } from './pager.ts';
import type { PeopleFormat } from './people.ts';
import type { SignatureScheme } from './signature.ts';

/** What the configuration wants of a preset. */
export interface PresetContext {
  /** Id of the source. */
  readonly source: string;
  /**
   * Whether attendees may be kept: only where the configuration takes holders from them. Elsewhere they may be patients
   * (Cal.com's are the customers), and nothing of a patient is kept.
   */
  readonly attendees: boolean;
  /** Whether the configuration maps this text to a room; what else stands in such a field may be a patient's address. */
  readonly isRoom: (text: string) => boolean;
  /** Mail address of the vendor's member, where there is a directory. */
  readonly mailOf?: ((id: string) => string | undefined) | undefined;
}

/** What a pushed message says. */
export type Reading =
  /** New statements about bookings; `removed` are those that are gone. */
  | {
      readonly kind: 'bookings';
      readonly statements: readonly Statement[];
      readonly removed: readonly Removal[];
      /** When the message was made, where it is signed with the body. Unix ms. */
      readonly atMs?: number | undefined;
      /** The sender's id of the message, for its log and ours. */
      readonly id?: string | undefined;
    }
  /** Something changed; only a look at the list tells what. */
  | { readonly kind: 'poll' }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'malformed'; readonly why: string };

export interface Removal {
  readonly href: string;
  readonly stampMs: number;
  readonly endMs?: number | undefined;
}

export interface Preset {
  readonly id: 'doorward' | 'officernd' | 'nexudus' | 'calcom' | 'cobot';
  /** Absent: the vendor signs nothing, so that its messages are hints to look, never statements. */
  readonly scheme?: SignatureScheme | undefined;
  /** Whether each message carries its own time within the signed body; see `Reading.atMs`. */
  readonly timeInBody?: true | undefined;
  /** Its messages do not tell enough: without `url` the source can do nothing. */
  readonly needsUrl?: true | undefined;
  /** @param payload parsed JSON */
  read(payload: unknown, context: PresetContext): Reading;
  list(context: PresetContext): ListFormat;
  /** Its directory of members, where its bookings name them by id. */
  readonly people?: PeopleFormat | undefined;
  /**
   * Address of the first page, bookings that overlap `[fromMs, toMs)` or more.
   * @param base as configured, without query
   */
  first(base: URL, fromMs: number, toMs: number): URL;
}

/** A page item out of a statement: the usual case. */
export function itemOf(found: Statement | undefined): { readonly object: Statement['object'] } | undefined {
  return found === undefined ? undefined : { object: found.object };
}

/** A member's id and, where the directory has it, his mail address before it. */
export function addressesOf(id: unknown, context: PresetContext): string[] {
  const known = identifier(id);
  if (known === undefined) return [];
  const address = context.mailOf?.(known);
  return address === undefined ? [known] : [address, known];
}

/** Adds an API's path to a configured address, unless it is there already or `instead` of another of its paths. */
export function endpoint(base: URL, path: string, instead = path): URL {
  const url = new URL(base.href);
  const trimmed = url.pathname.replace(/\/+$/, '');
  url.pathname = `${trimmed.endsWith(instead) ? trimmed.slice(0, -instead.length) : trimmed}${path}`;
  return url;
}

export function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}
