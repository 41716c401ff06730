/**
 * A small reader of XML for what CalDAV servers answer. Answers come from outside and may be large or made to hurt, and
 * they are read on the thread that opens doors; so the reader stops for breath every few milliseconds and holds to limits
 * of depth, count and length. It knows namespaces by their names, not their prefixes. It knows no DTD: a DOCTYPE is
 * refused, so there are no entities to blow up and nothing outside is ever fetched.
 *
 * Why not a package: a general parser works in one go. fast-xml-parser 5.12.1 took 50 ms for the 300 kB that list 1,000
 * calendars and 150 ms for a resource of 1 MB. It is the witness of this reader's tests instead.
 */
import { setImmediate as breath } from 'node:timers/promises';

export interface XmlElement {
  /** Namespace and local name in Clark's notation: `{DAV:}href`. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** All text directly in it, exactly as written, entities resolved. */
  readonly text: string;
}
export interface XmlFault {
  readonly fault: string;
}
export interface XmlLimits {
  readonly maxDepth: number;
  readonly maxElements: number;
  readonly maxAttributes: number;
}

/** The deepest answer of the standards has some ten levels. */
export const XML_LIMITS: XmlLimits = { maxDepth: 64, maxElements: 1_000_000, maxAttributes: 64 };
/** Work between two breaths. */
const SLICE_MS = 4;
/** Tags between two looks at the clock. */
const TAGS_PER_LOOK = 128;
/** Text is resolved in pieces, so that a huge one does not hold up the thread. */
const MAX_TEXT_STEP = 1 << 15;
/** `&` to `;`. */
const MAX_ENTITY = 40;
/** A tag with its attributes. */
const MAX_TAG = 1 << 16;
/** Prefixes in force at one place. */
const MAX_SCOPE = 256;
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

/** Reads a whole document. Never throws: what is not well-formed is a fault. */
export async function readXml(source: string, limits: XmlLimits = XML_LIMITS): Promise<XmlElement | XmlFault> {
  const reader = new Reader(source, limits);
  try {
    let untilMs = performance.now() + SLICE_MS;
    while (!reader.done) {
      reader.read(TAGS_PER_LOOK);
      if (performance.now() < untilMs) continue;
      await breath();
      untilMs = performance.now() + SLICE_MS;
    }
    return reader.root();
  } catch (error) {
    if (error instanceof Malformed) return { fault: error.message };
    throw error;
  }
}

export function isXmlFault(read: XmlElement | XmlFault): read is XmlFault {
  return 'fault' in read;
}

class Malformed extends Error {}

interface Open {
  readonly tag: string;
  readonly element: { name: string; attributes: Record<string, string>; children: XmlElement[]; text: string };
  readonly scope: ReadonlyMap<string, string>;
}

class Reader {
  private readonly source: string;
  private readonly limits: XmlLimits;
  private readonly open: Open[] = [];
  private first: XmlElement | undefined;
  private elements = 0;
  private at: number;
  /** Where the present text ends. */
  private mark = -1;
  /** Where the present CDATA section ends; -1 outside of one. */
  private cdataEnd = -1;

  constructor(source: string, limits: XmlLimits) {
    this.source = source;
    this.limits = limits;
    this.at = source.startsWith('\uFEFF') ? 1 : 0;
  }

  get done(): boolean {
    return this.at >= this.source.length;
  }

  root(): XmlElement {
    const unclosed = this.open.at(-1);
    if (unclosed !== undefined) throw new Malformed(`<${short(unclosed.tag)}> is never closed`);
    if (this.first === undefined) throw new Malformed('there is no element in it');
    return this.first;
  }

  /** Reads on until so many marks were met, or a long text was. */
  read(marks: number): void {
    let spent = 0;
    for (let left = marks; left > 0 && !this.done && spent < MAX_TEXT_STEP; left--) {
      const from = this.at;
      this.readOne();
      spent += this.at - from;
    }
  }

  private readOne(): void {
    const { source } = this;
    if (this.cdataEnd !== -1) this.readCdataPiece();
    else if (source.charCodeAt(this.at) !== 0x3c) this.readText();
    else if (source.startsWith('<!--', this.at)) this.skipPast('-->', 4);
    else if (source.startsWith('<![CDATA[', this.at)) this.readCdata();
    else if (source.startsWith('<?', this.at)) this.skipPast('?>', 2);
    else if (source.startsWith('<!', this.at)) throw new Malformed('it has a DOCTYPE, which is not accepted');
    else if (source.startsWith('</', this.at)) this.readEnd();
    else this.readStart();
  }

  private readText(): void {
    // A long text is taken in pieces; its end is looked for once.
    if (this.mark < this.at) {
      const found = this.source.indexOf('<', this.at);
      this.mark = found === -1 ? this.source.length : found;
    }
    const end = this.pieceOf(this.mark);
    const inside = this.open.at(-1);
    if (inside !== undefined) inside.element.text += resolve(this.source.slice(this.at, end));
    else if (/\S/.test(this.source.slice(this.at, Math.min(end, this.at + 1_000))))
      throw new Malformed('there is text outside of the elements');
    this.at = end;
  }

  /** Where to cut a long text: never within an entity or a line end. */
  private pieceOf(end: number): number {
    if (end - this.at <= MAX_TEXT_STEP) return end;
    let cut = this.at + MAX_TEXT_STEP;
    const entity = this.source.slice(cut - MAX_ENTITY, cut).lastIndexOf('&');
    if (entity !== -1) cut += entity - MAX_ENTITY;
    return this.source.charCodeAt(cut - 1) === 0x0d ? cut - 1 : cut;
  }

  private readCdata(): void {
    const inside = this.open.at(-1);
    const start = this.at + 9;
    const end = this.source.indexOf(']]>', start);
    if (inside === undefined || end === -1) throw new Malformed('a CDATA section is out of place or never closed');
    this.at = start;
    this.cdataEnd = end;
  }

  private readCdataPiece(): void {
    let end = Math.min(this.cdataEnd, this.at + MAX_TEXT_STEP);
    if (end < this.cdataEnd && this.source.charCodeAt(end - 1) === 0x0d) end--;
    const inside = this.open.at(-1);
    if (inside !== undefined) inside.element.text += lineEnds(this.source.slice(this.at, end));
    this.at = end;
    if (end !== this.cdataEnd) return;
    this.at += 3;
    this.cdataEnd = -1;
  }

  private skipPast(mark: string, from: number): void {
    const end = this.source.indexOf(mark, this.at + from);
    if (end === -1) throw new Malformed(`a ${mark === '?>' ? 'processing instruction' : 'comment'} is never closed`);
    this.at = end + mark.length;
  }

  private readEnd(): void {
    const end = this.source.indexOf('>', this.at);
    const closed = this.open.pop();
    const tag = this.source.slice(this.at + 2, end).trimEnd();
    if (end === -1 || closed === undefined || closed.tag !== tag)
      throw new Malformed(`</${short(tag)}> closes what is not open`);
    this.close(closed.element);
    this.at = end + 1;
  }

  private readStart(): void {
    const start = /<([^\s<>/='"]+)/y;
    start.lastIndex = this.at;
    const tag = start.exec(this.source)?.[1];
    if (tag === undefined) throw new Malformed('a tag has no name');
    if (this.first !== undefined) throw new Malformed('there is more than one element at the top');
    if (++this.elements > this.limits.maxElements)
      throw new Malformed(`it has more than ${this.limits.maxElements} elements`);
    if (this.open.length >= this.limits.maxDepth)
      throw new Malformed(`it is nested more than ${this.limits.maxDepth} deep`);
    this.at = start.lastIndex;
    const { attributes, empty } = this.readAttributes();
    const scope = scopeOf(attributes, this.open.at(-1)?.scope ?? NO_SCOPE);
    const element = { name: clark(tag, scope, true), attributes: plain(attributes, scope), children: [], text: '' };
    if (empty) this.close(element);
    else this.open.push({ tag, element, scope });
  }

  private readAttributes(): { attributes: Map<string, string>; empty: boolean } {
    const attributes = new Map<string, string>();
    const start = this.at;
    const next = /\s*(?:(\/?)>|([^\s<>/='"]+)\s*=\s*("[^"<]*"|'[^'<]*'))/y;
    for (;;) {
      next.lastIndex = this.at;
      const found = next.exec(this.source);
      if (found === null) throw new Malformed('a tag is not written well or never closed');
      this.at = next.lastIndex;
      if (this.at - start > MAX_TAG) throw new Malformed('a tag is too long');
      const [, slash, name, value] = found;
      if (name === undefined || value === undefined) return { attributes, empty: slash === '/' };
      if (attributes.has(name) || attributes.size >= this.limits.maxAttributes)
        throw new Malformed('a tag has an attribute twice, or too many');
      attributes.set(name, resolve(value.slice(1, -1)));
    }
  }

  private close(element: XmlElement): void {
    const outer = this.open.at(-1);
    if (outer === undefined) this.first = element;
    else outer.element.children.push(element);
  }
}

const NO_SCOPE: ReadonlyMap<string, string> = new Map([['xml', XML_NAMESPACE]]);

function scopeOf(
  attributes: ReadonlyMap<string, string>,
  outer: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  let scope: Map<string, string> | undefined;
  for (const [name, value] of attributes) {
    if (name !== 'xmlns' && !name.startsWith('xmlns:')) continue;
    scope ??= new Map(outer);
    scope.set(name === 'xmlns' ? '' : name.slice(6), value);
    if (scope.size > MAX_SCOPE) throw new Malformed('it has too many namespaces');
  }
  return scope ?? outer;
}

function clark(name: string, scope: ReadonlyMap<string, string>, isElement: boolean): string {
  const colon = name.indexOf(':');
  const prefix = colon === -1 ? '' : name.slice(0, colon);
  const namespace = prefix === '' && !isElement ? '' : scope.get(prefix);
  // The default namespace may be unset; a prefix must be bound.
  if (namespace === undefined && prefix !== '') throw new Malformed(`the prefix "${short(prefix)}" is not bound`);
  const local = name.slice(colon + 1);
  return namespace ? `{${namespace}}${local}` : local;
}

function plain(attributes: ReadonlyMap<string, string>, scope: ReadonlyMap<string, string>): Record<string, string> {
  const own: Record<string, string> = Object.create(null);
  for (const [name, value] of attributes)
    if (name !== 'xmlns' && !name.startsWith('xmlns:')) own[clark(name, scope, false)] = value;
  return own;
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function resolve(text: string): string {
  const even = lineEnds(text);
  if (!even.includes('&')) return even;
  return even.replace(
    /&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-zA-Z][\w.-]{0,31}))?(;?)/g,
    (all, hex, decimal, name, end) => {
      if (end !== ';') throw new Malformed('an & stands alone');
      if (name !== undefined) {
        const known = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
        if (known === undefined) throw new Malformed(`the entity ${short(all)} is not known`);
        return known;
      }
      if (hex === undefined && decimal === undefined) throw new Malformed('an & stands alone');
      const code = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal);
      if (!isCharacter(code)) throw new Malformed(`${short(all)} is no character`);
      return String.fromCodePoint(code);
    },
  );
}

/** XML 1.0 §2.11: line ends come out as LF; a carriage return that is meant is written as a reference. */
function lineEnds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/** XML 1.0 §2.2. */
function isCharacter(code: number): boolean {
  return (
    code === 0x9 ||
    code === 0xa ||
    code === 0xd ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  );
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

// --- Reading what was read ------------------------------------------------------------------------------------------

export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name);
}
export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}
/** Text of a child, trimmed; undefined where there is no such child. */
export function textOf(element: XmlElement | undefined, name: string): string | undefined {
  return childOf(element, name)?.text.trim();
}
/** For texts that go into a request. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
