/** Outside calendars as the core knows them: when each was last read well is its business, and what people must hear of. */
import type { Condition } from './alarms/condition.ts';
import type { CalendarFact, Now } from './facts.ts';
import type { State } from './state.ts';

/** One look that fails is nothing; so many in a row are an alarm. */
export const FAILURES_TO_ALARM = 3;
/** From this share of the age at which a schedule grants no more, a calendar that cannot be read is critical. */
export const CRITICAL_SHARE = 0.75;

export function changeCalendar(state: State, fact: CalendarFact, now: Now): void {
  if (fact.state === 'removed') {
    state.calendars.delete(fact.source);
    state.scheduleFreshAtMs.delete(fact.source);
  } else {
    state.calendars.set(fact.source, fact);
  }
  calendarAlarms(state, now);
}

export function calendarAlarms(state: State, now: Now): void {
  const conditions: Condition[] = [];
  for (const fact of state.calendars.values()) {
    const { source, why } = fact;
    const freshAtMs = state.scheduleFreshAtMs.get(source);
    const ageMs = freshAtMs === undefined ? 0 : now.wallMs - freshAtMs;
    const severity = ageMs > state.schedule.rules.maxScheduleAgeMs * CRITICAL_SHARE ? 'critical' : 'warning';
    if (fact.state === 'failing' && (fact.failures >= FAILURES_TO_ALARM || severity === 'critical')) {
      const text = `Calendar ${source} cannot be read: ${why} Its last good schedule stands.`;
      conditions.push({ kind: 'calendar_failing', severity, device: source, text });
    }
    if (fact.state === 'held') {
      const text = `The answer of calendar ${source} was not believed: ${why} Its last good schedule stands.`;
      conditions.push({ kind: 'calendar_held', severity, device: source, text });
    }
    if (fact.setAside > 0) {
      const events = fact.setAside === 1 ? 'One event' : `${fact.setAside} events`;
      const text = `${events} of calendar ${source} cannot be understood for certain and open no door. ${fact.setAsideWhy}`;
      conditions.push({ kind: 'calendar_set_aside', severity: 'warning', device: source, text });
    }
  }
  state.alarms.reconcile('calendars', conditions, now, state.id);
}
