// Two windows that act at once, a browser that lacks what it may lack, and a session that is ended from elsewhere.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { WITHOUT_WORKER, between } from './between';
import { commands } from './hands';
import { House, PASSWORD, PHONE, STORES } from './house';
import { PATIENCE } from './search-fails';

let house: House;
afterEach(async () => await house.close());

const next = (page: Page) => page.getByRole('region', { name: 'What you do next' });
const operations = (page: Page) =>
  page.locator('.tree li li').filter({ hasText: 'Operations' }).locator('.holder');

/** Does the same in both, and lets neither's command go before both have asked. */
async function atOnce(pages: Page[], act: (page: Page) => Promise<unknown>): Promise<void> {
  let asked = 0;
  let go: () => void;
  const both = new Promise<void>((resolve) => (go = resolve));
  const sent: Promise<void>[] = [];
  for (const page of pages) {
    await between(page, '**/commands', async (route) => {
      if (++asked === pages.length) go();
      const goes = both.then(() => route.continue());
      sent.push(goes);
      await goes;
    });
  }
  await Promise.all(pages.map(act));
  await both;
  // What is still on its way when the route ends would be let go twice.
  await Promise.all(sent);
  for (const page of pages) await page.unroute('**/commands');
}

test.each(STORES)('of two who take the same at once one has it, and both see who (%s)', async (store) => {
  house = new House(store);
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  house.person('marty', 'Marty');
  house.person('brown', 'Doc Brown');
  house.run('team', 'set', 'search-sre', 'marty', 'brown');
  await house.serve();
  house.say(sabrina, 'declare', 'Search is failing');
  house.say(sabrina, 'offer', '1', 'operations', '--team', 'search-sre');
  const [marty, brown] = [
    await house.enter('marty', WITHOUT_WORKER),
    await house.enter('brown', WITHOUT_WORKER),
  ];
  const take = (page: Page) => next(page).getByRole('button', { name: 'I have operations' });
  for (const page of [marty, brown]) {
    await page.goto(`${house.url}/incidents/1`);
    await take(page).waitFor();
  }
  await atOnce([marty, brown], (page) => take(page).click());
  for (const page of [marty, brown]) await operations(page).locator('b').waitFor();
  const names = await Promise.all([marty, brown].map((page) => operations(page).locator('b').textContent()));
  expect(names[0]).toBe(names[1]);
  const late = names[0]?.includes('Marty') ? brown : marty;
  await late.getByRole('alert').getByText('is not on offer').waitFor();
  expect(await faults(late)).toEqual([]);

  // One person in two windows: the second press is told that it is so already, and nothing is done twice.
  house.say(sabrina, 'offer', '1', 'planning', late === brown ? 'brown' : 'marty');
  const other = await late.context().newPage();
  await other.goto(`${house.url}/incidents/1`);
  const planning = (page: Page) => next(page).getByRole('button', { name: 'I have planning' });
  for (const page of [late, other]) await planning(page).waitFor();
  await atOnce([late, other], (page) => planning(page).click());
  for (const page of [late, other]) await next(page).getByText('Nothing waits for you.').waitFor();
  const taken = house.say(sabrina, 'timeline', '1').match(/took planning/g);
  expect(taken?.length).toBe(1);

  // The same is said in both, and both stand there: notes of one browser are sent one after the other.
  const says = async (page: Page): Promise<void> => {
    const composer = page.getByLabel('Write a note into the timeline');
    await composer.fill('The quota is used up');
    await composer.press('Enter');
  };
  await Promise.all([late, other].map(says));
  for (const page of [late, other]) {
    await expect
      .poll(
        () => page.locator('.timeline [data-entry]').filter({ hasText: 'The quota is used up' }).count(),
        PATIENCE,
      )
      .toBe(2);
  }
  // Signed out in one, the other says so, and does nothing more for whoever sits there.
  await other.getByRole('button', { name: /^You:/ }).click();
  await other.getByRole('button', { name: 'Sign out' }).click();
  await late.getByLabel('Your handle').waitFor();
  expect(await late.content()).not.toContain('The quota is used up');
});

test('a browser without workers, push, storage or channels runs an incident all the same', async () => {
  house = new House('sqlite');
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  house.person('marty', 'Marty');
  await house.serve();
  house.say(sabrina, 'declare', 'Search is failing');
  const page = await house.open();
  await page.context().addInitScript(() => {
    const lacking = [
      'SharedWorker',
      'Worker',
      'BroadcastChannel',
      'Notification',
      'PushManager',
      'ServiceWorkerContainer',
    ];
    for (const name of lacking) Reflect.deleteProperty(globalThis, name);
    Reflect.deleteProperty(Navigator.prototype, 'serviceWorker');
    const no = () => {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    };
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB'])
      Object.defineProperty(globalThis, name, { get: no, configurable: true });
  });
  const link = /\/welcome#\S+/.exec(house.run('person', 'link', 'marty'))?.[0] ?? '';
  await page.goto(house.url + link);
  await page.getByLabel('A password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: /Search is failing/ }).click();
  await next(page).getByRole('button', { name: "I'm here" }).click();
  await page.getByRole('status').getByText('live').waitFor();
  house.say(sabrina, 'note', '1', 'First cluster warm');
  await page.locator('.timeline').getByText('First cluster warm').waitFor();
  house.say(sabrina, 'offer', '1', 'command', 'marty');
  await house.kill();
  await page
    .getByText(/reconnecting/)
    .first()
    .waitFor();
  await house.serve();
  await page.getByRole('status').getByText('live').waitFor();
  await next(page).getByRole('button', { name: 'Read the briefing' }).click();
  await page.getByRole('button', { name: 'I have command', exact: true }).click();
  await commands(page, 'Marty');
  expect(await faults(page)).toEqual([]);
  await page.getByRole('button', { name: /^You:/ }).click();
  await page.getByText('How you are reached').click();
  await page.getByText('You are told of offers').waitFor();
});

test('a session that is ended from another window ends what it follows, within a second', async () => {
  house = new House('sqlite');
  house.person('marty', 'Marty');
  await house.serve();
  const desk = await house.enter('marty');
  const phone = await house.open({ viewport: PHONE });
  await house.signIn(phone, 'marty');
  // What the phone follows, followed once more from here, to see when it ends.
  const [{ name, value } = { name: '', value: '' }] = await phone.context().cookies();
  const stream = await fetch(`${house.url}/api/v1/events`, { headers: { cookie: `${name}=${value}` } });
  expect(stream.status).toBe(200);
  const ended = stream.text().then(() => performance.now());
  await desk.getByRole('button', { name: 'You: Marty' }).click();
  const answered = desk.waitForResponse((response) => response.request().method() === 'DELETE');
  await desk
    .locator('#you li')
    .filter({ hasNotText: 'this one' })
    .getByRole('button', { name: /^End the session/ })
    .click();
  expect((await answered).status()).toBe(204);
  const began = performance.now();
  // A second is promised; a loaded machine is given ten.
  expect((await ended) - began).toBeLessThan(10_000);
  await phone.getByLabel('Your handle').waitFor();
  await desk.getByRole('heading', { name: 'Board' }).waitFor();
});
