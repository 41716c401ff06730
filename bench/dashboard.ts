/** What a browser loads before the dashboard shows anything, and how soon 200 rooms of a real gateway are there. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { openBrowser, signIn } from '../test/support/browser.ts';
import { ROOT, startGateway } from './processes.ts';
import { heading, percentile, progress, row, target } from './report.ts';
import { freePort, prepare } from './site.ts';

const ROOMS = 200;
const THROTTLE = 4;
const LOADS = 5;
const ASKED_BYTES = 60_000;
const ASKED_READY_MS = 2_000;

export async function benchDashboard(): Promise<void> {
  heading('Dashboard');
  firstLoad(path.join(ROOT, 'dist/dashboard'));
  const prepared = prepare({ rooms: ROOMS, sensors: 0, roomDevices: true, broker: { port: await freePort() } });
  const gateway = await startGateway(prepared.config, prepared.data);
  try {
    progress(`dashboard: ${LOADS} loads of ${ROOMS} rooms`);
    const times = await loads(gateway.url, gateway.firstPassword ?? '');
    const median = percentile(times, 0.5);
    row('loads, ms', times.map((time) => time.toFixed(0)).join(' '));
    const label = `${ROOMS} rooms ready at a ${THROTTLE}th of this machine's speed (median)`;
    target(label, `${median.toFixed(0)} ms`, `< ${ASKED_READY_MS} ms`, median < ASKED_READY_MS);
  } finally {
    await gateway.stop();
    prepared.remove();
  }
}

/** The page's own scripts and all that these import before they run; what is fetched on demand is not the first load. */
function firstLoad(folder: string): void {
  const page = readFileSync(path.join(folder, 'index.html'), 'utf8');
  const scripts = [...page.matchAll(/(?:src|href)="\.?\/?(assets\/[^"]+\.js)"/g)].map((match) => match[1] ?? '');
  const found = new Set<string>();
  const add = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    const code = readFileSync(path.join(folder, file), 'utf8');
    for (const [, from] of code.matchAll(/(?:import|from)\s*"(\.\/[^"]+\.js)"/g)) {
      add(path.join(path.dirname(file), from ?? ''));
    }
  };
  for (const script of scripts) add(script);
  // The live stream's worker is fetched at once too.
  for (const name of readdirSync(path.join(folder, 'assets'))) {
    if (name.startsWith('stream.worker') && name.endsWith('.js')) add(path.join('assets', name));
  }
  let bytes = 0;
  for (const file of found) bytes += gzipSync(readFileSync(path.join(folder, file))).length;
  row('scripts of the first load', [...found].map((file) => path.basename(file)).join(' '));
  target('script, compressed (gzip)', `${(bytes / 1000).toFixed(1)} kB`, '≤ 60 kB', bytes <= ASKED_BYTES);
}

/** From the navigation to the last room on the page and the live stream running. */
async function loads(url: string, password: string): Promise<number[]> {
  const browser = await openBrowser();
  try {
    const page = await browser.page();
    await signIn(page, url, { username: 'manager', password });
    const session = await browser.context.newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE });
    const times: number[] = [];
    for (let i = 0; i < LOADS; i++) {
      const began = performance.now();
      await page.reload({ waitUntil: 'commit' });
      // By selector: a locator by text reads every element's at each look, at the page's own quarter speed.
      await page.locator('header .link.up').waitFor();
      await page
        .locator('[data-room]')
        .nth(ROOMS - 1)
        .waitFor();
      times.push(performance.now() - began);
    }
    return times;
  } finally {
    await browser.close();
  }
}
