import { describe, expect, test } from 'vitest';
import { blueprintDriver } from '../../devices/blueprint/index.ts';
import type { OutgoingCommand } from '../../devices/driver.ts';
import { drivers } from '../../devices/registry.ts';

const device = { site: 'clinic', id: 'gate', config: { serial: 'GX2041' } };
const decode = (branch: string, word: string, retain = false) =>
  blueprintDriver.decode({ topic: `gate/GX2041/${branch}`, payload: Buffer.from(word), retain }, device);

describe('the driver to copy', () => {
  test('is not registered', () => {
    expect(drivers).not.toContain(blueprintDriver);
  });

  test('tells status, door, bolt and card in Doorward’s words', () => {
    expect(decode('alive', 'online')).toEqual([{ type: 'status', online: true }]);
    expect(decode('door', 'open', true)).toEqual([
      { type: 'state', capability: 'door', value: 'open', retained: true },
    ]);
    expect(decode('bolt', 'stuck')).toEqual([{ type: 'state', capability: 'lock', value: 'jammed', retained: false }]);
    expect(decode('card', '04A224B2C15E80')).toEqual([
      {
        type: 'event',
        capability: 'reader',
        event: { type: 'credential', format: 'uid', value: '04A224B2C15E80' },
        retained: false,
      },
    ]);
  });

  test('names what it expected and never what came', () => {
    expect(decode('card', 'ghost 98765')).toEqual([
      { type: 'malformed', why: 'card: expected 8 to 20 hexadecimal digits' },
    ]);
    for (const branch of ['alive', 'door', 'bolt', 'other']) {
      expect(decode(branch, '98765')).toMatchObject([{ type: 'malformed', why: expect.not.stringContaining('98765') }]);
    }
  });

  test('orders the controller in its own words, with a time after which it relocks', () => {
    const encode = (capability: string, what: OutgoingCommand['do']) =>
      blueprintDriver.encode({ id: 'c1', capability, do: what, issuedAtMs: 0, ttlMs: 5_000 }, device);
    expect(encode('lock', { op: 'unlock', holdMs: 5_000 })).toEqual({
      topic: 'gate/GX2041/order',
      payload: 'RELEASE 5000',
    });
    expect(encode('lock', { op: 'unlock', holdMs: 600_000 })?.payload).toBe('RELEASE 60000');
    expect(encode('lock', { op: 'lock' })?.payload).toBe('SHUT');
    expect(encode('reader', { op: 'indicate', signal: 'denied' })).toBeUndefined();
    expect(encode('lock', { op: 'set', value: 'on' })).toBeUndefined();
  });

  test('refuses a configuration with a wrong or unknown key, and says what it wants', () => {
    expect(blueprintDriver.schema.safeParse({ serial: 'GX2041' }).success).toBe(true);
    expect(blueprintDriver.schema.safeParse({ serial: 'GX2041', password: 'x' }).success).toBe(false);
    expect(blueprintDriver.schema.safeParse({ serial: 'no' }).error?.issues[0]?.message).toMatch(/type plate/);
  });

  test('hears its own device only, and not its own orders', () => {
    expect(blueprintDriver.subscriptions(device)).toEqual(
      ['alive', 'door', 'bolt', 'card'].map((branch) => `gate/GX2041/${branch}`),
    );
  });
});
