/**
 * Small checks of JSON from outside. Each names the path of what is wrong and the type it found, never the value: a value
 * may be a patient's name, and faults are logged and shown.
 */

/** A JSON object; only its own properties are ever read. */
export type Json = Readonly<Record<string, unknown>>;

/** Faults found while reading one message or resource, e.g. `bookings[2].start: must be …; found a number`. */
export class Faults {
  readonly list: string[] = [];

  add(path: string, must: string, found: unknown): undefined {
    if (this.list.length < MAX_FAULTS) this.list.push(`${path}: ${must}; found ${typeName(found)}`);
    return undefined;
  }

  get any(): boolean {
    return this.list.length > 0;
  }

  toString(): string {
    return this.list.join('; ');
  }
}
/** More would not help whoever reads them. */
const MAX_FAULTS = 20;
/** Names, titles and ids longer than this are cut or refused: no real one is. */
export const MAX_TEXT = 500;
export const MAX_ID = 255;

export function typeName(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return value === '' ? 'an empty text' : `a ${typeof value === 'string' ? 'text' : typeof value}`;
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses; undefined when it is no JSON. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** An own property, so that a key such as `__proto__` is data and nothing is inherited. */
export function get(object: unknown, key: string): unknown {
  return isJson(object) && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The list under `key`, or an empty one where there is none. */
export function list(object: unknown, key: string): readonly unknown[] {
  const value = get(object, key);
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** A text, trimmed and cut to `max`; undefined when it is none or empty. Control characters become spaces. */
export function text(value: unknown, max: number = MAX_TEXT): string | undefined {
  if (typeof value !== 'string') return undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const clean = value.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
  return clean === '' ? undefined : clean.slice(0, max);
}

/** An identifier: a text or a whole number, as text; undefined for all else and for overlong ones (a cut id is another's). */
export function identifier(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  const clean = text(value, MAX_ID + 1);
  return clean !== undefined && clean.length <= MAX_ID ? clean : undefined;
}

/** A mail address, lower case; undefined when it does not look like one. */
export function mail(value: unknown): string | undefined {
  const clean = text(value, MAX_ID + 1)
    ?.replace(/^mailto:/i, '')
    .toLowerCase();
  return clean !== undefined && clean.length <= MAX_ID && /^[^\s@]+@[^\s@]+$/.test(clean) ? clean : undefined;
}
