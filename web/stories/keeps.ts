// The builds of the page that a browser keeps, to open it without a server.
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** The builds of the page that this browser keeps, whole: oldest first. */
export const keeps = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const whole: string[] = [];
    for (const name of await caches.keys()) if (await (await caches.open(name)).match('/')) whole.push(name);
    return whole;
  });

/** One worker has this page, and none waits or comes up. While one takes it over from another, a page that is opened may never
 * get an answer (seen in Chromium 156, which gave the navigation to the one that it was stopping). */
async function isSettled(page: Page): Promise<void> {
  const settled = () =>
    page.evaluate(async () => {
      const { installing, waiting, active } = (await navigator.serviceWorker.getRegistration()) ?? {};
      const has = navigator.serviceWorker.controller;
      return !installing && !waiting && active?.state === 'activated' && active === has;
    });
  await expect.poll(settled).toBe(true);
}

export async function isKept(page: Page, builds = 1): Promise<void> {
  await expect.poll(async () => (await keeps(page)).length).toBe(builds);
  await isSettled(page);
}
