/** What is wrong with a configuration, for people: where, what was found, why it is wrong and what to do. */
import { Fault } from '../core/errors.ts';

export type ConfigPath = readonly (string | number)[];

export interface ConfigFault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly col: number;
  /** E.g. `rooms[2].devices.presence[0]`; empty for the file itself. */
  readonly path: string;
  /** The value as it stands in the file, never a resolved secret; absent for a key that stands twice. */
  readonly found?: string | undefined;
  readonly why: string;
  readonly remedy: string;
}

/** A fault before its place in the file is known. */
export interface Finding {
  readonly path: ConfigPath;
  /** The fault is about the key that the path ends in, not about its value. */
  readonly key?: boolean | undefined;
  readonly why: string;
  readonly remedy: string;
}

export function pathText(path: ConfigPath): string {
  let text = '';
  for (const part of path) {
    text += typeof part === 'number' ? `[${part}]` : `${text === '' ? '' : '.'}${part}`;
  }
  return text;
}

export function faultText(fault: ConfigFault): string {
  const lines = [`${fault.file}:${fault.line}:${fault.col}  ${fault.path === '' ? '(whole file)' : fault.path}`];
  if (fault.found !== undefined) lines.push(`    found:  ${fault.found}`);
  lines.push(`    fault:  ${fault.why}`, `    remedy: ${fault.remedy}`);
  return lines.join('\n');
}

/** Every fault of one configuration file, at once. */
export class ConfigFaults extends Fault {
  readonly faults: readonly ConfigFault[];
  /** For people: one block a fault, in the order of the file. */
  readonly text: string;
  constructor(file: string, faults: readonly ConfigFault[]) {
    const sorted = [...faults].sort((a, b) => a.line - b.line || a.col - b.col);
    const count = `${sorted.length} ${sorted.length === 1 ? 'fault' : 'faults'} in ${file}`;
    super('config_invalid', count);
    this.name = 'ConfigFaults';
    this.faults = sorted;
    this.text = `${count}\n\n${sorted.map(faultText).join('\n\n')}`;
  }
}
