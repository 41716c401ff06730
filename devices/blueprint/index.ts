/**
 * The driver to copy. It speaks to an imaginary door controller over MQTT, simple enough to be read in one go:
 *
 *     gate/<serial>/alive      online | offline          retained, also its last will
 *     gate/<serial>/door       open | closed             retained
 *     gate/<serial>/bolt       in | out | stuck          retained
 *     gate/<serial>/card       04A224B2C15E80            each read once
 *     gate/<serial>/order      RELEASE <ms> | SHUT       to the device
 *
 * To make a driver of your own:
 * 1. Copy this folder, name it after the family of devices, and rename what says blueprint.
 * 2. Put the device's own settings into `schema`, each with a `.describe`: `doorward check`, the generated documentation
 *    and the editor's help come from it.
 * 3. Turn its messages into `DeviceMessage`s in `decode` and commands into its own words in `encode`. Both are pure: no
 *    clock, no state, no log. Say what the device said and decide nothing; ordering, freshness, repeats, who is online
 *    and what became of a command are the device host's work.
 * 4. Add a line to `devices/registry.ts`, and a test with bytes from the maker's manual or from a real device.
 *
 * A device that is not on MQTT is a `PortDriver` instead; `devices/serial` is one to copy.
 */
import { z } from 'zod';
import type { DoorValue, LockValue } from '../../gateway/core/facts.ts';
import type { ConfiguredDevice, DeviceMessage, MqttDriver, MqttMessage, OutgoingCommand } from '../driver.ts';

/** A strict object: a mistyped key in the configuration is refused and named. */
const schema = z.strictObject({
  serial: z
    .string()
    .regex(/^[A-Z0-9]{4,12}$/, 'must be the number on the type plate, e.g. GX2041')
    .describe('Serial number on the type plate; the controller uses it in its topics.'),
});
export type BlueprintConfig = z.infer<typeof schema>;
type Device = ConfiguredDevice<BlueprintConfig>;

/** The device's words and ours. A word that is not here is a fault, never a guess. */
const DOOR: Readonly<Record<string, DoorValue>> = { open: 'open', closed: 'closed' };
const BOLT: Readonly<Record<string, LockValue>> = { out: 'locked', in: 'unlocked', stuck: 'jammed' };

/** Longest time that the controller's timer can hold the bolt in, from its manual. */
const RELEASE_MAX_MS = 60_000;

export const blueprintDriver: MqttDriver<BlueprintConfig> = {
  name: 'blueprint',
  title: 'An imaginary door controller: the driver to copy.',
  transport: 'mqtt',
  schema,
  // Exactly what is read, never `gate/#`: the gateway must not hear its own orders, nor other sites' devices.
  subscriptions: ({ config }) => ['alive', 'door', 'bolt', 'card'].map((branch) => `gate/${config.serial}/${branch}`),
  decode,
  encode,
};

/** One message may tell several things, or nothing. It never throws: what cannot be read is `malformed`. */
function decode(message: MqttMessage, { config }: Device): readonly DeviceMessage[] {
  const branch = message.topic.slice(`gate/${config.serial}/`.length);
  const word = Buffer.from(message.payload).toString('utf8').trim();
  const retained = message.retain;
  switch (branch) {
    case 'alive':
      // No `boot`: this device does not tell its restarts. What a device cannot say is left out, never made up.
      return word === 'online' || word === 'offline'
        ? [{ type: 'status', online: word === 'online' }]
        : malformed(branch, 'online or offline');
    case 'door': {
      const value = DOOR[word];
      return value === undefined
        ? malformed(branch, 'open or closed')
        : [{ type: 'state', capability: 'door', value, retained }];
    }
    case 'bolt': {
      const value = BOLT[word];
      return value === undefined
        ? malformed(branch, 'in, out or stuck')
        : [{ type: 'state', capability: 'lock', value, retained }];
    }
    case 'card':
      // No id and no time: the host then goes by its own receipt. `retained` must be true to the broker's flag, since a
      // retained read is old and never opens a door.
      return /^[0-9A-F]{8,20}$/.test(word)
        ? [{ type: 'event', capability: 'reader', event: { type: 'credential', format: 'uid', value: word }, retained }]
        : malformed(branch, '8 to 20 hexadecimal digits');
    default:
      return malformed(branch, 'alive, door, bolt or card as the topic');
  }
}

/** Says what was expected and never what came: it may have been a card's number. */
function malformed(branch: string, expected: string): readonly DeviceMessage[] {
  return [{ type: 'malformed', why: `${branch}: expected ${expected}` }];
}

/**
 * `undefined` means that the device has no such command; the host then fails it with that reason. This controller tells
 * no command's id back, so an unlock ends as `unknown` unless it reports: prefer devices that do. It relocks by itself
 * after the time in the order; a device that cannot must not be a lock.
 */
function encode(command: OutgoingCommand, { config }: Device) {
  const topic = `gate/${config.serial}/order`;
  if (command.capability !== 'lock') return undefined;
  switch (command.do.op) {
    case 'unlock':
      return { topic, payload: `RELEASE ${Math.min(command.do.holdMs, RELEASE_MAX_MS)}` };
    case 'lock':
      return { topic, payload: 'SHUT' };
    default:
      return undefined;
  }
}
