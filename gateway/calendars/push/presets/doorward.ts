/**
 * Our own format, for whoever writes a bridge from his booking system.
 *
 *     POST, Content-Type: application/json
 *     X-Doorward-Timestamp: 1790000000            Unix time in seconds (milliseconds and RFC 3339 are understood)
 *     X-Doorward-Signature: sha256=<hex>          HMAC-SHA256(secret, timestamp + "." + body)
 *
 *     {"type": "booking.upserted", "id": "m-1", "bookings": [{"id": "b-7", "room": "Room 2",
 *       "start": "2026-11-22T09:00:00+01:00", "end": "2026-11-22T12:00:00+01:00", "status": "confirmed",
 *       "holder": {"email": "mia@clinic.example"}, "delegates": [{"member": "leo"}], "title": "Physio",
 *       "updatedAt": "2026-11-20T08:00:00Z"}]}
 *
 * `booking.cancelled` needs only `id` and `updatedAt` of each booking. `ping` says nothing and is answered. The list that
 * `url` gives is `{"bookings": [...], "next": "<address or null>", "total": 12}`, asked with `?from=…&to=…`.
 */
import type { Occurrence } from '../../types.ts';
import { type Draft, Faults, instantAt, type Person, type Statement, statement, withId } from '../booking.ts';
import { get, identifier, isJson, type Json, list, mail, text } from '../fields.ts';
import { parseInstant } from '../instant.ts';
import { iso, itemOf, type Preset, type PresetContext, type Reading, type Removal } from '../preset.ts';

/** Bookings of one message; more go into several. */
export const MAX_BOOKINGS_PER_MESSAGE = 500;
const MAX_DELEGATES = 20;

const STATUS: Readonly<Record<string, Pick<Occurrence, 'status' | 'stage'>>> = {
  confirmed: { status: 'confirmed' },
  checked_in: { status: 'confirmed', stage: 'checked_in' },
  fulfilled: { status: 'confirmed', stage: 'fulfilled' },
  tentative: { status: 'tentative' },
  cancelled: { status: 'cancelled' },
  released: { status: 'cancelled' },
};

export const doorward: Preset = {
  id: 'doorward',
  scheme: {
    signatureHeader: 'x-doorward-signature',
    timestampHeader: 'x-doorward-timestamp',
    timestamp: 'required',
    signed: ['timestamp.body'],
  },
  read,
  list: ({ source }) => ({
    keys: ['bookings'],
    item: (value) => itemOf(readBooking(source, value, 'booking')),
    page(envelope, { found }) {
      if (!found) return { ok: false, code: 'malformed', why: 'has no list "bookings"' };
      const total = get(envelope, 'total');
      return {
        ok: true,
        next: text(get(envelope, 'next'), 2_000),
        total: typeof total === 'number' ? total : undefined,
      };
    },
  }),
  first(base, fromMs, toMs) {
    const url = new URL(base.href);
    url.searchParams.set('from', iso(fromMs));
    url.searchParams.set('to', iso(toMs));
    return url;
  },
};

function read(payload: unknown, { source }: PresetContext): Reading {
  if (!isJson(payload)) return { kind: 'malformed', why: 'the message must be a JSON object' };
  const type = get(payload, 'type');
  if (type === 'ping') return { kind: 'ignored' };
  if (type !== 'booking.upserted' && type !== 'booking.cancelled') {
    return { kind: 'malformed', why: 'type: must be booking.upserted, booking.cancelled or ping' };
  }
  const faults = new Faults();
  const id = identifier(get(payload, 'id')) ?? faults.add('id', 'must be the id of the message', get(payload, 'id'));
  const bookings = get(payload, 'bookings');
  if (!Array.isArray(bookings) || bookings.length === 0) faults.add('bookings', 'must be a list of bookings', bookings);
  else if (bookings.length > MAX_BOOKINGS_PER_MESSAGE) {
    faults.add('bookings', `must be at most ${MAX_BOOKINGS_PER_MESSAGE}`, bookings);
  }
  if (faults.any) return { kind: 'malformed', why: String(faults) };
  const all = list(payload, 'bookings');
  return type === 'booking.cancelled' ? readCancelled(all, id) : readUpserted(source, all, id);
}

function readUpserted(source: string, bookings: readonly unknown[], id: string | undefined): Reading {
  const faults = new Faults();
  const statements: Statement[] = [];
  let readable = 0;
  for (const [index, value] of bookings.entries()) {
    const found = readBooking(source, value, `bookings[${index}]`, faults);
    if (found === undefined) continue;
    statements.push(found);
    if (found.readable) readable += 1;
  }
  // One bad booking among good ones is set aside; a message with nothing to be read goes back to its sender.
  if (readable === 0) return { kind: 'malformed', why: String(faults) || 'no booking in it can be read' };
  return { kind: 'bookings', statements, removed: [], id };
}

function readCancelled(bookings: readonly unknown[], id: string | undefined): Reading {
  const faults = new Faults();
  const removed: Removal[] = [];
  for (const [index, value] of bookings.entries()) {
    const path = `bookings[${index}]`;
    const href = identifier(get(value, 'id')) ?? faults.add(`${path}.id`, 'must be a text', get(value, 'id'));
    const stampMs = instantAt(faults, `${path}.updatedAt`, get(value, 'updatedAt'), parseInstant);
    if (href === undefined || stampMs === undefined) continue;
    removed.push({ href, stampMs, endMs: parseInstant(get(value, 'end')) });
  }
  if (removed.length === 0) return { kind: 'malformed', why: String(faults) };
  return { kind: 'bookings', statements: [], removed, id };
}

/** @param all gathers the faults of a whole message */
function readBooking(source: string, value: unknown, path: string, all?: Faults): Statement | undefined {
  const found = withId(
    value,
    (booking) => get(booking, 'id'),
    (booking, id) => {
      const faults = new Faults();
      const draft = readDraft(booking, id, path, faults);
      for (const fault of faults.list) all?.list.push(fault);
      return statement(source, draft, faults);
    },
  );
  if (found === undefined) all?.add(`${path}.id`, 'must be a text', get(value, 'id'));
  return found;
}

function readDraft(booking: Json, id: string, path: string, faults: Faults): Draft {
  const status = get(booking, 'status');
  const known = typeof status === 'string' && Object.hasOwn(STATUS, status) ? STATUS[status] : undefined;
  if (known === undefined) faults.add(`${path}.status`, `must be one of ${Object.keys(STATUS).join(', ')}`, status);
  const room = identifier(get(booking, 'room')) ?? faults.add(`${path}.room`, 'must be a text', get(booking, 'room'));
  const holder = readPerson(get(booking, 'holder'), `${path}.holder`, 'chair', faults);
  const delegates = get(booking, 'delegates') ?? [];
  if (!Array.isArray(delegates)) faults.add(`${path}.delegates`, 'must be a list', delegates);
  else if (delegates.length > MAX_DELEGATES)
    faults.add(`${path}.delegates`, `must be at most ${MAX_DELEGATES}`, delegates);
  const others = list(booking, 'delegates')
    .slice(0, MAX_DELEGATES)
    .map((item, index) => readPerson(item, `${path}.delegates[${index}]`, 'req-participant', faults));
  const sequence = get(booking, 'sequence') ?? 0;
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 0) {
    faults.add(`${path}.sequence`, 'must be a whole number from 0', sequence);
  }
  return {
    id,
    startMs: instantAt(faults, `${path}.start`, get(booking, 'start'), parseInstant),
    endMs: instantAt(faults, `${path}.end`, get(booking, 'end'), parseInstant),
    status: known,
    title: get(booking, 'title'),
    rooms: [room],
    location: room,
    people: [holder, ...others].filter((person) => person !== undefined),
    organizer: holder?.addresses[0],
    stampMs: instantAt(faults, `${path}.updatedAt`, get(booking, 'updatedAt'), parseInstant),
    sequence: faults.any ? 0 : (sequence as number),
  };
}

/** `{"email": …}`, `{"member": …}` (our own member id, becomes the address `member:ID`) or both. */
function readPerson(value: unknown, path: string, role: Person['role'], faults: Faults): Person | undefined {
  const [address, member] = [mail(get(value, 'email')), identifier(get(value, 'member'))];
  const addresses = [member === undefined ? undefined : `member:${member}`, address].filter((one) => one !== undefined);
  if (addresses.length === 0) return faults.add(path, 'must have email or member', value);
  return { addresses, name: get(value, 'name'), role };
}
