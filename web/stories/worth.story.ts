// What is worth keeping: kept by itself when an incident is declared, and where it cannot be, a quiet piece for operations.
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PHONE } from './house';
import { PATIENCE } from './search-fails';

let house: House;
let graphs: Server;
afterEach(async () => {
  graphs.close();
  await house.close();
});

/** A red dot. */
const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==',
  'base64',
);

/** Where pictures go that somebody wants to look at. */
const pictures = process.env.STORY_PICTURES;
const TOUCH: BrowserContextOptions = { viewport: PHONE, isMobile: true, hasTouch: true, colorScheme: 'dark' };

const worth = (page: Page) => page.getByRole('group', { name: /^Worth keeping/ });
const row = (page: Page, words: string) => worth(page).getByRole('listitem').filter({ hasText: words });

async function look(page: Page, name: string): Promise<void> {
  if (!pictures) return;
  if (await worth(page).isVisible()) await worth(page).scrollIntoViewIfNeeded();
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

/** What the place with graphs shows once it is well again. */
let well = false;

async function furnish(store: 'sqlite' | 'postgres', kind: 'incident' | 'drill'): Promise<void> {
  well = false;
  graphs = createServer((asked, answer) => {
    if (asked.url === '/errors.png' && !well) answer.writeHead(503).end();
    else answer.end(asked.url === '/errors.png' ? 'errors' : DOT);
  });
  await new Promise<void>((resolve) => graphs.listen(0, '127.0.0.1', resolve));
  const at = `127.0.0.1:${(graphs.address() as AddressInfo).port}`;
  house = new House(store);
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  house.person('emma', 'Emma');
  house.run('service', 'set', 'search');
  const things = [`graph=http://${at}/graph.png`, `errors=http://${at}/errors.png`];
  house.run('service', 'preserve', 'search', ...things, 'pods=kubectl get pods -n search');
  await house.serve({ WARDROOM_FETCH_FROM: at });
  const drill = kind === 'drill' ? ['--kind', 'drill'] : [];
  house.say(sabrina, 'declare', 'Search is failing for everyone', '--service', 'search', ...drill);
}

async function enter(handle: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await house.enter(handle, options);
  await page.goto(`${house.url}/incidents/1`);
  return page;
}

/** Where the timeline is. */
async function timeline(page: Page, phone: boolean): Promise<void> {
  if (phone) await page.getByRole('button', { name: 'Timeline', exact: true }).click();
}

test.each([
  ['a desk', 'sqlite', {}],
  ['a phone', 'postgres', TOUCH],
] as const)(
  'what could not be kept by itself is kept by a button, at %s, on %s',
  async (place, store, options) => {
    const phone = place === 'a phone';
    await furnish(store, 'incident');
    const page = await enter('sabrina', options);
    await row(page, 'errors of search')
      .getByText('Not kept by itself: its host answered something else.')
      .waitFor();
    expect(await row(page, 'graph of search').count(), 'it is kept').toBe(0);
    await row(page, 'pods of search')
      .getByText('wardroom run 1 --look -- kubectl get pods -n search')
      .waitFor();
    await expect.poll(() => faults(page), PATIENCE).toEqual([]);
    await look(page, `worth-${place.replaceAll(' ', '-')}`);
    if (!phone) {
      await page.emulateMedia({ colorScheme: 'dark' });
      await look(page, 'worth-a-desk-dark');
    }

    await row(page, 'errors of search').getByRole('button', { name: 'Keep it: errors of search' }).click();
    await worth(page).getByText('answered 503').waitFor();
    await worth(page).getByRole('button', { name: 'Never mind' }).click();
    well = true;
    await row(page, 'errors of search').getByRole('button', { name: 'Keep it: errors of search' }).click();
    await row(page, 'errors of search').waitFor({ state: 'detached' });
    await expect.poll(() => faults(page), PATIENCE).toEqual([]);

    await timeline(page, phone);
    await page.getByText(/^Wardroom attached graph of search \(.*\): kept by itself /).waitFor();
    await page.locator('li .piece img').waitFor();
    await page.getByText('Worth keeping, and not kept by itself: errors of search').waitFor();
    await page.getByText('attached errors of search (6 bytes): worth keeping of search, by hand').waitFor();
    await look(page, `kept-${place.replaceAll(' ', '-')}`);
    await expect.poll(() => faults(page), PATIENCE).toEqual([]);
  },
);

test('practice shows what would be kept, and to nobody else than operations', async () => {
  await furnish('sqlite', 'drill');
  const page = await enter('sabrina');
  await row(page, 'graph of search').getByText('In an incident, Wardroom would keep it by itself.').waitFor();
  await expect.poll(() => faults(page), PATIENCE).toEqual([]);
  const emma = await enter('emma');
  await emma.getByRole('group', { name: /^Differs from normal/ }).waitFor();
  expect(await worth(emma).count()).toBe(0);
});
