// Evidence in the page: a picture that is pasted is there for everybody, and stays; one that cannot be sent costs no word.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, STORES } from './house';
import { paste } from './paste';
import { PATIENCE, bothAreIn } from './search-fails';
import { editor, saved } from './written';

let house: House;
afterEach(async () => await house.close());

/** A red dot. */
const DOT =
  'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==';

const pictures = (page: Page) => editor(page).locator('.md-picture img');

async function enter(handle: string): Promise<Page> {
  const page = await house.enter(handle);
  await page.goto(`${house.url}/incidents/1`);
  await saved(page);
  return page;
}

/** The picture is not only named there: it is drawn. */
const drawn = (page: Page) =>
  expect
    .poll(
      async () =>
        (await pictures(page).count()) === 1 &&
        (await pictures(page).evaluate((img) => (img as HTMLImageElement).naturalWidth)),
      PATIENCE,
    )
    .toBe(5);

test.each(STORES)('a pasted picture is there for everybody, and stays (%s)', async (store) => {
  house = new House(store);
  await bothAreIn(house);
  const [desk, other] = [await enter('sabrina'), await enter('marty')];
  await editor(desk).focus();
  await desk.keyboard.type('Look at this: \n');
  await paste(desk, 'errors per second.png', 'image/png', DOT);
  await drawn(desk);
  await drawn(other);
  expect(await pictures(other).getAttribute('alt')).toBe('errors per second.png');
  const thumbnail = other.locator('li .piece img');
  await thumbnail.waitFor();
  expect(await thumbnail.getAttribute('alt')).toBe('errors per second.png');
  await other.getByText('attached errors per second.png (').first().waitFor();
  expect(await faults(other)).toEqual([]);
  await desk.reload();
  await drawn(desk);
  // Without a connection it says so, and every word is still there.
  await desk.context().setOffline(true);
  await editor(desk).focus();
  await desk.keyboard.press('Control+End');
  await desk.keyboard.type('typed offline');
  await paste(desk, 'second.png', 'image/png', DOT);
  await desk.locator('p.trouble', { hasText: 'second.png could not be sent' }).waitFor();
  expect(await editor(desk).innerText()).toContain('typed offline');
  await desk.context().setOffline(false);
  await expect.poll(() => editor(other).innerText(), PATIENCE).toContain('typed offline');
});
