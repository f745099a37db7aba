// Evidence in the room: a file is kept with a line that says why, everybody sees it in the list, and what is refused says so
// and is still there.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { faults as found } from './accessibility';
import { WITHOUT_WORKER, between } from './between';
import { House, PHONE } from './house';
import { PATIENCE, bothAreIn } from './search-fails';

let house: House;
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'wardroom-files-'))));
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await house.close();
});

/** A red dot. */
const DOT =
  'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==';
const LOG = '12:01 shard 3 failed\n12:02 shard 4 failed\n';

const TOUCH: BrowserContextOptions = { viewport: PHONE, isMobile: true, hasTouch: true, colorScheme: 'dark' };

const list = (page: Page) => page.getByRole('region', { name: /^Evidence/ });
const row = (page: Page, words: string | RegExp) =>
  list(page).getByRole('listitem').filter({ hasText: words });
const why = (page: Page) => list(page).getByRole('textbox', { name: 'Why it is worth keeping, if you like' });

function file(name: string, words: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, words);
  return path;
}

async function enter(handle: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await house.enter(handle, options);
  // Whenever the browser would ask for files, the story answers.
  page.on('filechooser', () => undefined);
  await page.goto(`${house.url}/incidents/1`);
  await list(page).waitFor();
  return page;
}

/** The button has the keyboard, and is pressed; the browser asks for files, and gets them. */
async function choose(page: Page, ...paths: string[]): Promise<void> {
  const button = list(page).getByRole('button', { name: 'Keep a file…' });
  await button.focus();
  const [asks] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
  expect(asks.isMultiple()).toBe(true);
  await asks.setFiles(paths);
}

/** From the top: what is half under the bar counts as too small. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(() => scrollTo(0, 0));
  return await found(page);
}

const wide = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

test.each([
  ['a desk', 'sqlite', {}],
  ['a phone', 'postgres', TOUCH],
] as const)(
  'a file is kept with a line and Enter, and stands in everybody’s list, at %s, on %s',
  async (place, store, options) => {
    house = new House(store);
    await bothAreIn(house);
    const [marty, sabrina] = [await enter('marty', options), await enter('sabrina', options)];
    await list(sabrina).getByText('Nothing is kept yet.').waitFor();
    expect(await faults(sabrina)).toEqual([]);

    // A key leads there from anywhere.
    await marty.keyboard.press('v');
    await expect
      .poll(() => marty.evaluate(() => document.activeElement?.textContent), PATIENCE)
      .toBe('Keep a file…');
    await choose(marty, file('errors.log', LOG));
    await expect.poll(() => why(marty).evaluate((line) => line === document.activeElement)).toBe(true);
    await list(marty).getByText('errors.log').waitFor();
    expect(await faults(marty)).toEqual([]);
    await marty.keyboard.type('shards 3 and 4, as they went');
    await marty.keyboard.press('Enter');

    const kept = row(sabrina, 'errors.log');
    await kept.getByText('shards 3 and 4, as they went').waitFor();
    await kept.getByText('text, 42 bytes · Marty').waitFor();
    await list(sabrina)
      .getByRole('heading', { name: /^Evidence/ })
      .getByText('1, 42 bytes')
      .waitFor();
    // The keyboard is where the next file would be chosen.
    await expect
      .poll(() => marty.evaluate(() => document.activeElement?.textContent), PATIENCE)
      .toBe('Keep a file…');
    await list(marty).getByRole('status').getByText('errors.log is kept.').waitFor({ state: 'attached' });

    // It is saved, never shown.
    const [saved] = await Promise.all([
      sabrina.waitForEvent('download'),
      kept.getByRole('link', { name: 'Save errors.log' }).click(),
    ]);
    expect(saved.suggestedFilename()).toBe('errors.log');

    // A picture is shown small; no why is no obstacle, and two files go one after the other.
    await choose(
      marty,
      file('graph.png', Buffer.from(DOT, 'base64')),
      file('page.png', '<script>1</script>'),
    );
    await marty.keyboard.press('Enter');
    const picture = row(sabrina, 'graph.png');
    await picture.getByText('PNG picture').waitFor();
    await expect
      .poll(() => picture.locator('img').evaluate((img) => (img as HTMLImageElement).naturalWidth), PATIENCE)
      .toBe(5);
    await row(sabrina, 'page.png').getByText('text, 18 bytes').waitFor();
    expect(await row(sabrina, 'page.png').locator('img').count(), 'no picture by its bytes').toBe(0);
    expect(await faults(sabrina)).toEqual([]);
    expect([await wide(sabrina), await wide(marty)]).toEqual([0, 0]);

    // From the list to the entry, where it is taken out; of which something is left to see.
    await kept.getByRole('button', { name: /^entry \d+$/ }).click();
    const entry = sabrina.locator('.timeline li[data-entry]').filter({ hasText: 'errors.log' });
    await entry.getByRole('button', { name: /^Redact entry/ }).click();
    await entry.getByRole('button', { name: 'Redact…' }).click();
    await entry.getByRole('button', { name: 'Take it out, for ever' }).click();
    await row(marty, 'This was taken out.').getByText('was brought by Marty').waitFor();
    expect(await list(marty).getByText('errors.log').count()).toBe(0);
    expect(await faults(marty)).toEqual([]);
  },
);

test('what is refused says why, and is still there; whoever is not here yet joins and goes on', async () => {
  house = new House('sqlite');
  await bothAreIn(house, { WARDROOM_MAX_EVIDENCE_PER_INCIDENT: '1' });
  house.person('emma', 'Emma');
  const emma = await enter('emma');
  await choose(emma, file('errors.log', LOG));
  await emma.keyboard.press('Enter');
  await list(emma).getByRole('alert').getByText('errors.log was not kept.').waitFor();
  expect(await faults(emma)).toEqual([]);
  await list(emma).getByRole('button', { name: "I'm here: join and try again" }).click();
  await row(emma, 'errors.log').getByText('Emma').waitFor();

  // More than this server keeps of one incident.
  await choose(emma, file('heap.bin', Buffer.alloc(1_500_000, 1)));
  await emma.keyboard.type('before the restart');
  await emma.keyboard.press('Enter');
  await list(emma)
    .getByRole('alert')
    .getByText(/^heap\.bin was not kept\. .*at most 1\.0 MB do/)
    .waitFor();
  expect(await why(emma).inputValue()).toBe('before the restart');
  await list(emma).getByText('1.5 MB', { exact: true }).waitFor();
  expect(await faults(emma)).toEqual([]);
  // One button takes back both.
  await list(emma).getByRole('button', { name: 'Never mind' }).press('Enter');
  await list(emma).getByRole('alert').waitFor({ state: 'detached' });
  await expect
    .poll(() => emma.evaluate(() => document.activeElement?.textContent), PATIENCE)
    .toBe('Keep a file…');

  // More than anybody keeps of one file: nothing of it is sent.
  const large = file('core', 'x');
  truncateSync(large, 2 * 1024 ** 3 + 1);
  await choose(emma, large);
  await emma.keyboard.press('Enter');
  await list(emma).getByRole('alert').getByText('core was not kept. It is too large').waitFor();
  expect(await list(emma).getByRole('listitem').count()).toBe(1);
});

test('a large file goes in parts, and says how far it is', async () => {
  house = new House('sqlite');
  await bothAreIn(house);
  const [marty, sabrina] = [await enter('marty', WITHOUT_WORKER), await enter('sabrina')];
  await choose(marty, file('heap.bin', Buffer.alloc(9 * 1024 ** 2, 7)));
  await marty.keyboard.type('before the restart');
  // The last part waits until it was looked at.
  let go = (): void => {};
  const looked = new Promise<void>((resolve) => (go = resolve));
  await between(marty, '**/evidence/uploads/**', async (route) => {
    if (Number(route.request().headers()['upload-offset']) > 0) await looked;
    await route.continue();
  });
  await marty.keyboard.press('Enter');
  await list(marty).getByRole('progressbar', { name: 'How much of heap.bin is sent' }).waitFor();
  await list(marty).getByText('44 %').waitFor();
  expect(await faults(marty)).toEqual([]);
  go();
  await row(sabrina, 'heap.bin').getByText('file, 9.0 MB').waitFor();
  await row(sabrina, 'heap.bin').getByText('before the restart').waitFor();
});

test.each([
  ['a desk', {}],
  ['a phone', TOUCH],
] as const)('a URL is fetched from a listed host alone, and kept with a line, at %s', async (_, options) => {
  house = new House('sqlite');
  const graphs = createServer((_, answer) => void answer.end(Buffer.from(DOT, 'base64')));
  await new Promise<void>((resolve) => graphs.listen(0, '127.0.0.1', resolve));
  try {
    const at = `127.0.0.1:${(graphs.address() as AddressInfo).port}`;
    await bothAreIn(house, { WARDROOM_FETCH_FROM: at });
    const [marty, sabrina] = [await enter('marty', options), await enter('sabrina', options)];
    const button = list(marty).getByRole('button', { name: 'Fetch a URL…' });
    await button.press('Enter');
    const url = list(marty).getByRole('textbox', { name: 'The URL' });
    await expect.poll(() => url.evaluate((line) => line === document.activeElement)).toBe(true);
    await marty.keyboard.type('https://graphs.example.org/errors.png');
    await marty.keyboard.press('Tab');
    await marty.keyboard.type('errors as they began');
    await marty.keyboard.press('Enter');
    await list(marty).getByRole('alert').getByText('may not fetch from graphs.example.org').waitFor();
    expect(await faults(marty)).toEqual([]);
    expect(await why(marty).inputValue()).toBe('errors as they began');
    expect(await list(marty).getByRole('button', { name: 'Never mind' }).count()).toBe(1);
    await url.fill(`http://${at}/errors.png?token=sesame`);
    await url.press('Enter');
    const kept = row(sabrina, `${at}/errors.png`);
    await kept.getByText('errors as they began').waitFor();
    await kept.getByText('PNG picture').waitFor();
    expect(await list(sabrina).getByText('sesame').count()).toBe(0);
    expect(await faults(sabrina)).toEqual([]);
    // The line has done its work.
    await expect
      .poll(() => marty.evaluate(() => document.activeElement?.textContent), PATIENCE)
      .toBe('Fetch a URL…');
    expect([await wide(sabrina), await wide(marty)]).toEqual([0, 0]);
  } finally {
    graphs.close();
  }
});
