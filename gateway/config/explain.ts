/** Turns what zod says of a value into what a person needs: why it is wrong and what to write instead. */
import type { z } from 'zod';
import type { ConfigPath, Finding } from './faults.ts';
import { BINDING_PATTERN, ID_PATTERN } from './fields.ts';
import { type JsonSchema, knownKeys, schemaAt } from './json-schema.ts';
import { nearest, oneOf } from './nearest.ts';

type Issue = z.core.$ZodIssue;

/**
 * `schema` describes the data whose issue it is, `data` is that data, `prefix` is where it stands in the file.
 * An unknown key is a finding of its own.
 */
export function explain(issue: Issue, schema: JsonSchema, data: unknown, prefix: ConfigPath = []): Finding[] {
  const inner = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  const path = [...prefix, ...inner];
  const described = schemaAt(schema, inner);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(described);
    return issue.keys.map((key) => unknownKey(path, key, known));
  }
  if (issue.code === 'invalid_union') {
    // The branch that got furthest says most.
    const branch = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0]?.[0];
    if (branch !== undefined)
      return explain({ ...branch, path: [...issue.path, ...branch.path] }, schema, data, prefix);
  }
  const value = valueAt(data, inner);
  if (value === undefined && issue.code !== 'custom') {
    return [{ path, why: `${keyName(path)} is missing.`, remedy: missingRemedy(path, described) }];
  }
  const { why, remedy } = reason(issue, value);
  return [{ path, why, remedy: remedy ?? wordsRemedy(described) }];
}

export function unknownKey(path: ConfigPath, key: string, known: readonly string[]): Finding {
  const meant = nearest(key, known);
  return {
    path: [...path, key],
    key: true,
    why: `There is no key “${key}” here.`,
    remedy:
      meant === undefined
        ? `Remove it; known here: ${known.length > 0 ? known.join(', ') : 'none'}.`
        : `Did you mean “${meant}”? Otherwise remove it; known here: ${known.join(', ')}.`,
  };
}

function reason(issue: Issue, value: unknown): { why: string; remedy?: string | undefined } {
  switch (issue.code) {
    case 'invalid_type':
      return {
        why: `Expected ${typeName(issue.expected)}, found ${typeName(typeOf(value))}.`,
        remedy: quotesRemedy(issue.expected, value),
      };
    case 'invalid_value': {
      const known = issue.values.map(String);
      const meant = typeof value === 'string' ? nearest(value, known) : undefined;
      const hint = meant === undefined ? '' : `Did you mean “${meant}”? `;
      return { why: 'This is none of the possible values.', remedy: `${hint}Use ${oneOf(known)}.` };
    }
    case 'too_small':
      return size(issue.origin, 'at least', Number(issue.minimum), 'Too');
    case 'too_big':
      return size(issue.origin, 'at most', Number(issue.maximum), 'Too');
    case 'invalid_format':
      return {
        why: issue.message.startsWith('Invalid') ? 'Not written in the expected form.' : sentence(issue.message),
        remedy: formatRemedy(issue),
      };
    default:
      return { why: sentence(issue.message) };
  }
}

/** Drivers' own checks say half a sentence: `is used twice: pins[0] has it too`. */
function sentence(message: string): string {
  const start = /^(is|has|must|belongs|cannot|needs)\b/.test(message) ? `This ${message}` : message;
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

function size(origin: string, bound: 'at least' | 'at most', limit: number, too: string) {
  if (origin === 'string') {
    return {
      why: `${too} ${bound === 'at least' ? 'short' : 'long'}.`,
      remedy: `Use ${bound} ${count(limit, 'character')}.`,
    };
  }
  if (origin === 'array' || origin === 'set') {
    return {
      why: `${too} ${bound === 'at least' ? 'few' : 'many'} entries.`,
      remedy: `Give ${bound} ${count(limit, 'entry')}.`,
    };
  }
  return { why: `${too} ${bound === 'at least' ? 'small' : 'large'}.`, remedy: `Use ${bound} ${limit}.` };
}

/** The value itself is not repeated: it may have come out of a reference. */
function quotesRemedy(expected: string, value: unknown): string | undefined {
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) return 'Put it in quotes.';
  if (typeof value !== 'string') return undefined;
  if (['number', 'int'].includes(expected) && value.trim() !== '' && Number.isFinite(Number(value))) {
    return 'Write the number without quotes.';
  }
  if (expected === 'boolean' && /^(true|false|yes|no|on|off)$/i.test(value))
    return 'Write true or false, without quotes.';
  return undefined;
}

function count(amount: number, noun: string): string {
  if (amount === 1) return `1 ${noun}`;
  return `${amount} ${noun === 'entry' ? 'entries' : `${noun}s`}`;
}

function formatRemedy(issue: Issue): string | undefined {
  const pattern = 'pattern' in issue ? issue.pattern : undefined;
  if (pattern === String(ID_PATTERN)) return 'Use 1 to 40 of a-z, 0-9 and -, e.g. consult-1.';
  if (pattern === String(BINDING_PATTERN)) return 'Write `device` or `device/capability`, e.g. room-1/relay-2.';
  return undefined;
}

function missingRemedy(path: ConfigPath, described: JsonSchema | undefined): string {
  const example = exampleOf(described);
  const shown = example === undefined ? '' : `, e.g. \`${String(path.at(-1) ?? '')}: ${example}\``;
  return `Add it${shown}. ${descriptionOf(described)}`.trim();
}

function wordsRemedy(described: JsonSchema | undefined): string {
  const example = exampleOf(described);
  const shown = example === undefined ? '' : ` E.g. ${example}.`;
  return `${descriptionOf(described) || 'See the examples in config/.'}${shown}`;
}

function exampleOf(described: JsonSchema | undefined): string | undefined {
  const examples = described?.examples;
  const example: unknown = Array.isArray(examples) ? examples[0] : described?.default;
  if (typeof example === 'string') return example.startsWith('${') ? `"${example}"` : example;
  return typeof example === 'number' || typeof example === 'boolean' ? String(example) : undefined;
}

function descriptionOf(described: JsonSchema | undefined): string {
  return typeof described?.description === 'string' ? described.description : '';
}

function keyName(path: ConfigPath): string {
  const last = path.at(-1);
  if (last === undefined) return 'The configuration';
  return typeof last === 'number' ? 'This entry' : `The key “${last}”`;
}

function depth(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}

function valueAt(data: unknown, path: ConfigPath): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
  null: 'nothing',
};
function typeName(type: string): string {
  return TYPE_NAMES[type] ?? type;
}
