/** What the clinic keeps: bookings, members and credentials, as the core needs them. Instants are Unix milliseconds. */

/** Only `confirmed` and `checked_in` ever grant. */
export type BookingStatus = 'confirmed' | 'checked_in' | 'tentative' | 'cancelled' | 'released' | 'fulfilled';

export interface Booking {
  readonly id: string;
  readonly room: string;
  /** Member id. */
  readonly holder: string;
  /** Member ids who may use the room in the holder's place. */
  readonly delegates: readonly string[];
  /** Start and end of `[start, end)`. */
  readonly startMs: number;
  readonly endMs: number;
  readonly status: BookingStatus;
  /** Where it came from; `local` for bookings made here. */
  readonly source: string;
  readonly title: string;
  /**
   * When it was first known here as granting at this time and room, Unix ms: of two that clash the earlier keeps the
   * room. Absent: known before such times were kept, which is earlier than any.
   */
  readonly confirmedAtMs?: number | undefined;
  /** That of its source: of two that clash and were confirmed together, the higher keeps the room. */
  readonly priority?: number | undefined;
  /** Id that the bookings of one series made by hand share. */
  readonly series?: string | undefined;
}

export type MemberKind = 'practitioner' | 'staff' | 'cleaner';
export type MemberStatus = 'active' | 'suspended' | 'left';

export interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

/** A standing right to doors, its weekly times already worked out to UTC by `gateway/calendars`. */
export interface Right {
  readonly doors: readonly string[];
  /** Sorted, disjoint intervals; `always` has no time limit. */
  readonly when: 'always' | readonly Interval[];
}

export interface Member {
  readonly id: string;
  readonly name: string;
  readonly kind: MemberKind;
  readonly status: MemberStatus;
  readonly rights: readonly Right[];
}

export interface Credential {
  readonly id: string;
  readonly member: string;
  /** Keyed hash of the canonical number; the number itself is kept nowhere. */
  readonly hash: string;
  readonly status: 'active' | 'revoked';
  readonly validFromMs?: number | undefined;
  readonly validUntilMs?: number | undefined;
}
