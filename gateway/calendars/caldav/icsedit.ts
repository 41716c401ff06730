/**
 * Changes single lines of an iCalendar resource and leaves every other byte as it is: folding, order, line ends, unknown
 * properties. It works on bytes read as Latin-1, so that lines in any encoding come out as they went in.
 */

/** RFC 5545 §3.1: octets of a line without its end. */
const MAX_OCTETS = 75;

/** A content line with its folds. */
export interface RawLine {
  /** As it stands, with folds and line end. */
  readonly raw: string;
  /** Unfolded, without line end. */
  readonly text: string;
}
export interface RawProperty {
  /** Upper case. */
  readonly name: string;
  /** Between name and value, with its `;`: `;TZID=Europe/Berlin`. */
  readonly params: string;
  readonly value: string;
  /** Index of its line. */
  readonly at: number;
}
export interface RawEvent {
  /** Lines of BEGIN:VEVENT and END:VEVENT. */
  readonly begin: number;
  readonly end: number;
  /** Its own, without those of alarms. */
  readonly properties: readonly RawProperty[];
}

export function readLines(body: string): RawLine[] {
  const lines: RawLine[] = [];
  let raw = '';
  let text = '';
  for (const physical of body.match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? []) {
    const folded = raw !== '' && (physical.startsWith(' ') || physical.startsWith('\t'));
    if (!folded && raw !== '') lines.push({ raw, text });
    const bare = physical.replace(/[\r\n]+$/, '');
    raw = folded ? raw + physical : physical;
    text = folded ? text + bare.slice(1) : bare;
  }
  if (raw !== '') lines.push({ raw, text });
  return lines;
}

/** The events right within a VCALENDAR; undefined when the components are not nested as they should be. */
export function readEvents(lines: readonly RawLine[]): RawEvent[] | undefined {
  const events: RawEvent[] = [];
  const open: string[] = [];
  let begin = 0;
  let properties: RawProperty[] = [];
  for (const [at, { text }] of lines.entries()) {
    const property = readProperty(text, at);
    if (property === undefined) continue;
    if (property.name === 'BEGIN') {
      open.push(property.value.trim().toUpperCase());
      if (isEvent(open)) [begin, properties] = [at, []];
    } else if (property.name === 'END') {
      if (isEvent(open)) events.push({ begin, end: at, properties });
      if (open.pop() !== property.value.trim().toUpperCase()) return undefined;
    } else if (isEvent(open)) properties.push(property);
  }
  return open.length === 0 ? events : undefined;
}

function isEvent(open: readonly string[]): boolean {
  return open.length === 2 && open[0] === 'VCALENDAR' && open[1] === 'VEVENT';
}

/** Undefined for what is no content line. A colon within quotes belongs to a parameter. */
function readProperty(text: string, at: number): RawProperty | undefined {
  const found = /^([A-Za-z0-9-]+)((?:;[^=;:"]+=(?:"[^"]*"|[^";:])*)*):(.*)$/s.exec(text);
  const [, name, params, value] = found ?? [];
  if (name === undefined || params === undefined || value === undefined) return undefined;
  return { name: name.toUpperCase(), params, value, at };
}

export function propertyOf(event: RawEvent, name: string): RawProperty | undefined {
  return event.properties.find((property) => property.name === name);
}

/** Value of a parameter, without quotes; undefined when it is not there. */
export function paramOf(property: RawProperty, name: string): string | undefined {
  const found = new RegExp(`;${name}=(?:"([^"]*)"|([^;:"]*))`, 'i').exec(property.params);
  return found?.[1] ?? found?.[2];
}

/** Folds a content line (of ASCII, or of octets as Latin-1). */
export function fold(text: string, lineEnd: string): string {
  const parts = [text.slice(0, MAX_OCTETS)];
  for (let at = MAX_OCTETS; at < text.length; at += MAX_OCTETS - 1)
    parts.push(` ${text.slice(at, at + MAX_OCTETS - 1)}`);
  return parts.map((part) => part + lineEnd).join('');
}

export function lineEndOf(line: RawLine | undefined): string {
  return /(?:\r\n|\n|\r)$/.exec(line?.raw ?? '')?.[0] ?? '\r\n';
}

/** The whole text with properties of one event set: in place where they are, else before its alarms or its end. */
export function withProperties(
  lines: readonly RawLine[],
  event: RawEvent,
  values: Readonly<Record<string, string>>,
): string {
  const raws = lines.map(({ raw }) => raw);
  const lineEnd = lineEndOf(lines[event.begin]);
  const added: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    const line = fold(`${name}:${value}`, lineEnd);
    const [first, ...more] = event.properties.filter((property) => property.name === name);
    if (first === undefined) added.push(line);
    else raws[first.at] = line;
    // Only one of each may be (RFC 5545 §3.6.1); a second one would speak against it.
    for (const { at } of more) raws[at] = '';
  }
  const before = (event.properties.at(-1)?.at ?? event.begin) + 1;
  raws.splice(before, 0, ...added);
  return raws.join('');
}

/** The whole text with an event put in after another one. */
export function withEventAfter(lines: readonly RawLine[], event: RawEvent, added: readonly string[]): string {
  const raws = lines.map(({ raw }) => raw);
  raws.splice(event.end + 1, 0, ...added);
  return raws.join('');
}
