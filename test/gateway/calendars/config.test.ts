/** What `bookings.sources` says, and what is said of it when it is wrong. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { drivers } from '../../../devices/registry.ts';
import { toSourceSettings } from '../../../gateway/compose/calendars.ts';
import { type ConfigFault, loadConfig, toSite } from '../../../gateway/config/index.ts';
import { faultsOf, HEAD, load } from '../configSupport.ts';

const ROOMS = 'rooms:\n  - { id: consult-1, name: One }\n  - { id: consult-2, name: Two }\n';
const withSource = (source: string) => `${HEAD}${ROOMS}bookings:\n  sources:\n    - { ${source} }\n`;
const settingsOf = (source: string) => load(withSource(source)).bookings.sources.map((one) => toSourceSettings(one))[0];

describe('an outside calendar in the configuration', () => {
  it('is whole with its id, kind, address and room', () => {
    expect(settingsOf('id: feed, kind: ics, url: "https://a.example/b.ics", rooms: consult-1')).toEqual({
      id: 'feed',
      kind: 'ics',
      url: 'https://a.example/b.ics',
      rooms: { by: 'calendar', map: { '*': 'consult-1' } },
      holder: { by: 'attendee' },
      everyMs: 300_000,
      priority: 0,
      holdPolls: 3,
      http: { allowHttp: false, allowPrivate: false, timeoutMs: 30_000, maxBytes: 20 * 1024 * 1024 },
    });
  });

  it('takes its secrets by reference and its header names in any case', () => {
    const hook = `id: hook, kind: webhook, preset: doorward, secret: "\${env:SECRET}", rooms: consult-1`;
    expect(settingsOf(`${hook}, signatureHeader: X-Mine, toleranceS: 60`)).toMatchObject({
      secret: 'hunter2hunter2',
      signatureHeader: 'x-mine',
      toleranceMs: 60_000,
      url: undefined,
    });
  });

  it('brings rules of no-show, overstay and cleaning to the site', () => {
    const keys = 'noShowAfterMin: 20, noShow: release, overstayAfterMin: 10, bufferMin: 5';
    const text = `${HEAD}rooms: [{ id: r, name: R, bookings: { bufferMin: 15 } }]\nbookings: { ${keys} }\n`;
    const site = toSite(load(text));
    expect(site.bookings).toMatchObject({
      noShowAfterMs: 1_200_000,
      noShowAction: 'release',
      overstayAfterMs: 600_000,
      bufferMs: 300_000,
    });
    expect(site.rooms[0]?.bufferMs).toBe(900_000);
    expect(toSite(load(HEAD)).bookings.noShowAfterMs).toBeUndefined();
  });

  it('is shown in every kind in config/calendars.yaml, which is sound', () => {
    const file = join(import.meta.dirname, '../../../config/calendars.yaml');
    const names = [...readFileSync(file, 'utf8').matchAll(/\$\{env:([A-Z0-9_]+)\}/g)].map((match) => match[1] ?? '');
    const env = Object.fromEntries(names.map((name) => [name, `https://${name.toLowerCase()}.example/long-enough`]));
    const config = loadConfig(file, { drivers, env });
    const settings = config.bookings.sources.map(toSourceSettings);
    expect(new Set(settings.map(({ kind }) => kind))).toEqual(new Set(['ics', 'caldav', 'webhook', 'fhir']));
    const presets = settings.flatMap((one) => (one.kind === 'webhook' ? [one.preset] : []));
    expect(presets.sort()).toEqual(['calcom', 'cobot', 'doorward', 'nexudus', 'officernd']);
  });
});

describe('a faulty calendar', () => {
  const ics = 'id: feed, kind: ics';
  const good = `${ics}, url: "https://a.example/b.ics"`;
  const hook = 'id: hook, kind: webhook, rooms: consult-1';
  it.each([
    [
      'the id of the bookings made here',
      'id: local, kind: ics, url: "https://a.example", rooms: consult-1',
      'id',
      /made here/,
    ],
    ['a kind that is none', 'id: a, kind: ical, url: "https://a.example", rooms: consult-1', 'kind', /possible values/],
    ['no address', `${ics}, rooms: consult-1`, 'url', /read from an address/],
    ['an address that is none', `${ics}, url: "room.ics", rooms: consult-1`, 'url', /no web address/],
    ['plain http', `${ics}, url: "http://a.example/b.ics", rooms: consult-1`, 'url', /forge/],
    [
      'a password in the address',
      `${ics}, url: "https://u:p@a.example/b.ics", rooms: consult-1`,
      'url',
      /user name and password/,
    ],
    ['a room that is not there', `${good}, rooms: consult-9`, 'rooms', /no room “consult-9”/],
    [
      'a map to a room that is not there',
      `${good}, rooms: { by: location, map: { A: consult-9 } }`,
      'rooms.map.A',
      /no room/,
    ],
    ['an empty map', `${good}, rooms: { by: location, map: {} }`, 'rooms.map', /names no room/],
    [
      'two labels that are one',
      `${good}, rooms: { by: location, map: { "Room 1": consult-1, "ROOM  1": consult-2 } }`,
      'rooms.map.ROOM  1',
      /same label/,
    ],
    ['a webhook without a secret', `${hook}, preset: doorward`, 'secret', /forged by anybody/],
    ['a webhook without a preset', `${hook}, secret: long-enough-secret`, 'preset', /whose messages/],
    ['a key of another kind', `${good}, rooms: consult-1, preset: cobot`, 'preset', /kind ics has no preset/],
    ['a user name alone', `${good}, rooms: consult-1, username: u`, 'username', /no password/],
    ['two ways to sign in', `${good}, rooms: consult-1, username: u, password: p, bearer: b`, 'bearer', /two ways/],
    [
      'a release that nobody signs',
      `${good}, rooms: consult-1, releaseUrl: "https://a.example/r"`,
      'releaseSecret',
      /forged/,
    ],
    [
      'a template without the member',
      `${good}, rooms: consult-1, holder: { by: template, template: "x" }`,
      'holder.template',
      /does not say/,
    ],
    ['a member that is not named', `${good}, rooms: consult-1, holder: { by: member }`, 'holder.member', /needs/],
    [
      'a template that does not count',
      `${good}, rooms: consult-1, holder: { template: "{member}" }`,
      'holder.template',
      /counts only/,
    ],
  ])('%s is told with its place and a remedy', (_what, source, key, why) => {
    const { faults } = faultsOf(withSource(source));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ line: 13, path: `bookings.sources[0].${key}`, why: expect.stringMatching(why) });
    expect(faults[0]?.remedy).not.toBe('');
  });

  it('two sources of one id are told', () => {
    const text = `${withSource(`${good}, rooms: consult-1`)}    - { ${good}, rooms: consult-2 }\n`;
    expect(faultsOf(text).faults[0]).toMatchObject({
      path: 'bookings.sources[1].id',
      why: expect.stringContaining('already'),
    });
  });

  it('shows no secret of an address', () => {
    const { text } = faultsOf(
      withSource(`${ics}, url: "http://a.example/private-abc/basic.ics?key=4711", rooms: consult-1`),
    );
    expect(text).toContain('http://a.example…');
    expect(text).not.toMatch(/private-abc|4711/);
  });

  it('a short secret, and a webhook that nothing heals, are shown and taken', () => {
    const cautions: ConfigFault[] = [];
    load(withSource(`${hook}, preset: doorward, secret: short`), {}, cautions);
    expect(cautions.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['bookings.sources[0].secret', 'bookings.sources[0].url']),
    );
  });
});
