/** Who may use the dashboard and the API: users, machine tokens, web sessions. */
import { type Database, orAbsent, orNull } from './database.ts';
import type { Role, Sessions, TokenRecord, Tokens, UserRecord, Users } from './types.ts';

interface UserRow {
  name: string;
  role: string;
  member: string | null;
  password_hash: string;
}

const toUser = (row: UserRow): UserRecord => ({
  name: row.name,
  role: row.role as Role,
  member: orAbsent(row.member),
  passwordHash: row.password_hash,
});

export function openUsers(db: Database): Users {
  const put = db.prepare(
    `INSERT INTO users VALUES (@name, @role, @member, @password_hash) ON CONFLICT (name) DO UPDATE SET
       role = excluded.role, member = excluded.member, password_hash = excluded.password_hash`,
  );
  const byName = db.prepare<[string], UserRow>('SELECT * FROM users WHERE name = ?');
  const all = db.prepare<[], UserRow>('SELECT * FROM users ORDER BY name');
  const remove = db.prepare<[string], UserRow>('DELETE FROM users WHERE name = ? RETURNING *');
  return {
    put(user) {
      put.run({ name: user.name, role: user.role, member: orNull(user.member), password_hash: user.passwordHash });
    },
    get(name) {
      const row = byName.get(name);
      return row === undefined ? undefined : toUser(row);
    },
    list: () => all.all().map(toUser),
    remove(name) {
      const row = remove.get(name);
      return row === undefined ? { ok: false, code: 'not_found' } : { ok: true, value: toUser(row) };
    },
  };
}

interface TokenRow {
  id: string;
  role: string;
  note: string;
  created_at_ms: number;
}

const toToken = (row: TokenRow): TokenRecord => ({
  id: row.id,
  role: row.role as Role,
  note: row.note,
  createdAtMs: row.created_at_ms,
});

export function openTokens(db: Database): Tokens {
  const insert = db.prepare('INSERT INTO tokens VALUES (?, ?, ?, ?, ?)');
  const bySecret = db.prepare<[string], TokenRow>('SELECT * FROM tokens WHERE secret_hash = ?');
  const all = db.prepare<[], TokenRow>('SELECT * FROM tokens ORDER BY created_at_ms, id');
  const remove = db.prepare<[string], TokenRow>('DELETE FROM tokens WHERE id = ? RETURNING *');
  return {
    insert(token, secretHash) {
      insert.run(token.id, token.role, token.note, token.createdAtMs, secretHash);
    },
    bySecretHash(secretHash) {
      const row = bySecret.get(secretHash);
      return row === undefined ? undefined : toToken(row);
    },
    list: () => all.all().map(toToken),
    remove(id) {
      const row = remove.get(id);
      return row === undefined ? { ok: false, code: 'not_found' } : { ok: true, value: toToken(row) };
    },
  };
}

export function openSessions(db: Database): Sessions {
  const get = db.prepare<[string], string>('SELECT json FROM sessions WHERE id = ?').pluck();
  const set = db.prepare(
    `INSERT INTO sessions (id, json, expires_at_ms) VALUES (?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET json = excluded.json, expires_at_ms = excluded.expires_at_ms`,
  );
  const remove = db.prepare('DELETE FROM sessions WHERE id = ?');
  const removeOfUser = db.prepare('DELETE FROM sessions WHERE user = ?');
  const prune = db.prepare('DELETE FROM sessions WHERE expires_at_ms <= ?');
  return {
    get: (id) => get.get(id),
    set: (id, json, expiresAtMs) => void set.run(id, json, expiresAtMs),
    remove: (id) => void remove.run(id),
    removeOfUser: (name) => void removeOfUser.run(name),
    prune: (nowMs) => void prune.run(nowMs),
  };
}
