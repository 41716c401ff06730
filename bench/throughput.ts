/** Badges a second that the gateway sustains on mosquitto, every one answered and journalled. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openStore } from '../gateway/store/index.ts';
import { startUnderTest } from './brokers.ts';
import { connectDoors, type DoorUnit } from './doors.ts';
import { processorMs, ROOT, residentMb } from './processes.ts';
import { count, heading, progress, row, target } from './report.ts';

const DOORS = 50;
const ASKED_PER_S = 4_000;
const SUSTAINED_S = 10;
/** Offered a little above what is asked, so that the figure is the gateway's and not the sender's. */
const OFFERED_PER_S = 4_200;
const WARM_UP_S = 2;
const EVERY_MS = 2;
/** Of what went wrong the first few kinds say enough. */
const REASONS_SHOWN = 5;
const LAST_ANSWER_WITHIN_MS = 10_000;

export async function benchThroughput(): Promise<void> {
  heading('Badges a second on mosquitto, sustained');
  const under = await startUnderTest({ broker: 'mosquitto', rooms: DOORS, sensors: 0 });
  try {
    const doors = await connectDoors(under.port, DOORS);
    progress('throughput: warming up');
    await offer(doors, WARM_UP_S);
    await answered(doors);
    progress(`throughput: ${SUSTAINED_S} s`);
    const before = { sent: sum(doors, 'sent'), cpuMs: processorMs(under.gateway.pid) };
    const brokerMs = processorMs(under.brokerPid ?? under.gateway.pid);
    const ownCpu = process.cpuUsage();
    const answeredBefore = sum(doors, 'unlocks');
    const began = performance.now();
    let lastAnswer = began;
    for (const door of doors) {
      door.onUnlock = () => {
        lastAnswer = performance.now();
      };
    }
    await offer(doors, SUSTAINED_S);
    const offeredS = (performance.now() - began) / 1000;
    await answered(doors);
    const seconds = (lastAnswer - began) / 1000;
    const sent = sum(doors, 'sent');
    const missing = sent - sum(doors, 'unlocks');
    const perS = (sum(doors, 'unlocks') - answeredBefore) / seconds;
    const cpu = (processorMs(under.gateway.pid) - before.cpuMs) / (seconds * 10);
    const brokerCpu = (processorMs(under.brokerPid ?? under.gateway.pid) - brokerMs) / (seconds * 10);
    const rssMb = residentMb(under.gateway.pid);
    target('badges answered a second', count(perS), `≥ ${count(ASKED_PER_S)}`, perS >= ASKED_PER_S);
    target('badges without an unlock', count(missing), '0', missing === 0);
    row('gateway', `${cpu.toFixed(0)} % of a processor`, `${rssMb.toFixed(0)} MB resident`);
    row('mosquitto', `${brokerCpu.toFixed(0)} % of a processor`);
    const own = process.cpuUsage(ownCpu);
    row('the doors (this process)', `${((own.user + own.system) / (seconds * 10_000)).toFixed(0)} % of a processor`);
    row('offered', `${count((sent - before.sent) / offeredS)} /s for ${offeredS.toFixed(1)} s`);
    row('last answer after the last badge', `${(seconds - offeredS).toFixed(2)} s`);
    for (const { client } of doors) client.end();
    for (const line of under.gateway.said) progress(`the gateway said: ${line}`);
    await under.stopGateway();
    journal(under.prepared.data, sent);
  } finally {
    await under.stop();
  }
}

function sum(doors: readonly DoorUnit[], what: 'sent' | 'unlocks'): number {
  return doors.reduce((total, door) => total + door[what], 0);
}

function offer(doors: readonly DoorUnit[], seconds: number): Promise<void> {
  return new Promise((resolve) => {
    const began = performance.now();
    let sent = 0;
    const timer = setInterval(() => {
      const passedMs = performance.now() - began;
      for (; sent < (passedMs * OFFERED_PER_S) / 1000; sent++) doors[sent % doors.length]?.badge();
      if (passedMs < seconds * 1000) return;
      clearInterval(timer);
      resolve();
    }, EVERY_MS);
  });
}

async function answered(doors: readonly DoorUnit[]): Promise<void> {
  const until = performance.now() + LAST_ANSWER_WITHIN_MS;
  while (sum(doors, 'sent') > sum(doors, 'unlocks') && performance.now() < until) await wait(5);
}

/** Every grant is in the journal, and its chain holds. */
function journal(data: string, sent: number): void {
  const store = openStore(data, { readonly: true });
  let granted = 0;
  let confirmed = 0;
  const others = new Map<string, number>();
  for (const entry of store.journal.iterate()) {
    if (entry.kind === 'access' && entry.outcome === 'granted') granted += 1;
    else if (entry.kind === 'command' && entry.outcome === 'confirmed') confirmed += 1;
    else if (entry.kind === 'command' || entry.kind === 'access') {
      const why = `${entry.kind} ${entry.outcome}: ${entry.note ?? entry.subReason ?? entry.reason}`;
      others.set(why, (others.get(why) ?? 0) + 1);
    }
  }
  store.close();
  target('grants in the journal', count(granted), count(sent), granted === sent);
  row('unlocks that the journal knows as confirmed', count(confirmed));
  for (const [why, times] of [...others].slice(0, REASONS_SHOWN)) row(`  ${why}`, count(times));
  const verify = spawnSync(process.execPath, [
    path.join(ROOT, 'gateway/doorward.mjs'),
    'audit',
    'verify',
    '--data',
    data,
  ]);
  target('doorward audit verify', verify.status === 0 ? 'sound' : 'broken', 'sound', verify.status === 0);
}
