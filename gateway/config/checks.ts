/** What no single value can show: references, duplicates, clashes, settings that contradict each other. */
import { checkBindings, type KnownDevice } from './bindings.ts';
import type { ConfigPath, Finding } from './faults.ts';
import { type Fields, fields, isPresent, list, words } from './lenient.ts';
import { nearest, oneOf } from './nearest.ts';
import { climate, lighting } from './schema.ts';
import { checkSources, sourceCautions } from './sourceChecks.ts';

/** ASHRAE Guideline 36: heating and cooling setpoints at least this far apart. */
const SETPOINT_GAP_K = 0.5;
/** Door alarms of the field: held open 30-600 s. */
const HELD_OPEN_S = { least: 30, most: 600 };
const SHORT_PASSWORD_CHARS = 8;
const MS_PER_S = 1000;
const S_PER_MIN = 60;

export function crossChecks(data: Fields, devices: ReadonlyMap<string, KnownDevice>): Finding[] {
  return [
    ...['devices', 'rooms', 'doors'].flatMap((group) => duplicates(list(data[group]), [group], 'id')),
    ...duplicates(list(fields(data.bookings).sources), ['bookings', 'sources'], 'id'),
    ...checkSources(data),
    ...checkBroker(data),
    ...checkZone(data),
    ...checkPorts(data),
    ...checkPairs(data),
    ...checkDoors(data),
    ...list(data.rooms).flatMap((room, index) => checkRoom(fields(room), ['rooms', index])),
    ...checkBindings(data, devices),
  ];
}

function duplicates(entries: readonly unknown[], path: ConfigPath, key: string): Finding[] {
  const findings: Finding[] = [];
  const first = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    const name = words(fields(entry)[key]);
    if (name === undefined) continue;
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    else {
      findings.push({
        path: [...path, index, key],
        why: `“${name}” is already the ${key} of ${path.join('.')}[${earlier}].`,
        remedy: `Give each its own ${key}.`,
      });
    }
  }
  return findings;
}

function checkBroker(data: Fields): Finding[] {
  const broker = fields(data.broker);
  const both = isPresent(broker.embedded) && isPresent(broker.external);
  if (both) {
    const why = 'There are two brokers; devices talk to one.';
    return [
      { path: ['broker', 'external'], key: true, why, remedy: 'Keep `embedded` or `external`, and remove the other.' },
    ];
  }
  if (!isPresent(data.broker)) return [];
  if (isPresent(broker.external)) return [];
  if (!isPresent(broker.embedded)) {
    if ('embedded' in broker || 'external' in broker) return [];
    const remedy = 'Add `embedded: {}` for the broker inside the gateway, or `external: { url: … }` for another.';
    return [{ path: ['broker'], why: 'No broker is chosen.', remedy }];
  }
  const users = list(fields(broker.embedded).users);
  const devices = new Set(list(data.devices).map((device) => fields(device).id));
  const clashes = users.flatMap((user, index): Finding[] => {
    const name = fields(user).name;
    if (!devices.has(name)) return [];
    const path = ['broker', 'embedded', 'users', index, 'name'];
    return [
      { path, why: `“${words(name)}” is a device, whose id is its user name.`, remedy: 'Give the user another name.' },
    ];
  });
  return [...duplicates(users, ['broker', 'embedded', 'users'], 'name'), ...clashes];
}

function checkZone(data: Fields): Finding[] {
  const zone = words(fields(data.site).timeZone);
  if (zone === undefined || isZone(zone)) return [];
  const known = Intl.supportedValuesOf('timeZone');
  const byCity = known.find((name) => name.toLowerCase().endsWith(`/${zone.toLowerCase().replaceAll(' ', '_')}`));
  const meant = byCity ?? nearest(zone, known);
  return [
    {
      path: ['site', 'timeZone'],
      why: 'There is no such time zone.',
      remedy: `${meant === undefined ? '' : `Did you mean “${meant}”? `}Use an IANA name such as Europe/Berlin.`,
    },
  ];
}

/** IANA names only: `Intl` also takes offsets such as +01:00, which know no summer time. */
export function isZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function checkPorts(data: Fields): Finding[] {
  const web = fields(data.web);
  const embedded = fields(data.broker).embedded;
  const listeners: [ConfigPath, unknown, unknown][] = [[['web', 'port'], web.host, web.port ?? 8080]];
  if (isPresent(embedded)) {
    const broker = fields(embedded);
    listeners.push([['broker', 'embedded', 'port'], broker.host, broker.port ?? 1883]);
    if (isPresent(broker.tls)) {
      listeners.push([['broker', 'embedded', 'tls', 'port'], broker.host, fields(broker.tls).port ?? 8883]);
    }
  }
  const findings: Finding[] = [];
  const first = new Map<unknown, string>();
  for (const [path, , port] of listeners) {
    if (typeof port !== 'number' || port === 0) continue;
    const earlier = first.get(port);
    if (earlier === undefined) first.set(port, path.join('.'));
    else findings.push({ path, why: `Port ${port} is already that of ${earlier}.`, remedy: 'Give each its own port.' });
  }
  return findings;
}

/** A user name without its password, or the other way round. */
function checkPairs(data: Fields): Finding[] {
  const owners: [ConfigPath, Fields][] = [
    [['influx'], fields(data.influx)],
    [['broker', 'external'], fields(fields(data.broker).external)],
  ];
  return owners.flatMap(([path, owner]): Finding[] => {
    const name = isPresent(owner.username);
    if (name === isPresent(owner.password)) return [];
    const [have, lack] = name ? ['username', 'password'] : ['password', 'username'];
    return [
      { path: [...path, have], why: `There is a ${have} but no ${lack}.`, remedy: `Add ${lack}, or remove ${have}.` },
    ];
  });
}

function checkDoors(data: Fields): Finding[] {
  const rooms = list(data.rooms)
    .map((room) => words(fields(room).id))
    .filter((id) => id !== undefined);
  return list(data.doors).flatMap((entry, index): Finding[] => {
    const door = fields(entry);
    const path: ConfigPath = ['doors', index];
    const room = words(door.room);
    if (!isPresent(door.room)) {
      if (door.common === true) return [];
      const remedy = 'Add `room: ID` of the room behind it, or `common: true` for an entrance that all share.';
      return [{ path, why: 'The door leads to no room and is not common.', remedy }];
    }
    if (door.common === true) {
      const remedy = 'Remove `room` from an entrance that all share, or `common` from the door of a room.';
      return [{ path: [...path, 'common'], why: 'The door has a room and is common as well.', remedy }];
    }
    if (room === undefined || rooms.includes(room)) return [];
    const meant = nearest(room, rooms);
    const hint = meant === undefined ? '' : `Did you mean “${meant}”? `;
    const remedy = `${hint}Add it under rooms, or use ${oneOf(rooms) || 'a room of the list'}.`;
    return [{ path: [...path, 'room'], why: `There is no room “${room}”.`, remedy }];
  });
}

function checkRoom(room: Fields, path: ConfigPath): Finding[] {
  return [...checkClimate(room, [...path, 'climate']), ...checkLighting(room, [...path, 'lighting'])];
}

function checkClimate(room: Fields, path: ConfigPath): Finding[] {
  if (!isPresent(room.climate)) return [];
  const parsed = climate.safeParse(room.climate);
  if (!parsed.success) return [];
  const { heatTo, coolTo, setbackTo, setupTo, freezeBelow } = parsed.data;
  const written = fields(room.climate);
  const rules: [boolean, [string, string], string, string][] = [
    [
      coolTo - heatTo >= SETPOINT_GAP_K,
      ['coolTo', 'heatTo'],
      `Cooling to ${coolTo} °C and heating to ${heatTo} °C would work against each other.`,
      `Keep coolTo at least ${SETPOINT_GAP_K} K above heatTo.`,
    ],
    [
      setupTo - setbackTo >= SETPOINT_GAP_K,
      ['setupTo', 'setbackTo'],
      `The setup of ${setupTo} °C and the setback of ${setbackTo} °C would work against each other.`,
      `Keep setupTo at least ${SETPOINT_GAP_K} K above setbackTo.`,
    ],
    [
      heatTo >= setbackTo,
      ['setbackTo', 'heatTo'],
      `The setback of ${setbackTo} °C is above heatTo, ${heatTo} °C: the empty room would be the warmer one.`,
      'Keep setbackTo at or below heatTo.',
    ],
    [
      coolTo <= setupTo,
      ['setupTo', 'coolTo'],
      `The setup of ${setupTo} °C is below coolTo, ${coolTo} °C: the empty room would be the colder one.`,
      'Keep setupTo at or above coolTo.',
    ],
    [
      freezeBelow < setbackTo,
      ['freezeBelow', 'setbackTo'],
      `Freeze protection below ${freezeBelow} °C is not under the setback of ${setbackTo} °C.`,
      'Keep freezeBelow under setbackTo.',
    ],
  ];
  return rules.flatMap(([holds, keys, why, remedy]) =>
    holds ? [] : [{ path: [...path, keys.find((key) => isPresent(written[key])) ?? keys[0]], why, remedy }],
  );
}

function checkLighting(room: Fields, path: ConfigPath): Finding[] {
  if (!isPresent(room.lighting)) return [];
  const parsed = lighting.safeParse(room.lighting);
  if (!parsed.success || parsed.data.warnS < parsed.data.offAfterMin * S_PER_MIN) return [];
  const key = isPresent(fields(room.lighting).warnS) ? 'warnS' : 'offAfterMin';
  const why = `The warning of ${parsed.data.warnS} s is as long as the whole ${parsed.data.offAfterMin} min until the lights go off.`;
  return [{ path: [...path, key], why, remedy: 'Keep warnS below offAfterMin (a minute is 60 s).' }];
}

/** Allowed, but most likely not meant; a check shows them and passes. */
export function cautions(data: Fields): Finding[] {
  const findings: Finding[] = [];
  const web = fields(data.web);
  if (isPresent(web.host) && !isLoopback(web.host) && !isPresent(web.tls)) {
    const remedy = 'Set web.tls, or let a proxy with TLS stand before it and listen on 127.0.0.1.';
    findings.push({ path: ['web', 'host'], why: 'Passwords cross the network in the clear.', remedy });
  }
  const url = words(fields(fields(data.broker).external).url);
  if (url?.startsWith('mqtt:') === true && !isLoopback(url.replace(/^mqtt:\/\//, '').replace(/:\d+$/, ''))) {
    const why = 'Unlock commands and passwords cross the network in the clear.';
    findings.push({
      path: ['broker', 'external', 'url'],
      why,
      remedy: 'Use mqtts:// and, with a certificate of your own, `ca`.',
    });
  }
  for (const [index, entry] of list(data.doors).entries()) {
    const door = fields(entry);
    const heldOpen = door.heldOpenAfterS;
    if (typeof heldOpen === 'number' && (heldOpen < HELD_OPEN_S.least || heldOpen > HELD_OPEN_S.most)) {
      const why = `A held-open alarm after ${heldOpen} s is unusual.`;
      const remedy = `${HELD_OPEN_S.least} to ${HELD_OPEN_S.most} s are common, 120 s is the default.`;
      findings.push({ path: ['doors', index, 'heldOpenAfterS'], why, remedy });
    }
    if (typeof door.strikeMs === 'number' && typeof heldOpen === 'number' && door.strikeMs >= heldOpen * MS_PER_S) {
      const why = 'The strike time is longer than the time after which an open door is an alarm.';
      findings.push({ path: ['doors', index, 'strikeMs'], why, remedy: 'Keep strikeMs below heldOpenAfterS.' });
    }
  }
  return [...findings, ...overlaps(data), ...shortPasswords(data), ...sourceCautions(data)];
}

/** Rooms of one floor that cover each other on the plan: each with the first that it covers. */
function overlaps(data: Fields): Finding[] {
  const rooms = list(data.rooms).map((room) => ({
    floor: fields(room).floor ?? 'ground',
    plan: fields(fields(room).plan),
  }));
  const covers = (a: Fields, b: Fields, from: string, size: string) =>
    Number(a[from]) < Number(b[from]) + Number(b[size]) && Number(b[from]) < Number(a[from]) + Number(a[size]);
  return rooms.flatMap((room, index): Finding[] => {
    const other = rooms.findIndex(
      (before, at) =>
        at < index &&
        before.floor === room.floor &&
        covers(before.plan, room.plan, 'x', 'width') &&
        covers(before.plan, room.plan, 'y', 'depth'),
    );
    if (other < 0) return [];
    const why = `On the plan the room covers rooms[${other}].`;
    return [{ path: ['rooms', index, 'plan'], why, remedy: 'Move one of them, or put it on a floor of its own.' }];
  });
}

function shortPasswords(data: Fields): Finding[] {
  const short = list(data.devices).flatMap((device, index) => {
    const password = words(fields(device).password);
    return password !== undefined && password.length < SHORT_PASSWORD_CHARS ? [index] : [];
  });
  const [first] = short;
  if (first === undefined) return [];
  const others = short.length > 1 ? ` (and ${short.length - 1} more)` : '';
  return [
    {
      path: ['devices', first, 'password'],
      why: `The password${others} is shorter than ${SHORT_PASSWORD_CHARS} characters.`,
      remedy: 'Use a long random one, e.g. of `openssl rand -base64 18`.',
    },
  ];
}

function isLoopback(host: unknown): boolean {
  return host === 'localhost' || host === '::1' || (typeof host === 'string' && host.startsWith('127.'));
}
