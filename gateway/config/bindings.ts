/**
 * Bindings: `device` or `device/capability` in a room's or a door's slot. Which capability a slot wants, how a binding
 * without one is completed, and the checks that each points at something that exists, fits and is used once.
 */
import type { Point } from '../core/site.ts';
import type { DriverSpec } from './drivers.ts';
import type { ConfigPath, Finding } from './faults.ts';
import { BINDING_PATTERN } from './fields.ts';
import { type Fields, fields, list, words } from './lenient.ts';
import { nearest, oneOf } from './nearest.ts';

/** Capabilities that fit a slot, the one that a bare device stands for first. */
export const ROOM_SLOTS = {
  presence: ['presence'],
  people: ['people'],
  temperature: ['temperature'],
  humidity: ['humidity'],
  co2: ['co2'],
  illuminance: ['illuminance'],
  heating: ['relay'],
  cooling: ['relay'],
  lights: ['dimmer', 'relay'],
} as const satisfies Record<string, readonly [string, ...string[]]>;
export const DOOR_SLOTS = {
  lock: ['lock'],
  contact: ['door'],
  reader: ['reader'],
  exit: ['exit'],
} as const satisfies Record<string, readonly [string, ...string[]]>;
export type RoomSlot = keyof typeof ROOM_SLOTS;
export type DoorSlot = keyof typeof DOOR_SLOTS;

/** Slots whose capability may stand in one place only, and why. */
const SINGLE: Readonly<Record<string, string>> = {
  heating: 'Two controllers would switch it against each other.',
  cooling: 'Two controllers would switch it against each other.',
  lights: 'Two rooms would switch it against each other.',
  lock: 'One grant would open two doors.',
  contact: 'One door’s opening would be taken for the other’s.',
  reader: 'A badge would ask for two doors at once.',
};

/** `relay-2` → `relay`. */
export function kindOf(capability: string): string {
  return capability.replace(/-[1-9][0-9]?$/, '');
}

/** The whole point of a binding: a bare device stands for the slot's first capability. */
export function canonical(binding: string, capabilities: readonly [string, ...string[]]): Point {
  return binding.includes('/') ? binding : `${binding}/${capabilities[0]}`;
}

/** A device as far as it could be read; `config` is absent when its own keys are faulty. */
export interface KnownDevice {
  readonly id: string;
  readonly driver: DriverSpec | undefined;
  readonly config: unknown;
}

interface Use {
  readonly slot: string;
  readonly binding: string;
  readonly path: ConfigPath;
  readonly fits: readonly [string, ...string[]];
}

export function checkBindings(data: Fields, devices: ReadonlyMap<string, KnownDevice>): Finding[] {
  const uses = [...usesOf(data)];
  return [...uses.flatMap((use) => checkUse(use, devices)), ...checkSingle(uses)];
}

function* usesOf(data: Fields): Generator<Use> {
  for (const [index, room] of list(data.rooms).entries()) {
    yield* slotUses(fields(fields(room).devices), ['rooms', index, 'devices'], ROOM_SLOTS);
  }
  for (const [index, door] of list(data.doors).entries()) {
    yield* slotUses(fields(door), ['doors', index], DOOR_SLOTS);
  }
}

function* slotUses(
  owner: Fields,
  path: ConfigPath,
  slots: Readonly<Record<string, readonly [string, ...string[]]>>,
): Generator<Use> {
  for (const [slot, fits] of Object.entries(slots)) {
    const value = owner[slot];
    const entries: readonly [unknown, ConfigPath][] = Array.isArray(value)
      ? value.map((item: unknown, index) => [item, [...path, slot, index]])
      : [[value, [...path, slot]]];
    for (const [item, at] of entries) {
      const binding = words(item);
      if (binding !== undefined && BINDING_PATTERN.test(binding)) yield { slot, binding, path: at, fits };
    }
  }
}

function checkUse(use: Use, devices: ReadonlyMap<string, KnownDevice>): Finding[] {
  const [deviceId = '', capability] = use.binding.split('/');
  const device = devices.get(deviceId);
  if (device === undefined) {
    const known = [...devices.keys()];
    const meant = nearest(deviceId, known);
    const hint = meant === undefined ? '' : `Did you mean “${meant}”? `;
    const why = `There is no device “${deviceId}”.`;
    return [
      { path: use.path, why, remedy: `${hint}Add it under devices, or use ${oneOf(known) || 'a device of the list'}.` },
    ];
  }
  if (capability !== undefined && !use.fits.includes(kindOf(capability))) {
    return [
      {
        path: use.path,
        why: `“${capability}” does not fit ${use.slot}, which takes ${oneOf(use.fits)}.`,
        remedy: `Write ${deviceId}/${use.fits[0]}, or ${deviceId}/${use.fits[0]}-2 for a second one of the device.`,
      },
    ];
  }
  return checkKnown(use, device);
}

/** Drivers that own their port know what their devices can do; others tell it over the wire, later. */
function checkKnown(use: Use, device: KnownDevice): Finding[] {
  if (device.driver?.capabilities === undefined || device.config === undefined) return [];
  const known = device.driver.capabilities(device.config);
  const point = canonical(use.binding, use.fits);
  const capability = point.slice(point.indexOf('/') + 1);
  if (known.includes(capability)) return [];
  const fitting = known.filter((other) => use.fits.includes(kindOf(other)));
  return [
    {
      path: use.path,
      why: `The device “${device.id}” has no “${capability}”; it has ${known.length > 0 ? known.join(', ') : 'nothing'}.`,
      remedy:
        fitting.length > 0
          ? `Use ${oneOf(fitting.map((other) => `${device.id}/${other}`))}.`
          : `Use another device, or give “${device.id}” a ${use.fits[0]}.`,
    },
  ];
}

function checkSingle(uses: readonly Use[]): Finding[] {
  const findings: Finding[] = [];
  const first = new Map<string, Use>();
  for (const use of uses) {
    const reason = SINGLE[use.slot];
    if (reason === undefined) continue;
    const point = canonical(use.binding, use.fits);
    const earlier = first.get(point);
    if (earlier === undefined) {
      first.set(point, use);
      continue;
    }
    findings.push({
      path: use.path,
      why: `${point} is already the ${earlier.slot} of ${placeText(earlier.path)}. ${reason}`,
      remedy: 'Bind each of them to a capability of its own, e.g. relay and relay-2 of one device.',
    });
  }
  return findings;
}

/** `rooms[2]` of `rooms[2].devices.heating`. */
function placeText(path: ConfigPath): string {
  return `${path[0]}[${path[1]}]`;
}
