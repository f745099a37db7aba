// What stands in the document, as its reader sees it, and what the page says of it; and notes for the timeline.
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { PATIENCE } from './search-fails';

export type Part = 'Summary' | 'Detailed status' | 'Working notes';

export const editor = (page: Page, part: Part = 'Working notes') => page.getByRole('textbox', { name: part });
export const standing = (page: Page) => page.locator('.document h2');
export const saved = (page: Page) =>
  expect.poll(() => standing(page).innerText(), PATIENCE).toMatch(/\bsaved\b/i);

/** What stands in a part, without others' cursors. */
export async function words(page: Page, part: Part = 'Working notes'): Promise<string> {
  return await editor(page, part).evaluate((content) => {
    const copy = content.cloneNode(true) as Element;
    for (const sign of copy.querySelectorAll('.other, .by-badge, .cm-placeholder')) sign.remove();
    return [...copy.querySelectorAll('.cm-line')].map((line) => line.textContent).join('\n');
  });
}

export const reads = (page: Page, part: Part = 'Working notes') =>
  expect.poll(() => words(page, part), PATIENCE);

/** Puts the keyboard into a part, at its end. */
export async function into(page: Page, part: Part = 'Working notes'): Promise<void> {
  await editor(page, part).focus();
  await page.keyboard.press('Control+End');
}

export async function note(page: Page, text: string): Promise<void> {
  const composer = page.getByLabel('Write a note into the timeline');
  await composer.fill(text);
  await composer.press('Enter');
}

/** A note that is not in the log yet. */
export const unsent = (page: Page, text: string) =>
  page.locator('.timeline li:not([data-entry])').filter({ hasText: text });

/** The room's line that says so. */
export const noConnection = (page: Page) => page.getByText('No connection', { exact: true });
