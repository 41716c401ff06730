import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { TimeEvidence } from './timetrust.ts';

const ASK_TIMEOUT_MS = 2_000;

/** What a Linux machine says about its clock. */
export const systemEvidence: TimeEvidence = {
  kernelSynchronised: () =>
    new Promise((resolve) => {
      // Any NTP client clears the kernel's "unsynchronised" flag, and timedatectl reads it.
      const args = ['show', '--property=NTPSynchronized', '--value'];
      execFile('timedatectl', args, { timeout: ASK_TIMEOUT_MS }, (error, stdout) => {
        resolve(error === null ? stdout.trim() === 'yes' : undefined);
      });
    }),
  hardwareClockMs: async () => {
    try {
      return Number(await readFile('/sys/class/rtc/rtc0/since_epoch', 'utf8')) * 1000;
    } catch {
      return undefined;
    }
  },
};
