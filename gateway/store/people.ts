/** Members with their rights, and credentials. */
import type { MemberKind, MemberStatus } from '../core/records.ts';
import { withoutAbsent } from './bookings.ts';
import { type Database, isConstraint, orAbsent, orNull } from './database.ts';
import type { CredentialRecord, Credentials, MemberRecord, Members, Result, RightRecord } from './types.ts';

interface MemberRow {
  id: string;
  name: string;
  kind: string;
  status: string;
  rights: string;
}

function toMember(row: MemberRow, addresses: readonly string[]): MemberRecord {
  const member = {
    id: row.id,
    name: row.name,
    kind: row.kind as MemberKind,
    status: row.status as MemberStatus,
    rights: JSON.parse(row.rights) as RightRecord[],
  };
  return addresses.length === 0 ? member : { ...member, addresses };
}

/** Mail addresses are compared without case: nobody has met a server that tells Anna@ from anna@. */
export function normalAddress(address: string): string {
  return address.trim().normalize('NFC').toLowerCase();
}

export function openMembers(db: Database): Members {
  const byId = db.prepare<[string], MemberRow>('SELECT * FROM members WHERE id = ?');
  const all = db.prepare<[], MemberRow>('SELECT * FROM members ORDER BY name, id');
  const create = db.prepare('INSERT INTO members VALUES (@id, @name, @kind, @status, @rights)');
  const change = db.prepare(
    'UPDATE members SET name = @name, kind = @kind, status = @status, rights = @rights WHERE id = @id',
  );
  const addressesOf = db
    .prepare<[string], string>('SELECT address FROM member_addresses WHERE member = ? ORDER BY place')
    .pluck();
  const allAddresses = db.prepare<[], { member: string; address: string }>(
    'SELECT member, address FROM member_addresses ORDER BY member, place',
  );
  const ownerOf = db.prepare<[string], string>('SELECT member FROM member_addresses WHERE address = ?').pluck();
  const forgetAddresses = db.prepare('DELETE FROM member_addresses WHERE member = ?');
  const addAddress = db.prepare('INSERT INTO member_addresses VALUES (?, ?, ?)');
  const toRow = ({ id, name, kind, status, rights }: MemberRecord): MemberRow => ({
    id,
    name,
    kind,
    status,
    rights: JSON.stringify(rights),
  });
  const get = (id: string): MemberRecord | undefined => {
    const row = byId.get(id);
    return row === undefined ? undefined : toMember(row, addressesOf.all(id));
  };
  /** Two members of one address: nobody could say whose booking it is. */
  const addressTaken = (id: string, addresses: readonly string[]): Result<never> | undefined => {
    const taken = addresses.find((address) => (ownerOf.get(address) ?? id) !== id);
    if (taken === undefined) return undefined;
    return { ok: false, code: 'conflict', why: `The address ${taken} is another member's.` };
  };
  const keepAddresses = (id: string, addresses: readonly string[]) => {
    forgetAddresses.run(id);
    addresses.forEach((address, place) => {
      addAddress.run(address, id, place);
    });
  };
  const normal = (member: MemberRecord): MemberRecord => {
    const { addresses = [], ...rest } = member;
    const own = [...new Set(addresses.map(normalAddress))].filter((address) => address !== '');
    return own.length === 0 ? rest : { ...rest, addresses: own };
  };
  const insert = db.transaction((given: MemberRecord): Result<MemberRecord> => {
    const member = normal(given);
    const refused = addressTaken(member.id, member.addresses ?? []);
    if (refused !== undefined) return refused;
    create.run(toRow(member));
    keepAddresses(member.id, member.addresses ?? []);
    return { ok: true, value: member };
  });
  const update = db.transaction((id: string, changes: Partial<MemberRecord>): Result<MemberRecord> => {
    const before = get(id);
    if (before === undefined) return { ok: false, code: 'not_found' };
    const after = normal({ ...before, ...withoutAbsent(changes), id });
    const refused = addressTaken(id, after.addresses ?? []);
    if (refused !== undefined) return refused;
    change.run(toRow(after));
    if (changes.addresses !== undefined) keepAddresses(id, after.addresses ?? []);
    return { ok: true, value: after };
  });
  return {
    insert: (member) => unlessTaken(`There is a member ${member.id} already.`, () => insert.immediate(member)),
    update: (id, changes) => update.immediate(id, changes),
    get,
    list() {
      const addresses = new Map<string, string[]>();
      for (const { member, address } of allAddresses.all()) {
        const own = addresses.get(member);
        if (own === undefined) addresses.set(member, [address]);
        else own.push(address);
      }
      return all.all().map((row) => toMember(row, addresses.get(row.id) ?? []));
    },
  };
}

interface CredentialRow {
  id: string;
  member: string;
  format: string;
  hash: string;
  last4: string;
  status: string;
  valid_from_ms: number | null;
  valid_until_ms: number | null;
}

function toCredential(row: CredentialRow): CredentialRecord {
  return {
    id: row.id,
    member: row.member,
    format: row.format,
    hash: row.hash,
    last4: row.last4,
    status: row.status as CredentialRecord['status'],
    validFromMs: orAbsent(row.valid_from_ms),
    validUntilMs: orAbsent(row.valid_until_ms),
  };
}

export function openCredentials(db: Database): Credentials {
  const byId = db.prepare<[string], CredentialRow>('SELECT * FROM credentials WHERE id = ?');
  const all = db.prepare<[], CredentialRow>('SELECT * FROM credentials ORDER BY id');
  const member = db.prepare<[string], number>('SELECT 1 FROM members WHERE id = ?').pluck();
  const create = db.prepare(
    'INSERT INTO credentials VALUES (@id, @member, @format, @hash, @last4, @status, @valid_from_ms, @valid_until_ms)',
  );
  const revoke = db.prepare("UPDATE credentials SET status = 'revoked' WHERE id = ?");
  const get = (id: string): CredentialRecord | undefined => {
    const row = byId.get(id);
    return row === undefined ? undefined : toCredential(row);
  };
  return {
    insert(credential) {
      if (member.get(credential.member) === undefined) {
        return { ok: false, code: 'conflict', why: `There is no member ${credential.member}.` };
      }
      return unlessTaken('This card belongs to a member already; revoke it there first.', () => {
        const { validFromMs, validUntilMs, ...rest } = credential;
        create.run({ ...rest, valid_from_ms: orNull(validFromMs), valid_until_ms: orNull(validUntilMs) });
        return { ok: true, value: credential };
      });
    },
    revoke(id) {
      if (revoke.run(id).changes === 0) return { ok: false, code: 'not_found' };
      const after = get(id);
      return after === undefined ? { ok: false, code: 'not_found' } : { ok: true, value: after };
    },
    get,
    list: () => all.all().map(toCredential),
  };
}

/** A unique index that refuses is an expected failure: a value, not an error. */
function unlessTaken<T>(why: string, write: () => Result<T>): Result<T> {
  try {
    return write();
  } catch (error) {
    if (isConstraint(error)) return { ok: false, code: 'conflict', why };
    throw error;
  }
}
