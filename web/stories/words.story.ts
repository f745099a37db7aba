// Whatever people are called, and call things: HTML, marks that turn text around, emoji, words without an end. Nothing
// breaks the layout, from the smallest phone up, or the truth.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PHONE } from './house';

let house: House;
afterEach(async () => await house.close());

const tooWide = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

const LONG = 'Donaudampfschifffahrtsgesellschaftskapitänswitwe'.repeat(5).slice(0, 200);
const NAMES = ['<img src=x onerror="document.title=1">', 'שרה المهندسة 🔥👩🏽‍🚒', LONG, `${'名'.repeat(200)}`];

test('people and everything they name may be called anything', async () => {
  house = new House('sqlite');
  const tokens = NAMES.map((name, at) => house.person(`p${at}`, name, ...(at === 0 ? ['--admin'] : [])));
  const [first, second, third, fourth] = tokens as [string, string, string, string];
  await house.serve();
  house.say(first, 'declare', NAMES[1]!, '--severity', 'sev1');
  for (const token of [second, third, fourth]) house.say(token, 'join', '1');
  for (const [at, token] of [second, third, fourth].entries()) {
    house.say(token, 'doing', '1', NAMES[at]!);
    house.say(token, 'roadblock', '1', NAMES[at]!);
    house.say(token, 'note', '1', NAMES[at]!);
  }
  house.say(first, 'clock', '1', LONG, '--in', '15');
  for (const [role, to, token] of [
    ['operations', 'p1', second],
    ['planning', 'p3', fourth],
  ] as const) {
    house.say(first, 'offer', '1', role, to);
    house.say(token, 'take', '1', role);
  }
  house.say(first, 'offer', '1', 'command', 'p2');
  // Whoever comes in by a link is signed out elsewhere: one after the other.
  for (const widths of [
    [1440, 2560],
    [320, 390],
  ]) {
    const small = widths[0] === 320;
    const page = await house.enter('p2', small ? { viewport: PHONE, isMobile: true, hasTouch: true } : {});
    for (const width of widths) {
      await page.setViewportSize({ width, height: 844 });
      await page.goto(`${house.url}/`);
      await page.getByText('offers you command').first().waitFor();
      expect(await tooWide(page), `board at ${width}`).toBe(0);
      expect(await faults(page), `board at ${width}`).toEqual([]);
      await page.goto(`${house.url}/incidents/1`);
      await page.getByRole('button', { name: 'Read the briefing' }).click();
      await page.getByRole('heading', { name: 'How it stands' }).waitFor();
      expect(await tooWide(page), `briefing at ${width}`).toBe(0);
      expect(await faults(page), `briefing at ${width}`).toEqual([]);
      await page.getByRole('dialog').press('Escape');
      for (const tab of width <= 700 ? ['Command', 'Timeline', 'Now'] : []) {
        await page.getByRole('navigation').getByText(tab).last().tap();
        expect(await tooWide(page), `${tab} at ${width}`).toBe(0);
        expect(await faults(page), `${tab} at ${width}`).toEqual([]);
      }
      expect(await page.title()).not.toBe('1');
    }
  }
  const admin = await house.enter('p0', { viewport: { width: 320, height: 844 } });
  await admin.goto(`${house.url}/admin/people`);
  await admin.getByText(NAMES[1]!).first().waitFor();
  expect(await tooWide(admin), 'people at 320').toBe(0);
  expect(await faults(admin)).toEqual([]);
});

test('pasted megabytes stay outside, and the page says so', async () => {
  house = new House('sqlite');
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  await house.serve();
  house.say(sabrina, 'declare', 'Search is failing for everyone');
  const page = await house.enter('sabrina');
  await page.goto(`${house.url}/incidents/1`);
  const field = page.getByLabel('Write a note into the timeline');
  await field.fill('Before: ');
  await field.focus();
  await page.keyboard.insertText('It is all in here. '.repeat(110_000));
  await page.getByText(/A note holds 20,000 characters, and this is 2,090,000 more/).waitFor();
  expect(await faults(page)).toEqual([]);
  expect(await field.inputValue()).toBe('Before: ');
  await page.keyboard.insertText('the canary is healthy');
  await page.getByText(/A note holds/).waitFor({ state: 'hidden' });
  await page.keyboard.press('Enter');
  await page.getByText('Before: the canary is healthy').first().waitFor();
});
