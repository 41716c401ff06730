/**
 * Everything that crosses to the dashboard or to API clients. Lists are plain JSON arrays, but for `GET events`
 * (`{items, next}`) and `GET devices` (`{items, refusedLogins}`).
 */
export * from './calendars.ts';
export * from './clinic.ts';
export * from './common.ts';
export * from './rooms.ts';
export * from './stream.ts';
