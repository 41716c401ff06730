/** `doorward user` and `doorward token`: who may sign in, and which machines may ask. */
import { type Command, Option } from 'commander';
import { siteZone, withAdmin } from './admin.ts';
import { type Common, type Io, printJson, printTable, Usage } from './io.ts';
import { localTime } from './times.ts';

interface User {
  readonly name: string;
  readonly role: string;
  readonly member: string | null;
}
interface Token {
  readonly id: string;
  readonly role: string;
  readonly note: string;
  readonly createdAt: string;
}

const ROLES = ['manager', 'reception', 'viewer', 'practitioner', 'integrator'];
/** More is no password. */
const LONGEST_PASSWORD_CHARS = 1_024;

const roleOption = () => new Option('--role <role>', 'what they may do').choices(ROLES).makeOptionMandatory();

export function userCommands(program: Command, io: Io, leaf: (parent: Command, spec: string) => Command): void {
  const user = program.command('user').description('people who sign in to the dashboard');
  leaf(user, 'add <name>')
    .description('add a user, or set the role and a new password of one that is there')
    .addOption(roleOption())
    .option('--password-stdin', 'read the password from standard input')
    .option('--member <id>', 'the member that a practitioner’s account stands for')
    .action(async (name: string, options: Common & { role: string; passwordStdin?: boolean; member?: string }) => {
      if (options.passwordStdin !== true) {
        const why = 'A password on the command line would be seen by others on this machine.';
        throw new Usage(`${why} Give it on standard input: add --password-stdin.`);
      }
      const password = await readPassword(io);
      const body = { role: options.role, member: options.member, password };
      const path = `/users/${encodeURIComponent(name)}`;
      const made = (await withAdmin(options.data, (admin) => admin.request('PUT', path, body))) as User;
      if (options.json) printJson(io, made);
      else io.out(`${made.name} can sign in as ${made.role} with the new password.\n`);
    });
  leaf(user, 'list')
    .description('list the users')
    .action(async (options: Common) => {
      const users = (await withAdmin(options.data, (admin) => admin.request('GET', '/users'))) as User[];
      if (options.json) return printJson(io, users);
      const rows = users.map(({ name, role, member }) => [name, role, member]);
      printTable(io, ['NAME', 'ROLE', 'MEMBER'], rows, 'There are no users yet.');
    });
  leaf(user, 'remove <name>')
    .description('remove a user and end their sessions')
    .action(async (name: string, options: Common) => {
      await withAdmin(options.data, (admin) => admin.request('DELETE', `/users/${encodeURIComponent(name)}`));
      if (options.json) printJson(io, { name, removed: true });
      else io.out(`${name} can no longer sign in.\n`);
    });
}

async function readPassword(io: Io): Promise<string> {
  let text = '';
  io.stdin.setEncoding('utf8');
  for await (const piece of io.stdin) {
    text += String(piece);
    if (text.length > LONGEST_PASSWORD_CHARS)
      throw new Usage('What came on standard input is too long for a password.');
  }
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw new Usage('No password came on standard input.');
  return password;
}

export function tokenCommands(program: Command, io: Io, leaf: (parent: Command, spec: string) => Command): void {
  const token = program.command('token').description('tokens of machines that use the API');
  leaf(token, 'add')
    .description('make a token; prints it, for the only time')
    .addOption(roleOption())
    .option('--note <note>', 'what it is for', '')
    .action(async (options: Common & { role: string; note: string }) => {
      const body = { role: options.role, note: options.note };
      const made = await withAdmin(options.data, (admin) => admin.request('POST', '/tokens', body));
      if (options.json) printJson(io, made);
      else io.out(`${(made as { token: string }).token}\n`);
    });
  leaf(token, 'list')
    .description('list the tokens')
    .action(async (options: Common) => {
      const { tokens, zone } = await withAdmin(options.data, async (admin) => ({
        tokens: (await admin.request('GET', '/tokens')) as Token[],
        zone: await siteZone(admin),
      }));
      if (options.json) return printJson(io, tokens);
      const rows = tokens.map(({ id, role, note, createdAt }) => [id, role, localTime(createdAt, zone), note]);
      printTable(io, ['ID', 'ROLE', `MADE (${zone})`, 'NOTE'], rows, 'There are no tokens yet.');
    });
  leaf(token, 'remove <id>')
    .description('remove a token at once')
    .action(async (id: string, options: Common) => {
      await withAdmin(options.data, (admin) => admin.request('DELETE', `/tokens/${encodeURIComponent(id)}`));
      if (options.json) printJson(io, { id, removed: true });
      else io.out(`Token ${id} is worthless now.\n`);
    });
}
