/** The journal's codes as sentences for people at the desk; the code stands beside them for people on the phone. */
import type { Calendar } from '../../gateway/wire/calendars.ts';
import type { Event } from '../../gateway/wire/clinic.ts';

/** BACnet AccessEvent reasons, without a sub-reason. */
export const REASON_SENTENCES: Readonly<Record<string, string>> = {
  granted: 'Let in.',
  lockout_max_attempts: 'Too many wrong tries: this reader waits a while.',
  no_entry_after_granted: 'Was let in, but the door was never opened.',
  denied_unknown_credential: 'Nobody has this card. Enrol it under People if it belongs to someone.',
  denied_incorrect_authentication_factor: 'The PIN was wrong.',
  denied_point_no_access_rights: 'Has no right to this door.',
  denied_out_of_time_range: 'Has a right to this door, but not at this time.',
  denied_credential_not_yet_active: 'The card is not valid yet.',
  denied_credential_expired: 'The card has expired.',
  denied_credential_manual_disable: 'This person is suspended.',
  denied_credential_disabled: 'The card was revoked.',
  denied_lockout: 'The building is locked down.',
  denied_other: 'Not let in.',
};

/** Sub-reasons say what the reason alone does not; where both are known, this sentence is shown. */
export const SUB_REASON_SENTENCES: Readonly<Record<string, string>> = {
  booking_none: 'Has no booking for this room today.',
  booking_not_started: 'Too early: the booking has not started yet.',
  booking_ended: 'Too late: the booking is over.',
  booking_cancelled: 'The booking was cancelled.',
  booking_other_holder: 'Someone else has the room booked now.',
  booking_released: 'The booking was released to others.',
  booking_tentative: 'The booking is not confirmed yet.',
  schedule_too_old: 'The calendar has not been read for too long to trust it.',
  time_not_trusted: 'The gateway does not know the time for sure. Confirm it on the gateway.',
  event_retained: 'An old reading was repeated, not a card held up now.',
  event_too_old: 'The reading came in too late to count. Hold the card up again.',
  event_in_future: 'The reader’s clock is ahead. Have a technician look at it.',
  journal_unavailable: 'The gateway cannot write its journal. Call a technician.',
  unlimited_right: 'Let in on an emergency card without time limit.',
  standing_right: 'Let in by standing right.',
  operator: 'By an operator.',
};

const KIND_WORDS: Readonly<Record<string, string>> = {
  access: 'Badge',
  access_not_taken: 'Door not opened after access was granted',
  request_to_exit: 'Exit button pressed',
  door_forced: 'Door forced open',
  door_held_open: 'Door held open',
  command: 'Lock command',
  operator: 'Operator',
  alarm: 'Alarm',
  change: 'Change',
  no_show: 'Nobody came',
  system: 'Gateway',
};

export type Tone = 'good' | 'bad' | 'warn' | 'plain';
export const EVENT_FILTERS = ['all', 'denied', 'granted', 'doors', 'other'] as const;
export type EventFilter = (typeof EVENT_FILTERS)[number];
export const FILTER_WORDS: Record<EventFilter, string> = {
  all: 'All',
  denied: 'Refused',
  granted: 'Let in',
  doors: 'Doors',
  other: 'Other',
};

export interface EventWords {
  /** Who or what, first. */
  readonly title: string;
  readonly sentence: string;
  /** `reason / sub-reason`, as the journal has it; empty where there is none. */
  readonly code: string;
  readonly tone: Tone;
  readonly icon: string;
  readonly group: Exclude<EventFilter, 'all'>;
}

const COMMAND_WORDS: Readonly<Record<string, string>> = {
  confirmed: 'The lock reports it done.',
  failed: 'The lock did not do it.',
  unknown: 'The lock did not answer in time: look at the door.',
};

/** What an event says to people. `name` is the member's where known. */
export function eventWords(event: Event, name: string | null): EventWords {
  const code = [event.reason, event.subReason].filter(Boolean).join(' / ');
  const reason = REASON_SENTENCES[event.reason ?? ''];
  const sub = SUB_REASON_SENTENCES[event.subReason ?? ''];
  const kind = KIND_WORDS[event.kind] ?? event.kind.replaceAll('_', ' ');
  if (event.kind === 'access') return accessWords(event, name, code, reason, sub);
  const sentence = event.note ?? sub ?? COMMAND_WORDS[event.outcome ?? ''] ?? reason ?? '';
  const base = { title: kind, sentence, code };
  switch (event.kind) {
    case 'door_forced':
      return { ...base, tone: 'bad', icon: 'alert', group: 'doors' };
    case 'door_held_open':
    case 'access_not_taken':
      return { ...base, tone: 'warn', icon: 'door', group: 'doors' };
    case 'request_to_exit':
      return { ...base, tone: 'plain', icon: 'exit', group: 'doors' };
    case 'command':
      return { ...base, tone: event.outcome === 'confirmed' ? 'plain' : 'warn', icon: 'lock', group: 'doors' };
    case 'operator':
      return {
        ...base,
        title: event.user ? `${event.user} at the desk` : kind,
        sentence: event.note ?? sub ?? '',
        tone: 'plain',
        icon: 'person',
        group: 'doors',
      };
    case 'alarm':
      return { ...base, tone: 'warn', icon: 'alert', group: 'other' };
    default:
      return { ...base, tone: 'plain', icon: 'dot', group: 'other' };
  }
}

function accessWords(
  event: Event,
  name: string | null,
  code: string,
  reason: string | undefined,
  sub: string | undefined,
): EventWords {
  const granted = event.outcome === 'granted';
  const unknownCard = event.reason === 'denied_unknown_credential';
  return {
    title: name ?? (unknownCard ? 'Unknown card' : 'Member'),
    sentence: sub ?? reason ?? (granted ? 'Let in.' : 'Not let in.'),
    code,
    tone: granted ? 'good' : 'bad',
    icon: granted ? 'check' : 'cross',
    group: granted ? 'granted' : 'denied',
  };
}

/** Alarm kinds as headings. */
export const ALARM_WORDS: Readonly<Record<string, string>> = {
  door_forced: 'Door forced open',
  door_held_open: 'Door held open',
  lock_jammed: 'Lock jammed',
  unlock_failed: 'Unlock failed',
  unlimited_right_used: 'Emergency card used',
  device_offline: 'Device offline',
  device_fault: 'Device fault',
  temperature_stale: 'Temperature is old',
  temperature_missing: 'No temperature',
  freeze: 'Danger of frost',
  no_heating_effect: 'Heating has no effect',
  relay_disobeys: 'Relay does not obey',
  interlock: 'Heating or cooling waits',
  presence_stuck: 'Presence sensor stuck',
  time_not_trusted: 'Time not certain',
  schedule_too_old: 'Calendar too old',
  booking_conflict: 'Two bookings at once',
  booking_revoked_occupied: 'Booking cancelled, people still inside',
  no_show: 'Nobody came',
  overstay: 'Booking over, people still inside',
  calendar_failing: 'Calendar cannot be read',
  calendar_held: 'Calendar not believed',
  calendar_set_aside: 'Calendar entries set aside',
  journal: 'Journal',
  telemetry: 'History store',
  telemetry_refused: 'History points refused',
  broker: 'Device network',
  queue: 'Gateway overloaded',
  disk: 'Disk',
};

export const MODE_WORDS: Readonly<Record<string, string>> = {
  occupied: 'Comfort',
  warm_up: 'Warming up',
  cool_down: 'Cooling down',
  setback: 'Set back',
  setup: 'Set up',
  unoccupied: 'Unoccupied',
  freeze_protection: 'Frost protection',
  sensor_fault: 'Sensor fault',
  off: 'Off',
};

export const BOOKING_WORDS: Readonly<Record<string, string>> = {
  confirmed: 'Confirmed',
  checked_in: 'Checked in',
  tentative: 'Tentative',
  cancelled: 'Cancelled',
  released: 'Released',
  fulfilled: 'Done',
};

/** How a booking stands, for people: its status, and what came of it. */
export type BookingState =
  | 'confirmed'
  | 'checked_in'
  | 'tentative'
  | 'cancelled'
  | 'released'
  | 'fulfilled'
  | 'no_show'
  | 'conflict';
export const BOOKING_STATE_WORDS: Readonly<Record<BookingState, string>> = {
  confirmed: 'Confirmed',
  checked_in: 'Checked in',
  tentative: 'Tentative',
  cancelled: 'Cancelled',
  released: 'Released',
  fulfilled: 'Done',
  no_show: 'No-show',
  conflict: 'Conflict',
};
/** What each means for the door. */
export const BOOKING_STATE_MEANS: Readonly<Record<BookingState, string>> = {
  confirmed: 'The card opens the room around this time.',
  checked_in: 'The card opens the room around this time.',
  tentative: 'Not confirmed: the card does not open for it.',
  cancelled: 'Cancelled: the card does not open for it.',
  released: 'Nobody came, so the room was given free: the card does not open for it.',
  fulfilled: 'It is over.',
  no_show: 'Nobody has come so far.',
  conflict: 'Another booking has the same room at the same time: the one confirmed first keeps it.',
};

/** How a calendar stands. */
export const FEED_WORDS: Readonly<Record<Calendar['state'], string>> = {
  waiting: 'Not read yet',
  ok: 'Up to date',
  held: 'Held: not believed',
  failing: 'Failing',
  too_old: 'Too old: grants no longer',
};
export const FEED_KIND_WORDS: Readonly<Record<Calendar['kind'], string>> = {
  ics: 'Calendar feed (ICS)',
  caldav: 'CalDAV',
  webhook: 'Webhook',
  fhir: 'FHIR',
};
export const SET_ASIDE_WORDS: Readonly<Record<string, string>> = {
  malformed: 'Cannot be read',
  unknown_zone: 'Unknown time zone',
  bad_rule: 'Bad recurrence rule',
  too_many_instances: 'Repeats too often',
  too_long: 'Too long',
  no_times: 'Has no times',
  contradiction: 'Contradicts itself',
  no_room: 'No room known',
  no_holder: 'Nobody known to hold it',
};
/** Alarms that the calendars' page explains. */
export const CALENDAR_ALARMS: ReadonlySet<string> = new Set([
  'calendar_failing',
  'calendar_held',
  'calendar_set_aside',
  'schedule_too_old',
]);

/** Bookings that hold the room; the others are history. */
export const holdsRoom = (status: string): boolean => status !== 'cancelled' && status !== 'released';

export const COMMAND_OUTCOME_WORDS: Readonly<Record<string, string>> = {
  pending: 'waiting for the lock',
  confirmed: 'confirmed',
  failed: 'failed',
  unknown: 'timed out, no answer',
};
