// What people's hands do, counted: typing a line and Enter is one interaction, as is a click or a key.
import type { Locator, Page } from 'playwright-core';

export class Hands {
  interactions = 0;

  constructor(readonly page: Page) {}

  async click(what: Locator): Promise<void> {
    this.interactions += 1;
    await what.click();
  }

  async press(key: string): Promise<void> {
    this.interactions += 1;
    await this.page.keyboard.press(key);
  }

  /** A line and Enter, into whatever has the focus. */
  async line(words: string): Promise<void> {
    this.interactions += 1;
    await this.page.keyboard.type(words);
    await this.page.keyboard.press('Enter');
  }

  /** How many interactions it took. */
  async count(doing: () => Promise<void>): Promise<number> {
    const before = this.interactions;
    await doing();
    return this.interactions - before;
  }
}

/** Waits until the incident's header names this commander, and no other place where the name stands. */
export async function commands(page: Page, name: string): Promise<void> {
  await page.locator('header .lead').getByText(`Incident commander ${name}`).waitFor();
}
