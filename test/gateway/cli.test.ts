import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { begin, doorward, type Session } from './cliSupport.ts';

const root = join(import.meta.dirname, '..', '..');
const ENV = { DEVICE_PASSWORD: 'device-pass', OBSERVER_PASSWORD: 'observer-1' };
let folder: string;
let config: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'doorward-cli-'));
  config = join(folder, 'site.yaml');
  const text = readFileSync(join(root, 'config', 'acceptance.yaml'), 'utf8');
  writeFileSync(config, text.replace(/port: \d+/g, 'port: 0').replace(/^influx:.*$/m, 'log: { level: fatal }'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a command that does not exist', () => {
  it.each([
    ['nothing at all', []],
    ['an unknown command', ['strat']],
    ['an unknown option', ['member', 'list', '--dta', 'x']],
    ['a missing argument', ['member', 'add']],
    ['an argument too many', ['check', 'a.yaml', 'b.yaml']],
    ['a missing option', ['start']],
    ['a role that is none', ['token', 'add', '--role', 'boss']],
    ['a user without a password on standard input', ['user', 'add', 'kim', '--role', 'viewer']],
    ['a user with an empty password', ['user', 'add', 'kim', '--role', 'viewer', '--password-stdin']],
    ['a badge without a card', ['badge', 'add', 'm-1']],
    ['a badge with two cards', ['badge', 'add', 'm-1', '--uid', '04', '--bits', '01']],
    ['a change of nothing', ['member', 'set', 'm-1']],
    ['a move to nowhere', ['booking', 'move', 'b-1']],
    [
      'a time without an offset',
      ['booking', 'add', '--room', 'r', '--member', 'm', '--start', '2026-11-23T09:00', '--end', '2026-11-23T10:00Z'],
    ],
    ['a right at no time', ['member', 'add', 'Kim', '--right', 'entrance@mon-fri']],
    ['a right on no day', ['member', 'add', 'Kim', '--right', 'entrance@monday 06:00-22:00']],
    ['a speed that is none', ['simulate', '--config', 'x', '--speed', '0']],
    ['a port that is none', ['demo', '--port', 'http']],
  ])('%s: exit 2, with a word on standard error', async (_name, argv) => {
    const { code, out, err } = await doorward(argv);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).not.toBe('');
  });

  it('is helped by the nearest one', async () => {
    expect((await doorward(['strat'])).err).toContain('start');
  });

  it('is no fault when help was asked for', async () => {
    const { code, out } = await doorward(['booking', 'add', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('--data <dir>');
    expect(out).toContain('--json');
  });
});

describe('doorward check', () => {
  it('says that a configuration is sound: exit 0', async () => {
    const { code, out } = await doorward(['check', config], ENV);
    expect([code, out]).toEqual([0, `${config} is sound: 2 rooms, 3 doors, 8 devices.\n`]);
  });

  it('shows all faults: exit 1', async () => {
    const file = join(folder, 'faulty.yaml');
    writeFileSync(file, 'site: { id: s, nmae: S, timeZone: UTC }\nbroker: {}\n');
    const { code, out } = await doorward(['check', file]);
    expect(code).toBe(1);
    expect(out).toMatch(/^3 faults in .*faulty\.yaml/);
    expect(out).toContain(`${file}:1:16  site.nmae`);
    const json = await doorward(['check', file, '--json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, faults: [{ line: 1 }, { line: 1 }, { line: 2 }] });
  });

  it('says that a file is not there: exit 1', async () => {
    const { code, err } = await doorward(['check', join(folder, 'nowhere.yaml')]);
    expect(code).toBe(1);
    expect(err).toMatch(/cannot be read: .*nowhere\.yaml: ENOENT\n {2}Check the path/);
  });

  it('is what start does first', async () => {
    const file = join(folder, 'faulty.yaml');
    writeFileSync(file, 'site: {}\n');
    const { code, err } = await doorward(['start', '--config', file, '--data', join(folder, 'never')]);
    expect(code).toBe(1);
    expect(err).toMatch(/faults in/);
  });
});

/** The same commands, with and without a running gateway. */
describe.each(['while no gateway runs', 'with a running gateway'])('administration %s', (when) => {
  let data: string;
  let gateway: Session | undefined;
  const admin = (...argv: string[]) => doorward([...argv, '--data', data]);
  const json = async (...argv: string[]) => {
    const { code, out, err } = await admin(...argv, '--json');
    return { code, err, value: JSON.parse(out) as Record<string, unknown> & Record<string, unknown>[] };
  };
  beforeAll(async () => {
    data = mkdtempSync(join(folder, 'data-'));
    const session = begin(['start', '--config', config, '--data', data], ENV);
    await vi.waitFor(() => expect(session.out()).toContain('READY http://127.0.0.1:'), 15_000);
    expect(session.out()).toMatch(/Sign in as “manager” with this password/);
    if (when === 'with a running gateway') gateway = session;
    else {
      // The site of the last start stays known.
      session.end();
      expect(await session.code).toBe(0);
    }
  }, 30_000);
  afterAll(async () => {
    gateway?.end();
    expect((await gateway?.code) ?? 0).toBe(0);
  });

  it('makes, lists and changes members', async () => {
    const made = await admin(
      'member',
      'add',
      'Ada Example',
      '--id',
      'ada',
      '--kind',
      'staff',
      '--right',
      'entrance@fri-mon 06:00-22:00',
    );
    expect([made.code, made.out]).toEqual([0, 'Member ada is added: Ada Example, staff.\n']);
    expect((await json('member', 'list')).value).toEqual([
      {
        id: 'ada',
        name: 'Ada Example',
        kind: 'staff',
        status: 'active',
        rights: [{ doors: ['entrance'], weekly: [{ days: ['mon', 'fri', 'sat', 'sun'], from: '06:00', to: '22:00' }] }],
      },
    ]);
    const set = await admin('member', 'set', 'ada', '--status', 'suspended', '--no-right');
    expect(set.out).toBe('Member ada is changed: Ada Example, staff, suspended.\n');
    expect((await admin('member', 'list')).out.split('\n')[1]).toMatch(
      /^ada {2}Ada Example {2}staff {2}suspended {2}by booking$/,
    );
  });

  it('refuses what the API refuses, with exit 1 and a remedy', async () => {
    const again = await admin('member', 'add', 'Ada', '--id', 'ada');
    expect([again.code, again.out]).toEqual([1, '']);
    expect(again.err).toBe(
      '✖ It clashes with what is there: There is a member ada already.\n  Change what is there, or choose another.\n',
    );
    const wrong = await admin('member', 'add', 'Bo', '--right', 'entrence');
    expect(wrong.err).toContain('rights.0.doors.0: there is no such door');
    const { code, value } = await json('member', 'set', 'nobody', '--name', 'N');
    expect(code).toBe(1);
    expect(value).toMatchObject({ ok: false, code: 'not_found' });
  });

  it('gives and revokes badges', async () => {
    const { value } = await json(
      'badge',
      'add',
      'ada',
      '--uid',
      '04:A2:24:B2:C1:5E:80',
      '--until',
      '2030-01-01T00:00Z',
    );
    expect(value).toMatchObject({
      member: 'ada',
      last4: '5E80',
      status: 'active',
      validUntil: '2030-01-01T00:00:00.000Z',
    });
    const list = await admin('badge', 'list', '--member', 'ada');
    expect(list.out).toContain('…5E80');
    expect(list.out).not.toContain('B2C1');
    expect((await admin('badge', 'revoke', String(value.id))).out).toMatch(/is revoked and opens nothing/);
    expect((await json('badge', 'list')).value).toMatchObject([{ status: 'revoked' }]);
    expect((await admin('badge', 'unknown')).out).toBe('No unknown card was seen.\n');
  });

  it('books, moves and cancels, and names the clash', async () => {
    const times = ['--start', '2030-11-25T09:00+01:00', '--end', '2030-11-25T10:00+01:00'];
    const made = await admin('booking', 'add', '--room', 'consult-1', '--member', 'ada', '--id', 'b1', ...times);
    expect(made.out).toBe(
      'Booking b1: consult-1 for member ada, 2030-11-25 09:00 to 2030-11-25 10:00 (Europe/Berlin), confirmed.\n',
    );
    const clash = await admin('booking', 'add', '--room', 'consult-1', '--member', 'ada', ...times);
    expect(clash.code).toBe(1);
    expect(clash.err).toContain('In the way: b1 of ada, 2030-11-25T08:00:00.000Z to');
    expect((await json('booking', 'move', 'b1', '--room', 'consult-2')).value).toMatchObject({ room: 'consult-2' });
    expect((await admin('booking', 'list', '--room', 'consult-2')).out).toContain('2030-11-25 09:00');
    expect((await admin('booking', 'list', '--room', 'consult-1')).out).toBe('There are no bookings in that time.\n');
    expect((await admin('booking', 'cancel', 'b1')).code).toBe(0);
    expect((await json('booking', 'list')).value).toMatchObject([{ id: 'b1', status: 'cancelled' }]);
  });

  it('books a series by the building’s clock, leaves out what is taken, and cancels it from a day on', async () => {
    const first = ['--start', '2031-03-24T09:00+01:00', '--end', '2031-03-24T10:00+01:00'];
    const add = (...more: string[]) => admin('booking', 'add', '--room', 'consult-1', '--member', 'ada', ...more);
    await add('--id', 'taken', '--start', '2031-04-07T09:30+02:00', '--end', '2031-04-07T10:30+02:00');
    const series = ['--id', 's', ...first, '--repeat', 'weekly', '--days', 'mon', '--until', '2031-04-14'];
    const clash = await add(...series);
    expect([clash.code, clash.err]).toEqual([1, expect.stringContaining('In the way: taken of ada')]);
    const made = await add(...series, '--skip-clashes');
    expect(made.out.match(/2031-\d\d-\d\d 09:00 to/g)).toEqual([
      '2031-03-24 09:00 to',
      // The clocks changed on the 30th.
      '2031-03-31 09:00 to',
      '2031-04-14 09:00 to',
    ]);
    expect(made.out).toContain('Left out: 2031-04-07 09:00, taken by taken.');
    expect((await admin('booking', 'cancel', 's.20310331', '--scope', 'following')).code).toBe(0);
    const { value } = await json('booking', 'list', '--from', '2031-03-01T00:00Z');
    expect(value.map(({ id, status }) => `${id} ${status}`)).toEqual([
      's confirmed',
      's.20310331 cancelled',
      'taken confirmed',
      's.20310414 cancelled',
    ]);
    expect((await add(...first, '--days', 'mon')).code).toBe(2);
  });

  it('takes users’ passwords on standard input, and shows a token alone', async () => {
    const add = ['user', 'add', 'kim', '--role', 'reception', '--password-stdin', '--data', data];
    expect(await doorward(add, {}, 'a long enough password\n')).toMatchObject({ code: 0, err: '' });
    expect((await doorward(add, {}, 'short\n')).code).toBe(1);
    expect((await json('user', 'list')).value.map(({ name, role }) => `${name} ${role}`)).toEqual([
      'kim reception',
      'manager manager',
    ]);
    expect((await admin('user', 'remove', 'kim')).code).toBe(0);
    const token = await admin('token', 'add', '--role', 'integrator', '--note', 'calendar');
    expect(token.out).toMatch(/^dw_[\w-]{40,}\n$/);
    const [listed] = (await json('token', 'list')).value;
    expect(listed).toMatchObject({ role: 'integrator', note: 'calendar' });
    expect(JSON.stringify(listed)).not.toContain(token.out.trim());
    expect((await admin('token', 'remove', String(listed?.id))).code).toBe(0);
    const changes = (await json('audit', 'export', '--kind', 'change')).value.map(({ user, note }) => [user, note]);
    const own = 'local administrator';
    expect(changes.slice(0, 4)).toEqual([
      [own, `token ${listed?.id} removed, was integrator`],
      [own, `token ${listed?.id} added as integrator`],
      [own, 'user kim removed, was reception'],
      [own, 'user kim added as reception'],
    ]);
    expect(changes.at(-1)).toEqual(['first start', 'user manager added as manager']);
  });

  it('verifies and exports the journal', async () => {
    const { code, value } = await json('audit', 'verify');
    expect([code, value.ok]).toEqual([0, true]);
    expect((await admin('audit', 'verify')).out).toBe(
      `The journal is whole: ${value.entries} entries, head ${value.headHash}.\n`,
    );
    const csv = (await admin('audit', 'export')).out.trim().split('\n');
    expect(csv[0]).toMatch(/^seq,id,occurredAt/);
    expect(csv).toHaveLength(Number(value.entries) + 1);
    const exported = (await json('audit', 'export')).value;
    expect(exported).toHaveLength(Number(value.entries));
    expect(exported.every((entry) => typeof entry.hash === 'string')).toBe(true);
  });

  it('backs up and restores', async () => {
    const file = join(data, '..', `${when.length}.backup`);
    expect((await admin('backup', file)).code).toBe(0);
    expect((await admin('backup', file)).err).toContain('The file is there already');
    const restored = join(folder, `restored-${when.length}`);
    expect((await doorward(['restore', file, '--data', restored])).code).toBe(0);
    const verified = await doorward(['audit', 'verify', '--data', restored, '--json']);
    expect(JSON.parse(verified.out)).toMatchObject({ ok: true });
    expect((await doorward(['restore', file, '--data', restored])).code).toBe(1);
  });
});

describe('doorward audit verify', () => {
  it.each(['verify', 'export'])('refuses to %s what is not there, and makes nothing', async (what) => {
    const data = join(folder, 'misspelt');
    const { code, err } = await doorward(['audit', what, '--data', data]);
    expect(code).toBe(1);
    expect(err).toContain(data);
    expect(existsSync(data)).toBe(false);
  });

  it('finds that the signed head is gone: exit 1', async () => {
    const data = join(folder, 'broken');
    await doorward(['member', 'add', 'Ada', '--data', data]);
    rmSync(join(data, 'journal.head'));
    const { code, err } = await doorward(['audit', 'verify', '--data', data]);
    expect(code).toBe(1);
    expect(err).toMatch(/The journal does not verify: the signed head is missing/);
    const json = await doorward(['audit', 'verify', '--data', data, '--json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false });
  });
});
