/** The `doorward` command. Exit 0: done; 1: refused or faulty; 2: called in a way that it does not have. */
import { Command, CommanderError } from 'commander';
import { userCommands as addUserCommands, tokenCommands } from './cli/accounts.ts';
import { bookingCommands } from './cli/bookings.ts';
import { calendarCommands } from './cli/calendar.ts';
import { timeCommands } from './cli/clock.ts';
import { demoCommand } from './cli/demo.ts';
import { Failed, type Io, printJson, processIo, Refused, Usage } from './cli/io.ts';
import { auditCommands, backupCommands } from './cli/journal.ts';
import { badgeCommands, memberCommands } from './cli/people.ts';
import { runCommands } from './cli/run.ts';
import { version } from './compose/beside.ts';
import { ConfigFaults } from './config/index.ts';
import { ERRORS, Fault } from './core/errors.ts';

export const EXIT = { done: 0, refused: 1, usage: 2 } as const;

/** Runs one command; resolves with its exit code and never rejects. */
export async function run(argv: readonly string[], io: Io = processIo): Promise<number> {
  try {
    await buildProgram(io).parseAsync([...argv], { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return complain(io, error, argv.includes('--json'));
  }
}

function buildProgram(io: Io): Command {
  const program = new Command('doorward')
    .description('Runs a shared clinic: badges, bookings, climate and light on one small gateway.')
    .version(version(), '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .showHelpAfterError('Add --help for how to call it.')
    .showSuggestionAfterError();
  const leaf = (parent: Command, spec: string) =>
    parent
      .command(spec)
      .option('--data <dir>', 'data folder (or DOORWARD_DATA)', io.env.DOORWARD_DATA ?? '.data')
      .option('--json', 'print one JSON document', false);
  runCommands(program, io, leaf);
  demoCommand(program, io, leaf);
  memberCommands(program, io, leaf);
  badgeCommands(program, io, leaf);
  addUserCommands(program, io, leaf);
  tokenCommands(program, io, leaf);
  bookingCommands(program, io, leaf);
  calendarCommands(program, io, leaf);
  timeCommands(program, io, leaf);
  auditCommands(program, io, leaf);
  backupCommands(program, io, leaf);
  return program;
}

/** Says what went wrong and what to do about it. */
function complain(io: Io, error: unknown, json: boolean): number {
  if (error instanceof Failed) return EXIT.refused;
  if (error instanceof Usage) {
    io.err(`error: ${error.message}\nAdd --help for how to call it.\n`);
    return EXIT.usage;
  }
  if (error instanceof ConfigFaults) {
    if (json) printJson(io, { ok: false, code: error.code, faults: error.faults });
    else io.err(`${error.text}\n`);
    return EXIT.refused;
  }
  const { code, title, detail, remedy } = said(error);
  if (json) printJson(io, { ok: false, code, title, detail, remedy });
  else {
    io.err(`✖ ${title}${detail === '' ? '' : `: ${detail}`}\n`);
    if (remedy !== '') io.err(`  ${remedy}\n`);
  }
  return EXIT.refused;
}

function said(error: unknown): { code: string; title: string; detail: string; remedy: string } {
  if (error instanceof Refused) {
    return { code: error.code, title: error.message, detail: error.detail, remedy: error.remedy };
  }
  if (error instanceof Fault) return { code: error.code, ...ERRORS[error.code], detail: error.detail };
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'internal', title: 'Doorward failed at this', detail, remedy: 'Please report it with these lines.' };
}

/** What may be left to do after a command is done, e.g. writing to a pipe; then the process ends whatever still runs. */
const LINGER_MS = 1_000;

export async function main(argv: readonly string[]): Promise<void> {
  // `doorward audit export | head` closes the pipe early; that is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });
  process.exitCode = await run(argv);
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
