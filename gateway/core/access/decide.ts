/**
 * May this credential open this door now? Pure and total: every read gets one outcome and one named reason
 * (BACnet AccessEvent, ASHRAE 135; sub-reasons are ours, see reasons.ts).
 */
import { KEEP_ENDED_MS, LOCAL_SOURCE, type Own, type Schedule } from '../bookings/schedule.ts';
import type { CredentialFact, Now } from '../facts.ts';
import type { Reason, SubReason } from '../reasons.ts';
import type { Booking, Credential, Interval, Member } from '../records.ts';
import type { Door } from '../site.ts';

/** What a decision looks at; the core's state is one. */
export interface AccessRecords {
  /** With the rules in force. */
  readonly schedule: Schedule;
  readonly members: ReadonlyMap<string, Member>;
  /** By keyed hash. */
  readonly credentials: ReadonlyMap<string, Credential>;
  /** When each outside calendar was last read well, Unix ms. */
  readonly scheduleFreshAtMs: ReadonlyMap<string, number>;
  readonly timeTrust: { readonly trusted: boolean };
}

export interface Decision {
  readonly outcome: 'granted' | 'denied';
  readonly reason: Reason;
  readonly subReason?: SubReason | undefined;
  readonly credential?: Credential | undefined;
  readonly member?: Member | undefined;
  readonly booking?: Booking | undefined;
}

/** A decision while it is being made: credential and member are filled in at the end. */
type Verdict = { -readonly [K in keyof Required<Decision>]: Decision[K] };

function granted(subReason?: SubReason, booking?: Booking): Verdict {
  return { outcome: 'granted', reason: 'granted', subReason, booking, credential: undefined, member: undefined };
}

export function decide(records: AccessRecords, door: Door, read: CredentialFact, now: Now): Decision {
  const credential = findCredential(records, read.hashes);
  const member = credential && records.members.get(credential.member);
  const verdict =
    read.stale !== undefined
      ? denied('denied_other', read.stale)
      : (credentialVerdict(records, credential, member, now) ?? rightVerdict(records, door, member as Member, now));
  verdict.credential = credential;
  verdict.member = member;
  return verdict;
}

function denied(reason: Reason, subReason?: SubReason, booking?: Booking): Verdict {
  return { outcome: 'denied', reason, subReason, booking, credential: undefined, member: undefined };
}

/** An active credential wins over a revoked one of the same number: a card may be given to somebody else. */
function findCredential(records: AccessRecords, hashes: readonly string[]): Credential | undefined {
  let found: Credential | undefined;
  for (const hash of hashes) {
    const credential = records.credentials.get(hash);
    if (credential?.status === 'active') return credential;
    found ??= credential;
  }
  return found;
}

function credentialVerdict(
  records: AccessRecords,
  credential: Credential | undefined,
  member: Member | undefined,
  now: Now,
): Verdict | undefined {
  if (credential === undefined) return denied('denied_unknown_credential');
  if (credential.status === 'revoked') return denied('denied_credential_disabled');
  // A credential without its member is a hole in the records, and holes do not open doors.
  if (member === undefined || member.status !== 'active') return denied('denied_credential_manual_disable');
  const limited = credential.validFromMs !== undefined || credential.validUntilMs !== undefined;
  if (limited && !records.timeTrust.trusted) return denied('denied_out_of_time_range', 'time_not_trusted');
  if (credential.validFromMs !== undefined && now.wallMs < credential.validFromMs) {
    return denied('denied_credential_not_yet_active');
  }
  if (credential.validUntilMs !== undefined && now.wallMs >= credential.validUntilMs) {
    return denied('denied_credential_expired');
  }
  return undefined;
}

function rightVerdict(records: AccessRecords, door: Door, member: Member, now: Now): Verdict {
  const standing = standingRight(member, door, now.wallMs);
  if (!records.timeTrust.trusted) {
    return standing === 'always' ? granted('unlimited_right') : denied('denied_out_of_time_range', 'time_not_trusted');
  }
  const byBooking = bookingVerdict(records, door, member, now.wallMs);
  if (byBooking.outcome === 'granted') return byBooking;
  if (standing === 'always') return granted('unlimited_right');
  if (standing === 'now') return granted('standing_right');
  // A booking's own story tells the person more than the weekly right that does not cover the hour.
  if (standing === 'other_time' && byBooking.reason === 'denied_point_no_access_rights') {
    return denied('denied_out_of_time_range');
  }
  return byBooking;
}

function standingRight(member: Member, door: Door, atMs: number): 'always' | 'now' | 'other_time' | 'none' {
  let best: 'now' | 'other_time' | 'none' = 'none';
  for (const right of member.rights) {
    if (!right.doors.includes(door.id)) continue;
    if (right.when === 'always') return 'always';
    if (covers(right.when, atMs)) best = 'now';
    else if (best === 'none') best = 'other_time';
  }
  return best;
}

function covers(intervals: readonly Interval[], atMs: number): boolean {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((intervals[middle] as Interval).endMs <= atMs) low = middle + 1;
    else high = middle;
  }
  const candidate = intervals[low];
  return candidate !== undefined && candidate.startMs <= atMs;
}

function bookingVerdict(records: AccessRecords, door: Door, member: Member, atMs: number): Verdict {
  return door.room === undefined || door.common
    ? commonDoorVerdict(records, member, atMs)
    : roomDoorVerdict(records, door.room, member, atMs);
}

function tooOld(records: AccessRecords, booking: Booking, atMs: number): boolean {
  if (booking.source === LOCAL_SOURCE) return false;
  const freshAtMs = records.scheduleFreshAtMs.get(booking.source);
  // Read in what is the future now: the clock was wrong, and how old the schedule really is nobody knows.
  return freshAtMs === undefined || Math.abs(atMs - freshAtMs) > records.schedule.rules.maxScheduleAgeMs;
}

function roomDoorVerdict(records: AccessRecords, room: string, member: Member, atMs: number): Verdict {
  const { schedule } = records;
  const { earlyMs, lateMs } = schedule.rules;
  const own = schedule.ofMemberInRoom(member.id, room);
  let stale: Booking | undefined;
  const granting = own?.held.findCovering(atMs, earlyMs, lateMs, (booking) => {
    const window = schedule.window(booking);
    if (atMs < window.fromMs || atMs >= window.toMs) return false;
    if (!tooOld(records, booking, atMs)) return true;
    stale ??= booking;
    return false;
  });
  if (granting !== undefined) return granted(undefined, granting);
  if (stale !== undefined) return denied('denied_out_of_time_range', 'schedule_too_old', stale);
  if (own !== undefined) {
    const story = ownStory(records, own, atMs);
    if (story !== undefined) return story;
  }
  const others = schedule.held(room).findCovering(atMs, 0, 0, anyBooking);
  return others !== undefined
    ? denied('denied_point_no_access_rights', 'booking_other_holder')
    : denied('denied_point_no_access_rights', 'booking_none');
}

function commonDoorVerdict(records: AccessRecords, member: Member, atMs: number): Verdict {
  const { schedule } = records;
  const { earlyMs, lateMs, entranceEarlyMs } = schedule.rules;
  const own = schedule.ofMember(member.id);
  let stale: Booking | undefined;
  const granting = own?.held.findCovering(atMs, Math.max(entranceEarlyMs, earlyMs), lateMs, (booking) => {
    if (!tooOld(records, booking, atMs)) return true;
    stale ??= booking;
    return false;
  });
  if (granting !== undefined) return granted(undefined, granting);
  if (stale !== undefined) return denied('denied_out_of_time_range', 'schedule_too_old', stale);
  return (own && ownStory(records, own, atMs)) ?? denied('denied_point_no_access_rights', 'booking_none');
}

function anyBooking(): boolean {
  return true;
}

/** A booking that begins or ended within this is what somebody at the door means, and not one that was given up. */
const NEAR_MS = 3_600_000;

/** Why the member's own bookings here do not help: the one that would cover now, else the one nearest in time. */
function ownStory(records: AccessRecords, own: Own, atMs: number): Verdict | undefined {
  const { earlyMs, lateMs } = records.schedule.rules;
  const next = own.held.next(atMs);
  const last = own.held.previous(atMs);
  const untilNextMs = next === undefined ? Number.POSITIVE_INFINITY : next.startMs - atMs;
  const sinceLastMs = last === undefined ? Number.POSITIVE_INFINITY : atMs - last.endMs;
  const covering = own.rest?.findCovering(atMs, earlyMs, lateMs, anyBooking);
  if (covering !== undefined) {
    const givenUp = covering.status === 'cancelled' || covering.status === 'released';
    if (!givenUp || Math.min(untilNextMs, sinceLastMs) > NEAR_MS) return inactiveVerdict(covering);
  }
  if (next !== undefined && untilNextMs <= sinceLastMs) {
    return denied('denied_out_of_time_range', 'booking_not_started', next);
  }
  if (last !== undefined && sinceLastMs < KEEP_ENDED_MS) {
    return denied('denied_out_of_time_range', 'booking_ended', last);
  }
  return next && denied('denied_out_of_time_range', 'booking_not_started', next);
}

function inactiveVerdict(booking: Booking): Verdict {
  switch (booking.status) {
    case 'cancelled':
      return denied('denied_out_of_time_range', 'booking_cancelled', booking);
    case 'released':
      return denied('denied_out_of_time_range', 'booking_released', booking);
    case 'fulfilled':
      return denied('denied_out_of_time_range', 'booking_ended', booking);
    case 'tentative':
      return denied('denied_point_no_access_rights', 'booking_tentative', booking);
    default:
      // Confirmed, but another booking has the room: the first confirmed keeps it.
      return denied('denied_point_no_access_rights', 'booking_other_holder', booking);
  }
}
