/** Times of the calendar, worked out to instants, and the outside calendars. */
export { Expander } from './expander.ts';
export { CalendarHost } from './host.ts';
export { openSource } from './open.ts';
export { repeatTimes, shiftTimes } from './series.ts';
export type { SourceSettings } from './settings.ts';
export { dayAround, expandRights, weeklyIntervals } from './weekly.ts';
