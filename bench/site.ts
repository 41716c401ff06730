/** A clinic made for measuring: its configuration, and a data folder that holds its members, cards and bookings. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { credentialHasher } from '../gateway/compose/brain.ts';
import { openStore } from '../gateway/store/index.ts';

export const SITE = 'bench';
export const PASSWORD = 'bench-password';
/** As many people share a room's booking, so that one door can be badged often without one card being a repeat. */
export const CARDS_PER_DOOR = 4;
const HOUR_MS = 3_600_000;

export interface BenchSite {
  readonly rooms: number;
  /** Devices that only measure, ten rooms' temperature first. */
  readonly sensors: number;
  /** Free-standing devices of each room beside its door unit: climate, presence, relays, light. */
  readonly roomDevices?: boolean | undefined;
  /** Port of the embedded broker, or URL of the external one. */
  readonly broker: { readonly port: number } | { readonly url: string };
  readonly floorUsers?: boolean | undefined;
}

export const doorDevice = (i: number): string => `door-unit-${i}`;
export const sensorDevice = (i: number): string => `sensor-${i}`;
/** The four devices of a room beside its door, with what they measure or switch. */
export const ROOM_DEVICES = {
  climate: ['temperature', 'humidity', 'co2'],
  presence: ['presence'],
  relays: ['relay', 'relay-2'],
  light: ['dimmer'],
} as const;

export function uid(door: number, card: number): string {
  return (0xa000_0000 + door * CARDS_PER_DOOR + card).toString(16).toUpperCase();
}

/** JSON is YAML. */
export function configText(site: BenchSite): string {
  const all = Array.from({ length: site.rooms }, (_, i) => i);
  const device = (id: string) => ({ id, driver: 'native', password: PASSWORD });
  const broker =
    'url' in site.broker
      ? { external: { url: site.broker.url, username: 'doorward', password: PASSWORD } }
      : {
          embedded: {
            host: '127.0.0.1',
            port: site.broker.port,
            users: [
              { name: 'floor-in', password: PASSWORD, read: ['floor/event/#'] },
              { name: 'floor-out', password: PASSWORD, read: ['floor-echo/event/#'] },
            ],
          },
        };
  return JSON.stringify({
    site: { id: SITE, name: 'Bench', timeZone: 'UTC' },
    time: { trust: 'always' },
    web: { host: '127.0.0.1', port: 0 },
    log: { level: 'warn' },
    limits: { deviceMessagesPerS: 10_000 },
    broker,
    devices: [
      ...all.map((i) => device(doorDevice(i))),
      ...(site.roomDevices ? all.flatMap((i) => Object.keys(ROOM_DEVICES).map((kind) => device(`${kind}-${i}`))) : []),
      ...Array.from({ length: site.sensors }, (_, i) => device(sensorDevice(i))),
      ...('url' in site.broker || site.roomDevices ? [] : [device('floor'), device('floor-echo')]),
    ],
    rooms: all.map((i) => room(site, i)),
    doors: all.map((i) => ({
      id: `door-${i}`,
      name: `Room ${i}`,
      room: `room-${i}`,
      lock: doorDevice(i),
      reader: doorDevice(i),
      ...(site.roomDevices ? { contact: doorDevice(i) } : {}),
    })),
  });
}

function room(site: BenchSite, i: number): object {
  const base = { id: `room-${i}`, name: `Room ${i}`, kind: 'consult', floor: 'ground' };
  if (!site.roomDevices) return i < site.sensors ? { ...base, devices: { temperature: sensorDevice(i) } } : base;
  return {
    ...base,
    devices: {
      presence: [`presence-${i}`],
      temperature: `climate-${i}`,
      co2: `climate-${i}`,
      heating: `relays-${i}`,
      cooling: `relays-${i}/relay-2`,
      lights: [`light-${i}/dimmer`],
    },
    climate: {
      heatTo: 21,
      coolTo: 24,
      setbackTo: 16,
      setupTo: 32,
      leadMin: 45,
      minOnMin: 0,
      minOffMin: 0,
      freezeBelow: 4,
    },
    lighting: { level: 80, offAfterMin: 15, warnS: 60 },
  };
}

export interface Prepared {
  readonly folder: string;
  readonly config: string;
  readonly data: string;
  remove(): void;
}

/** A fresh folder with configuration and data, below `parent`. Every room is booked now, for CARDS_PER_DOOR people. */
export function prepare(site: BenchSite, parent = os.tmpdir()): Prepared {
  const folder = mkdtempSync(path.join(parent, 'doorward-bench-'));
  const config = path.join(folder, 'bench.yaml');
  const data = path.join(folder, 'data');
  writeFileSync(config, configText(site));
  try {
    fill(data, site.rooms);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return { folder, config, data, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function fill(data: string, rooms: number): void {
  const store = openStore(data);
  const hash = credentialHasher(store.secret);
  const now = Date.now();
  store.together(() => {
    for (let door = 0; door < rooms; door++) {
      const members = Array.from({ length: CARDS_PER_DOOR }, (_, card) => `m-${door}-${card}`);
      for (const [card, id] of members.entries()) {
        store.members.insert({
          id,
          name: `Member ${door}.${card}`,
          kind: 'practitioner',
          status: 'active',
          rights: [],
        });
        const number = uid(door, card);
        store.credentials.insert({
          id: `c-${door}-${card}`,
          member: id,
          format: 'uid',
          hash: hash(`uid:${number}`),
          last4: number.slice(-4),
          status: 'active',
        });
      }
      const [holder = '', ...delegates] = members;
      store.bookings.insert({
        id: `b-${door}`,
        room: `room-${door}`,
        holder,
        delegates,
        startMs: now - HOUR_MS,
        endMs: now + 4 * HOUR_MS,
        status: 'confirmed',
        source: 'local',
        title: '',
      });
    }
  });
  store.close();
}

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
