/** A real Chromium for the dashboard's tests and for the pictures of the documentation. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const EXECUTABLE = '/usr/bin/chromium';
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** No single step of a test takes longer; a machine shared by other tests is slow. */
const STEP_MS = 20_000;

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

export interface View {
  readonly size?: { width: number; height: number };
  readonly scheme?: 'light' | 'dark';
  /** Pixels per CSS pixel. */
  readonly scale?: number;
}

export interface Browser {
  readonly context: BrowserContext;
  page(): Promise<Page>;
  close(): Promise<void>;
}

/** Opens Debian's Chromium with an empty profile of its own. */
export async function openBrowser(view: View = {}): Promise<Browser> {
  if (!existsSync(EXECUTABLE)) throw new Error(`${EXECUTABLE} is missing: run \`apt-get install chromium\`.`);
  const profile = mkdtempSync(join(tmpdir(), 'doorward-browser-'));
  const size = view.size ?? DESKTOP;
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    args: ARGS,
    viewport: size,
    colorScheme: view.scheme ?? 'light',
    deviceScaleFactor: view.scale ?? 1,
    hasTouch: size.width < 600,
    isMobile: size.width < 600,
    timezoneId: 'America/New_York',
    locale: 'en-GB',
  });
  context.setDefaultTimeout(STEP_MS);
  return {
    context,
    page: async () => context.pages()[0] ?? (await context.newPage()),
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

export async function signIn(page: Page, url: string, user: { username: string; password: string }): Promise<void> {
  await page.goto(url);
  await page.getByLabel('User name').fill(user.username);
  await page.getByLabel('Password').fill(user.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Live', { exact: true }).first().waitFor({ state: 'attached' });
  await page.locator('[data-room]').first().waitFor();
}

/**
 * Takes pictures of a running dashboard. `shots` name a place (`#/overview`), where to save, and what to wait for.
 * The picture of the documentation: `takePictures(url, user, [{ place: '#/overview', file: 'docs/pictures/dashboard.png' }])`.
 */
export async function takePictures(
  url: string,
  user: { username: string; password: string },
  shots: readonly { place: string; file: string; until?: string; whole?: boolean }[],
  view: View = {},
): Promise<void> {
  const browser = await openBrowser(view);
  try {
    const page = await browser.page();
    await signIn(page, url, user);
    for (const shot of shots) {
      await page.goto(`${url}/${shot.place}`);
      await page
        .locator(shot.until ?? '[data-room]')
        .first()
        .waitFor();
      await page.waitForLoadState('networkidle', { timeout: 1_500 }).catch(() => undefined);
      await page.evaluate('document.fonts.ready');
      await page.screenshot({ path: shot.file, fullPage: shot.whole ?? false });
    }
  } finally {
    await browser.close();
  }
}
