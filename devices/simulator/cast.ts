/** Who works in the demo clinic, what they may open, and the badges they carry. */
import type { Room, Site } from '../../gateway/core/site.ts';
import { inventName } from './names.ts';
import { type Random, seeded } from './random.ts';
import type { Badge } from './reader.ts';

/** Practitioners that share a room. */
const HOLDERS_PER_ROOM = 2;
export const STAFF = 3;
export const CLEANERS = 2;

export type Day = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';
const EVERY_DAY: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

export interface PlannedMember {
  readonly id: string;
  readonly name: string;
  readonly kind: 'practitioner' | 'staff' | 'cleaner';
  /** As in CONTRACT's `members`: local times; no `weekly` means always. */
  readonly rights?: readonly {
    readonly doors: readonly string[];
    readonly weekly?: readonly { readonly days: readonly Day[]; readonly from: string; readonly to: string }[];
  }[];
}

export interface PlannedBadge extends Badge {
  /** Member id. */
  readonly member: string;
}

export interface PlannedBooking {
  readonly id: string;
  readonly room: string;
  /** Member id. */
  readonly holder: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly title: string;
  readonly status: 'confirmed' | 'tentative';
}

/** A booking and how it will be taken up; `scripted` ones have their visit written elsewhere. */
export interface Session extends PlannedBooking {
  readonly scripted?: boolean | undefined;
}

export interface Cast {
  readonly members: readonly PlannedMember[];
  readonly badges: readonly PlannedBadge[];
  /** Rooms that can be booked and entered by badge. */
  readonly rooms: readonly Room[];
  badgeOf(member: string): Badge;
  holdersOf(room: string): readonly string[];
}

export function castOf(site: Site, seed: number | string): Cast {
  const random = seeded(`${seed}/cast`);
  const readable = new Set(site.doors.filter((door) => door.reader && door.room).map((door) => door.room));
  const rooms = site.rooms.filter((room) => readable.has(room.id) && room.kind !== 'waiting' && room.kind !== 'store');
  const allDoors = site.doors.map((door) => door.id);
  const members: PlannedMember[] = [];
  const holders = new Map<string, string[]>();
  const join = (id: string, kind: PlannedMember['kind'], rights?: PlannedMember['rights'], name?: string): void => {
    members.push({ id, name: name ?? inventName(members.length), kind, ...(rights ? { rights } : {}) });
  };
  for (const room of rooms) {
    const ids = Array.from({ length: HOLDERS_PER_ROOM }, (_, index) => `p-${room.id}-${index + 1}`);
    for (const id of ids) join(id, 'practitioner');
    holders.set(room.id, ids);
  }
  for (let index = 1; index <= STAFF; index++) {
    join(`staff-${index}`, 'staff', [{ doors: allDoors, weekly: [{ days: EVERY_DAY, from: '06:00', to: '22:00' }] }]);
  }
  const cleaning = [
    { days: EVERY_DAY, from: '05:00', to: '08:00' },
    { days: EVERY_DAY, from: '12:00', to: '14:00' },
    { days: EVERY_DAY, from: '18:00', to: '22:30' },
  ];
  for (let index = 1; index <= CLEANERS; index++) {
    join(`cleaner-${index}`, 'cleaner', [{ doors: allDoors, weekly: cleaning }]);
  }
  join('emergency', 'staff', [{ doors: allDoors }], 'Emergency key safe');
  const badges = members.map((member, index) => ({ member: member.id, ...inventBadge(index, random) }));
  const byMember = new Map(badges.map(({ member, format, value }) => [member, { format, value }]));
  return {
    members,
    badges,
    rooms,
    badgeOf(member) {
      const badge = byMember.get(member);
      if (!badge) throw new Error(`${member} has no badge`);
      return badge;
    },
    holdersOf: (room) => holders.get(room) ?? [],
  };
}

/** Most carry a 7-byte NFC card, every fifth an old 26-bit Wiegand one. `index` keeps the numbers apart. */
export function inventBadge(index: number, random: Random): Badge {
  if (index % 5 !== 4) {
    return { format: 'uid', value: `04${random.hex(8)}${(index + 1).toString(16).toUpperCase().padStart(4, '0')}` };
  }
  return { format: 'bits', value: wiegand26(random.whole(1, 255), (index * 97 + 1603) % 65_536) };
}

/** H10301 (FACTS 1): even parity over bits 1-12, facility 8 bits, card 16 bits, odd parity over bits 13-24. */
export function wiegand26(facility: number, card: number): string {
  const data = facility.toString(2).padStart(8, '0') + card.toString(2).padStart(16, '0');
  const ones = (bits: string): number => bits.replaceAll('0', '').length;
  return `${ones(data.slice(0, 12)) % 2}${data}${(ones(data.slice(12)) + 1) % 2}`;
}
