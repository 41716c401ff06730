import { describe, expect, test } from 'vitest';
import { ALARM_WORDS, eventWords, REASON_SENTENCES, SUB_REASON_SENTENCES } from '../../dashboard/live/words.ts';
import type { AlarmKind } from '../../gateway/core/effects.ts';
import { REASONS, type SubReason } from '../../gateway/core/reasons.ts';
import { event } from '../support/fixtures-data.ts';

const NOW = Date.parse('2026-11-23T09:20:00Z');
/** Every sub-reason of the core; the type makes a new one a compile error here. */
const SUB_REASONS: Record<SubReason, true> = {
  booking_none: true,
  booking_not_started: true,
  booking_ended: true,
  booking_cancelled: true,
  booking_other_holder: true,
  booking_released: true,
  booking_tentative: true,
  schedule_too_old: true,
  time_not_trusted: true,
  event_retained: true,
  event_too_old: true,
  event_in_future: true,
  journal_unavailable: true,
  unlimited_right: true,
  standing_right: true,
  operator: true,
};
/** Every kind of alarm, in the same way. */
const ALARM_KINDS: Record<AlarmKind, true> = {
  door_forced: true,
  door_held_open: true,
  lock_jammed: true,
  unlock_failed: true,
  unlimited_right_used: true,
  device_offline: true,
  device_fault: true,
  temperature_stale: true,
  temperature_missing: true,
  freeze: true,
  no_heating_effect: true,
  relay_disobeys: true,
  interlock: true,
  presence_stuck: true,
  time_not_trusted: true,
  schedule_too_old: true,
  booking_conflict: true,
  calendar_failing: true,
  calendar_held: true,
  calendar_set_aside: true,
  booking_revoked_occupied: true,
  no_show: true,
  overstay: true,
  journal: true,
  telemetry: true,
  telemetry_refused: true,
  broker: true,
  queue: true,
  disk: true,
};

describe('alarms', () => {
  test('every kind has a heading, and no heading is left over', () => {
    expect(Object.keys(ALARM_WORDS).sort()).toEqual(Object.keys(ALARM_KINDS).sort());
  });
});

describe('reasons', () => {
  test('every reason of the core has a sentence, and no sentence is left over', () => {
    expect(Object.keys(REASON_SENTENCES).sort()).toEqual(Object.keys(REASONS).sort());
  });
  test('every sub-reason of the core has a sentence, and no sentence is left over', () => {
    expect(Object.keys(SUB_REASON_SENTENCES).sort()).toEqual(Object.keys(SUB_REASONS).sort());
  });
});

describe('an event in words', () => {
  test.each([
    [
      'a refusal says who, why and the code',
      { outcome: 'denied', reason: 'denied_out_of_time_range', subReason: 'booking_ended' },
      'Dr Weiss',
      {
        title: 'Dr Weiss',
        sentence: 'Too late: the booking is over.',
        code: 'denied_out_of_time_range / booking_ended',
        tone: 'bad',
        group: 'denied',
      },
    ],
    [
      'a card that nobody has is called that',
      { outcome: 'denied', reason: 'denied_unknown_credential' },
      null,
      { title: 'Unknown card', code: 'denied_unknown_credential', group: 'denied' },
    ],
    [
      'a grant is good news',
      { outcome: 'granted', reason: 'granted' },
      'Maja',
      { title: 'Maja', sentence: 'Let in.', tone: 'good', group: 'granted' },
    ],
    [
      'a forced door is bad news',
      { kind: 'door_forced' },
      null,
      { title: 'Door forced open', tone: 'bad', group: 'doors' },
    ],
    [
      'a command without an answer warns',
      { kind: 'command', outcome: 'unknown' },
      null,
      { tone: 'warn', sentence: 'The lock did not answer in time: look at the door.' },
    ],
    [
      'a kind that is not known yet is still shown',
      { kind: 'fire_drill', note: 'Drill.' },
      null,
      { title: 'fire drill', sentence: 'Drill.', group: 'other' },
    ],
  ] as const)('%s', (_name, more, name, expected) => {
    expect(eventWords(event(1, NOW, 0, more), name)).toMatchObject(expected);
  });
});
