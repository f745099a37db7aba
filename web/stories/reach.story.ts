// Choosing how one is reached: what is shown is what is kept, wherever one reads it.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PHONE } from './house';

let house: House;
afterEach(async () => await house.close());

async function open(page: Page) {
  await page.getByRole('button', { name: /^You:/ }).click();
  const menu = page.locator('#you');
  await menu.getByText('How you are reached').click();
  await menu.getByText('You are told of offers').waitFor();
  return menu;
}

test('a pager and quiet hours are chosen, and mean the same in another zone', async () => {
  house = new House('sqlite');
  house.person('sabrina', 'Sabrina');
  await house.serve();
  const page = await house.enter('sabrina', { timezoneId: 'Europe/Berlin' });
  let menu = await open(page);
  await menu.getByText('This server sends no mail').waitFor();
  await menu.getByLabel('Pager').check();
  await menu.getByLabel('Routing key').fill('0123456789abcdef0123456789abcdef');
  await menu.getByLabel('Quiet hours').check();
  await menu.getByLabel('To', { exact: true }).fill('06:30');
  await menu.getByText('By the clock of Europe/Berlin.').waitFor();
  expect(await faults(page)).toEqual([]);
  await menu.getByRole('button', { name: 'Keep it' }).click();
  await menu.getByText('Kept.').waitFor();
  await menu.getByText('by events.pagerduty.com').waitFor();

  // Elsewhere the hours are still those of Berlin, until one says otherwise; and keeping anything keeps them so.
  const phone = { viewport: PHONE, isMobile: true, hasTouch: true, colorScheme: 'dark' as const };
  const away = await house.enter('sabrina', { ...phone, timezoneId: 'Asia/Tokyo' });
  menu = await open(away);
  await menu.getByText('By the clock of Europe/Berlin.').waitFor();
  expect(await menu.getByLabel('To', { exact: true }).inputValue()).toBe('06:30');
  await menu.getByRole('button', { name: 'Keep it' }).click();
  await menu.getByText('Kept.').waitFor();
  await menu.getByRole('button', { name: 'Use that of Asia/Tokyo' }).click();
  await menu.getByText('By the clock of Asia/Tokyo.').waitFor();
  // An endpoint is kept with its key: another one is not taken without.
  await menu.getByLabel('Endpoint').fill('https://pager.example.org/enqueue');
  await menu.getByRole('button', { name: 'Keep it' }).click();
  expect(
    await menu.getByLabel('Routing key').evaluate((key: HTMLInputElement) => key.validity.valueMissing),
  ).toBe(true);
  const wide = await away.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wide).toBe(0);
  expect(await faults(away)).toEqual([]);
});
