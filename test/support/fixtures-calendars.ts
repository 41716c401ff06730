/** A schedule as outside calendars fill it: every state that a booking and a feed can have. */
import type { Booking, Calendar } from '../../gateway/wire/index.ts';

const MIN = 60_000;
const HOUR = 60 * MIN;
const at = (ms: number) => new Date(ms).toISOString();

/** `dayStartMs`: midnight of the site's day, which the bookings are set around. */
export function scheduleOf(dayStartMs: number): Booking[] {
  const book = (
    id: string,
    room: string,
    holder: string,
    fromH: number,
    hours: number,
    more: Partial<Booking> = {},
  ): Booking => ({
    id,
    room,
    holder,
    delegates: [],
    start: at(dayStartMs + fromH * HOUR),
    end: at(dayStartMs + (fromH + hours) * HOUR),
    status: 'confirmed',
    source: 'local',
    title: '',
    ...more,
  });
  const day = (days: number) => 24 * days;
  return [
    book('s-1', 'consult-1', 'm-weiss', 8, 1.5, { source: 'practice', title: 'Surgery hours' }),
    book('s-2', 'consult-1', 'm-okafor', 10, 2, { series: 's-2' }),
    book('s-3', 'consult-1', 'm-lind', 13, 1, { source: 'nexudus', status: 'tentative' }),
    book('s-4', 'consult-1', 'm-weiss', 15, 2, { source: 'practice', status: 'cancelled' }),
    book('s-5', 'consult-2', 'm-lind', 9, 2, { source: 'nextcloud' }),
    book('s-6', 'consult-2', 'm-weiss', 10, 2, { source: 'practice' }),
    book('s-7', 'consult-2', 'm-okafor', 14, 1.5, { source: 'hospital', status: 'released' }),
    book('s-8', 'therapy', 'm-lind', 8.5, 3, { source: 'nextcloud', status: 'checked_in' }),
    book('s-9', 'therapy', 'm-lind', 18, 2, { status: 'fulfilled' }),
    book('s-10', 'procedure', 'm-weiss', 7, 4, { source: 'hospital', title: 'Day list' }),
    book('s-11', 'consult-1', 'm-okafor', day(1) + 10, 2, { series: 's-2' }),
    book('s-12', 'consult-1', 'm-weiss', day(2) + 8, 3, { source: 'practice' }),
    book('s-13', 'consult-2', 'm-lind', day(1) + 9, 2, { source: 'nextcloud' }),
    book('s-14', 'therapy', 'm-lind', day(-1) + 9, 1, { source: 'nextcloud', status: 'cancelled' }),
    book('s-15', 'procedure', 'm-okafor', day(-1) + 13, 3),
  ];
}

export function calendarsOf(nowMs: number): Calendar[] {
  const base: Omit<Calendar, 'id' | 'kind' | 'address' | 'state'> = {
    why: '',
    lastTriedAt: at(nowMs - 40_000),
    lastGoodAt: at(nowMs - 40_000),
    lastChangedAt: at(nowMs - 3 * HOUR),
    nextAt: at(nowMs + 4 * MIN),
    bookings: 42,
    setAside: [],
    setAsideTotal: 0,
  };
  const aside = (uid: string, summary: string, code: string, why: string, line: number | null) => ({
    uid,
    summary,
    code,
    why,
    line,
  });
  return [
    {
      ...base,
      id: 'practice',
      kind: 'ics',
      address: 'calendar.example/room-1.ics',
      state: 'ok',
      setAside: [
        aside(
          '4711@calendar.example',
          'Team meeting',
          'unknown_zone',
          'The time zone "Mars/Olympus" is not known. Set a known zone in the calendar.',
          812,
        ),
        aside('4712@calendar.example', 'Visit', 'no_holder', 'No attendee is a member. Add the mail address.', null),
      ],
      setAsideTotal: 2,
    },
    {
      ...base,
      id: 'nextcloud',
      kind: 'caldav',
      address: 'cloud.example/remote.php/dav',
      state: 'failing',
      why: 'The server did not answer within 20 s. Check the network and the server.',
      lastGoodAt: at(nowMs - 5 * HOUR),
    },
    {
      ...base,
      id: 'nexudus',
      kind: 'webhook',
      address: 'spaces.nexudus.example',
      state: 'held',
      why: 'The answer has lost over half of its bookings; it is believed after 3 equal looks. Look at the calendar.',
    },
    {
      ...base,
      id: 'hospital',
      kind: 'fhir',
      address: 'ehr.example/fhir',
      state: 'too_old',
      why: 'Not read for 37 h. Its bookings open no door until it is read again.',
      lastGoodAt: at(nowMs - 37 * HOUR),
      bookings: 0,
    },
    {
      ...base,
      id: 'new-one',
      kind: 'ics',
      address: 'calendar.example/new.ics',
      state: 'waiting',
      lastTriedAt: null,
      lastGoodAt: null,
      lastChangedAt: null,
      nextAt: at(nowMs),
      bookings: 0,
    },
  ];
}
