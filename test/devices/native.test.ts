import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DeviceMessage, OutgoingCommand } from '../../devices/driver.ts';
import { nativeDriver } from '../../devices/native/index.ts';
import { driverByName, drivers } from '../../devices/registry.ts';

const device = { site: 'clinic', id: 'lock-1', config: {} };
const AT = '2026-03-02T08:00:00.250Z';
const AT_MS = Date.UTC(2026, 2, 2, 8, 0, 0, 250);

function decode(below: string, payload: unknown, retain = false): readonly DeviceMessage[] {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return nativeDriver.decode(
    { topic: `doorward/1/clinic/lock-1/${below}`, payload: Buffer.from(text), retain },
    device,
  );
}
function why(below: string, payload: unknown): string {
  const [message] = decode(below, payload);
  return message?.type === 'malformed' ? message.why : `not malformed: ${JSON.stringify(message)}`;
}

describe('CONTRACT’s own examples', () => {
  test('description and status', () => {
    const desc = { v: 1, model: 'DW-Lock', firmware: '1.4', capabilities: ['lock', 'door', 'relay', 'relay-2'] };
    expect(decode('desc', desc)).toEqual([
      { type: 'description', model: 'DW-Lock', firmware: '1.4', capabilities: ['lock', 'door', 'relay', 'relay-2'] },
    ]);
    expect(decode('status', { status: 'online', boot: 'b91', at: AT })).toEqual([
      { type: 'status', online: true, boot: 'b91', atMs: AT_MS },
    ]);
    expect(decode('status', { status: 'online', at: 12 })).toEqual([{ type: 'status', online: true }]);
    expect(decode('status', { status: 'lost', boot: 'b91' })).toEqual([{ type: 'status', online: false, boot: 'b91' }]);
  });

  test('state, event and acknowledgement', () => {
    const state = { boot: 'b91', seq: 412, at: AT, value: 'locked', cause: 'command', command: '01J' };
    expect(decode('state/lock', state, true)).toEqual([
      {
        type: 'state',
        capability: 'lock',
        value: 'locked',
        boot: 'b91',
        seq: 412,
        atMs: AT_MS,
        retained: true,
        command: '01J',
      },
    ]);
    const event = {
      boot: 'b91',
      seq: 413,
      id: 'e1',
      at: AT,
      type: 'credential',
      format: 'uid',
      value: '04A224B2C15E80',
    };
    expect(decode('event/reader', event)).toEqual([
      {
        type: 'event',
        capability: 'reader',
        id: 'e1',
        boot: 'b91',
        seq: 413,
        atMs: AT_MS,
        retained: false,
        event: { type: 'credential', format: 'uid', value: '04A224B2C15E80' },
      },
    ]);
    expect(decode('ack/lock', { id: '01J', result: 'failed', why: 'blocked' })).toEqual([
      { type: 'ack', capability: 'lock', id: '01J', result: 'failed', why: 'blocked' },
    ]);
  });

  test('keypad and request to exit', () => {
    expect(decode('event/reader', { id: 'k', at: AT, type: 'keypad', digits: '1234#' })).toMatchObject([
      { event: { type: 'keypad', digits: '1234#' } },
    ]);
    expect(decode('event/exit', { id: 'x', at: AT, type: 'request_to_exit' })).toMatchObject([
      { event: { type: 'request_to_exit' } },
    ]);
  });

  test('every state value of the table, and null for a measurement without one', () => {
    const good: [string, unknown][] = [
      ...['locked', 'unlocking', 'unlocked', 'locking', 'jammed', 'unknown'].map((value): [string, unknown] => [
        'lock',
        value,
      ]),
      ['door', 'open'],
      ['presence', true],
      ['people', 3],
      ['temperature', 21.25],
      ['temperature', null],
      ['humidity', 40],
      ['co2', 800],
      ['illuminance', 0],
      ['battery', 100],
      ['relay-2', 'on'],
      ['dimmer', 0],
      ['dimmer-12', 80],
    ];
    for (const [capability, value] of good) {
      expect(decode(`state/${capability}`, { value, kind: 'mmwave' }), capability).toMatchObject([
        { type: 'state', capability, value },
      ]);
    }
  });

  test.each(['NaN', 'nan', '-nan', 'Infinity', '-Infinity', 'inf'])(
    '%s of a sensor is a value that is not there',
    (word) => {
      expect(decode('state/temperature', `{"boot":"b1","seq":7,"value": ${word}}`)).toMatchObject([
        { type: 'state', capability: 'temperature', value: null, seq: 7 },
      ]);
      expect(why('state/dimmer', `{"value":${word}}`)).toContain('value');
      expect(why('state/temperature', `{"value":${word}`)).toContain('not JSON');
      expect(why('event/reader', `{"value":"a: ${word},"`)).toContain('not JSON');
    },
  );

  test('times with an offset are the same instant', () => {
    expect(decode('state/door', { at: '2026-03-02T09:00:00.250+01:00', value: 'open' })).toMatchObject([
      { atMs: AT_MS },
    ]);
  });
});

describe('what cannot be read', () => {
  test('says topic, path and what was expected', () => {
    expect(why('state/lock', '{')).toBe('state/lock: the payload is not JSON');
    expect(why('state/temperature', { value: '21' })).toMatch(
      /^state\/temperature: value: .*expected number, received string/,
    );
    expect(why('state/people', { value: 1.5 })).toMatch(/value: .*int/);
    expect(why('status', [1])).toMatch(/^status: the payload: .*expected object/);
    expect(why('event/reader', { id: 'e', at: 'yesterday', type: 'keypad', digits: '1' })).toMatch(
      /at: expected an RFC 3339/,
    );
    expect(why('elsewhere', {})).toBe('elsewhere: there is no such topic');
    expect(why('state/door-bell', { value: 1 })).toMatch(/no capability/);
    expect(why('state/reader', { value: 1 })).toMatch(/no capability/);
    expect(why('event/lock', {})).toMatch(/no capability/);
  });

  test('values that no sensor can have are refused', () => {
    for (const [capability, value] of [
      ['temperature', 121],
      ['temperature', -61],
      ['humidity', 101],
      ['co2', -1],
      ['co2', 20_001],
      ['people', -1],
      ['battery', 101],
      ['dimmer', 100.5],
      ['dimmer', null],
      ['lock', 'open'],
      ['lock', null],
      ['door', 'ajar'],
      ['relay', true],
      ['presence', 'true'],
      ['illuminance', -1],
    ] as const) {
      expect(why(`state/${capability}`, { value }), `${capability} ${value}`).toMatch(/value: /);
    }
    expect(why('state/temperature', '{"value":1e999}')).toMatch(/value: /);
  });

  test('impossible days and times are refused', () => {
    for (const at of [
      '2026-02-30T08:00:00Z',
      '2026-13-01T08:00:00Z',
      '2026-03-02T25:00:00Z',
      '2026-03-02 08:00',
      5,
      '',
    ]) {
      expect(why('state/door', { at, value: 'open' }), String(at)).toMatch(/at: /);
    }
  });

  test('a fault never repeats a credential', () => {
    for (const broken of [
      { id: 'e', at: AT, type: 'credential', format: 'hex', value: '04A224B2C15E80' },
      { id: 'e', at: AT, type: 'credential', format: 'uid', value: 98765432 },
      { id: 'e', at: 'x', type: 'credential', format: 'uid', value: '04A224B2C15E80' },
      { id: 'e', at: AT, type: 'keypad', digits: 'PIN 98765432' },
      { id: 'e', at: AT, type: 'credential', format: 'uid', value: '98765432'.repeat(40) },
    ]) {
      expect(why('event/reader', broken)).toMatch(/^event\/reader: /);
      expect(why('event/reader', broken)).not.toMatch(/04A224|98765432/);
    }
  });

  test('an empty payload, a cleared topic, says nothing', () => {
    expect(decode('state/lock', '', true)).toEqual([]);
  });

  test('capabilities of a later issue are let pass', () => {
    for (const capability of ['window', 'tamper-2', 'fire'])
      expect(decode(`state/${capability}`, { value: true })).toEqual([]);
  });

  test('no bytes whatever make it throw', () => {
    const branch = fc.constantFrom(
      'desc',
      'status',
      'state/lock',
      'state/co2',
      'event/reader',
      'event/exit',
      'ack/lock',
      '',
      'state/',
      'x',
    );
    fc.assert(
      fc.property(branch, fc.oneof(fc.json(), fc.string()), (below, payload) => {
        for (const message of decode(below, payload)) expect(message.type).toBeTypeOf('string');
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(branch, fc.uint8Array({ maxLength: 60 }), (below, payload) => {
        nativeDriver.decode({ topic: `doorward/1/clinic/lock-1/${below}`, payload, retain: false }, device);
      }),
    );
  });
});

describe('commands', () => {
  const command = (capability: string, what: OutgoingCommand['do'], boot?: string): OutgoingCommand => ({
    id: '01J',
    capability,
    do: what,
    issuedAtMs: AT_MS,
    ttlMs: 5_000,
    boot,
  });

  test('an unlock has id, times, boot and hold time', () => {
    const sent = nativeDriver.encode(command('lock', { op: 'unlock', holdMs: 4_000 }, 'b91'), device);
    expect(sent?.topic).toBe('doorward/1/clinic/lock-1/command/lock');
    expect(JSON.parse(sent?.payload ?? '')).toEqual({
      id: '01J',
      op: 'unlock',
      issuedAt: AT,
      expiresAt: '2026-03-02T08:00:05.250Z',
      ttlMs: 5_000,
      boot: 'b91',
      holdMs: 4_000,
    });
  });

  test('each capability takes its own commands only', () => {
    const fits = (capability: string, what: OutgoingCommand['do']): boolean =>
      nativeDriver.encode(command(capability, what), device) !== undefined;
    expect(fits('lock', { op: 'lock' })).toBe(true);
    expect(fits('reader', { op: 'indicate', signal: 'denied' })).toBe(true);
    expect(fits('relay-2', { op: 'set', value: 'on', forMs: 2_000 })).toBe(true);
    expect(fits('dimmer', { op: 'set', value: 80, fadeMs: 500 })).toBe(true);
    expect(fits('door', { op: 'unlock', holdMs: 1 })).toBe(false);
    expect(fits('relay', { op: 'set', value: 50 })).toBe(false);
    expect(fits('dimmer', { op: 'set', value: 'on' })).toBe(false);
    expect(fits('dimmer', { op: 'set', value: 101 })).toBe(false);
    expect(fits('lock', { op: 'indicate', signal: 'wait' })).toBe(false);
  });
});

describe('topics and registry', () => {
  test('a topic names its device', () => {
    expect(nativeDriver.deviceOf?.('doorward/1/clinic/lock-1/state/lock')).toBe('lock-1');
    expect(nativeDriver.deviceOf?.('doorward/1/clinic/_room/consult-1')).toBeUndefined();
    expect(nativeDriver.deviceOf?.('doorward/1/clinic')).toBeUndefined();
    expect(nativeDriver.deviceOf?.('zigbee2mqtt/lock-1/state')).toBeUndefined();
  });

  test('commands are not among what the gateway listens to', () => {
    expect(nativeDriver.siteSubscriptions?.('clinic')).toEqual(
      ['desc', 'status', 'state/#', 'event/#', 'ack/#'].map((branch) => `doorward/1/clinic/+/${branch}`),
    );
  });

  test('drivers are found by name, each once', () => {
    expect(driverByName('native')).toBe(nativeDriver);
    expect(driverByName('nobody')).toBeUndefined();
    expect(new Set(drivers.map((driver) => driver.name)).size).toBe(drivers.length);
  });
});
