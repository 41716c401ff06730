/**
 * InfluxDB's line protocol, version 1: `measurement,tag=value field=value,… nanoseconds`.
 * https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/
 */
import type { Measurement, MeasurementField } from '../core/effects.ts';

/** One millisecond in nanoseconds: the part of a stamp that is free to tell points of one moment apart. */
export const NANOS_PER_MS = 1_000_000;
const NANO_DIGITS = 6;

/** Line breaks end a point and cannot be escaped in a name or tag; a backslash at its end would escape what follows. */
function plain(text: string): string {
  return text.replace(/[\r\n]/g, ' ').replace(/\\+$/, '');
}
/** Measurement names: comma and space are escaped. */
const escapeMeasurement = (text: string): string => plain(text).replace(/[, ]/g, '\\$&');
/** Tag keys, tag values and field keys: comma, equals sign and space are escaped. */
const escapeKey = (text: string): string => plain(text).replace(/[,= ]/g, '\\$&');
/** String fields: only quote and backslash are escaped; a line break may stand there but would break our own lines. */
const escapeText = (text: string): string => text.replace(/[\r\n]/g, ' ').replace(/["\\]/g, '\\$&');

function encodeField(value: MeasurementField): string | undefined {
  if (typeof value === 'string') return `"${escapeText(value)}"`;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if ('int' in value) return Number.isSafeInteger(value.int) ? `${value.int}i` : undefined;
  // NaN and infinity are no values in InfluxDB: left out, as an unknown one is.
  return Number.isFinite(value.float) ? String(value.float) : undefined;
}

/**
 * One line, or nothing when no field has a value. `sequence` makes the nanoseconds of points of one millisecond
 * differ: two points with equal tags and stamp would overwrite each other. Empty tags are left out, as the protocol asks.
 */
export function encodeLine(point: Measurement, sequence: number): string | undefined {
  let fields = '';
  for (const key of Object.keys(point.fields)) {
    const field = point.fields[key];
    const value = field === undefined ? undefined : encodeField(field);
    if (value !== undefined) fields += `${fields === '' ? '' : ','}${escapeKey(key)}=${value}`;
  }
  if (fields === '') return undefined;
  let head = escapeMeasurement(point.measurement);
  // Sorted tags spare the server the sort.
  for (const key of Object.keys(point.tags).sort()) {
    const value = escapeKey(point.tags[key] ?? '');
    if (value !== '') head += `,${escapeKey(key)}=${value}`;
  }
  return `${head} ${fields} ${stamp(point.atMs, sequence)}`;
}

/** Nanoseconds as a string: the number is beyond what a double holds exactly. */
export function stamp(atMs: number, sequence: number): string {
  return `${Math.round(atMs)}${String(sequence % NANOS_PER_MS).padStart(NANO_DIGITS, '0')}`;
}

/** The fields of a line that `encodeLine` made. */
export function decodeFields(line: string): Record<string, string | number | boolean> {
  const fields: Record<string, string | number | boolean> = {};
  let at = unescapedSpace(line, 0) + 1;
  for (;;) {
    const equals = endOfKey(line, at);
    const key = line.slice(at, equals).replace(/\\([,= ])/g, '$1');
    const end = line[equals + 1] === '"' ? endOfText(line, equals + 2) + 1 : endOfWord(line, equals + 1);
    fields[key] = decodeValue(line.slice(equals + 1, end));
    if (line[end] !== ',') return fields;
    at = end + 1;
  }
}

function decodeValue(word: string): string | number | boolean {
  if (word.startsWith('"')) return word.slice(1, -1).replace(/\\(["\\])/g, '$1');
  if (word === 'true' || word === 'false') return word === 'true';
  return Number(word.endsWith('i') ? word.slice(0, -1) : word);
}

function unescapedSpace(line: string, from: number): number {
  let at = from;
  while (at < line.length && line[at] !== ' ') at += line[at] === '\\' ? 2 : 1;
  return at;
}
function endOfKey(line: string, from: number): number {
  let at = from;
  while (at < line.length && line[at] !== '=') at += line[at] === '\\' ? 2 : 1;
  return at;
}
/** Position of the closing quote. */
function endOfText(line: string, from: number): number {
  let at = from;
  while (at < line.length && line[at] !== '"') at += line[at] === '\\' ? 2 : 1;
  return at;
}
function endOfWord(line: string, from: number): number {
  let at = from;
  while (at < line.length && line[at] !== ',' && line[at] !== ' ') at += 1;
  return at;
}
