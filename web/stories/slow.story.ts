// A server that is slow, or behind something that is broken: notes of two windows are written once, in their order.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { House } from './house';
import { Proxy } from './proxy';
import { PATIENCE, bothAreIn } from './search-fails';
import { note, unsent } from './written';

let house: House;
let proxy: Proxy | undefined;
afterEach(async () => {
  proxy?.close();
  await house.close();
});

test('notes of two windows go once, however slow the answers are, and whichever get lost', async () => {
  house = new House('sqlite');
  const { sabrina } = await bothAreIn(house);
  proxy = new Proxy(house.url);
  await proxy.start();
  const straight = house.url;
  house.url = proxy.url;
  const first = await house.enter('marty');
  const second = await first.context().newPage();
  const room = async (page: Page): Promise<void> => {
    await page.goto(`${proxy!.url}/incidents/1`);
    await page.locator('.timeline [data-entry="1"]').waitFor();
  };
  for (const page of [first, second]) await room(page);
  house.url = straight;

  // It reaches the server, and the answer does not come back.
  proxy.manner = 'hold';
  await note(first, 'The cache is cold');
  await expect.poll(() => proxy!.held.length, PATIENCE).toBe(1);
  await note(second, 'And the index is old');
  for (const page of [first, second])
    for (const text of ['The cache is cold', 'And the index is old'])
      await expect
        .poll(() => unsent(page, text).or(page.locator('[data-entry]').getByText(text)).count(), PATIENCE)
        .toBeGreaterThan(0);
  expect(proxy.reached, 'the second waits for the first').toBe(1);

  // The gateway gives it up; then nothing gets through at all, for a while.
  proxy.manner = 'lose';
  proxy.release();
  await expect.poll(() => proxy!.reached, PATIENCE).toBeGreaterThan(1);
  proxy.manner = 'refuse';
  await note(first, 'Warming it');
  await unsent(first, 'Warming it').waitFor();
  await first.reload();
  await unsent(first, 'Warming it').waitFor();

  proxy.manner = 'pass';
  for (const page of [first, second]) {
    await page.locator('.timeline [data-entry]').getByText('Warming it').waitFor();
    await expect.poll(() => page.locator('.timeline li:not([data-entry])').count(), PATIENCE).toBe(0);
  }
  const written = house
    .say(sabrina, '--json', 'timeline', '1')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string; body: { text: string } })
    .filter(({ kind }) => kind === 'noted')
    .map(({ body }) => body.text);
  expect(written).toEqual(['The cache is cold', 'And the index is old', 'Warming it']);
});
