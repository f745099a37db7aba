// Somebody who is here for the first time plays the example: within a minute they are offered command.
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, test } from 'vitest';
import { faults } from './accessibility';
import { commands } from './hands';
import { House, PHONE, STORES } from './house';

let house: House;
afterEach(async () => await house.close());

const next = (page: Page) => page.getByRole('region', { name: 'What you do next' });
const play = (page: Page) =>
  page.getByRole('main').getByRole('button', { name: 'Play the example incident' });

interface Entry {
  kind: string;
  at: string;
  actor: string;
}

/** What the record says of the incident that a page shows. */
async function entries(page: Page): Promise<Entry[]> {
  const number = new URL(page.url()).pathname.split('/').at(-1);
  return await page.evaluate(async (n) => {
    const answer = await fetch(`/api/v1/incidents/${n}/events?limit=200`);
    return ((await answer.json()) as { entries: Entry[] }).entries;
  }, number);
}

/** Seconds from the opening to the first entry of a kind after some others. */
function secondsTo(all: Entry[], entry: Entry | undefined): number {
  return (Date.parse(entry!.at) - Date.parse(all[0]!.at)) / 1_000;
}

describe.each(STORES)('on %s', (store) => {
  test('a newcomer is offered command within a minute, takes it, and gives it back', async () => {
    house = new House(store);
    house.person('sabrina', 'Sabrina Duncan', '--admin');
    house.person('jennifer', 'Jennifer');
    await house.serve();
    const other = await house.enter('sabrina');
    const jennifer = await house.enter('jennifer', store === 'postgres' ? { viewport: PHONE } : {});
    await play(jennifer).waitFor();
    expect(await faults(jennifer)).toEqual([]);
    await play(jennifer).click();
    await jennifer.waitForURL(/\/incidents\/\d+$/);
    await jennifer.getByText('This is the example.').first().waitFor({ state: 'attached' });
    // The whole of the script is real: nothing here makes its people act faster.
    await next(jennifer).getByText('offers you command').waitFor({ timeout: 90_000 });
    expect(await faults(jennifer)).toEqual([]);
    const before = await entries(jennifer);
    expect(secondsTo(before, before.at(-1)), 'seconds until the offer').toBeLessThan(60);
    // It is for one person: nobody is to be invited.
    expect(await jennifer.getByText(/invite a guest/i).count()).toBe(0);
    // Nobody else is disturbed by it, and whoever begins another is led back to this one.
    await play(other).waitFor();
    await next(jennifer).getByRole('button', { name: 'Read the briefing' }).click();
    await jennifer.getByRole('heading', { name: 'How it stands' }).waitFor();
    await jennifer.getByRole('button', { name: 'I have command', exact: true }).click();
    await commands(jennifer, 'Jennifer');
    await jennifer
      .getByText('Say that it is mitigated, if you see it so too.')
      .first()
      .waitFor({ state: 'attached' });
    const here = jennifer.url();
    await jennifer.goto(house.url);
    await jennifer.getByRole('button', { name: 'You: Jennifer' }).click();
    await jennifer.getByRole('button', { name: 'Play the example incident' }).click();
    await jennifer.waitForURL(here);
    const tab = jennifer.getByRole('navigation').getByText('Command').last();
    if (store === 'postgres') await tab.click(); // On a phone the tree has a tab of its own.
    await jennifer.getByRole('button', { name: 'Hand over Incident commander' }).click();
    await jennifer.getByRole('button', { name: /^Offer command to / }).click();
    await jennifer.getByText('Still you, do not leave.').waitFor();
    await expect.poll(async () => (await entries(jennifer)).at(-1)?.kind, { timeout: 60_000 }).toBe('closed');
    const after = await entries(jennifer);
    expect(after.filter(({ kind }) => kind === 'declared')).toHaveLength(1);
  });
});
