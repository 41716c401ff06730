import type { Role } from '../../gateway/wire/common.ts';

/** What the page offers. The gateway enforces the same on its side; this only spares people a refusal. */
export type Ability =
  | 'unlock'
  | 'alarms'
  | 'bookings'
  | 'own_bookings'
  | 'people'
  | 'names'
  | 'devices'
  | 'test'
  | 'time'
  | 'calendars'
  /** Alarms and events; the others are sent none. */
  | 'journal'
  | 'refresh';

const MAY: Record<Role, readonly Ability[]> = {
  manager: [
    'journal',
    'unlock',
    'alarms',
    'bookings',
    'people',
    'names',
    'devices',
    'test',
    'time',
    'calendars',
    'refresh',
  ],
  reception: ['journal', 'unlock', 'alarms', 'bookings', 'people', 'names', 'devices', 'calendars', 'refresh'],
  viewer: ['journal', 'names', 'devices', 'calendars'],
  practitioner: ['own_bookings'],
  /** For machines: it sees no room, so the dashboard has nothing to show to it. */
  integrator: [],
};

export function may(role: Role, ability: Ability): boolean {
  return MAY[role].includes(ability);
}

export const ROLE_WORDS: Record<Role, string> = {
  manager: 'Manager',
  reception: 'Reception',
  viewer: 'Viewer',
  practitioner: 'Practitioner',
  integrator: 'Integrator',
};
