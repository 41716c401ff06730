/** Where the page is, kept after the `#`: no server has to know the views, and a bookmark opens the same room. */
export const VIEWS = ['overview', 'bookings', 'people', 'devices'] as const;
export type View = (typeof VIEWS)[number];

export interface Place {
  readonly view: View;
  readonly room: string | null;
}

/** `#/overview/room/consult-1` */
export function readPlace(hash: string): Place {
  const [, name, , room] = hash.replace(/^#/, '').split('/');
  const view = VIEWS.find((known) => known === name) ?? 'overview';
  return { view, room: room && view === 'overview' ? decode(room) : null };
}

function decode(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

export function writePlace(place: Place): string {
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
