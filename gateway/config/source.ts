/** The YAML text with its positions: which line and column a path of the data stands on, and what is written there. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
} from 'yaml';
import type { ConfigFault, ConfigPath, Finding } from './faults.ts';
import { pathText } from './faults.ts';

/** Far above any real site (1,000 devices take 100 KiB); keeps a wrong file from eating the memory. */
export const MAX_CONFIG_CHARS = 4_000_000;
/** Anchors spare repeating settings in each room; more uses than this is an attack or a mistake. */
const MAX_ALIASES = 10_000;
const LONGEST_FOUND_CHARS = 80;
const SECRET_WORD = /password|secret|token|bearer/i;
/** Addresses of calendars carry their secret in the path. */
const SECRET_ADDRESS = /^(url|releaseUrl)$/;

interface Spot {
  readonly offset: number;
  /** Undefined when nothing is written at that path. */
  readonly node: unknown;
}

export class ConfigSource {
  readonly file: string;
  private readonly text: string;
  private readonly document: Document;
  private readonly lines: LineCounter;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    this.lines = new LineCounter();
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false, merge: true, strict: true });
  }

  /** Faults of the text itself. Duplicate keys leave the rest readable, other faults do not. */
  syntaxFaults(): { readonly faults: readonly ConfigFault[]; readonly readable: boolean } {
    const faults: ConfigFault[] = [];
    let readable = true;
    for (const error of [...this.document.errors, ...this.document.warnings]) {
      const place = this.lines.linePos(error.pos[0]);
      const duplicate = error.code === 'DUPLICATE_KEY';
      if (!duplicate) readable = false;
      faults.push({
        file: this.file,
        line: place.line,
        col: place.col,
        path: duplicate ? this.pathAt(error.pos[0]) : '',
        found: duplicate ? undefined : this.lineText(place.line),
        why: duplicate ? 'This key stands here twice.' : `This is not YAML: ${sentence(error.message)}`,
        remedy: duplicate ? 'Keep one of the two.' : yamlRemedy(error.code),
      });
    }
    return { faults, readable };
  }

  /** A line of the file; a secret that stands in it is hidden. */
  private lineText(line: number): string {
    const from = this.lines.lineStarts[line - 1] ?? 0;
    const written = this.text.slice(from, this.lines.lineStarts[line] ?? this.text.length).trim();
    if (SECRET_WORD.test(written)) return '(hidden: the line may hold a secret)';
    return cut(written);
  }

  /** The data as plain values; null for an empty file. Throws when aliases run away. */
  data(): unknown {
    return this.document.toJS({ maxAliasCount: MAX_ALIASES });
  }

  /** Puts a finding in its place. */
  fault(finding: Finding): ConfigFault {
    const spot = this.spot(finding.path, finding.key === true);
    const place = this.lines.linePos(spot.offset);
    return {
      file: this.file,
      line: Math.max(place.line, 1),
      col: Math.max(place.col, 1),
      path: pathText(finding.path),
      found: this.found(finding.path, spot.node),
      why: finding.why,
      remedy: finding.remedy,
    };
  }

  /** What is written at a path, on one line, cut when long; secrets are hidden. */
  private found(path: ConfigPath, node: unknown): string {
    if (node === undefined) return 'nothing';
    const resolved = isAlias(node) ? node.resolve(this.document) : node;
    if (isMap(resolved)) return `a group of keys: ${resolved.items.map((pair) => keyOf(pair)).join(', ')}`;
    if (isSeq(resolved)) return `a list of ${resolved.items.length}`;
    const value = isScalar(resolved) ? resolved.value : undefined;
    if (value === null || value === undefined) return 'nothing';
    const isReference = typeof value === 'string' && /\$\{[^}]*\}/.test(value);
    if (!isReference && path.some((part) => typeof part === 'string' && SECRET_WORD.test(part))) return '(hidden)';
    const last = path.at(-1);
    if (path[1] === 'sources' && typeof last === 'string' && SECRET_ADDRESS.test(last)) return host(value);
    const written = JSON.stringify(value) ?? String(value);
    return cut(written);
  }

  /** The deepest thing written along the path; for a missing key that is the group it is missing from. */
  private spot(path: ConfigPath, key: boolean): Spot {
    let node: unknown = this.document.contents;
    let offset = start(node) ?? 0;
    for (const [depth, part] of path.entries()) {
      const inner: unknown = isAlias(node) ? node.resolve(this.document) : node;
      const pair = isMap(inner) ? findPair(inner.items, part) : undefined;
      if (key && depth === path.length - 1 && pair !== undefined) {
        return { offset: start(pair.key) ?? offset, node: pair.value };
      }
      const next: unknown = isSeq(inner) && typeof part === 'number' ? inner.items[part] : pair?.value;
      if (next === undefined || next === null) return { offset: start(pair?.key) ?? offset, node: undefined };
      node = next;
      offset = start(next) ?? offset;
    }
    return { offset, node };
  }

  /** The path of the key that stands at an offset. */
  private pathAt(offset: number): string {
    const search = (node: unknown, path: ConfigPath): ConfigPath | undefined => {
      if (isMap(node)) {
        for (const pair of node.items) {
          const here = [...path, keyOf(pair)];
          if (start(pair.key) === offset) return here;
          const deeper = search(pair.value, here);
          if (deeper !== undefined) return deeper;
        }
      } else if (isSeq(node)) {
        for (const [index, item] of node.items.entries()) {
          const deeper = search(item, [...path, index]);
          if (deeper !== undefined) return deeper;
        }
      }
      return undefined;
    };
    return pathText(search(this.document.contents, []) ?? []);
  }
}

/** The part of an address that is no secret. */
function host(value: unknown): string {
  const text = String(value);
  return URL.canParse(text) ? `"${new URL(text).protocol}//${new URL(text).host}…"` : '(hidden)';
}

function cut(written: string): string {
  return written.length > LONGEST_FOUND_CHARS ? `${written.slice(0, LONGEST_FOUND_CHARS)}…` : written;
}

function start(node: unknown): number | undefined {
  if (isScalar(node) || isCollection(node) || isAlias(node)) return node.range?.[0];
  return undefined;
}

function keyOf(pair: Pair<unknown, unknown>): string {
  return String(isScalar(pair.key) ? pair.key.value : pair.key);
}

function findPair(pairs: readonly Pair<unknown, unknown>[], part: string | number): Pair<unknown, unknown> | undefined {
  return pairs.find((pair) => keyOf(pair) === String(part));
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

function yamlRemedy(code: string): string {
  switch (code) {
    case 'BAD_INDENT':
    case 'TAB_AS_INDENT':
      return 'Indent with spaces, two for each level, and keep the entries of one group in one column.';
    case 'MISSING_CHAR':
    case 'BAD_COLLECTION_ITEM':
    case 'UNEXPECTED_TOKEN':
      return 'Look for a missing quote, bracket, colon or comma here or on the line above.';
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'Look for a missing colon or quote here or on the line above.';
    case 'MULTIPLE_DOCS':
      return 'Keep one document in the file: remove the `---` and what follows it.';
    default:
      return 'Mend the line; an editor with YAML support marks the place.';
  }
}
