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

export const isKept = (page: Page, builds = 1) =>
  expect.poll(async () => (await keeps(page)).length).toBe(builds);
