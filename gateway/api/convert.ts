/** From what the gateway keeps (instants in Unix ms) to what crosses the wire (RFC 3339 in UTC), and back. */

import type { z } from 'zod';
import type { Alarm, UnknownCard } from '../core/effects.ts';
import type { Booking, Credential, Member } from '../core/records.ts';
import type { Door, Site } from '../core/site.ts';
import type { BookingRef, DoorView, RoomView } from '../core/views.ts';
import type { CredentialRecord, JournalEntry, MemberRecord, TokenRecord, UserRecord } from '../store/types.ts';
import type * as wire from '../wire/index.ts';
import type { ApiDeps, DeviceHealth, RefusedLoginRecord } from './deps.ts';

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
function isoOrNull(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : iso(ms);
}

/** The name of a member, or null where it is unknown or not for the reader. */
export type NameOf = (member: string) => string | null;

export function toBooking(booking: Booking): wire.Booking {
  return {
    id: booking.id,
    room: booking.room,
    holder: booking.holder,
    delegates: [...booking.delegates],
    start: iso(booking.startMs),
    end: iso(booking.endMs),
    status: booking.status,
    source: booking.source,
    title: booking.title,
    ...(booking.series !== undefined && { series: booking.series }),
  };
}

/** That the time is taken, without who took it or why. */
export function maskBooking(booking: Booking): Booking {
  return { ...booking, id: MASKED_ID, holder: '', delegates: [], source: '', title: '', series: undefined };
}
export const MASKED_ID = 'taken';

function toBookingRef(ref: BookingRef | null, nameOf: NameOf): wire.Room['booking']['now'] {
  if (!ref) return null;
  return {
    id: ref.id,
    holder: ref.holder,
    holderName: nameOf(ref.holder),
    start: iso(ref.startMs),
    end: iso(ref.endMs),
    status: ref.status,
  };
}

export function toDoor(door: DoorView): wire.Door {
  return {
    id: door.id,
    name: door.name,
    room: door.room,
    common: door.common,
    lock: door.lock,
    contact: door.contact,
    lastCommand: door.lastCommand && {
      id: door.lastCommand.id,
      op: door.lastCommand.op,
      outcome: door.lastCommand.outcome,
      at: iso(door.lastCommand.atMs),
    },
    online: door.online,
    alarms: [...door.alarms],
    updatedAt: iso(door.updatedAtMs),
  };
}

export type RoomPlace = Pick<wire.Room, 'floor' | 'plan'>;
/** Where each room stands on its floor, which the live view does not carry. */
export function roomPlaces(site: Site): ReadonlyMap<string, RoomPlace> {
  return new Map(site.rooms.map((room) => [room.id, { floor: room.floor, plan: room.plan ? { ...room.plan } : null }]));
}

export function toRoom(room: RoomView, place: RoomPlace | undefined, nameOf: NameOf): wire.Room {
  const { occupancy, climate, lights } = room;
  return {
    id: room.id,
    name: room.name,
    kind: room.kind,
    floor: place?.floor ?? '',
    plan: place?.plan ?? null,
    occupancy: {
      state: occupancy.state,
      confidence: occupancy.confidence,
      since: iso(occupancy.sinceMs),
      people: occupancy.people,
      lastSeen: isoOrNull(occupancy.lastSeenMs),
    },
    booking: {
      now: toBookingRef(room.booking.now, nameOf),
      next: toBookingRef(room.booking.next, nameOf),
      revoked: toBookingRef(room.booking.revoked, nameOf),
    },
    noShow: toBookingRef(room.noShow, nameOf),
    overstay: toBookingRef(room.overstay, nameOf),
    door: room.door && toDoor(room.door),
    climate: climate && {
      temperature: climate.temperature,
      temperatureAt: isoOrNull(climate.temperatureAtMs),
      humidity: climate.humidity,
      co2: climate.co2,
      heatingSetpoint: climate.heatingSetpoint,
      coolingSetpoint: climate.coolingSetpoint,
      mode: climate.mode,
      heating: climate.heating,
      cooling: climate.cooling,
    },
    lights: lights && { target: lights.target, level: lights.level, warning: lights.warning },
    ready: room.ready,
    alarms: [...room.alarms],
    updatedAt: iso(room.updatedAtMs),
  };
}

export function toAlarm(alarm: Alarm): wire.Alarm {
  return {
    id: alarm.id,
    kind: alarm.kind,
    severity: alarm.severity,
    door: alarm.door ?? null,
    room: alarm.room ?? null,
    device: alarm.device ?? null,
    text: alarm.text,
    status: alarm.status,
    openedAt: iso(alarm.openedAtMs),
    acknowledgedAt: isoOrNull(alarm.acknowledgedAtMs),
    acknowledgedBy: alarm.acknowledgedBy ?? null,
    note: alarm.note ?? null,
    resolvedAt: isoOrNull(alarm.resolvedAtMs),
  };
}

export function toEvent(entry: JournalEntry, nameOf: NameOf): wire.Event {
  return {
    seq: entry.seq,
    id: entry.id,
    occurredAt: iso(entry.occurredAtMs),
    recordedAt: iso(entry.recordedAtMs),
    kind: entry.kind,
    door: entry.door ?? null,
    room: entry.room ?? null,
    member: entry.member ?? null,
    memberName: entry.member === undefined ? null : nameOf(entry.member),
    outcome: entry.outcome ?? null,
    reason: entry.reason ?? null,
    subReason: entry.subReason ?? null,
    command: entry.command ?? null,
    user: entry.user ?? null,
    note: entry.note ?? null,
    hash: entry.hash,
  };
}

export function toDevice(device: DeviceHealth): wire.Device {
  const { lastHeardAtMs, capabilities, ...rest } = device;
  return {
    id: rest.id,
    driver: rest.driver,
    online: rest.online,
    battery: rest.battery,
    lastHeardAt: isoOrNull(lastHeardAtMs),
    firmware: rest.firmware,
    model: rest.model,
    capabilities: [...capabilities],
    malformed: rest.malformed,
    fault: rest.fault,
  };
}

export function toRefusedLogin(login: RefusedLoginRecord): wire.RefusedLogin {
  const { clientId, username, address, reason } = login;
  return { at: iso(login.atMs), clientId, username, address, reason };
}

export function toMember(member: MemberRecord): wire.Member {
  return {
    id: member.id,
    name: member.name,
    kind: member.kind,
    status: member.status,
    rights: member.rights.map(({ doors, weekly }) => ({
      doors: [...doors],
      ...(weekly ? { weekly: weekly.map(({ days, from, to }) => ({ days: [...days], from, to })) } : {}),
    })),
    ...(member.addresses !== undefined && { addresses: [...member.addresses] }),
  };
}

export function toCredential(credential: CredentialRecord): wire.Credential {
  return {
    id: credential.id,
    member: credential.member,
    format: credential.format,
    last4: credential.last4,
    status: credential.status,
    validFrom: isoOrNull(credential.validFromMs),
    validUntil: isoOrNull(credential.validUntilMs),
  };
}

/** The door that a reader stands at. */
export function doorOfReader(site: Site, reader: string): Door | undefined {
  return site.doors.find((door) => door.reader === reader);
}

export function toUnknownCard(card: UnknownCard, site: Site): wire.UnknownCard {
  return {
    id: card.id,
    reader: card.reader,
    door: doorOfReader(site, card.reader)?.id ?? null,
    format: card.format,
    last4: card.last4,
    seenAt: iso(card.seenAtMs),
  };
}

export function toUser(user: UserRecord): z.infer<typeof wire.user> {
  return { name: user.name, role: user.role, member: user.member ?? null };
}

export function toToken(token: TokenRecord): z.infer<typeof wire.token> {
  return { id: token.id, role: token.role, note: token.note, createdAt: iso(token.createdAtMs) };
}

export function toSite(deps: ApiDeps): wire.Site {
  const { site } = deps;
  const { earlyMs, lateMs } = deps.bookingRules();
  return {
    id: site.id,
    name: site.name,
    timeZone: site.timeZone,
    version: deps.version,
    now: iso(deps.clock.now().wallMs),
    timeTrusted: deps.timeTrusted(),
    earlyMin: earlyMs / 60_000,
    lateMin: lateMs / 60_000,
  };
}

export function coreCredential(credential: CredentialRecord): Credential {
  const { id, member, hash, status, validFromMs, validUntilMs } = credential;
  return { id, member, hash, status, validFromMs, validUntilMs };
}

/** Weekly rights are worked out this far to either side of now; whoever calls this at start does so again each day. */
export const RIGHTS_BEHIND_MS = 24 * 3_600_000;
export const RIGHTS_AHEAD_MS = 14 * 24 * 3_600_000;

/** A member as the core knows him, his weekly times worked out around `nowMs`. */
export function coreMember(record: MemberRecord, expandRights: ApiDeps['expandRights'], nowMs: number): Member {
  const { id, name, kind, status, rights } = record;
  return { id, name, kind, status, rights: expandRights(rights, nowMs - RIGHTS_BEHIND_MS, nowMs + RIGHTS_AHEAD_MS) };
}
