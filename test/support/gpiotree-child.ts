/** The process that runs the real GPIO driver inside the FUSE tree's namespace; speaks JSON lines with the test. */
import { readdirSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { OutgoingCommand } from '../../devices/driver.ts';
import { gpioDriver } from '../../devices/gpio/index.ts';

const tell = (told: unknown) => process.stdout.write(`${JSON.stringify(told)}\n`);

function openGpioFiles(): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('/sys/class/gpio');
    } catch {
      return false;
    }
  }).length;
}

const config = gpioDriver.schema.parse(JSON.parse(process.argv[2] ?? '{}'));
const port = await gpioDriver.open(
  { site: 'bench', id: 'header', config },
  {
    emit: (message) => tell({ message }),
    warn: (code, why) => tell({ warning: { code, why } }),
  },
);
tell({ opened: true, guardianPid: 'guardianPid' in port ? port.guardianPid : undefined });

for await (const line of createInterface({ input: process.stdin })) {
  const order: unknown = JSON.parse(line);
  if (typeof order !== 'object' || order === null) continue;
  if ('perform' in order) port.perform(order.perform as OutgoingCommand);
  if ('close' in order) {
    await port.close();
    tell({ openFiles: openGpioFiles() });
    break;
  }
}
