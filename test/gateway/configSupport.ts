/** A small configuration to add to, and what loading it says. */
import { expect } from 'vitest';
import { z } from 'zod';
import { drivers } from '../../devices/registry.ts';
import { type ConfigFault, ConfigFaults, type DriverSpec, loadConfig } from '../../gateway/config/index.ts';

/** A driver that owns its port and so knows what its devices can do. */
const board: DriverSpec = {
  name: 'board',
  title: 'A relay board.',
  transport: 'port',
  schema: z.strictObject({ pins: z.array(z.strictObject({ capability: z.string(), pin: z.int().min(0) })).min(1) }),
  capabilities: (config: { pins: { capability: string }[] }) => config.pins.map(({ capability }) => capability),
};
const specs = [...drivers, board];

export const HEAD = `site: { id: s, name: S, timeZone: Europe/Berlin }
broker: { embedded: { port: 1883 } }
devices:
  - { id: lock-1, driver: native, password: long-enough }
  - { id: lock-2, driver: native, password: long-enough }
  - { id: room-1, driver: native, password: long-enough }
  - { id: board, driver: board, pins: [{ capability: relay, pin: 17 }] }
`;
export const LINES_OF_HEAD = 7;

const ENV = { EMPTY: '', SHORT: 'b', SECRET: 'hunter2hunter2', PORT: '9000' };
export function load(text: string, files: Readonly<Record<string, string>> = {}, cautions: ConfigFault[] = []) {
  const readFile = (name: string) => {
    const found = name.endsWith('/site.yaml') ? text : files[name];
    if (found === undefined) throw Object.assign(new Error(`no ${name}`), { code: 'ENOENT' });
    return found;
  };
  return loadConfig('/etc/doorward/site.yaml', {
    drivers: specs,
    env: ENV,
    readFile,
    caution: (caution) => cautions.push(caution),
  });
}
export function faultsOf(text: string, files?: Readonly<Record<string, string>>): ConfigFaults {
  try {
    load(text, files);
  } catch (error) {
    if (error instanceof ConfigFaults) return error;
    throw error;
  }
  throw new Error('the configuration was taken');
}

/** What is added after HEAD, and the only fault that is expected of it; line 1 is the first after HEAD. */
export interface Case {
  readonly name: string;
  readonly text: string;
  readonly line: number;
  readonly col?: number;
  readonly path: string;
  readonly found: string | undefined;
  readonly why: RegExp;
  readonly remedy: RegExp;
}

export function expectOnly({ text, line, col, path, found, why, remedy }: Case): void {
  expect(faultsOf(`${HEAD}${text}\n`).faults).toEqual([
    {
      file: '/etc/doorward/site.yaml',
      line: LINES_OF_HEAD + line,
      col: col ?? expect.any(Number),
      path,
      found,
      why: expect.stringMatching(why),
      remedy: expect.stringMatching(remedy),
    },
  ]);
}
