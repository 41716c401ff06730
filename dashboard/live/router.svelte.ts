/** Where the page is, kept after the `#`: no server has to know the views, and a bookmark opens the same room. */
export const VIEWS = ['overview', 'bookings', 'calendars', 'people', 'devices'] as const;
export type View = (typeof VIEWS)[number];

/** What part of the schedule is looked at. */
export interface SchedulePlace {
  readonly span: 'day' | 'week';
  /** `2026-11-23`; null is today. */
  readonly day: string | null;
  /** null: all rooms. */
  readonly room: string | null;
}
export interface Place {
  readonly view: View;
  readonly room: string | null;
  readonly schedule?: SchedulePlace | undefined;
}

/** `#/overview/room/consult-1`, `#/bookings/week/2026-11-23/consult-1` */
export function readPlace(hash: string): Place {
  const [, name, second, third, fourth] = hash.replace(/^#/, '').split('/');
  const view = VIEWS.find((known) => known === name) ?? 'overview';
  if (view !== 'bookings' || (second !== 'day' && second !== 'week'))
    return { view, room: third && view === 'overview' ? decode(third) : null };
  const day = third !== undefined && isDay(third) ? third : null;
  return { view, room: null, schedule: { span: second, day, room: fourth ? decode(fourth) : null } };
}

const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

function decode(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

export function writePlace(place: Place): string {
  const { schedule } = place;
  if (schedule) {
    const room = schedule.room ? `/${encodeURIComponent(schedule.room)}` : '';
    return `#/bookings/${schedule.span}/${schedule.day ?? 'today'}${room}`;
  }
  return `#/${place.view}${place.room ? `/room/${encodeURIComponent(place.room)}` : ''}`;
}

export class Router {
  place = $state.raw<Place>(readPlace(location.hash));

  constructor() {
    addEventListener('hashchange', () => {
      this.place = readPlace(location.hash);
    });
  }
  go(place: Place): void {
    location.hash = writePlace(place);
  }
}
