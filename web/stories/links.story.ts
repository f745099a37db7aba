// One-time links and invites that are used, too old, cut short or in two windows: each says what to do.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PASSWORD, PHONE, STORES } from './house';

let house: House;
afterEach(async () => await house.close());

/** A server whose clock is ahead by so much. */
const later = (ahead: string) => ({
  LD_PRELOAD: process.env.WARDROOM_TEST_FAKETIME!,
  FAKETIME: ahead,
  FAKETIME_DISABLE_SHM: '1',
});

/** The link that the server printed at its start, when it did. */
const printed = () => house.said.map((line) => /\/welcome#\S+/.exec(line)?.[0]).find(Boolean);

async function firstLink(): Promise<string> {
  await expect.poll(printed).toBeTruthy();
  return house.url + printed()!;
}

/** Opens an address that does not let in; it says so in these words, on the smallest phone too. */
async function opens(page: Page, address: string, ...words: string[]): Promise<void> {
  // The fragment alone would not load the page anew.
  await page.goto('about:blank');
  await page.goto(address);
  for (const said of words) await page.getByText(said).waitFor();
  for (const width of [1440, 320]) {
    await page.setViewportSize({ width, height: 844 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(wide, `${words[0]} at ${width}`).toBe(0);
  }
  expect(await faults(page)).toEqual([]);
}

test.each(STORES)('the first link lets one person in, whoever else has it open (%s)', async (store) => {
  house = new House(store);
  await house.serve();
  const link = await firstLink();
  const [one, two] = [await house.open(), await house.open({ viewport: PHONE })];
  for (const page of [one, two]) {
    await page.goto(link);
    await page.getByText('You are the first one here').waitFor();
    await page.getByLabel('Your name').fill(page === one ? 'Ada' : 'Ivan');
    await page.getByLabel('A password', { exact: true }).fill(PASSWORD);
  }
  await one.keyboard.press('Enter');
  await one.getByRole('heading', { name: 'Board' }).waitFor();
  expect(one.url()).toBe(`${house.url}/`);
  await two.getByRole('button', { name: 'Enter the war room' }).click();
  await two.getByText('This link was used already. If it was you: sign in with your password.').waitFor();
  await two.getByRole('link', { name: 'Sign in' }).waitFor();
  expect(await faults(two)).toEqual([]);
  // Her own, opened again, sends nobody anywhere but to the door.
  await opens(one, link, 'This link was used already. If it was you: sign in with your password.');
  // Once there is an admin no other is printed.
  await house.kill();
  await house.serve();
  expect(printed()).toBeUndefined();
  await one.goto(house.url);
  await one.getByRole('heading', { name: 'Board' }).waitFor();
});

test('links that are too old or cut short say where to get another', async () => {
  house = new House('sqlite');
  await house.serve();
  const old = await firstLink();
  await house.kill();
  await house.serve(later('+61m'));
  const page = await house.open();
  await opens(
    page,
    old,
    'This link has expired. Start Wardroom again: it prints a new one.',
    'While there is no admin, Wardroom prints one on its own machine when it starts.',
  );
  const fresh = await firstLink();
  expect(fresh).not.toBe(old);
  await opens(page, fresh.slice(0, -3), 'Copy it once more, as a whole.', 'Ask an admin for a new one.');
  await opens(page, `${house.url}/welcome`, 'This address is not whole.', 'Sign in instead');
  await opens(page, fresh, 'You are the first one here');

  // Of somebody who was added.
  house.person('ada', 'Ada', '--admin');
  house.person('marty', 'Marty');
  const marty = /\/welcome#\S+/.exec(house.run('person', 'link', 'marty'))?.[0] ?? '';
  await opens(page, house.url + marty, 'Welcome, Marty');
  await page.getByLabel('A password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Board' }).waitFor();
  await page.context().clearCookies();
  await opens(page, house.url + marty, 'This link was used already.', 'Ask an admin for a new one.');
  const another = /\/welcome#\S+/.exec(house.run('person', 'link', 'marty'))?.[0] ?? '';
  await house.kill();
  await house.serve(later('+25h'));
  await opens(page, house.url + another, 'This link has expired. Ask an admin for a new one.');
});

test('an invite that is too old, or whose incident is over, says whom to ask', async () => {
  house = new House('sqlite');
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  await house.serve();
  const invite = async (number: number): Promise<string> => {
    house.say(sabrina, 'declare', 'Search is failing');
    const answer = await fetch(`${house.url}/api/v1/incidents/${number}/invites`, {
      method: 'POST',
      headers: { authorization: `Bearer ${sabrina}`, 'content-type': 'application/json' },
      body: JSON.stringify({ request_id: crypto.randomUUID(), hours: 1 }),
    });
    expect(answer.status).toBe(201);
    return house.url + ((await answer.json()) as { path: string }).path;
  };
  const [first, second] = [await invite(1), await invite(2)];
  const page = await house.open({ viewport: PHONE });
  const urgent = 'If it is urgent, call whoever sent it to you.';
  await opens(page, first, 'Sabrina invites you into an incident');
  house.say(sabrina, 'phase', '1', 'resolved');
  house.say(sabrina, 'phase', '1', 'closed');
  // Open in a window already: the answer to coming in says the same.
  await page.getByLabel('Your name').fill('Marty');
  await page.getByRole('button', { name: 'Come in' }).click();
  await page.getByText('The incident that this link led to is closed.').waitFor();
  await opens(page, first, 'Ask whoever sent you the link for a new one.', urgent);
  await opens(page, `${house.url}/guest`, 'This address is not whole.');
  await opens(page, second.slice(0, -2), urgent);
  await house.kill();
  await house.serve(later('+61m'));
  await opens(page, second, 'This link has expired. Ask whoever sent you the link for a new one.', urgent);
});
