/** `doorward audit`, `backup` and `restore`. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { Fault } from '../core/errors.ts';
import { withAdmin } from './admin.ts';
import { type Common, Failed, type Io, printJson, Refused } from './io.ts';
import { parseInstant, TIME_HELP } from './times.ts';

/** Entries asked for at a time. */
const PAGE_ENTRIES = 500;

export function auditCommands(program: Command, io: Io, leaf: (parent: Command, spec: string) => Command): void {
  const audit = program.command('audit').description('the journal');
  leaf(audit, 'verify')
    .description('walk the whole hash chain and hold it against the signed head')
    .action(async (options: Common) => verify(io, options));
  leaf(audit, 'export')
    .description('print the journal as CSV, or as JSON with --json')
    .option('--from <time>', `from then on: ${TIME_HELP}`, parseInstant)
    .option('--to <time>', `before then: ${TIME_HELP}`, parseInstant)
    .option('--room <id>', 'of this room only')
    .option('--door <id>', 'of this door only')
    .option('--kind <kind>', 'of this kind only, e.g. access')
    .action(async (options: Common & ExportOptions) => exportJournal(io, options));
}

async function verify(io: Io, options: Common): Promise<void> {
  const { openStore } = await import('../store/index.ts');
  const store = openStore(options.data, { readonly: true });
  try {
    const result = store.journal.verify((done, total) => {
      if (io.errIsTty) io.err(`\r${done} of ${total} entries`);
    });
    if (io.errIsTty) io.err('\r\u001b[K');
    if (options.json) printJson(io, result);
    else if (result.ok) io.out(wholeText(result.entries, result.headHash));
    if (result.ok) return;
    if (options.json) throw new Failed(result.why);
    const remedy = 'Keep the data folder as it is and see docs/operations.md, “The journal does not verify”.';
    const detail = `${result.why} (${result.entries} entries before it are good).`;
    throw new Refused('journal_broken', 'The journal does not verify', detail, remedy);
  } finally {
    store.close();
  }
}

function wholeText(entries: number, headHash: string): string {
  return entries === 0
    ? 'The journal is whole; it has no entries yet.\n'
    : `The journal is whole: ${entries} entries, head ${headHash}.\n`;
}

interface ExportOptions {
  readonly from?: string;
  readonly to?: string;
  readonly room?: string;
  readonly door?: string;
  readonly kind?: string;
}

async function exportJournal(io: Io, options: Common & ExportOptions): Promise<void> {
  // A folder that is not there would be made, and its journal be empty: a misspelt name must not look like that.
  if (!existsSync(path.join(options.data, 'doorward.db'))) {
    throw new Fault('data_unusable', `There is no data of Doorward in ${options.data}.`);
  }
  const query = new URLSearchParams();
  for (const key of ['from', 'to', 'room', 'door', 'kind'] as const) {
    const value = options[key];
    if (value !== undefined) query.set(key, value);
  }
  await withAdmin(options.data, async (admin) => {
    if (!options.json) {
      await admin.stream(`/events?${query}`, 'text/csv', (text) => io.out(text));
      return;
    }
    let done = 0;
    query.set('limit', String(PAGE_ENTRIES));
    io.out('[');
    for (let next: string | null = ''; next !== null; ) {
      if (next !== '') query.set('cursor', next);
      const page = (await admin.request('GET', `/events?${query}`)) as { items: unknown[]; next: string | null };
      for (const item of page.items) io.out(`${done++ === 0 ? '\n' : ',\n'}${JSON.stringify(item)}`);
      if (io.errIsTty) io.err(`\r${done} entries`);
      next = page.next;
    }
    io.out('\n]\n');
    if (io.errIsTty) io.err('\r\u001b[K');
  });
}

export function backupCommands(program: Command, io: Io, leaf: (parent: Command, spec: string) => Command): void {
  leaf(program, 'backup <file>')
    .description('copy the whole data folder into one file, also while the gateway runs')
    .action(async (file: string, options: Common) => {
      if (existsSync(file)) {
        throw new Refused('conflict', 'The file is there already', file, 'Name a new file, or remove the old one.');
      }
      const { openStore } = await import('../store/index.ts');
      const store = openStore(options.data, { readonly: true });
      try {
        await store.backup(file);
      } finally {
        store.close();
      }
      if (options.json) printJson(io, { file });
      else io.out(`The backup is ${file}. It holds the installation’s secret: keep it as safe as the keys.\n`);
    });
  leaf(program, 'restore <file>')
    .description('put a backup into an empty data folder')
    .action(async (file: string, options: Common) => {
      const { restoreBackup } = await import('../store/index.ts');
      restoreBackup(file, options.data);
      if (options.json) printJson(io, { file, data: options.data });
      else
        io.out(
          `${options.data} holds the data of ${file}. Check it with: doorward audit verify --data ${options.data}\n`,
        );
    });
}
