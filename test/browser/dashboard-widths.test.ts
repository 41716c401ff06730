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

const room = (id: string) => page.locator(`[data-room="${id}"]`);
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

test('on a phone every room of the plan shows its state and its temperature whole', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${fixture.url}/#/overview`);
  await room('consult-1').waitFor();
  const cut = await page.evaluate(`[...document.querySelectorAll('[data-room]')].flatMap((room) => {
    const right = room.querySelector('.shape').getBBox().width + 3;
    return [...room.querySelectorAll('text')]
      .filter((text) => {
        const box = text.getBBox();
        const whole = !text.matches('.word, .warmth') || !text.textContent.includes('…');
        return box.x + box.width > right || !whole;
      })
      .map((text) => room.dataset.room + ': ' + text.textContent);
  })`);
  expect(cut).toEqual([]);
});

test('the keyboard’s ring around a room has two colours', async () => {
  await page.goto(`${fixture.url}/#/overview`);
  await room('consult-1').waitFor();
  await page.keyboard.press('Tab');
  await room('consult-1').focus();
  const colours = await page.evaluate(`['.shape', '.ring'].map((part) => {
    const { stroke, display } = getComputedStyle(document.activeElement.querySelector(part));
    return display === 'none' ? 'none' : stroke;
  })`);
  expect(new Set(colours as string[]).size).toBe(2);
  expect(colours).not.toContain('none');
});

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
