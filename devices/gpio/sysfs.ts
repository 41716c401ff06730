/** The kernel's /sys/class/gpio: finding chips, exporting lines and setting a level without a glitch. */
import { constants, writeFileSync } from 'node:fs';
import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { GpioChip } from './chips.ts';

/** onoff has the same path built in. */
export const SYSFS_GPIO = '/sys/class/gpio';
/** udev gives the group `gpio` its rights a moment after the export; a Pi Zero needs some 100 ms. */
const ACCESS_TIMEOUT_MS = 2000;
const ACCESS_RETRY_MS = 20;

export type Level = 0 | 1;

export const lineFolder = (line: number) => join(SYSFS_GPIO, `gpio${line}`);
export const directionFile = (line: number) => join(lineFolder(line), 'direction');
/** Written to `direction`, these set direction and level at once, so that no wrong level shows in between. */
export const directionWord = (level: Level) => (level === 1 ? 'high' : 'low');

const errorCode = (error: unknown) =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/** Every GPIO chip that sysfs shows. Rejects with a sentence when there is no sysfs GPIO at all. */
export async function readChips(): Promise<GpioChip[]> {
  let names: string[];
  try {
    names = await readdir(SYSFS_GPIO);
  } catch (error) {
    throw new Error(`${SYSFS_GPIO} cannot be read (${errorCode(error)}): is this a Raspberry Pi?`);
  }
  const chips: GpioChip[] = [];
  for (const name of names.filter((one) => one.startsWith('gpiochip'))) {
    const read = async (file: string) => (await readFile(join(SYSFS_GPIO, name, file), 'utf8')).trim();
    chips.push({ label: await read('label'), base: Number(await read('base')), ngpio: Number(await read('ngpio')) });
  }
  return chips;
}

async function waitForAccess(file: string): Promise<void> {
  const attempts = ACCESS_TIMEOUT_MS / ACCESS_RETRY_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await access(file, constants.R_OK | constants.W_OK);
      return;
    } catch (error) {
      if (attempt < attempts) await pause(ACCESS_RETRY_MS);
      else throw new Error(`no right to write ${file} (${errorCode(error)}): is the service's user in the group gpio?`);
    }
  }
}

/** Makes a line usable; one that is exported already, e.g. by a run that was killed, is taken over as it stands. */
export async function exportLine(line: number, pin: number): Promise<void> {
  const exported = await access(lineFolder(line)).then(
    () => true,
    () => false,
  );
  if (!exported) {
    try {
      await writeFile(join(SYSFS_GPIO, 'export'), String(line));
    } catch (error) {
      const code = errorCode(error);
      const remedy =
        code === 'EBUSY'
          ? 'another driver has the pin: look for spi, i2c, uart or an overlay in /boot/firmware/config.txt'
          : "is the service's user in the group gpio?";
      throw new Error(`GPIO${pin} (line ${line}) cannot be exported (${code}): ${remedy}`);
    }
  }
  for (const file of ['value', 'direction', 'active_low']) await waitForAccess(join(lineFolder(line), file));
}

/** A line that a killed run left as a watched input cannot become an output until it tells no edges. */
export function silenceLine(line: number): void {
  try {
    writeFileSync(join(lineFolder(line), 'edge'), 'none');
  } catch {
    // Some chips have no edge file; then there is nothing to silence.
  }
}

/** Output at this level, in one step. Synchronous: used where nothing may come in between. */
export function driveLine(line: number, level: Level): void {
  writeFileSync(directionFile(line), directionWord(level));
}
