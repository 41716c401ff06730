import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Badge,
  describeSite,
  type Simulator,
  type SimulatorOptions,
  simulatedDevices,
  startSimulator,
  type Visit,
  type VisitStep,
} from '../../devices/simulator/index.ts';
import { eventually, HandClock, type Heard, smallSite, startBroker, type TestBroker } from './simulatorSupport.ts';

const MINUTE_MS = 60_000;
const site = smallSite();
const devices = site.devices.map((id) => ({ id, driver: 'native', password: 'secret' }));

let broker: TestBroker;
let clock: HandClock;
let simulator: Simulator | undefined;
let steps: VisitStep[];

beforeEach(async () => {
  broker = await startBroker();
  clock = new HandClock();
  steps = [];
});
afterEach(async () => {
  await simulator?.stop();
  simulator = undefined;
  expect(clock.armed, 'timers left behind').toBe(0);
  await broker.close();
});

async function start(extra: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const description = describeSite(site, devices, broker.url);
  const onStep = (step: VisitStep) => steps.push(step);
  simulator = startSimulator({ ...description, clock, seed: 3, onStep, ...extra });
  await simulator.ready;
  await eventually(() => expect(simulator?.stats().online).toBe(extra.devices?.length ?? devices.length));
  return simulator;
}

/** Lets simulated time pass, giving the sockets their turns in between, until `done` or `limitMs` are over. */
async function pass(limitMs: number, done: () => boolean = () => false): Promise<void> {
  const STEP_MS = 100;
  const TURNS = 8;
  for (let passedMs = 0; passedMs < limitMs && !done(); passedMs += STEP_MS) {
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(STEP_MS);
  }
}

let commands = 0;
function command(fields: Record<string, unknown>): Record<string, unknown> {
  const expiresAt = new Date(clock.wallMs() + 5000).toISOString();
  return { id: `g${++commands}`, issuedAt: new Date(clock.wallMs()).toISOString(), expiresAt, ttlMs: 5000, ...fields };
}

/** As little of a gateway as opens doors: who may enter where, by badge value. */
function admit(may: (value: string, door: string) => boolean): void {
  broker.listen(({ topic, body }) => {
    const reader = /\/reader-([a-z0-9-]+)\/event\/reader$/.exec(topic)?.[1];
    if (reader === undefined) return;
    const granted = may(String(body.value), reader);
    const signal = { op: 'indicate', signal: granted ? 'granted' : 'denied' };
    void broker.publish(`doorward/1/small/reader-${reader}/command/reader`, command(signal));
    if (!granted) return;
    void broker.publish(`doorward/1/small/lock-${reader}/command/lock`, command({ op: 'unlock', holdMs: 5000 }));
  });
}

const uid = (value: string): Badge => ({ format: 'uid', value });
const visit = (person: string, fields: Partial<Visit> = {}): Visit => ({
  person,
  badge: uid(person),
  room: 'consult-1',
  atMs: clock.wallMs() + 5000,
  leaveMs: clock.wallMs() + 5 * MINUTE_MS,
  behaviour: 'normal',
  ...fields,
});
const reads = (): string[] =>
  broker
    .on('/event/reader')
    .map(({ topic, body }) => `${body.value}@${topic.split('/')[3]?.replace('reader-', '') ?? ''}`);
const gone = (person: string): boolean =>
  steps.some(({ visit: { person: who }, step }) => who === person && step === 'gone');
const last = (heard: Heard[]): unknown => heard.at(-1)?.body.value;

describe('people', () => {
  it('badge at the entrance, then at their room, sit there, and go out by the exit buttons', async () => {
    const clinic = await start({ plan: [visit('ada', { companions: 1 })] });
    admit(() => true);
    await pass(MINUTE_MS, () => clinic.rooms.get('consult-1')?.people === 2);
    expect(clinic.rooms.get('consult-1')?.people).toBe(2);
    expect(reads()).toEqual(['ada@entrance', 'ada@consult-1']);
    await broker.hears('unit-consult-1/state/presence', (body) => body.value === true && body.kind === 'pir');
    await pass(10 * MINUTE_MS, () => gone('ada'));
    expect(clinic.rooms.get('consult-1')?.people).toBe(0);
    await broker.hears('lock-entrance/event/exit');
    expect(broker.on('/event/exit').map(({ topic }) => topic.split('/')[3])).toEqual([
      'lock-consult-1',
      'lock-entrance',
    ]);
    const door = broker.on('lock-consult-1/state/door').map(({ body }) => body.value);
    expect(door).toEqual(['closed', 'open', 'closed', 'open', 'closed']);
    expect(steps.map(({ step }) => step)).toEqual([
      'arrived',
      'answer',
      'entered',
      'answer',
      'entered',
      'left_room',
      'gone',
    ]);
    expect(clinic.stats().people).toMatchObject({ arrived: 1, admitted: 2, refused: 0, inside: 0 });
  });

  it('who is refused goes away; the door stays shut', async () => {
    const clinic = await start({ plan: [visit('mallory')] });
    admit(() => false);
    await pass(2 * MINUTE_MS, () => gone('mallory'));
    expect(reads()).toEqual(['mallory@entrance']);
    expect(clinic.stats().people).toMatchObject({ admitted: 0, refused: 1, inside: 0 });
    expect(broker.on('lock-entrance/state/door')).toHaveLength(1);
  });

  it('who comes to the wrong door is refused there and finds the right one', async () => {
    const plan = [visit('ben', { room: 'therapy-1', behaviour: 'wrong_door', wrongRoom: 'consult-2' })];
    const clinic = await start({ plan });
    admit((_value, door) => door !== 'consult-2');
    await pass(2 * MINUTE_MS, () => clinic.rooms.get('therapy-1')?.people === 1);
    expect(reads()).toEqual(['ben@entrance', 'ben@consult-2', 'ben@therapy-1']);
    expect(clinic.rooms.get('consult-2')?.people).toBe(0);
    expect(clinic.stats().people.refused).toBe(1);
  });

  it('who is too early comes again when told, and is let in then', async () => {
    const returnMs = clock.wallMs() + 3 * MINUTE_MS;
    const clinic = await start({ plan: [visit('cleo', { behaviour: 'early', returnMs })] });
    admit(() => clock.wallMs() >= returnMs);
    await pass(5 * MINUTE_MS, () => clinic.rooms.get('consult-1')?.people === 1);
    expect(reads()).toEqual(['cleo@entrance', 'cleo@entrance', 'cleo@consult-1']);
  });

  it('who forgets to come is not seen, and who overstays is there after the end', async () => {
    const leaveMs = clock.wallMs() + 2 * MINUTE_MS;
    const plan = [
      visit('nobody', { behaviour: 'no_show' }),
      visit('late', { room: 'consult-2', behaviour: 'overstay', leaveMs }),
    ];
    const clinic = await start({ plan });
    admit(() => true);
    await pass(4 * MINUTE_MS);
    expect(reads()).toEqual(['late@entrance', 'late@consult-2']);
    expect(clinic.rooms.get('consult-2')?.people).toBe(1);
    expect(clinic.stats().people.stayedAway).toBe(1);
  });

  it('queue at a door: each badges when the one before is through', async () => {
    const clinic = await start({ plan: [visit('one'), visit('two', { room: 'consult-2' }), visit('three')] });
    admit((value, door) => !(value === 'two' && door === 'entrance'));
    await pass(2 * MINUTE_MS, () => clinic.rooms.get('consult-1')?.people === 2);
    expect(reads().filter((read) => read.endsWith('@entrance'))).toEqual([
      'one@entrance',
      'two@entrance',
      'three@entrance',
    ]);
    await pass(MINUTE_MS, () => clinic.stats().people.admitted === 4);
    expect(clinic.stats().people).toMatchObject({ admitted: 4, refused: 1 });
  });

  it('try a door that says nothing once more, then give up', async () => {
    const clinic = await start({ plan: [visit('patience')] });
    await pass(2 * MINUTE_MS, () => gone('patience'));
    expect(reads()).toEqual(['patience@entrance', 'patience@entrance']);
    expect(clinic.stats().people.unanswered).toBe(2);
  });

  it('are not let in by a lock that jams', async () => {
    const clinic = await start({ plan: [visit('stuck')] });
    clinic.setFault('lock-entrance', { kind: 'jam' });
    admit(() => true);
    await pass(2 * MINUTE_MS, () => gone('stuck'));
    expect(clinic.stats().people).toMatchObject({ admitted: 0, unanswered: 2 });
    await broker.hears('lock-entrance/state/lock', (body) => body.value === 'jammed');
  });

  it('who came before the simulator sits there already, without a badge', async () => {
    const nowMs = clock.wallMs();
    const plan = [visit('settled', { atMs: nowMs - 20 * MINUTE_MS }), visit('past', { atMs: 0, leaveMs: nowMs })];
    const clinic = await start({ plan });
    expect(clinic.rooms.get('consult-1')?.people).toBe(1);
    await pass(7 * MINUTE_MS, () => gone('settled'));
    expect(reads()).toEqual([]);
    expect(clinic.stats().people.inside).toBe(0);
  });

  it('keep coming: later visits are asked for as time goes on', async () => {
    const asked: [number, number][] = [];
    const more = (fromMs: number, toMs: number): readonly Visit[] => {
      asked.push([fromMs, toMs]);
      return [visit('later', { atMs: fromMs + MINUTE_MS, leaveMs: fromMs + 3 * MINUTE_MS })];
    };
    const nowMs = clock.wallMs();
    const clinic = await start({ plan: { visits: [], untilMs: nowMs + MINUTE_MS, more } });
    admit(() => true);
    expect(asked).toEqual([[nowMs + MINUTE_MS, nowMs + MINUTE_MS + 24 * 60 * MINUTE_MS]]);
    await pass(4 * MINUTE_MS, () => clinic.rooms.get('consult-1')?.people === 1);
    expect(reads()).toEqual(['later@entrance', 'later@consult-1']);
    clock.advance(22 * 60 * MINUTE_MS);
    expect(asked.length).toBe(2);
    expect(asked[1]?.[0]).toBe(asked[0]?.[1]);
  });

  it('can be added, and sent to a reader by hand', async () => {
    const clinic = await start();
    admit(() => true);
    expect(clinic.addVisit(visit('guest', { atMs: clock.wallMs(), inside: true }))).toBe(true);
    expect(clinic.badge('reader-store/reader', uid('tester'))).toBe(true);
    expect(clinic.badge('reader-nowhere/reader', uid('tester'))).toBe(false);
    await pass(MINUTE_MS, () => clinic.rooms.get('consult-1')?.people === 1);
    expect(reads().sort()).toEqual(['guest@consult-1', 'tester@store']);
  });
});

describe('rooms', () => {
  it('grow warm when their heating is switched on, and say so', async () => {
    const clinic = await start({ weather: { meanC: -5, yearSwingK: 0, daySwingK: 0, humidity: 80 } });
    const before = clinic.rooms.get('consult-1')?.temperature ?? 0;
    await broker.publish('doorward/1/small/unit-consult-1/command/relay', command({ op: 'set', value: 'on' }));
    await broker.hears('unit-consult-1/state/relay', (body) => body.value === 'on');
    clock.advance(16 * MINUTE_MS);
    const after = clinic.rooms.get('consult-1')?.temperature ?? 0;
    expect(after - before).toBeGreaterThan(4);
    await eventually(() =>
      expect(Math.abs(Number(last(broker.on('unit-consult-1/state/temperature'))) - after)).toBeLessThan(0.3),
    );
  });

  it('run as fast as they are told, while the devices keep the time of the clock', async () => {
    const leaveMs = clock.wallMs() + 60 * MINUTE_MS;
    const clinic = await start({ plan: [visit('busy', { leaveMs, companions: 2 })], speed: 60 });
    admit(() => true);
    await pass(30_000, () => clinic.rooms.get('consult-1')?.people === 3);
    await pass(30_000);
    expect(clinic.rooms.get('consult-1')?.air.co2Ppm).toBeGreaterThan(700);
    const at = Date.parse(String(broker.on('unit-consult-1/state/co2').at(-1)?.body.at));
    expect(at).toBeLessThanOrEqual(clock.wallMs());
    await pass(60_000, () => gone('busy'));
    expect(gone('busy')).toBe(true);
  });

  it('a PIR drops out while people sit still, and falls off when they are gone', async () => {
    const clinic = await start();
    const room = clinic.rooms.get('consult-1');
    room?.enter(1);
    clock.advance(60 * MINUTE_MS);
    await pass(1000);
    const seen = broker.on('unit-consult-1/state/presence').map(({ body }) => body.value);
    expect(seen.filter((value) => value === false).length).toBeGreaterThan(2);
    room?.leave(1);
    clock.advance(MINUTE_MS);
    await eventually(() => expect(last(broker.on('unit-consult-1/state/presence'))).toBe(false));
  });

  it('repeat what does not change at least every minute or so', async () => {
    await start();
    const before = broker.on('unit-store/state/presence').length;
    clock.advance(10 * MINUTE_MS);
    await eventually(() => expect(broker.on('unit-store/state/presence').length - before).toBeGreaterThanOrEqual(9));
  });
});

describe('doors', () => {
  it('can be forced', async () => {
    const clinic = await start();
    const forced = clinic.forceOpen('door-store');
    await pass(5000);
    await forced;
    expect(broker.on('lock-store/state/door').map(({ body }) => body.value)).toEqual(['closed', 'open', 'closed']);
    expect(broker.on('/event/exit')).toEqual([]);
  });

  it('a device that does not exist takes no fault', async () => {
    const clinic = await start();
    expect(clinic.setFault('nowhere', { kind: 'silence' })).toBe(false);
    expect(() => clinic.goOut('nowhere')).toThrow('there is no door nowhere');
  });
});

describe('the device set', () => {
  it('follows from what rooms and doors are bound to', () => {
    const byId = new Map(simulatedDevices(site, devices).map((device) => [device.id, device.capabilities]));
    expect(byId.get('lock-consult-1')).toEqual(['door', 'exit', 'lock']);
    expect(byId.get('reader-entrance')).toEqual(['reader']);
    expect(byId.get('unit-store')).toEqual(['co2', 'dimmer', 'presence', 'relay', 'relay-2', 'temperature']);
  });

  it('leaves out devices of other drivers and takes bare bindings', () => {
    const [door] = site.doors;
    if (!door) throw new Error('no door');
    const bare = {
      ...site,
      rooms: [],
      doors: [{ ...door, lock: 'lock-a', contact: 'lock-a', exit: undefined, reader: 'wire' }],
    };
    const entries = [
      { id: 'lock-a' },
      { id: 'wire', driver: 'serial' },
      { id: 'spare', driver: 'native', config: { password: 'own' } },
    ];
    expect(simulatedDevices(bare, entries)).toEqual([
      { id: 'lock-a', password: undefined, capabilities: ['door', 'lock'] },
      { id: 'spare', password: 'own', capabilities: [] },
    ]);
  });

  it('a thousand devices are on line within seconds in light mode', async () => {
    const many = Array.from({ length: 1000 }, (_, index) => ({
      id: `d-${index}`,
      capabilities: ['temperature', 'relay'],
    }));
    const clinic = await start({ devices: many, rooms: [], doors: [], light: true });
    expect(clinic.stats()).toMatchObject({ devices: 1000, online: 1000 });
    await eventually(() => expect(broker.on('/state/relay')).toHaveLength(1000));
  }, 60_000);
});

it('stops cleanly in the middle of everything, and while it is connecting', async () => {
  const clinic = await start({ plan: [visit('ada'), visit('ben', { room: 'consult-2' })] });
  admit(() => true);
  await pass(8000);
  await clinic.stop();
  expect(clinic.stats().online).toBe(0);
  expect(broker.on('/status').filter(({ body }) => body.status === 'lost')).toHaveLength(devices.length);
  const other = startSimulator({ ...describeSite(site, devices, broker.url), clock });
  await other.stop();
  await other.ready;
});

it('a broker that is not there is no end: ready comes, and nothing is on line', async () => {
  const description = describeSite(site, devices, 'mqtt://127.0.0.1:1');
  simulator = startSimulator({ ...description, clock });
  await simulator.ready;
  expect(simulator.stats().online).toBe(0);
  expect(simulator.badge('reader-store/reader', uid('x'))).toBe(false);
});
