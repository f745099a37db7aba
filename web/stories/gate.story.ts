// A line about a change that names no service that anybody knows.
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PHONE, STORES } from './house';
import { PATIENCE } from './search-fails';

let house: House;
afterEach(async () => await house.close());

const TOUCH: BrowserContextOptions = { viewport: PHONE, isMobile: true, hasTouch: true };
const SCREENS = [
  ['a desk', {}],
  ['a phone', TOUCH],
] as const;

const tooWide = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Ada looks after the house; Sabrina commands, Marty is outside operations. */
async function furnish(store: 'sqlite' | 'postgres', ...services: string[]): Promise<{ marty: string }> {
  house = new House(store);
  house.person('ada', 'Ada', '--admin');
  const sabrina = house.person('sabrina', 'Sabrina');
  const marty = house.person('marty', 'Marty');
  for (const service of ['search', 'index', 'frontend']) house.run('service', 'set', service);
  await house.serve();
  const named = services.flatMap((service) => ['--service', service]);
  house.say(sabrina, 'declare', 'Search is failing for everyone', '--severity', 'sev1', ...named);
  return { marty };
}

test.each(STORES.flatMap((store) => SCREENS.map((screen) => [store, ...screen] as const)))(
  'a line that names no service is asked for it in its place, and nothing typed is lost (%s, %s)',
  async (store, _, options) => {
    await furnish(store, 'search', 'frontend');
    const page = await house.enter('sabrina', options);
    await page.goto(`${house.url}/incidents/1`);
    const ledger = page.getByRole('group', { name: /^Differs from normal right now/ });
    const line = page.getByRole('textbox', { name: 'A change to a service' });
    const which = page.getByRole('combobox', { name: 'Which service is it?' });
    await line.fill('eu-1/cards: drained');
    await line.press('Enter');
    await ledger.getByText('Nobody here knows a service').waitFor();
    // The keyboard is there, and the line stands as it was.
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')), PATIENCE)
      .toBe('Which service is it?');
    expect(await line.inputValue()).toBe('eu-1/cards: drained');
    await expect
      .poll(
        () =>
          page
            .locator('datalist option')
            .evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value)),
        PATIENCE,
      )
      .toEqual(['frontend', 'search', 'index']);
    expect(await faults(page)).toEqual([]);
    expect(await tooWide(page)).toBe(0);
    // Back to it and on again.
    await page.keyboard.press('Escape');
    await which.waitFor({ state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('change');
    await page.keyboard.press('Enter');
    await which.waitFor();
    await which.fill('index');
    await which.press('Enter');
    const row = (words: string) => ledger.getByRole('listitem').filter({ hasText: words });
    await row('eu-1/cards: drained').getByText('index').waitFor();
    await expect.poll(() => line.inputValue(), PATIENCE).toBe('');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id), PATIENCE).toBe('change');
    expect(await which.count()).toBe(0);
    // One of those that are affected is a press away; and so is the name itself, which then is no more of the words.
    await line.fill('eu-2/cards: drained too');
    await line.press('Enter');
    await ledger.getByRole('button', { name: 'frontend', exact: true }).click();
    await row('eu-2/cards: drained too').getByText('frontend').waitFor();
    await line.fill('eu-3/cards: drained as well');
    await line.press('Enter');
    await ledger.getByRole('button', { name: 'A new one: eu-3/cards' }).click();
    await row('drained as well').waitFor();
    await expect
      .poll(() => ledger.locator('.words > bdi').allInnerTexts(), PATIENCE)
      .toEqual(expect.arrayContaining(['drained as well', 'eu-2/cards: drained too', 'eu-1/cards: drained']));
  },
);
