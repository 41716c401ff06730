/** The documentation says what the program does: links, commands, configuration keys, alarms, metrics and roles. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PERMISSIONS } from '../../gateway/api/access.ts';
import { createMetrics } from '../../gateway/telemetry/metrics.ts';
import * as wire from '../../gateway/wire/index.ts';
import { doorward } from './cliSupport.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

/** A heading's anchor as code hosts make it. */
function anchors(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(page: string): string[] {
  const prose = read(page).replace(/^```[\s\S]*?^```$/gm, '');
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : relative(root, join(root, dirname(page), path));
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchors(target).includes(anchor);
  });
}

/** Every `doorward …` that a reader may type, in code blocks and between backticks. */
function commandsOf(page: string): string[] {
  const text = read(page);
  const blocks = [...text.matchAll(/^\s*```sh\n([\s\S]*?)```/gm)].map((match) => match[1] ?? '').join('\n');
  const typed = [...blocks.matchAll(/(?:npx doorward|doorward\.mjs) ([^\n)|;>]*)/g)];
  const quoted = [...text.matchAll(/`(?:npx )?doorward ([a-z][^`\n]*)`/g)];
  return [...typed, ...quoted].map((match) => (match[1] ?? '').trim()).filter((words) => /^[a-z]/.test(words));
}

/** The words of a command that name it: `user add` of `user add NAME --role R`. */
const nameOf = (typed: string) => (/^[a-z]+(?: (?:[a-z]+)(?= |$))?/.exec(typed)?.[0] ?? '').split(' ');
const GROUPS = new Set(['member', 'badge', 'user', 'token', 'booking', 'calendar', 'audit', 'time']);

describe('the documentation', () => {
  it.each(pages)('%s links to what is there', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it('names only commands and options that the program has', async () => {
    const wrong: string[] = [];
    const helps = new Map<string, string>();
    for (const page of pages) {
      for (const typed of commandsOf(page)) {
        const [first = '', second] = nameOf(typed);
        const name = GROUPS.has(first) && second !== undefined ? [first, second] : [first];
        const key = name.join(' ');
        if (!helps.has(key)) {
          const { code, out } = await doorward([...name, '--help']);
          helps.set(key, code === 0 && out.startsWith(`Usage: doorward ${key} `) ? out : '');
        }
        const help = helps.get(key) ?? '';
        const options = typed.match(/(?<= )--[a-z-]+/g) ?? [];
        if (help === '' || options.some((option) => !help.includes(`${option} `) && !help.includes(`${option}\n`))) {
          wrong.push(`${page}: doorward ${typed}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(helps.size).toBeGreaterThan(15);
  });

  it('shows a newcomer the two commands, and what then is to be seen', () => {
    const readme = read('README.md');
    expect(readme).toMatch(/^npm start$/m);
    expect(readme).toMatch(/^npm test$/m);
    expect(readme).toMatch(/^READY http/m);
    expect(readme).toContain('](docs/pictures/dashboard.png)');
  });

  it('has pictures that a page can carry', () => {
    for (const file of readdirSync(join(root, 'docs', 'pictures'))) {
      expect(readFileSync(join(root, 'docs', 'pictures', file)).length, file).toBeLessThan(300_000);
    }
  });
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly default?: unknown;
}

/** Every key that holds a value, with its default; the keys of drivers apart. */
function keysOf(schema: Schema, path = ''): [string, unknown][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]): [string, unknown][] => {
    const key = `${path}${name}`;
    const below = inner.items?.properties === undefined ? inner : inner.items;
    const prefix = inner.items?.properties === undefined ? `${key}.` : `${key}[].`;
    return below.properties === undefined ? [[key, inner.default]] : keysOf(below, prefix);
  });
}

describe('docs/configuration.md', () => {
  const schema = JSON.parse(read('config/doorward.schema.json')) as Schema;
  const { devices, ...others } = schema.properties ?? {};
  const rows = new Map(
    [...read('docs/configuration.md').matchAll(/^\| `([a-zA-Z0-9.[\]]+)` \| (?:[^|\n]|\\\|)* \| ([^|\n]*) \|/gm)].map(
      (match) => [match[1] ?? '', match[2]?.trim() ?? ''],
    ),
  );
  const keys = keysOf({ properties: others });

  it('explains every key, and no other', () => {
    const explained = [...rows.keys()].filter((key) => key.includes('.'));
    expect(explained.sort()).toEqual(keys.map(([key]) => key).sort());
  });

  it.each(keys.filter(([, value]) => typeof value === 'number' || typeof value === 'string'))(
    'says the default of %s',
    (key, value) => {
      expect(rows.get(key)).toBe(`\`${value}\``);
    },
  );

  it('names every driver and the keys of its devices', () => {
    const text = read('docs/configuration.md');
    for (const form of devices?.items?.oneOf ?? []) {
      for (const key of Object.keys(form.properties ?? {})) expect(text).toContain(`\`${key}\``);
    }
  });
});

describe('docs/operations.md', () => {
  const text = read('docs/operations.md');
  it('says of every kind of alarm what it means and what to do', () => {
    const source = /export type AlarmKind =([^;]*);/.exec(read('gateway/core/effects.ts'))?.[1] ?? '';
    const kinds = [...source.matchAll(/'([a-z_]+)'/g)].map((match) => match[1]);
    expect(kinds.length).toBeGreaterThan(15);
    const section = text.slice(text.indexOf('\n## Alarms'), text.indexOf('\n## When something is wrong'));
    const explained = [...section.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1]);
    expect(explained.sort()).toEqual(kinds.sort());
  });

  it('names only metrics that there are', async () => {
    const metrics = createMetrics();
    metrics.watchOutbox({ size: 0, dropped: 0, refused: 0 });
    metrics.watchCalendars(
      () => [],
      () => 0,
    );
    const there = await metrics.text();
    const section = text.slice(text.indexOf('| metric |'), text.indexOf('These three addresses'));
    const named = [...section.matchAll(/`([a-z_]+)(?:\{[a-z,]+\})?`/g)].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !there.includes(`# HELP doorward_${name} `))).toEqual([]);
  });
});

describe('docs/api.md', () => {
  it('lists every role', () => {
    const text = read('docs/api.md');
    const section = text.slice(text.indexOf('### Roles'), text.indexOf('### The live stream'));
    const listed = [...section.matchAll(/^\| `([a-z]+)` \|/gm)].map((match) => match[1]);
    expect(listed).toEqual([...wire.roles]);
    const granted = new Set(Object.values(PERMISSIONS).flat());
    expect([...granted].sort()).toEqual([...wire.roles].sort());
  });
});
