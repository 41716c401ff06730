/**
 * Access reasons and their numbers: BACnet AccessEvent (ASHRAE 135). Sub-reasons are ours, where a booking or the
 * event itself is the cause.
 */
export const REASONS = {
  granted: 1,
  lockout_max_attempts: 6,
  no_entry_after_granted: 16,
  denied_unknown_credential: 129,
  denied_incorrect_authentication_factor: 132,
  denied_point_no_access_rights: 134,
  denied_out_of_time_range: 136,
  denied_credential_not_yet_active: 151,
  denied_credential_expired: 152,
  denied_credential_manual_disable: 153,
  denied_credential_disabled: 158,
  denied_lockout: 161,
  denied_other: 164,
} as const;

export type Reason = keyof typeof REASONS;

export type SubReason =
  | 'booking_none'
  | 'booking_not_started'
  | 'booking_ended'
  | 'booking_cancelled'
  | 'booking_other_holder'
  | 'booking_released'
  | 'booking_tentative'
  | 'schedule_too_old'
  | 'time_not_trusted'
  | 'event_retained'
  | 'event_too_old'
  | 'event_in_future'
  | 'journal_unavailable'
  | 'unlimited_right'
  | 'standing_right'
  | 'operator';
