/** The host's own zone plays no part: the same calendars come to the same instants under any TZ. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { calendarDigest } from '../../support/calendars-ical-digest.ts';

const LOADER = new URL('../../support/calendars-ical-loader.mjs', import.meta.url).href;
const PROGRAM = fileURLToPath(new URL('../../support/calendars-ical-digest.ts', import.meta.url));

describe('under TZ', () => {
  it.each(['UTC', 'America/Los_Angeles', 'Asia/Kolkata', 'Africa/Cairo', ''])('=%s', (TZ) => {
    const argv = ['--import', LOADER, PROGRAM, '--print'];
    const { stdout, stderr } = spawnSync(process.execPath, argv, { env: { ...process.env, TZ }, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe(calendarDigest());
  });
});
