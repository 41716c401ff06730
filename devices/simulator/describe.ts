/** Which virtual devices a site needs: it follows from what its rooms and doors are bound to. */
import type { Door, Room, Site } from '../../gateway/core/site.ts';

export interface SimulatedDevice {
  readonly id: string;
  readonly password?: string | undefined;
  /** Where it connects, if not where the others do. */
  readonly url?: string | undefined;
  readonly capabilities: readonly string[];
  readonly model?: string | undefined;
  readonly hasClock?: boolean | undefined;
  readonly reactionMs?: number | undefined;
}

export interface SimulatedRoom extends Pick<Room, 'id' | 'points'> {
  readonly areaM2: number;
}

export type SimulatedDoor = Pick<Door, 'id' | 'room' | 'common' | 'lock' | 'contact' | 'reader' | 'exit'>;

export interface Description {
  /** Site id, as in the topics. */
  readonly site: string;
  /** Broker of all devices that name none themselves. */
  readonly url: string;
  readonly devices: readonly SimulatedDevice[];
  readonly rooms: readonly SimulatedRoom[];
  readonly doors: readonly SimulatedDoor[];
}

/** A device of a configuration, as far as the simulator cares. */
export interface DeviceEntry {
  readonly id: string;
  /** Only `native` devices are simulated; absent means native. */
  readonly driver?: string | undefined;
  readonly password?: string | undefined;
  /** The driver's own keys as the loaded configuration holds them; its `password` counts where none stands above. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
}

/** For rooms that are not drawn on a plan. */
const USUAL_AREA_M2 = 12;

/** `device/capability`; a bare `device` means the capability that the binding is usually made to. */
export function fullPoint(point: string, usual: string): string {
  return point.includes('/') ? point : `${point}/${usual}`;
}

/** Every point of a room and the capability that a bare device stands for there. */
export function roomPoints(points: Room['points']): readonly string[] {
  const single = [
    [points.people, 'people'],
    [points.temperature, 'temperature'],
    [points.humidity, 'humidity'],
    [points.co2, 'co2'],
    [points.illuminance, 'illuminance'],
    [points.heating, 'relay'],
    [points.cooling, 'relay-2'],
  ] as const;
  return [
    ...points.presence.map((point) => fullPoint(point, 'presence')),
    ...points.lights.map((point) => fullPoint(point, 'dimmer')),
    ...single.flatMap(([point, usual]) => (point === undefined ? [] : [fullPoint(point, usual)])),
  ];
}

export function doorPoints(door: SimulatedDoor): readonly string[] {
  const points = [
    [door.lock, 'lock'],
    [door.contact, 'door'],
    [door.reader, 'reader'],
    [door.exit, 'exit'],
  ] as const;
  return points.flatMap(([point, usual]) => (point === undefined ? [] : [fullPoint(point, usual)]));
}

/** The native devices among `devices`, each with the capabilities that the site uses of it. */
export function simulatedDevices(site: Site, devices: readonly DeviceEntry[]): readonly SimulatedDevice[] {
  const used = new Map<string, Set<string>>();
  const points = [
    ...site.rooms.flatMap((room) => roomPoints(room.points)),
    ...site.doors.flatMap((door) => doorPoints(door)),
  ];
  for (const point of points) {
    const slash = point.indexOf('/');
    const id = point.slice(0, slash);
    const capabilities = used.get(id) ?? new Set<string>();
    capabilities.add(point.slice(slash + 1));
    used.set(id, capabilities);
  }
  return devices
    .filter((device) => (device.driver ?? 'native') === 'native')
    .map((device) => ({
      id: device.id,
      password: passwordOf(device),
      capabilities: [...(used.get(device.id) ?? [])].sort(),
    }));
}

function passwordOf({ password, config }: DeviceEntry): string | undefined {
  if (password !== undefined) return password;
  return typeof config?.password === 'string' ? config.password : undefined;
}

/** All that `startSimulator` has to know of a site. */
export function describeSite(site: Site, devices: readonly DeviceEntry[], url: string): Description {
  return {
    site: site.id,
    url,
    devices: simulatedDevices(site, devices),
    rooms: site.rooms.map(({ id, points, plan }) => ({
      id,
      points,
      areaM2: plan ? plan.width * plan.depth : USUAL_AREA_M2,
    })),
    doors: site.doors,
  };
}
