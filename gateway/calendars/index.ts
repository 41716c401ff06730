/** Times of the calendar, worked out to instants. */
export { dayAround, expandRights, weeklyIntervals } from './weekly.ts';
