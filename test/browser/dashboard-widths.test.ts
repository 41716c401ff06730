/** Nothing runs off the screen: every view at the widths of phones, tablets and desks, and with letters twice as large. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, openBrowser, signIn } from '../support/browser.ts';
import { FixtureServer, USER } from '../support/fixtures.ts';
import { calendarsOf } from '../support/fixtures-calendars.ts';

let browser: Browser;
let page: Page;
let fixture: FixtureServer;

beforeAll(async () => {
  fixture = await FixtureServer.start();
  fixture.calendars = calendarsOf(Date.parse(fixture.snapshot.at));
  const [first] = fixture.members;
  if (first) fixture.members.push({ ...first, id: 'm-long', name: `Dr ${'Wolfeschlegel'.repeat(8)}` });
  browser = await openBrowser();
  page = await browser.page();
  await signIn(page, fixture.url, USER);
});
afterAll(async () => {
  await browser?.close();
  await fixture?.stop();
});

const PLACES = [
  ['#/overview', '[data-event]'],
  ['#/bookings', '[data-booking]'],
  ['#/calendars', '[data-calendar]'],
  ['#/people', '[data-member]'],
  ['#/devices', '[data-device]'],
] as const;
/** The words that reach over the right edge of the page. */
const OVER = `(() => {
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (texts.nextNode()) {
    range.selectNodeContents(texts.currentNode);
    if (range.getBoundingClientRect().right > document.documentElement.clientWidth) found.push(texts.currentNode.data.trim());
  }
  return found.filter(Boolean).slice(0, 9).join(' | ');
})()`;
/** What stands in the header or in the line of views and is not wholly within the screen, with its right edge. */
const OUTSIDE = `[...document.querySelectorAll('header.top a, header.top .button, header.top .link')]
  .map((one) => [one.textContent.trim() || one.ariaLabel, one.getBoundingClientRect()])
  .filter(([, box]) => box.left < 0 || box.right > innerWidth || box.bottom > innerHeight || box.top < 0)
  .map(([name, box]) => name + ' to ' + Math.round(box.right))`;

test.each([
  [320, 100],
  [390, 100],
  [768, 100],
  [820, 100],
  [1024, 100],
  [1440, 100],
  [390, 200],
  [1440, 200],
])('at %i px wide and text at %i percent every view fits', async (width, percent) => {
  await page.setViewportSize({ width, height: 1000 });
  const found: string[] = [];
  for (const [place, until] of PLACES) {
    await page.goto(`${fixture.url}/${place}`);
    // Letters as the browser's own setting makes them; the rules in em do not see this, so the lines must wrap.
    await page.evaluate(`document.documentElement.style.fontSize = '${(percent * 93.75) / 100}%'`);
    await page.locator(until).first().waitFor({ state: 'attached' });
    // A member with a long name, chosen for a card.
    if (place === '#/people') await page.locator('[data-member="m-long"] .who').click();
    const over = Number(
      await page.evaluate('document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth'),
    );
    if (over > 0) found.push(`${place} is ${over} px too wide: ${await page.evaluate(OVER)}`);
    const outside = (await page.evaluate(OUTSIDE)) as string[];
    if (outside.length > 0) found.push(`${place}: ${outside.join(', ')}`);
  }
  expect(found).toEqual([]);
});
