// A story stands between a page and the server: it answers itself, or lets go later.
import type { Page, Route } from 'playwright-core';

/**
 * Has what the page asks of this address come to the story first. The page's worker has the page by then: what is asked in
 * the moment in which it takes the page over goes past whoever stands between.
 */
export async function between(
  page: Page,
  address: string,
  comes: (route: Route) => Promise<unknown>,
): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.route(address, comes);
}
