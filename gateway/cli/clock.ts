/** `doorward time`: the operator's word on the gateway's wall clock, where neither NTP nor a battery clock vouches for it. */
import path from 'node:path';
import type { Command } from 'commander';
import { type Admin, answers, withAdmin } from './admin.ts';
import { type Common, type Io, printJson, Refused } from './io.ts';

interface SiteTime {
  readonly now: string;
  readonly timeZone: string;
  readonly timeTrusted: boolean;
}
interface AlarmText {
  readonly kind: string;
  readonly text: string;
}

export function timeCommands(program: Command, io: Io, leaf: (parent: Command, spec: string) => Command): void {
  const time = program.command('time').description('whether the gateway’s clock is trusted');
  leaf(time, 'show')
    .description('show the gateway’s time, and whether it trusts it')
    .action(async (options: Common) => {
      const site = await withGateway(options.data, (admin) => admin.request('GET', '/site'));
      await tell(io, options, site as SiteTime);
    });
  leaf(time, 'confirm')
    .description('say that the gateway’s time is right, after comparing it with a clock that you trust')
    .action(async (options: Common) => {
      const site = await withGateway(options.data, async (admin) => {
        await admin.request('POST', '/time/confirm');
        // Asked anew: the word goes through the gateway's queue like every other fact.
        return await admin.request('GET', '/site');
      });
      await tell(io, options, site as SiteTime);
    });
}

/** Only a running gateway has a clock to trust: a confirmation to nobody would be forgotten at once. */
async function withGateway<T>(dataDir: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  if (await answers(path.join(dataDir, 'doorward.sock'))) return await withAdmin(dataDir, work);
  throw new Refused(
    'unavailable',
    'No gateway runs on this data folder',
    dataDir,
    'Start it first, or name its folder with --data.',
  );
}

async function tell(io: Io, options: Common, { now, timeZone, timeTrusted }: SiteTime): Promise<void> {
  if (options.json) {
    printJson(io, { now, timeZone, timeTrusted });
    return;
  }
  io.out(`${inZone(now, timeZone)} (${timeZone}): ${timeTrusted ? 'trusted' : 'not trusted'}.\n`);
  if (timeTrusted) return;
  const alarms = (await withAdmin(options.data, (admin) => admin.request('GET', '/alarms'))) as AlarmText[];
  const why = alarms.find((alarm) => alarm.kind === 'time_not_trusted');
  if (why !== undefined) io.out(`${why.text}\n`);
}

/** To the second, since it is held against another clock. */
function inZone(instant: string, timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(
    new Date(instant),
  );
}
