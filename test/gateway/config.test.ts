// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration, not of a template
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drivers } from '../../devices/registry.ts';
import { type ConfigFault, ConfigFaults, jsonSchema, loadConfig, toSite } from '../../gateway/config/index.ts';
import { faultsOf, HEAD, load } from './configSupport.ts';

const root = join(import.meta.dirname, '..', '..');
describe('the faults of a configuration', () => {
  const two = faultsOf.bind(undefined, `${HEAD}web: { prot: 1 }\nrooms: [{ id: a }]\nrooms2: 1\nlog: { level: x }\n`);

  it('are all shown at once, in the order of the file', () => {
    expect(two().faults.map(({ line, path }) => `${line} ${path}`)).toEqual([
      '8 web.prot',
      '9 rooms[0].name',
      '10 rooms2',
      '11 log.level',
    ]);
  });

  it('of the schema do not hide those across settings', () => {
    const text = `${HEAD}rooms: [{ id: a, name: A, colour: red, devices: { heating: rom-1 } }]\ndoors: [{ id: d, lock: lock-9 }]\n`;
    expect(faultsOf(text).faults.map(({ path }) => path)).toEqual([
      'rooms[0].colour',
      'rooms[0].devices.heating',
      'doors[0].name',
      'doors[0]',
      'doors[0].lock',
    ]);
  });

  it('read as text: place, value, fault, remedy', () => {
    expect(two().text).toMatch(
      /^4 faults in \/etc\/doorward\/site\.yaml\n\n\/etc\/doorward\/site\.yaml:8:8 {2}web\.prot\n {4}found: {2}1\n {4}fault: {2}There is no key “prot” here\.\n {4}remedy: Did you mean “port”\?/,
    );
    expect(two().code).toBe('config_invalid');
  });

  it('never show a secret, wherever it stands', () => {
    const text = `${HEAD}influx: { url: "http://127.0.0.1:8086", username: u, password: 12345678 }
log: { level: "\${env:SECRET}" }
time: { trust: "\${env:SECRET}" }
rooms: [{ id: a, name: A, kind: "\${env:SECRET}", devices: { people: "\${env:SECRET}" } }]
doors: [{ id: d, name: D, room: "\${env:SECRET}", lock: lock-1, strikeMs: "\${file:k}" }]
site2: { password: "\${env:SECRET}" }
`;
    const { text: shown, faults } = faultsOf(text, { '/etc/doorward/k': 'hunter2hunter2' });
    expect(faults).toHaveLength(8);
    expect(shown).not.toMatch(/hunter2|12345678/);
    expect(shown).toContain('"${env:SECRET}"');
  });
});

describe('references', () => {
  it('that are short leave the words of a caution whole', () => {
    const cautions: ConfigFault[] = [];
    load(`${HEAD}web: { host: 0.0.0.0 }\n`.replace('long-enough', '"${env:SHORT}"'), {}, cautions);
    const [, short] = cautions;
    expect(short).toMatchObject({ path: 'devices[0].password', found: '"${env:SHORT}"' });
    expect(short?.remedy).toContain('openssl rand -base64 18');
  });

  it('are resolved anywhere in a text, files without their last line end', () => {
    const text = `${HEAD}influx: { url: "http://\${file:host}:8086", username: "\${env:SECRET}", password: "\${file:sub/key}" }\n`;
    const files = { '/etc/doorward/host': 'db.local\n', '/etc/doorward/sub/key': 'k1\nk2\n' };
    expect(load(text, files).influx).toMatchObject({
      url: 'http://db.local:8086',
      username: 'hunter2hunter2',
      password: 'k1\nk2',
    });
  });
});

describe('cautions', () => {
  const cautionsOf = (text: string) => {
    const cautions: ConfigFault[] = [];
    load(text, {}, cautions);
    return cautions.map(({ path, why }) => `${path}: ${why}`);
  };

  it('name what is allowed and most likely not meant', () => {
    const text = `${HEAD}web: { host: 0.0.0.0 }
rooms:
  - { id: a, name: A, plan: { x: 0, y: 0, width: 4, depth: 3 } }
  - { id: b, name: B, plan: { x: 3.5, y: 0, width: 4, depth: 3 } }
doors: [{ id: d, name: D, common: true, lock: lock-1, heldOpenAfterS: 5, strikeMs: 6000 }]
`;
    expect(cautionsOf(text)).toEqual([
      'web.host: Passwords cross the network in the clear.',
      'doors[0].heldOpenAfterS: A held-open alarm after 5 s is unusual.',
      'doors[0].strikeMs: The strike time is longer than the time after which an open door is an alarm.',
      'rooms[1].plan: On the plan the room covers rooms[0].',
    ]);
  });

  it('do not mind rooms that only touch, or lie on two floors', () => {
    const text = `${HEAD}rooms:
  - { id: a, name: A, plan: { x: 0, y: 0, width: 4, depth: 3 } }
  - { id: b, name: B, plan: { x: 4, y: 0, width: 4, depth: 3 } }
  - { id: c, name: C, floor: first, plan: { x: 0, y: 0, width: 4, depth: 3 } }
`;
    expect(cautionsOf(text)).toEqual([]);
  });

  it('name certificates that are not there yet, passwords that are short, brokers in the clear', () => {
    const text = `site: { id: s, name: S, timeZone: UTC }
broker: { external: { url: "mqtt://broker:1883", ca: ca.pem } }
web: { tls: { cert: c.pem, key: k.pem } }
devices: [{ id: a, driver: native, password: x }, { id: b, driver: native, password: y }]
`;
    expect(cautionsOf(text)).toEqual([
      'broker.external.url: Unlock commands and passwords cross the network in the clear.',
      'devices[0].password: The password (and 1 more) is shorter than 8 characters.',
      'web.tls.cert: The file c.pem cannot be read: ENOENT.',
      'web.tls.key: The file k.pem cannot be read: ENOENT.',
      'broker.external.ca: The file ca.pem cannot be read: ENOENT.',
    ]);
  });
});

describe('a sound configuration', () => {
  it('has its defaults filled in', () => {
    const config = load('site: { id: s, name: S, timeZone: UTC }\nbroker: { embedded: {} }\n');
    expect(config).toMatchObject({
      time: { trust: 'kernel' },
      web: { host: '127.0.0.1', port: 8080, sessionIdleMin: 30 },
      broker: { embedded: { host: '127.0.0.1', port: 1883, users: [] } },
      history: { days: 90, quotaMb: 2048 },
      log: { level: 'info' },
      bookings: { earlyMin: 10, lateMin: 5, entranceEarlyMin: 30, maxScheduleAgeH: 36 },
      devices: [],
      rooms: [],
      doors: [],
    });
    expect(config.influx).toBeUndefined();
  });

  it('has paths of files relative to itself', () => {
    const config = load(`${HEAD}web: { tls: { cert: tls/c.pem, key: /abs/k.pem } }\n`);
    expect(config.web.tls).toEqual({ cert: '/etc/doorward/tls/c.pem', key: '/abs/k.pem' });
  });

  it('takes anchors, so that rooms share their settings', () => {
    const rooms = Array.from({ length: 200 }, (_, index) => `  - { id: r${index}, name: R, climate: *usual }`).join(
      '\n',
    );
    const text = `${HEAD}rooms:\n  - { id: first, name: F, climate: &usual { heatTo: 20 } }\n${rooms}\n`;
    expect(load(text).rooms.at(-1)?.climate?.heatTo).toBe(20);
  });

  it('becomes a site: milliseconds, whole points, settings by what is bound', () => {
    const site = toSite(
      load(`${HEAD}rooms:
  - { id: bare, name: Bare }
  - id: full
    name: Full
    devices: { presence: [room-1, room-1/presence-2], heating: board, cooling: room-1/relay-2, lights: [room-1] }
    climate: { leadMin: 30, minOnMin: 1.5 }
doors:
  - { id: d, name: D, room: full, lock: lock-1, contact: lock-1, reader: lock-2, exit: lock-1, heldOpenAfterS: 60 }
`),
    );
    const [bare, full] = site.rooms;
    expect(bare).toMatchObject({ kind: 'other', floor: 'ground', climate: undefined, lighting: undefined });
    expect(full).toMatchObject({
      points: {
        presence: ['room-1/presence', 'room-1/presence-2'],
        heating: 'board/relay',
        cooling: 'room-1/relay-2',
        lights: ['room-1/dimmer'],
      },
      climate: { heatTo: 21, leadMs: 1_800_000, minOnMs: 90_000, minOffMs: 300_000 },
      lighting: { level: 80, offAfterMs: 900_000, warnMs: 60_000 },
      occupancy: { holdMs: 420_000 },
    });
    expect(site.doors).toEqual([
      {
        id: 'd',
        name: 'D',
        room: 'full',
        common: false,
        lock: 'lock-1/lock',
        contact: 'lock-1/door',
        reader: 'lock-2/reader',
        exit: 'lock-1/exit',
        strikeMs: 5000,
        heldOpenAfterMs: 60_000,
      },
    ]);
    expect(site.bookings).toEqual({
      earlyMs: 600_000,
      lateMs: 300_000,
      entranceEarlyMs: 1_800_000,
      maxScheduleAgeMs: 129_600_000,
      bufferMs: 0,
      noShowAction: 'flag',
    });
    expect(site.devices).toEqual(['lock-1', 'lock-2', 'room-1', 'board']);
  });
});

describe('whatever stands in the file', () => {
  it('is taken or refused with faults, never a crash', () => {
    const value: fc.Arbitrary<unknown> = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.object(),
    );
    const keys = ['site', 'time', 'web', 'broker', 'influx', 'bookings', 'devices', 'rooms', 'doors', '__proto__'];
    const document = fc.dictionary(fc.constantFrom(...keys), fc.oneof(value, fc.array(value)));
    fc.assert(
      fc.property(document, (data) => {
        try {
          load(JSON.stringify(data));
        } catch (error) {
          if (!(error instanceof ConfigFaults)) throw error;
          expect(
            error.faults.every(({ line, col, why, remedy }) => line > 0 && col > 0 && why !== '' && remedy !== ''),
          ).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the files in config/', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'doorward-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['acceptance.yaml', { OBSERVER_PASSWORD: 'observer-1', DEVICE_PASSWORD: 'device-pass' }, 2, 3],
    ['demo.yaml', { DEMO_OBSERVER_PASSWORD: 'observer-1', DEMO_DEVICE_PASSWORD: 'device-pass' }, 8, 8],
  ])('%s is sound, with no caution', (name, env, rooms, doors) => {
    const cautions: ConfigFault[] = [];
    const config = loadConfig(join(root, 'config', name), { drivers, env, caution: (fault) => cautions.push(fault) });
    expect([config.rooms.length, config.doors.length]).toEqual([rooms, doors]);
    expect(cautions).toEqual([]);
  });

  it('acceptance.yaml also holds with an external broker and without InfluxDB', () => {
    const text = readFileSync(join(root, 'config', 'acceptance.yaml'), 'utf8');
    const external = text
      .replace(/^ {2}embedded:\n(?: {4}.*\n)+/m, '')
      .replace(/^ {2}# external:.*$/m, '  external: { url: "mqtt://127.0.0.1:1", username: doorward, password: p }')
      .replace(/^influx:.*$/m, '');
    const file = join(folder, 'variant.yaml');
    writeFileSync(file, external);
    const config = loadConfig(file, { drivers, env: { DEVICE_PASSWORD: 'device-pass' } });
    expect(config.broker).toMatchObject({ embedded: undefined, external: { username: 'doorward' } });
    expect(config.influx).toBeUndefined();
  });

  it('pi.yaml is sound; its certificates are on the Pi', () => {
    const env = {
      DEVICE_PASSWORD: 'device-pass',
      OBSERVER_PASSWORD: 'observer-1',
      INFLUX_PASSWORD: 'influx-pass',
    };
    const cautions: ConfigFault[] = [];
    const config = loadConfig(join(root, 'config', 'pi.yaml'), { drivers, env, caution: (at) => cautions.push(at) });
    expect(new Set(config.devices.map(({ driver }) => driver))).toEqual(new Set(['native', 'gpio', 'serial']));
    expect(config.influx).toBeDefined();
    expect(cautions.every(({ path }) => /tls/.test(path))).toBe(true);
  });

  it('doorward.schema.json is what `doorward schema` prints', () => {
    const written: unknown = JSON.parse(readFileSync(join(root, 'config', 'doorward.schema.json'), 'utf8'));
    const remedy = 'run: npx doorward schema > config/doorward.schema.json && npm run format';
    expect(written, remedy).toEqual(JSON.parse(JSON.stringify(jsonSchema(drivers))));
  });

  it('give each key of the schema a title, and a description', () => {
    const bare: string[] = [];
    const walk = (part: unknown, at: string): void => {
      if (typeof part !== 'object' || part === null) return;
      const { properties, items, title, description } = part as Record<string, unknown>;
      const known = /^(devices|weekly)/.test(at) || (title !== undefined && description !== undefined);
      if (at !== '' && !known) bare.push(at);
      for (const [key, inner] of Object.entries((properties ?? {}) as Record<string, unknown>))
        walk(inner, `${at}.${key}`);
      const element = items as { properties?: Record<string, unknown> } | undefined;
      for (const [key, inner] of Object.entries(element?.properties ?? {})) walk(inner, `${at}[].${key}`);
    };
    walk(jsonSchema([]), '');
    expect(bare).toEqual([]);
  });
});
