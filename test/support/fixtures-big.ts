/** A large clinic for the speed of drawing. */
import type { Booking } from '../../gateway/wire/clinic.ts';
import type { Snapshot } from '../../gateway/wire/stream.ts';
import { at, HOUR, quarter, snapshotOf } from './fixtures-data.ts';

/** The same clinic grown to many rooms over five floors, for the speed of drawing. */
export function bigSnapshotOf(nowMs: number, count: number): Snapshot {
  const small = snapshotOf(nowMs);
  const perFloor = Math.ceil(count / 5);
  const rooms = Array.from({ length: count }, (_, index) => {
    const model = small.rooms[index % small.rooms.length];
    if (!model) throw new Error('the fixture has no room');
    const onFloor = index % perFloor;
    const id = `room-${index + 1}`;
    return {
      ...model,
      id,
      name: `Consulting room ${index + 1}`,
      floor: `floor ${Math.floor(index / perFloor)}`,
      plan: { x: (onFloor % 8) * 4, y: Math.floor(onFloor / 8) * 3.5, width: 4, depth: 3.5 },
      alarms: [],
      door: model.door ? { ...model.door, id: `${id}-door`, room: id, alarms: [] } : null,
    };
  });
  const bookings = rooms.flatMap((one) =>
    [-3, -1, 1, 3].map((fromH) => ({
      ...(small.bookings[0] as Booking),
      id: `${one.id}-${fromH}`,
      room: one.id,
      status: 'confirmed' as const,
      start: at(quarter(nowMs) + fromH * HOUR),
      end: at(quarter(nowMs) + (fromH + 1) * HOUR),
    })),
  );
  return { ...small, rooms, bookings, doors: rooms.flatMap((one) => (one.door ? [one.door] : [])), alarms: [] };
}
