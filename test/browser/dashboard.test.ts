/** The dashboard as people use it: the built page in a real Chromium, against wire-valid fixtures. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Browser, openBrowser, signIn } from '../support/browser.ts';
import { FixtureServer, USER } from '../support/fixtures.ts';
import { event } from '../support/fixtures-data.ts';

let browser: Browser;
let page: Page;
let fixture: FixtureServer;
/** What the page complained about: scripts that threw, and anything the content policy stopped. */
let complaints: string[] = [];

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
});
beforeEach(async () => {
  fixture = await FixtureServer.start();
  // Cookies are kept by host, whatever the port: the session of the test before would still hold.
  await browser.context.clearCookies();
  page = await browser.context.newPage();
  complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
  });
});
afterEach(async () => {
  await page.close();
  await fixture.stop();
  expect(complaints).toEqual([]);
});

const room = (id: string) => page.locator(`[data-room="${id}"]`);
const dialog = () => page.getByRole('dialog');

test('sign-in refuses a wrong password, then opens the plan, and sign-out closes it', async () => {
  await page.goto(fixture.url);
  await page.getByLabel('User name').fill(USER.username);
  await page.getByLabel('Password').fill('not this one');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('User name or password is wrong.').waitFor();
  await signIn(page, fixture.url, USER);
  expect(await room('consult-1').getAttribute('data-state')).toBe('occupied');
  expect(await room('waiting').getAttribute('data-state')).toBe('unknown');
  expect(await room('store').getAttribute('aria-label')).toContain('fault');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  expect(await page.locator('[data-room]').count()).toBe(0);
});

test('a session that ends on the server brings every tab back to the sign-in', async () => {
  await signIn(page, fixture.url, USER);
  fixture.signedIn = false;
  fixture.dropStreams();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
});

test('a change on the stream reaches the plan, the summary and the feed at once', async () => {
  await signIn(page, fixture.url, USER);
  const free = fixture.snapshot.rooms.find((one) => one.id === 'consult-3');
  if (!free) throw new Error('the fixture lost consult-3');
  const nowMs = Date.now();
  fixture.change({
    rooms: [{ ...free, occupancy: { ...free.occupancy, state: 'occupied', since: new Date(nowMs).toISOString() } }],
    events: [
      event(13, nowMs, 0, {
        door: 'consult-3-door',
        member: 'm-lind',
        memberName: 'Maja Lind',
        outcome: 'granted',
        reason: 'granted',
      }),
    ],
  });
  await page.locator('[data-room="consult-3"][data-state="occupied"]').waitFor();
  await page.locator('[data-event="13"]', { hasText: 'Maja Lind' }).waitFor();
  expect(await page.locator('[data-tile="occupied"]').textContent()).toContain('4');
});

test('the feed tells reasons in sentences with the code beside them, and filters', async () => {
  await signIn(page, fixture.url, USER);
  const refusal = page.locator('[data-event="8"]');
  expect(await refusal.textContent()).toContain('Too early: the booking has not started yet.');
  expect(await refusal.textContent()).toContain('denied_out_of_time_range / booking_not_started');
  await page.getByRole('button', { name: 'Let in', exact: true }).click();
  await refusal.waitFor({ state: 'detached' });
  await page.locator('[data-event="5"]').waitFor();
});

test('an unlock asks for a reason, shows pending, then what the lock reported', async () => {
  let settle: (answer: { outcome: 'confirmed' | 'unknown' }) => void = () => {};
  fixture.unlock = () =>
    new Promise((resolve) => {
      settle = resolve;
    });
  await signIn(page, fixture.url, USER);
  await room('consult-3').click();
  const unlock = dialog().getByRole('button', { name: 'Unlock Consulting room 3' });
  await unlock.click();
  await page.keyboard.press('Escape');
  await unlock.waitFor();
  await unlock.click();
  await dialog().getByRole('button', { name: 'Patient waiting' }).click();
  await dialog().getByRole('button', { name: 'Unlock now' }).click();
  await dialog().locator('[data-progress="pending"]').waitFor();
  expect(await unlock.isDisabled()).toBe(true);
  settle({ outcome: 'confirmed' });
  await dialog().getByText('Confirmed: the lock reports it unlocked.').waitFor();
  await unlock.click();
  await dialog().getByRole('button', { name: 'Delivery' }).click();
  await dialog().getByRole('button', { name: 'Unlock now' }).click();
  await dialog().locator('[data-progress="pending"]').waitFor();
  settle({ outcome: 'unknown' });
  await dialog().getByText('Timed out: the lock did not answer.').waitFor();
  expect(fixture.writes).toEqual([
    'POST doors/consult-3-door/unlock {"reason":"Patient waiting"}',
    'POST doors/consult-3-door/unlock {"reason":"Delivery"}',
  ]);
});

test('a silent stream brings the banner, greys the state and disables what would send; no unlock waits in a queue', async () => {
  await signIn(page, fixture.url, USER);
  fixture.pinging = false;
  await page.locator('[data-banner="stale"]').waitFor({ timeout: 20_000 });
  expect(await page.getByRole('button', { name: 'Unlock Entrance' }).isDisabled()).toBe(true);
  expect(await page.getByRole('button', { name: 'Acknowledge' }).first().isDisabled()).toBe(true);
  fixture.pinging = true;
  await page.locator('[data-banner="stale"]').waitFor({ state: 'detached', timeout: 20_000 });
  expect(await page.getByRole('button', { name: 'Unlock Entrance' }).isDisabled()).toBe(false);
  expect(fixture.writes).toEqual([]);
});

test('a stream that the gateway ends is opened anew', async () => {
  await signIn(page, fixture.url, USER);
  fixture.dropStreams();
  const free = fixture.snapshot.rooms.find((one) => one.id === 'consult-3');
  if (!free) throw new Error('the fixture lost consult-3');
  fixture.change({ rooms: [{ ...free, occupancy: { ...free.occupancy, state: 'occupied' } }] });
  await page.locator('[data-room="consult-3"][data-state="occupied"]').waitFor({ timeout: 20_000 });
});

test('reception books, moves, extends and cancels; a clash names whose booking is in the way', async () => {
  fixture.role = 'reception';
  await signIn(page, fixture.url, USER);
  await page.getByRole('link', { name: 'Bookings' }).click();
  await page.getByRole('button', { name: 'Day after' }).click();
  await page.getByRole('button', { name: 'Book Therapy room' }).click();
  await dialog().locator('[name=holder]').selectOption('m-lind');
  await dialog().locator('[name=from]').fill('09:00');
  await dialog().locator('[name=to]').fill('10:00');
  await dialog().getByRole('button', { name: '+ 30 min' }).click();
  await dialog().getByRole('button', { name: 'Book', exact: true }).click();
  const block = page.getByRole('button', { name: '09:00–10:30, Maja Lind, Therapy room, Confirmed' });
  await block.waitFor();

  await page.getByRole('button', { name: 'Book Therapy room' }).click();
  await dialog().locator('[name=holder]').selectOption('m-weiss');
  await dialog().locator('[name=from]').fill('10:00');
  await dialog().locator('[name=to]').fill('11:00');
  await dialog().getByRole('button', { name: 'Book', exact: true }).click();
  await dialog()
    .getByText(/Maja Lind has Therapy room from 09:00 to 10:30/)
    .waitFor();
  await dialog().getByRole('button', { name: 'Close' }).last().click();

  await block.click();
  await dialog().locator('[name=room]').selectOption('procedure');
  await dialog().locator('[name=from]').fill('11:00');
  await dialog().locator('[name=to]').fill('12:00');
  await dialog().getByRole('button', { name: 'Save' }).click();
  const moved = page.getByRole('button', { name: '11:00–12:00, Maja Lind, Procedure suite, Confirmed' });
  await moved.waitFor();
  await moved.click();
  await dialog().getByRole('button', { name: 'Cancel booking' }).click();
  await dialog().getByRole('button', { name: 'Yes, cancel it' }).click();
  await moved.waitFor({ state: 'detached' });
  expect(fixture.writes.map((line) => line.split(' ')[0])).toEqual(['POST', 'POST', 'PATCH', 'DELETE']);
});

test('a member is added, a card just seen enrolled with one click, and revoked again', async () => {
  await signIn(page, fixture.url, USER);
  await page.getByRole('link', { name: 'People' }).click();
  await page.getByRole('button', { name: 'Add member' }).click();
  await dialog().getByLabel('Name').fill('Dr Ines Ferrer');
  await dialog().getByRole('button', { name: 'Add member' }).click();
  await page.getByRole('button', { name: 'Enrol for Dr Ines Ferrer' }).first().click();
  await page.getByText('The card …77A1 now belongs to Dr Ines Ferrer.').waitFor();
  expect(fixture.writes.at(-1)).toBe('POST credentials {"member":"m-new-6","seen":"u-1"}');
  await page.getByRole('button', { name: 'Revoke …77A1', exact: true }).dblclick();
  await page.getByRole('button', { name: 'Yes, revoke …77A1' }).waitFor();
  expect(fixture.writes.at(-1), 'a double-click revokes nothing').toContain('POST');
  await page.getByRole('button', { name: 'Yes, revoke …77A1' }).click();
  await page.getByText('The card …77A1 is revoked').waitFor();
  expect(await focusedText()).toContain('Dr Ines Ferrer');
  await page.getByRole('button', { name: 'Suspend', exact: true }).dblclick();
  await page.getByRole('button', { name: 'Yes, suspend' }).click();
  await page.getByText('Dr Ines Ferrer is now suspended.').waitFor();
  expect(await focusedText()).toContain('Dr Ines Ferrer');
});

test('an alarm is acknowledged with a note, then resolved', async () => {
  await signIn(page, fixture.url, USER);
  const alarm = page.locator('[data-alarm="a-held"]');
  await alarm.getByRole('button', { name: 'Acknowledge' }).click();
  await page.keyboard.type('Delivery is coming in.');
  await dialog().getByRole('button', { name: 'Acknowledge' }).click();
  await alarm.getByText('Acknowledged by petra: “Delivery is coming in.”').waitFor();
  expect(await focusedText()).toBe('Alarms');
  await alarm.getByRole('button', { name: 'Resolve' }).click();
  await dialog().getByRole('button', { name: 'Resolve' }).click();
  await alarm.waitFor({ state: 'detached' });
  expect(await focusedText()).toBe('Alarms');
});

test('a technician sends a test pulse and sees refused log-ins', async () => {
  await signIn(page, fixture.url, USER);
  await page.getByRole('link', { name: 'Devices' }).click();
  await page.getByText('The configuration knows no such device.').waitFor();
  await page.getByRole('button', { name: 'Test relay of room-consult-1' }).click();
  await page.locator('[data-device="room-consult-1"]', { hasText: 'Confirmed by the device' }).waitFor();
  expect(await focused('Test relay of room-consult-1')).toBe(true);
  expect(fixture.writes).toEqual(['POST devices/room-consult-1/test {"capability":"relay"}']);
});

test('a viewer sees everything and is offered no control', async () => {
  fixture.role = 'viewer';
  await signIn(page, fixture.url, USER);
  await room('consult-3').click();
  await dialog().getByText('Lock reports locked').waitFor();
  expect(await page.getByRole('button', { name: /Unlock|Acknowledge|Book this/ }).count()).toBe(0);
  expect(await page.getByRole('link', { name: 'People' }).count()).toBe(0);
});

test('the keyboard alone goes from the plan into a room, through an unlock and back to the same room', async () => {
  await signIn(page, fixture.url, USER);
  await room('consult-1').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  expect(await page.evaluate('document.activeElement.dataset.room')).toBe('consult-3');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await room('consult-3').focus();
  await page.keyboard.press('Enter');
  await dialog().getByRole('heading', { name: 'Consulting room 3' }).waitFor();
  for (let steps = 0; steps < 12 && !(await focused('Unlock Consulting room 3')); steps += 1)
    await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.keyboard.type('Came without a card');
  await page.keyboard.press('Enter');
  await dialog().getByText('Confirmed: the lock reports it unlocked.').waitFor();
  expect(await focused('Unlock Consulting room 3')).toBe(true);
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'detached' });
  expect(await page.evaluate('document.activeElement.dataset.room')).toBe('consult-3');
});

const focusedText = () => page.evaluate('document.activeElement?.textContent');
const focused = (name: string) => page.evaluate(`document.activeElement?.getAttribute('aria-label') === '${name}'`);

test('the room’s chart is drawn from its history, in the site’s zone', async () => {
  await signIn(page, fixture.url, USER);
  await room('therapy').click();
  await dialog().locator('.plot canvas').waitFor();
  const chart = dialog().getByRole('img', { name: /Temperature and occupancy of the last 24 hours/ });
  expect(await chart.getAttribute('aria-label')).toMatch(/Between \d+\.\d and \d+\.\d °C/);
});

test('two tabs share one stream', async () => {
  await signIn(page, fixture.url, USER);
  const second = await browser.context.newPage();
  try {
    await second.goto(fixture.url);
    await second.locator('[data-room]').first().waitFor();
    // Counted as opened: how many are open the server knows a moment later only, when one of them has ended.
    expect(fixture.streamsOpened).toBe(1);
  } finally {
    await second.close();
  }
});
