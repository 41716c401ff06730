/**
 * `${env:NAME}` and `${file:PATH}` in the configuration's strings. What they resolve to never appears in a message:
 * a fault names the variable or the file.
 */
import { type ConfigPath, type Finding, pathText } from './faults.ts';

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file whose path is relative to the configuration; throws when it cannot. */
  readonly readFile: (path: string) => string;
}

const REFERENCE = /\$\{([^}]*)\}/g;
const ENVIRONMENT = /^env:([A-Za-z_][A-Za-z0-9_]*)$/;
const FILE = /^file:(.+)$/;
/** Stands in for what could not be resolved, so that no second fault comes of it. */
const UNRESOLVED = 'unresolved';

export interface Resolved {
  /** A copy of the data with every reference resolved. */
  readonly data: unknown;
  /** What could not be resolved. */
  readonly findings: readonly Finding[];
  /** The same finding with nothing of a resolved value in its words. */
  redact(finding: Finding): Finding;
}

export function resolveSecrets(data: unknown, sources: SecretSources): Resolved {
  const findings: Finding[] = [];
  const resolved = new Map<string, string>();
  const walk = (value: unknown, path: ConfigPath): unknown => {
    if (typeof value === 'string') {
      const whole = resolveText(value, path, sources, findings);
      if (whole !== value) resolved.set(pathText(path), whole);
      return whole;
    }
    if (Array.isArray(value)) return value.map((item: unknown, index) => walk(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    // No prototype: a key called __proto__ is then a key like any other, and refused as unknown.
    const copy: Record<string, unknown> = Object.create(null);
    for (const [key, item] of Object.entries(value)) copy[key] = walk(item, [...path, key]);
    return copy;
  };
  return {
    data: walk(data, []),
    findings,
    redact(finding) {
      const value = resolved.get(pathText(finding.path));
      if (value === undefined) return finding;
      return { ...finding, why: without(value, finding.why), remedy: without(value, finding.remedy) };
    },
  };
}

const HIDDEN = '(hidden)';
/** A shorter value would be found in the middle of ordinary words, and the gap would tell it. */
const SHORTEST_UNQUOTED_CHARS = 6;
function without(value: string, text: string): string {
  // Messages quote parts of a value, too: the device of `device/capability`.
  const quoted = text.replace(/“([^”]*)”/g, (whole, part: string) => (value.includes(part) ? HIDDEN : whole));
  return value.length < SHORTEST_UNQUOTED_CHARS ? quoted : quoted.replaceAll(value, HIDDEN);
}

function resolveText(text: string, path: ConfigPath, sources: SecretSources, findings: Finding[]): string {
  return text.replace(REFERENCE, (_whole, reference: string) => {
    const result = lookUp(reference, sources);
    if ('value' in result) return result.value;
    findings.push({ path, why: result.why, remedy: result.remedy });
    return UNRESOLVED;
  });
}

function lookUp(
  reference: string,
  sources: SecretSources,
): { readonly value: string } | { readonly why: string; readonly remedy: string } {
  const name = ENVIRONMENT.exec(reference)?.[1];
  if (name !== undefined) {
    const value = sources.env[name];
    if (value !== undefined && value !== '') return { value };
    const why = value === undefined ? 'is not set' : 'is set but empty';
    return {
      why: `The environment variable ${name} ${why}.`,
      remedy: `Set ${name} before the start, e.g. export ${name}=…, or in the service’s EnvironmentFile.`,
    };
  }
  const file = FILE.exec(reference)?.[1];
  if (file === undefined) {
    return {
      why: `\${${reference}} is not a reference that is known here.`,
      remedy: `Write \${env:NAME} for an environment variable or \${file:PATH} for a file.`,
    };
  }
  try {
    const value = sources.readFile(file).replace(/\r?\n$/, '');
    if (value !== '') return { value };
    return { why: `The file ${file} is empty.`, remedy: `Write the value into ${file}.` };
  } catch (error) {
    return {
      why: `The file ${file} cannot be read: ${errorCode(error)}.`,
      remedy: 'Check the path (relative to the configuration file), its owner and its permissions.',
    };
  }
}

/** `ENOENT` and the like; the message itself would repeat an absolute path. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.message : String(error);
}
