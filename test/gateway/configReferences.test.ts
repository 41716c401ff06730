import { describe, expect, it } from 'vitest';
import { type Case, expectOnly, faultsOf, LINES_OF_HEAD } from './configSupport.ts';

const CASES: readonly Case[] = [
  {
    name: 'a room id used twice',
    text: 'rooms:\n  - { id: a, name: A }\n  - { id: a, name: B }',
    line: 3,
    path: 'rooms[1].id',
    found: '"a"',
    why: /already the id of rooms\[0\]/,
    remedy: /its own id/,
  },
  {
    name: 'a door of no room',
    text: 'doors:\n  - { id: d, name: D, lock: lock-1 }',
    line: 2,
    path: 'doors[0]',
    found: 'a group of keys: id, name, lock',
    why: /no room and is not common/,
    remedy: /`room: ID`.*`common: true`/,
  },
  {
    name: 'a door of an unknown room',
    text: 'rooms: [{ id: therapy, name: T }]\ndoors: [{ id: d, name: D, room: terapy, lock: lock-1 }]',
    line: 2,
    path: 'doors[0].room',
    found: '"terapy"',
    why: /no room “terapy”/,
    remedy: /Did you mean “therapy”/,
  },
  {
    name: 'a common door with a room',
    text: 'rooms: [{ id: a, name: A }]\ndoors: [{ id: d, name: D, room: a, common: true, lock: lock-1 }]',
    line: 2,
    path: 'doors[0].common',
    found: 'true',
    why: /has a room and is common/,
    remedy: /Remove `room`/,
  },
  {
    name: 'an unknown device',
    text: 'rooms:\n  - id: a\n    name: A\n    devices: { presence: [room-1, rom-1] }',
    line: 4,
    col: 35,
    path: 'rooms[0].devices.presence[1]',
    found: '"rom-1"',
    why: /no device “rom-1”/,
    remedy: /Did you mean “room-1”/,
  },
  {
    name: 'a capability that does not fit its slot',
    text: 'rooms: [{ id: a, name: A, devices: { heating: room-1/dimmer } }]',
    line: 1,
    path: 'rooms[0].devices.heating',
    found: '"room-1/dimmer"',
    why: /“dimmer” does not fit heating, which takes relay/,
    remedy: /room-1\/relay/,
  },
  {
    name: 'a reader in the place of a lock',
    text: 'doors: [{ id: d, name: D, common: true, lock: lock-1/reader }]',
    line: 1,
    path: 'doors[0].lock',
    found: '"lock-1/reader"',
    why: /does not fit lock/,
    remedy: /lock-1\/lock/,
  },
  {
    name: 'a capability that a board does not have',
    text: 'rooms: [{ id: a, name: A, devices: { heating: board/relay-2 } }]',
    line: 1,
    path: 'rooms[0].devices.heating',
    found: '"board/relay-2"',
    why: /“board” has no “relay-2”; it has relay/,
    remedy: /Use board\/relay/,
  },
  {
    name: 'a slot that a board cannot fill',
    text: 'rooms: [{ id: a, name: A, devices: { temperature: board } }]',
    line: 1,
    path: 'rooms[0].devices.temperature',
    found: '"board"',
    why: /“board” has no “temperature”/,
    remedy: /give “board” a temperature/,
  },
  {
    name: 'one relay for heating and cooling',
    text: 'rooms: [{ id: a, name: A, devices: { heating: room-1, cooling: room-1/relay } }]',
    line: 1,
    path: 'rooms[0].devices.cooling',
    found: '"room-1/relay"',
    why: /room-1\/relay is already the heating of rooms\[0\]/,
    remedy: /relay-2/,
  },
  {
    name: 'one relay in two rooms',
    text: 'rooms:\n  - { id: a, name: A, devices: { heating: room-1 } }\n  - { id: b, name: B, devices: { lights: [room-1/relay] } }',
    line: 3,
    path: 'rooms[1].devices.lights[0]',
    found: '"room-1/relay"',
    why: /already the heating of rooms\[0\]/,
    remedy: /of its own/,
  },
  {
    name: 'one lock on two doors',
    text: 'doors:\n  - { id: d, name: D, common: true, lock: lock-1 }\n  - { id: e, name: E, common: true, lock: lock-1/lock }',
    line: 3,
    path: 'doors[1].lock',
    found: '"lock-1/lock"',
    why: /already the lock of doors\[0\]/,
    remedy: /of its own/,
  },
  {
    name: 'one reader on two doors',
    text: 'doors:\n  - { id: d, name: D, common: true, lock: lock-1, reader: room-1 }\n  - { id: e, name: E, common: true, lock: lock-2, reader: room-1 }',
    line: 3,
    path: 'doors[1].reader',
    found: '"room-1"',
    why: /ask for two doors at once/,
    remedy: /of its own/,
  },
  {
    name: 'setpoints too close to each other',
    text: 'rooms: [{ id: a, name: A, climate: { heatTo: 23.8, coolTo: 24 } }]',
    line: 1,
    path: 'rooms[0].climate.coolTo',
    found: '24',
    why: /against each other/,
    remedy: /0\.5 K above heatTo/,
  },
  {
    name: 'a setpoint too close to a default',
    text: 'rooms: [{ id: a, name: A, climate: { heatTo: 23.8 } }]',
    line: 1,
    path: 'rooms[0].climate.heatTo',
    found: '23.8',
    why: /Cooling to 24 °C and heating to 23\.8 °C/,
    remedy: /coolTo/,
  },
  {
    name: 'a setback above the setpoint',
    text: 'rooms: [{ id: a, name: A, climate: { heatTo: 18, setbackTo: 19 } }]',
    line: 1,
    path: 'rooms[0].climate.setbackTo',
    found: '19',
    why: /empty room would be the warmer/,
    remedy: /at or below heatTo/,
  },
  {
    name: 'a setup below the cooling setpoint',
    text: 'rooms: [{ id: a, name: A, climate: { coolTo: 25, setupTo: 24 } }]',
    line: 1,
    path: 'rooms[0].climate.setupTo',
    found: '24',
    why: /empty room would be the colder/,
    remedy: /at or above coolTo/,
  },
  {
    name: 'freeze protection above the setback',
    text: 'rooms: [{ id: a, name: A, climate: { setbackTo: 8, freezeBelow: 8 } }]',
    line: 1,
    path: 'rooms[0].climate.freezeBelow',
    found: '8',
    why: /not under the setback/,
    remedy: /under setbackTo/,
  },
  {
    name: 'a warning longer than the lights stay on',
    text: 'rooms: [{ id: a, name: A, lighting: { offAfterMin: 1, warnS: 60 } }]',
    line: 1,
    path: 'rooms[0].lighting.warnS',
    found: '60',
    why: /as long as the whole 1 min/,
    remedy: /below offAfterMin/,
  },
  {
    name: 'a port used twice',
    text: 'web: { port: 1883 }',
    line: 2 - LINES_OF_HEAD,
    path: 'broker.embedded.port',
    found: '1883',
    why: /already that of web\.port/,
    remedy: /its own port/,
  },
  {
    name: 'a user name without a password',
    text: 'influx: { url: "http://127.0.0.1:8086", username: u }',
    line: 1,
    path: 'influx.username',
    found: '"u"',
    why: /no password/,
    remedy: /Add password/,
  },
];

describe('a fault between values', () => {
  it.each(CASES)('$name', (fault) => expectOnly(fault));

  it.each([
    ['two brokers', 'broker: { embedded: {}, external: { url: "mqtt://x:1883" } }', 'broker.external', /two brokers/],
    ['no broker', 'broker: {}', 'broker', /No broker is chosen/],
    ['a missing broker', '', 'broker', /“broker” is missing/],
    ['a broker of another protocol', 'broker: { external: { url: "ws://x:1883" } }', 'broker.external.url', /form/],
    [
      'a broker user that is named as a device',
      'broker: { embedded: { users: [{ name: d, password: p, read: ["#"] }] } }\ndevices: [{ id: d, driver: native, password: long-enough }]',
      'broker.embedded.users[0].name',
      /is a device/,
    ],
    [
      'a native device without a password on the embedded broker',
      'broker: { embedded: {} }\ndevices: [{ id: d, driver: native }]',
      'devices[0].password',
      /no password/,
    ],
    [
      'an unknown driver',
      'broker: { embedded: {} }\ndevices: [{ id: d, driver: natve }]',
      'devices[0].driver',
      /no driver “natve”/,
    ],
    [
      'an unknown key of a device',
      'broker: { embedded: {} }\ndevices: [{ id: d, driver: native, password: long-enough, pasword: x }]',
      'devices[0].pasword',
      /no key “pasword”/,
    ],
    [
      'a wrong value of a driver’s own key',
      'broker: { embedded: {} }\ndevices: [{ id: d, driver: board, pins: [{ capability: relay, pin: -1 }] }]',
      'devices[0].pins[0].pin',
      /Too small/,
    ],
  ])('%s', (_name, text, path, why) => {
    const { faults } = faultsOf(`site: { id: s, name: S, timeZone: UTC }\n${text}\n`);
    expect(faults.map((fault) => fault.path)).toEqual([path]);
    expect(faults[0]?.why).toMatch(why);
    expect(faults[0]?.remedy).not.toBe('');
  });

  it.each([
    ['Berlin', /Did you mean “Europe\/Berlin”/],
    ['Europe/Berln', /Did you mean “Europe\/Berlin”/],
    ['+01:00', /IANA/],
    ['Mars/Olympus', /IANA/],
  ])('a time zone that is none: %s', (zone, remedy) => {
    const { faults } = faultsOf(`site: { id: s, name: S, timeZone: "${zone}" }\nbroker: { embedded: {} }\n`);
    expect(faults).toMatchObject([{ line: 1, path: 'site.timeZone', found: `"${zone}"` }]);
    expect(faults[0]?.remedy).toMatch(remedy);
  });
});
