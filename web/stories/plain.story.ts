// Plain http beyond this machine: signing in works, and the page says what to mind.
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PASSWORD } from './house';

let house: House;
afterEach(async () => await house.close());

// Notes had their ids from a function that browsers have on https alone, and none was written.
test('on plain http beyond this machine signing in works, with a warning and without passkeys', async () => {
  house = new House('sqlite');
  const sabrina = house.person('sabrina', 'Sabrina');
  await house.serve();
  house.say(sabrina, 'declare', 'Search is failing');
  const here = house.url;
  house.url = here.replace('127.0.0.1', 'wardroom.test');
  const page = await house.enter('sabrina');
  await page.getByRole('button', { name: /^You:/ }).click();
  await page.getByRole('button', { name: 'Your passkeys' }).click();
  await page.getByText('Passkeys need a page that came by https').waitFor();
  expect(await faults(page)).toEqual([]);
  await page.context().clearCookies();
  await page.goto(house.url);
  const warning = page.getByText('This connection is not encrypted');
  await warning.waitFor();
  expect(await page.getByRole('button', { name: 'Use a passkey' }).count()).toBe(0);
  expect(await faults(page)).toEqual([]);
  await page.getByLabel('Your handle').fill('sabrina');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /^You: Sabrina/ }).waitFor();

  // A note is written there as anywhere.
  await page.goto(`${house.url}/incidents/1`);
  const composer = page.getByLabel('Write a note into the timeline');
  await composer.fill('The cache does not help');
  await composer.press('Enter');
  await page.locator('.timeline [data-entry]').getByText('The cache does not help').waitFor();

  // On the machine itself there is nothing to warn of, and a bare address has no passkeys.
  await page.goto(here);
  await page.getByLabel('Your handle').waitFor();
  expect(await warning.count()).toBe(0);
  expect(await page.getByRole('button', { name: 'Use a passkey' }).count()).toBe(0);
});
