/** What every view owes everyone: nothing for axe to find, in light and dark, on desk and phone; and small and quick. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { AxeBuilder } from '@axe-core/playwright';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dayOf, dayWindow } from '../../dashboard/live/time.ts';
import { type Browser, DESKTOP, openBrowser, PHONE, signIn } from '../support/browser.ts';
import { DASHBOARD_DIR, FixtureServer, USER } from '../support/fixtures.ts';
import { bigSnapshotOf } from '../support/fixtures-big.ts';
import { calendarsOf, scheduleOf } from '../support/fixtures-calendars.ts';

let fixture: FixtureServer;
let browser: Browser | undefined;

beforeEach(async () => {
  fixture = await FixtureServer.start();
  const nowMs = Date.parse(fixture.snapshot.at);
  fixture.calendars = calendarsOf(nowMs);
  const schedule = scheduleOf(
    dayWindow(dayOf(nowMs, fixture.snapshot.site.timeZone), fixture.snapshot.site.timeZone).startMs,
  );
  fixture.change({ bookings: schedule });
});
afterEach(async () => {
  await browser?.close();
  browser = undefined;
  await fixture.stop();
});

/** Every place is loaded and judged by axe; a machine that is busy with other tests takes its time. */
const LOOKS_MS = 300_000;
const PLACES = [
  ['#/overview', '[data-event]'],
  ['#/overview/room/therapy', '.plot canvas'],
  ['#/bookings', '[data-booking]'],
  ['#/bookings/day/today', '[data-state="conflict"]'],
  ['#/bookings/week/today', '[data-state="cancelled"]'],
  ['#/bookings/week/today/consult-1', '[data-state="tentative"]'],
  ['#/calendars', '[data-calendar]'],
  ['#/people', '[data-member]'],
  ['#/devices', '[data-device]'],
] as const;

describe.each(['light', 'dark'] as const)('in %s', (scheme) => {
  test.each([
    ['desktop', DESKTOP],
    ['phone', PHONE],
  ] as const)(
    'axe finds nothing and nothing overflows on a %s',
    async (_name, size) => {
      browser = await openBrowser({ size, scheme });
      const page = await browser.page();
      const check = async (where: string) => {
        // Colours are judged as they rest, not halfway through an animation.
        await page.evaluate('Promise.all(document.getAnimations().map((running) => running.finished))');
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(
          (one) =>
            `${where}: ${one.id} at ${one.nodes.map((node) => `${node.target} ${node.failureSummary}`).join(' | ')}`,
        );
        expect(found).toEqual([]);
        const over = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
        expect(over, `${where} is wider than the screen`).toBeLessThanOrEqual(0);
      };
      await page.goto(fixture.url);
      await page.getByLabel('User name').waitFor();
      await check('sign-in');
      await signIn(page, fixture.url, USER);
      for (const [place, until] of PLACES) {
        await page.goto(`${fixture.url}/${place}`);
        await page.locator(until).first().waitFor();
        await check(place);
      }
      await page.goto(`${fixture.url}/#/people`);
      await page.getByRole('button', { name: /Dr Anna Weiss/ }).click();
      await check('#/people with a member open');
      await page.getByRole('button', { name: 'Add member' }).click();
      await page.getByRole('dialog').waitFor();
      await check('new member');
      await page.goto(`${fixture.url}/#/bookings`);
      await page.getByRole('button', { name: 'New booking' }).click();
      await page.locator('[name=every]').selectOption('week');
      await check('new booking');
      await page.keyboard.press('Escape');
      await page.locator('[data-booking="s-1"]').click();
      await page.getByRole('dialog').waitFor();
      await check('a booking of a calendar');
      await page.keyboard.press('Escape');
      await page.locator('[data-booking="s-2"]').click();
      await page.getByRole('dialog').waitFor();
      await check('a booking of a series');
      await page.goto(`${fixture.url}/#/calendars`);
      await page.locator('details').first().click();
      await check('what was set aside');
    },
    LOOKS_MS,
  );
});

test('axe finds nothing when the screen is stale', async () => {
  browser = await openBrowser();
  const page = await browser.page();
  await signIn(page, fixture.url, USER);
  fixture.pinging = false;
  await page.locator('[data-banner="stale"]').waitFor({ timeout: 20_000 });
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((one) => `${one.id} ${one.nodes.map((node) => node.target)}`)).toEqual([]);
});

test('the first load is at most 60 kB of script, compressed', () => {
  const html = readFileSync(join(DASHBOARD_DIR, 'index.html'), 'utf8');
  expect(html, 'no inline script or style: the content policy forbids them').not.toMatch(
    /<style|<script(?![^>]*\bsrc=)/,
  );
  const seen = new Set<string>();
  const queue = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map((match) => match[1] ?? '');
  let bytes = 0;
  // What is imported statically comes with it; `import(…)` comes when its view is opened.
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file) || !existsSync(join(DASHBOARD_DIR, file))) continue;
    seen.add(file);
    const code = readFileSync(join(DASHBOARD_DIR, file), 'utf8');
    bytes += gzipSync(code).length;
    for (const match of code.matchAll(/(?:import|export)[^('"`;]*?["']\.\/([^"']+\.js)["']/g))
      queue.push(`assets/${match[1]}`);
  }
  // The worker is fetched at the first load too.
  const worker = readdirSync(join(DASHBOARD_DIR, 'assets')).find((name) => /^stream\.worker-.*\.js$/.test(name));
  bytes += gzipSync(readFileSync(join(DASHBOARD_DIR, 'assets', worker ?? ''))).length;
  console.log(`dashboard: first load ${(bytes / 1000).toFixed(1)} kB of script, compressed (${seen.size + 1} files)`);
  expect(seen.size).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(60_000);
});

test('200 rooms are drawn at a quarter of the machine’s speed (the time is printed, not asserted)', async () => {
  await fixture.stop();
  fixture = await FixtureServer.start(bigSnapshotOf(Date.now(), 200));
  browser = await openBrowser();
  const page = await browser.page();
  await signIn(page, fixture.url, USER);
  const throttle = await browser.context.newCDPSession(page);
  await throttle.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    await page.reload();
    await page.locator('[data-room="room-200"]').waitFor({ state: 'attached' });
    // Two frames later the rooms are on the screen; performance.now() counts from the navigation.
    times.push(
      Number(
        await page.evaluate(
          'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))',
        ),
      ),
    );
  }
  expect(await page.locator('[data-room]').count()).toBe(200);
  console.log(
    `dashboard: 200 rooms ready after ${times.map((time) => Math.round(time)).join(', ')} ms at 4 × throttling`,
  );
});
