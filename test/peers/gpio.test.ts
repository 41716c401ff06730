/** The GPIO driver on the real onoff, over a FUSE tree that behaves as the kernel's /sys/class/gpio. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OutgoingCommand } from '../../devices/driver.ts';
import { buildGpioBench, type GpioBench, GpioTree } from '../support/gpiotree.ts';

/** A Pi 4 with a kernel since 6.6: the header's chip begins at 512, the expander is another chip. */
const PI4 = ['raspberrypi-exp-gpio:570:8', 'pinctrl-bcm2711:512:58'];
const line = (bcm: number) => 512 + bcm;

const STRIKE = { capability: 'lock', pin: 17 };
const RELAY = { capability: 'relay', pin: 22, activeLow: true };
const RELAY_SAFE_ON = { capability: 'relay-2', pin: 23, safe: 'on' };
const DOOR = { capability: 'door', pin: 5, activeLow: true };
const EXIT = { capability: 'exit', pin: 6, activeLow: true };

let bench: GpioBench;
let tree: GpioTree;

beforeAll(async () => {
  bench = await buildGpioBench();
});
afterEach(async () => {
  await tree.unmount();
});
afterAll(() => bench.remove());

let ids = 0;
function command(capability: string, order: OutgoingCommand['do'], more: Partial<OutgoingCommand> = {}) {
  ids += 1;
  return { id: `command-${ids}`, capability, do: order, issuedAtMs: 0, ttlMs: 5000, ...more };
}
/** A zombie is dead: who reaps the orphans of a container is not our business. */
function isAlive(pid: number | undefined): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('outputs', () => {
  it('sets a relay on and off, reads it back and acknowledges with the command id', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [RELAY] }).opened();
    expect(driver.states('relay')).toEqual(['off']);
    const on = command('relay', { op: 'set', value: 'on' });
    driver.perform(on);
    await driver.message((one) => one.type === 'ack' && one.id === on.id && one.result === 'done');
    await driver.message((one) => one.type === 'state' && one.command === on.id && one.value === 'on');
    // Active low: energised is level 0.
    await tree.until(() => tree.level(line(22)) === 0, 'relay energised');
    driver.perform(command('relay', { op: 'set', value: 'off' }));
    await tree.until(() => tree.level(line(22)) === 1, 'relay released');
    await driver.close();
  });

  it('unlocks a strike for its strike time and locks it again by itself', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [STRIKE] }).opened();
    driver.perform(command('lock', { op: 'unlock', holdMs: 120 }));
    // Looked for in the whole trace: on a busy machine the strike time is over before anybody looks.
    await tree.until(() => tree.traceOf(line(17)).includes(`value ${line(17)} 1 1`), 'strike energised');
    await tree.until(() => tree.traceOf(line(17)).at(-1) === `value ${line(17)} 0 0`, 'strike released');
    await tree.until(() => driver.states('lock').length === 3, 'locked again');
    expect(driver.states('lock')).toEqual(['locked', 'unlocked', 'locked']);
    await driver.close();
  });

  it('never shortens a strike time that is under way, and locks at once when told to', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [STRIKE, RELAY] }).opened();
    driver.perform(command('lock', { op: 'unlock', holdMs: 500 }));
    driver.perform(command('lock', { op: 'unlock', holdMs: 20 }));
    // The relay's pulse is longer than the second strike time and shorter than the first.
    driver.perform(command('relay', { op: 'set', value: 'on', forMs: 150 }));
    await tree.until(() => driver.states('lock').length === 4, 'locked again');
    expect(driver.states('lock')).toEqual(['locked', 'unlocked', 'unlocked', 'locked']);
    expect(driver.states('relay')).toEqual(['off', 'on', 'off']);
    const told = driver.messages.filter((one) => one.type === 'state');
    expect(told.at(-2)).toMatchObject({ capability: 'relay', value: 'off' });
    expect(told.at(-1)).toMatchObject({ capability: 'lock', value: 'locked' });

    driver.perform(command('lock', { op: 'unlock', holdMs: 600_000 }));
    const lock = command('lock', { op: 'lock' });
    driver.perform(lock);
    await driver.message((one) => one.type === 'state' && one.command === lock.id && one.value === 'locked');
    expect(tree.level(line(17))).toBe(0);
    await driver.close();
  });

  it('switches a relay back when its time is over', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [RELAY] }).opened();
    driver.perform(command('relay', { op: 'set', value: 'on', forMs: 60 }));
    await tree.until(() => driver.states('relay').length === 3, 'on and off again');
    expect(driver.states('relay')).toEqual(['off', 'on', 'off']);
    await driver.close();
  });

  it('refuses a repeated and an expired command and touches no pin', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [STRIKE] }).opened();
    const unlock = command('lock', { op: 'unlock', holdMs: 40 });
    driver.perform(unlock);
    await tree.until(() => driver.states('lock').length === 3, 'locked again');
    const before = tree.traceOf(line(17)).length;
    driver.perform(unlock);
    await driver.message((one) => one.type === 'ack' && one.result === 'duplicate');
    driver.perform(command('lock', { op: 'unlock', holdMs: 40 }, { ttlMs: 0 }));
    await driver.message((one) => one.type === 'ack' && one.result === 'expired');
    driver.perform(command('lock', { op: 'unlock', holdMs: 40 }, { boot: 'another' }));
    await driver.message((one) => one.type === 'ack' && one.result === 'stale');
    expect(tree.traceOf(line(17))).toHaveLength(before);
    await driver.close();
  });

  it('says failed when the pin does not obey, and ends a pulse as soon as it does again', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [STRIKE] }).opened();
    await tree.setFailing(line(17), true);
    const unlock = command('lock', { op: 'unlock', holdMs: 50 });
    driver.perform(unlock);
    await driver.message((one) => one.type === 'ack' && one.id === unlock.id && one.result === 'failed');
    expect(driver.states('lock')).toEqual(['locked', 'locked']);
    await tree.setFailing(line(17), false);
    driver.perform(command('lock', { op: 'unlock', holdMs: 300 }));
    await tree.until(() => tree.level(line(17)) === 1, 'strike energised');
    await tree.setFailing(line(17), true);
    await tree.until(() => driver.warnings.some((one) => one.code === 'pulse'), 'a warning');
    await tree.setFailing(line(17), false);
    await tree.until(() => tree.level(line(17)) === 0, 'strike released');
    await tree.until(() => driver.states('lock').at(-1) === 'locked', 'told');
    await driver.close();
  });
});

describe('inputs', () => {
  it('tells a door contact at start and at each edge', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [DOOR] }).opened();
    expect(driver.states('door')).toEqual(['closed']);
    for (const [level, value] of [
      [1, 'open'],
      [0, 'closed'],
      [1, 'open'],
    ] as const) {
      tree.drive(line(5), level);
      await tree.until(() => driver.states('door').at(-1) === value, value);
    }
    expect(driver.states('door')).toEqual(['closed', 'open', 'closed', 'open']);
    await driver.close();
  });

  it('sees every press of the exit button, three of three', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    tree.drive(line(6), 1);
    const driver = await tree.startDriver({ pins: [DOOR, EXIT] }).opened();
    for (let press = 1; press <= 3; press += 1) {
      tree.drive(line(6), 0);
      await tree.until(() => driver.events('exit').length === press, `press ${press}`);
      tree.drive(line(6), 1);
      // The release is no event; the door contact on the next wire shows that the driver has caught up with it.
      tree.drive(line(5), press % 2 === 1 ? 1 : 0);
      await tree.until(() => driver.states('door').length === press + 1, `press ${press} released`);
    }
    expect(driver.events('exit')).toEqual(Array(3).fill({ type: 'request_to_exit' }));
    await driver.close();
  });

  it('takes a bouncing contact as one change', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [{ ...DOOR, debounceMs: 60 }] }).opened();
    for (const level of [1, 0, 1, 0, 1, 0, 1, 0, 1] as const) tree.drive(line(5), level);
    await tree.until(() => driver.states('door').length > 1, 'open');
    tree.drive(line(5), 0);
    await tree.until(() => driver.states('door').length > 2, 'closed');
    expect(driver.states('door')).toEqual(['closed', 'open', 'closed']);
    await driver.close();
  });

  it('takes no button that is held at the start for a press', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    tree.drive(line(6), 0);
    const driver = await tree.startDriver({ pins: [EXIT, DOOR] }).opened();
    tree.drive(line(5), 1);
    await tree.until(() => driver.states('door').at(-1) === 'open', 'the driver is at work');
    expect(driver.events('exit')).toEqual([]);
    await driver.close();
  });
});

describe('safe state', () => {
  it('is the first thing that happens to an output, in one write and without a wrong level before it', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [DOOR, RELAY, RELAY_SAFE_ON, STRIKE] }).opened();
    const first = (bcm: number) => tree.traceOf(line(bcm)).filter((one) => /^(direction|value)/.test(one))[0];
    expect(first(17)).toBe(`direction ${line(17)} 0 low`);
    expect(first(22)).toBe(`direction ${line(22)} 1 high`);
    expect(first(23)).toBe(`direction ${line(23)} 1 high`);
    const firstInput = tree.trace.findIndex((one) => one.startsWith(`export ${line(5)}`));
    const lastSafe = Math.max(...[17, 22, 23].map((bcm) => tree.trace.indexOf(first(bcm) ?? '')));
    expect(lastSafe).toBeLessThan(firstInput);
    await driver.close();
  });

  it('comes back at close, stays driven, and every file is closed', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [STRIKE, RELAY, DOOR] }).opened();
    driver.perform(command('lock', { op: 'unlock', holdMs: 600_000 }));
    driver.perform(command('relay', { op: 'set', value: 'on' }));
    await tree.until(() => tree.level(line(17)) === 1 && tree.level(line(22)) === 0, 'both energised');
    const guardian = driver.guardianPid;
    await driver.close();
    expect(tree.traceOf(line(17)).at(-1)).toBe(`direction ${line(17)} 0 low`);
    expect(tree.traceOf(line(22)).at(-1)).toBe(`direction ${line(22)} 1 high`);
    expect(tree.traceOf(line(5)).at(-1)).toMatch(/^unexport/);
    expect(driver.openFiles).toBe(0);
    expect(isAlive(guardian)).toBe(false);
  });

  it('is restored by the guardian after SIGKILL of the gateway alone', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [STRIKE, RELAY, RELAY_SAFE_ON] }).opened();
    driver.perform(command('lock', { op: 'unlock', holdMs: 600_000 }));
    driver.perform(command('relay', { op: 'set', value: 'on' }));
    driver.perform(command('relay-2', { op: 'set', value: 'off' }));
    const levels = () => [17, 22, 23].map((bcm) => tree.level(line(bcm)));
    await tree.until(() => levels().join() === '1,0,0', 'all away from their safe state');
    await driver.kill();
    await tree.until(() => levels().join() === '0,1,1', 'all safe');
    await tree.until(() => !isAlive(driver.guardianPid), 'the guardian has left');
  });

  it('does not depend on the signals of a terminal: Ctrl-C reaches the gateway, not the guardian', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [STRIKE] }).opened();
    driver.perform(command('lock', { op: 'unlock', holdMs: 600_000 }));
    await tree.until(() => tree.level(line(17)) === 1, 'energised');
    process.kill(-(driver.pid ?? Number.NaN), 'SIGINT');
    await tree.until(() => tree.level(line(17)) === 0, 'safe');
  });

  it('replaces a guardian that was killed', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [STRIKE] }).opened();
    process.kill(driver.guardianPid ?? Number.NaN, 'SIGKILL');
    await tree.until(() => driver.warnings.some((one) => one.code === 'guardian'), 'a warning');
    const guardianOf = (parent: number | undefined) =>
      readdirSync(`/proc/${parent}/task/${parent}`).includes('children')
        ? readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim()
        : '';
    await tree.until(() => guardianOf(driver.pid) !== '', 'a new guardian');
    driver.perform(command('lock', { op: 'unlock', holdMs: 600_000 }));
    await tree.until(() => tree.level(line(17)) === 1, 'energised');
    await driver.kill();
    await tree.until(() => tree.level(line(17)) === 0, 'safe');
  });

  it('is listed for systemd while the gateway runs, and only then', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const folder = mkdtempSync(join(tmpdir(), 'doorward-run-'));
    try {
      const driver = await tree.startDriver({ pins: [STRIKE, RELAY] }, { env: { RUNTIME_DIRECTORY: folder } }).opened();
      expect(readFileSync(join(folder, 'gpio-header.safe'), 'utf8')).toBe(
        `/sys/class/gpio/gpio${line(17)}/direction low\n/sys/class/gpio/gpio${line(22)}/direction high\n`,
      );
      await driver.close();
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is taken over from a run that was killed, whatever that run left behind', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    // An earlier configuration used GPIO17 as a watched input and left GPIO22 energised with its polarity turned round.
    tree.run([
      'sh',
      '-c',
      `cd /sys/class/gpio; echo ${line(17)} > export; echo in > gpio${line(17)}/direction; echo both > gpio${line(17)}/edge;
       echo ${line(22)} > export; echo 1 > gpio${line(22)}/active_low; echo low > gpio${line(22)}/direction`,
    ]);
    const driver = await tree.startDriver({ pins: [STRIKE, RELAY] }).opened();
    expect(driver.states('lock')).toEqual(['locked']);
    expect(driver.states('relay')).toEqual(['off']);
    expect([tree.level(line(17)), tree.level(line(22))]).toEqual([0, 1]);
    driver.perform(command('relay', { op: 'set', value: 'on' }));
    await tree.until(() => tree.level(line(22)) === 0, 'energised');
    await driver.close();
  });
});

describe('finding the header', () => {
  it.each([
    ['a Pi 5, where it is on the RP1', ['gpio-brcmstb@107d508500:512:32', 'pinctrl-rp1:569:54'], 569 + 17],
    ['a Pi 3 before kernel 6.6', ['pinctrl-bcm2835:0:54'], 17],
  ])('works on %s', async (_name, chips, expected) => {
    tree = await GpioTree.mount(bench, ...chips);
    const driver = await tree.startDriver({ pins: [STRIKE] }).opened();
    expect(tree.traceOf(expected)[0]).toBe(`export ${expected} 0`);
    await driver.close();
  });

  it('says that there is none, stays offline and fails commands with the reason', async () => {
    tree = await GpioTree.mount(bench, 'gpio-pch:0:32');
    const driver = await tree.startDriver({ pins: [STRIKE] }).opened();
    await driver.message((one) => one.type === 'status' && !one.online);
    expect(driver.warnings[0]?.why).toContain('no Raspberry Pi header among the GPIO chips (found: gpio-pch)');
    driver.perform(command('lock', { op: 'unlock', holdMs: 100 }));
    const ack = await driver.message((one) => one.type === 'ack');
    expect(ack).toMatchObject({ result: 'failed', why: expect.stringContaining('no Raspberry Pi header') });
    await driver.close();
  });

  it('makes the outputs safe and names the remedy when the optional package is not installed', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    const driver = await tree.startDriver({ pins: [STRIKE] }, { onoff: false }).opened();
    await driver.message((one) => one.type === 'status' && !one.online);
    expect(driver.warnings[0]?.why).toMatch(
      /onoff cannot be loaded .*install python3, make and g\+\+, run npm ci again/,
    );
    expect(tree.traceOf(line(17)).at(-1)).toBe(`direction ${line(17)} 0 low`);
    await driver.close();
  });

  it('tells which pin another driver holds, keeps the others safe, and comes up when it is free', async () => {
    tree = await GpioTree.mount(bench, ...PI4);
    await tree.setBusy(line(22), true);
    const driver = await tree.startDriver({ pins: [RELAY, STRIKE] }).opened();
    await driver.message((one) => one.type === 'status' && !one.online);
    expect(driver.warnings[0]?.why).toMatch(
      /GPIO22 \(line 534\) cannot be exported \(EBUSY\): another driver has the pin/,
    );
    expect(tree.traceOf(line(17)).at(-1)).toBe(`direction ${line(17)} 0 low`);
    await tree.setBusy(line(22), false);
    await driver.message((one) => one.type === 'status' && one.online);
    await driver.close();
  });
});
