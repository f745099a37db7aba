// A backup is restored beneath an open page: it begins anew, mixes nothing, and gives back the words that only it had.
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PASSWORD } from './house';
import { isKept } from './keeps';
import { PATIENCE, bothAreIn } from './search-fails';
import { into, reads, saved } from './written';

let house: House;
afterEach(async () => await house.close());

test('after a restore the page begins anew, and offers the words that were not sent', async () => {
  house = new House('sqlite');
  await bothAreIn(house);
  const page = await house.enter('marty');
  await isKept(page);
  await page.goto(`${house.url}/incidents/1`);
  await saved(page);
  await into(page);
  await page.keyboard.type('In the backup. ');
  await saved(page);
  const backup = house.backup();
  await page.keyboard.type('After it. ');
  await saved(page);
  await house.kill();
  await page.keyboard.type('Written alone.');
  await page.locator('.document h2').getByText('not sent; kept in this browser').waitFor();
  house.restore(backup);
  await house.serve();

  // A backup lets nobody in: whoever was signed in comes in by a new link, in the same browser.
  await page.getByLabel('Your handle').waitFor();
  const link = /\/welcome#\S+/.exec(house.run('person', 'link', 'marty'))![0];
  await page.goto(house.url + link);
  await page
    .getByLabel(/password/i)
    .first()
    .fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL(`${house.url}/`);
  await page.goto(`${house.url}/incidents/1`);
  await saved(page);
  await reads(page).toBe('In the backup. ');
  const offered = page.locator('.document .standing').filter({ hasText: 'restored from a backup' });
  await offered.getByRole('button', { name: 'Take it out' }).click();
  await expect
    .poll(() => page.locator('.document').innerText(), PATIENCE)
    .toContain('In the backup. After it. Written alone.');
  await page.getByRole('button', { name: "Copy the document's words" }).waitFor();
  expect(await faults(page)).toEqual([]);
  await into(page);
  await page.keyboard.type('Since then.');
  await saved(page);
  await offered.getByRole('button', { name: 'Throw it away' }).click();
  await offered.waitFor({ state: 'detached' });
  await page.reload();
  await saved(page);
  await reads(page).toBe('In the backup. Since then.');
  await expect.poll(() => offered.count(), PATIENCE).toBe(0);
});
