/** The house rules, held as an ordinary test: who may import whom, no circles, a pure core, files of a readable length. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.(ts|svelte|mjs)$/.test(file) && !file.endsWith('.d.ts'));
const sources = new Map(
  tracked.flatMap((file) => {
    try {
      return [[file, readFileSync(join(root, file), 'utf8')] as const];
    } catch {
      return []; // deleted, not yet committed
    }
  }),
);

interface Import {
  readonly from: string;
  /** A path in the tree, or a package's name. */
  readonly to: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
  for (const match of text.matchAll(pattern)) {
    const target = match[2] ?? match[3] ?? '';
    const to = target.startsWith('.') ? normalize(join(dirname(file), target)) : target;
    found.push({ from: file, to, typeOnly: match[1] !== undefined });
  }
  return found;
}

const imports = [...sources].flatMap(([file, text]) => importsOf(file, text));
const isPackage = (target: string) =>
  !/^(gateway|devices|dashboard|test|bench|config|\.ci)\//.test(target) &&
  !target.startsWith('..') &&
  target !== 'package.json';
const packageName = (target: string) =>
  target.startsWith('node:')
    ? target
    : target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/');

interface Rule {
  /** Files this row of the table speaks of. */
  readonly room: RegExp;
  /** What they may import of ours, beside their own folder. `type` marks what only types may come from. */
  readonly ours: readonly RegExp[];
  readonly types?: readonly RegExp[];
  /** Packages; node's own modules unless said otherwise. */
  readonly packages: readonly RegExp[];
}

const NODE = /^node:/;
const CORE = /^gateway\/core\//;
const DRIVER = /^devices\/driver\.ts$/;
const STORE_TYPES = /^gateway\/store\/types\.ts$/;
const LOOP_TYPES = /^gateway\/loop\/types\.ts$/;

/** ARCHITECTURE's table, with the changes of docs/adr. */
const RULES: readonly Rule[] = [
  { room: /^gateway\/core\//, ours: [], packages: [] },
  { room: /^gateway\/loop\//, ours: [CORE], types: [STORE_TYPES], packages: [NODE] },
  { room: /^gateway\/store\//, ours: [CORE], packages: [NODE, /^better-sqlite3$/] },
  {
    room: /^gateway\/devicehost\//,
    ours: [CORE, DRIVER, /^devices\/registry\.ts$/],
    types: [LOOP_TYPES, /^gateway\/bus\/types\.ts$/],
    packages: [NODE],
  },
  {
    room: /^gateway\/broker\//,
    ours: [/^gateway\/core\/errors\.ts$/],
    packages: [NODE, /^aedes/, /^mqemitter$/, /^mqtt-packet$/],
  },
  {
    room: /^gateway\/bus\//,
    ours: [/^gateway\/core\/errors\.ts$/],
    types: [CORE, LOOP_TYPES],
    packages: [NODE, /^mqtt$/],
  },
  {
    room: /^gateway\/calendars\//,
    ours: [CORE],
    types: [STORE_TYPES, LOOP_TYPES],
    packages: [NODE, /^temporal-polyfill$/, /^undici$/, /^tsdav$/, /^windows-iana$/, /^pino$/],
  },
  {
    room: /^gateway\/telemetry\//,
    ours: [CORE],
    types: [STORE_TYPES, LOOP_TYPES],
    packages: [NODE, /^influx$/, /^prom-client$/],
  },
  {
    room: /^gateway\/api\//,
    ours: [CORE, /^gateway\/wire\//],
    types: [STORE_TYPES, LOOP_TYPES],
    packages: [NODE, /^fastify/, /^@fastify\//, /^zod$/, /^@node-rs\/argon2$/, /^pino$/, /^openapi-types$/],
  },
  { room: /^gateway\/wire\//, ours: [], packages: [/^zod$/] },
  { room: /^gateway\/config\//, ours: [CORE], types: [DRIVER], packages: [NODE, /^zod$/, /^yaml$/] },
  {
    room: /^devices\/(native|gpio|serial|blueprint)\//,
    ours: [DRIVER, CORE],
    packages: [NODE, /^zod$/, /^onoff$/, /^serialport$/],
  },
  { room: /^devices\/driver\.ts$/, ours: [], types: [CORE], packages: [/^zod$/] },
  { room: /^devices\/registry\.ts$/, ours: [/^devices\/(native|gpio|serial)\//, DRIVER], packages: [] },
  { room: /^devices\/simulator\//, ours: [], types: [CORE], packages: [NODE, /^mqtt$/, /^serialport$/] },
  {
    room: /^dashboard\//,
    ours: [],
    types: [/^gateway\/wire\//],
    packages: [/^svelte/, /^uplot/, /^vite$/, /^@sveltejs\//, NODE],
  },
];

function faultsOf(rule: Rule): string[] {
  const folder = /^(gateway|devices)\/[a-z]+\/|^dashboard\//;
  return imports
    .filter(
      (entry) => rule.room.test(entry.from) && (entry.from.startsWith('dashboard/') || !entry.from.endsWith('.mjs')),
    )
    .filter((entry) => {
      if (isPackage(entry.to)) return !rule.packages.some((allowed) => allowed.test(packageName(entry.to)));
      if (folder.exec(entry.from)?.[0] !== undefined && folder.exec(entry.from)?.[0] === folder.exec(entry.to)?.[0])
        return false;
      if (rule.ours.some((allowed) => allowed.test(entry.to))) return false;
      return !(entry.typeOnly && rule.types?.some((allowed) => allowed.test(entry.to)));
    })
    .map((entry) => `${entry.from} imports ${entry.to}${entry.typeOnly ? ' (types)' : ''}`);
}

describe('the house', () => {
  it('has files to look at', () => {
    expect(sources.size).toBeGreaterThan(50);
    for (const rule of RULES)
      expect(
        tracked.some((file) => rule.room.test(file)),
        String(rule.room),
      ).toBe(true);
  });

  for (const rule of RULES) {
    it(`${rule.room.source} imports only what the table allows`, () => {
      expect(faultsOf(rule)).toEqual([]);
    });
  }

  it('speaks mqtt, aedes, influx and SQLite each in one place', () => {
    const only: Readonly<Record<string, RegExp>> = {
      mqtt: /^(gateway\/bus|devices\/simulator|test|bench)\//,
      aedes: /^(gateway\/broker|test|bench)\//,
      influx: /^(gateway\/telemetry|test|bench)\//,
      'better-sqlite3': /^gateway\/store\/(sqlite|database)\.ts$/,
      fastify: /^(gateway\/api|test|bench)\//,
      onoff: /^(devices\/gpio|test)\//,
      serialport: /^(devices\/serial|devices\/simulator|test)\//,
    };
    const astray = imports.filter((entry) => only[packageName(entry.to)]?.test(entry.from) === false);
    expect(astray.map((entry) => `${entry.from} imports ${entry.to}`)).toEqual([]);
  });

  it('has main imported by the command line alone', () => {
    const importers = imports.filter((entry) => entry.to === 'gateway/main.ts').map((entry) => entry.from);
    expect(importers.filter((file) => !/^(gateway\/cli\.ts|gateway\/cli\/|test\/|bench\/)/.test(file))).toEqual([]);
  });

  it('has no import circle', () => {
    const graph = new Map<string, string[]>();
    for (const entry of imports) {
      if (isPackage(entry.to)) continue;
      graph.set(entry.from, [...(graph.get(entry.from) ?? []), entry.to]);
    }
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (file: string, path: readonly string[]) => {
      if (path.includes(file)) {
        circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) walk(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) walk(file, []);
    expect(circles).toEqual([]);
  });

  it('keeps clock, chance, timers, processes and promises out of the core', () => {
    const forbidden =
      /Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|setImmediate|\bprocess\.|\basync\b|\bawait\b|console\.|performance\./;
    const impure = [...sources].filter(([file]) => CORE.test(file)).filter(([, text]) => forbidden.test(text));
    expect(impure.map(([file]) => file)).toEqual([]);
  });

  it('keeps files within 400 lines, tables of tests within 500', () => {
    const long = [...sources]
      .map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }))
      .filter(({ file, lines }) => lines > (file.startsWith('test/') ? 500 : 400));
    expect(long).toEqual([]);
  });

  it('sets no test aside and lets none sleep', () => {
    const tests = [...sources].filter(([file]) => file.startsWith('test/') && file !== 'test/tidy.test.ts');
    const faults = tests.filter(([, text]) =>
      /\b(it|test|describe)\.(only|skip|todo)\(|setTimeout\([^,)]*resolve|await (sleep|delay)\(/.test(text),
    );
    expect(faults.map(([file]) => file)).toEqual([]);
  });
});
