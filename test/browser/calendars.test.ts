/** The schedule and the calendars’ page in a real Chromium, against a whole gateway and a real HTTP calendar. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Browser, openBrowser, signIn } from '../support/browser.ts';
import { calendarClinic, feed, HOUR, type IcsEvent, look, untilSource } from '../support/calendars-host.ts';
import { CalendarServer } from '../support/calendars-server.ts';
import { type Clinic, EIGHT } from '../support/clinic.ts';

const FEED = '/room-1.ics';
const ADA = 'ada@clinic.example';
const USER = { username: 'petra', password: 'correct horse battery' };
/** The clinic’s Tuesday, 10:00 there. */
const TUESDAY_TEN = EIGHT + 25 * HOUR;

let browser: Browser;
let page: Page;
let server: CalendarServer;
let clinic: Clinic;
let etag = 0;
const complaints: string[] = [];

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
});
beforeEach(async () => {
  server = await CalendarServer.start();
  serve(visit(TUESDAY_TEN));
  clinic = await calendarClinic([
    `id: practice, kind: ics, url: "${server.url(FEED)}", rooms: consult-1, holdPolls: 0`,
  ]);
  const made = await clinic.api('POST', 'members', {
    id: 'ada',
    name: 'Ada Example',
    addresses: ['ADA@clinic.example'],
  });
  expect(made.status, made.text).toBe(201);
  await clinic.api('POST', 'members', { id: 'ben', name: 'Ben Example' });
  const user = await clinic.api('POST', 'users', { name: USER.username, role: 'manager', password: USER.password });
  expect(user.status, user.text).toBe(201);
  clinic.clock.advance(1_000);
  await untilSource(clinic, 'practice', ({ bookings }) => bookings === 1);
  await browser.context.clearCookies();
  page = await browser.context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  await signIn(page, clinic.gateway.url, USER);
});
afterEach(async () => {
  await page.close();
  await clinic.close();
  await server.close();
  expect(complaints.splice(0)).toEqual([]);
});

const visit = (startMs: number, more: object = {}) => ({
  uid: 'visit',
  startMs,
  endMs: startMs + HOUR,
  attendee: ADA,
  ...more,
});
function serve(...events: IcsEvent[]): void {
  etag += 1;
  server.serve(FEED, { body: feed(...events), etag: `"${etag}"` });
}
const open = async (place: string) => page.goto(`${clinic.gateway.url}/${place}`);
const dialog = () => page.getByRole('dialog');
const block = (name: string) => page.getByRole('button', { name });
const DAY = '#/bookings/day/2026-03-03';
const iso = (ms: number) => new Date(ms).toISOString();

test('a calendar’s booking shows where it is from, and moves on the open screen when the calendar moves it', async () => {
  await open(DAY);
  await block('10:00–11:00, Ada Example, Consulting room 1, Confirmed, practice').click();
  await dialog().getByText('From the calendar practice').waitFor();
  await dialog()
    .getByText(/overrides the calendar/)
    .waitFor();
  await page.keyboard.press('Escape');
  serve(visit(TUESDAY_TEN + 2 * HOUR, { sequence: 1 }));
  await look(clinic, server, 'practice', FEED);
  await block('12:00–13:00, Ada Example, Consulting room 1, Confirmed, practice').waitFor();
  expect(await block('10:00–11:00, Ada Example, Consulting room 1, Confirmed').count()).toBe(0);
});

test('an operator’s word on a calendar’s booking stands until the calendar moves it', async () => {
  await open(DAY);
  await block('10:00–11:00, Ada Example').click();
  await dialog().getByRole('button', { name: '+ 30 min' }).click();
  await dialog().getByRole('button', { name: 'Save' }).click();
  const longer = block('10:00–11:30, Ada Example, Consulting room 1, Confirmed, practice');
  await longer.waitFor();
  // The same event, told anew: the word of the desk stands.
  serve(visit(TUESDAY_TEN), visit(TUESDAY_TEN + 72 * HOUR, { uid: 'other' }));
  await look(clinic, server, 'practice', FEED);
  await untilSource(clinic, 'practice', ({ bookings }) => bookings === 2);
  await longer.waitFor();
  serve(visit(TUESDAY_TEN + HOUR, { sequence: 1 }));
  await look(clinic, server, 'practice', FEED);
  await block('11:00–12:00, Ada Example, Consulting room 1, Confirmed, practice').waitFor();
});

test('a series by hand lists its clashes with their dates, books the others, and is cancelled from a day on', async () => {
  await clinic.api('POST', 'bookings', {
    id: 'taken',
    room: 'consult-2',
    holder: 'ben',
    start: iso(TUESDAY_TEN + 7 * 24 * HOUR),
    end: iso(TUESDAY_TEN + 7 * 24 * HOUR + HOUR),
  });
  await open(DAY);
  await page.getByRole('button', { name: 'Book Consulting room 2' }).click();
  await dialog().locator('[name=holder]').selectOption('ada');
  await dialog().locator('[name=from]').fill('10:00');
  await dialog().locator('[name=to]').fill('11:00');
  await dialog().locator('[name=every]').selectOption('week');
  await dialog().locator('[name=until]').fill('2026-03-31');
  await dialog().getByRole('button', { name: 'Book', exact: true }).click();
  await dialog()
    .getByText(/Tue 10 March.*Ben Example has it from 10:00 to 11:00/)
    .waitFor();
  // The button's word is read with the pointer on it, too.
  await dialog().getByRole('button', { name: 'Book', exact: true }).hover();
  const book = `getComputedStyle(document.querySelector('dialog .primary:hover'))`;
  expect(await page.evaluate(`${book}.backgroundColor`)).toBe(await page.evaluate(`${book}.borderTopColor`));
  // The dialog scrolls, and is reached by keyboard; a list that scrolled inside it would not be.
  const list = `document.querySelector('[aria-label="Times that are taken"]')`;
  expect(await page.evaluate(`getComputedStyle(${list}).overflowY`)).toBe('visible');
  await dialog().getByRole('button', { name: 'Book the others' }).click();
  await page.getByText('Saved: Consulting room 2, Tue 3 March 10:00–11:00, and 3 more of its series').waitFor();
  await block('10:00–11:00, Ada Example, Consulting room 2, Confirmed, made here, repeats').waitFor();
  const starts = async () => {
    const { body } = await clinic.api('GET', 'bookings?room=consult-2&from=2026-03-01T00:00:00Z');
    return (body as { id: string; start: string; status: string }[])
      .filter(({ id }) => id !== 'taken')
      .map(({ start, status }) => `${start.slice(5, 16)} ${status}`);
  };
  // The clocks change on 29 March; ten o’clock stays ten o’clock.
  expect(await starts()).toEqual(
    ['03-03T09:00', '03-17T09:00', '03-24T09:00', '03-31T08:00'].map((time) => `${time} confirmed`),
  );
  await open('#/bookings/week/2026-03-17/consult-2');
  await block('10:00–11:00, Ada Example, Consulting room 2, Confirmed, made here, repeats').click();
  await dialog().getByLabel('This and all after it').check();
  await dialog().getByRole('button', { name: 'Cancel booking' }).click();
  await dialog().getByRole('button', { name: 'Yes, cancel it' }).click();
  await block('10:00–11:00, Ada Example, Consulting room 2, Cancelled, made here, repeats').waitFor();
  expect((await starts()).map((line) => line.split(' ')[1])).toEqual([
    'confirmed',
    'cancelled',
    'cancelled',
    'cancelled',
  ]);
});

test('what is booked elsewhere comes to the week that is open, all rooms and one, by keyboard too', async () => {
  await open('#/bookings/week/2026-03-09');
  await page.getByRole('button', { name: 'Consulting room 2', exact: true }).waitFor();
  await clinic.api('POST', 'bookings', {
    room: 'consult-2',
    holder: 'ben',
    start: iso(EIGHT + 8 * 24 * HOUR),
    end: iso(EIGHT + 8 * 24 * HOUR + HOUR),
  });
  const there = block('09:00–10:00, Ben Example, Consulting room 2, Confirmed, made here');
  await there.waitFor();
  await there.focus();
  await page.keyboard.press('PageUp');
  await page.getByRole('heading', { name: /Mon 2 March – Sun 8 March/ }).waitFor();
  await page.getByRole('button', { name: 'Week after' }).click();
  await page.getByLabel('Room', { exact: true }).selectOption('consult-2');
  await there.waitFor();
  await page.getByRole('button', { name: 'Tue 10 March', exact: true }).click();
  await page.getByRole('heading', { name: /^Bookings Tue 10 March$/ }).waitFor();
});

test('a feed that fails is told on the overview, explained on its page, and looked at again from there', async () => {
  serve(visit(TUESDAY_TEN), visit(TUESDAY_TEN + 5 * HOUR, { uid: 'stranger', attendee: 'nobody@elsewhere.example' }));
  await look(clinic, server, 'practice', FEED);
  await untilSource(clinic, 'practice', ({ setAsideTotal }) => setAsideTotal === 1);
  await open('#/calendars');
  const card = page.locator('[data-calendar="practice"]');
  await card.getByText('Up to date').waitFor();
  await card.getByText('One entry is set aside and open no door').click();
  await card.getByText('Nobody known to hold it').waitFor();
  server.serve(FEED, () => ({ status: 500, body: 'no' }));
  await card.getByRole('button', { name: /Look now/ }).click();
  await card.locator('xpath=self::*[@data-state="failing"]').waitFor();
  serve(visit(TUESDAY_TEN));
  await card.getByRole('button', { name: /Look now/ }).click();
  await card.locator('xpath=self::*[@data-state="ok"]').waitFor();
  expect(await page.content()).not.toContain('token');
});

test('the mail addresses of a member are kept by hand', async () => {
  await open('#/people');
  await page.getByRole('button', { name: /Ben Example/ }).click();
  await page.getByRole('button', { name: 'Change…' }).click();
  await dialog().locator('[name=addresses]').fill('Ben@clinic.example\nb.example@clinic.example');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await dialog().waitFor({ state: 'detached' });
  const { body } = await clinic.api('GET', 'members');
  const ben = (body as { id: string; addresses?: string[] }[]).find(({ id }) => id === 'ben');
  expect(ben?.addresses).toEqual(['ben@clinic.example', 'b.example@clinic.example']);
});
