/** What no single value of `bookings.sources[]` can show: what its kind needs, which rooms there are, what contradicts. */
import type { ConfigPath, Finding } from './faults.ts';
import { type Fields, fields, isPresent, list, words } from './lenient.ts';
import { nearest, oneOf } from './nearest.ts';

/** Bookings made here carry it. */
const LOCAL_SOURCE = 'local';
const SHORT_SECRET_CHARS = 16;
/** Presets whose messages hold no bookings. */
const NEED_URL = ['nexudus', 'cobot'];

/** Keys that only some kinds know. */
const KEYS_OF: Readonly<Record<string, readonly string[]>> = {
  preset: ['webhook'],
  signatureHeader: ['webhook'],
  timestampHeader: ['webhook'],
  secret: ['webhook', 'fhir'],
  writeReleases: ['caldav'],
};

export function checkSources(data: Fields): Finding[] {
  const rooms = list(data.rooms)
    .map((room) => words(fields(room).id))
    .filter((id) => id !== undefined);
  return list(fields(data.bookings).sources).flatMap((entry, index): Finding[] => {
    const source = fields(entry);
    const path: ConfigPath = ['bookings', 'sources', index];
    return [
      ...checkName(source, path),
      ...checkKind(source, path),
      ...checkAddress(source, path, 'url'),
      ...checkAddress(source, path, 'releaseUrl'),
      ...checkCredentials(source, path),
      ...checkRooms(source, path, rooms),
      ...checkHolder(fields(source.holder), [...path, 'holder']),
    ];
  });
}

function checkName(source: Fields, path: ConfigPath): Finding[] {
  if (source.id !== LOCAL_SOURCE) return [];
  const why = '“local” is the source of the bookings made here.';
  return [{ path: [...path, 'id'], why, remedy: 'Give the source another id, e.g. practice.' }];
}

function checkKind(source: Fields, path: ConfigPath): Finding[] {
  const kind = words(source.kind);
  if (kind === undefined) return [];
  const findings = Object.entries(KEYS_OF).flatMap(([key, kinds]): Finding[] => {
    if (!isPresent(source[key]) || source[key] === false || kinds.includes(kind)) return [];
    const why = `A source of kind ${kind} has no ${key}.`;
    return [{ path: [...path, key], key: true, why, remedy: `Remove it; ${oneOf(kinds)} has it.` }];
  });
  if (kind === 'webhook') {
    if (!isPresent(source.preset)) {
      const why = 'A webhook needs to know whose messages it gets.';
      findings.push({
        path: [...path, 'preset'],
        why,
        remedy: 'Add `preset: doorward`, or that of the booking system.',
      });
    }
    const preset = words(source.preset) ?? '';
    if (NEED_URL.includes(preset) && !isPresent(source.url)) {
      const why = `Messages of ${preset} only say that something changed: the bookings are fetched from its address.`;
      findings.push({ path: [...path, 'url'], why, remedy: 'Add `url: https://…`, see docs/calendars.md.' });
    }
    if (!isPresent(source.secret)) {
      const why = 'A webhook without a secret could be forged by anybody.';
      const remedy = `Add \`secret: "\${env:WEBHOOK_SECRET}"\` with the secret that the sender signs with.`;
      findings.push({ path: [...path, 'secret'], why, remedy });
    }
  } else if (!isPresent(source.url)) {
    const why = `A source of kind ${kind} is read from an address.`;
    findings.push({ path: [...path, 'url'], why, remedy: 'Add `url: https://…`.' });
  }
  if (isPresent(source.releaseUrl) && !isPresent(source.releaseSecret)) {
    const why = 'A release that is told without a signature could be forged.';
    const remedy = `Add \`releaseSecret: "\${env:RELEASE_SECRET}"\`; the message is signed with it.`;
    findings.push({ path: [...path, 'releaseSecret'], why, remedy });
  }
  return findings;
}

function checkAddress(source: Fields, path: ConfigPath, key: 'url' | 'releaseUrl'): Finding[] {
  const text = words(source[key]);
  if (text === undefined) return [];
  const at = [...path, key];
  const trimmed = text.replace(/^webcals?:/i, 'https:');
  const url = URL.canParse(trimmed) ? new URL(trimmed) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    return [{ path: at, why: 'This is no web address.', remedy: 'Write https://…; webcal:// is read as https://.' }];
  }
  if (url.username !== '' || url.password !== '') {
    const why = 'The address holds a user name and password.';
    return [{ path: at, why, remedy: 'Put them into `username` and `password`, the password by reference.' }];
  }
  if (url.protocol === 'http:' && source.allowHttp !== true) {
    const why = 'Over plain http anybody on the way can forge bookings, and so open doors.';
    const remedy = 'Use https://, or add `allowHttp: true` where the network between is yours alone.';
    return [{ path: at, why, remedy }];
  }
  return [];
}

function checkCredentials(source: Fields, path: ConfigPath): Finding[] {
  const [user, password, bearer] = ['username', 'password', 'bearer'].map((key) => isPresent(source[key]));
  if (bearer && (user || password)) {
    const why = 'There are two ways to sign in.';
    return [{ path: [...path, 'bearer'], key: true, why, remedy: 'Keep `bearer`, or `username` with `password`.' }];
  }
  if (user === password) return [];
  const [have, lack] = user ? ['username', 'password'] : ['password', 'username'];
  const why = `There is a ${have} but no ${lack}.`;
  return [{ path: [...path, have], why, remedy: `Add ${lack}, or remove ${have}.` }];
}

function checkRooms(source: Fields, path: ConfigPath, known: readonly string[]): Finding[] {
  const unknown = (room: unknown, at: ConfigPath): Finding[] => {
    const name = words(room);
    if (name === undefined || known.includes(name)) return [];
    const meant = nearest(name, known);
    const hint = meant === undefined ? '' : `Did you mean “${meant}”? `;
    const remedy = `${hint}Add it under rooms, or use ${oneOf(known) || 'a room of the list'}.`;
    return [{ path: at, why: `There is no room “${name}”.`, remedy }];
  };
  if (typeof source.rooms === 'string') return unknown(source.rooms, [...path, 'rooms']);
  const map = fields(fields(source.rooms).map);
  const at = [...path, 'rooms', 'map'];
  if (isPresent(fields(source.rooms).map) && Object.keys(map).length === 0) {
    return [{ path: at, why: 'The map names no room.', remedy: 'Add a line `label: room`, or `"*": room`.' }];
  }
  const seen = new Map<string, string>();
  return Object.entries(map).flatMap(([label, room]): Finding[] => {
    const folded = label.normalize('NFC').trim().replace(/\s+/g, ' ').toLowerCase();
    const other = seen.get(folded);
    seen.set(folded, label);
    if (other !== undefined) {
      const why = `“${label}” is the same label as “${other}”: labels are compared without case.`;
      return [{ path: [...at, label], key: true, why, remedy: 'Keep one of the two.' }];
    }
    return unknown(room, [...at, label]);
  });
}

function checkHolder(holder: Fields, path: ConfigPath): Finding[] {
  const by = words(holder.by) ?? 'attendee';
  const findings: Finding[] = [];
  for (const key of ['template', 'member']) {
    if (by === key && !isPresent(holder[key])) {
      const remedy = key === 'member' ? 'Add `member: ID`.' : 'Add e.g. `template: "{member} - *"`.';
      findings.push({ path: [...path, key], why: `\`by: ${key}\` needs \`${key}\`.`, remedy });
    } else if (by !== key && isPresent(holder[key])) {
      const why = `\`${key}\` counts only with \`by: ${key}\`.`;
      findings.push({ path: [...path, key], key: true, why, remedy: `Remove it, or set \`by: ${key}\`.` });
    }
  }
  const template = words(holder.template);
  if (by === 'template' && template !== undefined && !template.includes('{member}')) {
    const why = 'The template does not say where the member stands.';
    findings.push({ path: [...path, 'template'], why, remedy: 'Put {member} into it, e.g. "{member} - *".' });
  }
  return findings;
}

/** Allowed, but most likely not meant. */
export function sourceCautions(data: Fields): Finding[] {
  return list(fields(data.bookings).sources).flatMap((entry, index): Finding[] => {
    const source = fields(entry);
    const path: ConfigPath = ['bookings', 'sources', index];
    const secret = words(source.secret);
    const findings: Finding[] = [];
    if (secret !== undefined && secret.length < SHORT_SECRET_CHARS) {
      const why = `The secret is shorter than ${SHORT_SECRET_CHARS} characters.`;
      findings.push({
        path: [...path, 'secret'],
        why,
        remedy: 'Use a long random one, e.g. of `openssl rand -hex 32`.',
      });
    }
    if (source.kind === 'webhook' && !isPresent(source.url)) {
      const why = 'Without `url` nothing heals a message that was lost.';
      findings.push({
        path: [...path, 'url'],
        why,
        remedy: 'Add the address where the booking system lists its bookings.',
      });
    }
    return findings;
  });
}
