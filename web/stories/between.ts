// A story stands between a page and the server: it answers itself, or lets go later.
import type { BrowserContextOptions, Page, Route } from 'playwright-core';
import { expect } from 'vitest';

/** How a browser is opened in which a story stands between. Where a page has a worker, what it asks may go past the story for
 * as long as the page lives (seen in Chromium 156, with 3 pages of 104). */
export const WITHOUT_WORKER: BrowserContextOptions = { serviceWorkers: 'block' };

/** Has what the page asks of this address come to the story first. That is tried out before it is relied on. */
export async function between(
  page: Page,
  address: string,
  comes: (route: Route) => Promise<unknown>,
): Promise<void> {
  const workers = await page.evaluate(() => navigator.serviceWorker.getRegistrations());
  if (workers.length > 0) throw new Error('Open the browser WITHOUT_WORKER.');
  let came = false;
  await page.route('**/tried', (route) => ((came = true), route.fulfill({ status: 204 })));
  const tried = () => page.evaluate(() => fetch('/tried')).then(() => came);
  await expect.poll(tried).toBe(true);
  await page.route(address, comes);
}
