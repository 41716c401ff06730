/** What the gateway holds in memory with 200 rooms and 1,000 devices on its embedded broker, and how soon it is ready. */
import { setTimeout as wait } from 'node:timers/promises';
import { residentMb, startGateway, startHelper } from './processes.ts';
import { heading, progress, row, target } from './report.ts';
import { freePort, prepare } from './site.ts';

const ROOMS = 200;
const DEVICES = ROOMS * 5;
const MESSAGES_PER_S = 100;
const ASKED_MB = 190;
const ASKED_READY_MS = 3_000;
/** Long enough for the garbage of a thousand connections to be collected and for several rounds of telemetry. */
const SETTLE_MS = 30_000;
const LOOK_EVERY_MS = 1_000;
/** The figure is the highest of the last looks, not a lucky one. */
const LAST_LOOKS = 10;

export async function benchMemory(): Promise<void> {
  heading(`Memory: ${ROOMS} rooms, ${DEVICES} devices connected, ${MESSAGES_PER_S} messages/s (embedded broker)`);
  const port = await freePort();
  const prepared = prepare({ rooms: ROOMS, sensors: 0, roomDevices: true, broker: { port } });
  try {
    const first = await startGateway(prepared.config, prepared.data);
    await first.stop();
    const gateway = await startGateway(prepared.config, prepared.data);
    try {
      target(
        'ready (first start, that makes the manager)',
        `${(first.readyMs / 1000).toFixed(2)} s`,
        '< 3 s',
        first.readyMs < ASKED_READY_MS,
      );
      target(
        'ready (later start)',
        `${(gateway.readyMs / 1000).toFixed(2)} s`,
        '< 3 s',
        gateway.readyMs < ASKED_READY_MS,
      );
      row('resident when ready', `${residentMb(gateway.pid).toFixed(0)} MB`);
      progress('memory: devices connect');
      const devices = await startHelper('./devices.js', { port, rooms: ROOMS, messagesPerS: MESSAGES_PER_S });
      try {
        row('resident when all are connected', `${residentMb(gateway.pid).toFixed(0)} MB`);
        progress(`memory: ${SETTLE_MS / 1000} s to settle`);
        const looks: number[] = [];
        for (let passed = 0; passed < SETTLE_MS; passed += LOOK_EVERY_MS) {
          await wait(LOOK_EVERY_MS);
          looks.push(residentMb(gateway.pid));
        }
        const settled = Math.max(...looks.slice(-LAST_LOOKS));
        row('highest seen', `${Math.max(...looks).toFixed(0)} MB`);
        target('resident when settled', `${settled.toFixed(0)} MB`, `≤ ${ASKED_MB} MB`, settled <= ASKED_MB);
      } finally {
        await devices.stop();
      }
    } finally {
      await gateway.stop();
    }
  } finally {
    prepared.remove();
  }
}
