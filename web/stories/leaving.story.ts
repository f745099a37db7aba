// What of one person is left in a browser for the next, and of an incident whose reader lost the right to it while no
// window looked; and a browser that keeps nothing at all.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { WITHOUT_WORKER, between } from './between';
import { House } from './house';
import { isKept } from './keeps';
import { PATIENCE, type Tokens, searchFails } from './search-fails';
import { note } from './written';

let house: House;
afterEach(async () => await house.close());

const furnish = async (): Promise<Tokens> => await searchFails((house = new House('sqlite')));

/** All that stands in the databases of this browser, as one text. */
const onDisk = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error!);
      });
    const all: unknown[] = [];
    for (const { name } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name!));
      for (const store of database.objectStoreNames) {
        const inside = database.transaction(store).objectStore(store);
        for (const key of await done(inside.getAllKeys())) {
          const value: unknown = await done(database.transaction(store).objectStore(store).get(key));
          const update = (value as { update?: Uint8Array } | undefined)?.update;
          all.push([name, store, key, update ? new TextDecoder().decode(update) : value]);
        }
      }
      database.close();
    }
    return JSON.stringify(all);
  });

test('words of an incident that was restricted while no window looked go with the next one', async () => {
  const { sabrina } = await furnish();
  house.say(sabrina, 'declare', 'Mail is slow');
  const page = await house.enter('marty');
  await isKept(page);
  const id = await page.evaluate(async () => {
    const me = (await (await fetch('/api/v1/me')).json()) as { person: { id: string } };
    return me.person.id;
  });
  for (const number of [1, 2]) {
    await page.goto(`${house.url}/incidents/${number}`);
    await expect.poll(() => onDisk(page), PATIENCE).toContain(`incident/${number}`);
    await expect.poll(() => onDisk(page), PATIENCE).toContain(`${id}/${number}/`);
  }
  await page.goto('about:blank');
  house.say(sabrina, 'restrict', '1');
  await page.goto(`${house.url}/`);
  await page.getByRole('heading', { name: 'Board' }).waitFor();
  await expect.poll(() => onDisk(page), PATIENCE).not.toContain('Search is failing');
  await expect.poll(() => onDisk(page), PATIENCE).not.toContain(`${id}/1/`);
  // What they may still see is still there.
  expect(await onDisk(page)).toContain('incident/2');
  expect(await onDisk(page)).toContain(`${id}/2/`);
});

test('whoever comes next in the same window or beside it has nothing of those before', async () => {
  const { sabrina } = await furnish();
  house.say(sabrina, 'declare', 'Somebody is in our network');
  house.say(sabrina, 'restrict', '2');
  // Marty has a password, and no browser yet.
  await (await house.enter('marty')).context().close();
  const page = await house.enter('sabrina', WITHOUT_WORKER);
  await page.getByText('Somebody is in our network').first().waitFor();
  await page.getByRole('button', { name: 'You: Sabrina' }).click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByLabel('Your handle').waitFor();
  // The board takes its time: what is shown until then is what this window has.
  const held: (() => void)[] = [];
  await between(page, '**/api/v1/incidents?*', async (route) => {
    await new Promise<void>((resolve) => held.push(resolve));
    await route.continue().catch(() => undefined);
  });
  await page.getByLabel('Your handle').fill('marty');
  await page.getByLabel('Password', { exact: true }).fill('a long enough password');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'You: Marty' }).waitFor();
  await expect.poll(() => held.length, PATIENCE).toBeGreaterThan(0);
  // Whoever comes next gets a window of their own, which may still be on its way.
  const shows = (): Promise<boolean | null> =>
    page.content().then(
      (words) => words.includes('Somebody is in our network'),
      () => null,
    );
  await expect.poll(shows, PATIENCE).toBe(false);
  await expect.poll(() => onDisk(page), PATIENCE).not.toContain('Search is failing');
  await page.unroute('**/api/v1/incidents?*');
  held.forEach((go) => go());
  await page.goto(`${house.url}/incidents/1`);
  await page.locator('.timeline [data-entry="1"]').waitFor();

  // Beside it, Sabrina comes in by a link, without anybody having signed out.
  const began = await page.evaluate(() => performance.timeOrigin);
  const beside = await page.context().newPage();
  const link = /#\S+/.exec(house.run('person', 'link', 'sabrina'))![0];
  await beside.goto(`${house.url}/welcome${link}`);
  await beside
    .getByLabel(/password/i)
    .first()
    .fill('a long enough password');
  await beside.keyboard.press('Enter');
  await beside.getByRole('button', { name: 'You: Sabrina' }).waitFor();
  await page.getByRole('button', { name: 'You: Sabrina' }).waitFor();
  // The first window is a new one, and not Marty's room with another name above it.
  await expect
    .poll(() => page.evaluate(() => performance.timeOrigin).catch(() => began), PATIENCE)
    .not.toBe(began);
  await expect.poll(() => onDisk(page), PATIENCE).not.toContain('"marty"');
});

test.each(['throws', 'hangs'])(
  'where the browser keeps nothing (it %s), the page works online',
  async (how) => {
    const { sabrina, marty } = await furnish();
    house.say(marty, 'join', '1');
    const page = await house.enter('marty');
    await page.context().addInitScript((how) => {
      IDBFactory.prototype.open = () => {
        if (how === 'throws') throw new DOMException('no', 'SecurityError');
        return {} as IDBOpenDBRequest;
      };
    }, how);
    await page.goto(`${house.url}/`);
    await page
      .getByRole('link', { name: /Search is failing/ })
      .first()
      .click();
    await note(page, 'The cache is cold');
    await page.locator('.timeline [data-entry]').getByText('The cache is cold').waitFor();
    expect(await faults(page)).toEqual([]);
    await house.kill();
    await note(page, 'And the index is old');
    await page.getByText('this browser keeps nothing, so leave this window open').first().waitFor();
    await house.serve();
    await page.locator('.timeline [data-entry]').getByText('And the index is old').waitFor();
    const lines = house.say(sabrina, 'timeline', '1');
    for (const text of ['The cache is cold', 'And the index is old'])
      expect(lines.split(text).length).toBe(2);
  },
);
