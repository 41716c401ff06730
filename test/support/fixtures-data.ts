/** A believable clinic in the shapes of `gateway/wire`, for the dashboard's tests. Everything is made from one instant. */
import type { Booking, Event, Member } from '../../gateway/wire/clinic.ts';
import type { Alarm, Device, Door, Room } from '../../gateway/wire/rooms.ts';
import type { Snapshot } from '../../gateway/wire/stream.ts';

export const MIN = 60_000;
export const HOUR = 60 * MIN;
export const at = (atMs: number) => new Date(atMs).toISOString();
/** Quarter of an hour at or before. */
export const quarter = (atMs: number) => Math.floor(atMs / (15 * MIN)) * 15 * MIN;

export const MEMBERS: readonly Member[] = [
  { id: 'm-weiss', name: 'Dr Anna Weiss', kind: 'practitioner', status: 'active', rights: [] },
  { id: 'm-okafor', name: 'Dr Chidi Okafor', kind: 'practitioner', status: 'active', rights: [] },
  { id: 'm-lind', name: 'Maja Lind', kind: 'practitioner', status: 'active', rights: [] },
  { id: 'm-costa', name: 'Rui Costa', kind: 'practitioner', status: 'suspended', rights: [] },
  {
    id: 'm-novak',
    name: 'Petra Novák',
    kind: 'staff',
    status: 'active',
    rights: [
      {
        doors: ['entrance', 'store-door'],
        weekly: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '07:00', to: '19:00' }],
      },
    ],
  },
  {
    id: 'm-clean',
    name: 'Shine Cleaning',
    kind: 'cleaner',
    status: 'active',
    rights: [
      { doors: ['entrance', 'consult-1-door'], weekly: [{ days: ['mon', 'wed', 'fri'], from: '20:00', to: '22:00' }] },
    ],
  },
];

export const door = (id: string, name: string, room: string | null, nowMs: number, more: Partial<Door> = {}): Door => ({
  id,
  name,
  room,
  common: room === null,
  lock: 'locked',
  contact: 'closed',
  lastCommand: null,
  online: true,
  alarms: [],
  updatedAt: at(nowMs - 40_000),
  ...more,
});

export const room = (id: string, name: string, nowMs: number, more: Partial<Room> = {}): Room => ({
  id,
  name,
  kind: 'consult',
  floor: 'ground',
  plan: null,
  occupancy: {
    state: 'vacant',
    confidence: 0.94,
    since: at(nowMs - 50 * MIN),
    people: null,
    lastSeen: at(nowMs - 57 * MIN),
  },
  booking: { now: null, next: null, revoked: null },
  noShow: null,
  overstay: null,
  door: door(`${id}-door`, name, id, nowMs),
  climate: {
    temperature: 18.4,
    temperatureAt: at(nowMs - 25_000),
    humidity: 44,
    co2: 610,
    heatingSetpoint: 16,
    coolingSetpoint: 32,
    mode: 'setback',
    heating: false,
    cooling: false,
  },
  lights: { target: 0, level: 0, warning: false },
  ready: true,
  alarms: [],
  updatedAt: at(nowMs - 5_000),
  ...more,
});

const warm = (nowMs: number, temperature: number): Room['climate'] => ({
  temperature,
  temperatureAt: at(nowMs - 18_000),
  humidity: 46,
  co2: 820,
  heatingSetpoint: 21,
  coolingSetpoint: 24,
  mode: 'occupied',
  heating: true,
  cooling: false,
});

const inside = (nowMs: number, sinceMin: number, people: number | null = null): Room['occupancy'] => ({
  state: 'occupied',
  confidence: 0.98,
  since: at(nowMs - sinceMin * MIN),
  people,
  lastSeen: at(nowMs - 4_000),
});

export function bookingsOf(nowMs: number): Booking[] {
  const q = quarter(nowMs);
  const book = (
    id: string,
    roomId: string,
    holder: string,
    fromH: number,
    hours: number,
    more: Partial<Booking> = {},
  ): Booking => ({
    id,
    room: roomId,
    holder,
    delegates: [],
    start: at(q + fromH * HOUR),
    end: at(q + (fromH + hours) * HOUR),
    status: 'confirmed',
    source: 'local',
    title: '',
    ...more,
  });
  return [
    book('b-1', 'consult-1', 'm-weiss', -0.75, 2, { title: 'Surgery hours', status: 'checked_in' }),
    book('b-2', 'consult-1', 'm-okafor', 1.5, 1.5),
    book('b-3', 'consult-2', 'm-okafor', 0, 1),
    book('b-4', 'consult-3', 'm-lind', 1, 2, { status: 'tentative' }),
    book('b-5', 'therapy', 'm-lind', -1, 1.75, { title: 'Group' }),
    book('b-6', 'procedure', 'm-weiss', -0.5, 1.5),
    book('b-7', 'consult-4', 'm-costa', -2.5, 1.5),
  ];
}

export function roomsOf(nowMs: number): Room[] {
  const bookings = new Map(bookingsOf(nowMs).map((booking) => [booking.id, booking]));
  const ref = (id: string) => {
    const booking = bookings.get(id);
    if (!booking) throw new Error(`the fixture has no booking ${id}`);
    const { holder, start, end, status } = booking;
    return { id, holder, holderName: MEMBERS.find((member) => member.id === holder)?.name ?? null, start, end, status };
  };
  const plan = (x: number, y: number, width: number, depth: number) => ({ x, y, width, depth });
  return [
    room('consult-1', 'Consulting room 1', nowMs, {
      plan: plan(0, 0, 4, 3.2),
      occupancy: inside(nowMs, 38, 2),
      booking: { now: ref('b-1'), next: ref('b-2'), revoked: null },
      climate: warm(nowMs, 21.3),
      lights: { target: 80, level: 80, warning: false },
      door: door('consult-1-door', 'Consulting room 1', 'consult-1', nowMs, {
        lastCommand: { id: 'c-1', op: 'unlock', outcome: 'confirmed', at: at(nowMs - 38 * MIN) },
      }),
    }),
    room('consult-2', 'Consulting room 2', nowMs, {
      plan: plan(4, 0, 4, 3.2),
      booking: { now: ref('b-3'), next: null, revoked: null },
      climate: warm(nowMs, 20.8),
    }),
    room('consult-3', 'Consulting room 3', nowMs, {
      plan: plan(8, 0, 4, 3.2),
      booking: { now: null, next: ref('b-4'), revoked: null },
    }),
    room('consult-4', 'Consulting room 4', nowMs, {
      plan: plan(12, 0, 4, 3.2),
      occupancy: inside(nowMs, 6),
      climate: warm(nowMs, 19.6),
    }),
    room('therapy', 'Therapy room', nowMs, {
      kind: 'therapy',
      plan: plan(0, 4.6, 5, 3.6),
      occupancy: inside(nowMs, 55, 5),
      booking: { now: ref('b-5'), next: null, revoked: null },
      climate: warm(nowMs, 22.1),
      lights: { target: 80, level: 78, warning: false },
      alarms: ['a-held'],
      door: door('therapy-door', 'Therapy room', 'therapy', nowMs, {
        contact: 'open',
        lock: 'locked',
        alarms: ['a-held'],
      }),
    }),
    room('procedure', 'Procedure suite', nowMs, {
      kind: 'procedure',
      plan: plan(5, 4.6, 5, 3.6),
      booking: { now: ref('b-6'), next: null, revoked: null },
      occupancy: {
        state: 'vacant',
        confidence: 0.9,
        since: at(nowMs - 90 * MIN),
        people: null,
        lastSeen: at(nowMs - 97 * MIN),
      },
      climate: warm(nowMs, 21.0),
    }),
    room('store', 'Medicine store', nowMs, {
      kind: 'store',
      plan: plan(10, 4.6, 2.4, 3.6),
      climate: null,
      lights: null,
      alarms: ['a-jam'],
      door: door('store-door', 'Medicine store', 'store', nowMs, { lock: 'jammed', alarms: ['a-jam'] }),
    }),
    room('waiting', 'Waiting room', nowMs, {
      kind: 'waiting',
      plan: plan(12.4, 4.6, 3.6, 3.6),
      occupancy: { state: 'unknown', confidence: 0, since: at(nowMs - 3 * MIN), people: null, lastSeen: null },
      door: null,
    }),
  ];
}

export function alarmsOf(nowMs: number): Alarm[] {
  const alarm = (id: string, kind: string, severity: Alarm['severity'], text: string, more: Partial<Alarm>): Alarm => ({
    id,
    kind,
    severity,
    door: null,
    room: null,
    device: null,
    text,
    status: 'open',
    openedAt: at(nowMs - 4 * MIN),
    acknowledgedAt: null,
    acknowledgedBy: null,
    note: null,
    resolvedAt: null,
    ...more,
  });
  return [
    alarm('a-jam', 'lock_jammed', 'critical', 'The bolt did not reach its end. Check that nothing blocks the door.', {
      door: 'store-door',
      room: 'store',
    }),
    alarm('a-held', 'door_held_open', 'warning', 'The door has been open for more than two minutes.', {
      door: 'therapy-door',
      room: 'therapy',
    }),
    alarm('a-dev', 'device_offline', 'info', 'Not heard for ten minutes. Check its power and network.', {
      device: 'sensor-waiting',
      status: 'acknowledged',
      acknowledgedAt: at(nowMs - MIN),
      acknowledgedBy: 'petra',
      note: 'Batteries are ordered.',
    }),
  ];
}

export function devicesOf(nowMs: number): Device[] {
  const device = (id: string, capabilities: string[], more: Partial<Device> = {}): Device => ({
    id,
    driver: 'native',
    online: true,
    battery: null,
    lastHeardAt: at(nowMs - 9_000),
    firmware: '1.4.2',
    model: 'Doorward node',
    capabilities,
    malformed: 0,
    fault: null,
    ...more,
  });
  const ids = ['consult-1', 'consult-2', 'consult-3', 'consult-4', 'therapy', 'procedure'];
  return [
    ...ids.map((id) => device(`lock-${id}`, ['lock', 'door', 'battery'], { battery: id === 'consult-3' ? 12 : 87 })),
    ...ids.map((id) => device(`reader-${id}`, ['reader'])),
    ...ids.map((id) => device(`room-${id}`, ['presence', 'temperature', 'co2', 'relay', 'relay-2', 'dimmer'])),
    device('lock-store', ['lock', 'door'], { fault: 'Its bolt reported jammed.' }),
    device('sensor-waiting', ['presence'], { online: false, lastHeardAt: at(nowMs - 14 * MIN), malformed: 3 }),
    device('lock-entrance', ['lock', 'door']),
  ];
}

export const event = (seq: number, nowMs: number, agoMs: number, more: Partial<Event>): Event => ({
  seq,
  id: `e-${seq}`,
  occurredAt: at(nowMs - agoMs),
  recordedAt: at(nowMs - agoMs + 3),
  kind: 'access',
  door: null,
  room: null,
  member: null,
  memberName: null,
  outcome: null,
  reason: null,
  subReason: null,
  command: null,
  user: null,
  note: null,
  hash: 'f'.repeat(64),
  ...more,
});

export function eventsOf(nowMs: number): Event[] {
  const by = (member: string) => ({ member, memberName: MEMBERS.find((known) => known.id === member)?.name ?? null });
  const granted = { outcome: 'granted', reason: 'granted' };
  return [
    event(12, nowMs, 40_000, {
      door: 'consult-2-door',
      ...by('m-lind'),
      outcome: 'denied',
      reason: 'denied_point_no_access_rights',
      subReason: 'booking_other_holder',
    }),
    event(11, nowMs, 3 * MIN, { door: 'entrance', outcome: 'denied', reason: 'denied_unknown_credential' }),
    event(10, nowMs, 4 * MIN, { kind: 'door_held_open', door: 'therapy-door', room: 'therapy' }),
    event(9, nowMs, 6 * MIN, {
      kind: 'operator',
      door: 'consult-4-door',
      user: 'petra',
      note: 'Unlock asked for: Maintenance',
    }),
    event(8, nowMs, 11 * MIN, {
      door: 'consult-3-door',
      ...by('m-lind'),
      outcome: 'denied',
      reason: 'denied_out_of_time_range',
      subReason: 'booking_not_started',
    }),
    event(7, nowMs, 22 * MIN, { kind: 'request_to_exit', door: 'consult-2-door' }),
    event(6, nowMs, 38 * MIN, { kind: 'command', door: 'consult-1-door', outcome: 'confirmed', command: 'c-1' }),
    event(5, nowMs, 38 * MIN, { door: 'consult-1-door', ...by('m-weiss'), ...granted, command: 'c-1' }),
    event(4, nowMs, 39 * MIN, { door: 'entrance', ...by('m-weiss'), ...granted }),
    event(3, nowMs, 52 * MIN, {
      door: 'consult-4-door',
      ...by('m-costa'),
      outcome: 'denied',
      reason: 'denied_credential_manual_disable',
    }),
    event(2, nowMs, 55 * MIN, { door: 'therapy-door', ...by('m-lind'), ...granted }),
    event(1, nowMs, 2 * HOUR, { kind: 'system', note: 'The gateway started.' }),
  ];
}

export function snapshotOf(nowMs: number): Snapshot {
  const rooms = roomsOf(nowMs);
  const doors = rooms.flatMap((one) => (one.door ? [one.door] : []));
  return {
    site: {
      id: 'fixture',
      name: 'Lindenhof Clinic',
      timeZone: 'Europe/Berlin',
      version: '0.1.0',
      now: at(nowMs),
      timeTrusted: true,
      earlyMin: 10,
      lateMin: 5,
    },
    at: at(nowMs),
    rooms,
    doors: [
      ...doors,
      door('entrance', 'Entrance', null, nowMs, {
        lastCommand: { id: 'c-0', op: 'unlock', outcome: 'confirmed', at: at(nowMs - 39 * MIN) },
      }),
    ],
    alarms: alarmsOf(nowMs),
    devices: devicesOf(nowMs),
    events: eventsOf(nowMs),
    bookings: bookingsOf(nowMs),
  };
}
