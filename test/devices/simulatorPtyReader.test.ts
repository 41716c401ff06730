import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerialPort } from 'serialport';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPtyReader, rdm6300Frame } from '../../devices/simulator/ptyReader.ts';

describe('the frame of an RDM6300', () => {
  it.each([
    ['62E3086CED', '0236324533303836434544303803'],
    ['010063E9AE', '0230313030363345394145323503'],
  ])('of %s', (tag, hex) => expect(rdm6300Frame(tag).toString('hex').toUpperCase()).toBe(hex));

  it('takes nothing but ten hex digits', () => {
    expect(() => rdm6300Frame('12')).toThrow('ten hex digits');
  });
});

describe('on a pty', () => {
  let folder: string;
  let socat: ChildProcess;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'doorward-pty-'));
    const end = (name: string): string => `pty,raw,echo=0,link=${join(folder, name)}`;
    socat = spawn('socat', [end('a'), end('b')], { stdio: 'ignore' });
    await Promise.race([
      once(socat, 'spawn'),
      once(socat, 'error').then(() => {
        throw new Error('socat is missing: apt-get install socat');
      }),
    ]);
    await vi.waitFor(() => expect(existsSync(join(folder, 'a')) && existsSync(join(folder, 'b'))).toBe(true), {
      timeout: 5000,
    });
  });
  afterEach(async () => {
    const gone = once(socat, 'exit');
    socat.kill();
    await gone;
    rmSync(folder, { recursive: true, force: true });
  });

  it('its bytes arrive at the other end, good ones and damaged ones', async () => {
    const port = new SerialPort({ path: join(folder, 'b'), baudRate: 9600, autoOpen: false });
    await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
    const heard: Buffer[] = [];
    port.on('data', (data: Buffer) => heard.push(data));
    const reader = await openPtyReader(join(folder, 'a'));
    await reader.present('62E3086CED');
    await reader.presentDamaged('010063E9AE');
    const good = rdm6300Frame('62E3086CED');
    await vi.waitFor(() => expect(Buffer.concat(heard)).toHaveLength(2 * good.length));
    expect(Buffer.concat(heard).subarray(0, good.length)).toEqual(good);
    expect(Buffer.concat(heard).subarray(good.length)).not.toEqual(rdm6300Frame('010063E9AE'));
    await reader.close();
    await new Promise<void>((resolve) => port.close(() => resolve()));
  });

  it('an absent path is refused', async () => {
    await expect(openPtyReader(join(folder, 'nowhere'))).rejects.toThrow();
  });
});
