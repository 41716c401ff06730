/** `doorward member` and `doorward badge`. */
import { type Command, Option } from 'commander';
import { siteZone, withAdmin } from './admin.ts';
import { type Common, type Io, printJson, printTable, Usage } from './io.ts';
import { collectRight, RIGHT_HELP, type RightInput, rightText } from './rights.ts';
import { localTime, parseInstant, TIME_HELP } from './times.ts';

interface Member {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  readonly rights: readonly RightInput[];
}
interface Credential {
  readonly id: string;
  readonly member: string;
  readonly format: string;
  readonly last4: string;
  readonly status: string;
  readonly validFrom: string | null;
  readonly validUntil: string | null;
}
interface UnknownCard {
  readonly id: string;
  readonly reader: string;
  readonly door: string | null;
  readonly format: string;
  readonly last4: string;
  readonly seenAt: string;
}

const KINDS = ['practitioner', 'staff', 'cleaner'];
const ADDRESS_HELP = 'mail address by which calendars name the member; may be given several times';

interface MemberOptions extends Common {
  readonly kind: string;
  readonly id?: string;
  readonly right?: RightInput[];
  readonly address?: string[];
}

function collectAddress(address: string, before: readonly string[] | boolean | undefined): string[] {
  return [...(Array.isArray(before) ? before : []), address];
}

export function memberCommands(program: Command, io: Io, leaf: (parent: Command, spec: string) => Command): void {
  const member = program.command('member').description('members: practitioners, staff and cleaners');
  leaf(member, 'add <name>')
    .description('add a member')
    .addOption(new Option('--kind <kind>', 'what they are').choices(KINDS).default('practitioner'))
    .option('--id <id>', 'id of your own choice')
    .option('--right <right>', RIGHT_HELP, collectRight)
    .option('--address <address>', ADDRESS_HELP, collectAddress)
    .action(async (name: string, options: MemberOptions) => {
      const { kind, id, right, address } = options;
      const body = { name, kind, id, rights: right, addresses: address };
      const made = (await withAdmin(options.data, (admin) => admin.request('POST', '/members', body))) as Member;
      if (options.json) printJson(io, made);
      else io.out(`Member ${made.id} is added: ${made.name}, ${made.kind}.\n`);
    });
  leaf(member, 'list')
    .description('list the members')
    .action(async (options: Common) => {
      const members = (await withAdmin(options.data, (admin) => admin.request('GET', '/members'))) as Member[];
      if (options.json) return printJson(io, members);
      const rows = members.map(({ id, name, kind, status, rights }) => [
        id,
        name,
        kind,
        status,
        rights.map(rightText).join('; ') || 'by booking',
      ]);
      printTable(io, ['ID', 'NAME', 'KIND', 'STATUS', 'RIGHTS'], rows, 'There are no members yet.');
    });
  leaf(member, 'set <id>')
    .description('change a member; what is not named stays')
    .option('--name <name>', 'new name')
    .addOption(new Option('--kind <kind>', 'what they are').choices(KINDS))
    .addOption(new Option('--status <status>', 'whether they may enter').choices(['active', 'suspended', 'left']))
    .option('--right <right>', `${RIGHT_HELP}; takes the place of all rights`, collectRight)
    .option('--no-right', 'take all standing rights away')
    .option('--address <address>', `${ADDRESS_HELP}; takes the place of all addresses`, collectAddress)
    .option('--no-address', 'take all mail addresses away')
    .action(
      async (
        id: string,
        options: Common & {
          name?: string;
          kind?: string;
          status?: string;
          right?: RightInput[] | boolean;
          address?: string[] | boolean;
        },
      ) => {
        const rights = options.right === false ? [] : Array.isArray(options.right) ? options.right : undefined;
        const addresses = options.address === false ? [] : Array.isArray(options.address) ? options.address : undefined;
        const { name, kind, status } = options;
        if ([name, kind, status, rights, addresses].every((value) => value === undefined)) {
          throw new Usage(
            'Say what to change: --name, --kind, --status, --right, --no-right, --address or --no-address.',
          );
        }
        const body = { name, kind, status, rights, addresses };
        const path = `/members/${encodeURIComponent(id)}`;
        const after = (await withAdmin(options.data, (admin) => admin.request('PATCH', path, body))) as Member;
        if (options.json) printJson(io, after);
        else io.out(`Member ${after.id} is changed: ${after.name}, ${after.kind}, ${after.status}.\n`);
      },
    );
}

interface BadgeOptions extends Common {
  readonly uid?: string;
  readonly bits?: string;
  readonly fcCn?: string;
  readonly seen?: string;
  readonly from?: string;
  readonly until?: string;
}

export function badgeCommands(program: Command, io: Io, leaf: (parent: Command, spec: string) => Command): void {
  const badge = program.command('badge').description('badges of members');
  leaf(badge, 'add <member>')
    .description('give a member a badge')
    .option('--uid <hex>', 'card UID, hexadecimal')
    .option('--bits <bits>', 'Wiegand bits, zeros and ones')
    .option('--fc-cn <numbers>', 'facility code and card number, e.g. 118-1603 or H10301:118-1603')
    .option('--seen <id>', 'a card of `badge unknown`')
    .option('--from <time>', `valid from then on: ${TIME_HELP}`, parseInstant)
    .option('--until <time>', `valid until then: ${TIME_HELP}`, parseInstant)
    .action(async (member: string, options: BadgeOptions) => {
      const validity = { validFrom: options.from, validUntil: options.until };
      const body = { member, ...whichCard(options), ...validity };
      const made = (await withAdmin(options.data, (admin) =>
        admin.request('POST', '/credentials', body),
      )) as Credential;
      if (options.json) printJson(io, made);
      else io.out(`Badge ${made.id} (…${made.last4}) now belongs to member ${made.member}.\n`);
    });
  leaf(badge, 'list')
    .description('list the badges')
    .option('--member <id>', 'of this member only')
    .action(async (options: Common & { member?: string }) => listBadges(io, options));
  leaf(badge, 'revoke <id>')
    .description('revoke a badge at once')
    .action(async (id: string, options: Common) => {
      const path = `/credentials/${encodeURIComponent(id)}`;
      await withAdmin(options.data, (admin) => admin.request('DELETE', path));
      if (options.json) printJson(io, { id, status: 'revoked' });
      else io.out(`Badge ${id} is revoked and opens nothing any more.\n`);
    });
  leaf(badge, 'unknown')
    .description('the last unknown cards that readers saw')
    .action(async (options: Common) => {
      const { cards, zone } = await withAdmin(options.data, async (admin) => ({
        cards: (await admin.request('GET', '/credentials/unknown')) as UnknownCard[],
        zone: await siteZone(admin),
      }));
      if (options.json) return printJson(io, cards);
      const rows = cards.map((card) => [
        card.id,
        localTime(card.seenAt, zone),
        card.door ?? card.reader,
        card.format,
        `…${card.last4}`,
      ]);
      printTable(io, ['ID', `SEEN (${zone})`, 'DOOR', 'FORMAT', 'NUMBER'], rows, 'No unknown card was seen.');
    });
}

function whichCard({ uid, bits, fcCn, seen }: BadgeOptions): Record<string, string> {
  const given: [string, string | undefined][] = [
    ['uid', uid],
    ['bits', bits],
    ['fc-cn', fcCn],
    ['seen', seen],
  ];
  const chosen = given.filter(([, value]) => value !== undefined);
  const [format, value] = chosen[0] ?? [];
  if (chosen.length !== 1 || format === undefined || value === undefined) {
    throw new Usage('Say which card: one of --uid, --bits, --fc-cn and --seen.');
  }
  return format === 'seen' ? { seen: value } : { format, value };
}

async function listBadges(io: Io, options: Common & { member?: string }): Promise<void> {
  const { badges, zone } = await withAdmin(options.data, async (admin) => ({
    badges: (await admin.request('GET', '/credentials')) as Credential[],
    zone: await siteZone(admin),
  }));
  const shown = badges.filter((badge) => options.member === undefined || badge.member === options.member);
  if (options.json) return printJson(io, shown);
  const rows = shown.map((badge) => [
    badge.id,
    badge.member,
    badge.format,
    `…${badge.last4}`,
    badge.status,
    localTime(badge.validFrom, zone),
    localTime(badge.validUntil, zone),
  ]);
  const head = ['ID', 'MEMBER', 'FORMAT', 'NUMBER', 'STATUS', 'FROM', 'UNTIL'];
  printTable(io, head, rows, 'There are no badges yet.');
}
