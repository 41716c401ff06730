/** `doorward start` on SIGHUP: rules of bookings are taken over while it runs, the rest waits, faults change nothing. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { begin, doorward, type Session } from './cliSupport.ts';

const ENV = { DEVICE_PASSWORD: 'device-secret-1', OBSERVER_PASSWORD: 'observer-secret-1' };
const folder = mkdtempSync(join(tmpdir(), 'doorward-reload-'));
const config = join(folder, 'site.yaml');
const data = join(folder, 'data');
const yaml = readFileSync(new URL('../../config/acceptance.yaml', import.meta.url), 'utf8')
  .replace('port: 18080', 'port: 0')
  .replace('port: 18831', 'port: 0')
  .replace(/^influx: .*$/m, 'log: { level: fatal }');

describe('a running gateway that is told to read its configuration anew', () => {
  let session: Session;
  beforeAll(async () => {
    writeFileSync(config, yaml);
    session = begin(['start', '--config', config, '--data', data], ENV);
    await vi.waitFor(() => expect(session.out()).toContain('READY '), 15_000);
  }, 30_000);
  afterAll(async () => {
    session.end();
    expect(await session.code).toBe(0);
    rmSync(folder, { recursive: true, force: true });
  });

  const changes = async () => {
    const { out } = await doorward(['audit', 'export', '--data', data], ENV);
    return out.split('\n').filter((line) => line.includes('booking rules:'));
  };

  it('takes over grace and buffers, journals them, and names what waits for a restart', async () => {
    const next = yaml
      .replace(/bookings: \{ earlyMin: 10, lateMin: 5,/, 'bookings: { earlyMin: 25, lateMin: 0, bufferMin: 15,')
      .replace('name: Acceptance Clinic', 'name: Another Clinic');
    writeFileSync(config, next);
    session.reload();
    await vi.waitFor(() => expect(session.err()).toContain('wait for a restart: site.'), 8_000);
    const journalled = await changes();
    expect(journalled).toHaveLength(1);
    expect(journalled[0]).toContain('early grace 25 min, late grace 0 min, cleaning buffer 15 min');
  });

  it('keeps the rules of before when the file has faults, and shows them', async () => {
    writeFileSync(config, yaml.replace('earlyMin: 10', 'earlyMin: -1'));
    session.reload();
    await vi.waitFor(() => expect(session.err()).toContain('earlyMin'), 8_000);
    expect(await changes()).toHaveLength(1);
  });
});
