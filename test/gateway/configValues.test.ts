// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration, not of a template
import { describe, expect, it } from 'vitest';
import { drivers } from '../../devices/registry.ts';
import { loadConfig } from '../../gateway/config/index.ts';
import type { Fault } from '../../gateway/core/errors.ts';
import { type Case, expectOnly, faultsOf } from './configSupport.ts';

const CASES: readonly Case[] = [
  {
    name: 'an unknown key, with the nearest known one',
    text: 'web: { prot: 80 }',
    line: 1,
    col: 8,
    path: 'web.prot',
    found: '80',
    why: /no key “prot”/,
    remedy: /Did you mean “port”\?.*host, port, tls/,
  },
  {
    name: 'an unknown key that is like none',
    text: 'rooms:\n  - id: a\n    name: A\n    colour: red',
    line: 4,
    col: 5,
    path: 'rooms[0].colour',
    found: '"red"',
    why: /no key “colour”/,
    remedy: /Remove it; known here: id, name, kind/,
  },
  {
    name: 'a key of another driver',
    text: 'doors: []\nhistory: { days: 90, quotaMB: 1 }',
    line: 2,
    path: 'history.quotaMB',
    found: '1',
    why: /no key/,
    remedy: /“quotaMb”/,
  },
  {
    name: 'a missing key',
    text: 'rooms:\n  - { id: a }',
    line: 2,
    col: 5,
    path: 'rooms[0].name',
    found: 'nothing',
    why: /“name” is missing/,
    remedy: /Add it, e\.g\. `name: Consulting room 1`/,
  },
  {
    name: 'text for a number',
    text: 'web: { port: "8080" }',
    line: 1,
    col: 14,
    path: 'web.port',
    found: '"8080"',
    why: /Expected a number, found text/,
    remedy: /without quotes/,
  },
  {
    name: 'a number for text',
    text: 'rooms:\n  - { id: a, name: 7 }',
    line: 2,
    path: 'rooms[0].name',
    found: '7',
    why: /Expected text/,
    remedy: /in quotes/,
  },
  {
    name: 'nothing for a group',
    text: 'bookings:',
    line: 1,
    path: 'bookings',
    found: 'nothing',
    why: /Expected a group of keys/,
    remedy: /open doors/,
  },
  {
    name: 'a number too large',
    text: 'bookings: { earlyMin: 900 }',
    line: 1,
    col: 23,
    path: 'bookings.earlyMin',
    found: '900',
    why: /Too large/,
    remedy: /at most 240/,
  },
  {
    name: 'a number too small',
    text: 'history: { days: 0 }',
    line: 1,
    path: 'history.days',
    found: '0',
    why: /Too small/,
    remedy: /at least 1/,
  },
  {
    name: 'a word that is none of the possible ones',
    text: 'time: { trust: kernle }',
    line: 1,
    path: 'time.trust',
    found: '"kernle"',
    why: /none of the possible values/,
    remedy: /Did you mean “kernel”\? Use kernel, rtc, operator or always/,
  },
  {
    name: 'an id with a capital letter',
    text: 'rooms: [{ id: Room, name: A }]',
    line: 1,
    path: 'rooms[0].id',
    found: '"Room"',
    why: /expected form/,
    remedy: /a-z, 0-9 and -/,
  },
  {
    name: 'an id that is too long',
    text: `rooms: [{ id: ${'a'.repeat(41)}, name: A }]`,
    line: 1,
    path: 'rooms[0].id',
    found: `"${'a'.repeat(41)}"`,
    why: /expected form/,
    remedy: /1 to 40/,
  },
  {
    name: 'a binding that is not written as one',
    text: 'rooms: [{ id: a, name: A, devices: { people: room-1/x/y } }]',
    line: 1,
    path: 'rooms[0].devices.people',
    found: '"room-1/x/y"',
    why: /expected form/,
    remedy: /`device\/capability`/,
  },
  {
    name: 'lights that would stay on too long',
    text: 'rooms: [{ id: a, name: A, lighting: { offAfterMin: 45 } }]',
    line: 1,
    path: 'rooms[0].lighting.offAfterMin',
    found: '45',
    why: /Too large/,
    remedy: /at most 20/,
  },
  {
    name: 'a port beyond the last',
    text: 'web: { port: 70000 }',
    line: 1,
    path: 'web.port',
    found: '70000',
    why: /Too large/,
    remedy: /65535/,
  },
  {
    name: 'a certificate without its key',
    text: 'web: { tls: { cert: a.pem } }',
    line: 1,
    path: 'web.tls.key',
    found: 'nothing',
    why: /“key” is missing/,
    remedy: /tls\/key\.pem/,
  },
  {
    name: 'an address of InfluxDB that is none',
    text: 'influx: { url: "127.0.0.1:8086" }',
    line: 1,
    path: 'influx.url',
    found: '"127.0.0.1:8086"',
    why: /expected form/,
    remedy: /http:\/\/127\.0\.0\.1:8086/,
  },
  {
    name: 'a variable that is not set',
    text: 'influx: { url: "http://127.0.0.1:8086", username: u, password: "${env:NOT_SET}" }',
    line: 1,
    path: 'influx.password',
    found: '"${env:NOT_SET}"',
    why: /variable NOT_SET is not set/,
    remedy: /export NOT_SET/,
  },
  {
    name: 'a variable that is empty',
    text: 'influx: { url: "http://127.0.0.1:8086", username: u, password: "${env:EMPTY}" }',
    line: 1,
    path: 'influx.password',
    found: '"${env:EMPTY}"',
    why: /EMPTY is set but empty/,
    remedy: /Set EMPTY/,
  },
  {
    name: 'a secret file that is not there',
    text: 'influx: { url: "http://127.0.0.1:8086", username: u, password: "${file:influx.key}" }',
    line: 1,
    path: 'influx.password',
    found: '"${file:influx.key}"',
    why: /influx\.key cannot be read: ENOENT/,
    remedy: /relative to the configuration/,
  },
  {
    name: 'a reference of another kind',
    text: 'influx: { url: "http://127.0.0.1:8086", database: "${INFLUX_DB}" }',
    line: 1,
    path: 'influx.database',
    found: '"${INFLUX_DB}"',
    why: /not a reference that is known/,
    remedy: /\$\{env:NAME\}/,
  },
  {
    name: 'a log level of another program',
    text: 'log: { level: verbose }',
    line: 1,
    path: 'log.level',
    found: '"verbose"',
    why: /none of the possible/,
    remedy: /Use fatal, error, warn, info, debug or trace/,
  },
  {
    name: 'a key that stands twice',
    text: 'web:\n  port: 1\n  port: 2',
    line: 3,
    col: 3,
    path: 'web.port',
    found: undefined,
    why: /stands here twice/,
    remedy: /Keep one/,
  },
];

describe('a fault of one value', () => {
  it.each(CASES)('$name', (fault) => expectOnly(fault));
});

describe('a fault of the file', () => {
  it.each([
    ['a bracket that is not closed', 'site: { id: s\nweb: {}\n', /not YAML/],
    ['a tab as indentation', 'site:\n\tid: s\n', /not YAML/],
    ['two documents', 'site: {}\n---\nsite: {}\n', /not YAML/],
    ['an alias without its anchor', 'site: *nowhere\n', /cannot be read|not YAML/],
    ['an empty file', '', /empty/],
    ['a file of comments', '# nothing\n', /empty/],
    ['a list', '- site\n', /Expected a group of keys, found a list/],
  ])('in the file itself: %s', (_name, text, why) => {
    const { faults } = faultsOf(text);
    expect(faults.some((fault) => why.test(fault.why))).toBe(true);
    for (const fault of faults) expect(fault).toMatchObject({ line: expect.any(Number), col: expect.any(Number) });
  });

  it('that is not there has the code config_unreadable', () => {
    expect(() => loadConfig('/nowhere/site.yaml', { drivers, env: {} })).toThrow(
      expect.objectContaining({ code: 'config_unreadable', detail: '/nowhere/site.yaml: ENOENT' }) as Fault,
    );
  });
});
